package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// tokens authenticates by the bare or bearer token, which is the role.
type tokens map[string]affiliate.Principal

func (t tokens) Authenticate(r *http.Request) (affiliate.Principal, error) {
	_, token := Credentials(r)
	if p, ok := t[token]; ok {
		return p, nil
	}
	return affiliate.Principal{}, &affiliate.Error{Kind: affiliate.ErrUnauthenticated, Code: "token_expired", Message: "secret reason"}
}

var people = tokens{
	"admin":   {Role: affiliate.RoleAdmin, Subject: "1"},
	"acme":    {Role: affiliate.RoleRepresentative, Subject: "2", AdvertiserIDs: []int64{7}},
	"agency":  {Role: affiliate.RoleAgency, Subject: "3", AdvertiserIDs: []int64{7, 8}},
	"creator": {Role: affiliate.RoleCreator, Subject: "17", UserID: 17},
	"client":  {Role: affiliate.RoleClient, Subject: "4", ClientID: 4},
	"partner": {Role: affiliate.RolePartner, Subject: "5"},
}

// bench is a dialect under test: a mux and what it logged.
type bench struct {
	t   *testing.T
	mux http.Handler
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var sampleDialect = Dialect{Errors: sampleErrors{}, Forms: true, Lenient: true}

func newBench(t *testing.T, d Dialect, o Options, routes ...Route) *bench {
	t.Helper()
	log := &lockedBuffer{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	if o.Authenticator == nil {
		o.Authenticator = people
	}
	mux, err := NewMux(d, o, routes)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, mux: mux, log: log}
}

// do sends a request as admin; headers are name, value pairs.
func (b *bench) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "admin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	return w
}

// want compares status and body.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Fatalf("\n got %d %s\nwant %d %s", w.Code, w.Body, status, body)
	}
}

// echo answers its input.
func echo[In any](_ context.Context, _ affiliate.Principal, in In) (In, error) { return in, nil }

type nothing struct{}

func succeed(context.Context, affiliate.Principal, nothing) (map[string]bool, error) {
	return map[string]bool{"ok": true}, nil
}

func failing(err error) func(context.Context, affiliate.Principal, nothing) (None, error) {
	return func(context.Context, affiliate.Principal, nothing) (None, error) { return None{}, err }
}

const notFoundBody = `{"message":"Not found.","code":"not_found"}`

func TestRouting(t *testing.T) {
	b := newBench(t, sampleDialect, Options{},
		Route{"GET /v2/health", "health", Open(), Call(succeed)},
		Route{"PUT,PATCH /v2/things/{id}", "thing-update", Any(), Call(succeed)},
		Route{"GET /v2/things/{thing}", "thing-get", Any(), Call(succeed)},
		Route{"GET /catalog/", "catalog", Any(), Call(succeed)},
		Route{"GET /catalog/{id}/", "catalog-get", Any(), Call(succeed)},
		Route{"GET,POST /proxy/{path...}", "proxy", Any(), Call(succeed)},
		Route{"GET /ad-accounts/{ad-account-id}/campaigns", "hyphens", Any(), Call(echo[struct {
			ID string `path:"ad-account-id" json:"id"`
		}])},
	)
	ok := `{"ok":true}`
	for _, c := range []struct {
		method, target string
		status         int
		body, allow    string
	}{
		{"GET", "/v2/health", 200, ok, ""},
		{"PUT", "/v2/things/1", 200, ok, ""},
		{"PATCH", "/v2/things/1", 200, ok, ""},
		{"GET", "/v2/things/1", 200, ok, ""},
		{"GET", "/v2/things/a%2Fb", 200, ok, ""},
		{"HEAD", "/v2/health", 200, "", ""},
		{"GET", "/catalog/", 200, ok, ""},
		{"GET", "/catalog", 200, ok, ""},
		{"GET", "/catalog/9/", 200, ok, ""},
		{"GET", "/catalog/9", 200, ok, ""},
		{"GET", "/proxy/a/b", 200, ok, ""},
		{"GET", "/proxy/", 200, ok, ""},
		{"POST", "/proxy", 200, ok, ""},
		{"GET", "/ad-accounts/x-1/campaigns", 200, `{"id":"x-1"}`, ""},
		{"GET", "/", 404, notFoundBody, ""},
		{"GET", "/v2", 404, notFoundBody, ""},
		{"GET", "//v2/health", 404, notFoundBody, ""},
		{"GET", "/v2/./health", 404, notFoundBody, ""},
		{"GET", "/v2/../v2/health", 404, notFoundBody, ""},
		{"GET", "/v2/health/", 404, notFoundBody, ""},
		{"GET", "/catalog/9/x", 404, notFoundBody, ""},
		{"CONNECT", "/v2/nothing", 404, notFoundBody, ""},
		{"POST", "/v2/health", 405, `{"message":"The method POST is not allowed here.","code":"method_not_allowed"}`, "GET, HEAD"},
		{"DELETE", "/v2/things/1", 405, `{"message":"The method DELETE is not allowed here.","code":"method_not_allowed"}`, "GET, HEAD, PATCH, PUT"},
		{"POST", "/catalog", 405, `{"message":"The method POST is not allowed here.","code":"method_not_allowed"}`, "GET, HEAD"},
		{"GET", "/v2/things/%ff", 400, `{"message":"The path is not valid UTF-8 without NUL.","code":"malformed_request"}`, ""},
		{"GET", "/v2/things/%00", 400, `{"message":"The path is not valid UTF-8 without NUL.","code":"malformed_request"}`, ""},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			is := is.New(t)
			w := b.do(c.method, c.target, "")
			want(t, w, c.status, c.body)
			is.Equal(w.Header().Get("Allow"), c.allow)
			is.Equal(w.Header().Get("Content-Type"), "application/json")
			is.Equal(w.Header().Get("Location"), "")
			is.True(w.Header().Get("X-Request-Id") != "")
			is.Equal(w.Header().Get("Cache-Control"), "no-cache, private")
		})
	}
}

func TestTableTakesALocalRouteType(t *testing.T) {
	type route Route
	b := newBench(t, sampleDialect, Options{}, Table([]route{{"GET /a", "a", Any(), Call(succeed)}})...)
	want(t, b.do("GET", "/a", ""), 200, `{"ok":true}`)
}

func TestMatchesTellsWhetherThePathIsOurs(t *testing.T) {
	is := is.New(t)
	mux, err := NewMux(sampleDialect, Options{}, []Route{{"POST /v2/things/{id}", "x", Any(), Call(succeed)}})
	is.NoErr(err)
	is.True(mux.Matches(httptest.NewRequest("GET", "/v2/things/1", nil)))
	is.True(!mux.Matches(httptest.NewRequest("GET", "/v2/other", nil)))
	is.True(!mux.Matches(httptest.NewRequest("POST", "//v2/things/1", nil)))
}

func TestWorksUnderAPrefix(t *testing.T) {
	type in struct {
		URL URL
	}
	b := newBench(t, sampleDialect, Options{}, Route{"GET /v2/here", "here", Any(),
		Call(func(_ context.Context, _ affiliate.Principal, in in) (string, error) { return in.URL.Page(2), nil })})
	b.mux = http.StripPrefix("/api", b.mux)
	want(t, b.do("GET", "/api/v2/here?q=a%26b&page=1&size=5", ""), 200, `"/api/v2/here?q=a%26b&size=5&page=2"`)
	want(t, b.do("GET", "/api/v2/gone", ""), 404, notFoundBody)
}

func TestTablesWithMistakesAreRefused(t *testing.T) {
	op := Call(succeed)
	for name, routes := range map[string][]Route{
		"two equal ids":   {{"GET /a", "x", Any(), op}, {"GET /b", "x", Any(), op}},
		"no id":           {{"GET /a", "", Any(), op}},
		"no scope":        {{"GET /a", "x", Scope{}, op}},
		"no operation":    {{"GET /a", "x", Any(), Op{}}},
		"no method":       {{"/a", "x", Any(), op}},
		"same path twice": {{"GET /a", "x", Any(), op}, {"GET /a", "y", Any(), op}},
		"scope param":     {{"GET /a/{id}", "x", ofAdvertiser("advertiser_id"), op}},
		"path param": {{"GET /a", "x", Any(), Call(echo[struct {
			A int64 `path:"id"`
		}])}},
		"float": {{"GET /a", "x", Any(), Call(echo[struct {
			A float64 `json:"a"`
		}])}},
		"default": {{"GET /a", "x", Any(), Call(echo[struct {
			A int64 `query:"a" default:"x"`
		}])}},
		"default over max": {{"GET /a", "x", Any(), Call(echo[struct {
			A int64 `query:"a" default:"9" max:"8"`
		}])}},
		"meaningless tag": {{"GET /a", "x", Any(), Call(echo[struct {
			A bool `query:"a" max:"8"`
		}])}},
		"max is no number": {{"GET /a", "x", Any(), Call(echo[struct {
			A int64 `query:"a" max:"many"`
		}])}},
		"required is a typo": {{"GET /a", "x", Any(), Call(echo[struct {
			A int64 `query:"a" required:"yes"`
		}])}},
		"unexported": {{"GET /a", "x", Any(), Call(echo[struct {
			a int64 `query:"a"`
		}])}},
		"sort columns": {{"GET /a", "x", Any(), Call(echo[struct {
			A affiliate.Sort `query:"a"`
		}])}},
		"channel": {{"GET /a", "x", Any(), Call(echo[struct {
			A chan int `json:"a"`
		}])}},
		"no struct": {{"GET /a", "x", Any(), Call(echo[int])}},
		"recursive": {{"GET /a", "x", Any(), Call(echo[struct {
			A tree `json:"a"`
		}])}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewMux(sampleDialect, Options{}, routes); err == nil {
				t.Fatal("accepted")
			} else if !strings.Contains(err.Error(), "route") {
				t.Fatalf("does not name the route: %v", err)
			}
		})
	}
	if _, err := NewMux(Dialect{}, Options{}, nil); err == nil {
		t.Fatal("a dialect without errors was accepted")
	}
}

type tree struct {
	Children []tree `json:"children"`
}

func TestAuthenticationAndScopes(t *testing.T) {
	b := newBench(t, sampleDialect, Options{},
		Route{"GET /open", "open", Open(), Call(succeed)},
		Route{"GET /any", "any", Any(), Call(succeed)},
		Route{"GET /admin", "admin", Admin(), Call(succeed)},
		Route{"GET /adv/{advertiser_id}", "adv", ofAdvertiser("advertiser_id"), Call(succeed)},
	)
	for target, statuses := range map[string]map[string]int{
		"/open":    {"": 200, "admin": 200, "wrong": 200},
		"/any":     {"": 401, "wrong": 401, "admin": 200, "acme": 200, "creator": 200, "partner": 200},
		"/admin":   {"": 401, "admin": 200, "acme": 403, "agency": 403, "creator": 403, "client": 403},
		"/adv/7":   {"": 401, "admin": 200, "acme": 200, "agency": 200, "creator": 403, "client": 403, "partner": 403},
		"/adv/8":   {"admin": 200, "acme": 404, "agency": 200, "creator": 403},
		"/adv/abc": {"admin": 404, "acme": 404, "creator": 403},
	} {
		for who, status := range statuses {
			w := b.do("GET", target, "", "Authorization", who)
			if w.Code != status {
				t.Errorf("%s as %q: got %d %s, want %d", target, who, w.Code, w.Body, status)
			}
		}
	}
	want(t, b.do("GET", "/any", "", "Authorization", "Bearer admin"), 200, `{"ok":true}`)
	want(t, b.do("GET", "/any", "", "Authorization", "wrong"), 401, `{"message":"Unauthenticated.","code":"unauthenticated"}`)
	want(t, b.do("GET", "/admin", "", "Authorization", "acme"), 403, `{"message":"This action is not allowed.","code":"forbidden"}`)
	want(t, b.do("GET", "/adv/8", "", "Authorization", "acme"), 404, notFoundBody)
}

func TestNilAuthenticatorRefusesEveryone(t *testing.T) {
	is := is.New(t)
	mux, err := NewMux(sampleDialect, Options{}, []Route{{"GET /any", "any", Any(), Call(succeed)}})
	is.NoErr(err)
	r := httptest.NewRequest("GET", "/any", nil)
	r.Header.Set("Authorization", "admin")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	is.Equal(w.Code, 401)
}

func TestAPrincipalWithoutARoleIsNobody(t *testing.T) {
	b := newBench(t, sampleDialect, Options{Authenticator: tokens{"admin": {}}}, Route{"GET /any", "any", Any(), Call(succeed)})
	want(t, b.do("GET", "/any", ""), 401, `{"message":"Unauthenticated.","code":"unauthenticated"}`)
}

func TestARouteMayHaveItsOwnAuthenticator(t *testing.T) {
	b := newBench(t, sampleDialect, Options{}, Route{"POST /hook", "hook", Any(), Call(succeed).Auth(tokens{"jwt": {Role: affiliate.RoleService}})})
	want(t, b.do("POST", "/hook", "", "Authorization", "Bearer jwt"), 200, `{"ok":true}`)
	want(t, b.do("POST", "/hook", ""), 401, `{"message":"Unauthenticated.","code":"unauthenticated"}`)
}

func TestRightsAreCheckedBeforeTheBody(t *testing.T) {
	b := newBench(t, sampleDialect, Options{}, Route{"POST /adv/{id}", "x", ofAdvertiser("id"), Call(echo[struct {
		Name string `json:"name" required:"true"`
	}])})
	for who, status := range map[string]int{"": 401, "creator": 403, "acme": 404, "agency": 400} {
		if w := b.do("POST", "/adv/8", "{", "Authorization", who); w.Code != status {
			t.Errorf("%q: got %d, want %d", who, w.Code, status)
		}
	}
}

func TestCredentials(t *testing.T) {
	is := is.New(t)
	for header, expected := range map[string][2]string{
		"abc": {"", "abc"}, "Bearer abc": {"bearer", "abc"}, "ApiToken abc": {"apitoken", "abc"},
		"bearer  abc": {"bearer", "abc"}, "": {}, "Bearer ": {"", "Bearer"}, "a b c": {}, strings.Repeat("x", 8193): {},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		scheme, token := Credentials(r)
		is.Equal([2]string{scheme, token}, expected) // header
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Add("Authorization", "a")
	r.Header.Add("Authorization", "b")
	_, token := Credentials(r)
	is.Equal(token, "") // two headers name nobody
	r.Header.Set("X-Key", "k")
	is.Equal(HeaderToken(r, "X-Key"), "k")
}

func TestRequestID(t *testing.T) {
	is := is.New(t)
	b := newBench(t, sampleDialect, Options{}, Route{"GET /a", "a", Any(), Call(func(_ context.Context, _ affiliate.Principal, in struct{ ID RequestID }) (RequestID, error) {
		return in.ID, nil
	})})
	w := b.do("GET", "/a", "", "X-Request-Id", "abc-1")
	is.Equal(w.Header().Get("X-Request-Id"), "abc-1")
	is.Equal(w.Body.String(), `"abc-1"`)
	for _, bad := range []string{"", "with space", strings.Repeat("x", 129), "é", "a\x7f"} {
		id := b.do("GET", "/nowhere", "", "X-Request-Id", bad).Header().Get("X-Request-Id")
		is.Equal(len(id), 36)         // a new one, on errors too
		is.Equal(string(id[14]), "7") // UUID version 7
	}
}

func TestObserverIsToldRouteAndStatus(t *testing.T) {
	is := is.New(t)
	var seen []string
	b := newBench(t, sampleDialect, Options{Observe: func(id string, status int, took time.Duration) {
		is.True(took >= 0)
		seen = append(seen, id+" "+http.StatusText(status))
	}}, Route{"GET /a", "a", Any(), Call(succeed)}, Route{"GET /p", "p", Any(), Call(func(context.Context, affiliate.Principal, nothing) (None, error) { panic("x") })})
	b.do("GET", "/a", "")
	b.do("GET", "/b", "")
	b.do("GET", "/a", "", "Authorization", "wrong")
	b.do("GET", "/p", "")
	is.Equal(seen, []string{"a OK", " Not Found", "a Unauthorized", "p Internal Server Error"})
}

func decodeInto(t *testing.T, w *httptest.ResponseRecorder, v any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
}
