package postgres_test

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestPostgresKeepsEveryPromiseOfAStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		db := open(t)
		return storagetest.Backend{Core: db.Core(), Offers: db.Offers(), Links: db.Links(), ProductLists: db.ProductLists(), Deals: db.Deals()}
	})
}
