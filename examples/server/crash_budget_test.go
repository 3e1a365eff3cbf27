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
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// theOnlyCampaign makes a campaign of acme's that nothing pays beside.
func theOnlyCampaign(t *testing.T, p *process, b storagetest.Backend, budget int64, costs affiliate.Costs) (*offers.Service, offers.View) {
	t.Helper()
	is := is.New(t)
	core, err := affiliate.NewService(b.Core, affiliate.Options{})
	is.NoErr(err)
	campaigns, err := offers.NewService(core, b.Offers, offers.Options{})
	is.NoErr(err)
	for _, id := range p.IDs["offers"] {
		is.NoErr(campaigns.DeleteOffer(t.Context(), id))
	}
	made, err := campaigns.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{
		AdvertiserID: p.IDs["advertisers"]["acme"], Type: offers.Standard, Name: "the only one",
		BudgetLimit: affiliate.Some(budget), Costs: []offers.Costs{{Costs: costs}},
	}})
	is.NoErr(err)
	return campaigns, made.View
}

// A process that is killed in the middle spends nothing that is not kept, and
// the next one goes on to the last click that fits.
func TestKilledServerSpendsABudgetExactly(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	const fit = 300
	dsn := pgtest.DSN(t)
	p := spawn(t, "-demo", "-dsn", dsn, "-rate", "0")
	campaigns, campaign := theOnlyCampaign(t, p, backends.Postgres(t, dsn), fit*7, affiliate.Costs{CPC: affiliate.Some[int64](7), InvoiceCPC: affiliate.Some[int64](7)})
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
	is.Equal(fmt.Sprint(differences), "[]")
}

// Two processes at one budget pay exactly what fits: 50 clicks at 0.10 of 5.00,
// out of 1,000 that come at once.
func TestTwoProcessesSpendOneBudgetExactly(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	const clicks, price, limit = 1000, 10, 500
	dsn := pgtest.DSN(t)
	servers := [2]*process{spawn(t, "-demo", "-dsn", dsn, "-rate", "0"), spawn(t, "-demo", "-dsn", dsn, "-rate", "0")}
	campaigns, campaign := theOnlyCampaign(t, servers[0], backends.Postgres(t, dsn), limit, affiliate.Costs{CPC: affiliate.Some[int64](price), InvoiceCPC: affiliate.Some[int64](price)})
	var made [4]link // several, so that the locks of links do not order everything
	for i := range made {
		made[i] = servers[0].convert(t, "creator", "anna", fmt.Sprintf("https://acme.example/%d", i), http.StatusCreated)
	}
	var all sync.WaitGroup
	for reader := range readers {
		open := servers[reader%2].as("")
		all.Go(func() {
			for i := reader; i < clicks; i += readers {
				if _, err := open.click(t.Context(), made[i%len(made)].ID, fmt.Sprint("reader ", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	v, err := campaigns.Offer(t.Context(), campaign.ID)
	is.NoErr(err)
	is.Equal(v.Used, offers.Counts{Clicks: limit / price, Spent: limit})
	shop := openLinks(t, dsn)
	capped, err := shop.Clicks(t.Context(), links.ClickFilter{Verdict: links.VerdictCapped}, affiliate.PageRequest{Number: 1, Size: 1})
	is.NoErr(err)
	is.Equal(capped.Total, clicks-limit/price) // none is lost, none is paid from elsewhere
	differences, err := shop.Verify(t.Context())
	is.NoErr(err)
	is.Equal(fmt.Sprint(differences), "[]")
}
