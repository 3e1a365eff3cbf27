package orders

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxLineBytes bounds one line of a batch.
const MaxLineBytes = 64 << 10

// Format is how a batch is written.
type Format string

// The formats. Both have one order on a line, with the fields order_number,
// order_value, currency, order_at (RFC 3339), tax, shipping, voucher_code and
// click_id, which may be several with commas between. JSON Lines also have
// lines: [{"sku", "category", "quantity", "value"}]; amounts are numbers or
// strings of major units. CSV begins with the names of its columns. Other fields
// are ignored.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
)

// LineResult is what became of one line of a batch.
type LineResult struct {
	Line   int    // its place in the batch, the first being 1
	Number string // the order number, as far as it could be read
	Result
}

// ReportLines takes in a batch of an advertiser's orders as it is read, and
// tells each line that is not empty what became of it, in their order. A bad
// line leaves the others alone. An error ends the batch: one of reading, of
// answer, or of the backend; lines before it that were answered are kept, and a
// batch may be sent again.
func (s *Service) ReportLines(ctx context.Context, advertiserID int64, in io.Reader, f Format, answer func(LineResult) error) error {
	if err := s.actsFor(advertiserID); err != nil {
		return err
	}
	parse, err := parserOf(f)
	if err != nil {
		return err
	}
	lines := lineReader{in: bufio.NewReaderSize(in, MaxLineBytes)}
	for {
		batch, errRead := lines.next(parse, maxBatch)
		if err := s.reportLines(ctx, advertiserID, batch, answer); err != nil {
			return err
		}
		if errors.Is(errRead, io.EOF) {
			return nil
		}
		if errRead != nil {
			return errRead
		}
	}
}

// readLine is a line of a batch that was read.
type readLine struct {
	at     int
	report Report
	err    error
}

func (s *Service) reportLines(ctx context.Context, advertiserID int64, batch []readLine, answer func(LineResult) error) error {
	var reports []Report
	for _, l := range batch {
		if l.err == nil {
			l.report.AdvertiserID = advertiserID
			reports = append(reports, l.report)
		}
	}
	results, err := s.ReportMany(ctx, reports)
	if err != nil {
		return err
	}
	for _, l := range batch {
		out := LineResult{Line: l.at, Number: l.report.Number, Result: Result{Outcome: Refused, Err: l.err}}
		if l.err == nil {
			out.Result, results = results[0], results[1:]
		}
		if err := answer(out); err != nil {
			return err
		}
	}
	return nil
}

// lineReader cuts a batch into lines, of bounded length.
type lineReader struct {
	in   *bufio.Reader
	line int
}

var errLineTooLong = affiliate.Invalid("order", affiliate.FieldError{Field: "line", Code: "too_long", Message: "must be at most " + strconv.Itoa(MaxLineBytes) + " bytes"})

// next reads at most n lines that are not empty.
func (r *lineReader) next(parse parser, n int) ([]readLine, error) {
	var out []readLine
	for len(out) < n {
		text, long, err := r.read()
		if err != nil && (len(text) == 0 || !errors.Is(err, io.EOF)) { // half a line is no line
			return out, err
		}
		r.line++
		if r.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if text = bytes.TrimSpace(text); len(text) == 0 && !long {
			continue
		}
		l := readLine{at: r.line}
		if long {
			l.err = errLineTooLong
		} else if header, errParse := parse(text, &l.report); header {
			if errParse != nil {
				return out, errParse
			}
			continue
		} else {
			l.err = errParse
		}
		out = append(out, l)
	}
	return out, nil
}

// read reads a line; of one that is too long it keeps nothing.
func (r *lineReader) read() (text []byte, long bool, err error) {
	text, err = r.in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		_, err = r.in.ReadSlice('\n')
	}
	if long {
		return []byte{' '}, true, err
	}
	return text, false, err
}

// parser reads a line into a report. header says that the line is no order, but
// names the columns.
type parser func(line []byte, r *Report) (header bool, err error)

func parserOf(f Format) (parser, error) {
	switch f {
	case JSONLines:
		return func(line []byte, r *Report) (bool, error) { return false, parseJSON(line, r) }, nil
	case CSV:
		var columns []string
		return func(line []byte, r *Report) (bool, error) {
			cells, err := cellsOf(line)
			if columns == nil {
				columns = cells
				if err == nil && !slices.Contains(columns, "order_number") {
					err = affiliate.Invalid("order", affiliate.FieldError{Field: "order_number", Code: "required", Message: "must be one of the columns that the first line names"})
				}
				return true, err
			}
			if err != nil {
				return false, err
			}
			return false, parseCells(columns, cells, r)
		}, nil
	}
	return nil, affiliate.Invalid("order", affiliate.FieldError{Field: "format", Code: "not_in_list", Message: "must be jsonl or csv"})
}

func invalidLine(message string) error {
	return affiliate.Invalid("order", affiliate.FieldError{Field: "line", Code: "invalid", Message: message})
}

func cellsOf(line []byte) ([]string, error) {
	if !utf8.Valid(line) {
		return nil, invalidLine("must be UTF-8")
	}
	cells, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil {
		return nil, invalidLine("must be comma-separated values")
	}
	return cells, nil
}

// fields are the fields of a line as texts.
type fields map[string]string

func parseCells(columns, cells []string, r *Report) error {
	if len(cells) > len(columns) {
		return invalidLine("must not have more values than the first line has columns")
	}
	f := make(fields, len(cells))
	for i, c := range cells {
		f[columns[i]] = c
	}
	return f.report(r)
}

// lineJSON is an order in JSON Lines.
type lineJSON struct {
	Number   string  `json:"order_number"`
	Value    textual `json:"order_value"`
	Currency string  `json:"currency"`
	At       string  `json:"order_at"`
	Tax      textual `json:"tax"`
	Shipping textual `json:"shipping"`
	Voucher  string  `json:"voucher_code"`
	ClickID  string  `json:"click_id"`
	Lines    []struct {
		SKU      string  `json:"sku"`
		Category string  `json:"category"`
		Quantity int64   `json:"quantity"`
		Value    textual `json:"value"`
	} `json:"lines"`
}

// textual is a JSON number or a string; null is empty.
type textual string

// UnmarshalJSON implements json.Unmarshaler.
func (t *textual) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = ""
		return nil
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(t))
	case b[0] == '-' || '0' <= b[0] && b[0] <= '9':
		*t = textual(b)
		return nil
	}
	return errors.New("must be a number or a string")
}

func parseJSON(line []byte, r *Report) error {
	if !utf8.Valid(line) {
		return invalidLine("must be UTF-8")
	}
	var in lineJSON
	if err := json.Unmarshal(line, &in); err != nil {
		return invalidLine("must be one JSON object with fields of the documented types")
	}
	f := fields{
		"order_number": in.Number, "order_value": string(in.Value), "currency": in.Currency, "order_at": in.At,
		"tax": string(in.Tax), "shipping": string(in.Shipping), "voucher_code": in.Voucher, "click_id": in.ClickID,
	}
	var v affiliate.Validation
	v.Merge("", f.report(r))
	for i, l := range in.Lines {
		value := amount(&v, "lines."+strconv.Itoa(i)+".value", string(l.Value))
		r.Lines = append(r.Lines, LineInput{SKU: l.SKU, Category: l.Category, Quantity: l.Quantity, Value: value})
	}
	return v.Err("order")
}

// report reads the fields into a report. Their values are checked when it is
// taken in; here only whether they can be read.
func (f fields) report(r *Report) error {
	var v affiliate.Validation
	r.Number, r.Voucher, r.Currency = f["order_number"], strings.TrimSpace(f["voucher_code"]), affiliate.Currency(f["currency"])
	r.Value = amount(&v, "order_value", f["order_value"])
	r.Tax, r.Shipping = optionalAmount(&v, "tax", f["tax"]), optionalAmount(&v, "shipping", f["shipping"])
	r.ClickIDs = parseClickIDs(f["click_id"])
	if at := f["order_at"]; at != "" {
		var err error
		if r.At, err = time.Parse(time.RFC3339, at); err != nil {
			v.Add("order_at", "invalid_time", "must be a time such as 2026-03-18T12:00:00Z")
		}
	}
	return v.Err("order")
}

// maxAmountText is how long the text of an amount may be.
const maxAmountText = 40

// amount reads an amount of major units: digits, and at most one point among
// them. There is no exponent: "1e999999" must not cost anything.
func amount(v *affiliate.Validation, field, s string) decimal.Decimal {
	unsigned := strings.TrimPrefix(s, "-")
	whole, frac, point := strings.Cut(unsigned, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	switch {
	case s == "":
		v.Add(field, "required", "is required")
	case len(s) > maxAmountText:
		v.Add(field, "too_long", "must be at most 40 characters")
	case !digits(whole) || point && !digits(frac):
		v.Add(field, "invalid_decimal", "must be a decimal number such as 12.34")
	default:
		d, err := decimal.NewFromString(s)
		if err != nil {
			v.Add(field, "invalid_decimal", "must be a decimal number such as 12.34")
		}
		return Exact(d)
	}
	return decimal.Decimal{}
}

func optionalAmount(v *affiliate.Validation, field, s string) affiliate.Optional[decimal.Decimal] {
	if s == "" {
		return affiliate.Optional[decimal.Decimal]{}
	}
	return affiliate.Some(amount(v, field, s))
}

// parseClickIDs reads click ids with commas between. What is none of ours, such
// as the id of another network under the same name, is left out; so are all
// but the last MaxClicks, and repetitions.
func parseClickIDs(s string) []uuid.UUID {
	if len(s) > 64*MaxClicks {
		s = s[len(s)-64*MaxClicks:]
	}
	var out []uuid.UUID
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if id, err := uuid.Parse(part); err == nil && len(part) == 36 && id != uuid.Nil && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out[max(0, len(out)-MaxClicks):]
}
