package affiliate_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestStalenessIsThatOfTheOldestRead(t *testing.T) {
	is := is.New(t)
	is.True(affiliate.StalenessOf(t.Context()) == nil)
	ctx, s := affiliate.AllowStale(t.Context())
	_, replica := s.AtMost()
	is.True(!replica) // nothing was read yet
	for _, d := range []time.Duration{time.Second, 3 * time.Second, 2 * time.Second} {
		affiliate.StalenessOf(ctx).Note(d)
	}
	d, replica := s.AtMost()
	is.True(replica)
	is.Equal(d, 3*time.Second)
	is.True(affiliate.StalenessOf(affiliate.Fresh(ctx)) == nil)
}
