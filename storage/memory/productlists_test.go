package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

func sampleProductList(n uint32, pairs ...productlists.Pair) productlists.List {
	id := uuid.UUID{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 15: 1}
	return productlists.List{ID: id, AccountID: fmt.Sprint("account", n%100), Name: "list", Metadata: pairs, CreatedAt: epoch}
}

// drawProductOperation is a call that may or may not be accepted.
func drawProductOperation(t *rapid.T) func(ctx context.Context, tx productlists.Tx) error {
	n := rapid.Uint32Range(1, 4).Draw(t, "list")
	some := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 4).Draw(t, "ids")
	name := rapid.SampledFrom([]string{"one", "two"}).Draw(t, "name")
	list := sampleProductList(n, productlists.Pair{Key: name, Value: "x"})
	switch rapid.IntRange(0, 5).Draw(t, "call") {
	case 0, 1:
		return func(ctx context.Context, tx productlists.Tx) error {
			return dropValue(tx.ProductLists().Add(ctx, list))
		}
	case 2:
		return func(ctx context.Context, tx productlists.Tx) error { return tx.ProductLists().Delete(ctx, list.ID) }
	case 3:
		return func(ctx context.Context, tx productlists.Tx) error {
			return tx.ProductListItems().Append(ctx, list.ID, some)
		}
	case 4:
		return func(ctx context.Context, tx productlists.Tx) error {
			return tx.ProductListItems().Remove(ctx, list.ID, some)
		}
	}
	return func(ctx context.Context, tx productlists.Tx) error {
		if _, err := tx.Products().Delete(ctx, some[:len(some)/2]); err != nil {
			return err
		}
		for _, id := range some {
			err := tx.Products().Put(ctx, productlists.Product{
				ID: id, Name: name, DirectURL: "https://shop.example/", RegularPrice: eur(1), FinalPrice: eur(1), Availability: productlists.InStock, Brand: name,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func TestRolledBackListsLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leavesNoTrace(t, New(), New(), func(db *DB) affiliate.Store[productlists.Tx] { return db.ProductLists() }, drawProductOperation,
			func(ctx context.Context, tx productlists.Tx, op func(context.Context, productlists.Tx) error) error {
				return op(ctx, tx)
			})
	})
}

func TestADeletedListKeepsNothing(t *testing.T) {
	is := is.New(t)
	db := New()
	list := sampleProductList(1, productlists.Pair{Key: "k", Value: "v"})
	is.NoErr(db.ProductLists().Write(context.Background(), func(ctx context.Context, tx productlists.Tx) error {
		_, err := tx.ProductLists().Add(ctx, list)
		return errors.Join(err, tx.ProductListItems().Append(ctx, list.ID, []string{"a", "b", "c"}))
	}))
	is.Equal(db.products.items.Len(), 3)
	is.NoErr(db.ProductLists().Write(context.Background(), func(ctx context.Context, tx productlists.Tx) error {
		return tx.ProductLists().Delete(ctx, list.ID)
	}))
	is.Equal(db.products.items.Len()+db.products.lists.Len(), 0)
	is.Equal(db.products.lists.byPair.Dump()+db.products.items.byList.Dump(), "map[]map[]")
}

// BenchmarkListsByMetadata finds one list of a million by a pair of its
// metadata; the floor is a look-up by id in the same store.
func BenchmarkListsByMetadata(b *testing.B) {
	const lists = 1_000_000
	is := is.New(b)
	store := New().ProductLists()
	for from := uint32(0); from < lists; from += 10_000 {
		is.NoErr(store.Write(b.Context(), func(ctx context.Context, tx productlists.Tx) error {
			for n := from; n < from+10_000; n++ {
				l := sampleProductList(n, productlists.Pair{Key: "kind", Value: fmt.Sprint(n % 2)}, productlists.Pair{Key: "own", Value: fmt.Sprint(n)})
				if _, err := tx.ProductLists().Add(ctx, l); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	page := affiliate.PageRequest{Number: 1, Size: 100}
	var spent [2]time.Duration
	i := uint32(0)
	for b.Loop() {
		n := i * 7919 % lists
		want := sampleProductList(n)
		f := productlists.ListFilter{AccountID: want.AccountID, Metadata: []productlists.Pair{{Key: "kind", Value: fmt.Sprint(n % 2)}, {Key: "own", Value: fmt.Sprint(n)}}}
		for k, unit := range []func(ctx context.Context, tx productlists.Tx) error{
			func(ctx context.Context, tx productlists.Tx) error {
				found, err := tx.ProductLists().List(ctx, f, page)
				if err == nil && (found.Total != 1 || found.Items[0].ID != want.ID) {
					err = fmt.Errorf("found %+v", found)
				}
				return err
			},
			func(ctx context.Context, tx productlists.Tx) error {
				_, err := tx.ProductLists().Get(ctx, want.ID)
				return err
			},
		} {
			start := time.Now()
			if err := store.Read(b.Context(), unit); err != nil {
				b.Fatal(err)
			}
			spent[k] += time.Since(start)
		}
		i++
	}
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "floor/ours")
	b.ReportMetric(float64(spent[0].Nanoseconds())/float64(b.N), "ours-ns/op")
}
