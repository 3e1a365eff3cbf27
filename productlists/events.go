package productlists

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. Products have one event for each unit that
// changes some of them: its object is the first one's id.
var (
	EventListCreated     = affiliate.EventKind{Name: "product_list.created", Version: 1, Object: "product_list", When: "A product list was added.", Payload: ListPayload{}}
	EventListDeleted     = affiliate.EventKind{Name: "product_list.deleted", Version: 1, Object: "product_list", When: "A product list was removed.", Payload: ListPayload{}}
	EventListAdded       = affiliate.EventKind{Name: "product_list.products_added", Version: 1, Object: "product_list", When: "Products were put on a list.", Payload: ListPayload{}}
	EventListRemoved     = affiliate.EventKind{Name: "product_list.products_removed", Version: 1, Object: "product_list", When: "Products were taken off a list.", Payload: ListPayload{}}
	EventProductsSaved   = affiliate.EventKind{Name: "products.saved", Version: 1, Object: "product", When: "Products were added to the table or replaced: one event for a batch.", Payload: ProductsPayload{}}
	EventProductsDeleted = affiliate.EventKind{Name: "products.deleted", Version: 1, Object: "product", When: "Products were taken out of the table: one event for a batch.", Payload: ProductsPayload{}}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{EventListCreated, EventListDeleted, EventListAdded, EventListRemoved, EventProductsSaved, EventProductsDeleted}
}

// ListPayload says whose list it is, and how many products the event is about.
type ListPayload struct {
	AccountID string `json:"account_id"`
	Products  int    `json:"products"`
}

// ProductsPayload says how many products the event is about.
type ProductsPayload struct {
	Products int `json:"products"`
}

func (l List) event(kind affiliate.EventKind, products int, at time.Time) affiliate.Event {
	return kind.On(l.ID, at).With(ListPayload{l.AccountID, products})
}

// productsEvent returns the event of n products, of which one has the id.
func productsEvent(kind affiliate.EventKind, id string, n int, at time.Time) affiliate.Event {
	short := []rune(id)
	return kind.On(string(short[:min(len(short), 128)]), at).With(ProductsPayload{n})
}
