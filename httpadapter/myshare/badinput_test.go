package myshare_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func memoryWorld(t testing.TB) *world {
	t.Helper()
	return newWorld(t, backends.Memory())
}

// What is wrong is 400, names its field, and changes nothing.
func TestBadInputsNameTheirFields(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		s := w.shop("super")
		w.ask(200, "POST", "/deal/", posting("paid", "Paid"))
		w.ask(200, "POST", "/catalog/", `{"title":"T","catalog_code":"taken"}`)
		offer := func(more string) string {
			return `{"name":"N","catalog_id":"` + s.catalog + `","is_promocode_allowed":true,"is_active":true,"prices":[{"cost":1,"currency":"USD"}],"reward_percent":5` + more + `}`
		}
		for _, c := range []struct{ method, path, body, fields string }{
			{"POST", "/catalog/", `{}`, "catalog_code title"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"taken"}`, "catalog_code"},
			{"POST", "/catalog/", `{"title":null,"catalog_code":""}`, "catalog_code title"},
			{"POST", "/catalog/", `{"catalog_code":"c","offer_geo":["XX"],"icon":"x","hold_duration":"9999 00:00:00","max_promo_code_percent":200}`, "hold_duration icon max_promo_code_percent offer_geo title"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":7}`, "catalog_code"},
			{"POST", "/catalog/", `{"title":"` + strings.Repeat("t", 256) + `","catalog_code":"c"}`, "title"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c\u0000"}`, "catalog_code"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","reward_percent":"0.049"}`, "reward_percent"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","reward_percent":95.01}`, "reward_percent"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","reward_percent":"5.12345678"}`, "reward_percent"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","hold_duration":"30"}`, "hold_duration"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","hold_duration":"99999 00:00:00"}`, "hold_duration"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","canceled_duration":"00:00:00"}`, "canceled_duration"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","canceled_duration":1209600}`, "canceled_duration"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","icon":"ftp://x"}`, "icon"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","moderation_type":"NONE"}`, "moderation_type"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","offer_geo":["XK"],"localizations":["en"]}`, "localizations offer_geo"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","is_published":"yes","is_promocode_allowed":1}`, "is_promocode_allowed is_published"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","min_promo_code_percent":10,"max_promo_code_percent":5}`, "max_promo_code_percent"},
			{"POST", "/catalog/", `{"title":"T","catalog_code":"c","max_promo_code_percent":101}`, "max_promo_code_percent"},
			{"PATCH", "/catalog/" + s.catalog, `{"catalog_code":"taken"}`, "catalog_code"},
			{"POST", "/offer/", `{}`, "catalog_id fix_remuneration is_active is_promocode_allowed name prices reward_percent"},
			{"POST", "/offer/", offer(`,"reward_percent":null`), "fix_remuneration reward_percent"},
			{"POST", "/offer/", offer(`,"fix_remuneration":1`), "fix_remuneration"},
			{"POST", "/offer/", offer(`,"fix_remuneration":0,"reward_percent":null`), "fix_remuneration reward_percent"},
			{"POST", "/offer/", offer(`,"fix_remuneration":"1e30","reward_percent":null`), "fix_remuneration"},
			{"POST", "/offer/", offer(`,"prices":[]`), "prices"},
			{"POST", "/offer/", offer(`,"prices":[{"cost":1,"currency":"EUR"}]`), "prices"},
			{"POST", "/offer/", offer(`,"prices":[{"cost":1,"currency":"usd"}]`), "prices"},
			{"POST", "/offer/", offer(`,"prices":[{"cost":1.001,"currency":"USD"}]`), "prices"},
			{"POST", "/offer/", offer(`,"prices":[{"cost":1,"currency":"USD"},{"cost":2,"currency":"USD"}]`), "prices"},
			{"POST", "/offer/", offer(`,"prices":[{"currency":"USD"}]`), "prices"},
			{"POST", "/offer/", offer(`,"prices":{"USD":1}`), "prices"},
			{"POST", "/offer/", offer(`,"name":"Offer name"`), "name"},
			{"POST", "/offer/", offer(`,"catalog_id":"` + s.short + `"`), "catalog_id"},
			{"POST", "/landing/", `{}`, "catalog_id url"},
			{"POST", "/landing/", `{"url":"example.com","catalog_id":"` + s.catalog + `"}`, "url"},
			{"PATCH", "/landing/" + s.landing, `{"adaptability":"Fridge"}`, "adaptability"},
			{"POST", "/deal/", `{}`, "catalog_code cost currency deal_id offer status"},
			{"POST", "/deal/", posting("new", "Canceled"), "status"},
			{"POST", "/deal/", posting("new", "Approved"), "status"},
			{"POST", "/deal/", posting("new", "Paid", "currency", "EUR"), "currency"},
			{"POST", "/deal/", posting("new", "Paid", "currency", "RUB"), "currency"},
			{"POST", "/deal/", posting("new", "Paid", "cost", "1.001"), "cost"},
			{"POST", "/deal/", posting("new", "Paid", "cost", -1), "cost"},
			{"POST", "/deal/", posting("new", "Paid", "cost", "1e39"), "cost"},
			{"POST", "/deal/", posting("new", "Paid", "cost", "NaN"), "cost"},
			{"POST", "/deal/", posting("new", "Paid", "cost", true), "cost"},
			{"POST", "/deal/", posting("new", "Paid", "is_returned", true), "is_returned"},
			{"POST", "/deal/", posting("new", "Paid", "promo_code", "Unknown"), "promo_code"},
			{"POST", "/deal/", posting("new", "Paid", "catalog_code", "unknown"), "catalog_code"},
			{"POST", "/deal/", posting("new", "Paid", "catalog_code", "taken"), "offer"},
			{"POST", "/deal/", posting("new", "Paid", "offer", "unknown"), "offer"},
			{"POST", "/deal/", posting(strings.Repeat("d", 256), "Paid"), "deal_id"},
			{"POST", "/deal/", posting("new", "Paid", "another_data", strings.Repeat("a", 2049)), "another_data"},
			{"POST", "/deal/", posting("paid", "Paid", "cost", 99, "promo_code", nil), "cost promo_code"},
			{"PATCH", "/deal/paid/", `{"cost":99}`, "cost"},
			{"PATCH", "/deal/paid/", `{"status":"Approved"}`, "status"},
			{"PATCH", "/deal/paid/", `{"comment":["no"]}`, "comment"},
		} {
			answer := w.send("partner", c.method, c.path, c.body)
			if answer.Code != 400 {
				t.Errorf("%s %s %.200s: got %d %s, want 400", c.method, c.path, c.body, answer.Code, answer.Body)
				continue
			}
			errs := object(t, answer.Body.String())
			if got := fields(errs); got != c.fields {
				t.Errorf("%s %s %.200s: got %s, want the fields %s", c.method, c.path, c.body, answer.Body, c.fields)
			}
			for name, messages := range errs {
				if list, ok := messages.([]any); !ok || len(list) == 0 || !strings.HasSuffix(list[0].(string), ".") {
					t.Errorf("%s %s: %s has %v, want a list of sentences", c.method, c.path, name, messages)
				}
			}
		}
		is := is.New(t)
		is.Equal(jsonOf(w.ask(200, "GET", "/catalog/", "")["count"]), "2")
		is.Equal(w.ask(200, "GET", "/deal/paid/", "")["status"], "Paid")
		w.ask(404, "GET", "/deal/new/", "")
	})
}

func TestErrorsBesideInputs(t *testing.T) {
	is := is.New(t)
	w := memoryWorld(t)
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		code                    string
	}{
		{"nobody", "GET", "/catalog/", "", 401, "unauthenticated"},
		{"stranger", "GET", "/catalog/", "", 401, "unauthenticated"},
		{"operator", "GET", "/catalog/", "", 403, "forbidden"},
		{"nameless", "GET", "/catalog/", "", 403, "forbidden"},
		{"partner", "GET", "/catalog/x/", "", 404, "not_found"},
		{"partner", "GET", "/catalog/{01900000-0000-7000-8000-000000000001}/", "", 404, "not_found"},
		{"partner", "GET", "/promo/", "", 404, "not_found"},
		{"partner", "DELETE", "/catalog/", "", 405, "method_not_allowed"},
		{"partner", "POST", "/catalog/", "{", 400, "malformed_request"},
		{"partner", "POST", "/catalog/", "[]", 400, "malformed_request"},
		{"partner", "POST", "/catalog/", "{} {}", 400, "malformed_request"},
		{"partner", "POST", "/catalog/", strings.Repeat(" ", 1<<20) + "{}", 413, "payload_too_large"},
	} {
		answer := w.send(c.who, c.method, c.path, c.body)
		is.Equal(answer.Code, c.status) // c
		body := object(t, answer.Body.String())
		is.Equal(body["code"], c.code)
		is.True(body["detail"] != "")
		is.True(answer.Header().Get("X-Request-Id") != "")
	}
	is.Equal(w.send("partner", "POST", "/catalog/", "a=b", "Content-Type", "application/x-www-form-urlencoded").Code, 415)
}

func TestAPostWithAnIdempotencyKeyIsAnsweredAgain(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		body := `{"title":"T","catalog_code":"once"}`
		first := w.send("partner", "POST", "/catalog/", body, "Idempotency-Key", "k1")
		again := w.send("partner", "POST", "/catalog/", body, "Idempotency-Key", "k1")
		is.Equal(first.Code, 200)
		is.Equal(again.Body.String(), first.Body.String())
		other := w.send("partner", "POST", "/catalog/", `{"title":"T","catalog_code":"other"}`, "Idempotency-Key", "k1")
		is.Equal(other.Code, 409)
		is.Equal(object(t, other.Body.String())["code"], "idempotency_key_reused")
	})
}

// What is another business partner's is answered like what does not exist.
func TestAnotherBusinessPartnersThingsAre404(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		s := w.shop("super")
		w.ask(200, "POST", "/deal/", posting("d1", "Created"))
		deal := w.ask(200, "GET", "/deal/d1", "")["id"].(string)
		offer := `{"name":"N","catalog_id":"` + s.catalog + `","is_promocode_allowed":true,"is_active":true,"prices":[{"cost":1,"currency":"USD"}],"reward_percent":5}`
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/catalog/" + s.catalog, ""},
			{"PATCH", "/catalog/" + s.catalog, `{"title":"mine"}`},
			{"PUT", "/catalog/" + s.catalog, `{"title":"mine","catalog_code":"mine"}`},
			{"GET", "/offer/" + s.offer, ""},
			{"PATCH", "/offer/" + s.offer, `{"name":"mine"}`},
			{"PUT", "/offer/" + s.offer, offer},
			{"POST", "/offer/", offer},
			{"POST", "/landing/", `{"url":"http://example.com","catalog_id":"` + s.catalog + `"}`},
			{"PATCH", "/landing/" + s.landing, `{"title":"mine"}`},
			{"PUT", "/landing/" + s.landing, `{"url":"http://example.com","catalog_id":"` + s.catalog + `"}`},
			{"DELETE", "/landing/" + s.landing, ""},
			{"GET", "/deal/d1", ""},
			{"GET", "/deal/" + deal, ""},
			{"PATCH", "/deal/d1", `{"status":"Canceled"}`},
			{"PATCH", "/deal/" + deal, `{"status":"Canceled"}`},
			{"GET", "/promo/check_promo/?code=Promo&catalog_id=" + s.short, ""},
			{"GET", "/promo/check_promo/?code=Promo", ""},
		} {
			theirs := w.send("partner_2", c.method, c.path, c.body)
			if theirs.Code != 404 || object(t, theirs.Body.String())["code"] != "not_found" {
				t.Errorf("%s %s: got %d %s, want 404", c.method, c.path, theirs.Code, theirs.Body)
			}
		}
		is := is.New(t)
		is.Equal(w.ask(200, "GET", "/deal/d1", "")["status"], "Created")
		is.Equal(w.ask(200, "GET", "/catalog/"+s.catalog, "")["title"], "SuperCatalog")
		// The same deal_id and code are free for the other.
		is.Equal(fields(w.askAs("partner_2", 400, "POST", "/deal/", posting("d1", "Paid"))), "catalog_code")
		w.askAs("partner_2", 200, "POST", "/catalog/", `{"title":"T","catalog_code":"super"}`)
	})
}
