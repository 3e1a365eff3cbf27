package main

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// metrics are the numbers under /metrics, of this process, but for the
// ledger's, which are the backend's.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	clicks    *prometheus.CounterVec
	orders    *prometheus.CounterVec
	synced    *prometheus.CounterVec
	events    eventMetrics
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "affiliatekit_http_requests_total",
			Help: "Requests answered, by operation (empty: no such route) and status.",
		}, []string{"operation", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "affiliatekit_http_request_duration_seconds",
			Help:    "How long requests took, by operation.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), // 0.5 ms to 4 s
		}, []string{"operation"}),
		clicks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "affiliatekit_clicks_recorded_total",
			Help: "Clicks kept by this process, by verdict.",
		}, []string{"verdict"}),
		orders: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "affiliatekit_orders_reported_total",
			Help: "Reports of orders that this process took in, by what became of them, and why the order earns nothing.",
		}, []string{"outcome", "reason"}),
		synced: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "affiliatekit_sync_jobs_total",
			Help: "Sync jobs that this process worked on, by what became of them.",
		}, []string{"outcome"}),
		events: newEventMetrics(),
	}
	m.sync(adsync.Report{}) // series that are 0 from the start
	for _, outcome := range []orders.Outcome{orders.Added, orders.Known, orders.Completed, orders.Refused} {
		m.orders.WithLabelValues(string(outcome), "") // a series that is 0 from the start
	}
	for _, v := range links.Verdicts() {
		m.clicks.WithLabelValues(string(v)) // a series that is 0 from the start, not one that appears
	}
	m.registry.MustRegister(m.requests, m.durations, m.clicks, m.orders, m.synced, m.events.attempts, m.events.ages,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch adds what the services are asked for at each scrape.
func (m *metrics) watch(core *affiliate.Service, clicks *links.Service, bus *events.Service) {
	m.registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "affiliatekit_clicks_dropped_total",
			Help: "Clicks that this process lost; only -clicks async loses any.",
		}, func() float64 { return float64(clicks.Dropped()) }),
		ledgerCollector{core}, backlogCollector{bus},
	)
}

// observe counts one answered request.
func (m *metrics) observe(operation string, status int, took time.Duration) {
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(operation).Observe(took.Seconds())
}

// sync counts the jobs of one batch.
func (m *metrics) sync(r adsync.Report) {
	for outcome, n := range map[string]int{
		"created": r.Created, "updated": r.Updated, "removed": r.Removed, "unchanged": r.Unchanged, "pending": r.Pending,
		"waiting": r.Waiting, "retried": r.Retried, "parked": r.Parked, "lost": r.Lost,
	} {
		m.synced.WithLabelValues(outcome).Add(float64(n))
	}
}

// order counts one report of an order.
func (m *metrics) order(outcome orders.Outcome, reason string) {
	m.orders.WithLabelValues(string(outcome), reason).Inc()
}

func (m *metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError, // the process's own numbers matter most when the backend is down
	})
}

// ledgerCollector reads what the ledger adds up to at each scrape, so that
// processes on one database show the same. Its cost grows with the accounts.
type ledgerCollector struct{ core *affiliate.Service }

const (
	scrapeTimeout = 5 * time.Second
	totalsPage    = 1000
)

// ledgerSums are the ledger's numbers, in the order of their descriptions.
type ledgerSums [4]float64

var ledgerDescriptions = [len(ledgerSums{})]*prometheus.Desc{
	ledgerDescription("earned_minor_units", "What all accounts have earned, payouts aside, in minor units of the currency."),
	ledgerDescription("paid_minor_units", "What all accounts have been paid, in minor units of the currency."),
	ledgerDescription("cost_minor_units", "What advertisers owe or have paid, in minor units of the currency."),
	ledgerDescription("entries", "Entries in the ledger."),
}

func ledgerDescription(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("affiliatekit_ledger_"+name, help, []string{"currency"}, nil)
}

func (c ledgerCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range ledgerDescriptions {
		out <- d
	}
}

func (c ledgerCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	sums, err := c.sums(ctx)
	for i, d := range ledgerDescriptions {
		if err != nil {
			out <- prometheus.NewInvalidMetric(d, err)
			continue
		}
		for currency, s := range sums {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, s[i], string(currency))
		}
	}
}

// sums adds the totals of all accounts up by currency. They are floats only
// because that is what a metric is: above 2^53 minor units they are rounded.
func (c ledgerCollector) sums(ctx context.Context) (map[affiliate.Currency]ledgerSums, error) {
	sums := make(map[affiliate.Currency]ledgerSums)
	var last affiliate.Total
	for {
		page, err := c.core.Totals(ctx, last.Account, last.Currency, totalsPage)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			s := sums[t.Currency]
			for i, n := range [...]int64{t.Earned, t.Paid, t.Cost, t.Entries} {
				s[i] += float64(n)
			}
			sums[t.Currency] = s
		}
		if len(page) < totalsPage {
			return sums, nil
		}
		last = page[len(page)-1]
	}
}
