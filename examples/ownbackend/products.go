package main

import (
	"context"
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
			if err := putJSON(r.t.bucket(productBucket), []byte(p.ID), p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r products) GetMany(ctx context.Context, ids []string) ([]productlists.Product, error) {
	return unit.Read(ctx, &r.t.Unit, func() (found []productlists.Product, err error) {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if text := r.t.bucket(productBucket).Get([]byte(id)); text != nil {
				if found, err = appendJSON(found, text); err != nil {
					return nil, err
				}
			}
		}
		return found, nil
	})
}

func (r products) Scan(ctx context.Context, after string, limit int) ([]productlists.Product, error) {
	return unit.Read(ctx, &r.t.Unit, func() (found []productlists.Product, err error) {
		c := r.t.bucket(productBucket).Cursor()
		for id, text := c.Seek([]byte(after)); id != nil && len(found) < limit; id, text = c.Next() {
			if string(id) != after {
				if found, err = appendJSON(found, text); err != nil {
					return nil, err
				}
			}
		}
		return found, nil
	})
}

func (r products) Delete(ctx context.Context, ids []string) (n int, err error) {
	err = unit.Change(ctx, &r.t.Unit, func() error {
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
