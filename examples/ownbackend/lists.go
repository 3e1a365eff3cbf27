package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/unit"
)

type lists struct{ t *Tx }

// keptList is a list as it is kept, in a bucket of its own.
type keptList struct {
	Number uint64 // in the order of adding
	List   productlists.List
	bucket *bbolt.Bucket
}

func (l keptList) items() *bbolt.Bucket  { return l.bucket.Bucket(itemBucket) }
func (l keptList) places() *bbolt.Bucket { return l.bucket.Bucket(placeBucket) }

func (r lists) open(id []byte) (keptList, error) {
	b := r.t.bucket(listBucket).Bucket(id)
	if b == nil {
		return keptList{}, affiliate.NotFound("product_list", uuid.UUID(id))
	}
	l, err := fromJSON[keptList](b.Get(listKey))
	l.bucket = b
	return l, err
}

func (r lists) Add(ctx context.Context, l productlists.List) (productlists.List, error) {
	l.Size, l.CreatedAt = 0, l.CreatedAt.UTC().Truncate(time.Microsecond)
	l.Metadata = append([]productlists.Pair(nil), l.Metadata...)
	return l, unit.Change(ctx, &r.t.Unit, func() error {
		if err := l.Validate(); err != nil {
			return err
		}
		all := r.t.bucket(listBucket)
		if all.Bucket(l.ID[:]) != nil {
			return taken("id")
		}
		b, err := all.CreateBucket(l.ID[:])
		if err != nil {
			return err
		}
		n, err := all.NextSequence()
		_, err2 := b.CreateBucket(itemBucket)
		_, err3 := b.CreateBucket(placeBucket)
		return errors.Join(err, err2, err3, putJSON(b, listKey, keptList{Number: n, List: l}))
	})
}

func (r lists) Get(ctx context.Context, id uuid.UUID) (productlists.List, error) {
	return unit.Read(ctx, &r.t.Unit, func() (productlists.List, error) {
		l, err := r.open(id[:])
		return l.List, err
	})
}

func (r lists) Delete(ctx context.Context, id uuid.UUID) error {
	return unit.Change(ctx, &r.t.Unit, func() error {
		if _, err := r.open(id[:]); err != nil {
			return err
		}
		return r.t.bucket(listBucket).DeleteBucket(id[:])
	})
}

func (r lists) List(ctx context.Context, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	return unit.Read(ctx, &r.t.Unit, func() (page affiliate.Page[productlists.List], err error) {
		if err := p.Validate(); err != nil {
			return page, err
		}
		var found []keptList
		err = r.t.bucket(listBucket).ForEachBucket(func(id []byte) error {
			l, err := r.open(id)
			lacks := func(p productlists.Pair) bool { return !slices.Contains(l.List.Metadata, p) }
			if (f.AccountID == "" || l.List.AccountID == f.AccountID) && !slices.ContainsFunc(f.Metadata, lacks) {
				found = append(found, l)
			}
			return err
		})
		slices.SortFunc(found, func(a, b keptList) int { return cmp.Compare(a.Number, b.Number) })
		if p.Sort.Desc {
			slices.Reverse(found)
		}
		page.Total = len(found)
		for _, l := range found[min(p.Offset(), len(found)):min(p.Offset()+p.Limit(), len(found))] {
			page.Items = append(page.Items, l.List)
		}
		return page, err
	})
}

type items struct{ t *Tx }

func (r items) Append(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return unit.Change(ctx, &r.t.Unit, func() error {
		if err := productlists.ValidateProductIDs(productIDs); err != nil {
			return err
		}
		l, err := lists(r).open(listID[:])
		if err != nil {
			return err
		}
		for _, id := range productIDs {
			if l.places().Get([]byte(id)) != nil {
				return taken("product_ids")
			}
			n, err := l.items().NextSequence()
			place := binary.BigEndian.AppendUint64(nil, n) // sorts as the number does
			if err := errors.Join(err, l.items().Put(place, []byte(id)), l.places().Put([]byte(id), place)); err != nil {
				return err
			}
		}
		l.List.Size += len(productIDs)
		return putJSON(l.bucket, listKey, l)
	})
}

// read gives a method the list, or finds nothing when there is none.
func (r items) read(ctx context.Context, listID uuid.UUID, method func(keptList) []string) ([]string, error) {
	return unit.Read(ctx, &r.t.Unit, func() ([]string, error) {
		l, err := lists(r).open(listID[:])
		if affiliate.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return method(l), nil
	})
}

func (r items) All(ctx context.Context, listID uuid.UUID) ([]string, error) {
	return r.read(ctx, listID, func(l keptList) (ids []string) {
		c := l.items().Cursor()
		for place, id := c.First(); place != nil; place, id = c.Next() {
			ids = append(ids, string(id))
		}
		return ids
	})
}

// among are the places of those products that are on the list, in its order.
func (l keptList) among(productIDs []string) (places [][]byte) {
	for _, id := range productIDs {
		if place := l.places().Get([]byte(id)); place != nil {
			places = append(places, bytes.Clone(place)) // bbolt's own is gone after the next change
		}
	}
	slices.SortFunc(places, bytes.Compare)
	return slices.CompactFunc(places, bytes.Equal)
}

func (r items) Among(ctx context.Context, listID uuid.UUID, productIDs []string) ([]string, error) {
	return r.read(ctx, listID, func(l keptList) (ids []string) {
		for _, place := range l.among(productIDs) {
			ids = append(ids, string(l.items().Get(place)))
		}
		return ids
	})
}

func (r items) Remove(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return unit.Change(ctx, &r.t.Unit, func() error {
		l, err := lists(r).open(listID[:])
		if affiliate.IsNotFound(err) {
			return nil
		}
		gone := l.among(productIDs)
		for _, place := range gone {
			id := bytes.Clone(l.items().Get(place))
			err = errors.Join(err, l.items().Delete(place), l.places().Delete(id))
		}
		l.List.Size -= len(gone)
		return errors.Join(err, putJSON(l.bucket, listKey, l))
	})
}
