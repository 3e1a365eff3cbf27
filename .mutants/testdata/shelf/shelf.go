// Package shelf has one of each kind of change, for the test of the runner.
package shelf

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"
)

type Book struct {
	Title string
	Pages int
	Since time.Time
}

type Shelf struct {
	mu    sync.Mutex
	books []Book
	adds  int
}

const limit = 3

var errFull = errors.New("full")

func (s *Shelf) Add(b Book) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(); err != nil {
		return err
	}
	b.Since = b.Since.UTC()
	s.books = append(s.books, b)
	s.adds++
	return nil
}

func (s *Shelf) room() error {
	if len(s.books) >= limit {
		return errFull
	}
	return nil
}

func (s *Shelf) Books(max int) []Book {
	out := slices.Clone(s.books)
	slices.SortFunc(out, func(a, b Book) int { return cmp.Compare(a.Title, b.Title) })
	return out[:min(max, len(out))]
}

func (s *Shelf) Pages() (sum int) {
	for _, b := range s.books {
		sum = sum + b.Pages
	}
	return sum
}

func (s *Shelf) Newest(after time.Time) bool {
	return len(s.books) > 0 && s.books[len(s.books)-1].Since.After(after)
}

func (s *Shelf) Query() string {
	return "SELECT title FROM books WHERE id = ? ORDER BY title FOR UPDATE"
}

// Wait is for a timer that must not be stopped before it is over.
func (s *Shelf) Wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-time.After(time.Minute):
		return false
	}
}

// Empty is what no case calls.
func (s *Shelf) Empty() bool { return len(s.books) == 0 }
