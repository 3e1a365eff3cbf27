package move

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

const (
	format  = "affiliatekit advertiser"
	version = 1
	// maxLine bounds a line. The longest are images.
	maxLine = 32 << 20
)

// The kinds of the first and the last line.
const (
	headerKind  Kind = "header"
	trailerKind Kind = "trailer"
)

// header is the first line.
type header struct {
	Format       string
	Version      int
	AdvertiserID int64
	Name         string
	At           time.Time // of the snapshot
	// Retained is what retention has done where the advertiser comes from, Clicks
	// and Entries those of the advertiser.
	Retained links.Retained
}

// trailer is the last line.
type trailer struct {
	Records int64 // between header and trailer
	Summary Summary
	Hash    string // SHA-256 over all lines before this one
}

// lineOut and lineIn are a line as it is written and read.
type (
	lineOut struct {
		Kind Kind `json:"kind"`
		Row  any  `json:"row"`
	}
	lineIn struct {
		Kind Kind            `json:"kind"`
		Row  json.RawMessage `json:"row"`
	}
)

// writer writes the lines of an export.
type writer struct {
	zip     *gzip.Writer
	hash    hash.Hash
	out     *json.Encoder
	records int64
}

func newWriter(w io.Writer) *writer {
	zip, h := gzip.NewWriter(w), sha256.New()
	return &writer{zip: zip, hash: h, out: json.NewEncoder(io.MultiWriter(h, zip))}
}

func (w *writer) header(h header) error { return w.out.Encode(lineOut{headerKind, h}) }

func (w *writer) line(kind Kind, l line) error {
	w.records++
	return w.out.Encode(lineOut{kind, l})
}

func (w *writer) end(s Summary) error {
	if err := w.out.Encode(lineOut{trailerKind, trailer{w.records, s, hex.EncodeToString(w.hash.Sum(nil))}}); err != nil {
		return err
	}
	return w.zip.Close()
}

// broken is the error of a line that is not as it should be.
func broken(n int64, field, code, message string) error {
	where := fmt.Sprintf("line %d", n)
	if field != "" {
		where += ", " + field
	}
	return &affiliate.Error{
		Kind: affiliate.ErrInvalid, Code: code, Resource: "export", Message: where + ": " + message,
		Fields: []affiliate.FieldError{{Field: where, Code: code, Message: message}},
	}
}

// scanned is what scan tells: the lines in their order, each once.
type scanned struct {
	header func(h header) error
	line   func(n int64, kind Kind, l line) error
	end    func(n int64, t trailer, hash string) error
}

// scan reads an export, compressed or not, line by line. It checks what a line looks
// like, and that the first is a header and the last a trailer; all else is for others.
func scan(ctx context.Context, r io.Reader, to scanned) error {
	in, err := plain(r)
	if err != nil {
		return broken(1, "", "compression", err.Error())
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	sum, ended := sha256.New(), false
	var n int64
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return affiliate.Unavailable(err)
		}
		n++
		if ended {
			return broken(n, "", "after_trailer", "must not be there: the trailer is the last line")
		}
		before := hex.EncodeToString(sum.Sum(nil))
		_, _ = fmt.Fprintf(sum, "%s\n", lines.Bytes()) // a hash takes everything
		if ended, err = one(n, lines.Bytes(), before, to); err != nil {
			if cut := lines.Err(); cut != nil { // it is the part of a line
				return broken(n, "", "truncated", "cannot be read: "+cut.Error())
			}
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return broken(n+1, "", "too_long", fmt.Sprintf("must have at most %d bytes", maxLine))
	case err != nil:
		return broken(n+1, "", "truncated", "cannot be read: "+err.Error())
	case !ended:
		return broken(n+1, "", "truncated", "is missing: an export ends with a trailer")
	}
	return nil
}

// plain undoes the compression, if there is any.
func plain(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	if magic, err := in.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(in)
	}
	return in, nil
}

// one reads one line and reports whether it is the trailer.
func one(n int64, raw []byte, hash string, to scanned) (last bool, err error) {
	var in lineIn
	if err := strictly(raw, &in); err != nil {
		return false, broken(n, fieldOf(err), "malformed", err.Error())
	}
	row := func(v any) error {
		if len(in.Row) == 0 || string(in.Row) == "null" {
			return broken(n, "row", "required", "is required")
		}
		if err := strictly(in.Row, v); err != nil {
			return broken(n, fieldOf(err), "malformed", err.Error())
		}
		return nil
	}
	switch {
	case n == 1:
		var h header
		if in.Kind != headerKind {
			return false, broken(n, "kind", "no_header", "must be header")
		}
		if err := row(&h); err != nil {
			return false, err
		}
		return false, to.header(h)
	case in.Kind == trailerKind:
		var t trailer
		if err := row(&t); err != nil {
			return true, err
		}
		return true, to.end(n, t, hash)
	}
	at := rank(in.Kind)
	if at < 0 {
		return false, broken(n, "kind", "unknown_kind", fmt.Sprintf("must be a known kind, not %q", in.Kind))
	}
	l := kinds[at].line()
	if err := row(l); err != nil {
		return false, err
	}
	if c, ok := l.(completed); ok {
		if err := c.complete(); err != nil {
			return false, broken(n, "row", "malformed", err.Error())
		}
	}
	return false, to.line(n, in.Kind, l)
}

// strictly reads one JSON value without fields that are not known.
func strictly(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("must be one JSON value")
	}
	return nil
}

// fieldOf is the field that an error of JSON names.
func fieldOf(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return wrong.Field
	}
	return ""
}
