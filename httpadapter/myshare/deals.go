package myshare

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

type createDeal struct {
	Status      string          `json:"status" required:"true" enum:"Paid,Created"`
	Offer       string          `json:"offer" required:"true" max:"255"`
	Cost        decimal.Decimal `json:"cost" required:"true"`
	Currency    string          `json:"currency" required:"true"`
	Returned    bool            `json:"is_returned"`
	PromoCode   string          `json:"promo_code" max:"64"`
	AnotherData string          `json:"another_data" max:"2048"`
	DealID      string          `json:"deal_id" required:"true" max:"255"`
	CatalogCode string          `json:"catalog_code" required:"true" max:"255"`
}

// dealCreated is the answer to a deal that was posted, the first time or again.
type dealCreated struct {
	AnotherData *string            `json:"another_data"`
	Cost        json.Number        `json:"cost"`
	Returned    bool               `json:"is_returned"`
	PromoCode   *string            `json:"promo_code"`
	Currency    affiliate.Currency `json:"currency"`
	Status      deals.Status       `json:"status"`
	Offer       string             `json:"offer"`
	DealID      string             `json:"deal_id"`
}

func (s *server) createDeal(ctx context.Context, p affiliate.Principal, in createDeal) (dealCreated, error) {
	var more input
	currency := s.currency(&more, "currency", in.Currency)
	cost := more.money("cost", in.Cost, currency)
	more.Check(!in.Returned, "is_returned", "not_canceled", "can be true only together with the status Canceled")
	if err := more.Err("deal"); err != nil {
		return dealCreated{}, err
	}
	d, err := s.deals.Post(ctx, sellerOf(p), deals.Posting{
		ExternalID: in.DealID, Status: deals.Status(in.Status), CatalogCode: in.CatalogCode, Offer: in.Offer,
		Cost: cost, PromoCode: in.PromoCode, AnotherData: in.AnotherData,
	})
	return dealCreated{
		AnotherData: orNull(d.AnotherData), Cost: number(d.Cost), Returned: d.Returned, PromoCode: orNull(d.UsedPromoCode()),
		Currency: d.Cost.Currency(), Status: d.Status, Offer: d.OfferName, DealID: d.ExternalID,
	}, err
}

// deal is a deal as it is read.
type deal struct {
	Offer          dealOffer          `json:"offer"`
	Cost           json.Number        `json:"cost"`
	PaymentSum     json.Number        `json:"payment_sum"`
	Returned       bool               `json:"is_returned"`
	ConversionTime second             `json:"conversion_time"`
	Promo          *dealPromo         `json:"promo"`
	Currency       affiliate.Currency `json:"currency"`
	Status         deals.Status       `json:"status"`
	ID             uuid.UUID          `json:"id"`
	ModifiedAt     second             `json:"modified_at"`
	PaidAt         second             `json:"paid_at"`
	ApprovedAt     second             `json:"approved_at"`
	CanceledAt     second             `json:"canceled_at"`
}

type dealOffer struct {
	Name    string      `json:"name"`
	Catalog dealCatalog `json:"catalog"`
}

type dealCatalog struct {
	Title string `json:"title"`
	Code  string `json:"catalog_code"`
}

type dealPromo struct {
	Code string `json:"code"`
}

func (s *server) getDeal(ctx context.Context, p affiliate.Principal, in oneID) (deal, error) {
	d, err := s.deals.Deal(ctx, sellerOf(p), in.ID)
	if err != nil {
		return deal{}, err
	}
	out := deal{
		Offer: dealOffer{d.Offer.Name, dealCatalog{d.Catalog.Title, d.Catalog.Code}},
		Cost:  float(d.Cost.Decimal()), PaymentSum: float(d.Reward.Decimal()), Returned: d.Returned, ConversionTime: second(d.CreatedAt),
		Currency: d.Cost.Currency(), Status: d.Status, ID: d.ID, ModifiedAt: second(d.ModifiedAt),
		PaidAt: second(d.PaidAt), ApprovedAt: second(d.ApprovedAt), CanceledAt: second(d.CanceledAt),
	}
	if code := d.UsedPromoCode(); code != "" {
		out.Promo = &dealPromo{code}
	}
	return out, nil
}

type updateDeal struct {
	oneID
	Status   wire.Optional[string]          `json:"status" enum:"Paid,Canceled,Created"`
	Cost     wire.Optional[decimal.Decimal] `json:"cost"`
	Returned wire.Optional[bool]            `json:"is_returned"`
	Comment  wire.Optional[string]          `json:"comment" max:"4000"`
}

// dealUpdated is the answer to a deal that was changed: its cost is a text.
type dealUpdated struct {
	Status   deals.Status `json:"status"`
	Cost     string       `json:"cost"`
	Returned bool         `json:"is_returned"`
	Comment  string       `json:"comment"`
}

func (s *server) updateDeal(ctx context.Context, p affiliate.Principal, in updateDeal) (dealUpdated, error) {
	changes := deals.Changes{Cost: optional(in.Cost), Returned: optional(in.Returned)}
	if given(in.Status) {
		changes.Status = affiliate.Some(deals.Status(in.Status.Value))
	}
	if in.Comment.Set { // null clears it
		changes.Comment = affiliate.Some(in.Comment.Value)
	}
	d, err := s.deals.ChangeDeal(ctx, sellerOf(p), in.ID, changes)
	return dealUpdated{d.Status, d.Cost.MajorString(), d.Returned, d.Comment}, err
}

type checkPromo struct {
	Code      string `query:"code"`
	CatalogID string `query:"catalog_id"`
}

type discount struct {
	Percent json.Number `json:"percent_discounts"`
}

func (s *server) checkPromo(ctx context.Context, p affiliate.Principal, in checkPromo) (discount, error) {
	code, err := s.deals.CheckPromoCode(ctx, sellerOf(p), in.CatalogID, in.Code)
	return discount{float(deals.Percent(code.Discount))}, err
}

type checkUID struct {
	Code string `query:"code"`
}

// checkUID answers to a partner's mark that it is known; it brings no discount.
func (s *server) checkUID(ctx context.Context, _ affiliate.Principal, in checkUID) (discount, error) {
	_, err := s.deals.CheckUID(ctx, in.Code)
	return discount{"0"}, err
}
