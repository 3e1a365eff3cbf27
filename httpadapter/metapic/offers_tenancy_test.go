package metapic_test

// Statuses of campaigns: acme keeps bo away, and norse is for bo.
const (
	summerAudience = "401 200 200 404 404 200 404 403 403 403 403 403 403"
	vipsAudience   = summerAudience // anna is one of them
	norseAudience  = "401 200 404 200 404 404 200 403 403 403 403 403 403"
	noOffer        = "401 404 404 404 404 404 404 403 403 403 403 403 403"
	noThing        = noStore
	sellersAll     = "401 200 200 200 200 403 403 403 403 403 403 403 403"
	tokenOfNorse   = "401 200 404 200 404 404 200 404 200 403 403 403 403" // for bo
	tokenOfVips    = "401 200 200 404 404 200 404 200 404 403 403 403 403" // for anna
	annaAlone      = "401 403 403 403 403 200 404 403 403 403 403 403 403"
	boAlone        = "401 403 403 403 403 404 200 403 403 403 403 403 403"
)

const onePixel = `{"default":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg=="}`

var offerTenancy = []row{
	{"campaign-create", "POST", "/v2/stores/{advertiser acme}/offers", `{"type":"standard","name":"new"}`, created(acmeOnly)},
	{"campaign-create", "POST", "/v2/stores/{advertiser nordic}/offers", `{"type":"standard","name":"new"}`, created(nordicOnly)},
	{"campaign-create", "POST", "/v2/stores/{advertiser nordic}/offers", `{"type":"standard","name":"new","shared_budget_id":‹budget acme›}`, "401 422 404 422 404 403 403 403 403 403 403 403 403"},
	{"campaign-create", "POST", "/v2/stores/{advertiser nordic}/offers", `{"type":"standard","name":"new","priority_after":‹offer summer›}`, "401 422 404 422 404 403 403 403 403 403 403 403 403"},
	{"campaign-create", "POST", "/v2/stores/999999/offers", `{"type":"standard","name":"new"}`, noStore},
	{"campaign-get", "GET", "/v2/offers/{offer summer}", "", summerAudience},
	{"campaign-get", "GET", "/v2/offers/{offer vips}", "", vipsAudience},
	{"campaign-get", "GET", "/v2/offers/{offer norse}", "", norseAudience},
	{"campaign-get", "GET", "/v2/offers/999999", "", noOffer},
	{"campaign-update", "PATCH", "/v2/offers/{offer summer}", `{"name":"changed"}`, acmeOnly},
	{"campaign-update", "PUT", "/v2/offers/{offer norse}", `{"name":"changed"}`, nordicOnly},
	{"campaign-update", "PATCH", "/v2/offers/{offer norse}", `{"shared_budget_id":‹budget acme›}`, "401 422 404 422 404 403 403 403 403 403 403 403 403"},
	{"campaign-update", "PATCH", "/v2/offers/999999", `{"name":"changed"}`, noThing},
	{"campaign-delete", "DELETE", "/v2/offers/{offer summer}", "", emptied(acmeOnly)},
	{"campaign-delete", "DELETE", "/v2/offers/{offer norse}", "", emptied(nordicOnly)},
	{"campaigns-list", "GET", "/v2/offers", "", "401 200 422 422 422 200 200 200 200 403 403 403 403"},
	{"campaigns-list", "GET", "/v2/offers?advertiser_id={advertiser acme}", "", "401 200 200 404 404 200 200 200 200 403 403 403 403"},
	{"campaigns-list", "GET", "/v2/offers?advertiser_id={advertiser nordic}&or_id={offer summer}", "", "401 200 404 200 404 200 200 200 200 403 403 403 403"},
	{"campaigns-list", "GET", "/v2/offers?advertiser_id={advertiser acme}&format=csv", "", "401 200 200 404 404 403 403 403 403 403 403 403 403"},
	{"campaign-image-upload", "POST", "/v2/offers/{offer summer}/uploads", onePixel, acmeOnly},
	{"campaign-image-upload", "POST", "/v2/offers/{offer norse}/uploads", onePixel, nordicOnly},
	{"campaign-pause", "POST", "/v2/offers/{offer summer}/pause", "", acmeOnly},
	{"campaign-pause", "POST", "/v2/offers/{offer norse}/pause", "", nordicOnly},
	{"campaign-unpause", "POST", "/v2/offers/{offer summer}/unpause", "", acmeOnly},
	{"campaign-unpause", "POST", "/v2/offers/{offer norse}/unpause", "", nordicOnly},
	{"campaign-stats", "GET", "/v2/offers/{offer summer}/stats?start_date=2026-03-01&end_date=2026-03-31", "", acmeOnly},
	{"campaign-stats", "GET", "/v2/offers/{offer norse}/stats?start_date=2026-03-01&end_date=2026-03-31", "", nordicOnly},
	{"user-offers-list", "GET", "/v2/users/{user anna}/offers", "", annaOnly},
	{"user-offers-list", "GET", "/v2/users/{user bo}/offers", "", boOnly},
	{"user-offers-list", "GET", "/v2/users/999999/offers", "", noUser},
	{"user-campaigns-list", "GET", "/v2/users/{user anna}/campaigns", "", annaOnly},
	{"user-campaigns-list", "GET", "/v2/users/{user dora}/campaigns", "", doraOnly},
	{"campaign-get-by-token", "GET", "/v2/offer-by-token/{token summer}", "", summerAudience},
	{"campaign-get-by-token", "GET", "/v2/offer-by-token/{token norse}", "", norseAudience},
	{"campaign-get-by-token", "GET", "/v2/offer-by-token/aaaabbbbccccdddd", "", noOffer},
	{"offer-targets-list", "GET", "/v2/offers/{offer vips}/targets", "", acmeOnly},
	{"offer-targets-list", "GET", "/v2/offers/{offer norse}/targets", "", nordicOnly},
	{"offer-targets-add", "POST", "/v2/offers/{offer vips}/targets", `{"user_ids":[‹user dora›]}`, created(acmeOnly)},
	{"offer-targets-add", "POST", "/v2/offers/{offer norse}/targets", `{"user_ids":[‹user anna›]}`, created(nordicOnly)},
	{"offer-user-check", "GET", "/v2/offers/{offer vips}/users/{user anna}", "", acmeOnly},
	{"offer-user-check", "GET", "/v2/offers/{offer norse}/users/{user anna}", "", nordicOnly},
	{"offer-participants-list", "GET", "/v2/offers/{offer vips}/participants", "", acmeOnly},
	{"offer-participants-list", "GET", "/v2/offers/{offer norse}/participants?format=xlsx", "", nordicOnly},
	{"offer-participant-get", "GET", "/v2/offers/{offer vips}/participants/{participant anna}", "", acmeOnly},
	{"offer-participant-get", "GET", "/v2/offers/{offer norse}/participants/{participant bo}", "", nordicOnly},
	{"offer-participant-get", "GET", "/v2/offers/{offer norse}/participants/{participant anna}", "", noThing},
	{"offer-participants-stats", "GET", "/v2/offers/{offer vips}/participants-stats", "", acmeOnly},
	{"offer-participants-stats", "GET", "/v2/offers/{offer norse}/participants-stats", "", nordicOnly},
	{"offer-participants-count-by-click-activity", "GET", "/v2/offers/{offer vips}/participants-count-by-click-activity", "", acmeOnly},
	{"offer-participants-count-by-click-activity", "GET", "/v2/offers/{offer norse}/participants-count-by-click-activity", "", nordicOnly},
	{"offer-participant-status-update", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/update-status", `{"status":"accepted"}`, acmeOnly},
	{"offer-participant-status-update", "PATCH", "/v2/offers/{offer norse}/participants/{participant bo}/update-status", `{"status":"accepted"}`, nordicOnly},
	{"offer-participant-status-update", "PATCH", "/v2/offers/{offer vips}/participants/{participant bo}/update-status", `{"status":"accepted"}`, noThing},
	{"offer-participant-todo-update", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/todo", `{"todo":[{"key":"post","value":true}]}`, acmeOnly},
	{"offer-participant-todo-update", "PATCH", "/v2/offers/{offer vips}/participants/{participant bo}/todo", `{"todo":[{"key":"post","value":true}]}`, noThing},
	{"offer-participant-payment-amount-update", "PUT", "/v2/offers/{offer vips}/participants/{participant anna}/payment-amount", `{"payment_amount":100}`, acmeOnly},
	{"offer-participant-payment-amount-update", "PUT", "/v2/offers/{offer vips}/participants/{participant bo}/payment-amount", `{"payment_amount":100}`, noThing},
	{"offer-participant-clicks-override", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/overrides/clicks", `{"click_limit":1}`, acmeOnly},
	{"offer-participant-clicks-override", "PATCH", "/v2/offers/{offer vips}/participants/{participant bo}/overrides/clicks", `{"click_limit":1}`, noThing},
	{"offer-participant-costs-override", "PATCH", "/v2/offers/{offer vips}/participants/{participant anna}/overrides/costs", `{"traffic_sources_costs":[]}`, acmeOnly},
	{"offer-participant-costs-override", "PATCH", "/v2/offers/{offer vips}/participants/{participant bo}/overrides/costs", `{"traffic_sources_costs":[]}`, noThing},
	{"offer-by-token-user-check", "GET", "/v2/offer-by-token/{token vips}/users/{user anna}", "", tokenOfVips},
	{"offer-by-token-user-check", "GET", "/v2/offer-by-token/{token norse}/users/{user bo}", "", tokenOfNorse},
	{"offer-by-token-user-join", "POST", "/v2/offer-by-token/{token vips}/users/{user anna}/join", "", annaAlone},
	{"offer-by-token-user-join", "POST", "/v2/offer-by-token/{token norse}/users/{user bo}/join", "", boAlone},
	{"offer-by-token-user-join", "POST", "/v2/offer-by-token/{token norse}/users/{user anna}/join", "", "401 403 403 403 403 404 404 403 403 403 403 403 403"},
	{"offer-user-comment-add", "POST", "/v2/offer-users/{participant anna}/comments", `{"comment":"x"}`, created(acmeOnly)},
	{"offer-user-comment-add", "POST", "/v2/offer-users/{participant bo}/comments", `{"comment":"x"}`, created(nordicOnly)},
	{"offer-user-comment-update", "PATCH", "/v2/offer-users/{participant anna}/comments/{comment anna}", `{"comment":"x"}`, acmeOnly},
	{"offer-user-comment-update", "PUT", "/v2/offer-users/{participant bo}/comments/{comment bo}", `{"comment":"x"}`, nordicOnly},
	{"offer-user-comment-update", "PUT", "/v2/offer-users/{participant anna}/comments/{comment bo}", `{"comment":"x"}`, noThing},
	{"offer-user-comment-delete", "DELETE", "/v2/offer-users/{participant anna}/comments/{comment anna}", "", emptied(acmeOnly)},
	{"offer-user-comment-delete", "DELETE", "/v2/offer-users/{participant anna}/comments/{comment bo}", "", noThing},
	{"offer-user-activities-list", "GET", "/v2/offer-users/{participant anna}/activities", "", acmeOnly},
	{"offer-user-activities-list", "GET", "/v2/offer-users/{participant bo}/activities", "", nordicOnly},
	{"return-ads-list", "GET", "/v2/return-ads", "", sellersAll},
	{"return-ad-create", "POST", "/v2/return-ads", `{"name":"new","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example/"}`, "401 201 201 422 422 403 403 403 403 403 403 403 403"},
	{"return-ad-get", "GET", "/v2/return-ads/{ad acme}", "", acmeOnly},
	{"return-ad-get", "GET", "/v2/return-ads/{ad nordic}", "", nordicOnly},
	{"return-ad-update", "PATCH", "/v2/return-ads/{ad acme}", `{"name":"changed"}`, acmeOnly},
	{"return-ad-update", "PUT", "/v2/return-ads/{ad nordic}", `{"name":"changed"}`, nordicOnly},
	{"return-ad-delete", "DELETE", "/v2/return-ads/{ad acme}", "", emptied(acmeOnly)},
	{"return-ad-delete", "DELETE", "/v2/return-ads/{ad nordic}", "", emptied(nordicOnly)},
	{"return-ad-pause", "POST", "/v2/return-ads/{ad acme}/pause", "", acmeOnly},
	{"return-ad-unpause", "POST", "/v2/return-ads/{ad nordic}/unpause", "", nordicOnly},
	{"advertiser-return-ads-list", "GET", "/v2/advertisers/{advertiser acme}/return-ads", "", acmeOnly},
	{"advertiser-return-ads-list", "GET", "/v2/advertisers/{advertiser nordic}/return-ads", "", nordicOnly},
	{"shared-budgets-list", "GET", "/v2/stores/{advertiser acme}/shared-budgets", "", acmeOnly},
	{"shared-budgets-list", "GET", "/v2/stores/{advertiser nordic}/shared-budgets", "", nordicOnly},
	{"shared-budgets-list", "GET", "/v2/stores/999999/shared-budgets", "", noStore},
	{"shared-budget-get", "GET", "/v2/stores/{advertiser acme}/shared-budgets/{budget acme}", "", acmeOnly},
	{"shared-budget-get", "GET", "/v2/stores/{advertiser acme}/shared-budgets/{budget nordic}", "", noStore},
	{"shared-budget-update", "PUT", "/v2/stores/{advertiser acme}/shared-budgets/{budget acme}", `{"title":"changed"}`, acmeOnly},
	{"shared-budget-update", "PATCH", "/v2/stores/{advertiser acme}/shared-budgets/{budget nordic}", `{"title":"changed"}`, noStore},
	{"shared-budget-delete", "DELETE", "/v2/stores/{advertiser acme}/shared-budgets/{budget spare}", "", emptied(acmeOnly)},
	{"shared-budget-delete", "DELETE", "/v2/stores/{advertiser acme}/shared-budgets/{budget nordic}", "", noStore},
}

var offersSeen = []seen{
	{"/v2/offers", "campaign_title", map[string]string{
		"admin": "Summer of shoes For the few Nike run Of last year Sagas", "creator": "Summer of shoes For the few Nike run Of last year",
		"creator_2": "Sagas", "client": "Summer of shoes Nike run Of last year", // acme keeps bo's client away
	}},
	{"/v2/offers?advertiser_id={advertiser acme}&sort_by=campaign_title:desc", "campaign_title", map[string]string{
		"admin": "Summer of shoes Of last year Nike run For the few", "advertiser": "Summer of shoes Of last year Nike run For the few",
		"creator": "Summer of shoes Of last year Nike run For the few", "creator_2": "",
	}},
	{"/v2/offers?advertiser_id={advertiser nordic}&or_id={offer summer}", "campaign_title", map[string]string{
		"admin": "Summer of shoes Sagas", "advertiser_2": "Sagas", "creator_2": "Sagas", "creator": "Summer of shoes",
	}},
	{"/v2/offers?target_user_id={user bo}&store_ids[]={advertiser nordic}", "campaign_title", map[string]string{
		"admin": "Sagas", "creator": "", "creator_2": "Sagas", "client": "", "client_2": "Sagas",
	}},
	{"/v2/offers?query=nike&statuses[]=active&statuses[]=paused", "campaign_title", map[string]string{"admin": "Nike run", "creator": "Nike run", "creator_2": ""}},
	{"/v2/offers?statuses[]=deleted", "campaign_title", map[string]string{"admin": "", "creator": ""}},
	{"/v2/return-ads", "name", map[string]string{
		"admin": "Return to acme Return to old Return to nordic", "advertiser": "Return to acme Return to old", "advertiser_2": "Return to nordic", "agency": "",
	}},
	{"/v2/return-ads?or_id={ad nordic}&query=acme&sort_by=name:desc", "name", map[string]string{
		"admin": "Return to nordic Return to acme", "advertiser": "Return to acme", "advertiser_2": "Return to nordic",
	}},
}
