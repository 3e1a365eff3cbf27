package metapic

import "github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"

// table is the document: one line for each of its routes, in its order.
func (s *server) table() []route {
	advertiser := wire.Advertiser("advertiser_id")
	user := wire.User("user_id")
	return []route{
		{"GET /v2/advertisers/{advertiser_id}/blocklist", "blocklist-list", advertiser, wire.Call(s.listBlocklist), linking},
		{"POST /v2/advertisers/{advertiser_id}/blocklist", "blocklist-add", advertiser, wire.Call(s.addBlocklist).Status(201), linking},
		{"DELETE /v2/advertisers/{advertiser_id}/blocklist/{target_id}", "blocklist-remove", advertiser, wire.Call(s.removeBlocklist), linking},
		{"GET /v2/stores", "stores-list", tenants, wire.Call(s.listStores), core | linking},
		{"GET /v2/advertisers/{advertiser_id}/url-matching-rules", "url-matching-rules-list", advertiser, wire.Call(s.listRules), linking},
		{"POST /v2/advertisers/{advertiser_id}/url-matching-rules", "url-matching-rule-add", advertiser, wire.Call(s.addRule).Status(201), linking},
		{"PUT,PATCH /v2/advertisers/{advertiser_id}/url-matching-rules/{urlMatchingRule_id}", "url-matching-rule-update", advertiser, wire.Call(s.updateRule), linking},
		{"DELETE /v2/advertisers/{advertiser_id}/url-matching-rules/{urlMatchingRule_id}", "url-matching-rule-remove", advertiser, wire.Call(s.removeRule), linking},
		{"POST /v2/stores", "self-service-store-create", sellers, wire.Call(s.createStore).Status(201), linking},
		{"POST /v2/advertisers/{advertiser_id}/deactivate", "advertiser-deactivate", advertiser, wire.Call(s.deactivateAdvertiser), core},
		{"GET /v2/advertiser-groups", "advertiser-groups-list", tenants, wire.Call(s.listGroups), core},
		{"GET /v2/affiliate-links/{id}", "affiliate-link-get", publishers, wire.Call(s.getLink), core | linking},
		{"POST /v2/affiliate-links", "affiliate-link-create", creators, wire.Call(s.createOwnLink).Deprecated(), linking},
		{"POST /v2/users/{user_id}/affiliate-links", "user-affiliate-link-create", user, wire.Call(s.createLink).Deprecated(), core | linking},
		{"POST /v2/users/{user_id}/inspections/affiliate-link", "user-affiliate-link-inspect", user, wire.Call(s.inspectURL), core | linking},
		{"POST /v3/users/{user_id}/affiliate-links", "user-affiliate-link-convert-v3", user, wire.Call(s.convertURL), core | linking},
		{"GET /v2/clients", "clients-list", networks, wire.Call(s.listClients), core},
		{"GET /v2/health", "health-get", wire.Open(), wire.Call(s.health).Header("Access-Control-Allow-Origin", "*"), nothing},
		{"GET /v2/store-categories", "store-categories-list", wire.Any(), wire.Call(s.listCategories), core},
		{"GET /v2/users", "users-list", tenants, wire.Call(s.listUsers), core},
		{"GET /v2/users/{id}", "user-get", tenants, wire.Call(s.getUser), core},
		{"POST /v2/match-users", "users-match", matchers, wire.Call(s.matchUsers), core},
		{"POST /v2/approve-users", "users-approve", networks, wire.Call(s.approveUsers), core},
		{"POST /v2/ban-users", "users-ban", networks, wire.Call(s.banUsers), core},
		{"GET /v2/user-tags", "user-tags-list", tenants, wire.Call(s.listUserTags), core},
	}
}
