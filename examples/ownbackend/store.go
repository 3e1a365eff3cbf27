package main

import (
	"context"
	"encoding/json"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// The buckets of a file.
var (
	listBucket    = []byte("lists")    // by number in the order of adding: a list as JSON
	numberBucket  = []byte("numbers")  // by the id of a list: its number
	itemBucket    = []byte("items")    // by number of the list and place: a product id
	placeBucket   = []byte("places")   // by number of the list and product id: its place
	productBucket = []byte("products") // by id: a product as JSON
)

// Store keeps product lists and products in a file. bbolt has one writer at a
// time and gives readers a snapshot, so that its units are serializable.
type Store struct{ db *bbolt.DB }

// Open opens a file, and makes it if it is not there.
func Open(path string, o *bbolt.Options) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, o)
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{listBucket, numberBucket, itemBucket, placeBucket, productBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{db}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Tx is one unit of work. It gives what this backend keeps.
type Tx struct {
	tx     *bbolt.Tx
	doomed error // of the call that failed: every later one returns it, and so does the unit
	reads  int   // how many Reads the code is in that joined the unit
	over   bool
	beside func(context.Context) error // why the core's part of the unit has failed; nil: there is none
}

// ProductLists, ProductListItems and Products give the repositories.
func (t *Tx) ProductLists() productlists.ListRepository     { return lists{t} }
func (t *Tx) ProductListItems() productlists.ItemRepository { return items{t} }
func (t *Tx) Products() productlists.ProductRepository      { return products{t} }

// unitKey finds the unit of a store that a context belongs to.
type unitKey struct{ *Store }

// Read implements affiliate.Store.
func (s *Store) Read(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return s.unit(ctx, true, fn)
}

// Write implements affiliate.Store.
func (s *Store) Write(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return s.unit(ctx, false, fn)
}

func (s *Store) unit(ctx context.Context, reads bool, fn func(context.Context, *Tx) error) error {
	if outer, ok := ctx.Value(unitKey{s}).(*Tx); ok {
		if !affiliate.Joins(ctx) {
			return affiliate.ErrNested
		}
		return outer.join(ctx, reads, fn)
	}
	begin := s.db.Update
	if reads {
		begin = s.db.View
	}
	var returned error
	err := begin(func(tx *bbolt.Tx) error { // it rolls back when this fails or panics
		t := &Tx{tx: tx}
		defer func() { t.over = true }()
		returned = t.end(ctx, fn(context.WithValue(ctx, unitKey{s}, t), t))
		return returned
	})
	if err != nil && returned == nil { // it did not begin, or not commit
		return affiliate.Unavailable(err)
	}
	return err
}

// join runs a unit as a part of this one. A Write that fails dooms the whole.
func (t *Tx) join(ctx context.Context, reads bool, fn func(context.Context, *Tx) error) error {
	if !reads {
		return t.end(ctx, fn(ctx, t))
	}
	t.reads++
	defer func() { t.reads-- }()
	err := fn(ctx, t)
	if t.doomed != nil {
		return t.doomed
	}
	return err
}

// end returns what a unit fails with whose callback returned err.
func (t *Tx) end(ctx context.Context, err error) error {
	switch {
	case t.doomed != nil:
		return t.doomed
	case err != nil:
		t.doomed = err
	case ctx.Err() != nil:
		t.doomed = affiliate.Unavailable(ctx.Err())
	}
	return t.doomed
}

var errOver = errors.New("ownbackend: the unit of work is over")

// read runs a call that changes nothing. Any error but ErrNotFound dooms the unit.
func read[V any](ctx context.Context, t *Tx, call func() (V, error)) (V, error) {
	var none V
	switch {
	case t.over:
		return none, errOver
	case t.doomed != nil:
		return none, t.doomed
	case ctx.Err() != nil:
		t.doomed = affiliate.Unavailable(ctx.Err())
		return none, t.doomed
	}
	if t.beside != nil {
		if t.doomed = t.beside(ctx); t.doomed != nil {
			return none, t.doomed
		}
	}
	v, err := call()
	if err != nil && !affiliate.IsNotFound(err) {
		t.doomed = err
	}
	return v, err
}

// change runs a call that changes something. Any error dooms the unit.
func change[V any](ctx context.Context, t *Tx, call func() (V, error)) (V, error) {
	v, err := read(ctx, t, func() (V, error) {
		if t.reads > 0 || !t.tx.Writable() {
			var none V
			return none, affiliate.ErrReadOnly
		}
		return call()
	})
	if err != nil && t.doomed == nil {
		t.doomed = err
	}
	return v, err
}

// put keeps a value as JSON.
func (t *Tx) put(bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.tx.Bucket(bucket).Put(key, text)
}

// taken is the error of a unique key that something else has.
func taken(resource, field string) error {
	return &affiliate.Error{Kind: affiliate.ErrConflict, Code: "taken", Resource: resource,
		Fields: []affiliate.FieldError{{Field: field, Code: "taken", Message: "is taken"}}}
}
