package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Batches are sent as one array for each column, which unnest makes rows of:
// twice as fast as a list of VALUES, and a single statement at any size.

// column is one field of every item, as an array.
func column[E, V any](items []E, field func(*E) V) schema.QueryAppender {
	return pgdialect.Array(values(items, field))
}

// values are one field of every item.
func values[E, V any](items []E, field func(*E) V) []V {
	values := make([]V, len(items))
	for i := range items {
		values[i] = field(&items[i])
	}
	return values
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
	array         any // a slice: one value for each item
	shared        any // the value of all items, when it is one
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
	return batchColumn{name: name, sqlType: sqlType, array: values, shared: values[0], isShared: isShared}
}

// bytesField is a field of bytes, which no two items share.
func bytesField[E any](name string, items []E, of func(*E) []byte) batchColumn {
	return batchColumn{name: name, sqlType: "bytea", array: values(items, of)}
}

// idField is a field of ids, of which 0 is none.
func idField[E any](name string, items []E, of func(*E) int64) batchColumn {
	c := field(name, "bigint", items, of)
	c.null = "0"
	return c
}

// uuidField is a field of UUIDs, of which uuid.Nil is none.
func uuidField[E any](name string, items []E, of func(*E) uuid.UUID) batchColumn {
	c := field(name, "uuid", items, func(e *E) string { return of(e).String() })
	c.null = noUUID
	return c
}

// noUUID is how an absent UUID stands in an array.
const noUUID = "'00000000-0000-0000-0000-000000000000'::uuid"

// timeField is a field of times, of which the zero one is none.
func timeField[E any](name string, items []E, of func(*E) time.Time) batchColumn {
	c := field(name, "timestamptz", items, of)
	c.null = zeroTime
	return c
}

// insert is the INSERT, for at least one item, as a text for unit.prepared.
// Its arguments come behind those that are in args already. A value that all
// items share is sent once: taking an array apart costs the server about as
// much as inserting what is in it. The first column is always an array, so that
// there are as many rows as items.
func (b batch) insert(args *[]any) string {
	arg := func(v any) string {
		*args = append(*args, v)
		return "?" + strconv.Itoa(len(*args)-1)
	}
	var names, values, arrays, types []string
	for i, c := range b.columns {
		value := "b." + c.name
		if c.isShared && i > 0 {
			value = "CAST(" + arg(c.shared) + " AS " + c.sqlType + ")" // :: would bind before the sign of a negative number
		} else {
			arrays, types = append(arrays, c.name), append(types, arg(c.array)+"::"+c.sqlType+"[]")
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
	return "INSERT INTO {schema}" + b.table + " AS t (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + from + " " + b.rest
}

func (b batch) exec(ctx context.Context, u *unit) error {
	var args []any
	_, err := u.prepared(b.insert(&args), args...).Exec(ctx)
	return err
}

// zeroTime is how a zero time stands in an array of times, which has no place for NULL.
const zeroTime = "'0001-01-01 00:00:00+00'::timestamptz"

// reference is a column of ids that must exist in a table.
type reference struct {
	field string // in wire spelling
	table string
	ids   []int64
	keys  []uuid.UUID // public ids, in place of ids
}

// ref is a reference by ids; 0 is none.
func ref(field, table string, ids ...int64) reference {
	return reference{field: field, table: table, ids: ids}
}

// refKey is a reference by a public id.
func refKey(field, table string, key uuid.UUID) reference {
	return reference{field: field, table: table, keys: []uuid.UUID{key}}
}

// referring runs a statement that writes what refers to others, and names all
// that refer to nothing where foreign keys would name the first: in a unit that
// they have failed before, and always where none holds them. The statement decides
// all the same: a taken key, or a row that is not there, goes before.
func (u *unit) referring(ctx context.Context, resource string, always bool, references func() []reference, statement func() error) error {
	var unknown error
	if always || u.looksUp {
		if unknown = u.checkReferences(ctx, resource, references()...); unknown != nil && !errors.Is(unknown, affiliate.ErrInvalid) {
			return unknown
		}
	}
	err := statement()
	e, _ := serverErrorIn(err)
	if unknown != nil && (err == nil || e.state == stateForeignKey) {
		return unknown
	}
	return err
}

// checkReferences is what foreign keys would do, in one statement for all ids
// that the unit has not read yet. Unlike them it names every field that refers to
// nothing. It is as good as they are because the rows it looks for are never
// deleted.
func (u *unit) checkReferences(ctx context.Context, resource string, references ...reference) error {
	var asked []reference
	var counts []string
	var args []any
	for _, r := range references {
		if len(r.keys) > 0 {
			asked = append(asked, r)
			counts = append(counts, "(SELECT count(*) FROM ? WHERE public_id = ANY(?::uuid[]))")
			args = append(args, u.name(r.table), pgdialect.Array(r.keys))
			continue
		}
		r.ids = slices.DeleteFunc(distinct(r.ids), func(id int64) bool { _, seen := u.seen[r.table][id]; return seen })
		if len(r.ids) == 0 {
			continue
		}
		asked = append(asked, r)
		counts = append(counts, "(SELECT count(*) FROM ? WHERE id = ANY(?::bigint[]))")
		args = append(args, u.name(r.table), pgdialect.Array(r.ids))
	}
	if len(asked) == 0 {
		return nil
	}
	var found []int64
	if err := u.tx.NewRaw("SELECT ARRAY["+strings.Join(counts, ", ")+"]", args...).Scan(ctx, pgdialect.Array(&found)); err != nil {
		return err
	}
	var v affiliate.Validation
	for i, r := range asked {
		if found[i] != int64(len(r.ids)+len(r.keys)) {
			v.Add(r.field, "unknown_reference", unknownReferenceMessage)
		}
	}
	return v.Err(resource)
}

// addTo adds n to *sum and reports whether it fits.
func addTo(sum *int64, n int64) bool {
	next := *sum + n
	if (n > 0) != (next > *sum) {
		return false
	}
	*sum = next
	return true
}
