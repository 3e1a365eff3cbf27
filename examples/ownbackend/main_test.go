package main

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestMeteredBackendKeepsEveryPromise(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Backend {
		return storagetest.BackendOf(meteredBackend{memory.New(), newMeter()})
	})
}

func TestMeterCountsUnitsByKindAndOutcome(t *testing.T) {
	is := is.New(t)
	m, failure := newMeter(), errors.New("no")
	store := wrapLinks(m, memory.New().Links())
	is.NoErr(store.Read(t.Context(), func(context.Context, links.Tx) error { return nil }))
	is.NoErr(store.Write(t.Context(), func(context.Context, links.Tx) error { return nil }))
	is.True(errors.Is(store.Write(t.Context(), func(context.Context, links.Tx) error { return failure }), failure))
	func() {
		defer func() { is.Equal(recover(), "over") }()
		_ = store.Record(t.Context(), func(context.Context, links.Tx) error { panic("over") })
	}()
	for kind, want := range map[string][3]int{"links.read": {1, 0, 1}, "links.write": {2, 1, 2}, "links.record": {1, 1, 1}, "core.read": {}} {
		u := m.usage(kind)
		is.Equal([3]int{u.Units, u.Failed, u.Runs}, want) // units, failed, runs
	}
}

// rerunning is a backend that asks for every unit to be run twice.
type rerunning struct{ affiliate.Store[affiliate.Tx] }

func (s rerunning) Write(ctx context.Context, fn func(context.Context, affiliate.Tx) error) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx affiliate.Tx) error { return errors.Join(fn(ctx, tx), fn(ctx, tx)) })
}

func TestMeterTellsUnitsFromTheirRuns(t *testing.T) {
	is := is.New(t)
	m := newMeter()
	store := wrap(m, "core", affiliate.Store[affiliate.Tx](rerunning{memory.New().Core()}))
	is.NoErr(store.Write(t.Context(), func(context.Context, affiliate.Tx) error { return nil }))
	is.Equal(m.usage("core.write").Units, 1)
	is.Equal(m.usage("core.write").Runs, 2)
}

func TestRunReportsWhatAHundredClicksAsk(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), &out))
	// Every click is a recording, and so is the one that finds no link.
	is.True(regexp.MustCompile(`(?m)^links\.record +101 units, 0 failed, 101 runs, \S+ each$`).MatchString(out.String()))
}
