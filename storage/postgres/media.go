package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
)

// Media is the store of package media, nil
// when Options.Without has the domain.
func (db *DB) Media() media.Store {
	if db.lacks(Media) {
		return nil
	}
	return view[media.Tx]{db, func(u *unit) media.Tx { return coreTx{u} }}
}

var _ media.Tx = coreTx{}

func (t coreTx) Media() media.Repository { return mediaRepository(t) }

type mediumRow struct {
	bun.BaseModel `bun:"table:affiliate_media,alias:t"`

	ID          int64     `bun:"id,pk,autoincrement"`
	Type        string    `bun:"type"`
	ExternalID  string    `bun:"external_id"`
	ContentType string    `bun:"content_type"`
	Href        string    `bun:"href"`
	Username    string    `bun:"username"`
	UserID      int64     `bun:"user_id,nullzero"`
	TagID       int64     `bun:"tag_id,nullzero"`
	Group       int64     `bun:"group_number"`
	Favorite    bool      `bun:"favorite"`
	Visibility  int16     `bun:"visibility"`
	PublishedAt time.Time `bun:"published_at"`
	CreatedAt   time.Time `bun:"created_at,nullzero"`
	UpdatedAt   time.Time `bun:"updated_at,nullzero"`
}

var mediaTable = table[media.Medium, mediumRow]{
	name: "affiliate_media", resource: "medium",
	row: newMediumRow, entity: mediumRow.medium,
	refers: func(r *mediumRow) []reference {
		return []reference{ref("user_id", "affiliate_users", r.UserID), ref("tag_id", "affiliate_user_tags", r.TagID)}
	},
	sort: map[string]string{"published_at": "t.published_at", "created_at": "t.created_at"},
}

func newMediumRow(m media.Medium) mediumRow {
	return mediumRow{
		ID: m.ID, Type: m.Type, ExternalID: m.ExternalID, ContentType: m.ContentType, Href: m.Href, Username: m.Username, UserID: m.UserID,
		TagID: m.TagID, Group: m.Group, Favorite: m.Favorite, Visibility: int16(m.Visibility),
		PublishedAt: m.PublishedAt, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
}

func (r mediumRow) medium() media.Medium {
	return media.Medium{
		ID: r.ID, Type: r.Type, ExternalID: r.ExternalID, ContentType: r.ContentType, Href: r.Href, Username: r.Username, UserID: r.UserID,
		TagID: r.TagID, Group: r.Group, Favorite: r.Favorite, Visibility: media.Visibility(r.Visibility),
		PublishedAt: utc(r.PublishedAt), CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
	}
}

type mediaRepository struct{ u *unit }

func (r mediaRepository) AddOrGet(ctx context.Context, m media.Medium) (media.Medium, bool, error) {
	m.ID = 0
	return addOrGet(ctx, r.u, mediaTable, m, newMediumRow(m), "affiliate_media_media_id_key", func(q filter) {
		q.exactly("t.external_id", m.ExternalID)
		q.exactly("t.type", m.Type)
	})
}

func (r mediaRepository) Get(ctx context.Context, id int64) (media.Medium, error) {
	return mediaTable.get(ctx, r.u, id)
}

func (r mediaRepository) Update(ctx context.Context, m media.Medium) error {
	return mediaTable.update(ctx, r.u, m, m.ID)
}

func (r mediaRepository) List(ctx context.Context, f media.Filter, p affiliate.PageRequest) (affiliate.Page[media.Medium], error) {
	return mediaTable.list(ctx, r.u, p, func(q filter) {
		q.query(f.Query, "t.id", part("t.username"), part("t.external_id"))
		q.text("t.type", f.Type)
		if f.Visibility.Set {
			q.Where("t.visibility = ?", int(f.Visibility.Value))
		}
		q.flag("t.favorite", f.Favorite)
		q.equal("t.group_number", f.Group)
		if f.ClientID != 0 {
			q.Where("t.user_id IN (SELECT id FROM ? WHERE client_id = ?)", r.u.name("affiliate_users"), f.ClientID)
		}
		if f.Around != (affiliate.Around{}) {
			q.Where("t.user_id IN (SELECT id FROM ? WHERE client_id = nullif(?, 0) UNION ALL SELECT user_id FROM ? WHERE advertiser_id = ?)",
				r.u.name("affiliate_users"), f.Around.ClientID, r.u.name("affiliate_user_advertisers"), f.Around.AdvertiserID)
		}
		q.text("t.username", f.Username)
		q.text("t.external_id", f.ExternalID)
		if f.Content != "" {
			q.holding("starts_with(t.content_type, ?)", f.Content)
		}
		if len(f.First) > 0 {
			q.OrderExpr("array_position(?::bigint[], t.user_id) NULLS LAST", pgdialect.Array(f.First))
		}
	})
}
