package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// failing lets one request of a context fail, as pgx traces them: its own context has
// ended when pgx is about to send it.
type failing struct{}

type countdownKey struct{}

type countdownTo struct{ left int }

func failingAt(ctx context.Context, n int) (context.Context, func() bool) {
	c := &countdownTo{n}
	return context.WithValue(ctx, countdownKey{}, c), func() bool { return c.left <= 0 }
}

// openFailing is openHandle with requests that can fail.
func openFailing(tb testing.TB, dsn string) *bun.DB {
	tb.Helper()
	is := is.New(tb)
	config, err := pgx.ParseConfig(dsn)
	is.NoErr(err)
	config.Tracer = failing{}
	handle := postgres.OpenConfig(config, postgres.Failover{})
	tb.Cleanup(func() { is.NoErr(handle.Close()) })
	return handle
}

func (failing) count(ctx context.Context) context.Context {
	c, ok := ctx.Value(countdownKey{}).(*countdownTo)
	if !ok {
		return ctx
	}
	if c.left--; c.left == 0 {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		return ended
	}
	return ctx
}

func (f failing) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if q.SQL == "rollback" { // it is for what failed before
		return ctx
	}
	return f.count(ctx)
}

func (f failing) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	return f.count(ctx)
}

func (failing) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (failing) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}
