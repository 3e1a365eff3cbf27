package myshare

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// catalogFields are what a catalog is written with, in all of the document's
// spellings.
type catalogFields struct {
	Title             wire.Optional[string]          `json:"title" max:"255"`
	Code              wire.Optional[string]          `json:"catalog_code" max:"255"`
	Reward            wire.Optional[decimal.Decimal] `json:"reward_percent" alias:"remuneration_percent" min:"0.05" max:"95"`
	Description       wire.Optional[string]          `json:"description" max:"20000"`
	Icon              wire.Optional[string]          `json:"icon" max:"2048"`
	PreviewImage      wire.Optional[string]          `json:"preview_image" max:"2048"`
	Hold              wire.Optional[duration]        `json:"hold_duration"`
	Cancel            wire.Optional[duration]        `json:"canceled_duration"`
	PromoCodesAllowed wire.Optional[bool]            `json:"is_promocode_allowed" alias:"is_promo"`
	Published         wire.Optional[bool]            `json:"is_published"`
	Moderation        wire.Optional[string]          `json:"moderation_type" enum:"FREE_ENTRY,AUTO_MODERATION,MANUAL_MODERATION"`
	Category          wire.Optional[string]          `json:"category" max:"255"`
	Countries         wire.Optional[[]string]        `json:"offer_geo" max:"500"`
	Languages         wire.Optional[[]string]        `json:"localizations" alias:"localization" max:"500"`
	RewardType        wire.Optional[string]          `json:"reward_type" enum:"RevShare,CPA,CPS,CPL,COD,CPV,CPO,CPC"`
	MinDiscount       wire.Optional[decimal.Decimal] `json:"min_promo_code_percent" alias:"min_size_promo_code"`
	MaxDiscount       wire.Optional[decimal.Decimal] `json:"max_promo_code_percent" alias:"max_size_promo_code"`
	Devices           wire.Optional[string]          `json:"devices" enum:"All,Desktop,Mobile"`
	CookieDays        wire.Optional[int]             `json:"cookies_storage_days" min:"0" max:"3650"`
}

// change is the fields as a change of a catalog. What is null gets its default;
// title and catalog_code have none. With whole, both are needed.
func (f catalogFields) change(whole bool) (func(*deals.Catalog), error) {
	var in input
	in.needs(f.Title.Set && f.Title.Value == "", "title")
	in.needs(f.Code.Set && f.Code.Value == "", "catalog_code")
	change := f.changeTo(in.percent("reward_percent", f.Reward), in.percent("min_promo_code_percent", f.MinDiscount), in.percent("max_promo_code_percent", f.MaxDiscount))
	if whole {
		c := deals.NewCatalog()
		c.ID, c.BusinessPartnerID, c.ShortCode = uuid.Max, uuid.Max, "00000" // not the input's
		change(&c)
		in.also(c.Validate())
	}
	return change, in.Err("catalog")
}

// changeTo is the change to the fields and the rates that were made of them.
func (f catalogFields) changeTo(reward, minimum, maximum affiliate.Rate) func(*deals.Catalog) {
	return func(c *deals.Catalog) {
		defaults := deals.NewCatalog()
		setGiven(&c.Title, f.Title)
		setGiven(&c.Code, f.Code)
		set(&c.Description, f.Description)
		set(&c.Icon, f.Icon)
		set(&c.PreviewImage, f.PreviewImage)
		setOr(&c.Hold, f.Hold, time.Duration(f.Hold.Value), defaults.Hold)
		setOr(&c.Cancel, f.Cancel, time.Duration(f.Cancel.Value), defaults.Cancel)
		setOr(&c.PromoCodesAllowed, f.PromoCodesAllowed, f.PromoCodesAllowed.Value, defaults.PromoCodesAllowed)
		setOr(&c.Published, f.Published, f.Published.Value, defaults.Published)
		setOr(&c.Moderation, f.Moderation, deals.Moderation(f.Moderation.Value), defaults.Moderation)
		setOr(&c.Category, f.Category, f.Category.Value, defaults.Category)
		setOr(&c.Countries, f.Countries, deals.Codes(f.Countries.Value), defaults.Countries)
		setOr(&c.Languages, f.Languages, deals.Codes(f.Languages.Value), defaults.Languages)
		setOr(&c.RewardType, f.RewardType, deals.RewardType(f.RewardType.Value), defaults.RewardType)
		setOr(&c.Devices, f.Devices, deals.Device(f.Devices.Value), defaults.Devices)
		setOr(&c.CookieDays, f.CookieDays, f.CookieDays.Value, defaults.CookieDays)
		setOr(&c.Reward, f.Reward, reward, defaults.Reward)
		setOr(&c.MinDiscount, f.MinDiscount, minimum, defaults.MinDiscount)
		setOr(&c.MaxDiscount, f.MaxDiscount, maximum, defaults.MaxDiscount)
	}
}

// setOr writes a field where it was sent: its value, or the fallback for null.
func setOr[T, V any](dst *V, o wire.Optional[T], value, fallback V) {
	switch {
	case given(o):
		*dst = value
	case o.Set:
		*dst = fallback
	}
}

// catalogWritten is the answer to a catalog that was created or updated.
type catalogWritten struct {
	ID                uuid.UUID        `json:"id"`
	Title             string           `json:"title"`
	Code              string           `json:"catalog_code"`
	Offers            []catalogOffer   `json:"offers"`
	Icon              *string          `json:"icon"`
	Hold              duration         `json:"hold_duration"`
	Cancel            duration         `json:"canceled_duration"`
	PromoCodesAllowed bool             `json:"is_promocode_allowed"`
	Category          uuid.UUID        `json:"category"`
	BusinessPartnerID uuid.UUID        `json:"business_partner_id"`
	Countries         []string         `json:"offer_geo"`
	ShortCode         string           `json:"catalog_id"`
	Description       string           `json:"description"`
	RewardType        deals.RewardType `json:"reward_type"`
	Languages         []string         `json:"localizations"`
	Devices           deals.Device     `json:"devices"`
	CookieDays        int              `json:"cookies_storage_days"`
	Moderation        deals.Moderation `json:"moderation_type"`
	MaxDiscount       json.Number      `json:"max_promo_code_percent"`
	MinDiscount       json.Number      `json:"min_promo_code_percent"`
	Published         bool             `json:"is_published"`
	CreatedAt         localTime        `json:"created_at"`
}

func showWritten(c deals.CatalogDetails) catalogWritten {
	return catalogWritten{
		ID: c.ID, Title: c.Title, Code: c.Code, Offers: showCatalogOffers(c.Offers), Icon: orNull(c.Icon), Hold: duration(c.Hold), Cancel: duration(c.Cancel),
		PromoCodesAllowed: c.PromoCodesAllowed, Category: c.CategoryID(), BusinessPartnerID: c.BusinessPartnerID,
		Countries: orEmpty(c.Countries), ShortCode: c.ShortCode, Description: c.Description, RewardType: c.RewardType,
		Languages: orEmpty(c.Languages), Devices: c.Devices, CookieDays: c.CookieDays, Moderation: c.Moderation,
		MaxDiscount: float(deals.Percent(c.MaxDiscount)), MinDiscount: float(deals.Percent(c.MinDiscount)),
		Published: c.Published, CreatedAt: localTime(c.CreatedAt),
	}
}

// catalog is a catalog as it is read.
type catalog struct {
	ID                uuid.UUID        `json:"id"`
	Title             string           `json:"title"`
	ApprovalRate      string           `json:"approval_rate"`
	Code              string           `json:"catalog_code"`
	Offers            []catalogOffer   `json:"offers"`
	Hold              duration         `json:"hold_duration"`
	CompanyLogo       string           `json:"company_logo"`
	CompanyName       string           `json:"company_name"`
	Confirmed         bool             `json:"is_confirmed"`
	ModifiedAt        localTime        `json:"modified_at"`
	PromoMaterials    []struct{}       `json:"promo_materials"`
	Reward            rewardRange      `json:"reward"`
	Rules             []struct{}       `json:"rules"`
	TextRules         []struct{}       `json:"text_rule"`
	Cancel            duration         `json:"canceled_duration"`
	PromoCodesAllowed bool             `json:"is_promocode_allowed"`
	Published         bool             `json:"is_published"`
	Category          string           `json:"category"`
	Countries         []string         `json:"offer_geo"`
	ShortCode         string           `json:"catalog_id"`
	Icon              *string          `json:"icon"`
	PreviewImage      *string          `json:"preview_image"`
	Description       string           `json:"description"`
	RewardType        deals.RewardType `json:"reward_type"`
	RewardPercent     *json.Number     `json:"reward_percent"`
	MaxDiscount       json.Number      `json:"max_promo_code_percent"`
	MinDiscount       json.Number      `json:"min_promo_code_percent"`
	Moderation        deals.Moderation `json:"moderation_type"`
	Landings          []landing        `json:"landings"`
	Languages         []string         `json:"localizations"`
	Devices           deals.Device     `json:"devices"`
	CookieDays        int              `json:"cookies_storage_days"`
}

// rewardRange is from which to which share the offers of a catalog go.
type rewardRange struct {
	From *json.Number `json:"from"`
	To   *json.Number `json:"to"`
	Type *string      `json:"type"`
}

// noApprovalRate stands where nothing is known of how many deals are approved.
const noApprovalRate = "b/d"

func showCatalog(c deals.CatalogDetails) catalog {
	return catalog{
		ID: c.ID, Title: c.Title, ApprovalRate: noApprovalRate, Code: c.Code, Offers: showCatalogOffers(c.Offers), Hold: duration(c.Hold),
		CompanyLogo: c.Seller.LogoURL, CompanyName: c.Seller.Name, ModifiedAt: localTime(c.ModifiedAt),
		PromoMaterials: []struct{}{}, Reward: showRewards(c), Rules: []struct{}{}, TextRules: []struct{}{}, Cancel: duration(c.Cancel),
		PromoCodesAllowed: c.PromoCodesAllowed, Published: c.Published, Category: c.Category, Countries: orEmpty(c.Countries),
		ShortCode: c.ShortCode, Icon: orNull(c.Icon), PreviewImage: orNull(c.PreviewImage), Description: c.Description, RewardType: c.RewardType,
		RewardPercent: floatOrNull(deals.Percent(c.Catalog.Reward)), MaxDiscount: float(deals.Percent(c.MaxDiscount)), MinDiscount: float(deals.Percent(c.MinDiscount)),
		Moderation: c.Moderation, Landings: showLandings(c.Landings), Languages: orEmpty(c.Languages), Devices: c.Devices, CookieDays: c.CookieDays,
	}
}

// showRewards are the least and the greatest share of the offers, or the
// catalog's own where no offer has one.
func showRewards(c deals.CatalogDetails) rewardRange {
	var least, most decimal.Decimal
	for _, o := range c.Offers {
		share := deals.Percent(o.Terms.Share)
		if share.IsZero() {
			continue
		}
		if least.IsZero() || share.LessThan(least) {
			least = share
		}
		if share.GreaterThan(most) {
			most = share
		}
	}
	if most.IsZero() {
		least, most = deals.Percent(c.Catalog.Reward), deals.Percent(c.Catalog.Reward)
	}
	return rewardRange{From: floatOrNull(least), To: floatOrNull(most)}
}

// catalogPage is a page of catalogs: where the others are stands beside it.
type catalogPage struct {
	Count    int       `json:"count"`
	Next     *string   `json:"next"`
	Previous *string   `json:"previous"`
	Results  []catalog `json:"results"`
}

type listCatalogs struct {
	URL       wire.URL
	Page      int                 `query:"page" default:"1" min:"1" max:"1000000000"`
	Size      int                 `query:"size" alias:"page_size" default:"100" min:"1" max:"100"`
	Published wire.Optional[bool] `query:"is_published"`
	Available wire.Optional[bool] `query:"is_available"`
}

func (s *server) listCatalogs(ctx context.Context, p affiliate.Principal, in listCatalogs) (catalogPage, error) {
	f := deals.CatalogFilter{BusinessPartnerID: sellerOf(p), Published: optional(in.Published), Available: optional(in.Available)}
	found, err := s.deals.Catalogs(ctx, f, affiliate.PageRequest{Number: in.Page, Size: in.Size})
	page := catalogPage{Count: found.Total, Results: make([]catalog, len(found.Items))}
	for i, c := range found.Items {
		page.Results[i] = showCatalog(c)
	}
	if in.Page > 1 {
		page.Previous = orNull(in.URL.Page(in.Page - 1))
	}
	if in.Page < wire.LastPage(found.Total, in.Size) {
		page.Next = orNull(in.URL.Page(in.Page + 1))
	}
	return page, err
}

func optional[T any](o wire.Optional[T]) affiliate.Optional[T] {
	return affiliate.Optional[T]{Value: o.Value, Set: given(o)}
}

func (s *server) createCatalog(ctx context.Context, p affiliate.Principal, in catalogFields) (catalogWritten, error) {
	change, err := in.change(true)
	if err != nil {
		return catalogWritten{}, err
	}
	c := deals.NewCatalog()
	change(&c)
	created, err := s.deals.CreateCatalog(ctx, sellerOf(p), c)
	return showWritten(created), err
}

type oneID struct {
	ID string `path:"id"`
}

func (s *server) getCatalog(ctx context.Context, p affiliate.Principal, in oneID) (catalog, error) {
	id, err := pathID("catalog", in.ID)
	if err != nil {
		return catalog{}, err
	}
	c, err := s.deals.Catalog(ctx, sellerOf(p), id)
	return showCatalog(c), err
}

type updateCatalog struct {
	oneID
	Method wire.Method
	catalogFields
}

func (s *server) updateCatalog(ctx context.Context, p affiliate.Principal, in updateCatalog) (catalogWritten, error) {
	id, err := pathID("catalog", in.ID)
	if err != nil {
		return catalogWritten{}, err
	}
	change, err := in.change(in.Method == http.MethodPut)
	if err != nil { // of what is another's, not even this is told
		_, unknown := s.deals.Catalog(ctx, sellerOf(p), id)
		return catalogWritten{}, cmp.Or(unknown, err)
	}
	c, err := s.deals.ChangeCatalog(ctx, sellerOf(p), id, change)
	return showWritten(c), err
}
