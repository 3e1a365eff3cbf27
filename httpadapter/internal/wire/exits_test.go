package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestErrorsBecomeAnswers(t *testing.T) {
	cause := errors.New("secret cause")
	for name, c := range map[string]struct {
		err    error
		status int
		body   string
	}{
		"invalid": {affiliate.Invalid("x", affiliate.FieldError{Field: "b", Message: "is bad"}, affiliate.FieldError{Field: "a.0", Message: "is worse"}, affiliate.FieldError{Field: "b", Message: "is long"}), 422,
			`{"message":"The given data was invalid.","code":"validation_failed","errors":{"a.0":["is worse"],"b":["is bad","is long"]}}`},
		"invalid without fields": {&affiliate.Error{Kind: affiliate.ErrInvalid, Code: "ambiguous_advertiser", Message: "Several <match> & more."}, 422,
			`{"message":"Several <match> & more.","code":"ambiguous_advertiser"}`},
		"not found":             {affiliate.NotFound("link", 7), 404, notFoundBody},
		"wrapped":               {fmt.Errorf("get: %w", affiliate.NotFound("link", 7)), 404, notFoundBody},
		"bare kind":             {fmt.Errorf("get: %w", affiliate.ErrNotFound), 404, notFoundBody},
		"conflict":              {affiliate.Conflict("order", "order_differs", "Another order has this number."), 409, `{"message":"Another order has this number.","code":"order_differs"}`},
		"state":                 {&affiliate.Error{Kind: affiliate.ErrState, Code: "illegal_transition"}, 409, `{"message":"This is not possible in the present state.","code":"illegal_transition"}`},
		"forbidden":             {affiliate.Forbidden(""), 403, `{"message":"This action is not allowed.","code":"forbidden"}`},
		"unauthenticated":       {&affiliate.Error{Kind: affiliate.ErrUnauthenticated, Code: "expired", Message: "Token expired."}, 401, `{"message":"Unauthenticated.","code":"unauthenticated"}`},
		"unavailable":           {affiliate.Unavailable(cause), 503, `{"message":"The service is temporarily unavailable.","code":"unavailable"}`},
		"cause of another kind": {affiliate.Unavailable(affiliate.NotFound("x", 1)), 503, `{"message":"The service is temporarily unavailable.","code":"unavailable"}`},
		"deadline":              {fmt.Errorf("db: %w", context.DeadlineExceeded), 503, `{"message":"The service is temporarily unavailable.","code":"unavailable"}`},
		"gone":                  {&StatusError{Status: 410, Code: "removed", Message: "It is gone."}, 410, `{"message":"It is gone.","code":"removed"}`},
		"unknown":               {cause, 500, `{"message":"Something went wrong on our side.","code":"internal_error"}`},
		"kindless":              {&affiliate.Error{Message: "secret"}, 500, `{"message":"Something went wrong on our side.","code":"internal_error"}`},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b := newBench(t, sampleDialect, Options{}, Route{"GET /x", "the-route", Any(), Call(failing(c.err))})
			w := b.do("GET", "/x", "", "X-Request-Id", "rid-1")
			want(t, w, c.status, c.body)
			logged := 0
			if c.status == 500 || c.status == 503 {
				logged = 1
			}
			is.Equal(strings.Count(b.log.String(), "\n"), logged)
			is.Equal(strings.Count(b.log.String(), "request_id=rid-1"), logged)
			is.Equal(strings.Count(b.log.String(), "route=the-route"), logged)
			is.Equal(w.Header().Get("WWW-Authenticate") != "", c.status == 401)
		})
	}
}

// shareErrors is a dialect with statuses of its own.
type shareErrors struct{}

func (shareErrors) EncodeError(p Problem) (int, any) {
	if p.Status == 422 {
		fields := map[string][]string{}
		for _, f := range p.Fields {
			fields[f.Field] = append(fields[f.Field], f.Message)
		}
		return 400, fields
	}
	return p.Status, map[string]string{"detail": p.Message, "code": p.Code, "id": p.RequestID}
}

func TestADialectHasItsOwnErrors(t *testing.T) {
	b := newBench(t, Dialect{Errors: shareErrors{}}, Options{}, Route{"GET /x", "x", Any(), Call(failing(affiliate.Invalid("x", affiliate.FieldError{Field: "a", Message: "is bad"})))})
	want(t, b.do("GET", "/x", ""), 400, `{"a":["is bad"]}`)
	want(t, b.do("GET", "/y", "", "X-Request-Id", "r"), 404, `{"code":"not_found","detail":"Not found.","id":"r"}`)
	want(t, b.do("PUT", "/x", "", "X-Request-Id", "r"), 405, `{"code":"method_not_allowed","detail":"The method PUT is not allowed here.","id":"r"}`)
}

func TestAnswers(t *testing.T) {
	is := is.New(t)
	type in = nothing
	b := newBench(t, sampleDialect, Options{},
		Route{"POST /created", "1", Any(), Call(succeed).Status(201)},
		Route{"GET /none", "2", Any(), Call(failing(nil))},
		Route{"GET /none200", "3", Any(), Call(failing(nil)).Status(200)},
		Route{"GET /either", "4", Any(), Call(func(context.Context, affiliate.Principal, in) (Reply[string], error) {
			return Reply[string]{Status: 202, Header: http.Header{"X-A": {"b"}}, Body: "a&b<c>"}, nil
		}).Status(201).Deprecated()},
		Route{"GET /redirect", "5", Open(), Call(func(context.Context, affiliate.Principal, in) (Reply[None], error) {
			return Reply[None]{Status: 302, Header: http.Header{"Location": {"https://a.example/"}}}, nil
		})},
		Route{"GET /file", "6", Any(), Call(func(context.Context, affiliate.Principal, in) (any, error) {
			return Stream{ContentType: "text/csv", Write: func(w io.Writer) error {
				_, err := io.WriteString(w, "a,b\n")
				return err
			}}, nil
		})},
		Route{"GET /raw", "7", Any(), Raw(func(w http.ResponseWriter, r *http.Request, p affiliate.Principal) error {
			_, err := io.WriteString(w, p.Key())
			return err
		})},
		Route{"GET /rawerror", "8", Any(), Raw(func(http.ResponseWriter, *http.Request, affiliate.Principal) error {
			return affiliate.NotFound("x", 1)
		}).Header("X-Old", "1")},
		Route{"GET /unencodable", "9", Any(), Call(func(context.Context, affiliate.Principal, in) (any, error) {
			return func() {}, nil
		})},
	)
	want(t, b.do("POST", "/created", ""), 201, `{"ok":true}`)
	w := b.do("GET", "/none", "")
	want(t, w, 204, "")
	is.Equal(w.Header().Get("Content-Type"), "")
	want(t, b.do("GET", "/none200", ""), 200, "")
	w = b.do("GET", "/either", "")
	want(t, w, 202, `"a&b<c>"`)
	is.Equal(w.Header().Get("X-A"), "b")
	is.Equal(w.Header().Get("Deprecation"), "true")
	w = b.do("GET", "/redirect", "")
	want(t, w, 302, "")
	is.Equal(w.Header().Get("Location"), "https://a.example/")
	w = b.do("GET", "/file", "")
	want(t, w, 200, "a,b\n")
	is.Equal(w.Header().Get("Content-Type"), "text/csv")
	want(t, b.do("HEAD", "/file", ""), 200, "")
	want(t, b.do("GET", "/raw", ""), 200, "admin:1")
	w = b.do("GET", "/rawerror", "")
	want(t, w, 404, notFoundBody)
	is.Equal(w.Header().Get("X-Old"), "1")
	want(t, b.do("GET", "/unencodable", ""), 500, `{"message":"Something went wrong on our side.","code":"internal_error"}`)
}

func TestPanicsAreAnsweredAndLoggedOnce(t *testing.T) {
	is := is.New(t)
	b := newBench(t, sampleDialect, Options{},
		Route{"GET /x", "x", Any(), Call(func(context.Context, affiliate.Principal, nothing) (None, error) { panic("boom") })},
		Route{"GET /half", "half", Any(), Raw(func(w http.ResponseWriter, _ *http.Request, _ affiliate.Principal) error {
			io.WriteString(w, "half")
			panic("boom")
		})},
		Route{"GET /abort", "abort", Any(), Raw(func(http.ResponseWriter, *http.Request, affiliate.Principal) error {
			panic(http.ErrAbortHandler)
		})},
		Route{"GET /stream", "stream", Any(), Call(func(context.Context, affiliate.Principal, nothing) (Stream, error) {
			return Stream{Write: func(w io.Writer) error {
				io.WriteString(w, "half")
				return errors.New("disk")
			}}, nil
		})},
	)
	want(t, b.do("GET", "/x", ""), 500, `{"message":"Something went wrong on our side.","code":"internal_error"}`)
	is.Equal(strings.Count(b.log.String(), "boom"), 1)
	is.True(strings.Contains(b.log.String(), "exits_test.go")) // the stack
	aborts := func(target string) (aborted bool) {
		defer func() { aborted = recover() == http.ErrAbortHandler }()
		b.do("GET", target, "")
		return false
	}
	is.True(aborts("/half"))
	is.Equal(strings.Count(b.log.String(), "boom"), 2)
	is.True(aborts("/stream"))
	before := b.log.String()
	is.True(aborts("/abort"))
	is.Equal(b.log.String(), before) // asked for, so not logged
}

func TestOverARealConnection(t *testing.T) {
	is := is.New(t)
	b := newBench(t, sampleDialect, Options{Authenticator: nil},
		Route{"GET /ok", "ok", Open(), Call(succeed)},
		Route{"GET /panic", "panic", Open(), Call(func(context.Context, affiliate.Principal, nothing) (None, error) { panic("boom") })},
		Route{"GET /stream", "stream", Open(), Call(func(context.Context, affiliate.Principal, nothing) (Stream, error) {
			return Stream{Write: func(w io.Writer) error {
				io.WriteString(w, "half")
				return errors.New("disk")
			}}, nil
		})})
	server := httptest.NewServer(b.mux)
	defer server.Close()
	head, err := http.Head(server.URL + "/ok")
	is.NoErr(err)
	head.Body.Close()
	is.Equal(head.StatusCode, 200)
	is.Equal(head.ContentLength, int64(len(`{"ok":true}`)))
	for target, status := range map[string]int{"/panic": 500, "/ok": 200, "/%2e%2e/ok": 404, "//ok": 404} {
		answer, err := http.Get(server.URL + target)
		is.NoErr(err)
		answer.Body.Close()
		is.Equal(answer.StatusCode, status) // target
	}
	answer, err := http.Get(server.URL + "/stream")
	if err == nil {
		_, err = io.ReadAll(answer.Body)
		answer.Body.Close()
	}
	is.True(err != nil) // half an answer is not taken for a whole one
}

func TestACancelledRequestIsNobodysFailure(t *testing.T) {
	is := is.New(t)
	status := 0
	b := newBench(t, sampleDialect, Options{Observe: func(_ string, s int, _ time.Duration) { status = s }},
		Route{"GET /x", "x", Any(), Call(func(ctx context.Context, _ affiliate.Principal, _ nothing) (None, error) {
			return None{}, fmt.Errorf("db: %w", ctx.Err())
		})})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := httptest.NewRequest("GET", "/x", nil).WithContext(ctx)
	r.Header.Set("Authorization", "admin")
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	is.Equal(b.log.String(), "")
	is.Equal(status, 499)
	is.Equal(w.Code, 503)
}
