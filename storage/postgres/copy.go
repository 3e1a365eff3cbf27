package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// onConnection runs fn on the unit's pgx connection, where COPY is. It reports what
// fn does, and false when the driver is another one: then nothing has happened.
func (u *unit) onConnection(ctx context.Context, fn func(ctx context.Context, conn *pgx.Conn) (done bool, err error)) (done bool, err error) {
	hook := &pgxHook{before: func(ctx context.Context, conn *pgx.Conn) (err error) {
		done, err = fn(ctx, conn)
		return err
	}}
	_, err = u.tx.sql().ExecContext(ctx, `SELECT`, pgx.QueryExecModeExec, hook)
	if err != nil && hook.conn == nil && ctx.Err() == nil {
		return false, nil
	}
	return done, err
}

// copyUpsert brings rows into a table by way of COPY and a temporary table:
// twice as fast as arrays, for thousands of rows. upsert is the statement that
// takes them from there. It reports false when it could not be done at all:
// the driver is not pgx, or there are no temporary tables, for this role or on this engine.
func (u *unit) copyUpsert(ctx context.Context, table, staging string, columns []string, rows pgx.CopyFromSource, upsert string) (bool, error) {
	return u.onConnection(ctx, func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		var allowed bool
		err := conn.QueryRow(ctx, `SELECT has_database_privilege(current_database(), 'TEMP')`).Scan(&allowed)
		if err != nil || !allowed {
			return false, err
		}
		name := pgx.Identifier{"pg_temp", staging}
		if _, err := conn.Exec(ctx, `SAVEPOINT affiliate_staging`); err != nil {
			return false, err
		}
		_, err = conn.Exec(ctx, `CREATE TEMPORARY TABLE `+staging+` (LIKE `+u.db.prefix+table+`)`)
		if e, _ := serverErrorIn(err); e.state == stateNotSupported {
			_, err = conn.Exec(ctx, `ROLLBACK TO SAVEPOINT affiliate_staging`)
			return false, err
		}
		if err != nil {
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
