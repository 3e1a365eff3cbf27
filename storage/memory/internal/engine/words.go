package engine

import "strings"

// Words gives each text that comes again and again a small number, so that a
// row of millions keeps four bytes of it. The number of the empty text is 0.
type Words struct {
	texts   Slab[string]
	numbers map[string]uint32
}

// Number is the text's number, given now when it has none.
func (w *Words) Number(s string) uint32 {
	if s == "" {
		return 0
	}
	if n, ok := w.numbers[s]; ok {
		return n
	}
	s = strings.Clone(s) // which may be a piece of something large
	n := w.texts.push(s)
	if w.numbers == nil {
		w.numbers = map[string]uint32{}
	}
	w.numbers[s] = n
	return n
}

// Find is the number of a text that has one.
func (w *Words) Find(s string) (uint32, bool) {
	if s == "" {
		return 0, true
	}
	n, ok := w.numbers[s]
	return n, ok
}

func (w *Words) Text(n uint32) string {
	if n == 0 {
		return ""
	}
	return *w.texts.At(n)
}

// truncate forgets the texts with a number above n.
func (w *Words) truncate(n uint32) {
	for w.texts.last > n {
		delete(w.numbers, *w.texts.At(w.texts.last))
		w.texts.pop()
	}
}
