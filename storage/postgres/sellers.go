package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/deals"
)

type sellerRow struct {
	bun.BaseModel `bun:"table:affiliate_deal_sellers,alias:t"`

	ID      uuid.UUID `bun:"id,pk"`
	Name    string    `bun:"name"`
	LogoURL string    `bun:"logo_url"`
}

var sellerTable = table[deals.BusinessPartner, sellerRow]{
	name: "affiliate_deal_sellers", resource: "business_partner",
	entity: func(r sellerRow) deals.BusinessPartner {
		return deals.BusinessPartner{ID: r.ID, Name: r.Name, LogoURL: r.LogoURL}
	},
}

type sellers struct {
	repo[deals.BusinessPartner, sellerRow]
}

func (r sellers) Put(ctx context.Context, b deals.BusinessPartner) error {
	return exec(ctx, r.u, "business_partner", func(ctx context.Context) error {
		if err := b.Validate(); err != nil {
			return err
		}
		_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? (id, name, logo_url) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET (name, logo_url) = (excluded.name, excluded.logo_url)`,
			r.u.name("affiliate_deal_sellers"), b.ID, b.Name, b.LogoURL)
		return err
	})
}

func (r sellers) Get(ctx context.Context, id uuid.UUID) (deals.BusinessPartner, error) {
	return r.one(ctx, id, func(q filter) { q.Where("t.id = ?", id) })
}
