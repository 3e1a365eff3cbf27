package storagetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// A backend that keeps every domain passes its stores to Run.
func ExampleRun() {
	var t *testing.T // of your TestConformance
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		s := memory.New() // yours, opened fresh and closed by t.Cleanup
		return storagetest.BackendOf(s)
	})
}

// listsTx is a transaction of product lists: the core's, and what the backend
// keeps.
type listsTx struct {
	affiliate.Tx
	own
}

// own is what the author of a backend of product lists writes.
type own interface {
	ProductLists() productlists.ListRepository
	ProductListItems() productlists.ItemRepository
	Products() productlists.ProductRepository
}

// ownStore stands for the author's store: its units give only what is own.
type ownStore struct {
	affiliate.Store[productlists.Tx]
}

func (s ownStore) Read(ctx context.Context, fn func(context.Context, own) error) error {
	return s.Store.Read(ctx, func(ctx context.Context, tx productlists.Tx) error { return fn(ctx, tx) })
}

func (s ownStore) Write(ctx context.Context, fn func(context.Context, own) error) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx productlists.Tx) error { return fn(ctx, tx) })
}

// composed is a backend of product lists whose core comes from elsewhere.
func composed() affiliate.Store[productlists.Tx] {
	return storagetest.Compose(memory.New().Core(), ownStore{memory.New().ProductLists()},
		func(core affiliate.Tx, tx own) productlists.Tx { return listsTx{core, tx} })
}

// A backend of one domain gets the core under it from memory.
func ExampleCompose() {
	var t *testing.T // of your TestConformance
	storagetest.RunProductLists(t, func(t *testing.T) storagetest.Backend {
		return storagetest.Backend{ProductLists: composed()}
	})
}

func TestBothPartsOfAComposedUnitAreKeptOrNone(t *testing.T) {
	is, s := is.New(t), composed()
	l := productlists.List{ID: uuid.New(), AccountID: "account", Name: "Lamps"}
	broken := errors.New("broken")
	for _, spoil := range []func(ctx context.Context, tx productlists.Tx) error{
		func(context.Context, productlists.Tx) error { return broken },
		func(ctx context.Context, tx productlists.Tx) error { // dooms the core's part, and goes on
			_, _ = tx.Categories().Add(ctx, affiliate.Category{})
			return nil
		},
		func(ctx context.Context, tx productlists.Tx) error { // dooms the backend's
			_, _ = tx.ProductLists().Add(ctx, l)
			return nil
		},
	} {
		is.True(s.Write(t.Context(), func(ctx context.Context, tx productlists.Tx) error {
			if _, err := tx.Categories().Add(ctx, affiliate.Category{Name: "Home"}); err != nil {
				return err
			}
			if _, err := tx.ProductLists().Add(ctx, l); err != nil {
				return err
			}
			return spoil(ctx, tx)
		}) != nil)
		is.NoErr(s.Read(t.Context(), func(ctx context.Context, tx productlists.Tx) error {
			_, err := tx.ProductLists().Get(ctx, l.ID)
			is.True(affiliate.IsNotFound(err))
			categories, err := tx.Categories().All(ctx)
			is.Equal(len(categories), 0)
			return err
		}))
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	is := is.New(t)
	s := storagetest.Compose[productlists.Tx, own](memory.New().Core(), nil, nil)
	for _, unit := range []func(context.Context, func(context.Context, productlists.Tx) error) error{s.Read, s.Write} {
		err := unit(t.Context(), func(context.Context, productlists.Tx) error { return nil })
		is.True(err != nil && strings.Contains(err.Error(), "Compose needs"))
	}
}

// A backend that keeps one domain runs the cases of that one.
func ExampleRunCore() {
	var t *testing.T // of your TestConformance
	storagetest.RunCore(t, func(t *testing.T) storagetest.Backend {
		return storagetest.Backend{Core: memory.New().Core()}
	})
}
