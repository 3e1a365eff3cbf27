package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The SQLSTATEs that decide. Everything else is told by its class, the first
// two characters.
const (
	stateNotNull       = "23502"
	stateForeignKey    = "23503"
	stateUnique        = "23505"
	stateOutOfRange    = "22003"
	stateReadOnly      = "25006"
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateLockTimeout   = "55P03"
	stateTooLarge      = "54000" // an index row past its limit
	stateNotPrepared   = "26000" // of a statement that was: the connection is another one by now
	statePrepared      = "42P05" // by somebody else
	stateNotSupported  = "0A000" // on this engine
)

// serverError is what the server says about a failed statement.
type serverError struct {
	state, table, column, constraint string
}

// serverErrorIn finds the server's answer in a driver's error; ok is false
// when the server did not answer.
func serverErrorIn(err error) (e serverError, ok bool) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return serverError{pg.Code, pg.TableName, pg.ColumnName, pg.ConstraintName}, true
	}
	// pgdriver keeps the fields under their letters in the protocol.
	var fields interface{ Field(k byte) string }
	if errors.As(err, &fields) {
		return serverError{fields.Field('C'), fields.Field('t'), fields.Field('c'), fields.Field('n')}, true
	}
	return serverError{}, false
}

// field is the wire name of the field that a constraint is about: constraints
// are called <table>_<field>_<key|fkey|check>.
func (e serverError) field() string {
	name, ok := strings.CutPrefix(e.constraint, e.table+"_")
	if !ok && strings.HasPrefix(e.table, "affiliate_clicks_") { // a partition, whose checks are called after the whole
		name, ok = strings.CutPrefix(e.constraint, "affiliate_clicks_")
	}
	if !ok || e.constraint == "" {
		return e.column
	}
	if i := strings.LastIndexByte(name, '_'); i >= 0 {
		name = name[:i]
	}
	return name
}

// retryable reports whether the transaction is to be run again: because the
// database asks for it, or because it will do without prepared statements then.
func retryable(err error) bool {
	e, ok := serverErrorIn(err)
	return ok && (e.state == stateSerialization || e.state == stateDeadlock || e.isOfAnotherConnection())
}

// isOfAnotherConnection reports whether a statement was prepared on another
// connection than it ran on: a pooler stands between, which does not tell.
func (e serverError) isOfAnotherConnection() bool {
	return e.state == stateNotPrepared || e.state == statePrepared
}

// isThere reports whether a schema, table, column or constraint of that name exists.
func (e serverError) isThere() bool {
	return e.state == "42P06" || e.state == "42P07" || e.state == "42701" || e.state == "42710"
}

// errCorrupt marks a stored value that is none of the domain's.
var errCorrupt = errors.New("postgres: stored value cannot be read")

// connectionError is the error of a transaction that did not begin. The
// context comes first: drivers put a cancellation in words of their own.
func connectionError(ctx context.Context, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		err = ctxErr
	}
	return affiliate.Unavailable(err)
}

// translate turns a driver's error into one of the domain's. SQLSTATE and the
// constraint's name decide, never the text.
func translate(ctx context.Context, err error, resource string) error {
	var ours *affiliate.Error
	if err == nil || errors.As(err, &ours) || errors.Is(err, errCorrupt) {
		return err
	}
	if ctx.Err() != nil {
		return connectionError(ctx, err)
	}
	e, ok := serverErrorIn(err)
	if !ok {
		// The server did not answer: the connection is gone, or never was.
		return affiliate.Unavailable(err)
	}
	switch e.state {
	case stateUnique:
		return taken(resource, e.field())
	case stateForeignKey:
		return unknownReference(resource, e.field())
	case stateNotNull:
		return affiliate.Invalid(resource, affiliate.FieldError{Field: e.column, Code: "required", Message: "is required"})
	case stateOutOfRange:
		return overflow(resource)
	case stateReadOnly:
		return affiliate.ErrReadOnly
	case stateSerialization, stateDeadlock, stateLockTimeout, stateNotPrepared, statePrepared:
		return affiliate.Unavailable(err)
	case stateTooLarge:
		return affiliate.Invalid(resource, affiliate.FieldError{Field: e.field(), Code: "too_long", Message: "must be shorter"})
	}
	switch e.state[:min(2, len(e.state))] {
	case "22", "23": // a value that does not fit its type, a constraint
		return affiliate.Invalid(resource, affiliate.FieldError{Field: e.field(), Code: "invalid", Message: "must be a value that can be kept"})
	case "08", "53", "57", "58", "28", "3D": // connection, resources, shutdown, system, credentials, no such database
		return affiliate.Unavailable(err)
	}
	return fmt.Errorf("postgres: %w", err)
}

func taken(resource, field string) error {
	e := affiliate.Conflict(resource, "taken", "")
	e.Fields = []affiliate.FieldError{{Field: field, Code: "taken", Message: "is taken already"}}
	return e
}

const unknownReferenceMessage = "must refer to something that exists"

func unknownReference(resource, field string) error {
	return affiliate.Invalid(resource, affiliate.FieldError{Field: field, Code: "unknown_reference", Message: unknownReferenceMessage})
}

func overflow(resource string) error {
	return &affiliate.Error{Kind: affiliate.ErrInvalid, Code: "overflow", Resource: resource, Message: "a total leaves the range of 64 bits"}
}
