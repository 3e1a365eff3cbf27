package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
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
		_, err := m.convert(ctx, tx, links.Conversion{UserID: m.author, URL: "https://evil.example/"})
		return err
	})
	is.True(errors.Is(err, affiliate.ErrInvalid)) // nobody has the URL
	m.expect(t, 0, 0)
}

func TestHostMayGoOnWhenAConversionIsRefused(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	is.NoErr(m.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := m.convert(ctx, tx, links.Conversion{UserID: m.author, URL: "https://evil.example/"})
		is.True(errors.Is(err, affiliate.ErrInvalid)) // only the savepoint was rolled back
		_, err = tx.NewInsert().Model(&review{Title: "Without a link"}).Exec(ctx)
		return err
	}))
	m.expect(t, 1, 0)
}

func TestManyPublishAtOnceForOneAdvertiser(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	for _, same := range []bool{true, false} { // one URL, or URLs of one advertiser
		const many = 16
		reviews, failures := make([]review, many), make([]error, many)
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range many {
			title := fmt.Sprintf("Review %d, the same shoes: %t", i, same)
			page := "https://acme.example/shoes"
			if !same {
				page += strconv.Itoa(i)
			}
			all.Go(func() {
				<-start
				reviews[i], failures[i] = m.publish(t.Context(), title, page)
			})
		}
		close(start)
		all.Wait()
		is.NoErr(errors.Join(failures...)) // those who collided ran again
		for _, r := range reviews {
			is.Equal(r.LinkID == reviews[0].LinkID, same || r.ID == reviews[0].ID)
		}
	}
	m.expect(t, 32, 17)
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

func TestTheHostsOwnMuxServesManyAtOnceAndTheRedirect(t *testing.T) {
	is := is.New(t)
	m := openMagazine(t)
	handler, err := m.handler()
	is.NoErr(err)
	const many = 16
	answers := make([]*httptest.ResponseRecorder, many)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			form := url.Values{"title": {fmt.Sprint("Review ", i)}, "url": {fmt.Sprint("https://acme.example/", i)}}
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/reviews", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			answers[i] = httptest.NewRecorder()
			handler.ServeHTTP(answers[i], r)
		})
	}
	all.Wait()
	for i, a := range answers {
		is.Equal(a.Code, http.StatusOK)
		path, ours := strings.CutPrefix(strings.TrimSpace(a.Body.String()), "https://go.example")
		is.True(ours)
		click := httptest.NewRecorder()
		handler.ServeHTTP(click, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		is.Equal(click.Code, http.StatusFound)
		is.True(strings.HasPrefix(click.Header().Get("Location"), fmt.Sprintf("https://acme.example/%d?", i)))
	}
	m.expect(t, many, many)
}
