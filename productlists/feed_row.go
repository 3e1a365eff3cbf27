package productlists

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

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

// csvColumns are the columns of a CSV feed and where they go.
func csvColumns() map[string]func(*feedRow) *feedText {
	return map[string]func(*feedRow) *feedText{
		"id":                func(f *feedRow) *feedText { return &f.ID },
		"barcode":           func(f *feedRow) *feedText { return &f.Barcode },
		"name":              func(f *feedRow) *feedText { return &f.Name },
		"description":       func(f *feedRow) *feedText { return &f.Description },
		"commission_url":    func(f *feedRow) *feedText { return &f.CommissionURL },
		"direct_url":        func(f *feedRow) *feedText { return &f.DirectURL },
		"image_url":         func(f *feedRow) *feedText { return &f.ImageURL },
		"currency":          func(f *feedRow) *feedText { return &f.Currency },
		"regular_price":     func(f *feedRow) *feedText { return &f.RegularPrice },
		"final_price":       func(f *feedRow) *feedText { return &f.FinalPrice },
		"availability":      func(f *feedRow) *feedText { return &f.Availability },
		"sku":               func(f *feedRow) *feedText { return &f.SKU },
		"brand":             func(f *feedRow) *feedText { return &f.Brand },
		"category":          func(f *feedRow) *feedText { return &f.Category },
		"network_id":        func(f *feedRow) *feedText { return &f.Network.ID },
		"network_name":      func(f *feedRow) *feedText { return &f.Network.Name },
		"network_logo_url":  func(f *feedRow) *feedText { return &f.Network.LogoURL },
		"merchant_id":       func(f *feedRow) *feedText { return &f.Merchant.ID },
		"merchant_name":     func(f *feedRow) *feedText { return &f.Merchant.Name },
		"merchant_logo_url": func(f *feedRow) *feedText { return &f.Merchant.LogoURL },
	}
}

// product is the row as a product, or the *affiliate.Error that names every
// column that is wrong.
func (f *feedRow) product() (Product, error) {
	p := Product{
		ID: string(f.ID), Barcode: string(f.Barcode), Name: string(f.Name), Description: string(f.Description),
		CommissionURL: string(f.CommissionURL), DirectURL: string(f.DirectURL), ImageURL: string(f.ImageURL),
		SKU: string(f.SKU), Brand: string(f.Brand), Category: string(f.Category), Availability: InStock,
	}
	var v affiliate.Validation
	if f.Availability != "" {
		known, ok := ParseAvailability(string(f.Availability))
		v.Check(ok, "availability", "unknown_availability", "must be in stock, out of stock, preorder, backorder or unavailable")
		if ok {
			p.Availability = known
		}
	}
	p.Network = f.Network.party(&v, "network")
	p.Merchant = f.Merchant.party(&v, "merchant")
	if !f.prices(&v, &p) { // one fault is told once, not again by Validate
		p.RegularPrice, p.FinalPrice = affiliate.NewMoney(0, "EUR"), affiliate.NewMoney(0, "EUR")
	}
	v.Merge("", p.Validate())
	return p, v.Err("product")
}

// prices reads the two prices; where one is missing it is the other.
func (f *feedRow) prices(v *affiliate.Validation, p *Product) bool {
	currency, err := affiliate.ParseCurrency(string(f.Currency))
	if err != nil {
		v.Merge("", err)
		return false
	}
	regular, final, name := f.RegularPrice, f.FinalPrice, "regular_price"
	switch {
	case regular == "" && final == "":
		v.Add("regular_price", "required", "is required")
		return false
	case regular == "":
		regular, name = final, "final_price"
	case final == "":
		final = regular
	}
	p.RegularPrice, err = parsePrice(regular, currency)
	ok := err == nil
	v.Merge("", renamed(err, name))
	p.FinalPrice, err = parsePrice(final, currency)
	if final != regular {
		v.Merge("", renamed(err, "final_price"))
	}
	return ok && err == nil
}

// parsePrice reads major units. Zeros that the currency has no digits for are
// no loss: "120.00" JPY.
func parsePrice(s feedText, c affiliate.Currency) (affiliate.Money, error) {
	text := string(s)
	if whole, fraction, ok := strings.Cut(text, "."); ok && len(fraction) > c.Digits() && len(text) <= 40 {
		fraction = fraction[:c.Digits()] + strings.TrimRight(fraction[c.Digits():], "0")
		if text = whole; fraction != "" {
			text += "." + fraction
		}
	}
	return affiliate.ParseMoney(text, c)
}

func (f feedParty) party(v *affiliate.Validation, field string) Party {
	p := Party{Name: string(f.Name), LogoURL: string(f.LogoURL)}
	if f.ID != "" {
		id, err := strconv.ParseInt(string(f.ID), 10, 64)
		v.Check(err == nil, field+".id", "invalid_integer", "must be a whole number")
		p.ID = id
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

// csvFeed reads FeedCSV.
type csvFeed struct {
	csv     csvReader
	columns []func(*feedRow) *feedText // by place; nil: skipped
	fields  []string
	row     feedRow
}

func newCSVFeed(r io.Reader) (*csvFeed, error) {
	f := &csvFeed{csv: csvReader{lines: newLineReader(r)}}
	header, reason, err := f.csv.record(nil)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var v affiliate.Validation
	v.Check(reason == "", "header", "malformed", reason)
	known, seen := csvColumns(), map[string]bool{}
	for _, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		v.Check(known[name] == nil || !seen[name], "header."+name, "duplicate", "must be named once")
		seen[name] = true
		f.columns = append(f.columns, known[name])
	}
	for _, name := range [...]string{"id", "name", "direct_url", "currency"} {
		v.Check(reason != "" || seen[name], "header."+name, "required", "is required")
	}
	v.Check(reason != "" || seen["regular_price"] || seen["final_price"], "header.regular_price", "required", "or final_price is required")
	return f, v.Err("product_feed")
}

func (f *csvFeed) next() (p Product, line, size int, reason string, err error) {
	f.fields, reason, err = f.csv.record(f.fields[:0])
	line, size = f.csv.first, f.csv.size
	if err != nil || reason != "" {
		return p, line, size, reason, err
	}
	if len(f.fields) != len(f.columns) {
		return p, line, size, fmt.Sprintf("has %d columns, the header has %d", len(f.fields), len(f.columns)), nil
	}
	f.row = feedRow{}
	for i, column := range f.columns {
		if column != nil {
			*column(&f.row) = feedText(strings.TrimSpace(f.fields[i]))
		}
	}
	if p, err = f.row.product(); err != nil {
		return Product{}, line, size, reasonOf(err), nil
	}
	return p, line, size, "", nil
}

// jsonFeed reads FeedJSONLines.
type jsonFeed struct {
	lines *lineReader
	row   feedRow
}

func newJSONFeed(r io.Reader) *jsonFeed { return &jsonFeed{lines: newLineReader(r)} }

func (f *jsonFeed) next() (p Product, line, size int, reason string, err error) {
	var text []byte
	for len(text) == 0 {
		raw, tooLong, err := f.lines.next()
		if err != nil || tooLong {
			return p, f.lines.n, 0, reasonTooLong, err
		}
		text = bytes.TrimSpace(raw)
	}
	line, size = f.lines.n, len(text)
	if !utf8.Valid(text) {
		return p, line, size, "is not valid UTF-8", nil
	}
	f.row = feedRow{}
	if err := json.Unmarshal(text, &f.row); err != nil {
		return p, line, size, jsonReason(err), nil
	}
	if text[0] != '{' {
		return p, line, size, "is not a JSON object", nil
	}
	if p, err = f.row.product(); err != nil {
		return Product{}, line, size, reasonOf(err), nil
	}
	return p, line, size, "", nil
}

// jsonReason says what is wrong without the names of our types.
func jsonReason(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return "is not a JSON object"
		}
		return e.Field + " has the wrong type"
	}
	if errors.Is(err, errNotText) {
		return "a value must be a string or a number"
	}
	return "is not valid JSON"
}
