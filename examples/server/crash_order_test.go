package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// The pixel, the beacon and the shop's own program tell one sale a thousand times,
// to two processes and to the library, and one of the processes is killed in the
// middle: one order, one commission, one draw on the budget.
func TestASaleToldAThousandTimesIsPaidOnceThoughAProcessIsKilled(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	const reports = 1000
	dsn := pgtest.DSN(t)
	servers := [2]*process{spawn(t, "-demo", "-dsn", dsn, "-rate", "0"), spawn(t, "-demo", "-dsn", dsn, "-rate", "0")}
	backend := backends.Postgres(t, dsn)
	sales, err := orders.NewService(backend.Orders, orders.Options{})
	is.NoErr(err)
	cpa, err := affiliate.ParseRate("cpa", "0.1")
	is.NoErr(err)
	campaigns, campaign := theOnlyCampaign(t, servers[0], backend, 1_000_000, affiliate.Costs{
		CPC: affiliate.Some[int64](7), InvoiceCPC: affiliate.Some[int64](7), CPA: affiliate.Some(cpa), InvoiceCPA: affiliate.Some(cpa),
	})
	acme := campaign.AdvertiserID
	made := servers[0].convert(t, "creator", "anna", "https://acme.example/coat", http.StatusCreated)
	click, err := servers[0].as("").click(t.Context(), made.ID, "the customer")
	is.NoErr(err)
	collector, err := sales.Collector(t.Context(), acme)
	is.NoErr(err)
	told := url.Values{
		"organization": {fmt.Sprint(collector.OrganizationID)}, "event": {fmt.Sprint(collector.EventID)}, "ordernumber": {"once"}, "ordervalue": {"500.00"}, "currency": {"SEK"}, "mtpc_cid": {click},
	}.Encode()

	var done, refused atomic.Int64
	var all sync.WaitGroup
	for reporter := range readers {
		all.Go(func() {
			for i := reporter; i < reports; i += readers {
				if done.Add(1) == reports/2 {
					if err := servers[1].cmd.Process.Kill(); err != nil {
						t.Error(err)
					}
				}
				address := "http://" + servers[i%2].Listening + "/report"
				var answer *http.Response
				var err error
				switch i / 2 % 3 {
				case 0:
					answer, err = http.Get(address + "?" + told)
				case 1:
					answer, err = http.Post(address, "application/x-www-form-urlencoded", strings.NewReader(told))
				default:
					if _, _, err := sales.Report(t.Context(), orders.Report{
						AdvertiserID: acme, Number: "once", Value: decimal.NewFromInt(500), Currency: "SEK", ClickIDs: []uuid.UUID{uuid.MustParse(click)},
					}); err != nil {
						t.Error(err)
					}
					continue
				}
				if err != nil {
					refused.Add(1) // by the process that is gone
					continue
				}
				if err := answer.Body.Close(); err != nil {
					t.Error(err)
				}
				if answer.StatusCode != http.StatusOK {
					t.Errorf("a report: %s %v", answer.Status, answer.Header)
				}
			}
		})
	}
	all.Wait()
	_ = servers[1].cmd.Wait() // killed, as it was told
	is.True(refused.Load() > 0)

	page, err := sales.Orders(t.Context(), orders.OrderFilter{OfferID: campaign.ID}, affiliate.PageRequest{Number: 1, Size: 10})
	is.NoErr(err)
	is.Equal(page.Total, 1)
	is.Equal(page.Items[0].Earning.Minor(), int64(5000))
	v, err := campaigns.Offer(t.Context(), campaign.ID)
	is.NoErr(err)
	is.Equal(v.Used, offers.Counts{Clicks: 1, Spent: 7 + 5000})
	differences, err := sales.Verify(t.Context())
	is.NoErr(err)
	is.Equal(fmt.Sprint(differences), "[]")
}
