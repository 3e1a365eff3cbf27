package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

type clickRow struct {
	bun.BaseModel `bun:"table:affiliate_clicks,alias:t"`

	ID           uuid.UUID               `bun:"id,pk"`
	LinkID       int64                   `bun:"link_id"`
	UserID       int64                   `bun:"user_id"`
	AdvertiserID int64                   `bun:"advertiser_id"`
	OfferID      int64                   `bun:"offer_id"`
	At           time.Time               `bun:"at"`
	Source       affiliate.TrafficSource `bun:"source"`
	Visitor      visitor                 `bun:"visitor"`
	Verdict      links.Verdict           `bun:"verdict"`
	Repeats      uuid.UUID               `bun:"repeats,nullzero"`
	Reason       string                  `bun:"reason"`
	Currency     affiliate.Currency      `bun:"currency"`
	Earning      int64                   `bun:"earning"`
	Cost         int64                   `bun:"cost"`
	Terms        string                  `bun:"terms"`
}

// visitor reads 16 bytes from a bytea.
type visitor links.VisitorKey

// Scan is for the driver.
func (v *visitor) Scan(src any) error { return fixedBytes(v[:], src) }

var clickTable = table[links.Click, clickRow]{
	name: "affiliate_clicks", resource: "click", entity: clickRow.click,
	sort: map[string]string{"at": "t.at"},
}

func (r clickRow) click() links.Click {
	return links.Click{
		ID: r.ID, LinkID: r.LinkID, UserID: r.UserID, AdvertiserID: r.AdvertiserID, OfferID: r.OfferID, At: utc(r.At),
		Source: r.Source, Visitor: links.VisitorKey(r.Visitor), Verdict: r.Verdict, Repeats: r.Repeats, Reason: r.Reason,
		Earning: affiliate.NewMoney(r.Earning, r.Currency), Cost: affiliate.NewMoney(r.Cost, r.Currency), Terms: r.Terms,
	}
}

type clicks struct{ repo[links.Click, clickRow] }

func (r clicks) Add(ctx context.Context, clicks ...links.Click) error {
	return exec(ctx, r.u, "click", func(ctx context.Context) error {
		n := len(clicks)
		if n == 0 {
			return nil
		}
		linkIDs, userIDs, advertiserIDs, offerIDs := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
		for i, c := range clicks {
			if err := c.Validate(); err != nil {
				return err
			}
			linkIDs[i], userIDs[i], advertiserIDs[i], offerIDs[i] = c.LinkID, c.UserID, c.AdvertiserID, c.OfferID
		}
		err := r.u.checkReferences(ctx, "click",
			ref("link_id", "affiliate_links", linkIDs...),
			ref("user_id", "affiliate_users", userIDs...),
			ref("advertiser_id", "affiliate_advertisers", advertiserIDs...),
			ref("offer_id", "affiliate_offers", offerIDs...))
		if err != nil {
			return err
		}
		if err := r.checkRepeats(ctx, clicks); err != nil {
			return err
		}
		if err := r.noteSkew(ctx, clicks); err != nil {
			return err
		}
		type click = links.Click
		return batch{table: "affiliate_clicks", columns: []batchColumn{
			field("id", "uuid", clicks, func(c *click) string { return c.ID.String() }),
			field("link_id", "bigint", clicks, func(c *click) int64 { return c.LinkID }),
			field("user_id", "bigint", clicks, func(c *click) int64 { return c.UserID }),
			field("advertiser_id", "bigint", clicks, func(c *click) int64 { return c.AdvertiserID }),
			field("offer_id", "bigint", clicks, func(c *click) int64 { return c.OfferID }),
			field("at", "timestamptz", clicks, func(c *click) time.Time { return c.At }),
			field("source", "smallint", clicks, func(c *click) int64 { return int64(c.Source) }),
			bytesField("visitor", clicks, func(c *click) []byte { return c.Visitor[:] }),
			field("verdict", "text", clicks, func(c *click) string { return string(c.Verdict) }),
			uuidField("repeats", clicks, func(c *click) uuid.UUID { return c.Repeats }),
			field("reason", "text", clicks, func(c *click) string { return c.Reason }),
			field("currency", "text", clicks, func(c *click) string { return string(c.Earning.Currency()) }),
			field("earning", "bigint", clicks, func(c *click) int64 { return c.Earning.Minor() }),
			field("cost", "bigint", clicks, func(c *click) int64 { return c.Cost.Minor() }),
			field("terms", "text", clicks, func(c *click) string { return c.Terms }),
		}}.exec(ctx, r.u)
	})
}

// checkRepeats refuses duplicates of clicks that are neither kept nor in the call.
func (r clicks) checkRepeats(ctx context.Context, clicks []links.Click) error {
	var ids []string
	for i := range clicks {
		id := clicks[i].Repeats
		if id != uuid.Nil && !slices.ContainsFunc(clicks, func(c links.Click) bool { return c.ID == id }) {
			ids = append(ids, id.String())
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var found int
	err := r.u.tx.NewRaw(`SELECT count(*) FROM ? WHERE id = ANY(?::uuid[])`, r.u.name(clickTable.name), pgdialect.Array(ids)).Scan(ctx, &found)
	if err == nil && found != len(ids) {
		err = affiliate.Invalid("click", affiliate.FieldError{Field: "repeats", Code: "unknown_reference", Message: unknownReferenceMessage})
	}
	return err
}

func (r clicks) Get(ctx context.Context, id uuid.UUID) (links.Click, error) {
	return r.one(ctx, id, func(q filter) { q.Where("t.id = ?", id) })
}

func (r clicks) GetMany(ctx context.Context, ids []uuid.UUID) ([]links.Click, error) {
	return clickTable.many(ctx, r.u, func(q filter) {
		q.Where("t.id = ANY(?::uuid[])", pgdialect.Array(values(ids, func(id *uuid.UUID) string { return id.String() })))
	})
}

func (r clicks) List(ctx context.Context, f links.ClickFilter, p affiliate.PageRequest) (affiliate.Page[links.Click], error) {
	months, err := read(ctx, r.u, "click", func(ctx context.Context) (months, error) { return r.months(ctx, f) })
	if err != nil {
		return affiliate.Page[links.Click]{}, err
	}
	return r.list(ctx, p, func(q filter) {
		if months.from != uuid.Nil {
			q.Where("t.id >= ?::uuid", months.from.String())
		}
		if months.until != uuid.Nil {
			q.Where("t.id < ?::uuid", months.until.String())
		}
		q.equal("t.link_id", f.LinkID)
		q.equal("t.user_id", f.UserID)
		q.equal("t.advertiser_id", f.AdvertiserID)
		q.text("t.verdict", string(f.Verdict))
		q.between("t.at", f.From, f.Until)
	})
}

func (r clicks) Scan(ctx context.Context, after uuid.UUID, limit int) ([]links.Click, error) {
	return r.after(ctx, after, limit)
}

const lastValid = `SELECT v.n, last.at, last.id
	FROM unnest(?1::bigint[], ?2::bytea[], ?3::bytea[]) WITH ORDINALITY AS v (link_id, visitor, previous, n)
	JOIN LATERAL (
		(SELECT c.at, c.id FROM {schema}affiliate_clicks AS c
			WHERE c.link_id = v.link_id AND c.visitor = v.visitor AND v.visitor <> ` + noVisitor + ` AND c.verdict = 'valid' AND c.at > ?0 ORDER BY c.at DESC LIMIT 1)
		UNION ALL
		(SELECT c.at, c.id FROM {schema}affiliate_clicks AS c
			WHERE c.link_id = v.link_id AND c.visitor = v.previous AND v.previous <> ` + noVisitor + ` AND c.verdict = 'valid' AND c.at > ?0 ORDER BY c.at DESC LIMIT 1)
		ORDER BY at DESC LIMIT 1) AS last ON TRUE`

// lastValidByMonth is lastValid for partitions by id: those of older clicks are not
// looked at.
var lastValidByMonth = strings.ReplaceAll(lastValid, "c.at > ?0", `c.at > ?0 AND c.id >= (
		SELECT rpad(lpad(to_hex(greatest(?4::bigint - s.behind, 0)), 12, '0'), 32, '0')::uuid FROM {schema}affiliate_click_skew AS s)`)

func (r clicks) LastValid(ctx context.Context, visits []links.Visit, since time.Time) ([]links.LastVisit, error) {
	return read(ctx, r.u, "click", func(ctx context.Context) ([]links.LastVisit, error) {
		out := make([]links.LastVisit, len(visits))
		if len(visits) == 0 {
			return out, nil
		}
		var rows []struct {
			N  int       `bun:"n"`
			At time.Time `bun:"at"`
			ID uuid.UUID `bun:"id"`
		}
		byMonth, err := r.u.db.clicksByMonth(ctx, r.u.tx)
		if err != nil {
			return nil, err
		}
		text, args := lastValid, []any{
			since, values(visits, func(v *links.Visit) int64 { return v.LinkID }),
			values(visits, func(v *links.Visit) []byte { return v.Visitor[:] }),
			values(visits, func(v *links.Visit) []byte { return v.Previous[:] }),
		}
		if byMonth {
			text, args = lastValidByMonth, append(args, since.UnixMilli())
		}
		err = r.u.prepared(text, args...).Scan(ctx, &rows)
		for _, row := range rows {
			out[row.N-1] = links.LastVisit{At: utc(row.At), ClickID: row.ID}
		}
		return out, err
	})
}

// noVisitor is how a visitor key that was erased is kept.
const noVisitor = `'\x00000000000000000000000000000000'::bytea`

func (r clicks) EraseVisitors(ctx context.Context, after, through uuid.UUID) (int, error) {
	return r.affect(ctx, `UPDATE {schema}affiliate_clicks AS t SET visitor = `+noVisitor+`
		WHERE t.id > ?0::uuid AND t.id <= ?1::uuid AND t.visitor <> `+noVisitor, after.String(), through.String())
}

func (r clicks) Remove(ctx context.Context, through uuid.UUID, limit int) (int, error) {
	return r.affect(ctx, `DELETE FROM {schema}affiliate_clicks AS t WHERE t.id <= ?0::uuid AND t.id = ANY(ARRAY(
		SELECT c.id FROM {schema}affiliate_clicks AS c WHERE c.id <= ?0::uuid ORDER BY c.id LIMIT ?1::bigint))`, through.String(), int64(max(limit, 0)))
}

// affect returns how many rows a statement changed.
func (r clicks) affect(ctx context.Context, text string, args ...any) (int, error) {
	return change(ctx, r.u, "click", func(ctx context.Context) (int, error) {
		res, err := r.u.prepared(text, args...).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		return int(n), err
	})
}
