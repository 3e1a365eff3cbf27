package postgres_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// newOffers returns the service of offers over a backend.
func newOffers(db *postgres.DB) (*offers.Service, error) {
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	if err != nil {
		return nil, err
	}
	return kit.Offers, nil
}

func TestCampaignsTakeAConstantNumberOfStatements(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 30, 1)
	service, err := newOffers(db)
	is.NoErr(err)
	var ids []int64
	for _, u := range w.users {
		ids = append(ids, u.ID)
	}
	for i := range 30 {
		_, err := service.CreateOffer(t.Context(), offers.OfferInput{
			Offer:   offers.Offer{AdvertiserID: w.advertisers[0].ID, Type: offers.Standard, Name: "campaign " + strconv.Itoa(i), MaxClicks: affiliate.Some[int64](1000)},
			Targets: offers.Targets{UserIDs: ids}, Budget: affiliate.Some(offers.SharedBudgetInput{Title: "b", Amount: 1}),
		})
		is.NoErr(err)
	}
	watched, count := counted(t, handle)
	service, err = newOffers(watched)
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
	claims := make([]offers.ClickCharge, 300)
	for i := range claims {
		claims[i] = offers.ClickCharge{User: &w.users[i%30], Advertiser: &w.advertisers[0], At: noon}
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
// target and the others for one of the same kind each that nobody has.
func seedOffers(ctx context.Context, tb testing.TB, handle *bun.DB, n int, t offers.Target) {
	tb.Helper()
	for _, statement := range []string{
		`INSERT INTO affiliate_offers (advertiser_id, currency, type, name, title, body, token, image_key, has_product_seeding, has_one_time_payment,
			one_time_payment, per_user_limit, budget_limit, todo, show_for_advertiser, priority, costs, created_by_name)
		 SELECT 1, 'SEK', 'standard', 'campaign ' || i, '', '', 't' || lpad(i::text, 15, '0'), '', false, false, 0, false, 1000000000, '{}', false, i, '[]', ''
		 FROM generate_series(1, ` + strconv.Itoa(n) + `) AS i`,
		`INSERT INTO affiliate_offer_targets SELECT id, 1, '` + string(t.Kind) + `', CASE WHEN id % ` + strconv.Itoa(max(n/10, 1)) + ` = 0
			THEN '` + t.Value + `' ELSE (1000 + id)::text END FROM affiliate_offers`,
		`ANALYZE`,
	} {
		if _, err := handle.ExecContext(ctx, statement); err != nil {
			tb.Fatal(err)
		}
	}
}

// percentiles runs work n times and returns the median and the 99th percentile.
func percentiles(tb testing.TB, n int, work func() error) (p50, p99 time.Duration) {
	tb.Helper()
	runtime.GC() // what was seeded is not this work's garbage
	spent := make([]time.Duration, 2*n)
	for i := range spent {
		start := time.Now()
		if err := work(); err != nil {
			tb.Fatal(err)
		}
		spent[i] = time.Since(start)
	}
	spent = spent[n:] // the first half was to warm up
	slices.Sort(spent)
	return spent[n/2], spent[n*99/100]
}

// seedOffersInMemory is seedOffers for the memory backend.
func seedOffersInMemory(tb testing.TB, db *memory.DB, n int, t offers.Target) {
	tb.Helper()
	err := db.Offers().Write(tb.Context(), func(ctx context.Context, tx offers.Tx) error {
		for i := 1; i <= n; i++ {
			o, err := tx.Offers().Add(ctx, offers.Offer{
				AdvertiserID: 1, Currency: "SEK", Type: offers.Standard, Name: "campaign", Token: fmt.Sprintf("t%015d", i),
				BudgetLimit: affiliate.Some[int64](1_000_000_000), Priority: int64(i),
			})
			if err != nil {
				return err
			}
			target := t
			if i%max(n/10, 1) != 0 {
				target.Value = strconv.Itoa(1000 + i)
			}
			if err := tx.Targets().Set(ctx, o.ID, []offers.Target{target}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// aimAt gives the first user what a kind of target names it by, and returns
// that target: its id, a tag, or the group of its client.
func (w *world) aimAt(tb testing.TB, store links.Store, kind offers.TargetKind) (t offers.Target) {
	tb.Helper()
	err := store.Write(tb.Context(), func(ctx context.Context, tx links.Tx) error {
		u, id := w.users[0], w.users[0].ID
		switch kind {
		case offers.TargetTag:
			tag, err := tx.UserTags().Add(ctx, affiliate.UserTag{Name: "vip", Slug: "vip", AccessLevel: affiliate.AccessAll})
			if err != nil {
				return err
			}
			u.TagIDs, id = []int64{tag.ID}, tag.ID
		case offers.TargetGroup:
			group, err := tx.AdvertiserGroups().Add(ctx, affiliate.AdvertiserGroup{Name: "Sweden", Key: "sv_SE", Currency: "SEK"})
			if err != nil {
				return err
			}
			client, err := tx.Clients().Add(ctx, affiliate.Client{Name: "network", PublicID: "network", GroupID: group.ID})
			if err != nil {
				return err
			}
			u.ClientID, id = client.ID, group.ID
		}
		t = offers.Target{Kind: kind, Value: strconv.FormatInt(id, 10)}
		w.users[0] = u
		return tx.Users().Update(ctx, u)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// BenchmarkSelection charges one click among 10, 1,000 and 100,000 campaigns of
// one advertiser, ten of which are for the creator: by its id, by a tag, or by
// the group of its client. The ratios are to the time among 10.
func BenchmarkSelection(b *testing.B) {
	for _, kind := range []offers.TargetKind{offers.TargetUser, offers.TargetTag, offers.TargetGroup} {
		b.Run("postgres/"+string(kind), func(b *testing.B) {
			reportSelection(b, func(n int) (p50, p99 time.Duration) {
				db, handle := openInPath(b)
				w := newWorld(b, db, 1, 1)
				seedOffers(b.Context(), b, handle, n, w.aimAt(b, db.Links(), kind))
				return measureSelection(b, db.Links(), w)
			})
		})
		b.Run("memory/"+string(kind), func(b *testing.B) {
			reportSelection(b, func(n int) (p50, p99 time.Duration) {
				db := memory.New()
				w := newWorld(b, db, 1, 1)
				seedOffersInMemory(b, db, n, w.aimAt(b, db.Links(), kind))
				return measureSelection(b, db.Links(), w)
			})
		})
	}
}

// measureSelection times the charge of a click of the first user.
func measureSelection(b *testing.B, store links.Store, w world) (p50, p99 time.Duration) {
	claim := []offers.ClickCharge{{User: &w.users[0], Advertiser: &w.advertisers[0], At: noon}}
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

// reportSelection reports what run measures among n campaigns.
func reportSelection(b *testing.B, run func(n int) (p50, p99 time.Duration)) {
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

// BenchmarkOfferPages reads the first page and the last of 100,000 offers: the
// ratio is what page numbers cost.
func BenchmarkOfferPages(b *testing.B) {
	db, handle := openInPath(b)
	w := newWorld(b, db, 1, 1)
	seedOffers(b.Context(), b, handle, 100_000, w.aimAt(b, db.Links(), offers.TargetUser))
	service, err := newOffers(db)
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

// pages notes the statements that read a page, which have its bounds.
type pages struct{ read []string }

func (p *pages) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if strings.Contains(e.Query, " LIMIT ") {
		p.read = append(p.read, e.Query)
	}
	return ctx
}
func (p *pages) AfterQuery(context.Context, *bun.QueryEvent) {}

// The first page of 100,000 participants against the last: as many statements,
// no sort, and no more time than skipping the rows in their index takes.
func TestADeepPageOfParticipantsCostsOnlyWhatItSkips(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 1, 1)
	seedOffers(t.Context(), t, handle, 2, w.aimAt(t, db.Links(), offers.TargetUser))
	seedParticipants(t, handle, 100_000)
	watched, count := counted(t, handle)
	service, err := newOffers(watched)
	is.NoErr(err)
	read := func(service *offers.Service, n int) error {
		page, err := service.Participants(t.Context(), offers.ParticipantFilter{OfferID: 1}, affiliate.PageRequest{Number: n, Size: 20})
		if err == nil && (page.Total != 100_000 || len(page.Items) != 20 || page.Items[0].UserID == 0) {
			err = fmt.Errorf("page %d: %d of %d", n, len(page.Items), page.Total)
		}
		return err
	}
	measure := func(n int) (time.Duration, int64) {
		count.statements.Store(0)
		p50, _ := percentiles(t, 9, func() error { return read(service, n) })
		return p50, count.statements.Load() / 9
	}
	first, statements := measure(1)
	last, same := measure(5000)
	is.Equal(same, statements)
	t.Logf("first page %s, last page %s: %.1f times", first, last, float64(last)/float64(first))
	if last > 20*first {
		t.Errorf("the first page takes %s, the last %s", first, last)
	}

	noted := &pages{}
	db, err = postgres.New(handle.WithQueryHook(noted), postgres.Options{})
	is.NoErr(err)
	service, err = newOffers(db)
	is.NoErr(err)
	is.NoErr(read(service, 5000))
	is.Equal(len(noted.read), 1)
	var plan []string
	is.NoErr(handle.NewRaw("EXPLAIN "+noted.read[0]).Scan(t.Context(), &plan))
	if text := strings.Join(plan, "\n"); !strings.Contains(text, "Index Scan") || strings.Contains(text, "Sort") {
		t.Errorf("not read in the order of an index:\n%s", text)
	}
}

// seedParticipants makes n users, each a participant of the first offer.
func seedParticipants(tb testing.TB, handle *bun.DB, n int) {
	tb.Helper()
	for _, statement := range []string{
		`INSERT INTO affiliate_users (username, username_key, display_name, email, phone, locale, social_types, social_identifiers)
		 SELECT 'creator ' || i, 'creator ' || i, '', '', '', '', '{}', '{}' FROM generate_series(1, ` + strconv.Itoa(n) + `) AS i`,
		`INSERT INTO affiliate_offer_participants (offer_id, user_id, email, identifier, status, todo_keys, todo_done, costs)
		 SELECT 1, id, '', '', 'accepted', '{}', '{}', '[]' FROM affiliate_users WHERE username LIKE 'creator %' ORDER BY id`,
		`ANALYZE`,
	} {
		if _, err := handle.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatal(err)
		}
	}
}

// The offers of many tags, and the one offer that is for a user alone among
// many that are for others too, take as many statements as few of them.
func TestOffersByTargetTakeAConstantNumberOfStatements(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 2, 1)
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	is.NoErr(err)
	watched, count := counted(t, handle)
	service, err := newOffers(watched)
	is.NoErr(err)
	acme, anna, bo := w.advertisers[0].ID, w.users[0].ID, w.users[1].ID
	var tags []int64
	add := func(n int) {
		t.Helper()
		tag, err := kit.Core.CreateUserTag(t.Context(), affiliate.UserTag{Name: strconv.Itoa(n), Slug: strconv.Itoa(n), AccessLevel: affiliate.AccessAll})
		is.NoErr(err)
		tags = append(tags, tag.ID)
		for _, targets := range []offers.Targets{{TagIDs: []int64{tag.ID}}, {TagIDs: tags}, {UserIDs: []int64{anna, bo}}} {
			_, err := kit.Offers.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{AdvertiserID: acme, Type: offers.Standard, Name: "c"}, Targets: targets})
			is.NoErr(err)
		}
	}
	measure := func() (byTag, own int64) {
		t.Helper()
		count.statements.Store(0)
		found, err := service.OffersByTag(t.Context(), acme, tags)
		is.NoErr(err)
		for i, id := range tags {
			is.Equal(len(found[id]), 1+len(tags)-i) // its own, and those of it and of all before it
		}
		byTag = count.statements.Swap(0)
		_, err = service.SetUserOffer(t.Context(), acme, anna, affiliate.Actor{}, func(o *offers.Offer) { o.Name = "hers" })
		is.NoErr(err)
		return byTag, count.statements.Load()
	}
	add(0)
	_, err = service.SetUserOffer(t.Context(), acme, anna, affiliate.Actor{}, func(*offers.Offer) {})
	is.NoErr(err)
	byTag, own := measure()
	for n := range 10 {
		add(n + 1)
	}
	many, ownOfMany := measure()
	is.Equal(many, byTag)
	is.Equal(ownOfMany, own)
}
