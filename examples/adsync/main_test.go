package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// The README shows the end of what the program prints.
func TestTheReadmeShowsThePlanAndTheDrift(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), &out))
	readme, err := os.ReadFile("../../README.md")
	is.NoErr(err)
	_, after, found := strings.Cut(string(readme), "go run ./examples/adsync\n```\n\n```text\n")
	is.True(found)
	shown, _, _ := strings.Cut(after, "```")
	changing := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[0-9:]+Z`) // ids and times
	printed := changing.ReplaceAllString(out.String(), "…")
	if !strings.HasSuffix(printed, shown) {
		t.Errorf("the README shows\n%s\nbut it prints\n%s", shown, printed)
	}
	is.True(strings.HasPrefix(printed, "plan for ad account 1234567890: 3 to create"))
	is.True(strings.Contains(printed, "0 to create, 0 to update, 0 to remove, 0 blocked, 3 unchanged"))
}
