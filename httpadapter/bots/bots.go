package bots

import (
	"regexp"
	"strings"
	"sync"

	"github.com/mileusna/useragent"
)

// maxLength is how much of a user agent is looked at, in bytes.
const maxLength = 512

// IsBot reports whether the user agent says that a program sent the request.
// An empty one does: every browser says something. It takes tens of
// microseconds: remember the result where the same agents come again.
func IsBot(userAgent string) bool {
	if userAgent == "" {
		return true
	}
	if len(userAgent) > maxLength {
		userAgent = userAgent[:maxLength]
	}
	e, lower := compiled(), strings.ToLower(userAgent)
	if e.exactTexts.in(userAgent) || e.foldedTexts.in(lower) {
		return true
	}
	if matchesAny(userAgent, e.exact) || matchesAny(lower, e.folded) {
		return true
	}
	if e.bare.MatchString(lower) && !containsAny(lower, deviceNames) {
		return true
	}
	return useragent.Parse(userAgent).Bot
}

// deviceNames stand in the agents of apps and old phones that say no more than
// their name. People use them.
var deviceNames = []string{
	"browser", "dv(iph", "instagram", "iphone", "ipod", "ipad", "kindle", "maui", "nokia", "nook", "opera/", "roku",
	"samsung", "smarttv", "sony", "tv/", "wap", "watch", "webkit/",
}

func containsAny(s string, texts []string) bool {
	for _, t := range texts {
		if strings.Contains(s, t) {
			return true
		}
	}
	return false
}

// finder finds many texts in one pass. They are kept by their first two bytes;
// each has at least two.
type finder map[[2]byte][]string

func newFinder(texts []string) finder {
	f := make(finder, len(texts))
	for _, t := range texts {
		start := [2]byte{t[0], t[1]}
		f[start] = append(f[start], t)
	}
	return f
}

// in reports whether one of the texts stands in s.
func (f finder) in(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		for _, t := range f[[2]byte{s[i], s[i+1]}] {
			if strings.HasPrefix(s[i:], t) {
				return true
			}
		}
	}
	return false
}

func matchesAny(s string, expressions []*regexp.Regexp) bool {
	for _, e := range expressions {
		if e.MatchString(s) {
			return true
		}
	}
	return false
}

// lists are both lists, ready for use.
type lists struct {
	exactTexts, foldedTexts finder
	exact, folded           []*regexp.Regexp
	bare                    *regexp.Regexp
}

// compiled makes the lists once. The expressions stay apart: package regexp finds
// a fixed beginning fast, and one large alternation has none.
var compiled = sync.OnceValue(func() lists {
	return lists{
		exactTexts: newFinder(exactTexts[:]), foldedTexts: newFinder(foldedTexts[:]),
		exact: compile(exactExpressions[:]), folded: compile(foldedExpressions[:]),
		bare: regexp.MustCompile(bareName),
	}
})

// bareName is a name, perhaps a version, and nothing else: no browser's agent is so short.
const bareName = `^[\w .\-(?:)%]+(?:/v?\d+(?:\.\d+)?(?:\.\d{1,10})*)?(?:,|$)`

func compile(texts []string) []*regexp.Regexp {
	list := make([]*regexp.Regexp, len(texts))
	for i, t := range texts {
		list[i] = regexp.MustCompile(t)
	}
	return list
}
