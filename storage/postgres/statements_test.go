package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// counter counts the statements of a handle.
type counter struct{ statements atomic.Int64 }

func (c *counter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (c *counter) AfterQuery(context.Context, *bun.QueryEvent)                        { c.statements.Add(1) }

// counted gives a second view of the backend whose statements are counted.
func counted(tb testing.TB, handle *bun.DB) (*postgres.DB, *counter) {
	tb.Helper()
	c := &counter{}
	db, err := postgres.New(handle.WithQueryHook(c), postgres.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return db, c
}

func TestListsAndBatchesTakeAConstantNumberOfStatements(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 30, 30)
	is.NoErr(db.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		c, err := tx.Categories().Add(ctx, affiliate.Category{Name: "Food"})
		if err != nil {
			return err
		}
		for _, a := range w.advertisers {
			a.CategoryIDs = []int64{c.ID}
			if err := tx.Advertisers().Update(ctx, a); err != nil {
				return err
			}
		}
		return nil
	}))
	watched, count := counted(t, handle)
	ids := make([]int64, len(w.advertisers))
	for i, a := range w.advertisers {
		ids[i] = a.ID
	}
	is.NoErr(watched.Core().Read(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		count.statements.Store(0)
		all, err := tx.Advertisers().GetMany(ctx, ids)
		is.Equal(count.statements.Swap(0), int64(1))
		is.Equal(len(all), 30)
		is.Equal(len(all[29].CategoryIDs), 1)
		if err != nil {
			return err
		}
		_, err = tx.Users().List(ctx, affiliate.UserFilter{}, affiliate.PageRequest{Number: 1, Size: 20})
		is.Equal(count.statements.Swap(0), int64(2)) // how many there are, and the page
		if err != nil {
			return err
		}
		pages := affiliate.PageRequest{Size: 7, Sort: affiliate.Sort{Column: "name"}, Keys: &affiliate.PageKeys{}}
		for pages.Number = 1; pages.Number <= 3 && err == nil; pages.Number++ {
			_, err = tx.Advertisers().List(ctx, affiliate.AdvertiserFilter{}, pages)
		}
		is.Equal(count.statements.Swap(0), int64(1+3)) // the keys once, and the pages
		return err
	}))
}

func TestABatchOfClicksTakesAsManyStatementsAsOneClick(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 3, 2)
	watched, count := counted(t, handle)
	is.NoErr(w.record(t.Context(), watched, w.clicks(0, "first"))) // which also asks how clicks are kept
	count.statements.Store(0)
	is.NoErr(w.record(t.Context(), watched, w.clicks(1, "many")))
	many := count.statements.Swap(0)
	is.NoErr(w.record(t.Context(), watched, w.clicks(2, "one")[:1]))
	is.Equal(many, count.statements.Load())
}

func TestEntriesGetTheirIDsInOrder(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db := open(t)
	entries := make([]affiliate.Entry, 600)
	for i := range entries {
		entries[i] = affiliate.Entry{
			Kind: affiliate.EntryAdjustment, Account: affiliate.UserAccount(int64(i % 7)),
			Earning: affiliate.NewMoney(int64(i), "EUR"), Cost: affiliate.NewMoney(0, "EUR"), OccurredAt: noon, PayableAt: noon,
			Cause: "adjustment:" + strconv.Itoa((i*7919)%600), // in another order than the entries
		}
	}
	is.NoErr(db.Core().Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		kept, err := tx.Ledger().Append(ctx, entries...)
		if err != nil {
			return err
		}
		is.True(slices.IsSortedFunc(kept, func(a, b affiliate.Entry) int { return int(a.ID - b.ID) }))
		read, err := tx.Ledger().Scan(ctx, 0, len(entries)+1)
		is.Equal(read, kept) // each under the id that Append answered
		return err
	}))
}

func TestChangedFindsWhatWasCommittedLate(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 1, 3)
	rule := func(i int, host string) links.Rule {
		return links.Rule{AdvertiserID: w.advertisers[i].ID, Type: links.RuleAllow, URL: host}
	}
	add := func(db *postgres.DB, i int) {
		t.Helper()
		is.NoErr(db.Links().Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			_, err := tx.Rules().Add(ctx, rule(i, fmt.Sprintf("shop%d.example.com", i)))
			return err
		}))
	}
	look := func(since links.Cursor) (changed []int64, next links.Cursor) {
		t.Helper()
		is.NoErr(db.Links().Read(t.Context(), func(ctx context.Context, tx links.Tx) (err error) {
			if changed, err = tx.Rules().Changed(ctx, since); err != nil {
				return err
			}
			next, err = tx.Rules().Cursor(ctx)
			return err
		}))
		return changed, next
	}
	_, cursor := look("")
	early, err := handle.BeginTx(t.Context(), nil)
	is.NoErr(err)
	late, err := postgres.New(early, postgres.Options{})
	is.NoErr(err)
	add(late, 0) // begins first
	add(db, 1)   // and is overtaken
	changed, cursor := look(cursor)
	is.Equal(changed, []int64{w.advertisers[1].ID})
	changed, cursor = look(cursor) // what was changed late has got its number
	is.Equal(changed, []int64{w.advertisers[1].ID})
	changed, cursor = look(cursor)
	is.Equal(len(changed), 0) // and is told no more
	is.NoErr(early.Commit())
	for range 2 { // before it gets a number of its own, and after
		changed, _ = look(cursor)
		is.Equal(changed, []int64{w.advertisers[0].ID}) // it became visible after the cursor
	}
	_, cursor = look(cursor)
	changed, _ = look(cursor)
	is.Equal(len(changed), 0)
}

// Nobody waits for who gives numbers, and who gives numbers waits for nobody.
func TestNumbersOfRuleChangesKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	db, handle := openInPath(t)
	w := newWorld(t, db, 1, 3)
	add := func(db *postgres.DB, i int) {
		t.Helper()
		is.NoErr(db.Links().Write(ctx, func(ctx context.Context, tx links.Tx) error {
			_, err := tx.Rules().Add(ctx, links.Rule{AdvertiserID: w.advertisers[i].ID, Type: links.RuleAllow, URL: fmt.Sprintf("shop%d.example.com", i)})
			return err
		}))
	}
	look := func() (changed []int64, last links.Cursor) {
		t.Helper()
		is.NoErr(db.Links().Read(ctx, func(ctx context.Context, tx links.Tx) (err error) {
			if last, err = tx.Rules().Cursor(ctx); err == nil {
				changed, err = tx.Rules().Changed(ctx, last)
			}
			return err
		}))
		return changed, last
	}
	add(db, 0)
	_, before := look()

	// Somebody gives numbers, and takes long.
	numbers, err := handle.BeginTx(ctx, nil)
	is.NoErr(err)
	_, err = numbers.ExecContext(ctx, `SELECT last FROM affiliate_url_rule_sequence FOR UPDATE`)
	is.NoErr(err)
	add(db, 1)
	for range 2 {
		changed, last := look()
		is.Equal(changed, []int64{w.advertisers[1].ID}) // told each time
		is.True(last != before)                         // by the first look
	}
	is.NoErr(numbers.Rollback())

	// A host changes a rule anew, and takes long.
	long, err := handle.BeginTx(ctx, nil)
	is.NoErr(err)
	hosted, err := postgres.New(long, postgres.Options{})
	is.NoErr(err)
	add(db, 2)
	is.NoErr(hosted.Links().Write(ctx, func(ctx context.Context, tx links.Tx) error {
		_, err := tx.Rules().Add(ctx, links.Rule{AdvertiserID: w.advertisers[2].ID, Type: links.RuleAllow, URL: "more.example.com"})
		return err
	}))
	look()
	changed, _ := look()
	is.Equal(changed, []int64{w.advertisers[2].ID}) // only the other one has its number
	is.NoErr(long.Commit())
	changed, _ = look()
	is.Equal(changed, []int64{w.advertisers[2].ID})
	changed, _ = look()
	is.Equal(len(changed), 0)
}

func TestAForeignCursorIsInvalid(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db := open(t)
	for _, cursor := range []links.Cursor{"x", "-1", "1; DROP TABLE affiliate_links", "99999999999999999999"} {
		err := db.Links().Read(t.Context(), func(ctx context.Context, tx links.Tx) error {
			_, err := tx.Rules().Changed(ctx, cursor)
			return err
		})
		is.True(errors.Is(err, affiliate.ErrInvalid))
	}
}

// A constraint's name tells which field it is about, so each must follow the rule.
func TestEveryConstraintIsNamedAfterAField(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	_, handle := openInPath(t)
	var names []struct {
		Table string `bun:"table_name"`
		Name  string `bun:"name"`
	}
	is.NoErr(handle.NewRaw(`SELECT conrelid::regclass::text AS table_name, conname AS name FROM pg_constraint
		WHERE contype IN ('c', 'f', 'u') AND connamespace = 'public'::regnamespace
		UNION ALL SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index
		WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text LIKE 'affiliate%'`).Scan(t.Context(), &names))
	is.True(len(names) > 50)
	for _, n := range names {
		field := n.Name[len(n.Table):]
		if n.Name[:len(n.Table)] != n.Table || len(field) < 3 || field[0] != '_' {
			t.Errorf("constraint %s of %s is not named after a field", n.Name, n.Table)
		}
	}
}
