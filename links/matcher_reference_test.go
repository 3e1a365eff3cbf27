package links_test

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/links"
)

// referenceMatch says again, slowly and plainly, what Matcher.Match promises.
func referenceMatch(rules []links.Rule, u links.URL) []links.Match {
	type hit struct {
		links.Match
		labels, segments int
		keyword          bool
	}
	var hits []hit
	proven := false
	blocked := map[int64]bool{}
	for _, r := range rules {
		host, path, err := links.ParseRuleURL(r.URL)
		if err != nil || !referenceRuleMatches(host, path, r.Keyword, u) {
			continue
		}
		if r.Type == links.RuleBlock {
			blocked[r.AdvertiserID] = true
			continue
		}
		proven = proven || r.Verified()
		hits = append(hits, hit{
			Match:  links.Match{AdvertiserID: r.AdvertiserID, RuleID: r.ID, Unverified: !r.Verified()},
			labels: strings.Count(host, "."), segments: strings.Count(path, "/"), keyword: r.Keyword != "",
		})
	}
	slices.SortFunc(hits, func(a, b hit) int {
		keyword := 0
		if a.keyword != b.keyword {
			keyword = 1
			if a.keyword {
				keyword = -1
			}
		}
		return cmp.Or(cmp.Compare(b.labels, a.labels), cmp.Compare(b.segments, a.segments), keyword,
			cmp.Compare(a.AdvertiserID, b.AdvertiserID), cmp.Compare(a.RuleID, b.RuleID))
	})
	var out []links.Match
	seen := map[int64]bool{}
	for _, h := range hits {
		if !blocked[h.AdvertiserID] && h.Unverified != proven && !seen[h.AdvertiserID] {
			seen[h.AdvertiserID] = true
			out = append(out, h.Match)
		}
	}
	return out
}

func referenceRuleMatches(host, path, keyword string, u links.URL) bool {
	want, have := strings.Split(host, "."), strings.Split(u.Host(), ".")
	if len(want) > len(have) || !slices.Equal(want, have[len(have)-len(want):]) {
		return false
	}
	if path != "" {
		want, have := strings.Split(path, "/"), strings.Split(u.Path(), "/")
		if len(want) > len(have) || !slices.Equal(want, have[:len(want)]) {
			return false
		}
	}
	_, text, _ := strings.Cut(u.String(), "://")
	_, text, _ = strings.Cut(text, "/")
	return referenceContains(letters("/"+text), letters(keyword))
}

// referenceDecode decodes percent-encoding, leaving a stray % alone.
func referenceDecode(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if len(s) >= 3 {
			if decoded, err := url.PathUnescape(s[:3]); err == nil && s[0] == '%' {
				b.WriteString(decoded)
				s = s[3:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// letters decodes s and takes it apart; a byte that is no UTF-8 is a letter of
// its own, equal only to itself.
func letters(s string) []rune {
	var out []rune
	for s = referenceDecode(s); s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = -rune(s[0])
		}
		out = append(out, r)
		s = s[n:]
	}
	return out
}

func referenceContains(text, keyword []rune) bool {
	for i := 0; i+len(keyword) <= len(text); i++ {
		if slices.EqualFunc(text[i:i+len(keyword)], keyword, sameLetter) {
			return true
		}
	}
	return false
}

func sameLetter(a, b rune) bool {
	if a == b || a < 0 || b < 0 {
		return a == b
	}
	for f := unicode.SimpleFold(a); f != a; f = unicode.SimpleFold(f) {
		if f == b {
			return true
		}
	}
	return false
}
