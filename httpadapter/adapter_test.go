package httpadapter_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/metapic"
)

func TestEveryAnswerCarriesARequestID(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	for _, target := range []string{"/v2/health", "/v2/stores", "/v2/nothing", "/", "/c/{link anna}", "/c/0", "/v2/users/x"} {
		for _, who := range []string{"admin", "nobody"} {
			is.Equal(w.send(who, "GET", target, "", "X-Request-Id", "mine-1").Header().Get("X-Request-Id"), "mine-1")
			is.Equal(len(w.send(who, "GET", target, "").Header().Get("X-Request-Id")), 36)
			is.Equal(len(w.send(who, "GET", target, "", "X-Request-Id", "no spaces").Header().Get("X-Request-Id")), 36)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	got := w.send("nobody", "GET", "/v2/nothing", "")
	is.Equal(got.Code, 404)
	is.Equal(got.Body.String(), `{"message":"Not found.","code":"not_found"}`)
	got = w.send("nobody", "POST", "/v2/users/1", "")
	is.Equal(got.Code, 405)
	is.Equal(got.Header().Get("Allow"), "GET, HEAD")
	got = w.send("admin", "POST", "/v2/advertisers/1/url-matching-rules/1", "{}")
	is.Equal(got.Code, 405)
	is.Equal(got.Header().Get("Allow"), "DELETE, PATCH, PUT")
	is.Equal(got.Body.String(), `{"message":"The method POST is not allowed here.","code":"method_not_allowed"}`)
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, inMemory())
	must(w.core.AddToken(t.Context(), "a token that is over", affiliate.AccessToken{Role: affiliate.RoleAdmin, Subject: "old", ExpiresAt: w.clock()}))(t)
	const unauthenticated = `{"message":"Unauthenticated.","code":"unauthenticated"}`
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"none":              {nil, 401},
		"bare":              {[]string{"Authorization", token("admin")}, 200},
		"bearer":            {[]string{"Authorization", "Bearer " + token("admin")}, 200},
		"api key":           {[]string{"mtpc-api-key", token("admin")}, 200},
		"unknown":           {[]string{"Authorization", "secret-token-of-nobody"}, 401},
		"empty":             {[]string{"Authorization", ""}, 401},
		"another scheme":    {[]string{"Authorization", "Basic " + token("admin")}, 401},
		"bad and a key":     {[]string{"Authorization", "wrong", "mtpc-api-key", token("admin")}, 401},
		"over":              {[]string{"mtpc-api-key", "a token that is over"}, 401},
		"a part of one":     {[]string{"Authorization", token("admin")[:10]}, 401},
		"NUL and not UTF-8": {[]string{"Authorization", "\x00\xff"}, 401},
	} {
		got := w.send("nobody", "GET", "/v2/store-categories", "", c.headers...)
		if got.Code != c.status || c.status == 401 && got.Body.String() != unauthenticated {
			t.Errorf("%s: got %d %s, want %d", name, got.Code, got.Body, c.status)
		}
	}
}

func TestWithoutAnAuthenticatorNobodyIsLetIn(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	handler := must(httpadapter.New(httpadapter.Services{Core: w.core, Links: w.links}, httpadapter.Options{}))(t)
	is.Equal(w.sendTo(handler, "admin", "GET", "/v2/stores", "").Code, 401)
	is.Equal(w.sendTo(handler, "nobody", "GET", "/v2/health", "").Code, 200)
	is.Equal(w.sendTo(handler, "nobody", "GET", "/c/{link anna}", "").Code, 302)
}

func TestWithoutServicesThereIsNothingToServe(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	handler := must(httpadapter.New(httpadapter.Services{}, httpadapter.Options{}))(t)
	is.Equal(w.sendTo(handler, "nobody", "GET", "/v2/health", "").Code, 200)
	is.Equal(w.sendTo(handler, "nobody", "GET", "/v2/stores", "").Code, 404)
	is.Equal(w.sendTo(handler, "nobody", "GET", "/c/1", "").Code, 404)
}

func TestRequestsAreLimited(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	w.handler = w.adapter(httpadapter.Options{RequestsPerMinute: 2})
	rate := func(who, target string) (status int, remaining, retry string) {
		got := w.send(who, "GET", target, "")
		is.Equal(got.Header().Get("X-Ratelimit-Limit"), "2")
		return got.Code, got.Header().Get("X-Ratelimit-Remaining"), got.Header().Get("Retry-After")
	}
	want := func(who, target string, status int, remaining, retry string) {
		t.Helper()
		gotStatus, gotRemaining, gotRetry := rate(who, target)
		if gotStatus != status || gotRemaining != remaining || gotRetry != retry {
			t.Fatalf("%s as %s: got %d %q %q, want %d %q %q", target, who, gotStatus, gotRemaining, gotRetry, status, remaining, retry)
		}
	}
	want("admin", "/v2/stores", 200, "1", "")
	want("admin", "/v2/users/x", 404, "0", "")
	want("admin", "/v2/stores", 429, "0", "30")
	want("creator", "/v2/stores", 200, "1", "") // each principal has its own
	want("nobody", "/v2/health", 200, "1", "")  // an address has too
	want("nobody", "/v2/stores", 401, "0", "")
	want("nobody", "/v2/health", 429, "0", "30")
	w.pass(30 * time.Second)
	want("admin", "/v2/stores", 200, "0", "")
}

func TestTheDefaultRateIsTheDocumented(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	handler := must(httpadapter.New(httpadapter.Services{Core: w.core}, httpadapter.Options{}))(t)
	is.Equal(w.sendTo(handler, "nobody", "GET", "/v2/health", "").Header().Get("X-Ratelimit-Limit"), "300")
	is.Equal(w.send("nobody", "GET", "/v2/health", "").Header().Get("X-Ratelimit-Limit"), "") // negative: off
}

func TestHandlersShareALimiter(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	limiter := must(httpadapter.NewRateLimiter(w.clock, func(p affiliate.Principal) int {
		if p.Role == affiliate.RoleCreator {
			return 5
		}
		return 1
	}))(t)
	one, two := w.adapter(httpadapter.Options{RateLimiter: limiter}), w.adapter(httpadapter.Options{RateLimiter: limiter})
	is.Equal(w.sendTo(one, "admin", "GET", "/v2/stores", "").Code, 200)
	is.Equal(w.sendTo(two, "admin", "GET", "/v2/stores", "").Code, 429)
	is.Equal(w.sendTo(two, "creator", "GET", "/v2/stores", "").Header().Get("X-Ratelimit-Limit"), "5")
}

func TestUnderAPrefix(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	mux := http.NewServeMux()
	mux.Handle("/affiliates/", http.StripPrefix("/affiliates", w.handler))
	mux.Handle("/own/", http.StripPrefix("/own", must(metapic.New(metapic.Services{Core: w.core, Links: w.links}, metapic.Options{Authenticator: httpadapter.TokenAuthenticator(w.core)}))(t)))
	is.Equal(w.sendTo(mux, "nobody", "GET", "/affiliates/v2/health", "").Code, 200)
	is.Equal(w.sendTo(mux, "nobody", "GET", "/affiliates/c/{link anna}", "").Code, 302)
	is.Equal(w.sendTo(mux, "nobody", "GET", "/affiliates/v2/nothing", "").Code, 404)
	is.Equal(w.sendTo(mux, "nobody", "GET", "/own/c/{link anna}", "").Code, 404) // the redirect is not the dialect's
	for _, prefix := range []string{"/affiliates", "/own"} {
		var list struct {
			Links struct{ First, Next string }
			Meta  struct{ Path string }
		}
		got := w.sendTo(mux, "admin", "GET", prefix+"/v2/stores?size=2&query=", "")
		is.NoErr(json.Unmarshal(got.Body.Bytes(), &list))
		is.Equal(list.Links.First, prefix+"/v2/stores?size=2&query=&page=1")
		is.Equal(list.Links.Next, prefix+"/v2/stores?size=2&query=&page=2")
		is.Equal(list.Meta.Path, prefix+"/v2/stores")
	}
}

func TestListsHavePages(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		want := strings.ReplaceAll(`{"data":[{"id":`+w.path("{advertiser nordic}")+`,"name":"nordic"},{"id":`+w.path("{advertiser mall_two}")+`,"name":"mall_two"}],
"links":{"first":"/v2/stores?size=2&sort_by=name%3Adesc&page=1","last":"/v2/stores?size=2&sort_by=name%3Adesc&page=3","prev":null,"next":"/v2/stores?size=2&sort_by=name%3Adesc&page=2"},
"meta":{"current_page":1,"from":1,"last_page":3,"links":[{"url":null,"label":"« Previous","page":null,"active":false},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=1","label":"1","page":1,"active":true},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=2","label":"2","page":2,"active":false},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=3","label":"3","page":3,"active":false},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=2","label":"Next »","page":2,"active":false}],"path":"/v2/stores","per_page":2,"to":2,"total":6}}`, "\n", "")
		is.Equal(w.send("admin", "GET", "/v2/stores?size=2&sort_by=name%3Adesc", "").Body.String(), want)
		past := w.send("admin", "GET", "/v2/stores?size=2&page=9", "")
		is.Equal(past.Code, 200)
		is.Equal(names(t, past, "name"), "")
		is.True(strings.Contains(past.Body.String(), `"from":null`))
		head := w.send("admin", "HEAD", "/v2/stores?size=2", "")
		is.Equal(head.Code, 200)
		is.Equal(head.Body.Len(), 0)
	})
}

func TestAnIdempotencyKeyRunsARequestOnce(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		const target, body = "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"allow","url":"more.example"}`
		key := []string{"Idempotency-Key", "order 66 / a"}
		first := w.send("advertiser", "POST", target, body, key...)
		is.Equal(first.Code, 201)
		after := w.dump()
		for range 2 {
			again := w.send("advertiser", "POST", target, body, key...)
			is.Equal(again.Code, 201)
			is.Equal(again.Body.String(), first.Body.String())
			is.Equal(again.Header().Get("Content-Type"), "application/json")
			is.Equal(again.Header().Get("Idempotency-Replayed"), "true")
			w.pass(11 * time.Hour)
		}
		reused := w.send("advertiser", "POST", target, `{"type":"allow","url":"other.example"}`, key...)
		is.Equal(reused.Code, 409)
		is.Equal(reused.Body.String(), `{"message":"The idempotency key was used for another request.","code":"idempotency_key_reused"}`)
		is.Equal(w.send("admin", "POST", target, body, key...).Code, 409) // admin's own key; but the rule is there
		is.Equal(w.dump(), after)

		refused := w.send("advertiser", "POST", target, `{"type":"sell"}`, "Idempotency-Key", "b")
		is.Equal(refused.Code, 422)
		is.Equal(w.send("advertiser", "POST", target, `{"type":"sell"}`, "Idempotency-Key", "b").Body.String(), refused.Body.String())

		w.pass(24 * time.Hour)
		is.Equal(w.send("advertiser", "POST", target, body, key...).Code, 409) // forgotten: it runs again, and the rule is there
	})
}

func TestKeysThatAreNone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	for _, key := range []string{"", "é", strings.Repeat("k", 256), "a\x7f"} {
		got := w.send("admin", "POST", "/v2/ban-users", `{"user_ids":[1]}`, "Idempotency-Key", key)
		is.Equal(got.Code, 422)
		is.True(strings.Contains(got.Body.String(), `"Idempotency-Key":["must be 1 to 255 printable characters"]`))
	}
	is.Equal(w.send("admin", "POST", "/v2/ban-users", `{"user_ids":[1]}`, "Idempotency-Key", strings.Repeat("k", 255)).Code, 200)
}

// waiting is a store of keys that holds the first request after its claim, so that
// another one comes while it runs.
type waiting struct {
	keys    httpadapter.IdempotencyStore
	claimed chan struct{}
	goOn    chan struct{}
	first   *atomic.Bool
}

func (s waiting) Begin(ctx context.Context, claim httpadapter.IdempotencyRecord, now time.Time) (*httpadapter.IdempotencyRecord, error) {
	found, err := s.keys.Begin(ctx, claim, now)
	if s.first.Swap(false) {
		close(s.claimed)
		<-s.goOn
	}
	return found, err
}

func (s waiting) Finish(ctx context.Context, done httpadapter.IdempotencyRecord) error {
	return s.keys.Finish(ctx, done)
}

func (s waiting) Abandon(ctx context.Context, claim httpadapter.IdempotencyRecord) error {
	return s.keys.Abandon(ctx, claim)
}

func TestAKeyInFlightIsInUse(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		defaults := must(httpadapter.Options{}.WithDefaults(w.core))(t)
		held := waiting{keys: defaults.Idempotency, claimed: make(chan struct{}), goOn: make(chan struct{}), first: new(atomic.Bool)}
		held.first.Store(true)
		w.handler = w.adapter(httpadapter.Options{Idempotency: held})
		const target, body = "/v2/stores", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK"}`
		first := make(chan *httptest.ResponseRecorder)
		go func() { first <- w.send("agency", "POST", target, body, "Idempotency-Key", "k") }()
		<-held.claimed
		second := w.send("agency", "POST", target, body, "Idempotency-Key", "k")
		is.Equal(second.Code, 409)
		is.Equal(second.Body.String(), `{"message":"A request with this idempotency key is still running.","code":"idempotency_key_in_use"}`)
		close(held.goOn)
		is.Equal((<-first).Code, 201)
		is.Equal(w.send("agency", "POST", target, body, "Idempotency-Key", "k").Code, 201)
		is.Equal(names(t, w.send("agency", "GET", "/v2/stores?query=New", ""), "name"), "New") // once
	})
}

func TestAFailedRequestMayBeSentAgainWithItsKey(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	identities := w.identities()
	defaults := must(httpadapter.Options{}.WithDefaults(w.core))(t)
	failing := failOnce{IdempotencyStore: defaults.Idempotency, w: w, once: new(sync.Once)}
	w.handler = w.adapter(httpadapter.Options{Authenticator: identities, Idempotency: failing})
	is.Equal(w.send("client", "POST", "/v2/ban-users", `{"user_ids":[‹user anna›]}`, "Idempotency-Key", "k").Code, 503)
	w.down.Store(false)
	got := w.send("client", "POST", "/v2/ban-users", `{"user_ids":[‹user anna›]}`, "Idempotency-Key", "k")
	is.Equal(got.Code, 200)
	is.Equal(got.Header().Get("Idempotency-Replayed"), "")
}

// failOnce takes the database away after the first claim, and gives it back for
// what the claim needs.
type failOnce struct {
	httpadapter.IdempotencyStore
	w    *world
	once *sync.Once
}

func (s failOnce) Begin(ctx context.Context, claim httpadapter.IdempotencyRecord, now time.Time) (*httpadapter.IdempotencyRecord, error) {
	found, err := s.IdempotencyStore.Begin(ctx, claim, now)
	s.once.Do(func() { s.w.down.Store(true) })
	return found, err
}

func (s failOnce) Abandon(ctx context.Context, claim httpadapter.IdempotencyRecord) error {
	s.w.down.Store(false)
	return s.IdempotencyStore.Abandon(ctx, claim)
}

// identities are the world's principals, known without asking the database.
type identities map[string]affiliate.Principal

func (i identities) Authenticate(r *http.Request) (affiliate.Principal, error) {
	p, ok := i[r.Header.Get("Authorization")]
	if !ok {
		return p, &affiliate.Error{Kind: affiliate.ErrUnauthenticated}
	}
	return p, nil
}

func (w *world) identities() identities {
	w.t.Helper()
	known := identities{}
	for _, who := range principals[1:] {
		known[token(who)] = must(w.core.Authenticate(w.t.Context(), token(who)))(w.t)
	}
	return known
}

func TestOwnersOfAnyLengthHaveKeys(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, inMemory())
	long := identities{}
	for i := range 2 {
		long["long "+strconv.Itoa(i)] = affiliate.Principal{Role: affiliate.RoleAdmin, Subject: strings.Repeat("\x00s", 500) + strconv.Itoa(i)}
	}
	w.handler = w.adapter(httpadapter.Options{Authenticator: long})
	for i := range 2 {
		for _, replayed := range []string{"", "true"} {
			got := w.send("nobody", "POST", "/v2/ban-users", `{"user_ids":[‹user anna›]}`, "Authorization", "long "+strconv.Itoa(i), "Idempotency-Key", "k")
			is.Equal(got.Code, 200)
			is.Equal(got.Header().Get("Idempotency-Replayed"), replayed)
		}
	}
}
