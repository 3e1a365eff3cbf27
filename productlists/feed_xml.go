package productlists

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"
)

// xmlFeed reads FeedXML: RSS 2.0 and Atom with the elements of Google Merchant.
// What stands around items and entries is skipped.
type xmlFeed struct {
	decoder *xml.Decoder
	source  *source
	counted *countedReader
}

// countedReader bounds one item: the decoder keeps an element's text in memory.
type countedReader struct {
	r    io.Reader
	left int
}

var errItemTooLong = errors.New("an item is longer than 1 MiB")

func (c *countedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errItemTooLong
	}
	n, err := c.r.Read(p[:min(len(p), 4096)])
	c.left -= n
	return n, err
}

// newXMLFeed reads items of a text; decoded says that it is UTF-8 already, whatever
// it says of itself.
func newXMLFeed(r io.Reader, s *source, decoded bool) *xmlFeed {
	f := &xmlFeed{source: s, counted: &countedReader{r, MaxFeedLine}}
	f.decoder = xml.NewDecoder(f.counted)
	f.decoder.Strict = false // feeds have &nbsp; and the like in them
	f.decoder.Entity = xml.HTMLEntity
	f.decoder.CharsetReader = func(name string, r io.Reader) (io.Reader, error) {
		switch name = strings.ToLower(name); {
		case decoded, name == "utf-8", name == "us-ascii":
			return r, nil
		case name == "iso-8859-1", name == "windows-1252", name == "latin1":
			return transform.NewReader(r, charmap.Windows1252.NewDecoder()), nil
		}
		return nil, malformedFeed("has an unknown charset: " + name)
	}
	return f
}

func (f *xmlFeed) next() (rowResult, error) {
	for {
		f.counted.left = MaxFeedLine
		token, err := f.decoder.Token()
		if err != nil {
			return rowResult{}, f.failed(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "item" && start.Name.Local != "entry" {
			continue
		}
		line, _ := f.decoder.InputPos()
		row, err := f.item(start)
		if err != nil {
			return rowResult{}, f.failed(err)
		}
		if r := f.source.result(row, line, MaxFeedLine-f.counted.left); !r.skipped {
			return r, nil
		}
	}
}

// failed turns what the decoder says into an error of the feed: behind malformed
// XML nothing can be read.
func (f *xmlFeed) failed(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return malformedFeed("is not well-formed: " + syntax.Error())
	case errors.Is(err, errItemTooLong):
		return malformedFeed(errItemTooLong.Error())
	}
	return err
}

// item reads one item: its elements by name, without their namespace. Of several
// with one name the first counts. An Atom link has its address in an attribute.
func (f *xmlFeed) item(start xml.StartElement) (*feedRow, error) {
	row := &feedRow{}
	depth, name := 0, ""
	var text strings.Builder
	for {
		token, err := f.decoder.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > 1 {
				continue
			}
			name = t.Name.Local
			text.Reset()
			for _, a := range t.Attr {
				if name == "link" && a.Name.Local == "href" {
					text.WriteString(a.Value)
				}
			}
		case xml.CharData:
			if depth == 1 {
				text.Write(t)
			}
		case xml.EndElement:
			if depth == 0 {
				return row, nil
			}
			if depth--; depth == 0 {
				f.source.columns.set(row, name, strings.TrimSpace(text.String()))
			}
		}
	}
}
