package tracing

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Name is the name of the tracer that New asks the provider for.
const Name = "github.com/affiliatekit/affiliatekit"

// New returns a tracer whose spans are the provider's. A nil provider is no
// tracer: nil, which traces nothing. The tracer is safe for concurrent use.
func New(p trace.TracerProvider) affiliate.Tracer {
	if p == nil {
		return nil
	}
	return tracer{p.Tracer(Name)}
}

type tracer struct{ of trace.Tracer }

// kinds are the options of each kind of span, made once.
var kinds = [...][]trace.SpanStartOption{
	affiliate.SpanInternal: {trace.WithSpanKind(trace.SpanKindInternal)},
	affiliate.SpanServer:   {trace.WithSpanKind(trace.SpanKindServer)},
	affiliate.SpanClient:   {trace.WithSpanKind(trace.SpanKindClient)},
	affiliate.SpanConsumer: {trace.WithSpanKind(trace.SpanKindConsumer)},
	affiliate.SpanPart:     {trace.WithSpanKind(trace.SpanKindInternal)},
}

// Start begins a span. A span that nobody records, of the noop provider or left
// out by a sampler, costs no attributes.
func (t tracer) Start(ctx context.Context, kind affiliate.SpanKind, name string, attrs ...slog.Attr) (context.Context, affiliate.Span) {
	if kind == affiliate.SpanPart && !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, unrecorded{}
	}
	ctx, s := t.of.Start(ctx, name, kinds[kind]...)
	if !s.IsRecording() {
		s.End()
		return ctx, unrecorded{}
	}
	recorded := span{s}
	recorded.Set(attrs...)
	return ctx, recorded
}

type span struct{ of trace.Span }

func (s span) Rename(name string) { s.of.SetName(name) }
func (s span) Note(what string)   { s.of.AddEvent(what) }
func (s span) Fail(reason string) { s.of.SetStatus(codes.Error, reason) }
func (s span) End()               { s.of.End() }
func (s span) Set(a ...slog.Attr) {
	for _, attr := range a {
		s.of.SetAttributes(keyValue(attr))
	}
}

func keyValue(a slog.Attr) attribute.KeyValue {
	switch a.Value.Kind() {
	case slog.KindInt64:
		return attribute.Int64(a.Key, a.Value.Int64())
	case slog.KindBool:
		return attribute.Bool(a.Key, a.Value.Bool())
	case slog.KindFloat64:
		return attribute.Float64(a.Key, a.Value.Float64())
	}
	return attribute.String(a.Key, a.Value.String())
}

// unrecorded is a span that nobody records.
type unrecorded struct{}

func (unrecorded) Rename(string)    {}
func (unrecorded) Set(...slog.Attr) {}
func (unrecorded) Note(string)      {}
func (unrecorded) Fail(string)      {}
func (unrecorded) End()             {}
