// Command ownbackend shows what somebody else's backend looks like. It
// decorates the memory backend: every unit of work is counted and timed on its
// way through. Its test runs storagetest, the suite that the shipped backends
// pass; a backend on another database starts the same way.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run lets a hundred readers click on a link and prints what that asked of the
// backend.
func run(ctx context.Context, out io.Writer) error {
	m := newMeter()
	kit, err := affiliatekit.New(meteredBackend{memory.New(), m}, affiliatekit.Options{})
	if err != nil {
		return err
	}
	core, shop := kit.Core, kit.Links
	_, err1 := shop.RegisterAdvertiser(ctx, links.Registration{
		Domains:    []string{"acme.example"},
		Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"},
	})
	anna, err2 := core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: time.Now()})
	link, _, err3 := shop.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://acme.example/shoes"})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	for reader := range 100 {
		hit := links.Hit{LinkID: link.Link.ID, IP: fmt.Sprintf("192.0.2.%d", reader), UserAgent: "Firefox"}
		if _, err := shop.Follow(ctx, hit); err != nil {
			return err
		}
	}
	if _, err := shop.Follow(ctx, links.Hit{LinkID: -1}); !errors.Is(err, affiliate.ErrNotFound) {
		return fmt.Errorf("a link that is not there: %w", err)
	}
	m.report(out)
	return nil
}
