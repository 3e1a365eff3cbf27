package returnads

import (
	"context"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// Verify holds how often each ad was shown and followed in all against the sum
// of its days, in one snapshot. No difference means that all is well.
func (s *Service) Verify(ctx context.Context) ([]affiliate.Difference, error) {
	return affiliate.Read(ctx, s.store, verify)
}

func verify(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
	days, err := tx.Stats().Sum(ctx, stats.Filter{}, stats.ByAd)
	if err != nil {
		return nil, err
	}
	counted := make(map[int64]Counts, len(days))
	for _, row := range days {
		counted[row.AdID] = Counts{Views: row.Views, Clicks: row.Clicks}
	}
	var diffs []affiliate.Difference
	for n := 1; ; n++ {
		page, err := tx.ReturnAds().List(ctx, Filter{}, affiliate.PageRequest{Number: n, Size: affiliate.MaxPageSize})
		if err != nil {
			return nil, err
		}
		ids := make([]int64, len(page.Items))
		for i, a := range page.Items {
			ids[i] = a.ID
		}
		kept, err := tx.ReturnAds().Counts(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if kept[id] != counted[id] {
				diffs = append(diffs, affiliate.Difference{
					What: fmt.Sprintf("return ad %d", id), Kept: fmt.Sprintf("%+v", kept[id]), Real: fmt.Sprintf("%+v", counted[id]),
				})
			}
		}
		if len(page.Items) < affiliate.MaxPageSize {
			return diffs, nil
		}
	}
}
