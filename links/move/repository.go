package move

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// Tx gives the repositories of all that hangs on an advertiser, within one unit of
// work. What all repositories share stands in package affiliate.
type Tx interface {
	orders.Tx
	ReturnAds() returnads.Repository
	PaymentSetups() payouts.SetupRepository
	Numbers() NumberRepository
}

// Store runs units of work. *memory.DB and *postgres.DB have one: Moves.
type Store = affiliate.Store[Tx]

// NumberRepository gives rows the ids that they had elsewhere. Only an import uses
// it: whoever adds a row otherwise takes the id that the store gives.
type NumberRepository interface {
	// Renumber gives rows of a kind other ids: to[i] in place of from[i]. They must
	// have been added in this unit, and nothing may refer to them yet, which a list
	// of ids in them does: a user is added without tags. No row that
	// is added later gets one of these ids. ErrNotFound when there is no row,
	// ErrConflict with the field "id" when an id is taken, ErrInvalid with the
	// field "id" when the store has no such id, or the field "kind" for a kind
	// whose rows have no ids that a store gives.
	Renumber(ctx context.Context, kind Kind, from, to []int64) error
}

// NotNumbered is the error of Renumber for a kind without ids of the store's.
func NotNumbered(kind Kind) error {
	return affiliate.Invalid("kind", affiliate.FieldError{Field: "kind", Code: "not_numbered", Message: "must not be " + string(kind) + ": its rows have no ids that a store gives"})
}
