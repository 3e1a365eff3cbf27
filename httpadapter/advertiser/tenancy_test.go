package advertiser_test

import "github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"

type (
	row     contract.Row
	badCase contract.BadCase
)

// The statuses are in the order of market.Principals; advertiser acts for acme,
// advertiser_2 for nordic, agency for the malls.
const (
	acmeOnly   = "401 200 200 404 404 403 403 403 403 403 403 403 403"
	nordicOnly = "401 200 404 200 404 403 403 403 403 403 403 403 403"
	notAcmes   = "401 404 404 404 404 403 403 403 403 403 403 403 403" // another store's thing under acme's path
	missing    = notAcmes
)

const newOffer = `{"name":"x","active":1,"priority":10}`

const newStore = `{"user":{"email":"new@shops.example","password":"correct horse","password_confirmation":"correct horse"},"feed_name":"New","language_iso_code":"sv",
	"locale":"SE","currency_iso_code":"EUR","domains":["new.example"],"categories":[],"revenue_cpc":1,"instagram_revenue_cpc":2}`

var tenancy = []row{
	{"clients-list", "GET", "/stores/{advertiser acme}/clients", "", acmeOnly},
	{"clients-list", "GET", "/stores/999999/clients", "", missing},
	{"offers-list", "GET", "/stores/{advertiser acme}/offers", "", acmeOnly},
	{"offers-list", "GET", "/stores/{advertiser nordic}/offers", "", nordicOnly},
	{"offer-create", "POST", "/stores/{advertiser acme}/offers", newOffer, acmeOnly},
	{"offer-create", "POST", "/stores/999999/offers", newOffer, missing},
	{"offer-get", "GET", "/stores/{advertiser acme}/offers/{offer summer}", "", acmeOnly},
	{"offer-get", "GET", "/stores/{advertiser acme}/offers/{offer norse}", "", notAcmes},
	{"offer-update", "PATCH", "/stores/{advertiser acme}/offers/{offer summer}", `{"name":"x"}`, acmeOnly},
	{"offer-update", "PUT", "/stores/{advertiser acme}/offers/{offer norse}", `{"name":"x"}`, notAcmes},
	{"offer-delete", "DELETE", "/stores/{advertiser acme}/offers/{offer summer}", "", acmeOnly},
	{"offer-delete", "DELETE", "/stores/{advertiser acme}/offers/{offer norse}", "", notAcmes},
	{"offer-users-list", "GET", "/stores/{advertiser acme}/offers/{offer run}/users", "", acmeOnly},
	{"offer-users-list", "GET", "/stores/{advertiser acme}/offers/{offer norse}/users", "", notAcmes},
	{"offer-user-accept", "PATCH", "/stores/{advertiser acme}/offers/{offer run}/users/{user anna}/accept", "", acmeOnly},
	{"offer-user-accept", "PATCH", "/stores/{advertiser acme}/offers/{offer norse}/users/{user bo}/accept", "", notAcmes},
	{"offer-user-accept", "PATCH", "/stores/{advertiser acme}/offers/{offer run}/users/{user bo}/accept", "", notAcmes},
	{"offer-user-deny", "PATCH", "/stores/{advertiser acme}/offers/{offer run}/users/{user anna}/deny", "", acmeOnly},
	{"offer-user-deny", "PATCH", "/stores/{advertiser acme}/offers/{offer norse}/users/{user bo}/deny", "", notAcmes},
	{"user-offer-add", "POST", "/stores/{advertiser acme}/user/{user anna}/offer", `{"cpc":5}`, acmeOnly},
	{"user-offer-add", "POST", "/stores/{advertiser acme}/user/{user bo}/offer", `{"cpc":5}`, notAcmes},
	{"offer-image-upload", "POST", "/advertiser/stores/{advertiser acme}/offers/{offer norse}/upload-img", `{"img_src":"x"}`, notAcmes},
	{"offer-image-upload", "POST", "/advertiser/stores/{advertiser acme}/offers/{offer summer}/upload-img", `{"img_src":"x"}`, "401 422 422 404 404 403 403 403 403 403 403 403 403"},
	{"store-get", "GET", "/advertiser/stores/{advertiser acme}", "", acmeOnly},
	{"store-get", "GET", "/advertiser/stores/{advertiser nordic}", "", nordicOnly},
	{"store-get", "GET", "/advertiser/stores/999999", "", missing},
	{"store-update", "PATCH", "/advertiser/stores/{advertiser acme}", `{"revenue_cpc":5}`, acmeOnly},
	{"store-update", "PATCH", "/advertiser/stores/{advertiser nordic}", `{"domains":["nordic.example","new.example"]}`, nordicOnly},
	{"store-logo-upload", "POST", "/advertiser/stores/{advertiser acme}/upload-logo", `{"logo":"x"}`, "401 422 422 404 404 403 403 403 403 403 403 403 403"},
	{"user-tags-list", "GET", "/stores/{advertiser acme}/user-tags", "", acmeOnly},
	{"user-tags-add", "POST", "/stores/{advertiser acme}/user/{user anna}/user-tags", `{"tags":[{"name":"x"}]}`, acmeOnly},
	{"user-tags-add", "POST", "/stores/{advertiser acme}/user/{user bo}/user-tags", `{"tags":[{"name":"x"}]}`, notAcmes},
	{"user-tags-add", "POST", "/stores/{advertiser acme}/user/{user anna}/user-tags", `{"tags":[{"id":‹tag norse›}]}`, "401 422 422 404 404 403 403 403 403 403 403 403 403"},
	{"users-list", "GET", "/advertiser/stores/{advertiser acme}/users", "", acmeOnly},
	{"user-create", "POST", "/advertiser/stores/{advertiser acme}/users", `{"email":"new@x.example","username":"new","social_media":[{"type":"blog","identifier":"https://new.example"}]}`, acmeOnly},
	{"user-get", "GET", "/advertiser/stores/{advertiser acme}/users/{user anna}", "", acmeOnly},
	{"user-get", "GET", "/advertiser/stores/{advertiser acme}/users/{user bo}", "", notAcmes},
	{"user-get", "GET", "/advertiser/stores/{advertiser nordic}/users/{user bo}", "", nordicOnly},
	{"user-update", "PATCH", "/advertiser/stores/{advertiser acme}/users/{user anna}", `{"city":"Malmö"}`, acmeOnly},
	{"user-update", "PUT", "/advertiser/stores/{advertiser acme}/users/{user bo}", `{"city":"Malmö"}`, notAcmes},
	{"user-status-update", "PATCH", "/advertiser/stores/{advertiser acme}/users/{user carl}/status", `{"status":"accepted"}`, acmeOnly},
	{"user-status-update", "PATCH", "/advertiser/stores/{advertiser acme}/users/{user bo}/status", `{"status":"suspended"}`, notAcmes},
	{"orders-list", "GET", "/advertiser/stores/{advertiser acme}/orders", "", acmeOnly},
	{"orders-list", "GET", "/advertiser/stores/{advertiser nordic}/orders", "", nordicOnly},
	{"user-dashboard-get", "GET", "/advertiser/stores/{advertiser acme}/users/{user anna}/dashboard", "", acmeOnly},
	{"user-dashboard-get", "GET", "/advertiser/stores/{advertiser acme}/users/{user bo}/dashboard", "", notAcmes},
	{"user-voucher-codes-list", "GET", "/advertiser/stores/{advertiser acme}/users/{user anna}/voucher-codes", "", acmeOnly},
	{"user-voucher-codes-list", "GET", "/advertiser/stores/{advertiser acme}/users/{user bo}/voucher-codes", "", notAcmes},
	{"user-voucher-code-create", "POST", "/advertiser/stores/{advertiser acme}/users/{user anna}/voucher-codes", `{"voucher_code":"NEW10"}`, acmeOnly},
	{"user-voucher-code-create", "POST", "/advertiser/stores/{advertiser acme}/users/{user bo}/voucher-codes", `{"voucher_code":"NEW10"}`, notAcmes},
	{"user-voucher-code-create", "POST", "/advertiser/stores/{advertiser acme}/users/{user anna}/voucher-codes", `{"voucher_code":"anna10"}`, "401 422 422 404 404 403 403 403 403 403 403 403 403"},
	{"user-voucher-code-delete", "DELETE", "/advertiser/stores/{advertiser acme}/users/{user anna}/voucher-codes/{voucher anna}", "", acmeOnly},
	{"user-voucher-code-delete", "DELETE", "/advertiser/stores/{advertiser acme}/users/{user anna}/voucher-codes/{voucher bo}", "", notAcmes},
	{"user-one-time-payment-add", "POST", "/stores/{advertiser acme}/user/{user anna}/oneTimePayment", `{"comment":"thanks","payment_date":"2026-04-01","user_earnings":100}`, acmeOnly},
	{"user-one-time-payment-add", "POST", "/stores/{advertiser acme}/user/{user bo}/oneTimePayment", `{"comment":"thanks","payment_date":"2026-04-01","user_earnings":100}`, notAcmes},
	{"clicks-per-day", "GET", "/stores/{advertiser acme}/clicksPerDay", "", acmeOnly},
	{"clicks-per-day", "GET", "/stores/999999/clicksPerDay", "", missing},
	{"general-stats", "GET", "/stores/{advertiser acme}/generalStats", "", acmeOnly},
	{"orders-per-date", "GET", "/stores/{advertiser nordic}/orders/perDate", "", nordicOnly},
	{"user-stats", "GET", "/stores/{advertiser acme}/userStats", "", acmeOnly},
	{"link-stats", "GET", "/stores/{advertiser acme}/linkStats", "", acmeOnly},
	{"link-stats", "GET", "/stores/999999/linkStats", "", missing},
	{"user-tag-stats", "GET", "/advertiser/stores/{advertiser acme}/user-tag-stats?tags=[{tag vip}]", "", acmeOnly},
	{"user-tag-stats", "GET", "/advertiser/stores/{advertiser acme}/user-tag-stats?tags=[{tag norse}]", "", "401 422 422 404 404 403 403 403 403 403 403 403 403"},
	{"stats-configs-list", "GET", "/advertiser/stores/{advertiser acme}/stats-config", "", acmeOnly},
	{"stats-config-create", "POST", "/advertiser/stores/{advertiser acme}/stats-config", `{"name":"x","data":{"tags":[‹tag vip›]}}`, acmeOnly},
	{"stats-config-create", "POST", "/advertiser/stores/{advertiser acme}/stats-config", `{"name":"x","data":{"tags":[‹tag norse›]}}`, "401 422 422 404 404 403 403 403 403 403 403 403 403"},
	{"stats-config-update", "PATCH", "/advertiser/stores/{advertiser acme}/stats-config/{config acme}", `{"name":"x"}`, acmeOnly},
	{"stats-config-update", "PUT", "/advertiser/stores/{advertiser acme}/stats-config/{config nordic}", `{"name":"x"}`, notAcmes},
	{"stats-config-delete", "DELETE", "/advertiser/stores/{advertiser acme}/stats-config/{config acme}", "", acmeOnly},
	{"stats-config-delete", "DELETE", "/advertiser/stores/{advertiser acme}/stats-config/{config nordic}", "", notAcmes},
	{"store-register", "POST", "/advertiser/register-store", newStore, "200 200 200 200 200 200 200 200 200 200 200 200 200"},
	{"store-media-list", "GET", "/stores/{advertiser acme}/media", "", acmeOnly},
	{"store-media-list", "GET", "/stores/999999/media", "", missing},
	{"store-media-object-get", "GET", "/stores/{advertiser acme}/instagramStorys/anna/99.png", "", acmeOnly},
	{"store-media-object-get", "GET", "/stores/{advertiser acme}/instagramStorys/anna/96.png", "", notAcmes}, // not shown
	{"store-media-object-get", "GET", "/stores/{advertiser acme}/instagramStorys/bo/95.png", "", notAcmes},
	{"store-media-object-get", "GET", "/stores/{advertiser acme}/instagramStorys/bo/99.png", "", notAcmes},
	{"users-emails-search", "GET", "/stores/{advertiser acme}/users/search?q=a", "", acmeOnly},
}

// moreBadCases are those that only the domains know to be bad.
var moreBadCases = []badCase{
	{"offer-create: nothing right", "advertiser", "POST", "/stores/{advertiser acme}/offers", `{"cpa":100,"cpc":-1,"priority":0,"active":2,"from":"x","users":[{}],"email_users":"[1"}`, ""},
	{"offer-create: ends before it begins", "advertiser", "POST", "/stores/{advertiser acme}/offers", `{"name":"x","active":1,"priority":1,"from":"2020-01-02","to":"2020-01-01"}`, ""},
	{"offer-update: ends before it begins", "advertiser", "PATCH", "/stores/{advertiser acme}/offers/{offer v1}", `{"to":"2019-01-01"}`, ""},
	{"offer-user-accept: not from there", "advertiser", "PATCH", "/stores/{advertiser acme}/offers/{offer vips}/users/{user dora}/accept", "", ""},
	{"store-update: domains that are none", "advertiser", "PATCH", "/advertiser/stores/{advertiser acme}", `{"revenue_cpc":1,"domains":["com","ok.example","127.0.0.1"]}`, ""},
	{"store-update: unknown category", "advertiser", "PATCH", "/advertiser/stores/{advertiser acme}", `{"categories":[999999]}`, ""},
	{"user-create: taken e-mail", "advertiser", "POST", "/advertiser/stores/{advertiser acme}/users", `{"email":"BO@creators.example","username":"new","social_media":[]}`, ""},
	{"user-create: taken username", "advertiser", "POST", "/advertiser/stores/{advertiser acme}/users", `{"email":"n@x.example","username":"anna","social_media":[]}`, ""},
	{"clicks-per-day: ends before it begins", "advertiser", "GET", "/stores/{advertiser acme}/clicksPerDay?from=2026-03-02&to=2026-03-01", "", ""},
	{"clicks-per-day: too many days", "advertiser", "GET", "/stores/{advertiser acme}/clicksPerDay?from=1900-01-01&to=2026-03-01", "", ""},
	{"link-stats: unknown column", "advertiser", "GET", "/stores/{advertiser acme}/linkStats?orderBy[]=user_id&orderByOrder[]=desc", "", ""},
	{"user-tag-stats: unknown type", "advertiser", "GET", "/advertiser/stores/{advertiser acme}/user-tag-stats?tags=[{tag vip}]&types=[clicks,views]", "", ""},
	{"user-voucher-code-create: taken", "advertiser", "POST", "/advertiser/stores/{advertiser acme}/users/{user anna}/voucher-codes", `{"voucher_code":"anna10"}`, ""},
	{"stats-config-create: nothing right", "advertiser", "POST", "/advertiser/stores/{advertiser acme}/stats-config?types=[views]", `{"name":"","default":2,"data":{"tags":"x","from":"y"}}`, ""},
	{"stats-config-create: ends before it begins", "advertiser", "POST", "/advertiser/stores/{advertiser acme}/stats-config", `{"name":"x","data":{"tags":[‹tag vip›],"from":"2026-02-02","to":"2026-02-01"}}`, ""},
	{"stats-config-create: one type twice", "advertiser", "POST", "/advertiser/stores/{advertiser acme}/stats-config?types=[clicks,clicks]", `{"name":"x","data":{"tags":[‹tag vip›]}}`, ""},
	{"stats-config-update: no tags", "advertiser", "PATCH", "/advertiser/stores/{advertiser acme}/stats-config/{config acme}", `{"data":{"tags":[]}}`, ""},
	{"store-register: nothing right", "nobody", "POST", "/advertiser/register-store", `{"user":{"username":"x","email":"x","password":"short","password_confirmation":"other"},"feed_name":"","language_iso_code":"xxxxxxxxxxxxxxxxxx","locale":"Sweden","currency_iso_code":"XXX","domains":["com"],"categories":["x"],"revenue_cpc":100001,"instagram_revenue_cpc":-1}`, ""},
	{"store-register: what only the domains know", "nobody", "POST", "/advertiser/register-store", `{"user":{"email":"a@b@c.example","password":"correct horse","password_confirmation":"other horse"},"feed_name":"New","language_iso_code":"sv","locale":"Sweden","currency_iso_code":"XXX","domains":["com","127.0.0.1"],"categories":[],"revenue_cpc":1,"instagram_revenue_cpc":2}`, ""},
	{"store-register: unknown category", "nobody", "POST", "/advertiser/register-store", `{"user":{"email":"new@shops.example","password":"correct horse","password_confirmation":"correct horse"},"feed_name":"New","language_iso_code":"sv","locale":"SE","currency_iso_code":"EUR","domains":["new.example"],"categories":[999999],"revenue_cpc":1,"instagram_revenue_cpc":2}`, ""},
	{"store-register: taken e-mail", "nobody", "POST", "/advertiser/register-store", `{"user":{"email":"BO@creators.example","password":"correct horse","password_confirmation":"correct horse"},"feed_name":"New","language_iso_code":"sv","locale":"SE","currency_iso_code":"EUR","domains":["new.example"],"categories":[],"revenue_cpc":1,"instagram_revenue_cpc":2}`, ""},
	{"user-update: bank data too long", "advertiser", "PATCH", "/advertiser/stores/{advertiser acme}/users/{user anna}", `{"bank_info":{"iban":"SE45500000000583982574661234567890123456","bic":"DEUTDEFFXXXX"}}`, ""},
	{"user-tags-add: neither id nor name", "advertiser", "POST", "/stores/{advertiser acme}/user/{user anna}/user-tags", `{"tags":"[{}]"}`, ""},
	{"store-logo-upload: no picture", "advertiser", "POST", "/advertiser/stores/{advertiser acme}/upload-logo", `{"logo":"aGVsbG8="}`, ""},
}
