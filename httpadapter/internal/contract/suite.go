package contract

import (
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// World is a dialect over a fresh backend with fixtures.
type World interface {
	// Send makes a request as one of the principals and fills the ids of
	// fixtures into target and body. Headers are name, value pairs.
	Send(who, method, target, body string, headers ...string) *httptest.ResponseRecorder
	// Value is the id of a fixture: Value("user anna").
	Value(name string) string
	// Dump is everything that the world keeps, as text. Equal dumps say that
	// nothing changed in between.
	Dump() string
}

// Suite is a dialect with all that the kit needs to test it. See the package
// comment.
type Suite struct {
	Facts      Facts
	Document   string   // the name of the dialect's OpenAPI document
	NotBuilt   []string // ids of documented operations without a route
	Routes     []wire.Route
	Open       []string // ids of operations that need no principal
	Principals []string // the columns of the tenancy table

	Memory, Postgres func(testing.TB) World

	Replays func(World) map[string]Replay
	Tenancy []Row
	Bad     []BadCase
	Golden  string // the file of refused bad requests

	// Operator is who sends values at their bounds in a query; "": admin.
	Operator string
	// Partial says that PUT and PATCH change what is sent: a field that the
	// document marks as required may be left out of them.
	Partial bool
	// Narrower are documented fields of which the domain takes less than their
	// bounds say: "user-create email". Only their refusals are tested.
	Narrower []string
	// Unread are documented fields that no input reads: "offer-create feed".
	Unread []string
	// Invalid is the status of a value that breaks a documented bound; 0: 422.
	Invalid int
	// Refuses reports whether an error's body names the field; nil: the body
	// has the field's dotted name as a JSON string.
	Refuses func(body, field string) bool
	// MinBad is how many bad requests there must be at least.
	MinBad int
}

// Run runs all tests of the kit.
func (s Suite) Run(t *testing.T) {
	t.Run("routes", s.testRoutes)
	t.Run("parameters", s.testParameters)
	t.Run("bounds", s.testBounds)
	t.Run("replay", s.testReplay)
	t.Run("tenancy", s.testTenancy)
	t.Run("bad input", s.testBadInput)
}

// Built are the operations that have a route.
func (s Suite) Built() []Operation {
	return slices.DeleteFunc(slices.Clone(s.Facts.Operations), func(o Operation) bool { return slices.Contains(s.NotBuilt, o.ID) })
}

func (s Suite) operator() string {
	if s.Operator == "" {
		return "admin"
	}
	return s.Operator
}

// refuses reports whether an answer refuses the value of a field.
func (s Suite) refuses(answer *httptest.ResponseRecorder, field string) bool {
	if answer.Code != s.invalid() {
		return false
	}
	if s.Refuses != nil {
		return s.Refuses(answer.Body.String(), field)
	}
	return strings.Contains(answer.Body.String(), strconv.Quote(field))
}

func (s Suite) invalid() int {
	if s.Invalid == 0 {
		return 422
	}
	return s.Invalid
}

// eachBackend runs a test in a world of its own on every backend.
func (s Suite) eachBackend(t *testing.T, test func(*testing.T, World)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, s.Memory(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, s.Postgres(t))
	})
}

// freshWorlds gives each request a world in memory as it was at the beginning.
type freshWorlds struct {
	open   func() World
	world  World
	before string
}

func (s Suite) freshWorlds(t *testing.T) *freshWorlds {
	return &freshWorlds{open: func() World { return s.Memory(t) }}
}

// send sends a request to a fresh world, and reports whether it changed
// something there. A world that refused a request without a change is used
// again.
func (f *freshWorlds) send(request func(World) *httptest.ResponseRecorder) (answer *httptest.ResponseRecorder, changed bool) {
	if f.world == nil {
		f.world = f.open()
		f.before = f.world.Dump()
	}
	answer = request(f.world)
	if answer.Code < 400 {
		f.world = nil
		return answer, true
	}
	if changed = f.world.Dump() != f.before; changed {
		f.world = nil
	}
	return answer, changed
}
