package main

import (
	"context"
	"encoding/json"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/unit"
)

// What is in a file.
var (
	listBucket    = []byte("lists")    // by id: a bucket for each list
	listKey       = []byte("list")     // in that: the list as JSON,
	itemBucket    = []byte("items")    // by place: the product's id,
	placeBucket   = []byte("places")   // by product id: its place
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
		for _, name := range [][]byte{listBucket, productBucket} {
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

// Tx is the transaction of one unit of work. It gives what this backend keeps.
type Tx struct{ unit.Unit }

// ProductLists, ProductListItems and Products give the repositories.
func (t *Tx) ProductLists() productlists.ListRepository     { return lists{t} }
func (t *Tx) ProductListItems() productlists.ItemRepository { return items{t} }
func (t *Tx) Products() productlists.ProductRepository      { return products{t} }

// Read implements affiliate.Store.
func (s *Store) Read(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return s.run(ctx, true, s.db.View, fn)
}

// Write implements affiliate.Store.
func (s *Store) Write(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return s.run(ctx, false, s.db.Update, fn)
}

func (s *Store) run(ctx context.Context, reads bool, begin func(func(*bbolt.Tx) error) error, fn func(context.Context, *Tx) error) error {
	t := &Tx{}
	call := func(ctx context.Context) error { return fn(ctx, t) }
	if done, err := t.Enter(ctx, s, reads, call); done {
		return err
	}
	var returned error
	err := begin(func(tx *bbolt.Tx) error { // it rolls back when this fails or panics
		t.Own = tx
		returned = t.Run(call)
		return returned
	})
	if err != nil && returned == nil { // it did not begin, or not commit
		return affiliate.Unavailable(err)
	}
	return err
}

func (t *Tx) bucket(name []byte) *bbolt.Bucket { return t.Own.(*bbolt.Tx).Bucket(name) }

func putJSON(b *bbolt.Bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	return errors.Join(err, b.Put(key, text))
}

func fromJSON[V any](text []byte) (v V, err error) {
	err = json.Unmarshal(text, &v)
	return v, err
}

func appendJSON[V any](list []V, text []byte) ([]V, error) {
	v, err := fromJSON[V](text)
	return append(list, v), err
}

// taken is the error of something that a list has already.
func taken(field string) error {
	return &affiliate.Error{Kind: affiliate.ErrConflict, Code: "taken", Resource: "product_list",
		Fields: []affiliate.FieldError{{Field: field, Code: "taken", Message: "is taken"}}}
}
