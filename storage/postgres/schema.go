package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// schemaList names what the migrations make, one a line. A test writes it.
//
//go:embed schema.txt
var schemaList string

// maxNamed is how many missing things an error names.
const maxNamed = 20

// ErrSchema says that the tables in the database are not those that this version
// works with.
var ErrSchema = errors.New("postgres: the schema is not that of this version")

// CheckSchema reports whether the tables, columns, constraints and indexes that this
// version works with are there, and names those that are missing in an ErrSchema. A
// host that runs the migrations with a tool of its own calls it at its start. It
// changes nothing, and takes no notice of what else there is.
func CheckSchema(ctx context.Context, db *bun.DB, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	missing, total, err := missingParts(ctx, db, o)
	if err != nil {
		return connectionError(ctx, err)
	}
	if err := checkOrder(ctx, db, o.Schema); err != nil {
		return err
	}
	switch {
	case len(missing) == 0:
		return nil
	case len(missing) == total:
		return fmt.Errorf("%w: none of its tables is in %s: run Migrate, or the files of MigrationFiles with the host's tool", ErrSchema, schemaName(o.Schema))
	}
	more := ""
	if n := len(missing) - maxNamed; n > 0 {
		missing, more = missing[:maxNamed], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("%w: %s lacks %s%s: run Migrate, or the newer files of MigrationFiles with the host's tool", ErrSchema, schemaName(o.Schema), strings.Join(missing, ", "), more)
}

// checkOrder fails when text sorts by the language of the database: the tables were
// made in one that sorts by bytes, and brought to another one. One table tells it of all.
func checkOrder(ctx context.Context, db bun.IDB, schema string) error {
	byBytes, err := sortsByBytes(ctx, db)
	if err != nil {
		return connectionError(ctx, err)
	}
	if byBytes {
		return nil
	}
	var columns []string
	err = db.NewRaw(`SELECT c.relname || '.' || a.attname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		JOIN pg_attribute AS a ON a.attrelid = c.oid JOIN pg_collation AS l ON l.oid = a.attcollation
		WHERE c.relname = 'affiliate_users' AND a.atttypid = 'text'::regtype AND l.collname = 'default'
			AND CASE WHEN ?0 = '' THEN pg_table_is_visible(c.oid) ELSE n.nspname = ?0 END LIMIT 1`, schema).Scan(ctx, &columns)
	if err != nil {
		return connectionError(ctx, err)
	}
	if len(columns) > 0 {
		return fmt.Errorf("%w: %s and more sort by the language of the database: restore into one of LOCALE 'C', as the tables come from", ErrSchema, columns[0])
	}
	return nil
}

func schemaName(schema string) string {
	if schema == "" {
		return "the search_path"
	}
	return "the schema " + schema
}

// missingParts returns the lines of schema.txt that are not there; what a missing
// table has is not listed, nor what is of domains that are left out. total is how
// many there would be without any table.
func missingParts(ctx context.Context, db bun.IDB, o Options) (missing []string, total int, err error) {
	there, err := schemaParts(ctx, db, o.Schema)
	if err != nil {
		return nil, 0, err
	}
	has := make(map[string]bool, len(there))
	for _, part := range there {
		has[part] = true
	}
	for line := range strings.Lines(schemaList) {
		part := strings.TrimSpace(line)
		kind, name, _ := strings.Cut(part, " ")
		table, _, _ := strings.Cut(name, ".")
		if slices.Contains(o.Without, domainOf(table)) {
			continue
		}
		if kind == "table" {
			total++
		}
		if !has[part] && (kind == "table" || has["table "+table]) {
			missing = append(missing, part)
		}
	}
	return missing, total, nil
}

// schemaParts lists what there is of ours in a schema, as in schema.txt.
func schemaParts(ctx context.Context, db bun.IDB, schema string) ([]string, error) {
	var parts []string
	err := db.NewRaw(`
		WITH tables AS (
			SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p') AND c.relname LIKE 'affiliate\_%' AND c.relname <> 'affiliate_migrations'
				AND CASE WHEN ?0 = '' THEN pg_table_is_visible(c.oid) ELSE n.nspname = ?0 END
		)
		SELECT part FROM (
			SELECT 'table ' || relname AS part FROM tables
			UNION ALL
			SELECT 'column ' || relname || '.' || attname FROM tables JOIN pg_attribute ON attrelid = oid WHERE attnum > 0 AND NOT attisdropped
			UNION ALL
			SELECT 'constraint ' || relname || '.' || conname FROM tables JOIN pg_constraint ON conrelid = tables.oid WHERE contype IN ('p', 'u', 'f', 'c', 'x')
			UNION ALL
			SELECT 'index ' || tables.relname || '.' || i.relname FROM tables JOIN pg_index ON indrelid = tables.oid JOIN pg_class AS i ON i.oid = indexrelid
		) AS all_parts`, schema).Scan(ctx, &parts)
	slices.Sort(parts)
	return parts, err
}

// Baseline tells Migrate that the files of this version have been run by another
// tool: it notes them in affiliate_migrations without running them. It first checks
// the schema, and fails with ErrSchema where something is missing. Calling it again
// changes nothing. With o.Without the files are noted as run without these domains.
func Baseline(ctx context.Context, db *bun.DB, o Options) error {
	if err := CheckSchema(ctx, db, o); err != nil {
		return err
	}
	names, err := migrationNames()
	if err != nil {
		return err
	}
	m := migrations{db, o.Schema, o.Without}
	if err := m.prepare(ctx); err != nil {
		return connectionError(ctx, err)
	}
	notes, err := m.notes(ctx)
	if err != nil {
		return connectionError(ctx, err)
	}
	return m.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, name := range names {
			file, err := readMigration(name)
			if err != nil {
				return err
			}
			parts := []migration{file}
			for _, d := range notes[name].LeftOut {
				if !slices.Contains(o.Without, d) {
					parts = append(parts, file.of(d))
				}
			}
			for _, part := range parts {
				if _, err := tx.ExecContext(ctx, `INSERT INTO affiliate_migrations AS t (name, checksum, left_out) VALUES (?, ?, ?)
					ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, steps = NULL WHERE t.steps IS NOT NULL`,
					part.name, part.checksum, pgdialect.Array(part.among(o.Without))); err != nil {
					return connectionError(ctx, err)
				}
			}
		}
		return nil
	})
}
