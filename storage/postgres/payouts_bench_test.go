package postgres_test

import (
	"context"
	"database/sql"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

const payoutPeriod = "2026-03"

// BenchmarkPayoutRun pays 100,000 creators who have a million payable entries,
// with invoices, against transactions that do the same by one statement a step.
// Run it with -benchtime 1x: making the entries takes longer than the run.
func BenchmarkPayoutRun(b *testing.B) {
	const creators, entries = 100_000, 1_000_000
	afterwards := func() time.Time { return time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC) }
	for b.Loop() {
		b.StopTimer()
		db, handle := openInPath(b)
		seedEarnings(b, handle, creators, entries)
		kit, err := affiliatekit.New(db, affiliatekit.Options{Payouts: payouts.Options{Clock: afterwards}})
		if err != nil {
			b.Fatal(err)
		}
		_, bare := openInPath(b)
		seedEarnings(b, bare, creators, entries)
		b.StartTimer()

		var peak uint64
		units := 0
		start := time.Now()
		done, err := kit.Payouts.Run(b.Context(), payouts.RunInput{Period: payoutPeriod, Invoice: true, Progress: func(payouts.RunResult) {
			if units++; units%20 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
		}})
		ours := time.Since(start)
		if err != nil || done.Payments != creators || done.Invoices != creators {
			b.Fatalf("the run returned %+v, %v", done, err)
		}
		start = time.Now()
		if paid := payInSQL(b, bare, 500); paid != creators {
			b.Fatalf("the statements paid %d creators", paid)
		}
		floor := time.Since(start)
		b.ReportMetric(float64(floor)/float64(ours), "floor/ours")
		b.ReportMetric(entries/ours.Seconds(), "entries/s")
		b.ReportMetric(float64(peak)/(1<<20), "peak-heap-MiB")

		// Both did the same.
		if a, f := paidOut(b, handle), paidOut(b, bare); a != f {
			b.Fatalf("the run left %+v, the statements %+v", a, f)
		}
	}
}

// seedEarnings makes creators and their payable entries of the period, and their totals.
func seedEarnings(b *testing.B, handle *bun.DB, creators, entries int) {
	b.Helper()
	for _, statement := range []string{
		`INSERT INTO affiliate_users (username, username_key, display_name, email, phone, locale, social_types, social_identifiers)
		 SELECT 'creator ' || i, 'creator ' || i, '', '', '', '', '{}', '{}' FROM generate_series(1, ` + strconv.Itoa(creators) + `) AS i`,
		`INSERT INTO affiliate_entries (kind, account, currency, earning, cost, occurred_at, payable_at, cause, terms)
		 SELECT 'click', 'user:' || 1 + i % ` + strconv.Itoa(creators) + `, 'SEK', 10 + i % 7, 20, t, t, 'click:' || i, '' FROM generate_series(1, ` + strconv.Itoa(entries) + `) AS i,
		 LATERAL (SELECT timestamptz '2026-03-01' + i * interval '2 seconds' AS t) AS t`,
		`INSERT INTO affiliate_totals (account, currency, earned, paid, cost, entries)
		 SELECT account, currency, sum(earning), 0, sum(cost), count(*) FROM affiliate_entries GROUP BY account, currency`,
		`ANALYZE`,
	} {
		if _, err := handle.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
}

// payInSQL is what a payout run is at least, of so many balances a transaction.
func payInSQL(b *testing.B, handle *bun.DB, size int) (paid int) {
	b.Helper()
	var account string
	for {
		var got int
		err := handle.RunInTx(b.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable}, func(ctx context.Context, tx bun.Tx) error {
			var last int64
			if err := tx.NewRaw(`SELECT coalesce(max(id), 0) FROM affiliate_payments`).Scan(ctx, &last); err != nil {
				return err
			}
			var to sql.NullString
			err := tx.NewRaw(`WITH due AS (
					SELECT t.account, t.currency, t.earned - t.paid AS amount, u.id, u.client_id FROM affiliate_totals AS t JOIN affiliate_users AS u ON u.id = substr(t.account, 6)::bigint
					WHERE t.account > ? AND t.account LIKE 'user:%' AND t.earned - t.paid > 0 ORDER BY t.account LIMIT ?
				), added AS (
					INSERT INTO affiliate_payments (user_id, client_id, period, currency, amount, parts, system, status, invoice_number, invoiced_at, transfer, reference, created_at)
					SELECT d.id, d.client_id, ?, d.currency, d.amount,
						(SELECT json_agg(json_build_object('k', s.kind, 'm', s.earning, 'n', s.n)) FROM (SELECT e.kind, sum(e.earning) AS earning, count(*) AS n FROM affiliate_entries AS e
							WHERE e.account = d.account AND e.currency = d.currency AND e.payable_at >= '2026-03-01' AND e.payable_at < '2026-04-01' GROUP BY e.kind) AS s),
						0, 'invoiced', 'U' || d.id || '-1', '2026-04-02', '', '', '2026-04-02' FROM due AS d RETURNING user_id
				) SELECT (SELECT max(account) FROM due), count(*) FROM added`, account, size, payoutPeriod).Scan(ctx, &to, &got)
			if err != nil || got == 0 {
				return err
			}
			account = to.String
			for _, statement := range []string{
				`INSERT INTO affiliate_invoice_series (series, last) SELECT 'U' || user_id, 1 FROM affiliate_payments WHERE id > ?0
				 ON CONFLICT (series) DO UPDATE SET last = affiliate_invoice_series.last + 1`,
				`INSERT INTO affiliate_invoices (payment_id, series, serial, issued_at, key_id, parties) SELECT id, 'U' || user_id, 1, '2026-04-02', '', '{"seller":{},"buyer":{}}' FROM affiliate_payments WHERE id > ?0`,
				`INSERT INTO affiliate_events (kind, version, object_type, object_id, data, at) SELECT k, 1, 'payment', id::text,
					json_build_object('user_id', user_id, 'period', period, 'amount', amount, 'currency', currency), '2026-04-02' FROM affiliate_payments, unnest('{payment.created,payment.invoiced}'::text[]) AS k WHERE id > ?0`,
				`INSERT INTO affiliate_entries (kind, account, currency, earning, cost, occurred_at, payable_at, cause, terms)
				 SELECT 'payout', 'user:' || user_id, currency, -amount, 0, '2026-04-02', '2026-04-02', 'payment:' || id, '' FROM affiliate_payments WHERE id > ?0`,
				`UPDATE affiliate_totals AS t SET paid = t.paid + p.amount, entries = t.entries + 1 FROM affiliate_payments AS p WHERE p.id > ?0 AND t.account = 'user:' || p.user_id AND t.currency = p.currency`,
			} {
				if _, err := tx.NewRaw(statement, last).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		if got == 0 {
			return paid
		}
		paid += got
	}
}

// payoutOutcome sums up what a run left.
type payoutOutcome struct {
	Payments, Amount, Invoices, Events, Entries, Paid int64
}

func paidOut(b *testing.B, handle *bun.DB) (o payoutOutcome) {
	b.Helper()
	err := handle.NewRaw(`SELECT (SELECT count(*) FROM affiliate_payments), (SELECT sum(amount) FROM affiliate_payments), (SELECT count(*) FROM affiliate_invoices),
		(SELECT count(*) FROM affiliate_events), (SELECT count(*) FROM affiliate_entries WHERE kind = ?), (SELECT sum(paid) FROM affiliate_totals)`, string(affiliate.EntryPayout)).
		Scan(b.Context(), &o.Payments, &o.Amount, &o.Invoices, &o.Events, &o.Entries, &o.Paid)
	if err != nil {
		b.Fatal(err)
	}
	return o
}
