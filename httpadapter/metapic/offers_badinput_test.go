package metapic_test

import (
	"strings"
)

// moreBadOffers are those that only the domain knows to be bad.
var moreBadOffers = []badCase{
	{"campaign-create: everything at once", "advertiser", "POST", "/v2/stores/{advertiser acme}/offers",
		`{"type":"lottery","name":"","campaign_title":"` + strings.Repeat("t", 256) + `","budget_limit":-1,"max_clicks":-1,"one_time_payment":-5,"todo":["","a","a"],` +
			`"traffic_sources_costs":[{"source":1,"cpc":-1},{"source":1,"invoice_cpc":2000000000}]}`, ""},
	{"campaign-create: another currency", "advertiser", "POST", "/v2/stores/{advertiser acme}/offers",
		`{"type":"standard","name":"x","budget_limit":{"amount":"1.2","currency":"EUR"},"one_time_payment":{"amount":"1","currency":"USD"},` +
			`"traffic_sources_costs":[{"source":0,"cpc":{"amount":"1.2","currency":"EUR"}}],"shared_budget":{"title":"x","amount":{"amount":"5","currency":"NOK"}}}`, ""},
	{"campaign-create: money of every wrong kind", "advertiser", "POST", "/v2/stores/{advertiser acme}/offers",
		`{"type":"standard","name":"x","budget_limit":1.5,"one_time_payment":{"amount":1,"currency":"SEK"},` +
			`"traffic_sources_costs":[{"source":0,"cpc":"much","cpa":1.1,"invoice_cpc":{"amount":"1.001","currency":"SEK"},"invoice_cpa":-0.1,"user_revenue":"x"},{"source":5},{"cpc":1}]}`, ""},
	{"campaign-create: another's budget and rank", "advertiser", "POST", "/v2/stores/{advertiser acme}/offers", `{"type":"standard","name":"x","shared_budget_id":‹budget nordic›}`, ""},
	{"campaign-create: rank behind another's", "advertiser", "POST", "/v2/stores/{advertiser acme}/offers", `{"type":"standard","name":"x","priority_after":‹offer norse›}`, ""},
	{"campaign-create: bad names of people", "advertiser", "POST", "/v2/stores/{advertiser acme}/offers", `{"type":"standard","name":"x","targets":{"emails":["` + strings.Repeat("e", 300) + `"," "],"social_media_identifiers":["@"],"user_ids":["x"]}}`, ""},
	{"campaign-create: too many targets", "advertiser", "POST", "/v2/stores/{advertiser acme}/offers", `{"type":"standard","name":"x","targets":{"user_ids":[` + strings.Repeat("1,", 10000) + `1]}}`, ""},
	{"campaign-update: deleted", "advertiser", "PATCH", "/v2/offers/{offer norse}", `{"name":"x"}`, ""},
	{"campaign-image-upload: no image", "advertiser", "POST", "/v2/offers/{offer summer}/uploads", `{"default":"commodi"}`, ""},
	{"campaign-image-upload: a script", "advertiser", "POST", "/v2/offers/{offer summer}/uploads", `{"default":"PHN2Zz48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+PC9zdmc+"}`, ""},
	{"campaign-image-upload: a form without a file", "advertiser", "POST", "/v2/offers/{offer summer}/uploads", "--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"},
	{"campaign-stats: no dates", "advertiser", "GET", "/v2/offers/{offer summer}/stats", "", ""},
	{"campaign-stats: the end before the start", "advertiser", "GET", "/v2/offers/{offer summer}/stats?start_date=2026-03-02&end_date=2026-03-01", "", ""},
	{"user-offers-list: status and statuses", "creator", "GET", "/v2/users/{user anna}/offers?status=open&statuses[]=open", "", ""},
	{"campaigns-list: a column that it has not", "admin", "GET", "/v2/offers?sort_by=password:asc", "", ""},
	{"campaigns-list: another custom order", "admin", "GET", "/v2/offers?custom_sort_by=cheapest", "", ""},
	{"campaigns-list: another format", "admin", "GET", "/v2/offers?format=pdf", "", ""},
	{"offer-participant-status-update: not a move", "advertiser", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/update-status", `{"status":"done"}`, ""},
	{"offer-participant-status-update: sending without seeding", "advertiser", "PATCH", "/v2/offers/{offer run}/participants/{participant run}/update-status", `{"status":"product_sent"}`, ""},
	{"offer-participant-status-update: unknown", "advertiser", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/update-status", `{"status":"loved"}`, ""},
	{"offer-participant-payment-amount-update: another currency", "advertiser", "PUT", "/v2/offers/{offer vips}/participants/{participant anna}/payment-amount", `{"payment_amount":{"amount":"1.2","currency":"EUR"}}`, ""},
	{"offer-participant-payment-amount-update: negative", "advertiser", "PUT", "/v2/offers/{offer vips}/participants/{participant anna}/payment-amount", `{"payment_amount":-1}`, ""},
	{"offer-participant-clicks-override: negative", "advertiser", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/overrides/clicks", `{"click_limit":-1}`, ""},
	{"offer-participant-costs-override: another currency", "advertiser", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/overrides/costs", `{"traffic_sources_costs":[{"source":1,"cpc":{"amount":"1.2","currency":"EUR"}}]}`, ""},
	{"offer-by-token-user-join: a standard one", "creator", "POST", "/v2/offer-by-token/{token summer}/users/{user anna}/join", "", ""},
	{"offer-user-comment-add: too long", "advertiser", "POST", "/v2/offer-users/{participant anna}/comments", `{"comment":"` + strings.Repeat("c", 5001) + `"}`, ""},
	{"return-ad-create: everything at once", "advertiser", "POST", "/v2/return-ads",
		`{"name":"","advertiser_id":‹advertiser acme›,"advertiser_group_id":999999,"return_link":"javascript:alert(1)","image_key":"!","click_limit":-1,"view_limit":-1,"styles":{"":"x"}}`, ""},
	{"return-ad-create: a script behind it", "advertiser", "POST", "/v2/return-ads", `{"name":"x","advertiser_id":‹advertiser acme›,"return_link":"javascript:alert(1)"}`, ""},
	{"return-ad-create: shown nowhere known", "advertiser", "POST", "/v2/return-ads", `{"name":"x","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example/","advertiser_ids":[999999]}`, ""},
	{"return-ad-create: another's", "advertiser", "POST", "/v2/return-ads", `{"name":"x","advertiser_id":‹advertiser nordic›,"return_link":"https://acme.example/"}`, ""},
	{"shared-budget-update: nothing right", "advertiser", "PATCH", "/v2/stores/{advertiser acme}/shared-budgets/{budget acme}", `{"title":"","amount":-1}`, ""},
	{"shared-budget-update: another currency", "advertiser", "PATCH", "/v2/stores/{advertiser acme}/shared-budgets/{budget acme}", `{"amount":{"amount":"1","currency":"EUR"}}`, ""},
	{"shared-budget-delete: in use", "advertiser", "DELETE", "/v2/stores/{advertiser acme}/shared-budgets/{budget acme}", "", ""},
}
