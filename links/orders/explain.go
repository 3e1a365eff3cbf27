package orders

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// LineExplanation is how one line, or the value that no line has, was paid.
type LineExplanation struct {
	SKU        string
	Category   string
	Value      decimal.Decimal // major units of the order's currency
	Basis      decimal.Decimal // of it, what commission is paid on, to 12 digits
	CPA        affiliate.Rate
	InvoiceCPA affiliate.Rate
	Refunded   decimal.Decimal
}

// Explanation says how an order came to what it earns.
type Explanation struct {
	Order      Order
	Status     Status
	From       time.Time   // clicks before it were too old
	Candidates []Candidate // in order of preference, as they are now
	Terms      offers.ClickTerms
	Lines      []LineExplanation // the last one is the value that no line has
	// ExactEarning and ExactCost are the unrounded amounts in minor units, to 12
	// digits after the point.
	ExactEarning decimal.Decimal
	ExactCost    decimal.Decimal
	Entries      []affiliate.Entry // of all revisions with their reversals, oldest first
	Refunds      []Refund
}

// Explain says how an order was attributed and priced: every click and the
// voucher that it names, and why it is paid by one of them or by none; the
// terms; the arithmetic line by line; and what the ledger has of it.
//
// Candidates are judged as they are now, but for the one that was chosen then.
// It is for those who act for the advertiser.
func (s *Service) Explain(ctx context.Context, id int64) (Explanation, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (Explanation, error) {
		var x Explanation
		o, err := s.order(ctx, tx, id)
		if err == nil && !s.viewer.ActsFor(o.AdvertiserID) { // candidates are of other creators as well
			err = affiliate.NotFound("order", id)
		}
		if err != nil {
			return x, err
		}
		x.Order, x.Status = o, o.StatusAt(s.clock.Now())
		if err := x.candidates(ctx, tx, s.clock.Now()); err != nil {
			return x, err
		}
		if x.Terms, err = offers.ParseClickTerms(o.Terms); err != nil {
			return x, err
		}
		x.arithmetic()
		if x.Refunds, err = tx.Refunds().ByOrders(ctx, []int64{id}); err != nil {
			return x, err
		}
		x.Entries, err = entriesOf(ctx, tx, o)
		return x, err
	})
}

func (x *Explanation) candidates(ctx context.Context, tx Tx, now time.Time) error {
	o := x.Order
	a, err := tx.Advertisers().Get(ctx, o.AdvertiserID)
	if err != nil {
		return err
	}
	found, err := tx.Collectors().ByAdvertisers(ctx, []int64{a.ID})
	if err != nil {
		return err
	}
	c := newCollector(a.ID, "", now)
	if len(found) == 1 {
		c = found[0]
	}
	k, err := readKnown(ctx, tx, []*Order{&o})
	if err != nil {
		return err
	}
	x.From = o.At.Add(-c.Window())
	x.Candidates = attribute(k.evidence(o, a, c))
	for i := range x.Candidates {
		it := &x.Candidates[i]
		paid := it.Click.ID
		if paid == uuid.Nil { // retention has removed it
			paid = it.ClickID
		}
		was := it.Source == o.Source && (it.Source == ByClick && paid == o.ClickID || it.Source == ByVoucher && it.Voucher.ID == o.VoucherID)
		switch {
		case was:
			it.Chosen, it.Reason, it.UserID = true, "", o.UserID
		case it.Chosen && o.Source != Unattributed:
			it.Chosen, it.Reason = false, ReasonOutranked
		}
	}
	return nil
}

// digits of explained amounts.
const explained = 12

func (x *Explanation) arithmetic() {
	o := x.Order
	ofLines, ofRest := o.bases()
	basis := func(d decimal.Decimal, share interface{ FloatString(int) string }) decimal.Decimal {
		part, err := decimal.NewFromString(share.FloatString(2 * explained))
		if err != nil { // cannot be: it is a decimal
			return decimal.Decimal{}
		}
		return Exact(d.Mul(part).Round(explained))
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		x.Lines = append(x.Lines, LineExplanation{
			SKU: l.SKU, Category: l.Category, Value: l.Value, Basis: basis(l.Value, ofLines),
			CPA: l.CPA.Or(x.Terms.CPA), InvoiceCPA: l.invoiceCPA(x.Terms), Refunded: l.Refunded,
		})
	}
	x.Lines = append(x.Lines, LineExplanation{
		Value: Exact(o.rest()), Basis: basis(o.rest(), ofRest), CPA: x.Terms.CPA, InvoiceCPA: x.Terms.InvoiceCPA, Refunded: Exact(o.restRefunded()),
	})
	whole := o.whole(x.Terms)
	x.ExactEarning, x.ExactCost = basis(decimal.NewFromInt(1), whole.earning), basis(decimal.NewFromInt(1), whole.cost)
}

// entriesOf are the ledger's entries of all revisions of an order, each
// followed by its reversals.
func entriesOf(ctx context.Context, tx Tx, o Order) ([]affiliate.Entry, error) {
	causes := make([]string, 0, o.Revision+1)
	for revision := range o.Revision + 1 {
		causes = append(causes, Order{ID: o.ID, Revision: revision}.Cause())
	}
	entries, err := tx.Ledger().ByCauses(ctx, causes)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	reversals, err := tx.Ledger().Reversals(ctx, ids)
	var out []affiliate.Entry
	for _, e := range entries {
		out = append(out, e)
		for _, r := range reversals {
			if r.Reverses == e.ID {
				out = append(out, r)
			}
		}
	}
	return out, err
}
