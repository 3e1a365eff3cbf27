package deals

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxPairs bounds how much of a query string is looked at.
const maxPairs = 64

// SubID is a pair of another_data that is not ours: the partner's own mark.
type SubID struct {
	Key   string
	Value string
}

// AnotherData is what the query string of a customer's visit says.
type AnotherData struct {
	UIDs   []string // the values of "myshare" and "uid", in their order, without empty ones
	SubIDs []SubID  // all other pairs, in their order
}

// ParseAnotherData reads a query string, with or without a question mark before
// it. It refuses nothing: a purchase must not be lost because some tool has
// written a bad escape into a URL. What cannot be decoded stays as it is, and
// after 64 pairs the rest is left alone.
func ParseAnotherData(s string) AnotherData {
	var out AnotherData
	seen := 0
	for pair := range strings.SplitSeq(strings.TrimPrefix(s, "?"), "&") {
		if pair == "" {
			continue
		}
		if seen++; seen > maxPairs {
			break
		}
		key, value, _ := strings.Cut(pair, "=")
		key, value = unescape(key), unescape(value)
		switch {
		case key != "myshare" && key != "uid":
			out.SubIDs = append(out.SubIDs, SubID{key, value})
		case value != "":
			out.UIDs = append(out.UIDs, value)
		}
	}
	return out
}

// unescape is the decoded text, or the text itself where decoding fails or
// brings what cannot be kept.
func unescape(s string) string {
	decoded, err := url.QueryUnescape(s)
	if err != nil || !utf8.ValidString(decoded) || strings.IndexByte(decoded, 0) >= 0 {
		return s
	}
	return decoded
}

// SubIDs are the partner's own marks on the deal.
func (d Deal) SubIDs() []SubID { return ParseAnotherData(d.AnotherData).SubIDs }
