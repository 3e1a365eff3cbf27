package memory

import (
	"cmp"
	"context"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// seriesTable counts the numbers of each series: Count is the last one taken.
type seriesTable struct {
	*engine.Table[payouts.SeriesTake]
	bySeries *engine.Unique[payouts.SeriesTake, string]
	inOrder  *engine.Ordered[payouts.SeriesTake]
}

func newSeriesTable(db *DB) seriesTable {
	t := engine.NewTable[payouts.SeriesTake](&db.store)
	return seriesTable{t,
		engine.NewUnique(t, func(s *payouts.SeriesTake) (string, bool) { return s.Series, true }),
		engine.NewOrdered(t, func(a, b *payouts.SeriesTake) int { return strings.Compare(a.Series, b.Series) }),
	}
}

type invoiceTable struct {
	*engine.Table[payouts.Invoice]
	byPayment *engine.Unique[payouts.Invoice, int64]
	inOrder   *engine.Ordered[payouts.Invoice] // by series, then serial
}

func newInvoiceTable(db *DB) invoiceTable {
	t := engine.NewTable[payouts.Invoice](&db.store)
	return invoiceTable{t,
		engine.NewUnique(t, func(i *payouts.Invoice) (int64, bool) { return i.PaymentID, true }),
		engine.NewOrdered(t, compareInvoices),
	}
}

func compareInvoices(a, b *payouts.Invoice) int {
	return cmp.Or(strings.Compare(a.Series, b.Series), cmp.Compare(a.Serial, b.Serial))
}

func copyInvoice(_ uint32, i *payouts.Invoice) payouts.Invoice {
	out := *i
	out.Parties.Data = engine.Copied(i.Parties.Data)
	return out
}

func keptInvoice(i payouts.Invoice) payouts.Invoice {
	i.Parties.Data = engine.Copied(i.Parties.Data)
	i.IssuedAt = engine.Kept(i.IssuedAt)
	return i
}

type invoices struct{ u *unit }

func (r invoices) Take(ctx context.Context, takes ...payouts.SeriesTake) ([]int64, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	for _, t := range takes {
		if err := t.Validate(); err != nil {
			return nil, r.u.Fail(err)
		}
	}
	t := r.u.db.payouts.series
	var first []int64
	for _, take := range takes {
		id, ok := t.bySeries.Find(take.Series)
		if !ok {
			var err error
			if id, err = t.Insert(payouts.SeriesTake{Series: strings.Clone(take.Series)}); err != nil {
				return nil, r.u.Fail(err)
			}
		}
		row := t.Touch(id)
		first = append(first, row.Count+1)
		row.Count += take.Count
	}
	return first, nil
}

func (r invoices) Series(ctx context.Context, after string, limit int) ([]payouts.SeriesTake, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.payouts.series
	var ids []uint32
	part, i := t.inOrder.Search(func(s *payouts.SeriesTake) bool { return s.Series > after })
	t.inOrder.Each(part, i, func(id uint32) bool {
		ids = append(ids, id)
		return len(ids) < limit
	})
	return engine.Collect(t.Table, ids, engine.AsKept), nil
}

func (r invoices) Add(ctx context.Context, list ...payouts.Invoice) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for _, i := range list {
		if err := i.Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	var f engine.Refusal
	t := r.u.db.payouts.invoices
	for _, i := range list {
		f.Unique(t.byPayment.Taken(&i, 0), "payment_id")
		if found, ok := t.inOrder.First(func(o *payouts.Invoice) bool { return compareInvoices(o, &i) >= 0 }); ok {
			f.Unique(compareInvoices(t.At(found), &i) == 0, "serial")
		}
		if err := f.Err("invoice"); err != nil {
			return r.u.Fail(err)
		}
		if _, err := t.Insert(keptInvoice(i)); err != nil {
			return r.u.Fail(err)
		}
	}
	for _, i := range list { // behind the keys of all, as at the end of a statement
		f.Refers(r.u.db.payouts.payments.Knows(i.PaymentID), "payment_id")
	}
	if err := f.Err("invoice"); err != nil {
		return r.u.Fail(err)
	}
	return nil
}

func (r invoices) GetMany(ctx context.Context, paymentIDs []int64) ([]payouts.Invoice, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.payouts.invoices
	var out []payouts.Invoice
	for _, payment := range idset.Sorted(paymentIDs) {
		if id, ok := t.byPayment.Find(payment); ok {
			out = append(out, copyInvoice(id, t.At(id)))
		}
	}
	return out, nil
}

func (r invoices) Scan(ctx context.Context, series string, after int64, limit int) ([]payouts.Invoice, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.payouts.invoices
	var ids []uint32
	from := payouts.Invoice{Series: series, Serial: after}
	part, i := t.inOrder.Search(func(o *payouts.Invoice) bool { return compareInvoices(o, &from) > 0 })
	t.inOrder.Each(part, i, func(id uint32) bool {
		if t.At(id).Series != series {
			return false
		}
		ids = append(ids, id)
		return len(ids) < limit
	})
	return engine.Collect(t.Table, ids, copyInvoice), nil
}

func (r invoices) Reseal(ctx context.Context, list ...payouts.Invoice) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.payouts.invoices
	for _, i := range list {
		if err := i.Validate(); err != nil {
			return r.u.Fail(err)
		}
		id, ok := t.byPayment.Find(i.PaymentID)
		if !ok {
			return r.u.Fail(affiliate.NotFound("invoice", i.PaymentID))
		}
		row := *t.At(id)
		row.Parties = keptInvoice(i).Parties
		t.Replace(id, row)
	}
	return nil
}
