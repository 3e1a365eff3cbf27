package sqllint_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/.bench/sqllint"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

var schema = postgres.Options{Schema: "affiliate"}

// The suite runs on copies of a database whose own order is that of bytes.
func TestTheBackendSendsNothingThatOtherEnginesRefuse(t *testing.T) {
	is := is.New(t)
	s := &sent{statements: map[sqllint.Statement]bool{}, serializable: map[*pgx.Conn]bool{}}
	template := pgtest.NewTemplate(t, func(ctx context.Context, dsn string) error {
		handle := s.open(t, dsn, true)
		if err := postgres.Migrate(ctx, handle, schema); err != nil {
			return err
		}
		return handle.Close()
	})
	open := func(t *testing.T) (*postgres.DB, *bun.DB) {
		t.Helper()
		handle := s.open(t, template.DSN(t), false)
		db, err := postgres.New(handle, schema)
		is.NoErr(err)
		return db, handle
	}
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		db, _ := open(t)
		return storagetest.BackendOf(db)
	})
	t.Run("what a host calls", func(t *testing.T) { callTheRest(t, open) })
	t.Run("what is sent was looked at", func(t *testing.T) { compareWithSource(t, s) })

	var statements []sqllint.Statement
	for statement := range s.statements {
		statements = append(statements, statement)
	}
	is.True(len(statements) > 1000)
	slices.SortFunc(statements, func(a, b sqllint.Statement) int { return strings.Compare(a.Text, b.Text) })
	found, unused, err := sqllint.Lint(statements, sqllint.Exceptions)
	is.NoErr(err)
	told := map[string]bool{}
	for _, f := range found {
		if key := f.Rule.Name + f.What; !told[key] {
			told[key] = true
			t.Error(f)
		}
	}
	for _, x := range unused {
		t.Errorf("nothing needs the exception %q of %q any more: remove it", x.Pattern, x.Rule)
	}
}

// Each construct is found when it is put back, and what is like it and harmless is not.
func TestEachConstructIsFound(t *testing.T) {
	for _, c := range []struct {
		rule  string // "": nothing is to be found
		found int
		s     sqllint.Statement
	}{
		{"transaction ids", 1, sqllint.Statement{Text: `SELECT xmin FROM affiliate_links`}},
		{"transaction ids", 1, sqllint.Statement{Text: `SELECT t.xmin::text::bigint FROM affiliate_links AS t`}},
		{"transaction ids", 2, sqllint.Statement{Text: `SELECT pg_snapshot_xmin(pg_current_snapshot())`}},
		{"transaction ids", 1, sqllint.Statement{Text: `SELECT pg_catalog.txid_current()`}},
		{"transaction ids", 2, sqllint.Statement{Text: `CREATE TABLE c (id bigint, xid xid8 DEFAULT pg_current_xact_id())`}},
		{"transaction ids", 1, sqllint.Statement{Text: `SELECT id FROM c WHERE x >= $1::xid8`}},
		{"", 0, sqllint.Statement{Text: `SELECT xid, 'xmin' FROM c WHERE xid > 1`}},
		{"advisory locks", 1, sqllint.Statement{Text: `SELECT pg_advisory_xact_lock(1)`}},
		{"advisory locks", 1, sqllint.Statement{Text: `SELECT pg_try_advisory_lock(1, 2)`}},
		{"one statement a step", 1, sqllint.Statement{Text: `CREATE TABLE a (id bigint); CREATE TABLE b (id bigint);`, Migration: true}},
		{"one statement a step", 1, sqllint.Statement{Text: `-- nothing`, Migration: true}},
		{"", 0, sqllint.Statement{Text: `CREATE TABLE a (id bigint); -- and nothing else;`, Migration: true}},
		{"", 0, sqllint.Statement{Text: `SET LOCAL statement_timeout = 1; SET LOCAL lock_timeout = 1`}},
		{`COLLATE "C"`, 1, sqllint.Statement{Text: `CREATE TABLE a (name text COLLATE "C")`}},
		{`COLLATE "C"`, 1, sqllint.Statement{Text: `SELECT name FROM a ORDER BY name COLLATE "C"`}},
		{"operator classes", 1, sqllint.Statement{Text: `CREATE INDEX i ON a USING gin (data jsonb_path_ops)`}},
		{"operator classes", 1, sqllint.Statement{Text: `CREATE INDEX i ON a (name text_pattern_ops)`}},
		{"", 0, sqllint.Statement{Text: `CREATE INDEX i ON a USING gin (data)`}},
		{"index parameters", 1, sqllint.Statement{Text: `CREATE INDEX i ON a USING gin (data) WITH (fastupdate = off)`}},
		{"index parameters", 1, sqllint.Statement{Text: `CREATE UNIQUE INDEX i ON a (id) WITH (fillfactor = 70)`}},
		{"SKIP LOCKED when serializable", 1, sqllint.Statement{Text: `SELECT id FROM a FOR UPDATE SKIP LOCKED`, Serializable: true}},
		{"SKIP LOCKED when serializable", 1, sqllint.Statement{Text: `WITH d AS (SELECT id FROM a FOR NO KEY UPDATE OF a SKIP LOCKED) UPDATE a SET n = 1 FROM d WHERE d.id = a.id`, Serializable: true}},
		{"", 0, sqllint.Statement{Text: `SELECT id FROM a FOR UPDATE SKIP LOCKED`}},
		{"", 0, sqllint.Statement{Text: `SELECT id FROM a FOR UPDATE`, Serializable: true}},
		{"COPY and temporary tables", 1, sqllint.Statement{Text: `COPY a (id) FROM STDIN`}},
		{"COPY and temporary tables", 1, sqllint.Statement{Text: `CREATE TEMP TABLE a (LIKE b)`}},
		{"COPY and temporary tables", 1, sqllint.Statement{Text: `CREATE TEMPORARY TABLE a AS SELECT 1`}},
		{"the order of ids", 1, sqllint.Statement{Text: `SELECT coalesce(max(t.id), 0) FROM affiliate_events AS t`}},
		{"the order of ids", 1, sqllint.Statement{Text: `SELECT nextval('a_id_seq')`}},
		{"", 0, sqllint.Statement{Text: `SELECT max(at) FROM affiliate_events`}},
		{"partitions", 1, sqllint.Statement{Text: `CREATE TABLE a (id bigint) PARTITION BY RANGE (id)`}},
		{"partitions", 1, sqllint.Statement{Text: `ALTER TABLE a DETACH PARTITION b`}},
	} {
		found, _, err := sqllint.Lint([]sqllint.Statement{c.s}, nil)
		if err != nil {
			t.Error(err)
		}
		if len(found) != c.found {
			t.Errorf("%s: found %v, want %d of %q", c.s.Text, found, c.found, c.rule)
		}
		for _, f := range found {
			if f.Rule.Name != c.rule || f.Rule.Engines == "" || f.Rule.Reason == "" || !strings.Contains(f.String(), f.Rule.Engines) || !strings.Contains(f.String(), f.Rule.Reason) {
				t.Errorf("%s: found %v, want %q with the engines and the reason", c.s.Text, f, c.rule)
			}
		}
	}
}

func TestAnExceptionIsForItsRuleAndForWhatNeedsIt(t *testing.T) {
	is := is.New(t)
	statement := sqllint.Statement{Text: "SELECT pg_advisory_lock(1) -- for a moment\n  FROM a"}
	needed := sqllint.Exception{Rule: "advisory locks", Pattern: `^SELECT pg_advisory_lock\(1\) FROM a$`}
	for _, unused := range []sqllint.Exception{{Rule: "transaction ids", Pattern: needed.Pattern}, {Rule: needed.Rule, Pattern: "FROM b"}} {
		found, left, err := sqllint.Lint([]sqllint.Statement{statement}, []sqllint.Exception{unused})
		is.NoErr(err)
		is.Equal(len(found), 1)
		is.Equal(left, []sqllint.Exception{unused})
	}
	found, left, err := sqllint.Lint([]sqllint.Statement{statement}, []sqllint.Exception{needed})
	is.NoErr(err)
	is.Equal(len(found), 0)
	is.Equal(len(left), 0)
}

// callTheRest calls what is not part of the suite.
func callTheRest(t *testing.T, open func(t *testing.T) (*postgres.DB, *bun.DB)) {
	is, ctx := is.New(t), t.Context()
	db, handle := open(t)
	_, err := handle.ExecContext(ctx, `ALTER TABLE affiliate.affiliate_migrations DROP COLUMN steps, DROP COLUMN left_out`) // as it was before there were these
	is.NoErr(err)
	is.NoErr(postgres.Migrate(ctx, handle, schema))
	is.NoErr(postgres.Baseline(ctx, handle, schema))
	files, err := postgres.MigrationFiles(postgres.Tern, postgres.ProductLists)
	is.NoErr(err)
	nothing, err := fs.ReadFile(files, "003_productlists.sql") // is run by the host's tool
	is.NoErr(err)
	_, err = handle.ExecContext(ctx, string(nothing))
	is.NoErr(err)
	is.NoErr(postgres.RunInTx(ctx, db, func(ctx context.Context, tx bun.Tx) error {
		_, err := db.In(tx)
		return err
	}))

	followInCampaign(t, db)
	is.NoErr(db.Moves().Write(ctx, func(ctx context.Context, tx move.Tx) error {
		c, err := tx.Categories().Add(ctx, affiliate.Category{Name: "Food"})
		if err != nil {
			return err
		}
		return tx.Numbers().Renumber(ctx, move.Categories, []int64{c.ID}, []int64{c.ID + 7})
	}))

	stale, err := postgres.New(handle, postgres.Options{Schema: schema.Schema, Reader: handle})
	is.NoErr(err)
	staleCtx, _ := affiliate.AllowStale(ctx)
	is.NoErr(stale.Core().Read(staleCtx, func(context.Context, affiliate.Tx) error { return nil }))
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	is.NoErr(db.Core().Read(ctx, func(context.Context, affiliate.Tx) error { return nil })) // tells the server the deadline

	is.NoErr(postgres.PartitionClicks(ctx, handle, schema, nil))
	byMonth, err := postgres.New(handle, schema)
	is.NoErr(err)
	is.NoErr(byMonth.Links().Read(ctx, func(ctx context.Context, tx links.Tx) error {
		if _, err := tx.Clicks().List(ctx, links.ClickFilter{From: time.Now()}, affiliate.PageRequest{}); err != nil {
			return err
		}
		_, err := tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: 1}}, time.Now())
		return err
	}))
	parts := db.Links().(links.ClickParts)
	is.NoErr(parts.DropClicks(ctx, uuid.Max, time.Now().AddDate(0, 3, 0)))
}

// followInCampaign has a reader follow a link that a campaign pays for.
func followInCampaign(t *testing.T, db *postgres.DB) {
	is, ctx := is.New(t), t.Context()
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	is.NoErr(err)
	a, err := kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Shop", Country: "SE", Currency: "SEK"}, Domains: []string{"shop.example"},
	})
	is.NoErr(err)
	u, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "tove", VerifiedAt: time.Now()})
	is.NoErr(err)
	_, err = kit.Offers.CreateOffer(ctx, offers.OfferInput{Offer: offers.Offer{
		AdvertiserID: a.ID, Type: offers.Standard, Name: "c", Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](3), InvoiceCPC: affiliate.Some[int64](3)}}},
	}})
	is.NoErr(err)
	link, _, err := kit.Links.Convert(ctx, links.Conversion{UserID: u.ID, URL: "https://shop.example/shoes"})
	is.NoErr(err)
	r, err := kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.7", UserAgent: "a reader"})
	is.NoErr(err)
	is.Equal(r.Click.Value.Cost.Minor(), int64(3))
}

// compareWithSource fails for each statement in the backend's source of which nothing
// was sent: the rules then did not look at it.
func compareWithSource(t *testing.T, s *sent) {
	var texts strings.Builder
	for statement := range s.statements {
		texts.WriteString(sqllint.OneLine(statement.Text) + "\n")
	}
	all := texts.String()
	files, err := filepath.Glob("../../storage/postgres/*.go")
	is.New(t).NoErr(err)
	statements := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		is.New(t).NoErr(err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil || !begins.MatchString(text) {
				return true
			}
			statements++
			if piece := longest(argument.Split(text, -1)); !strings.Contains(all, piece) {
				t.Errorf("%s: the suite sends nothing with %q in it, so nobody has looked at this statement", set.Position(literal.Pos()), piece)
			}
			return true
		})
	}
	if statements < 100 {
		t.Errorf("the source has %d statements: has it gone elsewhere?", statements)
	}
}

var (
	begins   = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|SET|COPY|SHOW)\s`)
	argument = regexp.MustCompile(`\?\d*|\{schema\}|%\w`)
)

// longest is the longest of some pieces of SQL.
func longest(pieces []string) (piece string) {
	for _, p := range pieces {
		if p = sqllint.OneLine(p); len(p) > len(piece) {
			piece = p
		}
	}
	return piece
}
