package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

type invoiceRow struct {
	bun.BaseModel `bun:"table:affiliate_invoices,alias:t"`

	PaymentID int64     `bun:"payment_id,pk"`
	Series    string    `bun:"series"`
	Serial    int64     `bun:"serial"`
	IssuedAt  time.Time `bun:"issued_at,nullzero"`
	KeyID     string    `bun:"key_id"`
	Parties   []byte    `bun:"parties"`
}

var invoiceTable = table[payouts.Invoice, invoiceRow]{
	name: "affiliate_invoices", resource: "invoice", entity: invoiceRow.invoice,
}

func (r invoiceRow) invoice() payouts.Invoice {
	return payouts.Invoice{
		PaymentID: r.PaymentID, Series: r.Series, Serial: r.Serial, IssuedAt: utc(r.IssuedAt),
		Parties: payouts.Sealed{KeyID: r.KeyID, Data: noneAsNil(r.Parties)},
	}
}

type seriesRow struct {
	Series string `bun:"series"`
	Last   int64  `bun:"last"`
}

type invoices struct{ u *unit }

// Take counts on in the rows of the series, in the order of their names, which
// stay locked until the unit ends.
func (r invoices) Take(ctx context.Context, takes ...payouts.SeriesTake) ([]int64, error) {
	return change(ctx, r.u, "series", func(ctx context.Context) ([]int64, error) {
		if len(takes) == 0 {
			return nil, nil
		}
		for _, t := range takes {
			if err := t.Validate(); err != nil {
				return nil, err
			}
		}
		type take = payouts.SeriesTake
		var rows []seriesRow
		err := r.u.prepared(`INSERT INTO {schema}affiliate_invoice_series AS t (series, last)
			SELECT series, last FROM unnest(?0::text[], ?1::bigint[]) AS n (series, last) ORDER BY series
			ON CONFLICT (series) DO UPDATE SET last = t.last + excluded.last RETURNING t.series, t.last`,
			values(takes, func(t *take) string { return t.Series }),
			values(takes, func(t *take) int64 { return t.Count })).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		last := make(map[string]int64, len(rows))
		for _, row := range rows {
			last[row.Series] = row.Last
		}
		first := make([]int64, len(takes))
		for i, t := range takes {
			first[i] = last[t.Series] - t.Count + 1
		}
		return first, nil
	})
}

func (r invoices) Series(ctx context.Context, after string, limit int) ([]payouts.SeriesTake, error) {
	return read(ctx, r.u, "series", func(ctx context.Context) ([]payouts.SeriesTake, error) {
		if limit <= 0 || !storable(after) {
			return nil, nil
		}
		var rows []seriesRow
		err := r.u.tx.NewRaw(`SELECT series, last FROM ? WHERE series > ? ORDER BY series LIMIT ?`,
			r.u.name("affiliate_invoice_series"), after, limit).Scan(ctx, &rows)
		return converted(rows, func(row seriesRow) payouts.SeriesTake { return payouts.SeriesTake{Series: row.Series, Count: row.Last} }), err
	})
}

func (r invoices) Add(ctx context.Context, list ...payouts.Invoice) error {
	return exec(ctx, r.u, "invoice", func(ctx context.Context) error {
		if len(list) == 0 {
			return nil
		}
		for _, i := range list {
			if err := i.Validate(); err != nil {
				return err
			}
		}
		type invoice = payouts.Invoice
		return batch{table: invoiceTable.name, columns: []batchColumn{
			field("payment_id", "bigint", list, func(i *invoice) int64 { return i.PaymentID }),
			field("series", "text", list, func(i *invoice) string { return i.Series }),
			field("serial", "bigint", list, func(i *invoice) int64 { return i.Serial }),
			timeField("issued_at", list, func(i *invoice) time.Time { return i.IssuedAt }),
			field("key_id", "text", list, func(i *invoice) string { return i.Parties.KeyID }),
			bytesField("parties", list, func(i *invoice) []byte { return nonNilBytes(i.Parties.Data) }),
		}}.exec(ctx, r.u)
	})
}

// nonNilBytes makes nil bytes empty ones, which are no NULL.
func nonNilBytes(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (r invoices) GetMany(ctx context.Context, paymentIDs []int64) ([]payouts.Invoice, error) {
	return read(ctx, r.u, "invoice", func(ctx context.Context) ([]payouts.Invoice, error) {
		var rows []invoiceRow
		err := invoiceTable.selectFrom(r.u, &rows).Where("t.payment_id = ANY(?::bigint[])", pgdialect.Array(paymentIDs)).
			OrderExpr("t.payment_id").Scan(ctx)
		return invoiceTable.entities(rows), err
	})
}

func (r invoices) Scan(ctx context.Context, series string, after int64, limit int) ([]payouts.Invoice, error) {
	return read(ctx, r.u, "invoice", func(ctx context.Context) ([]payouts.Invoice, error) {
		if limit <= 0 {
			return nil, nil
		}
		var rows []invoiceRow
		q := invoiceTable.selectFrom(r.u, &rows)
		q.exactly("t.series", series)
		err := q.Where("t.serial > ?", after).OrderExpr("t.serial").Limit(int64(limit)).Scan(ctx)
		return invoiceTable.entities(rows), err
	})
}

func (r invoices) Reseal(ctx context.Context, list ...payouts.Invoice) error {
	return exec(ctx, r.u, "invoice", func(ctx context.Context) error {
		if len(list) == 0 {
			return nil
		}
		for _, i := range list {
			if err := i.Validate(); err != nil {
				return err
			}
		}
		type invoice = payouts.Invoice
		ids := values(list, func(i *invoice) int64 { return i.PaymentID })
		var met []int64
		err := r.u.prepared(`UPDATE {schema}affiliate_invoices AS t SET key_id = n.key_id, parties = n.parties
			FROM unnest(?0::bigint[], ?1::text[], ?2::bytea[]) AS n (payment_id, key_id, parties)
			WHERE t.payment_id = n.payment_id RETURNING t.payment_id`,
			ids,
			values(list, func(i *invoice) string { return i.Parties.KeyID }),
			values(list, func(i *invoice) []byte { return nonNilBytes(i.Parties.Data) })).Scan(ctx, &met)
		if err != nil {
			return err
		}
		return allFound("invoice", met, ids)
	})
}
