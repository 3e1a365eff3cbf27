package affiliate

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Text counts characters only where the number of bytes leaves a question open:
// it must find what counting finds.
func TestTextIsBoundedInCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		character := rapid.SampledFrom([]string{"a", "å", "中", "😀", "\x00", "\xff"})
		s := strings.Repeat(character.Draw(t, "character"), rapid.IntRange(0, 9).Draw(t, "times")) +
			strings.Join(rapid.SliceOfN(character, 0, 2).Draw(t, "others"), "")
		min := rapid.IntRange(0, 8).Draw(t, "min")
		max := min + rapid.IntRange(0, 40).Draw(t, "more")
		n := utf8.RuneCountInString(s)
		want := utf8.ValidString(s) && !strings.Contains(s, "\x00") && min <= n && n <= max
		var v Validation
		v.Text("name", s, min, max)
		err := v.Err("thing")
		if got := err == nil; got != want || err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatalf("%q of %d characters in %d..%d: %v", s, n, min, max, err)
		}
	})
}
