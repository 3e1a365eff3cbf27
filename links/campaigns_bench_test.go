package links_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// BenchmarkChargedClicksPostgres is clicks per second that are charged to one
// of three campaigns, with a budget of its own and a shared one each, in
// GroupCommit mode into a durable server. Its floor, x-uncharged, are the same
// clicks at the advertiser's own rates.
func BenchmarkChargedClicksPostgres(b *testing.B) {
	useDurableServer(b)
	sqldb, err := postgres.Open(backends.Database(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { sqldb.Close() })
	sqldb.SetMaxOpenConns(64)
	sqldb.SetMaxIdleConns(64)
	db, err := postgres.New(sqldb, postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	backend := storagetest.Backend{Core: db.Core(), Identity: db.Identity(), Mailing: db.Mailing(), Media: db.Media(), Offers: db.Offers(), Links: db.Links()}
	w := newClickWorld(b, backend)
	service, err := offers.NewService(w.core, backend.Offers, offers.Options{})
	if err != nil {
		b.Fatal(err)
	}
	shared, err := service.CreateSharedBudget(b.Context(), 1, offers.SharedBudgetInput{Title: "shared", Amount: offers.MaxAmount})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 3 {
		_, err := service.CreateOffer(b.Context(), offers.OfferInput{Offer: offers.Offer{
			AdvertiserID: 1, Type: offers.Standard, Name: fmt.Sprint("campaign ", i), Costs: costs(10),
			BudgetLimit: affiliate.Some[int64](offers.MaxAmount), SharedBudgetID: shared.ID,
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	rate := func(connections int, charger links.Charger) float64 {
		follow, err := links.NewService(backend.Links, links.Options{Charger: charger})
		if err != nil {
			b.Fatal(err)
		}
		run := uuid.NewString()
		return load(b, connections, time.Second, func(worker, i int) error {
			_, err := follow.Follow(b.Context(), links.Hit{LinkID: w.links[(worker*7919+i)%len(w.links)], IP: fmt.Sprint(run, worker, ".", i), UserAgent: "Firefox"})
			return err
		})
	}
	for _, connections := range []int{32, 256} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			for b.Loop() {
				rates := inTurn(
					func() float64 { return rate(connections, links.CampaignPrices{}) },
					func() float64 { return rate(connections, links.AdvertiserPrices{}) },
				)
				b.ReportMetric(rates[0], "clicks/s")
				b.ReportMetric(rates[0]/rates[1], "x-uncharged")
			}
		})
	}
}
