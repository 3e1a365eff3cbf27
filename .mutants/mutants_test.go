package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The shelf in testdata has changes that a case notices, some that none does, and a function that
// no case reaches.
func TestChangesAreNoticedOrReported(t *testing.T) {
	shelf := test{".", "TestShelf"}
	s, err := prepare("testdata/shelf", backend{tests: shelf.tests, runs: []run{{name: shelf.name}}, listed: shelf, packages: []string{"."}}, regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.reach(2); err != nil {
		t.Fatal(err)
	}
	results := s.judge(s.changes, 2)
	got := map[string]string{}
	for _, r := range results {
		got[r.function+": "+r.what] = r.noticed
	}
	const few, three = "books/a_few,_by_title", "books/no_more_than_three"
	for what, want := range map[string]string{
		"Shelf.room: len(s.books) >= limit → len(s.books) > limit":                  three,
		"Shelf.Add: err != nil → false":                                             three,
		"Shelf.Add: without .UTC()":                                                 few,
		"Shelf.Add: without s.books = append(s.books, b)":                           few,
		"Shelf.Add: without s.adds++":                                               "",
		"Shelf.Add: without the locks of s.mu":                                      "",
		"Shelf.Books: slices.Clone(s.books) → s.books":                              "",
		"Shelf.Books: cmp.Compare(a.Title, b.Title) → backwards":                    few,
		"Shelf.Books: min(max, len(out)) → max":                                     few,
		"Shelf.Pages: sum + b.Pages → sum - b.Pages":                                few,
		"Shelf.Newest: s.books[len(s.books)-1].Since.After(after) → or equal":       few,
		"Shelf.Newest: len(s.books) > 0 → true":                                     "",
		`Shelf.Query: SQL ERE id = ? ORDER BY title« FOR UPDATE» → ""`:              "query",
		`Shelf.Query: SQL FROM books WHERE id = ? «ORDER BY title» FOR UPDATE → ""`: "",
		"Shelf.Empty: len(s.books) == 0 → true":                                     "",
	} {
		failed, ok := got[what]
		switch {
		case !ok:
			t.Errorf("there is no change %q among %d", what, len(got))
		case (failed == "") != (want == ""):
			t.Errorf("%s: noticed by %q, want %q", what, failed, want)
		}
	}
	var out strings.Builder
	report(&out, results)
	if want := "shelf.go:81: Shelf.Empty: len(s.books) == 0 → true (no case reaches it)\n"; !strings.Contains(out.String(), want) {
		t.Errorf("the report has no line %q:\n%s", want, &out)
	}
	if strings.Contains(out.String(), "len(s.books) > limit") {
		t.Errorf("the report names a change that was noticed:\n%s", &out)
	}
}

func TestEquivalentChangesHaveTheirReason(t *testing.T) {
	got, err := parseEquivalent("# one\na\nb\n\n# two\nc\n")
	if err != nil || got["b"] != "one" || got["c"] != "two" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := parseEquivalent("# one\na\n\nb\n"); err == nil {
		t.Error("b has no reason")
	}
	if _, err := parseEquivalent(equivalentText); err != nil {
		t.Error(err)
	}
}

// What is listed about code that has changed says nothing any more.
func TestEquivalentChangesAreStillThere(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, b := range backends {
		r := &rewriter{root: root}
		if _, err := r.rewrite(t.TempDir(), b.packages...); err != nil {
			t.Fatal(err)
		}
		for _, c := range numbered(r.changes) {
			there[c.key()] = true
		}
	}
	equivalent, err := parseEquivalent(equivalentText)
	if err != nil {
		t.Fatal(err)
	}
	for key := range equivalent {
		if !there[key] {
			t.Errorf("equivalent.txt: there is no change %q", key)
		}
	}
}
