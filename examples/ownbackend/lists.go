package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/unit"
)

// sequence is a key that sorts as its number does.
func sequence(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// under is a key within another one of eight bytes.
func under(number []byte, key []byte) []byte { return slices.Concat(number, key) }

type lists struct{ t *Tx }

func (r lists) Add(ctx context.Context, l productlists.List) (productlists.List, error) {
	err := unit.Change(ctx, &r.t.Unit, func() error {
		l.Size, l.CreatedAt = 0, l.CreatedAt.UTC().Truncate(time.Microsecond)
		if err := l.Validate(); err != nil {
			return err
		}
		if r.t.bucket(numberBucket).Get(l.ID[:]) != nil {
			return taken("product_list", "id")
		}
		n, err := r.t.bucket(listBucket).NextSequence()
		if err != nil {
			return err
		}
		if err := r.t.bucket(numberBucket).Put(l.ID[:], sequence(n)); err != nil {
			return err
		}
		return r.t.put(listBucket, sequence(n), l)
	})
	if err != nil {
		return l, err
	}
	return r.Get(ctx, l.ID)
}

// find returns a list, and the number that it has in the file.
func (r lists) find(id uuid.UUID) (l productlists.List, number []byte, err error) {
	if number = r.t.bucket(numberBucket).Get(id[:]); number == nil {
		return l, nil, affiliate.NotFound("product_list", id)
	}
	number = bytes.Clone(number) // bbolt's own is gone after the next change
	l, err = listOf(r.t.bucket(listBucket).Get(number))
	return l, number, err
}

func listOf(text []byte) (l productlists.List, err error) {
	err = json.Unmarshal(text, &l)
	if len(l.Metadata) == 0 {
		l.Metadata = nil
	}
	return l, err
}

func (r lists) Get(ctx context.Context, id uuid.UUID) (productlists.List, error) {
	return unit.Read(ctx, &r.t.Unit, func() (productlists.List, error) {
		l, _, err := r.find(id)
		return l, err
	})
}

func (r lists) Delete(ctx context.Context, id uuid.UUID) error {
	return unit.Change(ctx, &r.t.Unit, func() error {
		_, number, err := r.find(id)
		if err != nil {
			return err
		}
		for _, bucket := range [][]byte{itemBucket, placeBucket, listBucket} {
			c := r.t.bucket(bucket).Cursor()
			for key, _ := c.Seek(number); bytes.HasPrefix(key, number); key, _ = c.Seek(number) {
				if err := c.Delete(); err != nil {
					return err
				}
			}
		}
		return r.t.bucket(numberBucket).Delete(id[:])
	})
}

func (r lists) List(ctx context.Context, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	return unit.Read(ctx, &r.t.Unit, func() (affiliate.Page[productlists.List], error) {
		var page affiliate.Page[productlists.List]
		if err := p.Validate(); err != nil {
			return page, err
		}
		var found []productlists.List
		err := r.t.bucket(listBucket).ForEach(func(_, text []byte) error {
			l, err := listOf(text)
			if err == nil && (f.AccountID == "" || l.AccountID == f.AccountID) && hasAll(l, f.Metadata) {
				found = append(found, l)
			}
			return err
		})
		if p.Sort.Desc {
			slices.Reverse(found)
		}
		page.Total = len(found)
		found = found[min(p.Offset(), len(found)):]
		if len(found) > 0 {
			page.Items = found[:min(p.Limit(), len(found))]
		}
		return page, err
	})
}

func hasAll(l productlists.List, pairs []productlists.Pair) bool {
	return !slices.ContainsFunc(pairs, func(p productlists.Pair) bool { return !slices.Contains(l.Metadata, p) })
}

type items struct{ t *Tx }

func (r items) Append(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return unit.Change(ctx, &r.t.Unit, func() error { return r.append(listID, productIDs) })
}

func (r items) append(listID uuid.UUID, productIDs []string) error {
	if err := productlists.ValidateProductIDs(productIDs); err != nil {
		return err
	}
	l, number, err := lists(r).find(listID)
	if err != nil {
		return err
	}
	onList, places := r.t.bucket(itemBucket), r.t.bucket(placeBucket)
	for _, id := range productIDs {
		if places.Get(under(number, []byte(id))) != nil {
			return taken("product_list", "product_ids")
		}
		n, err := onList.NextSequence()
		if err != nil {
			return err
		}
		if err := onList.Put(under(number, sequence(n)), []byte(id)); err != nil {
			return err
		}
		if err := places.Put(under(number, []byte(id)), sequence(n)); err != nil {
			return err
		}
	}
	l.Size += len(productIDs)
	return r.t.put(listBucket, number, l)
}

func (r items) All(ctx context.Context, listID uuid.UUID) ([]string, error) {
	return unit.Read(ctx, &r.t.Unit, func() ([]string, error) {
		number := r.t.bucket(numberBucket).Get(listID[:])
		if number == nil {
			return nil, nil
		}
		var ids []string
		c := r.t.bucket(itemBucket).Cursor()
		for key, id := c.Seek(number); bytes.HasPrefix(key, number); key, id = c.Next() {
			ids = append(ids, string(id))
		}
		return ids, nil
	})
}

// places are those of the products that are on the list, in its order.
func (r items) places(number []byte, productIDs []string) [][]byte {
	var found [][]byte
	for _, id := range productIDs {
		if place := r.t.bucket(placeBucket).Get(under(number, []byte(id))); number != nil && place != nil {
			found = append(found, bytes.Clone(place))
		}
	}
	slices.SortFunc(found, bytes.Compare)
	return slices.CompactFunc(found, bytes.Equal)
}

func (r items) Among(ctx context.Context, listID uuid.UUID, productIDs []string) ([]string, error) {
	return unit.Read(ctx, &r.t.Unit, func() ([]string, error) {
		number := r.t.bucket(numberBucket).Get(listID[:])
		var ids []string
		for _, place := range r.places(number, productIDs) {
			ids = append(ids, string(r.t.bucket(itemBucket).Get(under(number, place))))
		}
		return ids, nil
	})
}

func (r items) Remove(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return unit.Change(ctx, &r.t.Unit, func() error {
		l, number, err := lists(r).find(listID)
		if affiliate.IsNotFound(err) {
			return nil
		}
		gone := r.places(number, productIDs)
		onList := r.t.bucket(itemBucket)
		for _, place := range gone {
			id := bytes.Clone(onList.Get(under(number, place)))
			if err := onList.Delete(under(number, place)); err != nil {
				return err
			}
			if err := r.t.bucket(placeBucket).Delete(under(number, id)); err != nil {
				return err
			}
		}
		l.Size -= len(gone)
		return r.t.put(listBucket, number, l)
	})
}
