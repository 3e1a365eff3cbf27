package storagetest

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func eventScenarios() []scenario[coreStore] {
	return append(raisedEvents().scenarios(),
		scenario[coreStore]{"events/in order", testEventOrder},
		scenario[coreStore]{"events/written with their unit", testEventUnit},
		scenario[coreStore]{"events/thousands in one call", testManyEvents},
	)
}

// testManyEvents adds more in one call than a thousand: they are told in that order.
func testManyEvents(t *testing.T, s coreStore) {
	const many = 2500
	given := make([]affiliate.Event, many)
	for n := range given {
		given[n] = sampleEvent(many - n)
	}
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Events().Add(ctx, given...) })
	told := see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Event, error) {
		return tx.Events().Scan(ctx, 0, many+1)
	})
	equal(t, "told", len(told), many)
	for n := range told {
		equal(t, "object", told[n].Object, given[n].Object)
	}
}

func sampleEvent(n int) affiliate.Event {
	return affiliate.Event{Kind: "user.approved", Version: 1, Object: affiliate.Object{Type: "user", ID: strconv.Itoa(n)}, At: at(0)}
}

func raisedEvents() table[coreTx, affiliate.Event] {
	type V = affiliate.Event
	return table[coreTx, V]{
		name:   "events",
		unset:  []string{"Sequence"},
		sample: func(w world, n int) V { return sampleEvent(n) },
		full: func(w world) V {
			return V{Kind: "a", Version: 1000, AdvertiserID: 7, ClientID: 8, Object: affiliate.Object{Type: "b", ID: "c"}, Data: `{"n":  1.0}`, At: at(9)}
		},
		add: func(ctx context.Context, tx coreTx, v V) (V, error) {
			if err := tx.Events().Add(ctx, v); err != nil {
				return V{}, err
			}
			all, err := tx.Events().Scan(ctx, 0, 1000)
			if err != nil || len(all) == 0 {
				return V{}, err
			}
			return all[len(all)-1], nil
		},
		fetch: func(ctx context.Context, tx coreTx, v V) (V, error) {
			all, err := tx.Events().Scan(ctx, 0, 1000)
			return oneOf(slices.DeleteFunc(all, func(e V) bool { return e.ID != v.ID }), err)
		},
		id: func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"kind", 1, 64, func(v *V) *string { return &v.Kind }, false},
			{"object_type", 1, 64, func(v *V) *string { return &v.Object.Type }, false},
			{"object_id", 1, 128, func(v *V) *string { return &v.Object.ID }, false},
		},
		broken: []broken[V]{
			{"version", "out_of_range", func(v *V) { v.Version = 0 }},
			{"version", "out_of_range", func(v *V) { v.Version = 1001 }},
			{"advertiser_id", "out_of_range", func(v *V) { v.AdvertiserID = -1 }},
			{"client_id", "out_of_range", func(v *V) { v.ClientID = -1 }},
			{"data", "invalid", func(v *V) { v.Data = "{" }},
			{"data", "too_long", func(v *V) { v.Data = `"` + strings.Repeat("x", 65535) + `"` }},
			{"data", "nul", func(v *V) { v.Data = "\x00" }},
		},
	}
}

func testEventOrder(t *testing.T, s coreStore) {
	scan := func(after int64, limit int) []affiliate.Event {
		return see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Event, error) {
			return tx.Events().Scan(ctx, after, limit)
		})
	}
	objects := func(events []affiliate.Event) (out []string) {
		for i, e := range events {
			out = append(out, e.Object.ID)
			if i > 0 && e.ID <= events[i-1].ID {
				t.Errorf("event %d after %d: want ids ascending", e.ID, events[i-1].ID)
			}
		}
		return out
	}
	equal(t, "of none", scan(0, 10), []affiliate.Event(nil))
	numbered := sampleEvent(3)
	numbered.Sequence, numbered.ID = 77, 77
	write(t, s, func(ctx context.Context, tx coreTx) error {
		return all(
			func() error { return tx.Events().Add(ctx) },
			func() error { return tx.Events().Add(ctx, numbered, sampleEvent(1)) },
			func() error { return tx.Events().Add(ctx, sampleEvent(2)) },
		)
	})
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Events().Add(ctx, sampleEvent(1)) })
	list := scan(0, 10)
	equal(t, "in order", objects(list), []string{"3", "1", "2", "1"})
	equal(t, "a sequence is not the writer's to give", list[0].Sequence, int64(0))
	equal(t, "the first two", scan(0, 2), list[:2])
	equal(t, "behind the second", scan(list[1].ID, 10), list[2:])
	equal(t, "from before all", scan(-5, 10), list)
	equal(t, "none", scan(0, 0), []affiliate.Event(nil))
	equal(t, "behind the last", scan(list[3].ID, 10), []affiliate.Event(nil))
}

func testEventUnit(t *testing.T, s coreStore) {
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Events().Add(ctx, sampleEvent(1)) })
	refused(t, s, invalid("kind", "required"), func(ctx context.Context, tx coreTx) error {
		if err := tx.Events().Add(ctx, sampleEvent(2)); err != nil {
			return err
		}
		return tx.Events().Add(ctx, sampleEvent(3), affiliate.Event{})
	})
	equal(t, "events", len(see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Event, error) { return tx.Events().Scan(ctx, 0, 10) })), 1)
}
