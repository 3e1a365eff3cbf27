package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

// BenchmarkEvents writes events and delivers them to a subscriber that does
// nothing. The floor, measured in the same run, is what a queue costs without
// order, sequence and subscribers: one INSERT of as many rows, and one UPDATE …
// SKIP LOCKED that takes them. vs-floor is events a second of the one over those
// of the other.
func BenchmarkEvents(b *testing.B) {
	const batch = 100
	is := is.New(b)
	db, handle := openInPath(b)
	bus, err := events.NewService(db.Events(), events.Options{Batch: batch})
	is.NoErr(err)
	heard := 0
	is.NoErr(bus.Subscribe("bench", nil, func(context.Context, affiliate.Event) error { heard++; return nil }))
	is.NoErr(bus.Register(b.Context()))
	kind := affiliate.EventKind{Name: "order.approved", Version: 1, Object: "order"}
	data := map[string]string{"note": strings.Repeat("x", 200)}
	_, err = handle.ExecContext(b.Context(), `CREATE TABLE floor (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, object text, data text, done boolean NOT NULL DEFAULT false);
		CREATE INDEX ON floor (id) WHERE NOT done`)
	is.NoErr(err)

	ours := func() error {
		raised := make([]affiliate.Event, batch)
		for i := range raised {
			raised[i] = kind.On(i, noon).With(data)
		}
		if err := db.Core().Write(b.Context(), func(ctx context.Context, tx affiliate.Tx) error { return tx.Events().Add(ctx, raised...) }); err != nil {
			return err
		}
		_, err := bus.Deliver(b.Context())
		return err
	}
	floor := func() error {
		if _, err := handle.ExecContext(b.Context(), `INSERT INTO floor (object, data) SELECT i, ? FROM generate_series(1, ?) AS i`,
			`{"note":"`+strings.Repeat("x", 200)+`"}`, batch); err != nil {
			return err
		}
		var taken []struct {
			ID   int64
			Data string
		}
		return handle.NewRaw(`UPDATE floor SET done = true WHERE id IN (SELECT id FROM floor WHERE NOT done ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED)
			RETURNING id, data`, batch).Scan(b.Context(), &taken)
	}
	is.NoErr(ours()) // statements are prepared then
	is.NoErr(floor())
	heard = 0
	var took, least time.Duration
	for b.Loop() { // one after the other, so that both see the same machine
		start := time.Now()
		is.NoErr(ours())
		middle := time.Now()
		is.NoErr(floor())
		took, least = took+middle.Sub(start), least+time.Since(middle)
	}
	is.Equal(heard, b.N*batch)
	b.ReportMetric(float64(b.N*batch)/took.Seconds(), "events/s")
	b.ReportMetric(float64(b.N*batch)/least.Seconds(), "floor-events/s")
	b.ReportMetric(least.Seconds()/took.Seconds(), "vs-floor")
}
