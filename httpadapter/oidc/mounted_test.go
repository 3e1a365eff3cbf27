package oidc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/oidc"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// login walks through the provider's authorization code flow as a browser and a
// client would, and returns the id token.
func login(t *testing.T, m *mockoidc.MockOIDC, user *mockoidc.MockUser) string {
	t.Helper()
	is := is.New(t)
	m.QueueUser(user)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	query := url.Values{
		"client_id": {m.ClientID}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"s"}, "nonce": {"n"}, "redirect_uri": {"http://127.0.0.1/callback"},
	}
	response, err := browser.Get(m.AuthorizationEndpoint() + "?" + query.Encode())
	is.NoErr(err)
	is.NoErr(response.Body.Close())
	callback, err := response.Location()
	is.NoErr(err)
	response, err = browser.PostForm(m.TokenEndpoint(), url.Values{
		"client_id": {m.ClientID}, "client_secret": {m.ClientSecret}, "grant_type": {"authorization_code"}, "code": {callback.Query().Get("code")}, "redirect_uri": {"http://127.0.0.1/callback"},
	})
	is.NoErr(err)
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	is.NoErr(json.NewDecoder(response.Body).Decode(&tokens))
	is.NoErr(response.Body.Close())
	return tokens.IDToken
}

func TestPeopleOfAnOpenIDProviderSignUpAndWork(t *testing.T) {
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Shutdown() })
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		core, err := affiliate.NewService(b.Core, affiliate.Options{})
		is.NoErr(err)
		people, err := identity.NewService(core, b.Identity, identity.Options{})
		is.NoErr(err)
		shop, err := links.NewService(b.Links, links.Options{})
		is.NoErr(err)
		verifier, err := oidc.New(t.Context(), oidc.Options{Issuer: m.Issuer(), Audience: m.ClientID, JWKSURL: m.JWKSEndpoint()})
		is.NoErr(err)
		handler, err := httpadapter.New(httpadapter.Services{Core: core, Identity: people, Links: shop}, httpadapter.Options{
			Authenticator: httpadapter.OIDC(verifier, people, httpadapter.TokenAuthenticator(people)),
		})
		is.NoErr(err)
		ask := func(token, method, path, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w
		}
		_, err = people.AddToken(t.Context(), "a token of the operator", identity.AccessToken{Role: affiliate.RoleAdmin, Subject: "operator"})
		is.NoErr(err)

		anna := login(t, m, &mockoidc.MockUser{Subject: "anna", Email: "anna@example.com", EmailVerified: true})
		got := ask(anna, "GET", "/v2/users", "")
		is.Equal(got.Code, 403) // nobody yet
		got = ask(anna, "POST", "/v2/users", `{"social_media":[{"type":"instagram","identifier":"https://instagram.com/Anna"}],"preferred_locale":"sv"}`)
		is.Equal(got.Code, 201)
		var user struct{ ID int64 }
		is.NoErr(json.Unmarshal(got.Body.Bytes(), &user))
		got = ask(anna, "GET", fmt.Sprint("/v2/users/", user.ID), "")
		is.Equal(got.Code, 200) // herself
		got = ask(anna, "POST", "/v2/users", `{}`)
		is.Equal(got.Code, 403) // she is somebody now
		got = ask(anna, "PUT", fmt.Sprint("/v2/users/", user.ID, "/identity"), `{"phone":"+46 1"}`)
		is.Equal(got.Code, 200)

		rep := login(t, m, &mockoidc.MockUser{Subject: "rep", Email: "rep@shop.example", EmailVerified: true})
		got = ask(rep, "POST", "/v2/advertiser-representatives", `{"name":"Shop","domains":[["shop.example"]],"country":"SE","currency":"SEK"}`)
		is.Equal(got.Code, 201)
		var store struct{ ID int64 }
		is.NoErr(json.Unmarshal(got.Body.Bytes(), &store))
		got = ask(rep, "GET", fmt.Sprint("/v2/advertisers/", store.ID, "/url-matching-rules"), "")
		is.Equal(got.Code, 200) // its own
		got = ask(anna, "GET", fmt.Sprint("/v2/advertisers/", store.ID, "/url-matching-rules"), "")
		is.Equal(got.Code, 403)

		_, secret, err := people.Invite(t.Context(), identity.InviteInput{Email: "guest@example.com", AdvertiserID: store.ID})
		is.NoErr(err)
		other := login(t, m, &mockoidc.MockUser{Subject: "other", Email: "other@example.com", EmailVerified: true})
		got = ask(other, "PATCH", "/v2/me/advertiser-invites", "")
		is.Equal(got.Code, 404)
		got = ask(other, "PATCH", "/v2/me/advertiser-invites", `{"secret":"`+secret+`"}`)
		is.Equal(got.Code, 200)
		got = ask(other, "GET", fmt.Sprint("/v2/advertisers/", store.ID, "/url-matching-rules"), "")
		is.Equal(got.Code, 200)

		is.Equal(ask("a token of the operator", "GET", "/v2/users", "").Code, 401) // with spaces it is no bearer token
		is.Equal(ask(anna+"x", "GET", "/v2/users", "").Code, 401)
		is.Equal(ask(strings.Replace(anna, ".", "..", 1), "GET", "/v2/users", "").Code, 401)
	})
}
