package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"encoding/json"

	"github.com/uptrace/bun/dialect/pgdialect"
)

func TestZZ(t *testing.T) {
	_, handle := openInPath(t)
	const n, batches = 2000, 20
	cols := strings.Split(strings.TrimSpace(feedHeader), ",")
	isInt := map[string]bool{"regular_price": true, "final_price": true, "network_id": true, "merchant_id": true}
	try := func(name string, f func(from, size int) (string, []any), size int) {
		handle.Exec("TRUNCATE affiliate_products")
		var total time.Duration
		for b := 0; b < batches*n/size; b++ {
			q, args := f(b*size, size)
			s := time.Now()
			if _, err := handle.Exec(q, args...); err != nil {
				t.Fatal(name, err)
			}
			total += time.Since(s)
		}
		fmt.Printf("%-40s %v/row\n", name, total/(batches*n))
	}
	arrays := func(from, n int) []any {
		args := make([]any, len(cols))
		for c, col := range cols {
			vals := make([]string, n)
			for i := range vals {
				vals[i] = feedRow(from + i + 1)[c]
				if isInt[col] {
					vals[i] = strings.Replace(vals[i], ".", "", 1)
				}
			}
			args[c] = pgdialect.Array(vals)
		}
		return args
	}
	var types []string
	for _, c := range cols {
		if isInt[c] {
			types = append(types, "?::bigint[]")
		} else {
			types = append(types, "?::text[]")
		}
	}
	unnest := "SELECT * FROM unnest(" + strings.Join(types, ",") + ")"
	for range 2 {
		try("cast only", func(f, n int) (string, []any) {
			return "SELECT " + strings.Join(strings.Split(strings.ReplaceAll(strings.Join(types, ","), "?", "cardinality(?"), ","), "),") + ")", arrays(f, n)
		}, n)
		try("unnest count", func(f, n int) (string, []any) { return "SELECT count(*) FROM (" + unnest + ") x", arrays(f, n) }, n)
		try("insert unnest", func(f, n int) (string, []any) { return "INSERT INTO affiliate_products " + unnest, arrays(f, n) }, n)
		try("insert unnest on conflict", func(f, n int) (string, []any) {
			return "INSERT INTO affiliate_products AS t " + unnest + " ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE t IS DISTINCT FROM excluded", arrays(f, n)
		}, n)
		try("on conflict 500", func(f, n int) (string, []any) {
			return "INSERT INTO affiliate_products AS t " + unnest + " ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE t IS DISTINCT FROM excluded", arrays(f, n)
		}, 500)
		sep := func(from, n int) string {
			var b strings.Builder
			for i := range n {
				if i > 0 {
					b.WriteByte(2)
				}
				row := feedRow(from + i + 1)
				for c := range row {
					if isInt[cols[c]] {
						row[c] = strings.Replace(row[c], ".", "", 1)
					}
				}
				b.WriteString(strings.Join(row, "\x01"))
			}
			return b.String()
		}
		var fields []string
		for i, c := range cols {
			f := fmt.Sprintf("f[%d]", i+1)
			if isInt[c] {
				f += "::bigint"
			}
			fields = append(fields, f)
		}
		try("string_to_table on conflict", func(f, n int) (string, []any) {
			return "INSERT INTO affiliate_products AS t SELECT " + strings.Join(fields, ",") + " FROM (SELECT string_to_array(r, E'\\x01') f FROM string_to_table(?, E'\\x02') r OFFSET 0) x ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE t IS DISTINCT FROM excluded", []any{sep(f, n)}
		}, n)
		jsonrows := func(from, n int) string {
			rows := make([]map[string]any, n)
			for i := range rows {
				m := map[string]any{}
				for c, v := range feedRow(from + i + 1) {
					if isInt[cols[c]] {
						v = strings.Replace(v, ".", "", 1)
					}
					m[cols[c]] = v
				}
				rows[i] = m
			}
			b, _ := json.Marshal(rows)
			return string(b)
		}
		try("json_populate_recordset", func(f, n int) (string, []any) {
			return "INSERT INTO affiliate_products AS t SELECT * FROM json_populate_recordset(null::affiliate_products, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE t IS DISTINCT FROM excluded", []any{jsonrows(f, n)}
		}, n)
		try("record array", func(f, n int) (string, []any) {
			var recs []string
			for i := range n {
				row := feedRow(f + i + 1)
				for c := range row {
					if isInt[cols[c]] {
						row[c] = strings.Replace(row[c], ".", "", 1)
					}
					row[c] = `"` + row[c] + `"`
				}
				recs = append(recs, "("+strings.Join(row, ",")+")")
			}
			return "INSERT INTO affiliate_products AS t SELECT * FROM unnest(?::affiliate_products[]) ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE t IS DISTINCT FROM excluded", []any{pgdialect.Array(recs)}
		}, n)
	}
}
