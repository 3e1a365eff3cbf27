package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
)

type ordersPage struct {
	Status   orders.Status // of the orders shown; empty: all
	Statuses []statusCount
	Orders   []orderRow
	Pager    pager
}

type statusCount struct {
	Status orders.Status
	Orders int64
}

type orderRow struct {
	orders.OrderView
	Creator, Advertiser, Campaign string
	Account                       affiliate.Account // of the creator
}

// orders lists orders, the newest first (GET /console/orders, ?status=). With
// ?user= they are those of a creator.
func (c *Console) orders(ctx context.Context, r *http.Request) (any, error) {
	out := ordersPage{Status: orders.Status(r.URL.Query().Get("status"))}
	if out.Status != "" && !slices.Contains(orders.Statuses(), out.Status) {
		return nil, affiliate.Invalid("page", affiliate.FieldError{Field: "status", Code: "invalid", Message: "must be Pending, Approved or Declined"})
	}
	user, err := whole(r, "user")
	if err != nil {
		return nil, err
	}
	p, err := numbered(r, affiliate.Sort{Column: "order_at", Desc: true})
	if err != nil {
		return nil, err
	}
	for _, status := range orders.Statuses() {
		list, err := c.kit.Orders.Orders(ctx, orders.OrderFilter{UserID: user, Status: status}, affiliate.PageRequest{Number: 1, Size: 1})
		if err != nil {
			return nil, err
		}
		out.Statuses = append(out.Statuses, statusCount{status, int64(list.Total)})
	}
	list, err := c.kit.Orders.Orders(ctx, orders.OrderFilter{UserID: user, Status: out.Status}, p)
	if err != nil {
		return nil, err
	}
	out.Pager = pagerFor(r, p, len(list.Items), list.Total, "orders")
	out.Orders, err = c.orderRows(ctx, list.Items)
	return out, err
}

// orderRows adds the names of those whom the orders are about.
func (c *Console) orderRows(ctx context.Context, list []orders.OrderView) ([]orderRow, error) {
	var userIDs, advertiserIDs, offerIDs []int64
	for _, o := range list {
		userIDs, advertiserIDs = append(userIDs, o.UserID), append(advertiserIDs, o.AdvertiserID)
		if o.OfferID != 0 {
			offerIDs = append(offerIDs, o.OfferID)
		}
	}
	known, err := c.namesOf(ctx, userIDs, advertiserIDs)
	if err != nil {
		return nil, err
	}
	campaigns, err := c.campaignsByID(ctx, offerIDs)
	if err != nil {
		return nil, err
	}
	rows := make([]orderRow, len(list))
	for i, o := range list {
		rows[i] = orderRow{OrderView: o, Creator: known.users[o.UserID].Username, Advertiser: known.advertisers[o.AdvertiserID].Name, Campaign: campaigns[o.OfferID].Name}
		if o.UserID != 0 {
			rows[i].Account = affiliate.UserAccount(o.UserID)
		}
	}
	return rows, nil
}

// orderPage is what orders.Service.Explain says about an order.
type orderPage struct {
	orderRow
	orders.Explanation
	Judged     []candidateRow
	Terms      string
	Converted  string // by which rate; empty: the currencies are one
	Part       string // of the commission that is the creator's; empty: all of it
	Why        string // why it earns nothing; empty when it does
	ShownLines []lineRow
	// ExactlyEarned and ExactlyCost are the amounts before they were rounded.
	ExactlyEarned, ExactlyCost string

	Left     affiliate.Money // what the creator keeps after refunds
	LeftCost affiliate.Money
}

// candidateRow is a click or a voucher and why the order is paid by it, or not.
type candidateRow struct {
	orders.Candidate
	Creator string
	Why     string
}

type lineRow struct {
	orders.LineExplanation
	Name string
}

// order is the page of one order (GET /console/orders/{id}).
func (c *Console) order(ctx context.Context, r *http.Request) (any, error) {
	id, err := wholeNumber("id", r.PathValue("id"))
	if err != nil {
		return nil, affiliate.NotFound("order", r.PathValue("id"))
	}
	x, err := c.kit.Orders.Explain(ctx, id)
	if err != nil {
		return nil, err
	}
	rows, err := c.orderRows(ctx, []orders.OrderView{{Order: x.Order, Status: x.Status}})
	if err != nil {
		return nil, err
	}
	out := orderPage{orderRow: rows[0], Explanation: x, Terms: ratesOf(x.Terms), Why: whyNoPay(x.Order.Reason), Left: x.Order.Earning, LeftCost: x.Order.Cost}
	unrounded := func(minor decimal.Decimal) string {
		return major(minor.Shift(-int32(x.Terms.Currency.Digits())), x.Terms.Currency)
	}
	out.ExactlyEarned, out.ExactlyCost = unrounded(x.ExactEarning), unrounded(x.ExactCost)
	if out.Judged, err = c.candidates(ctx, x.Candidates); err != nil {
		return nil, err
	}
	if o := x.Order; x.Terms.Currency != "" && x.Terms.Currency != o.Currency && !o.Rate.IsZero() {
		out.Converted = "1 " + string(o.Currency) + " was worth " + o.Rate.String() + " " + string(x.Terms.Currency) + " when the order was priced."
	}
	if x.Terms.UserRevenue.Set {
		out.Part = Percent(x.Terms.UserRevenue.Value)
	}
	for i, l := range x.Lines {
		if i < len(x.Lines)-1 {
			out.ShownLines = append(out.ShownLines, lineRow{l, lineName(l)})
			continue
		}
		if !l.Value.IsZero() || i == 0 { // what no line has
			name := "the rest of the order"
			if i == 0 {
				name = "the whole order"
			}
			out.ShownLines = append(out.ShownLines, lineRow{l, name})
		}
	}
	for _, refund := range x.Refunds {
		if refund.EntryID == 0 {
			continue
		}
		if out.Left, err = out.Left.Sub(refund.Earning); err != nil {
			return nil, err
		}
		if out.LeftCost, err = out.LeftCost.Sub(refund.Cost); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func lineName(l orders.LineExplanation) string {
	switch {
	case l.SKU == "":
		return l.Category
	case l.Category == "":
		return l.SKU
	}
	return l.SKU + " (" + l.Category + ")"
}

// candidates says in words why each was chosen, or not.
func (c *Console) candidates(ctx context.Context, list []orders.Candidate) ([]candidateRow, error) {
	var userIDs []int64
	for _, it := range list {
		if it.UserID != 0 {
			userIDs = append(userIDs, it.UserID)
		}
	}
	known, err := c.namesOf(ctx, userIDs, nil)
	if err != nil {
		return nil, err
	}
	rows := make([]candidateRow, len(list))
	for i, it := range list {
		why := orderReasons[it.Reason]
		if why == "" {
			why = spaced(it.Reason)
		}
		if it.Chosen {
			why = "It is the first in preference that can be paid."
		}
		rows[i] = candidateRow{it, known.users[it.UserID].Username, why}
	}
	return rows, nil
}

// whyNoPay is why an order earns nothing; empty when it earns.
func whyNoPay(reason string) string {
	if reason == "" {
		return ""
	}
	if why, ok := orderReasons[reason]; ok {
		return why
	}
	return "The reason is: " + spaced(reason) + "."
}

// orderReasons are the reasons of package orders in words.
var orderReasons = map[string]string{
	orders.ReasonUnattributed:          "The report names neither a click nor a voucher, so nobody brought the order.",
	orders.ReasonNoRate:                "No exchange rate from the order's currency was known. Set rates, and price it again.",
	orders.ReasonNoCommission:          "The terms come to no commission.",
	orders.ReasonNotParticipating:      "The creator takes part in no campaign that runs.",
	orders.ReasonCurrency:              "The advertiser has another currency now.",
	orders.ReasonBudgetLimit:           "The campaign's budget had too little left.",
	orders.ReasonSharedBudget:          "The campaign's shared budget had too little left.",
	orders.ReasonAdvertiserDeactivated: "The advertiser takes no part any more.",
	orders.ReasonUserSuspended:         "The creator is suspended.",
	orders.ReasonBlocklist:             "The advertiser blocks the creator.",
	orders.ReasonClickUnknown:          "The advertiser has no such click.",
	orders.ReasonClickTooOld:           "The click is older than the advertiser's window.",
	orders.ReasonClickTooNew:           "The click came after the order.",
	orders.ReasonClickBot:              "The click was a program's.",
	orders.ReasonClickBlocked:          "The link, the creator or the advertiser took no part at the click.",
	orders.ReasonClickCapped:           "No budget had room for the click.",
	orders.ReasonClickDuplicate:        "It repeats a click that is not there.",
	orders.ReasonVoucherUnknown:        "The advertiser has no such voucher.",
	orders.ReasonOutranked:             "It could be paid, but one before it is.",
}

// ratesOf says by which rates an order is paid, and which budgets pay.
func ratesOf(t offers.ClickTerms) string {
	if t.Currency == "" {
		return ""
	}
	own := ""
	if t.OwnCPA {
		own = ", which is its own rate in the campaign"
	}
	return Percent(t.CPA) + " of the order to the creator" + own + "; " + Percent(t.InvoiceCPA) + " invoiced to the advertiser" + drawnFrom(t.Drawn)
}

// Percent is a rate for people: "5 %".
func Percent(r affiliate.Rate) string {
	return orders.Exact(r.Decimal().Mul(decimal.New(1, 2))).String() + " %"
}

// major is an amount in major units for people, in all its digits: "1,234.50 SEK".
func major(d decimal.Decimal, currency affiliate.Currency) string {
	d = orders.Exact(d)
	return grouped(d.StringFixed(max(-d.Exponent(), int32(currency.Digits())))) + " " + string(currency)
}
