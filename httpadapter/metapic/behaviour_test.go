package metapic_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestEmailAddressesAreForWhoMaySeeThem(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		const anna, hidden = `"email":"anna@creators.example"`, `"email":null`
		w.Holds(w.Send("admin", "GET", "/v2/users?query=anna", ""), 200, hidden)
		w.Holds(w.Send("admin", "GET", "/v2/users?query=anna&include[]=email", ""), 200, anna)
		w.Holds(w.Send("advertiser", "GET", "/v2/users?advertiser_id={advertiser acme}&include[]=email", ""), 200, anna)
		w.Holds(w.Send("advertiser", "GET", "/v2/users/{user anna}", ""), 200, anna)
		w.Holds(w.Send("advertiser", "GET", "/v2/advertisers/{advertiser acme}/blocklist?query=carl", ""), 200, `"username":"carl","display_name":"CARL","email":null`)
		w.Holds(w.Send("admin", "GET", "/v2/advertisers/{advertiser acme}/blocklist?query=carl", ""), 200, `"email":"carl@creators.example"`)
		byID, byEmail := "/v2/match-users?user_emails_or_ids[]={user anna}", "/v2/match-users?user_emails_or_ids[]=ANNA@creators.example"
		w.Holds(w.Send("admin", "POST", byID, ""), 200, anna)
		w.Holds(w.Send("client", "POST", byID, ""), 200, anna)
		w.Holds(w.Send("agency", "POST", byID, ""), 200, `"username":"anna"`, hidden)
		w.Holds(w.Send("agency", "POST", byEmail, ""), 200, `"input":"ANNA@creators.example"`, anna)
	})
}

func TestMatchUsers(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		const anna = `{"id":‹user anna›,"username":"anna","display_name":"ANNA","email":"anna@creators.example","client_id":‹client north›,"preferred_locale":"sv-SE"}`
		const all = `{"user_emails_or_ids":[‹user anna›,"‹user anna›","anna@creators.example",‹user bo›,"x","007",-5,99999999]}`
		w.Answers("client", "POST", "/v2/match-users", all, 200,
			`{"matched":[{"input":‹user anna›,"user":`+anna+`},{"input":‹user anna›,"user":`+anna+`},{"input":"anna@creators.example","user":`+anna+`}],"unmatched":[‹user bo›,"x","007",-5,99999999]}`)
		w.Answers("admin", "POST", "/v2/match-users?advertiser_group_id={group de_DE}", all, 200,
			`{"matched":[{"input":‹user bo›,"user":`+strings.NewReplacer("anna", "bo", "ANNA", "BO", "north", "south").Replace(anna)+`}],"unmatched":[‹user anna›,‹user anna›,"anna@creators.example","x","007",-5,99999999]}`)
		got := w.Send("admin", "POST", "/v2/match-users", "user_emails_or_ids[]={}", "Content-Type", "application/x-www-form-urlencoded")
		w.Holds(got, 200, `"unmatched":["{}"]`)
	})
}

func TestApproveAndBan(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		last := int64(0)
		events := func() int {
			list, err := affiliate.Read(t.Context(), w.Backend.Core, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.Event, error) {
				return tx.Events().Scan(ctx, last, 1000)
			})
			is.NoErr(err)
			n := 0
			for _, e := range list {
				if last = e.ID; e.Kind == affiliate.EventUserApproved.Name || e.Kind == affiliate.EventUserBanned.Name {
					n++
				}
			}
			return n
		}
		events()
		w.Answers("client", "POST", "/v2/approve-users", `{"user_ids":[‹user carl›,‹user anna›,‹user bo›,‹user carl›,-1]}`, 200, `{"approved":[‹user carl›],"unchanged":[‹user anna›],"not_found":[-1,‹user bo›]}`)
		is.Equal(events(), 1)
		w.Answers("admin", "POST", "/v2/ban-users", `{"user_ids":"[‹user carl›]"}`, 200, `{"banned":[‹user carl›],"unchanged":[],"not_found":[]}`)
		w.Answers("admin", "POST", "/v2/ban-users", `{"user_ids":["‹user carl›"]}`, 200, `{"banned":[],"unchanged":[‹user carl›],"not_found":[]}`)
		is.Equal(events(), 1)
		w.Answers("admin", "POST", "/v2/approve-users", `{"user_ids":[‹user carl›]}`, 200, `{"approved":[‹user carl›],"unchanged":[],"not_found":[]}`)
	})
}

func TestBlocklistEntries(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		got := w.Send("admin", "GET", "/v2/advertisers/{advertiser acme}/blocklist", "")
		const byNoUser = `"created_at":"2026-03-18 11:42:10","created_by":{"id":null,"username":"The advertiser","display_name":"The advertiser","email":"","client_id":null,"preferred_locale":""}`
		const byAUser = `"created_at":"2026-03-18 11:42:10","created_by":{"id":‹user anna›,"username":"anna","display_name":"ANNA","email":"anna@creators.example","client_id":‹client north›,"preferred_locale":"sv-SE"}`
		w.Holds(got, 200,
			`{"id":‹entry carl›,`+byNoUser+`,"user":{"id":‹user carl›,"username":"carl","display_name":"CARL","email":"carl@creators.example","client_id":‹client north›,"preferred_locale":"sv-SE","validate_clicks":true}}`,
			`{"id":‹entry vip›,`+byNoUser+`,"user_tag":{"id":‹tag vip›,"name":"vip","slug":"vip","access_level":2,"store_id":‹advertiser acme›}}`,
			`{"id":‹entry south›,`+byAUser+`,"client":{"id":‹client south›,"name":"south network","client_id":"public-south","has_own_payment_system":false,"revenue_share":0}}`,
			`"per_page":10`)
		w.Answers("advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"client_ids":[‹client south›]}`, 201, `{"data":[]}`) // it was there
		is.Equal(w.Send("advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry south}", "").Code, 204)
		is.Equal(w.Send("advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/blocklist/{entry south}", "").Code, 404)
		is.Equal(w.Send("creator_2", "POST", "/v3/users/{user bo}/affiliate-links", `{"url":"https://acme.example/"}`).Code, 201)
	})
}

func TestURLRules(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		const at = "/v2/advertisers/{advertiser acme}/url-matching-rules"
		const stamp = `"updated_at":"2026-03-18T11:42:10.000000Z"}`
		w.Answers("advertiser", "GET", at, "", 200, `[{"id":‹main rule acme›,"type":"allow","is_main":true,"url":"acme.example","keyword":null,`+stamp+
			`,{"id":‹rule acme›,"type":"block","is_main":false,"url":"acme.example/private","keyword":"staff",`+stamp+`]`)
		w.Pass(time.Second)
		const later = `"updated_at":"2026-03-18T11:42:11.000000Z"}`
		for _, method := range []string{"PATCH", "PUT"} {
			w.Answers("advertiser", method, at+"/{rule acme}", `{"keyword":null}`, 200, `{"id":‹rule acme›,"type":"block","is_main":false,"url":"acme.example/private","keyword":null,`+later)
		}
		w.Answers("advertiser", "PATCH", at+"/{rule acme}", `{"type":"allow","url":"https://Outlet.acme.example/","is_main":1}`, 200, `{"id":‹rule acme›,"type":"allow","is_main":true,"url":"outlet.acme.example","keyword":null,`+later)
		// The main place has moved, and both rules say when.
		w.Answers("advertiser", "GET", at, "", 200, `[{"id":‹main rule acme›,"type":"allow","is_main":false,"url":"acme.example","keyword":null,`+later+
			`,{"id":‹rule acme›,"type":"allow","is_main":true,"url":"outlet.acme.example","keyword":null,`+later+`]`)
		w.Pass(time.Second)
		w.Holds(w.Send("advertiser", "POST", at, "type=allow&url=third.example&is_main=1", "Content-Type", "application/x-www-form-urlencoded"), 201, `"is_main":true,"url":"third.example","keyword":null`)
		w.Holds(w.Send("advertiser", "GET", at, ""), 200, `"url":"outlet.acme.example","keyword":null,"updated_at":"2026-03-18T11:42:12.000000Z"`)
	})
}

func TestWhoRegistersAStoreActsForIt(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		got := w.Send("agency", "POST", "/v2/stores", `{"name":"New","domains":[["new.example","www.new.example"],"other.example"],"country":" se ","currency":" eur ","categories":"[‹category Food›,‹category Food›]","billing":[]}`)
		is.Equal(got.Code, 201)
		is.Equal(market.Names(t, w.Send("agency", "GET", "/v2/stores?sort_by=id:desc&size=1", ""), "name"), "New")
		is.Equal(market.Names(t, w.Send("advertiser", "GET", "/v2/stores?query=New", ""), "name"), "")
		w.Holds(w.Send("creator", "POST", "/v2/users/{user anna}/inspections/affiliate-link", `{"url":"https://other.example/x"}`), 200, `"convertible":true`, `"name":"New","logo_url":"","currency":"EUR"`)
		is.Equal(w.Send("admin", "POST", "/v2/stores", `{"name":"Newer","domains":["newer.example"],"country":"SE","currency":"SEK"}`).Code, 201)
		is.Equal(market.Names(t, w.Send("agency", "GET", "/v2/stores?query=Newer", ""), "name"), "") // the operator's, not the agency's
	})
}

func TestAnUnverifiedDomainIsMarked(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		const at = "/v2/advertisers/{advertiser acme}/url-matching-rules"
		inspect := func() string {
			return w.Send("creator", "POST", "/v2/users/{user anna}/inspections/affiliate-link", `{"url":"https://corner.test/x"}`).Body.String()
		}
		got := w.Send("admin", "POST", at, `{"type":"allow","url":"ours.test"}`)
		is.Equal(got.Code, 201)
		is.True(!strings.Contains(got.Body.String(), "verif")) // the operator's counts as verified
		got = w.Send("advertiser", "POST", at, `{"type":"allow","url":"corner.test"}`)
		is.Equal(got.Code, 201)
		is.Equal(market.Field(t, got, "unverified"), true)
		is.Equal(market.Field(t, got, "verification.dns_name"), "_affiliatekit.corner.test")
		is.Equal(market.Field(t, got, "verification.file_url"), "https://corner.test/.well-known/affiliatekit-verification.txt")
		is.True(strings.Contains(inspect(), `"unverified":true`))
		_, err := w.Links.ConfirmRule(t.Context(), w.ID["advertiser acme"], int64(market.Field(t, got, "id").(float64)))
		is.NoErr(err)
		is.True(!strings.Contains(inspect(), "unverified"))
		is.True(!strings.Contains(w.Send("advertiser", "GET", at, "").Body.String(), "verif"))
	})
}

func TestConvertingAndInspecting(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		const convert, inspect = "/v3/users/{user anna}/affiliate-links", "/v2/users/{user anna}/inspections/affiliate-link"
		const link = `{"id":‹link anna›,"url":"https://acme.example/shoes?size=38","original_url":"https://acme.example/shoes?size=38","mtpc_url":"https://go.example/c/‹link anna›","user_id":‹user anna›,"country":"SE","provider":"direct","advertiser":{"id":‹advertiser acme›,"name":"acme"}}`
		const acme = `{"id":‹advertiser acme›,"name":"acme","logo_url":"https://acme.example/logo.png","currency":"SEK"}`
		const malls = `[{"id":‹advertiser mall_one›,"name":"mall_one","logo_url":"https://mall.example/logo.png","currency":"SEK"},{"id":‹advertiser mall_two›,"name":"mall_two","logo_url":"https://mall.example/logo.png","currency":"SEK"}]`

		w.Answers("creator", "GET", "/v2/affiliate-links/{link anna}", "", 200, link)
		for _, url := range []string{"https://acme.example/shoes?size=38", "HTTPS://acme.example:443/./shoes?size=38", "https://go.example/c/‹link anna›"} {
			w.Answers("creator", "POST", convert, `{"url":"`+url+`"}`, 200, link)
		}
		w.Answers("creator", "POST", inspect, `{"url":"https://acme.example/shoes?size=38"}`, 200, `{"url":"https://acme.example/shoes?size=38","convertible":true,"reason":null,"existing_affiliate_link":`+link+`,"advertisers":[`+acme+`]}`)
		w.Answers("creator", "POST", inspect, `{"url":"https://mall.example/"}`, 200, `{"url":"https://mall.example/","convertible":true,"reason":null,"existing_affiliate_link":null,"advertisers":`+malls+`}`)
		w.Answers("creator", "POST", convert, `{"url":"https://mall.example/"}`, 422, `{"message":"Several advertisers have this URL: name one.","code":"ambiguous_advertiser","errors":{"advertiser_id":["is required: several advertisers have this URL"]},"advertisers":`+malls+`}`)
		w.Answers("creator", "POST", "/v2/affiliate-links", `{"url":"https://mall.example/"}`, 200, `{"advertisers":`+malls+`}`)
		w.Holds(w.Send("creator", "POST", convert, `{"url":"https://mall.example/","advertiser_id":‹advertiser mall_two›}`), 201, `"advertiser":{"id":‹advertiser mall_two›,"name":"mall_two"}`)
		for url, reason := range map[string]string{
			"ftp://acme.example/": "invalid_url", "https://nobody.example/": "no_advertiser", "https://hidden.example/": "not_visible", "https://go.example/c/‹link bo›": "already_affiliate_link",
		} {
			w.Answers("creator", "POST", inspect, `{"url":"`+url+`"}`, 200, `{"url":"`+url+`","convertible":false,"reason":"`+reason+`","existing_affiliate_link":null,"advertisers":[]}`)
		}
		w.Holds(w.Send("client", "POST", "/v2/users/{user carl}/inspections/affiliate-link", `{"url":"https://nordic.example/"}`), 200, `"reason":"user_not_approved"`)

		// Only who may see a hidden shop can ask to.
		w.Holds(w.Send("creator", "POST", inspect, `{"url":"https://hidden.example/","ignore_advertiser_visibility":true}`), 200, `"reason":"not_visible"`)
		w.Holds(w.Send("client", "POST", inspect, `{"url":"https://hidden.example/","ignore_advertiser_visibility":true}`), 200, `"reason":"not_visible"`)
		w.Holds(w.Send("admin", "POST", inspect, `{"url":"https://hidden.example/","ignore_advertiser_visibility":"1"}`), 200, `"convertible":true`)
		w.Holds(w.Send("admin", "POST", "/v2/users/{user anna}/affiliate-links", `{"url":"https://hidden.example/","advertiser_preview":true,"dry":true}`), 200, `"id":null`)

		before := w.Dump()
		w.Holds(w.Send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/new","dry":true}`), 200, `{"id":null,"url":"https://acme.example/new","original_url":"https://acme.example/new","mtpc_url":null`)
		w.Holds(w.Send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/","dry":true,"advertiser_group_id":‹group de_DE›}`), 422, `"code":"no_advertiser"`)
		is.Equal(w.Dump(), before)
		is.Equal(w.Send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/new"}`).Code, 201)
		is.Equal(w.Send("creator", "POST", "/v2/affiliate-links", `{"url":"https://acme.example/new"}`).Code, 200)
	})
}

func TestTwoConversionsAtOnceGiveOneLink(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		const racers = 8
		answers := make(chan *httptest.ResponseRecorder, racers)
		for range racers {
			go func() {
				answers <- w.Send("creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://acme.example/race"}`)
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
	w := newWorld(t, backends.Memory())
	known := w.Identities()
	admin := known[market.Token("admin")]
	admin.UserID = w.ID["user dora"]
	known[market.Token("admin")] = admin
	w.Handler = w.Adapter(httpadapter.Options{Authenticator: known})
	got := w.Send("admin", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"id":‹user bo›}]}`)
	is.Equal(got.Code, 201)
	w.Holds(got, 201, `"created_by":{"id":‹user dora›,"username":"dora","display_name":"DORA","email":"dora@creators.example","client_id":null,"preferred_locale":"sv-SE"}`)
}

func TestPrincipalsThatAreNobodysSeeNothing(t *testing.T) {
	w := newWorld(t, backends.Memory())
	known := market.Identities{
		market.Token("client"):     {Role: affiliate.RoleClient, Subject: "1"},
		market.Token("creator"):    {Role: affiliate.RoleCreator, Subject: "1"},
		market.Token("advertiser"): {Role: affiliate.RoleRepresentative, Subject: "1"},
		market.Token("agency"):     {Role: affiliate.RoleAgency, Subject: "1"},
		market.Token("creator_2"):  {Role: affiliate.RoleCreator, Subject: "1", UserID: w.ID["user dora"]},
		market.Token("partner"):    {Role: "chief", Subject: "1"},
	}
	w.Handler = w.Adapter(httpadapter.Options{Authenticator: known})
	for _, target := range []string{"/v2/stores", "/v2/advertiser-groups", "/v2/users", "/v2/users/{user anna}", "/v2/clients", "/v2/user-tags", "/v2/affiliate-links/{link anna}"} {
		for _, who := range []string{"client", "creator", "partner"} {
			if got := w.Send(who, "GET", target, ""); got.Code != 403 {
				t.Errorf("%s as %s: got %d %s", target, who, got.Code, got.Body)
			}
		}
	}
	for who, list := range map[string]string{"advertiser": "/v2/stores", "agency": "/v2/advertiser-groups", "creator_2": "/v2/advertiser-groups"} {
		if got := w.Send(who, "GET", list, ""); got.Code != 200 || market.Names(t, got, "id") != "" {
			t.Errorf("%s as %s: got %d %s", list, who, got.Code, got.Body)
		}
	}
	for _, who := range []string{"advertiser", "agency"} { // of no advertiser
		if got := w.Send(who, "GET", "/v2/users/{user anna}", ""); got.Code != 404 {
			t.Errorf("a user as %s: got %d %s", who, got.Code, got.Body)
		}
		if got := market.Names(t, w.Send(who, "GET", "/v2/user-tags", ""), "name"); got != "favourites" {
			t.Errorf("tags as %s: got %q", who, got)
		}
	}
	for _, target := range []string{"/v2/match-users", "/v2/approve-users", "/v2/ban-users"} {
		if got := w.Send("client", "POST", target, `{"user_ids":[‹user anna›],"user_emails_or_ids":[‹user anna›]}`); got.Code != 403 {
			t.Errorf("%s: got %d %s", target, got.Code, got.Body)
		}
	}
	for _, target := range []string{"/v2/users/{user anna}/inspections/affiliate-link", "/v3/users/{user anna}/affiliate-links", "/v2/users/{user anna}/affiliate-links"} {
		if got := w.Send("client", "POST", target, `{"url":"https://acme.example/"}`); got.Code != 404 {
			t.Errorf("%s: got %d %s", target, got.Code, got.Body)
		}
	}
}
