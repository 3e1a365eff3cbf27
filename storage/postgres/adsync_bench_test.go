package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// syncFloor is a queue and an inventory without what the engine promises: no
// order per record, no parents, no versions, no events and no isolation.
func syncFloor(b *testing.B, handle *bun.DB) {
	b.Helper()
	_, err := handle.ExecContext(b.Context(), `
		CREATE TABLE floor_jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, record_id uuid, state text NOT NULL DEFAULT 'queued', due_at timestamptz NOT NULL DEFAULT now());
		CREATE INDEX ON floor_jobs (due_at, id) WHERE state = 'queued';
		CREATE TABLE floor_items (account_id text, reference_id text, id uuid PRIMARY KEY, title text, link text, updated_at timestamptz, UNIQUE (account_id, reference_id))`)
	is.New(b).NoErr(err)
}

// BenchmarkSyncJobs queues, leases and settles jobs by the batch. The floor,
// measured in the same run, is one INSERT, one UPDATE … SKIP LOCKED and one
// DELETE of as many rows. vs-floor is jobs a second of the one over those of the
// other.
func BenchmarkSyncJobs(b *testing.B) {
	const batch = 100
	is := is.New(b)
	db, handle := openInPath(b)
	syncFloor(b, handle)
	service, err := adsync.NewService(db.AdSync(), adsync.Options{})
	is.NoErr(err)
	_, err = service.RegisterAccount(b.Context(), adsync.AccountInput{ID: "acme", Name: "Acme"})
	is.NoErr(err)
	_, err = service.ForAccount("acme").ConnectAdAccount(b.Context(), adsync.AdAccountInput{ID: "act_1", Name: "Social"})
	is.NoErr(err)

	ours := func() error {
		jobs := make([]adsync.Job, batch)
		for i := range jobs {
			jobs[i] = adsync.Job{AccountID: "acme", AdAccountID: "act_1", Kind: adsync.KindCampaign, RecordID: uuid.Must(uuid.NewV7())}
		}
		now := time.Now()
		if err := db.AdSync().Write(b.Context(), func(ctx context.Context, tx adsync.Tx) error { return tx.SyncJobs().Enqueue(ctx, now, jobs...) }); err != nil {
			return err
		}
		token := uuid.NewString()
		var leased []adsync.Job
		if err := db.AdSync().Work(b.Context(), func(ctx context.Context, tx adsync.Tx) (err error) {
			leased, err = tx.SyncJobs().Lease(ctx, adsync.Lease{Token: token, Now: now, Until: now.Add(time.Minute), Limit: batch})
			return err
		}); err != nil {
			return err
		}
		outcomes := make([]adsync.Outcome, len(leased))
		for i, j := range leased {
			outcomes[i] = adsync.Outcome{JobID: j.ID, Token: token, Version: j.Version}
		}
		return db.AdSync().Work(b.Context(), func(ctx context.Context, tx adsync.Tx) error {
			n, err := tx.SyncJobs().Settle(ctx, now, outcomes...)
			if err == nil && n != batch {
				err = fmt.Errorf("settled %d of %d", n, batch)
			}
			return err
		})
	}
	floor := func() error {
		if _, err := handle.ExecContext(b.Context(), `INSERT INTO floor_jobs (record_id) SELECT gen_random_uuid() FROM generate_series(1, ?)`, batch); err != nil {
			return err
		}
		var taken []int64
		if err := handle.NewRaw(`UPDATE floor_jobs SET state = 'leased' WHERE id IN
			(SELECT id FROM floor_jobs WHERE state = 'queued' ORDER BY due_at, id LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING id`, batch).Scan(b.Context(), &taken); err != nil {
			return err
		}
		_, err := handle.NewRaw(`DELETE FROM floor_jobs WHERE id IN (?)`, bun.List(taken)).Exec(b.Context())
		return err
	}
	inTurns(b, batch, "jobs", ours, floor)
}

// titledItem is an item of the benchmarks.
func titledItem(n int, title string) adsync.ItemInput {
	return adsync.ItemInput{
		ReferenceID: adsync.Sent(fmt.Sprint("r", n)), AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), ContentLanguage: adsync.Sent("pt-br"),
		Title: adsync.Sent(title), Link: adsync.Sent("https://shop.example/"),
	}
}

// acmeSync is a service for the sync account acme.
func acmeSync(b *testing.B) (*adsync.Service, *bun.DB) {
	b.Helper()
	is := is.New(b)
	db, handle := openInPath(b)
	syncFloor(b, handle)
	operator, err := adsync.NewService(db.AdSync(), adsync.Options{})
	is.NoErr(err)
	_, err = operator.RegisterAccount(b.Context(), adsync.AccountInput{ID: "acme", Name: "Acme", FingerprintKey: [32]byte{7}})
	is.NoErr(err)
	return operator.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleSync, Subject: "acme"})), handle
}

const (
	floorUpsert = `INSERT INTO floor_items VALUES ('acme', ?, gen_random_uuid(), ?, 'https://shop.example/', now())`
	floorUpdate = ` ON CONFLICT (account_id, reference_id) DO UPDATE SET title = excluded.title, link = excluded.link, updated_at = excluded.updated_at`
)

// BenchmarkSyncFeed saves the items of a feed that are there, five hundred in a
// unit: with their look-up and their events. The floor of "statement" is one
// INSERT … ON CONFLICT DO UPDATE of as many rows, that of "transaction" is one
// transaction with such a statement for each row.
func BenchmarkSyncFeed(b *testing.B) {
	const items = 500
	for _, in := range []string{"statement", "transaction"} {
		b.Run(in, func(b *testing.B) {
			service, handle := acmeSync(b)
			round := 0
			ours := func() error {
				round++
				inputs := make([]adsync.ItemInput, items)
				for n := range inputs {
					inputs[n] = titledItem(n, fmt.Sprint("Title ", round))
				}
				results, err := service.SaveItems(b.Context(), inputs)
				for _, r := range results {
					err = errors.Join(err, r.Err)
				}
				return err
			}
			floor := func() error {
				return handle.RunInTx(b.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
					for n := range items {
						if _, err := tx.ExecContext(ctx, floorUpsert+floorUpdate, fmt.Sprint("r", n), fmt.Sprint("Title ", round)); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if in == "statement" {
				floor = func() error {
					references, titles := make([]string, items), make([]string, items)
					for n := range items {
						references[n], titles[n] = fmt.Sprint("r", n), fmt.Sprint("Title ", round)
					}
					_, err := handle.ExecContext(b.Context(), `INSERT INTO floor_items SELECT 'acme', r, gen_random_uuid(), t, 'https://shop.example/', now()
						FROM unnest(?::text[], ?::text[]) AS f (r, t)`+floorUpdate, pgdialect.Array(references), pgdialect.Array(titles))
					return err
				}
			}
			inTurns(b, items, "items", ours, floor)
		})
	}
}

// BenchmarkSyncItems saves items that are there, each in a unit of its own: the
// item is found by its reference id and its event is written. The floor is one
// INSERT … ON CONFLICT DO UPDATE an item. Eight callers at once share units, so
// that vs-floor is what is left of the nine round trips of one: two begin and end
// it, four look up, three write.
func BenchmarkSyncItems(b *testing.B) {
	const items, callers = 200, 8
	service, handle := acmeSync(b)
	round := 0
	all := func(save func(i int) error) error {
		errs := make(chan error, callers)
		var wg sync.WaitGroup
		for caller := range callers {
			wg.Go(func() {
				for i := caller; i < items; i += callers {
					if err := save(i); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		return <-errs
	}
	ours := func() error {
		round++
		return all(func(i int) error {
			_, _, err := service.SaveItem(b.Context(), titledItem(i, fmt.Sprint("Title ", round)))
			return err
		})
	}
	floor := func() error {
		return all(func(i int) error {
			_, err := handle.ExecContext(b.Context(), floorUpsert+floorUpdate, fmt.Sprint("r", i), fmt.Sprint("Title ", round))
			return err
		})
	}
	inTurns(b, items, "items", ours, floor)
}

// inTurns measures what we do and its floor one after the other, so that both see
// the same machine.
func inTurns(b *testing.B, each int, unit string, ours, floor func() error) {
	b.Helper()
	is := is.New(b)
	is.NoErr(ours()) // statements are prepared then
	is.NoErr(floor())
	var took, least time.Duration
	for b.Loop() {
		start := time.Now()
		is.NoErr(ours())
		middle := time.Now()
		is.NoErr(floor())
		took, least = took+middle.Sub(start), least+time.Since(middle)
	}
	b.ReportMetric(float64(b.N*each)/took.Seconds(), unit+"/s")
	b.ReportMetric(float64(b.N*each)/least.Seconds(), "floor-"+unit+"/s")
	b.ReportMetric(least.Seconds()/took.Seconds(), "vs-floor")
}
