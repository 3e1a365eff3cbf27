// Package open is what the dialects and the routes that need no principal have
// in common: the paths that answers point to, and the keys in them.
package open

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// RedirectID is the operation of the redirect.
const RedirectID = "redirect"

// What the paths begin with.
const (
	RedirectPrefix = "/c/"     // of an affiliate link; its id follows
	MediaPrefix    = "/media/" // of a picture; its key follows
	ReturnAdPrefix = "/r/"     // of a return ad; its id and /view or /click follow
)

// Where shops report orders.
const (
	ReportPath = "/report"
	ScriptPath = "/report.js" // beside it: the script finds the one by the other
)

// Where the documents about the APIs are.
const (
	OpenAPIPath   = "/openapi.json" // all APIs
	OpenAPIPrefix = "/openapi/"     // of the document of one dialect; its name and .json follow
	DocsPath      = "/docs"         // the page; its files are below
)

// NoImage is the key of the picture of what has none, which is BlankPNG: the
// documents show a picture everywhere.
const NoImage = "none.png"

// BlankPNG is one transparent point.
const BlankPNG = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\b\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"

// uploaded is how the keys of uploads begin, here and as clients see them.
const uploaded, shownUploaded = "tmp-", "tmp/"

// EncodeKey is the key of a picture as clients see it: base64url of the key, and
// of "tmp/…" for an upload that nothing refers to yet.
func EncodeKey(key string) string {
	if name, ok := strings.CutPrefix(key, uploaded); ok {
		key = shownUploaded + name
	}
	return base64.URLEncoding.EncodeToString([]byte(key))
}

// DecodeKey is the key that clients see as s; ok is false for a text that is
// none.
func DecodeKey(s string) (key string, ok bool) {
	s = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "="))
	decoded, err := base64.RawURLEncoding.DecodeString(s)
	key = string(decoded)
	if name, ok := strings.CutPrefix(key, shownUploaded); ok {
		key = uploaded + name
	}
	return key, err == nil && key != "" && utf8.ValidString(key) && !strings.Contains(key, "\x00")
}
