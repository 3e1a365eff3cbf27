package main

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

func TestQuickstartPaysEachReaderOnceAndWithinTheBudget(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), &out))
	is.Equal(out.String(), `link     https://go.example/c/1 -> https://www.acme.example/shoes?size=38
click    valid     earns 0.10 SEK of small
click    duplicate earns 0.00 SEK
click    valid     earns 0.10 SEK of large
order    1001 earns 24.98 SEK of large
ledger   click: anna earns 0.10 SEK, Acme pays 0.12 SEK
ledger   click: anna earns 0.10 SEK, Acme pays 0.12 SEK
ledger   order: anna earns 24.98 SEK, Acme pays 24.98 SEK
next     budget_limit of small
next     chosen of large
`)
}
