package productlists

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Charset is how the characters of a feed are written.
type Charset string

// The charsets of feeds. Without one in the options a byte order mark decides,
// then the content: what is no UTF-8 is Windows-1252.
const (
	UTF8        Charset = "utf-8"
	UTF16LE     Charset = "utf-16le"
	UTF16BE     Charset = "utf-16be"
	Windows1252 Charset = "windows-1252"
)

// sniffed is how much of a feed is looked at to find out how it is written.
const sniffed = 64 << 10

// unpacked returns the text of a feed that may be compressed. What it is, its
// content says, not its name. done is called at the end.
func unpacked(r io.Reader) (text *bufio.Reader, done func() error, err error) {
	text, done = bufio.NewReaderSize(r, sniffed), func() error { return nil }
	switch start, _ := text.Peek(4); {
	case bytes.HasPrefix(start, []byte("\x1f\x8b")):
		plain, err := gzip.NewReader(text)
		if err != nil {
			return nil, done, malformedFeed("is no gzip file: " + err.Error())
		}
		return bufio.NewReaderSize(plain, sniffed), plain.Close, nil
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return unzipped(text)
	}
	return text, done, nil
}

// unzipped returns the first file of an archive, for which the whole of it must
// be there: it is copied into a temporary file.
func unzipped(r io.Reader) (*bufio.Reader, func() error, error) {
	nothing := func() error { return nil }
	file, err := os.CreateTemp("", "feed-*.zip")
	if err != nil {
		return nil, nothing, err
	}
	done := func() error { return errors.Join(file.Close(), os.Remove(file.Name())) }
	size, err := io.Copy(file, r)
	if err != nil {
		return nil, nothing, errors.Join(err, done())
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, nothing, errors.Join(malformedFeed("is no ZIP file: "+err.Error()), done())
	}
	for _, entry := range archive.File {
		if name := path.Base(entry.Name); entry.FileInfo().IsDir() || strings.HasPrefix(name, ".") || strings.HasPrefix(entry.Name, "__MACOSX/") {
			continue
		}
		content, err := entry.Open()
		if err != nil {
			return nil, nothing, errors.Join(malformedFeed("has a file that cannot be read: "+err.Error()), done())
		}
		return bufio.NewReaderSize(content, sniffed), func() error { return errors.Join(content.Close(), done()) }, nil
	}
	return nil, nothing, errors.Join(malformedFeed("is an archive without a file"), done())
}

func malformedFeed(message string) error {
	return affiliate.Invalid("product_feed", affiliate.FieldError{Field: "feed", Code: "malformed", Message: message})
}

// decoded returns the text as UTF-8 without a byte order mark, and with line
// feeds where lines end with carriage returns alone.
func decoded(r *bufio.Reader, charset Charset) (*bufio.Reader, error) {
	start, err := r.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) && len(start) == 0 {
		return r, nil // the reader's error comes back when it is read
	}
	if charset == "" {
		charset = charsetOf(start)
	}
	var decoder transform.Transformer
	switch charset {
	case UTF8:
		if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
			_, _ = r.Discard(3) // it was peeked: it is there
		}
	case UTF16LE:
		decoder = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case UTF16BE:
		decoder = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()
	case Windows1252:
		decoder = charmap.Windows1252.NewDecoder()
	default:
		return nil, affiliate.Invalid("product_feed", affiliate.FieldError{
			Field: "charset", Code: "unknown_charset", Message: "must be utf-8, utf-16le, utf-16be or windows-1252"})
	}
	if decoder != nil {
		r = bufio.NewReaderSize(transform.NewReader(r, decoder), sniffed)
	}
	if start, _ = r.Peek(sniffed); bytes.IndexByte(start, '\r') >= 0 && bytes.IndexByte(start, '\n') < 0 {
		r = bufio.NewReaderSize(oldLines{r}, sniffed)
	}
	return r, nil
}

// charsetOf tells a charset by the beginning of a text.
func charsetOf(start []byte) Charset {
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		return UTF8
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		return UTF16LE
	case bytes.HasPrefix(start, []byte("\xfe\xff")):
		return UTF16BE
	case len(start) >= 4 && start[0] != 0 && start[1] == 0 && start[3] == 0:
		return UTF16LE
	case len(start) >= 4 && start[0] == 0 && start[1] != 0 && start[2] == 0:
		return UTF16BE
	}
	// A character may be cut at the end.
	for cut := 0; cut < utf8.UTFMax && cut <= len(start); cut++ {
		if utf8.Valid(start[:len(start)-cut]) {
			return UTF8
		}
	}
	if multibyte(start) { // UTF-8 with a bad byte in it, which costs its line
		return UTF8
	}
	return Windows1252
}

// multibyte reports whether a text has a character of several bytes in UTF-8.
func multibyte(text []byte) bool {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if size > 1 && r != utf8.RuneError {
			return true
		}
		text = text[size:]
	}
	return false
}

// oldLines makes line feeds of carriage returns.
type oldLines struct{ r io.Reader }

func (o oldLines) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// formatOf tells a format by the beginning of a text.
func formatOf(r *bufio.Reader) FeedFormat {
	start, _ := r.Peek(sniffed)
	switch start = bytes.TrimSpace(start); {
	case bytes.HasPrefix(start, []byte("<")):
		return FeedXML
	case bytes.HasPrefix(start, []byte("[")):
		return FeedJSON
	case bytes.HasPrefix(start, []byte("{")):
		return FeedJSONLines
	}
	return FeedCSV
}

// openFeed finds out how a feed is written, where the options do not say it.
func openFeed(r io.Reader, o ImportOptions, s *source) (feed, func() error, error) {
	text, done, err := unpacked(r)
	if err != nil {
		return nil, done, err
	}
	charset := o.Charset
	if charset == "" && (o.Format == FeedXML || o.Format == "" && isXML(text)) {
		start, _ := text.Peek(sniffed)
		if c := charsetOf(start); c != UTF16LE && c != UTF16BE {
			return newXMLFeed(text, s, false), done, nil // XML says itself which charset it has
		}
	}
	if charset == "" && (o.Format == FeedJSON || o.Format == FeedJSONLines) {
		if charset = UTF8; !plainJSON(text) {
			charset = ""
		}
	}
	if text, err = decoded(text, charset); err != nil {
		return nil, done, err
	}
	format := o.Format
	if format == "" {
		format = formatOf(text)
	}
	switch format {
	case FeedCSV:
		f, err := newCSVFeed(text, o, s)
		return f, done, err
	case FeedJSONLines:
		return newJSONFeed(text, s), done, nil
	case FeedJSON:
		f, err := newJSONArrayFeed(text, s)
		return f, done, err
	case FeedXML:
		return newXMLFeed(text, s, true), done, nil
	}
	return nil, done, affiliate.Invalid("product_feed", affiliate.FieldError{
		Field: "format", Code: "unknown_format", Message: "must be csv, jsonl, json or xml"})
}

// isXML reports whether a text begins like XML, whatever its charset.
func isXML(r *bufio.Reader) bool {
	start, _ := r.Peek(sniffed)
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		start = bytes.TrimPrefix(start, []byte(mark))
	}
	return bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n\x00"), []byte("<"))
}

// plainJSON reports whether JSON is written in UTF-8, as it is nearly always.
func plainJSON(r *bufio.Reader) bool {
	start, _ := r.Peek(4)
	return !bytes.Contains(start, []byte{0}) && !bytes.HasPrefix(start, []byte("\xff\xfe")) && !bytes.HasPrefix(start, []byte("\xfe\xff"))
}
