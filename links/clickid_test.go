package links_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// A creator copies the address of a page that another creator's link led to.
func TestOneAddressIsOneLinkWhateverClickIDItCarries(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{PublicURL: "https://go.example"})
		shop := w.advertiser("tracked", "tracked.example")
		_, err := w.core.UpdateAdvertiser(t.Context(), shop.ID, func(a *affiliate.Advertiser) {
			a.TrackingTemplate = ":TARGET_URL?campid=5&sub=:USER_ID&cid=:CLICK_ID"
		})
		w.must(err)

		plain := w.convert(w.anna, "https://acme.example/shoes?color=red#top")
		is.Equal(w.convert(w.anna, "https://acme.example/shoes?mtpc_cid=0190&color=red#top").ID, plain.ID)
		is.Equal(w.convert(w.anna, "https://acme.example/shoes?color=red&%6Dtpc_cid=0191#top").ID, plain.ID)

		tracked := w.convert(w.anna, "https://tracked.example/p?a=1")
		copied := w.convert(w.anna, "https://tracked.example/p?a=1&campid=5&sub=999&cid=0190&mtpc_cid=0190")
		is.Equal(copied.ID, tracked.ID)
		inspection, err := w.links.Inspect(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://tracked.example/p?sub=7&a=1"})
		w.must(err)
		is.Equal(inspection.Existing.Value.Link.ID, tracked.ID)

		to, err := w.links.Follow(t.Context(), links.Hit{LinkID: copied.ID, IP: "192.0.2.1", UserAgent: "Firefox"})
		w.must(err)
		id := to.Click.Value.ID.String()
		is.Equal(to.URL, "https://tracked.example/p?a=1&campid=5&sub="+decimal(w.anna.ID)+"&cid="+id+"&mtpc_cid="+id)
	})
}

func TestTheClickIDGoesToTheShopAlone(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{PublicURL: "https://go.example"})
		follow := func(template string, h links.Hit) string {
			t.Helper()
			host := strings.ToLower(strings.Map(lettersOnly, template)) + ".example"
			a := w.advertiser(host, host)
			_, err := w.core.UpdateAdvertiser(t.Context(), a.ID, func(a *affiliate.Advertiser) { a.TrackingTemplate = template })
			w.must(err)
			h.LinkID, h.IP, h.UserAgent = w.convert(w.anna, "https://"+host+"/p").ID, "192.0.2.1", "Firefox"
			to, err := w.links.Follow(t.Context(), h)
			w.must(err)
			return to.URL
		}
		is.True(!strings.Contains(follow("https://net.example/?u=:TARGET_URL_ENCODED", links.Hit{}), links.ClickIDParameter)) // a network's URL
		is.Equal(strings.Count(follow(":TARGET_URL?mtpc_cid=:CLICK_ID", links.Hit{}), links.ClickIDParameter), 1)             // the template has it
		is.Equal(strings.Count(follow(":TARGET_URL?x=1", links.Hit{}), links.ClickIDParameter), 1)

		prefetched := follow(":TARGET_URL?c=:CLICK_ID&y=1", links.Hit{Uncounted: true})
		is.True(strings.HasSuffix(prefetched, "/p?c=&y=1")) // no click, no id, and no placeholder either
	})
}

// A parameter that only ends like the one of the click id is another one.
func TestTheClickIDsParameterIsComparedAsAWhole(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory(), links.Options{PublicURL: "https://go.example", ClickParameter: "cid"})
	for template, want := range map[string]string{":TARGET_URL?acid=5": "&cid=", ":TARGET_URL?acid=5&cid=:CLICK_ID": "&cid="} {
		host := strings.ToLower(strings.Map(lettersOnly, template)) + ".example"
		a := w.advertiser(host, host)
		_, err := w.core.UpdateAdvertiser(t.Context(), a.ID, func(a *affiliate.Advertiser) { a.TrackingTemplate = template })
		w.must(err)
		to, err := w.links.Follow(t.Context(), links.Hit{LinkID: w.convert(w.anna, "https://"+host+"/p").ID, IP: "192.0.2.1", UserAgent: "Firefox"})
		w.must(err)
		is.Equal(strings.Count(to.URL, want), 1)
	}

	// A host's own parameter is no part of whose a URL is.
	a := w.advertiser("Words", "words.example")
	_, err := w.links.AddRule(t.Context(), a.ID, links.RuleInput{Type: links.RuleBlock, URL: "words.example", Keyword: "1700"})
	w.must(err)
	rules, err := w.links.MatchingRules(t.Context(), "https://words.example/p?cid=1700")
	w.must(err)
	is.Equal(len(rules), 1)
	w.convert(w.anna, "https://words.example/p?cid=1700")
}

func lettersOnly(r rune) rune {
	if 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
		return r
	}
	return -1
}

func TestOneReaderIsOneHoweverTheAddressIsWritten(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b, links.Options{})
		for i, readers := range [][]string{
			{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1:5555", "[::ffff:192.0.2.1]:80"},
			{"2001:db8:1:2::1", "2001:DB8:1:2::1", "2001:db8:1:2:ffff::9", "[2001:db8:1:2::7]:443"},
		} {
			l := w.convert(w.anna, "https://acme.example/"+decimal(int64(i)))
			for n, ip := range readers {
				want := links.VerdictDuplicate
				if n == 0 {
					want = links.VerdictValid
				}
				if c := w.hit(links.Hit{LinkID: l.ID, IP: ip, UserAgent: "Firefox"}); c.Verdict != want {
					t.Errorf("%s after %v is %s, want %s", ip, readers[:n], c.Verdict, want)
				}
			}
		}
		l := w.convert(w.anna, "https://acme.example/others")
		for _, ip := range []string{"192.0.2.1", "192.0.2.2", "2001:db8:1:2::1", "2001:db8:1:3::1"} {
			if c := w.hit(links.Hit{LinkID: l.ID, IP: ip, UserAgent: "Firefox"}); c.Verdict != links.VerdictValid {
				t.Errorf("%s is %s, want %s", ip, c.Verdict, links.VerdictValid)
			}
		}
	})
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// A host that has moved here keeps the parameter that its shops know.
func TestTheClickIDTravelsUnderTheNameOfTheHost(t *testing.T) {
	for _, mode := range []links.ClickMode{links.Sync, links.GroupCommit} {
		backends.Each(t, func(t *testing.T, b storagetest.Backend) {
			is := is.New(t)
			told := map[links.Verdict]int{}
			w := newWorld(t, b, links.Options{
				PublicURL: "https://go.example", Clicks: mode, ClickParameter: "cid",
				Observe: func(v links.Verdict, reason string) {
					told[v]++
					is.Equal(reason != "", v != links.VerdictValid)
				},
			})
			plain := w.convert(w.anna, "https://acme.example/shoes?mtpc_cid=1")
			is.Equal(w.convert(w.anna, "https://acme.example/shoes?mtpc_cid=1&cid=0190").ID, plain.ID) // its own is taken off
			for range 2 {
				to, err := w.links.Follow(t.Context(), links.Hit{LinkID: plain.ID, IP: "192.0.2.1", UserAgent: "Firefox"})
				w.must(err)
				is.Equal(to.URL, "https://acme.example/shoes?mtpc_cid=1&cid="+to.Click.Value.ID.String())
			}
			is.Equal(told, map[links.Verdict]int{links.VerdictValid: 1, links.VerdictDuplicate: 1})
		})
	}
	is := is.New(t)
	for _, name := range []string{"a b", "ü", "Signature", "ordervalue", "a&b", "'", strings.Repeat("a", 65)} {
		_, err := links.NewService(backends.Memory().Links, links.Options{ClickParameter: name})
		is.True(err != nil) // a name that no query can carry, or that a report has already
	}
}
