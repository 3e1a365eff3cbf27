package links_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/links"
)

// benchRules are the rules of n advertisers: one host each, every tenth with a
// path, every twentieth with a keyword, every fiftieth block.
func benchRules(n int) []links.Rule {
	rules := make([]links.Rule, n)
	for i := range rules {
		id := int64(i + 1)
		rules[i] = allow(id, id, fmt.Sprintf("shop%d.example", i), "")
		switch {
		case i%50 == 0:
			rules[i].Type = links.RuleBlock
		case i%20 == 1:
			rules[i].Keyword = fmt.Sprintf("key%d", i)
		case i%10 == 2:
			rules[i].URL += "/sale"
		}
	}
	return rules
}

// benchURLs are shop URLs of advertisers drawn at random.
func benchURLs(b *testing.B, n int) []links.URL {
	random := rand.New(rand.NewPCG(1, 2))
	urls := make([]links.URL, 1<<16)
	for i := range urls {
		k := random.IntN(n)
		urls[i] = mustNormalize(b, fmt.Sprintf("https://www.shop%d.example/sale/shoes-%d.html?key%d", k, i, k))
	}
	return urls
}

// floorMatch is the least that any matcher must do: find the host in the URL,
// cut it to its domain, look that up.
func floorMatch(domains map[string]int64, url string) int64 {
	host := url[strings.Index(url, "://")+3:]
	if end := strings.IndexByte(host, '/'); end >= 0 {
		host = host[:end]
	}
	if dot := strings.LastIndexByte(host, '.'); dot >= 0 {
		host = host[strings.LastIndexByte(host[:dot], '.')+1:]
	}
	return domains[host]
}

// BenchmarkMatch reports the time of a match as a multiple of the floor's over
// the same URLs in turn (x-floor), and the heap that a matcher takes for each
// rule beside the rules themselves (B/rule).
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("advertisers=%d", n), func(b *testing.B) {
			rules := benchRules(n)
			before := heapAfterGC()
			m := links.Compile(slices.Values(rules))
			perRule := float64(heapAfterGC()-before) / float64(n)
			domains := make(map[string]int64, n)
			for _, r := range rules {
				host, _, _ := strings.Cut(r.URL, "/")
				domains[host] = r.AdvertiserID
			}
			urls := benchURLs(b, n)

			b.ReportAllocs()
			b.ResetTimer()
			var ours, floor time.Duration
			var sum int64
			dst := make([]links.Match, 0, 8)
			for done := 0; done < b.N; { // in turn, a batch each, so that both see the same machine
				batch := urls[:min(len(urls), b.N-done)]
				start := time.Now()
				for _, u := range batch {
					dst = m.Match(u, dst[:0])
					sum += int64(len(dst))
				}
				ours += time.Since(start)
				b.StopTimer()
				start = time.Now()
				for _, u := range batch {
					sum += floorMatch(domains, u.String())
				}
				floor += time.Since(start)
				b.StartTimer()
				done += len(batch)
			}
			if sum == 0 {
				b.Fatal("nothing matches")
			}
			b.ReportMetric(float64(ours)/float64(floor), "x-floor")
			b.ReportMetric(perRule, "B/rule")
			runtime.KeepAlive(rules)
			runtime.KeepAlive(m)
		})
	}
}

// BenchmarkMatchOneHost matches where every advertiser has its own path on the same host.
func BenchmarkMatchOneHost(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("advertisers=%d", n), func(b *testing.B) {
			rules := make([]links.Rule, n)
			urls := make([]links.URL, n)
			for i := range rules {
				rules[i] = allow(int64(i), int64(i), fmt.Sprintf("mall.example/shop-%d", i), "")
				urls[i] = mustNormalize(b, fmt.Sprintf("https://mall.example/shop-%d/sale/shoes", i))
			}
			rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { urls[i], urls[j] = urls[j], urls[i] })
			m := links.Compile(slices.Values(rules))
			dst := make([]links.Match, 0, 8)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if dst = m.Match(urls[i%n], dst[:0]); len(dst) != 1 {
					b.Fatalf("%d matches", len(dst))
				}
				i++
			}
		})
	}
}

// BenchmarkReplace changes the rules of one advertiser among a million.
func BenchmarkReplace(b *testing.B) {
	m := links.Compile(slices.Values(benchRules(1_000_000)))
	random := rand.New(rand.NewPCG(1, 2))
	var worst time.Duration
	for b.Loop() {
		id := random.Int64N(1_000_000) + 1
		start := time.Now()
		m = m.Replace([]int64{id}, []links.Rule{allow(id, id, fmt.Sprintf("new%d.example", id), "")})
		worst = max(worst, time.Since(start))
	}
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
}

// BenchmarkCompile makes a matcher of a million rules.
func BenchmarkCompile(b *testing.B) {
	rules := benchRules(1_000_000)
	for b.Loop() {
		links.Compile(slices.Values(rules))
	}
}

func heapAfterGC() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
