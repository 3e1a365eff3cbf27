package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// Stats returns the store of package stats.
func (db *DB) Stats() stats.Store {
	return view[stats.Tx]{db, func(u *unit) stats.Tx { return statsTx{coreTx{u}} }}
}

// statsTx gives the repository of statistics beside those of the core.
type statsTx struct{ coreTx }

var _ stats.Tx = statsTx{} // and with it the repository

func (t statsTx) Stats() stats.Repository { return statRepository(t.coreTx) }
func (t statsTx) StatsConfigs() stats.ConfigRepository {
	return statsConfigs{in(t.coreTx, &statsConfigTable)}
}

type statRepository struct{ u *unit }

func (r statRepository) Add(ctx context.Context, changes ...stats.Change) error {
	return exec(ctx, r.u, "statistics", func(ctx context.Context) error {
		sums, err := sumRollups(changes)
		if err != nil || len(sums) == 0 {
			return err
		}
		type row = stats.Rollup
		b := batch{table: "affiliate_stats", columns: []batchColumn{
			field("link_id", "bigint", sums, func(r *row) int64 { return r.LinkID }),
			field("level", "smallint", sums, func(r *row) int64 { return int64(r.Level) }),
			field("advertiser_id", "bigint", sums, func(r *row) int64 { return r.AdvertiserID }),
			field("date", "date", sums, func(r *row) string { return r.Day.Format(dateFormat) }),
			field("offer_id", "bigint", sums, func(r *row) int64 { return r.OfferID }),
			field("user_id", "bigint", sums, func(r *row) int64 { return r.UserID }),
			field("ad_id", "bigint", sums, func(r *row) int64 { return r.AdID }),
			field("source", "smallint", sums, func(r *row) int64 { return int64(r.Source) }),
		}}
		for _, c := range stats.Columns() {
			b.columns = append(b.columns, field(c.Name, "bigint", sums, func(r *row) int64 { return *c.Of(&r.Figures) }))
		}
		b.rest = addFigures
		return b.exec(ctx, r.u)
	})
}

// addFigures adds what is inserted to what is there.
var addFigures = func() string {
	var sets []string
	for _, c := range stats.Columns() {
		sets = append(sets, c.Name+" = t."+c.Name+" + excluded."+c.Name)
	}
	return "ON CONFLICT (level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source) DO UPDATE SET " + strings.Join(sets, ", ")
}()

// sumRollups adds changes up by roll-up, in the order in which every unit locks
// the roll-ups.
func sumRollups(changes []stats.Change) ([]stats.Rollup, error) {
	rows := make([]stats.Rollup, 0, 4*len(changes))
	for i := range changes {
		c := &changes[i]
		for _, level := range stats.Levels() {
			if c.Levels.Has(level) {
				row := stats.Rollup{Key: c.At(level), Figures: c.Figures}
				row.Day = row.Day.UTC().Truncate(24 * time.Hour)
				rows = append(rows, row)
			}
		}
	}
	slices.SortFunc(rows, func(a, b stats.Rollup) int { return a.Compare(b.Key) })
	sums := rows[:0]
	for i := range rows {
		if n := len(sums); n > 0 && sums[n-1].Key == rows[i].Key {
			if !sums[n-1].Add(&rows[i].Figures) {
				return nil, overflow("statistics")
			}
			continue
		}
		sums = append(sums, rows[i])
	}
	return sums, nil
}

// statKeys are the parts of a row's key: the dimension, the column, and where it
// is scanned to. Their order is that of rows.
var statKeys = []struct {
	by     stats.Dimensions
	column string
	of     func(r *stats.Row) any
}{
	{stats.ByDay, "t.date", func(r *stats.Row) any { return &r.Day }},
	{stats.ByAdvertiser, "t.advertiser_id", func(r *stats.Row) any { return &r.AdvertiserID }},
	{stats.ByOffer, "t.offer_id", func(r *stats.Row) any { return &r.OfferID }},
	{stats.ByUser, "t.user_id", func(r *stats.Row) any { return &r.UserID }},
	{stats.ByLink, "t.link_id", func(r *stats.Row) any { return &r.LinkID }},
	{stats.ByAd, "t.ad_id", func(r *stats.Row) any { return &r.AdID }},
	{stats.BySource, "t.source", func(r *stats.Row) any { return &r.Source }},
	{stats.ByTag, "m.tag_id", func(r *stats.Row) any { return &r.TagID }},
	{stats.ByCurrency, "coalesce(a.currency, '')", func(r *stats.Row) any { return &r.Currency }},
}

// where selects the rows of a question, without columns.
func (r statRepository) where(f stats.Filter, by stats.Dimensions) filter {
	q := filter{r.u.tx.NewSelect().TableExpr(r.u.from("affiliate_stats"))}
	level := stats.LevelOf(f, by)
	q.Where("t.level = ?", bun.Safe(string('0'+rune(level)))) // as a constant: partial indexes ask for one
	members := r.u.name("affiliate_user_tag_members")
	if by&stats.ByTag != 0 {
		q.Join("JOIN ? AS m ON m.user_id = t.user_id", members)
		q.among("m.tag_id", f.TagIDs)
	} else if f.TagIDs != nil {
		q.Where("EXISTS (SELECT FROM ? AS m WHERE m.user_id = t.user_id AND m.tag_id = ANY(?::bigint[]))", members, pgdialect.Array(f.TagIDs))
	}
	if by&stats.ByCurrency != 0 {
		q.Join("LEFT JOIN ? AS a ON a.id = t.advertiser_id", r.u.name("affiliate_advertisers"))
	}
	q.among("t.advertiser_id", f.AdvertiserIDs)
	if f.OfferIDs != nil && level == stats.CreatorLevel {
		q.Where("t.offer_id <> 0") // as the index of participants has it
	}
	q.among("t.offer_id", f.OfferIDs)
	q.among("t.user_id", f.UserIDs)
	q.among("t.link_id", f.LinkIDs)
	q.among("t.ad_id", f.AdIDs)
	if f.Sources != nil {
		sources := make([]int64, len(f.Sources))
		for i, s := range f.Sources {
			sources[i] = int64(s)
		}
		q.among("t.source", sources)
	}
	q.query(f.UserQuery, "t.user_id", "t.user_id IN (SELECT n.id FROM "+r.u.db.prefix+"affiliate_users AS n WHERE "+part("n.username")+")")
	if !f.From.IsZero() {
		q.Where("t.date >= ?::date", f.From.UTC().Format(dateFormat))
	}
	if !f.Until.IsZero() {
		q.Where("t.date < ?::date", f.Until.UTC().Format(dateFormat))
	}
	for _, k := range statKeys {
		if by&k.by != 0 {
			q.GroupExpr(k.column)
		}
	}
	q.Having("count(*) > 0") // without dimensions there is always a row
	return q
}

// grouped is where with the columns that scan reads.
func (r statRepository) grouped(f stats.Filter, by stats.Dimensions) filter {
	q := r.where(f, by)
	for _, k := range statKeys {
		if by&k.by != 0 {
			q.ColumnExpr(k.column)
		}
	}
	for _, c := range stats.Columns() {
		q.ColumnExpr("sum(t." + c.Name + ")::bigint")
	}
	for source := range affiliate.TrafficSources {
		q.ColumnExpr("coalesce(sum(t.clicks) FILTER (WHERE t.source = ?), 0)::bigint", source)
	}
	return q
}

// scan reads the rows of a grouped statement; more reads the columns behind.
func (r statRepository) scan(ctx context.Context, q filter, by stats.Dimensions, more ...any) (out []stats.Row, err error) {
	rows, err := q.Rows(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = cmp.Or(err, rows.Close()) }()
	for rows.Next() {
		var row stats.Row
		var to []any
		for _, k := range statKeys {
			if by&k.by != 0 {
				to = append(to, k.of(&row))
			}
		}
		for _, c := range stats.Columns() {
			to = append(to, c.Of(&row.Figures))
		}
		for i := range row.SourceClicks {
			to = append(to, &row.SourceClicks[i])
		}
		if err := rows.Scan(append(to, more...)...); err != nil {
			return nil, err
		}
		row.Day = utc(row.Day)
		out = append(out, row)
	}
	return out, rows.Err()
}

// inKeyOrder orders rows by their key.
func (q filter) inKeyOrder(by stats.Dimensions) {
	for _, k := range statKeys {
		if by&k.by != 0 {
			q.OrderExpr(k.column)
		}
	}
}

func (r statRepository) Sum(ctx context.Context, f stats.Filter, by stats.Dimensions) ([]stats.Row, error) {
	return read(ctx, r.u, "statistics", func(ctx context.Context) ([]stats.Row, error) {
		q := r.grouped(f, by)
		q.inKeyOrder(by)
		return r.scan(ctx, q, by)
	})
}

func (r statRepository) Page(ctx context.Context, f stats.Filter, by stats.Dimensions, order []affiliate.Sort, p affiliate.PageRequest) (affiliate.Page[stats.Row], error) {
	return read(ctx, r.u, "statistics", func(ctx context.Context) (affiliate.Page[stats.Row], error) {
		var page affiliate.Page[stats.Row]
		p.Sort = affiliate.Sort{}
		if err := cmp.Or(p.Validate(), stats.CheckOrder(by, order)); err != nil {
			return page, err
		}
		q := r.grouped(f, by)
		q.ColumnExpr("count(*) OVER ()") // how many rows there are, with those of other pages
		for _, s := range order {
			if column := r.sortColumn(s.Column); column != "" {
				q.OrderExpr(column + map[bool]string{true: " DESC"}[s.Desc])
			}
		}
		q.inKeyOrder(by)
		var err error
		page.Items, err = r.scan(ctx, filter{q.Limit(int64(p.Limit())).Offset(int64(p.Offset()))}, by, &page.Total)
		if err != nil || len(page.Items) > 0 || p.Offset() == 0 {
			return page, err
		}
		page.Total, err = r.count(ctx, r.where(f, by)) // the page is behind the last one
		return page, err
	})
}

// count returns how many rows a statement of where has.
func (r statRepository) count(ctx context.Context, q filter) (n int, err error) {
	err = r.u.tx.NewSelect().TableExpr("(?) AS r", q.ColumnExpr("1")).ColumnExpr("count(*)").Scan(ctx, &n)
	return n, err
}

// sortColumn is the expression of a column that rows are sorted by; empty when
// it stands for their order by key.
func (r statRepository) sortColumn(name string) string {
	const instagram = "coalesce(sum(t.clicks) FILTER (WHERE t.source = 1), 0)"
	switch name {
	case stats.SortDay:
		return "t.date"
	case stats.SortUsername:
		return "coalesce((SELECT n.username FROM " + r.u.db.prefix + "affiliate_users AS n WHERE n.id = t.user_id), '')"
	case stats.SortInstagramClicks:
		return instagram
	case stats.SortOtherClicks:
		return "sum(t.clicks) - " + instagram
	}
	for _, c := range stats.Columns() {
		if c.Name == name {
			return "sum(t." + name + ")"
		}
	}
	for _, d := range stats.DerivedColumns() {
		if d.Name != name {
			continue
		}
		terms := make([]string, len(d.Terms))
		for i, term := range d.Terms {
			column, minus := strings.CutPrefix(term, "-")
			terms[i] = map[bool]string{false: " + ", true: " - "}[minus] + "sum(t." + column + ")"
		}
		sum := "(0" + strings.Join(terms, "") + ")"
		if d.Per == "" {
			return sum
		}
		return "coalesce(" + sum + " / nullif(sum(t." + d.Per + "), 0), 0)"
	}
	return ""
}

func (r statRepository) Distinct(ctx context.Context, f stats.Filter, by stats.Dimensions) (int64, error) {
	return read(ctx, r.u, "statistics", func(ctx context.Context) (int64, error) {
		n, err := r.count(ctx, filter{r.where(f, by).Having("sum(t.clicks) > 0")})
		return int64(n), err
	})
}

func (r statRepository) Scan(ctx context.Context, after stats.Key, limit int) ([]stats.Rollup, error) {
	return read(ctx, r.u, "statistics", func(ctx context.Context) (out []stats.Rollup, err error) {
		if limit <= 0 {
			return nil, nil
		}
		q := r.u.tx.NewSelect().TableExpr(r.u.from("affiliate_stats")).
			ColumnExpr("t.level, t.advertiser_id, t.date, t.offer_id, t.user_id, t.link_id, t.ad_id, t.source").
			Where("(t.level, t.advertiser_id, t.date, t.offer_id, t.user_id, t.link_id, t.ad_id, t.source) > (?, ?, ?::date, ?, ?, ?, ?, ?)",
				after.Level, after.AdvertiserID, after.Day.UTC().Format(dateFormat), after.OfferID, after.UserID, after.LinkID, after.AdID, after.Source).
			OrderExpr("t.level, t.advertiser_id, t.date, t.offer_id, t.user_id, t.link_id, t.ad_id, t.source").Limit(int64(limit))
		for _, c := range stats.Columns() {
			q.ColumnExpr("t." + c.Name)
		}
		rows, err := q.Rows(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = cmp.Or(err, rows.Close()) }()
		for rows.Next() {
			var row stats.Rollup
			to := []any{&row.Level, &row.AdvertiserID, &row.Day, &row.OfferID, &row.UserID, &row.LinkID, &row.AdID, &row.Source}
			for _, c := range stats.Columns() {
				to = append(to, c.Of(&row.Figures))
			}
			if err := rows.Scan(to...); err != nil {
				return nil, err
			}
			row.Day = utc(row.Day)
			out = append(out, row)
		}
		return out, rows.Err()
	})
}

func (r statRepository) Meet(ctx context.Context, visits ...stats.Visit) ([]stats.Visit, error) {
	return change(ctx, r.u, "statistics", func(ctx context.Context) ([]stats.Visit, error) {
		if len(visits) == 0 {
			return nil, nil
		}
		compare := func(a, b stats.Visit) int {
			return cmp.Or(cmp.Compare(a.OfferID, b.OfferID), a.Day.Compare(b.Day), bytes.Compare(a.Reader[:], b.Reader[:]))
		}
		sorted := slices.Clone(visits)
		for i := range sorted {
			sorted[i].Day = links.DayOf(sorted[i].Day)
		}
		slices.SortStableFunc(sorted, compare)
		type visit = stats.Visit
		var args []any
		text := batch{
			table: "affiliate_stats_readers", rest: "ON CONFLICT DO NOTHING RETURNING offer_id, date, reader",
			columns: []batchColumn{
				bytesField("reader", sorted, func(v *visit) []byte { return v.Reader[:] }),
				field("offer_id", "bigint", sorted, func(v *visit) int64 { return v.OfferID }),
				field("date", "date", sorted, func(v *visit) string { return v.Day.Format(dateFormat) }),
			},
		}.insert(&args)
		var rows []struct {
			OfferID int64     `bun:"offer_id"`
			Date    time.Time `bun:"date"`
			Reader  visitor   `bun:"reader"`
		}
		if err := r.u.prepared(text, args...).Scan(ctx, &rows); err != nil {
			return nil, err
		}
		var added []stats.Visit
		for _, row := range rows {
			at, ok := slices.BinarySearchFunc(sorted, stats.Visit{OfferID: row.OfferID, Day: utc(row.Date), Reader: stats.Reader(row.Reader)}, compare)
			if ok {
				added = append(added, sorted[at])
			}
		}
		slices.SortFunc(added, compare) // the server promises no order
		return added, nil
	})
}

func (r statRepository) Forget(ctx context.Context, before time.Time) error {
	return exec(ctx, r.u, "statistics", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE date < ?::date`, r.u.name("affiliate_stats_readers"), before.UTC().Format(dateFormat))
		return err
	})
}
