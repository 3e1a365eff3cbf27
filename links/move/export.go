package move

import (
	"context"
	"fmt"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// ExportOptions say what goes along. The zero options are the advertiser alone.
type ExportOptions struct {
	// People: users stand in the export with all that they are, their names and
	// addresses too, so that an import can add those that it does not find.
	// Otherwise it says of them only who they are.
	People bool
	Blobs  affiliate.Blobs // where the files of images are; nil: they stay
	Clock  affiliate.Clock // default: affiliate.SystemClock
}

// Export writes an advertiser with everything that hangs on it, compressed, and
// returns its summary. All of it is from one snapshot, which holds a connection or a
// lock meanwhile: write to a file, not to a reader far away. Nothing is changed.
//
// ErrNotFound when there is no such advertiser, ErrState "active" when it takes part:
// deactivate it first, so that nothing that counts comes after. After an error w has
// a part without a trailer, which no import takes.
func Export(ctx context.Context, store Store, w io.Writer, advertiserID int64, o ExportOptions) (Summary, error) {
	clock := o.Clock
	if clock == nil {
		clock = affiliate.SystemClock
	}
	out, begun := newWriter(w), false
	var s *summing
	err := store.Read(ctx, func(ctx context.Context, tx Tx) error {
		if begun { // a Read that runs again would write everything twice
			return affiliate.Unavailable(fmt.Errorf("move: the snapshot of the export is gone: export again"))
		}
		begun = true
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return err
		}
		if a.Status == affiliate.AdvertiserActive {
			return &affiliate.Error{Kind: affiliate.ErrState, Code: "active", Resource: "advertiser", ID: fmt.Sprint(advertiserID),
				Message: "The advertiser takes part: deactivate it before it is exported."}
		}
		s = newSumming(advertiserID)
		walk := walk{ctx: ctx, tx: tx, advertiser: a, people: o.People, blobs: o.Blobs}
		h := header{Format: format, Version: version, AdvertiserID: a.ID, Name: a.Name, At: clock.Now()}
		if h.Retained, err = walk.retained(); err != nil {
			return err
		}
		if err := out.header(h); err != nil {
			return err
		}
		walk.emit = func(kind Kind, l line) error {
			if err := s.add(kind, l, l.facts()); err != nil {
				return err
			}
			return out.line(kind, l)
		}
		return walk.run()
	})
	if err != nil {
		return Summary{}, err
	}
	summary := s.summary()
	return summary, out.end(summary)
}

// Summarize returns the summary that an export of the advertiser would have now,
// whether it takes part or not.
func Summarize(ctx context.Context, store Store, advertiserID int64) (Summary, error) {
	return affiliate.Read(ctx, store, func(ctx context.Context, tx Tx) (Summary, error) { return sum(ctx, tx, advertiserID) })
}

func sum(ctx context.Context, tx Tx, advertiserID int64) (Summary, error) {
	a, err := tx.Advertisers().Get(ctx, advertiserID)
	if err != nil {
		return Summary{}, err
	}
	s := newSumming(advertiserID)
	walk := walk{ctx: ctx, tx: tx, advertiser: a, own: true, emit: func(kind Kind, l line) error { return s.add(kind, l, l.facts()) }}
	if err := walk.run(); err != nil {
		return Summary{}, err
	}
	return s.summary(), nil
}
