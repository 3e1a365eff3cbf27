package wire

import (
	"net/http"
	"testing"

	"github.com/matryer/is"
)

func TestWebPagesMayRead(t *testing.T) {
	const app, other = "https://app.example", "https://other.example"
	for name, c := range map[string]struct {
		cors   *CORS
		origin string
		want   string // of Access-Control-Allow-Origin
	}{
		"every origin":             {AnyOrigin(), app, "*"},
		"no origin was sent":       {AnyOrigin(), "", "*"},
		"a listed origin":          {&CORS{Origins: []string{app}}, app, app},
		"another origin":           {&CORS{Origins: []string{app}}, other, ""},
		"an origin that begins so": {&CORS{Origins: []string{app}}, app + ".evil.example", ""},
		"turned off":               {&CORS{}, app, ""},
		"not set":                  {nil, app, ""},
	} {
		is := is.New(t)
		b := newBench(t, sampleDialect, Options{CORS: c.cors},
			Route{"GET /any/{id}", "get", Any(), Call(succeed)}, Route{"PUT,PATCH /any/{id}", "put", Any(), Call(succeed)})
		for target, status := range map[string]int{"/any/1": 200, "/none": 404, "/any": 404} {
			w := b.do("GET", target, "", "Origin", c.origin)
			is.Equal(w.Code, status)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != c.want {
				t.Errorf("%s, %s: got %q, want %q", name, target, got, c.want) // errors too
			}
			is.Equal(w.Header().Get("Access-Control-Allow-Credentials"), "")
		}
		w := b.do("OPTIONS", "/any/1", "", "Authorization", "", "Origin", c.origin, "Access-Control-Request-Method", "PUT") // browsers send no token with it
		if c.want == "" || c.origin == "" {
			is.Equal(w.Code, http.StatusMethodNotAllowed) // not a preflight that is allowed
			continue
		}
		is.Equal(w.Code, http.StatusNoContent)
		is.Equal(w.Header().Get("Access-Control-Allow-Methods"), "GET, HEAD, PATCH, PUT")
		is.Equal(w.Header().Get("Access-Control-Allow-Headers"), "Authorization, Content-Type, Idempotency-Key, X-Request-Id")
		is.Equal(b.do("OPTIONS", "/none", "", "Origin", c.origin, "Access-Control-Request-Method", "PUT").Code, 404)
		is.Equal(b.do("OPTIONS", "/any/1", "", "Origin", c.origin).Code, 405) // asks nothing
	}
}
