package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

type returnAdRow struct {
	bun.BaseModel `bun:"table:affiliate_return_ads,alias:t"`

	ID                int64     `bun:"id,pk,autoincrement"`
	Name              string    `bun:"name"`
	AdvertiserGroupID int64     `bun:"advertiser_group_id,nullzero"`
	AdvertiserID      int64     `bun:"advertiser_id"`
	LinkID            int64     `bun:"link_id"`
	ReturnLink        string    `bun:"return_link"`
	DisplayForAll     bool      `bun:"display_for_all"`
	AdvertiserIDs     []int64   `bun:"advertiser_ids,array"`
	CategoryIDs       []int64   `bun:"category_ids,array"`
	StyleNames        []string  `bun:"style_names,array"`
	StyleValues       []string  `bun:"style_values,array"`
	ImageKey          string    `bun:"image_key"`
	StartsAt          time.Time `bun:"starts_at,nullzero"`
	EndsAt            time.Time `bun:"ends_at,nullzero"`
	UntilDay          bool      `bun:"until_day"`
	ClickLimit        *int64    `bun:"click_limit"`
	ViewLimit         *int64    `bun:"view_limit"`
	AuthorID          int64     `bun:"author,nullzero"`
	AuthorName        string    `bun:"author_name"`
	CreatedAt         time.Time `bun:"created_at,nullzero"`
	UpdatedAt         time.Time `bun:"updated_at,nullzero"`
	PausedAt          time.Time `bun:"paused_at,nullzero"`
	DeletedAt         time.Time `bun:"deleted_at,nullzero"`
}

var returnAdTable = table[returnads.Ad, returnAdRow]{
	name: "affiliate_return_ads", resource: "return_ad",
	row: newReturnAdRow, entity: returnAdRow.ad,
	refers: func(r *returnAdRow) []reference {
		return []reference{
			ref("advertiser_id", "affiliate_advertisers", r.AdvertiserID),
			ref("advertiser_group_id", "affiliate_advertiser_groups", r.AdvertiserGroupID),
			ref("advertiser_ids", "affiliate_advertisers", r.AdvertiserIDs...),
			ref("advertiser_category_ids", "affiliate_categories", r.CategoryIDs...),
			ref("author", "affiliate_users", r.AuthorID),
		}
	},
	unheld: true,
	sort: map[string]string{
		"name": "t.name", "created_at": "t.created_at", "starts_at": "t.starts_at", "ends_at": "t.ends_at",
		"current_views": "t.views", "current_clicks": "t.clicks",
		"click_through_rate": "coalesce(t.clicks * 1000000 / nullif(t.views, 0), 0)",
	},
}

func newReturnAdRow(a returnads.Ad) returnAdRow {
	row := returnAdRow{
		ID: a.ID, Name: a.Name, AdvertiserGroupID: a.AdvertiserGroupID, AdvertiserID: a.AdvertiserID, LinkID: a.LinkID,
		ReturnLink: a.ReturnLink, DisplayForAll: a.DisplayForAll, AdvertiserIDs: append([]int64{}, a.AdvertiserIDs...),
		CategoryIDs: append([]int64{}, a.CategoryIDs...), StyleNames: make([]string, len(a.Styles)), StyleValues: make([]string, len(a.Styles)),
		ImageKey: a.ImageKey, StartsAt: a.StartsAt, EndsAt: a.EndsAt, UntilDay: a.UntilDay, ClickLimit: pointer(a.ClickLimit), ViewLimit: pointer(a.ViewLimit),
		AuthorID: a.Author.UserID, AuthorName: a.Author.Name, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		PausedAt: a.PausedAt, DeletedAt: a.DeletedAt,
	}
	for i, s := range a.Styles {
		row.StyleNames[i], row.StyleValues[i] = s.Name, s.Value
	}
	return row
}

func (r returnAdRow) ad() returnads.Ad {
	a := returnads.Ad{
		ID: r.ID, Name: r.Name, AdvertiserGroupID: r.AdvertiserGroupID, AdvertiserID: r.AdvertiserID, LinkID: r.LinkID,
		ReturnLink: r.ReturnLink, DisplayForAll: r.DisplayForAll, AdvertiserIDs: noneAsNil(r.AdvertiserIDs), CategoryIDs: noneAsNil(r.CategoryIDs),
		ImageKey: r.ImageKey, StartsAt: utc(r.StartsAt), EndsAt: utc(r.EndsAt), UntilDay: r.UntilDay, ClickLimit: optional(r.ClickLimit), ViewLimit: optional(r.ViewLimit),
		Author: affiliate.Actor{UserID: r.AuthorID, Name: r.AuthorName}, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		PausedAt: utc(r.PausedAt), DeletedAt: utc(r.DeletedAt),
	}
	for i, name := range r.StyleNames {
		a.Styles = append(a.Styles, returnads.Style{Name: name, Value: r.StyleValues[i]})
	}
	return a
}

type returnAds struct {
	repo[returnads.Ad, returnAdRow]
}

func (r returnAds) Add(ctx context.Context, a returnads.Ad) (returnads.Ad, error) {
	return change(ctx, r.u, "return_ad", func(ctx context.Context) (returnads.Ad, error) {
		if err := a.Validate(); err != nil {
			return returnads.Ad{}, err
		}
		row := newReturnAdRow(a)
		if err := returnAdTable.insert(ctx, r.u, &row); err != nil {
			return returnads.Ad{}, err
		}
		return row.ad(), nil
	})
}

func (r returnAds) Update(ctx context.Context, a returnads.Ad) error {
	return exec(ctx, r.u, "return_ad", func(ctx context.Context) error {
		if err := a.Validate(); err != nil {
			return err
		}
		row := newReturnAdRow(a)
		return returnAdTable.replace(ctx, r.u, &row, a.ID)
	})
}

// returnAdStatus is returnads.Ad.Status as an expression.
func returnAdStatus(at time.Time) string {
	now := instant(at)
	return `CASE WHEN t.deleted_at IS NOT NULL THEN 'deleted' WHEN t.paused_at IS NOT NULL THEN 'paused'
		WHEN t.ends_at <= ` + now + ` OR t.clicks >= t.click_limit OR t.views >= t.view_limit THEN 'ended'
		WHEN t.starts_at > ` + now + ` THEN 'scheduled' ELSE 'active' END`
}

func (r returnAds) List(ctx context.Context, f returnads.Filter, p affiliate.PageRequest) (affiliate.Page[returnads.Ad], error) {
	var all []func(filter)
	when := func(asked bool, c func(filter)) {
		if asked {
			all = append(all, c)
		}
	}
	when(f.Query != "", func(q filter) { q.query(f.Query, "t.id", part("t.name")) })
	when(f.AdvertiserGroupIDs != nil, func(q filter) { q.among("t.advertiser_group_id", f.AdvertiserGroupIDs) })
	when(f.AdvertiserIDs != nil, func(q filter) { q.among("t.advertiser_id", f.AdvertiserIDs) })
	when(f.CreatedBy != 0, func(q filter) { q.equal("t.author", f.CreatedBy) })
	when(f.Statuses != nil, func(q filter) {
		statuses := make([]string, len(f.Statuses))
		for i, s := range f.Statuses {
			statuses[i] = string(s)
		}
		q.Where("? = ANY(?::text[])", bun.Safe("("+returnAdStatus(f.At)+")"), pgdialect.Array(statuses))
	})
	when(f.ShownAt != 0, func(q filter) {
		q.Where("t.advertiser_id <> ? AND (t.display_for_all OR ? = ANY(t.advertiser_ids) OR t.category_ids && ?::bigint[])",
			f.ShownAt, f.ShownAt, pgdialect.Array(f.ShownAtCategories))
	})
	return returnAdTable.list(ctx, r.u, p, func(q filter) { q.anyOf(f.OrID, all) })
}

func (r returnAds) Counts(ctx context.Context, ids []int64) (map[int64]returnads.Counts, error) {
	return read(ctx, r.u, "return_ad", func(ctx context.Context) (map[int64]returnads.Counts, error) {
		var rows []struct {
			ID     int64 `bun:"id"`
			Views  int64 `bun:"views"`
			Clicks int64 `bun:"clicks"`
		}
		err := r.u.tx.NewRaw(`SELECT id, views, clicks FROM ? WHERE id = ANY(?::bigint[])`, r.u.name("affiliate_return_ads"), pgdialect.Array(ids)).Scan(ctx, &rows)
		out := make(map[int64]returnads.Counts, len(rows))
		for _, row := range rows {
			out[row.ID] = returnads.Counts{Views: row.Views, Clicks: row.Clicks}
		}
		return out, err
	})
}

func (r returnAds) Count(ctx context.Context, id int64, n returnads.Counts) (returnads.Counts, error) {
	return change(ctx, r.u, "return_ad", func(ctx context.Context) (returnads.Counts, error) {
		var rows []struct {
			Views  int64 `bun:"views"`
			Clicks int64 `bun:"clicks"`
		}
		err := r.u.tx.NewRaw(`UPDATE ? SET views = views + ?, clicks = clicks + ? WHERE id = ? RETURNING views, clicks`,
			r.u.name("affiliate_return_ads"), n.Views, n.Clicks, id).Scan(ctx, &rows)
		if err == nil && len(rows) == 0 {
			err = affiliate.NotFound("return_ad", id)
		}
		if err != nil {
			return returnads.Counts{}, err
		}
		return returnads.Counts(rows[0]), nil
	})
}
