package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// BadCase is one request that should be refused, or that must at least not
// break anything.
type BadCase struct {
	Name, Who, Method, Target, Body, ContentType string // "" as the content type: JSON
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
func (s Suite) badCases(t *testing.T, w World, o Operation) []BadCase {
	t.Helper()
	r := s.Replays(w)[o.ID]
	path, query, body := PathIn(w, o, r), QueryOf(o, r), RequestOf(o, r)
	var cases []BadCase
	add := func(name, target, body, contentType string) {
		cases = append(cases, BadCase{o.ID + ": " + name, r.Who, o.Methods[0], target, body, contentType})
	}
	for _, p := range o.PathParams {
		for _, bad := range slices.Sorted(maps.Keys(badPaths)) {
			other := strings.Replace(o.Path, "{"+p.Name+"}", badPaths[bad], 1)
			for parameter, name := range r.Path {
				other = strings.ReplaceAll(other, "{"+parameter+"}", w.Value(name))
			}
			add("path "+p.Name+" "+bad, other+query, body, "")
		}
	}
	for _, p := range append(slices.Clone(o.Query), Parameter{Name: "page"}) {
		if len(o.Query) == 0 {
			break
		}
		values, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
		if err != nil {
			t.Fatal(err)
		}
		rest := strings.Builder{}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if strings.TrimSuffix(name, "[]") != p.Name {
				rest.WriteString("&" + url.Values{name: values[name]}.Encode())
			}
		}
		for _, bad := range slices.Sorted(maps.Keys(badQueries)) {
			value := strings.ReplaceAll(strings.ReplaceAll(badQueries[bad], "&[]", "&"+p.Name+"[]"), "%s", p.Name)
			add("query "+p.Name+" "+bad, path+"?"+p.Name+value+rest.String(), body, "")
		}
	}
	if fields, ok := o.Request.(map[string]any); ok {
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			for _, bad := range slices.Sorted(maps.Keys(badValues)) {
				add("field "+field+" "+bad, path+query, withField(t, body, field, badValues[bad]), "")
			}
		}
		for _, bad := range slices.Sorted(maps.Keys(badBodies)) {
			add("body "+bad, path+query, badBodies[bad], "")
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
	return jsonText(fields)
}

func (s Suite) allBadCases(t *testing.T, w World) []BadCase {
	t.Helper()
	var cases []BadCase
	for _, o := range s.Built() {
		cases = append(cases, s.badCases(t, w, o)...)
	}
	return append(cases, s.Bad...)
}

func try(w World, c BadCase) *httptest.ResponseRecorder {
	contentType := c.ContentType
	if contentType == "" {
		contentType = "application/json"
	}
	return w.Send(c.Who, c.Method, c.Target, c.Body, "Content-Type", contentType)
}

func (s Suite) testBadInput(t *testing.T) {
	t.Run("memory", s.testBadInputInMemory)
	t.Run("postgres", s.testBadInputOnPostgres)
}

// The golden file has one line for each bad request: its name, the status and
// the body. Of requests that turn out to be good it has the status alone.
func (s Suite) testBadInputInMemory(t *testing.T) {
	var lines strings.Builder
	fresh, document := s.freshWorlds(t), DocumentOf(t, s.Document)
	for _, c := range s.allBadCases(t, s.Memory(t)) {
		got, changed := fresh.send(func(w World) *httptest.ResponseRecorder { return try(w, c) })
		if err := document.Check(c.Method, c.Target, got); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		answer := fmt.Sprint(got.Code)
		if got.Code >= 400 {
			answer += " " + strings.TrimSpace(got.Body.String())
			if changed {
				t.Errorf("%s: refused with %s and changed something", c.Name, answer)
			}
		}
		if got.Code >= 500 {
			t.Errorf("%s: %s", c.Name, answer)
		}
		fmt.Fprintf(&lines, "%s → %s\n", c.Name, answer)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(s.Golden, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, got := strings.Split(s.golden(t), "\n"), strings.Split(lines.String(), "\n")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("line %d:\n got %s\nwant %s", i+1, at(got, i), at(want, i))
		}
	}
}

func (s Suite) golden(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.Golden)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func at(lines []string, i int) string {
	if i >= len(lines) {
		return "(nothing)"
	}
	return lines[i]
}

// On Postgres, one world must give every refusal of the golden file, byte by
// byte, and be the same afterwards.
func (s Suite) testBadInputOnPostgres(t *testing.T) {
	t.Parallel()
	want := map[string]string{}
	for line := range strings.SplitSeq(s.golden(t), "\n") {
		name, answer, _ := strings.Cut(line, " → ")
		want[name] = answer
	}
	w := s.Postgres(t)
	before := w.Dump()
	refused := 0
	for _, c := range s.allBadCases(t, w) {
		if len(want[c.Name]) == len("200") {
			continue // it is good, and changes the world
		}
		refused++
		got := try(w, c)
		if answer := fmt.Sprint(got.Code, " ", strings.TrimSpace(got.Body.String())); answer != want[c.Name] {
			t.Errorf("%s:\n got %s\nwant %s", c.Name, answer, want[c.Name])
		}
	}
	if refused < s.MinBad {
		t.Errorf("only %d bad requests, want %d", refused, s.MinBad)
	}
	if after := w.Dump(); after != before {
		t.Errorf("refused requests changed something:\n%s\n%s", before, after)
	}
}

// BadCases takes cases of a type of the dialect's own, as [Rows] does.
func BadCases[C ~struct{ Name, Who, Method, Target, Body, ContentType string }](cases []C) []BadCase {
	out := make([]BadCase, len(cases))
	for i, c := range cases {
		out[i] = BadCase(c)
	}
	return out
}
