package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"go.etcd.io/bbolt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/unit"
)

// open opens a fresh file. Tests do not wait for the disk.
func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "lists.db"), &bbolt.Options{NoSync: true, NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTheBackendKeepsEveryPromiseOfItsDomain(t *testing.T) {
	storagetest.RunProductLists(t, func(t *testing.T) storagetest.Backend {
		return storagetest.Backend{ProductLists: overMemory(open(t))}
	})
}

// The suite sees units through the core. These are the file's own.
func TestUnitsOfTheFileKeepThePromisesOfAStore(t *testing.T) {
	is, s := is.New(t), open(t)
	list := productlists.List{ID: uuid.New(), AccountID: "account", Name: "Lamps"}
	add := func(ctx context.Context, tx *Tx) error {
		_, err := tx.ProductLists().Add(ctx, list)
		return err
	}
	var _ affiliate.Store[*Tx] = s
	is.True(errors.Is(s.Read(t.Context(), add), affiliate.ErrReadOnly))
	err := affiliate.Join(t.Context(), affiliate.Store[*Tx](s), func(ctx context.Context, _ *Tx) error {
		is.NoErr(s.Write(ctx, func(ctx context.Context, tx *Tx) error {
			_, err := tx.Products().Delete(ctx, []string{"nothing"})
			return err
		}))
		is.True(affiliate.IsNotFound(s.Read(ctx, func(ctx context.Context, tx *Tx) error { // and the unit goes on
			_, err := tx.ProductLists().Get(ctx, list.ID)
			return err
		})))
		return s.Read(ctx, add)
	})
	is.True(errors.Is(err, affiliate.ErrReadOnly))
	var kept *Tx
	is.NoErr(s.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		kept = tx
		is.True(errors.Is(s.Write(ctx, add), affiliate.ErrNested))
		_, err := tx.ProductLists().Get(ctx, list.ID)
		is.True(affiliate.IsNotFound(err)) // and the unit goes on
		return add(ctx, tx)
	}))
	_, err = kept.ProductLists().Get(t.Context(), list.ID)
	is.Equal(err, unit.ErrEnded)
	err = s.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		_ = add(ctx, tx) // the id is taken
		_, err := tx.ProductLists().Get(ctx, list.ID)
		is.True(errors.Is(err, affiliate.ErrConflict)) // doomed
		return nil
	})
	is.True(errors.Is(err, affiliate.ErrConflict))
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		is.NoErr(tx.ProductLists().Delete(ctx, list.ID))
		cancel()
		return nil
	})
	is.True(errors.Is(err, affiliate.ErrUnavailable) && errors.Is(err, context.Canceled))
	func() {
		defer func() { is.Equal(recover(), "over") }()
		_ = s.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
			is.NoErr(tx.ProductLists().Delete(ctx, list.ID))
			panic("over")
		})
	}()
	is.NoErr(s.Read(t.Context(), func(ctx context.Context, tx *Tx) error { // neither was kept
		_, err := tx.ProductLists().Get(ctx, list.ID)
		return err
	}))
}

func TestRunFindsInTheFileWhatItKept(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), &out))
	is.Equal(out.String(), "Lamps has 2 products\n")
}
