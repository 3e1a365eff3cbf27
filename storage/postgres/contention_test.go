package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Campaigns of one store take their places among the others of it, so that units
// that make some at once collide. Without an order among those that run again,
// some of so many fail at every attempt that they have.
func TestManyCampaignsOfOneStoreAreMadeAtOnce(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, _ := openInPath(t)
	w := newWorld(t, db, 1, 1)
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	is.NoErr(err)
	const writers, each = 64, 6
	var failed atomic.Int64
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for n := range each {
				_, err := kit.Offers.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{
					AdvertiserID: w.advertisers[0].ID, Type: offers.Standard, Name: fmt.Sprint(i, " ", n),
				}})
				if err != nil && failed.Add(1) == 1 {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	is.Equal(failed.Load(), int64(0))
	page, err := kit.Offers.Offers(t.Context(), offers.OfferFilter{AdvertiserIDs: []int64{w.advertisers[0].ID}}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
	is.NoErr(err)
	is.Equal(page.Total, writers*each)
	places := map[int64]bool{}
	for _, v := range page.Items {
		places[v.Priority] = true
	}
	is.Equal(len(places), writers*each) // each has a place of its own
}
