package stats

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Recount adds the facts of one part up again, to be held against the roll-ups.
// The package that owns the facts adds all of them, in the order in which they
// happened, within one unit. Memory grows with the roll-ups, and with the
// readers of three days.
type Recount struct {
	part    Part
	rows    map[Key]*Figures
	readers map[time.Time]map[visitKey]Visit // of the days that are not over
	newest  time.Time
	// Events of days before trusted are not added: see Trust. The readers of days
	// before unread cannot be counted again. Those of advertisers with a time zone
	// have days of their own.
	days  horizon
	zoned map[int64]horizon // by advertiser
}

// horizon says from which days on facts and readers are all there.
type horizon struct{ trusted, unread time.Time }

// of returns the horizon of an advertiser.
func (r *Recount) of(advertiserID int64) horizon {
	if h, ok := r.zoned[advertiserID]; ok {
		return h
	}
	return r.days
}

// visitKey is what one reader of a campaign is known by on one day.
type visitKey struct {
	offerID int64
	reader  Reader
}

// NewRecount returns a recount of a part that has no facts yet.
func NewRecount(p Part) *Recount {
	return &Recount{part: p, rows: make(map[Key]*Figures), readers: make(map[time.Time]map[visitKey]Visit)}
}

// Add adds events. ErrInvalid with the code "overflow" when a sum leaves the
// range of 64 bits.
func (r *Recount) Add(facts ...Fact) error {
	for i := range facts {
		e := &facts[i]
		h := r.of(e.AdvertiserID)
		if e.Day.Before(h.trusted) {
			continue
		}
		c := e.change()
		if err := r.count(&c); err != nil {
			return err
		}
		if !e.meets() || e.Day.Before(h.unread) {
			continue
		}
		if e.Day.After(r.newest) {
			r.newest = e.Day
			// It may be the day before at another advertiser at the same time, and the
			// one before that.
			if err := r.close(r.newest.AddDate(0, 0, -2)); err != nil {
				return err
			}
		}
		if r.readers[e.Day] == nil {
			r.readers[e.Day] = make(map[visitKey]Visit)
		}
		r.readers[e.Day][visitKey{e.OfferID, e.Reader}] = e.visit()
	}
	return nil
}

// Trust is called first, when old facts are gone: those before one instant, and
// the readers of those before the other. A zero time stands for none. The roll-ups
// of links then stand for the facts of the days of which something is gone, so
// that those of the other levels are held against their sums, and their readers are
// taken as they are kept. All facts must have had a link.
func (r *Recount) Trust(ctx context.Context, tx Tx, facts, readers time.Time) error {
	r.days, r.zoned = horizonOf(&affiliate.Advertiser{}, facts, readers), make(map[int64]horizon)
	if facts.IsZero() && readers.IsZero() {
		return nil
	}
	for after := (Key{Level: LinkLevel}); ; {
		kept, err := tx.Stats().Scan(ctx, after, verifyPage)
		if err != nil {
			return err
		}
		if err := r.seeZones(ctx, tx, kept, facts, readers); err != nil {
			return err
		}
		for i := range kept {
			k := &kept[i]
			if after = k.Key; k.Level != LinkLevel {
				return nil
			}
			if !k.Day.Before(r.of(k.AdvertiserID).trusted) {
				continue
			}
			c := Change{Key: k.Key, Figures: k.part(r.part, LinkLevel), Levels: 1<<AdvertiserLevel | 1<<CreatorLevel | 1<<LinkLevel}
			if k.OfferID != 0 {
				c.Levels |= 1 << CampaignLevel
			}
			if err := r.count(&c); err != nil {
				return err
			}
		}
		if len(kept) < verifyPage {
			return nil
		}
	}
}

// seeZones notes the horizons of the advertisers of roll-ups that have a time
// zone.
func (r *Recount) seeZones(ctx context.Context, tx Tx, kept []Rollup, facts, readers time.Time) error {
	var ids []int64
	for i := range kept {
		if id := kept[i].AdvertiserID; len(ids) == 0 || ids[len(ids)-1] != id {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := tx.Advertisers().GetMany(ctx, idset.Sorted(ids))
	for n := range found {
		if found[n].TimeZone != "" {
			r.zoned[found[n].ID] = horizonOf(&found[n], facts, readers)
		}
	}
	return err
}

// horizonOf returns the days of an advertiser that are whole when everything
// before two instants is gone.
func horizonOf(a *affiliate.Advertiser, facts, readers time.Time) horizon {
	whole := func(from time.Time) time.Time {
		if from.IsZero() {
			return from
		}
		return DayOf(from.Add(-1), a).AddDate(0, 0, 1) // behind the day of the last one that is gone
	}
	h := horizon{whole(facts), whole(readers)}
	if h.trusted.After(h.unread) {
		h.unread = h.trusted
	}
	return h
}

// close counts the readers of the days before.
func (r *Recount) close(before time.Time) error {
	for day, visits := range r.readers {
		if !day.Before(before) {
			continue
		}
		for _, v := range visits {
			c := v.change()
			if err := r.count(&c); err != nil {
				return err
			}
		}
		delete(r.readers, day)
	}
	return nil
}

func (r *Recount) count(c *Change) error {
	for _, level := range Levels() {
		if !c.Levels.Has(level) {
			continue
		}
		key := c.At(level)
		key.Day = key.Day.UTC()
		sum := r.rows[key]
		if sum == nil {
			sum = new(Figures)
			r.rows[key] = sum
		}
		if !sum.Add(&c.Figures) {
			return overflow()
		}
	}
	return nil
}

// verifyPage is how many roll-ups Verify holds at a time.
const verifyPage = 1000

// Verify returns every roll-up whose figures of the part are not what the facts
// add up to, and ends the recount.
func (r *Recount) Verify(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
	if err := r.close(r.newest.AddDate(0, 0, 1)); err != nil {
		return nil, err
	}
	var diffs []affiliate.Difference
	differ := func(k Key, all, counted *Figures) {
		if kept := all.part(r.part, k.Level); kept != *counted {
			diffs = append(diffs, affiliate.Difference{What: k.String(), Kept: kept.String(), Real: counted.String()})
		}
	}
	var after Key
	for {
		kept, err := tx.Stats().Scan(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		for i := range kept {
			key := kept[i].Key
			key.Day = key.Day.UTC()
			counted := r.rows[key]
			if counted == nil {
				counted = new(Figures)
			}
			if key.Level == CampaignLevel && key.Day.Before(r.of(key.AdvertiserID).unread) {
				counted.Readers = kept[i].Readers
			}
			differ(key, &kept[i].Figures, counted)
			delete(r.rows, key)
			after = kept[i].Key
		}
		if len(kept) < verifyPage {
			break
		}
	}
	for key, counted := range r.rows {
		differ(key, new(Figures), counted)
	}
	return diffs, nil
}

// String names the figures that are not zero.
func (f *Figures) String() string {
	var parts []string
	for _, c := range figureColumns {
		if n := *c.Of(f); n != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", c.Name, n))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, " ")
}
