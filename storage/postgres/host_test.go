package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

func TestAHostsTransactionRunsAgainWhenAnotherWasFaster(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(error) error{
		"the host returns the error": func(err error) error { return err },
		"the host goes on after it":  func(error) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			db, handle := openInPath(t)
			_, err := handle.ExecContext(t.Context(), `CREATE TABLE host (n int)`)
			is.NoErr(err)
			g := addGroup(t, db, "a")
			attempts := 0
			is.NoErr(postgres.RunInTx(t.Context(), db, func(ctx context.Context, tx bun.Tx) error {
				attempts++
				if _, err := tx.ExecContext(ctx, `INSERT INTO host VALUES (?)`, attempts); err != nil {
					return err
				}
				in, err := db.In(tx)
				if err != nil {
					return err
				}
				return fail(raiseLimit(ctx, in, g.ID, func(context.Context) error {
					if attempts > 1 {
						return nil
					}
					return raiseLimit(t.Context(), db, g.ID, nothing) // of somebody else
				}))
			}))
			is.Equal(attempts, 2)
			var kept []int
			is.NoErr(handle.NewRaw(`SELECT n FROM host`).Scan(t.Context(), &kept))
			is.Equal(kept, []int{2}) // the first attempt was undone
		})
	}
}

func TestAHostsTransactionRunsAgainForItsOwnStatements(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	_, err := handle.ExecContext(t.Context(), `CREATE TABLE host (n int); INSERT INTO host VALUES (0)`)
	is.NoErr(err)
	attempts := 0
	is.NoErr(postgres.RunInTx(t.Context(), db, func(ctx context.Context, tx bun.Tx) error {
		var n int
		if err := tx.NewRaw(`SELECT n FROM host`).Scan(ctx, &n); err != nil {
			return err
		}
		if attempts++; attempts == 1 {
			if _, err := handle.ExecContext(t.Context(), `UPDATE host SET n = n + 1`); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE host SET n = ?`, n+1)
		return err
	}))
	var n int
	is.NoErr(handle.NewRaw(`SELECT n FROM host`).Scan(t.Context(), &n))
	is.Equal([]int{attempts, n}, []int{2, 2})
}

func TestAFailedHostsTransactionKeepsNothingAndReturnsItsError(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, _ := openInPath(t)
	mine := errors.New("the host's")
	work := func(end func() error) func(context.Context, bun.Tx) error {
		return func(ctx context.Context, tx bun.Tx) error {
			in, err := db.In(tx)
			if err != nil {
				return err
			}
			addGroup(t, in, "undone")
			return end()
		}
	}
	is.Equal(postgres.RunInTx(t.Context(), db, work(func() error { return mine })), mine)
	func() {
		defer func() { is.Equal(recover(), mine) }() // a panic goes on
		_ = postgres.RunInTx(t.Context(), db, work(func() error { panic(mine) }))
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err := postgres.RunInTx(ctx, db, work(func() error { cancel(); return nil }))
	is.True(errors.Is(err, affiliate.ErrUnavailable) && errors.Is(err, context.Canceled))
	addGroup(t, db, "undone") // the key is free
}

// Whatever would be kept although the host's transaction is undone is refused.
func TestAServiceOutsideOfTheHostsTransactionIsRefused(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	same, err := postgres.New(handle, postgres.Options{})
	is.NoErr(err)
	begin := func() bun.Tx {
		tx, err := handle.BeginTx(t.Context(), nil)
		is.NoErr(err)
		t.Cleanup(func() { _ = tx.Rollback() })
		return tx
	}
	refuses := func(ctx context.Context, db *postgres.DB) {
		t.Helper()
		nothing := func(context.Context, links.Tx) error { return nil }
		is.Equal(db.Links().Read(ctx, nothing), affiliate.ErrNested)
		is.Equal(db.Links().Write(ctx, nothing), affiliate.ErrNested)
		is.Equal(db.Links().Record(ctx, nothing), affiliate.ErrNested)
		is.True(db.Links().Nested(ctx))
		is.Equal(postgres.RunInTx(ctx, db, func(context.Context, bun.Tx) error { return nil }), affiliate.ErrNested)
	}
	is.NoErr(postgres.RunInTx(t.Context(), db, func(ctx context.Context, tx bun.Tx) error {
		refuses(ctx, db)
		refuses(ctx, same) // whichever DB it is that is over the same handle
		in, err := db.In(tx)
		is.NoErr(err)
		is.True(!in.Links().Nested(ctx))
		addGroup(t, in, "inside")
		return nil
	}))
	begun := begin()
	refuses(postgres.WithTx(t.Context(), begun), db)
	in, err := postgres.New(begun, postgres.Options{})
	is.NoErr(err)
	is.NoErr(in.Core().Write(t.Context(), func(ctx context.Context, _ affiliate.Tx) error {
		refuses(ctx, db) // a unit in the transaction says so too
		return nil
	}))
	other, err := db.In(begin())
	is.NoErr(err)
	refuses(postgres.WithTx(t.Context(), begun), other) // another transaction
	is.NoErr(db.Core().Write(t.Context(), func(ctx context.Context, _ affiliate.Tx) error {
		is.Equal(postgres.RunInTx(ctx, db, func(context.Context, bun.Tx) error { return nil }), affiliate.ErrNested)
		return nil
	}))
}

func TestInTakesATransactionOfTheSameHandle(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, _ := openInPath(t)
	other := openHandle(t, pgtest.DSN(t))
	tx, err := other.BeginTx(t.Context(), nil)
	is.NoErr(err)
	defer func() { is.NoErr(tx.Rollback()) }()
	for _, tx := range []bun.Tx{{}, tx} {
		_, err := db.In(tx)
		is.True(err != nil)
	}
}

func TestAClickInAHostsTransactionIsKeptWithItOrNotAtAll(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 1, 1)
	service := func(mode links.ClickMode) *links.Service {
		s, err := links.NewService(db.Links(), links.Options{Clicks: mode})
		is.NoErr(err)
		return s
	}
	hit := links.Hit{LinkID: w.links[0].ID, IP: "192.0.2.1", UserAgent: "Mozilla/5.0"}
	clicks := func() (n int) {
		is.NoErr(handle.NewRaw(`SELECT count(*) FROM affiliate_clicks`).Scan(t.Context(), &n))
		return n
	}
	undone := errors.New("undone")
	for _, mode := range []links.ClickMode{links.GroupCommit, links.Sync, links.Async} {
		for _, keep := range []bool{false, true} {
			before := clicks()
			err := postgres.RunInTx(t.Context(), db, func(ctx context.Context, tx bun.Tx) error {
				in, err := db.In(tx)
				is.NoErr(err)
				made, err := links.NewService(in.Links(), links.Options{Clicks: mode})
				is.NoErr(err)
				for _, s := range []*links.Service{service(mode).In(in.Links()), made} {
					_, err := s.Follow(ctx, hit)
					is.Equal(errors.Is(err, affiliate.ErrNested), mode == links.Async) // it would be queued beyond the transaction
					is.True(err == nil || mode == links.Async)
				}
				if !keep {
					return undone
				}
				return nil
			})
			is.Equal(err == nil, keep)
			want := before
			if keep && mode != links.Async {
				want += 2
			}
			is.Equal(clicks(), want)
		}
	}
}

// ruleReads counts the statements that read URL rules to compile them.
type ruleReads struct{ atomic.Int64 }

func (*ruleReads) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (r *ruleReads) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if strings.Contains(e.Query, "affiliate_url_rules") && (strings.Contains(e.Query, "t.id > ") || strings.Contains(e.Query, "t.advertiser_id")) {
		r.Add(1)
	}
}

// ruleWorld is a host with services over a database in which one shop has many rules.
type ruleWorld struct {
	*is.I
	ctx     context.Context
	handle  *bun.DB
	db      *postgres.DB
	links   *links.Service
	reads   ruleReads
	shop    int64
	creator int64
}

func newRuleWorld(t *testing.T, rules int) *ruleWorld {
	t.Helper()
	_, handle := openInPath(t)
	w := &ruleWorld{I: is.New(t), ctx: t.Context(), handle: handle}
	var err error
	w.db, err = postgres.New(handle.WithQueryHook(&w.reads), postgres.Options{})
	w.NoErr(err)
	// Rules that others change are looked for hardly ever: what is seen at once has other reasons.
	w.links, err = links.NewService(w.db.Links(), links.Options{RuleRefresh: time.Hour})
	w.NoErr(err)
	is := newWorld(t, w.db, 1, 1)
	w.shop, w.creator = is.advertisers[0].ID, is.users[0].ID
	_, err = handle.ExecContext(w.ctx, `UPDATE affiliate_users SET verified_at = now();
		INSERT INTO affiliate_url_rules (advertiser_id, type, url, keyword, is_main, created_at, updated_at)
		SELECT ?0, 'allow', 'shop' || n || '.example', '', false, now(), now() FROM generate_series(1, ?1) n`, w.shop, rules)
	w.NoErr(err)
	return w
}

func (w *ruleWorld) inTx(fn func(ctx context.Context, in *links.Service) error) error {
	return postgres.RunInTx(w.ctx, w.db, func(ctx context.Context, tx bun.Tx) error {
		in, err := w.db.In(tx)
		if err != nil {
			return err
		}
		return fn(ctx, w.links.In(in.Links()))
	})
}

func (w *ruleWorld) convert(ctx context.Context, s *links.Service, url string) error {
	_, _, err := s.Convert(ctx, links.Conversion{UserID: w.creator, URL: url})
	return err
}

func TestAHostsTransactionCompilesNoRulesAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		changed bool // the rules were new a moment ago
		outside bool // a service outside of the host's transactions has compiled them
	}{
		{"old rules", false, false},
		{"old rules, compiled outside", false, true},
		{"new rules", true, false},
		{"new rules, compiled outside", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRuleWorld(t, 20_000)
			if c.changed {
				_, err := w.handle.ExecContext(w.ctx, `INSERT INTO affiliate_url_rule_changes (advertiser_id) VALUES (?)`, w.shop)
				w.NoErr(err)
			}
			if c.outside {
				w.NoErr(w.convert(w.ctx, w.links, "https://shop7.example/shoes"))
			}
			convert := func() {
				w.NoErr(w.inTx(func(ctx context.Context, in *links.Service) error {
					return w.convert(ctx, in, "https://shop7.example/shoes")
				}))
			}
			begin := time.Now()
			convert() // compiles all, unless the service outside has
			if c.changed {
				convert() // the change has its place in the history now
			}
			first, reads := time.Since(begin), w.reads.Load()
			w.True(reads > 20_000/5000)
			const times = 20
			begin = time.Now()
			for range times {
				convert()
			}
			w.Equal(w.reads.Load(), reads) // and no other
			t.Logf("the first took %v, each of the others %v", first, time.Since(begin)/times)
			w.NoErr(w.convert(w.ctx, w.links, "https://shop8.example/shoes"))
			w.Equal(w.reads.Load(), reads) // nor does the service outside
		})
	}
}

func TestRulesOfAHostsTransactionAreSeenInItAndOnceItIsKept(t *testing.T) {
	t.Parallel()
	undone := errors.New("undone")
	for name, warm := range map[string]bool{"rules are compiled": true, "rules are compiled in the transaction": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newRuleWorld(t, 10)
			if warm {
				w.NoErr(w.convert(w.ctx, w.links, "https://shop1.example/"))
			}
			add := func(url string, end error) error {
				return w.inTx(func(ctx context.Context, in *links.Service) error {
					if _, err := in.AddRule(ctx, w.shop, links.RuleInput{Type: links.RuleAllow, URL: url}); err != nil {
						return err
					}
					w.NoErr(w.convert(ctx, in, "https://"+url+"/x"))
					return end
				})
			}
			w.Equal(add("undone.example", undone), undone)
			unknown := func(ctx context.Context, s *links.Service, url string) {
				t.Helper()
				w.True(errors.Is(w.convert(ctx, s, url), affiliate.ErrInvalid))
			}
			w.NoErr(w.inTx(func(ctx context.Context, in *links.Service) error {
				unknown(ctx, in, "https://undone.example/x")
				return nil
			}))
			unknown(w.ctx, w.links, "https://undone.example/x")
			w.NoErr(add("kept.example", nil))
			w.NoErr(w.convert(w.ctx, w.links, "https://kept.example/y"))        // at once
			unknown(w.ctx, w.links, "https://undone.example/x")                 // still
			w.NoErr(w.inTx(func(ctx context.Context, in *links.Service) error { // and in the next one
				return w.convert(ctx, in, "https://kept.example/z")
			}))
		})
	}
}

// A host on database/sql alone: its handle and its transactions.
func TestAHostOnDatabaseSQL(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	_, err := handle.ExecContext(t.Context(), `CREATE TABLE host (n int)`)
	is.NoErr(err)
	insert := func(ctx context.Context, tx *sql.Tx) error { // code of the host's
		_, err := tx.ExecContext(ctx, `INSERT INTO host VALUES ($1)`, 1)
		return err
	}
	undone := errors.New("undone")
	for _, end := range []error{undone, nil} {
		is.Equal(postgres.RunInTx(t.Context(), db, func(ctx context.Context, tx bun.Tx) error {
			in, err := db.In(tx)
			if err != nil {
				return err
			}
			addGroup(t, in, "a")
			if err := insert(ctx, tx.Tx); err != nil {
				return err
			}
			return end
		}), end)
	}
	var n int
	is.NoErr(handle.NewRaw(`SELECT count(*) FROM host`).Scan(t.Context(), &n))
	is.Equal(n, 1)
}

// A host whose code takes a connection of pgx.
func TestAHostOnPgx(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	conn, err := handle.Conn(t.Context())
	is.NoErr(err)
	defer func() { is.NoErr(conn.Close()) }()
	tx, err := conn.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	is.NoErr(err)
	in, err := db.In(tx)
	is.NoErr(err)
	g := addGroup(t, in, "a")
	var seen int64
	is.NoErr(conn.Raw(func(c any) error {
		return c.(*stdlib.Conn).Conn().QueryRow(t.Context(), `SELECT id FROM affiliate_advertiser_groups`).Scan(&seen)
	}))
	is.Equal(seen, g.ID)
	is.NoErr(tx.Rollback())
	addGroup(t, db, "a") // nothing was kept
}
