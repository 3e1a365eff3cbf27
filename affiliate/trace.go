package affiliate

import (
	"context"
	"errors"
	"log/slog"
)

// Tracer begins spans: what a program does, with its parts inside of it. Options
// of services and of the HTTP adapter take one; nil traces nothing and costs
// nothing. Package affiliate/tracing makes one of an OpenTelemetry provider, so
// that only programs that want traces link OpenTelemetry.
//
// Names and attributes of spans are kinds, ids of operations and numbers. They
// never hold what a person typed, an address or a URL.
type Tracer interface {
	// Start begins a span inside the one that the context carries, if any, and
	// returns a context that carries the new one. The caller ends it.
	Start(ctx context.Context, kind SpanKind, name string, attrs ...slog.Attr) (context.Context, Span)
}

// Span is one piece of work under way. One goroutine at a time uses it.
type Span interface {
	Rename(name string)
	Set(attrs ...slog.Attr)
	Note(what string)   // something happened at this time, such as "retry"
	Fail(reason string) // the work failed; the reason is a stable word
	End()
}

// SpanKind says what a span is to those outside of the program.
type SpanKind uint8

// The kinds of span.
const (
	SpanInternal SpanKind = iota
	SpanServer            // serves a request
	SpanClient            // sends a request
	SpanConsumer          // handles what was queued
	// SpanPart is internal too, and worth a span only inside of another: the
	// units in which workers look for something to do.
	SpanPart
)

// Traced returns the store with a span for each of its units, named after the
// domain: "deals.write". A nil tracer returns the store as it is; a nil store stays
// nil.
func Traced[T any](store Store[T], t Tracer, domain string) Store[T] {
	if t == nil || store == nil {
		return store
	}
	return tracedStore[T]{store, t, domain}
}

type tracedStore[T any] struct {
	store  Store[T]
	tracer Tracer
	domain string
}

func (s tracedStore[T]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	return TraceUnit(ctx, s.tracer, SpanInternal, s.domain+".read", s.store.Read, fn)
}

func (s tracedStore[T]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	return TraceUnit(ctx, s.tracer, SpanInternal, s.domain+".write", s.store.Write, fn)
}

// TraceUnit runs a unit of work in a span that says how often the callback ran,
// and what the unit failed with. It is for stores that have more kinds of unit
// than Read and Write.
func TraceUnit[T any](ctx context.Context, t Tracer, kind SpanKind, name string,
	unit func(context.Context, func(context.Context, T) error) error, fn func(context.Context, T) error) (err error) {
	ctx, span := t.Start(ctx, kind, name)
	attempts, returned := 0, false
	defer func() {
		span.Set(slog.Int("affiliatekit.attempts", attempts))
		if !returned {
			span.Fail("panic")
		} else {
			FailSpan(span, err)
		}
		span.End()
	}()
	err = unit(ctx, func(ctx context.Context, tx T) error {
		if attempts++; attempts > 1 {
			span.Note("retry")
		}
		return fn(ctx, tx)
	})
	returned = true
	return err
}

// FailSpan notes what an error is in a span: its code, never its text, which may
// hold what a person typed. Errors about what was asked for, such as ErrNotFound,
// do not make the span a failed one.
func FailSpan(span Span, err error) {
	if err == nil {
		return
	}
	code, failed := "unknown", true
	var known *Error
	switch {
	case errors.Is(err, context.Canceled):
		code = "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		code = "deadline_exceeded"
	case errors.As(err, &known):
		code, failed = known.Code, errors.Is(err, ErrUnavailable)
	}
	span.Set(slog.String("error.type", code))
	if failed {
		span.Fail(code)
	}
}
