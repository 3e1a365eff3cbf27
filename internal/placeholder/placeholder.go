// Package placeholder finds the placeholders of templates: of tracking
// templates, of product lists, of ads.
package placeholder

import (
	"net/url"
	"slices"
	"strings"
)

// Cut finds the first placeholder in a template and the text before
// it; without one, all of the template is that text. Placeholders that begin
// with another one stand before it in the list. A template is filled in by
// cutting it to its end, in one pass, so that what looks like a placeholder
// inside a value is never filled in.
func Cut(template string, placeholders []string) (head, placeholder string) {
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

// Unknown returns the first word of a template that looks like a
// placeholder and is none of the known ones: :WORD in capitals, or {word}. It
// is empty when there is none. Such a word would be left standing, and what it
// was meant to say would be lost with every click.
func Unknown(template string, known []string) string {
	for i := range len(template) {
		switch template[i] {
		case ':':
			end := i + 1
			for end < len(template) && isPlaceholderByte(template[end]) {
				end++
			}
			word := template[i:end]
			if len(word) > 2 && word[1] >= 'A' && !slices.Contains(known, word) {
				return word
			}
		case '{':
			if end := strings.IndexByte(template[i:], '}'); end > 1 && !strings.ContainsAny(template[i:i+end], "/?&=# ") {
				return template[i : i+end+1]
			}
		}
	}
	return ""
}

func isPlaceholderByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// Escape is url.QueryEscape with spaces as %20, which is right in a path too.
func Escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
