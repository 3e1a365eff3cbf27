package productlists

import (
	"strings"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/placeholder"
)

// DefaultTemplate sends the reader straight to the shop.
const DefaultTemplate = ":TARGET_URL"

// The placeholders of a commission template, each before those that it begins
// with. All but the bare target are percent-encoded when filled in.
var placeholders = []string{":TARGET_URL_ENCODED", ":TARGET_URL", ":PRODUCT_ID", ":LIST_ID", ":ACCOUNT_ID"}

// Place is where a tracked link is shown.
type Place struct {
	AccountID string
	ListID    uuid.UUID
}

// validateTemplate checks the template of a tracked link:
//
//	https://network.example/click-123?url=:TARGET_URL_ENCODED&sub=:LIST_ID
//
// :TARGET_URL is the product's direct URL as it stands, :TARGET_URL_ENCODED the
// same for use in a query; :PRODUCT_ID, :LIST_ID and :ACCOUNT_ID tell the
// network where the reader came from. A template is :TARGET_URL alone, or an
// http or https address whose host no placeholder is part of; at most
// MaxURLBytes. One without any placeholder is an address that is finished
// already. The error is of kind affiliate.ErrInvalid, field "commission_url".
func validateTemplate(template string) error {
	code, message := checkTemplate(template)
	if code == "" {
		return nil
	}
	return affiliate.Invalid("product", affiliate.FieldError{Field: "commission_url", Code: code, Message: message})
}

func checkTemplate(template string) (code, message string) {
	if template == DefaultTemplate {
		return "", ""
	}
	var v affiliate.Validation
	v.Text("", template, 1, MaxURLBytes)
	if e, ok := v.Err("").(*affiliate.Error); ok {
		return e.Fields[0].Code, e.Fields[0].Message
	}
	if word := placeholder.Unknown(template, placeholders); word != "" {
		return "unknown_placeholder", "must not contain " + word + ": the placeholders are " + strings.Join(placeholders, ", ")
	}
	const notURL = "must be :TARGET_URL or an http or https address of at most 2048 bytes"
	if len(template) > MaxURLBytes || !isWebAddress(template) {
		return "not_a_url", notURL
	}
	head, name := placeholder.Cut(template, placeholders)
	rest, _ := cutScheme(head)
	if name != "" && !strings.ContainsAny(rest, "/?#") {
		return "not_a_url", "must have a host that no placeholder is part of"
	}
	return "", ""
}

// fillTemplate makes the tracked link of a product. What looks like a
// placeholder inside a value is not filled in.
func fillTemplate(template string, p Product, at Place) string {
	if template == DefaultTemplate {
		return p.DirectURL
	}
	var b strings.Builder
	b.Grow(len(template) + 2*len(p.DirectURL))
	for template != "" {
		head, name := placeholder.Cut(template, placeholders)
		template = template[len(head)+len(name):]
		b.WriteString(head)
		switch name {
		case ":TARGET_URL_ENCODED":
			b.WriteString(placeholder.Escape(p.DirectURL))
		case ":TARGET_URL":
			b.WriteString(p.DirectURL)
		case ":PRODUCT_ID":
			b.WriteString(placeholder.Escape(p.ID))
		case ":LIST_ID":
			b.WriteString(at.ListID.String())
		case ":ACCOUNT_ID":
			b.WriteString(placeholder.Escape(at.AccountID))
		}
	}
	return b.String()
}
