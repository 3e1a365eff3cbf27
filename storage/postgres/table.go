package postgres

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// entity is what the domains keep: it can say whether it may be kept.
type entity interface{ Validate() error }

// table says how an aggregate E is kept as rows R. In every statement the
// table has the alias t.
type table[E entity, R any] struct {
	name     string
	resource string        // in errors
	id       func(E) int64 // for repo.Update
	row      func(E) R
	entity   func(R) E
	columns  string            // beside those of R: what other tables keep of E
	sort     map[string]string // wire name to column
	// refers are the ids in a row, where it has several: those that refer to nothing
	// are told all at once, where foreign keys tell of the first.
	refers func(*R) []reference
	unheld bool // no foreign key holds some of them: they are always looked up
	// decides: clicks and orders are decided by these rows. The GetMany of a
	// recording unit takes a shared lock on them, and a change of one waits for such
	// units to end: once the change has returned, nothing more is recorded by what
	// was before.
	decides bool
}

// from is the FROM clause: the qualified name and the alias.
func (u *unit) from(table string) string { return u.db.prefix + table + " AS t" }

// name qualifies a table's name, for statements that are written out.
func (u *unit) name(table string) bun.Safe { return bun.Safe(u.db.prefix + table) }

// selectFrom selects the columns of R, and those of other tables; bun leaves out an
// expression that is empty.
func (t table[E, R]) selectFrom(u *unit, rows any) filter {
	return filter{u.tx.NewSelect().Model(rows).ModelTableExpr(u.from(t.name)).
		ColumnExpr("?TableColumns").ColumnExpr(strings.ReplaceAll(t.columns, "{schema}", u.db.prefix))}
}

func (t table[E, R]) entities(rows []R) []E {
	if len(rows) == 0 {
		return nil
	}
	out := make([]E, len(rows))
	for i := range rows {
		out[i] = t.entity(rows[i])
	}
	return out
}

// one returns the only row that where leaves, or a NotFound naming id.
func (t table[E, R]) one(ctx context.Context, u *unit, id any, where func(filter)) (E, error) {
	return read(ctx, u, t.resource, func(ctx context.Context) (E, error) { return t.find(ctx, u, id, where) })
}

// find is one for use inside another call.
func (t table[E, R]) find(ctx context.Context, u *unit, id any, where func(filter)) (E, error) {
	var row R
	q := t.selectFrom(u, &row)
	where(q)
	switch err := q.Scan(ctx); {
	case errors.Is(err, sql.ErrNoRows):
		return *new(E), affiliate.NotFound(t.resource, id)
	case err != nil:
		return *new(E), err
	}
	return t.entity(row), nil
}

func (t table[E, R]) get(ctx context.Context, u *unit, id int64) (E, error) {
	return read(ctx, u, t.resource, func(ctx context.Context) (E, error) {
		found, err := t.prepared(ctx, u, "t.id = ?0", id)
		if err == nil && len(found) == 0 {
			err = affiliate.NotFound(t.resource, id)
		}
		if err != nil {
			return *new(E), err
		}
		return found[0], nil
	})
}

// many returns the rows that where leaves by ascending id.
func (t table[E, R]) many(ctx context.Context, u *unit, where func(filter)) ([]E, error) {
	return read(ctx, u, t.resource, func(ctx context.Context) ([]E, error) {
		var rows []R
		q := t.selectFrom(u, &rows)
		where(q)
		if err := q.OrderExpr("t.id").Scan(ctx); err != nil {
			return nil, err
		}
		return t.entities(rows), nil
	})
}

// byIDs asks for rows by a list of ids.
const byIDs = "t.id = ANY(?0::bigint[])"

// prepared returns the rows of a condition by ascending id, by a statement that
// is prepared; see unit.prepared.
func (t table[E, R]) prepared(ctx context.Context, u *unit, condition string, args ...any) ([]E, error) {
	var rows []R
	key, shares := t.name+" "+condition, t.decides && u.kind == recordUnit
	if shares {
		key += " shared"
	}
	text := func() string {
		q := t.selectFrom(u, &rows).Where(condition).OrderExpr("t.id")
		if shares {
			q.For("KEY SHARE OF t")
		}
		return q.String()
	}
	err := u.preparedFrom(key, text, args...).Scan(ctx, &rows)
	return t.entities(rows), err
}

func (t table[E, R]) getMany(ctx context.Context, u *unit, ids []int64) ([]E, error) {
	ids = distinct(ids)
	found, err := read(ctx, u, t.resource, func(ctx context.Context) ([]E, error) { return t.prepared(ctx, u, byIDs, ids) })
	if err == nil && len(found) == len(ids) {
		u.saw(t.name, ids)
	}
	return found, err
}

// after returns at most limit rows with an id greater than the given one.
func (t table[E, R]) after(ctx context.Context, u *unit, id any, limit int) ([]E, error) {
	return t.many(ctx, u, func(q filter) {
		q.none(limit <= 0)
		q.Where("t.id > ?", id).Limit(int64(limit))
	})
}

// list returns one page of the rows that where leaves.
func (t table[E, R]) list(ctx context.Context, u *unit, p affiliate.PageRequest, where func(filter)) (affiliate.Page[E], error) {
	return read(ctx, u, t.resource, func(ctx context.Context) (affiliate.Page[E], error) {
		var page affiliate.Page[E]
		if err := p.Validate(slices.Collect(maps.Keys(t.sort))...); err != nil {
			return page, err
		}
		if p.Keys != nil {
			return t.listByKeys(ctx, u, p, where)
		}
		count := filter{u.tx.NewSelect().TableExpr(u.from(t.name))}
		where(count)
		total, err := count.Count(ctx)
		page.Total = int(total)
		if err != nil || page.Total <= p.Offset() {
			return page, err
		}
		var rows []R
		q := t.selectFrom(u, &rows)
		where(q)
		if err := q.OrderExpr(t.order(p.Sort)).Limit(int64(p.Limit())).Offset(int64(p.Offset())).Scan(ctx); err != nil {
			return affiliate.Page[E]{}, err
		}
		page.Items = t.entities(rows)
		return page, nil
	})
}

// listByKeys is list with the keys of the whole list read once.
func (t table[E, R]) listByKeys(ctx context.Context, u *unit, p affiliate.PageRequest, where func(filter)) (page affiliate.Page[E], err error) {
	keys, kept := p.Keys.Kept().([]string)
	if !kept {
		q := filter{u.tx.NewSelect().TableExpr(u.from(t.name)).ColumnExpr("t.id::text")}
		where(q)
		if err := q.OrderExpr(t.order(p.Sort)).Scan(ctx, &keys); err != nil {
			return page, err
		}
		p.Keys.Keep(keys)
	}
	page.Total = len(keys)
	from := min(p.Offset(), len(keys))
	if keys = keys[from:min(from+p.Limit(), len(keys))]; len(keys) == 0 {
		return page, nil
	}
	var rows []R
	q := t.selectFrom(u, &rows)
	where(q) // for an order of its own
	err = q.Where("t.id = ANY(?)", pgdialect.Array(keys)).OrderExpr(t.order(p.Sort)).Scan(ctx)
	page.Items = t.entities(rows)
	return page, err
}

// order sorts what is absent first when ascending, as the zero it is in Go.
func (t table[E, R]) order(s affiliate.Sort) string {
	column, direction := t.sort[s.Column], " ASC NULLS FIRST"
	if s.Desc {
		direction = " DESC NULLS LAST"
	}
	if column == "" { // by id, which is never absent
		return "t.id" + direction[:strings.Index(direction, " NULLS")]
	}
	return column + direction + ", t.id"
}

// add inserts an entity under a new id, and returns it as kept.
func (t table[E, R]) add(ctx context.Context, u *unit, e E) (E, error) {
	return change(ctx, u, t.resource, func(ctx context.Context) (E, error) {
		if err := e.Validate(); err != nil {
			return *new(E), err
		}
		row := t.row(e)
		if err := t.insert(ctx, u, &row); err != nil {
			return *new(E), err
		}
		return t.entity(row), nil
	})
}

func (t table[E, R]) update(ctx context.Context, u *unit, e E, id int64) error {
	return exec(ctx, u, t.resource, func(ctx context.Context) error {
		if err := e.Validate(); err != nil {
			return err
		}
		row := t.row(e)
		return t.replace(ctx, u, &row, id)
	})
}

func (t table[E, R]) delete(ctx context.Context, u *unit, id int64) error {
	return exec(ctx, u, t.resource, func(ctx context.Context) error { return t.remove(ctx, u, id) })
}

// referring is that of the unit, for rows.
func (t table[E, R]) referring(ctx context.Context, u *unit, statement func() error, rows ...R) error {
	references := func() (all []reference) {
		for i := range rows {
			if t.refers == nil {
				break
			}
			for n, r := range t.refers(&rows[i]) {
				if i == 0 {
					all = append(all, r)
					continue
				}
				all[n].ids, all[n].keys = append(all[n].ids, r.ids...), append(all[n].keys, r.keys...)
			}
		}
		return all
	}
	return u.referring(ctx, t.resource, t.unheld, references, statement)
}

// insert adds a row under a new id, and scans that into it.
func (t table[E, R]) insert(ctx context.Context, u *unit, row *R) error {
	return t.referring(ctx, u, func() error {
		_, err := u.tx.NewInsert().Model(row).ModelTableExpr(u.from(t.name)).ExcludeColumn("id").Returning("id").Exec(ctx)
		return err
	}, *row)
}

// replace updates all columns of the row with the id.
func (t table[E, R]) replace(ctx context.Context, u *unit, row *R, id int64) error {
	if t.decides {
		if err := u.lockAlone(ctx, t.name, id); err != nil {
			return err
		}
	}
	return t.referring(ctx, u, func() error {
		res, err := u.tx.NewUpdate().Model(row).ModelTableExpr(u.from(t.name)).Where("t.id = ?", id).Exec(ctx)
		return foundOne(res, err, t.resource, id)
	}, *row)
}

// lockAlone waits for the recording units that are decided by the rows, and keeps
// others from beginning until the unit ends.
func (u *unit) lockAlone(ctx context.Context, table string, ids ...int64) error {
	_, err := u.tx.ExecContext(ctx, `SELECT FROM ? WHERE id = ANY(?::bigint[]) ORDER BY id FOR UPDATE`, u.name(table), pgdialect.Array(distinct(ids)))
	return err
}

// remove deletes the row with the id.
func (t table[E, R]) remove(ctx context.Context, u *unit, id int64) error {
	res, err := u.tx.ExecContext(ctx, `DELETE FROM ? WHERE id = ?`, u.name(t.name), id)
	return foundOne(res, err, t.resource, id)
}

// foundOne is NotFound when a statement met no row.
func foundOne(res sql.Result, err error, resource string, id any) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return affiliate.NotFound(resource, id)
	}
	return nil
}

// updateBy updates all columns of the row that an id from outside names.
func (t table[E, R]) updateBy(ctx context.Context, u *unit, e E, id any) error {
	return exec(ctx, u, t.resource, func(ctx context.Context) error {
		if err := e.Validate(); err != nil {
			return err
		}
		row := t.row(e)
		res, err := u.tx.NewUpdate().Model(&row).ModelTableExpr(u.from(t.name)).Where("t.public_id = ?", id).Exec(ctx)
		return foundOne(res, err, t.resource, id)
	})
}

// getBy returns the row that an id from outside names.
func (t table[E, R]) getBy(ctx context.Context, u *unit, id any) (E, error) {
	return t.one(ctx, u, id, func(q filter) { q.Where("t.public_id = ?", id) })
}

// addOrGet inserts a row, or returns the one that is there with false, whatever the
// new one refers to. Only the named key is forgiven. When the row in the way is one
// that this snapshot does not show, the database asks to run again.
func addOrGet[E entity, R any](ctx context.Context, u *unit, t table[E, R], e E, row R, key string, there func(filter)) (E, bool, error) {
	type answer struct {
		kept  E
		added bool
	}
	a, err := change(ctx, u, t.resource, func(ctx context.Context) (answer, error) {
		if err := e.Validate(); err != nil {
			return answer{}, err
		}
		err := t.referring(ctx, u, func() error {
			return u.tx.NewInsert().Model(&row).ModelTableExpr(u.from(t.name)).
				On("CONFLICT ON CONSTRAINT ? DO NOTHING", bun.Ident(key)).Returning("*").Scan(ctx)
		}, row)
		if err == nil {
			return answer{t.entity(row), true}, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return answer{}, err
		}
		found, err := t.find(ctx, u, "", there)
		return answer{found, false}, err
	})
	return a.kept, a.added, err
}
