package storagetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/affiliatekit/affiliatekit/links"
)

func ruleScenarios() []scenario[links.Store] {
	return append(ofLinks(rules().scenarios(), sameStore),
		scenario[links.Store]{"rules/found and deleted", testRuleLookups},
		scenario[links.Store]{"rules/one main rule of an advertiser", testMainRule},
		scenario[links.Store]{"rules/what changed since a cursor", testChanged},
		scenario[links.Store]{"rules/what is no cursor is refused", testBadCursor},
		scenario[links.Store]{"rules/a late commit is in what changed", testLateCommit},
		scenario[links.Store]{"rules/changes of writers at once are all told", testChangedRace},
	)
}

func sampleRule(w world, n int) links.Rule {
	return links.Rule{AdvertiserID: w.advertisers[0].ID, Type: links.RuleAllow, URL: fmt.Sprintf("shop%d.example", n)}
}

func rules() table[links.Tx, links.Rule] {
	type V = links.Rule
	return table[links.Tx, V]{
		name:   "rules",
		sample: sampleRule,
		full: func(w world) V {
			return V{
				AdvertiserID: w.advertisers[1].ID, Type: links.RuleAllow, URL: "xn--bcher-kva.example/sale/%2F", Keyword: "kEY", IsMain: true, Challenge: "mfzwizltoq2gk3tfon2a",
				CreatedAt: at(1), UpdatedAt: at(2),
			}
		},
		add:    addRule,
		fetch:  func(ctx context.Context, tx links.Tx, v V) (V, error) { return tx.Rules().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx links.Tx, v V) error { return tx.Rules().Update(ctx, v) },
		id:     func(v *V) *int64 { return &v.ID },
		texts: []text[V]{{"keyword", 0, links.MaxKeyword, func(v *V) *string { return &v.Keyword }, false},
			{"challenge", 0, links.MaxChallenge, func(v *V) *string { return &v.Challenge }, false}},
		broken: []broken[V]{
			{"type", "invalid", func(v *V) { v.Type = "maybe" }},
			{"url", "required", func(v *V) { v.URL = "" }},
			{"url", "ip", func(v *V) { v.URL = "127.0.0.1" }},
			{"challenge", "not_allow", func(v *V) { v.Type, v.Challenge = links.RuleBlock, "x" }},
			{"is_main", "not_allow", func(v *V) { v.Type, v.IsMain = links.RuleBlock, true }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = 0 }},
		},
	}
}

func addRule(ctx context.Context, tx links.Tx, v links.Rule) (links.Rule, error) {
	return tx.Rules().Add(ctx, v)
}

// ruleOf is a rule of the i-th advertiser.
func ruleOf(w world, i, n int) links.Rule {
	r := sampleRule(w, n)
	r.AdvertiserID = w.advertisers[i].ID
	return r
}

func testRuleLookups(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	remove := func(id int64) func(ctx context.Context, tx links.Tx) error {
		return func(ctx context.Context, tx links.Tx) error { return tx.Rules().Delete(ctx, id) }
	}
	refused(t, s, missing, remove(nowhere)) // before there is any
	kept := addAll(t, s, addRule, ruleOf(w, 1, 1), ruleOf(w, 0, 2), ruleOf(w, 1, 3), ruleOf(w, 1, 1))
	by := func(ids ...int64) []links.Rule {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Rule, error) {
			return tx.Rules().ByAdvertisers(ctx, ids)
		})
	}
	scan := func(after int64, limit int) []links.Rule {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Rule, error) {
			return tx.Rules().Scan(ctx, after, limit)
		})
	}
	equal(t, "of one", by(w.advertisers[1].ID), []links.Rule{kept[0], kept[2], kept[3]})
	equal(t, "of two", by(w.advertisers[1].ID, nowhere, w.advertisers[0].ID, w.advertisers[1].ID), kept)
	equal(t, "of one without", by(w.advertisers[2].ID), []links.Rule(nil))
	equal(t, "of none", by(), []links.Rule(nil))
	equal(t, "scan of all", scan(0, 10), kept)
	equal(t, "scan after one", scan(kept[0].ID, 2), kept[1:3])
	equal(t, "scan after the last", scan(kept[3].ID, 2), []links.Rule(nil))
	equal(t, "scan after the greatest", scan(math.MaxInt64, 2), []links.Rule(nil))
	equal(t, "scan of none", scan(0, 0), []links.Rule(nil))

	write(t, s, remove(kept[3].ID))
	refused(t, s, missing, remove(nowhere))
	refused(t, s, missing, func(ctx context.Context, tx links.Tx) error {
		if err := remove(kept[0].ID)(ctx, tx); err != nil {
			return err
		}
		return remove(kept[3].ID)(ctx, tx)
	})
	for _, id := range []int64{kept[3].ID, nowhere, 0, -1} {
		unreadable(t, s, missing, func(ctx context.Context, tx links.Tx) error { return second(tx.Rules().Get(ctx, id)) })
	}
	equal(t, "after a delete", scan(0, 10), kept[:3])
	equal(t, "of one, after a delete", by(w.advertisers[1].ID), []links.Rule{kept[0], kept[2]})
	moved := kept[0]
	moved.AdvertiserID = w.advertisers[2].ID
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Rules().Update(ctx, moved) })
	equal(t, "of one, after a rule left it", by(w.advertisers[1].ID), kept[2:3])
	equal(t, "of the one it went to", by(w.advertisers[2].ID), []links.Rule{moved})
	again := addAll(t, s, addRule, ruleOf(w, 0, 9))
	if again[0].ID <= kept[3].ID {
		t.Errorf("id %d after %d was deleted: want it to grow", again[0].ID, kept[3].ID)
	}
}

func testMainRule(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	mainRule := func(advertiser, n int) links.Rule {
		r := ruleOf(w, advertiser, n)
		r.IsMain = true
		return r
	}
	kept := addAll(t, s, addRule, mainRule(0, 1), ruleOf(w, 0, 2), mainRule(1, 3), ruleOf(w, 0, 4))
	refused(t, s, taken("is_main"), func(ctx context.Context, tx links.Tx) error {
		if err := tx.Rules().Delete(ctx, kept[3].ID); err != nil {
			return err
		}
		return second(tx.Rules().Add(ctx, mainRule(0, 5)))
	})
	promoted := kept[1]
	promoted.IsMain = true
	refused(t, s, taken("is_main"), func(ctx context.Context, tx links.Tx) error { return tx.Rules().Update(ctx, promoted) })
	moved := kept[2]
	moved.AdvertiserID = w.advertisers[0].ID
	refused(t, s, taken("is_main"), func(ctx context.Context, tx links.Tx) error { return tx.Rules().Update(ctx, moved) })
	equal(t, "rules", see(t, s, func(ctx context.Context, tx links.Tx) ([]links.Rule, error) { return tx.Rules().Scan(ctx, 0, 10) }), kept)

	demoted := kept[0]
	demoted.IsMain = false
	write(t, s, func(ctx context.Context, tx links.Tx) error {
		return all(
			func() error { return tx.Rules().Update(ctx, demoted) },
			func() error { return tx.Rules().Update(ctx, promoted) },
			func() error { return tx.Rules().Delete(ctx, promoted.ID) },
			func() error { return second(tx.Rules().Add(ctx, mainRule(0, 6))) },
		)
	})
}

// place is where a snapshot is: its rules and its cursor.
type place struct {
	cursor links.Cursor
	rules  []links.Rule
}

func placeOf(ctx context.Context, tx links.Tx) (p place, err error) {
	if p.cursor, err = tx.Rules().Cursor(ctx); err == nil {
		p.rules, err = tx.Rules().Scan(ctx, 0, 1000)
	}
	return p, err
}

// changedSince returns what changed, and complains when that leaves out an
// advertiser whose rules are not those of the place.
func changedSince(ctx context.Context, tx links.Tx, p place) ([]int64, error) {
	got, err := tx.Rules().Changed(ctx, p.cursor)
	if err != nil {
		return nil, err
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		return nil, fmt.Errorf("changed %v: want them ascending, each once", got)
	}
	now, err := tx.Rules().Scan(ctx, 0, 1000)
	if err != nil {
		return nil, err
	}
	for _, pair := range [][2][]links.Rule{{p.rules, now}, {now, p.rules}} {
		for _, r := range pair[0] {
			if !slices.Contains(pair[1], r) && !slices.Contains(got, r.AdvertiserID) {
				return nil, fmt.Errorf("changed %v: leaves out advertiser %d of %+v", got, r.AdvertiserID, r)
			}
		}
	}
	return got, nil
}

func testChanged(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	start := see(t, s, placeOf)
	expect := func(what string, since place, want ...int64) {
		t.Helper()
		got := see(t, s, func(ctx context.Context, tx links.Tx) ([]int64, error) { return changedSince(ctx, tx, since) })
		for _, id := range want {
			if !slices.Contains(got, id) {
				t.Errorf("changed %s: got %v, want %v among them", what, got, want)
			}
		}
	}
	a, b, c := w.advertisers[0].ID, w.advertisers[1].ID, w.advertisers[2].ID
	kept := addAll(t, s, addRule, ruleOf(w, 1, 1), ruleOf(w, 0, 2))
	added := see(t, s, placeOf)
	expect("since the start", start, a, b)

	same := kept[0]
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Rules().Update(ctx, same) })
	expect("by an update to the same", added, b)
	moved := kept[0]
	moved.AdvertiserID = c
	updated := see(t, s, placeOf)
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Rules().Update(ctx, moved) })
	expect("by a move", updated, b, c)
	write(t, s, func(ctx context.Context, tx links.Tx) error { return tx.Rules().Delete(ctx, kept[1].ID) })
	expect("by a delete", updated, a, b, c)
	end := see(t, s, placeOf)
	for range 3 { // what was undone may be told, and breaks nothing
		refused(t, s, missing, func(ctx context.Context, tx links.Tx) error {
			if err := second(tx.Rules().Add(ctx, ruleOf(w, 0, 3))); err != nil {
				return err
			}
			return tx.Rules().Delete(ctx, nowhere)
		})
	}
	expect("at the end", end)
	expect("since the start, at the end", start, a, b, c)

	// A unit sees its own changes.
	write(t, s, func(ctx context.Context, tx links.Tx) error {
		if err := second(tx.Rules().Add(ctx, ruleOf(w, 0, 4))); err != nil {
			return err
		}
		return second(changedSince(ctx, tx, end))
	})
}

// testLateCommit takes a cursor while a unit that changed a rule is not yet
// committed, but a later one is, as far as the backend lets that happen.
func testLateCommit(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	meanwhile := make(chan error, 1)
	var started atomic.Bool
	var p place
	err := insist(t.Context(), s.Write, func(ctx context.Context, tx links.Tx) error {
		if err := second(tx.Rules().Add(ctx, ruleOf(w, 0, 1))); err != nil {
			return err
		}
		if started.CompareAndSwap(false, true) { // the callback may run again
			go func() {
				meanwhile <- all(
					func() error {
						return insist(t.Context(), s.Write, func(ctx context.Context, tx links.Tx) error {
							return second(tx.Rules().Add(ctx, ruleOf(w, 1, 2)))
						})
					},
					func() error {
						return s.Read(t.Context(), func(ctx context.Context, tx links.Tx) (err error) {
							p, err = placeOf(ctx, tx)
							return err
						})
					},
				)
			}()
		}
		return lookUntil(meanwhile, func() error { return second(tx.Advertisers().Get(ctx, w.advertisers[2].ID)) })
	})
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	if err := <-meanwhile; err != nil {
		t.Fatal(err)
	}
	see(t, s, func(ctx context.Context, tx links.Tx) ([]int64, error) { return changedSince(ctx, tx, p) })
}

func testBadCursor(t *testing.T, s links.Store) {
	for _, cursor := range append([]string{"x", "-1", "1.5", " 1", "99999999999999999999999"}, unkeepable()...) {
		unreadable(t, s, invalid("cursor", "invalid_cursor"), func(ctx context.Context, tx links.Tx) error {
			return second(tx.Rules().Changed(ctx, links.Cursor(cursor)))
		})
	}
}

func testChangedRace(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	const rounds = 6
	together(t, writers, func(i int) error {
		if i < writers/2 {
			for r := range rounds {
				err := insist(t.Context(), s.Write, func(ctx context.Context, tx links.Tx) error {
					kept, err := tx.Rules().Add(ctx, ruleOf(w, (i+r)%3, 100*i+r))
					if err == nil && r%3 == 2 {
						kept.Keyword = "changed"
						err = tx.Rules().Update(ctx, kept)
					}
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
		var p place
		for r := range 3 * rounds {
			err := insist(t.Context(), s.Read, func(ctx context.Context, tx links.Tx) (err error) {
				if r > 0 {
					if _, err = changedSince(ctx, tx, p); err != nil {
						return err
					}
				}
				p, err = placeOf(ctx, tx)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	equal(t, "rules", len(see(t, s, placeOf).rules), writers/2*rounds)
}
