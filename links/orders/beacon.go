package orders

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// ParseBeacon reads a report as browsers and shops send it: the query of a URL,
// and the form body of a POST, which may be empty. A parameter of the query goes
// before one of the body. Names are compared without regard to case:
//
//	organization, event      the numbers of the collector
//	ordernumber, ordervalue  when ordervalue comes twice and ordernumber not at
//	                         all, the first one is the number
//	currency, voucher
//	mtpc_cid, tduid          click ids, several with commas between
//	tax, shipping            major units, as ordervalue
//	signature                must be the last parameter: the HMAC-SHA256, in
//	                         hexadecimal, of everything before its "&"; of the query, "&" and the
//	                         body, when it stands in the body
//
// The error is ErrInvalid and names every parameter that cannot be read.
//
// [Service.ParseBeacon] also reads Options.ClickParameter.
func ParseBeacon(query, body string) (Beacon, error) { return parseBeacon(query, body, "") }

// ParseBeacon is the function of this name, which also reads click ids from
// Options.ClickParameter.
func (s *Service) ParseBeacon(query, body string) (Beacon, error) {
	return parseBeacon(query, body, strings.ToLower(s.opts.ClickParameter))
}

// ClickParameter returns Options.ClickParameter.
func (s *Service) ClickParameter() string { return s.opts.ClickParameter }

func parseBeacon(query, body, clickParameter string) (Beacon, error) {
	var b Beacon
	var p parameters
	if !p[0].parse(query) || !p[1].parse(body) {
		return b, affiliate.Invalid("order", affiliate.FieldError{Field: "query", Code: "invalid", Message: "must be an URL-encoded query"})
	}
	var v affiliate.Validation
	b.OrganizationID, b.EventID = p.number(&v, "organization"), p.number(&v, "event")
	values := p.all("ordervalue")
	b.Number = p.one("ordernumber")
	if b.Number == "" && len(values) == 2 {
		b.Number, values = values[0], values[1:]
	}
	if len(values) > 1 {
		v.Add("ordervalue", "duplicate", "must be given once")
	} else {
		b.Value = amount(&v, "ordervalue", strings.Join(values, ""))
	}
	b.Currency = affiliate.Currency(strings.ToUpper(p.one("currency")))
	b.Voucher = strings.TrimSpace(p.one("voucher"))
	b.Tax, b.Shipping = optionalAmount(&v, "tax", p.one("tax")), optionalAmount(&v, "shipping", p.one("shipping"))
	ids := p.one(links.ClickIDParameter) + "," + p.one("tduid")
	if clickParameter != "" && clickParameter != links.ClickIDParameter {
		ids = p.one(clickParameter) + "," + ids
	}
	b.ClickIDs = parseClickIDs(ids)
	b.Signed, b.Signature = signatureOf(query, body)
	v.Check(b.Signature != "" || p.one("signature") == "", "signature", "not_last", "must be the last parameter")
	return b, v.Err("order")
}

// parameters are those of the query, then those of the body.
type parameters [2]pairs

// pairs are the values of parameters by their name in lower case, in the order
// in which they come, whatever the spelling of the name.
type pairs map[string][]string

// parse reads an URL-encoded text, and reports whether it is one.
func (p *pairs) parse(text string) bool {
	*p = make(pairs)
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return false
		}
		name = strings.ToLower(name)
		(*p)[name] = append((*p)[name], value)
	}
	return true
}

func (p parameters) all(name string) []string {
	if values := p[0][name]; len(values) > 0 {
		return values
	}
	return p[1][name]
}

// one is the first value that is not empty.
func (p parameters) one(name string) string {
	for _, values := range p {
		for _, v := range values[name] {
			if v != "" {
				return v
			}
		}
	}
	return ""
}

func (p parameters) number(v *affiliate.Validation, name string) int64 {
	s := p.one(name)
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case s == "":
		v.Add(name, "required", "is required")
	case err != nil || n < 1 || len(s) > 19:
		v.Add(name, "invalid_integer", "must be a whole number")
	}
	return n
}

// signatureOf cuts a signature off the end of a report, and returns the text
// that it is of.
func signatureOf(query, body string) (text, signature string) {
	all := query
	if body != "" {
		all = strings.TrimPrefix(query+"&"+body, "&")
	}
	const name = "signature="
	at := strings.LastIndex(all, name)
	if at < 0 || at > 0 && all[at-1] != '&' || strings.Contains(all[at:], "&") {
		return "", ""
	}
	return strings.TrimSuffix(all[:at], "&"), all[at+len(name):]
}
