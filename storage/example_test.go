package storage_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// A unit of work is all or nothing, on every backend.
func Example() {
	ctx, store := context.Background(), memory.New().Core()
	failed := errors.New("the host changed its mind")
	err := store.Write(ctx, func(ctx context.Context, tx affiliate.Tx) error {
		if _, err := tx.Categories().Add(ctx, affiliate.Category{Name: "Shoes"}); err != nil {
			return err
		}
		return failed
	})
	kept, readErr := affiliate.Read(ctx, store, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.Category, error) {
		return tx.Categories().All(ctx)
	})
	fmt.Println(errors.Is(err, failed), len(kept), readErr)
	// Output: true 0 <nil>
}
