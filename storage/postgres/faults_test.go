package postgres_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
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
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		dsn, schema := pgtest.Schema(t)
		is.New(t).NoErr(postgres.Migrate(t.Context(), openHandle(t, dsn), postgres.Options{Schema: schema}))
		handle, f := openFaulty(t, dsn, uint64(len(t.Name())))
		f.percent = 25
		t.Cleanup(func() { refused.Add(f.refused.Load()) })
		db, err := postgres.New(handle, postgres.Options{Schema: schema})
		is.New(t).NoErr(err)
		return backendOf(db)
	})
}
