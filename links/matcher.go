package links

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
)

// Match says that a URL belongs to an advertiser, by one of its allow rules.
type Match struct {
	AdvertiserID int64
	RuleID       int64
	Unverified   bool // nobody has proven the rule's domain: see Rule.Verified
}

// Matcher finds the advertisers that a URL belongs to. It is an immutable
// snapshot of all rules, safe for concurrent use; a change of rules makes a new
// one (Replace). The zero Matcher has no rules.
//
// It is a big base plus a small overlay of what has changed since the base was
// compiled, so that a change costs little however many rules there are.
type Matcher struct {
	seed    maphash.Seed
	base    *hostIndex
	overlay *hostIndex // all rules of the changed advertisers
	changed []int64    // advertisers whose rules in base no longer count; ascending
}

// Compile makes a matcher of the rules. It keeps the strings of their URLs and
// nothing else of them. A rule whose URL ParseRuleURL would refuse matches
// nothing, but for hosts that became a public suffix only after the rule was
// made: those still count.
func Compile(rules iter.Seq[Rule]) *Matcher {
	seed := maphash.MakeSeed()
	entries := makeEntries(seed, rules)
	slices.SortFunc(entries, compareEntries)
	return &Matcher{seed: seed, base: newHostIndex(entries), overlay: newHostIndex(nil)}
}

// Replace returns a matcher in which the advertisers have the given rules and
// no others. Rules of advertisers that are not named are left out. The
// receiver goes on as it was.
//
// The cost is that of compiling the few advertisers changed lately; once they
// are many, that of copying the whole index once.
func (m *Matcher) Replace(advertiserIDs []int64, rules []Rule) *Matcher {
	if m.base == nil {
		m = Compile(func(func(Rule) bool) {})
	}
	ids := slices.Clone(advertiserIDs)
	slices.Sort(ids)
	fresh := makeEntries(m.seed, func(yield func(Rule) bool) {
		for _, r := range rules {
			if containsID(ids, r.AdvertiserID) && !yield(r) {
				return
			}
		}
	})
	slices.SortFunc(fresh, compareEntries)
	overlay := mergeEntries(m.overlay.entries(m.seed, ids), fresh)
	changed := slices.Compact(slices.Sorted(slices.Values(append(ids, m.changed...))))

	if len(overlay)+len(changed) <= overlayLimit(len(m.base.rules)) {
		return &Matcher{seed: m.seed, base: m.base, overlay: newHostIndex(overlay), changed: changed}
	}
	all := mergeEntries(m.base.entries(m.seed, changed), overlay)
	return &Matcher{seed: m.seed, base: newHostIndex(all), overlay: newHostIndex(nil)}
}

// overlayLimit balances the two costs of Replace: an overlay is compiled anew
// with each change, the base once in as many changes as fill an overlay.
func overlayLimit(base int) int { return 512 + base/512 }

// Match appends to dst the advertisers that u belongs to: those with an allow
// rule that matches and no block rule that does, each with its most specific
// allow rule. The order is the most specific rule first: longest host, then
// longest path, then a rule with a keyword before one without; then by
// advertiser id. It allocates nothing unless dst is full, or many rules match.
//
// Unverified rules count only where no verified allow rule matches, not even one
// of an advertiser that blocks the URL: the matches are all verified or none is.
func (m *Matcher) Match(u URL, dst []Match) []Match { return m.match(u, dst, false) }

// Claims is Match with the unverified rules in any case, behind the verified ones.
func (m *Matcher) Claims(u URL, dst []Match) []Match { return m.match(u, dst, true) }

func (m *Matcher) match(u URL, dst []Match, claims bool) []Match {
	if m.base == nil {
		return dst
	}
	var buf [8]candidate
	found := buf[:0]
	// The host and every parent domain of it, longest first. The last label by
	// itself is a public suffix, which has no rules; nor has any part of an IP
	// address.
	host := u.Host()
	for from, dot := 0, 0; ; from += dot + 1 {
		suffix := host[from:]
		if dot = indexDot(suffix); dot < 0 {
			break
		}
		hash := maphash.String(m.seed, suffix)
		found = m.base.match(u, suffix, hash, m.changed, found)
		if len(m.overlay.rules) > 0 {
			found = m.overlay.match(u, suffix, hash, nil, found)
		}
	}
	if len(found) == 1 && found[0].kind != blocks {
		return append(dst, found[0].match())
	}
	if len(found) == 0 {
		return dst
	}
	verified, unverified := kindsOf(found)
	if len(m.overlay.rules) > 0 || unverified {
		slices.SortFunc(found, compareCandidates)
	}
	if verified && unverified && !claims {
		found = slices.DeleteFunc(found, func(c candidate) bool { return c.kind == allowsUnverified })
	}
	return appendAllowed(dst, found)
}

// ruleKind is what a compiled rule does.
type ruleKind uint8

const (
	allows ruleKind = iota
	blocks
	allowsUnverified
)

func (r Rule) kind() ruleKind {
	switch {
	case r.Type == RuleBlock:
		return blocks
	case !r.Verified():
		return allowsUnverified
	}
	return allows
}

// kindsOf reports whether there are verified and unverified allow rules.
func kindsOf(found []candidate) (verified, unverified bool) {
	for _, c := range found {
		verified = verified || c.kind == allows
		unverified = unverified || c.kind == allowsUnverified
	}
	return verified, unverified
}

// candidate is a rule that matches.
type candidate struct {
	advertiser, rule int64
	rank             uint32 // grows with host length, path length, keyword
	kind             ruleKind
}

func (c candidate) match() Match { return Match{c.advertiser, c.rule, c.kind == allowsUnverified} }

func compareCandidates(a, b candidate) int {
	return cmp.Or(compareFalseFirst(a.kind == allowsUnverified, b.kind == allowsUnverified), cmp.Compare(b.rank, a.rank), cmp.Compare(a.advertiser, b.advertiser), cmp.Compare(a.rule, b.rule))
}

// appendAllowed appends the first allow rule of each advertiser that has no
// block rule among the candidates.
func appendAllowed(dst []Match, found []candidate) []Match {
	if len(found) > 64 {
		return appendAllowedMany(dst, found)
	}
next:
	for i, c := range found {
		if c.kind == blocks {
			continue
		}
		for j, other := range found {
			if other.advertiser == c.advertiser && (other.kind == blocks || j < i) {
				continue next
			}
		}
		dst = append(dst, c.match())
	}
	return dst
}

// appendAllowedMany is appendAllowed without its quadratic cost.
func appendAllowedMany(dst []Match, found []candidate) []Match {
	done := make(map[int64]bool, len(found))
	for _, c := range found {
		if c.kind == blocks {
			done[c.advertiser] = true
		}
	}
	for _, c := range found {
		if !done[c.advertiser] {
			done[c.advertiser] = true
			dst = append(dst, c.match())
		}
	}
	return dst
}

func containsID(sorted []int64, v int64) bool {
	_, ok := slices.BinarySearch(sorted, v)
	return ok
}

// indexDot is strings.IndexByte for labels, which are too short for a call to pay.
func indexDot(s string) int {
	for i := range len(s) {
		if s[i] == '.' {
			return i
		}
	}
	return -1
}
