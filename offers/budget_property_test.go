package offers_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// Any campaigns of an advertiser, with any prices and limits, under any order
// of clicks and reversals: no limit is ever passed, and a click goes to the
// first campaign in rank that it fits, and is refused only if it fits none.
func TestBudgetsHoldInAnyWorld(t *testing.T) {
	worlds := rapid.Custom(drawBudgetWorld)
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(r *rapid.T) {
			runBudgetWorld(t.Context(), r, backends.Memory(), "shop", worlds.Draw(r, "world"))
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		b := backends.Postgres(t, backends.Database(t))
		seed := rand.IntN(1 << 30)
		for i := range 20 {
			w := worlds.Example(seed + i)
			t.Logf("world of seed %d: %+v", seed+i, w)
			runBudgetWorld(t.Context(), t, b, fmt.Sprintf("shop%d", i), w)
		}
	})
}

// price is what an offer, or an advertiser, pays per click.
type price struct{ cpc, invoiceCPC affiliate.Optional[int64] }

func (p price) costs() affiliate.Costs {
	return affiliate.Costs{Source: affiliate.SourceGeneral, CPC: p.cpc, InvoiceCPC: p.invoiceCPC}
}

// budgetCampaign is a campaign of a drawn world.
type budgetCampaign struct {
	price
	budget, clicks affiliate.Optional[int64]
	perUser        bool
	shared         bool // draws on the shared budget
	priority       int64
	only           int                          // the creator that it is for, -1: everyone
	clickLimits    [3]affiliate.Optional[int64] // by creator
}

// budgetEvent is a click of a creator, or the reversal of one of the clicks
// before it that can be.
type budgetEvent struct{ creator, reverse int }

// budgetWorld is a drawn world and what happens in it.
type budgetWorld struct {
	price     // of the advertiser
	shared    affiliate.Optional[int64]
	creators  int
	campaigns []budgetCampaign
	events    []budgetEvent
}

func drawBudgetWorld(r *rapid.T) budgetWorld {
	limit := func(name string, max int64) affiliate.Optional[int64] {
		if rapid.Bool().Draw(r, name+"?") {
			return affiliate.Some(rapid.Int64Range(0, max).Draw(r, name))
		}
		return affiliate.Optional[int64]{}
	}
	prices := func(name string) price { return price{limit(name+" cpc", 9), limit(name+" invoice cpc", 9)} }
	w := budgetWorld{price: prices("advertiser"), shared: limit("shared", 60), creators: rapid.IntRange(1, 3).Draw(r, "creators")}
	for range rapid.IntRange(1, 4).Draw(r, "campaigns") {
		c := budgetCampaign{
			price: prices("campaign"), budget: limit("budget", 40), clicks: limit("clicks", 8), perUser: rapid.Bool().Draw(r, "per user"),
			shared: w.shared.Set && rapid.Bool().Draw(r, "draws on shared"), priority: rapid.Int64Range(0, 2).Draw(r, "priority"), only: -1,
		}
		if rapid.IntRange(0, 3).Draw(r, "targeted") == 0 {
			c.only = rapid.IntRange(0, w.creators-1).Draw(r, "only")
		}
		for i := range w.creators {
			if c.only < 0 || c.only == i {
				c.clickLimits[i] = limit("click limit", 5)
			}
		}
		w.campaigns = append(w.campaigns, c)
	}
	w.events = rapid.SliceOfN(rapid.Custom(func(r *rapid.T) budgetEvent {
		e := budgetEvent{creator: rapid.IntRange(0, w.creators-1).Draw(r, "creator"), reverse: -1}
		if rapid.IntRange(0, 3).Draw(r, "reversal") == 0 {
			e.reverse = rapid.IntRange(0, 1000).Draw(r, "reverse")
		}
		return e
	}), 10, 40).Draw(r, "events")
	return w
}

// drawn is a paid click of the model, campaign -1: by the advertiser's own price.
type drawn struct {
	campaign, creator int
	earning, cost     int64
	click             links.Click
}

// used adds the paid clicks up that are counted.
func used(paid []drawn, counted func(d drawn) bool) (c offers.Counts) {
	for _, d := range paid {
		if counted(d) {
			c.Clicks, c.Spent = c.Clicks+1, c.Spent+d.cost
		}
	}
	return c
}

// amounts are what a click on the campaign earns and costs; -1: the advertiser's.
// The level that sets the creator's rate sets the invoice rate too.
func (w budgetWorld) amounts(campaign int) (earning, cost int64) {
	var own price
	if campaign >= 0 {
		own = w.campaigns[campaign].price
	}
	switch {
	case own.cpc.Set:
		return own.cpc.Value, own.invoiceCPC.Or(own.cpc.Value)
	case w.cpc.Set:
		return w.cpc.Value, w.invoiceCPC.Or(w.cpc.Value)
	}
	return 0, own.invoiceCPC.Or(w.invoiceCPC.Or(0))
}

// refusal is the limit that a click does not fit, when so much is paid.
func (w budgetWorld) refusal(paid []drawn, campaign, creator int) offers.Reason {
	c := w.campaigns[campaign]
	_, cost := w.amounts(campaign)
	mine := used(paid, func(d drawn) bool { return d.campaign == campaign && d.creator == creator })
	held := used(paid, func(d drawn) bool { return d.campaign == campaign })
	if c.perUser {
		held = mine
	}
	all := used(paid, func(d drawn) bool { return d.campaign >= 0 && w.campaigns[d.campaign].shared })
	fits := func(limit affiliate.Optional[int64], used, n int64) bool {
		return !limit.Set || used < limit.Value && used+n <= limit.Value
	}
	switch {
	case !fits(c.clicks, held.Clicks, 1):
		return offers.ReasonMaxClicks
	case !fits(c.budget, held.Spent, cost):
		return offers.ReasonBudgetLimit
	case c.shared && !fits(w.shared, all.Spent, cost):
		return offers.ReasonSharedBudget
	case !fits(c.clickLimits[creator], mine.Clicks, 1):
		return offers.ReasonClickLimit
	}
	return ""
}

// expect is who must pay a click: a campaign, the advertiser (-1), or nobody,
// for the reason of the first campaign in rank.
func (w budgetWorld) expect(paid []drawn, creator int) (campaign int, refused offers.Reason) {
	ranked := make([]int, len(w.campaigns))
	for i := range ranked {
		ranked[i] = len(ranked) - 1 - i // of the same priority the newest first
	}
	slices.SortStableFunc(ranked, func(a, b int) int { return int(w.campaigns[b].priority - w.campaigns[a].priority) })
	for _, i := range ranked {
		if only := w.campaigns[i].only; only >= 0 && only != creator {
			continue
		}
		reason := w.refusal(paid, i, creator)
		if reason == "" {
			return i, ""
		}
		if refused == "" {
			refused = reason
		}
	}
	return -1, refused
}

// budgetRun is a drawn world made real.
type budgetRun struct {
	budgetWorld
	rapid.TB
	ctx      context.Context
	b        storagetest.Backend
	links    *links.Service
	users    []int64
	on       []links.Link
	offerIDs []int64
	budgetID int64
	paid     []drawn // and not reversed
}

func runBudgetWorld(ctx context.Context, tb rapid.TB, b storagetest.Backend, name string, w budgetWorld) {
	r := &budgetRun{budgetWorld: w, TB: tb, ctx: ctx, b: b}
	r.build(name)
	for i, e := range w.events {
		if e.reverse >= 0 {
			r.reverse(e.reverse)
		} else {
			r.click(i, e.creator)
		}
		r.check()
	}
	diffs, err := r.links.Verify(ctx)
	r.must(err)
	if len(diffs) > 0 {
		r.Fatalf("%+v", diffs)
	}
}

func (r *budgetRun) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *budgetRun) build(name string) {
	clock := func() time.Time { return noon }
	core, err := affiliate.NewService(r.b.Core, affiliate.Options{Clock: clock})
	r.must(err)
	r.links, err = links.NewService(r.b.Links, links.Options{Clock: clock, Clicks: links.Sync})
	r.must(err)
	service, err := offers.NewService(core, r.b.Offers, offers.Options{Clock: clock})
	r.must(err)
	domain := name + ".example"
	shop, err := r.links.CreateStore(r.ctx, links.NewStore{
		Advertiser: affiliate.Advertiser{Name: name, Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{r.costs()}}, Domains: []string{domain},
	})
	r.must(err)
	for i := range r.creators {
		u, err := core.CreateUser(r.ctx, affiliate.User{Username: fmt.Sprintf("%s-%d", name, i)})
		r.must(err)
		_, err = core.ApproveUsers(r.ctx, []int64{u.ID}, 0)
		r.must(err)
		v, _, err := r.links.Convert(r.ctx, links.Conversion{UserID: u.ID, URL: "https://" + domain + "/"})
		r.must(err)
		r.users, r.on = append(r.users, u.ID), append(r.on, v.Link)
	}
	if r.shared.Set {
		budget, err := service.CreateSharedBudget(r.ctx, shop.ID, offers.NewSharedBudget{Title: "shared", Amount: r.shared.Value})
		r.must(err)
		r.budgetID = budget.ID
	}
	for _, c := range r.campaigns {
		n := offers.NewOffer{Offer: offers.Offer{
			AdvertiserID: shop.ID, Type: offers.Standard, Name: "campaign", Costs: []offers.Costs{{Costs: c.costs()}},
			BudgetLimit: c.budget, MaxClicks: c.clicks, PerUserLimit: c.perUser,
		}, Priority: affiliate.Some(c.priority)}
		if c.shared {
			n.Offer.SharedBudgetID = r.budgetID
		}
		if c.only >= 0 {
			n.Targets.UserIDs = []int64{r.users[c.only]}
		}
		saved, err := service.CreateOffer(r.ctx, n)
		r.must(err)
		r.offerIDs = append(r.offerIDs, saved.ID)
		for i, limit := range c.clickLimits {
			if limit.Set {
				p, err := service.Enroll(r.ctx, saved.ID, r.users[i])
				r.must(err)
				_, err = service.SetClickLimit(r.ctx, saved.ID, p.ID, limit)
				r.must(err)
			}
		}
	}
}

// click follows the creator's link as a visitor of its own.
func (r *budgetRun) click(visitor, creator int) {
	followed, err := r.links.Follow(r.ctx, links.Hit{LinkID: r.on[creator].ID, IP: fmt.Sprintf("192.0.2.%d", visitor), UserAgent: "Firefox"})
	r.must(err)
	campaign, refused := r.expect(r.paid, creator)
	want := links.Click{Verdict: links.VerdictValid, Reason: string(refused)}
	d := drawn{campaign: campaign, creator: creator, click: followed.Click.Value}
	if refused != "" {
		want.Verdict = links.VerdictCapped
	} else {
		d.earning, d.cost = r.amounts(campaign)
		if campaign >= 0 {
			want.OfferID = r.offerIDs[campaign]
		}
		r.paid = append(r.paid, d)
	}
	got := d.click
	if got.Verdict != want.Verdict || got.Reason != want.Reason || got.OfferID != want.OfferID || got.Earning.Minor() != d.earning || got.Cost.Minor() != d.cost {
		r.Fatalf("click of creator %d: %s %q on offer %d for %s and %s; want %s %q on offer %d for %d and %d",
			creator, got.Verdict, got.Reason, got.OfferID, got.Earning, got.Cost, want.Verdict, want.Reason, want.OfferID, d.earning, d.cost)
	}
}

// reverse takes back one of the clicks that moved money.
func (r *budgetRun) reverse(n int) {
	var can []int
	for i, d := range r.paid {
		if d.earning != 0 || d.cost != 0 {
			can = append(can, i)
		}
	}
	if len(can) == 0 {
		return
	}
	i := can[n%len(can)]
	_, err := r.links.ReverseClick(r.ctx, r.paid[i].click.ID)
	r.must(err)
	r.paid = slices.Delete(r.paid, i, i+1)
}

// check holds every counter against the model, and against its limits.
func (r *budgetRun) check() {
	r.Helper()
	type held struct {
		want           offers.Counts
		clicks, budget affiliate.Optional[int64]
	}
	all := make(map[offers.UsageKey]held)
	for i, c := range r.campaigns {
		whole := held{want: used(r.paid, func(d drawn) bool { return d.campaign == i })}
		if !c.perUser {
			whole.clicks, whole.budget = c.clicks, c.budget
		}
		all[offers.OfferUsage(r.offerIDs[i])] = whole
		for who, id := range r.users {
			part := held{want: used(r.paid, func(d drawn) bool { return d.campaign == i && d.creator == who }), clicks: c.clickLimits[who]}
			if c.perUser {
				part.budget = c.budget
				if !part.clicks.Set || c.clicks.Set && c.clicks.Value < part.clicks.Value {
					part.clicks = c.clicks
				}
			}
			all[offers.UserUsage(r.offerIDs[i], id)] = part
		}
	}
	if r.shared.Set {
		all[offers.SharedUsage(r.budgetID)] = held{
			want: used(r.paid, func(d drawn) bool { return d.campaign >= 0 && r.campaigns[d.campaign].shared }), budget: r.shared,
		}
	}
	keys := make([]offers.UsageKey, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	got, err := affiliate.Read(r.ctx, r.b.Offers, func(ctx context.Context, tx offers.Tx) (map[offers.UsageKey]offers.Counts, error) {
		return tx.Usage().Get(ctx, keys)
	})
	r.must(err)
	within := func(used int64, limit affiliate.Optional[int64]) bool {
		return used >= 0 && (!limit.Set || used <= limit.Value)
	}
	for k, h := range all {
		if got[k] != h.want || !within(got[k].Clicks, h.clicks) || !within(got[k].Spent, h.budget) {
			r.Fatalf("%+v: used %+v, want %+v, within clicks %+v and budget %+v", k, got[k], h.want, h.clicks, h.budget)
		}
	}
}
