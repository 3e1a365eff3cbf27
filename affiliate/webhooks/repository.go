package webhooks

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

// EndpointRepository keeps endpoints: one for a consumer of the channel "webhook".
type EndpointRepository interface {
	// Put adds the endpoint, or replaces the one with its id. ErrInvalid
	// "unknown_reference" with the field "id" when there is no such consumer.
	// An endpoint goes when its consumer is deleted, and so do its attempts.
	Put(ctx context.Context, e Endpoint) error
	Get(ctx context.Context, id int64) (Endpoint, error)
	GetMany(ctx context.Context, ids []int64) ([]Endpoint, error)
}

// AttemptFilter chooses attempts. Sort columns: at.
type AttemptFilter struct {
	EndpointID int64
	Sequence   int64
	Result     Result
}

// AttemptRepository keeps the log of deliveries.
type AttemptRepository interface {
	// Add keeps attempts in their order. ErrInvalid when Validate fails.
	Add(ctx context.Context, attempts ...Attempt) error
	List(ctx context.Context, f AttemptFilter, p affiliate.PageRequest) (affiliate.Page[Attempt], error)
	// Expire removes at most limit attempts of before the time, and returns how many.
	Expire(ctx context.Context, before time.Time, limit int) (int, error)
}

// Tx gives the repositories of the package beside those of events.
type Tx interface {
	events.Tx
	WebhookEndpoints() EndpointRepository
	WebhookAttempts() AttemptRepository
}

// Store runs units of work of this package.
type Store = affiliate.Store[Tx]
