package outbound_test

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/affiliatekit/affiliatekit/affiliate/outbound"
)

func Example() {
	client := outbound.NewClient(outbound.Options{})
	_, err := client.Get("http://127.0.0.1:1/")
	fmt.Println(errors.Is(err, outbound.ErrForbidden))
	fmt.Println(outbound.Public(netip.MustParseAddr("169.254.169.254")))
	// Output:
	// true
	// false
}
