package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func TestRequestsAreCountedByOperationAndStatus(t *testing.T) {
	is := is.New(t)
	s := start(t, "-demo")
	made := s.convert(t, "creator", "anna", "https://acme.example/", http.StatusCreated)
	s.refusal(t, "creator", "anna", "https://hidden.example/")
	_, err := s.as("").click(t.Context(), made.ID, "1")
	is.NoErr(err)
	s.as("").call(t, http.MethodGet, "/nowhere", nil, http.StatusNotFound, nil)
	for series, want := range map[string]float64{
		`affiliatekit_http_requests_total{operation="user-affiliate-link-convert-v3",status="201"}`:               1,
		`affiliatekit_http_requests_total{operation="user-affiliate-link-convert-v3",status="422"}`:               1,
		`affiliatekit_http_requests_total{operation="redirect",status="302"}`:                                     1,
		`affiliatekit_http_requests_total{operation="",status="404"}`:                                             1,
		`affiliatekit_http_request_duration_seconds_count{operation="user-affiliate-link-convert-v3"}`:            2,
		`affiliatekit_http_request_duration_seconds_bucket{operation="user-affiliate-link-convert-v3",le="+Inf"}`: 2,
	} {
		if got := s.metric(t, series); got != want {
			t.Errorf("%s: got %v, want %v", series, got, want)
		}
	}
	is.True(s.metric(t, "go_goroutines") > 0)
}

func TestEverySeriesOfClicksIsThereFromTheStart(t *testing.T) {
	is := is.New(t)
	text := string(start(t).as("").call(t, http.MethodGet, "/metrics", nil, http.StatusOK, nil).body)
	for _, v := range links.Verdicts() {
		is.True(strings.Contains(text, `affiliatekit_clicks_recorded_total{verdict="`+string(v)+`"} 0`))
	}
	is.True(strings.Contains(text, "affiliatekit_clicks_dropped_total 0\n"))
}

func TestOnlyCommittedClicksAreCounted(t *testing.T) {
	is := is.New(t)
	m, db := newMetrics(), memory.New()
	ids, err := loadDemo(t.Context(), db.Links())
	is.NoErr(err)
	store := &faultyStore{Store: db.Links()}
	shop, err := links.NewService(countedClicks{store, m.clicks}, links.Options{})
	is.NoErr(err)
	made, _, err := shop.Convert(t.Context(), links.Conversion{UserID: ids["users"]["anna"], URL: "https://acme.example/"})
	is.NoErr(err)
	for _, store.fails = range []bool{true, false} {
		_, err = shop.Follow(t.Context(), links.Hit{LinkID: made.Link.ID})
		is.Equal(err != nil, store.fails)
	}
	w := httptest.NewRecorder()
	m.handler(discardLog()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	is.True(strings.Contains(w.Body.String(), `affiliatekit_clicks_recorded_total{verdict="valid"} 1`)) // the second, though its unit ran twice
}

// faultyStore fails to commit a recording, or needs two runs for it.
type faultyStore struct {
	links.Store
	fails bool
}

func (s *faultyStore) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	failure := errors.New("cannot commit")
	err := s.Store.Record(ctx, func(ctx context.Context, tx links.Tx) error { return errors.Join(fn(ctx, tx), failure) })
	if s.fails || !errors.Is(err, failure) {
		return err
	}
	return s.Store.Record(ctx, fn)
}

func TestLedgerIsSummedOverAllAccountsByCurrency(t *testing.T) {
	is := is.New(t)
	db := memory.New()
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)
	now := affiliate.Clock(nil).Now()
	const accounts = totalsPage + 1 // more than one page
	is.NoErr(db.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		for i := range accounts {
			id := int64(i + 1)
			for _, c := range []affiliate.Currency{"EUR", "SEK"} {
				if _, err := tx.Ledger().Append(ctx, affiliate.Entry{
					Kind: affiliate.EntryAdjustment, Account: affiliate.UserAccount(id), Cause: string(affiliate.UserAccount(id)) + string(c),
					Earning: affiliate.NewMoney(2, c), Cost: affiliate.NewMoney(3, c), OccurredAt: now, PayableAt: now,
				}); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	sums, err := ledgerCollector{core}.sums(t.Context())
	is.NoErr(err)
	want := ledgerSums{2 * accounts, 0, 3 * accounts, accounts}
	is.Equal(sums, map[affiliate.Currency]ledgerSums{"EUR": want, "SEK": want})
}

func TestProcessMetricsSurviveTheBackend(t *testing.T) {
	is := is.New(t)
	m := newMetrics()
	broken, err := affiliate.NewService(brokenStore{}, affiliate.Options{})
	is.NoErr(err)
	clicks, err := links.NewService(memory.New().Links(), links.Options{})
	is.NoErr(err)
	bus, err := events.NewService(memory.New().Events(), events.Options{})
	is.NoErr(err)
	m.watch(broken, clicks, bus)
	w := httptest.NewRecorder()
	m.handler(discardLog()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	is.Equal(w.Code, http.StatusOK)
	is.True(strings.Contains(w.Body.String(), "go_goroutines "))
	is.True(!strings.Contains(w.Body.String(), "affiliatekit_ledger_entries{"))
}
