package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// A process that is killed in the middle spends nothing that is not kept, and
// the next one goes on to the last click that fits.
func TestKilledServerSpendsABudgetExactly(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	const fit = 300
	dsn := pgtest.DSN(t)
	p := spawn(t, "-demo", "-dsn", dsn, "-rate", "0")
	backend := backends.Postgres(t, dsn)
	campaigns, err := links.NewOffers(backend.Links, offers.Options{})
	is.NoErr(err)
	campaign, err := campaigns.CreateOffer(t.Context(), offers.NewOffer{Offer: offers.Offer{
		AdvertiserID: p.IDs["advertisers"]["acme"], Type: offers.Standard, Name: "to the last click",
		BudgetLimit: affiliate.Some[int64](fit * 7),
		Costs:       []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](7), InvoiceCPC: affiliate.Some[int64](7)}}},
	}})
	is.NoErr(err)
	var made [3]link
	for i := range made {
		made[i] = p.convert(t, "creator", "anna", fmt.Sprintf("https://acme.example/%d", i), http.StatusCreated)
	}
	clickUntilKilled(t, p, made[:])
	used := func() offers.Counts {
		v, err := campaigns.Offer(t.Context(), campaign.ID)
		is.NoErr(err)
		return v.Used
	}
	before := used()
	is.True(before.Clicks > 0 && before.Clicks <= fit && before.Spent == 7*before.Clicks)

	open := spawn(t, "-demo", "-dsn", dsn, "-rate", "0").as("")
	var all sync.WaitGroup
	for reader := range readers {
		all.Go(func() {
			for i := range 2 * fit / readers {
				if _, err := open.click(t.Context(), made[i%len(made)].ID, fmt.Sprint("again ", reader, " ", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	is.Equal(used(), offers.Counts{Clicks: fit, Spent: 7 * fit})
	differences, err := openLinks(t, dsn).Verify(t.Context())
	is.NoErr(err)
	is.Equal(len(differences), 0)
}
