package wire

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// URL is where a request came in, for the links of a list. An input field of
// this type gets it.
type URL struct {
	Path  string // percent-encoded, with the prefix that the adapter is mounted under
	Query string // raw, without ?
}

// Page is the URL of another page of the same list: the filters stay, in their
// order, and page comes last.
func (u URL) Page(n int) string {
	var b strings.Builder
	b.WriteString(u.Path)
	b.WriteByte('?')
	for pair := range strings.SplitSeq(u.Query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); pair == "" || err == nil && decoded == "page" {
			continue
		}
		b.WriteString(pair)
		b.WriteByte('&')
	}
	b.WriteString("page=")
	b.WriteString(strconv.Itoa(n))
	return b.String()
}

// requestURL returns where the request came in, as clients see it.
func requestURL(r *http.Request, base BasePath) URL {
	return URL{Path: base.Shown(r), Query: r.URL.RawQuery}
}

// LastPage is the number of the last page, 1 for an empty list.
func LastPage(total, size int) int {
	if total <= 0 || size <= 0 {
		return 1
	}
	return (total-1)/size + 1
}
