package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// Each benchmark runs ours and its floor in turn, and reports
// floor/ours: 1 is as fast as the floor, 0.5 half as fast.

// sideBySide runs both b.N times, interleaved so that neither has the better half of the machine.
func sideBySide(b *testing.B, ours, floor func(i int) error) {
	b.Helper()
	var spent [2]time.Duration
	for i := 0; b.Loop(); i++ {
		for k, run := range []func(int) error{ours, floor} {
			start := time.Now()
			if err := run(i); err != nil {
				b.Fatal(err)
			}
			spent[k] += time.Since(start)
		}
	}
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "floor/ours")
	b.ReportMetric(float64(spent[0].Microseconds())/float64(b.N), "ours-µs/op")
}

// bareGroup is what somebody with bun alone would write for an advertiser group.
type bareGroup struct {
	bun.BaseModel `bun:"table:affiliate_advertiser_groups,alias:t"`

	ID              int64     `bun:"id,pk,autoincrement"`
	Name            string    `bun:"name"`
	Key             string    `bun:"key"`
	Currency        string    `bun:"currency"`
	ReturnAdEnabled bool      `bun:"return_ad_enabled"`
	PaymentLimit    int64     `bun:"payment_limit"`
	CreatedAt       time.Time `bun:"created_at,nullzero"`
}

func sampleGroup(key string) affiliate.AdvertiserGroup {
	return affiliate.AdvertiserGroup{Name: "Sweden", Key: key, Currency: "SEK", PaymentLimit: 50_000, CreatedAt: noon}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func BenchmarkReadOne(b *testing.B) {
	db, handle := openInPath(b)
	ctx := b.Context()
	var group affiliate.AdvertiserGroup
	err := db.Core().Write(ctx, func(ctx context.Context, tx affiliate.Tx) (err error) {
		group, err = tx.AdvertiserGroups().Add(ctx, sampleGroup("read"))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	sideBySide(b, func(int) error {
		return db.Core().Read(ctx, func(ctx context.Context, tx affiliate.Tx) error {
			_, err := tx.AdvertiserGroups().Get(ctx, group.ID)
			return err
		})
	}, func(int) error {
		return handle.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(ctx context.Context, tx bun.Tx) error {
			var row bareGroup
			return tx.NewSelect().Model(&row).Where("id = ?", group.ID).Scan(ctx)
		})
	})
}

func BenchmarkWriteOne(b *testing.B) {
	db, handle := openInPath(b)
	ctx := b.Context()
	sideBySide(b, func(i int) error {
		return db.Core().Write(ctx, func(ctx context.Context, tx affiliate.Tx) error {
			_, err := tx.AdvertiserGroups().Add(ctx, sampleGroup("ours "+strconv.Itoa(i)))
			return err
		})
	}, func(i int) error {
		return handle.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable}, func(ctx context.Context, tx bun.Tx) error {
			row := bareGroup{Name: "Sweden", Key: "bare " + strconv.Itoa(i), Currency: "SEK", PaymentLimit: 50_000, CreatedAt: noon}
			_, err := tx.NewInsert().Model(&row).Returning("id").Exec(ctx)
			return err
		})
	})
}

// batch is how many clicks a group commit holds at most.
const batch = 512

// BenchmarkRecordBatch records full batches with everything that belongs to
// them, against a transaction that inserts the same click and entry rows.
func BenchmarkRecordBatch(b *testing.B) {
	db, handle := openInPath(b)
	w := newWorld(b, db, 200, 20)
	ctx := b.Context()
	sideBySide(b, func(i int) error {
		return w.record(ctx, db, w.clicks(i, "ours"))
	}, func(i int) error {
		return insertBare(ctx, handle, w.clicks(i, "bare"))
	})
	b.ReportMetric(batch, "clicks/op")
}

// world is a few advertisers with links for users to record clicks on.
type world struct {
	advertisers []affiliate.Advertiser
	users       []affiliate.User
	links       []links.Link
}

func newWorld(tb testing.TB, db interface{ Links() links.Store }, users, advertisers int) world {
	tb.Helper()
	var w world
	err := db.Links().Write(tb.Context(), func(ctx context.Context, tx links.Tx) error {
		w = world{}
		for i := range advertisers {
			a, err := tx.Advertisers().Add(ctx, affiliate.Advertiser{
				Name: "Shop " + strconv.Itoa(i), Country: "SE", Currency: "SEK", Status: affiliate.AdvertiserActive,
				Provider: affiliate.ProviderDirect, TrackingTemplate: affiliate.DefaultTrackingTemplate,
			})
			if err != nil {
				return err
			}
			w.advertisers = append(w.advertisers, a)
		}
		for i := range users {
			u, err := tx.Users().Add(ctx, affiliate.User{Username: "user" + strconv.Itoa(i)})
			if err != nil {
				return err
			}
			w.users = append(w.users, u)
			l, _, err := tx.Links().AddOrGet(ctx, links.Link{
				UserID: u.ID, AdvertiserID: w.advertisers[i%advertisers].ID, Key: links.LinkKey{1},
				OriginalURL: "https://shop.example/", TargetURL: "https://shop.example/", Template: affiliate.DefaultTrackingTemplate,
			})
			if err != nil {
				return err
			}
			w.links = append(w.links, l)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// clicks are a batch of valid clicks, new for every i.
func (w world) clicks(i int, by string) []links.Click {
	out := make([]links.Click, batch)
	for n := range out {
		l := w.links[(i*batch+n)%len(w.links)]
		out[n] = links.Click{
			ID: uuid.Must(uuid.NewV7()), LinkID: l.ID, UserID: l.UserID, AdvertiserID: l.AdvertiserID,
			At: noon.Add(time.Duration(i*batch+n) * time.Millisecond), Source: affiliate.SourceInstagram,
			Verdict: links.VerdictValid, Earning: affiliate.NewMoney(120, "SEK"), Cost: affiliate.NewMoney(150, "SEK"),
			Terms: `{"cpc":120,"invoice_cpc":150,"cpa":"0.2","currency":"SEK"}`,
		}
		copy(out[n].Visitor[:], fmt.Sprintf("%s%012d", by, i*batch+n))
	}
	return out
}

// record does what recording a batch asks of a store.
func (w world) record(ctx context.Context, db interface{ Links() links.Store }, clicks []links.Click) error {
	return db.Links().Record(ctx, func(ctx context.Context, tx links.Tx) error {
		locked, users, advertisers := w.named(clicks)
		if _, err := tx.Links().Lock(ctx, locked); err != nil {
			return err
		}
		if _, err := tx.Users().GetMany(ctx, users); err != nil {
			return err
		}
		if _, err := tx.Advertisers().GetMany(ctx, advertisers); err != nil {
			return err
		}
		if _, err := tx.Blocklist().Naming(ctx, advertisers, users, nil, nil); err != nil {
			return err
		}
		visits := make([]links.Visit, len(clicks))
		for i, c := range clicks {
			visits[i] = links.Visit{LinkID: c.LinkID, Visitor: c.Visitor, Previous: c.Visitor}
		}
		if _, err := tx.Clicks().LastValid(ctx, visits, noon.Add(-time.Hour)); err != nil {
			return err
		}
		if err := tx.Clicks().Add(ctx, clicks...); err != nil {
			return err
		}
		entries, events := make([]affiliate.Entry, len(clicks)), make([]stats.Fact, len(clicks))
		for i, c := range clicks {
			entries[i] = entryOf(c)
			events[i] = stats.Fact{
				Kind: stats.ClickValid, Day: links.DayOf(c.At), AdvertiserID: c.AdvertiserID, UserID: c.UserID, LinkID: c.LinkID,
				Source: c.Source, Earning: c.Earning, Cost: c.Cost,
			}
		}
		if _, err := tx.Ledger().Append(ctx, entries...); err != nil {
			return err
		}
		return stats.Record(ctx, tx, events...)
	})
}

func entryOf(c links.Click) affiliate.Entry {
	return affiliate.Entry{
		Kind: affiliate.EntryClick, Account: affiliate.UserAccount(c.UserID), AdvertiserID: c.AdvertiserID,
		Earning: c.Earning, Cost: c.Cost, OccurredAt: c.At, PayableAt: c.At.AddDate(0, 1, 0), Cause: c.Cause(), Terms: c.Terms,
	}
}

// named are the links, users and advertisers of the clicks, each once.
func (w world) named(clicks []links.Click) (linkIDs, userIDs, advertiserIDs []int64) {
	for _, c := range clicks {
		linkIDs, userIDs, advertiserIDs = append(linkIDs, c.LinkID), append(userIDs, c.UserID), append(advertiserIDs, c.AdvertiserID)
	}
	return idset.Sorted(linkIDs), idset.Sorted(userIDs), idset.Sorted(advertiserIDs)
}

// insertBare is the floor: the rows of the clicks and their entries, by two
// statements in a transaction, with nothing checked and nothing added up.
func insertBare(ctx context.Context, db *bun.DB, clicks []links.Click) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		n := len(clicks)
		ids, causes, accounts, terms, currencies := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		linkIDs, userIDs, advertiserIDs, earnings, costs := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
		visitors, ats, payable := make([][]byte, n), make([]time.Time, n), make([]time.Time, n)
		for i, c := range clicks {
			ids[i], causes[i], accounts[i], terms[i], currencies[i] = c.ID.String(), c.Cause(), string(affiliate.UserAccount(c.UserID)), c.Terms, "SEK"
			linkIDs[i], userIDs[i], advertiserIDs[i], earnings[i], costs[i] = c.LinkID, c.UserID, c.AdvertiserID, c.Earning.Minor(), c.Cost.Minor()
			visitors[i], ats[i], payable[i] = c.Visitor[:], c.At, c.At.AddDate(0, 1, 0)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO affiliate_clicks
			(id, link_id, user_id, advertiser_id, at, source, visitor, verdict, reason, currency, earning, cost, terms)
			SELECT id, l, u, a, at, 1, v, 'valid', '', c, e, k, t
			FROM unnest(?::uuid[], ?::bigint[], ?::bigint[], ?::bigint[], ?::timestamptz[], ?::bytea[], ?::text[], ?::bigint[], ?::bigint[], ?::text[])
			AS r (id, l, u, a, at, v, c, e, k, t)`,
			pgdialect.Array(ids), pgdialect.Array(linkIDs), pgdialect.Array(userIDs), pgdialect.Array(advertiserIDs), pgdialect.Array(ats),
			pgdialect.Array(visitors), pgdialect.Array(currencies), pgdialect.Array(earnings), pgdialect.Array(costs), pgdialect.Array(terms))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO affiliate_entries
			(kind, account, advertiser_id, currency, earning, cost, occurred_at, payable_at, cause, terms)
			SELECT 'click', account, a, c, e, k, at, payable, cause, t
			FROM unnest(?::text[], ?::bigint[], ?::text[], ?::bigint[], ?::bigint[], ?::timestamptz[], ?::timestamptz[], ?::text[], ?::text[])
			AS r (account, a, c, e, k, at, payable, cause, t)`,
			pgdialect.Array(accounts), pgdialect.Array(advertiserIDs), pgdialect.Array(currencies), pgdialect.Array(earnings), pgdialect.Array(costs),
			pgdialect.Array(ats), pgdialect.Array(payable), pgdialect.Array(causes), pgdialect.Array(terms))
		return err
	})
}

// BenchmarkRecordByMonth records full batches into one of two years of
// partitions, against the same in a table without partitions.
func BenchmarkRecordByMonth(b *testing.B) {
	ctx := b.Context()
	plain, _ := openInPath(b)
	parted, handle := openInPath(b)
	if err := postgres.PartitionClicks(ctx, handle, postgres.Options{}, nil); err != nil {
		b.Fatal(err)
	}
	for ahead := range 21 {
		if err := parted.Links().(links.ClickParts).DropClicks(ctx, uuid.Nil, firstOfMonth(ahead)); err != nil {
			b.Fatal(err)
		}
	}
	now := firstOfMonth(20).AddDate(0, 0, 10)
	clicksOf := func(w world, i int) []links.Click {
		clicks := w.clicks(i, "month")
		for n := range clicks {
			clicks[n].At = now.Add(time.Duration(i*batch+n) * time.Millisecond)
			clicks[n].ID = idOf(clicks[n].At, n)
		}
		return clicks
	}
	one, two := newWorld(b, parted, 200, 20), newWorld(b, plain, 200, 20)
	sideBySide(b, func(i int) error { return one.record(ctx, parted, clicksOf(one, i)) }, func(i int) error { return two.record(ctx, plain, clicksOf(two, i)) })
}
