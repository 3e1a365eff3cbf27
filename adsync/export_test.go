package adsync

import (
	"context"

	"github.com/affiliatekit/affiliatekit/internal/gather"
)

// Saver is a caller of SaveItem.
type Saver struct {
	By *Service
	In ItemInput
}

// SaveTogether saves what callers bring who have come at once, as SaveItem does.
func (s *Service) SaveTogether(ctx context.Context, callers ...Saver) []ItemResult {
	batch := make([]*itemSave, len(callers))
	for n, c := range callers {
		batch[n] = &itemSave{s: c.By, in: c.In}
	}
	gather.Run(ctx, s.saveGathered, batch)
	results := make([]ItemResult, len(callers))
	for n, c := range batch {
		results[n] = c.result
		results[n].Err = c.Err
	}
	return results
}
