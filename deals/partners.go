package deals

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// RegisterBusinessPartner says how a business partner is shown; a second time
// it replaces what was said.
func (s *Service) RegisterBusinessPartner(ctx context.Context, b BusinessPartner) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.BusinessPartners().Put(ctx, b); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventSellerSaved.On(b.ID, s.clock.Now()))
	})
}

// RegisterUID gives a partner a mark for its links; an empty one is made up.
// The partner's own mark again is no change; another's is ErrConflict on "uid".
func (s *Service) RegisterUID(ctx context.Context, partnerID uuid.UUID, uid string) (UID, error) {
	return retryTaken("uid", func() (UID, error) {
		u := UID{UID: uid, PartnerID: partnerID, CreatedAt: s.clock.Now()}
		if uid == "" {
			var err error
			if u.UID, err = s.code(uidLength); err != nil {
				return UID{}, err
			}
		}
		return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (UID, error) {
			kept, added, err := tx.UIDs().AddOrGet(ctx, u)
			if err == nil && !added && (uid == "" || kept.PartnerID != partnerID) {
				err = taken("uid", "is another partner's")
			}
			if err != nil || !added {
				return kept, err
			}
			return kept, tx.Events().Add(ctx, EventUIDRegistered.On(kept.UID, kept.CreatedAt).With(PartnerPayload{partnerID}))
		})
	})
}

// CheckUID returns whose mark it is (promo-check-uuid); ErrNotFound when it is
// nobody's.
func (s *Service) CheckUID(ctx context.Context, uid string) (UID, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (UID, error) {
		found, err := tx.UIDs().GetMany(ctx, []string{uid})
		if err == nil && len(found) == 0 {
			err = affiliate.NotFound("uid", uid)
		}
		if err != nil {
			return UID{}, err
		}
		return found[0], nil
	})
}

// IssuePromoCode gives a partner a code in a catalog of the business partner.
// The discount must be within the catalog's bounds, and the partner must have
// been let into it. A code that the catalog has is ErrConflict on "code".
func (s *Service) IssuePromoCode(ctx context.Context, businessPartnerID uuid.UUID, p PromoCode) (PromoCode, error) {
	p.BusinessPartnerID, p.CreatedAt = businessPartnerID, s.clock.Now()
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (PromoCode, error) {
		c, err := catalogOf(ctx, tx, businessPartnerID, p.CatalogID)
		if err != nil {
			return PromoCode{}, err
		}
		admitted, err := admitted(ctx, tx, c, p.PartnerID)
		if err != nil {
			return PromoCode{}, err
		}
		var v affiliate.Validation
		v.Merge("", p.Validate()) // a validation error, if anything
		v.Check(admitted, "partner_id", "not_admitted", "must be a partner with access to the catalog")
		v.Check(!less(p.Discount, c.MinDiscount) && !less(c.MaxDiscount, p.Discount), "percent", "out_of_range",
			"must be between "+Percent(c.MinDiscount).String()+" and "+Percent(c.MaxDiscount).String())
		if err := v.Err("promo_code"); err != nil {
			return PromoCode{}, err
		}
		p, err := tx.PromoCodes().Add(ctx, p)
		if err != nil {
			return PromoCode{}, err
		}
		return p, tx.Events().Add(ctx, p.event())
	})
}

// CheckPromoCode returns a code that a deal of the business partner can use now
// (promo-check-promo). The catalog is named by its short code or its id; empty is
// any catalog. ErrNotFound when there is no such code there, and when Post would
// refuse it: the catalog or all its offers allow no codes, or the partner may not
// work with the catalog.
func (s *Service) CheckPromoCode(ctx context.Context, businessPartnerID uuid.UUID, catalog, code string) (PromoCode, error) {
	code = strings.TrimSpace(code)
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (PromoCode, error) {
		codes, err := codesIn(ctx, tx, businessPartnerID, catalog, code)
		if err != nil {
			return PromoCode{}, err
		}
		for _, p := range codes { // nearly always one
			c, err := tx.Catalogs().Get(ctx, p.CatalogID)
			if err != nil {
				return PromoCode{}, err
			}
			if usable, err := takesCodeOf(ctx, tx, c, p.PartnerID); err != nil || usable {
				return p, err
			}
		}
		return PromoCode{}, affiliate.NotFound("promo_code", code)
	})
}

// codesIn returns the code of a catalog, or those of all when it is empty.
func codesIn(ctx context.Context, tx Tx, businessPartnerID uuid.UUID, catalog, code string) ([]PromoCode, error) {
	if catalog == "" {
		return tx.PromoCodes().ByCode(ctx, businessPartnerID, code)
	}
	c, err := tx.Catalogs().ByShortCode(ctx, catalog)
	if id, parsed := uuid.Parse(catalog); err != nil && parsed == nil {
		c, err = tx.Catalogs().Get(ctx, id)
	}
	if err == nil && c.BusinessPartnerID != businessPartnerID {
		err = affiliate.NotFound("catalog", catalog)
	}
	if err != nil {
		return nil, err
	}
	p, err := tx.PromoCodes().Get(ctx, c.ID, code)
	return []PromoCode{p}, err
}

// takesCodeOf reports whether a deal of the catalog could be attributed to the
// partner by a promo code.
func takesCodeOf(ctx context.Context, tx Tx, c Catalog, partnerID uuid.UUID) (bool, error) {
	if !c.PromoCodesAllowed {
		return false, nil
	}
	offers, err := tx.CatalogOffers().ByCatalogs(ctx, []uuid.UUID{c.ID})
	if err != nil || !slices.ContainsFunc(offers, func(o Offer) bool { return o.Active && o.PromoCodesAllowed }) {
		return false, err
	}
	return admitted(ctx, tx, c, partnerID)
}

// RequestAccess asks for a partner to be let into a catalog. With free entry it
// is granted at once; with automatic moderation when the Moderator says so, and
// denied when it says no; else the business partner decides. Once decided,
// asking again changes nothing.
func (s *Service) RequestAccess(ctx context.Context, catalogID, partnerID uuid.UUID) (Access, error) {
	c, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Catalog, error) {
		return tx.Catalogs().Get(ctx, catalogID)
	})
	if err != nil {
		return Access{}, err
	}
	status := AccessRequested
	switch {
	case c.Moderation == FreeEntry:
		status = AccessGranted
	case c.Moderation == AutoModeration && s.opts.Moderator != nil:
		// Outside of the unit: it may ask another service.
		admit, err := s.opts.Moderator.Admit(ctx, c, partnerID)
		if err != nil {
			return Access{}, err
		}
		status = decision(admit)
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Access, error) {
		before, err := optional(tx.CatalogAccess().Get(ctx, catalogID, partnerID))
		if err != nil || before.Set && (before.Value.Status != AccessRequested || status == AccessRequested) {
			return before.Value, err
		}
		a := Access{CatalogID: catalogID, PartnerID: partnerID, Status: status, RequestedAt: s.clock.Now()}
		if before.Set {
			a.RequestedAt = before.Value.RequestedAt
		}
		return s.decide(ctx, tx, a)
	})
}

// DecideAccess lets a partner into one of the business partner's catalogs, or
// turns it away, whether or not it asked. A partner that was turned away earns
// nothing by deals that are created afterwards.
func (s *Service) DecideAccess(ctx context.Context, businessPartnerID, catalogID, partnerID uuid.UUID, admit bool) (Access, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Access, error) {
		if _, err := catalogOf(ctx, tx, businessPartnerID, catalogID); err != nil {
			return Access{}, err
		}
		before, err := optional(tx.CatalogAccess().Get(ctx, catalogID, partnerID))
		if err != nil || before.Set && before.Value.Status == decision(admit) {
			return before.Value, err
		}
		a := before.Or(Access{CatalogID: catalogID, PartnerID: partnerID, RequestedAt: s.clock.Now()})
		a.Status = decision(admit)
		return s.decide(ctx, tx, a)
	})
}

// Accesses lists who asked for which catalogs, in the order in which they did.
func (s *Service) Accesses(ctx context.Context, f AccessFilter, p affiliate.PageRequest) (affiliate.Page[Access], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Access], error) {
		return tx.CatalogAccess().List(ctx, f, p)
	})
}

// decide keeps an access and tells of it.
func (s *Service) decide(ctx context.Context, tx Tx, a Access) (Access, error) {
	now := s.clock.Now()
	if a.Status != AccessRequested {
		a.DecidedAt = now
	}
	if err := tx.CatalogAccess().Put(ctx, a); err != nil {
		return Access{}, err
	}
	return a, tx.Events().Add(ctx, a.event(now))
}

func decision(admit bool) AccessStatus {
	if admit {
		return AccessGranted
	}
	return AccessDenied
}

// admitted reports whether a partner may earn by the catalog.
func admitted(ctx context.Context, tx Tx, c Catalog, partnerID uuid.UUID) (bool, error) {
	a, err := optional(tx.CatalogAccess().Get(ctx, c.ID, partnerID))
	return err == nil && c.admits(a), err
}

func taken(field, message string) error {
	e := affiliate.Conflict("", "taken", "")
	e.Fields = []affiliate.FieldError{{Field: field, Code: "taken", Message: message}}
	return e
}
