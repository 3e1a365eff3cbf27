package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type usageTable struct {
	*engine.Table[offers.Usage]
	byKey   *engine.Unique[offers.Usage, offers.UsageKey]
	inOrder *engine.Ordered[offers.Usage]
}

func newUsageTable(db *DB) usageTable {
	t := engine.NewTable[offers.Usage](&db.store)
	return usageTable{t,
		engine.NewUnique(t, func(u *offers.Usage) (offers.UsageKey, bool) { return u.UsageKey, true }),
		engine.NewOrdered(t, func(a, b *offers.Usage) int { return a.Compare(b.UsageKey) }),
	}
}

// counts are those of a key, zero when nothing was added to it.
func (t usageTable) counts(k offers.UsageKey) offers.Counts {
	id, ok := t.byKey.Find(k)
	if !ok {
		return offers.Counts{}
	}
	return t.At(id).Counts
}

type usage struct{ u *unit }

func (r usage) Get(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	out := make(map[offers.UsageKey]offers.Counts, len(keys))
	for _, k := range keys {
		out[k] = r.u.db.offers.usage.counts(k)
	}
	return out, nil
}

func (r usage) Lock(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	if err := r.u.Change(ctx); err != nil { // the unit has locked everything
		return nil, err
	}
	return r.Get(ctx, keys)
}

func (r usage) Add(ctx context.Context, list ...offers.Usage) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.offers.usage
	for _, add := range list {
		id, ok := t.byKey.Find(add.UsageKey)
		if !ok {
			var err error
			if id, err = t.Insert(offers.Usage{UsageKey: add.UsageKey}); err != nil {
				return r.u.Fail(err)
			}
		}
		row := t.Touch(id)
		if !addTo(&row.Clicks, add.Clicks) || !addTo(&row.Spent, add.Spent) {
			return r.u.Fail(engine.Overflow("usage"))
		}
	}
	return nil
}

// addTo adds n to *sum and reports whether it fits.
func addTo(sum *int64, n int64) bool {
	next := *sum + n
	if (n > 0) != (next > *sum) && n != 0 {
		return false
	}
	*sum = next
	return true
}

func (r usage) Scan(ctx context.Context, after offers.UsageKey, limit int) ([]offers.Usage, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.offers.usage
	part, i := t.inOrder.Search(func(u *offers.Usage) bool { return u.Compare(after) > 0 })
	var out []offers.Usage
	t.inOrder.Each(part, i, func(id uint32) bool {
		out = append(out, *t.At(id))
		return len(out) < limit
	})
	return out, nil
}

// offerDayKey is what an offers.Day is about.
type offerDayKey struct {
	date        int32
	offer, user int64
}

type offerDayRow struct {
	offerDayKey
	clicks, earning, cost int64
}

func (k offerDayKey) compare(o offerDayKey) int {
	return cmp.Or(cmp.Compare(k.date, o.date), cmp.Compare(k.offer, o.offer), cmp.Compare(k.user, o.user))
}

type offerDayTable struct {
	*engine.Table[offerDayRow]
	byKey   *engine.Unique[offerDayRow, offerDayKey]
	byOffer *engine.Groups[offerDayRow, int64]
	byPart  *engine.Groups[offerDayRow, offers.Part]
}

func newOfferDayTable(db *DB) offerDayTable {
	t := engine.NewTable[offerDayRow](&db.store)
	return offerDayTable{t,
		engine.NewUnique(t, func(d *offerDayRow) (offerDayKey, bool) { return d.offerDayKey, true }),
		engine.NewGroups(t, func(d *offerDayRow) (int64, bool) { return d.offer, true }, nil),
		engine.NewGroups(t, func(d *offerDayRow) (offers.Part, bool) { return offers.Part{OfferID: d.offer, UserID: d.user}, true }, nil),
	}
}

type offerDays struct{ u *unit }

func (r offerDays) Add(ctx context.Context, list ...offers.Day) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.offers.days
	for _, d := range list {
		key := offerDayKey{dayNumber(d.Date), d.OfferID, d.UserID}
		id, ok := t.byKey.Find(key)
		if !ok {
			var err error
			if id, err = t.Insert(offerDayRow{offerDayKey: key}); err != nil {
				return r.u.Fail(err)
			}
		}
		row := t.Touch(id)
		if !addTo(&row.clicks, d.Clicks) || !addTo(&row.earning, d.Earning) || !addTo(&row.cost, d.Cost) {
			return r.u.Fail(engine.Overflow("day"))
		}
	}
	return nil
}

// find are the roll-ups of a filter, in the order of the list.
func (r offerDays) find(f offers.DayFilter) []offerDayRow {
	t := r.u.db.offers.days
	users := engine.SetOf(f.UserIDs)
	var rows []offerDayRow
	keep := func(id uint32) bool {
		d := t.At(id)
		if (f.OfferID == 0 || d.offer == f.OfferID) && (f.UserIDs == nil || users[d.user]) &&
			(f.From.IsZero() || d.date >= dayNumber(f.From)) && (f.Until.IsZero() || d.date < dayNumber(f.Until)) {
			rows = append(rows, *d)
		}
		return true
	}
	if f.OfferID != 0 {
		for _, id := range t.byOffer.Of(f.OfferID) {
			keep(id)
		}
	} else {
		t.Each(0, keep)
	}
	slices.SortFunc(rows, func(a, b offerDayRow) int { return a.compare(b.offerDayKey) })
	return rows
}

func (r offerDays) List(ctx context.Context, f offers.DayFilter) ([]offers.Day, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	var out []offers.Day
	for _, d := range r.find(f) {
		out = append(out, d.day())
	}
	return out, nil
}

func (d offerDayRow) day() offers.Day {
	return offers.Day{Date: dayDate(d.date), OfferID: d.offer, UserID: d.user, Clicks: d.clicks, Earning: d.earning, Cost: d.cost}
}

func (r offerDays) ByDate(ctx context.Context, f offers.DayFilter) ([]offers.Day, error) {
	return r.sums(ctx, f, func(d offers.Day) offers.Day { return offers.Day{Date: d.Date, OfferID: f.OfferID} })
}

func (r offerDays) ByUser(ctx context.Context, f offers.DayFilter) ([]offers.Day, error) {
	return r.sums(ctx, f, func(d offers.Day) offers.Day { return offers.Day{UserID: d.UserID, OfferID: f.OfferID} })
}

// sums adds roll-ups up by the key that of gives them.
func (r offerDays) sums(ctx context.Context, f offers.DayFilter, of func(offers.Day) offers.Day) ([]offers.Day, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	at := make(map[offers.Day]int)
	var out []offers.Day
	for _, row := range r.find(f) {
		d := row.day()
		k := of(d)
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k], out = i, append(out, k)
		}
		sum := &out[i]
		if !addTo(&sum.Clicks, d.Clicks) || !addTo(&sum.Earning, d.Earning) || !addTo(&sum.Cost, d.Cost) {
			return nil, r.u.Fail(engine.Overflow("day"))
		}
	}
	slices.SortFunc(out, func(a, b offers.Day) int { return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.UserID, b.UserID)) })
	return out, nil
}

type sharedBudgetTable struct {
	*engine.Table[offers.SharedBudget]
	byAdvertiser *engine.Groups[offers.SharedBudget, int64]
}

func newSharedBudgetTable(db *DB) sharedBudgetTable {
	t := engine.NewTable[offers.SharedBudget](&db.store)
	return sharedBudgetTable{t, engine.NewGroups(t, func(b *offers.SharedBudget) (int64, bool) { return b.AdvertiserID, true }, nil)}
}

func copySharedBudget(id uint32, b *offers.SharedBudget) offers.SharedBudget {
	c := *b
	c.ID = int64(id)
	return c
}

func keptSharedBudget(b offers.SharedBudget) offers.SharedBudget {
	b.ID, b.CreatedAt, b.UpdatedAt = 0, engine.Kept(b.CreatedAt), engine.Kept(b.UpdatedAt)
	return b
}

var sharedBudgetColumns = engine.Columns[offers.SharedBudget]{
	"title":  engine.Text(func(b *offers.SharedBudget) string { return b.Title }),
	"amount": engine.Number(func(b *offers.SharedBudget) int64 { return b.Amount }),
}

type sharedBudgets struct{ u *unit }

func (r sharedBudgets) check(b offers.SharedBudget) error {
	var f engine.Refusal
	f.Refers(r.u.db.core.advertisers.Knows(b.AdvertiserID), "store_id")
	return f.Err("shared_budget")
}

func (r sharedBudgets) Add(ctx context.Context, b offers.SharedBudget) (offers.SharedBudget, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, b, keptSharedBudget, r.check, copySharedBudget)
}

func (r sharedBudgets) Get(ctx context.Context, id int64) (offers.SharedBudget, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, "shared_budget", id, copySharedBudget)
}

func (r sharedBudgets) GetMany(ctx context.Context, ids []int64) ([]offers.SharedBudget, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, ids, copySharedBudget)
}

func (r sharedBudgets) Update(ctx context.Context, b offers.SharedBudget) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, "shared_budget", b.ID, b, keptSharedBudget, r.check)
}

func (r sharedBudgets) Delete(ctx context.Context, id int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.offers.offers
	having := slices.Clone(t.byBudget.Of(id))
	for _, o := range having {
		if t.At(o).DeletedAt.IsZero() {
			return r.u.Fail(affiliate.Conflict("shared_budget", "in_use", "a campaign has the shared budget"))
		}
	}
	for _, o := range having {
		freed := *t.At(o)
		freed.SharedBudgetID = 0
		t.Replace(o, freed)
	}
	return engine.Remove(ctx, &r.u.Unit, r.u.db.offers.budgets.Table, "shared_budget", id)
}

func (r sharedBudgets) List(ctx context.Context, f offers.SharedBudgetFilter, p affiliate.PageRequest) (affiliate.Page[offers.SharedBudget], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[offers.SharedBudget]{}, err
	}
	t := r.u.db.offers.budgets
	s := engine.Everything[offers.SharedBudget]()
	if f.AdvertiserID != 0 {
		s = engine.Only[offers.SharedBudget](t.byAdvertiser.Of(f.AdvertiserID))
	}
	if f.IDs != nil {
		ids := engine.SetOf(f.IDs)
		s.Keep = func(id uint32, _ *offers.SharedBudget) bool { return ids[int64(id)] }
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, sharedBudgetColumns, copySharedBudget)
}
