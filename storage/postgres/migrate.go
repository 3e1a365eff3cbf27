package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/uptrace/bun"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations are the numbered SQL files that Migrate runs, for hosts that have
// a migration tool of their own: run each once, in order of its name, with the
// search_path set to the schema. MigrationFiles has them in the form of the usual tools. They only ever go up; a file that was
// released never changes.
func Migrations() fs.FS {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return embedded // cannot be: the folder is embedded above
	}
	return files
}

// Migrate brings the tables in o.Schema up to date, creating the schema when
// it is missing. Each file is one transaction, recorded with its checksum in
// affiliate_migrations. Several processes may call it at once; each file runs
// once. Calling it again changes nothing. It fails when a file that was run
// differs from the one here.
func Migrate(ctx context.Context, db *bun.DB, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	names, err := migrationNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		body, checksum, err := migrationFile(name)
		if err != nil {
			return err
		}
		if err := migrate(ctx, db, o.Schema, name, body, checksum); err != nil {
			if ctx.Err() != nil {
				return connectionError(ctx, err)
			}
			return fmt.Errorf("postgres: migration %s: %w", name, err)
		}
	}
	return nil
}

// migrationFile returns a file and its checksum.
func migrationFile(name string) (body, checksum string, err error) {
	text, err := fs.ReadFile(Migrations(), name)
	if err != nil {
		return "", "", fmt.Errorf("postgres: read migration %s: %w", name, err)
	}
	sum := sha256.Sum256(text)
	return string(text), hex.EncodeToString(sum[:]), nil
}

var errMigrationChanged = errors.New("the file that was run is not the file that is here")

var errNotNoted = errors.New("what it makes is there already, and affiliate_migrations does not say that it was run: " +
	"after another tool ran the files, call Baseline once")

// migrate runs one file unless it was run.
func migrate(ctx context.Context, db *bun.DB, schema, name, body, checksum string) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := prepareMigrations(ctx, tx, schema); err != nil {
			return err
		}
		var recorded []string
		if err := tx.NewRaw(`SELECT checksum FROM affiliate_migrations WHERE name = ?`, name).Scan(ctx, &recorded); err != nil {
			return err
		}
		if len(recorded) == 1 {
			if recorded[0] != checksum {
				return errMigrationChanged
			}
			return nil
		}
		if _, err := tx.ExecContext(ctx, body); err != nil {
			if e, ok := serverErrorIn(err); ok && e.isThere() {
				return fmt.Errorf("%w: %w", errNotNoted, err)
			}
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO affiliate_migrations (name, checksum) VALUES (?, ?)`, name, checksum)
		return err
	})
}

// prepareMigrations locks out other processes until the transaction ends, and
// makes the schema and the table that the migrations are recorded in.
func prepareMigrations(ctx context.Context, tx bun.Tx, schema string) error {
	// READ COMMITTED: what follows the lock sees what its last holder did.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext(?))`, "affiliate_migrations "+schema); err != nil {
		return err
	}
	if schema != "" {
		if err := useSchema(ctx, tx, schema); err != nil {
			return err
		}
	}
	// Not IF NOT EXISTS alone: that asks for the right to create even where
	// the table exists.
	var missing bool
	if err := tx.NewRaw(`SELECT to_regclass('affiliate_migrations') IS NULL`).Scan(ctx, &missing); err != nil || !missing {
		return err
	}
	_, err := tx.ExecContext(ctx, `CREATE TABLE affiliate_migrations (
		name       text PRIMARY KEY,
		checksum   text NOT NULL,
		applied_at timestamptz NOT NULL DEFAULT now()
	)`)
	return err
}

func useSchema(ctx context.Context, tx bun.Tx, schema string) error {
	var missing bool
	if err := tx.NewRaw(`SELECT to_regnamespace(?) IS NULL`, schema).Scan(ctx, &missing); err != nil {
		return err
	}
	if missing {
		if _, err := tx.ExecContext(ctx, `CREATE SCHEMA ?`, bun.Ident(schema)); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `SET LOCAL search_path TO ?`, bun.Ident(schema))
	return err
}
