package memory

import (
	"context"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// payoutTables are the tables of package payouts.
type payoutTables struct {
	payments paymentTable
	series   seriesTable
	invoices invoiceTable
	details  detailsTable
	holds    holdTable
	axIDs    axIDTable
	systems  systemTable
	setups   setupTable
}

func newPayoutTables(db *DB) payoutTables {
	return payoutTables{
		payments: newPaymentTable(db),
		series:   newSeriesTable(db),
		invoices: newInvoiceTable(db),
		details:  newDetailsTable(db),
		holds:    newHoldTable(db),
		axIDs:    newAXIDTable(db),
		systems:  newSystemTable(db),
		setups:   newSetupTable(db),
	}
}

// Payouts is the view for package payouts.
func (db *DB) Payouts() payouts.Store {
	return view[payouts.Tx]{db, func(u *unit) payouts.Tx { return payoutTx{offersTx{statsTx{coreTx{u}}}} }}
}

// payoutTx is the transaction of package payouts. It is one of package offers
// too, which has its part in changes of users.
type payoutTx struct{ offersTx }

var _ payouts.Tx = payoutTx{}

func (tx payoutTx) Payments() payouts.PaymentRepository      { return payments(tx.coreTx) }
func (tx payoutTx) Invoices() payouts.InvoiceRepository      { return invoices(tx.coreTx) }
func (tx payoutTx) PayoutDetails() payouts.DetailsRepository { return payoutDetails(tx.coreTx) }
func (tx payoutTx) PayoutHolds() payouts.HoldRepository      { return payoutHolds(tx.coreTx) }
func (tx payoutTx) AXIDs() payouts.AXIDRepository            { return axIDs(tx.coreTx) }
func (tx payoutTx) PaymentSystems() payouts.SystemRepository { return paymentSystems(tx.coreTx) }
func (tx payoutTx) PaymentSetups() payouts.SetupRepository   { return paymentSetups(tx.coreTx) }

type paymentKey struct {
	user     int64
	currency affiliate.Currency
	period   payouts.Period
}

type paymentTable struct {
	*engine.Table[payouts.Payment]
	byKey      *engine.Unique[payouts.Payment, paymentKey]
	byInvoice  *engine.Unique[payouts.Payment, string]
	byUser     *engine.Groups[payouts.Payment, int64]
	byState    *engine.Ordered[payouts.Payment] // by period, then status, then id; in parts, since payments move from state to state
	byTransfer *engine.Groups[payouts.Payment, string]
}

func newPaymentTable(db *DB) paymentTable {
	t := engine.NewTable[payouts.Payment](&db.store)
	return paymentTable{t,
		engine.NewUnique(t, func(p *payouts.Payment) (paymentKey, bool) {
			return paymentKey{p.UserID, p.Amount.Currency(), p.Period}, true
		}),
		engine.NewUnique(t, func(p *payouts.Payment) (string, bool) { return p.InvoiceNumber, p.InvoiceNumber != "" }),
		engine.NewGroups(t, func(p *payouts.Payment) (int64, bool) { return p.UserID, true }, nil),
		engine.NewOrdered(t, comparePayments),
		engine.NewGroups(t, func(p *payouts.Payment) (string, bool) { return p.Transfer, p.Transfer != "" }, nil),
	}
}

func comparePayments(a, b *payouts.Payment) int {
	switch {
	case a.Period != b.Period:
		return strings.Compare(string(a.Period), string(b.Period))
	case a.Status != b.Status:
		return strings.Compare(string(a.Status), string(b.Status))
	}
	return int(a.ID - b.ID) // ids have 32 bits here
}

func copyPayment(_ uint32, p *payouts.Payment) payouts.Payment {
	out := *p
	out.Parts = engine.Copied(p.Parts)
	return out
}

func keptPayment(p payouts.Payment) payouts.Payment {
	p.Parts = engine.Copied(p.Parts)
	p.InvoicedAt, p.SentAt, p.PaidAt, p.CreatedAt = engine.Kept(p.InvoicedAt), engine.Kept(p.SentAt), engine.Kept(p.PaidAt), engine.Kept(p.CreatedAt)
	return p
}

type payments struct{ u *unit }

func (r payments) Add(ctx context.Context, list ...payouts.Payment) ([]payouts.Payment, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	for _, p := range list {
		if err := p.Validate(); err != nil {
			return nil, r.u.Fail(err)
		}
	}
	var f engine.Refusal
	t := r.u.db.payouts.payments
	var out []payouts.Payment
	for _, p := range list {
		p = keptPayment(p)
		f.Unique(t.byKey.Taken(&p, 0), "user_id")
		f.Unique(t.byInvoice.Taken(&p, 0), "invoice_number")
		if err := f.Err("payment"); err != nil {
			return nil, r.u.Fail(err)
		}
		p.ID = int64(t.Last()) + 1
		id, err := t.Insert(p)
		if err != nil {
			return nil, r.u.Fail(err)
		}
		out = append(out, copyPayment(id, t.At(id)))
	}
	for _, p := range list { // behind the keys of all, as at the end of a statement
		f.Refers(r.u.db.core.users.Knows(p.UserID), "user_id")
	}
	if err := f.Err("payment"); err != nil {
		return nil, r.u.Fail(err)
	}
	return out, nil
}

func (r payments) GetMany(ctx context.Context, ids []int64) ([]payouts.Payment, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.payouts.payments.Table, ids, copyPayment)
}

func (r payments) ByUsers(ctx context.Context, period payouts.Period, userIDs []int64) ([]payouts.Payment, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.payouts.payments
	var ids []uint32
	for _, id := range engine.ByKeys(t.byUser.Of, userIDs) {
		if t.At(id).Period == period {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, ids, copyPayment), nil
}

func (r payments) ByInvoices(ctx context.Context, numbers []string) ([]payouts.Payment, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.payouts.payments
	var ids []uint32
	for _, n := range numbers {
		if id, ok := t.byInvoice.Find(n); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, engine.Sorted(ids), copyPayment), nil
}

func (r payments) Update(ctx context.Context, list ...payouts.Payment) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.payouts.payments
	for _, p := range list {
		if err := p.Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	for _, p := range list {
		id, ok := t.Find(p.ID)
		if !ok {
			return r.u.Fail(affiliate.NotFound("payment", p.ID))
		}
		row := *t.At(id)
		row.Status, row.InvoiceNumber, row.Transfer, row.Reference = p.Status, p.InvoiceNumber, p.Transfer, p.Reference
		row.InvoicedAt, row.SentAt, row.PaidAt, row.CreatedAt = engine.Kept(p.InvoicedAt), engine.Kept(p.SentAt), engine.Kept(p.PaidAt), engine.Kept(p.CreatedAt)
		var f engine.Refusal
		f.Unique(t.byInvoice.Taken(&row, id), "invoice_number")
		if err := f.Err("payment"); err != nil {
			return r.u.Fail(err)
		}
		t.Replace(id, row)
	}
	return nil
}

func (r payments) Scan(ctx context.Context, f payouts.PaymentFilter, after int64, limit int) ([]payouts.Payment, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.payouts.payments
	if limit <= 0 || after >= int64(t.Last()) {
		return nil, nil
	}
	var ids []uint32
	collect := func(id uint32) bool {
		if p := t.At(id); p.ID > after && chosen(f, p) {
			ids = append(ids, id)
		}
		return len(ids) < limit
	}
	switch {
	case f.Transfer != "":
		each(t.byTransfer.Of(f.Transfer), collect)
	case f.UserID != 0:
		each(t.byUser.Of(f.UserID), collect)
	case f.Period != "" && f.Status != "":
		first := payouts.Payment{ID: max(after, 0) + 1, Period: f.Period, Status: f.Status}
		part, i := t.byState.Search(func(p *payouts.Payment) bool { return comparePayments(p, &first) >= 0 })
		t.byState.Each(part, i, func(id uint32) bool {
			p := t.At(id)
			return p.Period == f.Period && p.Status == f.Status && collect(id)
		})
	default:
		t.Each(uint32(max(after, 0)), collect)
	}
	return engine.Collect(t.Table, ids, copyPayment), nil
}

// each calls f with the ids until it returns false.
func each(ids []uint32, f func(id uint32) bool) {
	for _, id := range ids {
		if !f(id) {
			return
		}
	}
}

// chosen reports whether the filter chooses the payment.
func chosen(f payouts.PaymentFilter, p *payouts.Payment) bool {
	flag := func(o affiliate.Optional[bool], is bool) bool { return !o.Set || o.Value == is }
	return (f.Period == "" || f.Period == p.Period) && p.Period >= f.Since &&
		(f.UserID == 0 || f.UserID == p.UserID) && (f.ClientID == 0 || f.ClientID == p.ClientID) &&
		(f.Status == "" || f.Status == p.Status) && (!f.System.Set || f.System.Value == p.System) &&
		(f.Transfer == "" || f.Transfer == p.Transfer) &&
		flag(f.Assigned, p.Transfer != "") && flag(f.Sent, !p.SentAt.IsZero())
}
