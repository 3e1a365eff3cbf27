package metapic_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestReturnAdsShowAndSortByWhatTheirLinksBring(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		behind := func(ad, link string) {
			t.Helper()
			_, err := w.ReturnAds.Update(t.Context(), w.ID[ad], func(a *returnads.Ad) { a.LinkID = w.ID[link] })
			is.NoErr(err)
		}
		behind("ad acme", "link anna")
		behind("ad nordic", "link bo")
		is.NoErr(w.Backend.ReturnAds.Write(t.Context(), func(ctx context.Context, tx returnads.Tx) error {
			if _, err := tx.ReturnAds().Count(ctx, w.ID["ad acme"], returnads.Counts{Views: 8, Clicks: 2}); err != nil {
				return err
			}
			if _, err := tx.ReturnAds().Count(ctx, w.ID["ad nordic"], returnads.Counts{Views: 10, Clicks: 8}); err != nil {
				return err
			}
			event := func(link, user, advertiser string, value, earning int64) stats.Fact {
				sek := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "SEK") }
				return stats.Fact{
					Kind: stats.OrderPaid, Day: stats.DayOf(w.Clock(), nil), AdvertiserID: w.ID["advertiser "+advertiser], UserID: w.ID["user "+user],
					LinkID: w.ID["link "+link], Value: sek(value), Earning: sek(earning), Cost: sek(earning),
				}
			}
			return stats.Record(ctx, tx, event("anna", "anna", "acme", 500_00, 10_00),
				event("bo", "bo", "nordic", 100_00, 20_00), event("bo", "bo", "nordic", 100_00, 20_00))
		}))
		got := w.Send("admin", "GET", "/v2/return-ads/{ad acme}", "")
		for field, want := range map[string]any{
			"affiliate_link.id": float64(w.ID["link anna"]), "stats.0.order_count": 1.0, "stats.0.click_through_rate": 0.25, "stats.0.conversion_rate": 0.5,
			"stats.0.order_value.amount": "500", "stats.0.earnings.amount": "10", "stats.0.current_clicks": 2.0,
		} {
			is.Equal(market.Field(t, got, field), want) // field
		}
		for sort, want := range map[string]string{
			"order_count:desc": "Return to nordic Return to acme Return to old", "order_value:desc": "Return to acme Return to nordic Return to old",
			"earnings:asc": "Return to old Return to acme Return to nordic", "click_through_rate:desc": "Return to nordic Return to acme Return to old",
			"conversion_rate:desc": "Return to acme Return to nordic Return to old",
		} {
			is.Equal(market.Names(t, w.Send("admin", "GET", "/v2/return-ads?sort_by="+sort, ""), "name"), want)                                                       // sort
			is.Equal(market.Names(t, w.Send("admin", "GET", "/v2/return-ads?size=1&page=2&sort_by="+sort, ""), "name"), strings.Join(strings.Fields(want)[3:6], " ")) // sort
		}
	})
}

// However many clicks there are, statistics read none of them.
func TestStatisticsReadRollUpsAlone(t *testing.T) {
	t.Parallel()
	dsn := backends.Database(t)
	w := newWorld(t, backends.Postgres(t, dsn))
	backends.HideEvents(t, dsn)
	for _, path := range []string{
		"/v2/offers/{offer vips}/stats?start_date=2026-03-18&end_date=2026-03-20", "/v2/offers/{offer vips}/participants-stats",
		"/v2/offers/{offer vips}/participants-count-by-click-activity?start_date=2026-03-20&end_date=2026-03-20",
		"/v2/return-ads?sort_by=earnings:desc", "/v2/advertisers/{advertiser acme}/return-ads",
	} {
		if got := w.Send("admin", "GET", path, ""); got.Code != http.StatusOK {
			t.Errorf("%s: got %d %s", path, got.Code, got.Body)
		}
	}
}

func TestParticipantsShowTheLinksTheyMade(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		created := func(query string) any {
			got := w.Send("advertiser", "GET", "/v2/offers/{offer vips}/participants-stats?query=ANNA"+query, "")
			return market.Field(t, got, "data.0.links_created")
		}
		is.Equal(created(""), 1.0)
		w.Pass(48 * time.Hour)
		is.Equal(w.Send("creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://acme.example/later"}`).Code, 201)
		is.Equal(created(""), 2.0)
		is.Equal(created("&start_date="+w.Clock().Format("2006-01-02")), 1.0)
		is.Equal(created("&end_date="+w.Clock().AddDate(0, 0, -1).Format("2006-01-02")), 1.0)
	})
}
