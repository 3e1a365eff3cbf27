package metrics

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// Metrics has the series of this package. It is a [prometheus.Collector], and
// safe for concurrent use.
type Metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	clicks    *prometheus.CounterVec
	orders    *prometheus.CounterVec
	synced    *prometheus.CounterVec
	attempts  *prometheus.CounterVec
	ages      *prometheus.HistogramVec

	mu      sync.Mutex
	watched Services
}

// channels are those whose series are there from the start.
var channels = []string{events.ChannelProcess, webhooks.Channel}

// New returns metrics whose series are all there, at 0.
func New() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		requests: counter("affiliatekit_http_requests_total", "Requests answered, by operation (empty: no such route) and status.", "operation", "status"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "affiliatekit_http_request_duration_seconds",
			Help:    "How long requests took, by operation.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), // 0.5 ms to 4 s
		}, []string{"operation"}),
		clicks:   counter("affiliatekit_clicks_recorded_total", "Clicks kept by this process, by verdict.", "verdict"),
		orders:   counter("affiliatekit_orders_reported_total", "Reports of orders that this process took in, by what became of them, and why the order earns nothing.", "outcome", "reason"),
		synced:   counter("affiliatekit_sync_jobs_total", "Sync jobs that this process worked on, by what became of them.", "outcome"),
		attempts: counter("affiliatekit_event_attempts_total", "Attempts of this process to deliver an event, by channel and result.", "channel", "result"),
		ages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "affiliatekit_event_delivery_age_seconds",
			Help:    "From an event to its delivery, by channel.",
			Buckets: prometheus.ExponentialBuckets(0.1, 4, 10), // 0.1 s to 7 h
		}, []string{"channel"}),
	}
	m.Sync(adsync.Report{})
	for _, outcome := range []orders.Outcome{orders.Added, orders.Known, orders.Completed, orders.Refused} {
		m.orders.WithLabelValues(string(outcome), "")
	}
	for _, v := range links.Verdicts() {
		m.clicks.WithLabelValues(string(v))
	}
	for _, c := range channels {
		for _, r := range []events.Result{events.Done, events.Later, events.GaveUp} {
			m.attempts.WithLabelValues(c, string(r))
		}
		m.ages.WithLabelValues(c)
	}
	return m
}

// Request counts one answered request, for httpadapter.Options.Observe.
func (m *Metrics) Request(operation string, status int, took time.Duration) {
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(operation).Observe(took.Seconds())
}

// Click counts one click that was kept, for links.Options.Observe.
func (m *Metrics) Click(verdict links.Verdict, _ string) {
	m.clicks.WithLabelValues(string(verdict)).Inc()
}

// Order counts one report of an order, for orders.Options.Observe.
func (m *Metrics) Order(outcome orders.Outcome, reason string) {
	m.orders.WithLabelValues(string(outcome), reason).Inc()
}

// Event counts one attempt to deliver an event, for the Observe of events.Options
// and of webhooks.Options.
func (m *Metrics) Event(a events.Attempt) {
	m.attempts.WithLabelValues(a.Channel, string(a.Result)).Inc()
	if a.Result == events.Done {
		m.ages.WithLabelValues(a.Channel).Observe(a.Age.Seconds())
	}
}

// Sync counts the jobs of one batch, for adsync.EngineOptions.Observe.
func (m *Metrics) Sync(r adsync.Report) {
	for outcome, n := range map[string]int{
		"created": r.Created, "updated": r.Updated, "removed": r.Removed, "unchanged": r.Unchanged, "pending": r.Pending,
		"waiting": r.Waiting, "retried": r.Retried, "parked": r.Parked, "lost": r.Lost,
	} {
		m.synced.WithLabelValues(outcome).Add(float64(n))
	}
}

// Services are asked at each scrape. Those that are nil have no series.
type Services struct {
	Core   *affiliate.Service // the ledger's sums
	Links  *links.Service     // clicks that were lost
	Events *events.Service    // what waits to be delivered
}

// Watch sets the services that each scrape asks.
func (m *Metrics) Watch(s Services) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched = s
}

// Handler serves these series, and those of the Go runtime and of the process,
// as Prometheus text, for a host that has no registry of its own. A backend that
// is down costs its gauges only.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.Default()
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
	})
}

func (m *Metrics) counted() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.durations, m.clicks, m.orders, m.synced, m.attempts, m.ages}
}

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.counted() {
		c.Describe(out)
	}
	for _, d := range scraped() {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.counted() {
		c.Collect(out)
	}
	m.mu.Lock()
	s := m.watched
	m.mu.Unlock()
	if s.Links != nil {
		out <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(s.Links.Dropped()))
	}
	if s.Events != nil {
		collectBacklog(s.Events, out)
	}
	if s.Core != nil {
		collectLedger(s.Core, out)
	}
}
