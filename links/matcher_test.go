package links_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/links"
)

func mustNormalize(t testing.TB, raw string) links.URL {
	t.Helper()
	u, err := links.Normalize(raw)
	if err != nil {
		t.Fatalf("Normalize(%q): %v", raw, err)
	}
	return u
}

func allow(id, advertiser int64, url, keyword string) links.Rule {
	return links.Rule{ID: id, AdvertiserID: advertiser, Type: links.RuleAllow, URL: url, Keyword: keyword}
}

func block(id, advertiser int64, url, keyword string) links.Rule {
	return links.Rule{ID: id, AdvertiserID: advertiser, Type: links.RuleBlock, URL: url, Keyword: keyword}
}

func TestOneRuleMatches(t *testing.T) {
	for _, tt := range []struct {
		name, rule, keyword, url string
		want                     bool
	}{
		{"the host", "shop.example", "", "https://shop.example/", true},
		{"a host below", "shop.example", "", "https://a.www.shop.example/", true},
		{"label by label", "shop.example", "", "https://notshop.example/", false},
		{"the host above", "www.shop.example", "", "https://shop.example/", false},
		{"another ending", "shop.example", "", "https://shop.example.evil.test/", false},
		{"user-info", "acme.example", "", "https://acme.example@evil.example/", false},
		{"http as https", "https://shop.example", "", "http://shop.example/", true},
		{"any port", "shop.example", "", "https://shop.example:8443/", true},
		{"international host", "SKÖN.example", "", "https://xn--skn-tna.example/", true},
		{"trailing dot", "shop.example", "", "https://shop.example./", true},
		{"rule with a slash alone", "shop.example/", "", "https://shop.example/a", true},
		{"the path", "shop.example/sale", "", "https://shop.example/sale", true},
		{"below the path", "shop.example/sale", "", "https://shop.example/sale/x", true},
		{"trailing slash in the URL", "shop.example/sale", "", "https://shop.example/sale/", true},
		{"trailing slash in the rule", "shop.example/sale/", "", "https://shop.example/sale", true},
		{"not half a segment", "shop.example/sale", "", "https://shop.example/sales", false},
		{"not a segment and more", "shop.example/sale", "", "https://shop.example/sale-x/sale", false},
		{"above the path", "shop.example/sale/x", "", "https://shop.example/sale", false},
		{"path case counts", "shop.example/sale", "", "https://shop.example/Sale", false},
		{"path and query", "shop.example/sale", "", "https://shop.example/sale?a", true},
		{"path below the host", "shop.example/sale", "", "https://www.shop.example/sale", true},
		{"dot segments lead out", "shop.example/sale", "", "https://shop.example/sale/../x", false},
		{"encoded dot segments lead in", "shop.example/sale", "", "https://shop.example/x/%2e%2e/sale", true},
		{"path encoding", "shop.example/skön", "", "https://shop.example/sk%c3%b6n/", true},
		{"encoded slash is no slash", "shop.example/sale", "", "https://shop.example/sale%2fx", false},
		{"path of slashes", "shop.example", "", "https://shop.example//sale", true},
		{"keyword in the path", "shop.example", "shoes", "https://shop.example/red-shoes-7", true},
		{"keyword in the query", "shop.example", "shoes", "https://shop.example/?q=shoes", true},
		{"keyword not in the host", "shop.example", "shop", "https://shop.example/", false},
		{"keyword not in the fragment", "shop.example", "shoes", "https://shop.example/#shoes", false},
		{"keyword over path and query", "shop.example", "a?b", "https://shop.example/a?b", true},
		{"keyword without case", "shop.example", "sHoEs", "https://shop.example/SHOES", true},
		{"keyword beyond ASCII without case", "shop.example", "skÖn", "https://shop.example/Sk%c3%b6n", true},
		{"keyword folds simply", "shop.example", "\u212aelvin ΣΑΣ", "https://shop.example/kelvin%20σας", true},
		{"sharp s is not ss", "shop.example", "strasse", "https://shop.example/straße", false},
		{"keyword encoded in the rule", "shop.example", "sk%C3%B6n", "https://shop.example/skön", true},
		{"keyword encoded in the URL", "shop.example", "a/b&c", "https://shop.example/?u=a%2Fb%26c", true},
		{"stray percent", "shop.example", "100%", "https://shop.example/100%25", true},
		{"plus is a plus", "shop.example", "c++", "https://shop.example/c++", true},
		{"bytes that are no UTF-8", "shop.example", "%FFx", "https://shop.example/%ffX", true},
		{"keyword missing", "shop.example", "shoes", "https://shop.example/boots", false},
		{"keyword and path", "shop.example/sale", "shoes", "https://shop.example/shoes", false},
		{"an address", "192.0.2.1", "", "https://192.0.2.1/", false},
		{"an address, version 6", "[::1]", "", "https://[::1]/", false},
		{"the end of an address", "2.1", "", "https://192.0.2.1/", false},
		{"a single label", "localhost", "", "http://localhost/", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := mustNormalize(t, tt.url)
			m := links.Compile(slices.Values([]links.Rule{allow(1, 7, tt.rule, tt.keyword)}))
			want := []links.Match(nil)
			if tt.want {
				want = []links.Match{{AdvertiserID: 7, RuleID: 1}}
			}
			if got := m.Match(u, nil); !slices.Equal(got, want) {
				t.Errorf("rule %q keyword %q, URL %q: got %v, want %v", tt.rule, tt.keyword, tt.url, got, want)
			}
		})
	}
}

func TestBlockBeatsAllowOfTheSameAdvertiser(t *testing.T) {
	for _, tt := range []struct {
		name  string
		block links.Rule
	}{
		{"same place", block(2, 7, "shop.example/sale", "")},
		{"shorter host", block(2, 7, "shop.example", "")},
		{"longer host", block(2, 7, "www.shop.example", "")},
		{"shorter path", block(2, 7, "www.shop.example", "")},
		{"longer path", block(2, 7, "shop.example/sale/shoes", "")},
		{"keyword", block(2, 7, "shop.example", "SHOES")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			is := is.New(t)
			rules := []links.Rule{allow(1, 7, "shop.example/sale", ""), allow(3, 8, "shop.example", "")}
			u := mustNormalize(t, "https://www.shop.example/sale/shoes")
			is.Equal(links.Compile(slices.Values(rules)).Match(u, nil), []links.Match{{AdvertiserID: 7, RuleID: 1}, {AdvertiserID: 8, RuleID: 3}})
			rules = append(rules, tt.block)
			is.Equal(links.Compile(slices.Values(rules)).Match(u, nil), []links.Match{{AdvertiserID: 8, RuleID: 3}})
		})
	}
}

func TestMatchesComeMostSpecificFirst(t *testing.T) {
	is := is.New(t)
	rules := []links.Rule{
		allow(1, 10, "mall.example", ""),
		allow(2, 9, "mall.example", ""),
		allow(3, 20, "mall.example", "red"),
		allow(4, 30, "mall.example/a", ""),
		allow(5, 40, "mall.example/a/b", ""),
		allow(6, 50, "www.mall.example", ""),
		allow(7, 60, "mall.example/a/b", "red"),
		allow(8, 60, "mall.example/a", ""),              // 60 has a better one
		allow(9, 10, "mall.example", ""),                // the same again
		allow(10, 70, "mall.example/a/c", ""),           // elsewhere
		allow(11, 80, "www.mall.example/a", ""),         // the best host and a path
		{ID: 12, AdvertiserID: 90, URL: "mall.example"}, // no type, no rule
	}
	u := mustNormalize(t, "https://www.mall.example/a/b?q=red")
	want := []links.Match{{AdvertiserID: 80, RuleID: 11}, {AdvertiserID: 50, RuleID: 6}, {AdvertiserID: 60, RuleID: 7}, {AdvertiserID: 40, RuleID: 5}, {AdvertiserID: 30, RuleID: 4}, {AdvertiserID: 20, RuleID: 3}, {AdvertiserID: 9, RuleID: 2}, {AdvertiserID: 10, RuleID: 1}}
	is.Equal(links.Compile(slices.Values(rules)).Match(u, nil), want)

	// The order is the same when half of it stands in the overlay.
	m := links.Compile(slices.Values(rules[:6])).Replace([]int64{60, 70, 80, 10}, rules[6:])
	is.Equal(m.Match(u, nil), []links.Match{{AdvertiserID: 80, RuleID: 11}, {AdvertiserID: 50, RuleID: 6}, {AdvertiserID: 60, RuleID: 7}, {AdvertiserID: 40, RuleID: 5}, {AdvertiserID: 30, RuleID: 4}, {AdvertiserID: 20, RuleID: 3}, {AdvertiserID: 9, RuleID: 2}, {AdvertiserID: 10, RuleID: 9}})

	// Matches are appended.
	is.Equal(m.Match(u, []links.Match{{AdvertiserID: 1, RuleID: 1}})[:2], []links.Match{{AdvertiserID: 1, RuleID: 1}, {AdvertiserID: 80, RuleID: 11}})
}

func TestManyAdvertisersOnOneHost(t *testing.T) {
	is := is.New(t)
	const n = 2000
	var rules []links.Rule
	for i := range int64(n) {
		rules = append(rules, allow(i, i, fmt.Sprintf("mall.example/shop%d", i), ""))
		rules = append(rules, allow(n+i, n+i, "mall.example", ""))
	}
	rules = append(rules, block(9000, n, "mall.example", "x"), allow(9001, n+1, "mall.example/shop7", "x"))
	m := links.Compile(slices.Values(rules))
	for _, raw := range []string{"https://mall.example/shop7/x", "https://mall.example/shop70?a", "https://mall.example/shop", "https://mall.example/"} {
		u := mustNormalize(t, raw)
		is.Equal(m.Match(u, nil), referenceMatch(rules, u))
	}
}

func TestAHostWithMoreRulesThanARunCanCount(t *testing.T) {
	for _, n := range []int64{1<<16 - 2, 1<<16 - 1, 1 << 16, 1<<16 + 1} {
		rules := make([]links.Rule, n)
		for i := range n {
			rules[i] = allow(i, i, fmt.Sprintf("mall.example/%d", i), "")
		}
		m := links.Compile(slices.Values(rules))
		var nobody []int64 // so many that the base is taken apart and compiled again
		for i := range int64(1000) {
			nobody = append(nobody, -i-1)
		}
		for _, m := range []*links.Matcher{m, m.Replace(nobody, nil), m.Replace([]int64{0}, rules[:1])} {
			for _, i := range []int64{0, 1, n / 2, n - 1} {
				u := mustNormalize(t, fmt.Sprintf("https://mall.example/%d", i))
				if got := m.Match(u, nil); !slices.Equal(got, []links.Match{{AdvertiserID: i, RuleID: i}}) {
					t.Errorf("of %d rules, Match(%s) = %v", n, u, got)
				}
			}
		}
	}
}

func TestReplaceLeavesTheReceiverAlone(t *testing.T) {
	is := is.New(t)
	u := mustNormalize(t, "https://shop.example/")
	zero := &links.Matcher{}
	is.Equal(len(zero.Match(u, nil)), 0)
	one := zero.Replace([]int64{7}, []links.Rule{allow(1, 7, "shop.example", ""), allow(2, 8, "shop.example", "")})
	is.Equal(one.Match(u, nil), []links.Match{{AdvertiserID: 7, RuleID: 1}}) // 8 was not named
	two := one.Replace([]int64{8, 7}, []links.Rule{allow(2, 8, "shop.example", "")})
	is.Equal(two.Match(u, nil), []links.Match{{AdvertiserID: 8, RuleID: 2}})
	is.Equal(one.Match(u, nil), []links.Match{{AdvertiserID: 7, RuleID: 1}})
	is.Equal(len(zero.Match(u, nil)), 0)
}

func TestOneAdvertiserCanOutgrowTheOverlay(t *testing.T) {
	is := is.New(t)
	base := []links.Rule{allow(1, 7, "shop.example", "x"), allow(2, 8, "shop.example", "")}
	rules := []links.Rule{allow(10_000, 7, "shop.example/a", "y")}
	for i := range int64(3000) {
		rules = append(rules, allow(10+i, 7, fmt.Sprintf("s%d.shop.example", i), ""))
	}
	m := links.Compile(slices.Values(base)).Replace([]int64{7}, rules)
	is.Equal(m.Match(mustNormalize(t, "https://s5.shop.example/x"), nil), []links.Match{{AdvertiserID: 7, RuleID: 15}, {AdvertiserID: 8, RuleID: 2}})
	is.Equal(m.Match(mustNormalize(t, "https://shop.example/a/y"), nil), []links.Match{{AdvertiserID: 7, RuleID: 10_000}, {AdvertiserID: 8, RuleID: 2}})
	m = m.Replace([]int64{7}, nil)
	is.Equal(m.Match(mustNormalize(t, "https://s5.shop.example/x"), nil), []links.Match{{AdvertiserID: 8, RuleID: 2}})
}

// Few words, so that rules and URLs meet often.
var (
	drawHost = rapid.SampledFrom([]string{"a.example", "b.a.example", "c.b.a.example", "ba.example", "a.test", "b.a.test"})
	drawPath = rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"/", "/x", "/xy", "/y", "/x-", "/X", "/%2e", "/ö"}), 0, 4).Draw(t, "segments"), "")
	})
	drawKeyword = rapid.SampledFrom([]string{"", "", "", "x", "Y", "/x/y", "Ö", "q=", "%C3%96", "%"})
	drawRules   = rapid.Custom(func(t *rapid.T) []links.Rule {
		rules := rapid.SliceOfN(rapid.Custom(drawRule), 0, 40).Draw(t, "rules")
		for i := range rules {
			rules[i].ID = int64(i + 1)
		}
		return rules
	})
)

func drawRule(t *rapid.T) links.Rule {
	r := links.Rule{
		AdvertiserID: rapid.Int64Range(1, 8).Draw(t, "advertiser"),
		Type:         rapid.SampledFrom([]links.RuleType{links.RuleAllow, links.RuleAllow, links.RuleAllow, links.RuleBlock}).Draw(t, "type"),
		URL:          drawHost.Draw(t, "host") + drawPath.Draw(t, "path"),
		Keyword:      drawKeyword.Draw(t, "keyword"),
	}
	if r.Type == links.RuleAllow && rapid.IntRange(0, 2).Draw(t, "unverified") == 0 {
		r.Challenge = "x"
	}
	return r
}

func drawURL(t *rapid.T) links.URL {
	u, err := links.Normalize("https://" + drawHost.Draw(t, "host") + drawPath.Draw(t, "path") + rapid.SampledFrom([]string{"", "?", "?q=x", "?Q=%C3%B6", "?100%"}).Draw(t, "query"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMatcherAgreesWithTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules.Draw(t, "rules")
		m := links.Compile(slices.Values(rules))
		for range 5 {
			u := drawURL(t)
			if got, want := m.Match(u, nil), referenceMatch(rules, u); !slices.Equal(got, want) {
				t.Fatalf("Match(%s)\n got %v\nwant %v", u, got, want)
			}
		}
	})
}

func TestReplaceIsCompileOfTheFinalRules(t *testing.T) {
	// So many rules elsewhere that the overlay has to be folded in now and then.
	var elsewhere []links.Rule
	for i := range int64(200) {
		elsewhere = append(elsewhere, allow(1000+i, 1000+i, fmt.Sprintf("s%d.test", i), ""))
	}
	rapid.Check(t, func(t *rapid.T) {
		rules := append(drawRules.Draw(t, "rules"), elsewhere...)
		m := links.Compile(slices.Values(rules))
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			ids := rapid.SliceOfN(rapid.Int64Range(1, 9), 0, 3).Draw(t, "ids")
			if rapid.IntRange(0, 3).Draw(t, "bulk") == 0 {
				for i := range int64(200) { // enough to overflow the overlay
					ids = append(ids, 1000+i, 5000+i, 6000+i)
				}
			}
			fresh := slices.DeleteFunc(drawRules.Draw(t, "fresh"), func(r links.Rule) bool { return !slices.Contains(ids, r.AdvertiserID) })
			rules = slices.DeleteFunc(slices.Clone(rules), func(r links.Rule) bool { return slices.Contains(ids, r.AdvertiserID) })
			rules = append(rules, fresh...)
			m = m.Replace(ids, fresh)
			compiled := links.Compile(slices.Values(rules))
			for range 3 {
				u := drawURL(t)
				got, want := m.Match(u, nil), referenceMatch(rules, u)
				if !slices.Equal(got, want) || !slices.Equal(compiled.Match(u, nil), want) {
					t.Fatalf("Match(%s)\nreplaced %v\ncompiled %v\n    want %v", u, got, compiled.Match(u, nil), want)
				}
			}
		}
	})
}

func TestMatchDoesNotAllocate(t *testing.T) {
	rules := []links.Rule{
		allow(1, 1, "shop.example", ""), allow(2, 2, "shop.example/sale", "red"), allow(3, 3, "shop.example/sale/a", ""),
		block(4, 4, "shop.example", ""), allow(5, 4, "www.shop.example", ""),
	}
	m := links.Compile(slices.Values(rules))
	overlaid := m.Replace([]int64{3}, []links.Rule{allow(6, 3, "www.shop.example", "")})
	u := mustNormalize(t, "https://www.shop.example/Sale/../sale/a/b?q=RED")
	dst := make([]links.Match, 0, 8)
	for name, m := range map[string]*links.Matcher{"compiled": m, "with overlay": overlaid} {
		if n := len(m.Match(u, dst[:0])); n != 3 {
			t.Fatalf("%s: %d matches, want 3", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { dst = m.Match(u, dst[:0]) }); n != 0 {
			t.Errorf("%s: Match allocates %v times, want 0", name, n)
		}
	}
}

// FuzzNormalizeMatch: whatever the URL and the rule, nothing panics,
// normalising is idempotent, and Match does what the reference does; so a match
// implies an allow rule that the reference, too, says matches.
func FuzzNormalizeMatch(f *testing.F) {
	for _, raw := range []string{
		"https://www.shop.example/sale/x?q=Red#top", "https://acme.example@evil.example/", `https:\\evil`, "https://shop.example./%2e%2e/%41%zz",
		"http://[::1]:80/", "https://xn--skn-tna.example/", "https://ＳＫÖＮ。example/%C3%96?%FF", "https://0x7f.1/", "//shop.example//",
	} {
		f.Add(raw, "shop.example/sale", "red", "www.shop.example", "x")
		f.Add(raw, raw, "", "example", "%C3%B6")
	}
	f.Fuzz(func(t *testing.T, raw, rule, keyword, blockRule, blockKeyword string) {
		rules := []links.Rule{allow(1, 1, rule, keyword), block(2, 1, blockRule, blockKeyword), allow(3, 2, blockRule, keyword), allow(4, 3, rule, blockKeyword)}
		m := links.Compile(slices.Values(rules))
		checkIdempotent(t, raw)
		u, err := links.Normalize(raw)
		if err != nil {
			return
		}
		for _, r := range rules {
			if _, _, err := links.ParseRuleURL(r.URL); err != nil {
				return // the reference knows no rule under a public suffix
			}
		}
		if got, want := m.Match(u, nil), referenceMatch(rules, u); !slices.Equal(got, want) {
			t.Fatalf("Match(%s) of %+v\n got %v\nwant %v", u, rules, got, want)
		}
	})
}
