package memory

import (
	"context"
	"errors"
	"sync"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// DB is one store in memory, safe for concurrent use. Its views, one for each
// domain, are of the same data, and a unit in one of them is serial to the
// units in all.
type DB struct {
	mu       sync.RWMutex // held by a unit from its start to its end
	words    words        // accounts, causes, terms, …: what a rolled back unit brought is forgotten
	codes    words        // currencies, kinds, …: a few hundred at most, so that 16 bits are enough
	core     coreTables
	offers   offerTables
	links    linkTables
	products productTables
	deals    dealTables
	log      []change // of the unit that writes: what it did so far
}

// New is an empty store.
func New() *DB {
	db := &DB{words: newWords(), codes: newWords()}
	db.core = newCoreTables(&db.words, &db.codes)
	db.offers = newOfferTables()
	db.links = newLinkTables(&db.codes)
	db.products = newProductTables()
	db.deals = newDealTables()
	return db
}

// Core is the view for package affiliate.
func (db *DB) Core() affiliate.Store[affiliate.Tx] {
	return view[affiliate.Tx]{db, func(u *unit) affiliate.Tx { return coreTx{u} }}
}

// Links is the view for package links. Its Record is its Write: one writer at a
// time is as isolated as can be.
func (db *DB) Links() links.Store {
	return linksView{view[links.Tx]{db, func(u *unit) links.Tx { return linksTx{offersTx{coreTx{u}}} }}}
}

// view runs the units of one domain, whose transaction is T.
type view[T any] struct {
	db   *DB
	bind func(*unit) T
}

// Read runs fn while no writer runs, beside other readers.
func (v view[T]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	if err := v.db.admit(ctx); err != nil {
		return err
	}
	v.db.mu.RLock()
	u := &unit{Context: ctx, db: v.db, readOnly: true}
	defer u.endRead()
	if err := u.use(ctx); err != nil { // the wait may have been long
		return err
	}
	return u.result(fn(u, v.bind(u)))
}

// Write runs fn alone, once.
func (v view[T]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	if err := v.db.admit(ctx); err != nil {
		return err
	}
	v.db.mu.Lock()
	u := &unit{Context: ctx, db: v.db, words: v.db.words.texts.last}
	defer u.endWrite() // also when fn panics or ends its goroutine
	if err := u.use(ctx); err != nil {
		return err
	}
	if err := u.result(fn(u, v.bind(u))); err != nil {
		return err
	}
	u.commit()
	return nil
}

// unitKey is where a unit's context answers that it belongs to a unit of db.
type unitKey struct{ db *DB }

// admit refuses a context that is over, or belongs to a unit already.
func (db *DB) admit(ctx context.Context) error {
	if db.nested(ctx) {
		return affiliate.ErrNested
	}
	if err := ctx.Err(); err != nil {
		return affiliate.Unavailable(err)
	}
	return nil
}

func (db *DB) nested(ctx context.Context) bool { return ctx.Value(unitKey{db}) != nil }

var errEnded = errors.New("memory: the transaction was used after its unit ended")
