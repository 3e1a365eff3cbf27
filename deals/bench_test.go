package deals_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// The benchmarks compare a small table with a large one in the same run: what
// grows with what is due, and not with what is kept, costs as much on both.
const (
	smallTable = 10_000
	largeTable = 1_000_000
	dueDeals   = 1_000
)

// table is a store with settled deals, and some that can be made due.
type table struct {
	w   *world
	due []deals.Deal
}

// Half of a table is Approved and half Canceled, all of one business partner.
func settled(c deals.CatalogDetails, n int) deals.Deal {
	d := deals.Deal{
		ID: uuid.UUID{0: 1, 12: byte(n >> 24), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}, BusinessPartnerID: seller, ExternalID: "old-" + strconv.Itoa(n),
		CatalogID: c.ID, OfferID: c.Offers[0].ID, CatalogCode: c.Code, OfferName: "Beginner", Status: deals.Approved,
		Cost: usd(100_00), Source: deals.ByUID, PartnerID: anna, Terms: c.Offers[0].Terms, Reward: usd(5_00), Hold: c.Hold, Cancel: c.Cancel,
		CreatedAt: start, PaidAt: start, ApprovedAt: start.Add(c.Hold), ModifiedAt: start.Add(c.Hold),
	}
	if n%2 == 1 {
		d.Status, d.PaidAt, d.ApprovedAt, d.CanceledAt = deals.Canceled, time.Time{}, time.Time{}, start.Add(c.Cancel)
	}
	return d
}

func memoryTable(b *testing.B, size int) table {
	b.Helper()
	w := newWorld(b, backends.Memory())
	c := w.catalog("course")
	add(b, w, c, 0, size-dueDeals)
	return withDue(b, w, c, size)
}

// add keeps the settled deals from..until-1.
func add(b *testing.B, w *world, c deals.CatalogDetails, from, until int) {
	b.Helper()
	for ; from < until; from += 1000 {
		err := w.store.Write(b.Context(), func(ctx context.Context, tx deals.Tx) error {
			for n := from; n < min(from+1000, until); n++ {
				if _, _, err := tx.Deals().AddOrGet(ctx, settled(c, n)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// postgresTable copies settled deals inside of the database.
func postgresTable(b *testing.B, size int) table {
	b.Helper()
	dsn := backends.Database(b)
	w := newWorld(b, backends.Postgres(b, dsn))
	c := w.catalog("course")
	add(b, w, c, 0, 2)
	db, err := postgres.Open(dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range []string{
		`INSERT INTO affiliate_deals SELECT (jsonb_populate_record(d, jsonb_build_object('id', n + 1000, 'public_id', gen_random_uuid(), 'external_id', 'old-' || n))).*
			FROM generate_series(2, ` + strconv.Itoa(size-dueDeals-1) + `) AS n JOIN affiliate_deals AS d ON d.external_id = 'old-' || n % 2`,
		`SELECT setval(pg_get_serial_sequence('affiliate_deals', 'id'), 10000000)`,
		`VACUUM ANALYZE affiliate_deals`,
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	return withDue(b, w, c, size)
}

// withDue adds the deals that are due at the world's new time.
func withDue(b *testing.B, w *world, c deals.CatalogDetails, size int) table {
	b.Helper()
	add(b, w, c, size-dueDeals, size)
	t := table{w: w}
	for n := size - dueDeals; n < size; n++ {
		d := settled(c, n)
		d.Status, d.PaidAt, d.ApprovedAt, d.CanceledAt = deals.Created, time.Time{}, time.Time{}, time.Time{}
		d.ModifiedAt = start
		t.due = append(t.due, d)
	}
	w.pass(14 * day)
	if page, err := w.deals.Deals(b.Context(), deals.DealFilter{BusinessPartnerID: seller}, affiliate.PageRequest{Number: 1, Size: 1}); err != nil || page.Total != size {
		b.Fatalf("the table has %d deals, %v, want %d", page.Total, err, size)
	}
	return t
}

// again makes the deals due again, and delivers the events of the last sweep.
func (t table) again(b *testing.B) {
	b.Helper()
	err := t.w.store.Write(b.Context(), func(ctx context.Context, tx deals.Tx) error { return tx.Deals().Update(ctx, t.due...) })
	if err != nil {
		b.Fatal(err)
	}
	t.w.events()
}

func (t table) sweep(b *testing.B) time.Duration {
	b.Helper()
	t.again(b)
	begin := time.Now()
	n, err := t.w.deals.Sweep(b.Context())
	took := time.Since(begin)
	if err != nil || n != dueDeals {
		b.Fatalf("swept %d, %v", n, err)
	}
	return took
}

func (t table) list(b *testing.B) time.Duration {
	b.Helper()
	begin := time.Now()
	for range 10 {
		page, err := t.w.deals.Deals(b.Context(), deals.DealFilter{BusinessPartnerID: seller, Status: deals.Created}, affiliate.PageRequest{Number: 1, Size: 100})
		if err != nil || len(page.Items) != 100 || page.Total != dueDeals {
			b.Fatalf("listed %d of %d, %v", len(page.Items), page.Total, err)
		}
	}
	return time.Since(begin) / 10
}

// compare measures the same work on both tables, in turns.
func compare(b *testing.B, small, large table, work func(table) time.Duration) {
	b.Helper()
	var onSmall, onLarge time.Duration
	for b.Loop() {
		onSmall += work(small)
		onLarge += work(large)
	}
	b.ReportMetric(float64(onSmall.Microseconds())/float64(b.N), "µs-small")
	b.ReportMetric(float64(onLarge.Microseconds())/float64(b.N), "µs-large")
	b.ReportMetric(float64(onLarge)/float64(onSmall), "x-large/small")
}

func benchmarkDeals(b *testing.B, open func(*testing.B, int) table) {
	small, large := open(b, smallTable), open(b, largeTable)
	b.Run("sweep", func(b *testing.B) {
		compare(b, small, large, func(t table) time.Duration { return t.sweep(b) })
	})
	for _, t := range []table{small, large} { // Created, and not due for a long time
		for i := range t.due {
			t.due[i].Cancel = 1000 * day
		}
		t.again(b)
	}
	b.Run("list by status", func(b *testing.B) {
		compare(b, small, large, func(t table) time.Duration { return t.list(b) })
	})
}

func BenchmarkDealsMemory(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	benchmarkDeals(b, func(b *testing.B, size int) table {
		t := memoryTable(b, size)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.Logf("%d deals: %d bytes each", size, (after.HeapAlloc-before.HeapAlloc)/uint64(size))
		return t
	})
}

func BenchmarkDealsPostgres(b *testing.B) { benchmarkDeals(b, postgresTable) }
