package memory

import "strings"

// words gives each text that comes again and again a small number, so that a
// row of millions keeps four bytes of it. The number of the empty text is 0.
type words struct {
	texts   slab[string]
	numbers map[string]uint32
}

func newWords() words { return words{numbers: map[string]uint32{}} }

// number is the text's number, given now when it has none.
func (w *words) number(s string) uint32 {
	if s == "" {
		return 0
	}
	if n, ok := w.numbers[s]; ok {
		return n
	}
	s = strings.Clone(s) // which may be a piece of something large
	n := w.texts.push(s)
	w.numbers[s] = n
	return n
}

// find is the number of a text that has one.
func (w *words) find(s string) (uint32, bool) {
	if s == "" {
		return 0, true
	}
	n, ok := w.numbers[s]
	return n, ok
}

func (w *words) text(n uint32) string {
	if n == 0 {
		return ""
	}
	return *w.texts.at(n)
}

// truncate forgets the texts with a number above n.
func (w *words) truncate(n uint32) {
	for w.texts.last > n {
		delete(w.numbers, *w.texts.at(w.texts.last))
		w.texts.pop()
	}
}
