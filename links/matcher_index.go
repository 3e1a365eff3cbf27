package links

import (
	"cmp"
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// hostIndex is a compiled set of rules. The rules of one host stand together,
// the first of them says how many they are, and an open-addressing table leads
// to it:
//
//	hash of host ──▶ slots[i] ──▶ rules[first:first+run]
//
// Two flat arrays instead of a map of slices keep a rule at about 51 bytes
// beside its URL, and a look-up at three cache misses: slot, rule, URL.
type hostIndex struct {
	slots    []uint64          // 0: empty; else a tag of the hash (high half) and 1 + the first rule (low half)
	home     int               // how many of the slots a hash can ask for; the others take what overflows
	rules    []compiledRule    // by host; within one in the order of compareEntries
	keywords []string          // folded; [0] is none
	long     map[uint32]uint32 // the length of runs of maxRun and more, by first rule
}

// compiledRule is 40 bytes.
type compiledRule struct {
	url              string // host and path
	advertiser, rule int64
	keyword          uint32 // index into keywords; 0: none
	run              uint16 // on the first rule of a host: how many there are; maxRun: see long
	hostLen          uint8
	kind             ruleKind
}

const maxRun = 1<<16 - 1

func (r *compiledRule) host() string { return r.url[:r.hostLen] }
func (r *compiledRule) path() string { return r.url[r.hostLen:] }

// ruleEntry is a rule on its way into an index.
type ruleEntry struct {
	hash    uint64 // of the host
	keyword string // folded
	compiledRule
}

func makeEntries(seed maphash.Seed, rules iter.Seq[Rule]) []ruleEntry {
	var entries []ruleEntry
	for r := range rules {
		host, path, code, _ := splitRuleURL(r.URL)
		if code != "" || r.Type != RuleAllow && r.Type != RuleBlock {
			continue
		}
		url := r.URL
		if len(url) != len(host)+len(path) || !strings.HasPrefix(url, host) || !strings.HasSuffix(url, path) {
			url = host + path
		}
		entries = append(entries, ruleEntry{
			hash:    maphash.String(seed, host),
			keyword: foldText(r.Keyword),
			compiledRule: compiledRule{
				url: url, hostLen: uint8(len(host)),
				advertiser: r.AdvertiserID, rule: r.ID, kind: r.kind(),
			},
		})
	}
	return entries
}

// compareEntries orders by host (by its hash first, which is quick and which
// fills the table front to back), then as matches are answered: longer paths
// before the paths that they begin with, keywords first, advertiser, rule.
func compareEntries(a, b ruleEntry) int {
	if c := cmp.Compare(a.hash, b.hash); c != 0 {
		return c
	}
	return cmp.Or(
		strings.Compare(a.host(), b.host()),
		strings.Compare(b.path(), a.path()),
		compareFalseFirst(a.keyword == "", b.keyword == ""),
		cmp.Compare(a.advertiser, b.advertiser),
		cmp.Compare(a.rule, b.rule),
	)
}

func compareFalseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// sameHost spares the look at the strings, which are all over the heap.
func sameHost(a, b *ruleEntry) bool { return a.hash == b.hash && a.host() == b.host() }

// mergeEntries merges two sorted lists.
func mergeEntries(a, b []ruleEntry) []ruleEntry {
	if len(a) == 0 {
		return b
	}
	out := make([]ruleEntry, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compareEntries(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// newHostIndex compiles sorted entries.
func newHostIndex(entries []ruleEntry) *hostIndex {
	hosts, keywords := 0, 1
	for i := range entries {
		if i == 0 || !sameHost(&entries[i], &entries[i-1]) {
			hosts++
		}
		if entries[i].keyword != "" {
			keywords++
		}
	}
	home := hosts + hosts/3 + 1 // three slots of four are in use
	x := &hostIndex{
		slots:    make([]uint64, home, home+16),
		home:     home,
		rules:    make([]compiledRule, 0, len(entries)),
		keywords: make([]string, 1, keywords),
		long:     map[uint32]uint32{},
	}
	next := 0
	for len(entries) > 0 {
		run := 1
		for run < len(entries) && sameHost(&entries[run], &entries[0]) {
			run++
		}
		next = x.addHost(entries[:run], next)
		entries = entries[run:]
	}
	if next == len(x.slots) {
		x.slots = append(x.slots, 0) // a search ends at an empty slot
	}
	return x
}

// addHost adds the rules of one host. Hosts come in the order of their hashes
// and so of their slots: each takes the first free one from next on, and those
// pushed over the end take slots behind it, so that a search need not turn
// around. It returns the slot behind the one taken.
func (x *hostIndex) addHost(entries []ruleEntry, next int) int {
	first := uint32(len(x.rules))
	for _, e := range entries {
		r := e.compiledRule
		r.run, r.keyword = 0, 0
		if e.keyword != "" {
			r.keyword = uint32(len(x.keywords))
			x.keywords = append(x.keywords, e.keyword)
		}
		x.rules = append(x.rules, r)
	}
	x.rules[first].run = uint16(min(len(entries), maxRun))
	if len(entries) >= maxRun {
		x.long[first] = uint32(len(entries))
	}
	hash := entries[0].hash
	next = max(next, x.slotOf(hash))
	for next >= len(x.slots) {
		x.slots = append(x.slots, 0)
	}
	x.slots[next] = slotTag(hash) | uint64(first+1)
	return next + 1
}

func slotTag(hash uint64) uint64 { return hash << 32 }

func (x *hostIndex) slotOf(hash uint64) int {
	slot, _ := bits.Mul64(hash, uint64(x.home))
	return int(slot)
}

// hostRun is the rules of the host whose first rule this is.
func (x *hostIndex) hostRun(first uint32) []compiledRule {
	run := uint32(x.rules[first].run)
	if run == maxRun {
		run = x.long[first]
	}
	return x.rules[first : first+run]
}

// find returns the rules of a host.
func (x *hostIndex) find(host string, hash uint64) []compiledRule {
	tag := slotTag(hash)
	for i := x.slotOf(hash); ; i++ {
		slot := x.slots[i]
		if slot == 0 {
			return nil
		}
		if slot&^(1<<32-1) != tag {
			continue
		}
		if first := uint32(slot) - 1; x.rules[first].host() == host {
			return x.hostRun(first)
		}
	}
}

// entries takes the index apart again, without the advertisers given, in order.
func (x *hostIndex) entries(seed maphash.Seed, without []int64) []ruleEntry {
	out := make([]ruleEntry, 0, len(x.rules))
	for first := 0; first < len(x.rules); {
		run := x.hostRun(uint32(first))
		first += len(run)
		hash := maphash.String(seed, run[0].host())
		for _, r := range run {
			if !containsID(without, r.advertiser) {
				out = append(out, ruleEntry{hash: hash, keyword: x.keywords[r.keyword], compiledRule: r})
			}
		}
	}
	return out
}

// match appends the rules on just this host that match u, most specific first,
// without those of the advertisers given.
func (x *hostIndex) match(u URL, host string, hash uint64, without []int64, found []candidate) []candidate {
	run := x.find(host, hash)
	if len(run) == 0 {
		return found
	}
	if len(run) == 1 && len(run[0].url) == len(host) { // most hosts
		return x.add(u, run, without, found)
	}
	// The rules whose path is a prefix of u's: paths stand in descending order,
	// so each such prefix stands behind all longer ones.
	path := u.Path()
	for n := len(path); ; {
		prefix := path[:n]
		i, ok := slices.BinarySearchFunc(run, prefix, func(r compiledRule, p string) int { return strings.Compare(p, r.path()) })
		run = run[i:]
		switch {
		case ok:
			same := 1
			for same < len(run) && run[same].path() == prefix {
				same++
			}
			found = x.add(u, run[:same], without, found)
			run = run[same:]
		case len(run) > 0:
			// A shorter prefix of path that some rule has is one of the rule
			// here, too, because it sorts between that prefix and path.
			n = commonPrefix(run[0].path(), prefix) + 1
		}
		if len(run) == 0 || n == 0 {
			return found
		}
		for n--; n > 0 && path[n] != '/'; n-- { // to the segment before
		}
	}
}

// add appends those of the rules, all with u's host and path, whose keyword
// matches and whose advertiser is not among those given.
func (x *hostIndex) add(u URL, rules []compiledRule, without []int64, found []candidate) []candidate {
	for i := range rules {
		r := &rules[i]
		rank := uint32(len(r.url)-int(r.hostLen))<<1 | uint32(r.hostLen)<<16
		if r.keyword != 0 {
			if !strings.Contains(u.text, x.keywords[r.keyword]) {
				continue
			}
			rank |= 1
		}
		if len(without) > 0 && containsID(without, r.advertiser) {
			continue
		}
		found = append(found, candidate{r.advertiser, r.rule, rank, r.kind})
	}
	return found
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
