package myshare_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"
)

const day = 24 * time.Hour

// The document's own walk through an integration.
func TestTheDocumentsWalkThrough(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.shop("super")
		created := w.ask(200, "POST", "/deal/", posting("d1", "Created"))
		is.Equal(jsonOf(created), `{"another_data":null,"cost":100,"currency":"USD","deal_id":"d1","is_returned":false,"offer":"Offer name","promo_code":"Promo","status":"Created"}`)
		w.pass(time.Minute)
		is.Equal(w.ask(200, "POST", "/deal/", posting("d1", "Paid"))["status"], "Paid")
		read := w.ask(200, "GET", "/deal/d1/", "")
		id := read["id"].(string)
		delete(read, "id")
		is.Equal(jsonOf(read), `{"approved_at":null,"canceled_at":null,"conversion_time":"2026-03-18T11:42:10Z","cost":100.0,"currency":"USD","is_returned":false,`+
			`"modified_at":"2026-03-18T11:43:10Z","offer":{"catalog":{"catalog_code":"super","title":"SuperCatalog"},"name":"Offer name"},`+
			`"paid_at":"2026-03-18T11:43:10Z","payment_sum":5.0,"promo":{"code":"Promo"},"status":"Paid"}`)
		w.pass(30 * day)
		approved := w.ask(200, "GET", "/deal/"+id, "")
		is.Equal(approved["status"], "Approved")
		is.Equal(approved["approved_at"], "2026-04-17T11:43:10Z")
		is.Equal(jsonOf(w.ask(400, "PATCH", "/deal/d1/", `{"status":"Canceled"}`)),
			`{"code":"illegal_transition","detail":"A deal that is Approved cannot become Canceled."}`)

		// Another one is canceled and returned.
		w.ask(200, "POST", "/deal/", posting("d2", "Paid", "promo_code", "", "another_data", "myshare=BDGSYEHVX&subid=7"))
		is.Equal(jsonOf(w.ask(200, "PATCH", "/deal/d2", `{"status":"Canceled","is_returned":true,"comment":"Some comment"}`)),
			`{"comment":"Some comment","cost":"100.00","is_returned":true,"status":"Canceled"}`)
		is.Equal(w.ask(200, "GET", "/deal/d2/", "")["promo"], nil)

		// The mark wins over a code, which then was not used.
		both := w.ask(200, "POST", "/deal/", posting("d4", "Paid", "another_data", "myshare=BDGSYEHVX"))
		is.Equal(both["promo_code"], nil)
		is.Equal(w.ask(200, "GET", "/deal/d4/", "")["promo"], nil)
		w.ask(200, "PATCH", "/deal/d4/", `{"status":"Paid","cost":100,"is_returned":true,"comment":"Some comment"}`) // the documented body
		is.Equal(w.ask(200, "GET", "/deal/d4/", "")["is_returned"], false)
		w.pass(31 * day)
		refund := w.ask(200, "PATCH", "/deal/d4/", `{"status":"Canceled","is_returned":true}`)
		is.Equal(refund["status"], "Canceled")
		is.Equal(refund["is_returned"], true)

		// Another one by time.
		w.ask(200, "POST", "/deal/", posting("d3", "Created"))
		w.pass(14 * day)
		is.Equal(w.ask(200, "GET", "/deal/d3/", "")["status"], "Canceled")
		is.Equal(w.ask(400, "POST", "/deal/", posting("d3", "Paid"))["code"], "illegal_transition")
	})
}

func TestAPathEndsInASlashOrNot(t *testing.T) {
	is := is.New(t)
	w := memoryWorld(t)
	s := w.shop("super")
	w.ask(200, "POST", "/deal", posting("d1", "Paid"))
	for _, path := range []string{"/catalog", "/catalog/" + s.catalog, "/offer/" + s.offer, "/deal/d1", "/promo/check_promo", "/promo/check_uuid"} {
		query := "?code=Promo"
		if path == "/promo/check_uuid" {
			query = "?code=BDGSYEHVX"
		}
		with, without := w.send("partner", "GET", path+"/"+query, ""), w.send("partner", "GET", path+query, "")
		is.Equal(with.Code, 200)
		is.Equal(without.Code, 200) // no redirect
		is.Equal(with.Body.Len() > 0, true)
		if path != "/catalog" { // whose links to other pages would show the path
			is.Equal(with.Body.String(), without.Body.String())
		}
	}
	is.Equal(w.send("partner", "DELETE", "/landing/"+s.landing, "").Code, 204)
	is.Equal(w.send("partner", "DELETE", "/landing/"+s.landing+"/", "").Code, 404)
}

func TestOtherSpellingsOfInputs(t *testing.T) {
	is := is.New(t)
	w := memoryWorld(t)
	c := w.ask(200, "POST", "/catalog/", `{"title":"T","catalog_code":"c","remuneration_percent":"7.5","is_promo":true,"localization":["SV","EN","EN"],
		"max_size_promo_code":"20","min_size_promo_code":5,"offer_geo":["SE","AX"],"category":"Education","devices":"Mobile","cookies_storage_days":9,
		"reward_type":"CPA","hold_duration":"720:00:00","canceled_duration":"12:00:01","unknown":{"is":"ignored"}}`)
	is.Equal(c["is_promocode_allowed"], true)
	is.Equal(jsonOf(c["localizations"]), `["EN","SV"]`)
	is.Equal(jsonOf(c["offer_geo"]), `["AX","SE"]`)
	is.Equal(jsonOf(c["max_promo_code_percent"])+jsonOf(c["min_promo_code_percent"]), "20.05.0")
	is.Equal(c["hold_duration"], "30 00:00:00")
	is.Equal(c["canceled_duration"], "0 12:00:01")
	read := w.ask(200, "GET", "/catalog/"+c["id"].(string), "")
	is.Equal(jsonOf(read["reward"]), `{"from":7.5,"to":7.5,"type":null}`)
	is.Equal(read["category"], "Education")

	o := w.ask(201, "POST", "/offer/", `{"name":"O","catalog_id":"`+c["id"].(string)+`","is_promo":false,"disable":true,"prices":[{"cost":"99.50","currency":"RUB"}],"fix_remuneration":"10"}`)
	is.Equal(o["is_active"], false)
	is.Equal(jsonOf(o["prices"]), `[{"cost":99.5,"currency":"RUB"}]`)
	is.Equal(jsonOf(o["fix_remuneration"])+jsonOf(o["reward_percent"]), `"10"null`)
	o = w.ask(200, "PATCH", "/offer/"+o["id"].(string), `{"remuneration_percent":5,"disable":false}`) // one way to reward in place of the other
	is.Equal(jsonOf(o["fix_remuneration"])+jsonOf(o["reward_percent"]), "null5.0")
	is.Equal(o["is_active"], true)

	l := w.ask(201, "POST", "/landing/", `{"url":"http://example.com","catalog_id":"`+c["id"].(string)+`","image":"http://example.com/a.png"}`)
	is.Equal(l["image_url"], "http://example.com/a.png")
	is.Equal(l["adaptability"], "All")
}

func TestAPutNeedsWhatAPatchDoesNot(t *testing.T) {
	is := is.New(t)
	w := memoryWorld(t)
	s := w.shop("super")
	for path, want := range map[string]string{
		"/catalog/" + s.catalog: "catalog_code title",
		"/offer/" + s.offer:     "catalog_id is_active is_promocode_allowed name prices",
		"/landing/" + s.landing: "catalog_id url",
	} {
		w.ask(200, "PATCH", path, `{}`)
		is.Equal(fields(w.ask(400, "PUT", path, `{}`)), want)
		w.askAs("partner_2", 404, "PUT", path, `{}`)
	}
	before := w.ask(200, "GET", "/catalog/"+s.catalog, "")
	w.ask(200, "PUT", "/catalog/"+s.catalog, `{"title":"New","catalog_code":"new"}`)
	after := w.ask(200, "GET", "/catalog/"+s.catalog, "")
	is.Equal(after["title"], "New")
	is.Equal(after["is_promocode_allowed"], before["is_promocode_allowed"]) // what is left out stays
	w.ask(200, "PATCH", "/catalog/"+s.catalog, `{"hold_duration":"1 00:00:00","icon":"http://example.com/i.png"}`)
	w.ask(200, "PATCH", "/catalog/"+s.catalog, `{"hold_duration":null,"icon":null}`)
	after = w.ask(200, "GET", "/catalog/"+s.catalog, "")
	is.Equal(after["hold_duration"], "30 00:00:00")
	is.Equal(after["icon"], nil)
	is.Equal(after["preview_image"], nil)
}

// fields are the names in an answer, ascending.
func fields(answer map[string]any) string {
	names := slices.Sorted(maps.Keys(answer))
	out := ""
	for i, name := range names {
		if i > 0 {
			out += " "
		}
		out += name
	}
	return out
}

func TestCatalogsAreListedInPages(t *testing.T) {
	is := is.New(t)
	w := memoryWorld(t)
	for _, code := range []string{"a", "b", "c"} {
		w.ask(200, "POST", "/catalog/", `{"title":"`+code+`","catalog_code":"`+code+`","is_published":`+map[bool]string{true: "true", false: "false"}[code != "b"]+`}`)
	}
	page := w.ask(200, "GET", "/catalog/?size=2", "")
	is.Equal(jsonOf(page["count"]), "3")
	is.Equal(page["next"], "/catalog/?size=2&page=2")
	is.Equal(page["previous"], nil)
	is.Equal(page["results"].([]any)[1].(map[string]any)["title"], "b")
	page = w.ask(200, "GET", "/catalog/?page=2&size=2", "")
	is.Equal(page["next"], nil)
	is.Equal(page["previous"], "/catalog/?size=2&page=1")
	is.Equal(len(page["results"].([]any)), 1)
	is.Equal(jsonOf(w.ask(200, "GET", "/catalog/?is_published=false", "")["count"]), "1")
	is.Equal(jsonOf(w.ask(200, "GET", "/catalog/?is_available=true", "")["count"]), "0")
	is.Equal(jsonOf(w.askAs("partner_2", 200, "GET", "/catalog/", "")["results"]), "[]")
	w.ask(400, "GET", "/catalog/?size=101", "")
}

func TestPromoCodesAndMarksAreChecked(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		s := w.shop("super")
		other := w.ask(200, "POST", "/catalog/", `{"title":"T","catalog_code":"other"}`)["catalog_id"].(string)
		is.Equal(jsonOf(w.ask(200, "GET", "/promo/check_promo/?code=Promo&catalog_id="+s.short, "")), `{"percent_discounts":5.0}`)
		is.Equal(jsonOf(w.ask(200, "GET", "/promo/check_promo/?code=PROMO&catalog_id="+s.catalog, "")), `{"percent_discounts":5.0}`)
		w.ask(200, "GET", "/promo/check_promo/?code=promo", "")
		w.ask(404, "GET", "/promo/check_promo/?code=Promo&catalog_id="+other, "")
		w.ask(404, "GET", "/promo/check_promo/?code=Promo&catalog_id=NOONE", "")
		w.ask(404, "GET", "/promo/check_promo/?code=nothing&catalog_id="+s.short, "")
		w.askAs("partner_2", 404, "GET", "/promo/check_promo/?code=Promo&catalog_id="+s.short, "")
		w.ask(404, "GET", "/promo/check_promo/?catalog_id="+s.short, "")
		w.ask(404, "GET", "/promo/check_promo/", "")
		is.Equal(jsonOf(w.ask(200, "GET", "/promo/check_uuid/?code=BDGSYEHVX", "")), `{"percent_discounts":0}`)
		w.ask(404, "GET", "/promo/check_uuid/?code=bdgsyehvx", "")
		w.ask(404, "GET", "/promo/check_uuid/", "")
	})
}
