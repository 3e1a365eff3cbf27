package productlists

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// csvFeed reads FeedCSV.
type csvFeed struct {
	csv    csvReader
	header []string
	fields []string
	source *source
}

// rakutenColumns are the fields of Rakuten's product files, which have no header.
var rakutenColumns = []string{
	"Product ID", "Product Name", "SKU Number", "Primary Category", "Secondary Category", "Product URL", "Product Image URL", "Buy URL",
	"Short Product Description", "Long Product Description", "Discount", "Discount Type", "Sale Price", "Retail Price", "Begin Date",
	"End Date", "Brand", "Shipping", "Keywords", "Manufacturer Part Number", "Manufacturer Name", "Shipping Information", "Availability",
	"Universal Product Code", "Class ID", "Currency", "M1", "Pixel",
}

// delimiters are what stands between the fields of a record.
const delimiters = ",;\t|"

func newCSVFeed(r *bufio.Reader, o ImportOptions, s *source) (*csvFeed, error) {
	f := &csvFeed{csv: csvReader{lines: newLineReader(r)}, source: s}
	start, _ := f.csv.lines.r.Peek(sniffed)
	if bytes.HasPrefix(start, []byte("HDR|")) && (o.Preset == RakutenFeed || o.Preset == "") {
		f.csv.comma, f.csv.loose, f.header = '|', true, rakutenColumns
		_, _, err := f.csv.record(nil)
		return f, err
	}
	f.csv.comma = byte(o.Delimiter)
	if o.Delimiter == 0 {
		f.csv.comma = delimiterOf(start, s.columns)
	}
	f.csv.loose = f.csv.comma == '\t' || f.csv.comma == '|' // whose writers rarely quote
	header, reason, err := f.csv.record(nil)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	f.header = header
	named := func(column string) bool {
		return slices.ContainsFunc(header, func(name string) bool { return squeezeName(name) == column })
	}
	if o.Preset == "" && len(o.Columns) == 0 && named("categories") && !named("handle") {
		s.columns["type"] = "kind" // WooCommerce's: simple or variable. Shopify's is a category
	}
	return f, f.check(reason)
}

// delimiterOf is what splits the first line into the most known names.
func delimiterOf(start []byte, columns columnNames) byte {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	best, most := byte(','), 0
	for i := range len(delimiters) {
		known := 0
		for name := range strings.SplitSeq(string(line), delimiters[i:i+1]) {
			if columns[squeezeName(strings.Trim(strings.TrimSpace(name), `"`))] != "" {
				known++
			}
		}
		if known > most {
			best, most = delimiters[i], known
		}
	}
	return best
}

// check refuses a header that lacks what every product needs.
func (f *csvFeed) check(reason string) error {
	var v affiliate.Validation
	v.Check(reason == "", "header", "malformed", reason)
	seen := map[string]bool{}
	for _, name := range f.header {
		squeezed := squeezeName(name)
		column := f.source.columns[squeezed]
		v.Check(column == "" || !seen["="+squeezed], "header."+strings.ToLower(strings.TrimSpace(name)), "duplicate", "must be named once")
		seen["="+squeezed], seen[column] = true, true
	}
	if reason != "" {
		return v.Err("product_feed")
	}
	has := func(columns ...string) bool {
		return slices.ContainsFunc(columns, func(c string) bool { return seen[c] })
	}
	v.Check(has("id", "sku", "handle"), "header.id", "required", "is required")
	v.Check(has("name"), "header.name", "required", "is required")
	v.Check(has("direct_url", "commission_url") || f.source.baseURL != "" && has("handle", "id"), "header.direct_url", "required", "is required")
	// A price may name its currency: rows without one are told.
	v.Check(has("regular_price", "final_price", "sale_price"), "header.regular_price", "required", "or final_price is required")
	return v.Err("product_feed")
}

func (f *csvFeed) next() (rowResult, error) {
	for {
		fields, reason, err := f.csv.record(f.fields[:0])
		f.fields = fields
		line, size := f.csv.first, f.csv.size
		if err != nil {
			return rowResult{}, err
		}
		if reason == "" && f.trailer() {
			continue
		}
		if reason == "" && len(f.fields) != len(f.header) && !f.padded() {
			reason = fmt.Sprintf("has %d columns, the header has %d", len(f.fields), len(f.header))
		}
		if reason != "" {
			return rowResult{line: line, size: size, reason: reason}, nil
		}
		row := &feedRow{}
		for i, name := range f.header[:min(len(f.header), len(f.fields))] {
			f.source.columns.set(row, name, strings.TrimSpace(f.fields[i]))
		}
		if r := f.source.result(row, line, size); !r.skipped {
			return r, nil
		}
	}
}

// rakuten reports whether the fields are Rakuten's, which have no header.
func (f *csvFeed) rakuten() bool { return &f.header[0] == &rakutenColumns[0] }

// trailer reports whether the record is the last line of a Rakuten file.
func (f *csvFeed) trailer() bool {
	return len(f.header) > 0 && f.rakuten() && len(f.fields) > 0 && f.fields[0] == "TRL"
}

// padded reports whether another number of fields is no fault: Rakuten's files
// end with optional ones.
func (f *csvFeed) padded() bool { return len(f.header) > 0 && f.rakuten() && len(f.fields) >= 14 }
