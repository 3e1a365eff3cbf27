package memory

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Everything that a DB holds, as text, so that two states can be compared; and
// what must hold between rows and indexes, computed again from the rows alone.

// inspected is a table, or an index of one, as the tests see it.
type inspected interface {
	dump() string
	check() error
}

func (t *table[R]) dump() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%T last %d live %d before %d\n", *new(R), t.last, t.live, len(t.before))
	t.each(0, func(id uint32) bool {
		fmt.Fprintf(&b, " %d %+v\n", id, *t.at(id))
		return true
	})
	for _, x := range t.indexes {
		b.WriteString(" " + x.(inspected).dump() + "\n")
	}
	return b.String()
}

func (t *table[R]) check() error {
	n := 0
	t.each(0, func(uint32) bool { n++; return true })
	if n != t.live {
		return fmt.Errorf("%T: %d rows are live, counted %d", *new(R), n, t.live)
	}
	for _, x := range t.indexes {
		if err := x.(inspected).check(); err != nil {
			return fmt.Errorf("%T: %w", *new(R), err)
		}
	}
	return nil
}

func (s *slab[R]) ids() []uint32 {
	var ids []uint32
	s.each(0, func(id uint32) bool { ids = append(ids, id); return true })
	return ids
}

func (h *hashTable) ids() []uint32 {
	var ids []uint32
	seen := map[*segment]bool{}
	for _, e := range h.dir {
		if seen[e.segment] {
			continue
		}
		seen[e.segment] = true
		for _, slot := range e.slots {
			if slot != 0 {
				ids = append(ids, uint32(slot))
			}
		}
	}
	slices.Sort(ids)
	return ids
}

func (x *unique[R, K]) dump() string { return fmt.Sprint(x.hash.ids()) }

func (x *unique[R, K]) check() error {
	var want []uint32
	for _, id := range x.rows.ids() {
		k, ok := x.key(x.rows.at(id))
		if !ok {
			continue
		}
		want = append(want, id)
		if got, found := x.find(k); !found || got != id {
			return fmt.Errorf("unique key %v of row %d finds %d", k, id, got)
		}
	}
	return same("unique", x.hash.ids(), want)
}

func (x *groups[R, K]) dump() string { return fmt.Sprint(x.ids) }

func (x *groups[R, K]) check() error {
	want := map[K][]uint32{}
	for _, id := range x.rows.ids() {
		if k, ok := x.key(x.rows.at(id)); ok {
			want[k] = append(want[k], id)
		}
	}
	if x.cmp != nil {
		for _, ids := range want {
			slices.SortFunc(ids, func(a, b uint32) int { return x.cmp(x.rows.at(a), x.rows.at(b)) })
		}
	}
	return same("groups", x.ids, want)
}

func (x *tags[R, K]) dump() string { return fmt.Sprint(x.ids) }

func (x *tags[R, K]) check() error {
	want := map[K][]uint32{}
	for _, id := range x.rows.ids() {
		for _, k := range x.keys(x.rows.at(id)) {
			want[k] = append(want[k], id)
		}
	}
	return same("tags", x.ids, want)
}

func (x *ordered[R]) dump() string { return fmt.Sprint(slices.Concat(x.parts...)) }

func (x *ordered[R]) check() error {
	want := x.rows.ids()
	slices.SortFunc(want, func(a, b uint32) int { return x.cmp(x.rows.at(a), x.rows.at(b)) })
	for _, part := range x.parts {
		if len(part) == 0 || len(part) > partIDs {
			return fmt.Errorf("a part has %d ids", len(part))
		}
	}
	return same("ordered", slices.Concat(x.parts...), want)
}

func (t clickTable) dump() string {
	return t.table.dump() + " newest valid " + fmt.Sprint(t.newestValid.newest.hash.ids())
}

func (t clickTable) check() error {
	newest := map[visit]int64{}
	for _, id := range t.ids() {
		c := t.at(id)
		if k, _ := visitOf(c); c.verdict == 0 {
			if at, ok := newest[k]; !ok || c.at > at {
				newest[k] = c.at
			}
		}
	}
	got := map[visit]int64{}
	for _, id := range t.newestValid.newest.hash.ids() {
		k, _ := visitOf(t.at(id))
		got[k] = t.at(id).at
	}
	return cmp.Or(t.table.check(), same("newest valid", got, newest))
}

func same(what string, got, want any) error {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

// tables are all tables of the DB, in a fixed order.
func (db *DB) tables() []inspected {
	c, l, p, d := &db.core, &db.links, &db.products, &db.deals
	return []inspected{
		c.advertisers, c.groups, c.categories, c.clients, c.tiers, c.users, c.relations,
		c.userTags, c.tokens, c.memberships, c.entries, c.totals, &c.events, c.keys,
		l.rules, l.ruleChanges, l.blocklist, l.links, l.clicks, l.days, l.secrets,
		p.lists, p.items, p.products,
		d.partners, d.catalogs, d.offers, d.landings, d.uids, d.codes, d.access, d.deals,
	}
}

func (db *DB) dump() string {
	var b strings.Builder
	for _, t := range db.tables() {
		b.WriteString(t.dump())
	}
	for _, id := range db.words.texts.ids() {
		text := db.words.text(id)
		fmt.Fprintf(&b, "word %d %q %d\n", id, text, db.words.numbers[text])
	}
	fmt.Fprintf(&b, "%d words, log %d\n", len(db.words.numbers), len(db.log))
	return b.String()
}

func (db *DB) check() error {
	for _, t := range db.tables() {
		if err := t.check(); err != nil {
			return err
		}
	}
	return nil
}

func TestTheTestsSeeEveryTable(t *testing.T) {
	db := New()
	want := reflect.TypeOf(db.core).NumField() + reflect.TypeOf(db.links).NumField() + reflect.TypeOf(db.products).NumField() + reflect.TypeOf(db.deals).NumField()
	if got := len(db.tables()); got != want {
		t.Errorf("the tests see %d tables of %d", got, want)
	}
}
