package postgres

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// allDomains are those that can be left out.
func allDomains() []Domain { return slices.Sorted(maps.Keys(domainTables)) }

// listed are the lines of schema.txt without those of some domains.
func listed(without ...Domain) (parts []string) {
	for line := range strings.Lines(schemaList) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		table, _, _ := strings.Cut(name, ".")
		if !slices.ContainsFunc(without, func(d Domain) bool { return slices.Contains(domainTables[d], table) }) {
			parts = append(parts, strings.TrimSpace(line))
		}
	}
	return parts
}

// inNewSchema is a handle, and Options of a schema that is not there yet.
func inNewSchema(t *testing.T) (*bun.DB, Options) {
	t.Helper()
	dsn, schema := pgtest.Schema(t)
	db, err := Open(dsn)
	is.New(t).NoErr(err)
	t.Cleanup(func() { _ = db.Close() })
	return db, Options{Schema: schema}
}

func TestTablesOfADomainAreLeftOutAndMadeLater(t *testing.T) {
	t.Parallel()
	cases := [][]Domain{allDomains()}
	for _, d := range allDomains() {
		cases = append(cases, []Domain{d})
	}
	for _, without := range cases {
		t.Run(string(slices.Concat(without)[0])+strings.Repeat("+", len(without)-1), func(t *testing.T) {
			t.Parallel()
			is, ctx := is.New(t), t.Context()
			db, all := inNewSchema(t)
			some := all
			some.Without = without
			parts := func() []string {
				parts, err := schemaParts(ctx, db, all.Schema)
				is.NoErr(err)
				return parts
			}
			for range 2 {
				is.NoErr(Migrate(ctx, db, some))
				is.Equal(parts(), listed(without...))
			}
			is.NoErr(CheckSchema(ctx, db, some))
			is.True(errors.Is(CheckSchema(ctx, db, all), ErrSchema))
			_, err := New(db, some)
			is.NoErr(err)

			for range 2 {
				is.NoErr(Migrate(ctx, db, all))
				is.Equal(parts(), listed())
			}
			is.NoErr(Migrate(ctx, db, some)) // which takes nothing away
			is.Equal(parts(), listed())
		})
	}
}

// Some processes want the tables of a domain and others do not, and each may stop
// after any statement: in the end the tables are there.
func TestProcessesMayDifferInWhatTheyLeaveOut(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, all := inNewSchema(t)
	var running sync.WaitGroup
	failures := make([]error, 6)
	for i := range failures {
		o := all
		o.Without = allDomains()[:len(domainTables)*(i%3)/2]
		running.Go(func() {
			for stopped := 0; ; stopped++ {
				ctx, stop := context.WithCancel(t.Context())
				left := 40 + 7*i // statements
				failures[i] = Migrate(ctx, db.WithQueryHook(countdown(func() {
					if left--; left == 0 {
						stop()
					}
				})), o)
				stop()
				if failures[i] == nil || !errors.Is(failures[i], context.Canceled) || stopped > 100 {
					return
				}
			}
		})
	}
	running.Wait()
	is.NoErr(errors.Join(failures...))
	parts, err := schemaParts(t.Context(), db, all.Schema)
	is.NoErr(err)
	is.Equal(parts, listed())
}

// countdown is called before each statement.
type countdown func()

func (c countdown) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	c()
	return ctx
}

func (countdown) AfterQuery(context.Context, *bun.QueryEvent) {}

// A host whose tool made the tables of some domains changes over to Migrate, and has
// the other domains then.
func TestBaselineOfSomeDomains(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	db, all := inNewSchema(t)
	some := all
	some.Without = []Domain{Deals, ProductLists}
	files, err := MigrationFiles(Tern, some.Without...)
	is.NoErr(err)
	_, err = db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS ?`, bun.Ident(all.Schema))
	is.NoErr(err)
	names, err := fs.Glob(files, "*.sql")
	is.NoErr(err)
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		is.NoErr(err)
		is.NoErr(migrations{db, all.Schema, nil}.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, string(body))
			return err
		}))
	}
	parts, err := schemaParts(ctx, db, all.Schema)
	is.NoErr(err)
	is.Equal(parts, listed(Deals, ProductLists))

	is.True(errors.Is(Baseline(ctx, db, all), ErrSchema))
	is.NoErr(Baseline(ctx, db, some))
	is.NoErr(Migrate(ctx, db, some))
	more := all
	more.Without = []Domain{Deals}
	is.NoErr(Migrate(ctx, db, more))
	parts, err = schemaParts(ctx, db, all.Schema)
	is.NoErr(err)
	is.Equal(parts, listed(Deals))
	is.NoErr(Migrate(ctx, db, all))
	is.NoErr(CheckSchema(ctx, db, all))

	// Its tool made the rest instead, and Baseline notes that as well.
	_, err = db.ExecContext(ctx, `DELETE FROM ? WHERE name LIKE '% deals'`, bun.Safe(`"`+all.Schema+`".affiliate_migrations`))
	is.NoErr(err)
	is.True(errors.Is(Migrate(ctx, db, all), errNotNoted))
	is.NoErr(Baseline(ctx, db, all))
	is.NoErr(Migrate(ctx, db, all))
}

func TestEveryTableOfADomainIsOneOfTheSchema(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	for d, tables := range domainTables {
		for _, table := range tables {
			is.True(strings.Contains(schemaList, "table "+table+"\n"))
			is.Equal(domainOf(table), d)
			is.Equal(domainOf(table+"_pkey"), d)
		}
	}
	for name, d := range map[string]Domain{
		"affiliate_users": "", "affiliate_offers": "", "affiliate_mediators": "", "affiliate_orders_at_idx": Orders, "affiliate_payments": Payouts,
	} {
		is.Equal(domainOf(name), d)
	}
	is.Equal(about("CREATE INDEX affiliate_deals_at_idx ON affiliate_deals (at);"), Deals)
	is.Equal(about("ALTER TABLE affiliate_clicks ADD COLUMN order_id bigint;"), Domain(""))
	is.Equal(about("SELECT 1"), Domain(""))
}

func TestAnUnknownDomainIsRefused(t *testing.T) {
	t.Parallel()
	is, ctx := is.New(t), t.Context()
	db, o := inNewSchema(t)
	for _, d := range []Domain{"", "links", "Deals"} {
		o.Without = []Domain{Deals, d}
		_, err := New(db, o)
		_, filesErr := MigrationFiles(Goose, o.Without...)
		for _, err := range []error{err, filesErr, Migrate(ctx, db, o), CheckSchema(ctx, db, o), Baseline(ctx, db, o)} {
			is.True(err != nil && strings.Contains(err.Error(), "Options.Without"))
		}
	}
}
