package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// DB is one store in memory, safe for concurrent use. Its views, one for each
// domain, are of the same data, and a unit in one of them is serial to the
// units in all.
type DB struct {
	store    engine.Store
	words    *engine.Words // accounts, causes, terms, …
	codes    engine.Words  // currencies, kinds, …: a few hundred at most, so that 16 bits are enough
	core     coreTables
	identity identityTables
	mails    mailTable
	media    mediaTable
	offers   offerTables
	links    linkTables
	stats    statTables
	products productTables
	deals    dealTables
	orders   orderTables
	payouts  payoutTables
	sync     syncTables
	webhooks webhookTables
}

// New returns an empty store.
func New() *DB {
	db := &DB{}
	db.words = db.store.Words()
	db.core = newCoreTables(db)
	db.identity = newIdentityTables(db)
	db.mails = newMailTable(db)
	db.media = newMediaTable(db)
	db.offers = newOfferTables(db)
	db.links = newLinkTables(db)
	db.stats = newStatTables(db)
	db.products = newProductTables(db)
	db.deals = newDealTables(db)
	db.orders = newOrderTables(db)
	db.payouts = newPayoutTables(db)
	db.sync = newSyncTables(db)
	db.webhooks = newWebhookTables(db)
	return db
}

// Core is the view for package affiliate. Its transactions are those of package
// offers too, which has its part in changes of users.
func (db *DB) Core() affiliate.Store[affiliate.Tx] {
	return view[affiliate.Tx]{db, func(u *unit) affiliate.Tx { return offersTx{statsTx{coreTx{u}}} }}
}

// Links is the view for package links. Its Record is its Write: one writer at a
// time is as isolated as can be.
func (db *DB) Links() links.Store {
	return linksView{view[links.Tx]{db, func(u *unit) links.Tx { return linksTx{offersTx{statsTx{coreTx{u}}}} }}}
}

// unit is one unit of work: the receiver of every repository.
type unit struct {
	engine.Unit
	db *DB
}

// view runs the units of one domain, whose transaction is T.
type view[T any] struct {
	db   *DB
	bind func(*unit) T
}

// Read runs fn while no writer runs, beside other readers.
func (v view[T]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	u := &unit{db: v.db}
	return v.db.store.Read(ctx, &u.Unit, func(ctx context.Context) error { return fn(ctx, v.bind(u)) })
}

// Write runs fn alone, once.
func (v view[T]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	u := &unit{db: v.db}
	return v.db.store.Write(ctx, &u.Unit, func(ctx context.Context) error { return fn(ctx, v.bind(u)) })
}

// Nested reports whether the context belongs to a unit of the store.
func (v view[T]) Nested(ctx context.Context) bool { return v.db.store.Nested(ctx) }
