// Package publicsuffix is golang.org/x/net/publicsuffix, whose licence is beside
// it, without its List: that is for cookies, and makes every program with links
// link net/http and TLS, which are a tenth of a small one.
//
// `make publicsuffix` copies the list's data from the version of golang.org/x/net in
// go.mod; a test fails when they differ.
package publicsuffix
