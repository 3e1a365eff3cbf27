package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/links"
)

// countedBackend is a backend whose clicks are counted.
type countedBackend struct {
	affiliatekit.Backend
	byVerdict *prometheus.CounterVec
}

func (b countedBackend) Links() links.Store { return countedClicks{b.Backend.Links(), b.byVerdict} }

// countedClicks is a store that counts the clicks of each unit once it has
// committed. Standing between service and backend it sees them whatever the
// click mode, with the verdict that was kept.
type countedClicks struct {
	links.Store
	byVerdict *prometheus.CounterVec
}

func (s countedClicks) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	var added []links.Click
	err := s.Store.Record(ctx, func(ctx context.Context, tx links.Tx) error {
		added = added[:0] // the unit may run again
		return fn(ctx, countedTx{tx, &added})
	})
	if err != nil {
		return err
	}
	for _, c := range added {
		s.byVerdict.WithLabelValues(string(c.Verdict)).Inc()
	}
	return nil
}

type countedTx struct {
	links.Tx
	added *[]links.Click
}

func (t countedTx) Clicks() links.ClickRepository { return countedRepository{t.Tx.Clicks(), t.added} }

type countedRepository struct {
	links.ClickRepository
	added *[]links.Click
}

func (r countedRepository) Add(ctx context.Context, clicks ...links.Click) error {
	*r.added = append(*r.added, clicks...)
	return r.ClickRepository.Add(ctx, clicks...)
}
