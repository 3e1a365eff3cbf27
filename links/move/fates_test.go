package move_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/affiliatekit/affiliatekit/links/move"
)

// fate says what becomes of the rows of a table when an advertiser moves.
type fate struct {
	kinds []move.Kind // as what they move, or are matched
	left  string      // why they do not
}

func as(kinds ...move.Kind) fate { return fate{kinds: kinds} }
func left(why string) fate       { return fate{left: why} }

const (
	told     = "tells what happened where it happened"
	access   = "is granted anew"
	creators = "is the creators', whoever they work with"
	tenants  = "is of a tenant of its own, and of no advertiser"
)

var fates = map[string]fate{
	"advertisers":           as(move.Advertisers),
	"advertiser_categories": as(move.Advertisers),
	"advertiser_groups":     as(move.Groups),
	"categories":            as(move.Categories),
	"clients":               as(move.Clients),
	"revenue_tiers":         as(move.Tiers),
	"users":                 as(move.Users),
	"user_advertisers":      as(move.Creators),
	"user_tags":             as(move.SharedTags, move.Tags),
	"user_tag_members":      as(move.Users, move.Creators),
	"blocklist":             as(move.Blocks),
	"url_rules":             as(move.Rules),
	"links":                 as(move.Links),
	"clicks":                as(move.Clicks),
	"entries":               as(move.Entries),
	"shared_budgets":        as(move.Budgets),
	"images":                as(move.Images),
	"offers":                as(move.Offers),
	"offer_targets":         as(move.Offers),
	"rate_cards":            as(move.RateCards),
	"offer_participants":    as(move.Participants),
	"offer_comments":        as(move.Comments),
	"offer_activities":      as(move.Activities),
	"offer_usage":           as(move.Usage),
	"retained_usage":        as(move.GoneUsage),
	"return_ads":            as(move.ReturnAds),
	"orders":                as(move.Orders),
	"order_refunds":         as(move.Refunds),
	"order_collectors":      as(move.Collectors),
	"vouchers":              as(move.Vouchers),
	"one_time_payments":     as(move.Payments),
	"stats":                 as(move.Rollups),
	"stats_configs":         as(move.Configs),
	"payment_setups":        as(move.Setups),

	"totals":        left("are summed from the entries again"),
	"stats_readers": left("are derived from the clicks again"),
	"retention":     left("is in the header"),

	"url_rule_changes":   left("is how processes hear of rules, and written with them"),
	"url_rule_sequence":  left("numbers those, in each database by itself"),
	"click_skew":         left("is noted with each click again"),
	"visitor_secrets":    left("would tell readers of one database in another"),
	"idempotency_keys":   left(told),
	"idempotency_totals": left(told),
	"events":             left(told),
	"event_sequence":     left(told),
	"event_consumers":    left(told),
	"event_deliveries":   left(told),
	"webhook_endpoints":  left("has its place in the events of its database, and a secret"),
	"webhook_attempts":   left(told),
	"mails":              left(told),

	"tokens":      left(access),
	"memberships": left(access),
	"invites":     left(access),
	"accounts":    left(access),
	"agencies":    left(access),

	"media":           left(creators),
	"payments":        left("what was booked before the move is paid where it was booked"),
	"invoices":        left("what was booked before the move is paid where it was booked"),
	"invoice_series":  left("what was booked before the move is paid where it was booked"),
	"payout_details":  left(creators),
	"payout_holds":    left(creators),
	"payment_systems": left(creators),
	"ax_ids":          left(creators),

	"catalogs":       left(tenants),
	"catalog_access": left(tenants),
	"catalog_offers": left(tenants),
	"deals":          left(tenants),
	"deal_sellers":   left(tenants),
	"landings":       left(tenants),
	"partner_uids":   left(tenants),
	"promo_codes":    left(tenants),

	"products":           left(tenants),
	"product_lists":      left(tenants),
	"product_list_items": left(tenants),

	"sync_accounts":    left(tenants),
	"sync_ad_accounts": left(tenants),
	"sync_ad_sets":     left(tenants),
	"sync_ads":         left(tenants),
	"sync_campaigns":   left(tenants),
	"sync_items":       left(tenants),
	"sync_jobs":        left(tenants),
	"sync_remotes":     left(tenants),
	"sync_templates":   left(tenants),
}

// A table that comes with the next domain is forgotten by nobody.
func TestEveryTableHasAFate(t *testing.T) {
	schema, err := os.ReadFile("../../storage/postgres/schema.txt")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^table affiliate_(\w+)`).FindAllStringSubmatch(string(schema), -1) {
		found[m[1]] = true
		f, ok := fates[m[1]]
		switch {
		case !ok:
			t.Errorf("table %s: say here what becomes of its rows when an advertiser moves, and do it", m[1])
		case (f.kinds == nil) == (f.left == ""):
			t.Errorf("table %s: its rows move, or there is a reason why not", m[1])
		}
	}
	if len(found) < 80 {
		t.Fatalf("found %d tables: fewer than there are", len(found))
	}
	for name := range fates {
		if !found[name] {
			t.Errorf("there is no table %s", name)
		}
	}
}

// What has a fate is in the export of a shop that has something of everything.
func TestTheMarketHasSomethingOfEveryKind(t *testing.T) {
	m := newMarket(t, inMemory(t))
	file, _ := m.export(t, move.ExportOptions{People: true, Blobs: m.blobs})
	there := map[move.Kind]bool{}
	for _, l := range linesOf(t, file) {
		there[l.Kind] = true
	}
	for table, f := range fates {
		for _, kind := range f.kinds {
			if !there[kind] && kind != move.GoneUsage { // which has a test of its own
				t.Errorf("the export has no %s, for the table %s", kind, table)
			}
		}
	}
}
