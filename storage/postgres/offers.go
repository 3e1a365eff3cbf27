package postgres

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type offerRow struct {
	bun.BaseModel `bun:"table:affiliate_offers,alias:t"`

	ID                int64              `bun:"id,pk,autoincrement"`
	AdvertiserID      int64              `bun:"advertiser_id"`
	Currency          affiliate.Currency `bun:"currency"`
	Type              offers.Type        `bun:"type"`
	Name              string             `bun:"name"`
	Title             string             `bun:"title"`
	Body              string             `bun:"body"`
	Token             string             `bun:"token"`
	ImageKey          string             `bun:"image_key"`
	HasProductSeeding bool               `bun:"has_product_seeding"`
	HasOneTimePayment bool               `bun:"has_one_time_payment"`
	OneTimePayment    int64              `bun:"one_time_payment"`
	BudgetLimit       *int64             `bun:"budget_limit"`
	MaxClicks         *int64             `bun:"max_clicks"`
	PerUserLimit      bool               `bun:"per_user_limit"`
	SharedBudgetID    int64              `bun:"shared_budget_id,nullzero"`
	StoreGroupID      int64              `bun:"store_group_id,nullzero"`
	ValidFrom         time.Time          `bun:"valid_from,nullzero"`
	ValidUntil        time.Time          `bun:"valid_until,nullzero"`
	UntilDay          bool               `bun:"until_day"`
	Todo              []string           `bun:"todo,array"`
	ShowForAdvertiser bool               `bun:"show_for_advertiser"`
	Visibility        offers.Visibility  `bun:"visibility"`
	Unlisted          bool               `bun:"unlisted"`
	InfluencerText    string             `bun:"influencer_text"`
	Priority          int64              `bun:"priority"`
	Costs             offerCosts         `bun:"costs"`
	CreatedBy         int64              `bun:"created_by,nullzero"`
	CreatedByName     string             `bun:"created_by_name"`
	CreatedAt         time.Time          `bun:"created_at,nullzero"`
	UpdatedAt         time.Time          `bun:"updated_at,nullzero"`
	PausedAt          time.Time          `bun:"paused_at,nullzero"`
	DeletedAt         time.Time          `bun:"deleted_at,nullzero"`
}

var offerTable = table[offers.Offer, offerRow]{
	name: "affiliate_offers", resource: "offer",
	row: newOfferRow, entity: offerRow.offer,
	refers: func(r *offerRow) []reference {
		return []reference{
			ref("store_id", "affiliate_advertisers", r.AdvertiserID), ref("shared_budget_id", "affiliate_shared_budgets", r.SharedBudgetID),
			ref("store_group_id", "affiliate_advertiser_groups", r.StoreGroupID), ref("created_by", "affiliate_users", r.CreatedBy),
		}
	},
	sort: map[string]string{
		"name": "t.name", "campaign_title": "t.title", "store_id": "t.advertiser_id", "type": "t.type",
		"currency": "t.currency", "token": "t.token", "created_at": "t.created_at", "valid_from": "t.valid_from",
		"valid_until": "t.valid_until", "priority": "t.priority",
		"ends_soon": "coalesce(t.valid_until, 'infinity'::timestamptz)", "active_first": "",
	},
}

func newOfferRow(o offers.Offer) offerRow {
	return offerRow{
		ID: o.ID, AdvertiserID: o.AdvertiserID, Currency: o.Currency, Type: o.Type, Name: o.Name, Title: o.Title, Body: o.Text,
		Token: o.Token, ImageKey: o.ImageKey, HasProductSeeding: o.HasProductSeeding, HasOneTimePayment: o.HasOneTimePayment,
		OneTimePayment: o.OneTimePayment, BudgetLimit: pointer(o.BudgetLimit), MaxClicks: pointer(o.MaxClicks),
		PerUserLimit: o.PerUserLimit, SharedBudgetID: o.SharedBudgetID, StoreGroupID: o.StoreGroupID, ValidFrom: o.ValidFrom, ValidUntil: o.ValidUntil, UntilDay: o.UntilDay,
		Todo: append([]string{}, o.Todo...), ShowForAdvertiser: o.ShowForAdvertiser,
		Visibility: o.Visibility, Unlisted: o.Unlisted, InfluencerText: o.InfluencerText, Priority: o.Priority, Costs: offerCosts{slices.Clone(o.Costs)},
		CreatedBy: o.CreatedBy.UserID, CreatedByName: o.CreatedBy.Name, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		PausedAt: o.PausedAt, DeletedAt: o.DeletedAt,
	}
}

func (r offerRow) offer() offers.Offer {
	return offers.Offer{
		ID: r.ID, AdvertiserID: r.AdvertiserID, Currency: r.Currency, Type: r.Type, Name: r.Name, Title: r.Title, Text: r.Body,
		Token: r.Token, ImageKey: r.ImageKey, HasProductSeeding: r.HasProductSeeding, HasOneTimePayment: r.HasOneTimePayment,
		OneTimePayment: r.OneTimePayment, BudgetLimit: optional(r.BudgetLimit), MaxClicks: optional(r.MaxClicks),
		PerUserLimit: r.PerUserLimit, SharedBudgetID: r.SharedBudgetID, StoreGroupID: r.StoreGroupID, ValidFrom: utc(r.ValidFrom), ValidUntil: utc(r.ValidUntil), UntilDay: r.UntilDay,
		Todo: noneAsNil(r.Todo), ShowForAdvertiser: r.ShowForAdvertiser,
		Visibility: r.Visibility, Unlisted: r.Unlisted, InfluencerText: r.InfluencerText, Priority: r.Priority, Costs: noneAsNil(r.Costs.costs),
		CreatedBy: affiliate.Actor{UserID: r.CreatedBy, Name: r.CreatedByName}, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		PausedAt: utc(r.PausedAt), DeletedAt: utc(r.DeletedAt),
	}
}

type offerRepository struct{ repo[offers.Offer, offerRow] }

// Lock takes a lock that conflicts with the shared one of Serving.
func (r offerRepository) Lock(ctx context.Context, ids []int64) ([]offers.Offer, error) {
	return r.locked(ctx, ids, "UPDATE")
}

func (r offerRepository) Share(ctx context.Context, ids []int64) ([]offers.Offer, error) {
	return r.locked(ctx, ids, "KEY SHARE")
}

func (r offerRepository) locked(ctx context.Context, ids []int64, strength string) ([]offers.Offer, error) {
	return change(ctx, r.u, "offer", func(ctx context.Context) ([]offers.Offer, error) {
		var rows []offerRow
		err := r.u.preparedFrom("lock offers "+strength, func() string {
			return offerTable.selectFrom(r.u, &rows).Where(byIDs).OrderExpr("t.id").For(strength).String()
		}, distinct(ids)).Scan(ctx, &rows)
		return offerTable.entities(rows), err
	})
}

func (r offerRepository) ByToken(ctx context.Context, token string) (offers.Offer, error) {
	return r.one(ctx, token, func(q filter) { q.exactly("t.token", token) })
}

func (r offerRepository) Update(ctx context.Context, o offers.Offer) error {
	return exec(ctx, r.u, "offer", func(ctx context.Context) error {
		if err := o.Validate(); err != nil {
			return err
		}
		before, err := offerTable.find(ctx, r.u, o.ID, func(q filter) { q.Where("t.id = ?", o.ID) })
		if err != nil {
			return err
		}
		row := newOfferRow(o)
		if err := offerTable.replace(ctx, r.u, &row, o.ID); err != nil {
			return err
		}
		if before.AdvertiserID != o.AdvertiserID {
			return affiliate.Invalid("offer", affiliate.FieldError{Field: "store_id", Code: "immutable", Message: "cannot be changed"})
		}
		return nil
	})
}

// offerStatus is offers.Offer.Status as an expression.
func (u *unit) offerStatus(at time.Time) string {
	return strings.NewReplacer("{usage}", u.db.prefix+"affiliate_offer_usage", "{budgets}", u.db.prefix+"affiliate_shared_budgets", "{at}", instant(at)).Replace(`CASE
		WHEN t.deleted_at IS NOT NULL THEN 'deleted'
		WHEN t.paused_at IS NOT NULL THEN 'paused'
		WHEN t.valid_until <= {at} OR t.max_clicks = 0 AND NOT t.per_user_limit OR t.budget_limit = 0 AND NOT t.per_user_limit
			OR NOT t.per_user_limit AND EXISTS (SELECT FROM {usage} AS s WHERE s.shared_budget_id = 0 AND s.offer_id = t.id AND s.user_id = 0
				AND (s.clicks >= t.max_clicks OR s.spent >= t.budget_limit))
			OR t.shared_budget_id IS NOT NULL AND EXISTS (SELECT FROM {budgets} AS b WHERE b.id = t.shared_budget_id AND b.amount <=
				coalesce((SELECT s.spent FROM {usage} AS s WHERE s.shared_budget_id = b.id AND s.offer_id = 0 AND s.user_id = 0), 0)) THEN 'ended'
		WHEN t.valid_from > {at} THEN 'scheduled'
		ELSE 'active' END`)
}

func (r offerRepository) List(ctx context.Context, f offers.OfferFilter, p affiliate.PageRequest) (affiliate.Page[offers.Offer], error) {
	t := offerTable
	t.sort = maps.Clone(t.sort)
	t.sort["active_first"] = "(" + r.u.offerStatus(f.At) + ") <> 'active'"
	conditions := r.conditions(f)
	return t.list(ctx, r.u, p, func(q filter) { q.anyOf(f.OrID, conditions) })
}

func (r offerRepository) conditions(f offers.OfferFilter) []func(filter) {
	var all []func(filter)
	when := func(asked bool, c func(filter)) {
		if asked {
			all = append(all, c)
		}
	}
	when(f.Query != "", func(q filter) { q.query(f.Query, "t.id", part("t.name"), part("t.title")) })
	when(f.AdvertiserIDs != nil, func(q filter) { q.among("t.advertiser_id", f.AdvertiserIDs) })
	when(f.GroupIDs != nil, func(q filter) {
		q.Where("(t.store_group_id = ANY(?::bigint[]) OR t.advertiser_id IN (SELECT a.id FROM ? AS a WHERE a.group_id = ANY(?::bigint[])))",
			pgdialect.Array(f.GroupIDs), r.u.name("affiliate_advertisers"), pgdialect.Array(f.GroupIDs))
	})
	when(f.ShownAdvertisers, func(q filter) {
		q.Where("NOT t.unlisted AND t.visibility <> ? AND t.advertiser_id IN (SELECT a.id FROM ? AS a WHERE a.status = ? AND (NOT a.hidden OR t.visibility = ?))",
			int(offers.AlwaysHidden), r.u.name("affiliate_advertisers"), string(affiliate.AdvertiserActive), int(offers.AlwaysVisible))
	})
	when(len(f.ExcludedAdvertisers) > 0, func(q filter) {
		q.Where("t.advertiser_id <> ALL(?::bigint[])", pgdialect.Array(f.ExcludedAdvertisers))
	})
	when(f.CreatedBy != 0, func(q filter) { q.equal("t.created_by", f.CreatedBy) })
	when(f.Type != "", func(q filter) { q.text("t.type", string(f.Type)) })
	when(f.ShowForAdvertiser.Set, func(q filter) { q.flag("t.show_for_advertiser", f.ShowForAdvertiser) })
	when(f.SharedBudgetID != 0, func(q filter) { q.equal("t.shared_budget_id", f.SharedBudgetID) })
	when(f.IDs != nil, func(q filter) { q.among("t.id", f.IDs) })
	when(f.Targets != nil, func(q filter) {
		kinds, values := targetColumns(f.Targets)
		q.Where("t.id IN (SELECT x.offer_id FROM ? AS x JOIN unnest(?::text[], ?::text[]) AS k (kind, value) ON x.kind = k.kind AND x.value = k.value)",
			r.u.name("affiliate_offer_targets"), pgdialect.Array(kinds), pgdialect.Array(values))
		groups := []string{}
		for _, t := range f.Targets {
			if t.Kind == offers.TargetGroup {
				groups = append(groups, t.Value)
			}
		}
		q.Where("(t.store_group_id IS NULL OR t.store_group_id::text = ANY(?::text[]))", pgdialect.Array(groups))
	})
	when(f.Statuses != nil, func(q filter) {
		statuses := make([]string, len(f.Statuses))
		for i, s := range f.Statuses {
			statuses[i] = string(s)
		}
		q.Where("? = ANY(?::text[])", bun.Safe("("+r.u.offerStatus(f.At)+")"), pgdialect.Array(statuses))
	})
	return all
}

func (r offerRepository) Ranked(ctx context.Context, advertiserID, priority int64, limit int) ([]offers.Offer, error) {
	return read(ctx, r.u, "offer", func(ctx context.Context) ([]offers.Offer, error) {
		var rows []offerRow
		q := offerTable.selectFrom(r.u, &rows)
		q.Where("t.advertiser_id = ? AND t.deleted_at IS NULL AND t.priority <= ?", advertiserID, priority)
		q.none(limit <= 0)
		err := q.OrderExpr("t.priority DESC, t.token DESC").Limit(int64(limit)).Scan(ctx)
		return offerTable.entities(rows), err
	})
}
