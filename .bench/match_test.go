package bench_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/AdguardTeam/urlfilter"

	"github.com/affiliatekit/affiliatekit/links"
)

// matchRules are the rules of n advertisers, the same set in both notations:
// one host each, every tenth with a path, every fiftieth block.
func matchRules(n int, name func(i int) string) (ours []links.Rule, theirs string) {
	var b strings.Builder
	for i := range n {
		r := links.Rule{ID: int64(i + 1), AdvertiserID: int64(i + 1), Type: links.RuleAllow, URL: name(i)}
		switch {
		case i%50 == 0:
			r.Type = links.RuleBlock
			b.WriteString("@@") // the engine's word for a rule that takes back the others
		case i%10 == 2:
			r.URL += "/sale"
		}
		ours = append(ours, r)
		fmt.Fprintf(&b, "||%s^\n", r.URL)
	}
	return ours, b.String()
}

// wordName joins words as shops do: nordicshoes-club.example.
func wordName(i int) string {
	words := strings.Fields("nordic urban home garden kids sport shoes fashion beauty green pure happy daily royal smart " +
		"little north river ocean forest silver golden bright simple modern classic vintage outlet market store boutique " +
		"design living kitchen outdoor travel coffee flower music books games tools power light water stone paper cotton")
	n := len(words)
	return words[i%n] + words[i/n%n] + "-" + words[i/n/n%n] + ".example"
}

// BenchmarkMatchURLFilter matches the same URLs against the same 100,000 rules
// in turn with AdguardTeam/urlfilter, and reports how many times longer that
// takes than ours (x-faster). A turn is some passes over all URLs, so that each
// works with its own data in the caches. Both sides get their URL ready made, ours
// normalised, theirs a Request, outside the measured time; with-parsing counts
// that in on both sides.
func BenchmarkMatchURLFilter(b *testing.B) {
	const n = 100_000
	for _, name := range []struct {
		of string
		is func(i int) string
	}{
		{"numbered", func(i int) string { return fmt.Sprintf("shop%d.example", i) }}, // kind to an index of five-letter pieces
		{"words", wordName},
	} {
		b.Run(name.of, func(b *testing.B) { benchmarkURLFilter(b, n, name.is) })
	}
}

func benchmarkURLFilter(b *testing.B, n int, name func(i int) string) {
	ours, theirs := matchRules(n, name)
	matcher := links.Compile(slices.Values(ours))
	storage, err := urlfilter.NewRuleStorage([]urlfilter.RuleList{
		&urlfilter.StringRuleList{ID: 1, RulesText: theirs, IgnoreCosmetic: true},
	})
	if err != nil {
		b.Fatal(err)
	}
	engine := urlfilter.NewNetworkEngine(storage)

	random := rand.New(rand.NewPCG(1, 2))
	raw := make([]string, 1<<14)
	urls := make([]links.URL, len(raw))
	requests := make([]*urlfilter.Request, len(raw))
	agree := 0
	for i := range raw {
		raw[i] = fmt.Sprintf("https://www.%s/sale/item-%d.html?key=1", name(random.IntN(n)), i)
		if urls[i], err = links.Normalize(raw[i]); err != nil {
			b.Fatal(err)
		}
		requests[i] = urlfilter.NewRequest(raw[i], "", urlfilter.TypeDocument)
		rule, ok := engine.Match(requests[i])
		if (ok && !rule.Whitelist) == (len(matcher.Match(urls[i], nil)) == 1) {
			agree++
		}
	}
	if agree != len(raw) {
		b.Fatalf("the engines agree on %d of %d URLs: not the same rules", agree, len(raw))
	}

	dst := make([]links.Match, 0, 8)
	for _, bench := range []struct {
		name         string
		ours, theirs func(n int)
	}{
		{"match",
			func(n int) {
				for _, u := range urls[:n] {
					dst = matcher.Match(u, dst[:0])
				}
			},
			func(n int) {
				for _, r := range requests[:n] {
					engine.Match(r)
				}
			}},
		{"with-parsing",
			func(n int) {
				for _, s := range raw[:n] {
					if u, err := links.Normalize(s); err == nil {
						dst = matcher.Match(u, dst[:0])
					}
				}
			},
			func(n int) {
				for _, s := range raw[:n] {
					engine.Match(urlfilter.NewRequest(s, "", urlfilter.TypeDocument))
				}
			}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var mine, other time.Duration
			for done := 0; done < b.N; {
				turn := min(passes*len(raw), b.N-done)
				mine += timed(turn, len(raw), bench.ours)
				b.StopTimer()
				other += timed(turn, len(raw), bench.theirs)
				b.StartTimer()
				done += turn
			}
			b.ReportMetric(float64(other)/float64(mine), "x-faster")
			b.ReportMetric(float64(other)/float64(b.N), "urlfilter-ns/op")
		})
	}
}

// passes over all URLs make a turn.
const passes = 8

// timed runs do over n items, pass by pass.
func timed(n, pass int, do func(n int)) time.Duration {
	start := time.Now()
	for done := 0; done < n; done += pass {
		do(min(pass, n-done))
	}
	return time.Since(start)
}
