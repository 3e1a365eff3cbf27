package metapic_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
	"github.com/matryer/is"
)

// moreBadCases are those that only the domains know to be bad.
var moreBadCases = []badCase{
	{"blocklist-add: unknown and another's ids", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist",
		`{"users":[{"id":‹user bo›},{"id":999999}],"user_tag_ids":[‹tag norse›,‹tag vip›],"client_ids":[-1,‹client west›]}`, ""},
	{"blocklist-add: twice the same", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"id":‹user bo›},{"id":‹user bo›},{"id":‹user carl›}]}`, ""},
	{"blocklist-add: too many", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"client_ids":[` + strings.Repeat("1,", 1000) + `1]}`, ""},
	{"blocklist-add: too many together", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"client_ids":[` + strings.Repeat("1,", 600) + `1],"user_tag_ids":[` + strings.Repeat("1,", 600) + `1]}`, ""},
	{"blocklist-add: a user without an id", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"validate_clicks":"maybe"},5]}`, ""},
	{"url-matching-rule-add: everything at once", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"sell","url":"com","keyword":"` + strings.Repeat("k", 256) + `","is_main":true}`, ""},
	{"url-matching-rule-add: an address", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"allow","url":"192.0.2.1"}`, ""},
	{"url-matching-rule-add: there already", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"block","url":"https://ACME.example/private/","keyword":"STAFF"}`, ""},
	{"url-matching-rule-update: the main rule steps down", "advertiser", "PATCH", "/v2/advertisers/{advertiser acme}/url-matching-rules/{main rule acme}", `{"is_main":false}`, ""},
	{"url-matching-rule-remove: the main rule", "advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/url-matching-rules/{main rule acme}", "", ""},
	{"self-service-store-create: nothing right", "advertiser", "POST", "/v2/stores", `{"name":"","domains":["com","ok.example",["127.0.0.1"]],"country":"Sweden","currency":"SEKK","categories":[-1],"language":"` + strings.Repeat("l", 36) + `","billing":{"city":"` + strings.Repeat("c", 256) + `"}}`, ""},
	{"self-service-store-create: unknown category", "advertiser", "POST", "/v2/stores", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK","categories":[999999]}`, ""},
	{"self-service-store-create: too many domains", "advertiser", "POST", "/v2/stores", `{"name":"New","domains":[["a.example"` + strings.Repeat(`,"a.example"`, 100) + `]],"country":"SE","currency":"SEK"}`, ""},
	{"user-affiliate-link-convert-v3: several shops", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://mall.example/x"}`, ""},
	{"user-affiliate-link-convert-v3: another shop's", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://mall.example/x","advertiser_id":‹advertiser acme›}`, ""},
	{"user-affiliate-link-convert-v3: a disguised host", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://acme.example@evil.example/"}`, ""},
	{"user-affiliate-link-convert-v3: hidden", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://hidden.example/","ignore_advertiser_visibility":true}`, ""},
	{"user-affiliate-link-convert-v3: closed", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://closed.example/"}`, ""},
	{"user-affiliate-link-convert-v3: blocked by rule", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://acme.example/private/staff"}`, ""},
	{"user-affiliate-link-convert-v3: blocked by client", "creator_2", "POST", "/v3/users/{user bo}/affiliate-links", `{"url":"https://acme.example/"}`, ""},
	{"user-affiliate-link-convert-v3: not approved", "client", "POST", "/v3/users/{user carl}/affiliate-links", `{"url":"https://acme.example/"}`, ""},
	{"user-affiliate-link-convert-v3: another's link", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://go.example/c/‹link bo›"}`, ""},
	{"user-affiliate-link-convert-v3: no web address", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"javascript:alert(1)"}`, ""},
	{"users-match: neither id nor address", "admin", "POST", "/v2/match-users", `{"user_emails_or_ids":[1.5,true,{},""]}`, ""},
	{"users-match: too many", "admin", "POST", "/v2/match-users", `{"user_emails_or_ids":[` + strings.Repeat("1,", 1000) + `1]}`, ""},
	{"users-match: none", "admin", "POST", "/v2/match-users", `{"user_emails_or_ids":[]}`, ""},
	{"users-approve: too many", "admin", "POST", "/v2/approve-users", `{"user_ids":[` + strings.Repeat("1,", 1000) + `1]}`, ""},
	{"users-ban: none", "admin", "POST", "/v2/ban-users", `{"user_ids":[]}`, ""},
	{"users-list: unknown column", "admin", "GET", "/v2/users?sort_by=password:asc", "", ""},
	{"stores-list: unknown direction", "admin", "GET", "/v2/stores?sort_by=name:up", "", ""},
}

// withoutDatabase are the operations that ask no database once it is known who asks.
var withoutDatabase = []string{"notifications-proxy", "image-upload"}

func TestADeadDatabaseIsUnavailable(t *testing.T) {
	w := newWorld(t, backends.Memory())
	known := w.Adapter(httpadapter.Options{Authenticator: w.Identities()})
	before := w.Dump()
	w.Down.Store(true)
	s := suite(t)
	for _, o := range s.Built() {
		r := replays(w)[o.ID]
		for name, handler := range map[string]func() *httptest.ResponseRecorder{
			"before it is known who asks": func() *httptest.ResponseRecorder { return s.SendDocumented(w, o) },
			"after": func() *httptest.ResponseRecorder {
				return w.SendTo(known, r.Who, o.Methods[0], contract.PathIn(w, o, r)+contract.QueryOf(o, r), contract.RequestOf(o, r))
			},
		} {
			got := handler()
			want, body := 503, `{"message":"The service is temporarily unavailable.","code":"unavailable"}`
			if o.ID == "health-get" {
				want, body = 200, `{"status":"up"}`
			}
			if name == "after" && slices.Contains(withoutDatabase, o.ID) {
				continue
			}
			if got.Code != want || got.Body.String() != body {
				t.Errorf("%s, %s: got %d %s, want %d", o.ID, name, got.Code, got.Body, want)
			}
		}
	}
	w.Down.Store(false)
	if w.Dump() != before {
		t.Error("something was changed")
	}
}

func TestACancelledRequestChangesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		handler := w.Adapter(httpadapter.Options{Authenticator: w.Identities()})
		before := w.Dump()
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, o := range suite(t).Built() {
			r := replays(w)[o.ID]
			request := httptest.NewRequestWithContext(cancelled, o.Methods[0], contract.PathIn(w, o, r)+contract.QueryOf(o, r), strings.NewReader(contract.RequestOf(o, r)))
			request.Header.Set("Authorization", market.Token(r.Who))
			request.Header.Set("Content-Type", "application/json")
			got := httptest.NewRecorder()
			handler.ServeHTTP(got, request)
			if o.ID != "health-get" && !slices.Contains(withoutDatabase, o.ID) {
				is.Equal(got.Code, 503) // operation
			}
		}
		is.Equal(w.Dump(), before)
	})
}
