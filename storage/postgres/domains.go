package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// Domain is a part of the library whose tables a host can leave out of its database:
// see Options.Without. The core, links, campaigns and statistics need each other and
// are no domains in this sense.
type Domain string

// The domains that can be left out.
const (
	AdSync       Domain = "adsync"
	Deals        Domain = "deals"
	Mailing      Domain = "mailing"
	Media        Domain = "media"
	Orders       Domain = "orders"
	Payouts      Domain = "payouts"
	ProductLists Domain = "productlists"
	Webhooks     Domain = "webhooks"
)

// domainTables are the tables of the domains. No other table refers to one of these,
// and a statement of a migration that is about one of them names it first.
var domainTables = map[Domain][]string{
	AdSync: {"affiliate_sync_accounts", "affiliate_sync_ad_accounts", "affiliate_sync_ad_sets", "affiliate_sync_ads", "affiliate_sync_campaigns",
		"affiliate_sync_items", "affiliate_sync_jobs", "affiliate_sync_remotes", "affiliate_sync_templates"},
	Deals: {"affiliate_catalog_access", "affiliate_catalog_offers", "affiliate_catalogs", "affiliate_deal_sellers", "affiliate_deals",
		"affiliate_landings", "affiliate_partner_uids", "affiliate_promo_codes"},
	Mailing: {"affiliate_mails"},
	Media:   {"affiliate_media"},
	Orders: {"affiliate_one_time_payments", "affiliate_order_collectors", "affiliate_order_refunds", "affiliate_orders", "affiliate_rate_cards",
		"affiliate_vouchers"},
	Payouts: {"affiliate_ax_ids", "affiliate_invoice_series", "affiliate_invoices", "affiliate_payment_setups", "affiliate_payment_systems",
		"affiliate_payments", "affiliate_payout_details", "affiliate_payout_holds"},
	ProductLists: {"affiliate_product_list_items", "affiliate_product_lists", "affiliate_products"},
	Webhooks:     {"affiliate_webhook_attempts", "affiliate_webhook_endpoints"},
}

// domainOf returns the domain that a table, or an index whose name begins with its
// table's, belongs to; "" when it is always there.
func domainOf(name string) Domain {
	for d, tables := range domainTables {
		for _, table := range tables {
			if rest, ok := strings.CutPrefix(name, table); ok && (rest == "" || rest[0] == '_') {
				return d
			}
		}
	}
	return ""
}

// about returns the domain of a migration's statement.
func about(statement string) Domain {
	_, rest, _ := strings.Cut(statement, "affiliate_")
	end := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if end < 0 {
		end = len(rest)
	}
	return domainOf("affiliate_" + rest[:end])
}

// lacks reports whether the tables of the domain are left out.
func (db *DB) lacks(d Domain) bool { return slices.Contains(db.without, d) }

func validateDomains(without []Domain) error {
	for _, d := range without {
		if domainTables[d] == nil {
			return fmt.Errorf("postgres: %q in Options.Without is no domain that can be left out", d)
		}
	}
	return nil
}
