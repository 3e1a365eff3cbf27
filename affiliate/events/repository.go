package events

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// LogRepository keeps the events of all domains in the order of their numbers.
type LogRepository interface {
	// Number gives the next sequence numbers to at most limit events that have
	// none, in order of id, and queues a delivery of each for every consumer
	// that wants it and is not paused, due at now. It returns how many events
	// got a number. Two calls at once wait for each other, so that numbers
	// become visible in their order. A delivery behind one of the same consumer
	// and object that waits is due no earlier than that.
	Number(ctx context.Context, now time.Time, limit int) (int, error)
	// After returns at most limit events with a sequence greater than the given
	// one, in that order.
	After(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error)
	// Before returns at most limit events with a sequence less than the given
	// one, the greatest sequence first. Events without a number are not among
	// them.
	Before(ctx context.Context, sequence int64, limit int) ([]affiliate.Event, error)
	// Numbered returns the events with the sequences, in that order, each once;
	// those that are not there are left out.
	Numbered(ctx context.Context, sequences []int64) ([]affiliate.Event, error)
	// Expire removes at most limit numbered events that were written before the
	// time, have a sequence not greater than through, and of which no delivery is
	// left, and returns how many.
	Expire(ctx context.Context, before time.Time, through int64, limit int) (int, error)
}

// ConsumerFilter chooses consumers. Sort columns: name.
type ConsumerFilter struct {
	Channel string
	Names   []string // one of these; nil does not filter, empty matches nothing
}

// ConsumerRepository keeps the consumers. A name is unique in its channel.
type ConsumerRepository interface {
	// Put adds the consumer, or gives the one of that channel and name its
	// filter and whether it is paused. It returns the consumer as kept, with
	// its id. A consumer that is paused no longer is due at once, if deliveries
	// wait. ErrInvalid when Validate fails.
	Put(ctx context.Context, c Consumer) (Consumer, error)
	// Delete takes the consumer out with its deliveries; no change when there is
	// none.
	Delete(ctx context.Context, id int64) error
	GetMany(ctx context.Context, ids []int64) ([]Consumer, error)
	List(ctx context.Context, f ConsumerFilter, p affiliate.PageRequest) (affiliate.Page[Consumer], error)
	// Lease takes consumers of the channel that are due, those due first first,
	// ties by id, and returns them as leased, in that order. A lease that ended
	// is as if the consumer were free, but counts as a takeover. Two calls at
	// once never take the same consumer, and neither waits for the other.
	// ErrInvalid when Validate fails.
	Lease(ctx context.Context, l Lease) ([]Consumer, error)
	// Settle writes down what came of a leased consumer's deliveries and ends
	// the lease. It returns false, and changes nothing, when the lease is no
	// longer held under that token. Done takes the delivery out. Later makes it
	// due at the outcome's time; the deliveries behind it, those of the same
	// object with a greater sequence, become due no earlier. Parked takes it out
	// of the way. Both count an attempt. Then the consumer is due when the first
	// of its waiting deliveries is, but not before HeldUntil.
	// ErrInvalid when Validate fails.
	Settle(ctx context.Context, s Settlement) (bool, error)
}

// DeliveryFilter chooses deliveries. Sort columns: due_at, sequence.
type DeliveryFilter struct {
	ConsumerID int64
	State      State
	Reason     string
}

// DeliveryRepository keeps the deliveries that wait or are parked. A consumer has
// one delivery of an event.
type DeliveryRepository interface {
	// Due returns at most limit waiting deliveries of the consumer that are due
	// at the time: those due first first, ties by sequence.
	Due(ctx context.Context, consumerID int64, now time.Time, limit int) ([]Delivery, error)
	// Queue makes deliveries to the consumer, due at now, of the events with the
	// sequences that its filter wants, in their order. A delivery that is parked
	// becomes a waiting one without attempts; one that waits stays as it is. It
	// returns how many became waiting. ErrNotFound when there is no such consumer.
	Queue(ctx context.Context, now time.Time, consumerID int64, sequences []int64) (int, error)
	// Requeue makes parked deliveries waiting ones, due at now, without attempts,
	// and returns how many; others are no change.
	Requeue(ctx context.Context, now time.Time, ids []int64) (int, error)
	List(ctx context.Context, f DeliveryFilter, p affiliate.PageRequest) (affiliate.Page[Delivery], error)
	// Backlog returns what waits for the consumers of a channel, by name. Those
	// without deliveries are left out.
	Backlog(ctx context.Context, channel string) ([]Backlog, error)
}

// Tx gives the repositories of the package beside those of the core.
type Tx interface {
	affiliate.Tx
	EventLog() LogRepository
	EventConsumers() ConsumerRepository
	EventDeliveries() DeliveryRepository
}

// Store runs units of work of this package.
type Store interface {
	affiliate.Store[Tx]
	Worker[Tx]
}

// Worker runs units that many processes run at once.
type Worker[T any] interface {
	// Work runs a unit that calls Number, Lease or Settle. Like Write it is all
	// or nothing and may run its callback again. It is isolated by the locks
	// that these take and not by more.
	Work(ctx context.Context, fn func(ctx context.Context, tx T) error) error
}
