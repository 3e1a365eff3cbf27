package postgres

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// prepared is a statement for what most requests ask. Its text is the same
// each time, so that the server parses and plans it once for a connection,
// which for a short one takes longer than to run it. That needs pgx, and a
// handle that may prepare statements; see Open. Elsewhere the arguments are
// written into the statement, as into all others.
//
// {schema} goes before the names of tables. ?0, ?1 … are the arguments:
// numbers, texts, times, bytes, and slices of these; their types stand beside
// them where the server cannot tell. A hook of bun sees the text without them.
func (u *unit) prepared(text string, args ...any) *bun.RawQuery {
	return u.preparedFrom(text, func() string { return text }, args...)
}

// preparedFrom is prepared with a text that is made only when it is new, and
// otherwise known by its key.
func (u *unit) preparedFrom(key string, text func() string, args ...any) *bun.RawQuery {
	known, ok := u.db.statements.known.Load(key)
	if !ok {
		inline := strings.ReplaceAll(text(), "{schema}", u.db.prefix)
		known, _ = u.db.statements.known.LoadOrStore(key, statement{inline, u.tx.NewRaw(inline, serverArguments(len(args))...).String()})
	}
	s := known.(statement)
	return u.tx.NewRaw(s.inline).Conn(preparedConn{u, s, args})
}

// statements are those that the backend prepares.
type statements struct {
	known sync.Map // from key to statement: as many as the code can make
	// byMonth says whether clicks are kept by month, once somebody has asked.
	byMonth atomic.Pointer[bool]
	plain   atomic.Bool // set once a connection refused or lost a prepared statement; the handle then stops preparing
}

// statement is one text in the spelling of each side.
type statement struct {
	inline   string // bun's, with ?0
	prepared string // the server's, with $1
}

// serverArguments are what bun is to write in the places of n arguments.
func serverArguments(n int) []any {
	args := make([]any, n)
	for i := range args {
		args[i] = bun.Safe("$" + strconv.Itoa(i+1))
	}
	return args
}

// preparedConn is what bun sends a prepared statement to. The text that bun
// made of it is for bun's hooks.
type preparedConn struct {
	unit *unit
	statement
	args []any
}

func (c preparedConn) QueryContext(ctx context.Context, _ string, _ ...any) (*sql.Rows, error) {
	return send(ctx, c, c.unit.tx.sql().QueryContext, c.unit.tx.conn.QueryContext)
}

func (c preparedConn) ExecContext(ctx context.Context, _ string, _ ...any) (sql.Result, error) {
	return send(ctx, c, c.unit.tx.sql().ExecContext, c.unit.tx.conn.ExecContext)
}

func (c preparedConn) QueryRowContext(ctx context.Context, _ string, _ ...any) *sql.Row {
	return c.unit.tx.conn.QueryRowContext(ctx, c.written())
}

// send sends the statement in the form that suits the connection.
func send[T any](ctx context.Context, c preparedConn, prepared, written func(context.Context, string, ...any) (T, error)) (T, error) {
	if c.unit.db.statements.plain.Load() {
		return written(ctx, c.written())
	}
	hook := &pgxHook{before: mayPrepareOnly}
	answer, err := prepared(ctx, c.prepared, append([]any{pgx.QueryExecModeCacheStatement, hook}, c.args...)...)
	mayNot := errors.Is(err, errMayNotPrepare)
	if e, ok := serverErrorIn(err); ok && e.isOfAnotherConnection() {
		hook.conn.PgConn().CustomData()[preparesKey] = false
		c.unit.db.statements.plain.Store(true)
	} else if mayNot {
		c.unit.db.statements.plain.Store(true)
	}
	if err != nil && (mayNot || hook.conn == nil) && ctx.Err() == nil {
		return written(ctx, c.written()) // nothing was sent
	}
	return answer, err
}

// written is the statement with its arguments in it.
func (c preparedConn) written() string {
	args := make([]any, len(c.args))
	for i, arg := range c.args {
		switch arg.(type) {
		case []int64, []string, []bool, [][]byte, []time.Time:
			arg = pgdialect.Array(arg)
		}
		args[i] = arg
	}
	return c.unit.tx.NewRaw(c.inline, args...).String()
}

var errMayNotPrepare = errors.New("postgres: the connection may not prepare statements")

func mayPrepareOnly(_ context.Context, conn *pgx.Conn) error {
	if mayPrepare(conn) {
		return nil
	}
	return errMayNotPrepare
}

// preparesKey is where a connection says whether it may prepare statements. It
// outlives the backends that hosts make for one transaction each.
const preparesKey = "github.com/affiliatekit/affiliatekit prepares"

// mayPrepare reports it, also for a connection that was not opened by Open.
func mayPrepare(conn *pgx.Conn) bool {
	data := conn.PgConn().CustomData()
	may, known := data[preparesKey].(bool)
	if !known {
		may = prepares(conn.Config())
		data[preparesKey] = may
	}
	return may
}

// prepares reports whether pgx prepares the statements of such connections.
func prepares(config *pgx.ConnConfig) bool {
	return config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement && config.StatementCacheCapacity > 0
}
