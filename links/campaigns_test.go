package links_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// campaigns is a world with the service of offers.
type campaigns struct {
	*world
	offers *offers.Service
}

func newCampaigns(t *testing.T, b storagetest.Backend, o links.Options) *campaigns {
	t.Helper()
	w := &campaigns{world: newWorld(t, b, o)}
	var err error
	w.offers, err = offers.NewService(w.core, b.Offers, offers.Options{Clock: w.clock.Now})
	w.must(err)
	return w
}

// costs are a price per click, for the creator and for the advertiser alike, on every source.
func costs(cpc int64) []offers.Costs {
	var out []offers.Costs
	for source := range affiliate.TrafficSource(affiliate.TrafficSources) {
		out = append(out, offers.Costs{Costs: affiliate.Costs{Source: source, CPC: affiliate.Some(cpc), InvoiceCPC: affiliate.Some(cpc)}})
	}
	return out
}

// campaign is for everyone, at a price per click, of acme.
func (w *campaigns) campaign(cpc int64, change func(n *offers.OfferInput)) offers.View {
	w.t.Helper()
	n := offers.OfferInput{Offer: offers.Offer{AdvertiserID: w.acme.ID, Type: offers.Standard, Name: "campaign", Costs: costs(cpc)}}
	if change != nil {
		change(&n)
	}
	saved, err := w.offers.CreateOffer(w.t.Context(), n)
	w.must(err)
	return saved.View
}

func (w *campaigns) used(v offers.View) offers.Counts {
	w.t.Helper()
	v, err := w.offers.Offer(w.t.Context(), v.ID)
	w.must(err)
	return v.Used
}

// rush follows the links in turn, n times, from many goroutines at once, over
// all of the services in turn: with an even number of links two services have
// none in common, so that no lock of a link keeps them apart. Each click is
// another visitor's.
func (w *campaigns) rush(n int, services []*links.Service, on ...links.Link) {
	w.t.Helper()
	const goroutines = 50
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < n; i += goroutines {
				hit := links.Hit{LinkID: on[i%len(on)].ID, IP: fmt.Sprintf("10.0.%d.%d", i/250, i%250), UserAgent: "Firefox"}
				if _, err := services[i%len(services)].Follow(w.t.Context(), hit); err != nil {
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		w.t.Error(err)
	}
}

// overEach runs a test on memory, on Postgres, and on Postgres as two processes would.
func overEach(t *testing.T, test func(t *testing.T, w *campaigns, services []*links.Service)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newCampaigns(t, b, links.Options{})
		test(t, w, []*links.Service{w.links})
	})
	t.Run("two processes", func(t *testing.T) {
		t.Parallel()
		dsn := backends.Database(t)
		w := newCampaigns(t, backends.Postgres(t, dsn), links.Options{})
		other, err := links.NewService(backends.Postgres(t, dsn).Links, links.Options{Clock: w.clock.Now})
		w.must(err)
		test(t, w, []*links.Service{w.links, other})
	})
}

func TestABudgetPaysExactlyWhatFits(t *testing.T) {
	overEach(t, func(t *testing.T, w *campaigns, services []*links.Service) {
		is := is.New(t)
		v := w.campaign(10, func(n *offers.OfferInput) { n.Offer.BudgetLimit = affiliate.Some[int64](500) })
		w.rush(1000, services, w.convert(w.anna, "https://acme.example/a"), w.convert(w.bo, "https://acme.example/b"))
		is.Equal(w.used(v), offers.Counts{Clicks: 50, Spent: 500})
		is.Equal(w.verdicts(), map[links.Verdict]int{links.VerdictValid: 50, links.VerdictCapped: 950})
		w.verify()
		ended, err := w.offers.Offer(t.Context(), v.ID)
		is.NoErr(err)
		is.Equal(ended.Status, offers.Ended)
	})
}

func TestMaxClicksAndAParticipantsLimitAreExact(t *testing.T) {
	overEach(t, func(t *testing.T, w *campaigns, services []*links.Service) {
		is := is.New(t)
		v := w.campaign(3, func(n *offers.OfferInput) { n.Offer.MaxClicks = affiliate.Some[int64](70) })
		p, err := w.offers.Enroll(t.Context(), v.ID, w.anna.ID)
		is.NoErr(err)
		_, err = w.offers.SetClickLimit(t.Context(), v.ID, p.ID, affiliate.Some[int64](13))
		is.NoErr(err)
		w.rush(300, services, w.convert(w.anna, "https://acme.example/a"), w.convert(w.bo, "https://acme.example/b"))
		is.Equal(w.used(v), offers.Counts{Clicks: 70, Spent: 210})
		got, err := w.offers.Participant(t.Context(), p.ID)
		is.NoErr(err)
		is.True(got.Used.Clicks <= 13) // as many as came in time
		w.verify()

		_, err = w.offers.UpdateOffer(t.Context(), v.ID, offers.OfferChange{Change: func(o *offers.Offer, _ *offers.OfferChange) error {
			o.MaxClicks.Set = false
			return nil
		}})
		is.NoErr(err)
		w.rush(300, services, w.convert(w.anna, "https://acme.example/c"), w.convert(w.anna, "https://acme.example/d"))
		got, err = w.offers.Participant(t.Context(), p.ID)
		is.NoErr(err)
		is.Equal(got.Used, offers.Counts{Clicks: 13, Spent: 39})
		w.verify()
	})
}

// Three campaigns draw on one budget at 5, 7 and 11: the last that fits is not
// refused, whatever came before.
func TestASharedBudgetUnderSeveralPricesIsExact(t *testing.T) {
	overEach(t, func(t *testing.T, w *campaigns, services []*links.Service) {
		is := is.New(t)
		budget, err := w.offers.CreateSharedBudget(t.Context(), w.acme.ID, offers.SharedBudgetInput{Title: "summer", Amount: 4003})
		is.NoErr(err)
		var on []links.Link
		for i, cpc := range []int64{5, 7, 11} {
			u := []affiliate.User{w.anna, w.bo, w.carl}[i]
			w.campaign(cpc, func(n *offers.OfferInput) {
				n.Offer.SharedBudgetID, n.Targets.UserIDs = budget.ID, []int64{u.ID}
			})
			if u.ID == w.carl.ID {
				_, err := w.core.ApproveUsers(t.Context(), []int64{u.ID}, 0)
				is.NoErr(err)
			}
			on = append(on, w.convert(u, fmt.Sprintf("https://acme.example/%d", i)))
		}
		for i, u := range []affiliate.User{w.anna, w.bo, w.carl} { // so that two processes have no link in common
			on = append(on, w.convert(u, fmt.Sprintf("https://acme.example/more/%d", i)))
		}
		w.rush(1200, services, on...)
		got, err := w.offers.SharedBudget(t.Context(), w.acme.ID, budget.ID)
		is.NoErr(err)
		is.True(got.Consumed <= 4003 && 4003-got.Consumed < 5) // not even the cheapest fits
		w.verify()
	})
}

func TestAClickThatDoesNotFitFallsToTheNextCampaign(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newCampaigns(t, b, links.Options{})
		second := w.campaign(4, func(n *offers.OfferInput) { n.Offer.MaxClicks = affiliate.Some[int64](2) })
		first := w.campaign(10, func(n *offers.OfferInput) { n.Offer.BudgetLimit = affiliate.Some[int64](25) })
		l := w.convert(w.anna, "https://acme.example/a")
		var served []int64
		var reasons []string
		for i := range 6 {
			c := w.click(l, i)
			served, reasons = append(served, c.OfferID), append(reasons, c.Reason)
		}
		is.Equal(served, []int64{first.ID, first.ID, second.ID, second.ID, 0, 0})
		is.Equal(reasons[4], string(offers.ReasonBudgetLimit)) // of the first in rank
		is.Equal(w.used(first), offers.Counts{Clicks: 2, Spent: 20})
		w.verify()

		// A reversal makes room for exactly one more.
		page, err := w.links.Clicks(t.Context(), links.ClickFilter{}, affiliate.PageRequest{Number: 1, Size: 1})
		is.NoErr(err)
		_, err = w.links.ReverseClick(t.Context(), page.Items[0].ID)
		is.NoErr(err)
		is.Equal(w.used(first), offers.Counts{Clicks: 1, Spent: 10})
		w.verify()
		is.Equal(w.click(l, 6).OfferID, first.ID)
		is.Equal(w.click(l, 7).Verdict, links.VerdictCapped)
		w.verify()
		_, err = w.links.ReverseClick(t.Context(), page.Items[0].ID)
		is.True(err != nil) // once
		w.verify()
	})
}

func TestWithoutACampaignTheAdvertiserPays(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newCampaigns(t, b, links.Options{})
		w.campaign(99, func(n *offers.OfferInput) { n.Targets.UserIDs = []int64{w.bo.ID} })
		c := w.click(w.convert(w.anna, "https://acme.example/a"), 1)
		is.Equal(c.OfferID, int64(0))
		is.Equal(c.Earning.Minor(), int64(10))
		c = w.click(w.convert(w.bo, "https://acme.example/b"), 1)
		is.Equal(c.Earning.Minor(), int64(99))
	})
}

// Any prices, limits, reversals and orders of events: no budget is ever passed,
// and a click is refused only when it did not fit.
func TestBudgetsHoldUnderAnyEvents(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newCampaigns(t, backends.Memory(), links.Options{Clicks: links.Sync})
		type limits struct{ clicks, budget, shared affiliate.Optional[int64] }
		limit := func(name string, max int64) affiliate.Optional[int64] {
			if rapid.Bool().Draw(r, name+"?") {
				return affiliate.Some(rapid.Int64Range(0, max).Draw(r, name))
			}
			return affiliate.Optional[int64]{}
		}
		cpc := rapid.Int64Range(0, 9).Draw(r, "cpc")
		l := limits{limit("clicks", 12), limit("budget", 60), limit("shared", 60)}
		perUser := rapid.Bool().Draw(r, "per user")
		v := w.campaign(cpc, func(n *offers.OfferInput) {
			n.Offer.MaxClicks, n.Offer.BudgetLimit, n.Offer.PerUserLimit = l.clicks, l.budget, perUser
			if l.shared.Set {
				n.Budget = affiliate.Some(offers.SharedBudgetInput{Title: "b", Amount: l.shared.Value})
			}
		})
		on := []links.Link{w.convert(w.anna, "https://acme.example/a"), w.convert(w.bo, "https://acme.example/b")}
		var used [2]offers.Counts // by creator: the model
		var paid []links.Click
		for visitor := range rapid.IntRange(1, 30).Draw(r, "events") {
			if len(paid) > 0 && cpc > 0 && rapid.IntRange(0, 3).Draw(r, "reverse") == 0 {
				i := rapid.IntRange(0, len(paid)-1).Draw(r, "which")
				_, err := w.links.ReverseClick(t.Context(), paid[i].ID)
				w.must(err)
				who := 0
				if paid[i].UserID == w.bo.ID {
					who = 1
				}
				used[who].Clicks, used[who].Spent = used[who].Clicks-1, used[who].Spent-cpc
				paid = append(paid[:i], paid[i+1:]...)
				continue
			}
			who := rapid.IntRange(0, 1).Draw(r, "who")
			total := offers.Counts{Clicks: used[0].Clicks + used[1].Clicks, Spent: used[0].Spent + used[1].Spent}
			held := total
			if perUser {
				held = used[who]
			}
			room := func(limit affiliate.Optional[int64], used, n int64) bool {
				return !limit.Set || used < limit.Value && used+n <= limit.Value
			}
			fits := room(l.clicks, held.Clicks, 1) && room(l.budget, held.Spent, cpc) && room(l.shared, total.Spent, cpc)
			c := w.click(on[who], visitor)
			if fits != (c.Verdict == links.VerdictValid) {
				r.Fatalf("click of %d with %+v used: %s %s, fits %v", who, used, c.Verdict, c.Reason, fits)
			}
			if fits {
				used[who].Clicks, used[who].Spent = used[who].Clicks+1, used[who].Spent+cpc
				paid = append(paid, c)
			}
		}
		want := offers.Counts{Clicks: used[0].Clicks + used[1].Clicks, Spent: used[0].Spent + used[1].Spent}
		if got := w.used(v); got != want {
			r.Fatalf("used %+v, want %+v", got, want)
		}
		w.verify()
	})
}

// Whoever was refused in a campaign that runs must not be better off for it.
func TestBeingRefusedDoesNotPay(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newCampaigns(t, b, links.Options{})
		kept := w.campaign(40, func(n *offers.OfferInput) { n.Offer.BudgetLimit = affiliate.Some[int64](40) })
		link, others := w.convert(w.anna, "https://acme.example/a"), w.convert(w.bo, "https://acme.example/b")
		visitors := 0
		click := func(l links.Link) (links.Verdict, string, int64) {
			visitors++
			c := w.click(l, visitors)
			return c.Verdict, c.Reason, c.Earning.Minor()
		}
		expect := func(l links.Link, verdict links.Verdict, reason string, earning int64) {
			t.Helper()
			v, r, e := click(l)
			is.Equal([]any{v, r, e}, []any{verdict, reason, earning})
		}
		expect(link, links.VerdictValid, "", 40)
		expect(link, links.VerdictCapped, string(offers.ReasonBudgetLimit), 0) // its budget is used up

		p, err := w.offers.ParticipantOf(t.Context(), kept.ID, w.anna.ID)
		is.NoErr(err)
		for _, refusal := range []offers.ParticipantStatus{offers.StoreDenied, offers.Accepted, offers.Denied} {
			_, err = w.offers.MoveParticipant(t.Context(), kept.ID, p.Value.ID, refusal, affiliate.Actor{Name: "t"})
			is.NoErr(err)
			if refusal == offers.Accepted {
				continue
			}
			expect(link, links.VerdictBlocked, string(offers.ReasonNotParticipating), 0)
		}
		expect(others, links.VerdictCapped, string(offers.ReasonBudgetLimit), 0) // who is not refused

		// Another campaign may serve her all the same.
		second := w.campaign(3, func(n *offers.OfferInput) { n.Targets.UserIDs = []int64{w.anna.ID} })
		expect(link, links.VerdictValid, "", 3)
		_, err = w.offers.PauseOffer(t.Context(), second.ID)
		is.NoErr(err)
		expect(link, links.VerdictBlocked, string(offers.ReasonNotParticipating), 0)

		// A campaign that does not run refuses nobody: the default rates hold.
		_, err = w.offers.PauseOffer(t.Context(), kept.ID)
		is.NoErr(err)
		expect(link, links.VerdictValid, "", 10)

		// Nor does an application that was never answered.
		w.campaign(5, func(n *offers.OfferInput) { n.Offer.Type = offers.UserApply })
		expect(link, links.VerdictValid, "", 10)
		w.verify()
	})
}
