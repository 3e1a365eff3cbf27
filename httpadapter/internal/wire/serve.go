package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// statusClientGone is what the observer is told of a request whose client went
// away; it is nginx's number and is never sent.
const statusClientGone = 499

// ServeHTTP answers a request of the dialect, unknown paths included.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	r, span := BeginSpan(m.opts.Tracer, m.opts.BasePath.Strip(r, m.Owns))
	r, cancel := WithTimeout(r, m.opts.Timeout)
	defer cancel()
	x := &exchange{ResponseWriter: w, mux: m, id: requestID(r)}
	h := w.Header()
	h.Set(requestIDHeader, x.id)
	// What a principal may see is for it alone; a route may say otherwise.
	h.Set("Cache-Control", "no-cache, private")
	h.Set("X-Content-Type-Options", "nosniff")
	allowed := m.opts.CORS.allow(h, r)
	if allowed {
		h.Set("Access-Control-Expose-Headers", corsResponseHeaders)
	}
	defer func() {
		v := recover()
		abort := v != nil && !x.recovered(r, v)
		if m.opts.Observe != nil {
			m.opts.Observe(x.route, x.observed(), time.Since(start))
		}
		EndSpan(span, r, x.path, x.route, x.observed())
		if abort {
			panic(http.ErrAbortHandler) // net/http cuts the connection, silently
		}
	}()
	switch {
	case !textual(r):
		x.send(r, m.encodeProblem(Problem{
			Status: http.StatusBadRequest, Code: "malformed_request",
			Message: "The path is not valid UTF-8 without NUL.", RequestID: x.id,
		}))
	case !routable(r):
		m.notRouted(x, r)
	case m.preflight(x, r, allowed):
	default:
		m.mux.ServeHTTP(x, r)
	}
}

// exchange is the answer under way. It is the http.ResponseWriter that
// handlers get, and remembers whether and what was sent.
type exchange struct {
	http.ResponseWriter
	mux    *Mux
	id     string
	route  string
	path   string // of the route, as the document has it
	status int    // 0 until something was sent
	gone   bool
}

// Unwrap serves http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= 200 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

func (x *exchange) observed() int {
	if x.gone {
		return statusClientGone
	}
	return x.status
}

// send writes the answer. A failed write means that the client has gone.
func (x *exchange) send(r *http.Request, a answer) {
	h := x.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.stream != nil {
		x.stream(r, a)
		return
	}
	if a.body != nil {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	x.WriteHeader(a.status)
	if a.body == nil || r.Method == http.MethodHead {
		return
	}
	if _, err := x.Write(a.body); err != nil {
		x.gone = true
	}
}

func (x *exchange) stream(r *http.Request, a answer) {
	if a.close != nil {
		defer func() {
			if err := a.close(); err != nil {
				x.mux.log.Warn("a stream was not closed", "request_id", x.id, "route", x.route, "error", err)
			}
		}()
	}
	x.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	if err := a.stream(x); err != nil {
		if errors.Is(r.Context().Err(), context.Canceled) {
			x.gone = true
		} else {
			x.mux.log.Error("answer cut short", "request_id", x.id, "route", x.route, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// recovered deals with a panic. It reports false when the connection must be
// cut, because the handler wants it or because half an answer is out.
func (x *exchange) recovered(r *http.Request, v any) bool {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return false
	}
	x.mux.log.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("request_id", x.id), slog.String("route", x.route),
		slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
	if x.status != 0 {
		return false
	}
	p := problem(errors.New("panic"))
	p.RequestID = x.id
	x.send(r, x.mux.encodeProblem(p))
	return true
}

// endpoint serves one route.
type endpoint struct {
	mux   *Mux
	route Route
	plan  *plan
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := w.(*exchange)
	x.route, x.path = e.route.ID, e.route.Path()
	for _, h := range e.route.Op.headers {
		x.Header().Set(h[0], h[1])
	}
	p, owner, err := e.admit(x, r)
	switch {
	case err != nil:
		e.fail(x, r, err)
	case e.route.Op.raw != nil:
		if err := e.route.Op.raw(x, r, p); err != nil {
			e.fail(x, r, err)
		}
	default:
		e.call(x, r, p, owner)
	}
}

// admit decides who it is and whether it may, before the body is looked at.
// The owner stands for the client in rate limits and idempotency keys.
func (e *endpoint) admit(x *exchange, r *http.Request) (p affiliate.Principal, owner string, err error) {
	limit := func(p affiliate.Principal, owner string) error {
		if e.route.Op.unlimited {
			return nil
		}
		return e.mux.opts.RateLimiter.takeSized(x.Header(), p, owner, sizeOf(r, e.mux.opts.BytesPerRequest))
	}
	anonymous := "address:" + e.mux.opts.ClientAddress(r)
	if e.route.Scope.open {
		return p, anonymous, limit(p, anonymous)
	}
	auth := e.route.Op.auth
	if auth == nil {
		auth = e.mux.opts.Authenticator
	}
	credentials := credentialsOf(r)
	if !e.route.Op.unlimited {
		if err := e.mux.opts.RateLimiter.mayLookUp(x.Header(), anonymous, credentials); err != nil {
			return p, "", err
		}
	}
	// Whatever the host lets be stale: a revoked token is refused at once.
	p, err = auth.Authenticate(r.WithContext(affiliate.Fresh(r.Context())))
	if err == nil && p.Role == "" {
		_, err = nobody{}.Authenticate(r)
	}
	if err == nil {
		e.mux.opts.RateLimiter.remember(credentials)
	}
	if errors.Is(err, affiliate.ErrUnauthenticated) {
		if limited := limit(affiliate.Principal{}, anonymous); limited != nil {
			return p, "", limited
		}
	}
	if err != nil {
		return p, "", err
	}
	if err := limit(p, p.Key()); err != nil {
		return p, "", err
	}
	return p, p.Key(), e.route.Scope.Allow(p, r.PathValue(paramName(e.route.Scope.Param)))
}

// call reads, runs and answers.
func (e *endpoint) call(x *exchange, r *http.Request, p affiliate.Principal, owner string) {
	if err := e.mux.negotiate(r); err != nil {
		e.fail(x, r, err)
		return
	}
	req, err := e.mux.load(x, r, &e.route.Op, e.plan)
	defer func() {
		if err := req.close(); err != nil {
			e.mux.log.Warn("temporary files not removed", "request_id", x.id, "error", err)
		}
	}()
	if err != nil {
		e.fail(x, r, err)
		return
	}
	a, err := e.mux.idempotent(x, req, owner, func(req *request) (answer, error) {
		out, err := e.route.Op.run(req.http.Context(), p, e.plan, req)
		if err != nil {
			return answer{}, err
		}
		return e.mux.encode(e.route.Op.status, out)
	})
	if err != nil {
		e.fail(x, r, err)
		return
	}
	x.send(r, a)
}

func (e *endpoint) fail(x *exchange, r *http.Request, err error) {
	a := e.mux.errorAnswer(r.Context(), x, err)
	if x.status == 0 { // a Raw operation may have begun its answer
		x.send(r, a)
	}
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
