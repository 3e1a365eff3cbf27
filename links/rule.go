package links

import (
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/internal/publicsuffix"
)

// RuleType says what a matching rule does.
type RuleType string

const (
	RuleAllow RuleType = "allow" // the URL belongs to the advertiser
	RuleBlock RuleType = "block" // it does not, whatever the allow rules say
)

// MaxKeyword bounds a rule's keyword, in characters.
const MaxKeyword = 255

// Rule says which shop URLs are an advertiser's own: those on a host or below
// it, under a path if it has one, with a keyword in path or query if it has
// one. A port plays no part: a rule holds for every port of its host.
type Rule struct {
	ID           int64
	AdvertiserID int64
	Type         RuleType
	URL          string // host[/path] as ParseRuleURL gives it, at most MaxURLBytes
	Keyword      string // "" or 1..MaxKeyword characters, compared without case; percent-encoding is decoded
	IsMain       bool   // the advertiser's main address; only on an allow rule
	// Challenge is part of what the domain's owner has to publish (see Proof) while
	// the rule is unverified; "" once it is verified, and on block rules. An
	// unverified rule counts for URLs that no verified rule has.
	Challenge string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Validate checks the rule by itself and names every failing field: "type",
// "url", "keyword", "is_main", "challenge".
func (r Rule) Validate() error {
	var v affiliate.Validation
	v.Check(r.Type == RuleAllow || r.Type == RuleBlock, "type", "invalid", "must be allow or block")
	_, _, err := ParseRuleURL(r.URL)
	v.Merge("", err)
	v.Text("keyword", r.Keyword, 0, MaxKeyword)
	v.Check(!r.IsMain || r.Type == RuleAllow, "is_main", "not_allow", "must be false on a rule that is not an allow rule")
	v.Text("challenge", r.Challenge, 0, MaxChallenge)
	v.Check(r.Challenge == "" || r.Type == RuleAllow, "challenge", "not_allow", "must be empty on a rule that is not an allow rule")
	return v.Err("url_matching_rule")
}

// ParseRuleURL takes the URL of a rule, with or without http:// or https://,
// to its host and path, both normalised as Normalize does it. The path has no
// trailing slash: "shop.example/" has none at all, and "/sale/" is "/sale".
// Host and path joined are the rule's URL as it is kept and shown.
//
// The error is of kind affiliate.ErrInvalid with one field "url", whose code is
// one of: required, too_long, invalid_utf8, control_character, backslash,
// scheme, user_info, port, query (a query or a fragment: rules have none, the
// keyword looks into the query), host (not a name), ip (an address), and
// public_suffix (a name under which anybody can register, by the ICANN or the
// private part of the Public Suffix List; names with a single label count).
func ParseRuleURL(s string) (host, path string, err error) {
	host, path, code, message := splitRuleURL(s)
	if code == "" {
		if suffix, _ := publicsuffix.PublicSuffix(host); suffix == host {
			code, message = "public_suffix", "must not be a public suffix"
		}
	}
	if code != "" {
		return "", "", affiliate.Invalid("url_matching_rule", affiliate.FieldError{Field: "url", Code: code, Message: message})
	}
	return host, path, nil
}

// splitRuleURL is ParseRuleURL without the look into the Public Suffix List:
// a rule that was good when it was made still compiles when the list grows.
// Normalised input comes back as parts of s.
func splitRuleURL(s string) (host, path, code, message string) {
	s = strings.Trim(s, " ")
	if s == "" {
		return "", "", "required", "is required"
	}
	if code, message := checkText(s); code != "" {
		return "", "", code, message
	}
	_, rest, ok := cutScheme(s)
	switch {
	case !ok && strings.Contains(s, "://"):
		return "", "", "scheme", "must be an http or https address, or have no scheme"
	case strings.ContainsAny(rest, "?#"):
		return "", "", "query", "must not have a query or a fragment; use the keyword"
	case strings.Contains(rest, `\`):
		return "", "", "backslash", "must not contain a backslash"
	}
	authority, path := cutPath(rest)
	if strings.Contains(authority, "@") {
		return "", "", "user_info", "must not have user information"
	}
	host, kind := normalizeHost(authority)
	switch {
	case kind == hostIP:
		return "", "", "ip", "must be a name, not an IP address"
	case kind == hostInvalid && strings.Contains(authority, ":") && authority[0] != '[':
		return "", "", "port", "must not have a port"
	case kind == hostInvalid:
		return "", "", "host", "must be a valid host name"
	}
	path = strings.TrimRight(normalizePath(path), "/")
	if len(host)+len(path) > MaxURLBytes {
		return "", "", "too_long", tooLong
	}
	return host, path, "", ""
}
