package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

// scrapeTimeout bounds how long a scrape waits for the backend.
const scrapeTimeout = 5 * time.Second

var (
	droppedDesc = prometheus.NewDesc("affiliatekit_clicks_dropped_total", "Clicks that this process lost; only mode Async loses any.", nil, nil)
	backlogDesc = prometheus.NewDesc("affiliatekit_event_deliveries", "Events that are still to be delivered, by channel and state.", []string{"channel", "state"}, nil)
	oldestDesc  = prometheus.NewDesc("affiliatekit_event_oldest_waiting_seconds", "Age of the delivery that waits longest; 0 when none waits.", []string{"channel"}, nil)
)

// scraped are the descriptions of what services are asked for.
func scraped() []*prometheus.Desc {
	return append([]*prometheus.Desc{droppedDesc, backlogDesc, oldestDesc}, ledgerDescs[:]...)
}

func collectBacklog(bus *events.Service, out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	for _, channel := range channels {
		list, err := bus.Backlog(ctx, channel)
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

// ledgerSums are the ledger's numbers, in the order of their descriptions.
type ledgerSums [4]float64

var ledgerDescs = [len(ledgerSums{})]*prometheus.Desc{
	ledgerDesc("earned_minor_units", "What all accounts have earned, payouts aside, in minor units of the currency."),
	ledgerDesc("paid_minor_units", "What all accounts have been paid, in minor units of the currency."),
	ledgerDesc("cost_minor_units", "What advertisers owe or have paid, in minor units of the currency."),
	ledgerDesc("entries", "Entries in the ledger."),
}

func ledgerDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("affiliatekit_ledger_"+name, help, []string{"currency"}, nil)
}

// collectLedger reads what the ledger adds up to. Its cost grows with the accounts.
func collectLedger(core *affiliate.Service, out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	sums, err := sumLedger(ctx, core)
	for i, d := range ledgerDescs {
		if err != nil {
			out <- prometheus.NewInvalidMetric(d, err)
			continue
		}
		for currency, s := range sums {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, s[i], string(currency))
		}
	}
}

// totalsPage is how many accounts are read at a time.
const totalsPage = 1000

// sumLedger adds the totals of all accounts up by currency.
func sumLedger(ctx context.Context, core *affiliate.Service) (map[affiliate.Currency]ledgerSums, error) {
	sums := make(map[affiliate.Currency]ledgerSums)
	var last affiliate.Total
	for {
		page, err := core.Totals(ctx, last.Account, last.Currency, totalsPage)
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
