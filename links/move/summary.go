package move

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Summary is what an advertiser has: how much of each kind, what it adds up to, and
// a hash over every record of its own. Two databases that have equal summaries of an
// advertiser have the same of it.
type Summary struct {
	AdvertiserID int64
	Counts       []Count // by kind, in the order of an export; without those of all shops
	Sums         []Sum   // by name, then currency
	Hash         string  // SHA-256, in hexadecimal digits
}

// Count is how many records of a kind there are.
type Count struct {
	Kind Kind
	N    int64
}

// Sum is what a field of all records of a kind adds up to.
type Sum struct {
	Of       string             // "entry.earning"
	Currency affiliate.Currency // of money; empty for a number
	N        int64              // minor units
}

// Differences tells where two summaries differ; none is the right answer.
func (s Summary) Differences(o Summary) []affiliate.Difference {
	var diffs []affiliate.Difference
	differ := func(what string, kept, real any) {
		if kept != real {
			diffs = append(diffs, affiliate.Difference{What: what, Kept: fmt.Sprint(kept), Real: fmt.Sprint(real)})
		}
	}
	differ("advertiser", s.AdvertiserID, o.AdvertiserID)
	for _, k := range kinds {
		differ("records "+string(k.kind), s.count(k.kind), o.count(k.kind))
	}
	mine, others := sumsByName(s.Sums), sumsByName(o.Sums)
	all := maps.Clone(mine)
	maps.Copy(all, others)
	for _, name := range slices.SortedFunc(maps.Keys(all), compareSums) {
		differ("sum "+name.Of+" "+string(name.Currency), mine[name], others[name])
	}
	if len(diffs) == 0 {
		differ("hash", s.Hash, o.Hash)
	}
	return diffs
}

func (s Summary) count(kind Kind) int64 {
	for _, c := range s.Counts {
		if c.Kind == kind {
			return c.N
		}
	}
	return 0
}

// sumsByName are sums by what they are of.
func sumsByName(sums []Sum) map[Sum]int64 {
	out := make(map[Sum]int64, len(sums))
	for _, s := range sums {
		out[Sum{Of: s.Of, Currency: s.Currency}] = s.N
	}
	return out
}

func compareSums(a, b Sum) int {
	return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Currency, b.Currency))
}

// summing makes a summary of lines.
type summing struct {
	advertiserID int64
	counts       map[Kind]int64
	sums         map[Sum]int64
	hash         hash.Hash
}

func newSumming(advertiserID int64) *summing {
	return &summing{advertiserID, map[Kind]int64{}, map[Sum]int64{}, sha256.New()}
}

// add adds a line with its facts. What is of all shops counts as nothing, and so do
// the files of images.
func (s *summing) add(kind Kind, l line, f facts) error {
	if kind.shared() {
		return nil
	}
	if i, ok := l.(*imageLine); ok {
		without := *i
		without.Data = nil
		l = &without
	}
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(s.hash, "%s %s\n", kind, raw) // a hash takes everything
	s.counts[kind]++
	for _, sum := range f.sums {
		if sum.N == 0 {
			continue
		}
		name := Sum{Of: sum.Of, Currency: sum.Currency}
		next := s.sums[name] + sum.N
		if (sum.N > 0) != (next > s.sums[name]) {
			return affiliate.Invalid("export", affiliate.FieldError{Field: sum.Of, Code: "overflow", Message: "the sum leaves the range of 64 bits"})
		}
		s.sums[name] = next
	}
	return nil
}

func (s *summing) summary() Summary {
	out := Summary{AdvertiserID: s.advertiserID, Hash: hex.EncodeToString(s.hash.Sum(nil))}
	for _, k := range kinds {
		if n := s.counts[k.kind]; n != 0 {
			out.Counts = append(out.Counts, Count{k.kind, n})
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(s.sums), compareSums) {
		if n := s.sums[name]; n != 0 {
			name.N = n
			out.Sums = append(out.Sums, name)
		}
	}
	return out
}
