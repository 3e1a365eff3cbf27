package links

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// advertiserTerms are an advertiser's own rates.
func advertiserTerms(a *affiliate.Advertiser, source affiliate.TrafficSource) offers.ClickTerms {
	c := a.CostsOf(source)
	return offers.ClickTerms{
		Origin: offers.OriginAdvertiser, OriginID: a.ID, Source: source, Currency: a.Currency,
		CPC: c.CPC.Or(0), InvoiceCPC: c.InvoiceCPC.Or(c.CPC.Or(0)),
		CPA: c.CPA.Value, InvoiceCPA: c.InvoiceCPA.Or(c.CPA.Value),
	}
}

// campaignTerms are the rates of the campaign that serves a click.
func campaignTerms(a *affiliate.Advertiser, source affiliate.TrafficSource, award *offers.Decision) offers.ClickTerms {
	r := &award.Rates
	t := offers.ClickTerms{
		Origin: r.Origins.CPC, Source: source, Currency: a.Currency,
		CPC: r.CPC, InvoiceCPC: r.InvoiceCPC, CPA: r.CPA, InvoiceCPA: r.InvoiceCPA,
		UserRevenue: r.UserRevenue, OwnCPA: r.Origins.CPA == offers.OriginParticipant, Drawn: award.Drawn,
	}
	switch r.Origins.CPC {
	case offers.OriginParticipant:
		t.OriginID = award.ParticipantID
	case offers.OriginOffer:
		t.OriginID = award.OfferID
	case offers.OriginAdvertiser:
		t.OriginID = a.ID
	}
	return t
}

// CurrentTerms are the terms that hold for a creator at an advertiser without a
// click, as for an order by a voucher. With a reason there are none.
type CurrentTerms struct {
	Terms  offers.ClickTerms
	Reason string // stable snake_case
}

// TermsNow returns for each claim the terms that a click would get: those of
// the campaign that serves the creator, else the advertiser's own. When only a
// limit, or a refusal, keeps the creator's campaigns from serving, there are
// none. It charges nothing. An action for any unit.
func TermsNow(ctx context.Context, tx Tx, claims []offers.ClickCharge) ([]CurrentTerms, error) {
	awards, err := offers.Serving(ctx, tx, claims)
	if err != nil {
		return nil, err
	}
	terms := make([]CurrentTerms, len(claims))
	for i := range awards {
		switch c, a := &claims[i], &awards[i]; {
		case a.OfferID != 0:
			terms[i].Terms = campaignTerms(c.Advertiser, c.Source, a)
		case a.Reason != "":
			terms[i].Reason = string(a.Reason)
		default:
			terms[i].Terms = advertiserTerms(c.Advertiser, c.Source)
		}
	}
	return terms, nil
}
