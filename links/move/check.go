package move

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// Check reads a whole export and returns its summary. ErrInvalid names the line and
// the field of what is wrong: a line that cannot be read, is out of order, is there
// twice, is another advertiser's, refers to what the export does not have, or is
// none that the domain keeps; and sums, counts or a hash that are others than the
// trailer's. An Import begins with it.
func Check(ctx context.Context, r io.Reader) (Summary, error) {
	c, err := check(ctx, r)
	if err != nil {
		return Summary{}, err
	}
	return c.summary, nil
}

// checked is what is known of an export that has been read wholly.
type checked struct {
	header  header
	hash    string // of the file
	records int64
	summary Summary

	sum        *summing
	kind       Kind // of the line before
	key        string
	seen       map[Kind]ids
	matches    map[Kind]map[int64]match
	settled    settlement
	firstClick uuid.UUID
	clicks     int64 // that statistics have counted, less those that are there
	gone       int64 // entries of clicks that retention has given up
	files      bool  // images come with their files
}

func check(ctx context.Context, r io.Reader) (*checked, error) {
	c := &checked{seen: map[Kind]ids{}, matches: map[Kind]map[int64]match{}}
	if err := scan(ctx, r, scanned{c.begin, c.line, c.end}); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *checked) begin(h header) error {
	switch {
	case h.Format != format:
		return broken(1, "Format", "unknown_format", fmt.Sprintf("must be %q", format))
	case h.Version != version:
		return broken(1, "Version", "unknown_version", fmt.Sprintf("must be %d, not %d: another version of the library wrote it", version, h.Version))
	case h.AdvertiserID <= 0:
		return broken(1, "AdvertiserID", "required", "must be above 0")
	case h.At.IsZero():
		return broken(1, "At", "required", "is required")
	}
	if err := h.Retained.Validate(); err != nil {
		return broken(1, "Retained", "invalid", err.Error())
	}
	c.header, c.sum, c.settled = h, newSumming(h.AdvertiserID), newSettlement(h.At)
	return nil
}

func (c *checked) line(n int64, kind Kind, l line) error {
	c.records++
	f := l.facts()
	if err := c.ordered(n, kind, f); err != nil {
		return err
	}
	switch {
	case f.invalid != nil:
		return invalidLine(n, f.invalid)
	case f.advertiser != byOther && f.advertiser != c.header.AdvertiserID:
		return broken(n, "AdvertiserID", "other_advertiser", fmt.Sprintf("must be %d, not %d", c.header.AdvertiserID, f.advertiser))
	}
	for _, r := range f.refs {
		if !c.has(r) {
			return broken(n, r.field, "unknown_reference", fmt.Sprintf("must refer to a record before it, and %d is none", r.id))
		}
	}
	if f.id != 0 && !c.seen[kind].add(c.seen, kind, f.id) {
		return broken(n, "ID", "duplicate", fmt.Sprintf("must be there once: %d is there already", f.id))
	}
	c.note(l, kind)
	if err := c.sum.add(kind, l, f); err != nil {
		return invalidLine(n, err)
	}
	return nil
}

// ordered holds the line against the one before.
func (c *checked) ordered(n int64, kind Kind, f facts) error {
	switch before, now := rank(c.kind), rank(kind); {
	case now < before:
		return broken(n, "kind", "out_of_order", fmt.Sprintf("must come before %s", c.kind))
	case now == before && f.key < c.key, now == before && f.key == c.key && !f.repeats:
		return broken(n, "row", "out_of_order", "must come after the line before it")
	case now > rank(Advertisers) && len(c.seen[Advertisers]) == 0:
		return broken(n, "kind", "out_of_order", "must come after the advertiser")
	}
	c.kind, c.key = kind, f.key
	return nil
}

func (c *checked) has(r ref) bool {
	switch {
	case r.id == 0:
		return true
	case r.kind == anyTag:
		return c.seen[Tags].has(r.id) || c.seen[SharedTags].has(r.id)
	}
	return c.seen[r.kind].has(r.id)
}

// note keeps what an import asks about before it begins.
func (c *checked) note(l line, kind Kind) {
	switch l := l.(type) {
	case matched:
		if c.matches[kind] == nil {
			c.matches[kind] = map[int64]match{}
		}
		m := l.match()
		c.matches[kind][m.id] = m
	case *entryLine:
		c.settled.add(l.Entry)
		if id, ok := clickOf(l.Entry); ok && c.header.Retained.ClicksThrough != uuid.Nil && bytes.Compare(id[:], c.header.Retained.ClicksThrough[:]) <= 0 {
			c.gone++
		}
	case *clickLine:
		if c.firstClick == uuid.Nil || bytes.Compare(l.ID[:], c.firstClick[:]) < 0 {
			c.firstClick = l.ID
		}
		c.clicks--
	case *rollupLine:
		if l.Level == stats.AdvertiserLevel {
			c.clicks += l.Clicks + l.Duplicates + l.Bots + l.Blocked + l.Capped
		}
	case *imageLine:
		c.files = c.files || l.Data != nil
	}
}

func (c *checked) end(n int64, t trailer, hash string) error {
	c.hash, c.summary = hash, c.sum.summary()
	if len(c.seen[Advertisers]) == 0 {
		return broken(n, "kind", "no_advertiser", "must come after the advertiser")
	}
	if t.Records != c.records {
		return broken(n, "Records", "count_differs", fmt.Sprintf("must be %d, not %d", c.records, t.Records))
	}
	if diffs := t.Summary.Differences(c.summary); len(diffs) > 0 {
		return broken(n, "Summary", "sum_differs", "is not what the lines add up to: "+diffs[0].String())
	}
	if t.Hash != hash {
		return broken(n, "Hash", "hash_differs", "is not that of the lines before it")
	}
	return nil
}

// invalidLine puts the line in front of what the domain refuses of it.
func invalidLine(n int64, err error) error {
	var e *affiliate.Error
	if errors.As(err, &e) && len(e.Fields) > 0 {
		return broken(n, e.Fields[0].Field, e.Fields[0].Code, e.Fields[0].Message)
	}
	return broken(n, "row", "invalid", err.Error())
}

// ids is a set of ids: a bit for each, in words, so that the millions of a shop fit.
type ids map[int64]uint64

func (s ids) has(id int64) bool { return s[id>>6]>>(id&63)&1 != 0 }

// add adds an id to the set of a kind and reports whether it was not there.
func (s ids) add(all map[Kind]ids, kind Kind, id int64) bool {
	if s == nil {
		s = ids{}
		all[kind] = s
	}
	if s.has(id) {
		return false
	}
	s[id>>6] |= 1 << (id & 63)
	return true
}

// settlement adds up what accounts got from the advertiser, by when it is payable.
type settlement struct {
	at   time.Time
	sums map[due]affiliate.Money
	last map[due]time.Time // when the latest of a month's is payable
}

// due is what an account gets at a time: at the instant itself when that is after
// the export, else within a month.
type due struct {
	account  affiliate.Account
	currency affiliate.Currency
	at       int64 // microseconds since 1970, of the instant or of the month's beginning
}

func newSettlement(at time.Time) settlement {
	return settlement{at, map[due]affiliate.Money{}, map[due]time.Time{}}
}
