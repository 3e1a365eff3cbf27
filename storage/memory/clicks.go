package memory

import (
	"bytes"
	"context"
	"hash/maphash"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
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
}

func compareClicks(a, b *clickRow) int { return bytes.Compare(a.id[:], b.id[:]) }

// clickTable has the clicks in the order they came, and by id, which is nearly
// the same order.
type clickTable struct {
	*table[clickRow]
	byID         *ordered[clickRow]
	byLink       *groups[clickRow, uint32]
	byUser       *groups[clickRow, uint32]
	byAdvertiser *groups[clickRow, uint32]
	newestValid  *visits
	verdicts     []links.Verdict
}

func newClickTable() clickTable {
	t := &table[clickRow]{}
	return clickTable{t,
		newOrdered(t, compareClicks),
		newGroups(t, func(c *clickRow) (uint32, bool) { return c.link, true }, compareClicks),
		newGroups(t, func(c *clickRow) (uint32, bool) { return c.user, true }, compareClicks),
		newGroups(t, func(c *clickRow) (uint32, bool) { return c.advertiser, true }, compareClicks),
		&visits{unique[clickRow, visit]{rows: &t.slab, key: visitOf, seed: maphash.MakeSeed()}},
		links.Verdicts(),
	}
}

// find is the row of the click with the id.
func (t clickTable) find(id uuid.UUID) (uint32, bool) {
	row, ok := t.byID.first(func(c *clickRow) bool { return bytes.Compare(c.id[:], id[:]) >= 0 })
	return row, ok && t.at(row).id == id
}

// visit is a links.Visit under one of its keys.
type visit struct {
	link    uint32
	visitor links.VisitorKey
}

func visitOf(c *clickRow) (visit, bool) { return visit{c.link, c.visitor}, true }

// visits knows the newest valid click of each visit. It is not an index of the
// table, because a click takes the place of another in it.
type visits struct{ newest unique[clickRow, visit] }

// note takes the valid click in, when it is the newest of its visit.
func (x *visits) note(u *unit, id uint32) {
	c := x.newest.rows.at(id)
	k, _ := visitOf(c)
	old, ok := x.newest.find(k)
	if ok && x.newest.rows.at(old).at >= c.at {
		return
	}
	if ok {
		x.newest.remove(old)
	}
	x.newest.add(id)
	u.note(change{target: x, id: id, old: old})
}

func (x *visits) undo(c change) {
	x.newest.remove(c.id)
	if c.old != 0 {
		x.newest.add(c.old)
	}
}

func (x *visits) keep(change) {}

var clickColumns = columns[clickRow]{"at": number(func(c *clickRow) int64 { return c.at })}

type clicks struct{ u *unit }

func (r clicks) click(_ uint32, c *clickRow) links.Click {
	db := r.u.db
	currency := affiliate.Currency(db.codes.text(uint32(c.currency)))
	return links.Click{
		ID:           c.id,
		LinkID:       int64(c.link),
		UserID:       int64(c.user),
		AdvertiserID: int64(c.advertiser),
		OfferID:      int64(c.offer),
		At:           fromMicro(c.at),
		Source:       affiliate.TrafficSource(c.source),
		Visitor:      c.visitor,
		Verdict:      db.links.clicks.verdicts[c.verdict],
		Reason:       db.words.text(c.reason),
		Earning:      affiliate.NewMoney(c.earning, currency),
		Cost:         affiliate.NewMoney(c.cost, currency),
		Terms:        db.words.text(c.terms),
	}
}

// row is the click as kept; what it refers to is known to exist.
func (r clicks) row(c *links.Click) clickRow {
	db := r.u.db
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
		terms:      db.words.number(c.Terms),
		reason:     db.words.number(c.Reason),
		currency:   uint16(db.codes.number(string(c.Earning.Currency()))),
		source:     uint8(c.Source),
		verdict:    uint8(slices.Index(db.links.clicks.verdicts, c.Verdict)),
	}
}

func (r clicks) Add(ctx context.Context, list ...links.Click) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return r.u.fail(err)
		}
	}
	if err := r.refer(list); err != nil {
		return r.u.fail(err)
	}
	t := r.u.db.links.clicks
	for i := range list {
		row := r.row(&list[i])
		var f refusal
		_, taken := t.find(row.id)
		f.frees(taken, "id")
		if err := f.err("click"); err != nil {
			return r.u.fail(err)
		}
		id, err := t.insert(r.u, row)
		if err != nil {
			return r.u.fail(err)
		}
		if list[i].Verdict == links.VerdictValid {
			t.newestValid.note(r.u, id)
		}
	}
	return nil
}

func (r clicks) refer(list []links.Click) error {
	db := r.u.db
	for i := range list {
		var f refusal
		f.refers(db.links.links.knows(list[i].LinkID), "link_id")
		f.refers(db.core.users.knows(list[i].UserID), "user_id")
		f.refers(db.core.advertisers.knows(list[i].AdvertiserID), "advertiser_id")
		f.refers(db.offers.offers.knowsOr0(list[i].OfferID), "offer_id")
		if err := f.err("click"); err != nil {
			return err
		}
	}
	return nil
}

func (r clicks) Get(ctx context.Context, id uuid.UUID) (links.Click, error) {
	if err := r.u.use(ctx); err != nil {
		return links.Click{}, err
	}
	t := r.u.db.links.clicks
	row, ok := t.find(id)
	if !ok {
		return links.Click{}, affiliate.NotFound("click", id)
	}
	return r.click(row, t.at(row)), nil
}

func (r clicks) List(ctx context.Context, f links.ClickFilter, p affiliate.PageRequest) (affiliate.Page[links.Click], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[links.Click]{}, err
	}
	db := r.u.db
	t := db.links.clicks
	link, okLink := db.links.links.find(f.LinkID)
	user, okUser := db.core.users.find(f.UserID)
	advertiser, okAdvertiser := db.core.advertisers.find(f.AdvertiserID)
	verdict := slices.Index(t.verdicts, f.Verdict)
	s := selection[clickRow]{all: true, inOrder: t.byID}
	partly := f.Verdict != "" || !f.From.IsZero() || !f.Until.IsZero()
	switch {
	case f.LinkID != 0 && !okLink, f.UserID != 0 && !okUser, f.AdvertiserID != 0 && !okAdvertiser, f.Verdict != "" && verdict < 0:
		s = only[clickRow](nil)
	case okLink:
		s = only[clickRow](t.byLink.of(link))
		partly = partly || okUser || okAdvertiser
	case okUser && okAdvertiser:
		s = only[clickRow](shorter(t.byUser.of(user), t.byAdvertiser.of(advertiser)))
		partly = true
	case okUser:
		s = only[clickRow](t.byUser.of(user))
	case okAdvertiser:
		s = only[clickRow](t.byAdvertiser.of(advertiser))
	}
	if partly {
		from, until := microFrom(f.From), microFrom(f.Until)
		s.keep = func(_ uint32, c *clickRow) bool {
			return (!okUser || user == c.user) && (!okAdvertiser || advertiser == c.advertiser) &&
				(verdict < 0 || verdict == int(c.verdict)) &&
				(f.From.IsZero() || c.at >= from) && (f.Until.IsZero() || c.at < until)
		}
	}
	return page(r.u, t.table, s, p, clickColumns, r.click)
}

// microFrom is the first microsecond since 1970 that is not before t.
func microFrom(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

func (r clicks) Scan(ctx context.Context, after uuid.UUID, limit int) ([]links.Click, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.links.clicks
	part, i := t.byID.search(func(c *clickRow) bool { return bytes.Compare(c.id[:], after[:]) > 0 })
	var ids []uint32
	t.byID.each(part, i, func(id uint32) bool {
		ids = append(ids, id)
		return len(ids) < limit
	})
	return answer(t.table, ids, r.click), nil
}

func (r clicks) LastValid(ctx context.Context, list []links.Visit, since time.Time) ([]time.Time, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.clicks
	out := make([]time.Time, len(list))
	for i := range list {
		v := &list[i]
		link, ok := r.u.db.links.links.find(v.LinkID)
		if !ok {
			continue
		}
		newest := since.UnixMicro()
		for _, key := range [...]links.VisitorKey{v.Visitor, v.Previous} {
			if id, ok := t.newestValid.newest.find(visit{link, key}); ok && t.at(id).at > newest {
				newest = t.at(id).at
				out[i] = fromMicro(newest)
			}
		}
	}
	return out, nil
}
