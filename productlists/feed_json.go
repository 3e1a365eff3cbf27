package productlists

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"unicode/utf8"
)

// jsonFeed reads FeedJSONLines.
type jsonFeed struct {
	lines  *lineReader
	source *source
}

func newJSONFeed(r io.Reader, s *source) *jsonFeed { return &jsonFeed{newLineReader(r), s} }

func (f *jsonFeed) next() (rowResult, error) {
	for {
		var text []byte
		for len(text) == 0 {
			raw, tooLong, err := f.lines.next()
			if err != nil {
				return rowResult{}, err
			}
			if tooLong {
				return rowResult{line: f.lines.n, reason: reasonTooLong}, nil
			}
			text = bytes.TrimSpace(raw)
		}
		if r := f.source.object(text, f.lines.n); !r.skipped {
			return r, nil
		}
	}
}

// object reads a product that is a JSON object.
func (s *source) object(text []byte, line int) rowResult {
	refuse := func(reason string) rowResult { return rowResult{line: line, size: len(text), reason: reason} }
	if !utf8.Valid(text) {
		return refuse("is not valid UTF-8")
	}
	row := &feedRow{}
	if err := json.Unmarshal(text, row); err != nil {
		return refuse(jsonReason(err))
	}
	if text[0] != '{' {
		return refuse("is not a JSON object")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return refuse(jsonReason(err))
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names) // of several names of one column always the same counts
	for _, name := range names {
		s.columns.set(row, name, scalar(members[name]))
	}
	row.trim()
	return s.result(row, line, len(text))
}

// scalar is a string, number or boolean as text; of a list its first item; of
// anything else nothing.
func scalar(raw json.RawMessage) string {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return ""
	}
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// jsonArrayFeed reads FeedJSON: a list of objects.
type jsonArrayFeed struct {
	decoder *json.Decoder
	counted *countedReader
	source  *source
	n       int // of the item, as its line
}

func newJSONArrayFeed(r *bufio.Reader, s *source) (*jsonArrayFeed, error) {
	f := &jsonArrayFeed{counted: &countedReader{r, MaxFeedLine}, source: s}
	f.decoder = json.NewDecoder(f.counted)
	token, err := f.decoder.Token()
	if err != nil && !isJSONFault(err) {
		return nil, err
	}
	if token != json.Delim('[') {
		return nil, malformedFeed("is not a JSON list")
	}
	return f, nil
}

func (f *jsonArrayFeed) next() (rowResult, error) {
	for {
		f.counted.left = 2 * MaxFeedLine
		if !f.decoder.More() {
			if _, err := f.decoder.Token(); err != nil {
				return rowResult{}, f.failed(err)
			}
			return rowResult{}, io.EOF
		}
		f.n++
		var raw json.RawMessage
		if err := f.decoder.Decode(&raw); err != nil {
			return rowResult{}, f.failed(err)
		}
		if len(raw) > MaxFeedLine {
			return rowResult{line: f.n, reason: "is longer than 1 MiB"}, nil
		}
		if r := f.source.object(raw, f.n); !r.skipped {
			return r, nil
		}
	}
}

// failed is why the list cannot be read on.
func (f *jsonArrayFeed) failed(err error) error {
	switch {
	case errors.Is(err, errItemTooLong):
		return malformedFeed(errItemTooLong.Error())
	case isJSONFault(err):
		return malformedFeed("is not valid JSON")
	}
	return err
}

func isJSONFault(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// jsonReason says what is wrong without the names of our types.
func jsonReason(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return "is not a JSON object"
		}
		return e.Field + " has the wrong type"
	}
	if errors.Is(err, errNotText) {
		return "a value must be a string or a number"
	}
	return "is not valid JSON"
}
