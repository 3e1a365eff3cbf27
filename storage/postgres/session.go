package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
)

// session is the transaction of a unit. bun writes arguments into its statements,
// so that nearly each has a text of its own. pgx, as hosts open it, would have the
// server prepare and keep each of them, and forget a useful one for it. A session
// sends them without. What is worth preparing goes through unit.prepared.
type session struct {
	bun.Tx
	conn bun.IConn // takes what has its arguments in it
}

// sql is the transaction below bun's.
func (s session) sql() *sql.Tx { return s.Tx.Tx }

func (s session) NewSelect() *bun.SelectQuery { return s.Tx.NewSelect().Conn(s.conn) }
func (s session) NewInsert() *bun.InsertQuery { return s.Tx.NewInsert().Conn(s.conn) }
func (s session) NewUpdate() *bun.UpdateQuery { return s.Tx.NewUpdate().Conn(s.conn) }

func (s session) NewRaw(text string, args ...any) *bun.RawQuery {
	return s.Tx.NewRaw(text, args...).Conn(s.conn)
}

func (s session) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return s.NewRaw(text, args...).Exec(ctx)
}

// newSession returns a transaction as a unit uses it.
func (db *DB) newSession(tx bun.Tx) session {
	if _, ok := db.pool.Driver().(*stdlib.Driver); ok {
		return session{tx, writtenConn{tx.Tx}}
	}
	return session{tx, tx.Tx} // another driver, or one around pgx, knows no modes
}

// writtenConn sends statements that have their arguments in them.
type writtenConn struct{ tx *sql.Tx }

func (c writtenConn) QueryContext(ctx context.Context, text string, _ ...any) (*sql.Rows, error) {
	return sendWritten(ctx, text, c.tx.QueryContext)
}

func (c writtenConn) ExecContext(ctx context.Context, text string, _ ...any) (sql.Result, error) {
	return sendWritten(ctx, text, c.tx.ExecContext)
}

func (c writtenConn) QueryRowContext(ctx context.Context, text string, _ ...any) *sql.Row {
	return c.tx.QueryRowContext(ctx, text)
}

func sendWritten[T any](ctx context.Context, text string, to func(context.Context, string, ...any) (T, error)) (T, error) {
	hook := &pgxHook{}
	answer, err := to(ctx, text, pgx.QueryExecModeSimpleProtocol, hook)
	if err != nil && hook.conn == nil && ctx.Err() == nil {
		return to(ctx, text) // another driver hides behind pgx's: nothing was sent
	}
	return answer, err
}

// pgxHook is a pgx.QueryRewriter only by name: as an argument of a statement it
// gets to see the connection below a database/sql transaction before the statement
// is sent, and leaves that as it is. Other drivers cannot send such an argument,
// and database/sql finds that out before anything is sent; a broken connection is
// found again by what is done instead.
type pgxHook struct {
	before func(ctx context.Context, conn *pgx.Conn) error // nil: nothing is done
	conn   *pgx.Conn                                       // nil: the driver is another one
}

// RewriteQuery is called by pgx.
func (h *pgxHook) RewriteQuery(ctx context.Context, conn *pgx.Conn, text string, args []any) (string, []any, error) {
	h.conn = conn
	if h.before == nil {
		return text, args, nil
	}
	return text, args, h.before(ctx, conn)
}
