// Command ownbackend is a backend of one's own for one domain: product lists in a
// file of bbolt, a key-value store. store.go has the units of work, lists.go and
// products.go the repositories. Its test runs the cases of that domain from
// storagetest, which the shipped backends pass too.
//
// A domain needs a core under it, which keeps events and idempotency keys among
// other things. Here that is memory's, put under it by storagetest.Compose; a
// backend for production keeps the core in the same file, in the same units.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// both is the transaction of package productlists: the core's, and this backend's.
type both struct {
	affiliate.Tx
	own *Tx
}

func (t both) ProductLists() productlists.ListRepository     { return t.own.ProductLists() }
func (t both) ProductListItems() productlists.ItemRepository { return t.own.ProductListItems() }
func (t both) Products() productlists.ProductRepository      { return t.own.Products() }

// overMemory is the store over a core in memory.
func overMemory(s *Store) productlists.Store {
	return storagetest.Compose(memory.New().Core(), s, func(core affiliate.Tx, own *Tx) productlists.Tx {
		own.Beside = func(ctx context.Context) error { return storagetest.Failed(ctx, core) }
		return both{core, own}
	})
}

// run keeps a list in a file, opens the file anew, and prints what is there.
func run(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "ownbackend")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "lists.db")
	for _, use := range []func(*productlists.Service) error{
		func(s *productlists.Service) error { return fill(ctx, s) },
		func(s *productlists.Service) error { return show(ctx, s, out) },
	} {
		store, err := Open(path, &bbolt.Options{})
		if err != nil {
			return err
		}
		service, err := productlists.NewService(overMemory(store), productlists.Options{})
		if err == nil {
			err = use(service)
		}
		if err := errors.Join(err, store.Close()); err != nil {
			return err
		}
	}
	return nil
}

func fill(ctx context.Context, s *productlists.Service) error {
	price := affiliate.NewMoney(4990, "SEK")
	for _, id := range []string{"lamp-1", "lamp-2"} {
		err := s.PutProducts(ctx, productlists.Product{
			ID: id, Name: "Lamp", DirectURL: "https://shop.example/" + id, Availability: productlists.InStock, RegularPrice: price, FinalPrice: price,
		})
		if err != nil {
			return err
		}
	}
	_, _, err := s.CreateList(ctx, "anna", productlists.ListInput{Name: "Lamps", ProductIDs: []string{"lamp-2", "lamp-1"}})
	return err
}

func show(ctx context.Context, s *productlists.Service, out io.Writer) error {
	page, err := s.Lists(ctx, "anna", nil, affiliate.PageRequest{})
	for _, l := range page.Items {
		_, _ = fmt.Fprintf(out, "%s has %d products\n", l.Name, l.Size)
	}
	return err
}
