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
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/httpadapter/metapic"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestEveryAnswerCarriesARequestID(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	for _, target := range []string{"/v2/health", "/v2/stores", "/v2/nothing", "/", "/c/{link anna}", "/c/0", "/v2/users/x"} {
		for _, who := range []string{"admin", "nobody"} {
			is.Equal(w.Send(who, "GET", target, "", "X-Request-Id", "mine-1").Header().Get("X-Request-Id"), "mine-1")
			is.Equal(len(w.Send(who, "GET", target, "").Header().Get("X-Request-Id")), 36)
			is.Equal(len(w.Send(who, "GET", target, "", "X-Request-Id", "no spaces").Header().Get("X-Request-Id")), 36)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	got := w.Send("nobody", "GET", "/v2/nothing", "")
	is.Equal(got.Code, 404)
	is.Equal(got.Body.String(), `{"message":"Not found.","code":"not_found"}`)
	got = w.Send("nobody", "POST", "/v2/users/1", "")
	is.Equal(got.Code, 405)
	is.Equal(got.Header().Get("Allow"), "GET, HEAD")
	got = w.Send("admin", "POST", "/v2/advertisers/1/url-matching-rules/1", "{}")
	is.Equal(got.Code, 405)
	is.Equal(got.Header().Get("Allow"), "DELETE, PATCH, PUT")
	is.Equal(got.Body.String(), `{"message":"The method POST is not allowed here.","code":"method_not_allowed"}`)
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, backends.Memory())
	market.Must(w.People.AddToken(t.Context(), "a token that is over", identity.AccessToken{Role: affiliate.RoleAdmin, Subject: "old", ExpiresAt: w.Clock()}))(t)
	const unauthenticated = `{"message":"Unauthenticated.","code":"unauthenticated"}`
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"none":              {nil, 401},
		"bare":              {[]string{"Authorization", market.Token("admin")}, 200},
		"bearer":            {[]string{"Authorization", "Bearer " + market.Token("admin")}, 200},
		"api key":           {[]string{"mtpc-api-key", market.Token("admin")}, 200},
		"unknown":           {[]string{"Authorization", "secret-token-of-nobody"}, 401},
		"empty":             {[]string{"Authorization", ""}, 401},
		"another scheme":    {[]string{"Authorization", "Basic " + market.Token("admin")}, 401},
		"bad and a key":     {[]string{"Authorization", "wrong", "mtpc-api-key", market.Token("admin")}, 401},
		"over":              {[]string{"mtpc-api-key", "a token that is over"}, 401},
		"a part of one":     {[]string{"Authorization", market.Token("admin")[:10]}, 401},
		"NUL and not UTF-8": {[]string{"Authorization", "\x00\xff"}, 401},
	} {
		got := w.Send("nobody", "GET", "/v2/store-categories", "", c.headers...)
		if got.Code != c.status || c.status == 401 && got.Body.String() != unauthenticated {
			t.Errorf("%s: got %d %s, want %d", name, got.Code, got.Body, c.status)
		}
	}
}

func TestWithoutAnAuthenticatorNobodyIsLetIn(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	handler := market.Must(httpadapter.New(httpadapter.Services{Core: w.Core, Links: w.Links}, httpadapter.Options{}))(t)
	is.Equal(w.SendTo(handler, "admin", "GET", "/v2/stores", "").Code, 401)
	is.Equal(w.SendTo(handler, "nobody", "GET", "/v2/health", "").Code, 200)
	is.Equal(w.SendTo(handler, "nobody", "GET", "/c/{link anna}", "").Code, 302)
}

func TestWithoutServicesThereIsNothingToServe(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	handler := market.Must(httpadapter.New(httpadapter.Services{}, httpadapter.Options{}))(t)
	is.Equal(w.SendTo(handler, "nobody", "GET", "/v2/health", "").Code, 200)
	is.Equal(w.SendTo(handler, "nobody", "GET", "/v2/stores", "").Code, 404)
	is.Equal(w.SendTo(handler, "nobody", "GET", "/c/1", "").Code, 404)
}

func TestRequestsAreLimited(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	w.Handler = w.Adapter(httpadapter.Options{RequestsPerMinute: 2})
	rate := func(who, target string) (status int, remaining, retry string) {
		got := w.Send(who, "GET", target, "")
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
	w.Pass(30 * time.Second)
	want("admin", "/v2/stores", 200, "0", "")
}

func TestTheDefaultRateIsTheDocumented(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	handler := market.Must(httpadapter.New(httpadapter.Services{Core: w.Core}, httpadapter.Options{}))(t)
	is.Equal(w.SendTo(handler, "nobody", "GET", "/v2/health", "").Header().Get("X-Ratelimit-Limit"), "300")
	is.Equal(w.Send("nobody", "GET", "/v2/health", "").Header().Get("X-Ratelimit-Limit"), "") // negative: off
}

func TestHandlersShareALimiter(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	limiter := market.Must(httpadapter.NewRateLimiter(w.Clock, func(p affiliate.Principal) int {
		if p.Role == affiliate.RoleCreator {
			return 5
		}
		return 1
	}))(t)
	one, two := w.Adapter(httpadapter.Options{RateLimiter: limiter}), w.Adapter(httpadapter.Options{RateLimiter: limiter})
	is.Equal(w.SendTo(one, "admin", "GET", "/v2/stores", "").Code, 200)
	is.Equal(w.SendTo(two, "admin", "GET", "/v2/stores", "").Code, 429)
	is.Equal(w.SendTo(two, "creator", "GET", "/v2/stores", "").Header().Get("X-Ratelimit-Limit"), "5")
}

func TestUnderAPrefix(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	mux := http.NewServeMux()
	mux.Handle("/affiliates/", http.StripPrefix("/affiliates", w.Handler))
	mux.Handle("/own/", http.StripPrefix("/own", market.Must(metapic.New(metapic.Services{Core: w.Core, Links: w.Links}, metapic.Options{Authenticator: httpadapter.TokenAuthenticator(w.People)}))(t)))
	is.Equal(w.SendTo(mux, "nobody", "GET", "/affiliates/v2/health", "").Code, 200)
	is.Equal(w.SendTo(mux, "nobody", "GET", "/affiliates/c/{link anna}", "").Code, 302)
	is.Equal(w.SendTo(mux, "nobody", "GET", "/affiliates/v2/nothing", "").Code, 404)
	is.Equal(w.SendTo(mux, "nobody", "GET", "/own/c/{link anna}", "").Code, 404) // the redirect is not the dialect's
	for _, prefix := range []string{"/affiliates", "/own"} {
		var list struct {
			Links struct{ First, Next string }
			Meta  struct{ Path string }
		}
		got := w.SendTo(mux, "admin", "GET", prefix+"/v2/stores?size=2&query=", "")
		is.NoErr(json.Unmarshal(got.Body.Bytes(), &list))
		is.Equal(list.Links.First, prefix+"/v2/stores?size=2&query=&page=1")
		is.Equal(list.Links.Next, prefix+"/v2/stores?size=2&query=&page=2")
		is.Equal(list.Meta.Path, prefix+"/v2/stores")
	}
}

func TestListsHavePages(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		want := strings.ReplaceAll(`{"data":[{"id":`+w.Path("{advertiser nordic}")+`,"name":"nordic"},{"id":`+w.Path("{advertiser mall_two}")+`,"name":"mall_two"}],
"links":{"first":"/v2/stores?size=2&sort_by=name%3Adesc&page=1","last":"/v2/stores?size=2&sort_by=name%3Adesc&page=3","prev":null,"next":"/v2/stores?size=2&sort_by=name%3Adesc&page=2"},
"meta":{"current_page":1,"from":1,"last_page":3,"links":[{"url":null,"label":"« Previous","page":null,"active":false},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=1","label":"1","page":1,"active":true},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=2","label":"2","page":2,"active":false},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=3","label":"3","page":3,"active":false},
{"url":"/v2/stores?size=2&sort_by=name%3Adesc&page=2","label":"Next »","page":2,"active":false}],"path":"/v2/stores","per_page":2,"to":2,"total":6}}`, "\n", "")
		is.Equal(w.Send("admin", "GET", "/v2/stores?size=2&sort_by=name%3Adesc", "").Body.String(), want)
		past := w.Send("admin", "GET", "/v2/stores?size=2&page=9", "")
		is.Equal(past.Code, 200)
		is.Equal(market.Names(t, past, "name"), "")
		is.True(strings.Contains(past.Body.String(), `"from":null`))
		head := w.Send("admin", "HEAD", "/v2/stores?size=2", "")
		is.Equal(head.Code, 200)
		is.Equal(head.Body.Len(), 0)
	})
}

func TestAnIdempotencyKeyRunsARequestOnce(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		const target, body = "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"allow","url":"more.example"}`
		key := []string{"Idempotency-Key", "order 66 / a"}
		first := w.Send("advertiser", "POST", target, body, key...)
		is.Equal(first.Code, 201)
		after := w.Dump()
		for range 2 {
			again := w.Send("advertiser", "POST", target, body, key...)
			is.Equal(again.Code, 201)
			is.Equal(again.Body.String(), first.Body.String())
			is.Equal(again.Header().Get("Content-Type"), "application/json")
			is.Equal(again.Header().Get("Idempotency-Replayed"), "true")
			w.Pass(11 * time.Hour)
		}
		reused := w.Send("advertiser", "POST", target, `{"type":"allow","url":"other.example"}`, key...)
		is.Equal(reused.Code, 409)
		is.Equal(reused.Body.String(), `{"message":"The idempotency key was used for another request.","code":"idempotency_key_reused"}`)
		is.Equal(w.Send("admin", "POST", target, body, key...).Code, 409) // admin's own key; but the rule is there
		is.Equal(w.Dump(), after)

		refused := w.Send("advertiser", "POST", target, `{"type":"sell"}`, "Idempotency-Key", "b")
		is.Equal(refused.Code, 422)
		is.Equal(w.Send("advertiser", "POST", target, `{"type":"sell"}`, "Idempotency-Key", "b").Body.String(), refused.Body.String())

		w.Pass(24 * time.Hour)
		is.Equal(w.Send("advertiser", "POST", target, body, key...).Code, 409) // forgotten: it runs again, and the rule is there
	})
}

func TestKeysThatAreNone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	for _, key := range []string{"", "é", strings.Repeat("k", 256), "a\x7f"} {
		got := w.Send("admin", "POST", "/v2/ban-users", `{"user_ids":[1]}`, "Idempotency-Key", key)
		is.Equal(got.Code, 422)
		is.True(strings.Contains(got.Body.String(), `"Idempotency-Key":["must be 1 to 255 printable characters"]`))
	}
	is.Equal(w.Send("admin", "POST", "/v2/ban-users", `{"user_ids":[1]}`, "Idempotency-Key", strings.Repeat("k", 255)).Code, 200)
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

func (s waiting) Finish(ctx context.Context, claim httpadapter.IdempotencyRecord, work func(context.Context) (*httpadapter.KeptAnswer, error)) error {
	return s.keys.Finish(ctx, claim, work)
}

func (s waiting) Abandon(ctx context.Context, claim httpadapter.IdempotencyRecord) error {
	return s.keys.Abandon(ctx, claim)
}

func TestAKeyInFlightIsInUse(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		defaults := market.Must(httpadapter.Options{}.WithDefaults(w.Core))(t)
		held := waiting{keys: defaults.Idempotency, claimed: make(chan struct{}), goOn: make(chan struct{}), first: new(atomic.Bool)}
		held.first.Store(true)
		w.Handler = w.Adapter(httpadapter.Options{Idempotency: held})
		const target, body = "/v2/stores", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK"}`
		first := make(chan *httptest.ResponseRecorder)
		go func() { first <- w.Send("agency", "POST", target, body, "Idempotency-Key", "k") }()
		<-held.claimed
		second := w.Send("agency", "POST", target, body, "Idempotency-Key", "k")
		is.Equal(second.Code, 409)
		is.Equal(second.Body.String(), `{"message":"A request with this idempotency key is still running.","code":"idempotency_key_in_use"}`)
		close(held.goOn)
		is.Equal((<-first).Code, 201)
		is.Equal(w.Send("agency", "POST", target, body, "Idempotency-Key", "k").Code, 201)
		is.Equal(market.Names(t, w.Send("agency", "GET", "/v2/stores?query=New", ""), "name"), "New") // once
	})
}

func TestAFailedRequestMayBeSentAgainWithItsKey(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	identities := w.Identities()
	defaults := market.Must(httpadapter.Options{}.WithDefaults(w.Core))(t)
	failing := failOnce{IdempotencyStore: defaults.Idempotency, w: w, once: new(sync.Once)}
	w.Handler = w.Adapter(httpadapter.Options{Authenticator: identities, Idempotency: failing})
	is.Equal(w.Send("client", "POST", "/v2/ban-users", `{"user_ids":[‹user anna›]}`, "Idempotency-Key", "k").Code, 503)
	w.Down.Store(false)
	got := w.Send("client", "POST", "/v2/ban-users", `{"user_ids":[‹user anna›]}`, "Idempotency-Key", "k")
	is.Equal(got.Code, 200)
	is.Equal(got.Header().Get("Idempotency-Replayed"), "")
}

// dying is the store of keys of a process that is killed around the commit of
// the next request's work.
type dying struct {
	httpadapter.IdempotencyStore
	before, after *atomic.Bool
}

func (s dying) Finish(ctx context.Context, claim httpadapter.IdempotencyRecord, work func(context.Context) (*httpadapter.KeptAnswer, error)) error {
	err := s.IdempotencyStore.Finish(ctx, claim, func(ctx context.Context) (*httpadapter.KeptAnswer, error) {
		a, err := work(ctx)
		if err == nil && s.before.Swap(false) {
			panic(http.ErrAbortHandler)
		}
		return a, err
	})
	if err == nil && s.after.Swap(false) {
		panic(http.ErrAbortHandler)
	}
	return err
}

// Abandon does nothing: whoever is dead gives nothing back.
func (dying) Abandon(context.Context, httpadapter.IdempotencyRecord) error { return nil }

func TestAKeyRunsOnceThoughItsProcessIsKilledAroundTheCommit(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		defaults := market.Must(httpadapter.Options{}.WithDefaults(w.Core))(t)
		store := dying{defaults.Idempotency, new(atomic.Bool), new(atomic.Bool)}
		w.Handler = w.Adapter(httpadapter.Options{Idempotency: store})
		const target, body = "/v2/stores", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK"}`
		send := func(key string) *httptest.ResponseRecorder {
			return w.Send("agency", "POST", target, body, "Idempotency-Key", key)
		}
		killed := func(key string) {
			t.Helper()
			defer func() { is.Equal(recover(), http.ErrAbortHandler) }()
			send(key)
		}
		stores := func() string { return market.Names(t, w.Send("agency", "GET", "/v2/stores?query=New", ""), "name") }

		store.before.Store(true)
		killed("k")
		is.Equal(stores(), "")
		is.Equal(send("k").Code, 409) // in use, as far as anybody knows
		w.Pass(2 * time.Minute)
		store.after.Store(true)
		killed("k") // the lease is over and nothing was done: it runs
		is.Equal(stores(), "New")
		w.Pass(2 * time.Minute)
		again := send("k")
		is.Equal(again.Code, 201)
		is.Equal(again.Header().Get("Idempotency-Replayed"), "true")
		is.Equal(stores(), "New")
	})
}

// robbed is a store of keys whose claims another request takes over.
type robbed struct{ httpadapter.IdempotencyStore }

func (s robbed) Finish(ctx context.Context, claim httpadapter.IdempotencyRecord, work func(context.Context) (*httpadapter.KeptAnswer, error)) error {
	claim.Token = "another"
	return s.IdempotencyStore.Finish(ctx, claim, work)
}

func TestWhoHasLostItsClaimChangesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		defaults := market.Must(httpadapter.Options{}.WithDefaults(w.Core))(t)
		w.Handler = w.Adapter(httpadapter.Options{Idempotency: robbed{defaults.Idempotency}})
		got := w.Send("agency", "POST", "/v2/stores", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK"}`, "Idempotency-Key", "k")
		is.Equal(got.Code, 409)
		is.Equal(got.Body.String(), `{"message":"A request with this idempotency key is still running.","code":"idempotency_key_in_use"}`)
		is.Equal(market.Names(t, w.Send("agency", "GET", "/v2/stores?query=New", ""), "name"), "")
	})
}

// failOnce takes the database away after the first claim, and gives it back for
// what the claim needs.
type failOnce struct {
	httpadapter.IdempotencyStore
	w    *market.World
	once *sync.Once
}

func (s failOnce) Begin(ctx context.Context, claim httpadapter.IdempotencyRecord, now time.Time) (*httpadapter.IdempotencyRecord, error) {
	found, err := s.IdempotencyStore.Begin(ctx, claim, now)
	s.once.Do(func() { s.w.Down.Store(true) })
	return found, err
}

func (s failOnce) Abandon(ctx context.Context, claim httpadapter.IdempotencyRecord) error {
	s.w.Down.Store(false)
	return s.IdempotencyStore.Abandon(ctx, claim)
}

func TestKeysOfAPrincipalAreBounded(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		s := services(w)
		s.Core = market.Must(affiliate.NewService(w.Backend.Core, affiliate.Options{Clock: w.Clock, MaxKeys: 2}))(t)
		w.Handler = market.Must(httpadapter.New(s, httpadapter.Options{Authenticator: httpadapter.TokenAuthenticator(w.People), Clock: w.Clock}))(t)
		ban := func(who, key string) *httptest.ResponseRecorder {
			return w.Send(who, "POST", "/v2/ban-users", `{"user_ids":[‹user anna›]}`, "Idempotency-Key", key)
		}
		for _, key := range []string{"a", "b", "b"} {
			is.Equal(ban("admin", key).Code, 200)
		}
		got := ban("admin", "c")
		is.Equal(got.Code, 422)
		is.Equal(market.Field(t, got, "errors.Idempotency-Key.0"), "must not be one of more than 2 that are kept; each is for a day")
		is.Equal(ban("admin", "a").Header().Get("Idempotency-Replayed"), "true")
		is.Equal(ban("client", "c").Code, 200) // each has keys of its own
	})
}

func TestOwnersOfAnyLengthHaveKeys(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	long := market.Identities{}
	for i := range 2 {
		long["long "+strconv.Itoa(i)] = affiliate.Principal{Role: affiliate.RoleAdmin, Subject: strings.Repeat("\x00s", 500) + strconv.Itoa(i)}
	}
	w.Handler = w.Adapter(httpadapter.Options{Authenticator: long})
	for i := range 2 {
		for _, replayed := range []string{"", "true"} {
			got := w.Send("nobody", "POST", "/v2/ban-users", `{"user_ids":[‹user anna›]}`, "Authorization", "long "+strconv.Itoa(i), "Idempotency-Key", "k")
			is.Equal(got.Code, 200)
			is.Equal(got.Header().Get("Idempotency-Replayed"), replayed)
		}
	}
}
