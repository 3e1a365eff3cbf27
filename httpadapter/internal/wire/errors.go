package wire

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Problem is everything that an error answer may tell. Message and Code are
// never empty and safe to show.
type Problem struct {
	Status    int
	Code      string // stable snake_case
	Message   string // one sentence
	Fields    []affiliate.FieldError
	RequestID string
	// Err is what the handler returned. An encoder may look in it for a type
	// of its own that carries more to show, and shows nothing else of it.
	Err error
}

// ErrorEncoder is the error form of a dialect. The body is marshalled as JSON;
// the status is p.Status unless the dialect has another for it.
type ErrorEncoder interface {
	EncodeError(p Problem) (status int, body any)
}

// StatusError is an error of the transport, and of the few statuses that no
// kind of error stands for (410).
type StatusError struct {
	Status  int
	Code    string
	Message string // one sentence, safe to show
	Err     error  // the cause, for the log
}

func (e *StatusError) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.Message
}

func (e *StatusError) Unwrap() error { return e.Err }

// kinds is the one table from kinds of error to answers.
var kinds = []struct {
	kind    error
	status  int
	code    string
	message string
}{
	{affiliate.ErrInvalid, http.StatusUnprocessableEntity, "validation_failed", "The given data was invalid."},
	{affiliate.ErrNotFound, http.StatusNotFound, "not_found", "Not found."},
	{affiliate.ErrConflict, http.StatusConflict, "conflict", "The request conflicts with what is there."},
	{affiliate.ErrState, http.StatusConflict, "illegal_state", "This is not possible in the present state."},
	{affiliate.ErrForbidden, http.StatusForbidden, "forbidden", "This action is not allowed."},
	{affiliate.ErrUnauthenticated, http.StatusUnauthorized, "unauthenticated", "Unauthenticated."},
	{affiliate.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "The service is temporarily unavailable."},
}

// problem translates an error. An error that is not ours becomes a 500 with a
// fixed sentence: what it says may be nobody's business.
func problem(err error) Problem {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return Problem{Status: e.Status, Code: e.Code, Message: e.Message, Err: err}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = affiliate.Unavailable(err)
	}
	// The outermost *affiliate.Error decides: its cause may be of another kind.
	kind := err
	e, ours := errors.AsType[*affiliate.Error](err)
	if ours && e.Kind != nil {
		kind = e.Kind
	}
	for _, k := range kinds {
		if !errors.Is(kind, k.kind) {
			continue
		}
		p := Problem{Status: k.status, Code: k.code, Message: k.message, Err: err}
		if ours && k.kind != affiliate.ErrUnauthenticated { // why is not told
			p.Fields = e.Fields
			if e.Code != "" {
				p.Code = e.Code
			}
			if e.Message != "" {
				p.Message = e.Message
			}
		}
		return p
	}
	return Problem{
		Status: http.StatusInternalServerError, Code: "internal_error",
		Message: "Something went wrong on our side.", Err: err,
	}
}

// errorAnswer is the one exit for errors: it logs what the operator has to
// know, once, and encodes what the client may know.
func (m *Mux) errorAnswer(ctx context.Context, x *exchange, err error) answer {
	p := problem(err)
	p.RequestID = x.id
	attrs := []slog.Attr{slog.String("request_id", x.id), slog.String("route", x.route), slog.Any("error", err)}
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		// The client has gone; what came of it is nobody's failure. An answer
		// is written all the same, in case it was the host who cancelled.
		x.gone = true
		m.log.LogAttrs(ctx, slog.LevelDebug, "request cancelled", attrs...)
	case p.Status == http.StatusInternalServerError:
		m.log.LogAttrs(ctx, slog.LevelError, "request failed", attrs...)
	case p.Status == http.StatusServiceUnavailable:
		m.opts.Refusals.Note(ctx, "service unavailable", attrs...)
	}
	a := m.encodeProblem(p)
	switch a.status {
	case http.StatusUnauthorized:
		a.setHeader("WWW-Authenticate", m.dialect.AuthScheme)
	case http.StatusServiceUnavailable:
		a.setHeader("Retry-After", RetryAfter)
	}
	return a
}

func (m *Mux) encodeProblem(p Problem) answer {
	status, body := m.dialect.Errors.EncodeError(p)
	encoded, err := encodeJSON(body)
	if err != nil {
		// The encoder of a dialect failed on its own structs: still an answer.
		m.log.Error("error answer not encoded", "request_id", p.RequestID, "error", err)
		status, encoded = http.StatusInternalServerError, []byte(`{}`)
	}
	return answer{status: status, contentType: m.dialect.ContentType, body: encoded}
}
