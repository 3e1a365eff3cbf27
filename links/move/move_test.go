package move_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/move"
)

// verified fails unless every recount of a place is empty.
func verified(t *testing.T, where string, p *place) {
	t.Helper()
	for _, verify := range []func() ([]affiliate.Difference, error){
		func() ([]affiliate.Difference, error) { return p.Core.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.Links.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.Orders.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.ReturnAds.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.Payouts.Verify(t.Context()) },
	} {
		diffs, err := verify()
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		for _, d := range diffs {
			t.Errorf("%s: %s", where, d)
		}
	}
}

func (m *market) export(t *testing.T, o move.ExportOptions) ([]byte, move.Summary) {
	t.Helper()
	if _, err := m.Core.DeactivateAdvertiser(t.Context(), m.shop.ID); err != nil {
		t.Fatal(err)
	}
	o.Clock = m.clock
	var out bytes.Buffer
	s, err := move.Export(t.Context(), m.db.Moves(), &out, m.shop.ID, o)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), s
}

func TestAShopMovesWithEverythingThatHangsOnIt(t *testing.T) {
	places := map[string]func(*testing.T) *place{"memory": inMemory, "postgres": onPostgres}
	for from, source := range places {
		for to, target := range places {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				is := is.New(t)
				m := newMarket(t, source(t))
				verified(t, "there", m.place)
				file, exported := m.export(t, move.ExportOptions{People: true, Blobs: m.blobs})
				there := target(t)
				there.now = m.now
				imported, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), move.ImportOptions{AddMissing: true, Blobs: there.blobs, Clock: there.clock})
				is.NoErr(err)
				is.Equal(imported, exported)
				here, err := move.Summarize(t.Context(), there.db.Moves(), m.shop.ID)
				is.NoErr(err)
				is.Equal(here, exported)
				verified(t, "here", there)
			})
		}
	}
}

// fileLine is a line of an export.
type fileLine struct {
	Kind move.Kind       `json:"kind"`
	Row  json.RawMessage `json:"row"`
}

// linesOf reads an export without the package's help.
func linesOf(t *testing.T, file []byte) (lines []fileLine) {
	t.Helper()
	is := is.New(t)
	zip, err := gzip.NewReader(bytes.NewReader(file))
	is.NoErr(err)
	for d := json.NewDecoder(zip); ; {
		var l fileLine
		err := d.Decode(&l)
		if errors.Is(err, io.EOF) {
			return lines
		}
		is.NoErr(err)
		lines = append(lines, l)
	}
}
