package wire

import (
	"encoding/json"
	"strings"
)

// parseRelaxed reads a list or an object that was sent as a text in a spelling
// of its own: with single quotes ("['a@b.c']", "[{'id':1}]") or with bare words
// ("[clicks,order_value]").
func parseRelaxed(s string) (Value, error) {
	strict, ok := strictJSON(s)
	if !ok {
		return Value{}, errSyntax
	}
	return parseJSON(strict)
}

// strictJSON puts quotes where JSON wants them. What it makes need not be JSON:
// the parser looks.
func strictJSON(s string) (string, bool) {
	var out strings.Builder
	var open []byte // the brackets that are open
	for i := 0; i < len(s); {
		switch c := s[i]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			out.WriteByte(c)
			i++
		case '[', '{':
			if len(open) == maxDepth {
				return "", false
			}
			open = append(open, c)
			out.WriteByte(c)
			i++
		case ']', '}':
			if len(open) == 0 {
				return "", false
			}
			open = open[:len(open)-1]
			out.WriteByte(c)
			i++
		case '"', '\'':
			n := quoted(s[i:], c)
			if n == 0 {
				return "", false
			}
			if c == '"' {
				out.WriteString(s[i : i+n])
			} else {
				out.Write(jsonString(s[i+1 : i+n-1]))
			}
			i += n
		default:
			ends := ",]}"
			if len(open) > 0 && open[len(open)-1] == '{' {
				ends = ",]}:"
			}
			n := strings.IndexAny(s[i:], ends)
			if n < 0 {
				return "", false
			}
			word := strings.TrimSpace(s[i : i+n])
			if v, err := parseJSON(word); err == nil && v.kind != Text {
				out.WriteString(word)
			} else {
				out.Write(jsonString(word))
			}
			i += n
		}
	}
	return out.String(), true
}

// quoted is how long the quoted text at the beginning of s is, quotes included;
// 0 when it does not end.
func quoted(s string, quote byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return 0
}

func jsonString(s string) []byte {
	b, _ := json.Marshal(s) // a string always marshals
	return b
}
