package memory

import (
	"cmp"
	"context"
	"sort"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
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
	*table[dayRow]
	byKey        *unique[dayRow, dayKey]
	byAdvertiser *groups[dayRow, uint32] // in the order of the list, as the next two
	byUser       *groups[dayRow, uint32]
	inOrder      *ordered[dayRow]
}

func newDayTable(codes *words) dayTable {
	t := &table[dayRow]{}
	order := func(a, b *dayRow) int {
		if c := cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.advertiser, b.advertiser), cmp.Compare(a.user, b.user)); c != 0 {
			return c
		}
		return strings.Compare(codes.text(uint32(a.currency)), codes.text(uint32(b.currency)))
	}
	return dayTable{t,
		newUnique(t, func(d *dayRow) (dayKey, bool) { return d.dayKey, true }),
		newGroups(t, func(d *dayRow) (uint32, bool) { return d.advertiser, true }, order),
		newGroups(t, func(d *dayRow) (uint32, bool) { return d.user, true }, order),
		newOrdered(t, order),
	}
}

type days struct{ u *unit }

func (r days) day(_ uint32, d *dayRow) links.Day {
	return links.Day{
		Date:         dayDate(d.date),
		AdvertiserID: int64(d.advertiser),
		UserID:       int64(d.user),
		Currency:     affiliate.Currency(r.u.db.codes.text(uint32(d.currency))),
		Clicks:       d.clicks,
		Valid:        d.valid,
		Earning:      d.earning,
		Cost:         d.cost,
	}
}

func (r days) Add(ctx context.Context, list ...links.Day) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	for i := range list {
		var v affiliate.Validation
		v.Check(list[i].Currency.Valid(), "currency", "unknown_currency", "must be an ISO 4217 code")
		if err := v.Err("day"); err != nil {
			return r.u.fail(err)
		}
	}
	core := &r.u.db.core
	for i := range list {
		var f refusal
		f.refers(core.advertisers.knows(list[i].AdvertiserID), "advertiser_id")
		f.refers(core.users.knows(list[i].UserID), "user_id")
		if err := f.err("day"); err != nil {
			return r.u.fail(err)
		}
	}
	for i := range list {
		if err := r.add(&list[i]); err != nil {
			return r.u.fail(err)
		}
	}
	return nil
}

func (r days) add(d *links.Day) error {
	db := r.u.db
	t := db.links.days
	key := dayKey{dayNumber(d.Date), uint32(d.AdvertiserID), uint32(d.UserID), uint16(db.codes.number(string(d.Currency)))}
	id, ok := t.byKey.find(key)
	if !ok {
		_, err := t.insert(r.u, dayRow{key, d.Clicks, d.Valid, d.Earning, d.Cost})
		return err
	}
	row := t.touch(r.u, id)
	for _, s := range [...]struct {
		sum *int64
		add int64
	}{{&row.clicks, d.Clicks}, {&row.valid, d.Valid}, {&row.earning, d.Earning}, {&row.cost, d.Cost}} {
		next := *s.sum + s.add
		if (next > *s.sum) != (s.add > 0) && s.add != 0 {
			return overflow("day")
		}
		*s.sum = next
	}
	return nil
}

func (r days) List(ctx context.Context, f links.DayFilter) ([]links.Day, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	db := r.u.db
	t := db.links.days
	user, okUser := db.core.users.find(f.UserID)
	advertiser, okAdvertiser := db.core.advertisers.find(f.AdvertiserID)
	if f.UserID != 0 && !okUser || f.AdvertiserID != 0 && !okAdvertiser {
		return nil, nil
	}
	started := func(d *dayRow) bool { return f.From.IsZero() || d.date >= dayNumber(f.From) }
	var ids []uint32
	collect := func(id uint32) bool {
		d := t.at(id)
		if !f.Until.IsZero() && d.date >= dayNumber(f.Until) {
			return false
		}
		if (!okUser || d.user == user) && (!okAdvertiser || d.advertiser == advertiser) {
			ids = append(ids, id)
		}
		return true
	}
	if !okUser && !okAdvertiser {
		part, i := t.inOrder.search(started)
		t.inOrder.each(part, i, collect)
		return answer(t.table, ids, r.day), nil
	}
	group := t.byAdvertiser.of(advertiser)
	if okUser && (!okAdvertiser || len(t.byUser.of(user)) < len(group)) {
		group = t.byUser.of(user)
	}
	first := sort.Search(len(group), func(i int) bool { return started(t.at(group[i])) })
	for _, id := range group[first:] {
		if !collect(id) {
			break
		}
	}
	return answer(t.table, ids, r.day), nil
}

type secretTable struct {
	*table[links.VisitorSecret]
	byDate *unique[links.VisitorSecret, int32]
}

func newSecretTable() secretTable {
	t := &table[links.VisitorSecret]{}
	return secretTable{t, newUnique(t, func(s *links.VisitorSecret) (int32, bool) { return dayNumber(s.Date), true })}
}

type visitorSecrets struct{ u *unit }

func (r visitorSecrets) AddOrGet(ctx context.Context, s links.VisitorSecret) (links.VisitorSecret, error) {
	if err := r.u.change(ctx); err != nil {
		return links.VisitorSecret{}, err
	}
	t := r.u.db.links.secrets
	if id, ok := t.byDate.find(dayNumber(s.Date)); ok {
		return *t.at(id), nil
	}
	s.Date = links.DayOf(s.Date)
	if _, err := t.insert(r.u, s); err != nil {
		return links.VisitorSecret{}, r.u.fail(err)
	}
	return s, nil
}

func (r visitorSecrets) RemoveBefore(ctx context.Context, date time.Time) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	t := r.u.db.links.secrets
	for _, id := range t.scan(0, t.live) {
		if t.at(id).Date.Before(links.DayOf(date)) {
			t.delete(r.u, id)
		}
	}
	return nil
}
