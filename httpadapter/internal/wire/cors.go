package wire

import (
	"net/http"
	"slices"
	"strings"
)

// CORS says which web pages may read answers. Browsers never send credentials
// of their own along: a page has to have a token.
type CORS struct {
	// Origins are the allowed ones, such as https://app.example; "*" allows
	// every one. None: pages of other origins are not let in at all.
	Origins []string
}

// AnyOrigin is what the documents show: every page may read.
func AnyOrigin() *CORS { return &CORS{Origins: []string{"*"}} }

const (
	corsRequestHeaders  = "Authorization, Content-Type, Idempotency-Key, X-Request-Id"
	corsResponseHeaders = "Idempotency-Replayed, Retry-After, X-Ratelimit-Limit, X-Ratelimit-Remaining, X-Request-Id"
	corsMaxAge          = "600" // seconds that a browser may remember a preflight
)

// allow sets the header that lets the request's origin read the answer, and
// reports whether it may.
func (c *CORS) allow(h http.Header, r *http.Request) bool {
	switch {
	case c == nil || len(c.Origins) == 0:
		return false
	case slices.Contains(c.Origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
		return true
	}
	h.Add("Vary", "Origin") // a cache must not give one origin's answer to another
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(c.Origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	return true
}

// isPreflight reports whether a browser asks what it may send.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight answers a browser's question about a path: the methods that the
// path has, whoever asks. It reports false when there is nothing to tell.
func (m *Mux) preflight(x *exchange, r *http.Request, allowed bool) bool {
	if !allowed || !isPreflight(r) {
		return false
	}
	methods := m.allowed(r)
	if len(methods) == 0 {
		return false
	}
	h := x.Header()
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", corsRequestHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	h.Add("Vary", "Access-Control-Request-Method")
	x.send(r, answer{status: http.StatusNoContent})
	return true
}
