package affiliate_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Text counts characters only where the number of bytes leaves a question open:
// it must find what counting finds.
func TestTextIsBoundedInCharacters(t *testing.T) {
	for _, character := range []string{"a", "å", "中", "😀", "aå😀", "\x00", "\xff"} {
		for times := range 10 {
			s := strings.Repeat(character, times)
			n := utf8.RuneCountInString(s)
			for min := range 10 {
				for max := min; max < 40; max++ {
					want := utf8.ValidString(s) && !strings.Contains(s, "\x00") && min <= n && n <= max
					var v affiliate.Validation
					v.Text("name", s, min, max)
					err := v.Err("thing")
					if got := err == nil; got != want || err != nil && !errors.Is(err, affiliate.ErrInvalid) {
						t.Fatalf("%q of %d characters in %d..%d: %v", s, n, min, max, err)
					}
				}
			}
		}
	}
}
