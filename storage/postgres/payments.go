package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

// Payouts returns the store of package payouts, nil
// when Options.Without has the domain.
func (db *DB) Payouts() payouts.Store {
	if db.lacks(Payouts) {
		return nil
	}
	return view[payouts.Tx]{db, func(u *unit) payouts.Tx { return payoutTx{offersTx{statsTx{coreTx{u}}}} }}
}

// payoutTx gives the repositories of payouts beside those of the core, and those
// of package offers, which has its part in changes of users.
type payoutTx struct{ offersTx }

var _ payouts.Tx = payoutTx{}

func (t payoutTx) Payments() payouts.PaymentRepository      { return payments(t.coreTx) }
func (t payoutTx) Invoices() payouts.InvoiceRepository      { return invoices(t.coreTx) }
func (t payoutTx) PayoutDetails() payouts.DetailsRepository { return payoutDetails(t.coreTx) }
func (t payoutTx) PayoutHolds() payouts.HoldRepository      { return payoutHolds(t.coreTx) }
func (t payoutTx) AXIDs() payouts.AXIDRepository            { return axIDs(t.coreTx) }
func (t payoutTx) PaymentSystems() payouts.SystemRepository { return paymentSystems(t.coreTx) }
func (t payoutTx) PaymentSetups() payouts.SetupRepository   { return paymentSetups(t.coreTx) }

type paymentRow struct {
	bun.BaseModel `bun:"table:affiliate_payments,alias:t"`

	ID            int64              `bun:"id,pk,autoincrement"`
	UserID        int64              `bun:"user_id"`
	ClientID      int64              `bun:"client_id,nullzero"`
	Period        payouts.Period     `bun:"period"`
	Currency      affiliate.Currency `bun:"currency"`
	Amount        int64              `bun:"amount"`
	Parts         partsColumn        `bun:"parts"`
	System        int64              `bun:"system"`
	Status        payouts.Status     `bun:"status"`
	InvoiceNumber string             `bun:"invoice_number"`
	InvoicedAt    time.Time          `bun:"invoiced_at,nullzero"`
	Transfer      string             `bun:"transfer"`
	SentAt        time.Time          `bun:"sent_at,nullzero"`
	Reference     string             `bun:"reference"`
	PaidAt        time.Time          `bun:"paid_at,nullzero"`
	CreatedAt     time.Time          `bun:"created_at,nullzero"`
}

var paymentTable = table[payouts.Payment, paymentRow]{
	name: "affiliate_payments", resource: "payment", entity: paymentRow.payment,
}

func (r paymentRow) payment() payouts.Payment {
	return payouts.Payment{
		ID: r.ID, UserID: r.UserID, ClientID: r.ClientID, Period: r.Period,
		Amount: affiliate.NewMoney(r.Amount, r.Currency), Parts: r.Parts.parts, System: r.System, Status: r.Status,
		InvoiceNumber: r.InvoiceNumber, InvoicedAt: utc(r.InvoicedAt), Transfer: r.Transfer, SentAt: utc(r.SentAt),
		Reference: r.Reference, PaidAt: utc(r.PaidAt), CreatedAt: utc(r.CreatedAt),
	}
}

// partsColumn keeps the parts of a payment as JSON text.
type partsColumn struct{ parts []payouts.Part }

type partJSON struct {
	Kind    affiliate.EntryKind `json:"k"`
	Amount  int64               `json:"m"`
	Entries int64               `json:"n"`
}

func partsText(parts []payouts.Part) string {
	rows := make([]partJSON, len(parts))
	for i, p := range parts {
		rows[i] = partJSON(p)
	}
	b, _ := json.Marshal(rows) // texts and whole numbers always marshal
	return string(b)
}

// Scan is for the driver.
func (c *partsColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var rows []partJSON
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return fmt.Errorf("%w: parts: %w", errCorrupt, err)
	}
	parts := make([]payouts.Part, len(rows))
	for i, r := range rows {
		parts[i] = payouts.Part(r)
	}
	c.parts = noneAsNil(parts)
	return nil
}

// payments are written in batches: a run adds and a bank file pays thousands.
type payments struct{ u *unit }

func (r payments) Add(ctx context.Context, list ...payouts.Payment) ([]payouts.Payment, error) {
	return change(ctx, r.u, "payment", func(ctx context.Context) ([]payouts.Payment, error) {
		for _, p := range list {
			if err := p.Validate(); err != nil {
				return nil, err
			}
		}
		type payment = payouts.Payment
		var args []any
		statement := batch{table: paymentTable.name, inOrder: true, rest: "RETURNING id", columns: []batchColumn{
			field("user_id", "bigint", list, func(p *payment) int64 { return p.UserID }),
			idField("client_id", list, func(p *payment) int64 { return p.ClientID }),
			field("period", "text", list, func(p *payment) string { return string(p.Period) }),
			field("currency", "text", list, func(p *payment) string { return string(p.Amount.Currency()) }),
			field("amount", "bigint", list, func(p *payment) int64 { return p.Amount.Minor() }),
			field("parts", "text", list, func(p *payment) string { return partsText(p.Parts) }),
			field("system", "bigint", list, func(p *payment) int64 { return p.System }),
			field("status", "text", list, func(p *payment) string { return string(p.Status) }),
			field("invoice_number", "text", list, func(p *payment) string { return p.InvoiceNumber }),
			timeField("invoiced_at", list, func(p *payment) time.Time { return p.InvoicedAt }),
			field("transfer", "text", list, func(p *payment) string { return p.Transfer }),
			timeField("sent_at", list, func(p *payment) time.Time { return p.SentAt }),
			field("reference", "text", list, func(p *payment) string { return p.Reference }),
			timeField("paid_at", list, func(p *payment) time.Time { return p.PaidAt }),
			timeField("created_at", list, func(p *payment) time.Time { return p.CreatedAt }),
		}}.insert(&args)
		var ids []int64
		if err := r.u.prepared(statement, args...).Scan(ctx, &ids); err != nil {
			return nil, err
		}
		slices.Sort(ids)
		out := slices.Clone(list)
		for i := range out {
			p := &out[i]
			p.ID, p.Parts = ids[i], slices.Clone(noneAsNil(p.Parts))
			p.InvoicedAt, p.SentAt, p.PaidAt, p.CreatedAt = utc(p.InvoicedAt), utc(p.SentAt), utc(p.PaidAt), utc(p.CreatedAt)
		}
		return out, nil
	})
}

func (r payments) GetMany(ctx context.Context, ids []int64) ([]payouts.Payment, error) {
	return paymentTable.getMany(ctx, r.u, ids)
}

func (r payments) ByUsers(ctx context.Context, period payouts.Period, userIDs []int64) ([]payouts.Payment, error) {
	return paymentTable.many(ctx, r.u, func(q filter) {
		q.exactly("t.period", string(period))
		q.among("t.user_id", nonNil(userIDs))
	})
}

func (r payments) ByInvoices(ctx context.Context, numbers []string) ([]payouts.Payment, error) {
	return paymentTable.many(ctx, r.u, func(q filter) {
		q.Where("t.invoice_number <> ''") // as the index says
		q.amongTexts("t.invoice_number", numbers)
	})
}

const updatePayments = `UPDATE {schema}affiliate_payments AS t SET
	status = n.status, invoice_number = n.invoice_number, transfer = n.transfer, reference = n.reference,
	invoiced_at = nullif(n.invoiced_at, ` + zeroTime + `), sent_at = nullif(n.sent_at, ` + zeroTime + `),
	paid_at = nullif(n.paid_at, ` + zeroTime + `), created_at = nullif(n.created_at, ` + zeroTime + `)
	FROM unnest(?0::bigint[], ?1::text[], ?2::text[], ?3::text[], ?4::text[], ?5::timestamptz[], ?6::timestamptz[], ?7::timestamptz[], ?8::timestamptz[])
	AS n (id, status, invoice_number, transfer, reference, invoiced_at, sent_at, paid_at, created_at)
	WHERE t.id = n.id RETURNING t.id`

func (r payments) Update(ctx context.Context, list ...payouts.Payment) error {
	return exec(ctx, r.u, "payment", func(ctx context.Context) error {
		for _, p := range list {
			if err := p.Validate(); err != nil {
				return err
			}
		}
		type payment = payouts.Payment
		var updated []int64
		err := r.u.prepared(updatePayments,
			values(list, func(p *payment) int64 { return p.ID }),
			values(list, func(p *payment) string { return string(p.Status) }),
			values(list, func(p *payment) string { return p.InvoiceNumber }),
			values(list, func(p *payment) string { return p.Transfer }),
			values(list, func(p *payment) string { return p.Reference }),
			values(list, func(p *payment) time.Time { return p.InvoicedAt }),
			values(list, func(p *payment) time.Time { return p.SentAt }),
			values(list, func(p *payment) time.Time { return p.PaidAt }),
			values(list, func(p *payment) time.Time { return p.CreatedAt }),
		).Scan(ctx, &updated)
		if err != nil {
			return err
		}
		return allFound("payment", updated, values(list, func(p *payment) int64 { return p.ID }))
	})
}

// allFound is NotFound naming the first of the wanted ids that a batch did not
// meet.
func allFound(resource string, met, wanted []int64) error {
	there := make(map[int64]bool, len(met))
	for _, id := range met {
		there[id] = true
	}
	for _, id := range wanted {
		if !there[id] {
			return affiliate.NotFound(resource, id)
		}
	}
	return nil
}

func (r payments) Scan(ctx context.Context, f payouts.PaymentFilter, after int64, limit int) ([]payouts.Payment, error) {
	return paymentTable.many(ctx, r.u, func(q filter) {
		q.none(limit <= 0)
		q.text("t.period", string(f.Period))
		q.holding("t.period >= ?", string(f.Since))
		q.equal("t.user_id", f.UserID)
		q.equal("t.client_id", f.ClientID)
		q.text("t.status", string(f.Status))
		if f.System.Set {
			q.Where("t.system = ?", f.System.Value)
		}
		q.text("t.transfer", f.Transfer)
		q.flag("(t.transfer <> '')", f.Assigned)
		q.flag("(t.sent_at IS NOT NULL)", f.Sent)
		if f.Transfer != "" {
			q.Where("t.transfer <> ''") // as the index says
		}
		q.Where("t.id > ?", after).Limit(int64(limit))
	})
}
