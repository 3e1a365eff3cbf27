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
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
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

// changed notes that this unit has changed rules of the advertisers.
func (r rules) changed(ctx context.Context, advertiserIDs ...int64) error {
	_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? (advertiser_id) SELECT unnest(?::bigint[])
		ON CONFLICT (advertiser_id) DO UPDATE SET number = NULL`,
		r.u.name("affiliate_url_rule_changes"), pgdialect.Array(distinct(advertiserIDs)))
	return err
}

func (r rules) ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]links.Rule, error) {
	return r.many(ctx, func(q filter) { q.among("t.advertiser_id", nonNil(advertiserIDs)) })
}

func (r rules) Scan(ctx context.Context, after int64, limit int) ([]links.Rule, error) {
	return r.after(ctx, after, limit)
}

// Cursor is the last number that was given. A unit that finds changes without one
// gives them the next, once it has ended; until then Changed tells of them each time.
func (r rules) Cursor(ctx context.Context) (links.Cursor, error) {
	return read(ctx, r.u, "cursor", func(ctx context.Context) (links.Cursor, error) {
		var last int64
		err := r.u.tx.NewRaw(`SELECT last, EXISTS (SELECT FROM ? WHERE number IS NULL) FROM ? WHERE id = 1`,
			r.u.name("affiliate_url_rule_changes"), r.u.name("affiliate_url_rule_sequence")).Scan(ctx, &last, &r.u.numbersRules)
		return links.Cursor(strconv.FormatInt(last, 10)), err
	})
}

func (r rules) Changed(ctx context.Context, since links.Cursor) ([]int64, error) {
	return read(ctx, r.u, "cursor", func(ctx context.Context) ([]int64, error) {
		if since == "" {
			since = "0" // before the first number
		}
		last, err := strconv.ParseUint(string(since), 10, 63)
		if err != nil {
			return nil, affiliate.Invalid("url_matching_rule",
				affiliate.FieldError{Field: "cursor", Code: "invalid_cursor", Message: "must be a cursor that this store returned"})
		}
		var ids []int64
		err = r.u.tx.NewRaw(`SELECT advertiser_id FROM ? WHERE number > ? OR number IS NULL ORDER BY advertiser_id`,
			r.u.name("affiliate_url_rule_changes"), last).Scan(ctx, &ids)
		return ids, err
	})
}

// numberRulesAfter numbers changes that the unit saw without a number: now that it
// has ended, or once the transaction of RunInTx has that it is in. In one that the host
// began itself that is left to the next unit outside.
func (db *DB) numberRulesAfter(ctx context.Context, u *unit) {
	if !db.hosted() {
		db.numberRules(u.ctx)
	} else if h, ok := ctx.Value(hostKey{db.pool}).(*hostMark); ok {
		h.numbersRules.Store(true)
	}
}

// numberRules gives a number to the changes of rules that have none, in a unit of its
// own, so that those who change rules wait for nobody. One process does so at a time;
// another one passes it over, as it passes over changes that are being made right
// now. Its failure costs no more than that Changed tells of them again.
func (db *DB) numberRules(ctx context.Context) {
	_ = db.runOnce(ctx, &unit{db: db, kind: recordUnit}, func(ctx context.Context, u *unit) error {
		return exec(ctx, u, "url_matching_rule", func(ctx context.Context) error {
			// First the lock, so that the next statement sees what its last holder did.
			var last []int64
			err := u.tx.NewRaw(`SELECT last FROM ? WHERE id = 1 FOR UPDATE SKIP LOCKED`, u.name("affiliate_url_rule_sequence")).Scan(ctx, &last)
			if err != nil || len(last) == 0 {
				return err
			}
			next := last[0] + 1
			if _, err := u.tx.ExecContext(ctx, `WITH fresh AS MATERIALIZED (
					SELECT advertiser_id FROM ?0 WHERE number IS NULL FOR UPDATE SKIP LOCKED
				) UPDATE ?0 AS t SET number = ?1 FROM fresh WHERE t.advertiser_id = fresh.advertiser_id`, u.name("affiliate_url_rule_changes"), next); err != nil {
				return err
			}
			_, err = u.tx.ExecContext(ctx, `UPDATE ? SET last = ? WHERE id = 1`, u.name("affiliate_url_rule_sequence"), next)
			return err
		})
	})
}
