package shelf

import (
	"strings"
	"testing"
	"time"
)

func TestShelf(t *testing.T) {
	for name, run := range map[string]func(*testing.T){
		"books/a few, by title": func(t *testing.T) {
			s := filled(t, "b", "c", "a")
			got := s.Books(2)
			if len(got) != 2 || got[0].Title != "a" || got[1].Title != "b" || got[0].Since.Location() != time.UTC {
				t.Errorf("got %v", got)
			}
			if s.Pages() != 30 || s.Newest(at) || !s.Newest(at.Add(-1)) {
				t.Errorf("got %d pages", s.Pages())
			}
		},
		"books/no more than three": func(t *testing.T) {
			if err := filled(t, "a", "b", "c").Add(Book{Title: "d"}); err == nil {
				t.Error("a fourth was kept")
			}
		},
		"wait": func(t *testing.T) {
			if !new(Shelf).Wait(time.Millisecond) {
				t.Error("the timer was stopped")
			}
		},
		"query": func(t *testing.T) {
			if !strings.Contains(new(Shelf).Query(), "FOR UPDATE") {
				t.Error("it does not lock")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
}

var at = time.Date(2026, 3, 14, 15, 9, 26, 0, time.FixedZone("", 3600))

func filled(t *testing.T, titles ...string) *Shelf {
	t.Helper()
	s := new(Shelf)
	for _, title := range titles {
		if err := s.Add(Book{title, 10, at}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
