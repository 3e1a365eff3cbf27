package metapic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// What the proxy lets through at most.
const (
	proxyTime     = 30 * time.Second
	proxyRequest  = 1 << 20  // bytes of a body
	proxyResponse = 10 << 20 // bytes of a body
	proxyPath     = "/v2/notifications-proxy"
)

// notifications forwards requests to the notification service: to its host
// alone, without the credentials that are for us.
type notifications struct {
	base      *url.URL // nil: not configured
	transport http.RoundTripper
	log       *log.Logger // of what breaks off in the middle of an answer
}

// newNotifications takes the base URL of the service; empty: there is none.
func newNotifications(base string, transport http.RoundTripper, logger *slog.Logger) (*notifications, error) {
	if base == "" {
		return &notifications{}, nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("metapic: Options.NotificationsURL must be an http or https URL without user, query and fragment")
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &notifications{u, transport, slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}, nil
}

// proxyFailure is what went wrong before the answer began.
type proxyFailure struct{ err error }

func (n *notifications) forward(w http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
	if n.base == nil {
		return &wire.StatusError{Status: http.StatusServiceUnavailable, Code: "not_configured", Message: "No notification service is configured."}
	}
	target, ok := n.target(r)
	if !ok {
		return affiliate.NotFound("notification", r.URL.Path)
	}
	ctx, cancel := context.WithTimeout(r.Context(), proxyTime)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, proxyRequest)
	var failed proxyFailure
	proxy := httputil.ReverseProxy{
		Transport: n.transport,
		ErrorLog:  n.log,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL, p.Out.Host = target, target.Host
			for _, name := range []string{"Authorization", "Mtpc-Api-Key", "Cookie", "Idempotency-Key"} {
				p.Out.Header.Del(name)
			}
		},
		ModifyResponse: func(response *http.Response) error {
			if response.StatusCode == http.StatusSwitchingProtocols {
				return errors.New("the service wants to switch protocols")
			}
			for name := range response.Header {
				if ours(name) {
					response.Header.Del(name)
				} else {
					w.Header().Del(name) // the service's own, not both
				}
			}
			response.Body = &limitedBody{response.Body, proxyResponse}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { failed.err = err },
	}
	proxy.ServeHTTP(w, r)
	return failed.problem()
}

// problem is the error as the client is told.
func (f proxyFailure) problem() error {
	if f.err == nil {
		return nil
	}
	if _, large := errors.AsType[*http.MaxBytesError](f.err); large {
		return &wire.StatusError{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Message: "The body must be at most 1 MiB.", Err: f.err}
	}
	if errors.Is(f.err, context.DeadlineExceeded) {
		return &wire.StatusError{Status: http.StatusGatewayTimeout, Code: "gateway_timeout", Message: "The notification service took too long.", Err: f.err}
	}
	return &wire.StatusError{Status: http.StatusBadGateway, Code: "bad_gateway", Message: "The notification service did not answer.", Err: f.err}
}

// target is where a request goes: what follows the route's own path, below the
// base, with the query as it came. Dots that would leave the base are refused.
func (n *notifications) target(r *http.Request) (*url.URL, bool) {
	rest := strings.TrimPrefix(r.URL.EscapedPath(), proxyPath)
	decoded, err := url.PathUnescape(rest)
	if err != nil || slices.ContainsFunc(strings.FieldsFunc(decoded, func(r rune) bool { return r == '/' || r == '\\' }), func(s string) bool { return s == "." || s == ".." }) {
		return nil, false
	}
	base := strings.TrimSuffix(n.base.EscapedPath(), "/")
	u := *n.base
	u.RawPath = base + rest
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, false
	}
	u.RawQuery = r.URL.RawQuery
	return &u, true
}

// ours reports whether a response header is for this service alone to send: a
// cookie would be one of ours, and what browsers may read is ours to say.
func ours(name string) bool {
	return name == "Set-Cookie" || name == "X-Request-Id" || name == "X-Content-Type-Options" ||
		strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "X-Ratelimit-")
}

// limitedBody fails a response that is larger than was allowed: the client then
// sees a broken answer and not a short one.
type limitedBody struct {
	io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the response is larger than %d bytes", proxyResponse)
	}
	return n, err
}
