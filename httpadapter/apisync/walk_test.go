package apisync_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestAnItemIsPostedAgain(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		made := w.ask(201, "POST", "/inventory-items", item(`"reference-id":"r1","brand":"VW","model":"Jetta","year":2018`))
		id := made.id()
		is.Equal(w.ask(200, "POST", "/inventory-items", bodyOf("inventory_items", id, `"title":"by id"`, "")).id(), id)
		again := w.ask(200, "POST", "/inventory-items", item(`"reference_id":"r1"`))
		is.Equal(again.id(), id)
		is.Equal(again.at("data.attributes.title"), `"by id"`)
		second := w.ask(201, "POST", "/inventory-items", item(`"brand":"Audi","year":2018`)).id()
		is.Equal(w.ask(200, "POST", "/inventory-items", item(`"brand":"Audi","year":2018,"title":"by fingerprint"`)).id(), second)
		is.Equal(w.ask(200, "GET", "/inventory-items", "").ids(), []string{id, second})
		w.ask(404, "POST", "/inventory-items", bodyOf("inventory-items", "0195cde4-325d-7376-ab52-48b8f1256dd0", newItem, ""))

		w.pass(time.Minute)
		for _, method := range []string{"PUT", "PATCH"} {
			sold := w.ask(200, method, "/inventory-items/r1", bodyOf("inventory-items", "r1", `"available":false`, "")) // as the Ruby client sends it
			is.Equal(sold.at("data.attributes.sold_out_at"), `"2026-03-18T11:43:10Z"`)
			is.Equal(sold.at("data.attributes.brand"), `"VW"`)
		}
		is.Equal(w.ask(200, "PATCH", "/inventory-items/"+id, bodyOf("inventory-items", "", `"available":true,"brand":null,"fingerprint":"x","sold_out_at":"x","created_at":5`, "")).at("data.attributes.sold_out_at"), "null")
		is.Equal(w.ask(422, "PUT", "/inventory-items/"+second, bodyOf("inventory-items", "", `"reference_id":"r1"`, "")).problems(), "/data/attributes/reference_id taken")
		is.Equal(w.ask(409, "PUT", "/inventory-items/r1", bodyOf("inventory-items", second, "", "")).problems(), "/data/id id_mismatch")
		is.Equal(w.ask(409, "PUT", "/inventory-items/r1", bodyOf("ads", "", "", "")).problems(), "/data/type type_mismatch")
		w.ask(404, "PUT", "/inventory-items/none", bodyOf("inventory-items", "", "", ""))
		w.ask(200, "PUT", "/inventory-items/r1", `{"data":{}}`)
	})
}

func TestPagesAreFollowedByTheirLinks(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		var want []string
		for n := range 60 { // in one millisecond
			want = append(want, w.ask(201, "POST", "/inventory-items", item(fmt.Sprintf(`"reference_id":"r%d","condition":"new"`, n))).id())
			w.now.Add(int64(n % 2))
			if w.now.Load()/1000 != start.UnixMicro()/1000 {
				t.Fatal("the millisecond is over")
			}
		}
		follow := func(target string) (got []string, pages int) {
			t.Helper()
			for pages = 1; ; pages++ {
				page := w.ask(200, "GET", target, "")
				is.Equal(page.at("links.self"), jsonText(target))
				got = append(got, page.ids()...)
				if page.at("links.next") == "null" {
					return got, pages
				}
				target = strings.Trim(page.at("links.next"), `"`)
			}
		}
		got, pages := follow("/inventory-items")
		is.Equal(pages, 3)
		is.Equal(got, want)
		got, _ = follow("/inventory-items?filter[condition]=new&x=1")
		is.Equal(got, want)
		next := strings.Trim(w.ask(200, "GET", "/inventory-items?filter%5Bcondition%5D=new", "").at("links.next"), `"`)
		is.True(strings.HasPrefix(next, "/inventory-items?filter%5Bcondition%5D=new&page[starting_after]="+fmt.Sprint(start.UnixMilli())+"&page[after]="))
		is.Equal(len(w.ask(200, "GET", strings.NewReplacer("[", "%5B", "]", "%5D").Replace(next), "").ids()), 25)

		// The documented cursor alone.
		w.pass(time.Second)
		later := w.ask(201, "POST", "/inventory-items", item("")).id()
		is.Equal(w.ask(200, "GET", fmt.Sprintf("/inventory-items?page[starting_after]=%d", start.UnixMilli()), "").ids(), []string{later})
		is.Equal(len(w.ask(200, "GET", fmt.Sprintf("/inventory-items?page[starting_after]=%d", start.UnixMilli()-1), "").ids()), 25)
		is.Equal(len(w.ask(200, "GET", fmt.Sprintf("/inventory-items?page[starting-after]=%d", start.UnixMilli()+1000), "").ids()), 0)
	})
}

func jsonText(s string) string { return `"` + s + `"` }

func TestRemovedRecordsAreGone(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		campaign, adSet, ad := w.tree("sync", "act_1")
		w.ask(200, "PUT", "/campaigns/"+campaign, bodyOf("campaigns", "", `"reference_id":"mine"`, ""))
		is.Equal(w.ask(200, "GET", "/campaigns/mine/ad-sets", "").ids(), []string{adSet})
		is.Equal(w.ask(200, "GET", "/ad-sets/"+adSet+"/ads?filter[ad-type]=expanded-text-ad", "").ids(), []string{ad})
		is.Equal(w.ask(200, "GET", "/ad-accounts/act_1/campaigns?filter[service]=facebook-ads", "").ids(), []string{campaign})
		w.ask(404, "GET", "/ad-accounts/act_404/campaigns", "")
		w.ask(404, "GET", "/campaigns/"+ad+"/ad-sets", "")
		is.Equal(w.ask(200, "PATCH", "/campaigns/"+campaign, bodyOf("campaigns", "", `"state":"removed"`, "")).at("data.attributes.state"), `"removed"`)
		for _, path := range []string{"/campaigns/" + campaign, "/ad-sets/" + adSet, "/ads/" + ad, "/campaigns/" + campaign + "/ad-sets", "/ad-sets/" + adSet + "/ads"} {
			is.Equal(w.ask(410, "GET", path, "").problems(), " removed")
			is.Equal(w.send("sync_2", "GET", path, "").Code, 404)
		}
		w.ask(410, "PUT", "/ads/"+ad, bodyOf("ads", "", `"state":"active"`, ""))
		w.ask(410, "POST", "/ads", bodyOf("ads", ad, `"state":"active"`, ""))
		w.ask(404, "GET", "/campaigns/mine", "")
		for _, path := range []string{"/campaigns", "/ad-sets", "/ad-accounts/act_1/campaigns"} {
			is.Equal(len(w.ask(200, "GET", path, "").ids()), 0)
		}
		is.Equal(w.ask(422, "POST", "/ad-sets", bodyOf("ad-sets", "", `"state":"active","bids":{},"service_configurations":{}`, relation("campaign", campaign))).problems(),
			"/data/relationships/campaign removed")
		w.ask(201, "POST", "/campaigns", bodyOf("campaigns", "", `"service":"facebook-ads","state":"paused","reference_id":"mine"`, relation("ad-account", "act_1")))
	})
}

func TestConfigurationsAndCreativesInTheirSpellings(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		_, adSet, ad := w.tree("sync", "act_1")
		got := w.ask(200, "PUT", "/ad-sets/"+adSet, bodyOf("ad_sets", "", `"service-configurations":{"unknown":1,"daily-budget":{"amount":1299,"billing-event":"CLICKS"},"geo-locations":{`+
			`"countries":["US",{"key":"BR"}],"regions":[{"key":"3847"},"1"],"zips":[{"key":"US:90028"}],"custom-locations":[{"latitude":36,"longitude":-121.50,"radius":5,"distance-unit":"kilometer"},`+
			`{"address-string":"1601 Willow Road","radius":0.5}],"excluded_geo_locations":{"regions":[{"key":"3847"}]}}}`, ""))
		is.Equal(got.at("data.attributes.service_configurations"), `{"daily_budget":{"amount":1299,"billing_event":"CLICKS"},"geo_locations":{"countries":["US","BR"],`+
			`"custom_locations":[{"distance_unit":"kilometer","latitude":36,"longitude":-121.5,"radius":5},{"address_string":"1601 Willow Road","radius":0.5}],`+
			`"excluded_geo_locations":{"regions":[{"key":"3847"}]},"regions":[{"key":"3847"},{"key":"1"}],"zips":[{"key":"US:90028"}]}}`)
		is.Equal(w.ask(200, "PUT", "/ad-sets/"+adSet, bodyOf("ad-sets", "", `"service_configurations":{"geo_locations":["21137"]}`, "")).at("data.attributes.service_configurations"),
			`{"geo_locations":{"criteria_ids":["21137"]}}`) // replaced as a whole
		image := `"story":{"link-data":{"link":"https://a.example","message":"m","picture":"https://a.example/p.png","description":"d","call-to-action":{"type":"OPEN_LINK","value":{"link-caption":"a.example"}}}}`
		for _, creative := range []string{`{` + image + `}`, `{"data":{` + image + `}}`} {
			got := w.ask(200, "PUT", "/ads/"+ad, bodyOf("ads", "", `"ad-type":"image","creative":`+creative, ""))
			is.Equal(got.at("data.attributes.ad_type"), `"image_with_link"`)
			is.Equal(got.at("data.attributes.creative.story.link_data.call_to_action.value.link_caption"), `"a.example"`)
		}
		got = w.ask(200, "PUT", "/ads/"+ad, bodyOf("ads", "", `"ad_type":"expanded-text-ad","creative":{"data":{"headline-part1":"x","headline-part2":"y","description":"z"}}`, ""))
		is.Equal(got.at("data.attributes.creative"), `{"description":"z","headline_part1":"x","headline_part2":"y"}`)
		w.ask(201, "POST", "/campaigns", bodyOf("ad-sets", "", `"service":"adwords","state":"active"`, relation("ad_account", "1234567890"))) // the two slips
		w.ask(201, "POST", "/campaigns", bodyOf("ads", "", `"service":"google-ads","state":"active"`, relation("ad_account", "1234567890")))
		w.ask(409, "POST", "/ad-sets", bodyOf("campaigns", "", "", ""))
		is.Equal(len(w.ask(200, "GET", "/campaigns?filter[service]=adwords", "").ids()), 2)
	})
}

func TestOnlyAnAccountSeesItsRecords(t *testing.T) {
	served := routes(t)
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		campaign, adSet, ad := w.tree("sync", "act_1")
		item := w.ask(201, "POST", "/inventory-items", item(`"title":"secret"`)).id()
		for _, r := range served {
			id := map[string]string{"inventory-items": item, "campaigns": campaign, "ad-sets": adSet, "ads": ad}[strings.Split(r.Path(), "/")[1]]
			path := strings.NewReplacer("{id}", id, "{ad-account-id}", "act_1", "{campaign-id}", campaign, "{ad-set-id}", adSet).Replace(r.Path())
			for _, method := range r.Methods() {
				body := ""
				if method != "GET" {
					body = bodyOf("", id, `"state":"removed","available":false`, "")
				}
				for _, who := range []string{"operator", "creator", "partner", "lists"} {
					is.Equal(w.send(who, method, path, body).Code, 403)
				}
				is.Equal(w.send("", method, path, body).Code, 401)
				answer := w.send("sync_2", method, path, body)
				want := 404
				if method == "GET" && (strings.Count(r.Path(), "/") == 1 || r.ID == "campaign-index-by-ad-account") { // its own list
					want = 200
				}
				if answer.Code != want || id != "" && want == 200 && strings.Contains(answer.Body.String(), id) || strings.Contains(answer.Body.String(), "secret") {
					t.Errorf("%s %s as sync_2: got %d %s, want %d", method, path, answer.Code, answer.Body, want)
				}
			}
		}
		foreign := w.send("sync_2", "GET", "/ads/"+ad, "", "X-Request-Id", "t").Body.String()
		for _, none := range []string{"0195cde4-325d-7376-ab52-48b8f1256dd0", "1", "x", "%20", strings.Repeat("x", 3000)} {
			is.Equal(w.send("sync_2", "GET", "/ads/"+none, "", "X-Request-Id", "t").Body.String(), foreign)
		}
		is.Equal(w.send("sync_2", "POST", "/ad-sets", bodyOf("ad-sets", "", `"state":"active","bids":{},"service_configurations":{}`, relation("campaign", campaign))).Code, 422)
		is.Equal(w.send("sync_2", "POST", "/ads", bodyOf("ads", "", `"state":"active","ad_type":"video"`, relation("ad_set", adSet))).Code, 422)
		is.Equal(w.ask(200, "GET", "/ads/"+ad, "").at("data.attributes.state"), `"active"`) // nothing changed
		is.Equal(w.send("sync_2", "GET", "/campaigns", "").Body.String(), `{"data":[],"links":{"self":"/campaigns","next":null}}`)
	})
}

func TestTestAccountsHaveAThirdOfTheRateAndNoJobs(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory(), 30)
	w.tree("sync_test", "act_1")
	is.Equal(w.send("sync_test", "POST", "/inventory-items", item("")).Header().Get("X-Ratelimit-Limit"), "10")
	is.Equal(w.send("sync", "GET", "/campaigns", "").Header().Get("X-Ratelimit-Limit"), "30")
	page, err := w.sync.Jobs(t.Context(), adsync.JobFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
	is.NoErr(err)
	is.Equal(page.Total, 0)
	var answer *httptest.ResponseRecorder
	for range 10 {
		answer = w.send("sync_test", "GET", "/campaigns", "")
	}
	is.Equal(answer.Code, 429)
	is.True(answer.Header().Get("Retry-After") != "")
	is.True(strings.Contains(answer.Body.String(), `"status":"429"`))
}

func TestMediaTypesAndCredentials(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory(), -1)
	for accept, status := range map[string]int{
		"": 201, "*/*": 201, "application/json": 201, "application/vnd.api+json": 201, "application/*;q=0.5": 201, "text/html, application/json": 201,
		"text/html": 406, "application/xml": 406, "application/vnd.api+json;q=0, text/html": 406,
	} {
		if got := w.send("sync", "POST", "/inventory-items", item(""), "Accept", accept); got.Code != status {
			t.Errorf("Accept %q: got %d %s, want %d", accept, got.Code, got.Body, status)
		}
	}
	for media, status := range map[string]int{"": 201, "application/json": 201, "application/json; charset=utf-8": 201, "text/plain": 406, "application/x-www-form-urlencoded": 406, "multipart/form-data": 406} {
		if got := w.send("sync", "POST", "/inventory-items", item(""), "Content-Type", media); got.Code != status {
			t.Errorf("Content-Type %q: got %d %s, want %d", media, got.Code, got.Body, status)
		}
	}
	refused := w.send("", "GET", "/campaigns", "")
	is.Equal(refused.Code, 401)
	is.Equal(refused.Header().Get("WWW-Authenticate"), "ApiToken")
	is.Equal(refused.Body.String(), `{"errors":[{"status":"401","code":"unauthenticated","title":"Unauthorized","detail":"Unauthenticated."}]}`)
	is.Equal(w.send("sync", "DELETE", "/campaigns/x", "").Code, 405)
	is.Equal(w.send("sync", "GET", "/ads", "").Code, 405) // which the document does not have
	is.Equal(w.send("sync", "GET", "/ads/x/y", "").Code, 404)
}

func TestBadInputNamesItsPlaceAndChangesNothing(t *testing.T) {
	long := strings.Repeat("ä", 5001)
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		campaign, adSet, ad := w.tree("sync", "act_1")
		id := w.ask(201, "POST", "/inventory-items", item(`"reference_id":"r1"`)).id()
		before := w.dump(id, campaign, adSet, ad)
		for _, tt := range []struct {
			request, body string
			status        int
			problems      string
		}{
			{"POST /inventory-items", ``, 422, "/data required"},
			{"POST /inventory-items", `{}`, 422, "/data required"},
			{"POST /inventory-items", `{"data":null}`, 422, "/data required"},
			{"POST /inventory-items", `{"data":[]}`, 422, "/data/attributes/ad_template_type required, /data/attributes/available required, /data/attributes/content_language required"},
			{"POST /inventory-items", `{"data":"x"}`, 422, "/data wrong_type"},
			{"POST /inventory-items", `[]`, 400, " malformed_request"},
			{"POST /inventory-items", `{"data":{}} x`, 400, " malformed_request"},
			{"POST /inventory-items", "{\"data\":{\"id\":\"\xff\"}}", 400, " malformed_request"},
			{"POST /inventory-items", item(`"year":"2018"`), 422, "/data/attributes/year wrong_type"},
			{"POST /inventory-items", item(`"year":20181`), 422, "/data/attributes/year out_of_range"},
			{"POST /inventory-items", item(`"year":-2018`), 422, "/data/attributes/year out_of_range"},
			{"POST /inventory-items", item(`"year":99999999999999999999`), 422, "/data/attributes/year out_of_range"},
			{"POST /inventory-items", item(`"condition":"old"`), 422, "/data/attributes/condition invalid"},
			{"POST /inventory-items", item(`"title":"a\u0000b"`), 422, "/data/attributes/title nul"},
			{"POST /inventory-items", item(`"description":"` + long + `"`), 422, "/data/attributes/description too_long"},
			{"POST /inventory-items", item(`"link":"shop.example"`), 422, "/data/attributes/link invalid_url"},
			{"POST /inventory-items", item(`"price":{"amount":0,"currency":"BRL"}`), 422, "/data/attributes/price/amount out_of_range"},
			{"POST /inventory-items", item(`"price":{"amount":1.5,"currency":"BRL"}`), 422, "/data/attributes/price/amount wrong_type"},
			{"POST /inventory-items", item(`"price":{"amount":1,"currency":"XXY"}`), 422, "/data/attributes/price/currency unknown_currency"},
			{"POST /inventory-items", item(`"images":[{"url":"x","order":0}]`), 422, "/data/attributes/images/0/order out_of_range, /data/attributes/images/0/url invalid_url"},
			{"POST /inventory-items", item(`"custom_attributes":[{"identifier":"a b"}]`), 422, "/data/attributes/custom_attributes/0/identifier invalid"},
			{"POST /inventory-items", item(`"custom_attributes":[{"identifier":"a","value":5}]`), 422, "/data/attributes/custom_attributes/0/value wrong_type"},
			{"POST /inventory-items", item(`"content_language":"sv"`), 422, "/data/attributes/content_language invalid"},
			{"POST /inventory-items", bodyOf("ads", "", newItem, ""), 409, "/data/type type_mismatch"},
			{"PUT /inventory-items/r1", bodyOf("", "", `"available":null,"ad_template_type":null`, ""), 422, "/data/attributes/ad_template_type required, /data/attributes/available required"},
			{"POST /campaigns", bodyOf("campaigns", "", `"state":"on","service":"bing"`, relation("ad_account", "act_404")), 422,
				"/data/attributes/service invalid, /data/attributes/state invalid, /data/relationships/ad_account unknown_reference"},
			{"POST /campaigns", bodyOf("campaigns", "", `"state":"active","service":"google-ads"`, relation("ad_account", "act_1")), 422, "/data/attributes/service service_mismatch"},
			{"POST /campaigns", bodyOf("campaigns", "", `"state":"active","service":"google-ads"`, ""), 422, "/data/relationships/ad_account required"},
			{"PUT /campaigns/" + campaign, bodyOf("", "", `"service":"google-ads"`, relation("ad_account", "1234567890")), 422, "/data/attributes/service fixed, /data/relationships/ad_account fixed"},
			{"PUT /campaigns/" + campaign, bodyOf("", "", `"state":null`, ""), 422, "/data/attributes/state required"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"bids":{"cpc":{"amount":-1}}`, ""), 422, "/data/attributes/bids/cpc/amount out_of_range"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"bids":{"cpc":{}}`, ""), 422, "/data/attributes/bids/cpc/amount required"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"bids":null`, ""), 422, "/data/attributes/bids required"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"service_configurations":[]`, ""), 422, "/data/attributes/service_configurations wrong_type"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"service_configurations":{"daily_budget":{"amount":"1"}}`, ""), 422, "/data/attributes/service_configurations/daily_budget/amount wrong_type"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"service_configurations":{"daily_budget":{"amount":1,"billing_event":"X"}}`, ""), 422, "/data/attributes/service_configurations/daily_budget/billing_event invalid"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"service_configurations":{"geo_locations":{"countries":["USA"],"zips":[5.5,{}]}}`, ""), 422, "/data/attributes/service_configurations/geo_locations/zips/1 wrong_type"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", `"service_configurations":{"geo_locations":{"custom_locations":[{"latitude":1e400,"longitude":0,"radius":1}]}}`, ""), 422,
				"/data/attributes/service_configurations/geo_locations/custom_locations/0/latitude out_of_range"},
			{"PUT /ad-sets/" + adSet, bodyOf("", "", "", relation("campaign", ad)), 422, "/data/relationships/campaign unknown_reference"},
			{"PUT /ads/" + ad, bodyOf("", "", `"ad_type":"banner"`, ""), 422, "/data/attributes/ad_type invalid"},
			{"PUT /ads/" + ad, bodyOf("", "", `"creative":{"headline_part1":5,"headline_part2":"x"}`, ""), 422, "/data/attributes/creative/headline_part1 wrong_type"},
			{"PUT /ads/" + ad, bodyOf("", "", `"creative":{"headline_part1":"x"}`, ""), 422, "/data/attributes/creative/description required, /data/attributes/creative/headline_part2 required"},
			{"PUT /ads/" + ad, bodyOf("", "", `"destination_url":"javascript:alert(1)"`, ""), 422, "/data/attributes/destination_url invalid_url"},
			{"GET /inventory-items?filter[nope]=1", "", 422, "filter[nope] unknown"},
			{"GET /inventory-items?filter[condition]=old", "", 422, "filter[condition] invalid"},
			{"GET /inventory-items?filter[available]=maybe", "", 422, "filter[available] invalid"},
			{"GET /inventory-items?filter[reference_id]=", "", 422, "filter[reference_id] required"},
			{"GET /inventory-items?filter[a][b]=1", "", 422, "filter[a] wrong_type"},
			{"GET /inventory-items?filter=1", "", 422, "filter wrong_type"},
			{"GET /campaigns?filter[state]=on&filter[service]=bing", "", 422, "filter[service] invalid"},
			{"GET /campaigns?page[starting_after]=x", "", 422, "page[starting_after] invalid"},
			{"GET /campaigns?page[starting_after]=-1", "", 422, "page[starting_after] invalid"},
			{"GET /campaigns?page[starting_after]=1&page[after]=x", "", 422, "page[after] invalid"},
			{"GET /campaigns?page[after]=1." + campaign, "", 422, "page[starting_after] invalid"},
			{"GET /campaigns?page[number]=2", "", 422, "page[number] unknown"},
			{"GET /campaigns?filter[reference_id]=%00", "", 422, "filter[reference_id] nul"},
		} {
			method, target, _ := strings.Cut(tt.request, " ")
			got := w.ask(tt.status, method, target, tt.body)
			if got.problems() != tt.problems {
				t.Errorf("%s %.200s:\n got %s\nwant %s", tt.request, tt.body, got.problems(), tt.problems)
			}
		}
		is.Equal(w.dump(id, campaign, adSet, ad), before)
	})
}

// dump is what the account has.
func (w *world) dump(id, campaign, adSet, ad string) string {
	w.t.Helper()
	var out []string
	for _, path := range []string{"/inventory-items", "/inventory-items/" + id, "/campaigns", "/campaigns/" + campaign, "/ad-sets", "/ad-sets/" + adSet, "/ads/" + ad} {
		out = append(out, w.send("sync", "GET", path, "").Body.String())
	}
	return strings.Join(out, "\n")
}

func TestFiltersFindWhatTheySay(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		a := w.ask(201, "POST", "/inventory-items", item(`"reference_id":"a","condition":"new"`)).id()
		b := w.ask(201, "POST", "/inventory-items", `{"data":{"attributes":{"ad-template-type":"house","available":false,"content-language":"pt-br","reference-id":"b"}}}`).id()
		campaign, adSet, ad := w.tree("sync", "act_1")
		for target, want := range map[string][]string{
			"/inventory-items?filter[reference-id]=b":                       {b},
			"/inventory-items?filter[ad_template_type]=vehicle":             {a},
			"/inventory-items?filter[condition]=new&filter[available]=true": {a},
			"/inventory-items?filter[available]=false":                      {b},
			"/inventory-items?filter[reference_id]=" + url.QueryEscape("ä"): nil,
			"/campaigns?filter[state]=active":                               {campaign},
			"/campaigns?filter[state]=removed":                              nil,
			"/ad-sets?filter[state]=paused":                                 nil,
			"/ad-sets?filter[service]=facebook-ads":                         {adSet},
			"/ad-sets/" + adSet + "/ads?filter[ad_type]=image":              nil,
			"/ad-sets/" + adSet + "/ads?filter[ad_type]=expanded-text-ad":   {ad},
			"/ad-accounts?filter[service]=google-ads":                       {"1234567890"},
			"/ad-accounts?filter[state]=active":                             {"act_1", "1234567890"},
			"/ad-accounts?filter[state]=paused":                             nil,
			"/ad-accounts?filter[reference_id]=x":                           nil,
		} {
			got := w.ask(200, "GET", target, "").ids()
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", target, got, want)
			}
		}
	})
}
