package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/links"
)

func secretScenarios() []scenario[links.Store] {
	return []scenario[links.Store]{
		{"visitor secrets/one a day, forgotten in time", testSecrets},
		{"visitor secrets/days are those of UTC", testSecretZones},
		{"visitor secrets/of writers at once one decides", testSecretRace},
	}
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
	// Also before 1970 a day begins at midnight, whatever time of it is given.
	for i := range 3 {
		midnight := time.Date(1970, 1, 1-i, 0, 0, 0, 0, time.UTC)
		noon := links.VisitorSecret{Date: midnight.Add(12 * time.Hour), Secret: hash(300 + i)}
		equal(t, "of a time of the day", addSecret(t, s, noon), links.VisitorSecret{Date: midnight, Secret: hash(300 + i)})
	}
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
