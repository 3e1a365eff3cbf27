// Package metrics counts what the services and the HTTP adapter do, for
// Prometheus. It is a package of its own so that only programs that import it
// link the Prometheus client.
//
//	m := metrics.New()
//	kit, err := affiliatekit.New(backend, affiliatekit.Options{
//		Links:        links.Options{Observe: m.Click},
//		Orders:       orders.Options{Observe: m.Order},
//		Events:       events.Options{Observe: m.Event},
//		Webhooks:     webhooks.Options{Observe: m.Event},
//		AdSyncEngine: adsync.EngineOptions{Drivers: drivers, Observe: m.Sync},
//	})
//	handler, err := httpadapter.New(services, httpadapter.Options{Observe: m.Request})
//	m.Watch(metrics.Services{Core: kit.Core, Links: kit.Links, Events: kit.Events})
//	registry.MustRegister(m)
//
// Each hook is optional: what is not connected stays at 0. A host without a
// registry of its own serves [Metrics.Handler].
//
// # The series
//
// Counters and histograms are of this process and begin at 0 with it. Gauges are
// read from the backend at each scrape, so that all processes on one database
// show the same. Amounts are minor units; above 2^53 they are rounded, because a
// metric is a float.
//
//	affiliatekit_http_requests_total            counter    operation, status   requests; operation is empty where no route matched
//	affiliatekit_http_request_duration_seconds  histogram  operation           how long they took
//	affiliatekit_clicks_recorded_total          counter    verdict             clicks that were kept
//	affiliatekit_clicks_dropped_total           counter    –                   clicks that were lost; only mode Async loses any
//	affiliatekit_orders_reported_total          counter    outcome, reason     reports of orders; reason says why one earns nothing
//	affiliatekit_sync_jobs_total                counter    outcome             jobs of the sync engine
//	affiliatekit_event_attempts_total           counter    channel, result     attempts to deliver an event
//	affiliatekit_event_delivery_age_seconds     histogram  channel             from an event to its delivery
//	affiliatekit_event_deliveries               gauge      channel, state      events still to be delivered
//	affiliatekit_event_oldest_waiting_seconds   gauge      channel             age of the delivery that waits longest
//	affiliatekit_ledger_earned_minor_units      gauge      currency            what all accounts have earned, payouts aside
//	affiliatekit_ledger_paid_minor_units        gauge      currency            what all accounts have been paid
//	affiliatekit_ledger_cost_minor_units        gauge      currency            what advertisers owe or have paid
//	affiliatekit_ledger_entries                 gauge      currency            entries in the ledger
//
// # Cardinality
//
// No label holds what a client sends. An operation is one of about 190 ids of
// routes, with about five statuses each; a verdict, outcome, reason, result,
// channel or state is one of a fixed few; currencies are those in the ledger, at
// most about 160. The ledger's gauges read one row for each account and currency
// at each scrape, within five seconds: scrape a program with a million accounts
// once a minute, or leave Services.Core out.
package metrics
