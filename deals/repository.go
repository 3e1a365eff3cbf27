package deals

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the repositories of deals, and those of the core, within one unit of
// work. What all repositories share stands in package affiliate, but that ids
// come from outside here: a taken one is ErrConflict with the field "id", and
// sorting by id means the order in which the values were added. GetMany returns
// in that order too.
type Tx interface {
	affiliate.Tx
	BusinessPartners() BusinessPartnerRepository
	Catalogs() CatalogRepository
	CatalogOffers() OfferRepository
	Landings() LandingRepository
	UIDs() UIDRepository
	PromoCodes() PromoCodeRepository
	CatalogAccess() AccessRepository
	Deals() DealRepository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// BusinessPartnerRepository keeps how business partners are shown.
type BusinessPartnerRepository interface {
	// Put keeps the business partner, in place of the one that has its id.
	// ErrInvalid when Validate fails.
	Put(ctx context.Context, b BusinessPartner) error
	// Get is ErrNotFound when there is none.
	Get(ctx context.Context, id uuid.UUID) (BusinessPartner, error)
}

// CatalogFilter chooses catalogs. They sort by id alone.
type CatalogFilter struct {
	BusinessPartnerID uuid.UUID                // of this business partner
	Published         affiliate.Optional[bool] // published, or not
	// Available: published, with an active offer and a landing; or not all of these.
	Available affiliate.Optional[bool]
}

// CatalogRepository keeps catalogs. ShortCode is unique (field "catalog_id"),
// Code is unique per business partner (field "catalog_code").
type CatalogRepository interface {
	Add(ctx context.Context, c Catalog) (Catalog, error)
	// Get is ErrNotFound when there is none.
	Get(ctx context.Context, id uuid.UUID) (Catalog, error)
	// ByCode is ErrNotFound when the business partner has no such catalog.
	ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) (Catalog, error)
	// ByShortCode is ErrNotFound when there is none.
	ByShortCode(ctx context.Context, shortCode string) (Catalog, error)
	Update(ctx context.Context, c Catalog) error
	List(ctx context.Context, f CatalogFilter, p affiliate.PageRequest) (affiliate.Page[Catalog], error)
}

// OfferRepository keeps the offers of catalogs. Name is unique per catalog
// (field "name"); catalog_id must refer to a catalog.
type OfferRepository interface {
	Add(ctx context.Context, o Offer) (Offer, error)
	// Get is ErrNotFound when there is none.
	Get(ctx context.Context, id uuid.UUID) (Offer, error)
	// ByName is ErrNotFound when the catalog has no such offer.
	ByName(ctx context.Context, catalogID uuid.UUID, name string) (Offer, error)
	// ByCatalogs returns the offers of the catalogs in the order in which they
	// were added.
	ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]Offer, error)
	Update(ctx context.Context, o Offer) error
}

// LandingRepository keeps landings; catalog_id must refer to a catalog.
type LandingRepository interface {
	Add(ctx context.Context, l Landing) (Landing, error)
	// Get is ErrNotFound when there is none.
	Get(ctx context.Context, id string) (Landing, error)
	// ByCatalogs returns the landings of the catalogs in the order in which they
	// were added.
	ByCatalogs(ctx context.Context, catalogIDs []uuid.UUID) ([]Landing, error)
	Update(ctx context.Context, l Landing) error
	// Delete is ErrNotFound when there is none.
	Delete(ctx context.Context, id string) error
}

// UIDRepository keeps the marks of partners.
type UIDRepository interface {
	// AddOrGet keeps u and returns it with true, or returns the one that is there
	// with false.
	AddOrGet(ctx context.Context, u UID) (UID, bool, error)
	// GetMany returns those that are known, ascending by text, each once.
	GetMany(ctx context.Context, uids []string) ([]UID, error)
}

// PromoCodeRepository keeps promo codes. The Key is unique per catalog;
// catalog_id must refer to a catalog.
type PromoCodeRepository interface {
	// Add is ErrConflict with the field "code" when the catalog has the code.
	Add(ctx context.Context, p PromoCode) (PromoCode, error)
	// Get is ErrNotFound when the catalog has no such code, in whatever case.
	Get(ctx context.Context, catalogID uuid.UUID, code string) (PromoCode, error)
	// ByCode returns such codes, in whatever case, of all catalogs of the business
	// partner, oldest first, at most 100.
	ByCode(ctx context.Context, businessPartnerID uuid.UUID, code string) ([]PromoCode, error)
}

// AccessFilter chooses accesses. They sort by id alone.
type AccessFilter struct {
	CatalogID uuid.UUID
	PartnerID uuid.UUID
	Status    AccessStatus
}

// AccessRepository keeps which partners asked for which catalogs; catalog_id
// must refer to a catalog.
type AccessRepository interface {
	// Put keeps the access, in place of the one of the same catalog and partner.
	Put(ctx context.Context, a Access) error
	// Get is ErrNotFound when the partner has never asked.
	Get(ctx context.Context, catalogID, partnerID uuid.UUID) (Access, error)
	List(ctx context.Context, f AccessFilter, p affiliate.PageRequest) (affiliate.Page[Access], error)
}

// KeptDealFilter chooses deals by what is kept of them. Sort columns:
// created_at, modified_at, cost. Cost sorts by minor units, whatever the
// currency.
type KeptDealFilter struct {
	BusinessPartnerID uuid.UUID
	CatalogID         uuid.UUID
	PartnerID         uuid.UUID
	// Statuses: in one of these; nil does not filter, empty matches nothing. A
	// range with a bound has only deals that have a due time.
	Statuses []StatusRange
}

// DealRepository keeps deals. ExternalID is unique per business partner
// (field "deal_id"); catalog_id and offer_id must refer to something, and
// entry_id too where it is not 0.
type DealRepository interface {
	// AddOrGet keeps d and returns it with true, or returns the deal of the same
	// business partner and ExternalID that is there with false, whatever d refers to.
	AddOrGet(ctx context.Context, d Deal) (Deal, bool, error)
	// Get is ErrNotFound when there is none.
	Get(ctx context.Context, id uuid.UUID) (Deal, error)
	// ByExternalID is ErrNotFound when the business partner has no such deal.
	ByExternalID(ctx context.Context, businessPartnerID uuid.UUID, externalID string) (Deal, error)
	// Update replaces the deals, of two with one id by the later one; ErrNotFound
	// when one is not there. An ExternalID that another deal has before the call is
	// taken, also when that deal gives it up in the same call.
	Update(ctx context.Context, deals ...Deal) error
	List(ctx context.Context, f KeptDealFilter, p affiliate.PageRequest) (affiliate.Page[Deal], error)
	// LockDue returns at most limit deals whose DueAt is at or before now, earliest
	// DueAt first, ties by insertion order. It may leave
	// out deals that another unit has locked at this moment. Its cost grows with
	// the limit, not with the deals that are kept.
	LockDue(ctx context.Context, now time.Time, limit int) ([]Deal, error)
}
