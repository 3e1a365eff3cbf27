package orders

import (
	"context"
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// verifyPage is how many orders Verify holds at a time.
const verifyPage = 500

// Verify recomputes every order from what is frozen with it: its price from the
// terms, its refunds from their list, its entries from both, and the statistics
// of orders from all; and holds them against what is kept. Nothing is the right result. Budgets and totals are
// verified by links.Service.Verify. It reads all orders in one snapshot.
func (s *Service) Verify(ctx context.Context) ([]affiliate.Difference, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
		var diffs []affiliate.Difference
		booked, counted := 0, stats.NewRecount(stats.OrderPart)
		for after := int64(0); ; {
			list, err := tx.Orders().Scan(ctx, after, verifyPage)
			if err != nil {
				return nil, err
			}
			if len(list) == 0 {
				break
			}
			after = list[len(list)-1].ID
			found, n, err := verifyOrders(ctx, tx, list)
			if err == nil {
				err = recount(ctx, tx, counted, list)
			}
			if err != nil {
				return nil, err
			}
			diffs, booked = append(diffs, found...), booked+n
		}
		page, err := tx.Ledger().List(ctx, affiliate.EntryFilter{Kind: affiliate.EntryOrder}, affiliate.PageRequest{Number: 1, Size: 1})
		if err == nil && page.Total != booked {
			diffs = append(diffs, affiliate.Difference{What: "entries of orders", Kept: strconv.Itoa(page.Total), Real: strconv.Itoa(booked)})
		}
		if err != nil {
			return nil, err
		}
		inStats, err := counted.Verify(ctx, tx)
		return append(diffs, inStats...), err
	})
}

// recount adds up what statistics count of orders: each with what refunds left.
func recount(ctx context.Context, tx Tx, r *stats.Recount, list []Order) error {
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = list[i].AdvertiserID
	}
	found, err := tx.Advertisers().GetMany(ctx, idset.Sorted(ids))
	if err != nil {
		return err
	}
	advertisers := make(map[int64]affiliate.Advertiser, len(found))
	for _, a := range found {
		advertisers[a.ID] = a
	}
	for _, o := range list {
		if !o.Counts() {
			continue
		}
		t, err := offers.ParseClickTerms(o.Terms)
		if err != nil {
			return err
		}
		value, err := o.worthLeft()
		if err != nil {
			return err
		}
		earning, cost := o.reversed(t)
		a := advertisers[o.AdvertiserID]
		if err := r.Add(o.statOf(&a, stats.OrderPaid, value, minus(o.Earning, earning), minus(o.Cost, cost))); err != nil {
			return err
		}
	}
	return nil
}

// verifyOrders verifies some orders, and returns how many entries they have.
func verifyOrders(ctx context.Context, tx Tx, list []Order) ([]affiliate.Difference, int, error) {
	var ids []int64
	var causes []string
	for _, o := range list {
		ids = append(ids, o.ID)
		for revision := range o.Revision + 1 {
			causes = append(causes, Order{ID: o.ID, Revision: revision}.Cause())
		}
	}
	entries, err := tx.Ledger().ByCauses(ctx, causes)
	if err != nil {
		return nil, 0, err
	}
	byCause := make(map[string]affiliate.Entry, len(entries))
	var entryIDs []int64
	for _, e := range entries {
		byCause[e.Cause] = e
		entryIDs = append(entryIDs, e.ID)
	}
	reversals, err := tx.Ledger().Reversals(ctx, entryIDs)
	if err != nil {
		return nil, 0, err
	}
	taken := make(map[int64][2]int64)
	for _, r := range reversals {
		t := taken[r.Reverses]
		taken[r.Reverses] = [2]int64{t[0] - r.Earning.Minor(), t[1] - r.Cost.Minor()}
	}
	refunds, err := tx.Refunds().ByOrders(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	var diffs []affiliate.Difference
	for _, o := range list {
		v := verification{order: o, byCause: byCause, taken: taken}
		for _, r := range refunds {
			if r.OrderID == o.ID {
				v.refunds = append(v.refunds, r)
			}
		}
		if err := v.run(); err != nil {
			return nil, 0, err
		}
		diffs = append(diffs, v.diffs...)
	}
	return diffs, len(entries), nil
}

// verification is one order with what is kept about it.
type verification struct {
	order   Order
	byCause map[string]affiliate.Entry
	taken   map[int64][2]int64 // by entry: earning and cost that reversals took
	refunds []Refund
	diffs   []affiliate.Difference
}

func (v *verification) differ(what, kept, real string) {
	if kept != real {
		v.diffs = append(v.diffs, affiliate.Difference{What: fmt.Sprintf("order %d: %s", v.order.ID, what), Kept: kept, Real: real})
	}
}

func (v *verification) run() error {
	o := v.order
	t, err := offers.ParseClickTerms(o.Terms)
	if err != nil {
		return err
	}
	if o.paid() {
		earning, cost, err := o.price(t)
		if err != nil {
			return err
		}
		v.differ("price", o.Earning.String()+" / "+o.Cost.String(), earning.String()+" / "+cost.String())
	}
	backEarning, backCost := o.reversed(t)
	var value decimal.Decimal
	var earning, cost int64
	for _, r := range v.refunds {
		value = value.Add(r.Value)
		earning, cost = earning+r.Earning.Minor(), cost+r.Cost.Minor()
	}
	v.differ("refunded value", o.Refunded.String(), value.String())
	v.differ("refunded money", fmt.Sprint(earning, " / ", cost), fmt.Sprint(backEarning.Minor(), " / ", backCost.Minor()))
	for revision := range o.Revision + 1 {
		e, ok := v.byCause[Order{ID: o.ID, Revision: revision}.Cause()]
		taken := v.taken[e.ID]
		switch {
		case revision < o.Revision && ok: // a correction took it back
			v.differ("entry of an earlier revision", fmt.Sprint(taken), fmt.Sprint([2]int64{e.Earning.Minor(), e.Cost.Minor()}))
		case revision < o.Revision:
		case !o.paid():
			v.differ("entry", strconv.FormatBool(ok), "false")
		default:
			v.differ("entry", e.Earning.String()+" / "+e.Cost.String(), o.Earning.String()+" / "+o.Cost.String())
			want := [2]int64{backEarning.Minor(), backCost.Minor()}
			if !o.DeclinedAt.IsZero() {
				want = [2]int64{o.Earning.Minor(), o.Cost.Minor()}
			}
			v.differ("reversed", fmt.Sprint(taken), fmt.Sprint(want))
		}
	}
	return nil
}
