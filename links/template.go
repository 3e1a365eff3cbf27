package links

import (
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// DefaultTemplate sends the reader straight to the shop.
const DefaultTemplate = ":TARGET_URL"

// MaxTemplateBytes bounds a tracking template.
const MaxTemplateBytes = 2048

// TemplateValues is what the placeholders of a tracking template stand for.
type TemplateValues struct {
	TargetURL string // the shop URL, best as URL.Full writes it
	LinkID    int64
	UserID    int64
	ClickID   string // known only at the redirect; "" leaves :CLICK_ID standing
}

// placeholders, each before those that it begins with.
var placeholders = []string{":TARGET_URL_ENCODED", ":TARGET_URL", ":LINK_ID", ":CLICK_ID", ":USER_ID"}

// ValidateTemplate checks a tracking template. It must hold :TARGET_URL or
// :TARGET_URL_ENCODED, and be an http or https URL when filled in. Only the
// shop URL may decide about the host, and only by coming first: a template
// begins with :TARGET_URL or with a scheme and a host of its own that no
// placeholder is part of. At most MaxTemplateBytes, valid UTF-8, no control
// characters. The error is of kind affiliate.ErrInvalid with one field
// "tracking_template".
func ValidateTemplate(template string) error {
	code, message := checkTemplate(template)
	if code == "" {
		return nil
	}
	return affiliate.Invalid("advertiser", affiliate.FieldError{Field: "tracking_template", Code: code, Message: message})
}

func checkTemplate(template string) (code, message string) {
	if len(template) > MaxTemplateBytes {
		return "too_long", "must be at most 2048 bytes"
	}
	if code, message := checkText(template); code != "" {
		return code, message
	}
	if !strings.Contains(template, ":TARGET_URL") {
		return "target_missing", "must contain :TARGET_URL or :TARGET_URL_ENCODED"
	}
	const notURL = "must be an http or https address when filled in"
	head, first := affiliate.CutPlaceholder(template, placeholders)
	if head == "" && first == ":TARGET_URL" {
		return "", "" // the shop's own address; FillTemplate keeps its host apart from the rest
	}
	_, rest, ok := cutScheme(head)
	if !ok || !strings.ContainsAny(rest, "/?#") {
		return "not_a_url", notURL
	}
	if _, err := Normalize(head); err != nil {
		return "not_a_url", notURL
	}
	if strings.ContainsAny(template, ` "<>\`) {
		return "not_a_url", "must have spaces, quotes, angle brackets and backslashes percent-encoded"
	}
	return "", ""
}

// FillTemplate fills in a tracking template in one pass: what looks like a
// placeholder inside a value is never filled in. For the same reason a link
// keeps its template and its shop URL, not the text in between: the redirect
// fills in both again, with the click id.
//
// :TARGET_URL is the shop URL as it stands; when a template goes on behind it,
// a shop URL without a path gets "/" first, so that what follows cannot become
// part of its host. :TARGET_URL_ENCODED is percent-encoded for use as a query
// value, and so is the click id.
func FillTemplate(template string, v TemplateValues) string {
	if template == DefaultTemplate {
		return v.TargetURL
	}
	var b strings.Builder
	b.Grow(len(template) + 3*len(v.TargetURL))
	for template != "" {
		head, placeholder := affiliate.CutPlaceholder(template, placeholders)
		template = template[len(head)+len(placeholder):]
		b.WriteString(head)
		switch placeholder {
		case ":TARGET_URL_ENCODED":
			b.WriteString(affiliate.QueryEscape(v.TargetURL))
		case ":TARGET_URL":
			b.WriteString(v.TargetURL)
			if template != "" && !hasPath(v.TargetURL) {
				b.WriteByte('/')
			}
		case ":LINK_ID":
			b.WriteString(strconv.FormatInt(v.LinkID, 10))
		case ":USER_ID":
			b.WriteString(strconv.FormatInt(v.UserID, 10))
		case ":CLICK_ID":
			if v.ClickID == "" {
				b.WriteString(placeholder)
			} else {
				b.WriteString(affiliate.QueryEscape(v.ClickID))
			}
		}
	}
	return b.String()
}

// AppendQuery adds key=value to the query of a URL, in front of its fragment,
// and leaves the rest of it as it is written.
func AppendQuery(rawURL, key, value string) string {
	i := strings.IndexByte(rawURL, '#')
	if i < 0 {
		i = len(rawURL)
	}
	base, fragment := rawURL[:i], rawURL[i:]
	separator := "&"
	switch q := strings.IndexByte(base, '?'); {
	case q < 0:
		separator = "?"
	case q == len(base)-1 || base[len(base)-1] == '&':
		separator = ""
	}
	return base + separator + affiliate.QueryEscape(key) + "=" + affiliate.QueryEscape(value) + fragment
}

// hasPath reports whether something ends the host of a URL.
func hasPath(rawURL string) bool {
	_, rest, _ := cutScheme(strings.TrimLeft(rawURL, " "))
	return strings.ContainsAny(rest, "/?#")
}
