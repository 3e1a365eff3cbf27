package memory

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// clickRow is a links.Click in 88 bytes, and without pointers, so that the
// garbage collector passes by.
type clickRow struct {
	id               uuid.UUID
	visitor          links.VisitorKey
	at               int64 // microseconds since 1970
	earning, cost    int64
	link             uint32
	user, advertiser uint32
	offer            uint32
	terms, reason    uint32 // words
	currency         uint16 // a code
	source, verdict  uint8  // verdict: its place in links.Verdicts
	repeats          uint32 // the row of another click; 0: none
}

func compareClicks(a, b *clickRow) int { return bytes.Compare(a.id[:], b.id[:]) }

// clickTable has the clicks in the order they came, and by id, which is nearly
// the same order.
type clickTable struct {
	*engine.Table[clickRow]
	byID         *engine.Ordered[clickRow]
	byLink       *engine.Groups[clickRow, uint32]
	byUser       *engine.Groups[clickRow, uint32]
	byAdvertiser *engine.Groups[clickRow, uint32]
	newestValid  *visits
	verdicts     []links.Verdict
}

func newClickTable(db *DB) clickTable {
	t := engine.NewTable[clickRow](&db.store)
	return clickTable{t,
		engine.NewOrdered(t, compareClicks),
		engine.NewGroups(t, func(c *clickRow) (uint32, bool) { return c.link, true }, compareClicks),
		engine.NewGroups(t, func(c *clickRow) (uint32, bool) { return c.user, true }, compareClicks),
		engine.NewGroups(t, func(c *clickRow) (uint32, bool) { return c.advertiser, true }, compareClicks),
		&visits{&db.store, engine.NewKeys(&t.Slab, visitOf)},
		links.Verdicts(),
	}
}

// find is the row of the click with the id.
func (t clickTable) find(id uuid.UUID) (uint32, bool) {
	row, ok := t.byID.First(func(c *clickRow) bool { return bytes.Compare(c.id[:], id[:]) >= 0 })
	return row, ok && t.At(row).id == id
}

// idOf is the id of the click in a row, uuid.Nil of none and of one that was removed.
func (t clickTable) idOf(row uint32) uuid.UUID {
	if _, ok := t.Find(int64(row)); !ok {
		return uuid.Nil
	}
	return t.At(row).id
}

// visit is a links.Visit under one of its keys.
type visit struct {
	link    uint32
	visitor links.VisitorKey
}

func visitOf(c *clickRow) (visit, bool) { return visit{c.link, c.visitor}, true }

// visits knows the newest valid click of each visit. It is not an index of the
// table, because a click takes the place of another in it.
type visits struct {
	store  *engine.Store
	newest *engine.Unique[clickRow, visit]
}

// note takes the valid click in, when it is the newest of its visit.
func (x *visits) note(id uint32) {
	c := x.newest.Rows.At(id)
	k, _ := visitOf(c)
	old, ok := x.newest.Find(k)
	if ok && x.newest.Rows.At(old).at >= c.at {
		return
	}
	if ok {
		x.newest.Remove(old)
	}
	x.newest.Add(id)
	x.store.Note(engine.Step{Target: x, ID: id, Old: old})
}

// The steps of visits.
const (
	visitNoted = iota
	visitForgotten
)

// forget takes the click out, when it is the newest of its visit.
func (x *visits) forget(id uint32) {
	k, _ := visitOf(x.newest.Rows.At(id))
	if newest, _ := x.newest.Find(k); newest == id {
		x.newest.Remove(id)
		x.store.Note(engine.Step{Target: x, What: visitForgotten, ID: id})
	}
}

func (x *visits) Undo(c engine.Step) {
	if c.What == visitForgotten {
		x.newest.Add(c.ID)
		return
	}
	x.newest.Remove(c.ID)
	if c.Old != 0 {
		x.newest.Add(c.Old)
	}
}

func (x *visits) Keep(engine.Step) {}

var clickColumns = engine.Columns[clickRow]{"at": engine.Number(func(c *clickRow) int64 { return c.at })}

type clicks struct{ u *unit }

func (r clicks) click(_ uint32, c *clickRow) links.Click {
	db := r.u.db
	currency := affiliate.Currency(db.codes.Text(uint32(c.currency)))
	return links.Click{
		ID:           c.id,
		LinkID:       int64(c.link),
		UserID:       int64(c.user),
		AdvertiserID: int64(c.advertiser),
		OfferID:      int64(c.offer),
		At:           engine.FromMicro(c.at),
		Source:       affiliate.TrafficSource(c.source),
		Visitor:      c.visitor,
		Verdict:      db.links.clicks.verdicts[c.verdict],
		Repeats:      db.links.clicks.idOf(c.repeats),
		Reason:       db.words.Text(c.reason),
		Earning:      affiliate.NewMoney(c.earning, currency),
		Cost:         affiliate.NewMoney(c.cost, currency),
		Terms:        db.words.Text(c.terms),
	}
}

// row is the click as kept; what it refers to is known to exist.
func (r clicks) row(c *links.Click) clickRow {
	db := r.u.db
	var repeats uint32
	if c.Repeats != uuid.Nil {
		repeats, _ = db.links.clicks.find(c.Repeats)
	}
	return clickRow{
		id:         c.ID,
		visitor:    c.Visitor,
		at:         c.At.UnixMicro(),
		earning:    c.Earning.Minor(),
		cost:       c.Cost.Minor(),
		link:       uint32(c.LinkID),
		user:       uint32(c.UserID),
		advertiser: uint32(c.AdvertiserID),
		offer:      uint32(c.OfferID),
		terms:      db.words.Number(c.Terms),
		reason:     db.words.Number(c.Reason),
		currency:   uint16(db.codes.Number(string(c.Earning.Currency()))),
		source:     uint8(c.Source),
		verdict:    uint8(slices.Index(db.links.clicks.verdicts, c.Verdict)),
		repeats:    repeats,
	}
}

func (r clicks) Add(ctx context.Context, list ...links.Click) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	if err := r.refer(list); err != nil {
		return r.u.Fail(err)
	}
	t := r.u.db.links.clicks
	for i := range list {
		row := r.row(&list[i])
		var f engine.Refusal
		f.Refers(list[i].Repeats == uuid.Nil || row.repeats != 0, "repeats")
		_, taken := t.find(row.id)
		f.Unique(taken, "id")
		if err := f.Err("click"); err != nil {
			return r.u.Fail(err)
		}
		id, err := t.Insert(row)
		if err != nil {
			return r.u.Fail(err)
		}
		if list[i].Verdict == links.VerdictValid {
			t.newestValid.note(id)
		}
	}
	return nil
}

func (r clicks) refer(list []links.Click) error {
	db := r.u.db
	for i := range list {
		var f engine.Refusal
		f.Refers(db.links.links.Knows(list[i].LinkID), "link_id")
		f.Refers(db.core.users.Knows(list[i].UserID), "user_id")
		f.Refers(db.core.advertisers.Knows(list[i].AdvertiserID), "advertiser_id")
		f.Refers(db.offers.offers.KnowsOr0(list[i].OfferID), "offer_id")
		if err := f.Err("click"); err != nil {
			return err
		}
	}
	return nil
}

func (r clicks) Get(ctx context.Context, id uuid.UUID) (links.Click, error) {
	if err := r.u.Use(ctx); err != nil {
		return links.Click{}, err
	}
	t := r.u.db.links.clicks
	row, ok := t.find(id)
	if !ok {
		return links.Click{}, affiliate.NotFound("click", id)
	}
	return r.click(row, t.At(row)), nil
}

func (r clicks) GetMany(ctx context.Context, ids []uuid.UUID) ([]links.Click, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.clicks
	var rows []uint32
	for _, id := range ids {
		if row, ok := t.find(id); ok {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b uint32) int { return compareClicks(t.At(a), t.At(b)) })
	return engine.Collect(t.Table, slices.Compact(rows), r.click), nil
}

func (r clicks) List(ctx context.Context, f links.ClickFilter, p affiliate.PageRequest) (affiliate.Page[links.Click], error) {
	db := r.u.db
	t := &db.links.clicks
	return engine.List(ctx, &r.u.Unit, t.Table, p, clickColumns, r.click, func(w *engine.Where[clickRow]) {
		w.By(t.byID)
		engine.Refers(w, f.LinkID, &db.links.links.Slab, t.byLink)
		engine.Refers(w, f.UserID, &db.core.users.Slab, t.byUser)
		engine.Refers(w, f.AdvertiserID, &db.core.advertisers.Slab, t.byAdvertiser)
		verdict := slices.Index(t.verdicts, f.Verdict)
		w.That(f.Verdict != "", func(c *clickRow) bool { return int(c.verdict) == verdict })
		from, until := microFrom(f.From), microFrom(f.Until)
		w.That(!f.From.IsZero(), func(c *clickRow) bool { return c.at >= from })
		w.That(!f.Until.IsZero(), func(c *clickRow) bool { return c.at < until })
	})
}

// microFrom is the first microsecond since 1970 that is not before t.
func microFrom(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

func (r clicks) Scan(ctx context.Context, after uuid.UUID, limit int) ([]links.Click, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.links.clicks
	part, i := t.byID.Search(func(c *clickRow) bool { return bytes.Compare(c.id[:], after[:]) > 0 })
	var ids []uint32
	t.byID.Each(part, i, func(id uint32) bool {
		ids = append(ids, id)
		return len(ids) < limit
	})
	return engine.Collect(t.Table, ids, r.click), nil
}

func (r clicks) LastValid(ctx context.Context, list []links.Visit, since time.Time) ([]links.LastVisit, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.clicks
	out := make([]links.LastVisit, len(list))
	for i := range list {
		v := &list[i]
		link, ok := r.u.db.links.links.Find(v.LinkID)
		if !ok {
			continue
		}
		newest := since.UnixMicro()
		for _, key := range [...]links.VisitorKey{v.Visitor, v.Previous} {
			if key == (links.VisitorKey{}) {
				continue // of those that nobody knows, and of erased ones
			}
			if id, ok := t.newestValid.newest.Find(visit{link, key}); ok && t.At(id).at > newest {
				newest = t.At(id).at
				out[i] = links.LastVisit{At: engine.FromMicro(newest), ClickID: t.At(id).id}
			}
		}
	}
	return out, nil
}

func (r clicks) EraseVisitors(ctx context.Context, after, through uuid.UUID) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := r.u.db.links.clicks
	part, i := t.byID.Search(func(c *clickRow) bool { return bytes.Compare(c.id[:], after[:]) > 0 })
	var rows []uint32
	t.byID.Each(part, i, func(id uint32) bool {
		c := t.At(id)
		if bytes.Compare(c.id[:], through[:]) > 0 {
			return false
		}
		if c.visitor != (links.VisitorKey{}) {
			rows = append(rows, id)
		}
		return true
	})
	for _, id := range rows {
		t.newestValid.forget(id)
		t.Touch(id).visitor = links.VisitorKey{}
	}
	return len(rows), nil
}

func (r clicks) Remove(ctx context.Context, through uuid.UUID, limit int) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := r.u.db.links.clicks
	var rows []uint32
	t.byID.Each(0, 0, func(id uint32) bool {
		if len(rows) >= limit || bytes.Compare(t.At(id).id[:], through[:]) > 0 {
			return false
		}
		rows = append(rows, id)
		return true
	})
	for _, id := range rows {
		t.newestValid.forget(id)
		t.Delete(id)
	}
	return len(rows), nil
}
