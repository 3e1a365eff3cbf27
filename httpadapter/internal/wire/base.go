package wire

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// BasePath is what clients put in front of the paths of the dialects, such as
// "/affiliates"; "" for nothing.
type BasePath string

var basePathForm = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// Check reports whether the path can be served.
func (b BasePath) Check() error {
	if b != "" && (!basePathForm.MatchString(string(b)) || path.Clean(string(b)) != string(b)) {
		return errors.New(`BasePath must be a clean path such as /affiliates, without a slash at its end`)
	}
	return nil
}

// Strip returns the request without the base path. It leaves a request alone
// whose prefix somebody took off before, and one whose path is our own as it
// stands: under the base path /v2 the path /v2/users stays what it is.
func (b BasePath) Strip(r *http.Request, own func(path string) bool) *http.Request {
	if b == "" || own(r.URL.Path) || shownPath(r) != r.URL.EscapedPath() {
		return r
	}
	rest, ok := b.cut(r.URL.Path)
	raw, okRaw := b.cut(r.URL.RawPath)
	if !ok || r.URL.RawPath != "" && !okRaw {
		return r
	}
	stripped := *r
	stripped.URL = new(url.URL)
	*stripped.URL = *r.URL
	stripped.URL.Path, stripped.URL.RawPath = rest, raw
	return &stripped
}

// cut takes the base path off.
func (b BasePath) cut(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, string(b))
	switch {
	case !ok:
		return "", false
	case rest == "":
		return "/", true
	}
	return rest, rest[0] == '/'
}

// Shown returns the path of a request as clients see it: with the base path, once,
// also where a proxy took it off.
func (b BasePath) Shown(r *http.Request) string {
	shown := shownPath(r)
	if _, there := b.cut(shown); there {
		return shown
	}
	return string(b) + shown
}

// shownPath is the path of the request line, because a prefix that the host
// strips is missing in r.URL.
func shownPath(r *http.Request) string {
	if full, err := url.ParseRequestURI(r.RequestURI); err == nil && full.Path != "" {
		return full.EscapedPath()
	}
	return r.URL.EscapedPath()
}

// firstSegment is what stands between the first two slashes.
func firstSegment(path string) string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return segment
}

// Owns reports whether a route begins with the path's first segment.
func (m *Mux) Owns(path string) bool { return m.segments[firstSegment(path)] }
