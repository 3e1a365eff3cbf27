package storagetest

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func eventScenarios() []scenario[coreStore] {
	return append(events().scenarios(),
		scenario[coreStore]{"events/in order until removed", testEventOrder},
		scenario[coreStore]{"events/delivered with their unit", testEventUnit},
	)
}

func sampleEvent(n int) affiliate.Event {
	return affiliate.Event{Type: "user.approved", Subject: "user:" + strconv.Itoa(n), At: at(0)}
}

func events() table[coreTx, affiliate.Event] {
	type V = affiliate.Event
	return table[coreTx, V]{
		name:   "events",
		sample: func(w world, n int) V { return sampleEvent(n) },
		full:   func(w world) V { return V{Type: "a", Subject: "b", Data: `{"n":  1.0}`, At: at(9)} },
		add: func(ctx context.Context, tx coreTx, v V) (V, error) {
			if err := tx.Events().Add(ctx, v); err != nil {
				return V{}, err
			}
			pending, err := tx.Events().Pending(ctx, 1000)
			if err != nil || len(pending) == 0 {
				return V{}, err
			}
			return pending[len(pending)-1], nil
		},
		fetch: func(ctx context.Context, tx coreTx, v V) (V, error) {
			pending, err := tx.Events().Pending(ctx, 1000)
			return oneOf(slices.DeleteFunc(pending, func(e V) bool { return e.ID != v.ID }), err)
		},
		id: func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"type", 1, 64, func(v *V) *string { return &v.Type }, false},
			{"subject", 1, 128, func(v *V) *string { return &v.Subject }, false},
			{"data", 0, 65536, func(v *V) *string { return &v.Data }, true},
		},
	}
}

func testEventOrder(t *testing.T, s coreStore) {
	pending := func(limit int) []affiliate.Event {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Event, error) {
			return tx.Events().Pending(ctx, limit)
		})
	}
	subjects := func(events []affiliate.Event) (out []string) {
		for i, e := range events {
			out = append(out, e.Subject)
			if i > 0 && e.ID <= events[i-1].ID {
				t.Errorf("event %d after %d: want ids ascending", e.ID, events[i-1].ID)
			}
		}
		return out
	}
	event := func(subject string, when int) affiliate.Event {
		return affiliate.Event{Type: "t", Subject: subject, At: at(when)}
	}
	equal(t, "of none", pending(10), []affiliate.Event(nil))
	write(t, s, func(ctx context.Context, tx coreTx) error {
		return all(
			func() error { return tx.Events().Add(ctx) },
			func() error { return tx.Events().Add(ctx, event("c", 3), event("a", 1)) },
			func() error { return tx.Events().Add(ctx, event("b", 2)) },
		)
	})
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Events().Add(ctx, event("a", 0)) })
	first := pending(10)
	equal(t, "in order", subjects(first), []string{"c", "a", "b", "a"})
	equal(t, "the first two", pending(2), first[:2])
	equal(t, "none", pending(0), []affiliate.Event(nil))

	remove := func(ids ...int64) {
		write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Events().Remove(ctx, ids) })
	}
	remove(first[1].ID, nowhere, first[3].ID, first[1].ID)
	remove()
	remove(first[1].ID)
	left := pending(10)
	equal(t, "after removal", left, []affiliate.Event{first[0], first[2]})
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Events().Add(ctx, event("d", 0)) })
	if last := pending(10); last[len(last)-1].ID <= first[3].ID {
		t.Errorf("id %d after %d was removed: want it to grow", last[len(last)-1].ID, first[3].ID)
	}
}

func testEventUnit(t *testing.T, s coreStore) {
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Events().Add(ctx, sampleEvent(1)) })
	refused(t, s, invalid("type", "required"), func(ctx context.Context, tx coreTx) error {
		pending, err := tx.Events().Pending(ctx, 10)
		if err != nil {
			return err
		}
		return all(
			func() error { return tx.Events().Remove(ctx, []int64{pending[0].ID}) },
			func() error {
				return tx.Events().Add(ctx, sampleEvent(2), affiliate.Event{Subject: "s", At: time.Time{}})
			},
		)
	})
	equal(t, "pending", len(see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Event, error) { return tx.Events().Pending(ctx, 10) })), 1)
}
