package metrics

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// scrape returns what the handler serves.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler(nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	is.New(t).Equal(w.Code, http.StatusOK)
	return w.Body.String()
}

func watched(t *testing.T, m *Metrics, core affiliate.Store[affiliate.Tx]) {
	t.Helper()
	is, db := is.New(t), memory.New()
	var s Services
	var err error
	s.Core, err = affiliate.NewService(core, affiliate.Options{})
	is.NoErr(err)
	s.Links, err = links.NewService(db.Links(), links.Options{})
	is.NoErr(err)
	s.Events, err = events.NewService(db.Events(), events.Options{})
	is.NoErr(err)
	m.Watch(s)
}

func TestHooksCount(t *testing.T) {
	is := is.New(t)
	m := New()
	for _, series := range []string{
		`affiliatekit_clicks_recorded_total{verdict="bot"} 0`, `affiliatekit_orders_reported_total{outcome="added",reason=""} 0`,
		`affiliatekit_sync_jobs_total{outcome="parked"} 0`, `affiliatekit_event_attempts_total{channel="webhook",result="` + string(events.GaveUp) + `"} 0`,
	} {
		is.True(strings.Contains(scrape(t, m), series+"\n")) // there from the start
	}
	m.Request("advertiser-list", 200, 3*time.Millisecond)
	m.Click(links.VerdictBot, links.ClickReasonBot)
	m.Order(orders.Added, "no_click")
	m.Sync(adsync.Report{Parked: 3})
	m.Event(events.Attempt{Channel: events.ChannelProcess, Result: events.Done, Age: time.Second})
	m.Event(events.Attempt{Channel: events.ChannelProcess, Result: events.Later, Age: time.Hour})
	text := scrape(t, m)
	for _, series := range []string{
		`affiliatekit_http_requests_total{operation="advertiser-list",status="200"} 1`,
		`affiliatekit_http_request_duration_seconds_bucket{operation="advertiser-list",le="0.004"} 1`,
		`affiliatekit_clicks_recorded_total{verdict="bot"} 1`, `affiliatekit_orders_reported_total{outcome="added",reason="no_click"} 1`,
		`affiliatekit_sync_jobs_total{outcome="parked"} 3`, `affiliatekit_event_attempts_total{channel="process",result="` + string(events.Later) + `"} 1`,
		`affiliatekit_event_delivery_age_seconds_count{channel="process"} 1`,
	} {
		if !strings.Contains(text, series+"\n") {
			t.Errorf("%s is not in\n%s", series, text)
		}
	}
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
	sums, err := sumLedger(t.Context(), core)
	is.NoErr(err)
	want := ledgerSums{2 * accounts, 0, 3 * accounts, accounts}
	is.Equal(sums, map[affiliate.Currency]ledgerSums{"EUR": want, "SEK": want})
}

// brokenStore is a backend that is down.
type brokenStore struct{}

func (brokenStore) Read(context.Context, func(context.Context, affiliate.Tx) error) error {
	return affiliate.Unavailable(errors.New("down"))
}
func (b brokenStore) Write(ctx context.Context, fn func(context.Context, affiliate.Tx) error) error {
	return b.Read(ctx, fn)
}

func TestTheProcessIsSeenWhileTheBackendIsDown(t *testing.T) {
	is := is.New(t)
	m := New()
	watched(t, m, brokenStore{})
	text := scrape(t, m)
	is.True(strings.Contains(text, "go_goroutines "))
	is.True(strings.Contains(text, "affiliatekit_clicks_dropped_total 0\n"))
	is.True(!strings.Contains(text, "affiliatekit_ledger_entries{"))
}

// The table in doc.go names every series, its kind and its labels.
func TestTheTableOfSeriesIsTrue(t *testing.T) {
	is := is.New(t)
	f, err := os.Open("doc.go")
	is.NoErr(err)
	defer f.Close()
	table := map[string][2]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(strings.TrimPrefix(lines.Text(), "//"))
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "affiliatekit_") {
			continue
		}
		labels := []string{}
		for _, word := range fields[2:] {
			if word != "–" {
				labels = append(labels, strings.TrimSuffix(word, ","))
			}
			if !strings.HasSuffix(word, ",") {
				break
			}
		}
		table[fields[0]] = [2]string{fields[1], strings.Join(labels, ",")}
	}

	db := memory.New()
	now := affiliate.Clock(nil).Now()
	is.NoErr(db.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		_, err := tx.Ledger().Append(ctx, affiliate.Entry{
			Kind: affiliate.EntryAdjustment, Account: affiliate.UserAccount(1), Cause: "x",
			Earning: affiliate.NewMoney(2, "SEK"), Cost: affiliate.NewMoney(3, "SEK"), OccurredAt: now, PayableAt: now,
		})
		return err
	}))
	m := New()
	m.Request("x", 200, 0)
	watched(t, m, db.Core())
	registry := prometheus.NewPedanticRegistry() // which also checks Describe against Collect
	is.NoErr(registry.Register(m))
	families, err := registry.Gather()
	is.NoErr(err)
	got := map[string][2]string{}
	for _, family := range families {
		labels := []string{}
		for _, l := range family.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		got[family.GetName()] = [2]string{strings.ToLower(family.GetType().String()), strings.Join(labels, ",")}
	}
	is.Equal(got, table)
}
