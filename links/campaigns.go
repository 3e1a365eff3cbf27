package links

import (
	"context"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// CampaignPrices charges each click to the campaign that serves it, within the
// campaign's budgets. When only a limit keeps the creator's campaigns from
// paying, the click is capped. When the advertiser has refused the creator in a
// campaign that runs, it is blocked with the reason "not_participating". A
// creator for whom there is no campaign is paid by AdvertiserPrices.
type CampaignPrices struct{}

// Charge implements Charger.
func (CampaignPrices) Charge(ctx context.Context, tx Tx, clicks []ChargeableClick) ([]Charge, error) {
	claims := make([]offers.ClickCharge, len(clicks))
	for i, c := range clicks {
		claims[i] = offers.ClickCharge{User: c.User, Advertiser: c.Advertiser, Source: c.Click.Source, At: c.Click.At}
	}
	awards, err := offers.Charge(ctx, tx, claims)
	if err != nil {
		return nil, err
	}
	charges := make([]Charge, len(clicks))
	var frozen frozenTerms
	for i := range awards {
		switch c, a := &clicks[i], &awards[i]; {
		case a.OfferID != 0:
			charges[i] = chargeOf(c, a, &frozen)
		case a.Reason == offers.ReasonNotParticipating:
			charges[i] = Charge{Verdict: VerdictBlocked, Reason: string(a.Reason)}
		case a.Reason != "":
			charges[i] = Charge{Verdict: VerdictCapped, Reason: string(a.Reason)}
		default:
			charges[i] = quote(c.Advertiser, c.Click.Source, &frozen)
		}
	}
	return charges, nil
}

// chargeOf is the charge of an award.
func chargeOf(c *ChargeableClick, a *offers.Decision, frozen *frozenTerms) Charge {
	t := campaignTerms(c.Advertiser, c.Click.Source, a)
	return Charge{
		Earning: affiliate.NewMoney(a.Earning, t.Currency), Cost: affiliate.NewMoney(a.Cost, t.Currency),
		OfferID: a.OfferID, Terms: frozen.text(t),
	}
}

// ReverseClick takes back what a click earned and cost, all that is left of it,
// and gives it back to the campaign's budgets; statistics take the click and its
// money off its day. A second time is ErrConflict
// "taken"; a click that moved no money is ErrInvalid "not_paid"; one that
// retention has removed is ErrNotFound.
func (s *Service) ReverseClick(ctx context.Context, id uuid.UUID) (affiliate.Entry, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Entry, error) {
		c, err := tx.Clicks().Get(ctx, id)
		if err != nil {
			return affiliate.Entry{}, err
		}
		if !s.viewer.ActsFor(c.AdvertiserID) {
			return affiliate.Entry{}, affiliate.NotFound("click", id)
		}
		found, err := tx.Ledger().ByCauses(ctx, []string{c.Cause()})
		if err != nil {
			return affiliate.Entry{}, err
		}
		if len(found) == 0 {
			return affiliate.Entry{}, affiliate.Invalid("click", affiliate.FieldError{Field: "id", Code: "not_paid", Message: "must be a click that was paid"})
		}
		r := affiliate.Reversal{EntryID: found[0].ID, Earning: found[0].Earning, Cost: found[0].Cost, Cause: c.reversal()}
		before, err := tx.Ledger().Reversals(ctx, []int64{r.EntryID})
		if err != nil {
			return affiliate.Entry{}, err
		}
		for _, e := range before {
			if e.Cause == r.Cause {
				return affiliate.Entry{}, affiliate.Conflict("click", "taken", "the click is reversed already")
			}
			if r.Earning, err = r.Earning.Add(e.Earning); err != nil {
				return affiliate.Entry{}, err
			}
			if r.Cost, err = r.Cost.Add(e.Cost); err != nil {
				return affiliate.Entry{}, err
			}
		}
		e, err := offers.Reverse(ctx, tx, s.clock.Now(), r)
		if err != nil {
			return e, err
		}
		advertiser, err := tx.Advertisers().Get(ctx, c.AdvertiserID)
		if err != nil {
			return e, err
		}
		back, err := c.reversed(&advertiser)
		if err != nil {
			return e, err
		}
		if err := stats.Record(ctx, tx, back); err != nil {
			return e, err
		}
		return e, tx.Events().Add(ctx, EventClickReversed.On(c.ID, e.OccurredAt).Of(c.AdvertiserID, 0).With(LinkPayload{LinkID: c.LinkID, UserID: c.UserID}))
	})
}

// paidClicks are the clicks that count against budgets, by counter.
type paidClicks map[offers.UsageKey]int64

// addGone adds the clicks that retention has given up.
func (p paidClicks) addGone(ctx context.Context, tx Tx) error {
	for after := (offers.UsageKey{}); ; {
		list, err := tx.Retention().Scan(ctx, after, verifyPage)
		if err != nil {
			return err
		}
		for _, u := range list {
			p[u.UsageKey] += u.Clicks
			after = u.UsageKey
		}
		if len(list) < verifyPage {
			return nil
		}
	}
}

func (p paidClicks) add(clicks []Click) error {
	for _, c := range clicks {
		counted, err := c.CountedIn()
		if err != nil {
			return err
		}
		for _, k := range counted {
			p[k]++
		}
	}
	return nil
}
