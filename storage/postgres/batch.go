package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"
)

// Batches are sent as one array for each column, which unnest makes rows of:
// twice as fast as a list of VALUES, and a single statement at any size.

// column is one field of every item, as an array.
func column[E, V any](items []E, field func(*E) V) schema.QueryAppender {
	values := make([]V, len(items))
	for i := range items {
		values[i] = field(&items[i])
	}
	return pgdialect.Array(values)
}

// batch inserts items, one field of all of them at a time.
type batch struct {
	table   string
	columns []batchColumn
	inOrder bool   // of the items, for a key that the table gives
	rest    string // of the statement
}

type batchColumn struct {
	name, sqlType string
	array         schema.QueryAppender // one value for each item
	shared        any                  // the value of all items, when it is one
	isShared      bool
	null          string // the value that stands for NULL, which arrays have no place for
}

func field[E any, V comparable](name, sqlType string, items []E, of func(*E) V) batchColumn {
	values := make([]V, len(items))
	isShared := true
	for i := range items {
		values[i] = of(&items[i])
		isShared = isShared && values[i] == values[0]
	}
	return batchColumn{name: name, sqlType: sqlType, array: pgdialect.Array(values), shared: values[0], isShared: isShared}
}

// idField is a field of ids, of which 0 is none.
func idField[E any](name string, items []E, of func(*E) int64) batchColumn {
	c := field(name, "bigint", items, of)
	c.null = "0"
	return c
}

// timeField is a field of times, of which the zero one is none.
func timeField[E any](name string, items []E, of func(*E) time.Time) batchColumn {
	c := field(name, "timestamptz", items, of)
	c.null = zeroTime
	return c
}

// statement is the INSERT and its arguments, for at least one item. A value that
// all items share is sent once: taking an array apart costs the server about as
// much as inserting what is in it. The first column is always an array, so that
// there are as many rows as items.
func (b batch) statement(u *unit) (string, []any) {
	var names, values, arrays, types []string
	var shared, perRow []any
	for i, c := range b.columns {
		value := "b." + c.name
		if c.isShared && i > 0 {
			// CAST, since :: would bind before the sign of a negative number.
			value, shared = "CAST(? AS "+c.sqlType+")", append(shared, c.shared)
		} else {
			arrays, types, perRow = append(arrays, c.name), append(types, "?::"+c.sqlType+"[]"), append(perRow, c.array)
		}
		if c.null != "" {
			value = "nullif(" + value + ", " + c.null + ")"
		}
		names, values = append(names, c.name), append(values, value)
	}
	from := "unnest(" + strings.Join(types, ", ") + ")"
	if b.inOrder {
		from += " WITH ORDINALITY AS b (" + strings.Join(arrays, ", ") + ", n) ORDER BY n"
	} else {
		from += " AS b (" + strings.Join(arrays, ", ") + ")"
	}
	text := "INSERT INTO ? AS t (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + from + " " + b.rest
	return text, slices.Concat([]any{u.name(b.table)}, shared, perRow)
}

func (b batch) exec(ctx context.Context, u *unit) error {
	text, args := b.statement(u)
	_, err := u.tx.ExecContext(ctx, text, args...)
	return err
}

// zeroTime is how a zero time stands in an array of times, which has no place for NULL.
const zeroTime = "'0001-01-01 00:00:00+00'::timestamptz"

// reference is a column of ids that must exist in a table.
type reference struct {
	field string // in wire spelling
	table string
	ids   []int64
}

// checkReferences is what foreign keys would do for a batch, in one statement
// for each table with ids that the unit has not read yet.
// It is as good as they are because the rows it looks for are never deleted.
func (u *unit) checkReferences(ctx context.Context, resource string, references ...reference) error {
	for _, r := range references {
		ids := slices.DeleteFunc(distinct(r.ids), func(id int64) bool { _, seen := u.seen[r.table][id]; return seen })
		if len(ids) == 0 {
			continue
		}
		var found int
		err := u.tx.NewRaw(`SELECT count(*) FROM ? WHERE id = ANY(?::bigint[])`, u.name(r.table), pgdialect.Array(ids)).Scan(ctx, &found)
		if err != nil {
			return err
		}
		if found != len(ids) {
			return unknownReference(resource, r.field)
		}
	}
	return nil
}

// addTo adds n to *sum and reports whether it fits.
func addTo(sum *int64, n int64) bool {
	next := *sum + n
	if (n > 0) != (next > *sum) && n != 0 {
		return false
	}
	*sum = next
	return true
}
