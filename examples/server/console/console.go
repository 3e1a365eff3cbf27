package console

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// PageSize is how many rows of a list a page has.
const PageSize = 25

// Prefix is where all pages but the first are.
const Prefix = "/console"

// Options sets up a console. The zero Options work.
type Options struct {
	Clock affiliate.Clock // what is today; default: affiliate.SystemClock
	// OpenOnLoopback lets in, without a token, who connects from this machine to
	// a loopback address or to localhost. The name is looked at because a page of
	// another site can have a name of its own lead to 127.0.0.1.
	OpenOnLoopback bool
	Timeout        time.Duration // of one page; default: 30 seconds
	Logger         *slog.Logger  // hears of errors that are nobody's fault outside; default: slog.Default()
}

// Console is an http.Handler for "/" and everything below Prefix. It is safe for
// concurrent use.
type Console struct {
	kit   *affiliatekit.Kit
	o     Options
	pages *pages
	mux   *http.ServeMux
}

//go:embed assets
var assets embed.FS

// New makes a console over the services.
func New(kit *affiliatekit.Kit, o Options) (*Console, error) {
	if kit == nil {
		return nil, errors.New("console: New needs a kit")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Timeout < 0 {
		return nil, errors.New("console: the timeout must not be negative")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	static, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	parsed, err := parsePages()
	if err != nil {
		return nil, err
	}
	c := &Console{kit: kit, o: o, pages: parsed, mux: http.NewServeMux()}
	c.mux.Handle("GET "+Prefix, http.RedirectHandler("/", http.StatusFound))
	c.mux.Handle("GET "+Prefix+"/assets/", http.StripPrefix(Prefix+"/assets/", http.FileServerFS(static)))
	for path, page := range map[string]page{
		"/{$}":                   {"overview", c.overview},
		Prefix + "/campaigns":    {"campaigns", c.campaigns},
		Prefix + "/links":        {"links", c.links},
		Prefix + "/links/{id}":   {"link", c.link},
		Prefix + "/orders":       {"orders", c.orders},
		Prefix + "/orders/{id}":  {"order", c.order},
		Prefix + "/accounts":     {"accounts", c.accounts},
		Prefix + "/account":      {"account", c.account},
		Prefix + "/events":       {"events", c.events},
		Prefix + "/webhooks":     {"webhooks", c.webhooks},
		Prefix + "/adsync":       {"adsync", c.adSync},
		Prefix + "/{unknown...}": {"problem", c.unknown},
	} {
		c.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { c.show(w, r, page) })
	}
	return c, nil
}

// page is a template and what it is filled with. A reader's mistake is an
// affiliate.Error.
type page struct {
	name string
	data func(ctx context.Context, r *http.Request) (any, error)
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		c.problem(w, r, http.StatusMethodNotAllowed, "The console only shows. It takes GET requests and no others.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), c.o.Timeout)
	defer cancel()
	r = r.WithContext(ctx)
	if strings.HasPrefix(r.URL.Path, Prefix+"/assets/") { // they tell nothing about anybody
		header.Set("Cache-Control", "public, max-age=3600")
		c.mux.ServeHTTP(w, r)
		return
	}
	header.Set("Cache-Control", "no-store")
	if err := c.letIn(r); err != nil {
		c.refuse(w, r, err)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// letIn returns nil for the operator.
func (c *Console) letIn(r *http.Request) error {
	if c.o.OpenOnLoopback && onLoopback(r) {
		return nil
	}
	secret, ok := secretOf(r)
	if !ok {
		return affiliate.ErrUnauthenticated
	}
	p, err := c.kit.Identity.Authenticate(r.Context(), secret) // it compares in constant time
	if err == nil && !p.IsAdmin() {
		err = affiliate.ErrForbidden
	}
	return err
}

// onLoopback reports whether the request comes from this machine and was sent to
// it by its own name.
func onLoopback(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	to, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && to.Unmap().IsLoopback()
}

// secretOf is the token of a request.
func secretOf(r *http.Request) (string, bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, password != ""
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}

// show fills a page and sends it.
func (c *Console) show(w http.ResponseWriter, r *http.Request, p page) {
	data, err := p.data(r.Context(), r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.send(w, r, http.StatusOK, p.name, data)
}

func (c *Console) unknown(context.Context, *http.Request) (any, error) {
	return nil, affiliate.NotFound("page", "")
}

// refuse is the one place where errors become statuses.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, affiliate.ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", `Basic realm="affiliatekit console", charset="UTF-8"`)
		c.problem(w, r, http.StatusUnauthorized, "Sign in with an access token of the operator as the password. The name does not matter.")
	case errors.Is(err, affiliate.ErrForbidden):
		c.problem(w, r, http.StatusForbidden, "This token is not the operator's. The console is for the operator alone.")
	case errors.Is(err, affiliate.ErrNotFound):
		c.problem(w, r, http.StatusNotFound, "There is nothing here. Go to the overview, or look for the id in one of the lists.")
	case errors.Is(err, affiliate.ErrInvalid):
		c.problem(w, r, http.StatusBadRequest, "The address has a value that makes no sense: "+sentence(err))
	case errors.Is(err, affiliate.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		w.Header().Set("Retry-After", "5")
		c.o.Logger.WarnContext(r.Context(), "the console could not read", "path", r.URL.Path, "error", err)
		c.problem(w, r, http.StatusServiceUnavailable, "The backend does not respond. Try again in a moment.")
	case errors.Is(err, context.Canceled): // the reader has gone
	default:
		c.o.Logger.ErrorContext(r.Context(), "the console failed", "path", r.URL.Path, "error", err)
		c.problem(w, r, http.StatusInternalServerError, "Something went wrong. The server's log says what.")
	}
}

// sentence is what a reader may know of an error.
func sentence(err error) string {
	var e *affiliate.Error
	if !errors.As(err, &e) {
		return "it is not valid."
	}
	var parts []string
	for _, f := range e.Fields {
		parts = append(parts, f.Field+" "+f.Message)
	}
	if len(parts) == 0 {
		return e.Message
	}
	return strings.Join(parts, "; ") + "."
}
