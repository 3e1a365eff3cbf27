// Package events brings the events that every domain raises to those who want to
// hear of them: functions of the program, and whoever reads on by itself. Package
// affiliate/webhooks sends them over HTTP.
//
// # From a change to a subscriber
//
//	a service's unit          this package, in any number of processes
//	┌──────────────────┐      ┌─────────────┐   ┌──────────────────┐   ┌────────────┐
//	│ change + Event   │────► │ number      │──►│ delivery for each │──►│ Subscribe's │
//	│ (one transaction)│      │ (Sequence)  │   │ consumer          │   │ function    │
//	└──────────────────┘      └─────┬───────┘   └──────────────────┘   └────────────┘
//	                                └──► After(sequence): a host's own bus
//
// An [affiliate.Event] is written by tx.Events().Add in the unit that makes the
// change, so that there is neither without the other. It has no number then: units
// that run at once commit in another order than they write. Later one process
// after the other gives the committed events their Sequence. That is why
// [Service.After] never passes over an event, however late its unit commits, and
// why a unit that runs for hours delays nobody.
//
// # Delivery
//
//	waiting ──delivered──► (gone)
//	   │  ▲
//	   │  └──failed: due later, 1 s doubled up to an hour, with jitter──┐
//	   ├────────────────────────────────────────────────────────────────┘
//	   └──too many attempts, or Park──► parked ──Requeue──► waiting
//
// One process at a time serves a consumer, under a lease that ends by itself when
// the process dies. Within a batch and from one to the next a consumer gets the
// events of one object in their order: behind one that failed the others of the
// same object wait, those of other objects go on. A parked event is in nobody's
// way; one that is queued again comes late. Everything is delivered at least
// once: a process that dies between a delivery and writing it down leaves it to
// be repeated, with the same event to the byte. Tell repetitions by Event.ID.
//
// When processes die five times in a row over one event, it is parked with the
// reason "worker_lost".
//
// # Kinds
//
// Every change of state has a kind. Each domain declares its own, with the form of
// its Data, in a function EventKinds; affiliatekit.EventKinds lists all, and
// KINDS.md is the table. A test holds the two together, and another one fails
// when a method of a service changes something and raises nothing.
//
// A click raises no event. There are too many, and package links/stats counts
// them; without a subscriber an event costs one row in the batch of its unit.
//
// # Metrics
//
// [Options.Observe] is told of each attempt, and [Service.Backlog] of what waits.
// The example server makes these of them:
//
//	affiliatekit_event_attempts_total{channel,result}   counter    attempts by result: done, later, gave_up
//	affiliatekit_event_delivery_age_seconds{channel}    histogram  from the event to its delivery
//	affiliatekit_event_deliveries{channel,state}        gauge      deliveries that wait or are parked
//	affiliatekit_event_oldest_waiting_seconds{channel}  gauge      age of the oldest one that waits
//
// Channels are "process" and "webhook": the number of series does not grow with
// the number of endpoints.
//
// # Choices
//
//   - A subscriber is known to the store by its name and for good: it misses
//     nothing while no process runs, and what waits for one that is gone waits
//     until Unsubscribe. It hears what is numbered after its name is known.
//   - A consumer is served by one process at a time. That is what makes the order
//     simple; different consumers are served side by side.
package events
