package postgres

import (
	"github.com/affiliatekit/affiliatekit/productlists"
)

// ProductLists returns the store of package productlists, nil
// when Options.Without has the domain.
func (db *DB) ProductLists() productlists.Store {
	if db.lacks(ProductLists) {
		return nil
	}
	return view[productlists.Tx]{db, func(u *unit) productlists.Tx { return productTx{coreTx{u}} }}
}

// productTx gives the repositories of product lists beside those of the core.
type productTx struct{ coreTx }

var _ productlists.Tx = productTx{} // and with it each repository

func (t productTx) ProductLists() productlists.ListRepository {
	return productLists{in(t.coreTx, &productListTable)}
}
func (t productTx) ProductListItems() productlists.ItemRepository { return productItems(t.coreTx) }
func (t productTx) Products() productlists.ProductRepository {
	return products{in(t.coreTx, &productTable)}
}
