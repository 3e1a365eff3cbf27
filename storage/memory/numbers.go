package memory

import (
	"context"
	"math"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// Moves is the view for package links/move.
func (db *DB) Moves() move.Store {
	return view[move.Tx]{db, func(u *unit) move.Tx { return moveTx{ordersTx{linksTx{offersTx{statsTx{coreTx{u}}}}}} }}
}

// moveTx is the transaction of package links/move: it has all that hangs on an
// advertiser.
type moveTx struct{ ordersTx }

var _ move.Tx = moveTx{}

func (tx moveTx) ReturnAds() returnads.Repository        { return returnAds(tx.coreTx) }
func (tx moveTx) PaymentSetups() payouts.SetupRepository { return paymentSetups(tx.coreTx) }
func (tx moveTx) Numbers() move.NumberRepository         { return numbers(tx.coreTx) }

type numbers struct{ u *unit }

var _ move.NumberRepository = numbers{}

func (r numbers) Renumber(ctx context.Context, kind move.Kind, from, to []int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	renumber, resource := r.u.db.moves(kind)
	if renumber == nil {
		return r.u.Fail(move.NotNumbered(kind))
	}
	for i := range to {
		if to[i] <= 0 || to[i] > math.MaxUint32 {
			return r.u.Fail(affiliate.Invalid(resource, affiliate.FieldError{Field: "id", Code: "out_of_range", Message: "must be between 1 and 4294967295"}))
		}
	}
	unknown, free := renumber(from, to)
	switch {
	case unknown != 0:
		return r.u.Fail(affiliate.NotFound(resource, unknown))
	case !free:
		var f engine.Refusal
		f.Unique(true, "id")
		return r.u.Fail(f.Err(resource))
	}
	return nil
}

// moves gives rows other ids. It returns an id that no row has, if there is one, and
// whether all ids were free.
type moves func(from, to []int64) (unknown int64, free bool)

// moves returns what gives rows of the kind other ids, and their name in errors.
func (db *DB) moves(kind move.Kind) (moves, string) {
	switch kind {
	case move.Groups:
		return entityMoves(&db.core.groups.Entities)
	case move.Categories:
		return entityMoves(&db.core.categories.Entities)
	case move.Clients:
		return entityMoves(&db.core.clients.Entities)
	case move.Tiers:
		return entityMoves(&db.core.tiers.Entities)
	case move.Advertisers:
		return entityMoves(&db.core.advertisers.Entities)
	case move.SharedTags, move.Tags:
		return entityMoves(&db.core.userTags.Entities)
	case move.Users:
		return entityMoves(&db.core.users.Entities)
	case move.Rules:
		return entityMoves(&db.links.rules.Entities)
	case move.Blocks:
		return entityMoves(&db.core.blocklist.Entities)
	case move.Budgets:
		return entityMoves(&db.offers.budgets.Entities)
	case move.Offers:
		return entityMoves(&db.offers.offers.Entities)
	case move.Participants:
		return entityMoves(&db.offers.participants.Entities)
	case move.Comments:
		return entityMoves(&db.offers.comments.Entities)
	case move.Activities:
		return entityMoves(&db.offers.activities.Entities)
	case move.Configs:
		return entityMoves(&db.stats.configs.Entities)
	case move.RateCards:
		return tableMoves(db.orders.cards.Table, func(c *orders.RateCard) *int64 { return &c.ID }), "rate_card"
	case move.Links:
		return tableMoves(db.links.links.Table, nil), "link"
	case move.Vouchers:
		return tableMoves(db.orders.vouchers.Table, nil), "voucher"
	case move.Collectors:
		return tableMoves(db.orders.collectors.Table, nil), "collector"
	case move.Entries:
		return tableMoves(db.core.entries.Table, nil), "entry"
	case move.Orders:
		return tableMoves(db.orders.orders.Table, nil), "order"
	case move.Refunds:
		return tableMoves(db.orders.refunds.Table, nil), "refund"
	case move.Payments:
		return tableMoves(db.orders.payments.Table, nil), "payment"
	case move.ReturnAds:
		return tableMoves(db.offers.ads.Table, func(a *returnAdRow) *int64 { return &a.ID }), "return_ad"
	}
	return nil, ""
}

func entityMoves[E entity](t *engine.Entities[E]) (moves, string) {
	return tableMoves(t.Table, t.ID), t.Resource
}

// tableMoves moves rows of a table; id is where a row has its id, nil when it has
// none. A row in the way that is to be moved too waits under an id behind all others, and
// behind those that are given.
func tableMoves[R any](t *engine.Table[R], id func(*R) *int64) moves {
	return func(from, to []int64) (unknown int64, free bool) {
		at := make(map[int64]uint32, len(from)) // where rows are that wait
		last := int64(t.Last())
		for i, f := range from {
			row, known := t.Find(f)
			if !known {
				return f, true
			}
			at[f] = row
			last = max(last, to[i])
		}
		for i, f := range from {
			if next := at[to[i]]; int64(next) == to[i] && to[i] != f {
				last++
				t.Move(next, uint32(last), func(*R) {})
				at[to[i]] = uint32(last)
			}
			set := func(r *R) {
				if id != nil {
					*id(r) = to[i]
				}
			}
			if row := at[f]; int64(row) != to[i] && !t.Move(row, uint32(to[i]), set) {
				return 0, false
			}
			delete(at, f)
		}
		return 0, true
	}
}
