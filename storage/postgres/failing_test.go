package postgres_test

import (
	"context"

	"github.com/uptrace/bun"
)

// failing is a hook of bun's that lets one statement of a context fail: its own
// context has ended when the driver is asked.
type failing struct{}

type countdownKey struct{}

type countdownTo struct{ left int }

func failingAt(ctx context.Context, n int) (context.Context, func() bool) {
	c := &countdownTo{n}
	return context.WithValue(ctx, countdownKey{}, c), func() bool { return c.left <= 0 }
}

func (failing) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	c, ok := ctx.Value(countdownKey{}).(*countdownTo)
	if !ok || e.Query == "COMMIT" || e.Query == "ROLLBACK" {
		return ctx
	}
	if c.left--; c.left == 0 {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		return ended
	}
	return ctx
}

func (failing) AfterQuery(context.Context, *bun.QueryEvent) {}
