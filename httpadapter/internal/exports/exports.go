package exports

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// exportBatch is how many rows of an export are read at a time.
const exportBatch = 1000

// Column is one column of an export. A cell is a string, an int64, a bool, or
// nil for an empty one.
type Column[T any] struct {
	Name string
	Cell func(T) any
}

// NewColumn makes a column.
func NewColumn[T any](name string, cell func(T) any) Column[T] { return Column[T]{name, cell} }

// Table is a list as a file: all of it, not a page.
type Table[T any] struct {
	Name    string
	Columns []Column[T]
	Rows    func() Rows[T] // from the beginning
}

// Rows returns the rows that follow those it returned before, none at the end.
type Rows[T any] func(context.Context) ([]T, error)

// The formats of an export.
const (
	CSV  = "csv"
	XLSX = "xlsx"
)

// FileForm says in which form a file is wanted. It is embedded in inputs.
type FileForm struct {
	Format string              `query:"format" json:"format" enum:"csv,xlsx"`
	BOM    wire.Optional[bool] `query:"bom" json:"bom"` // of CSV: a byte order mark, without which Excel takes UTF-8 for another charset
}

// Snapshot runs a function whose context shows lists as they are at one instant.
type Snapshot func(ctx context.Context, fn func(context.Context) error) error

// Export returns the table as a file. All rows are read from one snapshot, batch
// by batch, into a file of ours, before the answer begins: however slowly a client
// reads, it holds neither a lock nor a connection. Of the rows that are not in the
// batch the memory has the keys alone, and a list that cannot be read is an error
// and not half a file.
func (t Table[T]) Export(ctx context.Context, snapshot Snapshot, form FileForm) (wire.Stream, error) {
	write, contentType := t.writeCSV, csvType
	if form.Format == XLSX {
		write, contentType = t.writeXLSX, xlsxType
	}
	file := &spool{}
	err := snapshot(ctx, func(ctx context.Context) error {
		if err := file.reset(); err != nil { // of an attempt before
			return err
		}
		if form.Format == CSV && !(form.BOM.Set && !form.BOM.Value) {
			if _, err := file.Write([]byte(byteOrderMark)); err != nil {
				return err
			}
		}
		return write(ctx, file)
	})
	if err != nil {
		return wire.Stream{}, errors.Join(err, file.Close())
	}
	return wire.Stream{
		ContentType: contentType,
		Header:      http.Header{"Content-Disposition": {`attachment; filename="` + t.Name + "." + form.Format + `"`}},
		Write:       file.copyTo,
		Close:       file.Close,
	}, nil
}

// Exported is a list, or the whole of it as a file.
type Exported[L any] = wire.Either[L, wire.Stream]

// AsFile makes the file the answer.
func AsFile[L any](file wire.Stream, err error) (Exported[L], error) {
	return wire.Second[L](file), err
}

const (
	csvType  = "text/csv; charset=utf-8"
	xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// ExportTypes are the media types of the files.
func ExportTypes() []string { return []string{"text/csv", xlsxType} }

// byteOrderMark says that what follows is UTF-8.
const byteOrderMark = "\ufeff"

// each calls write for every row.
func (t Table[T]) each(ctx context.Context, write func(T) error) error {
	next := t.Rows()
	for {
		rows, err := next(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := write(row); err != nil {
				return err
			}
		}
	}
}

func (t Table[T]) writeCSV(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	record := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		record[i] = c.Name
	}
	if err := writeRecord(out, record); err != nil {
		return err
	}
	err := t.each(ctx, func(row T) error {
		for i, c := range t.Columns {
			record[i] = cellText(c.Cell(row))
		}
		return writeRecord(out, record)
	})
	return errors.Join(err, out.Flush())
}

// writeRecord writes one line of CSV. Beside what has to be quoted, it quotes what
// other readers would split at: a spreadsheet of many a country takes semicolons
// for separators.
func writeRecord(out *bufio.Writer, record []string) (err error) {
	for i, cell := range record {
		if i > 0 {
			out.WriteByte(',')
		}
		if strings.ContainsAny(cell, ",;|\t\"\r\n") || strings.HasPrefix(cell, " ") || strings.HasSuffix(cell, " ") {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		out.WriteString(cell)
	}
	_, err = out.WriteString("\n") // a bufio.Writer keeps its first error
	return err
}

// cellText is a cell in a text file.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return defused(v)
	}
	return defused(fmt.Sprint(v))
}

// writeXLSX keeps what is beyond some MiB in a temporary file until the end:
// the format is an archive whose parts are compressed at last.
//
// A text is a text cell: no spreadsheet takes it for a formula, whatever it
// begins with.
func (t Table[T]) writeXLSX(ctx context.Context, w io.Writer) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	sheet, err := book.NewStreamWriter(book.GetSheetName(0))
	if err != nil {
		return err
	}
	cells := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		cells[i] = c.Name
	}
	line := 0
	write := func() error {
		line++
		return sheet.SetRow("A"+strconv.Itoa(line), cells)
	}
	if err := write(); err != nil {
		return err
	}
	err = t.each(ctx, func(row T) error {
		for i, c := range t.Columns {
			cells[i] = c.Cell(row)
		}
		return write()
	})
	if err != nil {
		return err
	}
	if err := sheet.Flush(); err != nil {
		return err
	}
	return book.Write(w)
}

// defused is a text that no spreadsheet takes for a formula: one that begins
// like a formula is quoted with an apostrophe, which spreadsheets do not show.
// Some of them skip spaces and a byte order mark before it, and read full-width
// signs as the plain ones.
func defused(s string) string {
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	rest := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' })
	if first, _ := utf8.DecodeRuneInString(rest); strings.ContainsRune("=+-@＝＋－＠", first) && rest != "" {
		return "'" + s
	}
	return s
}

// Batches reads a list batch by batch, with its order found out once.
func Batches[T any](by affiliate.Sort, list func(context.Context, affiliate.PageRequest) (affiliate.Page[T], error)) func() Rows[T] {
	return func() Rows[T] {
		req := affiliate.PageRequest{Size: exportBatch, Sort: by, Keys: &affiliate.PageKeys{}}
		ended := false
		return func(ctx context.Context) ([]T, error) {
			if ended {
				return nil, nil
			}
			req.Number++
			page, err := list(ctx, req)
			ended = len(page.Items) < req.Size
			return page.Items, err
		}
	}
}

// TimeCell is a time as lists show it; the zero time is an empty cell.
func TimeCell(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.DateTime)
}

// OptionalCell is a number, or an empty cell.
func OptionalCell(o affiliate.Optional[int64]) any {
	if !o.Set {
		return nil
	}
	return o.Value
}

// IDCell is an id, or an empty cell for none.
func IDCell(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// TextCell is a text, or an empty cell for null.
func TextCell(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}
