//go:build sizes

package sizes_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

const (
	months      = 24 // this one is the last
	advertisers = 50
	creators    = 200
	linkCount   = 2000
	paidOf      = 50 // one click of so many is paid, and has an entry in the ledger
)

// market is two years of clicks in a schema of its own.
type market struct {
	clicks      int64
	dsn, schema string
	handle      *bun.DB
	db          *postgres.DB
	kit         *affiliatekit.Kit
	advertisers []int64
	creators    []int64
	links       []int64
}

// open returns the market of so many clicks. The server keeps it: it is filled only once.
func open(b *testing.B, dsn string, clicks int64) market {
	b.Helper()
	is := is.New(b)
	ctx := b.Context()
	m := market{clicks: clicks, dsn: dsn, schema: fmt.Sprint("sizes_", clicks), handle: openHandle(b, dsn)}
	var err error
	m.db, err = postgres.New(m.handle, postgres.Options{Schema: m.schema})
	is.NoErr(err)
	m.kit, err = affiliatekit.New(m.db, affiliatekit.Options{})
	is.NoErr(err)
	const complete = "complete"
	var noted string
	is.NoErr(m.handle.NewRaw(`SELECT coalesce(obj_description(to_regnamespace(?), 'pg_namespace'), '')`, m.schema).Scan(ctx, &noted))
	if noted != complete {
		is.NoErr(exec(ctx, m.handle, `DROP SCHEMA IF EXISTS ? CASCADE`, bun.Ident(m.schema)))
		is.NoErr(m.fill(ctx, b))
		is.NoErr(exec(ctx, m.handle, `COMMENT ON SCHEMA ? IS ?`, bun.Ident(m.schema), complete))
	}
	for table, ids := range map[string]*[]int64{"affiliate_advertisers": &m.advertisers, "affiliate_users": &m.creators, "affiliate_links": &m.links} {
		is.NoErr(m.handle.NewRaw(`SELECT id FROM ?.? ORDER BY id`, bun.Ident(m.schema), bun.Ident(table)).Scan(ctx, ids))
	}
	return m
}

// openHandle is for as many clients as are measured.
func openHandle(b *testing.B, dsn string) *bun.DB {
	b.Helper()
	handle, err := postgres.Open(dsn)
	is.New(b).NoErr(err)
	b.Cleanup(func() { is.New(b).NoErr(handle.Close()) })
	handle.SetMaxOpenConns(64)
	handle.SetMaxIdleConns(64)
	return handle
}

func exec(ctx context.Context, db bun.IDB, statement string, args ...any) error {
	_, err := db.ExecContext(ctx, statement, args...)
	return err
}

// fill makes the schema: what has links through the library, the clicks of two
// years until now by the server, month by month, with the indexes of a month
// built when its rows are there.
func (m market) fill(ctx context.Context, b *testing.B) error {
	b.Helper()
	options := postgres.Options{Schema: m.schema}
	if err := postgres.Migrate(ctx, m.handle, options); err != nil {
		return err
	}
	if err := postgres.PartitionClicks(ctx, m.handle, options, nil); err != nil {
		return err
	}
	if err := m.register(ctx); err != nil {
		return err
	}
	conn, err := m.handle.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	now := time.Now().UTC()
	first := time.Date(now.Year(), now.Month()+1-months, 1, 0, 0, 0, 0, time.UTC)
	if err := m.prepare(ctx, conn, now); err != nil {
		return err
	}
	for month := first; ; month = month.AddDate(0, 1, 0) {
		next := month.AddDate(0, 1, 0)
		var there bool
		if err := conn.QueryRowContext(ctx, `SELECT to_regclass(?) IS NOT NULL`, tableOf(month)).Scan(&there); err != nil || there {
			return err // the months to come
		}
		// The clicks of a month have its share of the time.
		upTo := func(t time.Time) int64 {
			share := min(float64(t.Sub(first))/float64(now.Sub(first)), 1)
			return int64(share * float64(m.clicks))
		}
		if err := m.fillMonth(ctx, conn, month, next, now, upTo(month), upTo(next)); err != nil {
			return fmt.Errorf("%s: %w", tableOf(month), err)
		}
		b.Logf("%s: %s", m.schema, tableOf(month))
	}
}

func tableOf(month time.Time) string { return "affiliate_clicks_" + month.Format("200601") }

// register makes the advertisers, which pay for each click, the creators and their links.
func (m market) register(ctx context.Context) error {
	for i := range advertisers {
		if _, err := m.kit.Links.RegisterAdvertiser(ctx, links.Registration{
			Advertiser: affiliate.Advertiser{
				Name: fmt.Sprint("shop", i), Country: "SE", Currency: "SEK",
				DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12)}},
			},
			Domains: []string{fmt.Sprintf("shop%d.example", i)},
		}); err != nil {
			return err
		}
	}
	var users []int64
	for i := range creators {
		u, err := m.kit.Core.CreateUser(ctx, affiliate.User{Username: fmt.Sprint("creator", i)})
		if err != nil {
			return err
		}
		users = append(users, u.ID)
	}
	if _, err := m.kit.Core.ApproveUsers(ctx, users, 0); err != nil {
		return err
	}
	for i := range linkCount {
		url := fmt.Sprintf("https://shop%d.example/product/%d", i%advertisers, i)
		if _, _, err := m.kit.Links.Convert(ctx, links.Conversion{UserID: users[i%creators], URL: url}); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes room for the months, and notes that visitor keys are erased but
// for the last 31 days, as they are where Retain is called every day.
func (m market) prepare(ctx context.Context, conn bun.Conn, now time.Time) error {
	erased := now.Truncate(24*time.Hour).AddDate(0, 0, -31)
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`SET search_path TO ?`, []any{bun.Ident(m.schema)}},
		{`SET maintenance_work_mem = '512MB'`, nil},
		{`DROP TABLE affiliate_clicks_history`, nil}, // without a click
		{`CREATE TEMP TABLE target AS SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, user_id, advertiser_id FROM affiliate_links`, nil},
		{`ANALYZE target`, nil},
		{`INSERT INTO affiliate_retention (id, clicks_through, clicks, entries, visitors_through, visitors_from, events_through) VALUES (1, ?, 0, 0, ?, ?, 0)`,
			[]any{uuid.Nil, idAt(erased), erased}},
	} {
		if err := exec(ctx, conn, statement.text, statement.args...); err != nil {
			return fmt.Errorf("%s: %w", statement.text, err)
		}
	}
	return nil
}

// idAt is what the ids of clicks at that time, and later, are not less than.
func idAt(t time.Time) (id uuid.UUID) {
	ms := t.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id
}

// fillMonth makes the clicks with the numbers of a month, their roll-ups and
// entries. The number of a click decides its time and its link.
func (m market) fillMonth(ctx context.Context, conn bun.Conn, month, next, now time.Time, from, until int64) error {
	table := bun.Ident(tableOf(month))
	start, end := idAt(month), idAt(next)
	apart := float64(min(next.Sub(month), now.Sub(month)).Milliseconds()) / float64(until-from)
	err := conn.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range []struct {
			text string
			args []any
		}{
			{`CREATE TABLE ? (LIKE affiliate_clicks INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`, []any{table}},
			{`INSERT INTO ? (id, link_id, user_id, advertiser_id, offer_id, at, source, visitor, verdict, reason, currency, earning, cost, terms)
				SELECT (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(g.n & 4095), 3, '0') || '8' || lpad(to_hex(g.n), 15, '0'))::uuid,
					l.id, l.user_id, l.advertiser_id, 0, to_timestamp(ms / 1000.0), l.n % 5,
					CASE WHEN ms < ? THEN '\x00000000000000000000000000000000' ELSE decode(md5(g.n::text), 'hex') END,
					'valid', '', 'SEK', CASE WHEN g.n % ? = 0 THEN 10 ELSE 0 END, CASE WHEN g.n % ? = 0 THEN 12 ELSE 0 END,
					CASE WHEN g.n % ? = 0 THEN ? ELSE '' END
				FROM generate_series(?::bigint, ?::bigint - 1) AS g (n)
					CROSS JOIN LATERAL (SELECT ?::bigint + floor((g.n - ?) * ?::float8)::bigint AS ms) AS t
					JOIN target AS l ON l.n = (hashint8(g.n)::bigint & 2147483647) % ?`,
				[]any{table, time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -31).UnixMilli(), paidOf, paidOf, paidOf, terms,
					from, until, month.UnixMilli(), from, apart, linkCount}},
			// With the check the rows need not be read to see that they belong there.
			{`ALTER TABLE ? ADD CONSTRAINT month CHECK (id >= ? AND id < ?)`, []any{table, start, end}},
			{`ALTER TABLE affiliate_clicks ATTACH PARTITION ? FOR VALUES FROM (?) TO (?)`, []any{table, start, end}}, // builds the indexes
			{`ALTER TABLE ? DROP CONSTRAINT month`, []any{table}},
			{`INSERT INTO affiliate_entries (kind, account, advertiser_id, currency, earning, cost, occurred_at, payable_at, cause, terms)
				SELECT 'click', 'user:' || user_id, advertiser_id, currency, earning, cost, at, at + interval '1 month', 'click:' || id, terms
				FROM ? WHERE cost > 0`, []any{table}},
			{rollUps, []any{table}},
		} {
			if err := exec(ctx, tx, statement.text, statement.args...); err != nil {
				return fmt.Errorf("%s: %w", statement.text, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range []string{tableOf(month), "affiliate_stats", "affiliate_entries"} {
		if err := exec(ctx, conn, `VACUUM (ANALYZE) ?`, bun.Ident(name)); err != nil {
			return err
		}
	}
	return nil
}

const terms = `{"origin":"advertiser","origin_id":1,"source":0,"currency":"SEK","cpc":10,"invoice_cpc":12,"cpa":"0","invoice_cpa":"0"}`

// rollUps adds the clicks of a table up: by advertiser, creator and link.
const rollUps = `INSERT INTO affiliate_stats (level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source, views, clicks, duplicates, bots, blocked, capped, readers,
		orders, order_value, click_earning, click_cost, order_earning, order_cost, payments, payment_earning, payment_cost)
	SELECT CASE grouping(user_id, link_id) WHEN 3 THEN 1 WHEN 1 THEN 3 ELSE 4 END, advertiser_id, (at AT TIME ZONE 'UTC')::date,
		0, coalesce(user_id, 0), coalesce(link_id, 0), 0, source, 0, count(*), 0, 0, 0, 0, 0, 0, 0, sum(earning), sum(cost), 0, 0, 0, 0, 0
	FROM ?
	GROUP BY advertiser_id, (at AT TIME ZONE 'UTC')::date, source, GROUPING SETS ((), (user_id), (user_id, link_id))`
