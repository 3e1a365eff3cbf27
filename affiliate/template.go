package affiliate

import (
	"net/url"
	"strings"
)

// CutPlaceholder finds the first placeholder in a template and the text before
// it; without one, all of the template is that text. Placeholders that begin
// with another one stand before it in the list. A template is filled in by
// cutting it to its end, in one pass, so that what looks like a placeholder
// inside a value is never filled in.
func CutPlaceholder(template string, placeholders []string) (head, placeholder string) {
	for i := range len(template) {
		if template[i] != ':' {
			continue
		}
		for _, p := range placeholders {
			if strings.HasPrefix(template[i:], p) {
				return template[:i], p
			}
		}
	}
	return template, ""
}

// QueryEscape is url.QueryEscape with spaces as %20, which is right in a path too.
func QueryEscape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
