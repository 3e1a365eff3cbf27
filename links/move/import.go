package move

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// ImportOptions set up an import. The zero options work.
type ImportOptions struct {
	// AddMissing adds the groups, categories, clients, tags and users that are not
	// there, with their ids. Otherwise an import without them is refused.
	AddMissing bool
	Blobs      affiliate.Blobs // where the files of images go; needed when the export has some
	Clock      affiliate.Clock // default: affiliate.SystemClock
	// Batch is how many records one unit takes; default: 2000. An export with no
	// more is imported in one unit.
	Batch int
}

// The progress of an import is kept as the answer of an idempotency key, in the
// units that make it.
const (
	principal = "import"
	keptFor   = 365 * 24 * time.Hour
	running   = 202
	done      = 200
)

// Import adds an exported advertiser, with the ids that its records have, and
// returns its summary, which is then the one that Summarize returns here. It reads the
// export twice. Nothing is added when the first time finds anything wrong (see
// Check), and when the advertiser, or something else with its id, is here already:
// ErrConflict "taken". What is of all shops must be here, as it was there, or
// ErrInvalid "missing" names all that is not; see ImportOptions.AddMissing.
//
// An export of more than a batch is imported in several units. One that was stopped,
// by an error or by kill -9, goes on when Import is called again with the same
// export: nothing is there twice. Until it has returned without an error the
// advertiser is incomplete, and deactivated. A second Import of all of it changes
// nothing. The advertiser stays deactivated: see the package's comment for what else
// a move takes.
func Import(ctx context.Context, store Store, r io.ReadSeeker, o ImportOptions) (Summary, error) {
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Batch == 0 {
		o.Batch = 2000
	}
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return Summary{}, err
	}
	c, err := check(ctx, r)
	if err != nil {
		return Summary{}, err
	}
	if c.files && o.Blobs == nil {
		return Summary{}, affiliate.Invalid("import", affiliate.FieldError{Field: "Blobs", Code: "required", Message: "must be set: the export has files of images"})
	}
	i := &importing{store: store, checked: c, opts: o}
	if i.entries, err = c.settled.entries(c.header.AdvertiserID); err != nil {
		return Summary{}, err
	}
	if _, err := r.Seek(start, io.SeekStart); err != nil {
		return Summary{}, err
	}
	if err := i.run(ctx, r); err != nil {
		return Summary{}, err
	}
	return c.summary, nil
}

// importing is an import that runs.
type importing struct {
	store   Store
	checked *checked
	opts    ImportOptions
	entries []affiliate.Entry // of the settlement
	batch   []batched
	read    int64 // records, also those that were there before
	done    int64
}

type batched struct {
	kind Kind
	line line
}

// progress is how far an import is.
type progress struct{ Records int64 }

func (i *importing) run(ctx context.Context, r io.Reader) error {
	whole := i.checked.records <= int64(i.opts.Batch)
	if !whole {
		finished, err := i.begin(ctx)
		if err != nil || finished {
			return err
		}
	}
	err := scan(ctx, r, scanned{
		header: func(header) error { return nil },
		end:    func(int64, trailer, string) error { return nil },
		line: func(_ int64, kind Kind, l line) error {
			if i.read++; i.read <= i.done {
				return nil
			}
			i.batch = append(i.batch, batched{kind, l})
			if whole || len(i.batch) < i.opts.Batch {
				return nil
			}
			return i.flush(ctx)
		},
	})
	switch {
	case err != nil:
		return err
	case whole:
		if finished, err := i.atOnce(ctx); err != nil || finished {
			return err
		}
		i.batch = i.batch[i.done:] // it was begun with smaller batches
	}
	if len(i.batch) > 0 {
		if err := i.flush(ctx); err != nil {
			return err
		}
	}
	return i.finish(ctx)
}

// key is the idempotency key of the import.
func (i *importing) key() affiliate.IdempotencyKey {
	k := affiliate.IdempotencyKey{
		Principal: principal, Key: fmt.Sprintf("advertiser:%d", i.checked.header.AdvertiserID), Token: "import",
		Status: running, ContentType: "application/json", ExpiresAt: i.opts.Clock.Now().Add(keptFor),
	}
	_, _ = hex.Decode(k.Fingerprint[:], []byte(i.checked.hash)) // our own digits
	k.Body = []byte(`{"Records":0}`)
	return k
}

// reserve returns how far the import is, and whether this unit is its first one.
func (i *importing) reserve(ctx context.Context, tx Tx) (kept affiliate.IdempotencyKey, at progress, first bool, err error) {
	kept, first, err = tx.IdempotencyKeys().Reserve(ctx, i.key(), i.opts.Clock.Now(), math.MaxInt)
	if err != nil {
		return kept, at, first, err
	}
	if kept.Fingerprint != i.key().Fingerprint {
		return kept, at, first, affiliate.Conflict("import", "other_export", fmt.Sprintf("Another export of advertiser %d was imported here, or is being imported.", i.checked.header.AdvertiserID))
	}
	return kept, at, first, json.Unmarshal(kept.Body, &at)
}

// begin reserves the import, unless it is refused, and reports whether it was
// finished before.
func (i *importing) begin(ctx context.Context) (finished bool, err error) {
	return affiliate.Write(ctx, i.store, func(ctx context.Context, tx Tx) (bool, error) {
		kept, at, first, err := i.reserve(ctx, tx)
		if err == nil && first {
			err = i.admit(ctx, tx)
		}
		i.done = at.Records
		return kept.Status == done, err
	})
}

// atOnce is the import of an export that is no more than a batch: all in one unit.
// It reports false when the import was begun before and is not finished.
func (i *importing) atOnce(ctx context.Context) (finished bool, err error) {
	if err := i.putFiles(ctx); err != nil {
		return false, err
	}
	return affiliate.Write(ctx, i.store, func(ctx context.Context, tx Tx) (bool, error) {
		kept, at, first, err := i.reserve(ctx, tx)
		if err != nil || !first {
			i.done = at.Records
			return kept.Status == done, err
		}
		for _, step := range []func() error{
			func() error { return i.admit(ctx, tx) },
			func() error { return i.add(ctx, tx) },
			func() error { return settle(ctx, tx, i.entries) },
			func() error { return i.verify(ctx, tx) },
		} {
			if err := step(); err != nil {
				return false, err
			}
		}
		return true, i.note(ctx, tx, kept, i.checked.records, done)
	})
}

// flush adds the batch in one unit.
func (i *importing) flush(ctx context.Context) error {
	if err := i.putFiles(ctx); err != nil {
		return err
	}
	after := i.done + int64(len(i.batch))
	err := i.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		kept, at, _, err := i.reserve(ctx, tx)
		switch {
		case err != nil:
			return err
		case at.Records != i.done:
			return affiliate.Conflict("import", "running", "The same export is being imported by somebody else.")
		}
		if err := i.add(ctx, tx); err != nil {
			return err
		}
		return i.note(ctx, tx, kept, after, running)
	})
	if err == nil {
		i.done, i.batch = after, i.batch[:0]
	}
	return err
}

func (i *importing) note(ctx context.Context, tx Tx, kept affiliate.IdempotencyKey, records int64, status int) error {
	kept.Status, kept.ExpiresAt = status, i.opts.Clock.Now().Add(keptFor)
	kept.Body = fmt.Appendf(nil, `{"Records":%d}`, records)
	return tx.IdempotencyKeys().Complete(ctx, kept)
}

// putFiles puts the files of the batch's images, outside of any unit.
func (i *importing) putFiles(ctx context.Context) error {
	for _, b := range i.batch {
		if l, ok := b.line.(*imageLine); ok && l.Data != nil {
			if err := i.opts.Blobs.Put(ctx, l.Key, l.Data); err != nil {
				return fmt.Errorf("move: the file of image %s: %w", l.Key, err)
			}
		}
	}
	return nil
}

// add adds the batch, the lines of each kind together.
func (i *importing) add(ctx context.Context, tx Tx) error {
	a := &adder{ctx, tx, i.checked.header}
	for n := 0; n < len(i.batch); {
		kind := i.batch[n].kind
		var list []line
		for ; n < len(i.batch) && i.batch[n].kind == kind; n++ {
			list = append(list, i.batch[n].line)
		}
		if err := kinds[rank(kind)].add(a, list); err != nil {
			return err
		}
	}
	return nil
}

// finish settles the accounts in a unit, and looks whether everything is there.
func (i *importing) finish(ctx context.Context) error {
	for list := range slices.Chunk(i.entries, i.opts.Batch) {
		if err := i.store.Write(ctx, func(ctx context.Context, tx Tx) error { return settle(ctx, tx, list) }); err != nil {
			return err
		}
	}
	if err := i.store.Read(ctx, i.verify); err != nil {
		return err
	}
	return i.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		kept, at, _, err := i.reserve(ctx, tx)
		if err != nil {
			return err
		}
		return i.note(ctx, tx, kept, at.Records, done)
	})
}

// verify holds what is here against the export.
func (i *importing) verify(ctx context.Context, tx Tx) error {
	here, err := sum(ctx, tx, i.checked.header.AdvertiserID)
	if err != nil {
		return err
	}
	if diffs := here.Differences(i.checked.summary); len(diffs) > 0 {
		return affiliate.Conflict("import", "sum_differs", fmt.Sprintf("What was imported is not what was exported: %s.", diffs[0]))
	}
	return nil
}

// admit refuses an import for which something is in the way, or missing.
func (i *importing) admit(ctx context.Context, tx Tx) error {
	id := i.checked.header.AdvertiserID
	switch found, err := tx.Advertisers().GetMany(ctx, []int64{id}); {
	case err != nil:
		return err
	case len(found) > 0:
		return &affiliate.Error{Kind: affiliate.ErrConflict, Code: "taken", Resource: "advertiser", ID: fmt.Sprint(id),
			Message: fmt.Sprintf("Advertiser %d is here already: %s.", id, found[0].Name),
			Fields:  []affiliate.FieldError{{Field: "id", Code: "taken", Message: "is taken already"}}}
	}
	if err := i.admitRetained(ctx, tx); err != nil {
		return err
	}
	return i.admitShared(ctx, tx)
}

// shownMissing bounds how many missing records an error names.
const shownMissing = 100

// admitShared looks for what is of all shops, by its id and its name.
func (i *importing) admitShared(ctx context.Context, tx Tx) error {
	here := map[Kind]func([]int64) ([]match, error){
		Groups:     matches(ctx, tx.AdvertiserGroups().GetMany, func(v affiliate.AdvertiserGroup) matched { return &groupLine{AdvertiserGroup: v} }),
		Categories: matches(ctx, tx.Categories().GetMany, func(v affiliate.Category) matched { return &categoryLine{v} }),
		Clients:    matches(ctx, tx.Clients().GetMany, func(v affiliate.Client) matched { return &clientLine{Client: v} }),
		Tiers:      matches(ctx, tx.RevenueTiers().GetMany, func(v affiliate.RevenueTier) matched { return &tierLine{RevenueTier: v} }),
		SharedTags: matches(ctx, tx.UserTags().GetMany, func(v affiliate.UserTag) matched { return &sharedTagLine{UserTag: v} }),
		Users: matches(ctx, tx.Users().GetMany, func(v affiliate.User) matched {
			return &userLine{ID: v.ID, ClientID: v.ClientID, Username: v.Username}
		}),
	}
	var missing []affiliate.FieldError
	more := 0
	wrong := func(kind Kind, m match, code, message string) {
		if len(missing) == shownMissing {
			more++
			return
		}
		missing = append(missing, affiliate.FieldError{Field: fmt.Sprintf("%s.%d", kind, m.id), Code: code, Message: message})
	}
	for _, k := range kinds {
		wanted := i.checked.matches[k.kind]
		for ids := range slices.Chunk(slices.Sorted(maps.Keys(wanted)), page) {
			found, err := here[k.kind](ids)
			if err != nil {
				return err
			}
			names := map[int64]string{}
			for _, m := range found {
				names[m.id] = m.name
			}
			for _, id := range ids {
				m := wanted[id]
				switch name, there := names[id]; {
				case there && name != m.name:
					wrong(k.kind, m, "another", fmt.Sprintf("is %q here and %q in the export", name, m.name))
				case there || !m.needed && !i.opts.AddMissing:
				case !i.opts.AddMissing:
					wrong(k.kind, m, "missing", fmt.Sprintf("%q is not here", m.name))
				case !m.whole:
					wrong(k.kind, m, "missing", fmt.Sprintf("%q is not here, and the export has no more than the name", m.name))
				}
			}
		}
	}
	if missing == nil {
		return nil
	}
	e := affiliate.Invalid("import", missing...)
	e.Code, e.Message = "missing", "What the advertiser refers to is not here."
	if more > 0 {
		e.Message += fmt.Sprintf(" There are %d more.", more)
	}
	return e
}

// matches asks for records by their ids, and says how they are recognised.
func matches[V any](ctx context.Context, getMany func(context.Context, []int64) ([]V, error), line func(V) matched) func([]int64) ([]match, error) {
	return func(ids []int64) ([]match, error) {
		found, err := getMany(ctx, ids)
		out := make([]match, len(found))
		for i, v := range found {
			out[i] = line(v).match()
		}
		return out, err
	}
}

// admitRetained holds what retention has given up there against what it has here,
// so that Verify still knows from when on clicks are complete.
func (i *importing) admitRetained(ctx context.Context, tx Tx) error {
	here, err := tx.Retention().Get(ctx)
	if err != nil {
		return err
	}
	there := i.checked.header.Retained
	gone := there.ClicksThrough != uuid.Nil && (i.checked.gone > 0 || i.checked.clicks > 0)
	same := here.ClicksThrough == there.ClicksThrough && here.VisitorsThrough == there.VisitorsThrough
	if !same {
		clicks, err := tx.Clicks().Scan(ctx, uuid.Nil, 1)
		switch {
		case err != nil:
			return err
		case len(clicks) == 0 && here.ClicksThrough == uuid.Nil && here.VisitorsThrough == uuid.Nil:
			there.EventsThrough, here = here.EventsThrough, there
		case !gone && i.checked.clicksAfter(here, there):
			return nil
		default:
			return &affiliate.Error{Kind: affiliate.ErrState, Code: "retention_differs", Resource: "import",
				Message: "Retention has given up clicks or visitor keys on one side that the other has: the advertiser can be imported where no clicks are yet."}
		}
	}
	if here.ClicksThrough == uuid.Nil && here.VisitorsThrough == uuid.Nil {
		return nil
	}
	here.Clicks, here.Entries = here.Clicks+max(i.checked.clicks, i.checked.gone), here.Entries+i.checked.gone
	return tx.Retention().Put(ctx, here)
}

// clicksAfter reports whether every click comes after all that was given up.
func (c *checked) clicksAfter(marks ...links.Retained) bool {
	for _, m := range marks {
		for _, through := range []uuid.UUID{m.ClicksThrough, m.VisitorsThrough} {
			if c.firstClick != uuid.Nil && bytes.Compare(c.firstClick[:], through[:]) <= 0 {
				return false
			}
		}
	}
	return true
}
