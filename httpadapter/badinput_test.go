package httpadapter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter"
)

// badCase is one request that should be refused, or that must at least not
// break anything.
type badCase struct {
	name, who, method, target, body, contentType string
}

// The values that are put in the place of every parameter and field.
var (
	badPaths = map[string]string{
		"no number": "x", "negative": "-1", "zero": "0", "leading zero": "01", "huge": "99999999999999999999", "NUL": "%00", "not UTF-8": "%ff", "long": strings.Repeat("9", 5000),
	}
	badQueries = map[string]string{
		"no number": "=x", "negative": "=-1", "zero": "=0", "huge": "=99999999999999999999", "NUL": "=a%00b", "not UTF-8": "=%ff",
		"long": "=" + strings.Repeat("y", 5000), "object": "[a][b]=1", "list": "[]=x&[]=x", "twice": "=1&%s=x", "broken escape": "=%zz",
	}
	badValues = map[string]string{
		"object": `{"a":{"b":1}}`, "list of lists": `[[["x"]]]`, "number": `-1`, "huge": `99999999999999999999`, "fraction": `1.5`, "boolean": `true`,
		"NUL": `"a\u0000b"`, "lone surrogate": `"\ud800"`, "long": `"` + strings.Repeat("z", 5000) + `"`, "empty": `""`, "null": `null`, "list of nulls": `[null]`,
	}
	badBodies = map[string]string{
		"malformed": `{"a":`, "garbage behind": `{} x`, "a list": `[]`, "a text": `"x"`, "not UTF-8": "{\"a\":\"\xff\"}", "deep": strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50),
		"none": "", "empty": "{}", "large": `{"a":"` + strings.Repeat("x", 1<<20) + `"}`,
	}
)

// badCases are the bad requests of one operation, made from its documented one.
func (w *world) badCases(t *testing.T, o operation) []badCase {
	t.Helper()
	r := w.replays()[o.ID]
	method, path, query, body := o.Methods[0], w.documentedPath(o), documentedQuery(o, r), documentedBody(t, o, r)
	var cases []badCase
	add := func(name, target, body, contentType string) {
		cases = append(cases, badCase{o.ID + ": " + name, r.who, method, target, body, contentType})
	}
	for _, p := range o.PathParams {
		for _, bad := range slices.Sorted(maps.Keys(badPaths)) {
			other := strings.Replace(o.Path, "{"+p.Name+"}", badPaths[bad], 1)
			for parameter, name := range r.path {
				other = strings.ReplaceAll(other, "{"+parameter+"}", w.value(name))
			}
			add("path "+p.Name+" "+bad, other+query, body, "application/json")
		}
	}
	for _, p := range append(slices.Clone(o.Query), parameter{Name: "page"}) {
		if len(o.Query) == 0 {
			break
		}
		rest := strings.Builder{}
		for name, values := range must(url.ParseQuery(strings.TrimPrefix(query, "?")))(t) {
			if strings.TrimSuffix(name, "[]") != p.Name {
				rest.WriteString("&" + url.Values{name: values}.Encode())
			}
		}
		for _, bad := range slices.Sorted(maps.Keys(badQueries)) {
			value := strings.ReplaceAll(strings.ReplaceAll(badQueries[bad], "&[]", "&"+p.Name+"[]"), "%s", p.Name)
			add("query "+p.Name+" "+bad, path+"?"+p.Name+value+rest.String(), body, "application/json")
		}
	}
	if fields, ok := o.Request.(map[string]any); ok {
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			for _, bad := range slices.Sorted(maps.Keys(badValues)) {
				add("field "+field+" "+bad, path+query, withField(t, body, field, badValues[bad]), "application/json")
			}
		}
		for _, bad := range slices.Sorted(maps.Keys(badBodies)) {
			add("body "+bad, path+query, badBodies[bad], "application/json")
		}
		add("body XML", path+query, "<a/>", "application/xml")
		add("body not UTF-8 form", path+query, "a=%ff&url=%ff&name=%00&users[0][id]=%ff&user_ids[]=%00", "application/x-www-form-urlencoded")
		add("body multipart without boundary", path+query, "x", "multipart/form-data")
	}
	return cases
}

func withField(t *testing.T, body, field, value string) string {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		t.Fatal(err)
	}
	fields[field] = json.RawMessage(value)
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// moreBadCases are those that only the domains know to be bad.
var moreBadCases = []badCase{
	{"blocklist-add: unknown and another's ids", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist",
		`{"users":[{"id":‹user bo›},{"id":999999}],"user_tag_ids":[‹tag norse›,‹tag vip›],"client_ids":[-1,‹client west›]}`, ""},
	{"blocklist-add: twice the same", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"id":‹user bo›},{"id":‹user bo›},{"id":‹user carl›}]}`, ""},
	{"blocklist-add: too many", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"client_ids":[` + strings.Repeat("1,", 1000) + `1]}`, ""},
	{"blocklist-add: too many together", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"client_ids":[` + strings.Repeat("1,", 600) + `1],"user_tag_ids":[` + strings.Repeat("1,", 600) + `1]}`, ""},
	{"blocklist-add: a user without an id", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"users":[{"validate_clicks":"maybe"},5]}`, ""},
	{"url-matching-rule-add: everything at once", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"sell","url":"com","keyword":"` + strings.Repeat("k", 256) + `","is_main":true}`, ""},
	{"url-matching-rule-add: an address", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"allow","url":"192.0.2.1"}`, ""},
	{"url-matching-rule-add: there already", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/url-matching-rules", `{"type":"block","url":"https://ACME.example/private/","keyword":"STAFF"}`, ""},
	{"url-matching-rule-update: the main rule steps down", "advertiser", "PATCH", "/v2/advertisers/{advertiser acme}/url-matching-rules/{main rule acme}", `{"is_main":false}`, ""},
	{"url-matching-rule-remove: the main rule", "advertiser", "DELETE", "/v2/advertisers/{advertiser acme}/url-matching-rules/{main rule acme}", "", ""},
	{"self-service-store-create: nothing right", "advertiser", "POST", "/v2/stores", `{"name":"","domains":["com","ok.example",["127.0.0.1"]],"country":"Sweden","currency":"SEKK","categories":[-1],"language":"` + strings.Repeat("l", 36) + `","billing":{"city":"` + strings.Repeat("c", 256) + `"}}`, ""},
	{"self-service-store-create: unknown category", "advertiser", "POST", "/v2/stores", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK","categories":[999999]}`, ""},
	{"self-service-store-create: too many domains", "advertiser", "POST", "/v2/stores", `{"name":"New","domains":[["a.example"` + strings.Repeat(`,"a.example"`, 100) + `]],"country":"SE","currency":"SEK"}`, ""},
	{"user-affiliate-link-convert-v3: several shops", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://mall.example/x"}`, ""},
	{"user-affiliate-link-convert-v3: another shop's", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://mall.example/x","advertiser_id":‹advertiser acme›}`, ""},
	{"user-affiliate-link-convert-v3: a disguised host", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://acme.example@evil.example/"}`, ""},
	{"user-affiliate-link-convert-v3: hidden", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://hidden.example/","ignore_advertiser_visibility":true}`, ""},
	{"user-affiliate-link-convert-v3: closed", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://closed.example/"}`, ""},
	{"user-affiliate-link-convert-v3: blocked by rule", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://acme.example/private/staff"}`, ""},
	{"user-affiliate-link-convert-v3: blocked by client", "creator_2", "POST", "/v3/users/{user bo}/affiliate-links", `{"url":"https://acme.example/"}`, ""},
	{"user-affiliate-link-convert-v3: not approved", "client", "POST", "/v3/users/{user carl}/affiliate-links", `{"url":"https://acme.example/"}`, ""},
	{"user-affiliate-link-convert-v3: another's link", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://go.example/c/‹link bo›"}`, ""},
	{"user-affiliate-link-convert-v3: no web address", "creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"javascript:alert(1)"}`, ""},
	{"users-match: neither id nor address", "admin", "POST", "/v2/match-users", `{"user_emails_or_ids":[1.5,true,{},""]}`, ""},
	{"users-match: too many", "admin", "POST", "/v2/match-users", `{"user_emails_or_ids":[` + strings.Repeat("1,", 1000) + `1]}`, ""},
	{"users-match: none", "admin", "POST", "/v2/match-users", `{"user_emails_or_ids":[]}`, ""},
	{"users-approve: too many", "admin", "POST", "/v2/approve-users", `{"user_ids":[` + strings.Repeat("1,", 1000) + `1]}`, ""},
	{"users-ban: none", "admin", "POST", "/v2/ban-users", `{"user_ids":[]}`, ""},
	{"users-list: unknown column", "admin", "GET", "/v2/users?sort_by=password:asc", "", ""},
	{"stores-list: unknown direction", "admin", "GET", "/v2/stores?sort_by=name:up", "", ""},
}

func (w *world) allBadCases(t *testing.T) []badCase {
	t.Helper()
	var cases []badCase
	for _, o := range built(t) {
		cases = append(cases, w.badCases(t, o)...)
	}
	return slices.Concat(cases, moreBadCases, moreBadOffers)
}

func (w *world) try(c badCase) *httptest.ResponseRecorder {
	contentType := c.contentType
	if contentType == "" {
		contentType = "application/json"
	}
	return w.send(c.who, c.method, c.target, c.body, "Content-Type", contentType)
}

const golden = "testdata/badinput.golden"

// The golden file has one line for each bad request: its name, the status and
// the body. Of requests that turn out to be good it has the status alone.
// UPDATE_GOLDEN=1 writes it; read the difference before you keep it.
func TestBadInputInMemory(t *testing.T) {
	var lines strings.Builder
	for _, c := range newWorld(t, inMemory()).allBadCases(t) {
		w := newWorld(t, inMemory())
		before := w.dump()
		got := w.try(c)
		answer := fmt.Sprint(got.Code)
		if got.Code >= 400 {
			answer += " " + got.Body.String()
			if w.dump() != before {
				t.Errorf("%s: refused with %s and changed something", c.name, answer)
			}
		}
		if got.Code >= 500 {
			t.Errorf("%s: %s", c.name, answer)
		}
		fmt.Fprintf(&lines, "%s → %s\n", c.name, answer)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Split(string(must(os.ReadFile(golden))(t)), "\n")
	got := strings.Split(lines.String(), "\n")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("line %d:\n got %s\nwant %s", i+1, at(got, i), at(want, i))
		}
	}
}

func at(lines []string, i int) string {
	if i >= len(lines) {
		return "(nothing)"
	}
	return lines[i]
}

// On Postgres, one world must give every refusal of the golden file, byte by
// byte, and be the same afterwards.
func TestBadInputOnPostgres(t *testing.T) {
	t.Parallel()
	want := map[string]string{}
	for line := range strings.SplitSeq(string(must(os.ReadFile(golden))(t)), "\n") {
		name, answer, _ := strings.Cut(line, " → ")
		want[name] = answer
	}
	w := newWorld(t, onPostgres(t))
	before := w.dump()
	refused := 0
	for _, c := range w.allBadCases(t) {
		if len(want[c.name]) == len("200") {
			continue // it is good, and changes the world
		}
		refused++
		got := w.try(c)
		if answer := fmt.Sprint(got.Code, " ", got.Body); answer != want[c.name] {
			t.Errorf("%s:\n got %s\nwant %s", c.name, answer, want[c.name])
		}
	}
	if refused < 300 {
		t.Errorf("only %d bad requests", refused)
	}
	if after := w.dump(); after != before {
		t.Errorf("refused requests changed something:\n%s\n%s", before, after)
	}
}

func TestADeadDatabaseIsUnavailable(t *testing.T) {
	w := newWorld(t, inMemory())
	known := w.adapter(httpadapter.Options{Authenticator: w.identities()})
	before := w.dump()
	w.down.Store(true)
	for _, o := range built(t) {
		r := w.replays()[o.ID]
		for name, handler := range map[string]func() *httptest.ResponseRecorder{
			"before it is known who asks": func() *httptest.ResponseRecorder { return w.sendDocumented(t, o, r) },
			"after": func() *httptest.ResponseRecorder {
				return w.sendTo(known, r.who, o.Methods[0], w.documentedPath(o)+documentedQuery(o, r), documentedBody(t, o, r))
			},
		} {
			got := handler()
			want, body := 503, `{"message":"The service is temporarily unavailable.","code":"unavailable"}`
			if o.ID == "health-get" {
				want, body = 200, `{"status":"up"}`
			}
			if got.Code != want || got.Body.String() != body {
				t.Errorf("%s, %s: got %d %s, want %d", o.ID, name, got.Code, got.Body, want)
			}
		}
	}
	w.down.Store(false)
	if w.dump() != before {
		t.Error("something was changed")
	}
}

func (w *world) sendDocumented(t *testing.T, o operation, r replay) *httptest.ResponseRecorder {
	t.Helper()
	return w.send(r.who, o.Methods[0], w.documentedPath(o)+documentedQuery(o, r), documentedBody(t, o, r))
}

func TestACancelledRequestChangesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		handler := w.adapter(httpadapter.Options{Authenticator: w.identities()})
		before := w.dump()
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, o := range built(t) {
			r := w.replays()[o.ID]
			request := httptest.NewRequestWithContext(cancelled, o.Methods[0], w.documentedPath(o)+documentedQuery(o, r), strings.NewReader(documentedBody(t, o, r)))
			request.Header.Set("Authorization", token(r.who))
			request.Header.Set("Content-Type", "application/json")
			got := httptest.NewRecorder()
			handler.ServeHTTP(got, request)
			if o.ID != "health-get" {
				is.Equal(got.Code, 503) // operation
			}
		}
		is.Equal(w.dump(), before)
	})
}
