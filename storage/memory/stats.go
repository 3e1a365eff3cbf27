package memory

import (
	"bytes"
	"cmp"
	"context"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// statKey is a stats.Key.
type statKey struct {
	advertiser, offer, user, link, ad int64
	day                               int32
	level                             stats.Level
	source                            affiliate.TrafficSource
}

type statRow struct {
	statKey
	stats.Figures
}

func (k *statKey) compare(o *statKey) int {
	return cmp.Or(
		cmp.Compare(k.level, o.level), cmp.Compare(k.advertiser, o.advertiser), cmp.Compare(k.day, o.day),
		cmp.Compare(k.offer, o.offer), cmp.Compare(k.user, o.user), cmp.Compare(k.link, o.link),
		cmp.Compare(k.ad, o.ad), cmp.Compare(k.source, o.source),
	)
}

// statGroup is what an index of roll-ups finds: those of a level with an id.
type statGroup struct {
	level stats.Level
	id    int64
}

type statTable struct {
	*engine.Table[statRow]
	byKey                         *engine.Unique[statRow, statKey]
	inOrder                       *engine.Ordered[statRow]
	byAdvertiser, byOffer, byUser *engine.Groups[statRow, statGroup] // each by day
	byLink, byAd                  *engine.Groups[statRow, statGroup]
}

func newStatTable(db *DB) statTable {
	t := engine.NewTable[statRow](&db.store)
	byDay := func(a, b *statRow) int { return cmp.Or(cmp.Compare(a.day, b.day), a.compare(&b.statKey)) }
	group := func(id func(r *statRow) int64) *engine.Groups[statRow, statGroup] {
		return engine.NewGroups(t, func(r *statRow) (statGroup, bool) { return statGroup{r.level, id(r)}, id(r) != 0 }, byDay)
	}
	return statTable{
		Table:        t,
		byKey:        engine.NewUnique(t, func(r *statRow) (statKey, bool) { return r.statKey, true }),
		inOrder:      engine.NewOrdered(t, func(a, b *statRow) int { return a.compare(&b.statKey) }),
		byAdvertiser: group(func(r *statRow) int64 { return r.advertiser }),
		byOffer:      group(func(r *statRow) int64 { return r.offer }),
		byUser:       group(func(r *statRow) int64 { return r.user }),
		byLink:       group(func(r *statRow) int64 { return r.link }),
		byAd:         group(func(r *statRow) int64 { return r.ad }),
	}
}

// readerKey is a reader at a campaign on one day.
type readerKey struct {
	offer  int64
	day    int32
	reader stats.Reader
}

type readerTable struct {
	*engine.Table[readerKey]
	byKey *engine.Unique[readerKey, readerKey]
}

func newReaderTable(db *DB) readerTable {
	t := engine.NewTable[readerKey](&db.store)
	return readerTable{t, engine.NewUnique(t, func(k *readerKey) (readerKey, bool) { return *k, true })}
}

// statTables are the tables of package stats.
type statTables struct {
	rollups statTable
	readers readerTable
	configs statsConfigTable
}

func newStatTables(db *DB) statTables {
	return statTables{newStatTable(db), newReaderTable(db), newStatsConfigTable(db)}
}

// Stats is the view for package stats.
func (db *DB) Stats() stats.Store {
	return view[stats.Tx]{db, func(u *unit) stats.Tx { return statsTx{coreTx{u}} }}
}

// statsTx is the transaction of package stats.
type statsTx struct{ coreTx }

var _ stats.Tx = statsTx{}

func (tx statsTx) Stats() stats.Repository { return statRepository(tx.coreTx) }
func (tx statsTx) StatsConfigs() stats.ConfigRepository {
	return statsConfigs{statsConfigRepo(tx.coreTx)}
}

type statRepository struct{ u *unit }

func statKeyOf(k *stats.Key) statKey {
	return statKey{
		level: k.Level, advertiser: k.AdvertiserID, day: dayNumber(k.Day),
		offer: k.OfferID, user: k.UserID, link: k.LinkID, ad: k.AdID, source: k.Source,
	}
}

func (k *statKey) key() stats.Key {
	return stats.Key{
		Level: k.level, AdvertiserID: k.advertiser, Day: dayDate(k.day),
		OfferID: k.offer, UserID: k.user, LinkID: k.link, AdID: k.ad, Source: k.source,
	}
}

func (r statRepository) Add(ctx context.Context, changes ...stats.Change) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.stats.rollups
	for i := range changes {
		c := &changes[i]
		for _, level := range stats.Levels() {
			if !c.Levels.Has(level) {
				continue
			}
			at := c.At(level)
			key := statKeyOf(&at)
			id, ok := t.byKey.Find(key)
			if !ok {
				if _, err := t.Insert(statRow{key, c.Figures}); err != nil {
					return r.u.Fail(err)
				}
				continue
			}
			if !t.Touch(id).Add(&c.Figures) {
				return r.u.Fail(engine.Overflow("statistics"))
			}
		}
	}
	return nil
}

// each calls f with the roll-ups that a filter leaves.
func (r statRepository) each(f stats.Filter, by stats.Dimensions, visit func(row *statRow)) {
	db := r.u.db
	t := db.stats.rollups
	level := stats.LevelOf(f, by)
	keep := r.matcher(f)
	var lists [][]uint32
	for _, index := range []struct {
		ids []int64
		of  *engine.Groups[statRow, statGroup]
	}{{f.LinkIDs, t.byLink}, {f.AdIDs, t.byAd}, {f.UserIDs, t.byUser}, {f.OfferIDs, t.byOffer}, {f.AdvertiserIDs, t.byAdvertiser}} {
		if index.ids == nil {
			continue
		}
		for id := range engine.SetOf(index.ids) {
			lists = append(lists, index.of.Of(statGroup{level, id}))
		}
		for _, ids := range lists {
			first := sort.Search(len(ids), func(i int) bool { return t.At(ids[i]).day >= dayNumber(f.From) })
			for _, id := range ids[first:] {
				row := t.At(id)
				if !f.Until.IsZero() && row.day >= dayNumber(f.Until) {
					break
				}
				if keep(row) {
					visit(row)
				}
			}
		}
		return
	}
	part, i := t.inOrder.Search(func(row *statRow) bool { return row.level >= level })
	t.inOrder.Each(part, i, func(id uint32) bool {
		row := t.At(id)
		if row.level != level {
			return false
		}
		if keep(row) {
			visit(row)
		}
		return true
	})
}

// matcher reports whether a roll-up is one of the filter's, whatever its level.
func (r statRepository) matcher(f stats.Filter) func(row *statRow) bool {
	among := func(ids []int64) func(id int64) bool {
		set := engine.SetOf(ids)
		return func(id int64) bool { return ids == nil || set[id] }
	}
	advertiser, offer, user, link, ad, tags := among(f.AdvertiserIDs), among(f.OfferIDs), among(f.UserIDs), among(f.LinkIDs), among(f.AdIDs), among(f.TagIDs)
	creator := func(id int64) bool {
		if f.TagIDs == nil && f.UserQuery == "" {
			return true
		}
		var u affiliate.User
		if row, ok := r.u.db.core.users.Find(id); ok {
			u = *r.u.db.core.users.At(row)
		}
		return (f.TagIDs == nil || slices.ContainsFunc(u.TagIDs, tags)) &&
			(strconv.FormatInt(id, 10) == f.UserQuery || engine.Matches(u.Username, f.UserQuery))
	}
	return func(row *statRow) bool {
		return row.day >= dayNumber(f.From) && (f.Until.IsZero() || row.day < dayNumber(f.Until)) &&
			advertiser(row.advertiser) && offer(row.offer) && user(row.user) && link(row.link) && ad(row.ad) &&
			(f.Sources == nil || slices.Contains(f.Sources, row.source)) && creator(row.user)
	}
}

// sumKey is what rows of an answer are told apart by.
type sumKey struct {
	statKey
	tag      int64
	currency affiliate.Currency
}

// reduced keeps what is asked for.
func (k statKey) reduced(by stats.Dimensions) statKey {
	drop := func(d stats.Dimensions, id *int64) {
		if by&d == 0 {
			*id = 0
		}
	}
	k.level = 0
	if by&stats.ByDay == 0 {
		k.day = 0
	}
	if by&stats.BySource == 0 {
		k.source = 0
	}
	drop(stats.ByAdvertiser, &k.advertiser)
	drop(stats.ByOffer, &k.offer)
	drop(stats.ByUser, &k.user)
	drop(stats.ByLink, &k.link)
	drop(stats.ByAd, &k.ad)
	return k
}

func (r statRepository) sum(f stats.Filter, by stats.Dimensions) ([]stats.Row, error) {
	at := map[sumKey]int{}
	var rows []stats.Row
	fits := true
	add := func(row *statRow, tag int64) {
		k := sumKey{row.reduced(by), tag, ""}
		if by&stats.ByCurrency != 0 {
			if id, ok := r.u.db.core.advertisers.Find(row.advertiser); ok {
				k.currency = r.u.db.core.advertisers.At(id).Currency
			}
		}
		i, ok := at[k]
		if !ok {
			i = len(rows)
			at[k] = i
			key := k.key()
			if by&stats.ByDay == 0 {
				key.Day = time.Time{}
			}
			rows = append(rows, stats.Row{Key: key, TagID: tag, Currency: k.currency})
		}
		sum := &rows[i]
		fits = sum.Add(&row.Figures) && fits
		sum.SourceClicks[row.source] += row.Clicks
	}
	wanted := engine.SetOf(f.TagIDs)
	r.each(f, by, func(row *statRow) {
		if by&stats.ByTag == 0 {
			add(row, 0)
			return
		}
		if id, ok := r.u.db.core.users.Find(row.user); ok {
			for _, tag := range r.u.db.core.users.At(id).TagIDs {
				if f.TagIDs == nil || wanted[tag] {
					add(row, tag)
				}
			}
		}
	})
	if !fits {
		return nil, r.u.Fail(engine.Overflow("statistics"))
	}
	slices.SortFunc(rows, compareRows)
	return rows, nil
}

func compareRows(a, b stats.Row) int {
	return cmp.Or(
		a.Day.Compare(b.Day), cmp.Compare(a.AdvertiserID, b.AdvertiserID), cmp.Compare(a.OfferID, b.OfferID),
		cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.LinkID, b.LinkID), cmp.Compare(a.AdID, b.AdID),
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.TagID, b.TagID), cmp.Compare(a.Currency, b.Currency),
	)
}

func (r statRepository) Sum(ctx context.Context, f stats.Filter, by stats.Dimensions) ([]stats.Row, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	return r.sum(f, by)
}

func (r statRepository) Page(ctx context.Context, f stats.Filter, by stats.Dimensions, order []affiliate.Sort, p affiliate.PageRequest) (affiliate.Page[stats.Row], error) {
	var page affiliate.Page[stats.Row]
	if err := r.u.Use(ctx); err != nil {
		return page, err
	}
	p.Sort = affiliate.Sort{}
	if err := cmp.Or(p.Validate(), stats.CheckOrder(by, order)); err != nil {
		return page, r.u.Fail(err)
	}
	rows, err := r.sum(f, by)
	if err != nil {
		return page, err
	}
	if len(order) > 0 {
		compare := r.compareBy(order)
		slices.SortStableFunc(rows, func(a, b stats.Row) int { return compare(&a, &b) })
	}
	page.Total = len(rows)
	from := min(p.Offset(), len(rows))
	if page.Items = rows[from:min(from+p.Limit(), len(rows))]; len(page.Items) == 0 {
		page.Items = nil
	}
	return page, nil
}

// compareBy compares rows by columns, which are known.
func (r statRepository) compareBy(order []affiliate.Sort) func(a, b *stats.Row) int {
	return func(a, b *stats.Row) int {
		for _, s := range order {
			c := 0
			if s.Column == stats.SortUsername {
				c = strings.Compare(r.username(a.UserID), r.username(b.UserID))
			} else {
				c = statNumber(a, s.Column).Cmp(statNumber(b, s.Column))
			}
			if c != 0 && s.Desc {
				return -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}
}

func (r statRepository) username(id int64) string {
	if row, ok := r.u.db.core.users.Find(id); ok {
		return r.u.db.core.users.At(row).Username
	}
	return ""
}

// statNumber is what a column of a row sorts by.
func statNumber(row *stats.Row, column string) *big.Rat {
	n := func(v int64) *big.Rat { return new(big.Rat).SetInt64(v) }
	instagram := row.SourceClicks[affiliate.SourceInstagram]
	switch column {
	case stats.SortDay:
		return n(row.Day.Unix())
	case stats.SortInstagramClicks:
		return n(instagram)
	case stats.SortOtherClicks:
		return n(row.Clicks - instagram)
	}
	if v, ok := statFigure(&row.Figures, column); ok {
		return n(v)
	}
	for _, d := range stats.DerivedColumns() {
		if d.Name != column {
			continue
		}
		sum := new(big.Rat)
		for _, term := range d.Terms {
			name, minus := strings.CutPrefix(term, "-")
			v, _ := statFigure(&row.Figures, name)
			if minus {
				sum.Sub(sum, n(v))
			} else {
				sum.Add(sum, n(v))
			}
		}
		if per, ok := statFigure(&row.Figures, d.Per); ok {
			if per == 0 {
				return new(big.Rat)
			}
			sum.Quo(sum, n(per))
		}
		return sum
	}
	return n(0)
}

func statFigure(f *stats.Figures, name string) (int64, bool) {
	for _, c := range stats.Columns() {
		if c.Name == name {
			return *c.Of(f), true
		}
	}
	return 0, false
}

func (r statRepository) Distinct(ctx context.Context, f stats.Filter, by stats.Dimensions) (int64, error) {
	if err := r.u.Use(ctx); err != nil {
		return 0, err
	}
	rows, err := r.sum(f, by)
	var n int64
	for i := range rows {
		if rows[i].Clicks > 0 {
			n++
		}
	}
	return n, err
}

func (r statRepository) Scan(ctx context.Context, after stats.Key, limit int) ([]stats.Rollup, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.stats.rollups
	key := statKeyOf(&after)
	part, i := t.inOrder.Search(func(row *statRow) bool { return row.compare(&key) > 0 })
	var out []stats.Rollup
	t.inOrder.Each(part, i, func(id uint32) bool {
		row := t.At(id)
		out = append(out, stats.Rollup{Key: row.key(), Figures: row.Figures})
		return len(out) < limit
	})
	return out, nil
}

func (r statRepository) Meet(ctx context.Context, visits ...stats.Visit) ([]stats.Visit, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.stats.readers
	var added []stats.Visit
	for _, v := range visits {
		v.Day = links.DayOf(v.Day)
		key := readerKey{v.OfferID, dayNumber(v.Day), v.Reader}
		if _, ok := t.byKey.Find(key); ok {
			continue
		}
		if _, err := t.Insert(key); err != nil {
			return nil, r.u.Fail(err)
		}
		added = append(added, v)
	}
	slices.SortFunc(added, func(a, b stats.Visit) int {
		return cmp.Or(cmp.Compare(a.OfferID, b.OfferID), a.Day.Compare(b.Day), bytes.Compare(a.Reader[:], b.Reader[:]))
	})
	return added, nil
}

func (r statRepository) Forget(ctx context.Context, before time.Time) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.stats.readers
	for _, id := range t.Scan(0, t.Len()) {
		if t.At(id).day < dayNumber(before) {
			t.Delete(id)
		}
	}
	return nil
}
