package laravel

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

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

// Table is a list as a file: all of it, not a page. It is read batch by batch
// while it is written, each batch in a unit of its own, so that a slow reader
// holds nothing up and the memory does not grow with the rows.
type Table[T any] struct {
	Name    string
	Columns []Column[T]
	// Next returns the rows that follow those it returned before, none at the end.
	Next func() ([]T, error)
}

// The formats of an export.
const (
	CSV  = "csv"
	XLSX = "xlsx"
)

// Export returns the table as a file. The first batch is read before the file
// begins, so that a list that cannot be read is an error and not half a file.
func (t Table[T]) Export(format string) (wire.Stream, error) {
	rows, err := t.Next()
	if err != nil {
		return wire.Stream{}, err
	}
	write, contentType := t.writeCSV, csvType
	if format == XLSX {
		write, contentType = t.writeXLSX, xlsxType
	}
	return wire.Stream{
		ContentType: contentType,
		Header:      http.Header{"Content-Disposition": {`attachment; filename="` + t.Name + "." + format + `"`}},
		Write:       func(w io.Writer) error { return write(w, rows) },
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

// each calls write for every row, the given ones first.
func (t Table[T]) each(rows []T, write func(T) error) (err error) {
	for len(rows) > 0 && err == nil {
		for _, row := range rows {
			if err := write(row); err != nil {
				return err
			}
		}
		rows, err = t.Next()
	}
	return err
}

func (t Table[T]) writeCSV(w io.Writer, rows []T) error {
	out := csv.NewWriter(w)
	record := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		record[i] = c.Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	err := t.each(rows, func(row T) error {
		for i, c := range t.Columns {
			record[i] = cellText(c.Cell(row))
		}
		return out.Write(record)
	})
	out.Flush()
	return errors.Join(err, out.Error())
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
func (t Table[T]) writeXLSX(w io.Writer, rows []T) (err error) {
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
	err = t.each(rows, func(row T) error {
		for i, c := range t.Columns {
			cells[i] = c.Cell(row)
			if s, ok := cells[i].(string); ok {
				cells[i] = defused(s)
			}
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
func defused(s string) string {
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return "'" + s
	}
	return s
}

// Batches reads a list from its beginning, batch by batch.
func Batches[T any](by affiliate.Sort, list func(affiliate.PageRequest) (affiliate.Page[T], error)) func() ([]T, error) {
	req := affiliate.PageRequest{Size: exportBatch, Sort: by}
	ended := false
	return func() ([]T, error) {
		if ended {
			return nil, nil
		}
		req.Number++
		page, err := list(req)
		ended = len(page.Items) < req.Size
		return page.Items, err
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
