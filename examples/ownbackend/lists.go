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
)

// sequence is a key that sorts as its number does.
func sequence(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// under is a key within another one of eight bytes.
func under(number []byte, key []byte) []byte { return slices.Concat(number, key) }

type lists struct{ t *Tx }

func (r lists) Add(ctx context.Context, l productlists.List) (productlists.List, error) {
	return change(ctx, r.t, func() (productlists.List, error) {
		l.Size, l.CreatedAt = 0, l.CreatedAt.UTC().Truncate(time.Microsecond)
		if err := l.Validate(); err != nil {
			return l, err
		}
		if r.t.tx.Bucket(numberBucket).Get(l.ID[:]) != nil {
			return l, taken("product_list", "id")
		}
		n, err := r.t.tx.Bucket(listBucket).NextSequence()
		if err != nil {
			return l, err
		}
		if err := r.t.tx.Bucket(numberBucket).Put(l.ID[:], sequence(n)); err != nil {
			return l, err
		}
		if err := r.t.put(listBucket, sequence(n), l); err != nil {
			return l, err
		}
		kept, _, err := r.find(l.ID)
		return kept, err
	})
}

// find returns a list, and the number that it has in the file.
func (r lists) find(id uuid.UUID) (l productlists.List, number []byte, err error) {
	if number = r.t.tx.Bucket(numberBucket).Get(id[:]); number == nil {
		return l, nil, affiliate.NotFound("product_list", id)
	}
	number = bytes.Clone(number) // bbolt's own is gone after the next change
	l, err = listOf(r.t.tx.Bucket(listBucket).Get(number))
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
	return read(ctx, r.t, func() (productlists.List, error) {
		l, _, err := r.find(id)
		return l, err
	})
}

func (r lists) Delete(ctx context.Context, id uuid.UUID) error {
	_, err := change(ctx, r.t, func() (struct{}, error) {
		_, number, err := r.find(id)
		if err != nil {
			return struct{}{}, err
		}
		for _, bucket := range [][]byte{itemBucket, placeBucket, listBucket} {
			c := r.t.tx.Bucket(bucket).Cursor()
			for key, _ := c.Seek(number); bytes.HasPrefix(key, number); key, _ = c.Seek(number) {
				if err := c.Delete(); err != nil {
					return struct{}{}, err
				}
			}
		}
		return struct{}{}, r.t.tx.Bucket(numberBucket).Delete(id[:])
	})
	return err
}

func (r lists) List(ctx context.Context, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	return read(ctx, r.t, func() (affiliate.Page[productlists.List], error) {
		var page affiliate.Page[productlists.List]
		if err := p.Validate(); err != nil {
			return page, err
		}
		var found []productlists.List
		err := r.t.tx.Bucket(listBucket).ForEach(func(_, text []byte) error {
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
	_, err := change(ctx, r.t, func() (struct{}, error) { return struct{}{}, r.append(listID, productIDs) })
	return err
}

func (r items) append(listID uuid.UUID, productIDs []string) error {
	if err := productlists.ValidateProductIDs(productIDs); err != nil {
		return err
	}
	l, number, err := lists(r).find(listID)
	if err != nil {
		return err
	}
	onList, places := r.t.tx.Bucket(itemBucket), r.t.tx.Bucket(placeBucket)
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
	return read(ctx, r.t, func() ([]string, error) {
		number := r.t.tx.Bucket(numberBucket).Get(listID[:])
		if number == nil {
			return nil, nil
		}
		var ids []string
		c := r.t.tx.Bucket(itemBucket).Cursor()
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
		if place := r.t.tx.Bucket(placeBucket).Get(under(number, []byte(id))); number != nil && place != nil {
			found = append(found, bytes.Clone(place))
		}
	}
	slices.SortFunc(found, bytes.Compare)
	return slices.CompactFunc(found, bytes.Equal)
}

func (r items) Among(ctx context.Context, listID uuid.UUID, productIDs []string) ([]string, error) {
	return read(ctx, r.t, func() ([]string, error) {
		number := r.t.tx.Bucket(numberBucket).Get(listID[:])
		var ids []string
		for _, place := range r.places(number, productIDs) {
			ids = append(ids, string(r.t.tx.Bucket(itemBucket).Get(under(number, place))))
		}
		return ids, nil
	})
}

func (r items) Remove(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	_, err := change(ctx, r.t, func() (struct{}, error) {
		l, number, err := lists(r).find(listID)
		if affiliate.IsNotFound(err) {
			return struct{}{}, nil
		}
		gone := r.places(number, productIDs)
		onList := r.t.tx.Bucket(itemBucket)
		for _, place := range gone {
			id := bytes.Clone(onList.Get(under(number, place)))
			if err := onList.Delete(under(number, place)); err != nil {
				return struct{}{}, err
			}
			if err := r.t.tx.Bucket(placeBucket).Delete(under(number, id)); err != nil {
				return struct{}{}, err
			}
		}
		l.Size -= len(gone)
		return struct{}{}, r.t.put(listBucket, number, l)
	})
	return err
}
