package memory_test

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestMemoryKeepsTheContractOfAllBackends(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Backend {
		db := memory.New()
		return storagetest.Backend{Core: db.Core(), Events: db.Events(), Webhooks: db.Webhooks(), Identity: db.Identity(), Mailing: db.Mailing(), Media: db.Media(), Offers: db.Offers(), Links: db.Links(), Orders: db.Orders(), ProductLists: db.ProductLists(), Deals: db.Deals(), AdSync: db.AdSync(), Payouts: db.Payouts()}
	})
}
