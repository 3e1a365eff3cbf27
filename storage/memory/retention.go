package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type retention struct{ u *unit }

func (r retention) Get(ctx context.Context) (links.Retained, error) {
	if err := r.u.Use(ctx); err != nil {
		return links.Retained{}, err
	}
	if t := r.u.db.links.retained; t.Len() > 0 {
		return *t.At(1), nil
	}
	return links.Retained{}, nil
}

func (r retention) Put(ctx context.Context, v links.Retained) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := v.Validate(); err != nil {
		return r.u.Fail(err)
	}
	v.ClicksFrom, v.VisitorsFrom = engine.Kept(v.ClicksFrom), engine.Kept(v.VisitorsFrom)
	t := r.u.db.links.retained
	if t.Len() > 0 {
		t.Replace(1, v)
		return nil
	}
	if _, err := t.Insert(v); err != nil {
		return r.u.Fail(err)
	}
	return nil
}

func (r retention) Add(ctx context.Context, gone ...offers.Usage) error {
	return r.u.db.links.gone.add(ctx, r.u, gone)
}

func (r retention) Scan(ctx context.Context, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	return r.u.db.links.gone.scan(ctx, r.u, after, limit)
}
