package myshare

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// offerFields are what an offer is written with, in all of the document's
// spellings. Disabled is the opposite of Active.
type offerFields struct {
	Name              wire.Optional[string]          `json:"name" max:"255"`
	CatalogID         wire.Optional[uuid.UUID]       `json:"catalog_id"`
	PromoCodesAllowed wire.Optional[bool]            `json:"is_promocode_allowed" alias:"is_promo"`
	Active            wire.Optional[bool]            `json:"is_active"`
	Disabled          wire.Optional[bool]            `json:"disable"`
	Prices            wire.Optional[[]price]         `json:"prices" max:"50"`
	Description       wire.Optional[string]          `json:"description" max:"20000"`
	Fixed             wire.Optional[decimal.Decimal] `json:"fix_remuneration"`
	Share             wire.Optional[decimal.Decimal] `json:"reward_percent" alias:"remuneration_percent" min:"0.05" max:"95"`
}

type price struct {
	Cost     decimal.Decimal `json:"cost" required:"true"`
	Currency string          `json:"currency" required:"true"`
}

// change is the fields as a change of an offer. With whole, those that the
// document requires are needed, and kept are the terms without those that are
// sent. Of the two ways to reward, the one that is sent takes the other's place.
func (s *server) changeOffer(f offerFields, whole bool, kept deals.Terms) (func(*deals.Offer), error) {
	if given(f.Disabled) && !f.Active.Set {
		f.Active = wire.Optional[bool]{Value: !f.Disabled.Value, Set: true}
	}
	var in input
	in.needs(f.Name.Set && f.Name.Value == "", "name")
	in.needs(f.CatalogID.Null, "catalog_id")
	in.needs(whole && !given(f.PromoCodesAllowed), "is_promocode_allowed")
	in.needs(whole && !given(f.Active), "is_active")
	in.needs(f.Prices.Set && len(f.Prices.Value) == 0, "prices")
	share := in.percent("reward_percent", f.Share)
	in.Check(!given(f.Fixed) || f.Fixed.Value.IsPositive(), "fix_remuneration", "out_of_range", "must be more than 0")
	prices := make([]affiliate.Money, len(f.Prices.Value))
	for i, p := range f.Prices.Value {
		at := "prices." + strconv.Itoa(i)
		c := s.currency(&in, at+".currency", p.Currency)
		prices[i] = in.money(at+".cost", p.Cost, c)
	}
	change := func(o *deals.Offer) {
		setGiven(&o.Name, f.Name)
		setGiven(&o.CatalogID, f.CatalogID)
		setGiven(&o.PromoCodesAllowed, f.PromoCodesAllowed)
		setGiven(&o.Active, f.Active)
		set(&o.Description, f.Description)
		if given(f.Prices) {
			o.Prices = prices
		}
		o.Terms = f.terms(o.Terms, share)
	}
	if whole {
		o := deals.Offer{ID: uuid.Max, Terms: kept} // not the input's
		change(&o)
		in.also(o.Validate())
	}
	return change, in.Err("offer")
}

// someTerms stand for those of the offer that an update is about, which it has
// whatever they are.
func someTerms() deals.Terms { return deals.Terms{Fixed: decimal.NewFromInt(1)} }

// terms are the old terms with what was sent of the two ways to reward.
func (f offerFields) terms(t deals.Terms, share affiliate.Rate) deals.Terms {
	switch {
	case given(f.Fixed) && !given(f.Share):
		return deals.Terms{Fixed: f.Fixed.Value}
	case given(f.Share) && !given(f.Fixed):
		return deals.Terms{Share: share}
	}
	set(&t.Fixed, f.Fixed)
	if f.Share.Set {
		t.Share = share
	}
	return t
}

// offer is the answer about an offer.
type offer struct {
	ID                uuid.UUID    `json:"id"`
	Name              string       `json:"name"`
	PromoCodesAllowed bool         `json:"is_promocode_allowed"`
	CatalogID         uuid.UUID    `json:"catalog_id"`
	Active            bool         `json:"is_active"`
	Fixed             *string      `json:"fix_remuneration"`
	Share             *json.Number `json:"reward_percent"`
	Prices            []cost       `json:"prices"`
	Description       string       `json:"description"`
}

// catalogOffer is an offer within the answer about its catalog, where prices
// have a point.
type catalogOffer offer

type cost struct {
	Cost     json.Number        `json:"cost"`
	Currency affiliate.Currency `json:"currency"`
}

func showOffer(o deals.Offer) offer {
	return showOfferWith(o, number)
}

func showOfferWith(o deals.Offer, amount func(affiliate.Money) json.Number) offer {
	prices := make([]cost, len(o.Prices))
	for i, p := range o.Prices {
		prices[i] = cost{amount(p), p.Currency()}
	}
	return offer{
		ID: o.ID, Name: o.Name, PromoCodesAllowed: o.PromoCodesAllowed, CatalogID: o.CatalogID, Active: o.Active,
		Fixed: textOrNull(o.Terms.Fixed), Share: floatOrNull(deals.Percent(o.Terms.Share)), Prices: prices, Description: o.Description,
	}
}

func showCatalogOffers(list []deals.Offer) []catalogOffer {
	out := make([]catalogOffer, len(list))
	for i, o := range list {
		out[i] = catalogOffer(showOfferWith(o, func(m affiliate.Money) json.Number { return float(m.Decimal()) }))
	}
	return out
}

func (s *server) createOffer(ctx context.Context, p affiliate.Principal, in offerFields) (offer, error) {
	change, err := s.changeOffer(in, true, deals.Terms{})
	if err != nil {
		return offer{}, err
	}
	var o deals.Offer
	change(&o)
	created, err := s.deals.CreateOffer(ctx, sellerOf(p), o)
	return showOffer(created), err
}

func (s *server) getOffer(ctx context.Context, p affiliate.Principal, in oneID) (offer, error) {
	id, err := pathID("offer", in.ID)
	if err != nil {
		return offer{}, err
	}
	o, err := s.deals.Offer(ctx, sellerOf(p), id)
	return showOffer(o), err
}

type updateOffer struct {
	oneID
	Method wire.Method
	offerFields
}

func (s *server) updateOffer(ctx context.Context, p affiliate.Principal, in updateOffer) (offer, error) {
	id, err := pathID("offer", in.ID)
	if err != nil {
		return offer{}, err
	}
	change, err := s.changeOffer(in.offerFields, in.Method == http.MethodPut, someTerms())
	if err != nil {
		_, unknown := s.deals.Offer(ctx, sellerOf(p), id)
		return offer{}, cmp.Or(unknown, err)
	}
	o, err := s.deals.UpdateOffer(ctx, sellerOf(p), id, change)
	return showOffer(o), err
}

// landingFields are what a landing is written with.
type landingFields struct {
	URL          wire.Optional[string]    `json:"url" max:"2048"`
	Adaptability wire.Optional[string]    `json:"adaptability" enum:"All,Desktop,Mobile"`
	Title        wire.Optional[string]    `json:"title" max:"255"`
	CatalogID    wire.Optional[uuid.UUID] `json:"catalog_id"`
	Image        wire.Optional[string]    `json:"image_url" alias:"image" max:"2048"`
}

func (f landingFields) change(whole bool) (func(*deals.Landing), error) {
	var in input
	in.needs(f.URL.Set && f.URL.Value == "", "url")
	in.needs(f.CatalogID.Null, "catalog_id")
	change := func(l *deals.Landing) {
		setGiven(&l.URL, f.URL)
		setOr(&l.Adaptability, f.Adaptability, deals.Device(f.Adaptability.Value), deals.Devices()[0])
		set(&l.Title, f.Title)
		setGiven(&l.CatalogID, f.CatalogID)
		set(&l.ImageURL, f.Image)
	}
	if whole {
		l := deals.Landing{ID: "000000", Adaptability: deals.Devices()[0]} // not the input's
		change(&l)
		in.also(l.Validate())
	}
	return change, in.Err("landing")
}

type landing struct {
	ID           string       `json:"id"`
	URL          string       `json:"url"`
	ModifiedAt   second       `json:"modified_at"`
	Adaptability deals.Device `json:"adaptability"`
	Title        string       `json:"title"`
	CatalogID    uuid.UUID    `json:"catalog_id"`
	ImageURL     *string      `json:"image_url"`
}

func showLanding(l deals.Landing) landing {
	return landing{l.ID, l.URL, second(l.ModifiedAt), l.Adaptability, l.Title, l.CatalogID, orNull(l.ImageURL)}
}

func showLandings(list []deals.Landing) []landing {
	out := make([]landing, len(list))
	for i, l := range list {
		out[i] = showLanding(l)
	}
	return out
}

func (s *server) createLanding(ctx context.Context, p affiliate.Principal, in landingFields) (landing, error) {
	change, err := in.change(true)
	if err != nil {
		return landing{}, err
	}
	var l deals.Landing
	change(&l)
	created, err := s.deals.CreateLanding(ctx, sellerOf(p), l)
	return showLanding(created), err
}

type updateLanding struct {
	oneID
	Method wire.Method
	landingFields
}

func (s *server) updateLanding(ctx context.Context, p affiliate.Principal, in updateLanding) (landing, error) {
	change, err := in.change(in.Method == http.MethodPut)
	if err != nil {
		_, unknown := s.deals.Landing(ctx, sellerOf(p), in.ID)
		return landing{}, cmp.Or(unknown, err)
	}
	l, err := s.deals.ChangeLanding(ctx, sellerOf(p), in.ID, change)
	return showLanding(l), err
}

func (s *server) deleteLanding(ctx context.Context, p affiliate.Principal, in oneID) (wire.None, error) {
	return wire.None{}, s.deals.DeleteLanding(ctx, sellerOf(p), in.ID)
}
