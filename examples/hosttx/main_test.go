package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

func openMagazine(t *testing.T) magazine {
	t.Helper()
	is := is.New(t)
	db, err := postgres.Open(pgtest.DSN(t))
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(db.Close()) })
	m, err := open(t.Context(), db)
	is.NoErr(err)
	return m
}

func (m magazine) expect(t *testing.T, wantReviews, wantLinks int64) {
	t.Helper()
	reviews, published, err := m.count(t.Context())
	if err != nil || reviews != wantReviews || published != wantLinks {
		t.Fatalf("got %d reviews, %d links, error %v; want %d and %d", reviews, published, err, wantReviews, wantLinks)
	}
}

func TestReviewAndLinkCommitTogether(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	r, err := m.publish(t.Context(), "Shoes", "https://acme.example/shoes")
	is.NoErr(err)
	is.True(r.ID != 0 && r.LinkID != 0)
	m.expect(t, 1, 1)
}

func TestHostsFailureTakesTheLinkBack(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	_, err := m.publish(t.Context(), "Shoes", "https://acme.example/shoes")
	is.NoErr(err)
	_, err = m.publish(t.Context(), "Shoes", "https://acme.example/boots")
	is.True(err != nil) // the title is taken
	m.expect(t, 1, 1)
}

func TestRefusedLinkTakesTheHostsRowBack(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	err := m.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&review{Title: "Shoes"}).Exec(ctx); err != nil {
			return err
		}
		_, err := convert(ctx, tx, links.Conversion{UserID: m.author, URL: "https://evil.example/"})
		return err
	})
	is.True(errors.Is(err, affiliate.ErrInvalid)) // nobody has the URL
	m.expect(t, 0, 0)
}

func TestHostMayGoOnWhenAConversionIsRefused(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	is.NoErr(m.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := convert(ctx, tx, links.Conversion{UserID: m.author, URL: "https://evil.example/"})
		is.True(errors.Is(err, affiliate.ErrInvalid)) // only the savepoint was rolled back
		_, err = tx.NewInsert().Model(&review{Title: "Without a link"}).Exec(ctx)
		return err
	}))
	m.expect(t, 1, 0)
}

func TestOneURLPublishedAtOnceIsOneLink(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	reviews, failures := make([]review, 4), make([]error, 4)
	var all sync.WaitGroup
	for i, title := range []string{"A", "B", "C", "D"} {
		all.Go(func() { reviews[i], failures[i] = m.publish(t.Context(), title, "https://acme.example/shoes") })
	}
	all.Wait()
	is.NoErr(errors.Join(failures...)) // those who collided ran again
	for _, r := range reviews {
		is.Equal(r.LinkID, reviews[0].LinkID)
	}
	m.expect(t, 4, 1)
}

func TestRunTwicePublishesTwice(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.DSN(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), dsn, &out))
	is.True(strings.HasSuffix(out.String(), "there are  1 reviews and 1 links\n"))
	is.NoErr(run(t.Context(), dsn, &out))
	is.True(strings.HasSuffix(out.String(), "there are  2 reviews and 2 links\n"))
	is.Equal(strings.Count(out.String(), "refused"), 4) // two each
}
