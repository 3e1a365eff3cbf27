package links

import (
	"slices"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/placeholder"
)

// DefaultTemplate sends the reader straight to the shop.
const DefaultTemplate = ":TARGET_URL"

// MaxTemplateBytes bounds a tracking template.
const MaxTemplateBytes = 2048

// templateValues is what the placeholders of a tracking template stand for.
type templateValues struct {
	TargetURL string // the shop URL, best as URL.Full writes it
	LinkID    int64
	UserID    int64
	ClickID   string // known only at the redirect; "" leaves nothing in its place
}

// placeholders, each before those that it begins with.
var placeholders = []string{
	":TARGET_URL_SCHEMELESS_ENCODED", ":TARGET_URL_ENCODED_TWICE", ":TARGET_URL_ENCODED", ":TARGET_URL",
	":LINK_ID", ":CLICK_ID", ":USER_ID",
}

// validateTemplate checks a tracking template. It must hold the shop URL in one
// of its forms (:TARGET_URL, :TARGET_URL_ENCODED, :TARGET_URL_ENCODED_TWICE,
// :TARGET_URL_SCHEMELESS_ENCODED), and be an http or https URL when filled in.
// Only the shop URL may decide about the host, and only by coming first: a
// template begins with :TARGET_URL or with a scheme and a host of its own that
// no placeholder is part of. Words that look like placeholders and are none
// (:CLICKID, {url}) are refused. At most MaxTemplateBytes, valid UTF-8, no
// control characters. The error is of kind affiliate.ErrInvalid with one field
// "tracking_template".
func validateTemplate(template string) error {
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
	if word := placeholder.Unknown(template, placeholders); word != "" {
		return "unknown_placeholder", "must not contain " + word + ": the placeholders are " + strings.Join(placeholders, ", ")
	}
	const notURL = "must be an http or https address when filled in"
	head, first := placeholder.Cut(template, placeholders)
	if head == "" && first == ":TARGET_URL" {
		return "", "" // the shop's own address; fillTemplate keeps its host apart from the rest
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

// fillTemplate fills in a tracking template in one pass: what looks like a
// placeholder inside a value is never filled in. For the same reason a link
// keeps its template and its shop URL, not the text in between: the redirect
// fills in both again, with the click id.
//
// :TARGET_URL is the shop URL as it stands. A template that begins with it adds
// to the shop's own address: what follows and begins with ? or & joins the
// shop URL's query, and a fragment in the template replaces the shop URL's,
// since one address has one and the advertiser counts by it. Anywhere else the
// fragment of the shop URL goes to the end. :TARGET_URL_ENCODED is
// percent-encoded for use as a query value, and so is the click id;
// :TARGET_URL_ENCODED_TWICE is encoded again, and :TARGET_URL_SCHEMELESS_ENCODED
// lacks https:// and http://.
func fillTemplate(template string, v templateValues) string {
	if template == DefaultTemplate {
		return v.TargetURL
	}
	if tail, ok := cutTarget(template); ok {
		return v.extended(v.filled(tail))
	}
	return v.filled(template)
}

// cutTarget takes :TARGET_URL off the beginning of a template, which then adds
// to the shop's own address and does not wrap it.
func cutTarget(template string) (tail string, ok bool) {
	if head, first := placeholder.Cut(template, placeholders); head != "" || first != ":TARGET_URL" {
		return "", false
	}
	return template[len(":TARGET_URL"):], true
}

// extended is the shop URL with the filled-in tail of a template.
func (v templateValues) extended(tail string) string {
	base, fragment := cutFragment(v.TargetURL)
	tail, ownFragment := cutFragment(tail)
	if ownFragment != "" {
		fragment = ownFragment
	}
	if !hasPath(base) {
		base += "/" // else what follows would be part of the host
	}
	if query := strings.TrimLeft(tail, "?&"); query != tail {
		if query == "" {
			return base + fragment
		}
		return base + querySeparator(base) + query + fragment
	}
	return base + tail + fragment
}

// filled is a template, or a part of one, with its placeholders filled in.
func (v templateValues) filled(template string) string {
	var b strings.Builder
	b.Grow(len(template) + 3*len(v.TargetURL))
	fragment := ""
	for template != "" {
		head, name := placeholder.Cut(template, placeholders)
		template = template[len(head)+len(name):]
		b.WriteString(head)
		switch name {
		case ":TARGET_URL_SCHEMELESS_ENCODED":
			_, rest, _ := cutScheme(v.TargetURL)
			b.WriteString(placeholder.Escape(rest))
		case ":TARGET_URL_ENCODED_TWICE":
			b.WriteString(placeholder.Escape(placeholder.Escape(v.TargetURL)))
		case ":TARGET_URL_ENCODED":
			b.WriteString(placeholder.Escape(v.TargetURL))
		case ":TARGET_URL":
			var base string
			base, fragment = cutFragment(v.TargetURL)
			b.WriteString(base)
			if template != "" && !hasPath(base) {
				b.WriteByte('/')
			}
		case ":LINK_ID":
			b.WriteString(strconv.FormatInt(v.LinkID, 10))
		case ":USER_ID":
			b.WriteString(strconv.FormatInt(v.UserID, 10))
		case ":CLICK_ID":
			b.WriteString(placeholder.Escape(v.ClickID))
		}
	}
	if filled := b.String(); fragment == "" || strings.Contains(filled, "#") {
		return filled
	}
	return b.String() + fragment
}

// addedParameters are the names of the query parameters that a template adds to
// the shop's own address, and the click id's.
func addedParameters(template, clickParameter string) []string {
	names := []string{clickParameter}
	tail, ok := cutTarget(template)
	if !ok {
		return names
	}
	query, _ := cutFragment(tail)
	for pair := range strings.SplitSeq(strings.TrimLeft(query, "?&"), "&") {
		if name, _, ok := strings.Cut(pair, "="); ok && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// appendQuery adds key=value to the query of a URL, in front of its fragment,
// and leaves the rest of it as it is written.
func appendQuery(rawURL, key, value string) string {
	base, fragment := cutFragment(rawURL)
	return base + querySeparator(base) + placeholder.Escape(key) + "=" + placeholder.Escape(value) + fragment
}

// cutFragment cuts a URL in front of its #.
func cutFragment(rawURL string) (base, fragment string) {
	if i := strings.IndexByte(rawURL, '#'); i >= 0 {
		return rawURL[:i], rawURL[i:]
	}
	return rawURL, ""
}

// querySeparator is what stands between a URL without a fragment and a further
// parameter.
func querySeparator(base string) string {
	switch q := strings.IndexByte(base, '?'); {
	case q < 0:
		return "?"
	case q == len(base)-1 || base[len(base)-1] == '&':
		return ""
	}
	return "&"
}

// hasPath reports whether something ends the host of a URL.
func hasPath(rawURL string) bool {
	_, rest, _ := cutScheme(strings.TrimLeft(rawURL, " "))
	return strings.ContainsAny(rest, "/?#")
}
