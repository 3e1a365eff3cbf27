package postgres

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/links"
)

// Clicks by month: affiliate_clicks is partitioned by ranges of its key. The key
// is a UUID of version 7, which begins with the time, so that a month is a range
// of ids: an id decides its partition, is unique over all of them, and finds its
// row in one.

const (
	clicksHistory  = "affiliate_clicks_history" // all clicks from before there were partitions
	clicksDefault  = "affiliate_clicks_default" // what no month takes
	clicksCheck    = "affiliate_clicks_before_check"
	maxIDMilli     = 1<<48 - 1
	monthsAhead    = 3
	minHistory     = 14 * 24 * time.Hour // how long a migration may take at least
	lockWait       = 50 * time.Millisecond
	lockAttempts   = 20
	checkViolation = "23514"
)

// PartitionProgress says what PartitionClicks does next.
type PartitionProgress string

// The steps of PartitionClicks, in their order.
const (
	PartitionBound    PartitionProgress = "bound"    // noting where the history ends
	PartitionMeasure  PartitionProgress = "measure"  // reading the whole table once, for how exact the times in the ids are
	PartitionValidate PartitionProgress = "validate" // reading it again, for ids behind the end of the history
	PartitionSwap     PartitionProgress = "swap"     // the table becomes the first partition of a new one
	PartitionMonths   PartitionProgress = "months"   // tables for the coming months
)

// PartitionClicks keeps clicks by month from now on, in one partition each, so
// that package links/retention removes a month at once instead of row by row.
// It is for PostgreSQL itself, whose engine moves no row for it: the table as it
// is becomes the partition of all clicks until next month. Call it after
// Migrate; on a new database it takes a moment, on a large one it reads the
// table twice, beside the writers. progress may be nil.
//
// It waits for no lock longer than 50 ms, so that nobody waits longer behind it,
// and tries again. It may be stopped at any time and called again, by several
// processes too, and changes nothing when all is done. When it was stopped, call
// it again within two weeks: the table then refuses clicks behind the end of its
// history.
//
// Ids of clicks should be UUIDs of version 7, as by default, of the clock's time.
// Clicks that no month takes are kept in a partition of their own. A click whose
// time and whose id lie further apart than an hour, as when a host adds old clicks
// under new ids, is found all the same: from then on what is asked of a time reads
// the months around it too, as far as the widest such distance.
func PartitionClicks(ctx context.Context, db *bun.DB, o Options, progress func(PartitionProgress)) error {
	if err := o.validate(); err != nil {
		return err
	}
	if progress == nil {
		progress = func(PartitionProgress) {}
	}
	p := partitions{db, o.Schema, time.Now().UTC()}
	err := p.run(ctx, progress)
	if err != nil && ctx.Err() != nil {
		return connectionError(ctx, err)
	}
	if err != nil {
		return fmt.Errorf("postgres: partition clicks: %w", err)
	}
	return nil
}

// partitions works on the partitions of clicks in a schema.
type partitions struct {
	db     bun.IDB
	schema string
	now    time.Time
}

func (p partitions) run(ctx context.Context, progress func(PartitionProgress)) error {
	done, err := p.partitioned(ctx)
	if err != nil {
		return err
	}
	if !done {
		progress(PartitionBound)
		bound, err := p.bound(ctx)
		if err != nil {
			return err
		}
		progress(PartitionMeasure)
		if err := p.tx(ctx, 0, measureSkew); err != nil {
			return err
		}
		progress(PartitionValidate)
		// It keeps nobody from writing.
		if err := p.tx(ctx, 0, func(ctx context.Context, tx bun.Tx) error {
			return run(ctx, tx, "ALTER TABLE affiliate_clicks VALIDATE CONSTRAINT "+clicksCheck)
		}); err != nil {
			return err
		}
		progress(PartitionSwap)
		if err := p.patiently(ctx, func(ctx context.Context, tx bun.Tx) error { return swap(ctx, tx, bound) }); err != nil {
			return err
		}
	}
	progress(PartitionMonths)
	return p.addMonths(ctx)
}

// partitioned reports whether clicks are kept by month.
func (p partitions) partitioned(ctx context.Context) (done bool, err error) {
	err = p.tx(ctx, 0, func(ctx context.Context, tx bun.Tx) error {
		return tx.NewRaw(`SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('affiliate_clicks')`).Scan(ctx, &done)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = errors.New("there is no table affiliate_clicks: call Migrate first")
	}
	return done, err
}

// tx runs statements that find the tables by their names, and that wait for no
// lock longer than wait; 0: as long as it takes.
func (p partitions) tx(ctx context.Context, wait time.Duration, fn func(ctx context.Context, tx bun.Tx) error) error {
	return p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if p.schema != "" {
			if _, err := tx.ExecContext(ctx, `SET LOCAL search_path TO ?`, bun.Ident(p.schema)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = ?`, wait.Milliseconds()); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

var errBusy = errors.New("the table of clicks is busy: somebody holds a lock on it for long, as a backup does")

// patiently runs a short transaction again while it does not get its locks. Its
// commit does not wait for the disk, with writers behind its locks: what a crash
// takes back is done by the next call, and no later commit is kept without it.
func (p partitions) patiently(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	for attempt := range lockAttempts {
		err := p.tx(ctx, lockWait, func(ctx context.Context, tx bun.Tx) error {
			if err := run(ctx, tx, "SET LOCAL synchronous_commit = off"); err != nil {
				return err
			}
			return fn(ctx, tx)
		})
		if e, ok := serverErrorIn(err); !ok || e.state != stateLockTimeout && e.state != stateDeadlock {
			return err
		}
		// Those who queued behind this one go first.
		pause := time.NewTimer(time.Duration(5+rand.IntN(5+5*attempt)) * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
	return errBusy
}

func run(ctx context.Context, tx bun.Tx, statements ...string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func monthOf(t time.Time) time.Time {
	y, m, _ := t.UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// idAt is what the ids of clicks at that time, and later, are not less than.
func idAt(t time.Time) uuid.UUID { return idAtMilli(t.UnixMilli()) }

// idAtMilli is idAt for the time that an id has: 48 bits of milliseconds.
func idAtMilli(ms int64) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(min(max(ms, 0), maxIDMilli))<<16)
	return id
}

var idPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// bound notes where the history ends, unless it was noted, and returns it.
func (p partitions) bound(ctx context.Context) (string, error) {
	end := monthOf(p.now).AddDate(0, 1, 0)
	if end.Sub(p.now) < minHistory {
		end = end.AddDate(0, 1, 0)
	}
	bound := idAt(end).String()
	err := p.patiently(ctx, func(ctx context.Context, tx bun.Tx) error {
		var noted []string
		err := tx.NewRaw(`SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'affiliate_clicks'::regclass AND conname = ?`, clicksCheck).Scan(ctx, &noted)
		if err != nil {
			return err
		}
		if len(noted) == 1 {
			bound = idPattern.FindString(noted[0])
			return nil
		}
		return run(ctx, tx, "ALTER TABLE affiliate_clicks ADD CONSTRAINT "+clicksCheck+" CHECK (id < '"+bound+"'::uuid) NOT VALID")
	})
	return bound, err
}

// swap makes the table the first partition of a new one, which has its name, its
// constraints and its indexes. Since the end of the history is checked already,
// nothing is read.
func swap(ctx context.Context, tx bun.Tx, bound string) error {
	var indexes []struct {
		Name string `bun:"name"`
		Def  string `bun:"def"`
	}
	err := tx.NewRaw(`SELECT c.relname AS name, CASE WHEN i.indisprimary THEN '' ELSE pg_get_indexdef(i.indexrelid) END AS def
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = 'affiliate_clicks'::regclass ORDER BY c.relname`).Scan(ctx, &indexes)
	if err != nil {
		return err
	}
	statements := []string{"ALTER TABLE affiliate_clicks RENAME TO " + clicksHistory}
	for _, x := range indexes {
		statements = append(statements, "ALTER INDEX "+x.Name+" RENAME TO "+strings.Replace(x.Name, "affiliate_clicks", clicksHistory, 1))
	}
	statements = append(statements,
		"CREATE TABLE affiliate_clicks (LIKE "+clicksHistory+" INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CONSTRAINT affiliate_clicks_id_key PRIMARY KEY (id)) PARTITION BY RANGE (id)",
		"ALTER TABLE affiliate_clicks DROP CONSTRAINT "+clicksCheck)
	for _, x := range indexes {
		if x.Def != "" {
			statements = append(statements, x.Def)
		}
	}
	return run(ctx, tx, append(statements,
		"ALTER TABLE affiliate_clicks ATTACH PARTITION "+clicksHistory+" FOR VALUES FROM (MINVALUE) TO ('"+bound+"')",
		"ALTER TABLE "+clicksHistory+" DROP CONSTRAINT "+clicksCheck,
		"CREATE TABLE "+clicksDefault+" (LIKE affiliate_clicks INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CONSTRAINT "+clicksDefault+"_id_key PRIMARY KEY (id))",
		"ALTER TABLE affiliate_clicks ATTACH PARTITION "+clicksDefault+" DEFAULT")...)
}

// partition is one of the tables that clicks are in.
type partition struct {
	Name     string `bun:"name"`
	Bound    string `bun:"bound"`    // as the server prints it
	Attached bool   `bun:"attached"` // false: its removal, or its making, was stopped in the middle
}

// until is the id that the partition ends before; empty of the default one.
func (p partition) until() string {
	_, to, _ := strings.Cut(p.Bound, " TO ")
	return idPattern.FindString(to)
}

func (p partitions) list(ctx context.Context) (all []partition, err error) {
	err = p.tx(ctx, 0, func(ctx context.Context, tx bun.Tx) error {
		return tx.NewRaw(`SELECT c.relname AS name, coalesce(pg_get_expr(c.relpartbound, c.oid), '') AS bound, c.relispartition AS attached
			FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'affiliate_clicks'::regclass)
				AND c.relname ~ '^affiliate_clicks_([0-9]{6}|history|default)$' ORDER BY c.relname`).Scan(ctx, &all)
	})
	return all, err
}

// addMonths makes the partitions of this month and the next ones.
func (p partitions) addMonths(ctx context.Context) error {
	all, err := p.list(ctx)
	if err != nil {
		return err
	}
	covered, have := "", map[string]bool{} // until where the history goes, which is after what is gone
	for _, part := range all {
		have[part.Name] = part.Attached
		if part.Name == clicksHistory {
			covered = part.until()
		}
	}
	for ahead := range monthsAhead + 1 {
		month := monthOf(p.now).AddDate(0, ahead, 0)
		name := "affiliate_clicks_" + month.Format("200601")
		from, to := idAt(month).String(), idAt(month.AddDate(0, 1, 0)).String()
		if have[name] || to <= covered {
			continue
		}
		err := p.patiently(ctx, func(ctx context.Context, tx bun.Tx) error {
			// The check tells the server that it has nothing to read. ATTACH waits
			// for nobody who writes to another partition.
			return run(ctx, tx,
				"CREATE TABLE IF NOT EXISTS "+name+" (LIKE affiliate_clicks INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CONSTRAINT "+name+"_id_key PRIMARY KEY (id), "+
					"CONSTRAINT "+clicksCheck+" CHECK (id >= '"+from+"'::uuid AND id < '"+to+"'::uuid))",
				"ALTER TABLE affiliate_clicks ATTACH PARTITION "+name+" FOR VALUES FROM ('"+from+"') TO ('"+to+"')",
				"ALTER TABLE "+name+" DROP CONSTRAINT IF EXISTS "+clicksCheck)
		})
		if e, ok := serverErrorIn(err); ok && e.state == checkViolation {
			continue // the default partition has clicks of the month already, where they stay
		}
		if err != nil && !p.attached(ctx, name) { // else another process was quicker
			return err
		}
	}
	return nil
}

func (p partitions) attached(ctx context.Context, name string) bool {
	all, err := p.list(ctx)
	return err == nil && slices.ContainsFunc(all, func(part partition) bool { return part.Name == name && part.Attached })
}

// clicksByMonth reports whether clicks are kept by month, and remembers it: a
// process that began before PartitionClicks only reads more partitions than it need.
func (db *DB) clicksByMonth(ctx context.Context, tx bun.IDB) (bool, error) {
	if known := db.statements.byMonth.Load(); known != nil {
		return *known, nil
	}
	var kinds []string
	err := tx.NewRaw(`SELECT relkind::text FROM pg_class WHERE oid = to_regclass(?)`, db.prefix+"affiliate_clicks").Scan(ctx, &kinds)
	if err != nil {
		return false, err
	}
	byMonth := len(kinds) == 1 && kinds[0] == "p"
	db.statements.byMonth.Store(&byMonth)
	return byMonth, nil
}

var _ links.ClickParts = linksView{}

// partitions are those that the backend may change: none in a transaction of
// the host's.
func (db *DB) partitions(now time.Time) (partitions, bool) {
	h, ok := db.handle.(pool)
	return partitions{h.db, strings.Trim(db.prefix, `".`), now.UTC()}, ok
}

// ClicksByMonth implements links.ClickParts.
func (v linksView) ClicksByMonth(ctx context.Context) (bool, error) {
	p, ok := v.db.partitions(time.Time{})
	if !ok {
		return false, nil
	}
	byMonth, err := p.partitioned(ctx)
	if err != nil {
		return false, connectionError(ctx, err)
	}
	return byMonth, nil
}

// DropClicks implements links.ClickParts.
func (v linksView) DropClicks(ctx context.Context, through uuid.UUID, now time.Time) error {
	p, ok := v.db.partitions(now)
	if !ok {
		return nil
	}
	if err := p.dropThrough(ctx, through); err != nil {
		return connectionError(ctx, err)
	}
	return nil
}

func (p partitions) dropThrough(ctx context.Context, through uuid.UUID) error {
	if err := p.addMonths(ctx); err != nil && !errors.Is(err, errBusy) {
		return err
	}
	if through == uuid.Nil {
		return nil
	}
	all, err := p.list(ctx)
	if err != nil {
		return err
	}
	for _, part := range all {
		if part.Name == clicksDefault || part.Attached && part.until() > idAt(p.now).String() {
			continue // of the future, or of all times
		}
		if err := p.drop(ctx, part, through); err != nil && !errors.Is(err, errBusy) {
			return err
		}
	}
	return nil
}

// drop removes a partition without a click behind the given one. It is detached
// first, which takes a moment, and then removed, which may take the file system
// longer and keeps nobody waiting.
func (p partitions) drop(ctx context.Context, part partition, through uuid.UUID) error {
	var younger bool
	err := p.tx(ctx, 0, func(ctx context.Context, tx bun.Tx) error {
		return tx.NewRaw(`SELECT EXISTS (SELECT FROM ? WHERE id > ?)`, bun.Ident(part.Name), through).Scan(ctx, &younger)
	})
	if err != nil || younger {
		return err
	}
	if part.Attached {
		err := p.patiently(ctx, func(ctx context.Context, tx bun.Tx) error {
			// DETACH locks the whole table, and then waits for who is in this partition
			// or the default one, as a vacuum is: they come first.
			return run(ctx, tx, "LOCK TABLE "+part.Name+", "+clicksDefault+" IN ACCESS EXCLUSIVE MODE", "ALTER TABLE affiliate_clicks DETACH PARTITION "+part.Name)
		})
		if err != nil {
			return err
		}
	}
	return p.patiently(ctx, func(ctx context.Context, tx bun.Tx) error { return run(ctx, tx, "DROP TABLE IF EXISTS "+part.Name) })
}
