package memory

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// Everything that a DB holds, as text, so that two states can be compared; and
// what must hold between rows and indexes, computed again from the rows alone.

// inspectedTable is a table as the tests see it.
type inspectedTable interface {
	Dump() string
	Check() error
}

func (t clickTable) Dump() string {
	return t.Table.Dump() + " newest valid " + fmt.Sprint(t.newestValid.newest.IDs())
}

func (t clickTable) Check() error {
	newest := map[visit]int64{}
	for _, id := range t.IDs() {
		c := t.At(id)
		if k, _ := visitOf(c); c.verdict == 0 {
			if at, ok := newest[k]; !ok || c.at > at {
				newest[k] = c.at
			}
		}
	}
	got := map[visit]int64{}
	for _, id := range t.newestValid.newest.IDs() {
		k, _ := visitOf(t.At(id))
		got[k] = t.At(id).at
	}
	return cmp.Or(t.Table.Check(), engine.Same("newest valid", got, newest))
}

// tables returns all tables of the DB, in a fixed order.
func (db *DB) tables() []inspectedTable {
	var all []inspectedTable
	v := reflect.ValueOf(db).Elem()
	for i := range v.NumField() {
		switch v.Type().Field(i).Name {
		case "store", "words", "codes":
			continue
		}
		if t, ok := tableIn(v.Field(i)); ok {
			all = append(all, t)
			continue
		}
		for n := range v.Field(i).NumField() {
			t, ok := tableIn(v.Field(i).Field(n))
			if !ok {
				panic(v.Type().Field(i).Name + " has a field that is no table")
			}
			all = append(all, t)
		}
	}
	return all
}

// tableIn returns the table that a field is, or that it points to.
func tableIn(field reflect.Value) (inspectedTable, bool) {
	field = reflect.NewAt(field.Type(), field.Addr().UnsafePointer()) // which may be read
	if t, ok := field.Interface().(inspectedTable); ok {
		return t, true
	}
	t, ok := field.Elem().Interface().(inspectedTable)
	return t, ok
}

func (db *DB) Dump() string {
	var b strings.Builder
	for _, t := range db.tables() {
		b.WriteString(t.Dump())
	}
	fmt.Fprint(&b, db.store.Dump())
	return b.String()
}

func (db *DB) Check() error {
	for _, t := range db.tables() {
		if err := t.Check(); err != nil {
			return err
		}
	}
	return nil
}
