package productlists

import (
	"context"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Item is one product of a list, as a client is shown it.
type Item struct {
	ProductID     string
	Product       affiliate.Optional[Product] // absent: the catalog does not know it (any more)
	CommissionURL string                      // the tracked link; empty when the product is absent
}

// Content is a list with its products in order.
type Content struct {
	List
	Items []Item
}

// ListInput is what a caller says about a list to be.
type ListInput struct {
	Name            string
	Metadata        map[string]string
	PoolID          affiliate.Optional[int64]
	OwnerIdentifier string
	ProductIDs      []string // at most MaxBatch; what the catalog does not know is left out
}

// CreateList adds a list to an account (product-list-create). The answer's
// second value are the product ids that were ignored.
func (s *Service) CreateList(ctx context.Context, accountID string, in ListInput) (Content, []string, error) {
	id, err := s.newID()
	if err != nil {
		return Content{}, nil, affiliate.Unavailable(err)
	}
	l := List{
		ID: id, AccountID: accountID, Name: in.Name, Metadata: MetadataOf(in.Metadata),
		PoolID: in.PoolID, OwnerIdentifier: in.OwnerIdentifier, CreatedAt: s.clock.Now(),
	}
	var v affiliate.Validation
	ids, err := batch(in.ProductIDs)
	v.Merge("", l.Validate()) // both are validation errors, if anything
	v.Merge("", err)
	if err := v.Err("product_list"); err != nil {
		return Content{}, nil, err
	}
	products, err := s.resolve(ctx, ids)
	if err != nil {
		return Content{}, nil, err
	}
	known, ignored := split(ids, func(id string) bool { _, ok := products[id]; return ok })
	l, err = affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (List, error) {
		l, err := tx.ProductLists().Add(ctx, l)
		if err != nil {
			return l, err
		}
		if err := tx.Events().Add(ctx, l.event(EventListCreated, len(known), l.CreatedAt)); err != nil || len(known) == 0 {
			return l, err
		}
		l.Size = len(known)
		return l, tx.ProductListItems().Append(ctx, l.ID, known)
	})
	if err != nil {
		return Content{}, nil, err
	}
	return Content{l, s.items(l, known, products)}, ignored, nil
}

// List returns a list with its products (product-list-get), in a number of
// statements that does not grow with them.
func (s *Service) List(ctx context.Context, accountID string, id uuid.UUID) (Content, error) {
	var ids []string
	l, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (List, error) {
		l, err := listOf(ctx, tx, accountID, id)
		if err != nil {
			return l, err
		}
		ids, err = tx.ProductListItems().All(ctx, id)
		return l, err
	})
	if err != nil {
		return Content{}, err
	}
	products, err := s.resolve(ctx, ids)
	if err != nil {
		return Content{}, err
	}
	return Content{l, s.items(l, ids, products)}, nil
}

// Lists returns an account's lists in the order in which they were created
// (product-list-index), those with all of the given pairs if there are any
// (product-list-index-by-metadata): at most MaxPairs, bounded as on a list.
func (s *Service) Lists(ctx context.Context, accountID string, metadata []Pair, p affiliate.PageRequest) (affiliate.Page[List], error) {
	var v affiliate.Validation
	v.Text("account_id", accountID, 1, MaxAccountID)
	validateMetadata(&v, metadata)
	if err := v.Err("product_list"); err != nil {
		return affiliate.Page[List]{}, err
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[List], error) {
		return tx.ProductLists().List(ctx, ListFilter{AccountID: accountID, Metadata: metadata}, p)
	})
}

// DeleteList removes a list (product-list-delete); a second time it is
// ErrNotFound.
func (s *Service) DeleteList(ctx context.Context, accountID string, id uuid.UUID) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		l, err := listOf(ctx, tx, accountID, id)
		if err != nil {
			return err
		}
		if err := tx.ProductLists().Delete(ctx, id); err != nil {
			return err
		}
		return tx.Events().Add(ctx, l.event(EventListDeleted, l.Size, s.clock.Now()))
	})
}

// Changes says what became of the product ids that a call named: each is in
// one of the two, once, in the order in which it was first named.
type Changes struct {
	Done    []string // added, or removed
	Ignored []string // nothing to do for it
}

// AddProducts puts products at the end of a list (product-list-items-add).
// Those that the catalog does not know and those on the list already are
// ignored. At most MaxBatch ids; when the list would grow beyond MaxProducts,
// the whole call is refused with ErrInvalid.
func (s *Service) AddProducts(ctx context.Context, accountID string, id uuid.UUID, productIDs []string) (Changes, error) {
	ids, err := batch(productIDs)
	if err != nil {
		return Changes{}, err
	}
	products, err := s.resolve(ctx, ids)
	if err != nil {
		return Changes{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Changes, error) {
		l, err := listOf(ctx, tx, accountID, id)
		if err != nil {
			return Changes{}, err
		}
		there, err := onList(ctx, tx, id, ids)
		if err != nil {
			return Changes{}, err
		}
		var c Changes
		c.Done, c.Ignored = split(ids, func(id string) bool { _, known := products[id]; return known && !there[id] })
		if len(c.Done) == 0 {
			return c, nil
		}
		var v affiliate.Validation
		v.Check(l.Size+len(c.Done) <= MaxProducts, "product_ids", "list_full", "must not make the list longer than 10000 products")
		if err := v.Err("product_list"); err != nil {
			return Changes{}, err
		}
		if err := tx.ProductListItems().Append(ctx, id, c.Done); err != nil {
			return Changes{}, err
		}
		return c, tx.Events().Add(ctx, l.event(EventListAdded, len(c.Done), s.clock.Now()))
	})
}

// RemoveProducts takes products off a list (product-list-products-remove);
// those that are not on it are ignored. At most MaxBatch ids.
func (s *Service) RemoveProducts(ctx context.Context, accountID string, id uuid.UUID, productIDs []string) (Changes, error) {
	ids, err := batch(productIDs)
	if err != nil {
		return Changes{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Changes, error) {
		l, err := listOf(ctx, tx, accountID, id)
		if err != nil {
			return Changes{}, err
		}
		there, err := onList(ctx, tx, id, ids)
		if err != nil {
			return Changes{}, err
		}
		var c Changes
		c.Done, c.Ignored = split(ids, func(id string) bool { return there[id] })
		if len(c.Done) == 0 {
			return c, nil
		}
		if err := tx.ProductListItems().Remove(ctx, id, c.Done); err != nil {
			return Changes{}, err
		}
		return c, tx.Events().Add(ctx, l.event(EventListRemoved, len(c.Done), s.clock.Now()))
	})
}

// listOf is the account's list; another account's does not exist for it.
func listOf(ctx context.Context, tx Tx, accountID string, id uuid.UUID) (List, error) {
	l, err := tx.ProductLists().Get(ctx, id)
	if err == nil && l.AccountID != accountID {
		return List{}, affiliate.NotFound("product_list", id)
	}
	return l, err
}

func onList(ctx context.Context, tx Tx, id uuid.UUID, productIDs []string) (map[string]bool, error) {
	if len(productIDs) == 0 {
		return nil, nil
	}
	found, err := tx.ProductListItems().Among(ctx, id, productIDs)
	there := make(map[string]bool, len(found))
	for _, id := range found {
		there[id] = true
	}
	return there, err
}

// split keeps the order.
func split(ids []string, yes func(id string) bool) (in, out []string) {
	for _, id := range ids {
		if yes(id) {
			in = append(in, id)
		} else {
			out = append(out, id)
		}
	}
	return in, out
}

func (s *Service) items(l List, ids []string, products map[string]Product) []Item {
	at := Place{AccountID: l.AccountID, ListID: l.ID}
	items := make([]Item, len(ids))
	for i, id := range ids {
		items[i].ProductID = id
		p, ok := products[id]
		if !ok {
			continue
		}
		template := p.CommissionURL
		if template == "" {
			template = s.link
		}
		items[i].Product = affiliate.Some(p)
		items[i].CommissionURL = fillTemplate(template, p, at)
	}
	return items
}
