package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type targets struct{ u *unit }

func (r targets) Set(ctx context.Context, offerID int64, list []offers.Target) error {
	return exec(ctx, r.u, "target", func(ctx context.Context) error {
		for _, t := range list {
			if err := t.Validate(); err != nil {
				return err
			}
		}
		if err := r.u.checkReferences(ctx, "target", ref("offer_id", "affiliate_offers", offerID)); err != nil {
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

func (r targets) GetMany(ctx context.Context, offerIDs []int64) (map[int64][]offers.Target, error) {
	return read(ctx, r.u, "target", func(ctx context.Context) (map[int64][]offers.Target, error) {
		var rows []struct {
			OfferID int64             `bun:"offer_id"`
			Kind    offers.TargetKind `bun:"kind"`
			Value   string            `bun:"value"`
		}
		err := r.u.prepared(`SELECT offer_id, kind, value FROM {schema}affiliate_offer_targets WHERE offer_id = ANY(?0::bigint[]) ORDER BY offer_id, kind, value`,
			distinct(offerIDs)).Scan(ctx, &rows)
		out := make(map[int64][]offers.Target, len(offerIDs))
		for _, row := range rows {
			out[row.OfferID] = append(out[row.OfferID], offers.Target{Kind: row.Kind, Value: row.Value})
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
	Places       []int64  `bun:"places,array"`
	PartPlaces   []int64  `bun:"part_places,array"`
	PartIDs      []int64  `bun:"part_ids,array"`
	PartStatuses []string `bun:"part_statuses,array"`
	PartLimits   []int64  `bun:"part_limits,array"` // of clicks; -1: none
	PartCosts    []string `bun:"part_costs,array"`
}

// spread appends the offer to the candidates of each ask that it is for.
func (r *servingRow) spread(out [][]offers.Candidate) error {
	parts := make(map[int64]offers.Participation, len(r.PartPlaces))
	for i, place := range r.PartPlaces {
		p := offers.Participation{ParticipantID: r.PartIDs[i], Status: offers.ParticipantStatus(r.PartStatuses[i])}
		if limit := r.PartLimits[i]; limit >= 0 {
			p.ClickLimit = affiliate.Some(limit)
		}
		var costs offerCosts
		if err := costs.Scan(r.PartCosts[i]); err != nil {
			return err
		}
		p.Costs = costs.costs
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

const serving = `SELECT t.*, s.places, s.part_places, s.part_ids, s.part_statuses, s.part_limits, s.part_costs
	FROM (SELECT a.offer_id, array_agg(a.n) AS places, array_agg(a.n) FILTER (WHERE p.id IS NOT NULL) AS part_places,
			array_agg(p.id) FILTER (WHERE p.id IS NOT NULL) AS part_ids,
			array_agg(p.status) FILTER (WHERE p.id IS NOT NULL) AS part_statuses,
			array_agg(coalesce(p.click_limit, -1)) FILTER (WHERE p.id IS NOT NULL) AS part_limits,
			array_agg(p.costs::text) FILTER (WHERE p.id IS NOT NULL) AS part_costs
		FROM (SELECT DISTINCT a.n, a.user_id, x.offer_id
			FROM unnest(?0::bigint[], ?1::bigint[], ?2::bigint[], ?3::text[], ?4::text[]) AS a (n, advertiser_id, user_id, kind, value)
			CROSS JOIN LATERAL (SELECT x.offer_id FROM {schema}affiliate_offer_targets AS x
				WHERE x.advertiser_id = a.advertiser_id AND x.kind = a.kind AND x.value = a.value OFFSET 0) AS x) AS a
		LEFT JOIN LATERAL (SELECT p.id, p.status, p.click_limit, p.costs FROM {schema}affiliate_offer_participants AS p
			WHERE p.offer_id = a.offer_id AND p.user_id = a.user_id OFFSET 0) AS p ON TRUE
		GROUP BY a.offer_id) AS s
	CROSS JOIN LATERAL (SELECT t.id, t.currency, t.type, t.budget_limit, t.max_clicks, t.per_user_limit, t.shared_budget_id, t.store_group_id,
			t.valid_from, t.valid_until, t.priority, t.costs,
			(SELECT b.amount FROM {schema}affiliate_shared_budgets AS b WHERE b.id = t.shared_budget_id) AS shared_amount
		FROM {schema}affiliate_offers AS t WHERE t.id = s.offer_id AND t.deleted_at IS NULL AND t.paused_at IS NULL
			AND (t.valid_from IS NULL OR t.valid_from <= ?5) AND (t.valid_until IS NULL OR t.valid_until > ?6) OFFSET 0) AS t
	ORDER BY t.id`

// What a click is decided by and an edit of it meet at the offer's row. Clicks
// share the lock, the edit has it alone; see offerRepository.Lock. Locking is a
// statement of its own: one that waits for an edit has read targets, parts and
// budgets before the wait, and PostgreSQL reads only the locked row anew.
const lockServing = `SELECT t.id
	FROM (SELECT DISTINCT x.offer_id FROM unnest(?0::bigint[], ?1::text[], ?2::text[]) AS a (advertiser_id, kind, value)
		CROSS JOIN LATERAL (SELECT x.offer_id FROM {schema}affiliate_offer_targets AS x
			WHERE x.advertiser_id = a.advertiser_id AND x.kind = a.kind AND x.value = a.value OFFSET 0) AS x) AS s
	CROSS JOIN LATERAL (SELECT t.id FROM {schema}affiliate_offers AS t WHERE t.id = s.offer_id AND t.deleted_at IS NULL AND t.paused_at IS NULL
		AND (t.valid_from IS NULL OR t.valid_from <= ?3) AND (t.valid_until IS NULL OR t.valid_until > ?4) OFFSET 0 FOR KEY SHARE) AS t`

// Serving makes the planner go from the targets to the offers and the parts,
// each by its key: it cannot know how few there will be.
func (r targets) Serving(ctx context.Context, from, until time.Time, asks []offers.Lookup) ([][]offers.Candidate, error) {
	var ids []int64 // of the offers
	found, err := read(ctx, r.u, "target", func(ctx context.Context) ([][]offers.Candidate, error) {
		var places []int64
		var kinds, wanted []string
		for i, ask := range asks {
			k, v := targetColumns(ask.Targets)
			kinds, wanted = append(kinds, k...), append(wanted, v...)
			for range k {
				places = append(places, int64(i))
			}
		}
		out := make([][]offers.Candidate, len(asks))
		if len(places) == 0 {
			return out, nil
		}
		of := func(field func(*offers.Lookup) int64) []int64 {
			return values(places, func(i *int64) int64 { return field(&asks[*i]) })
		}
		advertisers, users := of(func(a *offers.Lookup) int64 { return a.AdvertiserID }), of(func(a *offers.Lookup) int64 { return a.UserID })
		var rows []servingRow
		for locked := map[int64]bool{}; ; {
			if r.u.kind != readUnit {
				var held []int64
				if err := r.u.prepared(lockServing, advertisers, kinds, wanted, until, from).Scan(ctx, &held); err != nil {
					return nil, err
				}
				if len(held) == 0 {
					return out, nil
				}
				for _, id := range held {
					locked[id] = true
				}
			}
			if err := r.u.prepared(serving, places, advertisers, users, kinds, wanted, until, from).Scan(ctx, &rows); err != nil {
				return nil, err
			}
			// An offer that an edit brought here in between is not locked yet.
			if r.u.kind == readUnit || !slices.ContainsFunc(rows, func(row servingRow) bool { return !locked[row.Offer.ID] }) {
				break
			}
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
