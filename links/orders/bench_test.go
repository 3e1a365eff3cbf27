package orders_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// durable is a server of its own that keeps what it says it has kept.
var durable = sync.OnceValues(func() (*pgtest.Cluster, error) {
	return pgtest.Start(context.Background(), pgtest.Options{Durable: true})
})

// floorTables are an order of a hand that promises nothing beside its sums: no
// currency, no terms, no lines, no voucher, no explanation.
const floorTables = `
	CREATE TABLE floor_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, advertiser_id bigint, number text, at timestamptz, value numeric, click_id uuid,
		user_id bigint, earning bigint, cost bigint, UNIQUE (advertiser_id, number));
	CREATE TABLE floor_budget (offer_id bigint PRIMARY KEY, spent bigint);
	CREATE TABLE floor_ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account text, advertiser_id bigint, earning bigint, cost bigint, at timestamptz, cause text UNIQUE);
	CREATE TABLE floor_totals (account text PRIMARY KEY, earned bigint);
	CREATE TABLE floor_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text, object_id text, data text, at timestamptz);
	CREATE TABLE floor_stats (level int, id bigint, date date, orders bigint, value bigint, earning bigint, cost bigint, PRIMARY KEY (level, id, date));`

// floorOrder is the transaction of one order: ten statements, one after the other.
func floorOrder(ctx context.Context, handle *bun.DB, r orders.Report, offerID int64) error {
	return handle.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}, func(ctx context.Context, tx bun.Tx) error {
		var currency, status string
		if err := tx.NewRaw(`SELECT currency, status FROM affiliate_advertisers WHERE id = ?`, r.AdvertiserID).Scan(ctx, &currency, &status); err != nil {
			return err
		}
		var known int64
		if err := tx.NewRaw(`SELECT id FROM floor_orders WHERE advertiser_id = ? AND number = ?`, r.AdvertiserID, r.Number).Scan(ctx, &known); !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("the order is there: %w", err)
		}
		var userID int64
		var terms string
		if err := tx.NewRaw(`SELECT user_id, terms FROM affiliate_clicks WHERE id = ?`, r.ClickIDs[0]).Scan(ctx, &userID, &terms); err != nil {
			return err
		}
		if err := tx.NewRaw(`SELECT username FROM affiliate_users WHERE id = ?`, userID).Scan(ctx, &status); err != nil {
			return err
		}
		var id int64
		if err := tx.NewRaw(`INSERT INTO floor_orders (advertiser_id, number, at, value, click_id, user_id, earning, cost) VALUES (?, ?, now(), ?, ?, ?, 500, 800) RETURNING id`,
			r.AdvertiserID, r.Number, r.Value.String(), r.ClickIDs[0], userID).Scan(ctx, &id); err != nil {
			return err
		}
		for _, change := range []struct {
			text string
			args []any
		}{
			{`UPDATE floor_budget SET spent = spent + 800 WHERE offer_id = ? AND spent + 800 <= 1000000000000`, []any{offerID}},
			{`INSERT INTO floor_ledger (account, advertiser_id, earning, cost, at, cause) VALUES (?, ?, 500, 800, now(), ?)`, []any{fmt.Sprint("user:", userID), r.AdvertiserID, fmt.Sprint("order:", id)}},
			{`INSERT INTO floor_totals VALUES (?, 500) ON CONFLICT (account) DO UPDATE SET earned = floor_totals.earned + 500`, []any{fmt.Sprint("user:", userID)}},
			{`INSERT INTO floor_events (kind, object_id, data, at) VALUES ('order.added', ?, '{"advertiser_id":1}', now())`, []any{fmt.Sprint(id)}},
			{`INSERT INTO floor_stats SELECT l, ?, current_date, 1, 10000, 500, 800 FROM generate_series(1, 4) AS l
				ON CONFLICT (level, id, date) DO UPDATE SET orders = floor_stats.orders + 1, value = floor_stats.value + 10000, earning = floor_stats.earning + 500, cost = floor_stats.cost + 800`, []any{r.AdvertiserID}},
		} {
			if _, err := tx.ExecContext(ctx, change.text, change.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkOrdersPostgres is orders a second into a durable server, all of them
// of one campaign with a budget, each with a click. The floor is a hand-written
// transaction of ten statements for each order. "alone" is one caller, "together"
// are eight and 64 that report one by one, and "batch" is ReportMany with a hundred
// orders. The floor has eight callers where there are several, else one.
func BenchmarkOrdersPostgres(b *testing.B) {
	cluster, err := durable()
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv(pgtest.EnvURL, cluster.DSN("postgres"))
	is := is.New(b)
	handle, err := postgres.Open(backends.Database(b))
	is.NoErr(err)
	b.Cleanup(func() { handle.Close() })
	is.NoErr(postgres.Migrate(b.Context(), handle, postgres.Options{}))
	db, err := postgres.New(handle, postgres.Options{})
	is.NoErr(err)
	w := newWorld(b, storagetest.Backend{Core: db.Core(), Offers: db.Offers(), Links: db.Links(), Orders: db.Orders()})
	_, err = w.offers.UpdateOffer(b.Context(), w.campaign.ID, offers.OfferChange{Change: func(o *offers.Offer, _ *offers.OfferChange) error {
		o.BudgetLimit = affiliate.Some[int64](offers.MaxAmount)
		return nil
	}})
	is.NoErr(err)
	_, err = handle.ExecContext(b.Context(), floorTables)
	is.NoErr(err)
	_, err = handle.ExecContext(b.Context(), `INSERT INTO floor_budget VALUES (?, 0)`, w.campaign.ID)
	is.NoErr(err)
	click := w.click(w.link)
	is.Equal(click.OfferID, w.campaign.ID)
	number := 0
	sales := func(n int) []orders.Report {
		out := make([]orders.Report, n)
		for i := range out {
			number++
			out[i] = w.sale(fmt.Sprint("order ", number), "100", click)
		}
		return out
	}
	report := func(r orders.Report) error {
		o, outcome, err := w.orders.Report(b.Context(), r)
		if err == nil && (outcome != orders.Added || o.Earning.Minor() != 500) {
			err = fmt.Errorf("got %v %+v", outcome, o)
		}
		return err
	}
	floor := func(r orders.Report) error { return floorOrder(b.Context(), handle, r, w.campaign.ID) }
	rate := func(n, callers int, take func([]orders.Report) error) float64 {
		list := sales(n)
		errs := make([]error, callers)
		start := time.Now()
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() { errs[c] = take(list[c*n/callers : (c+1)*n/callers]) })
		}
		wg.Wait()
		took := time.Since(start)
		is.NoErr(errors.Join(errs...))
		return float64(n) / took.Seconds()
	}
	oneByOne := func(take func(orders.Report) error) func([]orders.Report) error {
		return func(list []orders.Report) error {
			for _, r := range list {
				if err := take(r); err != nil {
					return err
				}
			}
			return nil
		}
	}
	batch := func(list []orders.Report) error {
		results, err := w.orders.ReportMany(b.Context(), list)
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		return err
	}
	for _, c := range []struct {
		name         string
		n            int
		callers      int
		ours         func([]orders.Report) error
		floorCallers int
	}{
		{"alone", 100, 1, oneByOne(report), 1},
		{"together-8", 200, 8, oneByOne(report), 8},
		{"together-64", 1024, 64, oneByOne(report), 8},
		{"batch", 500, 1, batch, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			var ours, least float64
			for b.Loop() {
				ours += rate(c.n, c.callers, c.ours)
				least += rate(100, c.floorCallers, oneByOne(floor))
			}
			b.ReportMetric(ours/float64(b.N), "orders/s")
			b.ReportMetric(least/float64(b.N), "floor-orders/s")
			b.ReportMetric(ours/least, "vs-floor")
		})
	}
	w.verify()
}
