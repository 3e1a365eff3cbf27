package sqllint_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/.bench/sqllint"
)

// sent is everything that connections sent.
type sent struct {
	mu           sync.Mutex
	statements   map[sqllint.Statement]bool
	serializable map[*pgx.Conn]bool // in a transaction that is
}

// open opens a handle on pgx, as a host does, that writes down what it sends.
func (s *sent) open(tb testing.TB, dsn string, migration bool) *bun.DB {
	tb.Helper()
	config, err := pgx.ParseConfig(dsn)
	is.New(tb).NoErr(err)
	config.Tracer = tracer{s, migration}
	config.RuntimeParams["timezone"] = "UTC"
	handle := bun.NewDB(stdlib.OpenDB(*config), pgdialect.New())
	tb.Cleanup(func() { is.New(tb).NoErr(handle.Close()) })
	return handle
}

type tracer struct {
	*sent
	migration bool
}

var _ pgx.CopyFromTracer = tracer{}

func (t tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case strings.HasPrefix(data.SQL, "begin"):
		t.serializable[conn] = strings.Contains(data.SQL, "serializable")
		return ctx
	case data.SQL == "commit", data.SQL == "rollback":
		delete(t.serializable, conn)
		return ctx
	}
	t.add(conn, data.SQL)
	return ctx
}

func (t tracer) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(conn, "COPY "+data.TableName.Sanitize()+" FROM STDIN BINARY")
	return ctx
}

func (t tracer) add(conn *pgx.Conn, text string) {
	t.statements[sqllint.Statement{Text: text, Migration: t.migration, Serializable: t.serializable[conn]}] = true
}

func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)       {}
func (tracer) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}
