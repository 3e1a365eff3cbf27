package adsync

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/placeholder"
)

// placeholderForm is an identifier in angle brackets. Any other use of the
// brackets is plain text.
var placeholderForm = regexp.MustCompile(`<([A-Za-z0-9_-]+)>`)

// itemFields are the identifiers that every item has, as a template sees them.
// A custom attribute of the same name comes first.
var itemFields = map[string]func(Item) string{
	"ad_template_type": func(i Item) string { return i.AdTemplateType },
	"brand":            func(i Item) string { return i.Brand },
	"condition":        func(i Item) string { return string(i.Condition) },
	"content_language": func(i Item) string { return i.ContentLanguage },
	"currency":         func(i Item) string { return string(i.Price.Currency()) },
	"description":      func(i Item) string { return i.Description },
	"image":            Item.Cover,
	"link":             func(i Item) string { return i.Link },
	"model":            func(i Item) string { return i.Model },
	"price": func(i Item) string {
		if i.Price == (affiliate.Money{}) {
			return ""
		}
		return i.Price.Decimal().StringFixed(int32(i.Price.Currency().Digits()))
	},
	"reference_id": func(i Item) string { return i.ReferenceID },
	"title":        func(i Item) string { return i.Title },
	"year": func(i Item) string {
		if i.Year == 0 {
			return ""
		}
		return strconv.Itoa(i.Year)
	},
}

// value returns what an identifier stands for on the item.
func (i Item) value(identifier string) (string, bool) {
	for _, a := range i.CustomAttributes {
		if a.Identifier == identifier {
			return a.Value, true
		}
	}
	field, ok := itemFields[identifier]
	if !ok {
		return "", false
	}
	return field(i), true
}

// Render returns the creative and the destination URL of the item's ad: each
// <identifier> of the template is replaced by the item's custom attribute or
// field of that name. What looks like a placeholder inside a value stays as it
// is. In a URL a value is escaped, unless the URL begins with it.
//
// An identifier that the item does not have is ErrInvalid: the error names the
// template's field, with the code "unknown_placeholder", and the identifier. So
// is a result that no ad may have, with the code of what is wrong.
func (t Template) Render(i Item) (Creative, string, error) {
	var v affiliate.Validation
	var c Creative
	for _, f := range t.Type.Fields() {
		f.Set(&c, fill(&v, "creative."+f.Name, f.Text(t.Creative), f.IsURL, i))
	}
	destination := fill(&v, "destination_url", t.DestinationURL, true, i)
	if err := v.Err("ad_template"); err != nil {
		return Creative{}, "", err
	}
	validateCreative(&v, t.Type, c, false)
	checkURL(&v, "destination_url", destination, true)
	if err := v.Err("ad_template"); err != nil {
		return Creative{}, "", err
	}
	return c, destination, nil
}

func fill(v *affiliate.Validation, field, template string, isURL bool, i Item) string {
	var b strings.Builder
	rest := template
	for {
		at := placeholderForm.FindStringSubmatchIndex(rest)
		if at == nil {
			b.WriteString(rest)
			return b.String()
		}
		b.WriteString(rest[:at[0]])
		identifier := rest[at[2]:at[3]]
		value, ok := i.value(identifier)
		if !ok {
			v.Add(field, "unknown_placeholder", "must not use <"+identifier+">: the item has no custom attribute or field of that name")
		}
		if isURL && b.Len() > 0 {
			value = placeholder.Escape(value)
		}
		b.WriteString(value)
		rest = rest[at[1]:]
	}
}

// Placeholders returns the identifiers that a template's texts use, each once,
// in the order in which they come first.
func (t Template) Placeholders() []string {
	var out []string
	seen := map[string]bool{}
	collect := func(text string) {
		for _, found := range placeholderForm.FindAllStringSubmatch(text, -1) {
			if !seen[found[1]] {
				seen[found[1]] = true
				out = append(out, found[1])
			}
		}
	}
	for _, f := range t.Type.Fields() {
		collect(f.Text(t.Creative))
	}
	collect(t.DestinationURL)
	return out
}
