package postgres_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// faults is a driver between a handle and pgx that fails as a busy PostgreSQL and
// a bad network do.
type faults struct {
	driver.Connector
	percent  int          // of the transactions that are refused with 40001, at any statement or at the commit
	refused  atomic.Int64 // so many were
	lostNext atomic.Int32 // so many of the next commits happen, and nobody is told

	mu     sync.Mutex
	random *rand.Rand
}

// openFaulty opens a handle on the driver, as a host opens one on pgx.
func openFaulty(tb testing.TB, dsn string, seed uint64) (*bun.DB, *faults) {
	tb.Helper()
	config, err := pgx.ParseConfig(dsn)
	is.New(tb).NoErr(err)
	config.RuntimeParams["timezone"] = "UTC"
	f := &faults{Connector: stdlib.GetConnector(*config), random: rand.New(rand.NewPCG(seed, 0))}
	handle := bun.NewDB(sql.OpenDB(f), pgdialect.New())
	tb.Cleanup(func() { is.New(tb).NoErr(handle.Close()) })
	return handle, f
}

func (f *faults) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: conn.(*stdlib.Conn), faults: f, left: -1}, nil
}

// patience draws how many statements of a transaction are done before it is
// refused; the commit counts as one. Negative: it is not.
func (f *faults) patience() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random.IntN(100) >= f.percent {
		return -1
	}
	return f.random.IntN(8)
}

type faultyConn struct {
	*stdlib.Conn
	faults *faults
	left   int // see patience
}

// refuse is the error of a transaction that PostgreSQL asks to run again.
func (c *faultyConn) refuse() error {
	if c.left--; c.left != -1 {
		return nil
	}
	c.faults.refused.Add(1)
	return &pgconn.PgError{Severity: "ERROR", Code: "40001", Message: "could not serialize access, says the test"}
}

func (c *faultyConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.refuse(); err != nil {
		return nil, err
	}
	return c.Conn.ExecContext(ctx, text, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.refuse(); err != nil {
		return nil, err
	}
	return c.Conn.QueryContext(ctx, text, args)
}

func (c *faultyConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.BeginTx(ctx, options)
	if c.left = -1; !options.ReadOnly { // PostgreSQL does not refuse those
		c.left = c.faults.patience()
	}
	return faultyTx{tx, c}, err
}

type faultyTx struct {
	driver.Tx
	conn *faultyConn
}

func (t faultyTx) Commit() error {
	if err := t.conn.refuse(); err != nil {
		_ = t.Tx.Rollback() // PostgreSQL has, too
		return err
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	if t.conn.faults.lostNext.Add(-1) >= 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// One transaction in four is refused at some statement or at its commit, and nobody
// notices.
func TestPostgresKeepsEveryPromiseWhileItRefusesTransactions(t *testing.T) {
	t.Parallel()
	var refused atomic.Int64
	t.Cleanup(func() { t.Logf("%d transactions were refused", refused.Load()) })
	copies := migratedTemplate(t)
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		handle, f := openFaulty(t, copies.DSN(t), uint64(len(t.Name())))
		f.percent = 25
		t.Cleanup(func() { refused.Add(f.refused.Load()) })
		db, err := postgres.New(handle, postgres.Options{Schema: schemaOfCopies})
		is.New(t).NoErr(err)
		return backendOf(db)
	})
}

// When a connection breaks during a commit nobody knows whether it happened. Who
// asks again gets what is there, and nothing is paid twice.
func TestACommitThatNobodyWasToldOfIsNotDoneTwice(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dsn := migrated(t)
	handle, f := openFaulty(t, dsn, 1)
	now := noon
	clock := func() time.Time { return now }
	var o affiliatekit.Options
	o.Core.Clock, o.Links.Clock, o.Orders.Clock, o.Payouts.Clock, o.Offers.Clock = clock, clock, clock, clock, clock
	kit, err := affiliatekit.New(backendOn(t, handle), o)
	is.NoErr(err)
	ctx := t.Context()
	a, err := kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Shop", Country: "SE", Currency: "SEK"}, Domains: []string{"shop.example"},
	})
	is.NoErr(err)
	u, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "tove", VerifiedAt: noon})
	is.NoErr(err)
	percent, err := affiliate.ParseRate("cpa", "0.1")
	is.NoErr(err)
	campaign, err := kit.Offers.CreateOffer(ctx, offers.OfferInput{Offer: offers.Offer{
		AdvertiserID: a.ID, Type: offers.Standard, Name: "c", BudgetLimit: affiliate.Some[int64](10000), Costs: []offers.Costs{{Costs: affiliate.Costs{
			CPC: affiliate.Some[int64](3), InvoiceCPC: affiliate.Some[int64](3), CPA: affiliate.Some(percent), InvoiceCPA: affiliate.Some(percent),
		}}},
	}})
	is.NoErr(err)

	// twice calls what is lost the first time, and again.
	twice := func(what string, call func() error) {
		t.Helper()
		f.lostNext.Store(1)
		if err := call(); !errors.Is(err, affiliate.ErrUnavailable) {
			t.Fatalf("%s, whose commit nobody was told of: got %v, want ErrUnavailable", what, err)
		}
		f.lostNext.Store(0)
		if err := call(); err != nil {
			t.Fatalf("%s, asked for again: %v", what, err)
		}
	}
	var link links.LinkView
	twice("a link", func() (err error) {
		link, _, err = kit.Links.Convert(ctx, links.Conversion{UserID: u.ID, URL: "https://shop.example/shoes"})
		return err
	})
	_, err = kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.8", UserAgent: "another"}) // the secret of the day is there from now on
	is.NoErr(err)
	var click links.Click
	twice("a click", func() error {
		r, err := kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.7", UserAgent: "a reader"})
		click = r.Click.Value
		return err
	})
	is.Equal(click.Verdict, links.VerdictDuplicate) // the first one is kept, and paid
	var order orders.Order
	var outcome orders.Outcome
	twice("an order", func() (err error) {
		order, outcome, err = kit.Orders.Report(ctx, orders.Report{AdvertiserID: a.ID, Number: "1", Value: decimal.NewFromInt(50), ClickIDs: []uuid.UUID{click.ID}})
		return err
	})
	is.Equal(outcome, orders.Known)
	is.Equal(order.Cost.Minor(), int64(500))
	twice("a refund", func() error {
		_, _, err := kit.Orders.Refund(ctx, order.ID, orders.RefundInput{Reference: "back", Value: affiliate.Some(decimal.NewFromInt(20))})
		return err
	})
	balance := func() int64 {
		b, err := kit.Core.Balances(ctx, affiliate.UserAccount(u.ID))
		is.NoErr(err)
		return b[0].Pending.Minor() + b[0].Payable.Minor()
	}
	is.Equal(balance(), int64(3+3+500-200))
	view, err := kit.Offers.Offer(ctx, campaign.Offer.ID)
	is.NoErr(err)
	is.Equal(view.Used.Spent, int64(3+3+500-200))

	now = now.AddDate(0, 2, 0)
	_, err = kit.Orders.Sweep(ctx)
	is.NoErr(err)
	f.lostNext.Store(1) // a run asks again by itself
	_, err = kit.Payouts.Run(ctx, payouts.RunInput{Period: payouts.PeriodOf(noon.AddDate(0, 1, 0))})
	is.NoErr(err)
	is.True(f.lostNext.Load() <= 0)
	is.Equal(balance(), int64(0))
	for _, verify := range []func(context.Context) ([]affiliate.Difference, error){kit.Core.Verify, kit.Links.Verify, kit.Orders.Verify, kit.Payouts.Verify} {
		differences, err := verify(ctx)
		is.NoErr(err)
		is.Equal(len(differences), 0)
	}
}
