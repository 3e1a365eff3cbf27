package productlists

import (
	"context"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the repositories of product lists, and those of the core, within one
// unit of work. What all repositories share stands in package affiliate.
type Tx interface {
	affiliate.Tx
	ProductLists() ListRepository
	ProductListItems() ItemRepository
	Products() ProductRepository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// ListFilter chooses lists. They sort by id alone.
type ListFilter struct {
	AccountID string // of this account
	Metadata  []Pair // with all of these pairs
}

// ListRepository keeps lists. Their ids come from outside; they are in the
// order in which they were added, which is what sorting by id means here.
type ListRepository interface {
	// Add keeps an empty list: its size is not looked at. ErrConflict with the
	// field "id" when the id is taken.
	Add(ctx context.Context, l List) (List, error)
	// Get is ErrNotFound when there is none.
	Get(ctx context.Context, id uuid.UUID) (List, error)
	// Delete takes the list out, and what is on it; ErrNotFound when there is none.
	Delete(ctx context.Context, id uuid.UUID) error
	List(ctx context.Context, f ListFilter, p affiliate.PageRequest) (affiliate.Page[List], error)
}

// ItemRepository keeps which products are on which list, in order. A product
// id need not be one that the product table knows.
type ItemRepository interface {
	// Append puts products at the end of a list, in order, and adds to its
	// size. ErrNotFound when there is no such list; ErrInvalid when
	// ValidateProductIDs fails; ErrConflict with the field "product_ids" when
	// one is on the list already or twice in the call.
	Append(ctx context.Context, listID uuid.UUID, productIDs []string) error
	// All returns the products of a list in order; of no list none.
	All(ctx context.Context, listID uuid.UUID) ([]string, error)
	// Among returns those of the products that are on the list, in its order.
	Among(ctx context.Context, listID uuid.UUID, productIDs []string) ([]string, error)
	// Remove takes products off a list, and from its size; those that are not
	// on it are no error. The others keep their order.
	Remove(ctx context.Context, listID uuid.UUID, productIDs []string) error
}

// ProductRepository is the product table.
type ProductRepository interface {
	// Put keeps the products, in place of those that have their ids; of two
	// with one id in a call the later one counts. ErrInvalid when Validate
	// fails, with the fields of the first product that does.
	Put(ctx context.Context, products ...Product) error
	// GetMany returns the products with the ids, ascending by id, each once;
	// missing ones are left out.
	GetMany(ctx context.Context, ids []string) ([]Product, error)
	// Scan returns at most limit products whose id is behind after, ascending by
	// id.
	Scan(ctx context.Context, after string, limit int) ([]Product, error)
	// Delete takes products out and returns how many there were. They stay on
	// the lists that they are on.
	Delete(ctx context.Context, ids []string) (int, error)
}
