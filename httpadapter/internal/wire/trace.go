package wire

import (
	"log/slog"
	"net/http"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// BeginSpan begins the span of a request, and returns the request that carries
// it. Without a tracer the span is nil, which EndSpan takes.
func BeginSpan(t affiliate.Tracer, r *http.Request) (*http.Request, affiliate.Span) {
	if t == nil {
		return r, nil
	}
	ctx, span := t.Start(r.Context(), affiliate.SpanServer, knownMethod(r.Method))
	return r.WithContext(ctx), span
}

// EndSpan ends it. Path is that of the route, with the names of its parameters,
// and empty when no route matched; a status of 0 is an answer that was cut off.
func EndSpan(span affiliate.Span, r *http.Request, path, operation string, status int) {
	if span == nil {
		return
	}
	method := knownMethod(r.Method)
	span.Set(slog.String("http.request.method", method), slog.Int("http.response.status_code", status))
	if path != "" {
		span.Rename(method + " " + path)
		span.Set(slog.String("http.route", path), slog.String("affiliatekit.operation", operation))
	}
	if status >= 500 || status == 0 {
		span.Fail(strconv.Itoa(status))
	}
	span.End()
}

// knownMethod is one of a fixed few: clients send what they like.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "HTTP"
}
