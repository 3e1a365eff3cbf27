package retention

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/archive"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
)

// page is a run of clicks from the oldest on.
type page struct {
	before links.Retained // when it was read
	clicks []links.Click
	more   bool // whether the next page may have some too
	booked int  // how many have an entry in the ledger
}

// after returns the clicks behind one that are older than a day. Ids grow with
// time: the first click that is not older ends it.
func after(ctx context.Context, tx links.Tx, id uuid.UUID, day time.Time, limit int) ([]links.Click, bool, error) {
	clicks, err := tx.Clicks().Scan(ctx, id, limit)
	if young := slices.IndexFunc(clicks, func(c links.Click) bool { return !c.At.Before(day) }); young >= 0 {
		return clicks[:young], false, err
	}
	return clicks, len(clicks) == limit, err
}

// eraseVisitors erases visitor keys.
func (s *Service) eraseVisitors(ctx context.Context, p Policy, r *Report) error {
	if p.Visitors == 0 {
		return nil
	}
	day := s.dayBefore(p.Visitors)
	for {
		type outcome struct {
			page
			erased int
		}
		o, err := affiliate.Write(ctx, s.units(), func(ctx context.Context, tx links.Tx) (o outcome, err error) {
			if o.before, err = tx.Retention().Get(ctx); err != nil {
				return o, err
			}
			from := later(o.before.VisitorsThrough, o.before.ClicksThrough)
			if o.clicks, o.more, err = after(ctx, tx, from, day, s.opts.Batch); err != nil || len(o.clicks) == 0 {
				return o, err
			}
			done := o.before
			done.VisitorsThrough = o.clicks[len(o.clicks)-1].ID
			if day.After(done.VisitorsFrom) {
				done.VisitorsFrom = day
			}
			if o.erased, err = tx.Clicks().EraseVisitors(ctx, from, done.VisitorsThrough); err != nil {
				return o, err
			}
			return o, tx.Retention().Put(ctx, done)
		})
		if err != nil {
			return err
		}
		r.Visitors += int64(o.erased)
		if n := len(o.clicks); n > 0 {
			s.opts.Progress(Progress{Visitors, r.Visitors, o.clicks[n-1].At})
		}
		if !o.more {
			return nil
		}
	}
}

func later(a, b uuid.UUID) uuid.UUID {
	if bytes.Compare(a[:], b[:]) > 0 {
		return a
	}
	return b
}

// retainClicks archives and gives up old clicks, and removes those given up.
func (s *Service) retainClicks(ctx context.Context, p Policy, r *Report) error {
	byMonth := false
	if s.opts.Parts != nil {
		var err error
		if byMonth, err = s.opts.Parts.ClicksByMonth(ctx); err != nil {
			return err
		}
	}
	day, err := s.clicksBefore(ctx, p, byMonth)
	if err != nil {
		return err
	}
	for more := p.Clicks > 0; more; {
		if more, err = s.giveUp(ctx, p, day, r); err != nil {
			return err
		}
	}
	done, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx links.Tx) (links.Retained, error) { return tx.Retention().Get(ctx) })
	if err != nil {
		return err
	}
	r.ClicksFrom = done.ClicksFrom
	if byMonth {
		if err := s.opts.Parts.DropClicks(ctx, done.ClicksThrough, s.opts.Clock.Now()); err != nil {
			return err
		}
	}
	if done.ClicksThrough == uuid.Nil {
		return nil
	}
	var removed int64
	return s.repeat(Clicks, &removed, func(limit int) (int, error) {
		return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx links.Tx) (int, error) {
			return tx.Clicks().Remove(ctx, done.ClicksThrough, limit)
		})
	})
}

// clicksBefore is the day before which clicks go.
func (s *Service) clicksBefore(ctx context.Context, p Policy, byMonth bool) (time.Time, error) {
	window := 0
	if s.stores.Orders != nil {
		err := s.stores.Orders.Read(ctx, func(ctx context.Context, tx orders.Tx) (err error) {
			window, err = tx.Collectors().LongestWindow(ctx)
			return err
		})
		if err != nil {
			return time.Time{}, err
		}
	}
	const day = 24 * time.Hour // which is also how far a duplicate is behind its click
	needed := time.Duration(max(window, orders.DefaultWindow))*day + day + p.LateOrders
	before := s.dayBefore(max(p.Clicks, needed))
	if byMonth {
		before = before.AddDate(0, 0, 1-before.Day())
	}
	return before, nil
}

// giveUp writes one part to the archive, and notes that its clicks are given up
// and what was counted of them. It returns whether there may be more.
func (s *Service) giveUp(ctx context.Context, p Policy, day time.Time, r *Report) (bool, error) {
	var part archive.Part
	var last links.Click
	var before links.Retained
	booked, counted := 0, make(map[offers.UsageKey]int64)
	more, full := true, false
	for batches := 0; more && !full && batches < partBatches; batches++ {
		next, err := s.readPage(ctx, last.ID, batches == 0, day)
		if err != nil {
			return false, err
		}
		if batches == 0 {
			before = next.before
		}
		more = next.more
		taken := 0
		for _, c := range next.clicks {
			if full = !part.Fits(c); full {
				break
			}
			if err := part.AddClick(c); err != nil {
				return false, err
			}
			last = c
			taken++
		}
		if full {
			if next.booked, err = s.countBooked(ctx, next.clicks[:taken]); err != nil {
				return false, err
			}
		}
		booked += next.booked
		if err := count(counted, next.clicks[:taken]); err != nil {
			return false, err
		}
	}
	if part.Lines() == 0 {
		return false, nil
	}
	if s.opts.Blobs != nil {
		if err := part.Put(ctx, s.opts.Blobs); err != nil {
			return false, err
		}
	}
	gone := make([]offers.Usage, 0, len(counted))
	for _, k := range slices.SortedFunc(maps.Keys(counted), offers.UsageKey.Compare) {
		gone = append(gone, offers.Usage{UsageKey: k, Counts: offers.Counts{Clicks: counted[k]}})
	}
	mine, err := affiliate.Write(ctx, s.units(), func(ctx context.Context, tx links.Tx) (bool, error) {
		done, err := tx.Retention().Get(ctx)
		if err != nil || done.ClicksThrough != before.ClicksThrough {
			return false, err // another process has given up these clicks
		}
		done.ClicksThrough, done.Clicks, done.Entries = last.ID, done.Clicks+int64(part.Lines()), done.Entries+int64(booked)
		if day.After(done.ClicksFrom) {
			done.ClicksFrom = day
		}
		if err := tx.Retention().Add(ctx, gone...); err != nil {
			return false, err
		}
		return true, tx.Retention().Put(ctx, done)
	})
	if err != nil {
		return false, err
	}
	if mine {
		r.Clicks += int64(part.Lines())
		s.opts.Progress(Progress{Clicks, r.Clicks, last.At})
	}
	return more || full || !mine, nil
}

// readPage reads the next clicks behind one; the first page is behind those that
// were given up.
func (s *Service) readPage(ctx context.Context, from uuid.UUID, first bool, day time.Time) (page, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx links.Tx) (p page, err error) {
		if p.before, err = tx.Retention().Get(ctx); err != nil {
			return p, err
		}
		if first {
			from = p.before.ClicksThrough
		}
		if p.clicks, p.more, err = after(ctx, tx, from, day, s.opts.Batch); err != nil {
			return p, err
		}
		p.booked, err = booked(ctx, tx, p.clicks)
		return p, err
	})
}

func (s *Service) countBooked(ctx context.Context, clicks []links.Click) (int, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx links.Tx) (int, error) { return booked(ctx, tx, clicks) })
}

// booked returns how many of the clicks have an entry in the ledger.
func booked(ctx context.Context, tx links.Tx, clicks []links.Click) (int, error) {
	if len(clicks) == 0 {
		return 0, nil
	}
	causes := make([]string, len(clicks))
	for i, c := range clicks {
		causes[i] = c.Cause()
	}
	entries, err := tx.Ledger().ByCauses(ctx, causes)
	return len(entries), err
}

// count adds what budgets have counted of the clicks.
func count(counted map[offers.UsageKey]int64, clicks []links.Click) error {
	for _, c := range clicks {
		keys, err := c.CountedIn()
		if err != nil {
			return err
		}
		for _, k := range keys {
			counted[k]++
		}
	}
	return nil
}
