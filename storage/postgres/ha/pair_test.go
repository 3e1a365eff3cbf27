//go:build ha

// Package ha_test kills PostgreSQL primaries under load and goes on with their
// standbys. `make test-ha` runs it.
package ha_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// serverOptions: commits wait for the disk and for the standby, as in production,
// but fsync is off, since it is processes that are killed here and not machines.
var serverOptions = pgtest.Options{Settings: map[string]string{
	"synchronous_commit": "on", "max_connections": "100", "shared_buffers": "32MB", "wal_keep_size": "256MB",
	"wal_retrieve_retry_interval": "100ms", // else a promotion may wait five seconds for the dead primary
}}

// pair is a primary and its synchronous standby.
type pair struct {
	t                *testing.T
	primary, standby *pgtest.Cluster
}

func newPair(t *testing.T) *pair {
	t.Helper()
	primary, err := pgtest.Start(t.Context(), serverOptions)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{t: t, primary: primary}
	t.Cleanup(func() { p.stop(p.primary); p.stop(p.standby) })
	p.addStandby()
	return p
}

func (p *pair) stop(c *pgtest.Cluster) {
	if c == nil {
		return
	}
	if err := c.Stop(); err != nil {
		p.t.Error(err)
	}
}

// addStandby gives the primary a synchronous standby, and waits until that has
// all there is.
func (p *pair) addStandby() {
	p.t.Helper()
	standby, err := pgtest.StartStandby(p.t.Context(), p.primary, serverOptions)
	if err != nil {
		p.t.Fatal(err)
	}
	p.standby = standby
	// After the base backup: the standby must not wait for one of its own when it
	// is promoted.
	run(p.t, p.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
	run(p.t, p.primary, "SELECT pg_reload_conf()")
	p.eventually("the standby to be synchronous", func() bool {
		return query[bool](p.t, p.primary, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")
	})
	// From here on a commit waits. What was committed before is there, too:
	now := query[string](p.t, p.primary, "SELECT pg_current_wal_insert_lsn()::text")
	run(p.t, p.primary, "CREATE TABLE IF NOT EXISTS pair_mark (at timestamptz)") // moves the log on, on an idle server as well
	p.eventually("the standby to have it all", func() bool {
		return query[bool](p.t, p.primary, "SELECT bool_or(flush_lsn >= '"+now+"') FROM pg_stat_replication")
	})
}

// failOver kills the primary and promotes its standby. The killed cluster is
// returned; it is not the pair's any more.
func (p *pair) failOver() (old *pgtest.Cluster, killed, promoted time.Time) {
	p.t.Helper()
	is := is.New(p.t)
	killed = time.Now()
	is.NoErr(p.primary.Kill())
	is.NoErr(p.standby.Promote(p.t.Context()))
	promoted = time.Now()
	old, p.primary, p.standby = p.primary, p.standby, nil
	return old, killed, promoted
}

// dsn names hosts in an order. An empty one is a host that is not there yet.
func dsn(hosts ...string) string {
	q := url.Values{"sslmode": {"disable"}, "target_session_attrs": {"read-write"}}
	all, ports := "", ""
	for i, h := range hosts {
		if i > 0 {
			all, ports = all+",", ports+","
		}
		all, ports = all+h, ports+"5432"
	}
	q.Set("host", all)
	q.Set("port", ports)
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: q.Encode()}).String()
}

func (p *pair) eventually(what string, holds func() bool) {
	p.t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-poll.C:
		case <-deadline:
			p.t.Fatal("waited a minute for ", what)
		}
	}
}

func connect(t *testing.T, c *pgtest.Cluster) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func run(t *testing.T, c *pgtest.Cluster, statement string) {
	t.Helper()
	conn := connect(t, c)
	defer conn.Close(context.Background()) //nolint:errcheck // the test has its answer
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func query[T any](t *testing.T, c *pgtest.Cluster, statement string) (value T) {
	t.Helper()
	conn := connect(t, c)
	defer conn.Close(context.Background()) //nolint:errcheck // the test has its answer
	if err := conn.QueryRow(t.Context(), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// open makes the services on a DSN, as a process would.
func open(t *testing.T, dsn string, f postgres.Failover, o postgres.Options) *affiliatekit.Kit {
	t.Helper()
	is := is.New(t)
	handle, err := postgres.OpenFailover(dsn, f)
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(handle.Close()) })
	is.NoErr(postgres.Migrate(t.Context(), handle, postgres.Options{}))
	db, err := postgres.New(handle, o)
	is.NoErr(err)
	kit, err := affiliatekit.New(db, affiliatekit.Options{Links: links.Options{Clicks: links.GroupCommit}})
	is.NoErr(err)
	return kit
}

// shop is what the load needs: an advertiser with two campaigns, of which the
// first pays fit clicks, a creator's links, and an account for deals.
const (
	fit   = 150
	price = 7 // minor units, for a click
)

type shop struct {
	advertiser int64
	first      int64 // campaigns
	second     int64
	budget     int64 // shared, of the second
	links      []int64
}

func newShop(t *testing.T, kit *affiliatekit.Kit) shop {
	t.Helper()
	is, ctx := is.New(t), t.Context()
	a, err := kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Domains:    []string{"acme.example"},
		Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"},
	})
	is.NoErr(err)
	s := shop{advertiser: a.ID}
	cpa, err := affiliate.ParseRate("cpa", "0.05")
	is.NoErr(err)
	costs := []offers.Costs{{Costs: affiliate.Costs{
		CPC: affiliate.Some[int64](price), InvoiceCPC: affiliate.Some[int64](price), CPA: affiliate.Some(cpa), InvoiceCPA: affiliate.Some(cpa),
	}}}
	shared, err := kit.Offers.CreateSharedBudget(ctx, a.ID, offers.SharedBudgetInput{Title: "all", Amount: 1_000_000_000})
	is.NoErr(err)
	s.budget = shared.ID
	second, err := kit.Offers.CreateOffer(ctx, offers.OfferInput{Offer: offers.Offer{
		AdvertiserID: a.ID, Type: offers.Standard, Name: "second", Costs: costs, SharedBudgetID: shared.ID,
	}})
	is.NoErr(err)
	first, err := kit.Offers.CreateOffer(ctx, offers.OfferInput{Offer: offers.Offer{
		AdvertiserID: a.ID, Type: offers.Standard, Name: "first", Costs: costs[:1], MaxClicks: affiliate.Some[int64](fit),
	}})
	is.NoErr(err)
	s.first, s.second = first.ID, second.ID
	u, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna", VerifiedAt: time.Now()})
	is.NoErr(err)
	for _, path := range []string{"a", "b", "c", "d"} {
		v, _, err := kit.Links.Convert(ctx, links.Conversion{UserID: u.ID, URL: "https://acme.example/" + path})
		is.NoErr(err)
		s.links = append(s.links, v.Link.ID)
	}
	return s
}
