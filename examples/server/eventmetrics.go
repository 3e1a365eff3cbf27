package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
)

// eventMetrics are the numbers of the delivery of events.
type eventMetrics struct {
	attempts *prometheus.CounterVec
	ages     *prometheus.HistogramVec
}

// eventChannels are those whose series are there from the start.
var eventChannels = []string{events.ChannelProcess, webhooks.Channel}

func newEventMetrics() eventMetrics {
	m := eventMetrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "affiliatekit_event_attempts_total",
			Help: "Attempts of this process to deliver an event, by channel and result.",
		}, []string{"channel", "result"}),
		ages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "affiliatekit_event_delivery_age_seconds",
			Help:    "From an event to its delivery, by channel.",
			Buckets: prometheus.ExponentialBuckets(0.1, 4, 10), // 0.1 s to 7 h
		}, []string{"channel"}),
	}
	for _, c := range eventChannels {
		for _, r := range []events.Result{events.Done, events.Later, events.GaveUp} {
			m.attempts.WithLabelValues(c, string(r))
		}
		m.ages.WithLabelValues(c)
	}
	return m
}

// observe counts one attempt.
func (m eventMetrics) observe(a events.Attempt) {
	m.attempts.WithLabelValues(a.Channel, string(a.Result)).Inc()
	if a.Result == events.Done {
		m.ages.WithLabelValues(a.Channel).Observe(a.Age.Seconds())
	}
}

// backlogCollector reads what waits at each scrape, so that processes on one
// database show the same.
type backlogCollector struct{ events *events.Service }

var (
	backlogDesc = prometheus.NewDesc("affiliatekit_event_deliveries", "Events that are still to be delivered, by channel and state.", []string{"channel", "state"}, nil)
	oldestDesc  = prometheus.NewDesc("affiliatekit_event_oldest_waiting_seconds", "Age of the delivery that waits longest; 0 when none waits.", []string{"channel"}, nil)
)

func (c backlogCollector) Describe(out chan<- *prometheus.Desc) {
	out <- backlogDesc
	out <- oldestDesc
}

func (c backlogCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	for _, channel := range eventChannels {
		list, err := c.events.Backlog(ctx, channel)
		if err != nil {
			out <- prometheus.NewInvalidMetric(backlogDesc, err)
			continue
		}
		waiting, parked := 0, 0
		var oldest time.Duration
		for _, b := range list {
			waiting, parked = waiting+b.Waiting, parked+b.Parked
			if b.Waiting > 0 {
				oldest = max(oldest, time.Since(b.Oldest))
			}
		}
		out <- prometheus.MustNewConstMetric(backlogDesc, prometheus.GaugeValue, float64(waiting), channel, string(events.Waiting))
		out <- prometheus.MustNewConstMetric(backlogDesc, prometheus.GaugeValue, float64(parked), channel, string(events.Parked))
		out <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, oldest.Seconds(), channel)
	}
}
