package deals

import (
	"context"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// CatalogDetails is a catalog with what is on it.
type CatalogDetails struct {
	Catalog
	Offers   []Offer
	Landings []Landing
	Seller   BusinessPartner // with its id alone where nothing else is known
}

// Available reports whether partners see the catalog: it is published and has
// an active offer and a landing.
func (c CatalogDetails) Available() bool {
	for _, o := range c.Offers {
		if o.Active {
			return c.Published && len(c.Landings) > 0
		}
	}
	return false
}

// CreateCatalog adds a catalog to a business partner (catalog-create). Its ids,
// short code and times are given here; start from NewCatalog for the defaults.
// A code that the business partner has used is ErrConflict on "catalog_code".
func (s *Service) CreateCatalog(ctx context.Context, businessPartnerID uuid.UUID, c Catalog) (CatalogDetails, error) {
	id, err := s.id()
	if err != nil {
		return CatalogDetails{}, err
	}
	c = c.withDefaults()
	c.ID, c.BusinessPartnerID, c.CreatedAt = id, businessPartnerID, s.clock.Now()
	c.ModifiedAt = c.CreatedAt
	c.Countries, c.Languages = Codes(c.Countries), Codes(c.Languages)
	return retryTaken("catalog_id", func() (CatalogDetails, error) {
		if c.ShortCode, err = s.code(catalogCodeLength); err != nil {
			return CatalogDetails{}, err
		}
		return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (CatalogDetails, error) {
			added, err := tx.Catalogs().Add(ctx, c)
			if err != nil {
				return CatalogDetails{}, err
			}
			if err := tx.Events().Add(ctx, added.event(EventCatalogCreated, added.ID, added.CreatedAt)); err != nil {
				return CatalogDetails{}, err
			}
			return details(ctx, tx, added)
		})
	})
}

// Catalog returns one catalog (catalog-get).
func (s *Service) Catalog(ctx context.Context, businessPartnerID, id uuid.UUID) (CatalogDetails, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (CatalogDetails, error) {
		c, err := catalogOf(ctx, tx, businessPartnerID, id)
		if err != nil {
			return CatalogDetails{}, err
		}
		return details(ctx, tx, c)
	})
}

// Catalogs lists catalogs in the order in which they were created
// (catalog-index); with a filter for available ones it is what partners may
// choose from.
func (s *Service) Catalogs(ctx context.Context, f CatalogFilter, p affiliate.PageRequest) (affiliate.Page[CatalogDetails], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[CatalogDetails], error) {
		found, err := tx.Catalogs().List(ctx, f, p)
		if err != nil {
			return affiliate.Page[CatalogDetails]{}, err
		}
		items, err := detailsOf(ctx, tx, found.Items)
		return affiliate.Page[CatalogDetails]{Items: items, Total: found.Total}, err
	})
}

// ChangeCatalog lets change write to a catalog (catalog-update). It may run
// more than once. Ids, short code and times stay as they are. Deals keep the
// durations that they were created with.
func (s *Service) ChangeCatalog(ctx context.Context, businessPartnerID, id uuid.UUID, change func(*Catalog)) (CatalogDetails, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (CatalogDetails, error) {
		old, err := catalogOf(ctx, tx, businessPartnerID, id)
		if err != nil {
			return CatalogDetails{}, err
		}
		c := old
		change(&c)
		c.ID, c.BusinessPartnerID, c.ShortCode, c.CreatedAt = old.ID, old.BusinessPartnerID, old.ShortCode, old.CreatedAt
		c.ModifiedAt = s.clock.Now()
		c.Countries, c.Languages = Codes(c.Countries), Codes(c.Languages)
		if err := tx.Catalogs().Update(ctx, c); err != nil {
			return CatalogDetails{}, err
		}
		kind := EventCatalogUpdated
		if old.Published && !c.Published {
			kind = EventCatalogSuspended
		}
		if err := tx.Events().Add(ctx, c.event(kind, c.ID, c.ModifiedAt)); err != nil {
			return CatalogDetails{}, err
		}
		return details(ctx, tx, c)
	})
}

// CreateOffer adds an offer to one of the business partner's catalogs
// (offer-create). Its id and times are given here. A name that the catalog has
// is ErrConflict on "name".
func (s *Service) CreateOffer(ctx context.Context, businessPartnerID uuid.UUID, o Offer) (Offer, error) {
	id, err := s.id()
	if err != nil {
		return Offer{}, err
	}
	o.ID, o.CreatedAt, o.Terms.Fixed = id, s.clock.Now(), Exact(o.Terms.Fixed)
	o.ModifiedAt = o.CreatedAt
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Offer, error) {
		c, err := catalogOf(ctx, tx, businessPartnerID, o.CatalogID)
		if err != nil {
			return Offer{}, err
		}
		o, err := tx.CatalogOffers().Add(ctx, o)
		if err != nil {
			return Offer{}, err
		}
		return o, tx.Events().Add(ctx, c.event(EventOfferCreated, o.ID, o.CreatedAt))
	})
}

// Offer returns one offer (offer-get).
func (s *Service) Offer(ctx context.Context, businessPartnerID, id uuid.UUID) (Offer, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Offer, error) {
		return offerOf(ctx, tx, businessPartnerID, id)
	})
}

// UpdateOffer lets change write to an offer (offer-update), also move it to
// another catalog of the business partner. It may run more than once. Deals
// keep the terms that they were created with.
func (s *Service) UpdateOffer(ctx context.Context, businessPartnerID, id uuid.UUID, change func(*Offer)) (Offer, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Offer, error) {
		old, err := offerOf(ctx, tx, businessPartnerID, id)
		if err != nil {
			return Offer{}, err
		}
		o := old
		change(&o)
		o.ID, o.CreatedAt, o.ModifiedAt = old.ID, old.CreatedAt, s.clock.Now()
		o.Terms.Fixed = Exact(o.Terms.Fixed)
		c, err := catalogOf(ctx, tx, businessPartnerID, o.CatalogID)
		if err != nil {
			return Offer{}, err
		}
		if err := tx.CatalogOffers().Update(ctx, o); err != nil {
			return Offer{}, err
		}
		return o, tx.Events().Add(ctx, c.event(EventOfferUpdated, o.ID, o.ModifiedAt))
	})
}

// CreateLanding adds a landing to one of the business partner's catalogs
// (landing-create). Its id and times are given here.
func (s *Service) CreateLanding(ctx context.Context, businessPartnerID uuid.UUID, l Landing) (Landing, error) {
	l.Adaptability = or(l.Adaptability, Devices()[0])
	l.CreatedAt = s.clock.Now()
	l.ModifiedAt = l.CreatedAt
	return retryTaken("id", func() (_ Landing, err error) {
		if l.ID, err = s.code(landingCodeLength); err != nil {
			return Landing{}, err
		}
		return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Landing, error) {
			c, err := catalogOf(ctx, tx, businessPartnerID, l.CatalogID)
			if err != nil {
				return Landing{}, err
			}
			l, err := tx.Landings().Add(ctx, l)
			if err != nil {
				return Landing{}, err
			}
			return l, tx.Events().Add(ctx, c.event(EventLandingCreated, l.ID, l.CreatedAt))
		})
	})
}

// Landing returns one landing.
func (s *Service) Landing(ctx context.Context, businessPartnerID uuid.UUID, id string) (Landing, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Landing, error) {
		return landingOf(ctx, tx, businessPartnerID, id)
	})
}

// ChangeLanding lets change write to a landing (landing-update), also move it
// to another catalog of the business partner. It may run more than once.
func (s *Service) ChangeLanding(ctx context.Context, businessPartnerID uuid.UUID, id string, change func(*Landing)) (Landing, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Landing, error) {
		old, err := landingOf(ctx, tx, businessPartnerID, id)
		if err != nil {
			return Landing{}, err
		}
		l := old
		change(&l)
		l.ID, l.CreatedAt, l.ModifiedAt = old.ID, old.CreatedAt, s.clock.Now()
		c, err := catalogOf(ctx, tx, businessPartnerID, l.CatalogID)
		if err != nil {
			return Landing{}, err
		}
		if err := tx.Landings().Update(ctx, l); err != nil {
			return Landing{}, err
		}
		return l, tx.Events().Add(ctx, c.event(EventLandingUpdated, l.ID, l.ModifiedAt))
	})
}

// DeleteLanding takes a landing out (landing-delete); a second time it is
// ErrNotFound.
func (s *Service) DeleteLanding(ctx context.Context, businessPartnerID uuid.UUID, id string) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		l, err := landingOf(ctx, tx, businessPartnerID, id)
		if err != nil {
			return err
		}
		if err := tx.Landings().Delete(ctx, id); err != nil {
			return err
		}
		c := Catalog{ID: l.CatalogID, BusinessPartnerID: businessPartnerID}
		return tx.Events().Add(ctx, c.event(EventLandingDeleted, id, s.clock.Now()))
	})
}

// catalogOf is the business partner's catalog; another's does not exist for it.
func catalogOf(ctx context.Context, tx Tx, businessPartnerID, id uuid.UUID) (Catalog, error) {
	c, err := tx.Catalogs().Get(ctx, id)
	if err == nil && c.BusinessPartnerID != businessPartnerID {
		return Catalog{}, affiliate.NotFound("catalog", id)
	}
	return c, err
}

func offerOf(ctx context.Context, tx Tx, businessPartnerID, id uuid.UUID) (Offer, error) {
	o, err := tx.CatalogOffers().Get(ctx, id)
	if err != nil {
		return Offer{}, err
	}
	if _, err := catalogOf(ctx, tx, businessPartnerID, o.CatalogID); err != nil {
		return Offer{}, hidden(err, "offer", id)
	}
	return o, nil
}

func landingOf(ctx context.Context, tx Tx, businessPartnerID uuid.UUID, id string) (Landing, error) {
	l, err := tx.Landings().Get(ctx, id)
	if err != nil {
		return Landing{}, err
	}
	if _, err := catalogOf(ctx, tx, businessPartnerID, l.CatalogID); err != nil {
		return Landing{}, hidden(err, "landing", id)
	}
	return l, nil
}

// hidden makes "not your catalog" of something "no such thing": asking for
// another partner's catalog must fail exactly as asking for one that does not
// exist.
func hidden(err error, resource string, id any) error {
	if found, err := optional(struct{}{}, err); err != nil || found.Set {
		return err
	}
	return affiliate.NotFound(resource, id)
}

func details(ctx context.Context, tx Tx, c Catalog) (CatalogDetails, error) {
	list, err := detailsOf(ctx, tx, []Catalog{c})
	if err != nil {
		return CatalogDetails{}, err
	}
	return list[0], nil
}

// detailsOf adds what is on the catalogs, in two reads and one more for each
// business partner among them.
func detailsOf(ctx context.Context, tx Tx, catalogs []Catalog) ([]CatalogDetails, error) {
	out := make([]CatalogDetails, len(catalogs))
	at := make(map[uuid.UUID]int, len(catalogs))
	ids := make([]uuid.UUID, len(catalogs))
	sellers := map[uuid.UUID]BusinessPartner{}
	for i, c := range catalogs {
		seller, known := sellers[c.BusinessPartnerID]
		if !known {
			found, err := optional(tx.BusinessPartners().Get(ctx, c.BusinessPartnerID))
			if err != nil {
				return nil, err
			}
			seller = found.Or(BusinessPartner{ID: c.BusinessPartnerID})
			sellers[c.BusinessPartnerID] = seller
		}
		out[i], at[c.ID], ids[i] = CatalogDetails{Catalog: c, Seller: seller}, i, c.ID
	}
	if len(ids) == 0 {
		return out, nil
	}
	offers, err := tx.CatalogOffers().ByCatalogs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, o := range offers {
		c := &out[at[o.CatalogID]]
		c.Offers = append(c.Offers, o)
	}
	landings, err := tx.Landings().ByCatalogs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, l := range landings {
		c := &out[at[l.CatalogID]]
		c.Landings = append(c.Landings, l)
	}
	return out, nil
}
