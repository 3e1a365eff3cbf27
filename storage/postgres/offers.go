package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Offers is the store of package offers.
func (db *DB) Offers() offers.Store { return offersStore{db} }

type offersStore struct{ db *DB }

func (s offersStore) Read(ctx context.Context, fn func(context.Context, offers.Tx) error) error {
	return s.db.run(ctx, readUnit, func(ctx context.Context, u *unit) error { return fn(ctx, offersTx{coreTx{u}}) })
}

func (s offersStore) Write(ctx context.Context, fn func(context.Context, offers.Tx) error) error {
	return s.db.run(ctx, writeUnit, func(ctx context.Context, u *unit) error { return fn(ctx, offersTx{coreTx{u}}) })
}

// offersTx gives the repositories of offers beside those of the core.
type offersTx struct{ coreTx }

var _ offers.Tx = offersTx{} // and with it each repository

func (t offersTx) Offers() offers.OfferRepository               { return offerRepository(t.coreTx) }
func (t offersTx) Targets() offers.TargetRepository             { return targets(t.coreTx) }
func (t offersTx) Participants() offers.ParticipantRepository   { return participants(t.coreTx) }
func (t offersTx) Usage() offers.UsageRepository                { return usage(t.coreTx) }
func (t offersTx) OfferDays() offers.DayRepository              { return offerDays(t.coreTx) }
func (t offersTx) SharedBudgets() offers.SharedBudgetRepository { return sharedBudgets(t.coreTx) }
func (t offersTx) Comments() offers.CommentRepository           { return comments(t.coreTx) }
func (t offersTx) Activities() offers.ActivityRepository        { return activities(t.coreTx) }
func (t offersTx) ReturnAds() offers.ReturnAdRepository         { return returnAds(t.coreTx) }

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
	ValidFrom         time.Time          `bun:"valid_from,nullzero"`
	ValidUntil        time.Time          `bun:"valid_until,nullzero"`
	Todo              []string           `bun:"todo,array"`
	ShowForAdvertiser bool               `bun:"show_for_advertiser"`
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
		PerUserLimit: o.PerUserLimit, SharedBudgetID: o.SharedBudgetID, ValidFrom: stamp(o.ValidFrom), ValidUntil: stamp(o.ValidUntil),
		Todo: append([]string{}, o.Todo...), ShowForAdvertiser: o.ShowForAdvertiser, Priority: o.Priority, Costs: offerCosts{o.Costs},
		CreatedBy: o.CreatedBy.UserID, CreatedByName: o.CreatedBy.Name, CreatedAt: stamp(o.CreatedAt), UpdatedAt: stamp(o.UpdatedAt),
		PausedAt: stamp(o.PausedAt), DeletedAt: stamp(o.DeletedAt),
	}
}

func (r offerRow) offer() offers.Offer {
	return offers.Offer{
		ID: r.ID, AdvertiserID: r.AdvertiserID, Currency: r.Currency, Type: r.Type, Name: r.Name, Title: r.Title, Text: r.Body,
		Token: r.Token, ImageKey: r.ImageKey, HasProductSeeding: r.HasProductSeeding, HasOneTimePayment: r.HasOneTimePayment,
		OneTimePayment: r.OneTimePayment, BudgetLimit: optional(r.BudgetLimit), MaxClicks: optional(r.MaxClicks),
		PerUserLimit: r.PerUserLimit, SharedBudgetID: r.SharedBudgetID, ValidFrom: utc(r.ValidFrom), ValidUntil: utc(r.ValidUntil),
		Todo: noneAsNil(r.Todo), ShowForAdvertiser: r.ShowForAdvertiser, Priority: r.Priority, Costs: noneAsNil(r.Costs.costs),
		CreatedBy: affiliate.Actor{UserID: r.CreatedBy, Name: r.CreatedByName}, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		PausedAt: utc(r.PausedAt), DeletedAt: utc(r.DeletedAt),
	}
}

func pointer[V any](o affiliate.Optional[V]) *V {
	if !o.Set {
		return nil
	}
	return &o.Value
}

func optional[V any](p *V) affiliate.Optional[V] {
	if p == nil {
		return affiliate.Optional[V]{}
	}
	return affiliate.Some(*p)
}

// offerCosts keeps costs as costsColumn does, with the creator's part.
type offerCosts struct{ costs []offers.Costs }

type offerCostsJSON struct {
	costsJSON
	UserRevenue *string `json:"user_revenue,omitempty"`
}

// Value is for the driver.
func (c offerCosts) Value() (driver.Value, error) {
	plain := costsColumn{make([]affiliate.Costs, len(c.costs))}
	for i, v := range c.costs {
		plain.costs[i] = v.Costs
	}
	rows := plain.rows()
	out := make([]offerCostsJSON, len(rows))
	for i, v := range c.costs {
		out[i].costsJSON = rows[i]
		if v.UserRevenue.Set {
			s := v.UserRevenue.Value.String()
			out[i].UserRevenue = &s
		}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Scan is for the driver.
func (c *offerCosts) Scan(src any) error {
	if src == nil { // of a part that is not there
		return nil
	}
	text, err := textOf(src)
	if err != nil || text == "[]" {
		return err
	}
	var in []offerCostsJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: costs: %w", errCorrupt, err)
	}
	c.costs = make([]offers.Costs, len(in))
	for i, v := range in {
		if c.costs[i].Costs, err = v.cost(); err != nil {
			return err
		}
		if c.costs[i].UserRevenue, err = optionalRate(v.UserRevenue); err != nil {
			return err
		}
	}
	return nil
}

type offerRepository struct{ u *unit }

func (r offerRepository) Add(ctx context.Context, o offers.Offer) (offers.Offer, error) {
	o.ID = 0
	return offerTable.add(ctx, r.u, o)
}

func (r offerRepository) Get(ctx context.Context, id int64) (offers.Offer, error) {
	return offerTable.get(ctx, r.u, id)
}

func (r offerRepository) GetMany(ctx context.Context, ids []int64) ([]offers.Offer, error) {
	return offerTable.getMany(ctx, r.u, ids)
}

func (r offerRepository) ByToken(ctx context.Context, token string) (offers.Offer, error) {
	return offerTable.one(ctx, r.u, token, func(q filter) { q.exactly("t.token", token) })
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

// instant writes a time into a statement that takes no arguments.
func instant(t time.Time) string {
	return "'" + stamp(t).Format("2006-01-02 15:04:05.000000") + "+00'::timestamptz"
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

// anyOf asks for all conditions, or for the row with the id, if it is set.
func (f filter) anyOf(orID int64, conditions []func(filter)) {
	if len(conditions) == 0 {
		return
	}
	f.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, c := range conditions {
			c(filter{q})
		}
		if orID != 0 {
			q.WhereOr("t.id = ?", orID)
		}
		return q
	})
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
		q.Where("t.advertiser_id IN (SELECT a.id FROM ? AS a WHERE a.group_id = ANY(?::bigint[]))",
			r.u.name("affiliate_advertisers"), pgdialect.Array(f.GroupIDs))
	})
	when(f.ShownAdvertisers, func(q filter) {
		q.Where("t.advertiser_id IN (SELECT a.id FROM ? AS a WHERE a.status = ? AND NOT a.hidden)",
			r.u.name("affiliate_advertisers"), string(affiliate.AdvertiserActive))
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

// targetColumns are the targets that can be kept.
func targetColumns(list []offers.Target) (kinds, values []string) {
	kinds, values = []string{}, []string{}
	for _, t := range list {
		if storable(string(t.Kind)) && storable(t.Value) {
			kinds, values = append(kinds, string(t.Kind)), append(values, t.Value)
		}
	}
	return kinds, values
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

type targets struct{ u *unit }

func (r targets) Set(ctx context.Context, offerID int64, list []offers.Target) error {
	return exec(ctx, r.u, "target", func(ctx context.Context) error {
		for _, t := range list {
			if err := t.Validate(); err != nil {
				return err
			}
		}
		if err := r.u.checkReferences(ctx, "target", reference{"offer_id", "affiliate_offers", []int64{offerID}}); err != nil {
			return err
		}
		if offerID == 0 {
			return unknownReference("target", "offer_id")
		}
		kinds, values := targetColumns(list)
		table := r.u.name("affiliate_offer_targets")
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? AS t WHERE t.offer_id = ?
			AND NOT EXISTS (SELECT FROM unnest(?::text[], ?::text[]) AS k (kind, value) WHERE k.kind = t.kind AND k.value = t.value)`,
			table, offerID, pgdialect.Array(kinds), pgdialect.Array(values))
		if err != nil || len(list) == 0 {
			return err
		}
		_, err = r.u.tx.ExecContext(ctx, `INSERT INTO ? (offer_id, advertiser_id, kind, value)
			SELECT o.id, o.advertiser_id, k.kind, k.value FROM ? AS o, unnest(?::text[], ?::text[]) AS k (kind, value)
			WHERE o.id = ? ON CONFLICT DO NOTHING`,
			table, r.u.name("affiliate_offers"), pgdialect.Array(kinds), pgdialect.Array(values), offerID)
		return err
	})
}

func (r targets) Get(ctx context.Context, offerID int64) ([]offers.Target, error) {
	return read(ctx, r.u, "target", func(ctx context.Context) ([]offers.Target, error) {
		var rows []struct {
			Kind  offers.TargetKind `bun:"kind"`
			Value string            `bun:"value"`
		}
		err := r.u.tx.NewRaw(`SELECT kind, value FROM ? WHERE offer_id = ? ORDER BY kind, value`,
			r.u.name("affiliate_offer_targets"), offerID).Scan(ctx, &rows)
		var out []offers.Target
		for _, row := range rows {
			out = append(out, offers.Target{Kind: row.Kind, Value: row.Value})
		}
		return out, err
	})
}

// servingRow is an offer with the places of the asks that it is for, and the
// parts of those who take part in it. One row for each would be mostly the same
// offer again, and taking rows apart is what costs.
type servingRow struct {
	Offer        offerRow `bun:"embed:"`
	SharedAmount *int64   `bun:"shared_amount"`
	Places       []int64  `bun:"places,array"` // ascending
	PartPlaces   []int64  `bun:"part_places,array"`
	PartIDs      []int64  `bun:"part_ids,array"`
	PartStatuses []string `bun:"part_statuses,array"`
	PartLimits   []int64  `bun:"part_limits,array"` // of clicks; -1: none
	PartCosts    []string `bun:"part_costs,array"`
}

// spread appends the offer to the candidates of each ask that it is for.
func (r *servingRow) spread(out [][]offers.Candidate) error {
	parts := make(map[int64]offers.Standing, len(r.PartPlaces))
	for i, place := range r.PartPlaces {
		p := offers.Standing{ParticipantID: r.PartIDs[i], Status: offers.ParticipantStatus(r.PartStatuses[i])}
		if limit := r.PartLimits[i]; limit >= 0 {
			p.ClickLimit = affiliate.Some(limit)
		}
		var costs offerCosts
		if err := costs.Scan(r.PartCosts[i]); err != nil {
			return err
		}
		p.Costs = noneAsNil(costs.costs)
		parts[place] = p
	}
	o := r.Offer.offer()
	for _, place := range r.Places {
		c := offers.Candidate{Conditions: o.Conditions(), Targeted: true}
		if r.SharedAmount != nil {
			c.Shared = affiliate.Some(offers.Shared{Amount: *r.SharedAmount})
		}
		if p, ok := parts[place]; ok {
			c.Participant = affiliate.Some(p)
		}
		out[place] = append(out[place], c)
	}
	return nil
}

// Serving makes the planner go from the targets to the offers and the parts,
// each by its key: it cannot know how few there will be.
func (r targets) Serving(ctx context.Context, from, until time.Time, asks []offers.Ask) ([][]offers.Candidate, error) {
	var ids []int64 // of the offers
	found, err := read(ctx, r.u, "target", func(ctx context.Context) ([][]offers.Candidate, error) {
		var places []int64
		var kinds, values []string
		for i, ask := range asks {
			k, v := targetColumns(ask.Targets)
			kinds, values = append(kinds, k...), append(values, v...)
			for range k {
				places = append(places, int64(i))
			}
		}
		out := make([][]offers.Candidate, len(asks))
		if len(places) == 0 {
			return out, nil
		}
		of := func(field func(*offers.Ask) int64) schema.QueryAppender {
			return column(places, func(i *int64) int64 { return field(&asks[*i]) })
		}
		var rows []servingRow
		err := r.u.tx.NewRaw(`SELECT t.*, s.places, s.part_places, s.part_ids, s.part_statuses, s.part_limits, s.part_costs
			FROM (SELECT a.offer_id, array_agg(a.n ORDER BY a.n) AS places, array_agg(a.n) FILTER (WHERE p.id IS NOT NULL) AS part_places,
					array_agg(p.id) FILTER (WHERE p.id IS NOT NULL) AS part_ids,
					array_agg(p.status) FILTER (WHERE p.id IS NOT NULL) AS part_statuses,
					array_agg(coalesce(p.click_limit, -1)) FILTER (WHERE p.id IS NOT NULL) AS part_limits,
					array_agg(p.costs::text) FILTER (WHERE p.id IS NOT NULL) AS part_costs
				FROM (SELECT DISTINCT a.n, a.user_id, x.offer_id
					FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[]) AS a (n, advertiser_id, user_id, kind, value)
					CROSS JOIN LATERAL (SELECT x.offer_id FROM ? AS x
						WHERE x.advertiser_id = a.advertiser_id AND x.kind = a.kind AND x.value = a.value OFFSET 0) AS x) AS a
				LEFT JOIN LATERAL (SELECT p.id, p.status, p.click_limit, p.costs
					FROM ? AS p WHERE p.offer_id = a.offer_id AND p.user_id = a.user_id OFFSET 0) AS p ON TRUE
				GROUP BY a.offer_id) AS s
			CROSS JOIN LATERAL (SELECT t.id, t.currency, t.type, t.budget_limit, t.max_clicks, t.per_user_limit, t.shared_budget_id,
					t.valid_from, t.valid_until, t.priority, t.costs, (SELECT b.amount FROM ? AS b WHERE b.id = t.shared_budget_id) AS shared_amount
				FROM ? AS t WHERE t.id = s.offer_id AND t.deleted_at IS NULL AND t.paused_at IS NULL
					AND (t.valid_from IS NULL OR t.valid_from <= ?) AND (t.valid_until IS NULL OR t.valid_until > ?) OFFSET 0) AS t
			ORDER BY t.id`,
			pgdialect.Array(places), of(func(a *offers.Ask) int64 { return a.AdvertiserID }), of(func(a *offers.Ask) int64 { return a.UserID }),
			pgdialect.Array(kinds), pgdialect.Array(values), r.u.name("affiliate_offer_targets"), r.u.name("affiliate_offer_participants"),
			r.u.name("affiliate_shared_budgets"), r.u.name("affiliate_offers"), stamp(until), stamp(from)).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if err := rows[i].spread(out); err != nil {
				return nil, err
			}
			ids = append(ids, rows[i].Offer.ID)
		}
		return out, nil
	})
	if err == nil {
		r.u.saw(offerTable.name, ids)
	}
	return found, err
}
