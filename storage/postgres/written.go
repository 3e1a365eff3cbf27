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
	conn bun.IConn
}

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
	return session{tx, tx} // another driver, or one around pgx, knows no modes
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
	m := &met{}
	answer, err := to(ctx, text, pgx.QueryExecModeSimpleProtocol, m)
	if err != nil && !m.pgx && ctx.Err() == nil {
		// Nothing was sent: another driver hides behind pgx's, and database/sql has
		// found that it cannot send such an argument.
		return to(ctx, text)
	}
	return answer, err
}

// met is a pgx.QueryRewriter only by name: it is how one learns that the driver is pgx.
type met struct{ pgx bool }

// RewriteQuery is called by pgx.
func (m *met) RewriteQuery(_ context.Context, _ *pgx.Conn, text string, _ []any) (string, []any, error) {
	m.pgx = true
	return text, nil, nil
}
