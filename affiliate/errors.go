package affiliate

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of error. Branch on them with errors.Is; every error that a
// service or a repository returns is of exactly one kind, or is not ours.
var (
	// ErrNotFound: there is no such thing, or it belongs to another tenant.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a unique key is taken, or the thing is still in use.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: the input breaks a rule; Error.Fields names each field.
	ErrInvalid = errors.New("invalid")
	// ErrForbidden: the principal is known and may not do this.
	ErrForbidden = errors.New("forbidden")
	// ErrUnauthenticated: no credentials, or bad ones.
	ErrUnauthenticated = errors.New("unauthenticated")
	// ErrState: the state machine has no such move.
	ErrState = errors.New("illegal state")
	// ErrUnavailable: the backend, or something behind it, does not answer;
	// the same call may succeed later.
	ErrUnavailable = errors.New("unavailable")
)

// ErrNested is returned by Read and Write when the context already belongs to
// a unit of the same store: a unit inside a unit would deadlock or lie about
// what it commits. Pass the transaction on instead, or see [Join]. The same store
// is one of the same backend and data, whichever domain it is of. A context that
// belongs to a transaction of the host's counts too: a unit outside of that would
// be kept whatever becomes of the transaction.
var ErrNested = errors.New("affiliate: unit of work inside a unit of the same store")

// ErrReadOnly is returned by every change inside a Read.
var ErrReadOnly = errors.New("affiliate: change inside a read-only unit of work")

// Error is the one error type of affiliatekit.
//
// Kind is for the program, Code for the client's program (stable snake_case),
// Message for a person on the client's side, Err for the log: it is never
// shown outside.
type Error struct {
	Kind     error        // one of the sentinels above
	Code     string       // stable, snake_case, for example "ambiguous_advertiser"
	Message  string       // one sentence, safe to show; may be empty
	Resource string       // what it is about, for example "link"
	ID       string       // which one
	Fields   []FieldError // every failing field, when Kind is ErrInvalid or ErrConflict
	Err      error        // the cause
}

// FieldError says what is wrong with one input field.
type FieldError struct {
	Field   string // dotted path in wire spelling: "costs.0.cpc"
	Code    string // stable snake_case: "too_long"
	Message string // names the bound: "must be at most 255 characters"
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Resource != "" {
		b.WriteString(e.Resource)
		if e.ID != "" {
			b.WriteByte(' ')
			b.WriteString(e.ID)
		}
		b.WriteString(": ")
	}
	switch {
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Kind != nil:
		b.WriteString(e.Kind.Error())
	default:
		b.WriteString("error")
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(f.Field)
		b.WriteByte(' ')
		b.WriteString(f.Message)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap lets errors.Is find the kind and the cause.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, 2)
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// NotFound is the error of a missing resource.
func NotFound(resource string, id any) *Error {
	return &Error{Kind: ErrNotFound, Code: "not_found", Resource: resource, ID: fmt.Sprint(id)}
}

// Conflict is the error of a taken key or of a thing still in use.
func Conflict(resource, code, message string) *Error {
	return &Error{Kind: ErrConflict, Code: code, Resource: resource, Message: message}
}

// Unauthenticated is the error of credentials that are missing or not good; an
// Authenticator of the HTTP adapter returns it. The cause, which may be nil, is
// for logs: clients are not told.
func Unauthenticated(cause error) *Error {
	return &Error{Kind: ErrUnauthenticated, Code: "unauthenticated", Err: cause}
}

// Forbidden is the error of a known principal that may not do this.
func Forbidden(message string) *Error {
	return &Error{Kind: ErrForbidden, Code: "forbidden", Message: message}
}

// Invalid is the validation error of the given fields.
func Invalid(resource string, fields ...FieldError) *Error {
	return &Error{Kind: ErrInvalid, Code: "validation_failed", Resource: resource, Fields: fields}
}

// Unavailable wraps the failure of a backend or of a cancelled context.
func Unavailable(err error) *Error {
	return &Error{Kind: ErrUnavailable, Code: "unavailable", Err: err}
}

// IsNotFound reports whether the error is of the kind ErrNotFound.
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
