package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// foldedCode is a promo code without regard to case, of a catalog or a seller.
type foldedCode struct {
	owner uuid.UUID
	key   string
}

type promoCodeTable struct {
	engine.Keyed[deals.PromoCode, foldedCode]
	bySeller *engine.Groups[deals.PromoCode, foldedCode]
}

func newPromoCodeTable(db *DB) promoCodeTable {
	type E = deals.PromoCode
	t := engine.NewTable[E](&db.store)
	return promoCodeTable{
		engine.Keyed[E, foldedCode]{
			Entities: engine.Entities[E]{
				Table: t, Resource: "promo_code",
				Times: func(p *E) []*time.Time { return []*time.Time{&p.CreatedAt} },
				Refuses: func(f *engine.Refusal, p *E, id uint32) {
					f.Refers(db.deals.catalogs.Key.Has(p.CatalogID), "catalog_id")
					f.Unique(db.deals.codes.Key.Taken(p, id), "code")
				},
			},
			Key: engine.NewUnique(t, func(p *E) (foldedCode, bool) { return foldedCode{p.CatalogID, p.Key()}, true }),
		},
		engine.NewGroups(t, func(p *E) (foldedCode, bool) { return foldedCode{p.BusinessPartnerID, p.Key()}, true }, nil),
	}
}

func (*promoCodeTable) in(db *DB) *engine.Keyed[deals.PromoCode, foldedCode] {
	return &db.deals.codes.Keyed
}

type (
	promoCodeRepo = keyed[deals.PromoCode, foldedCode, *promoCodeTable]
	promoCodes    struct{ promoCodeRepo }
)

var _ deals.PromoCodeRepository = promoCodes{}

func (r promoCodes) Get(ctx context.Context, catalogID uuid.UUID, code string) (deals.PromoCode, error) {
	return findBy(ctx, r.u, &r.all().Entities, r.all().Key, foldedCode{catalogID, deals.FoldCode(code)}, code)
}

func (r promoCodes) ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) ([]deals.PromoCode, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := &r.u.db.deals.codes
	ids := t.bySeller.Of(foldedCode{businessPartnerID, deals.FoldCode(code)})
	var codes []deals.PromoCode
	for _, id := range ids[:min(len(ids), 100)] {
		codes = append(codes, *t.At(id))
	}
	return codes, nil
}
