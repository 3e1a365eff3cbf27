package affiliate

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the form in which texts are compared when neither their case nor
// their spelling in Unicode matters: lower case, composed (NFC). "ÖST", "öst"
// and an o with a separate diaeresis fold to the same text.
//
// A final sigma folds to a sigma and a dotted İ to i, so that a part of a text
// folds as it does within the text. What is no UTF-8 stays as it is: repaired, it would
// be equal to another text.
func Fold(s string) string {
	switch {
	case isASCII(s):
		return strings.ToLower(s)
	case !utf8.ValidString(s):
		return s
	}
	return strings.ReplaceAll(norm.NFC.String(strings.ToLower(norm.NFC.String(s))), "ς", "σ")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
