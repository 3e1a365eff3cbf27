package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestClicksByMonthKeepThePromisesOfClicks(t *testing.T) {
	t.Parallel()
	storagetest.RunLinks(t, func(t *testing.T) storagetest.Backend {
		db, handle := openInPath(t)
		if err := postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil); err != nil {
			t.Fatal(err)
		}
		return backendOf(db)
	})
}

// idOf is an id of a click at a time.
func idOf(at time.Time, n int) uuid.UUID {
	ms := at.UnixMilli()
	return uuid.UUID{byte(ms >> 40), byte(ms >> 32), byte(ms >> 24), byte(ms >> 16), byte(ms >> 8), byte(ms), 0x70, 0, 0x80, 14: byte(n >> 8), 15: byte(n)}
}

func firstOfMonth(ahead int) time.Time {
	y, m, _ := time.Now().UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).AddDate(0, ahead, 0)
}

// clicksAt are n clicks of a world at a time.
func clicksAt(w world, at time.Time, n int) []links.Click {
	clicks := w.clicks(0, "part")[:1:1]
	for len(clicks) < n {
		clicks = append(clicks, clicks[0])
	}
	for i := range clicks {
		clicks[i].ID, clicks[i].At = idOf(at, i), at
		clicks[i].Visitor = links.VisitorKey{byte(i), 1}
	}
	return clicks
}

func addClicks(ctx context.Context, db *postgres.DB, clicks []links.Click) error {
	return db.Links().Write(ctx, func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, clicks...) })
}

func kept(t *testing.T, db *postgres.DB) (ids []uuid.UUID) {
	t.Helper()
	is.New(t).NoErr(db.Links().Read(t.Context(), func(ctx context.Context, tx links.Tx) error {
		list, err := tx.Clicks().Scan(ctx, uuid.Nil, 1000)
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		return err
	}))
	return ids
}

// partitionsOf are the partitions with how many clicks each has.
func partitionsOf(t *testing.T, handle *bun.DB) map[string]int {
	t.Helper()
	var names []string
	is.New(t).NoErr(handle.NewRaw(`SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'affiliate_clicks'::regclass`).Scan(t.Context(), &names))
	out := map[string]int{}
	for _, name := range names {
		var n int
		is.New(t).NoErr(handle.NewRaw(`SELECT count(*) FROM ?`, bun.Ident(name)).Scan(t.Context(), &n))
		out[name] = n
	}
	return out
}

func TestATableOfClicksBecomesPartitionsBesideItsWriters(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 3, 2)
	is.NoErr(addClicks(t.Context(), db, clicksAt(w, firstOfMonth(-2), 20)))
	before := kept(t, db)

	var written atomic.Int64
	stop, writer := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				writer <- nil
				return
			default:
			}
			clicks := clicksAt(w, time.Now(), 1)
			clicks[0].ID[10], clicks[0].ID[11] = byte(i>>8), byte(i)
			if err := addClicks(context.Background(), db, clicks); err != nil {
				writer <- err
				return
			}
			written.Add(1)
		}
	}()
	for stopAt := postgres.PartitionBound; ; { // stopped at each step, and called again
		ctx, cancel := context.WithCancel(t.Context())
		err := postgres.PartitionClicks(ctx, handle, postgres.Options{}, func(p postgres.PartitionProgress) {
			if p == stopAt {
				cancel()
			}
		})
		cancel()
		if err == nil {
			break
		}
		steps := []postgres.PartitionProgress{postgres.PartitionBound, postgres.PartitionMeasure, postgres.PartitionValidate, postgres.PartitionSwap, postgres.PartitionMonths, "never"}
		stopAt = steps[slices.Index(steps, stopAt)+1]
	}
	is.NoErr(postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil)) // again changes nothing
	close(stop)
	is.NoErr(<-writer)
	is.True(written.Load() > 0)
	is.Equal(len(kept(t, db)), len(before)+int(written.Load()))
	have := partitionsOf(t, handle)
	is.Equal(have["affiliate_clicks_history"], len(before)+int(written.Load()))
	for ahead := 2; ahead <= 3; ahead++ {
		_, ok := have["affiliate_clicks_"+firstOfMonth(ahead).Format("200601")]
		is.True(ok)
	}
	// An id is unique over all partitions, and what is wrong names its field.
	err := addClicks(t.Context(), db, []links.Click{clicksAt(w, firstOfMonth(-2), 1)[0]})
	e := new(affiliate.Error)
	is.True(errors.As(err, &e) && len(e.Fields) == 1 && e.Fields[0].Field == "id")
	future := clicksAt(w, firstOfMonth(2).AddDate(0, 0, 3), 2)
	is.NoErr(addClicks(t.Context(), db, future))
	is.Equal(partitionsOf(t, handle)["affiliate_clicks_"+firstOfMonth(2).Format("200601")], 2)
	err = addClicks(t.Context(), db, future[1:])
	is.True(errors.As(err, &e) && len(e.Fields) == 1 && e.Fields[0].Field == "id")
}

func TestAMonthGoesAtOnceAndNobodyWaitsForIt(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 3, 2)
	is.NoErr(postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil))
	old, last, young := clicksAt(w, firstOfMonth(2), 5), clicksAt(w, firstOfMonth(3).Add(-time.Minute), 5), clicksAt(w, firstOfMonth(3), 5)
	for _, clicks := range [][]links.Click{old, last, young} {
		is.NoErr(addClicks(t.Context(), db, clicks))
	}
	month := "affiliate_clicks_" + firstOfMonth(2).Format("200601")
	is.Equal(partitionsOf(t, handle)[month], 10)
	parts := db.Links().(links.ClickParts)
	byMonth, err := parts.ClicksByMonth(t.Context())
	is.NoErr(err)
	is.True(byMonth)
	now := firstOfMonth(5)

	is.NoErr(parts.DropClicks(t.Context(), last[3].ID, now)) // one click of the month is not given up
	is.Equal(partitionsOf(t, handle)[month], 10)
	is.NoErr(parts.DropClicks(t.Context(), last[4].ID, firstOfMonth(2).AddDate(0, 0, 9))) // the month goes on
	is.Equal(partitionsOf(t, handle)[month], 10)

	// A long reader: the month stays, and writers go on meanwhile.
	reader, err := handle.BeginTx(t.Context(), nil)
	is.NoErr(err)
	_, err = reader.ExecContext(t.Context(), `SELECT count(*) FROM affiliate_clicks`)
	is.NoErr(err)
	dropped := make(chan error, 1)
	go func() { dropped <- parts.DropClicks(context.Background(), last[4].ID, now) }()
	for i, waiting := 0, true; waiting; i++ {
		select {
		case err := <-dropped:
			is.NoErr(err)
			waiting = false
		default:
			clicks := clicksAt(w, now, 1)
			clicks[0].ID[10], clicks[0].ID[11] = byte(i>>8), byte(i)
			is.NoErr(addClicks(t.Context(), db, clicks))
		}
	}
	is.Equal(partitionsOf(t, handle)[month], 10)
	is.NoErr(reader.Rollback())
	is.NoErr(parts.DropClicks(t.Context(), last[4].ID, now))
	_, there := partitionsOf(t, handle)[month]
	is.True(!there)
	for _, c := range young {
		is.True(slices.Contains(kept(t, db), c.ID))
	}
	_, ahead := partitionsOf(t, handle)["affiliate_clicks_"+firstOfMonth(8).Format("200601")]
	is.True(ahead) // months to come are made
}

func TestNobodyWaitsForAMonthThatIsVacuumed(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 3, 2)
	is.NoErr(postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil))
	old, young := clicksAt(w, firstOfMonth(2), 5), clicksAt(w, firstOfMonth(3), 5)
	is.NoErr(addClicks(t.Context(), db, old))
	is.NoErr(addClicks(t.Context(), db, young))
	parts, now := db.Links().(links.ClickParts), firstOfMonth(5)
	// Nothing else is left to drop, and the months to come are made.
	is.NoErr(parts.DropClicks(t.Context(), idOf(firstOfMonth(2).Add(-time.Hour), 0), now))
	month := "affiliate_clicks_" + firstOfMonth(2).Format("200601")

	vacuum, err := handle.BeginTx(t.Context(), nil)
	is.NoErr(err)
	_, err = vacuum.ExecContext(t.Context(), `LOCK TABLE ? IN SHARE UPDATE EXCLUSIVE MODE`, bun.Ident(month))
	is.NoErr(err)
	dropped := make(chan error, 1)
	go func() { dropped <- parts.DropClicks(context.Background(), old[4].ID, now) }()
	for waiting := true; waiting; {
		select {
		case err := <-dropped:
			is.NoErr(err)
			waiting = false
		default:
			is.NoErr(handle.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
				if _, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = '30ms'`); err != nil {
					return err
				}
				_, err := tx.ExecContext(ctx, `UPDATE affiliate_clicks SET reason = '' WHERE id = ?`, young[0].ID)
				return err
			}))
		}
	}
	is.Equal(partitionsOf(t, handle)[month], 5) // it stays until the vacuum is done
	is.NoErr(vacuum.Rollback())
	is.NoErr(parts.DropClicks(t.Context(), old[4].ID, now))
	_, there := partitionsOf(t, handle)[month]
	is.True(!there)
}

func TestAListOfATimeReadsTheMonthsOfThatTime(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 3, 2)
	is.NoErr(postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil))
	from := firstOfMonth(3).AddDate(0, 0, 1)
	until := from.AddDate(0, 0, 2)
	// Ids are made a moment after the time of the click, or before it.
	early, late := clicksAt(w, from, 2)[0], clicksAt(w, until.Add(-time.Millisecond), 2)[1]
	early.ID, late.ID = idOf(from.Add(-time.Minute), 0), idOf(until.Add(time.Minute), 1)
	is.NoErr(addClicks(t.Context(), db, append(clicksAt(w, firstOfMonth(2), 5), early, late)))

	noted := &texts{table: "affiliate_clicks"}
	watched, err := postgres.New(handle.WithQueryHook(noted), postgres.Options{})
	is.NoErr(err)
	is.NoErr(watched.Links().Read(t.Context(), func(ctx context.Context, tx links.Tx) error {
		page, err := tx.Clicks().List(ctx, links.ClickFilter{From: from, Until: until}, affiliate.PageRequest{Number: 1, Size: 10})
		is.Equal(page.Total, 2)
		is.Equal(len(page.Items), 2)
		return err
	}))
	lists := 0
	for _, statement := range noted.list {
		if strings.Contains(statement, "pg_class") {
			continue
		}
		lists++
		plan := planOf(t, handle, statement)
		if month := from.Format("200601"); !strings.Contains(plan, "affiliate_clicks_"+month) || regexp.MustCompile(`affiliate_clicks_(history|2\d+)`).FindString(strings.ReplaceAll(plan, month, "")) != "" {
			t.Errorf("%s\nreads other months too:\n%s", statement, plan)
		}
	}
	is.Equal(lists, 2) // the count and the page
}

func TestClicksFromBeforeTheMonthsAreFoundByTheirTime(t *testing.T) {
	t.Parallel()
	for name, ids := range map[string]time.Time{"of ids made later": firstOfMonth(-1).AddDate(0, 0, 20), "of ids made before": firstOfMonth(-3)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			db, handle := openInPath(t)
			w := newWorld(t, db, 3, 2)
			old := clicksAt(w, firstOfMonth(-1), 1)
			old[0].ID, old[0].Verdict = idOf(ids, 0), links.VerdictValid
			is.NoErr(addClicks(t.Context(), db, old))
			// As in a database from before the distance was noted.
			_, err := handle.ExecContext(t.Context(), `UPDATE affiliate_click_skew SET ahead = 3600000, behind = 3600000`)
			is.NoErr(err)
			is.NoErr(postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil))
			find := func(ctx context.Context, tx links.Tx) error {
				page, err := tx.Clicks().List(ctx, links.ClickFilter{From: old[0].At, Until: old[0].At.Add(time.Second)}, affiliate.PageRequest{})
				is.NoErr(err)
				is.Equal(page.Total, 1)
				last, err := tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: old[0].LinkID, Visitor: old[0].Visitor}}, old[0].At.Add(-time.Second))
				is.NoErr(err)
				is.Equal(last[0].ClickID, old[0].ID)
				return nil
			}
			is.NoErr(db.Links().Read(t.Context(), find))

			// As in one whose clicks were by month already.
			for _, statement := range []string{`DROP TABLE affiliate_click_skew`, `DELETE FROM affiliate_migrations WHERE name = '0029_click_skew.sql'`} {
				_, err := handle.ExecContext(t.Context(), statement)
				is.NoErr(err)
			}
			is.NoErr(postgres.Migrate(t.Context(), handle, postgres.Options{}))
			is.NoErr(db.Links().Read(t.Context(), find))
		})
	}
}

// Another session holds the row of the distance, as one that adds an old click does.
func TestOnlyClicksOfAnotherTimeWaitForEachOther(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 3, 2)
	is.NoErr(postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil))
	clicks := clicksAt(w, firstOfMonth(0), 2)
	old := clicks[1]
	old.ID = idOf(firstOfMonth(-2), 9)

	holder, err := handle.BeginTx(t.Context(), nil)
	is.NoErr(err)
	far := (300 * 24 * time.Hour).Milliseconds()
	_, err = holder.ExecContext(t.Context(), `UPDATE affiliate_click_skew SET ahead = ?`, far)
	is.NoErr(err)
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	is.NoErr(addClicks(soon, db, clicks[:1])) // it waits for nobody
	added := make(chan error, 1)
	go func() { added <- addClicks(context.Background(), db, []links.Click{old}) }()
	for waits := false; !waits; {
		is.NoErr(handle.NewRaw(`SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
			WHERE NOT l.granted AND a.datname = current_database() AND a.query LIKE 'UPDATE%affiliate_click_skew%')`).Scan(t.Context(), &waits))
	}
	is.NoErr(holder.Commit())
	is.NoErr(<-added)
	var ahead, behind int64
	is.NoErr(handle.NewRaw(`SELECT ahead, behind FROM affiliate_click_skew`).Scan(t.Context(), &ahead, &behind))
	is.Equal(ahead, far) // both are noted
	is.True(behind > (58 * 24 * time.Hour).Milliseconds())
}

func TestLastVisitsAreFoundInPartitions(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	db, handle := openInPath(t)
	w := newWorld(t, db, 3, 2)
	is.NoErr(postgres.PartitionClicks(t.Context(), handle, postgres.Options{}, nil))
	end := firstOfMonth(3)
	clicks := append(clicksAt(w, end.Add(-time.Hour), 1), clicksAt(w, end.Add(time.Hour), 2)[1])
	for i := range clicks {
		clicks[i].Verdict = links.VerdictValid
	}
	is.NoErr(addClicks(t.Context(), db, clicks))
	is.NoErr(db.Links().Read(t.Context(), func(ctx context.Context, tx links.Tx) error {
		visits := []links.Visit{{LinkID: clicks[0].LinkID, Visitor: clicks[0].Visitor}, {LinkID: clicks[1].LinkID, Previous: clicks[1].Visitor}}
		last, err := tx.Clicks().LastValid(ctx, visits, end.Add(-2*time.Hour))
		is.Equal(fmt.Sprint(last[0].ClickID, last[1].ClickID), fmt.Sprint(clicks[0].ID, clicks[1].ID))
		return err
	}))

	// Months before are not looked at.
	noted := &texts{table: "affiliate_click_skew"}
	watched, err := postgres.New(handle.WithQueryHook(noted), postgres.Options{})
	is.NoErr(err)
	is.NoErr(watched.Links().Read(t.Context(), func(ctx context.Context, tx links.Tx) error {
		_, err := tx.Clicks().LastValid(ctx, []links.Visit{{LinkID: clicks[0].LinkID, Visitor: clicks[0].Visitor}}, end.Add(2*time.Hour))
		return err
	}))
	is.Equal(len(noted.list), 1)
	statement := strings.NewReplacer(
		"?0", "'"+end.Add(2*time.Hour).Format(time.RFC3339)+"'::timestamptz", "?1", fmt.Sprintf("'{%d}'", clicks[0].LinkID),
		"?2", `'{"\\x01"}'`, "?3", `'{"\\x02"}'`, "?4", strconv.FormatInt(end.Add(2*time.Hour).UnixMilli(), 10),
	).Replace(noted.list[0])
	var plan []string
	is.NoErr(handle.NewRaw("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "+strings.ReplaceAll(statement, "?", "??")).Scan(t.Context(), &plan))
	for _, line := range plan {
		if month := regexp.MustCompile(`on (affiliate_clicks_\w+) `).FindStringSubmatch(line); month != nil && month[1] != "affiliate_clicks_default" &&
			(month[1] == "affiliate_clicks_"+end.Format("200601")) == strings.Contains(line, "never executed") {
			t.Errorf("%s: %s", month[1], line)
		}
	}
	is.True(strings.Contains(strings.Join(plan, "\n"), "never executed"))
}
