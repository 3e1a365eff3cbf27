package placeholder_test

import (
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/internal/placeholder"
)

func TestCutFindsTheFirstAndTheLongest(t *testing.T) {
	known := []string{":A_LONG", ":A", ":B"} // each before those that it begins with
	for template, want := range map[string][2]string{
		"x:A_LONG:A": {"x", ":A_LONG"}, "x:A:A_LONG": {"x", ":A"}, ":B": {"", ":B"}, "a:c:": {"a:c:", ""}, "": {"", ""},
	} {
		is := is.New(t)
		head, name := placeholder.Cut(template, known)
		is.Equal([2]string{head, name}, want)
	}
}

func TestUnknownIsWhatOnlyLooksLikeOne(t *testing.T) {
	known := []string{":A", ":B_2"}
	for template, want := range map[string]string{
		"https://x.example/:A?b=:B_2": "", ":C": "", ":CC/:A": ":CC", ":AB": ":AB", "{word}": "{word}", "{}": "", "{a/b}": "", "https://x.example:8080/": "",
	} {
		is := is.New(t)
		is.Equal(placeholder.Unknown(template, known), want) // template
	}
}

func TestEscapeIsRightInAPathAndInAQuery(t *testing.T) {
	is := is.New(t)
	is.Equal(placeholder.Escape("a b+c/å"), "a%20b%2Bc%2F%C3%A5")
}
