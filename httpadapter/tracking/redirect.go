package tracking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
)

// redirectPrefix is what the path of every affiliate link begins with; the
// link's id follows.
const redirectPrefix = open.RedirectPrefix

// redirectRoute is what spans call the path.
const redirectRoute = redirectPrefix + "{id}"

// redirectID is the operation that Options.Observe is told.
const redirectID = open.RedirectID

// statusClientGone is what Options.Observe is told of a reader who went away.
const statusClientGone = 499

// NewRedirect makes the handler of GET /c/{id} alone, for a host that serves
// links under a name of their own. Of the options it uses Logger, Observe, Tracer,
// Bots, TrustedProxies and ClientIP.
func NewRedirect(s *links.Service, o Options) (http.Handler, error) {
	if s == nil {
		return nil, errors.New("tracking: NewRedirect needs a service")
	}
	o, err := o.WithDefaults(nil)
	if err != nil {
		return nil, err
	}
	detector, err := newBotDetector(o.Bots)
	if err != nil {
		return nil, err
	}
	return &redirect{links: s, bots: detector, log: o.Logger, refusals: host.RefusalsOf(o), timeout: o.RequestTimeout, observe: o.Observe, tracer: o.Tracer, clientIP: o.ClientIP, base: wire.BasePath(o.BasePath)}, nil
}

// redirect is the hot path: it takes the request apart itself, without a
// ServeMux, and writes headers that are made once.
type redirect struct {
	links    *links.Service
	bots     *botDetector
	log      *slog.Logger
	refusals *wire.Refusals
	timeout  time.Duration
	observe  func(operation string, status int, took time.Duration)
	tracer   affiliate.Tracer
	clientIP func(*http.Request) string
	base     wire.BasePath
}

// isRedirect reports whether a path is that of a link.
func isRedirect(path string) bool { return strings.HasPrefix(path, redirectPrefix) }

// The values of headers that are the same in every answer. They are shared:
// nobody may change them.
var (
	noStore    = []string{"no-store, private"}
	noLength   = []string{"0"}
	jsonType   = []string{"application/json"}
	allowReads = []string{"GET, HEAD"}
	retryAfter = []string{wire.RetryAfter}
)

// ServeHTTP answers one reader.
func (h *redirect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, span := wire.BeginSpan(h.tracer, h.base.Strip(r, isRedirect))
	r, cancel := wire.WithTimeout(r, h.timeout)
	defer cancel()
	requestID := wire.RequestIDOf(r)
	header := w.Header()
	header[wire.RequestIDHeader] = []string{requestID}
	header["Cache-Control"] = noStore
	if h.observe == nil && span == nil {
		h.answer(w, r, requestID)
		return
	}
	start := time.Now()
	status := h.answer(w, r, requestID)
	if h.observe != nil {
		h.observe(redirectID, status, time.Since(start))
	}
	wire.EndSpan(span, r, redirectRoute, redirectID, status)
}

// answer sends the reader on, and returns the status.
func (h *redirect) answer(w http.ResponseWriter, r *http.Request, requestID string) (status int) {
	defer func() {
		if v := recover(); v != nil {
			h.log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", requestID), slog.String("route", redirectID),
				slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
			status = h.refuse(w, r, wire.Problem{Status: http.StatusInternalServerError, Code: "internal_error", Message: "Something went wrong on our side."})
		}
	}()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header()["Allow"] = allowReads
		return h.refuse(w, r, wire.Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "Links are followed with GET or HEAD."})
	}
	id, ok := linkID(r.URL.Path)
	if !ok {
		return h.fail(w, r, requestID, affiliate.NotFound("link", ""))
	}
	to, err := h.links.Follow(r.Context(), h.hit(r, id))
	if err != nil {
		return h.fail(w, r, requestID, err)
	}
	header := w.Header()
	header["Location"] = []string{to.URL}
	header["Content-Length"] = noLength
	w.WriteHeader(http.StatusFound)
	return http.StatusFound
}

// linkID reads the path: digits as the API prints them, and at most a slash behind.
func linkID(path string) (int64, bool) {
	digits, ok := strings.CutPrefix(path, redirectPrefix)
	digits = strings.TrimSuffix(digits, "/")
	if !ok || digits == "" || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil
}

// hit is what the request tells of its reader.
func (h *redirect) hit(r *http.Request, linkID int64) links.Hit {
	if uncounted(r) {
		return links.Hit{LinkID: linkID, Uncounted: true}
	}
	userAgent := r.UserAgent()
	src := ""
	if r.URL.RawQuery != "" {
		src = r.URL.Query().Get("src")
	}
	return links.Hit{
		LinkID: linkID, IP: h.clientIP(r), UserAgent: userAgent,
		Source: links.SourceOf(src, r.Referer()),
		Bot:    h.bots.isBot(userAgent),
	}
}

// uncounted reports whether nobody has followed the link yet: the request asks
// where it leads, or a browser or messenger fetches ahead.
func uncounted(r *http.Request) bool {
	if r.Method == http.MethodHead {
		return true
	}
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range r.Header[name] {
			value = strings.ToLower(value)
			if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
				return true
			}
		}
	}
	return false
}

// fail answers an error of Follow: a click that cannot be kept sends nobody on.
func (h *redirect) fail(w http.ResponseWriter, r *http.Request, requestID string, err error) int {
	attrs := []slog.Attr{slog.String("request_id", requestID), slog.String("route", redirectID), slog.Any("error", err)}
	switch {
	case errors.Is(r.Context().Err(), context.Canceled):
		h.log.LogAttrs(r.Context(), slog.LevelDebug, "request cancelled", attrs...)
		h.refuse(w, r, unavailable)
		return statusClientGone
	case errors.Is(err, affiliate.ErrNotFound):
		return h.refuse(w, r, wire.Problem{Status: http.StatusNotFound, Code: "not_found", Message: "Not found."})
	case errors.Is(err, affiliate.ErrUnavailable):
		h.refusals.Note(r.Context(), "service unavailable", attrs...)
		return h.refuse(w, r, unavailable)
	}
	h.log.LogAttrs(r.Context(), slog.LevelError, "request failed", attrs...)
	return h.refuse(w, r, wire.Problem{Status: http.StatusInternalServerError, Code: "internal_error", Message: "Something went wrong on our side."})
}

var unavailable = wire.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: "The service is temporarily unavailable."}

// refuse writes an error in the form of the Metapic dialects, whose links these
// are, and returns its status.
func (h *redirect) refuse(w http.ResponseWriter, r *http.Request, p wire.Problem) int {
	status, form := laravel.Errors{}.EncodeError(p)
	body, err := json.Marshal(form)
	if err != nil { // strings always marshal
		body = nil
	}
	header := w.Header()
	header["Content-Type"] = jsonType
	if status == http.StatusServiceUnavailable {
		header["Retry-After"] = retryAfter
	}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader who has gone needs no answer
	}
	return status
}
