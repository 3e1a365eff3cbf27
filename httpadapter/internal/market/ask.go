package market

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Answers sends a request and compares status and body, in which ids of the
// world are filled in.
func (w *World) Answers(who, method, target, body string, status int, want string) {
	w.T.Helper()
	got := w.Send(who, method, target, body)
	if got.Code != status || got.Body.String() != w.Body(want) {
		w.T.Errorf("%s %s as %s:\n got %d %s\nwant %d %s", method, target, who, got.Code, got.Body, status, w.Body(want))
	}
}

// Holds looks for parts of an answer.
func (w *World) Holds(got *httptest.ResponseRecorder, status int, parts ...string) {
	w.T.Helper()
	for _, part := range parts {
		if got.Code != status || !strings.Contains(got.Body.String(), w.Body(part)) {
			w.T.Errorf("got %d %s, want %d with %s", got.Code, got.Body, status, w.Body(part))
		}
	}
}

// Follow sends a reader to a link; headers are name, value pairs.
func (w *World) Follow(target string, headers ...string) *httptest.ResponseRecorder {
	w.T.Helper()
	return w.Send("nobody", "GET", target, "", headers...)
}

// Field is one field of an answer, by its path: "data.0.image.url".
func Field(t *testing.T, answer *httptest.ResponseRecorder, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(answer.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %d %s", err, answer.Code, answer.Body)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch container := v.(type) {
		case map[string]any:
			v = container[name]
		case []any:
			if len(container) == 0 || name != "0" {
				t.Fatalf("no %s in %s", path, answer.Body)
			}
			v = container[0]
		default:
			t.Fatalf("no %s in %s", path, answer.Body)
		}
	}
	return v
}

// Names are the values of a field of the items on a list.
func Names(t *testing.T, answer *httptest.ResponseRecorder, field string) string {
	t.Helper()
	var list struct{ Data []map[string]any }
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	var names []string
	for _, item := range list.Data {
		names = append(names, fmt.Sprint(item[field]))
	}
	return strings.Join(names, " ")
}

// Identities are principals that are known without asking the database.
type Identities map[string]affiliate.Principal

// Authenticate looks the Authorization header up.
func (i Identities) Authenticate(r *http.Request) (affiliate.Principal, error) {
	if s, ok := sessionOf(r); ok {
		return affiliate.Principal{Role: affiliate.RoleSession, Subject: s.Subject, Name: s.Email, Session: s}, nil
	}
	p, ok := i[r.Header.Get("Authorization")]
	if !ok {
		return p, &affiliate.Error{Kind: affiliate.ErrUnauthenticated}
	}
	return p, nil
}

// Identities are the world's principals, and its author.
func (w *World) Identities() Identities {
	w.T.Helper()
	known := Identities{}
	for _, who := range slices.Concat(Principals[1:], []string{"author"}) {
		known[Token(who)] = Must(w.People.Authenticate(w.T.Context(), Token(who)))(w.T)
	}
	return known
}

// NamesOnPlain is Names of a list without an envelope.
func NamesOnPlain(t *testing.T, answer *httptest.ResponseRecorder, name string) string {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	var all []string
	for _, item := range list {
		all = append(all, item[name].(string))
	}
	return strings.Join(all, " ")
}
