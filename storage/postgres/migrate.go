package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations are the numbered SQL files that Migrate runs, for hosts that have
// a migration tool of their own: run each once, in order of its name, with the
// search_path set to the schema. MigrationFiles has them in the form of the usual tools. They only ever go up; a file that was
// released never changes. A statement ends with a semicolon at the end of a line.
func Migrations() fs.FS {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return embedded // cannot be: the folder is embedded above
	}
	return files
}

// Migrate brings the tables in o.Schema up to date, creating the schema when
// it is missing. Each statement of a file is a transaction, with its note in
// affiliate_migrations: when Migrate is stopped in the middle, killed or not, the
// next call goes on with the statement that it came to. Several processes may call
// it at once; each statement runs once. Calling it again changes nothing. It fails
// when a file that was run differs from the one here. What o.Without leaves out is
// noted with the file: a later call that leaves out less makes it.
func Migrate(ctx context.Context, db *bun.DB, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	names, err := migrationNames()
	if err != nil {
		return err
	}
	m := migrations{db, o.Schema, o.Without}
	if err := m.run(ctx, names); err != nil {
		if ctx.Err() != nil {
			return connectionError(ctx, err)
		}
		return fmt.Errorf("postgres: %w", err)
	}
	return checkOrder(ctx, db, o.Schema)
}

// migration is a file.
type migration struct {
	name, checksum string
	statements     []string
}

// readMigration reads a file.
func readMigration(name string) (migration, error) {
	text, err := fs.ReadFile(Migrations(), name)
	if err != nil {
		return migration{}, fmt.Errorf("postgres: read migration %s: %w", name, err)
	}
	sum := sha256.Sum256(text)
	return migration{name, hex.EncodeToString(sum[:]), statementsIn(string(text))}, nil
}

// among returns those of the domains that the file makes something for.
func (f migration) among(domains []Domain) (among []Domain) {
	for _, d := range domains {
		if slices.ContainsFunc(f.statements, func(s string) bool { return about(s) == d }) {
			among = append(among, d)
		}
	}
	return among
}

// of is what the file makes for a domain: what is to be run when the domain was left
// out at first. It has a note of its own.
func (f migration) of(d Domain) migration {
	part := migration{name: f.name + " " + string(d), checksum: f.checksum}
	for _, statement := range f.statements {
		if about(statement) == d {
			part.statements = append(part.statements, statement)
		}
	}
	return part
}

// statementsIn splits a file.
func statementsIn(text string) (all []string) {
	var statement strings.Builder
	for line := range strings.Lines(text) {
		code, _, _ := strings.Cut(line, "--") // no file has one in a text
		if code = strings.TrimSpace(code); code == "" {
			continue
		}
		statement.WriteString(code + "\n")
		if strings.HasSuffix(code, ";") {
			all = append(all, statement.String())
			statement.Reset()
		}
	}
	return all
}

// rewritten are the checksums that files had which were written anew before the first
// release. What they made then, later files make the same.
var rewritten = map[string]string{
	"0002_links.sql":        "a353f676bac6f05b52ea5c9c61745de011de10395ebdc9c757a7fe2735e48205",
	"0003_productlists.sql": "aed13fa18f4928153fbba7c3de74cda3f68bb2bf02129c9046061f17cdee01b8",
}

var errMigrationChanged = errors.New("the file that was run is not the file that is here")

var errNotNoted = errors.New("what it makes is there already, and affiliate_migrations does not say that it was run: " +
	"after another tool ran the files, call Baseline once")

// migrations runs files in a schema.
type migrations struct {
	db      *bun.DB
	schema  string
	without []Domain
}

// migrationNote is a row of affiliate_migrations.
type migrationNote struct {
	Name, Checksum string
	Steps          *int     // how many of its statements were passed; none: all
	LeftOut        []Domain `bun:",array"` // what they were about that were passed and not run
}

func (m migrations) run(ctx context.Context, names []string) error {
	if err := m.prepare(ctx); err != nil {
		return err
	}
	byBytes, err := sortsByBytes(ctx, m.db)
	if err != nil {
		return err
	}
	notes, err := m.notes(ctx)
	for _, name := range names {
		if err != nil {
			return err
		}
		var file migration
		if file, err = readMigration(name); err == nil {
			if byBytes {
				file.leaveCollations()
			}
			notes, err = m.runFile(ctx, file, notes)
		}
		for _, d := range notes[name].LeftOut {
			if err == nil && !slices.Contains(m.without, d) {
				notes, err = m.runFile(ctx, file.of(d), notes)
			}
		}
	}
	return err
}

// sortsByBytes reports whether text in the database sorts by its bytes when nothing is
// said about it.
func sortsByBytes(ctx context.Context, db bun.IDB) (yes bool, err error) {
	err = db.NewRaw(`SELECT 'B' < 'a' AND 'z' < 'é'`).Scan(ctx, &yes)
	return yes, err
}

// leaveCollations leaves out of the file what the database does anyway: for some
// engines text with a collation is another type, which does not compare with text.
func (f migration) leaveCollations() {
	for i, statement := range f.statements {
		f.statements[i] = strings.ReplaceAll(statement, ` COLLATE "C"`, "")
	}
}

// runFile runs what is left of a file, and returns the notes that it went by.
func (m migrations) runFile(ctx context.Context, file migration, notes map[string]migrationNote) (map[string]migrationNote, error) {
	at, without, err := m.begun(file, notes)
	for err == nil && at < len(file.statements) {
		var mine bool
		mine, err = m.step(ctx, file, at, without)
		switch {
		case err != nil:
			return nil, fmt.Errorf("migration %s, statement %d: %w", file.name, at+1, err)
		case mine:
			at++
		default: // another process was quicker
			if notes, err = m.notes(ctx); err == nil {
				at, without, err = m.begun(file, notes)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("migration %s: %w", file.name, err)
	}
	return notes, nil
}

// begun returns how many statements of the file were passed, and of what domains
// they are not run.
func (m migrations) begun(f migration, notes map[string]migrationNote) (int, []Domain, error) {
	note, ok := notes[f.name]
	switch {
	case !ok:
		return 0, m.without, nil
	case note.Checksum != f.checksum && note.Checksum != rewritten[f.name]:
		return 0, nil, errMigrationChanged
	case note.Steps == nil:
		return len(f.statements), nil, nil
	}
	return *note.Steps, note.LeftOut, nil
}

// step runs a statement and its note. It reports false when another process has run
// it. The note comes first: it locks the file's row until both are committed.
func (m migrations) step(ctx context.Context, file migration, at int, without []Domain) (mine bool, err error) {
	err = m.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var steps *int
		if next := at + 1; next < len(file.statements) {
			steps = &next
		}
		note := tx.NewRaw(`UPDATE affiliate_migrations SET steps = ? WHERE name = ? AND checksum = ? AND steps = ?`, steps, file.name, file.checksum, at)
		if at == 0 {
			note = tx.NewRaw(`INSERT INTO affiliate_migrations (name, checksum, steps, left_out) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
				file.name, file.checksum, steps, pgdialect.Array(file.among(without)))
		}
		res, err := note.Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		mine = true
		if slices.Contains(without, about(file.statements[at])) {
			return nil
		}
		_, err = tx.ExecContext(ctx, file.statements[at])
		if e, ok := serverErrorIn(err); ok && e.isThere() && at == 0 {
			return fmt.Errorf("%w: %w", errNotNoted, err)
		}
		return err
	})
	if retryable(err) { // the isolation is serializable, and another process was quicker
		return false, nil
	}
	return mine, err
}

// notes returns what is noted, by the names of the files.
func (m migrations) notes(ctx context.Context) (map[string]migrationNote, error) {
	var rows []migrationNote
	err := m.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return tx.NewRaw(`SELECT name, checksum, steps, left_out FROM affiliate_migrations`).Scan(ctx, &rows)
	})
	notes := make(map[string]migrationNote, len(rows))
	for _, row := range rows {
		notes[row.Name] = row
	}
	return notes, err
}

// prepare makes the schema and the table of the notes. Of processes that do so at
// once one is first, and the others find it done.
func (m migrations) prepare(ctx context.Context) error {
	// Not IF NOT EXISTS: that asks for the right to create even what exists.
	for _, part := range []struct{ missing, create string }{
		{`SELECT ?0 <> '' AND to_regnamespace(?0) IS NULL`, `CREATE SCHEMA ?1`},
		{`SELECT to_regclass('affiliate_migrations') IS NULL`, `CREATE TABLE affiliate_migrations (
			name       text PRIMARY KEY,
			checksum   text NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now(),
			steps      integer,
			left_out   text[]
		)`},
		{`SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('affiliate_migrations') AND attname = 'steps')`,
			`ALTER TABLE affiliate_migrations ADD COLUMN steps integer`},
		{`SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('affiliate_migrations') AND attname = 'left_out')`,
			`ALTER TABLE affiliate_migrations ADD COLUMN left_out text[]`},
	} {
		err := m.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
			var missing bool
			if err := tx.NewRaw(part.missing, m.schema).Scan(ctx, &missing); err != nil || !missing {
				return err
			}
			_, err := tx.ExecContext(ctx, part.create, m.schema, bun.Ident(m.schema))
			return err
		})
		if e, ok := serverErrorIn(err); ok && (e.isThere() || e.state == stateUnique) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tx runs statements that find the tables by their names, isolated as the database
// has it by default: engines that change the schema in one isolation alone do so in that.
func (m migrations) tx(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	return m.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if m.schema != "" {
			if _, err := tx.ExecContext(ctx, `SET LOCAL search_path TO ?`, bun.Ident(m.schema)); err != nil {
				return err
			}
		}
		return fn(ctx, tx)
	})
}
