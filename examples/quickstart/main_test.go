package main

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

func TestQuickstartPaysEachReaderOnce(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), &out))
	is.Equal(out.String(), `link     https://go.example/c/1 -> https://www.acme.example/shoes?size=38
click    valid     by 192.0.2.1 earns 0.10 SEK
click    duplicate by 192.0.2.1 earns 0.00 SEK
click    valid     by 192.0.2.2 earns 0.10 SEK
ledger   click: anna earns 0.10 SEK, Acme pays 0.12 SEK
ledger   click: anna earns 0.10 SEK, Acme pays 0.12 SEK
balance  payable 0.20 SEK, pending 0.00 SEK, paid 0.00 SEK
`)
}
