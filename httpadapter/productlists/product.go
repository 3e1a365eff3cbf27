package productlists

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// product is a product of a list.
type product struct {
	ID            string                    `json:"id"`
	Barcode       *json.Number              `json:"barcode"`
	Name          string                    `json:"name"`
	Description   string                    `json:"description"`
	CommissionURL string                    `json:"commission_url"`
	DirectURL     string                    `json:"direct_url"`
	ImageURL      *string                   `json:"image_url"`
	Currency      affiliate.Currency        `json:"currency"`
	RegularPrice  json.Number               `json:"regular_price"` // major units
	FinalPrice    json.Number               `json:"final_price"`
	OnSale        bool                      `json:"on_sale"`
	SaleDiscount  int                       `json:"sale_discount"` // percent
	Availability  productlists.Availability `json:"availability"`
	SKU           *sku                      `json:"sku"`
	Brand         *string                   `json:"brand"`
	Category      *string                   `json:"category"`
	Network       *party                    `json:"network"`
	Merchant      *party                    `json:"merchant"`
}

type party struct {
	ID      int64   `json:"id"`
	Name    string  `json:"name"`
	LogoURL *string `json:"logo_url"`
}

// gone is a product that the catalog does not know any more.
type gone struct {
	ID           string                    `json:"id"`
	Availability productlists.Availability `json:"availability"`
}

// listed is a product, or what is left of one.
type listed = wire.Either[product, gone]

func showProducts(items []productlists.Item) []listed {
	out := make([]listed, len(items))
	for i, item := range items {
		if item.Product.Set {
			out[i] = wire.First[product, gone](showProduct(item.Product.Value, item.CommissionURL))
		} else {
			out[i] = wire.Second[product](gone{item.ProductID, productlists.Unavailable})
		}
	}
	return out
}

func showProduct(p productlists.Product, commissionURL string) product {
	return product{
		ID: p.ID, Barcode: barcode(p.Barcode), Name: p.Name, Description: p.Description,
		CommissionURL: commissionURL, DirectURL: p.DirectURL, ImageURL: orNull(p.ImageURL),
		Currency: p.RegularPrice.Currency(), RegularPrice: json.Number(p.RegularPrice.MajorString()), FinalPrice: json.Number(p.FinalPrice.MajorString()),
		OnSale: p.OnSale(), SaleDiscount: p.SaleDiscount(), Availability: p.Availability, SKU: orNull(sku(p.SKU)),
		Brand: orNull(p.Brand), Category: orNull(p.Category), Network: showParty(p.Network), Merchant: showParty(p.Merchant),
	}
}

func showParty(p productlists.Party) *party {
	if p == (productlists.Party{}) {
		return nil
	}
	return &party{p.ID, p.Name, orNull(p.LogoURL)}
}

// barcode is digits as a number, which has no leading zeros; null without any.
func barcode(digits string) *json.Number {
	if digits == "" {
		return nil
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits = "0"
	}
	n := json.Number(digits)
	return &n
}

// maxExactInt is the largest integer below which all JSON readers agree.
const maxExactInt = 1<<53 - 1

// sku prints as a number when no reader can see another one in it, else as a
// text.
type sku string

// MarshalJSON prints the number or the text.
func (s sku) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(s), 10, 64); err == nil && n >= 0 && n <= maxExactInt && strconv.FormatInt(n, 10) == string(s) {
		return []byte(s), nil
	}
	return json.Marshal(string(s))
}
