package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

type landingRow struct {
	bun.BaseModel `bun:"table:affiliate_landings,alias:t"`

	ID           int64        `bun:"id,pk,autoincrement"`
	PublicID     string       `bun:"public_id"`
	CatalogID    uuid.UUID    `bun:"catalog_id"`
	URL          string       `bun:"url"`
	Title        string       `bun:"title"`
	Adaptability deals.Device `bun:"adaptability"`
	ImageURL     string       `bun:"image_url"`
	CreatedAt    time.Time    `bun:"created_at,nullzero"`
	ModifiedAt   time.Time    `bun:"modified_at,nullzero"`
}

var landingTable = table[deals.Landing, landingRow]{
	name: "affiliate_landings", resource: "landing", row: newLandingRow, entity: landingRow.landing,
}

func newLandingRow(l deals.Landing) landingRow {
	return landingRow{
		PublicID: l.ID, CatalogID: l.CatalogID, URL: l.URL, Title: l.Title, Adaptability: l.Adaptability, ImageURL: l.ImageURL,
		CreatedAt: l.CreatedAt, ModifiedAt: l.ModifiedAt,
	}
}

func (r landingRow) landing() deals.Landing {
	return deals.Landing{
		ID: r.PublicID, CatalogID: r.CatalogID, URL: r.URL, Title: r.Title, Adaptability: r.Adaptability, ImageURL: r.ImageURL,
		CreatedAt: utc(r.CreatedAt), ModifiedAt: utc(r.ModifiedAt),
	}
}

type landings struct {
	repo[deals.Landing, landingRow]
}

func (r landings) Get(ctx context.Context, id string) (deals.Landing, error) {
	return r.one(ctx, id, func(q filter) { q.exactly("t.public_id", id) })
}

func (r landings) ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]deals.Landing, error) {
	return r.many(ctx, func(q filter) { q.amongIDs("t.catalog_id", catalogIDs) })
}

func (r landings) Update(ctx context.Context, l deals.Landing) error {
	return landingTable.updateBy(ctx, r.u, l, l.ID)
}

func (r landings) Delete(ctx context.Context, id string) error {
	return exec(ctx, r.u, "landing", func(ctx context.Context) error {
		if !storable(id) {
			return affiliate.NotFound("landing", id)
		}
		res, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE public_id = ?`, r.u.name("affiliate_landings"), id)
		return foundOne(res, err, "landing", id)
	})
}
