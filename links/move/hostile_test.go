package move_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/move"
)

// plainLines are the lines of an export as they are written.
func plainLines(t testing.TB, file []byte) []string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(all), "\n"), "\n")
}

// at is the place of the first line of a kind.
func at(t *testing.T, lines []string, kind move.Kind) int {
	t.Helper()
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, fmt.Sprintf(`{"kind":"%s"`, kind)) })
	if i < 0 {
		t.Fatalf("the export has no %s", kind)
	}
	return i
}

// changed is a line with fields of its row set.
func changed(t *testing.T, line string, fields map[string]any) string {
	t.Helper()
	var l struct {
		Kind string         `json:"kind"`
		Row  map[string]any `json:"row"`
	}
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&l); err != nil {
		t.Fatal(err)
	}
	maps.Copy(l.Row, fields)
	out, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Whatever is wrong with an export is told by line and field, and nothing of it is kept.
func TestABrokenExportChangesNothing(t *testing.T) {
	m := newMarket(t, inMemory(t))
	file, _ := m.export(t, move.ExportOptions{People: true, Blobs: m.blobs})
	good := plainLines(t, file)
	end := len(good) - 1
	set := func(kind move.Kind, field string, v any) func([]string) ([]string, int) {
		return func(l []string) ([]string, int) {
			i := at(t, l, kind)
			l[i] = changed(t, l[i], map[string]any{field: v})
			return l, i
		}
	}
	type broken struct {
		code, field string
		do          func(lines []string) (broken []string, line int) // the line counts from 0
	}
	cases := map[string]broken{
		"no lines":      {"truncated", "", func([]string) ([]string, int) { return nil, 0 }},
		"no header":     {"no_header", "kind", func(l []string) ([]string, int) { return l[1:], 0 }},
		"other format":  {"unknown_format", "Format", set("header", "Format", "x")},
		"other version": {"unknown_version", "Version", set("header", "Version", 2)},
		"no JSON":       {"malformed", "", func(l []string) ([]string, int) { l[7] = l[7][:9]; return l, 7 }},
		"no row":        {"required", "row", func(l []string) ([]string, int) { l[7] = `{"kind":"link"}`; return l, 7 }},
		"two values":    {"malformed", "", func(l []string) ([]string, int) { l[7] += l[7]; return l, 7 }},
		"unknown kind":  {"unknown_kind", "kind", func(l []string) ([]string, int) { l[7] = `{"kind":"x","row":{}}`; return l, 7 }},
		"unknown field": {"malformed", "", set(move.Links, "Colour", "red")},
		"wrong type":    {"malformed", "ID", set(move.Links, "ID", "7")},
		"short key":     {"malformed", "row", set(move.Links, "Key", "00ff")},
		"cut at a line": {"truncated", "", func(l []string) ([]string, int) { return l[:end], end }},
		"twice":         {"out_of_order", "row", func(l []string) ([]string, int) { i := at(t, l, move.Links); return slices.Insert(l, i, l[i]), i + 1 }},
		"order twice":   {"out_of_order", "row", func(l []string) ([]string, int) { i := at(t, l, move.Orders); return slices.Insert(l, i, l[i]), i + 1 }},
		"refund twice":  {"duplicate", "ID", func(l []string) ([]string, int) { i := at(t, l, move.Refunds); return slices.Insert(l, i, l[i]), i + 1 }},
		"kinds swapped": {"out_of_order", "kind", func(l []string) ([]string, int) {
			i := at(t, l, move.Links)
			return slices.Insert(l, i+20, l[i]), i + 20
		}},
		"ids swapped": {"out_of_order", "row", func(l []string) ([]string, int) {
			i := at(t, l, move.Links)
			l[i], l[i+1] = l[i+1], l[i]
			return l, i + 1
		}},
		"no advertiser":     {"out_of_order", "kind", func(l []string) ([]string, int) { i := at(t, l, move.Advertisers); return slices.Delete(l, i, i+1), i }},
		"active advertiser": {"invalid", "row", set(move.Advertisers, "Status", "active")},
		"other advertiser":  {"other_advertiser", "AdvertiserID", set(move.Advertisers, "ID", 999)},
		"unknown link":      {"unknown_reference", "LinkID", set(move.Clicks, "LinkID", 1<<40)},
		"unknown campaign":  {"unknown_reference", "OfferID", set(move.RateCards, "OfferID", 1<<40)},
		"unknown user":      {"unknown_reference", "UserID", set(move.Links, "UserID", 1<<40)},
		"no user":           {"unknown_reference", "UserID", set(move.Links, "UserID", 0)},
		"unknown budget":    {"unknown_reference", "SharedBudgetID", set(move.Offers, "SharedBudgetID", 1<<40)},
		"negative click":    {"negative", "earning", set(move.Clicks, "Earning", map[string]any{"amount": "-0.10", "currency": "SEK"})},
		"negative usage":    {"invalid", "row", set(move.Usage, "Spent", -1)},
		"negative views":    {"invalid", "row", set(move.ReturnAds, "Counts", map[string]any{"Views": -1, "Clicks": 0})},
		"money as a number": {"malformed", "", set(move.Entries, "Earning", 0.1)},
		"another amount": {"sum_differs", "Summary", func(l []string) ([]string, int) {
			l, _ = set(move.Payments, "Amount", map[string]any{"amount": "26.00", "currency": "SEK"})(l)
			return l, end
		}},
		"another name": {"sum_differs", "Summary", func(l []string) ([]string, int) { l, _ = set(move.Advertisers, "Name", "Acne")(l); return l, end }},
		"a link less": {"unknown_reference", "LinkID", func(l []string) ([]string, int) {
			i := at(t, l, move.Links)
			return slices.Delete(l, i, i+1), at(t, l, move.Clicks)
		}},
		"an activity less": {"count_differs", "Records", func(l []string) ([]string, int) {
			i := at(t, l, move.Activities)
			return slices.Delete(l, i, i+1), end - 1
		}},
		"another user":         {"hash_differs", "Hash", func(l []string) ([]string, int) { l, _ = set(move.Groups, "Name", "Norway")(l); return l, end }},
		"negative sum":         {"sum_differs", "Summary", set("trailer", "Summary", map[string]any{"AdvertiserID": m.shop.ID, "Counts": nil, "Sums": []any{map[string]any{"Of": "entry.earning", "Currency": "SEK", "N": -5}}, "Hash": ""})},
		"after the trailer":    {"after_trailer", "", func(l []string) ([]string, int) { return append(l, l[end]), end + 1 }},
		"shown at other shops": {"invalid", "row", set(move.ReturnAds, "AdvertiserIDs", []int64{1})},
	}
	for i, l := range good { // another advertiser's id in each record that has one
		var row struct {
			Row struct{ AdvertiserID *int64 } `json:"row"`
		}
		if json.Unmarshal([]byte(l), &row) == nil && row.Row.AdvertiserID != nil && i > 0 && !strings.HasPrefix(l, `{"kind":"shared_tag"`) {
			cases[fmt.Sprintf("of another advertiser, line %d", i+1)] = broken{"other_advertiser", "AdvertiserID", func(l []string) ([]string, int) {
				l[i] = changed(t, l[i], map[string]any{"AdvertiserID": 999})
				return l, i
			}}
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			lines, line := c.do(slices.Clone(good))
			text := strings.Join(lines, "\n") + "\n"
			if lines == nil {
				text = ""
			}
			refusedWholly(t, []byte(text), move.ImportOptions{AddMissing: true, Blobs: affiliate.NewMemoryBlobs()}, c.code, fmt.Sprintf("line %d", line+1), c.field)
		})
	}
	t.Run("cut in the compression", func(t *testing.T) {
		refusedWholly(t, file[:len(file)/2], move.ImportOptions{AddMissing: true, Blobs: affiliate.NewMemoryBlobs()}, "truncated", "line ", "")
	})
	t.Run("no place for files", func(t *testing.T) {
		refusedWholly(t, file, move.ImportOptions{AddMissing: true}, "validation_failed", "Blobs", "")
	})
}

// refusedWholly fails unless the import is refused so, and an empty database stays empty.
func refusedWholly(t *testing.T, file []byte, o move.ImportOptions, code, where, field string) {
	t.Helper()
	is := is.New(t)
	there := inMemory(t)
	o.Clock, o.Batch = there.clock, 5
	_, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), o)
	var e *affiliate.Error
	if !errors.As(err, &e) || !errors.Is(err, affiliate.ErrInvalid) || e.Code != code || len(e.Fields) == 0 {
		t.Fatalf("got %v, want an ErrInvalid %s", err, code)
	}
	if got := e.Fields[0].Field; !strings.Contains(got, where) || !strings.Contains(got, field) {
		t.Errorf("got the field %q, want %s, %s", got, where, field)
	}
	left, err := there.Core.Users(t.Context(), affiliate.UserFilter{}, affiliate.PageRequest{})
	is.NoErr(err)
	is.Equal(left.Total, 0)
	advertisers, err := there.Core.Advertisers(t.Context(), affiliate.AdvertiserFilter{}, affiliate.PageRequest{})
	is.NoErr(err)
	is.Equal(advertisers.Total, 0)
}

// Whatever a file says: reading it ends, with an error or a summary, and what is taken
// is here as it was there.
func FuzzImport(f *testing.F) {
	m := newMarket(f, inMemory(f))
	file, _ := m.export(f, move.ExportOptions{People: true, Blobs: m.blobs})
	lines := plainLines(f, file)
	f.Add(file)
	f.Add([]byte(strings.Join(lines, "\n") + "\n"))
	for _, n := range []int{0, 1, 2, len(lines) / 2, len(lines) - 1} {
		f.Add([]byte(strings.Join(lines[:n], "\n")))
	}
	f.Add([]byte(strings.Join(slices.Concat(lines[:5], lines[6:]), "\n")))
	f.Add([]byte(`{"kind":"header","row":{"Format":"affiliatekit advertiser","Version":1,"AdvertiserID":1,"At":"2026-01-01T00:00:00Z"}}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		there := inMemory(t)
		o := move.ImportOptions{AddMissing: true, Blobs: there.blobs, Clock: there.clock}
		s, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), o)
		if err != nil {
			return
		}
		here, err := move.Summarize(t.Context(), there.db.Moves(), s.AdvertiserID)
		if err != nil || len(here.Differences(s)) > 0 {
			t.Fatalf("the import has %v, and here are %v: %v", s, here, err)
		}
	})
}
