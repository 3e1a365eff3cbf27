package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// copied is a pgx.QueryRewriter only by name: it is how one gets at the pgx
// connection below a database/sql transaction, where COPY is. pgx hands the
// connection of the transaction to it before it sends a statement, and it
// leaves the statement as it is.
type copied struct {
	fn     func(ctx context.Context, conn *pgx.Conn) (done bool, err error)
	called bool // the driver is pgx
	done   bool
}

// RewriteQuery is called by pgx.
func (c *copied) RewriteQuery(ctx context.Context, conn *pgx.Conn, sql string, _ []any) (string, []any, error) {
	c.called = true
	var err error
	c.done, err = c.fn(ctx, conn)
	return sql, nil, err
}

// onConnection runs fn on the unit's pgx connection. It reports what fn does,
// and false when the driver is another one: then nothing has happened.
func (u *unit) onConnection(ctx context.Context, fn func(ctx context.Context, conn *pgx.Conn) (done bool, err error)) (bool, error) {
	c := &copied{fn: fn}
	_, err := u.tx.Tx.Tx.ExecContext(ctx, `SELECT`, pgx.QueryExecModeExec, c)
	if err != nil && !c.called && ctx.Err() == nil {
		// Other drivers cannot send such an argument, and database/sql finds
		// that out before anything is sent; a broken connection will be found
		// again by what is done instead.
		return false, nil
	}
	return c.done, err
}

// copyUpsert brings rows into a table by way of COPY and a temporary table:
// twice as fast as arrays, for thousands of rows. upsert is the statement that
// takes them from there. It reports false when it could not be done at all:
// the driver is not pgx, or temporary tables are not allowed.
func (u *unit) copyUpsert(ctx context.Context, table, staging string, columns []string, rows pgx.CopyFromSource, upsert string) (bool, error) {
	return u.onConnection(ctx, func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		var allowed bool
		err := conn.QueryRow(ctx, `SELECT has_database_privilege(current_database(), 'TEMP')`).Scan(&allowed)
		if err != nil || !allowed {
			return false, err
		}
		name := pgx.Identifier{"pg_temp", staging}
		if _, err := conn.Exec(ctx, `CREATE TEMPORARY TABLE `+staging+` (LIKE `+u.db.prefix+table+`)`); err != nil {
			return false, err
		}
		_, err = conn.CopyFrom(ctx, name, columns, rows)
		if err == nil {
			_, err = conn.Exec(ctx, upsert)
		}
		if err != nil {
			return false, err // and the unit takes the table back
		}
		_, err = conn.Exec(ctx, `DROP TABLE `+name.Sanitize())
		return err == nil, err
	})
}
