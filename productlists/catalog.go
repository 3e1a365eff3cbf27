package productlists

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// productTable is the Catalog over the product table of a store.
type productTable struct{ store Store }

var _ Catalog = productTable{}

func (t productTable) Products(ctx context.Context, ids []string) ([]Product, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return affiliate.Read(ctx, t.store, func(ctx context.Context, tx Tx) ([]Product, error) {
		return tx.Products().GetMany(ctx, ids)
	})
}

// PutProducts adds products to the product table, or replaces those that have
// their ids; at most MaxBatch in a call. For whole feeds there is Import.
func (s *Service) PutProducts(ctx context.Context, products ...Product) error {
	if err := checkCount("products", len(products)); err != nil {
		return err
	}
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error { return putProducts(ctx, tx, s.clock.Now(), products) })
}

// putProducts keeps a batch of products with its event.
func putProducts(ctx context.Context, tx Tx, now time.Time, products []Product) error {
	if err := tx.Products().Put(ctx, products...); err != nil || len(products) == 0 {
		return err
	}
	return tx.Events().Add(ctx, productsEvent(EventProductsSaved, products[0].ID, len(products), now))
}

// DeleteProducts takes products out of the product table and returns how many
// were there; at most MaxBatch in a call. Lists keep their ids and show them as
// unavailable.
func (s *Service) DeleteProducts(ctx context.Context, ids []string) (int, error) {
	if err := checkCount("product_ids", len(ids)); err != nil {
		return 0, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (int, error) {
		n, err := tx.Products().Delete(ctx, ids)
		if err != nil || n == 0 {
			return n, err
		}
		return n, tx.Events().Add(ctx, productsEvent(EventProductsDeleted, ids[0], n, s.clock.Now()))
	})
}

func checkCount(field string, n int) error {
	var v affiliate.Validation
	v.Check(n <= MaxBatch, field, "too_many", "must not have more than 1000 items")
	return v.Err("product")
}

// resolve returns the products that the catalog knows among the ids, by id.
func (s *Service) resolve(ctx context.Context, ids []string) (map[string]Product, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	products, err := s.catalog.Products(ctx, ids)
	if err != nil {
		return nil, err
	}
	known := make(map[string]Product, len(products))
	for _, p := range products {
		known[p.ID] = p
	}
	return known, nil
}
