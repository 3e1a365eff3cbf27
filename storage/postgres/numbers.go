package postgres

import (
	"context"
	"math"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// Moves is the view for package links/move, nil when Options.Without has Orders or
// Payouts: the tables of an advertiser must be there on both sides. Migrate adds them.
func (db *DB) Moves() move.Store {
	if db.lacks(Orders) || db.lacks(Payouts) {
		return nil
	}
	return view[move.Tx]{db, func(u *unit) move.Tx { return moveTx{ordersTx{linksTx{offersTx{statsTx{coreTx{u}}}}}} }}
}

// moveTx is the transaction of package links/move: it has all that hangs on an
// advertiser.
type moveTx struct{ ordersTx }

var _ move.Tx = moveTx{} // and with it each repository

func (t moveTx) ReturnAds() returnads.Repository        { return returnAds{in(t.coreTx, &returnAdTable)} }
func (t moveTx) PaymentSetups() payouts.SetupRepository { return paymentSetups(t.coreTx) }
func (t moveTx) Numbers() move.NumberRepository         { return numbers(t.coreTx) }

type numbers struct{ u *unit }

// numberedTables are the tables whose rows get their ids from the database, and
// their names in errors.
var numberedTables = map[move.Kind][2]string{
	move.Groups:       {"affiliate_advertiser_groups", "advertiser_group"},
	move.Categories:   {"affiliate_categories", "category"},
	move.Clients:      {"affiliate_clients", "client"},
	move.Tiers:        {"affiliate_revenue_tiers", "revenue_tier"},
	move.Advertisers:  {"affiliate_advertisers", "advertiser"},
	move.SharedTags:   {"affiliate_user_tags", "user_tag"},
	move.Tags:         {"affiliate_user_tags", "user_tag"},
	move.Users:        {"affiliate_users", "user"},
	move.Rules:        {"affiliate_url_rules", "url_matching_rule"},
	move.Blocks:       {"affiliate_blocklist", "blocklist_entry"},
	move.Budgets:      {"affiliate_shared_budgets", "shared_budget"},
	move.Offers:       {"affiliate_offers", "offer"},
	move.Participants: {"affiliate_offer_participants", "participant"},
	move.Comments:     {"affiliate_offer_comments", "comment"},
	move.Activities:   {"affiliate_offer_activities", "activity"},
	move.Configs:      {"affiliate_stats_configs", "stats_config"},
	move.RateCards:    {"affiliate_rate_cards", "rate_card"},
	move.Links:        {"affiliate_links", "link"},
	move.Vouchers:     {"affiliate_vouchers", "voucher"},
	move.Collectors:   {"affiliate_order_collectors", "collector"},
	move.Entries:      {"affiliate_entries", "entry"},
	move.Orders:       {"affiliate_orders", "order"},
	move.Refunds:      {"affiliate_order_refunds", "refund"},
	move.Payments:     {"affiliate_one_time_payments", "payment"},
	move.ReturnAds:    {"affiliate_return_ads", "return_ad"},
}

func (r numbers) Renumber(ctx context.Context, kind move.Kind, from, to []int64) error {
	t, ok := numberedTables[kind]
	table, resource := t[0], t[1]
	return exec(ctx, r.u, resource, func(ctx context.Context) error {
		if !ok {
			return move.NotNumbered(kind)
		}
		for _, id := range to {
			if id <= 0 || id > math.MaxUint32 { // beyond, passIDs would step for ever
				return affiliate.Invalid(resource, affiliate.FieldError{Field: "id", Code: "out_of_range", Message: "must be between 1 and 4294967295"})
			}
		}
		if len(from) == 0 {
			return nil
		}
		if err := r.u.passIDs(ctx, table, to); err != nil {
			return err
		}
		found, err := r.u.renumber(ctx, table, from, to)
		if e, ok := serverErrorIn(err); ok && e.state == stateUnique {
			return taken(resource, "id")
		}
		if err == nil && found != int64(len(from)) {
			return affiliate.NotFound(resource, "")
		}
		return err
	})
}

// renumber returns how many rows there were. It goes by way of negative ids, which
// no row has: a row may be given the id that another one of the same call had.
func (u *unit) renumber(ctx context.Context, table string, from, to []int64) (int64, error) {
	passing := values(to, func(id *int64) int64 { return -*id })
	_, err := u.tx.ExecContext(ctx, `UPDATE ? AS t SET id = n.new FROM unnest(?::bigint[], ?::bigint[]) AS n (old, new) WHERE t.id = n.old`,
		u.name(table), pgdialect.Array(from), pgdialect.Array(passing))
	if err != nil {
		return 0, err
	}
	res, err := u.tx.ExecContext(ctx, `UPDATE ? SET id = -id WHERE id = ANY(?::bigint[])`, u.name(table), pgdialect.Array(passing))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// passIDs takes the ids from the table's sequence that it would give one day. It
// steps the sequence on and never sets it, because others take from it meanwhile.
func (u *unit) passIDs(ctx context.Context, table string, ids []int64) error {
	var sequence string
	if err := u.tx.NewRaw(`SELECT pg_get_serial_sequence(?, 'id')`, u.db.prefix+table).Scan(ctx, &sequence); err != nil {
		return err
	}
	var last, step int64 // it has given the last one: rows that get other ids had ids before
	err := u.tx.NewRaw(`SELECT s.last_value, p.seqincrement FROM ? AS s, pg_sequence AS p WHERE p.seqrelid = ?::regclass`,
		bun.Safe(sequence), sequence).Scan(ctx, &last, &step)
	if err != nil {
		return err
	}
	var steps int64
	for _, id := range ids {
		if (id-last)%step == 0 {
			steps = max(steps, (id-last)/step)
		}
	}
	if steps == 0 {
		return nil
	}
	var n int64
	return u.tx.NewRaw(`SELECT count(nextval(?::regclass)) FROM (SELECT generate_series(1, ?)) AS n`, sequence, steps).Scan(ctx, &n)
}
