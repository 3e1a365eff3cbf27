package main

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/affiliatekit/affiliatekit/productlists"
)

type products struct{ t *Tx }

func (r products) Put(ctx context.Context, list ...productlists.Product) error {
	_, err := change(ctx, r.t, func() (struct{}, error) {
		for _, p := range list {
			if err := p.Validate(); err != nil {
				return struct{}{}, err
			}
			if err := r.t.put(productBucket, []byte(p.ID), p); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}

func (r products) GetMany(ctx context.Context, ids []string) ([]productlists.Product, error) {
	return read(ctx, r.t, func() ([]productlists.Product, error) {
		var found []productlists.Product
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			text := r.t.tx.Bucket(productBucket).Get([]byte(id))
			if text == nil {
				continue
			}
			var p productlists.Product
			if err := json.Unmarshal(text, &p); err != nil {
				return nil, err
			}
			found = append(found, p)
		}
		return found, nil
	})
}

func (r products) Scan(ctx context.Context, after string, limit int) ([]productlists.Product, error) {
	return read(ctx, r.t, func() ([]productlists.Product, error) {
		var found []productlists.Product
		c := r.t.tx.Bucket(productBucket).Cursor()
		for key, text := c.Seek([]byte(after)); key != nil && len(found) < limit; key, text = c.Next() {
			if bytes.Equal(key, []byte(after)) {
				continue
			}
			var p productlists.Product
			if err := json.Unmarshal(text, &p); err != nil {
				return nil, err
			}
			found = append(found, p)
		}
		return found, nil
	})
}

func (r products) Delete(ctx context.Context, ids []string) (int, error) {
	return change(ctx, r.t, func() (int, error) {
		b, n := r.t.tx.Bucket(productBucket), 0
		for _, id := range ids {
			if b.Get([]byte(id)) == nil {
				continue
			}
			if err := b.Delete([]byte(id)); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
}
