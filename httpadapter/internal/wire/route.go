package wire

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Route is one line of a dialect's table.
type Route struct {
	// Pattern is methods and path as the document has them:
	// "PUT,PATCH /v2/ads/{id}". GET answers HEAD too. A path that ends
	// in / is answered without it as well; a last segment {name...} takes the
	// rest of the path, which may be missing.
	Pattern string
	ID      string // the contract's operation id
	Scope   Scope
	Op      Op
}

// Table takes a dialect's routes of a type of its own,
//
//	type route wire.Route
//
// which is how a table in another package may leave out the field names
// without go vet objecting.
func Table[R ~struct {
	Pattern string
	ID      string
	Scope   Scope
	Op      Op
}](routes []R) []Route {
	table := make([]Route, len(routes))
	for i, r := range routes {
		table[i] = Route(r)
	}
	return table
}

// Methods are the methods of the pattern, in its order.
func (r Route) Methods() []string {
	methods, _, _ := strings.Cut(r.Pattern, " ")
	return strings.Split(methods, ",")
}

// Path is the path of the pattern.
func (r Route) Path() string {
	_, p, _ := strings.Cut(r.Pattern, " ")
	return p
}

// Dialect is what all routes of one document share.
type Dialect struct {
	Errors ErrorEncoder // required
	// ContentType of JSON answers; application/json if empty.
	ContentType string
	// Accepts are the media types that are read as JSON; application/json if
	// empty.
	Accepts []string
	// Forms are bodies that a browser sends: urlencoded with PHP brackets, and
	// multipart.
	Forms bool
	// AuthScheme is what a refused request is told to send; Bearer if empty.
	AuthScheme string
	// NegotiatesMedia makes what is not one of the dialect's media types 406: a
	// body that has another one (which is 415 otherwise), and an Accept header
	// that takes none of them (which is ignored otherwise).
	NegotiatesMedia bool
	// Lenient takes integers as digit strings, booleans as 0, 1 and strings,
	// and lists and objects as JSON text, in JSON bodies too.
	Lenient bool
}

// Options are what the host decides. The zero Options refuse every request to
// a route that is not open, limit nobody and keep no answers.
type Options struct {
	Authenticator Authenticator
	Clock         affiliate.Clock
	Logger        *slog.Logger // nil: slog.Default()
	RateLimiter   *RateLimiter // nil: no limit
	// BytesPerRequest is how many bytes of a body make a request count once more
	// against the rate limit. 0 or less: each request counts once.
	BytesPerRequest int
	Idempotency     IdempotencyStore // nil: Idempotency-Key is ignored
	// Observe is called after each request: the route's id ("" when there was
	// none), the status (499 when the client had gone), and how long it took.
	Observe func(routeID string, status int, took time.Duration)
	// Tracer begins a span for each request; nil: none.
	Tracer affiliate.Tracer
	// ClientAddress tells who sent a request without a principal, for the rate
	// limit. Nil takes the host of RemoteAddr, which behind a reverse proxy is
	// the proxy: a host that has one reads the header that its proxy sets.
	ClientAddress func(*http.Request) string
	// CORS says which web pages may read answers; nil: none.
	CORS *CORS
	// Timeout is how long a request may take, its answer included; 0 or less:
	// for ever. What waits for the backend then fails, and the answer is 503.
	Timeout time.Duration
	// Refusals logs requests that were answered 503; nil: one on Logger.
	Refusals *Refusals
	// BasePath is what clients put in front of the routes' paths.
	BasePath BasePath
}

// Mux serves one dialect. It is safe for concurrent use.
type Mux struct {
	dialect  Dialect
	opts     Options
	log      *slog.Logger
	routes   []Route
	plans    map[string]*plan // by the route's id
	mux      *http.ServeMux
	segments map[string]bool // that paths of routes begin with
	methods  []string        // all that any route has
}

// unmatched is the pattern that stands for no route.
const unmatched = "/"

// NewMux checks and compiles the table. The error names the route.
func NewMux(d Dialect, o Options, routes []Route) (*Mux, error) {
	if d.Errors == nil {
		return nil, errors.New("wire: dialect without an error encoder")
	}
	if d.ContentType == "" {
		d.ContentType = "application/json"
	}
	if d.AuthScheme == "" {
		d.AuthScheme = "Bearer"
	}
	d.Accepts = slices.Clone(d.Accepts)
	if len(d.Accepts) == 0 {
		d.Accepts = []string{"application/json"}
	}
	if o.Authenticator == nil {
		o.Authenticator = nobody{}
	}
	if o.ClientAddress == nil {
		o.ClientAddress = remoteHost
	}
	m := &Mux{dialect: d, opts: o, log: o.Logger, routes: slices.Clone(routes), plans: make(map[string]*plan), mux: http.NewServeMux(), segments: make(map[string]bool)}
	if m.log == nil {
		m.log = slog.Default()
	}
	if m.opts.Refusals == nil {
		m.opts.Refusals = NewRefusals(m.log)
	}
	if err := o.BasePath.Check(); err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for _, r := range m.routes {
		if seen[r.ID] {
			return nil, fmt.Errorf("wire: route %q stands twice", r.ID)
		}
		seen[r.ID] = true
		if err := m.mount(r); err != nil {
			return nil, fmt.Errorf("wire: route %q (%s): %w", r.ID, r.Pattern, err)
		}
	}
	m.mux.HandleFunc(unmatched, m.notRouted)
	return m, nil
}

// Routes is a copy of the table.
func (m *Mux) Routes() []Route { return slices.Clone(m.routes) }

var (
	patternForm = regexp.MustCompile(`^[A-Z]+(,[A-Z]+)* /[^ ]*$`)
	paramForm   = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_-]*)(?:\.\.\.)?\}`)
)

// paramName makes a Go identifier of a documented parameter name, as ServeMux
// asks: {ad-account-id} is {ad_account_id} inside.
func paramName(s string) string { return strings.ReplaceAll(s, "-", "_") }

func (m *Mux) mount(r Route) error {
	switch {
	case r.ID == "":
		return errors.New("no id")
	case r.Scope.Allow == nil:
		return errors.New("no scope")
	case r.Op.run == nil && r.Op.raw == nil:
		return errors.New("no operation")
	case !patternForm.MatchString(r.Pattern):
		return errors.New(`pattern is not "METHOD[,METHOD] /path"`)
	}
	var params []string
	for _, match := range paramForm.FindAllStringSubmatch(r.Path(), -1) {
		params = append(params, match[1])
	}
	if p := r.Scope.Param; p != "" && !slices.Contains(params, p) {
		return fmt.Errorf("scope needs the path parameter %q", p)
	}
	e := &endpoint{mux: m, route: r}
	if r.Op.run != nil {
		p, err := compilePlan(r.Op.in)
		if err != nil {
			return err
		}
		for _, f := range p.fields {
			if f.path != "" && !slices.Contains(params, f.path) {
				return fmt.Errorf("input needs the path parameter %q", f.path)
			}
		}
		e.plan, m.plans[r.ID] = p, p
	}
	m.segments[firstSegment(r.Path())] = true
	for _, method := range r.Methods() {
		if !slices.Contains(m.methods, method) {
			m.methods = append(m.methods, method)
		}
		for _, p := range muxPaths(r.Path()) {
			if err := m.handle(method+" "+p, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// muxPaths are the ServeMux paths of a documented path. None of them makes
// ServeMux redirect.
func muxPaths(documented string) []string {
	p := paramForm.ReplaceAllStringFunc(documented, paramName)
	if strings.HasSuffix(p, "/") {
		paths := []string{p + "{$}"}
		if p != "/" {
			paths = append(paths, strings.TrimSuffix(p, "/"))
		}
		return paths
	}
	paths := []string{p}
	if base := p[:strings.LastIndexByte(p, '/')]; strings.HasSuffix(p, "...}") && base != "" {
		paths = append(paths, base)
	}
	return paths
}

// handle registers a pattern; ServeMux tells of conflicts by panicking.
func (m *Mux) handle(pattern string, h http.Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	m.mux.Handle(pattern, h)
	return nil
}

// Matches reports whether a route has the request's path, whatever its method:
// whether this dialect is the one to answer.
func (m *Mux) Matches(r *http.Request) bool { return len(m.allowed(r)) > 0 }

// allowed are the methods that the path knows.
func (m *Mux) allowed(r *http.Request) []string {
	if !routable(r) {
		return nil
	}
	var allowed []string
	for _, method := range m.methods {
		probe := *r
		probe.Method = method
		if _, pattern := m.mux.Handler(&probe); pattern != unmatched {
			allowed = append(allowed, method)
		}
	}
	if slices.Contains(allowed, http.MethodGet) && !slices.Contains(allowed, http.MethodHead) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	return allowed
}

// routable keeps from ServeMux what it would answer itself, in plain text: a
// redirect to the cleaned path. Such a path is simply not there.
func routable(r *http.Request) bool {
	p := r.URL.EscapedPath()
	if r.RequestURI == "*" || p == "" || p[0] != '/' {
		return false
	}
	clean := path.Clean(p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return clean == p
}

// notRouted answers for paths and methods that the table has not.
func (m *Mux) notRouted(w http.ResponseWriter, r *http.Request) {
	x := w.(*exchange)
	allowed := m.allowed(r)
	if len(allowed) == 0 {
		x.send(r, m.encodeProblem(Problem{
			Status: http.StatusNotFound, Code: "not_found", Message: "Not found.", RequestID: x.id,
		}))
		return
	}
	a := m.encodeProblem(Problem{
		Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
		Message: "The method " + methodName(r.Method) + " is not allowed here.", RequestID: x.id,
	})
	a.setHeader("Allow", strings.Join(allowed, ", "))
	x.send(r, a)
}

// methodName keeps an error short, whatever was sent as the method.
func methodName(s string) string {
	if len(s) > 16 {
		return s[:16] + "…"
	}
	return s
}

// textual reports whether the path is text at all: valid UTF-8 without NUL.
func textual(r *http.Request) bool {
	return utf8.ValidString(r.URL.Path) && strings.IndexByte(r.URL.Path, 0) < 0
}
