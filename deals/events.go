package deals

import (
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. The object of an access is its catalog's id
// and the partner's with a slash between, that of a promo code the catalog's id and
// the code.
var (
	EventSellerSaved      = affiliate.EventKind{Name: "business_partner.saved", Version: 1, Object: "business_partner", When: "How a business partner is shown was set."}
	EventUIDRegistered    = affiliate.EventKind{Name: "partner_uid.registered", Version: 1, Object: "partner_uid", When: "A partner got a mark for its links.", Payload: PartnerPayload{}}
	EventCatalogCreated   = affiliate.EventKind{Name: "catalog.created", Version: 1, Object: "catalog", When: "A catalog was added.", Payload: CatalogPayload{}}
	EventCatalogUpdated   = affiliate.EventKind{Name: "catalog.updated", Version: 1, Object: "catalog", When: "A catalog was changed.", Payload: CatalogPayload{}}
	EventCatalogSuspended = affiliate.EventKind{Name: "catalog.suspended", Version: 1, Object: "catalog", When: "A catalog that was published is not any more.", Payload: CatalogPayload{}}
	EventOfferCreated     = affiliate.EventKind{Name: "catalog_offer.created", Version: 1, Object: "catalog_offer", When: "A catalog has one more offer.", Payload: CatalogPayload{}}
	EventOfferUpdated     = affiliate.EventKind{Name: "catalog_offer.updated", Version: 1, Object: "catalog_offer", When: "An offer of a catalog was changed.", Payload: CatalogPayload{}}
	EventLandingCreated   = affiliate.EventKind{Name: "landing.created", Version: 1, Object: "landing", When: "A catalog has one more landing.", Payload: CatalogPayload{}}
	EventLandingUpdated   = affiliate.EventKind{Name: "landing.updated", Version: 1, Object: "landing", When: "A landing was changed.", Payload: CatalogPayload{}}
	EventLandingDeleted   = affiliate.EventKind{Name: "landing.deleted", Version: 1, Object: "landing", When: "A landing was taken out.", Payload: CatalogPayload{}}
	EventPromoCodeIssued  = affiliate.EventKind{Name: "promo_code.issued", Version: 1, Object: "promo_code", When: "A partner got a promo code.", Payload: PromoCodePayload{}}
	EventAccessRequested  = affiliate.EventKind{Name: "catalog_access.requested", Version: 1, Object: "catalog_access", When: "A partner asked to be let into a catalog.", Payload: PartnerPayload{}}
	EventAccessGranted    = affiliate.EventKind{Name: "catalog_access.granted", Version: 1, Object: "catalog_access", When: "A partner was let into a catalog.", Payload: PartnerPayload{}}
	EventAccessDenied     = affiliate.EventKind{Name: "catalog_access.denied", Version: 1, Object: "catalog_access", When: "A partner was turned away from a catalog.", Payload: PartnerPayload{}}
	EventDealCreated      = affiliate.EventKind{Name: "deal.created", Version: 1, Object: "deal", When: "A deal was posted.", Payload: DealPayload{}}
	EventDealUpdated      = affiliate.EventKind{Name: "deal.updated", Version: 1, Object: "deal", When: "A deal was changed, but for its status.", Payload: DealPayload{}}
	EventDealPaid         = affiliate.EventKind{Name: "deal.paid", Version: 1, Object: "deal", When: "A deal was paid.", Payload: DealPayload{}}
	EventDealApproved     = affiliate.EventKind{Name: "deal.approved", Version: 1, Object: "deal", When: "The hold of a deal is over. Sweep raises it.", Payload: DealPayload{}}
	EventDealCanceled     = affiliate.EventKind{Name: "deal.canceled", Version: 1, Object: "deal", When: "A deal was canceled, or not paid in time.", Payload: DealPayload{}}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{
		EventSellerSaved, EventUIDRegistered, EventCatalogCreated, EventCatalogUpdated, EventCatalogSuspended, EventOfferCreated, EventOfferUpdated,
		EventLandingCreated, EventLandingUpdated, EventLandingDeleted, EventPromoCodeIssued, EventAccessRequested, EventAccessGranted, EventAccessDenied,
		EventDealCreated, EventDealUpdated, EventDealPaid, EventDealApproved, EventDealCanceled,
	}
}

// CatalogPayload says which catalog it is about, and whose that is.
type CatalogPayload struct {
	CatalogID         uuid.UUID `json:"catalog_id"`
	BusinessPartnerID uuid.UUID `json:"business_partner_id"`
}

// PartnerPayload says which partner it is about.
type PartnerPayload struct {
	PartnerID uuid.UUID `json:"partner_id"`
}

// PromoCodePayload is a promo code.
type PromoCodePayload struct {
	CatalogID uuid.UUID `json:"catalog_id"`
	PartnerID uuid.UUID `json:"partner_id"`
	Code      string    `json:"code"`
}

// DealPayload is a deal after the event; the reward is in minor units.
type DealPayload struct {
	BusinessPartnerID uuid.UUID          `json:"business_partner_id"`
	CatalogID         uuid.UUID          `json:"catalog_id"`
	PartnerID         uuid.UUID          `json:"partner_id,omitzero"`
	ExternalID        string             `json:"external_id"`
	Reward            int64              `json:"reward"`
	Currency          affiliate.Currency `json:"currency"`
}

func (c Catalog) event(kind affiliate.EventKind, id any, at time.Time) affiliate.Event {
	return kind.On(id, at).With(CatalogPayload{c.ID, c.BusinessPartnerID})
}

func (p PromoCode) event() affiliate.Event {
	id := []rune(p.CatalogID.String() + "/" + p.Code)
	return EventPromoCodeIssued.On(string(id[:min(len(id), 128)]), p.CreatedAt).With(PromoCodePayload{p.CatalogID, p.PartnerID, p.Code})
}

func (a Access) event(at time.Time) affiliate.Event {
	kind := EventAccessRequested
	switch a.Status {
	case AccessGranted:
		kind = EventAccessGranted
	case AccessDenied:
		kind = EventAccessDenied
	}
	return kind.On(a.CatalogID.String()+"/"+a.PartnerID.String(), at).With(PartnerPayload{a.PartnerID})
}

// statusEvent tells that a deal has come to its status.
func (d Deal) statusEvent() affiliate.Event {
	switch d.Status {
	case Paid:
		return d.event(EventDealPaid, d.PaidAt)
	case Approved:
		return d.event(EventDealApproved, d.ApprovedAt)
	case Canceled:
		return d.event(EventDealCanceled, d.CanceledAt)
	}
	return d.event(EventDealCreated, d.CreatedAt)
}

func (d Deal) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(d.ID, at).With(DealPayload{
		BusinessPartnerID: d.BusinessPartnerID, CatalogID: d.CatalogID, PartnerID: d.PartnerID, ExternalID: d.ExternalID,
		Reward: d.Reward.Minor(), Currency: d.Reward.Currency(),
	})
}
