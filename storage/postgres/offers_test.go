package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func TestCampaignsTakeAConstantNumberOfStatements(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 30, 1)
	service, err := links.NewOffers(db.Links(), offers.Options{})
	is.NoErr(err)
	var ids []int64
	for _, u := range w.users {
		ids = append(ids, u.ID)
	}
	for i := range 30 {
		_, err := service.CreateOffer(t.Context(), offers.NewOffer{
			Offer:   offers.Offer{AdvertiserID: w.advertisers[0].ID, Type: offers.Standard, Name: "campaign " + strconv.Itoa(i), MaxClicks: affiliate.Some[int64](1000)},
			Targets: offers.Targets{UserIDs: ids}, Budget: affiliate.Some(offers.NewSharedBudget{Title: "b", Amount: 1}),
		})
		is.NoErr(err)
	}
	watched, count := counted(t, handle)
	service, err = links.NewOffers(watched.Links(), offers.Options{})
	is.NoErr(err)
	statements := func(size int, run func(p affiliate.PageRequest) error) int64 {
		count.statements.Store(0)
		is.NoErr(run(affiliate.PageRequest{Number: 1, Size: size}))
		return count.statements.Load()
	}
	for name, run := range map[string]func(p affiliate.PageRequest) error{
		"offers": func(p affiliate.PageRequest) error {
			_, err := service.Offers(t.Context(), offers.OfferFilter{Statuses: offers.Statuses()}, p)
			return err
		},
		"participants": func(p affiliate.PageRequest) error {
			_, err := service.Participants(t.Context(), offers.ParticipantFilter{OfferID: 1}, p)
			return err
		},
		"participants' stats": func(p affiliate.PageRequest) error {
			_, err := service.ParticipantsStats(t.Context(), offers.ParticipantFilter{OfferID: 1}, p)
			return err
		},
	} {
		one, many := statements(1, run), statements(30, run)
		if one != many || one > 10 {
			t.Errorf("%s: %d statements for a page of one, %d for a page of 30", name, one, many)
		}
	}
	claims := make([]offers.Claim, 300)
	for i := range claims {
		claims[i] = offers.Claim{User: w.users[i%30], Advertiser: w.advertisers[0], At: noon}
	}
	charge := func(n int) int64 {
		return statements(n, func(affiliate.PageRequest) error {
			return watched.Links().Record(t.Context(), func(ctx context.Context, tx links.Tx) error {
				_, err := offers.Charge(ctx, tx, claims[:n])
				return err
			})
		})
	}
	charge(300) // makes the counters
	if one, many := charge(1), charge(300); one != many || one > 14 {
		t.Errorf("%d statements charge one click, %d charge 300", one, many)
	}
}

// seedOffers makes n offers of the first advertiser, of which ten are for the
// first user and the others for somebody else each.
func seedOffers(ctx context.Context, tb testing.TB, handle *bun.DB, n int) {
	tb.Helper()
	for _, statement := range []string{
		`INSERT INTO affiliate_offers (advertiser_id, currency, type, name, title, body, token, image_key, has_product_seeding, has_one_time_payment,
			one_time_payment, per_user_limit, budget_limit, todo, show_for_advertiser, priority, costs, created_by_name)
		 SELECT 1, 'SEK', 'standard', 'campaign ' || i, '', '', 't' || lpad(i::text, 15, '0'), '', false, false, 0, false, 1000000000, '{}', false, i, '[]', ''
		 FROM generate_series(1, ` + strconv.Itoa(n) + `) AS i`,
		`INSERT INTO affiliate_offer_targets SELECT id, 1, 'user', CASE WHEN id % ` + strconv.Itoa(max(n/10, 1)) + ` = 0 THEN '1' ELSE (1000 + id)::text END FROM affiliate_offers`,
		`ANALYZE`,
	} {
		if _, err := handle.ExecContext(ctx, statement); err != nil {
			tb.Fatal(err)
		}
	}
}

// percentiles runs work n times and answers the median and the 99th percentile.
func percentiles(tb testing.TB, n int, work func() error) (p50, p99 time.Duration) {
	spent := make([]time.Duration, n)
	for i := range spent {
		start := time.Now()
		if err := work(); err != nil {
			tb.Fatal(err)
		}
		spent[i] = time.Since(start)
	}
	slices.Sort(spent)
	return spent[n/2], spent[n*99/100]
}

// BenchmarkSelection charges one click among 10, 1,000 and 100,000 campaigns of
// one advertiser, ten of which are for the creator. The ratios are to the time
// among 10.
func BenchmarkSelection(b *testing.B) {
	measure := func(b *testing.B, store links.Store, w world) (p50, p99 time.Duration) {
		claim := []offers.Claim{{User: w.users[0], Advertiser: w.advertisers[0], At: noon}}
		return percentiles(b, 500, func() error {
			return store.Record(b.Context(), func(ctx context.Context, tx links.Tx) error {
				awards, err := offers.Charge(ctx, tx, claim)
				if err == nil && awards[0].OfferID == 0 {
					err = fmt.Errorf("nothing serves: %+v", awards[0])
				}
				return err
			})
		})
	}
	report := func(b *testing.B, run func(n int) (p50, p99 time.Duration)) {
		for b.Loop() {
			base, base99 := run(10)
			for _, n := range []int{1000, 100_000} {
				p50, p99 := run(n)
				b.ReportMetric(float64(p50)/float64(base), fmt.Sprintf("p50-%d/10", n))
				b.ReportMetric(float64(p99)/float64(base99), fmt.Sprintf("p99-%d/10", n))
			}
			b.ReportMetric(float64(base.Nanoseconds())/1000, "p50-µs-among-10")
		}
	}
	b.Run("postgres", func(b *testing.B) {
		report(b, func(n int) (p50, p99 time.Duration) {
			db, handle := openInPath(b)
			w := newWorld(b, db, 1, 1)
			seedOffers(b.Context(), b, handle, n)
			return measure(b, db.Links(), w)
		})
	})
	b.Run("memory", func(b *testing.B) {
		report(b, func(n int) (p50, p99 time.Duration) {
			db := memory.New()
			w := newWorld(b, db, 1, 1)
			err := db.Offers().Write(b.Context(), func(ctx context.Context, tx offers.Tx) error {
				for i := 1; i <= n; i++ {
					o, err := tx.Offers().Add(ctx, offers.Offer{
						AdvertiserID: 1, Currency: "SEK", Type: offers.Standard, Name: "campaign", Token: fmt.Sprintf("t%015d", i),
						BudgetLimit: affiliate.Some[int64](1_000_000_000), Priority: int64(i),
					})
					if err != nil {
						return err
					}
					value := strconv.Itoa(1000 + i)
					if i%max(n/10, 1) == 0 {
						value = "1"
					}
					if err := tx.Targets().Set(ctx, o.ID, []offers.Target{{Kind: offers.TargetUser, Value: value}}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			return measure(b, db.Links(), w)
		})
	})
}

// BenchmarkOfferPages reads the first page and the last of 100,000 offers: the
// ratio is what page numbers cost.
func BenchmarkOfferPages(b *testing.B) {
	db, handle := openInPath(b)
	newWorld(b, db, 1, 1)
	seedOffers(b.Context(), b, handle, 100_000)
	service, err := offers.NewService(db.Offers(), offers.Options{})
	if err != nil {
		b.Fatal(err)
	}
	page := func(n int) time.Duration {
		p50, _ := percentiles(b, 10, func() error {
			_, err := service.Offers(b.Context(), offers.OfferFilter{}, affiliate.PageRequest{Number: n, Size: 20})
			return err
		})
		return p50
	}
	for b.Loop() {
		first, last := page(1), page(5000)
		b.ReportMetric(float64(first.Microseconds()), "first-µs")
		b.ReportMetric(float64(last)/float64(first), "last/first")
	}
}
