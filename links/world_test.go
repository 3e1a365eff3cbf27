package links_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// testClock is a clock that tests set.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *testClock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// noon is when every test begins.
var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// world is two services over one store, and what most tests need in it.
type world struct {
	t     *testing.T
	b     storagetest.Backend
	clock *testClock
	core  *affiliate.Service
	links *links.Service

	tag, client int64
	anna, bo    affiliate.User // approved; anna has the tag and the client
	carl        affiliate.User // not approved
	acme        affiliate.Advertiser
}

func newWorld(t *testing.T, b storagetest.Backend, o links.Options) *world {
	t.Helper()
	w := &world{t: t, b: b, clock: &testClock{now: noon}}
	o.Clock = w.clock.Now
	var err error
	w.core, err = affiliate.NewService(b.Core, affiliate.Options{Clock: w.clock.Now})
	w.must(err)
	w.links, err = links.NewService(b.Links, o)
	w.must(err)
	tag, err := w.core.CreateUserTag(t.Context(), affiliate.UserTag{Name: "vip", Slug: "vip", AccessLevel: affiliate.AccessAll})
	w.must(err)
	client, _, err := w.core.CreateClient(t.Context(), affiliate.Client{Name: "network"})
	w.must(err)
	w.tag, w.client = tag.ID, client.ID
	w.anna = w.user(affiliate.User{Username: "anna", TagIDs: []int64{tag.ID}, ClientID: client.ID}, true)
	w.bo = w.user(affiliate.User{Username: "bo"}, true)
	w.carl = w.user(affiliate.User{Username: "carl"}, false)
	w.acme = w.advertiser("acme", "acme.example")
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) user(u affiliate.User, approved bool) affiliate.User {
	w.t.Helper()
	u, err := w.core.CreateUser(w.t.Context(), u)
	w.must(err)
	if approved {
		_, err := w.core.ApproveUsers(w.t.Context(), []int64{u.ID}, 0)
		w.must(err)
	}
	return u
}

// advertiser pays 10 for a click and is invoiced 12, but for TikTok, where
// there is no invoice rate, and for Facebook, where there is no rate at all.
func (w *world) advertiser(name string, domains ...string) affiliate.Advertiser {
	w.t.Helper()
	a := affiliate.Advertiser{Name: name, Country: "SE", Currency: "SEK"}
	for source := range affiliate.TrafficSource(affiliate.TrafficSources) {
		c := affiliate.Costs{Source: source, CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12)}
		switch source {
		case affiliate.SourceTikTok:
			c.InvoiceCPC = affiliate.Optional[int64]{}
		case affiliate.SourceFacebook:
			continue
		}
		a.DefaultCosts = append(a.DefaultCosts, c)
	}
	a, err := w.links.RegisterAdvertiser(w.t.Context(), links.Registration{Advertiser: a, Domains: domains})
	w.must(err)
	return a
}

func (w *world) rule(a affiliate.Advertiser, kind links.RuleType, url, keyword string) links.Rule {
	w.t.Helper()
	r, err := w.links.AddRule(w.t.Context(), a.ID, links.RuleInput{Type: kind, URL: url, Keyword: keyword})
	w.must(err)
	return r
}

func (w *world) convert(u affiliate.User, url string) links.Link {
	w.t.Helper()
	v, _, err := w.links.Convert(w.t.Context(), links.Conversion{UserID: u.ID, URL: url})
	w.must(err)
	return v.Link
}

func (w *world) block(u affiliate.User, validate bool) affiliate.BlocklistEntry {
	w.t.Helper()
	added, err := w.core.Block(w.t.Context(), w.acme.ID, affiliate.Actor{Name: "test"},
		affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: u.ID, ValidateClicks: validate}}})
	w.must(err)
	return added[0].Entry
}

// click follows a link as the nth visitor.
func (w *world) click(l links.Link, visitor int) links.Click {
	w.t.Helper()
	return w.hit(links.Hit{LinkID: l.ID, IP: fmt.Sprintf("192.0.2.%d", visitor), UserAgent: "Firefox"})
}

func (w *world) hit(h links.Hit) links.Click {
	w.t.Helper()
	r, err := w.links.Follow(w.t.Context(), h)
	w.must(err)
	return r.Click.Value
}

// verdicts counts the clicks that are kept.
func (w *world) verdicts() map[links.Verdict]int {
	w.t.Helper()
	page, err := w.links.Clicks(w.t.Context(), links.ClickFilter{}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
	w.must(err)
	counts := make(map[links.Verdict]int)
	for _, c := range page.Items {
		counts[c.Verdict]++
	}
	return counts
}

func (w *world) verify() {
	w.t.Helper()
	diffs, err := w.links.Verify(w.t.Context())
	w.must(err)
	for _, d := range diffs {
		w.t.Error(d)
	}
}
