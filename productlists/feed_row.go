package productlists

import (
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// feedRow is a product as a feed spells it: everything is text.
type feedRow struct {
	ID            feedText  `json:"id"`
	Barcode       feedText  `json:"barcode"`
	Name          feedText  `json:"name"`
	Description   feedText  `json:"description"`
	CommissionURL feedText  `json:"commission_url"`
	DirectURL     feedText  `json:"direct_url"`
	ImageURL      feedText  `json:"image_url"`
	Currency      feedText  `json:"currency"`
	RegularPrice  feedText  `json:"regular_price"`
	FinalPrice    feedText  `json:"final_price"`
	Availability  feedText  `json:"availability"`
	SKU           feedText  `json:"sku"`
	Brand         feedText  `json:"brand"`
	Category      feedText  `json:"category"`
	Network       feedParty `json:"network"`
	Merchant      feedParty `json:"merchant"`

	// Of feeds that have columns of their own; see presetColumns.
	SalePrice feedText `json:"-"`
	SaleDates feedText `json:"-"`
	SaleFrom  feedText `json:"-"`
	SaleUntil feedText `json:"-"`
	Handle    feedText `json:"-"`
	Option1   feedText `json:"-"`
	Option2   feedText `json:"-"`
	Option3   feedText `json:"-"`
	Kind      feedText `json:"-"`
}

type feedParty struct {
	ID      feedText `json:"id"`
	Name    feedText `json:"name"`
	LogoURL feedText `json:"logo_url"`
}

// feedText takes a JSON string or number as its text, null as none.
type feedText string

var errNotText = errors.New("must be a string or a number")

// UnmarshalJSON reads a string or a number.
func (t *feedText) UnmarshalJSON(b []byte) error {
	switch {
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(t))
	case b[0] == '-' || '0' <= b[0] && b[0] <= '9':
		*t = feedText(b)
	case string(b) != "null":
		return errNotText
	}
	return nil
}

// at is where a column of the row is; nil for none.
func (f *feedRow) at(column string) *feedText {
	switch column {
	case "id":
		return &f.ID
	case "barcode":
		return &f.Barcode
	case "name":
		return &f.Name
	case "description":
		return &f.Description
	case "commission_url":
		return &f.CommissionURL
	case "direct_url":
		return &f.DirectURL
	case "image_url":
		return &f.ImageURL
	case "currency":
		return &f.Currency
	case "regular_price":
		return &f.RegularPrice
	case "final_price":
		return &f.FinalPrice
	case "availability":
		return &f.Availability
	case "sku":
		return &f.SKU
	case "brand":
		return &f.Brand
	case "category":
		return &f.Category
	}
	return f.atMore(column)
}

func (f *feedRow) atMore(column string) *feedText {
	switch column {
	case "network_id":
		return &f.Network.ID
	case "network_name":
		return &f.Network.Name
	case "network_logo_url":
		return &f.Network.LogoURL
	case "merchant_id":
		return &f.Merchant.ID
	case "merchant_name":
		return &f.Merchant.Name
	case "merchant_logo_url":
		return &f.Merchant.LogoURL
	case "sale_price":
		return &f.SalePrice
	case "sale_dates":
		return &f.SaleDates
	case "sale_from":
		return &f.SaleFrom
	case "sale_until":
		return &f.SaleUntil
	case "handle":
		return &f.Handle
	case "option1":
		return &f.Option1
	case "option2":
		return &f.Option2
	case "option3":
		return &f.Option3
	case "kind":
		return &f.Kind
	}
	return nil
}

// trim drops the spaces around every text.
func (f *feedRow) trim() {
	for _, column := range ownColumns {
		at := f.at(column)
		*at = feedText(strings.TrimSpace(string(*at)))
	}
}

// source is what all rows of one feed have in common.
type source struct {
	columns  columnNames
	currency affiliate.Currency // of prices that name none
	baseURL  string             // before what a feed has instead of addresses
	now      time.Time
	parent   feedRow // the last row with a name: Shopify's variants follow it
}

// rowResult is what became of a row: a product, or the reason why it is none.
type rowResult struct {
	product Product
	line    int      // that it begins on; in a list of JSON its number
	size    int      // of its text
	reason  string   // why it is no product
	dropped []string // why optional fields are not in it
	skipped bool     // it is no row of a product and counts for nothing
}

// result makes a product of a row.
func (s *source) result(row *feedRow, line, size int) rowResult {
	r := rowResult{line: line, size: size}
	if s.inherit(row) {
		r.skipped = true
		return r
	}
	var v affiliate.Validation
	r.product, r.dropped = s.product(row, &v)
	if err := v.Err("product"); err != nil {
		r.reason, r.dropped = reasonOf(err), nil
	}
	return r
}

// inherit fills in what the variants of a Shopify product have in its first row
// alone. It reports true for a row that only has one more image.
func (s *source) inherit(row *feedRow) (image bool) {
	if row.Handle == "" {
		return false
	}
	if row.Name != "" || s.parent.Handle != row.Handle {
		s.parent = *row
	} else {
		for _, column := range []string{"name", "description", "brand", "category", "image_url", "direct_url"} {
			if at := row.at(column); *at == "" {
				*at = *s.parent.at(column)
			}
		}
		if row.FinalPrice == "" && row.RegularPrice == "" && row.SalePrice == "" {
			return true
		}
	}
	if row.ID == "" {
		if row.ID = row.SKU; row.ID == "" {
			row.ID = row.Handle
			for _, option := range []feedText{row.Option1, row.Option2, row.Option3} {
				if option != "" && option != "Default Title" {
					row.ID += "/" + option
				}
			}
		}
	}
	if row.DirectURL == "" && s.baseURL != "" {
		row.DirectURL = feedText(s.baseURL + "/products/" + url.PathEscape(string(row.Handle)))
	}
	return false
}

// optional are the fields that a product can be without, and how it is then.
var optional = map[string]func(*Product){
	"barcode":        func(p *Product) { p.Barcode = "" },
	"description":    func(p *Product) { p.Description = "" },
	"commission_url": func(p *Product) { p.CommissionURL = "" },
	"image_url":      func(p *Product) { p.ImageURL = "" },
	"sku":            func(p *Product) { p.SKU = "" },
	"brand":          func(p *Product) { p.Brand = "" },
	"category":       func(p *Product) { p.Category = "" },
	"network":        func(p *Product) { p.Network = Party{} },
	"merchant":       func(p *Product) { p.Merchant = Party{} },
}

// product is the row as a product; every required column that is wrong is added
// to v. Optional ones that cannot be used are dropped and told.
func (s *source) product(f *feedRow, v *affiliate.Validation) (p Product, dropped []string) {
	p = Product{
		ID: string(f.ID), Barcode: barcode(f.Barcode), Name: unescaped(f.Name), Description: unescaped(f.Description),
		CommissionURL: address(f.CommissionURL), DirectURL: address(f.DirectURL), ImageURL: s.image(f.ImageURL),
		SKU: string(f.SKU), Brand: unescaped(f.Brand), Category: unescaped(f.Category), Availability: InStock,
	}
	if p.ID == "" {
		p.ID = p.SKU
	}
	if p.DirectURL == "" {
		if p.DirectURL = p.CommissionURL; p.DirectURL == "" && s.baseURL != "" && p.ID != "" {
			p.DirectURL = s.baseURL + "/?p=" + url.QueryEscape(p.ID)
		}
	}
	drop := func(field, message string) { dropped = append(dropped, field+" "+message) }
	if f.Availability != "" {
		known, ok := feedAvailability(string(f.Availability))
		if ok {
			p.Availability = known
		} else {
			drop("availability", "must be in stock, out of stock, preorder, backorder or unavailable")
		}
	}
	var parties affiliate.Validation
	p.Network = f.Network.party(&parties, "network")
	p.Merchant = f.Merchant.party(&parties, "merchant")
	if e, ok := errors.AsType[*affiliate.Error](parties.Err("")); ok {
		for _, field := range e.Fields {
			drop(field.Field, field.Message)
		}
	}
	if !s.prices(f, v, &p, drop) { // one fault is told once, not again by Validate
		p.RegularPrice, p.FinalPrice = affiliate.NewMoney(0, "EUR"), affiliate.NewMoney(0, "EUR")
	}
	if e, ok := errors.AsType[*affiliate.Error](p.Validate()); ok {
		for _, field := range e.Fields {
			name, _, _ := strings.Cut(field.Field, ".")
			if clear := optional[name]; clear != nil {
				clear(&p)
				drop(field.Field, field.Message)
			} else {
				v.Add(field.Field, field.Code, field.Message)
			}
		}
	}
	return p, slices.Compact(dropped)
}

// unescaped is a text of which feeds often have HTML entities left.
func unescaped(t feedText) string {
	if !strings.Contains(string(t), "&") {
		return string(t)
	}
	return html.UnescapeString(string(t))
}

// address is an address without the entities that are left of XML.
func address(t feedText) string { return strings.ReplaceAll(string(t), "&amp;", "&") }

// image is the first of several images.
func (s *source) image(t feedText) string {
	first, _, several := strings.Cut(string(t), ", http")
	if several {
		return address(feedText(strings.TrimSpace(first)))
	}
	return address(t)
}

// barcode leaves out what people write between digits, and before them.
func barcode(t feedText) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\'' {
			return -1
		}
		return r
	}, string(t))
}

// feedAvailability also knows the words of feeds that ask whether something is in
// stock.
func feedAvailability(s string) (Availability, bool) {
	if a, ok := ParseAvailability(s); ok {
		return a, true
	}
	switch squeeze(s) {
	case "1", "yes", "y", "true", "available", "instockonline":
		return InStock, true
	case "0", "no", "n", "false", "notavailable", "onbackorder":
		return OutOfStock, true
	}
	return "", false
}

func (f feedParty) party(v *affiliate.Validation, field string) Party {
	p := Party{Name: unescaped(f.Name), LogoURL: address(f.LogoURL)}
	if f.ID != "" {
		id, err := strconv.ParseInt(string(f.ID), 10, 64)
		v.Check(err == nil, field+".id", "invalid_integer", "must be a whole number")
		if err == nil {
			p.ID = id
		}
	}
	return p
}

// reasonOf puts a validation error into one line.
func reasonOf(err error) string {
	e, ok := err.(*affiliate.Error)
	if !ok {
		return err.Error()
	}
	reasons := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		reasons[i] = f.Field + " " + f.Message
	}
	return strings.Join(reasons, "; ")
}
