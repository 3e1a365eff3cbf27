package postgres

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestTheStateDecidesWhatAnErrorIs(t *testing.T) {
	// The text always lies.
	pg := func(state, table, column, constraint string) error {
		return &pgconn.PgError{Code: state, TableName: table, ColumnName: column, ConstraintName: constraint, Message: "deadlock: duplicate key violates foreign key"}
	}
	for _, c := range []struct {
		name        string
		err         error
		kind        error
		code, field string
	}{
		{"unique", pg("23505", "affiliate_users", "", "affiliate_users_email_key"), affiliate.ErrConflict, "taken", "email"},
		{"unique, field of two words", pg("23505", "affiliate_url_rules", "", "affiliate_url_rules_is_main_key"), affiliate.ErrConflict, "taken", "is_main"},
		{"reference", pg("23503", "affiliate_users", "", "affiliate_users_client_id_fkey"), affiliate.ErrInvalid, "unknown_reference", "client_id"},
		{"check", pg("23514", "affiliate_users", "", "affiliate_users_phone_check"), affiliate.ErrInvalid, "invalid", "phone"},
		{"null", pg("23502", "affiliate_users", "username", ""), affiliate.ErrInvalid, "required", "username"},
		{"too long", pg("22001", "", "", ""), affiliate.ErrInvalid, "invalid", ""},
		{"not UTF-8", pg("22021", "", "", ""), affiliate.ErrInvalid, "invalid", ""},
		{"serialization", pg("40001", "", "", ""), affiliate.ErrUnavailable, "", ""},
		{"deadlock", pg("40P01", "", "", ""), affiliate.ErrUnavailable, "", ""},
		{"lock timeout", pg("55P03", "", "", ""), affiliate.ErrUnavailable, "", ""},
		{"statement timeout", pg("57014", "", "", ""), affiliate.ErrUnavailable, "", ""},
		{"shutdown", pg("57P01", "", "", ""), affiliate.ErrUnavailable, "", ""},
		{"too many connections", pg("53300", "", "", ""), affiliate.ErrUnavailable, "", ""},
		{"read only", pg("25006", "", "", ""), affiliate.ErrReadOnly, "", ""},
		{"no answer", io.ErrUnexpectedEOF, affiliate.ErrUnavailable, "", ""},
		{"pgdriver", pgdriverError{'C': "23505", 't': "affiliate_links", 'n': "affiliate_links_key_key"}, affiliate.ErrConflict, "taken", "key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			got := translate(t.Context(), c.err, "thing")
			is.True(errors.Is(got, c.kind)) // kind
			var e *affiliate.Error
			if errors.As(got, &e) && len(e.Fields) == 1 {
				is.Equal(e.Fields[0].Code, c.code)
				is.Equal(e.Fields[0].Field, c.field)
				is.Equal(e.Resource, "thing")
			} else {
				is.Equal(c.code, "") // a code needs a field
			}
		})
	}
}

func TestOverflowHasItsCode(t *testing.T) {
	is := is.New(t)
	var e *affiliate.Error
	is.True(errors.As(translate(t.Context(), &pgconn.PgError{Code: "22003"}, "entry"), &e))
	is.Equal(e.Kind, affiliate.ErrInvalid)
	is.Equal(e.Code, "overflow")
}

func TestAMissingTableIsNoErrorOfTheDomain(t *testing.T) {
	is := is.New(t)
	got := translate(t.Context(), &pgconn.PgError{Code: "42P01"}, "thing")
	for _, kind := range []error{affiliate.ErrInvalid, affiliate.ErrUnavailable, affiliate.ErrNotFound, affiliate.ErrConflict} {
		is.True(!errors.Is(got, kind))
	}
}

func TestACancellationComesFirst(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := translate(ctx, &pgconn.PgError{Code: "57014"}, "thing")
	is.True(errors.Is(got, context.Canceled))
	is.True(errors.Is(got, affiliate.ErrUnavailable))
	notFound := affiliate.NotFound("thing", 1)
	is.Equal(translate(ctx, notFound, "thing"), error(notFound)) // ours stay what they are
}

func TestOnlySerializationAndDeadlockAreRetried(t *testing.T) {
	is := is.New(t)
	for state, want := range map[string]bool{"40001": true, "40P01": true, "40003": false, "23505": false, "57014": false} {
		is.Equal(retryable(translate(t.Context(), &pgconn.PgError{Code: state}, "thing")), want)
	}
	is.True(!retryable(io.ErrUnexpectedEOF))
}

// pgdriverError has the fields of the server's answer as pgdriver.Error does.
type pgdriverError map[byte]string

func (e pgdriverError) Error() string       { return "pgdriver" }
func (e pgdriverError) Field(k byte) string { return e[k] }
