package offers

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

func drawLimit(t *rapid.T, name string) affiliate.Optional[int64] {
	if rapid.Bool().Draw(t, name+"?") {
		return affiliate.Some(rapid.Int64Range(0, 20).Draw(t, name))
	}
	return affiliate.Optional[int64]{}
}

func drawTime(t *rapid.T, name string) time.Time {
	if !rapid.Bool().Draw(t, name+"?") {
		return time.Time{}
	}
	return noon.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, name)) * time.Hour)
}

func drawCosts(t *rapid.T, name string) []Costs {
	return []Costs{{Costs: affiliate.Costs{CPC: drawLimit(t, name+" cpc"), InvoiceCPC: drawLimit(t, name+" invoice cpc")}}}
}

func drawCounts(t *rapid.T, name string) Counts {
	return Counts{rapid.Int64Range(0, 20).Draw(t, name+" clicks"), rapid.Int64Range(0, 20).Draw(t, name+" spent")}
}

func drawCandidate(t *rapid.T, id int64) Candidate {
	c := Candidate{
		Conditions: Conditions{
			OfferID: id, Currency: "SEK", Type: rapid.SampledFrom([]Type{Standard, UserApply, StoreAccept}).Draw(t, "type"),
			BudgetLimit: drawLimit(t, "budget"), MaxClicks: drawLimit(t, "max clicks"), PerUserLimit: rapid.Bool().Draw(t, "per user"),
			ValidFrom: drawTime(t, "from"), ValidUntil: drawTime(t, "until"), Priority: rapid.Int64Range(0, 2).Draw(t, "priority"), Costs: drawCosts(t, "offer"),
		},
		Targeted: rapid.IntRange(0, 3).Draw(t, "targeted") > 0,
		Used:     drawCounts(t, "used"), UserUsed: drawCounts(t, "user used"),
	}
	c.Paused = rapid.IntRange(0, 5).Draw(t, "paused") == 0
	if rapid.Bool().Draw(t, "participant") {
		c.Participant = affiliate.Some(Participation{
			Status: rapid.SampledFrom(ParticipantStatuses()).Draw(t, "status"), ClickLimit: drawLimit(t, "click limit"), Costs: drawCosts(t, "participant"),
		})
	}
	if limit := drawLimit(t, "shared"); limit.Set {
		c.Shared = affiliate.Some(Shared{limit.Value, rapid.Int64Range(0, limit.Value).Draw(t, "shared spent")})
		c.SharedBudgetID = 1
	}
	return c
}

// statusOf is the status of the offer that a candidate is of.
func statusOf(c *Candidate) Status {
	o := Offer{
		BudgetLimit: c.BudgetLimit, MaxClicks: c.MaxClicks, PerUserLimit: c.PerUserLimit,
		ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil,
	}
	if c.Paused {
		o.PausedAt = noon
	}
	return o.Status(noon, c.Used, c.Shared)
}

// Explain tells of every candidate, each once, in rank; the one it has chosen
// is what Select chooses, at the same price; and none before it would serve.
func TestExplainIsTheRealChoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var candidates []Candidate
		for id := range rapid.Int64Range(0, 8).Draw(t, "offers") {
			candidates = append(candidates, drawCandidate(t, id+1))
		}
		r := Request{Advertiser: &affiliate.Advertiser{Currency: "SEK"}, At: noon}
		told := Explain(candidates, r)
		i, chosen := Select(candidates, r) // ranks them
		if len(told) != len(candidates) {
			t.Fatalf("%d told of %d", len(told), len(candidates))
		}
		var unpaid Reason // of the first that keeps the click from being paid at all
		for n, j := range told {
			if j.OfferID != candidates[n].OfferID {
				t.Fatalf("told %+v, ranked %+v", told, candidates)
			}
			if n > 0 && !candidates[n-1].rank().before(candidates[n].rank()) {
				t.Fatalf("%d is not before %d", candidates[n-1].OfferID, candidates[n].OfferID)
			}
			if j.Chosen != (n == i) || j.Chosen && j != chosen {
				t.Fatalf("told %+v, chosen %d: %+v", told, i, chosen)
			}
			if j.Chosen != (j.Reason == "") || j.Reason == ReasonOutranked && (i < 0 || n < i) {
				t.Fatalf("%d of %+v: a wrong reason", n, told)
			}
			part := candidates[n].Participant
			refused := part.Set && (part.Value.Status == Denied || part.Value.Status == StoreDenied)
			if unpaid == "" && (j.Reason.capped() || j.Reason == ReasonNotParticipating && refused) {
				unpaid = j.Reason
			}
			if j.Reason == "" {
				if active := statusOf(&candidates[n]); active != Active {
					t.Fatalf("%+v serves, but it is %s", candidates[n], active)
				}
			}
		}
		if i < 0 && chosen.Reason != unpaid {
			t.Fatalf("refused for %q, want %q", chosen.Reason, unpaid)
		}
	})
}

func TestReasons(t *testing.T) {
	plain := Candidate{Conditions: Conditions{OfferID: 1, Type: Standard, Currency: "SEK"}, Targeted: true}
	tests := []struct {
		change func(c *Candidate)
		want   Reason
	}{
		{func(*Candidate) {}, ""},
		{func(c *Candidate) { c.Targeted = false }, ReasonNotTargeted},
		{func(c *Candidate) { c.Deleted = true }, ReasonDeleted},
		{func(c *Candidate) { c.Paused = true }, ReasonPaused},
		{func(c *Candidate) { c.ValidUntil = noon }, ReasonEnded},
		{func(c *Candidate) { c.ValidUntil = noon.Add(1) }, ""},
		{func(c *Candidate) { c.ValidFrom = noon.Add(1) }, ReasonScheduled},
		{func(c *Candidate) { c.ValidFrom = noon }, ""},
		{func(c *Candidate) { c.Currency = "EUR" }, ReasonCurrency},
		{func(c *Candidate) { c.Type = UserApply }, ReasonNotParticipating},
		{func(c *Candidate) { c.Type, c.Participant = UserApply, part(Applied, 9) }, ReasonNotParticipating},
		{func(c *Candidate) { c.Type, c.Participant = StoreAccept, part(Done, 9) }, ""},
		{func(c *Candidate) { c.Participant = part(StoreDenied, 9) }, ReasonNotParticipating},
		{func(c *Candidate) { c.Participant, c.UserUsed.Clicks = part(Open, 9), 8 }, ""},
		{func(c *Candidate) { c.Participant, c.UserUsed.Clicks = part(Accepted, 9), 9 }, ReasonClickLimit},
		{func(c *Candidate) { c.MaxClicks, c.Used.Clicks = affiliate.Some[int64](3), 3 }, ReasonMaxClicks},
		{func(c *Candidate) { c.MaxClicks, c.Used.Clicks = affiliate.Some[int64](3), 2 }, ""},
		{func(c *Candidate) { c.BudgetLimit, c.Used.Spent = affiliate.Some[int64](30), 21 }, ReasonBudgetLimit},
		{func(c *Candidate) { c.BudgetLimit, c.Used.Spent = affiliate.Some[int64](30), 20 }, ""},
		{func(c *Candidate) {
			c.BudgetLimit, c.Used.Spent, c.PerUserLimit = affiliate.Some[int64](30), 30, true
		}, ""},
		{func(c *Candidate) {
			c.BudgetLimit, c.UserUsed.Spent, c.PerUserLimit = affiliate.Some[int64](30), 21, true
		}, ReasonBudgetLimit},
		{func(c *Candidate) { c.Shared = affiliate.Some(Shared{30, 21}) }, ReasonSharedBudget},
		{func(c *Candidate) { c.Shared = affiliate.Some(Shared{30, 20}) }, ""},
	}
	r := Request{Advertiser: &affiliate.Advertiser{Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10)}}}, At: noon}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%d %s", i, tt.want), func(t *testing.T) {
			c := plain
			tt.change(&c)
			if got := Explain([]Candidate{c}, r)[0].Reason; got != tt.want {
				t.Errorf("%+v: got %q, want %q", c, got, tt.want)
			}
		})
	}
}

func part(status ParticipantStatus, clicks int64) affiliate.Optional[Participation] {
	return affiliate.Some(Participation{Status: status, ClickLimit: affiliate.Some(clicks)})
}

func TestRatesFallThroughOneByOne(t *testing.T) {
	is := is.New(t)
	half, err := affiliate.ParseRate("r", "0.5")
	is.NoErr(err)
	a := &affiliate.Advertiser{DefaultCosts: []affiliate.Costs{{Source: affiliate.SourceTikTok, CPC: affiliate.Some[int64](1), CPA: affiliate.Some(half)}}}
	o := []Costs{{Costs: affiliate.Costs{Source: affiliate.SourceTikTok, InvoiceCPC: affiliate.Some[int64](30)}, UserRevenue: affiliate.Some(half)}}
	p := []Costs{{Costs: affiliate.Costs{Source: affiliate.SourceTikTok, CPC: affiliate.Some[int64](25)}}}

	r := ratesFor(affiliate.SourceTikTok, p, o, a)
	is.Equal(r, Rates{CPC: 25, InvoiceCPC: 25, CPA: half, InvoiceCPA: half, UserRevenue: affiliate.Some(half),
		Origins: RateOrigins{OriginParticipant, OriginCreatorRate, OriginAdvertiser, OriginCreatorRate, OriginOffer}})
	is.Equal(r.Earning(), int64(12)) // half of 25 is between 12 and 13: to the even one

	r = ratesFor(affiliate.SourceGeneral, p, o, a)
	is.Equal(r, Rates{Origins: RateOrigins{OriginNone, OriginCreatorRate, OriginNone, OriginCreatorRate, OriginNone}})
	is.Equal(ratesFor(affiliate.SourceTikTok, nil, nil, a).InvoiceCPC, int64(1))
}

// The cost is never below the earning because somebody left a rate out.
func TestTheInvoiceRateIsOfTheLevelThatSetTheCreatorsRate(t *testing.T) {
	costs := func(cpc, invoice int64) []Costs { // -1: left out
		c := Costs{Costs: affiliate.Costs{Source: affiliate.SourceInstagram}}
		if cpc >= 0 {
			c.CPC = affiliate.Some(cpc)
		}
		if invoice >= 0 {
			c.InvoiceCPC = affiliate.Some(invoice)
		}
		return []Costs{c}
	}
	for _, tt := range []struct {
		name                           string
		participant, offer, advertiser []Costs
		cpc, invoice                   int64
	}{
		{"the campaign names none", nil, costs(70, -1), costs(9, 13), 70, 70},
		{"the campaign names one", nil, costs(70, 85), costs(9, 13), 70, 85},
		{"the campaign names a lower one", nil, costs(70, 40), costs(9, 13), 70, 40},
		{"an override of a campaign with one", costs(90, -1), costs(70, 85), costs(9, 13), 90, 90},
		{"an override with one", costs(90, 91), costs(70, 85), costs(9, 13), 90, 91},
		{"the campaign names only the invoice rate", nil, costs(-1, 85), costs(9, 13), 9, 13},
		{"the advertiser's", nil, nil, costs(9, 13), 9, 13},
		{"nobody pays the creator", nil, costs(-1, 85), nil, 0, 85},
		{"a rate of zero is a rate", costs(0, -1), costs(70, 85), nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			is := is.New(t)
			plain := []affiliate.Costs{}
			for _, c := range tt.advertiser {
				plain = append(plain, c.Costs)
			}
			r := ratesFor(affiliate.SourceInstagram, tt.participant, tt.offer, &affiliate.Advertiser{DefaultCosts: plain})
			is.Equal([2]int64{r.CPC, r.InvoiceCPC}, [2]int64{tt.cpc, tt.invoice})
		})
	}
}

func TestStatusOverrules(t *testing.T) {
	o := Offer{DeletedAt: noon, PausedAt: noon, ValidUntil: noon, ValidFrom: noon.Add(time.Hour)}
	var got []Status
	for _, undo := range []func(){
		func() {}, func() { o.DeletedAt = time.Time{} }, func() { o.PausedAt = time.Time{} },
		func() { o.ValidUntil = time.Time{} }, func() { o.ValidFrom = noon },
	} {
		undo()
		got = append(got, o.Status(noon, Counts{}, affiliate.Optional[Shared]{}))
	}
	if !slices.Equal(got, Statuses()) {
		t.Errorf("got %v, want %v", got, Statuses())
	}
}
