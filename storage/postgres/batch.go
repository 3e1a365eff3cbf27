package postgres

import (
	"context"
	"slices"

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
