package memory

import (
	"cmp"
	"context"
	"sort"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

const secondsADay = 24 * 60 * 60

// dayNumber counts days since 1970.
func dayNumber(t time.Time) int32 { return int32(links.DayOf(t).Unix() / secondsADay) }

func dayDate(n int32) time.Time { return time.Unix(int64(n)*secondsADay, 0).UTC() }

type dayKey struct {
	date             int32
	advertiser, user uint32
	currency         uint16 // a code
}

// dayRow is a links.Day.
type dayRow struct {
	dayKey
	clicks, valid, earning, cost int64
}

type dayTable struct {
	*engine.Table[dayRow]
	byKey        *engine.Unique[dayRow, dayKey]
	byAdvertiser *engine.Groups[dayRow, uint32] // in the order of the list, as the next two
	byUser       *engine.Groups[dayRow, uint32]
	inOrder      *engine.Ordered[dayRow]
}

func newDayTable(db *DB) dayTable {
	t := engine.NewTable[dayRow](&db.store)
	order := func(a, b *dayRow) int {
		if c := cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.advertiser, b.advertiser), cmp.Compare(a.user, b.user)); c != 0 {
			return c
		}
		return strings.Compare(db.codes.Text(uint32(a.currency)), db.codes.Text(uint32(b.currency)))
	}
	return dayTable{t,
		engine.NewUnique(t, func(d *dayRow) (dayKey, bool) { return d.dayKey, true }),
		engine.NewGroups(t, func(d *dayRow) (uint32, bool) { return d.advertiser, true }, order),
		engine.NewGroups(t, func(d *dayRow) (uint32, bool) { return d.user, true }, order),
		engine.NewOrdered(t, order),
	}
}

type days struct{ u *unit }

func (r days) day(_ uint32, d *dayRow) links.Day {
	return links.Day{
		Date:         dayDate(d.date),
		AdvertiserID: int64(d.advertiser),
		UserID:       int64(d.user),
		Currency:     affiliate.Currency(r.u.db.codes.Text(uint32(d.currency))),
		Clicks:       d.clicks,
		Valid:        d.valid,
		Earning:      d.earning,
		Cost:         d.cost,
	}
}

func (r days) Add(ctx context.Context, list ...links.Day) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for i := range list {
		var v affiliate.Validation
		v.Check(list[i].Currency.Valid(), "currency", "unknown_currency", "must be an ISO 4217 code")
		if err := v.Err("day"); err != nil {
			return r.u.Fail(err)
		}
	}
	core := &r.u.db.core
	for i := range list {
		var f engine.Refusal
		f.Refers(core.advertisers.Knows(list[i].AdvertiserID), "advertiser_id")
		f.Refers(core.users.Knows(list[i].UserID), "user_id")
		if err := f.Err("day"); err != nil {
			return r.u.Fail(err)
		}
	}
	for i := range list {
		if err := r.add(&list[i]); err != nil {
			return r.u.Fail(err)
		}
	}
	return nil
}

func (r days) add(d *links.Day) error {
	db := r.u.db
	t := db.links.days
	key := dayKey{dayNumber(d.Date), uint32(d.AdvertiserID), uint32(d.UserID), uint16(db.codes.Number(string(d.Currency)))}
	id, ok := t.byKey.Find(key)
	if !ok {
		_, err := t.Insert(dayRow{key, d.Clicks, d.Valid, d.Earning, d.Cost})
		return err
	}
	row := t.Touch(id)
	for _, s := range [...]struct {
		sum *int64
		add int64
	}{{&row.clicks, d.Clicks}, {&row.valid, d.Valid}, {&row.earning, d.Earning}, {&row.cost, d.Cost}} {
		next := *s.sum + s.add
		if (next > *s.sum) != (s.add > 0) && s.add != 0 {
			return engine.Overflow("day")
		}
		*s.sum = next
	}
	return nil
}

func (r days) List(ctx context.Context, f links.DayFilter) ([]links.Day, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	db := r.u.db
	t := db.links.days
	user, okUser := db.core.users.Find(f.UserID)
	advertiser, okAdvertiser := db.core.advertisers.Find(f.AdvertiserID)
	if f.UserID != 0 && !okUser || f.AdvertiserID != 0 && !okAdvertiser {
		return nil, nil
	}
	started := func(d *dayRow) bool { return f.From.IsZero() || d.date >= dayNumber(f.From) }
	var ids []uint32
	collect := func(id uint32) bool {
		d := t.At(id)
		if !f.Until.IsZero() && d.date >= dayNumber(f.Until) {
			return false
		}
		if (!okUser || d.user == user) && (!okAdvertiser || d.advertiser == advertiser) {
			ids = append(ids, id)
		}
		return true
	}
	if !okUser && !okAdvertiser {
		part, i := t.inOrder.Search(started)
		t.inOrder.Each(part, i, collect)
		return engine.Collect(t.Table, ids, r.day), nil
	}
	group := t.byAdvertiser.Of(advertiser)
	if okUser && (!okAdvertiser || len(t.byUser.Of(user)) < len(group)) {
		group = t.byUser.Of(user)
	}
	first := sort.Search(len(group), func(i int) bool { return started(t.At(group[i])) })
	for _, id := range group[first:] {
		if !collect(id) {
			break
		}
	}
	return engine.Collect(t.Table, ids, r.day), nil
}

type secretTable struct {
	*engine.Table[links.VisitorSecret]
	byDate *engine.Unique[links.VisitorSecret, int32]
}

func newSecretTable(db *DB) secretTable {
	t := engine.NewTable[links.VisitorSecret](&db.store)
	return secretTable{t, engine.NewUnique(t, func(s *links.VisitorSecret) (int32, bool) { return dayNumber(s.Date), true })}
}

type visitorSecrets struct{ u *unit }

func (r visitorSecrets) AddOrGet(ctx context.Context, s links.VisitorSecret) (links.VisitorSecret, error) {
	if err := r.u.Change(ctx); err != nil {
		return links.VisitorSecret{}, err
	}
	t := r.u.db.links.secrets
	if id, ok := t.byDate.Find(dayNumber(s.Date)); ok {
		return *t.At(id), nil
	}
	s.Date = links.DayOf(s.Date)
	if _, err := t.Insert(s); err != nil {
		return links.VisitorSecret{}, r.u.Fail(err)
	}
	return s, nil
}

func (r visitorSecrets) RemoveBefore(ctx context.Context, date time.Time) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.links.secrets
	for _, id := range t.Scan(0, t.Len()) {
		if t.At(id).Date.Before(links.DayOf(date)) {
			t.Delete(id)
		}
	}
	return nil
}
