package apisync

import (
	"context"
	"strconv"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

type itemBody struct {
	Data struct {
		identity
		Attributes itemInput `json:"attributes"`
	} `json:"data" required:"true"`
}

type itemInput struct {
	AdTemplateType   wire.Optional[string]            `json:"ad_template_type" alias:"ad-template-type"`
	Available        wire.Optional[bool]              `json:"available"`
	ContentLanguage  wire.Optional[string]            `json:"content_language" alias:"content-language"`
	Brand            wire.Optional[string]            `json:"brand"`
	Condition        wire.Optional[string]            `json:"condition"`
	CustomAttributes wire.Optional[[]customAttribute] `json:"custom_attributes" alias:"custom-attributes"`
	Description      wire.Optional[string]            `json:"description"`
	Images           wire.Optional[[]image]           `json:"images"`
	Link             wire.Optional[string]            `json:"link"`
	Model            wire.Optional[string]            `json:"model"`
	Price            wire.Optional[price]             `json:"price"`
	ReferenceID      wire.Optional[string]            `json:"reference_id" alias:"reference-id"`
	Title            wire.Optional[string]            `json:"title"`
	Year             wire.Optional[int]               `json:"year"`
}

// customAttribute: the document has the name of an attribute as label in its
// text and as name in its examples.
type customAttribute struct {
	Name       string `json:"name"`
	Label      string `json:"label"`
	Identifier string `json:"identifier"`
	Value      string `json:"value"`
}

type image struct {
	URL   string `json:"url"`
	Order *int   `json:"order"`
}

// price: without an amount there is none.
type price struct {
	Amount   *int64 `json:"amount"`
	Currency string `json:"currency"`
}

func (b itemBody) input() adsync.ItemInput {
	a := b.Data.Attributes
	return adsync.ItemInput{
		ID: b.Data.ID, ReferenceID: field(a.ReferenceID), AdTemplateType: field(a.AdTemplateType), Available: field(a.Available),
		ContentLanguage: field(a.ContentLanguage), Brand: field(a.Brand), Model: field(a.Model), Year: field(a.Year),
		Condition: fieldAs(a.Condition, func(s string) adsync.Condition { return adsync.Condition(s) }),
		Title:     field(a.Title), Description: field(a.Description), Link: field(a.Link),
		Images: fieldAs(a.Images, images), CustomAttributes: fieldAs(a.CustomAttributes, customAttributes), Price: fieldAs(a.Price, price.money),
	}
}

func images(in []image) []adsync.Image {
	out := make([]adsync.Image, len(in))
	for n, i := range in {
		out[n] = adsync.Image{URL: i.URL, Order: n + 1}
		if i.Order != nil {
			out[n].Order = *i.Order
		}
	}
	return out
}

func customAttributes(in []customAttribute) []adsync.CustomAttribute {
	out := make([]adsync.CustomAttribute, len(in))
	for n, a := range in {
		out[n] = adsync.CustomAttribute{Identifier: a.Identifier, Label: a.Label, Value: a.Value}
		if a.Label == "" {
			out[n].Label = a.Name
		}
	}
	return out
}

func (p price) money() affiliate.Money {
	if p.Amount == nil {
		return affiliate.Money{}
	}
	return affiliate.NewMoney(*p.Amount, affiliate.Currency(p.Currency))
}

const inventoryItems = "inventory-items"

type itemOutput struct {
	AdTemplateType   string            `json:"ad_template_type"`
	Available        bool              `json:"available"`
	Brand            *string           `json:"brand"`
	Condition        *adsync.Condition `json:"condition"`
	ContentLanguage  string            `json:"content_language"`
	CustomAttributes []customAttribute `json:"custom_attributes"`
	Description      *string           `json:"description"`
	Images           []imageOutput     `json:"images"`
	Link             *string           `json:"link"`
	Model            *string           `json:"model"`
	ReferenceID      *string           `json:"reference_id"`
	Price            *price            `json:"price"`
	Title            *string           `json:"title"`
	Year             *int              `json:"year"`
	Fingerprint      *string           `json:"fingerprint"`
	SoldOutAt        *string           `json:"sold_out_at"`
	CreatedAt        *string           `json:"created_at"`
}

type imageOutput struct {
	URL   string `json:"url"`
	Order int    `json:"order"`
}

func showItem(i adsync.Item) resource[itemOutput] {
	out := itemOutput{
		AdTemplateType: i.AdTemplateType, Available: i.Available, Brand: orNull(i.Brand), Condition: orNull(i.Condition), ContentLanguage: i.ContentLanguage,
		CustomAttributes: make([]customAttribute, len(i.CustomAttributes)), Description: orNull(i.Description), Images: make([]imageOutput, len(i.Images)),
		Link: orNull(i.Link), Model: orNull(i.Model), ReferenceID: orNull(i.ReferenceID), Title: orNull(i.Title),
		Fingerprint: orNull(i.Fingerprint), SoldOutAt: moment(i.SoldOutAt), CreatedAt: moment(i.CreatedAt),
	}
	for n, a := range i.CustomAttributes {
		out.CustomAttributes[n] = customAttribute{Name: a.Label, Label: a.Label, Identifier: a.Identifier, Value: a.Value}
	}
	for n, v := range i.Images {
		out.Images[n] = imageOutput(v)
	}
	if i.Price != (affiliate.Money{}) {
		amount := i.Price.Minor()
		out.Price = &price{Amount: &amount, Currency: string(i.Price.Currency())}
	}
	if i.Year != 0 {
		out.Year = &i.Year
	}
	return resource[itemOutput]{ID: i.ID.String(), Type: inventoryItems, Attributes: out}
}

func (s *server) saveItem(ctx context.Context, p affiliate.Principal, in itemBody) (wire.Reply[document[itemOutput]], error) {
	if err := in.Data.fits(inventoryItems); err != nil {
		return wire.Reply[document[itemOutput]]{}, err
	}
	i, created, err := s.of(p).SaveItem(ctx, in.input())
	return saved(showItem(i), created), err
}

type itemUpdate struct {
	one
	itemBody
}

func (s *server) updateItem(ctx context.Context, p affiliate.Principal, in itemUpdate) (document[itemOutput], error) {
	if err := in.Data.fits(inventoryItems); err != nil {
		return document[itemOutput]{}, err
	}
	i, err := s.of(p).UpdateItem(ctx, in.Key, in.input())
	return document[itemOutput]{showItem(i)}, err
}

func (s *server) getItem(ctx context.Context, p affiliate.Principal, in one) (document[itemOutput], error) {
	i, err := s.of(p).Item(ctx, in.Key)
	return document[itemOutput]{showItem(i)}, err
}

func (s *server) listItems(ctx context.Context, p affiliate.Principal, in query) (list[itemOutput], error) {
	var v affiliate.Validation
	var f adsync.ItemFilter
	in.filters(&v, func(name, value string) bool {
		switch name {
		case "reference_id":
			f.ReferenceID = value
		case "ad_template_type":
			f.AdTemplateType = value
		case "condition":
			f.Condition = adsync.Condition(value)
		case "available":
			yes, err := strconv.ParseBool(value)
			if err != nil && value != "" {
				v.Add("filter.available", "invalid", "must be true or false")
			}
			f.Available = affiliate.Some(yes)
		default:
			return false
		}
		return true
	})
	page := in.page(&v)
	if err := v.Err("item"); err != nil {
		return list[itemOutput]{}, err
	}
	found, err := s.of(p).Items(ctx, f, page)
	return show(in, found, showItem), err
}

const adAccounts = "ad-accounts"

type adAccountOutput struct {
	Service adsync.AdService `json:"service"`
	Name    string           `json:"name"`
}

func (s *server) listAdAccounts(ctx context.Context, p affiliate.Principal, in query) (list[adAccountOutput], error) {
	var v affiliate.Validation
	var f adsync.AdAccountFilter
	none := false
	in.filters(&v, func(name, value string) bool {
		switch name {
		case "service":
			f.Service = service(value)
		case "reference_id": // an ad account has none
			none = true
		case "state": // those in the list are connected
			v.Check(value == "" || adsync.State(value) == adsync.Active || adsync.State(value) == adsync.Paused || adsync.State(value) == adsync.Removed,
				"filter.state", "invalid", "must be one of active, paused, removed")
			none = none || adsync.State(value) != adsync.Active
		default:
			return false
		}
		return true
	})
	page := in.page(&v)
	if err := v.Err("ad_account"); err != nil {
		return list[adAccountOutput]{}, err
	}
	found, err := s.of(p).AdAccounts(ctx, f, page)
	if none {
		found = adsync.Page[adsync.AdAccount]{}
	}
	return show(in, found, func(a adsync.AdAccount) resource[adAccountOutput] {
		return resource[adAccountOutput]{ID: a.ID, Type: adAccounts, Attributes: adAccountOutput{a.Service(), a.Name}}
	}), err
}
