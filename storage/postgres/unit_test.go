package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// addGroup adds an advertiser group in a unit of its own.
func addGroup(tb testing.TB, db *postgres.DB, key string) affiliate.AdvertiserGroup {
	tb.Helper()
	var g affiliate.AdvertiserGroup
	err := db.Core().Write(tb.Context(), func(ctx context.Context, tx affiliate.Tx) (err error) {
		g, err = tx.AdvertiserGroups().Add(ctx, sampleGroup(key))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// raiseLimit reads a group and raises its payment limit; meanwhile runs between the two.
func raiseLimit(ctx context.Context, db *postgres.DB, id int64, meanwhile func(context.Context) error) error {
	return db.Core().Write(ctx, func(ctx context.Context, tx affiliate.Tx) error {
		g, err := tx.AdvertiserGroups().Get(ctx, id)
		if err != nil {
			return err
		}
		if err := meanwhile(ctx); err != nil {
			return err
		}
		g.PaymentLimit++
		return tx.AdvertiserGroups().Update(ctx, g)
	})
}

func nothing(context.Context) error { return nil }

func TestAUnitRunsAgainWhenAnotherProcessWasFaster(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	one, other := connect(t, dsn, schema), connect(t, dsn, schema)
	g := addGroup(t, one, "a")
	attempts := 0
	err := raiseLimit(t.Context(), one, g.ID, func(ctx context.Context) error {
		if attempts++; attempts > 1 {
			return nil
		}
		return raiseLimit(ctx, other, g.ID, nothing)
	})
	is.NoErr(err)
	is.Equal(attempts, 2) // the first was undone
	is.NoErr(other.Core().Read(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		after, err := tx.AdvertiserGroups().Get(ctx, g.ID)
		is.Equal(after.PaymentLimit, g.PaymentLimit+2) // both count
		return err
	}))
}

func TestAUnitGivesUpAfterTheAttemptsItWasGiven(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	other := connect(t, dsn, schema)
	one, err := postgres.New(openHandle(t, dsn), postgres.Options{Schema: schema, MaxAttempts: 3})
	is.NoErr(err)
	g := addGroup(t, other, "a")
	attempts := 0
	err = raiseLimit(t.Context(), one, g.ID, func(ctx context.Context) error {
		attempts++
		return raiseLimit(ctx, other, g.ID, nothing)
	})
	is.True(errors.Is(err, affiliate.ErrUnavailable)) // the same call may succeed later
	is.Equal(attempts, 3)
}

func TestASwallowedSerializationFailureStillRunsTheUnitAgain(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dsn, schema := pgtest.Schema(t)
	one, other := connect(t, dsn, schema), connect(t, dsn, schema)
	g := addGroup(t, one, "a")
	attempts := 0
	is.NoErr(one.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		attempts++
		if _, err := tx.AdvertiserGroups().Get(ctx, g.ID); err != nil {
			return err
		}
		if attempts == 1 {
			if err := raiseLimit(ctx, other, g.ID, nothing); err != nil {
				return err
			}
		}
		if err := tx.AdvertiserGroups().Update(ctx, g); err != nil {
			return errors.New("words of the callback's own")
		}
		return nil
	}))
	is.Equal(attempts, 2)
}

func TestAHostsTransactionCommitsItsRowsAndOursTogether(t *testing.T) {
	t.Parallel()
	for _, commit := range []bool{true, false} {
		t.Run("commit "+strconv.FormatBool(commit), func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			db, handle := openInPath(t)
			_, err := handle.ExecContext(t.Context(), `CREATE TABLE host (n int)`)
			is.NoErr(err)
			tx, err := handle.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
			is.NoErr(err)
			inside, err := postgres.New(tx, postgres.Options{})
			is.NoErr(err)
			_, err = tx.ExecContext(t.Context(), `INSERT INTO host VALUES (1)`)
			is.NoErr(err)
			g := addGroup(t, inside, "kept")
			refused := inside.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
				if _, err := tx.AdvertiserGroups().Add(ctx, sampleGroup("undone")); err != nil {
					return err
				}
				_, err := tx.AdvertiserGroups().Add(ctx, sampleGroup("kept"))
				return err
			})
			is.True(errors.Is(refused, affiliate.ErrConflict)) // undoes its unit, not the host's transaction
			if commit {
				is.NoErr(tx.Commit())
			} else {
				is.NoErr(tx.Rollback())
			}
			want := map[bool]int{true: 1}[commit]
			rows, err := handle.NewSelect().Table("host").Count(t.Context())
			is.NoErr(err)
			is.Equal(int(rows), want)
			is.NoErr(db.Core().Read(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
				page, err := tx.AdvertiserGroups().List(ctx, affiliate.AdvertiserGroupFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
				is.Equal(page.Total, want)
				if commit {
					is.Equal(page.Items, []affiliate.AdvertiserGroup{g})
				}
				return err
			}))
		})
	}
}

func TestAUnitInAHostsTransactionRunsOnceAndTellsTheHost(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	other, handle := openInPath(t)
	g := addGroup(t, other, "a")
	tx, err := handle.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	is.NoErr(err)
	defer func() { is.NoErr(tx.Rollback()) }()
	inside, err := postgres.New(tx, postgres.Options{})
	is.NoErr(err)
	attempts := 0
	err = raiseLimit(t.Context(), inside, g.ID, func(context.Context) error {
		attempts++
		return raiseLimit(t.Context(), other, g.ID, nothing)
	})
	is.Equal(attempts, 1)
	is.True(errors.Is(err, affiliate.ErrUnavailable))
	var pg *pgconn.PgError
	is.True(errors.As(err, &pg))
	is.Equal(pg.Code, "40001") // the host sees that it should run its transaction again
}

func TestACancelledUnitInAHostsTransactionIsUndone(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	_, handle := openInPath(t)
	tx, err := handle.BeginTx(t.Context(), nil)
	is.NoErr(err)
	inside, err := postgres.New(tx, postgres.Options{})
	is.NoErr(err)
	ctx, cancel := context.WithCancel(t.Context())
	err = inside.Core().Write(ctx, func(ctx context.Context, tx affiliate.Tx) error {
		_, err := tx.AdvertiserGroups().Add(ctx, sampleGroup("undone"))
		cancel()
		return err
	})
	is.True(errors.Is(err, affiliate.ErrUnavailable))
	is.True(errors.Is(err, context.Canceled))
	addGroup(t, inside, "undone") // the key is free, the host's transaction alive
	is.NoErr(tx.Commit())
}

func TestUnitsNestAcrossSchemasOnly(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle := openHandle(t, pgtest.DSN(t))
	backend := func(schema string) *postgres.DB {
		o := postgres.Options{Schema: schema}
		is.NoErr(postgres.Migrate(t.Context(), handle, o))
		db, err := postgres.New(handle, o)
		is.NoErr(err)
		return db
	}
	one, same, other := backend("one"), backend("one"), backend("other")
	is.NoErr(one.Core().Write(t.Context(), func(ctx context.Context, _ affiliate.Tx) error {
		inner := func(context.Context, links.Tx) error { return nil }
		is.Equal(one.Links().Record(ctx, inner), affiliate.ErrNested)
		is.Equal(same.Links().Read(ctx, inner), affiliate.ErrNested)
		is.NoErr(other.Links().Write(ctx, inner))
		return nil
	}))
}

func TestATransactionIsRefusedAfterItsUnit(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	pooled, handle := openInPath(t)
	tx, err := handle.BeginTx(t.Context(), nil)
	is.NoErr(err)
	defer func() { is.NoErr(tx.Rollback()) }()
	hosted, err := postgres.New(tx, postgres.Options{})
	is.NoErr(err)
	for _, db := range []*postgres.DB{pooled, hosted} { // the host's transaction goes on after the unit
		var leaked affiliate.Tx
		is.NoErr(db.Core().Write(t.Context(), func(_ context.Context, tx affiliate.Tx) error {
			leaked = tx
			return nil
		}))
		_, err := leaked.Categories().All(t.Context())
		is.True(err != nil) // read
		_, err = leaked.Categories().Add(t.Context(), affiliate.Category{Name: "Food"})
		is.True(err != nil) // change
	}
}

func TestADeadDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	read := func(ctx context.Context, tx affiliate.Tx) error {
		_, err := tx.Categories().All(ctx)
		return err
	}
	t.Run("nobody listens", func(t *testing.T) {
		is := is.New(t)
		db, err := postgres.New(openHandle(t, "postgres://nobody@127.0.0.1:1/none?sslmode=disable"), postgres.Options{})
		is.NoErr(err)
		is.True(errors.Is(db.Core().Read(t.Context(), read), affiliate.ErrUnavailable))
	})
	t.Run("closed", func(t *testing.T) {
		is := is.New(t)
		db, handle := openInPath(t)
		is.NoErr(handle.Close())
		is.True(errors.Is(db.Core().Read(t.Context(), read), affiliate.ErrUnavailable))
	})
	for name, write := range map[string]func(context.Context, affiliate.Tx) error{
		"gone before a statement": func(ctx context.Context, tx affiliate.Tx) error {
			_, err := tx.Categories().Add(ctx, affiliate.Category{Name: "Food"})
			return err
		},
		"gone before the commit": func(context.Context, affiliate.Tx) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			db, handle := openInPath(t)
			err := db.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
				if err := read(ctx, tx); err != nil {
					return err
				}
				endOtherSessions(t, handle)
				return write(ctx, tx)
			})
			is.True(errors.Is(err, affiliate.ErrUnavailable))
			addGroup(t, db, "afterwards") // on a new connection
		})
	}
}

// endOtherSessions ends every other session on the database, as a failing server would.
func endOtherSessions(tb testing.TB, db *bun.DB) {
	tb.Helper()
	_, err := db.ExecContext(tb.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		tb.Fatal(err)
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	handle := openHandle(t, "postgres://nobody@127.0.0.1:1/none")
	for _, schema := range []string{"Upper", "a-b", `a"b`, "1a", "pg_mine", "a b", string(make([]byte, 64))} {
		_, err := postgres.New(handle, postgres.Options{Schema: schema})
		is.True(err != nil) // schema
	}
	for _, attempts := range []int{-1, 1001} {
		_, err := postgres.New(handle, postgres.Options{MaxAttempts: attempts})
		is.True(err != nil) // attempts
	}
	for _, db := range []bun.IDB{nil, (*bun.DB)(nil), bun.Tx{}, bun.Conn{}} {
		_, err := postgres.New(db, postgres.Options{})
		is.True(err != nil) // handle
	}
	_, err := postgres.Open("postgres://%zz")
	is.True(err != nil) // dsn
}
