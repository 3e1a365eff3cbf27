package httpadapter_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
)

// answers sends a request and compares status and body, in which ids of the
// world are filled in.
func (w *world) answers(who, method, target, body string, status int, want string) {
	w.t.Helper()
	got := w.send(who, method, target, body)
	if got.Code != status || got.Body.String() != w.body(want) {
		w.t.Errorf("%s %s as %s:\n got %d %s\nwant %d %s", method, target, who, got.Code, got.Body, status, w.body(want))
	}
}

// holds sends a request and looks for parts of the answer.
func (w *world) holds(got *httptest.ResponseRecorder, status int, parts ...string) {
	w.t.Helper()
	for _, part := range parts {
		if got.Code != status || !strings.Contains(got.Body.String(), w.body(part)) {
			w.t.Errorf("got %d %s, want %d with %s", got.Code, got.Body, status, w.body(part))
		}
	}
}

func TestEmailAddressesAreForWhoMaySeeThem(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		const anna, hidden = `"email":"anna@creators.example"`, `"email":null`
		w.holds(w.send("admin", "GET", "/v2/users?query=anna", ""), 200, hidden)
		w.holds(w.send("admin", "GET", "/v2/users?query=anna&include[]=email", ""), 200, anna)
		w.holds(w.send("advertiser", "GET", "/v2/users?advertiser_id={advertiser acme}&include[]=email", ""), 200, anna)
		w.holds(w.send("advertiser", "GET", "/v2/users/{user anna}", ""), 200, anna)
		w.holds(w.send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/blocklist?query=carl", ""), 200, `"username":"carl","display_name":"CARL","email":null`)
		w.holds(w.send("admin", "GET", "/v2/advertisers/{advertiser acme}/blocklist?query=carl", ""), 200, `"email":"carl@creators.example"`)
		byID, byEmail := "/v2/match-users?user_emails_or_ids[]={user anna}", "/v2/match-users?user_emails_or_ids[]=ANNA@creators.example"
		w.holds(w.send("admin", "POST", byID, ""), 200, anna)
		w.holds(w.send("client", "POST", byID, ""), 200, anna)
		w.holds(w.send("agency", "POST", byID, ""), 200, `"username":"anna"`, hidden)
		w.holds(w.send("agency", "POST", byEmail, ""), 200, `"input":"ANNA@creators.example"`, anna)
	})
}

func TestMatchUsers(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		const anna = `{"id":‹user anna›,"username":"anna","display_name":"ANNA","email":"anna@creators.example","client_id":‹client north›,"preferred_locale":"sv-SE"}`
		const all = `{"user_emails_or_ids":[‹user anna›,"‹user anna›","anna@creators.example",‹user bo›,"x","007",-5,99999999]}`
		w.answers("client", "POST", "/v2/match-users", all, 200,
			`{"matched":[{"input":‹user anna›,"user":`+anna+`},{"input":‹user anna›,"user":`+anna+`},{"input":"anna@creators.example","user":`+anna+`}],"unmatched":[‹user bo›,"x","007",-5,99999999]}`)
		w.answers("admin", "POST", "/v2/match-users?advertiser_group_id={group de_DE}", all, 200,
			`{"matched":[{"input":‹user bo›,"user":`+strings.NewReplacer("anna", "bo", "ANNA", "BO", "north", "south").Replace(anna)+`}],"unmatched":[‹user anna›,‹user anna›,"anna@creators.example","x","007",-5,99999999]}`)
		got := w.send("admin", "POST", "/v2/match-users", "user_emails_or_ids[]={}", "Content-Type", "application/x-www-form-urlencoded")
		w.holds(got, 200, `"unmatched":["{}"]`)
	})
}

func TestApproveAndBan(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		events := func() int {
			n := 0
			for {
				delivered, err := w.core.DeliverEvents(t.Context(), 100, func(context.Context, []affiliate.Event) error { return nil })
				is.NoErr(err)
				if n += delivered; delivered == 0 {
					return n
				}
			}
		}
		events()
		w.answers("client", "POST", "/v2/approve-users", `{"user_ids":[‹user carl›,‹user anna›,‹user bo›,‹user carl›,-1]}`, 200, `{"approved":[‹user carl›],"unchanged":[‹user anna›],"not_found":[-1,‹user bo›]}`)
		is.Equal(events(), 1)
		w.answers("admin", "POST", "/v2/ban-users", `{"user_ids":"[‹user carl›]"}`, 200, `{"banned":[‹user carl›],"unchanged":[],"not_found":[]}`)
		w.answers("admin", "POST", "/v2/ban-users", `{"user_ids":["‹user carl›"]}`, 200, `{"banned":[],"unchanged":[‹user carl›],"not_found":[]}`)
		is.Equal(events(), 1)
		w.answers("admin", "POST", "/v2/approve-users", `{"user_ids":[‹user carl›]}`, 200, `{"approved":[‹user carl›],"unchanged":[],"not_found":[]}`)
	})
}

func TestBlocklistEntries(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		got := w.send("admin", "GET", "/v2/advertisers/{advertiser acme}/blocklist", "")
		const author = `"created_at":"2026-03-18 11:42:10","created_by":{"id":0,"username":"The advertiser","display_name":"The advertiser","email":"","client_id":0,"preferred_locale":""}`
		w.holds(got, 200,
			`{"id":‹entry carl›,`+author+`,"user":{"id":‹user carl›,"username":"carl","display_name":"CARL","email":"carl@creators.example","client_id":‹client north›,"preferred_locale":"sv-SE","validate_clicks":true}}`,
			`{"id":‹entry vip›,`+author+`,"user_tag":{"id":‹tag vip›,"name":"vip","slug":"vip","access_level":2,"store_id":‹advertiser acme›}}`,
			`{"id":‹entry south›,`+author+`,"client":{"id":‹client south›,"name":"south network","client_id":"public-south","has_own_payment_system":false,"revenue_share":0}}`,
			`"per_page":10`)
		w.answers("advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"client_ids":[‹client south›]}`, 201, `{"data":[]}`) // it was there
		is.Equal(w.send("advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry south}", "").Code, 204)
		is.Equal(w.send("advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry south}", "").Code, 404)
		is.Equal(w.send("creator_2", "POST", "/v3/users/{user bo}/affiliate-links", `{"url":"https://acme.example/"}`).Code, 201)
	})
}

func TestURLRules(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		const at = "/v2/advertisers/{advertiser acme}/url-matching-rules"
		const stamp = `"updated_at":"2026-03-18T11:42:10.000000Z"}`
		w.answers("advertiser", "GET", at, "", 200, `[{"id":‹main rule acme›,"type":"allow","is_main":true,"url":"acme.example","keyword":null,`+stamp+
			`,{"id":‹rule acme›,"type":"block","is_main":false,"url":"acme.example/private","keyword":"staff",`+stamp+`]`)
		w.pass(time.Second)
		const later = `"updated_at":"2026-03-18T11:42:11.000000Z"}`
		for _, method := range []string{"PATCH", "PUT"} {
			w.answers("advertiser", method, at+"/{rule acme}", `{"keyword":null}`, 200, `{"id":‹rule acme›,"type":"block","is_main":false,"url":"acme.example/private","keyword":null,`+later)
		}
		w.answers("advertiser", "PATCH", at+"/{rule acme}", `{"type":"allow","url":"https://Outlet.acme.example/","is_main":1}`, 200, `{"id":‹rule acme›,"type":"allow","is_main":true,"url":"outlet.acme.example","keyword":null,`+later)
		// The main place has moved, and both rules say when.
		w.answers("advertiser", "GET", at, "", 200, `[{"id":‹main rule acme›,"type":"allow","is_main":false,"url":"acme.example","keyword":null,`+later+
			`,{"id":‹rule acme›,"type":"allow","is_main":true,"url":"outlet.acme.example","keyword":null,`+later+`]`)
		w.pass(time.Second)
		w.holds(w.send("advertiser", "POST", at, "type=allow&url=third.example&is_main=1", "Content-Type", "application/x-www-form-urlencoded"), 201, `"is_main":true,"url":"third.example","keyword":null`)
		w.holds(w.send("advertiser", "GET", at, ""), 200, `"url":"outlet.acme.example","keyword":null,"updated_at":"2026-03-18T11:42:12.000000Z"`)
	})
}

func TestWhoRegistersAStoreActsForIt(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		got := w.send("agency", "POST", "/v2/stores", `{"name":"New","domains":[["new.example","www.new.example"],"other.example"],"country":" se ","currency":" eur ","categories":"[‹category Food›,‹category Food›]","billing":[]}`)
		is.Equal(got.Code, 201)
		is.Equal(names(t, w.send("agency", "GET", "/v2/stores?sort_by=id:desc&size=1", ""), "name"), "New")
		is.Equal(names(t, w.send("advertiser", "GET", "/v2/stores?query=New", ""), "name"), "")
		w.holds(w.send("creator", "POST", "/v2/users/{user anna}/inspections/affiliate-link", `{"url":"https://other.example/x"}`), 200, `"convertible":true`, `"name":"New","logo_url":"","currency":"EUR"`)
		is.Equal(w.send("admin", "POST", "/v2/stores", `{"name":"Newer","domains":["newer.example"],"country":"SE","currency":"SEK"}`).Code, 201)
		is.Equal(names(t, w.send("agency", "GET", "/v2/stores?query=Newer", ""), "name"), "") // the operator's, not the agency's
	})
}

func TestConvertingAndInspecting(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		const convert, inspect = "/v3/users/{user anna}/affiliate-links", "/v2/users/{user anna}/inspections/affiliate-link"
		const link = `{"id":‹link anna›,"url":"https://acme.example/shoes?size=38","original_url":"https://acme.example/shoes?size=38","mtpc_url":"https://go.example/c/‹link anna›","user_id":‹user anna›,"country":"SE","provider":"direct","advertiser":{"id":‹advertiser acme›,"name":"acme"}}`
		const acme = `{"id":‹advertiser acme›,"name":"acme","logo_url":"https://acme.example/logo.png","currency":"SEK"}`
		const malls = `[{"id":‹advertiser mall_one›,"name":"mall_one","logo_url":"https://mall.example/logo.png","currency":"SEK"},{"id":‹advertiser mall_two›,"name":"mall_two","logo_url":"https://mall.example/logo.png","currency":"SEK"}]`

		w.answers("creator", "GET", "/v2/affiliate-links/{link anna}", "", 200, link)
		for _, url := range []string{"https://acme.example/shoes?size=38", "HTTPS://acme.example:443/./shoes?size=38", "https://go.example/c/‹link anna›"} {
			w.answers("creator", "POST", convert, `{"url":"`+url+`"}`, 200, link)
		}
		w.answers("creator", "POST", inspect, `{"url":"https://acme.example/shoes?size=38"}`, 200, `{"url":"https://acme.example/shoes?size=38","convertible":true,"reason":null,"existing_affiliate_link":`+link+`,"advertisers":[`+acme+`]}`)
		w.answers("creator", "POST", inspect, `{"url":"https://mall.example/"}`, 200, `{"url":"https://mall.example/","convertible":true,"reason":null,"existing_affiliate_link":null,"advertisers":`+malls+`}`)
		w.answers("creator", "POST", convert, `{"url":"https://mall.example/"}`, 422, `{"message":"Several advertisers have this URL: name one.","code":"ambiguous_advertiser","errors":{"advertiser_id":["is required: several advertisers have this URL"]},"advertisers":`+malls+`}`)
		w.answers("creator", "POST", "/v2/affiliate-links", `{"url":"https://mall.example/"}`, 200, `{"advertisers":`+malls+`}`)
		w.holds(w.send("creator", "POST", convert, `{"url":"https://mall.example/","advertiser_id":‹advertiser mall_two›}`), 201, `"advertiser":{"id":‹advertiser mall_two›,"name":"mall_two"}`)
		for url, reason := range map[string]string{
			"ftp://acme.example/": "invalid_url", "https://nobody.example/": "no_advertiser", "https://hidden.example/": "not_visible", "https://go.example/c/‹link bo›": "already_affiliate_link",
		} {
			w.answers("creator", "POST", inspect, `{"url":"`+url+`"}`, 200, `{"url":"`+url+`","convertible":false,"reason":"`+reason+`","existing_affiliate_link":null,"advertisers":[]}`)
		}
		w.holds(w.send("client", "POST", "/v2/users/{user carl}/inspections/affiliate-link", `{"url":"https://nordic.example/"}`), 200, `"reason":"user_not_approved"`)

		// Only who may see a hidden shop can ask to.
		w.holds(w.send("creator", "POST", inspect, `{"url":"https://hidden.example/","ignore_advertiser_visibility":true}`), 200, `"reason":"not_visible"`)
		w.holds(w.send("client", "POST", inspect, `{"url":"https://hidden.example/","ignore_advertiser_visibility":true}`), 200, `"reason":"not_visible"`)
		w.holds(w.send("admin", "POST", inspect, `{"url":"https://hidden.example/","ignore_advertiser_visibility":"1"}`), 200, `"convertible":true`)
		w.holds(w.send("admin", "POST", "/v2/users/{user anna}/affiliate-links", `{"url":"https://hidden.example/","advertiser_preview":true,"dry":true}`), 200, `"id":null`)

		before := w.dump()
		w.holds(w.send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/new","dry":true}`), 200, `{"id":null,"url":"https://acme.example/new","original_url":"https://acme.example/new","mtpc_url":null`)
		w.holds(w.send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/","dry":true,"advertiser_group_id":‹group de_DE›}`), 422, `"code":"no_advertiser"`)
		is.Equal(w.dump(), before)
		is.Equal(w.send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/new"}`).Code, 201)
		is.Equal(w.send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/new"}`).Code, 200)
	})
}

func TestTwoConversionsAtOnceGiveOneLink(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		const racers = 8
		answers := make(chan *httptest.ResponseRecorder, racers)
		for range racers {
			go func() {
				answers <- w.send("creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://acme.example/race"}`)
			}()
		}
		statuses, bodies := map[int]int{}, map[string]bool{}
		for range racers {
			got := <-answers
			statuses[got.Code]++
			bodies[got.Body.String()] = true
		}
		if statuses[201] != 1 || statuses[200] != racers-1 || len(bodies) != 1 {
			t.Errorf("statuses %v, answers %v", statuses, bodies)
		}
	})
}

func TestAnAuthorWithAnAccountIsShownAsTheUser(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	known := w.identities()
	admin := known[token("admin")]
	admin.UserID = w.id["user dora"]
	known[token("admin")] = admin
	w.handler = w.adapter(httpadapter.Options{Authenticator: known})
	got := w.send("admin", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"id":‹user bo›}]}`)
	is.Equal(got.Code, 201)
	w.holds(got, 201, `"created_by":{"id":‹user dora›,"username":"dora","display_name":"DORA","email":"dora@creators.example","client_id":0,"preferred_locale":"sv-SE"}`)
}

func TestPrincipalsThatAreNobodysSeeNothing(t *testing.T) {
	w := newWorld(t, inMemory())
	known := identities{
		token("client"):     {Role: affiliate.RoleClient, Subject: "1"},
		token("creator"):    {Role: affiliate.RoleCreator, Subject: "1"},
		token("advertiser"): {Role: affiliate.RoleRepresentative, Subject: "1"},
		token("agency"):     {Role: affiliate.RoleAgency, Subject: "1"},
		token("creator_2"):  {Role: affiliate.RoleCreator, Subject: "1", UserID: w.id["user dora"]},
		token("partner"):    {Role: "chief", Subject: "1"},
	}
	w.handler = w.adapter(httpadapter.Options{Authenticator: known})
	for _, target := range []string{"/v2/stores", "/v2/advertiser-groups", "/v2/users", "/v2/users/{user anna}", "/v2/clients", "/v2/user-tags", "/v2/affiliate-links/{link anna}"} {
		for _, who := range []string{"client", "creator", "partner"} {
			if got := w.send(who, "GET", target, ""); got.Code != 403 {
				t.Errorf("%s as %s: got %d %s", target, who, got.Code, got.Body)
			}
		}
	}
	for who, list := range map[string]string{"advertiser": "/v2/stores", "agency": "/v2/advertiser-groups", "creator_2": "/v2/advertiser-groups"} {
		if got := w.send(who, "GET", list, ""); got.Code != 200 || names(t, got, "id") != "" {
			t.Errorf("%s as %s: got %d %s", list, who, got.Code, got.Body)
		}
	}
	for _, who := range []string{"advertiser", "agency"} { // of no advertiser
		if got := w.send(who, "GET", "/v2/users/{user anna}", ""); got.Code != 404 {
			t.Errorf("a user as %s: got %d %s", who, got.Code, got.Body)
		}
		if got := names(t, w.send(who, "GET", "/v2/user-tags", ""), "name"); got != "favourites" {
			t.Errorf("tags as %s: got %q", who, got)
		}
	}
	for _, target := range []string{"/v2/match-users", "/v2/approve-users", "/v2/ban-users"} {
		if got := w.send("client", "POST", target, `{"user_ids":[‹user anna›],"user_emails_or_ids":[‹user anna›]}`); got.Code != 403 {
			t.Errorf("%s: got %d %s", target, got.Code, got.Body)
		}
	}
	for _, target := range []string{"/v2/users/{user anna}/inspections/affiliate-link", "/v3/users/{user anna}/affiliate-links", "/v2/users/{user anna}/affiliate-links"} {
		if got := w.send("client", "POST", target, `{"url":"https://acme.example/"}`); got.Code != 404 {
			t.Errorf("%s: got %d %s", target, got.Code, got.Body)
		}
	}
}
