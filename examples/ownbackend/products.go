package main

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/unit"
)

type products struct{ t *Tx }

func (r products) Put(ctx context.Context, list ...productlists.Product) error {
	return unit.Change(ctx, &r.t.Unit, func() error {
		for _, p := range list {
			if err := p.Validate(); err != nil {
				return err
			}
			if err := r.t.put(productBucket, []byte(p.ID), p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r products) GetMany(ctx context.Context, ids []string) ([]productlists.Product, error) {
	return unit.Read(ctx, &r.t.Unit, func() ([]productlists.Product, error) {
		var found []productlists.Product
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			text := r.t.bucket(productBucket).Get([]byte(id))
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
	return unit.Read(ctx, &r.t.Unit, func() ([]productlists.Product, error) {
		var found []productlists.Product
		c := r.t.bucket(productBucket).Cursor()
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
	n := 0
	err := unit.Change(ctx, &r.t.Unit, func() error {
		b := r.t.bucket(productBucket)
		for _, id := range ids {
			if b.Get([]byte(id)) == nil {
				continue
			}
			if err := b.Delete([]byte(id)); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
