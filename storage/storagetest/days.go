package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

func dayScenarios() []scenario[links.Store] {
	return []scenario[links.Store]{
		{"days/counts add up", testDaysAdd},
		{"days/list", testDaysList},
		{"days/writers at once lose nothing", testDaysRace},
	}
}

func secretScenarios() []scenario[links.Store] {
	return []scenario[links.Store]{
		{"visitor secrets/one a day, forgotten in time", testSecrets},
		{"visitor secrets/of writers at once one decides", testSecretRace},
	}
}

// dayOf is the roll-up of n clicks, all valid, i days after base.
func dayOf(w world, i, advertiser, user int, c affiliate.Currency, n int64) links.Day {
	return links.Day{
		Date: links.DayOf(base()).AddDate(0, 0, i), AdvertiserID: w.advertisers[advertiser].ID, UserID: w.users[user].ID,
		Currency: c, Clicks: n, Valid: n, Earning: 10 * n, Cost: 20 * n,
	}
}

func addDays(t *testing.T, s links.Store, days ...links.Day) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Days().Add(ctx, days...) })
}

func listDays(t *testing.T, s links.Store, f links.DayFilter) []links.Day {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Day, error) { return tx.Days().List(ctx, f) })
}

func testDaysAdd(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	addDays(t, s)
	addDays(t, s, dayOf(w, 0, 0, 0, "EUR", 1), dayOf(w, 0, 0, 0, "SEK", 2), dayOf(w, 0, 0, 0, "EUR", 3))
	unsold := dayOf(w, 0, 0, 0, "EUR", 0)
	unsold.Clicks, unsold.Earning = 5, -7 // not valid; taken back
	given := []links.Day{unsold, dayOf(w, 1, 0, 0, "EUR", 1)}
	addDays(t, s, given...)
	equal(t, "the caller's days", given, []links.Day{unsold, dayOf(w, 1, 0, 0, "EUR", 1)})
	sum := dayOf(w, 0, 0, 0, "EUR", 4)
	sum.Clicks, sum.Earning = 9, 33
	want := []links.Day{sum, dayOf(w, 0, 0, 0, "SEK", 2), dayOf(w, 1, 0, 0, "EUR", 1)}
	equal(t, "days", listDays(t, s, links.DayFilter{}), want)

	err := s.Record(t.Context(), func(ctx context.Context, tx links.Tx) error {
		return errors.Join(tx.Days().Add(ctx, dayOf(w, 0, 0, 0, "EUR", 1), dayOf(w, 2, 0, 0, "EUR", 1)), errMine)
	})
	if !errors.Is(err, errMine) {
		t.Errorf("Record: got %v, want the callback's error", err)
	}
	got := listDays(t, s, links.DayFilter{})
	equal(t, "days, after some were undone", got, want)
	scribbleAll(got)
	equal(t, "days, after a caller wrote into them", listDays(t, s, links.DayFilter{}), want)
}

func testDaysList(t *testing.T, s links.Store) {
	type F = links.DayFilter
	w := newWorld(t, s)
	want := []links.Day{
		dayOf(w, -1, 1, 1, "SEK", 1),
		dayOf(w, 0, 0, 0, "SEK", 2),
		dayOf(w, 0, 0, 1, "EUR", 3),
		dayOf(w, 0, 0, 1, "SEK", 4),
		dayOf(w, 0, 1, 0, "EUR", 5),
		dayOf(w, 2, 0, 1, "EUR", 6),
	}
	addDays(t, s, want[4], want[2], want[5], want[0], want[3], want[1])
	day := func(i int) time.Time { return dayOf(w, i, 0, 0, "EUR", 0).Date }
	pick := func(which ...int) (out []links.Day) {
		for _, i := range which {
			out = append(out, want[i])
		}
		return out
	}
	for name, c := range map[string]struct {
		f    F
		want []links.Day
	}{
		"all":                 {F{}, want},
		"advertiser":          {F{AdvertiserID: w.advertisers[0].ID}, pick(1, 2, 3, 5)},
		"nobody":              {F{AdvertiserID: nowhere}, nil},
		"user":                {F{UserID: w.users[1].ID}, pick(0, 2, 3, 5)},
		"no user":             {F{UserID: w.users[2].ID}, nil},
		"from":                {F{From: day(0)}, pick(1, 2, 3, 4, 5)},
		"from the next":       {F{From: day(1)}, pick(5)},
		"until":               {F{Until: day(0)}, pick(0)},
		"until the next":      {F{Until: day(1)}, pick(0, 1, 2, 3, 4)},
		"one day":             {F{From: day(0), Until: day(1)}, pick(1, 2, 3, 4)},
		"no day":              {F{From: day(1), Until: day(0)}, nil},
		"advertiser and user": {F{AdvertiserID: w.advertisers[0].ID, UserID: w.users[1].ID}, pick(2, 3, 5)},
		"advertiser and from": {F{AdvertiserID: w.advertisers[1].ID, From: day(0)}, pick(4)},
		"advertiser, until":   {F{AdvertiserID: w.advertisers[1].ID, Until: day(0)}, pick(0)},
		"user and from":       {F{UserID: w.users[1].ID, From: day(0)}, pick(2, 3, 5)},
		"user, until":         {F{UserID: w.users[1].ID, Until: day(1)}, pick(0, 2, 3)},
	} {
		equal(t, name, listDays(t, s, c.f), c.want)
	}
}

func testDaysRace(t *testing.T, s links.Store) {
	const rounds = 5
	w := newWorld(t, s)
	together(t, writers, func(i int) error {
		unit := s.Record
		if i%2 == 1 {
			unit = s.Write
		}
		for range rounds {
			// In different orders, as units that know nothing of each other add them.
			a, b := dayOf(w, i%2, 0, 0, "EUR", 1), dayOf(w, (i+1)%2, 0, 0, "EUR", 1)
			err := insist(t.Context(), unit, func(ctx context.Context, tx links.Tx) error { return tx.Days().Add(ctx, a, b) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	const each = writers * rounds
	equal(t, "days", listDays(t, s, links.DayFilter{}), []links.Day{dayOf(w, 0, 0, 0, "EUR", each), dayOf(w, 1, 0, 0, "EUR", each)})
}

func addSecret(t *testing.T, s links.Store, secret links.VisitorSecret) links.VisitorSecret {
	t.Helper()
	return put(t, s, func(ctx context.Context, tx links.Tx) (links.VisitorSecret, error) {
		return tx.VisitorSecrets().AddOrGet(ctx, secret)
	})
}

func testSecrets(t *testing.T, s links.Store) {
	day := func(i, secret int) links.VisitorSecret {
		return links.VisitorSecret{Date: links.DayOf(base()).AddDate(0, 0, i), Secret: hash(secret)}
	}
	for i := range 4 {
		equal(t, "new", addSecret(t, s, day(i, i)), day(i, i))
		equal(t, "there already", addSecret(t, s, day(i, 100+i)), day(i, i))
	}
	for range 2 {
		write(t, s, func(ctx context.Context, tx links.Tx) error {
			return tx.VisitorSecrets().RemoveBefore(ctx, day(2, 0).Date)
		})
	}
	equal(t, "of the day itself", addSecret(t, s, day(2, 102)), day(2, 2))
	equal(t, "of the day after", addSecret(t, s, day(3, 103)), day(3, 3))
	equal(t, "of the day before", addSecret(t, s, day(1, 201)), day(1, 201))
	equal(t, "of the first day", addSecret(t, s, day(0, 200)), day(0, 200))
}

func testSecretRace(t *testing.T, s links.Store) {
	got := make([]links.VisitorSecret, writers)
	together(t, writers, func(i int) error {
		return insist(t.Context(), s.Write, func(ctx context.Context, tx links.Tx) (err error) {
			got[i], err = tx.VisitorSecrets().AddOrGet(ctx, links.VisitorSecret{Date: links.DayOf(base()), Secret: hash(i)})
			return err
		})
	})
	for _, secret := range got {
		equal(t, "secret", secret, got[0])
	}
}
