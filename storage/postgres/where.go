package postgres

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// filter adds conditions to a statement. Zero values add none.
type filter struct{ *bun.SelectQuery }

// none makes the statement find nothing.
func (f filter) none(when bool) {
	if when {
		f.Where("FALSE")
	}
}

// equal asks for an id; 0 does not filter.
func (f filter) equal(column string, id int64) {
	if id != 0 {
		f.Where(column+" = ?", id)
	}
}

// text asks for a text; empty does not filter.
func (f filter) text(column, s string) {
	if s != "" {
		f.exactly(column, s)
	}
}

// exactly asks for a text, empty or not.
func (f filter) exactly(column, s string) { f.holding(column+" = ?", s) }

// holding asks for what a condition with a place for a text holds of. A text that
// cannot be kept finds nothing; bun cannot write it.
func (f filter) holding(condition, s string) {
	if storable(s) {
		f.Where(condition, s)
	} else {
		f.none(true)
	}
}

// flag asks for a boolean, if it is set.
func (f filter) flag(column string, o affiliate.Optional[bool]) {
	if o.Set {
		f.Where(column+" = ?", o.Value)
	}
}

// among asks for one of the ids; nil does not filter, empty finds nothing.
func (f filter) among(column string, ids []int64) {
	if ids != nil {
		f.Where(column+" = ANY(?::bigint[])", pgdialect.Array(ids))
	}
}

// notAmong excludes the ids.
func (f filter) notAmong(column string, ids []int64) {
	if len(ids) > 0 {
		f.Where(column+" <> ALL(?::bigint[])", pgdialect.Array(ids))
	}
}

// amongTexts asks for one of the texts; nil and empty find nothing.
func (f filter) amongTexts(column string, texts []string) {
	f.Where(column+" = ANY(?::text[])", pgdialect.Array(storableOf(texts)))
}

// between asks for from ≤ column < until; a zero time is no bound.
func (f filter) between(column string, from, until time.Time) {
	if !from.IsZero() {
		f.Where(column+" >= ?", ceil(from))
	}
	if !until.IsZero() {
		f.Where(column+" < ?", ceil(until))
	}
}

// query asks for the id in decimal form, or for one of the expressions, each
// with one place for s; see part. Empty does not filter.
func (f filter) query(s, id string, expressions ...string) {
	switch {
	case s == "":
		return
	case !storable(s):
		f.none(true)
		return
	}
	folded := affiliate.Fold(s)
	f.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		if n, err := strconv.ParseInt(s, 10, 64); id != "" && err == nil && strconv.FormatInt(n, 10) == s {
			q.WhereOr(id+" = ?", n)
		}
		for _, e := range expressions {
			q.WhereOr(e, folded)
		}
		return q
	})
}

// part is an expression for query: the column, folded as affiliate.Fold does,
// has the part s, which is folded already. No index serves it: a list by query
// reads the rows that its other conditions leave. Where those are many, a
// pg_trgm index on folded(column) serves the LIKE that this would become.
func part(column string) string {
	return "strpos(" + folded(column) + `, ? COLLATE "C") > 0`
}

// folded is affiliate.Fold of a column. The collation of the column folds A to Z
// only; that of ICU folds all letters.
func folded(column string) string {
	return "translate(lower(translate(normalize(" + column + `), 'İ', 'i') COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C"`
}

// storable reports whether PostgreSQL can keep the text.
func storable(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

func storableOf(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, s := range texts {
		if storable(s) {
			out = append(out, s)
		}
	}
	return out
}

// nonNil makes a nil list an empty one, which finds nothing.
func nonNil(ids []int64) []int64 {
	if ids == nil {
		return []int64{}
	}
	return ids
}

// distinct are the ids, ascending, each once, without 0.
func distinct(ids []int64) []int64 {
	out := slices.Clone(nonNil(ids))
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(id int64) bool { return id == 0 })
}

// anyOf asks for all conditions, or for the row with the id, if it is set.
func (f filter) anyOf(orID int64, conditions []func(filter)) {
	if len(conditions) == 0 {
		return
	}
	f.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, c := range conditions {
			c(filter{q})
		}
		if orID != 0 {
			q.WhereOr("t.id = ?", orID)
		}
		return q
	})
}

// equalID asks for an id from outside; the nil one does not filter.
func (f filter) equalID(column string, id uuid.UUID) {
	if id != uuid.Nil {
		f.Where(column+" = ?", id)
	}
}

// amongIDs asks for one of the ids; nil and empty find nothing.
func (f filter) amongIDs(column string, ids []uuid.UUID) {
	f.Where(column+" = ANY(?::uuid[])", idArray(ids))
}

// texts are ids as a statement that is prepared takes them.
func texts(ids []uuid.UUID) []string {
	return values(ids, func(id *uuid.UUID) string { return id.String() })
}

// idArray is a list of ids as an array.
func idArray(ids []uuid.UUID) any {
	return column(ids, func(id *uuid.UUID) string { return id.String() })
}
