package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// The prefixes of the keys of parts.
const (
	ClickPrefix = "clicks-"
	EventPrefix = "events-"
)

// maxLine bounds a line: an event has at most 64 KiB of data, which JSON may
// write six times as long.
const maxLine = 1 << 20

// ClickLine is a click as the archive has it. Money is in minor units.
type ClickLine struct {
	ID           uuid.UUID               `json:"id"`
	LinkID       int64                   `json:"link_id"`
	UserID       int64                   `json:"user_id"`
	AdvertiserID int64                   `json:"advertiser_id"`
	OfferID      int64                   `json:"offer_id,omitempty"`
	At           time.Time               `json:"at"`
	Source       affiliate.TrafficSource `json:"source"`
	Verdict      links.Verdict           `json:"verdict"`
	Repeats      *uuid.UUID              `json:"repeats,omitempty"`
	Reason       string                  `json:"reason,omitempty"`
	Currency     affiliate.Currency      `json:"currency"`
	Earning      int64                   `json:"earning"`
	Cost         int64                   `json:"cost"`
	Terms        string                  `json:"terms,omitempty"`
}

func newClickLine(c links.Click) ClickLine {
	l := ClickLine{
		ID: c.ID, LinkID: c.LinkID, UserID: c.UserID, AdvertiserID: c.AdvertiserID, OfferID: c.OfferID, At: c.At.UTC(), Source: c.Source,
		Verdict: c.Verdict, Reason: c.Reason, Currency: c.Earning.Currency(), Earning: c.Earning.Minor(), Cost: c.Cost.Minor(), Terms: c.Terms,
	}
	if c.Repeats != uuid.Nil {
		l.Repeats = &c.Repeats
	}
	return l
}

func (l ClickLine) click() links.Click {
	c := links.Click{
		ID: l.ID, LinkID: l.LinkID, UserID: l.UserID, AdvertiserID: l.AdvertiserID, OfferID: l.OfferID, At: l.At.UTC(), Source: l.Source,
		Verdict: l.Verdict, Reason: l.Reason, Earning: affiliate.NewMoney(l.Earning, l.Currency), Cost: affiliate.NewMoney(l.Cost, l.Currency), Terms: l.Terms,
	}
	if l.Repeats != nil {
		c.Repeats = *l.Repeats
	}
	return c
}

// EventLine is an event as the archive has it.
type EventLine struct {
	Sequence     int64           `json:"sequence"`
	ID           int64           `json:"id"`
	Kind         string          `json:"kind"`
	Version      int             `json:"version"`
	At           time.Time       `json:"at"`
	AdvertiserID int64           `json:"advertiser_id,omitempty"`
	ClientID     int64           `json:"client_id,omitempty"`
	ObjectType   string          `json:"object_type"`
	ObjectID     string          `json:"object_id"`
	Data         json.RawMessage `json:"data,omitempty"`
}

func newEventLine(e affiliate.Event) EventLine {
	return EventLine{
		Sequence: e.Sequence, ID: e.ID, Kind: e.Kind, Version: e.Version, At: e.At.UTC(), AdvertiserID: e.AdvertiserID, ClientID: e.ClientID,
		ObjectType: e.Object.Type, ObjectID: e.Object.ID, Data: json.RawMessage(e.Data),
	}
}

func (l EventLine) event() affiliate.Event {
	return affiliate.Event{
		Sequence: l.Sequence, ID: l.ID, Kind: l.Kind, Version: l.Version, At: l.At.UTC(), AdvertiserID: l.AdvertiserID, ClientID: l.ClientID,
		Object: affiliate.Object{Type: l.ObjectType, ID: l.ObjectID}, Data: string(l.Data),
	}
}

// Part gathers the lines of one blob, compressed. The zero Part is ready.
type Part struct {
	first, last string // what the key is made of
	month       time.Time
	lines       int
	out         bytes.Buffer
	zip         *gzip.Writer
}

// Lines returns how many lines there are.
func (p *Part) Lines() int { return p.lines }

// Fits reports whether the click belongs into the part: each has clicks of one
// month alone.
func (p *Part) Fits(c links.Click) bool { return p.lines == 0 || p.month.Equal(monthOf(c.At)) }

func monthOf(t time.Time) time.Time {
	y, m, _ := t.UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// AddClick adds a click, in the order of ids.
func (p *Part) AddClick(c links.Click) error {
	p.month = monthOf(c.At)
	return p.add(c.ID.String(), newClickLine(c))
}

// AddEvent adds an event, in the order of sequences.
func (p *Part) AddEvent(e affiliate.Event) error {
	return p.add(fmt.Sprintf("%019d", e.Sequence), newEventLine(e))
}

func (p *Part) add(id string, line any) error {
	if p.zip == nil {
		p.zip = gzip.NewWriter(&p.out)
	}
	if p.lines == 0 {
		p.first = id
	}
	p.last = id
	p.lines++
	return json.NewEncoder(p.zip).Encode(line)
}

// Put ends the part and keeps it; a part without lines is not kept.
func (p *Part) Put(ctx context.Context, blobs affiliate.Blobs) error {
	if p.lines == 0 {
		return nil
	}
	if err := p.zip.Close(); err != nil {
		return err
	}
	key := EventPrefix
	if !p.month.IsZero() {
		key = ClickPrefix + p.month.Format("2006-01-")
	}
	return blobs.Put(ctx, key+p.first+"-"+p.last+".jsonl.gz", p.out.Bytes())
}

// Clicks returns the archived clicks of a month by ascending id, each once; the
// zero month stands for all. It ends with the first error.
func Clicks(ctx context.Context, blobs affiliate.Blobs, month time.Time) iter.Seq2[links.Click, error] {
	prefix := ClickPrefix
	if !month.IsZero() {
		prefix += monthOf(month).Format("2006-01-")
	}
	return func(yield func(links.Click, error) bool) {
		var last string
		for line, err := range lines[ClickLine](ctx, blobs, prefix) {
			switch id := line.ID.String(); {
			case err == nil && id <= last: // of a part that overlaps the one before
			case !yield(line.click(), err) || err != nil:
				return
			default:
				last = id
			}
		}
	}
}

// Events returns the archived events by ascending sequence, each once. It ends
// with the first error.
func Events(ctx context.Context, blobs affiliate.Blobs) iter.Seq2[affiliate.Event, error] {
	return func(yield func(affiliate.Event, error) bool) {
		var last int64
		for line, err := range lines[EventLine](ctx, blobs, EventPrefix) {
			switch {
			case err == nil && line.Sequence <= last:
			case !yield(line.event(), err) || err != nil:
				return
			default:
				last = line.Sequence
			}
		}
	}
}

// keysAtOnce is how many keys a reader asks for.
const keysAtOnce = 1000

// lines are those of all parts with the prefix, in the order of their keys.
func lines[L any](ctx context.Context, blobs affiliate.Blobs, prefix string) iter.Seq2[L, error] {
	return func(yield func(L, error) bool) {
		for after := ""; ; {
			keys, err := blobs.Keys(ctx, prefix, after, keysAtOnce)
			if err != nil {
				yield(*new(L), err)
				return
			}
			for _, key := range keys {
				after = key
				data, err := blobs.Get(ctx, key)
				if err != nil {
					yield(*new(L), err)
					return
				}
				for line, err := range read[L](data) {
					if err != nil {
						err = fmt.Errorf("archive: %s: %w", key, err)
					}
					if !yield(line, err) || err != nil {
						return
					}
				}
			}
			if len(keys) < keysAtOnce {
				return
			}
		}
	}
}

// read reads the lines of one part.
func read[L any](data []byte) iter.Seq2[L, error] {
	return func(yield func(L, error) bool) {
		zip, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			yield(*new(L), err)
			return
		}
		in := bufio.NewScanner(io.Reader(zip))
		in.Buffer(nil, maxLine)
		for in.Scan() {
			var line L
			err := json.Unmarshal(in.Bytes(), &line)
			if !yield(line, err) || err != nil {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(*new(L), err)
		}
	}
}
