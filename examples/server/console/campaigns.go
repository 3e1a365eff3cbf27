package console

import (
	"context"
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type campaignsPage struct {
	Campaigns []campaign
	Pager     pager
}

// campaign is an offer with its budgets as bars.
type campaign struct {
	offers.View
	Spent   affiliate.Money
	Budgets []budget
}

// budget is one limit of a campaign.
type budget struct {
	Name  string
	Note  string
	Meter meter
	Bar   bool // there is one counter to show: limits per creator have many
}

// campaigns lists campaigns, active ones first (GET /console/campaigns).
func (c *Console) campaigns(ctx context.Context, r *http.Request) (any, error) {
	p, err := numbered(r, affiliate.Sort{Column: "active_first"})
	if err != nil {
		return nil, err
	}
	list, err := c.kit.Offers.Offers(ctx, offers.OfferFilter{Statuses: []offers.Status{offers.Active, offers.Scheduled, offers.Paused, offers.Ended}}, p)
	if err != nil {
		return nil, err
	}
	out := campaignsPage{Pager: pagerFor(r, p, len(list.Items), list.Total, "campaigns")}
	for _, v := range list.Items {
		out.Campaigns = append(out.Campaigns, campaign{v, affiliate.NewMoney(v.Used.Spent, v.Currency), budgetsOf(v)})
	}
	return out, nil
}

// budgetsOf are all limits of a campaign.
func budgetsOf(v offers.View) []budget {
	money := func(minor int64) string { return Amount(affiliate.NewMoney(minor, v.Currency)) }
	clicks := func(n int64) string { return plural(n, "click", "clicks") }
	var out []budget
	own := func(name string, limit affiliate.Optional[int64], used int64, format func(int64) string) {
		switch {
		case !limit.Set:
		case v.PerUserLimit:
			out = append(out, budget{Name: name, Note: format(limit.Value) + " for each creator; " + format(used) + " by all of them so far"})
		default:
			out = append(out, budget{Name: name, Meter: newMeter(used, limit.Value, format), Bar: true})
		}
	}
	own("Budget", v.BudgetLimit, v.Used.Spent, money)
	own("Clicks", v.MaxClicks, v.Used.Clicks, clicks)
	if s := v.Shared.Value; v.Shared.Set {
		in := func(minor int64) string { return Amount(affiliate.NewMoney(minor, s.Currency)) }
		out = append(out, budget{Name: "Shared budget “" + s.Title + "”", Note: "other campaigns draw on it too", Meter: newMeter(s.Consumed, s.Amount, in), Bar: true})
	}
	return out
}
