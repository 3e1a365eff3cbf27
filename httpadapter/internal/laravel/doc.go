// Package laravel holds what the two Metapic dialects share. Their documents
// describe one Laravel application, so both have its error body, its page
// envelope, its spellings of dates and money, its uploads and its roles. The
// machinery below, package wire, knows none of that.
//
//   - errors.go: {"message", "code", "errors"}
//   - page.go: {data, links, meta} and the buttons of a pager
//   - scope.go: who may call a route
//   - money.go, time.go: how amounts, rates and times are read and printed
//   - set.go: how an update changes a value to what was sent
//   - images.go: pictures
package laravel
