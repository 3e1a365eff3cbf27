package memory

import (
	"github.com/affiliatekit/affiliatekit/productlists"
)

// productTables are the tables of package productlists.
type productTables struct {
	lists    productListTable
	items    productItemTable
	products productTable
}

func newProductTables(db *DB) productTables {
	return productTables{newProductListTable(db), newProductItemTable(db), newProductTable(db)}
}

// ProductLists is the view for package productlists.
func (db *DB) ProductLists() productlists.Store {
	return view[productlists.Tx]{db, func(u *unit) productlists.Tx { return productTx{coreTx{u}} }}
}

// productTx is the transaction of package productlists.
type productTx struct{ coreTx }

var _ productlists.Tx = productTx{}

func (tx productTx) ProductLists() productlists.ListRepository {
	return productLists{productListRepo(tx.coreTx)}
}
func (tx productTx) ProductListItems() productlists.ItemRepository { return productItems(tx.coreTx) }
func (tx productTx) Products() productlists.ProductRepository      { return products(tx.coreTx) }
