package metapic_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
)

// The statuses are in the order of market.Principals:
//
//	nobody admin advertiser advertiser_2 agency creator creator_2 client client_2 partner lists sync service
//
// advertiser acts for acme, advertiser_2 for nordic, agency for the malls;
// creator is anna, creator_2 is bo; client has anna and carl, client_2 has bo;
// dora is of no client.
const (
	acmeOnly   = "401 200 200 404 404 403 403 403 403 403 403 403 403"
	nordicOnly = "401 200 404 200 404 403 403 403 403 403 403 403 403"
	annaOnly   = "401 200 403 403 403 200 404 200 404 403 403 403 403"
	boOnly     = "401 200 403 403 403 404 200 404 200 403 403 403 403"
	doraOnly   = "401 200 403 403 403 404 404 404 404 403 403 403 403"
	noUser     = "401 404 403 403 403 404 404 404 404 403 403 403 403"
	networks   = "401 200 403 403 403 403 403 200 200 403 403 403 403"
	tenants    = "401 200 200 200 200 200 200 200 200 403 403 403 403"
	noStore    = "401 404 404 404 404 403 403 403 403 403 403 403 403"
)

// created is a row of statuses whose success is 201, or 204.
func created(row string) string { return strings.ReplaceAll(row, "200", "201") }
func emptied(row string) string { return strings.ReplaceAll(row, "200", "204") }

var coreTenancy = []row{
	{"blocklist-list", "GET", "/v2/advertisers/{advertiser acme}/blocklist", "", acmeOnly},
	{"blocklist-list", "GET", "/v2/advertisers/{advertiser nordic}/blocklist", "", nordicOnly},
	{"blocklist-list", "GET", "/v2/advertisers/999999/blocklist", "", noStore},
	{"blocklist-add", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"client_ids":[‹client west›]}`, created(acmeOnly)},
	{"blocklist-add", "POST", "/v2/advertisers/{advertiser nordic}/blocklist", `{"client_ids":[‹client west›]}`, created(nordicOnly)},
	{"blocklist-add", "POST", "/v2/advertisers/{advertiser nordic}/blocklist", `{"user_tag_ids":[‹tag vip›]}`, "401 422 404 422 404 403 403 403 403 403 403 403 403"},
	{"blocklist-add", "POST", "/v2/advertisers/999999/blocklist", `{"client_ids":[‹client west›]}`, noStore},
	{"blocklist-remove", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry carl}", "", emptied(acmeOnly)},
	{"blocklist-remove", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry dora}", "", noStore},
	{"blocklist-remove", "DELETE", "/v2/advertisers/{advertiser nordic}/blocklist/{entry dora}", "", emptied(nordicOnly)},
	{"stores-list", "GET", "/v2/stores", "", tenants},
	{"url-matching-rules-list", "GET", "/v2/advertisers/{advertiser acme}/url-matching-rules", "", acmeOnly},
	{"url-matching-rules-list", "GET", "/v2/advertisers/{advertiser nordic}/url-matching-rules", "", nordicOnly},
	{"url-matching-rules-list", "GET", "/v2/advertisers/999999/url-matching-rules", "", noStore},
	{"url-matching-rule-add", "POST", "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"allow","url":"more.example"}`, created(acmeOnly)},
	{"url-matching-rule-add", "POST", "/v2/advertisers/{advertiser nordic}/url-matching-rules", `{"type":"allow","url":"more.example"}`, created(nordicOnly)},
	{"url-matching-rule-add", "POST", "/v2/advertisers/999999/url-matching-rules", `{"type":"allow","url":"more.example"}`, noStore},
	{"url-matching-rule-update", "PUT", "/v2/advertisers/{advertiser acme}/url-matching-rules/{rule acme}", `{"keyword":"x"}`, acmeOnly},
	{"url-matching-rule-update", "PATCH", "/v2/advertisers/{advertiser nordic}/url-matching-rules/{rule nordic}", `{"keyword":"x"}`, nordicOnly},
	{"url-matching-rule-update", "PATCH", "/v2/advertisers/{advertiser acme}/url-matching-rules/{rule nordic}", `{"keyword":"x"}`, noStore},
	{"url-matching-rule-remove", "DELETE", "/v2/advertisers/{advertiser acme}/url-matching-rules/{rule acme}", "", emptied(acmeOnly)},
	{"url-matching-rule-remove", "DELETE", "/v2/advertisers/{advertiser nordic}/url-matching-rules/{rule nordic}", "", emptied(nordicOnly)},
	{"url-matching-rule-remove", "DELETE", "/v2/advertisers/{advertiser acme}/url-matching-rules/{rule nordic}", "", noStore},
	{"self-service-store-create", "POST", "/v2/stores", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK"}`, "401 201 201 201 201 403 403 403 403 403 403 403 403"},
	{"advertiser-deactivate", "POST", "/v2/advertisers/{advertiser acme}/deactivate", "", acmeOnly},
	{"advertiser-deactivate", "POST", "/v2/advertisers/{advertiser nordic}/deactivate", "", nordicOnly},
	{"advertiser-deactivate", "POST", "/v2/advertisers/{advertiser mall_one}/deactivate", "", "401 200 404 404 200 403 403 403 403 403 403 403 403"},
	{"advertiser-deactivate", "POST", "/v2/advertisers/999999/deactivate", "", noStore},
	{"advertiser-groups-list", "GET", "/v2/advertiser-groups", "", tenants},
	{"affiliate-link-get", "GET", "/v2/affiliate-links/{link anna}", "", annaOnly},
	{"affiliate-link-get", "GET", "/v2/affiliate-links/{link bo}", "", boOnly},
	{"affiliate-link-get", "GET", "/v2/affiliate-links/999999", "", noUser},
	{"affiliate-link-get", "GET", "/v2/affiliate-links/magnam", "", noUser},
	{"affiliate-link-create", "POST", "/v2/affiliate-links", `{"url":"https://mall.example/a","advertiser_id":‹advertiser mall_one›}`, "401 403 403 403 403 201 201 403 403 403 403 403 403"},
	{"user-affiliate-link-create", "POST", "/v2/users/{user anna}/affiliate-links", `{"url":"https://nordic.example/a"}`, created(annaOnly)},
	{"user-affiliate-link-create", "POST", "/v2/users/{user bo}/affiliate-links", `{"url":"https://nordic.example/a"}`, created(boOnly)},
	{"user-affiliate-link-create", "POST", "/v2/users/{user dora}/affiliate-links", `{"url":"https://acme.example/a"}`, created(doraOnly)},
	{"user-affiliate-link-create", "POST", "/v2/users/999999/affiliate-links", `{"url":"https://acme.example/a"}`, noUser},
	{"user-affiliate-link-inspect", "POST", "/v2/users/{user anna}/inspections/affiliate-link", `{"url":"https://acme.example/a"}`, annaOnly},
	{"user-affiliate-link-inspect", "POST", "/v2/users/{user bo}/inspections/affiliate-link", `{"url":"https://acme.example/a"}`, boOnly},
	{"user-affiliate-link-inspect", "POST", "/v2/users/{user dora}/inspections/affiliate-link", `{"url":"not a url"}`, doraOnly},
	{"user-affiliate-link-inspect", "POST", "/v2/users/999999/inspections/affiliate-link", `{"url":"not a url"}`, noUser},
	{"user-affiliate-link-convert-v3", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://nordic.example/a"}`, created(annaOnly)},
	{"user-affiliate-link-convert-v3", "POST", "/v3/users/{user bo}/affiliate-links", `{"url":"https://nordic.example/a"}`, created(boOnly)},
	{"user-affiliate-link-convert-v3", "POST", "/v3/users/{user dora}/affiliate-links", `{"url":"https://acme.example/a"}`, created(doraOnly)},
	{"user-affiliate-link-convert-v3", "POST", "/v3/users/999999/affiliate-links", `{"url":"https://acme.example/a"}`, noUser},
	{"clients-list", "GET", "/v2/clients", "", networks},
	{"health-get", "GET", "/v2/health", "", "200 200 200 200 200 200 200 200 200 200 200 200 200"},
	{"store-categories-list", "GET", "/v2/store-categories", "", "401 200 200 200 200 200 200 200 200 200 200 200 200"},
	{"users-list", "GET", "/v2/users", "", "401 200 422 422 422 200 200 200 200 403 403 403 403"},
	{"users-list", "GET", "/v2/users?advertiser_id={advertiser acme}", "", "401 200 200 404 404 200 200 200 200 403 403 403 403"},
	{"users-list", "GET", "/v2/users?advertiser_id={advertiser nordic}", "", "401 200 404 200 404 200 200 200 200 403 403 403 403"},
	{"users-list", "GET", "/v2/users?advertiser_id=999999", "", "401 422 404 404 404 200 200 200 200 403 403 403 403"},
	{"user-get", "GET", "/v2/users/{user anna}", "", "401 200 200 404 404 200 404 200 404 403 403 403 403"},
	{"user-get", "GET", "/v2/users/{user bo}", "", "401 200 404 200 404 404 200 404 200 403 403 403 403"},
	{"user-get", "GET", "/v2/users/{user dora}", "", "401 200 404 404 404 404 404 404 404 403 403 403 403"},
	{"user-get", "GET", "/v2/users/999999", "", "401 404 404 404 404 404 404 404 404 403 403 403 403"},
	{"users-match", "POST", "/v2/match-users?user_emails_or_ids[]={user anna}", "", "401 200 200 200 200 403 403 200 200 403 403 403 403"},
	{"users-approve", "POST", "/v2/approve-users", `{"user_ids":[‹user carl›]}`, networks},
	{"users-ban", "POST", "/v2/ban-users", `{"user_ids":[‹user carl›]}`, networks},
	{"user-tags-list", "GET", "/v2/user-tags", "", tenants},
}

type seen struct {
	path, name string // the list, and the field that names an item
	answers    map[string]string
}

// sees is what a list answers to each principal: the names on it.
var sees = []seen{
	{"/v2/stores?sort_by=name:asc", "name", map[string]string{
		"admin": "acme closed hidden mall_one mall_two nordic", "advertiser": "acme", "advertiser_2": "nordic", "agency": "mall_one mall_two",
		"creator": "acme mall_one mall_two nordic", "creator_2": "mall_one mall_two nordic", // acme keeps bo's client away
		"client": "acme mall_one mall_two nordic", "client_2": "acme mall_one mall_two nordic",
	}},
	{"/v2/stores?query=all_&store_group_id={group sv_SE}", "name", map[string]string{
		"admin": "mall_one mall_two", "advertiser": "", "agency": "mall_one mall_two", "creator": "mall_one mall_two", "client": "mall_one mall_two",
	}},
	{"/v2/advertiser-groups", "key", map[string]string{
		"admin": "sv_SE de_DE", "advertiser": "sv_SE", "advertiser_2": "de_DE", "agency": "sv_SE",
		"creator": "sv_SE", "creator_2": "de_DE", "client": "sv_SE", "client_2": "de_DE",
	}},
	{"/v2/advertiser-groups?return_ad_enabled=1", "key", map[string]string{"admin": "sv_SE", "advertiser": "sv_SE", "advertiser_2": "", "client_2": ""}},
	{"/v2/clients", "client_id", map[string]string{"admin": "public-north public-south public-west", "client": "public-north", "client_2": "public-south"}},
	{"/v2/clients?query=network&advertiser_group_ids[]={group de_DE}&sort_by=name:desc", "client_id", map[string]string{"admin": "public-west public-south", "client": "", "client_2": "public-south"}},
	{"/v2/users", "username", map[string]string{"admin": "anna bo carl dora", "creator": "anna", "creator_2": "bo", "client": "anna carl", "client_2": "bo"}},
	{"/v2/users?advertiser_id={advertiser acme}", "username", map[string]string{"admin": "anna", "advertiser": "anna", "client": "anna", "client_2": "", "creator_2": ""}},
	{"/v2/users?client_id={client south}", "username", map[string]string{"admin": "bo", "client": "", "client_2": "bo", "creator": "", "creator_2": "bo"}},
	{"/v2/users?query=creators.example&sort_by=username:desc", "username", map[string]string{"admin": "dora carl bo anna", "client": "carl anna"}},
	{"/v2/user-tags", "name", map[string]string{
		"admin": "favourites internal vip norse", "advertiser": "favourites vip", "advertiser_2": "favourites norse", "agency": "favourites",
		"creator": "favourites", "client": "favourites",
	}},
	{"/v2/user-tags?access_levels[]=0&access_levels[]=2", "name", map[string]string{
		"admin": "internal vip norse", "advertiser": "vip", "agency": "", "creator": "", "client": "",
	}},
	{"/v2/user-tags?store_id={advertiser acme}", "name", map[string]string{"admin": "vip", "advertiser": "vip", "advertiser_2": "", "creator": ""}},
}

func TestListsShowEachWhatIsItsOwn(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		for _, list := range slices.Concat(sees, offersSeen) {
			for who, want := range list.answers {
				got := w.Send(who, "GET", list.path, "")
				if names := market.Names(t, got, list.name); got.Code != 200 || names != want {
					t.Errorf("%s as %s: got %d %q, want %q", list.path, who, got.Code, names, want)
				}
			}
		}
	})
}
