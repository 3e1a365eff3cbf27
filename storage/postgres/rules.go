package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

type ruleRow struct {
	bun.BaseModel `bun:"table:affiliate_url_rules,alias:t"`

	ID           int64          `bun:"id,pk,autoincrement"`
	AdvertiserID int64          `bun:"advertiser_id"`
	Type         links.RuleType `bun:"type"`
	URL          string         `bun:"url"`
	Keyword      string         `bun:"keyword"`
	IsMain       bool           `bun:"is_main"`
	Challenge    string         `bun:"challenge"`
	CreatedAt    time.Time      `bun:"created_at,nullzero"`
	UpdatedAt    time.Time      `bun:"updated_at,nullzero"`
}

var ruleTable = table[links.Rule, ruleRow]{
	name: "affiliate_url_rules", resource: "url_matching_rule",
	row: newRuleRow, entity: ruleRow.rule,
}

func newRuleRow(r links.Rule) ruleRow {
	return ruleRow{
		ID: r.ID, AdvertiserID: r.AdvertiserID, Type: r.Type, URL: r.URL, Keyword: r.Keyword, IsMain: r.IsMain, Challenge: r.Challenge,
		CreatedAt: stamp(r.CreatedAt), UpdatedAt: stamp(r.UpdatedAt),
	}
}

func (r ruleRow) rule() links.Rule {
	return links.Rule{
		ID: r.ID, AdvertiserID: r.AdvertiserID, Type: r.Type, URL: r.URL, Keyword: r.Keyword, IsMain: r.IsMain, Challenge: r.Challenge,
		CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
	}
}

type rules struct{ repo[links.Rule, ruleRow] }

func (r rules) Add(ctx context.Context, v links.Rule) (links.Rule, error) {
	return change(ctx, r.u, "url_matching_rule", func(ctx context.Context) (links.Rule, error) {
		if err := v.Validate(); err != nil {
			return links.Rule{}, err
		}
		row := newRuleRow(v)
		if err := ruleTable.insert(ctx, r.u, &row); err != nil {
			return links.Rule{}, err
		}
		return row.rule(), r.changed(ctx, v.AdvertiserID)
	})
}

func (r rules) Update(ctx context.Context, v links.Rule) error {
	return exec(ctx, r.u, "url_matching_rule", func(ctx context.Context) error {
		if err := v.Validate(); err != nil {
			return err
		}
		before, err := ruleTable.find(ctx, r.u, v.ID, func(q filter) { q.Where("t.id = ?", v.ID).For("UPDATE") })
		if err != nil {
			return err
		}
		row := newRuleRow(v)
		if err := ruleTable.replace(ctx, r.u, &row, v.ID); err != nil {
			return err
		}
		return r.changed(ctx, before.AdvertiserID, v.AdvertiserID)
	})
}

func (r rules) Delete(ctx context.Context, id int64) error {
	return exec(ctx, r.u, "url_matching_rule", func(ctx context.Context) error {
		before, err := ruleTable.find(ctx, r.u, id, func(q filter) { q.Where("t.id = ?", id).For("UPDATE") })
		if err != nil {
			return err
		}
		if err := ruleTable.remove(ctx, r.u, id); err != nil {
			return err
		}
		return r.changed(ctx, before.AdvertiserID)
	})
}

// changed notes that this transaction has changed rules of the advertisers.
func (r rules) changed(ctx context.Context, advertiserIDs ...int64) error {
	_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? (advertiser_id) SELECT unnest(?::bigint[])
		ON CONFLICT (advertiser_id) DO UPDATE SET xid = pg_current_xact_id()`,
		r.u.name("affiliate_url_rule_changes"), pgdialect.Array(distinct(advertiserIDs)))
	return err
}

func (r rules) ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]links.Rule, error) {
	return r.many(ctx, func(q filter) { q.among("t.advertiser_id", nonNil(advertiserIDs)) })
}

func (r rules) Scan(ctx context.Context, after int64, limit int) ([]links.Rule, error) {
	return r.after(ctx, after, limit)
}

// Cursor is the oldest transaction that still ran when the snapshot was taken:
// every older one has ended, and the snapshot shows what it did. A transaction
// that runs for hours anywhere in the cluster therefore makes Changed repeat
// itself, which its contract allows.
func (r rules) Cursor(ctx context.Context) (links.Cursor, error) {
	return read(ctx, r.u, "cursor", func(ctx context.Context) (links.Cursor, error) {
		var xmin string
		err := r.u.tx.NewRaw(`SELECT pg_snapshot_xmin(pg_current_snapshot())::text`).Scan(ctx, &xmin)
		return links.Cursor(xmin), err
	})
}

func (r rules) Changed(ctx context.Context, since links.Cursor) ([]int64, error) {
	return read(ctx, r.u, "cursor", func(ctx context.Context) ([]int64, error) {
		if since == "" {
			since = "0" // before the first transaction
		}
		if _, err := strconv.ParseUint(string(since), 10, 64); err != nil {
			return nil, affiliate.Invalid("url_matching_rule",
				affiliate.FieldError{Field: "cursor", Code: "invalid_cursor", Message: "must be a cursor that this store returned"})
		}
		var ids []int64
		err := r.u.tx.NewRaw(`SELECT advertiser_id FROM ? WHERE xid >= ?::text::xid8 ORDER BY advertiser_id`,
			r.u.name("affiliate_url_rule_changes"), string(since)).Scan(ctx, &ids)
		return noneAsNil(ids), err
	})
}
