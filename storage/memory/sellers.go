package memory

import (
	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type sellerTable struct {
	engine.Keyed[deals.BusinessPartner, uuid.UUID]
}

func newSellerTable(db *DB) sellerTable {
	type E = deals.BusinessPartner
	t := engine.NewTable[E](&db.store)
	return sellerTable{engine.Keyed[E, uuid.UUID]{
		Entities: engine.Entities[E]{Table: t, Resource: "business_partner"},
		Key:      engine.NewUnique(t, func(b *E) (uuid.UUID, bool) { return b.ID, true }),
	}}
}

func (*sellerTable) in(db *DB) *engine.Keyed[deals.BusinessPartner, uuid.UUID] {
	return &db.deals.sellers.Keyed
}

type sellers = keyed[deals.BusinessPartner, uuid.UUID, *sellerTable]

var _ deals.BusinessPartnerRepository = sellers{}
