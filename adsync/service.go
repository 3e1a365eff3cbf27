package adsync

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/gather"
)

// PageSize is how many records a page has when nobody says otherwise.
const PageSize = 25

// MaxPageSize bounds the size of a page.
const MaxPageSize = 1000

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// NewID makes the ids of records; default: UUID version 7.
	NewID func() (uuid.UUID, error)
	// Random is where fingerprint keys come from; default: crypto/rand.
	Random io.Reader
	// ContentLanguages are those that items may have; default: "pt-br".
	ContentLanguages []string
}

// Service holds the rules of the package. It is safe for concurrent use.
//
// It works for one viewer, see [Service.For]. For a sync account, the records
// of other accounts do not exist: the error is that of an unknown id.
type Service struct {
	store     Store
	clock     affiliate.Clock
	newID     func() (uuid.UUID, error)
	random    io.Reader
	languages []string
	who       scope
	group     *gather.Group[*itemSave] // nil in a transaction of the host's, which one goroutine uses
}

// scope is for whom a service works.
type scope struct {
	account  string // whose records it sees; empty for an operator: everybody's
	operator bool
	test     bool // the credentials are for tests alone
}

// NewService returns the service over a store, for the operator.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("adsync: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.NewID == nil {
		o.NewID = uuid.NewV7
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	o.ContentLanguages = slices.Clone(o.ContentLanguages)
	if len(o.ContentLanguages) == 0 {
		o.ContentLanguages = []string{"pt-br"}
	}
	s := &Service{
		store: store, clock: o.Clock, newID: o.NewID, random: o.Random, languages: o.ContentLanguages, who: scope{operator: true},
	}
	s.group = gather.NewGroup(maxGathered, gather.Timeout, s.saveGathered)
	return s, nil
}

// For returns the service for a viewer: a sync account sees its own records and
// no others, the operator sees all. Every other viewer gets ErrForbidden from
// each call.
func (s *Service) For(v affiliate.Viewer) *Service {
	c := *s
	p := v.Principal()
	switch {
	case v.IsOperator():
		c.who = scope{operator: true}
	case p.Role == affiliate.RoleSync:
		c.who = scope{account: p.Subject, test: p.Test}
	default:
		c.who = scope{}
	}
	return &c
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store, in.group = store, nil
	return &in
}

// ForAccount returns the service for the operator who works on one account:
// what it creates belongs to the account, and it sees no other account's records.
// It is ErrForbidden in every call of a service that is not the operator's.
func (s *Service) ForAccount(accountID string) *Service {
	c := *s
	c.who = scope{}
	if s.who.operator {
		c.who = scope{account: accountID, operator: true}
	}
	return &c
}

// origin says how what this service creates came to be.
func (s *Service) origin() Origin {
	if s.who.operator {
		return ViaAdmin
	}
	return ViaAPI
}

// admit refuses who is neither the operator nor an account.
func (s *Service) admit() error {
	if !s.who.operator && s.who.account == "" {
		return affiliate.Forbidden("")
	}
	return nil
}

// admitOperator refuses everybody but the operator.
func (s *Service) admitOperator() error {
	if !s.who.operator {
		return affiliate.Forbidden("Only the operator may do this.")
	}
	return nil
}

// sees reports whether the records of an account exist for the viewer.
func (s *Service) sees(accountID string) bool {
	return s.who.operator && s.who.account == "" || s.who.account == accountID
}

// owner returns the account that new records belong to.
func (s *Service) owner(ctx context.Context, tx Tx) (Account, error) {
	if err := s.named(); err != nil {
		return Account{}, err
	}
	return s.accountOf(ctx, tx, s.who.account)
}

// named refuses an operator who works on no account.
func (s *Service) named() error {
	if s.who.account == "" {
		return affiliate.Invalid("sync_account", affiliate.FieldError{
			Field: "account_id", Code: "required", Message: "is required: use ForAccount",
		})
	}
	return nil
}

// accountOf returns the account of a record that the viewer may change.
func (s *Service) accountOf(ctx context.Context, tx Tx, id string) (Account, error) {
	a, err := tx.SyncAccounts().Get(ctx, id)
	return s.mayChange(a, err)
}

// mayChange takes what SyncAccounts.Get returned for the account of a record.
func (s *Service) mayChange(a Account, err error) (Account, error) {
	switch {
	case errors.Is(err, affiliate.ErrNotFound):
		return a, &affiliate.Error{Kind: affiliate.ErrForbidden, Code: "account_not_registered", Message: "This account is not registered for ad sync."}
	case err != nil:
		return a, err
	case s.who.test && !a.Test:
		return a, &affiliate.Error{Kind: affiliate.ErrForbidden, Code: "test_credentials", Message: "These credentials are for tests; the account is a live one."}
	}
	return a, nil
}

// gone is the error of a record that was removed.
func gone(resource string, id uuid.UUID) error {
	return &affiliate.Error{
		Kind: affiliate.ErrState, Code: CodeRemoved, Resource: resource, ID: id.String(), Message: "This record was removed.",
	}
}

// CodeRemoved is the code of the ErrState that a removed record has.
const CodeRemoved = "removed"

// parseID reads an id in the one spelling that the library prints, in either case.
func parseID(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(s)
	return id, err == nil
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// Next is where the next page begins; absent on the last one.
	Next affiliate.Optional[Cursor]
}

// PageRequest asks for one page of a list, in the order of creation.
type PageRequest struct {
	After Cursor // zero: the first page
	Size  int    // 0: PageSize; at most MaxPageSize
}

// page reads one value more than the page has, to see whether there is another.
func page[T any](p PageRequest, place func(T) Cursor, list func(after Cursor, limit int) ([]T, error)) (Page[T], error) {
	size := p.Size
	if size == 0 {
		size = PageSize
	}
	if size < 1 || size > MaxPageSize {
		return Page[T]{}, affiliate.Invalid("page", affiliate.FieldError{Field: "page.size", Code: "out_of_range", Message: "must be between 1 and 1000"})
	}
	items, err := list(p.After, size+1)
	if err != nil {
		return Page[T]{}, err
	}
	var out Page[T]
	if len(items) > size {
		items = items[:size]
		out.Next = affiliate.Some(place(items[size-1]))
	}
	out.Items = items
	return out, nil
}

// Field is an attribute of an input: not sent (the zero Field), sent as null,
// or sent with a value.
type Field[T any] struct {
	Value T
	Set   bool
	Null  bool
}

// Sent returns a field that was sent with a value.
func Sent[T any](v T) Field[T] { return Field[T]{Value: v, Set: true} }

// Null returns a field that was sent as null.
func Null[T any]() Field[T] { return Field[T]{Set: true, Null: true} }

// given returns the value of the field; the zero one when there is none.
func (f Field[T]) given() T {
	if f.Set && !f.Null {
		return f.Value
	}
	var none T
	return none
}

// changes puts what was sent into a record and notes what is missing.
type changes struct {
	bad      affiliate.Validation
	missing  []string
	creating bool
}

// optional takes a field that null clears.
func optional[T any](dst *T, f Field[T]) {
	if f.Set {
		*dst = f.given()
	}
}

// required takes a field that a record must have.
func required[T any](c *changes, name string, dst *T, f Field[T]) {
	switch {
	case f.Set && !f.Null:
		*dst = f.Value
	case f.Set || c.creating:
		c.bad.Add(name, "required", "is required")
		c.missing = append(c.missing, name)
	}
}

// fixed refuses a field that names another value than the record has.
func (c *changes) fixed(name string, sent, have string) {
	c.bad.Check(sent == "" || sent == have, name, "fixed", "must not change")
}

// state takes a state that the table of states allows.
func (c *changes) state(dst *State, f Field[State]) {
	before := *dst
	required(c, "state", dst, f)
	if *dst == before || slices.Contains(c.missing, "state") {
		return
	}
	if oneOf(*dst, States()) && !before.CanBecome(*dst) {
		c.bad.Add("state", "illegal_transition", "must be active or paused when the record is created")
	}
}

// err is everything that is wrong: what was noted, and what the record itself
// refuses, but for the fields that were noted as missing.
func (c *changes) err(resource string, invalid error) error {
	var e *affiliate.Error
	if errors.As(invalid, &e) {
		for _, f := range e.Fields {
			if !slices.ContainsFunc(c.missing, func(name string) bool { return f.Field == name || strings.HasPrefix(f.Field, name+".") }) {
				c.bad.Add(f.Field, f.Code, f.Message)
			}
		}
	}
	return c.bad.Err(resource)
}

// enqueue queues jobs for records of an account, unless it is a test account.
func enqueue(ctx context.Context, tx Tx, a Account, at time.Time, jobs ...Job) error {
	if a.Test || len(jobs) == 0 {
		return nil
	}
	return tx.SyncJobs().Enqueue(ctx, at, jobs...)
}
