package productlists

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// lineReader reads lines in bounded memory.
type lineReader struct {
	r *bufio.Reader
	n int // the number of the line last read, from 1
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, MaxFeedLine)}
}

// next returns the next line without its end, valid until the call after. A
// line beyond MaxFeedLine is skipped and returned as too long. io.EOF comes
// alone, after the last line.
func (l *lineReader) next() (line []byte, tooLong bool, err error) {
	line, err = l.r.ReadSlice('\n')
	l.n++
	for errors.Is(err, bufio.ErrBufferFull) {
		line, tooLong = nil, true
		_, err = l.r.ReadSlice('\n')
	}
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0 && !tooLong:
		return nil, false, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return nil, false, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), tooLong, nil
}

const reasonTooLong = "the line is longer than 1 MiB"

// csvReader reads the records of a CSV file (RFC 4180), one after the other. A
// record that is malformed costs its first line and no more: reading goes on
// at the line after it, so a stray quote cannot swallow a file. Each line is
// looked at two or three times at most, whatever is in the file.
type csvReader struct {
	lines *lineReader
	comma byte // what stands between fields
	loose bool // quotes may stand inside a field that does not begin with one
	first int  // the line that the record last read begins on
	size  int  // bytes of it
	// ahead are lines behind the first one of a record, which were read because
	// a quote was open; those from at on are still to be read.
	ahead []aheadLine
	at    int
}

type aheadLine struct {
	n       int
	text    string
	tooLong bool
}

// line returns the next line; it is kept when it may have to be read again.
func (c *csvReader) line(keep bool) (aheadLine, error) {
	if c.at < len(c.ahead) {
		c.at++
		return c.ahead[c.at-1], nil
	}
	text, tooLong, err := c.lines.next()
	if err != nil {
		return aheadLine{}, err
	}
	l := aheadLine{c.lines.n, string(text), tooLong}
	if keep {
		c.ahead = append(c.ahead, l)
		c.at++
	} else {
		c.ahead, c.at = c.ahead[:0], 0
	}
	return l, nil
}

// The reasons why text is no record.
const (
	reasonStrayQuote = "a quote stands inside a field: fields with quotes are quoted, with each quote doubled"
	reasonOpenQuote  = "a quote is not closed within 1 MiB"
)

// record returns the fields of the next record that is not blank, appended to
// the given slice, or why it is none. The error is io.EOF after the last one,
// or what the reader says.
func (c *csvReader) record(fields []string) (_ []string, reason string, err error) {
	first := aheadLine{}
	for first.text == "" {
		if first, err = c.line(false); err != nil {
			return fields, "", err
		}
		if c.first, c.size = first.n, len(first.text); first.tooLong {
			return fields, reasonTooLong, nil
		}
	}
	open, ok := c.scanQuotes(first.text, false)
	if !ok {
		return fields, reasonStrayQuote, nil
	}
	if !open {
		return c.split(fields, first.text), "", nil
	}
	behind := c.at
	text, reason, err := c.quoted(first.text)
	if reason != "" {
		c.at = behind
	}
	if reason != "" || err != nil {
		return fields, reason, err
	}
	c.size = len(text)
	return c.split(fields, text), "", nil
}

// quoted reads on until the quote that the first line opens is closed.
func (c *csvReader) quoted(first string) (text, reason string, err error) {
	record := []byte(first)
	for open := true; open; {
		next, err := c.line(true)
		switch {
		case errors.Is(err, io.EOF):
			return "", reasonOpenQuote, nil
		case err != nil:
			return "", "", err
		case next.tooLong || len(record)+len(next.text) >= MaxFeedLine:
			return "", reasonOpenQuote, nil
		}
		record = append(append(record, '\n'), next.text...)
		var ok bool
		if open, ok = c.scanQuotes(next.text, true); !ok {
			return "", reasonStrayQuote, nil
		}
	}
	return string(record), "", nil
}

// scanQuotes reports whether a quoted field is open at the end of the line,
// given whether one is at its start, and whether all quotes are where they may be.
func (c *csvReader) scanQuotes(line string, open bool) (stillOpen, ok bool) {
	start := !open // at the start of a field
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case open && b == '"' && i+1 < len(line) && line[i+1] == '"':
			i++
		case open && b == '"':
			if i+1 < len(line) && line[i+1] != c.comma {
				return false, false
			}
			open = false
		case open:
		case b == '"' && !start:
			if !c.loose {
				return false, false
			}
		case b == '"':
			open, start = true, false
		default:
			start = b == c.comma
		}
	}
	return open, true
}

// split appends the fields of a record whose quotes are in order. They share its
// memory.
func (c *csvReader) split(fields []string, record string) []string {
	for {
		end := strings.IndexByte(record, c.comma)
		if strings.HasPrefix(record, `"`) {
			end = closingQuote(record) + 1
			fields = append(fields, unquote(record[1:end-1]))
		} else {
			if end < 0 {
				end = len(record)
			}
			fields = append(fields, record[:end])
		}
		if end == len(record) {
			return fields
		}
		record = record[end+1:]
	}
}

// closingQuote is where the quoted field at the start of s ends.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return len(s) - 1
}

// unquote makes one quote of each two.
func unquote(s string) string {
	var b []byte
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			b = append(b, s[from:i+1]...)
			i++
			from = i + 1
		}
	}
	if b == nil {
		return s
	}
	return string(append(b, s[from:]...))
}
