package tracking

import (
	"bytes"
	_ "embed"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// trackingScript is what shops put on their pages.
//
//go:embed report.js
var trackingScript []byte

// The bounds of a report over HTTP, in bytes.
const (
	maxReportQuery = 16 << 10
	maxReportBody  = 64 << 10
)

// The headers that say what became of a report, since the body is always the
// same picture.
const (
	headerOutcome = "X-Order-Outcome"
	headerError   = "X-Order-Error"
)

// NewReport makes the handler of the routes by which shops report orders, for a
// host that serves them under a name of their own:
//
//	GET|POST /report     takes in an order; see orders.ParseBeacon
//	GET /report.js       the tracking script
//
// Whoever asks gets a GIF of one point: with 200 for an order that is kept or
// known, 409 for a differing value under a known number, 422 for a report that
// cannot be used, and 503 when it could not be kept now. X-Order-Outcome and
// X-Order-Error say it in words. Of the options it uses Logger, Observe and
// Tracer.
func NewReport(s *orders.Service, o Options) (http.Handler, error) {
	if s == nil {
		return nil, errors.New("tracking: NewReport needs a service")
	}
	o, err := o.WithDefaults(nil)
	if err != nil {
		return nil, err
	}
	h := &report{orders: s, refusals: host.RefusalsOf(o),
		text: bytes.ReplaceAll(trackingScript, []byte("'"+links.ClickIDParameter+"'"), []byte("'"+s.ClickParameter()+"'"))}
	mux := http.NewServeMux()
	mux.Handle("GET "+open.ReportPath, observed(open.ReportPath, "report", o, h.take))
	mux.Handle("POST "+open.ReportPath, observed(open.ReportPath, "report", o, h.take))
	mux.Handle("GET "+open.ScriptPath, observed(open.ScriptPath, "report-script", o, h.script))
	base := wire.BasePath(o.BasePath)
	own := func(path string) bool { return path == open.ReportPath || path == open.ScriptPath }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mux.ServeHTTP(w, base.Strip(r, own)) }), nil
}

// observed gives each request its deadline and tells the host of it.
func observed(path, id string, o Options, take func(w http.ResponseWriter, r *http.Request) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		r, span := wire.BeginSpan(o.Tracer, r)
		r, cancel := wire.WithTimeout(r, o.RequestTimeout)
		defer cancel()
		w.Header().Set(wire.RequestIDHeader, wire.RequestIDOf(r))
		w.Header().Set("Access-Control-Allow-Origin", "*")
		status := take(w, r)
		if o.Observe != nil {
			o.Observe(id, status, time.Since(start))
		}
		wire.EndSpan(span, r, path, id, status)
	})
}

type report struct {
	orders   *orders.Service
	text     []byte // the script, with the host's click parameter
	refusals *wire.Refusals
}

// take takes in one report.
func (h *report) take(w http.ResponseWriter, r *http.Request) int {
	body, err := reportBody(w, r)
	var beacon orders.Beacon
	if err == nil {
		beacon, err = h.orders.ParseBeacon(r.URL.RawQuery, body)
	}
	outcome := orders.Refused
	if err == nil {
		_, outcome, err = h.orders.Collect(r.Context(), beacon)
	}
	status := http.StatusOK
	switch {
	case err == nil:
	case errors.Is(err, affiliate.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, affiliate.ErrInvalid), errors.Is(err, affiliate.ErrNotFound):
		status = http.StatusUnprocessableEntity
	default:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", wire.RetryAfter)
		h.refusals.Note(r.Context(), "order not kept", slog.String("request_id", w.Header().Get(wire.RequestIDHeader)), slog.Any("error", err))
	}
	w.Header().Set(headerOutcome, string(outcome))
	if err != nil {
		w.Header().Set(headerError, problemText(err))
	}
	w.Header().Set("Cache-Control", "no-store, private")
	w.Header().Set("Content-Type", "image/gif")
	w.Header().Set("Content-Length", strconv.Itoa(len(pixel)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, pixel) // a reader who has gone misses nothing
	}
	return status
}

// reportBody is the form of a POST. Beacons and shops send it URL-encoded,
// some beacons without saying so.
func reportBody(w http.ResponseWriter, r *http.Request) (string, error) {
	tooLong := affiliate.Invalid("order", affiliate.FieldError{Field: "query", Code: "too_long", Message: "must be shorter"})
	if len(r.URL.RawQuery) > maxReportQuery {
		return "", tooLong
	}
	if r.Method != http.MethodPost {
		return "", nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Header.Get("Content-Type") != "" && (err != nil || kind != "application/x-www-form-urlencoded" && kind != "text/plain") {
		return "", affiliate.Invalid("order", affiliate.FieldError{Field: "body", Code: "invalid_type", Message: "must be an URL-encoded form"})
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReportBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", tooLong
	case err != nil:
		return "", affiliate.Unavailable(err)
	}
	return strings.TrimSpace(string(body)), nil
}

// problemText names the code of an error and its fields, as a header can hold it.
func problemText(err error) string {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || errors.Is(err, affiliate.ErrUnavailable) {
		return "unavailable"
	}
	text := e.Code
	for _, f := range e.Fields {
		text += "; " + f.Field + " " + f.Code
	}
	return text
}

// script sends the tracking script.
func (h *report) script(w http.ResponseWriter, r *http.Request) int {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Content-Length", strconv.Itoa(len(h.text)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(h.text) // a reader who has gone misses nothing
	}
	return http.StatusOK
}
