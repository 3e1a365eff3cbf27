package links

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// LinkStats is what a link brought to its advertiser.
type LinkStats struct {
	stats.Row
	Link Link
	User affiliate.User
}

// LinkStats lists the links of an advertiser to which something happened within
// the span, of the given creators or, when userIDs is nil, of all (link-stats).
// Order names stats.SortColumns(stats.ByLink). ErrNotFound unless the viewer acts
// for the advertiser.
func (s *Service) LinkStats(ctx context.Context, advertiserID int64, span stats.Span, userIDs []int64, order []affiliate.Sort, p affiliate.PageRequest) (affiliate.Page[LinkStats], error) {
	var out affiliate.Page[LinkStats]
	if !s.viewer.ActsFor(advertiserID) {
		return out, affiliate.NotFound("advertiser", advertiserID)
	}
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Page[LinkStats], error) {
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return out, err
		}
		from, until, err := span.Bounds(stats.DayOf(s.clock.Now(), &a))
		if err != nil {
			return out, err
		}
		f := stats.Filter{AdvertiserIDs: []int64{advertiserID}, UserIDs: userIDs, From: from, Until: until}
		page, err := tx.Stats().Page(ctx, f, stats.ByUser|stats.ByLink, order, p)
		if err != nil {
			return out, err
		}
		linkIDs, userIDs := make([]int64, len(page.Items)), make([]int64, len(page.Items))
		for i := range page.Items {
			linkIDs[i], userIDs[i] = page.Items[i].LinkID, page.Items[i].UserID
		}
		found, err := tx.Links().GetMany(ctx, idset.Sorted(linkIDs))
		if err != nil {
			return out, err
		}
		users, err := tx.Users().GetMany(ctx, idset.Sorted(userIDs))
		items := make([]LinkStats, len(page.Items))
		for i, row := range page.Items {
			l, _ := lookUp(found, row.LinkID, func(l *Link) int64 { return l.ID })
			u, _ := lookUp(users, row.UserID, func(u *affiliate.User) int64 { return u.ID })
			items[i] = LinkStats{row, *l, *u}
		}
		return affiliate.Page[LinkStats]{Items: items, Total: page.Total}, err
	})
}
