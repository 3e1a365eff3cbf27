package deals

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// tidy drops the spaces around a promo code: people paste it.
func (p Posting) tidy() Posting {
	p.PromoCode = strings.TrimSpace(p.PromoCode)
	return p
}

// validate checks what can be checked without looking anything up.
func (p Posting) validate() error {
	var v affiliate.Validation
	v.Text("deal_id", p.ExternalID, 1, MaxExternalID)
	v.Check(p.Status == Created || p.Status == Paid, "status", "not_in_list", "must be one of Paid, Created")
	v.Text("catalog_code", p.CatalogCode, 1, MaxCode)
	v.Text("offer", p.Offer, 1, MaxName)
	v.Check(p.Cost.Currency().Valid(), "currency", "unknown_currency", "must be an ISO 4217 currency")
	v.Check(p.Cost.Sign() >= 0, "cost", "out_of_range", "must not be negative")
	v.Text("promo_code", p.PromoCode, 0, MaxPromoCode)
	v.Text("another_data", p.AnotherData, 0, MaxAnotherData)
	return v.Err("deal")
}

// sameAs refuses a posting of a known deal with other parameters, naming them.
func (p Posting) sameAs(d Deal) error {
	var v affiliate.Validation
	for _, part := range []struct {
		field string
		same  bool
	}{
		{"catalog_code", p.CatalogCode == d.CatalogCode},
		{"offer", p.Offer == d.OfferName},
		{"cost", p.Cost.Minor() == d.Cost.Minor()},
		{"currency", p.Cost.Currency() == d.Cost.Currency()},
		{"promo_code", FoldCode(p.PromoCode) == FoldCode(d.PromoCode)},
		{"another_data", p.AnotherData == d.AnotherData},
	} {
		v.Check(part.same, part.field, "differs", "differs from what the deal with this deal_id was created with")
	}
	return v.Err("deal")
}

// deal is the new deal of a posting, Created, without id and times.
func (p Posting) deal(ctx context.Context, tx Tx, businessPartnerID uuid.UUID) (Deal, error) {
	c, o, err := p.find(ctx, tx, businessPartnerID)
	if err != nil {
		return Deal{}, err
	}
	d := Deal{
		BusinessPartnerID: businessPartnerID, ExternalID: p.ExternalID, CatalogID: c.ID, OfferID: o.ID,
		CatalogCode: p.CatalogCode, OfferName: p.Offer, Status: Created, Cost: p.Cost, PromoCode: p.PromoCode, AnotherData: p.AnotherData,
		Hold: c.Hold, Cancel: c.Cancel,
	}
	if d.PartnerID, d.Source, err = p.attribute(ctx, tx, c, o); err != nil {
		return Deal{}, err
	}
	if d.Source != Unattributed {
		d.Terms = o.Terms
	}
	d.Reward, err = d.reward()
	return d, err
}

// find is the catalog and the offer of a new deal. The offer must be on sale. The
// catalog need not be published: traffic cannot be stopped at once, and whoever
// has sent a customer is paid.
func (p Posting) find(ctx context.Context, tx Tx, businessPartnerID uuid.UUID) (Catalog, Offer, error) {
	var v affiliate.Validation
	c, err := optional(tx.Catalogs().ByCode(ctx, businessPartnerID, p.CatalogCode))
	if err != nil {
		return Catalog{}, Offer{}, err
	}
	if !c.Set {
		v.Add("catalog_code", "unknown", "must be the code of one of your catalogs")
		return Catalog{}, Offer{}, v.Err("deal")
	}
	o, err := optional(tx.CatalogOffers().ByName(ctx, c.Value.ID, p.Offer))
	if err != nil {
		return Catalog{}, Offer{}, err
	}
	switch {
	case !o.Set:
		v.Add("offer", "unknown", "must be the name of an offer in the catalog")
	case !o.Value.Active:
		v.Add("offer", "not_active", "must be an active offer")
	default:
		v.Check(o.Value.SoldIn(p.Cost.Currency()), "currency", "no_price", "must be a currency that the offer has a price in")
	}
	return c.Value, o.Value, v.Err("deal")
}

// attribute finds who brought the customer. A mark in the link wins over a
// promo code, which then is not looked at; a mark that is nobody's, or of a
// partner that may not work with the catalog, counts for nothing.
func (p Posting) attribute(ctx context.Context, tx Tx, c Catalog, o Offer) (uuid.UUID, Source, error) {
	uids := ParseAnotherData(p.AnotherData).UIDs
	if len(uids) > 0 {
		known, err := tx.UIDs().GetMany(ctx, uids)
		if err != nil {
			return uuid.Nil, Unattributed, err
		}
		for _, uid := range uids { // the first one counts
			i := slices.IndexFunc(known, func(k UID) bool { return k.UID == uid })
			if i < 0 {
				continue
			}
			ok, err := admitted(ctx, tx, c, known[i].PartnerID)
			if err != nil {
				return uuid.Nil, Unattributed, err
			}
			if ok {
				return known[i].PartnerID, ByUID, nil
			}
		}
	}
	if p.PromoCode == "" {
		return uuid.Nil, Unattributed, nil
	}
	return p.byPromoCode(ctx, tx, c, o)
}

func (p Posting) byPromoCode(ctx context.Context, tx Tx, c Catalog, o Offer) (uuid.UUID, Source, error) {
	code, err := optional(tx.PromoCodes().Get(ctx, c.ID, p.PromoCode))
	if err != nil {
		return uuid.Nil, Unattributed, err
	}
	var v affiliate.Validation
	switch {
	case !code.Set:
		v.Add("promo_code", "unknown", "must be a promo code of the catalog")
	case !c.PromoCodesAllowed:
		v.Add("promo_code", "not_allowed", "is not allowed in this catalog")
	case !o.PromoCodesAllowed:
		v.Add("promo_code", "not_allowed", "is not allowed for this offer")
	default:
		ok, err := admitted(ctx, tx, c, code.Value.PartnerID)
		if err != nil {
			return uuid.Nil, Unattributed, err
		}
		v.Check(ok, "promo_code", "not_admitted", "is of a partner without access to the catalog")
	}
	if err := v.Err("deal"); err != nil {
		return uuid.Nil, Unattributed, err
	}
	return code.Value.PartnerID, ByPromoCode, nil
}

func textUnlessZero(d decimal.Decimal) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}
