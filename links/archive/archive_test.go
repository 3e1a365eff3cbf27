package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/archive"
)

func click(n int, at time.Time) links.Click {
	return links.Click{
		ID: uuid.UUID{4: byte(n >> 8), 5: byte(n), 6: 0x70, 8: 0x80}, LinkID: 1, UserID: 2, AdvertiserID: 3, OfferID: 4, At: at, Source: affiliate.SourceYouTube,
		Visitor: links.VisitorKey{9}, Verdict: links.VerdictDuplicate, Repeats: uuid.UUID{15: 1}, Reason: "duplicate",
		Earning: affiliate.NewMoney(0, "JPY"), Cost: affiliate.NewMoney(0, "JPY"), Terms: "{\"a\": \"\u2028<b>\"}",
	}
}

func all[T any](t *testing.T, seq iter.Seq2[T, error]) (out []T) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func put(t *testing.T, blobs affiliate.Blobs, clicks ...links.Click) {
	t.Helper()
	var p archive.Part
	for _, c := range clicks {
		if err := p.AddClick(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Put(t.Context(), blobs); err != nil {
		t.Fatal(err)
	}
}

func TestAClickComesBackWithoutItsVisitor(t *testing.T) {
	is, blobs := is.New(t), affiliate.NewMemoryBlobs()
	january, february := time.Date(2026, 1, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	first, second := click(1, january), click(2, february)
	put(t, blobs, first)
	put(t, blobs, second)
	put(t, blobs)
	first.Visitor, second.Visitor = links.VisitorKey{}, links.VisitorKey{}
	is.Equal(all(t, archive.Clicks(t.Context(), blobs, time.Time{})), []links.Click{first, second})
	is.Equal(all(t, archive.Clicks(t.Context(), blobs, february.AddDate(0, 0, 20))), []links.Click{second})
	is.Equal(len(all(t, archive.Clicks(t.Context(), blobs, february.AddDate(0, 1, 0)))), 0)
	keys, err := blobs.Keys(t.Context(), "", "", 10)
	is.NoErr(err)
	is.Equal(len(keys), 2) // a part without lines is none
	var part archive.Part
	is.True(part.Fits(first))
	is.NoErr(part.AddClick(first))
	is.True(!part.Fits(second)) // each part is of one month
}

func TestPartsThatOverlapGiveEachClickOnce(t *testing.T) {
	is, blobs := is.New(t), affiliate.NewMemoryBlobs()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	put(t, blobs, click(1, at), click(2, at))
	put(t, blobs, click(1, at), click(2, at), click(3, at)) // again after a crash, with more
	put(t, blobs, click(4, at))
	var ids []byte
	for _, c := range all(t, archive.Clicks(t.Context(), blobs, time.Time{})) {
		ids = append(ids, c.ID[5])
	}
	is.Equal(ids, []byte{1, 2, 3, 4})
}

func TestAnEventComesBack(t *testing.T) {
	is, blobs := is.New(t), affiliate.NewMemoryBlobs()
	var want []affiliate.Event
	for _, sequence := range []int64{9, 10, 11} {
		want = append(want, affiliate.Event{
			ID: 100 - sequence, Sequence: sequence, Kind: "order.approved", Version: 1, AdvertiserID: 3, ClientID: 4, Object: affiliate.Object{Type: "order", ID: "17"},
			Data: `{"a":1}`, At: time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC),
		})
	}
	want[1].Data = ""
	for _, part := range [][]affiliate.Event{want[:1], want[1:]} {
		var p archive.Part
		for _, e := range part {
			is.NoErr(p.AddEvent(e))
		}
		is.NoErr(p.Put(t.Context(), blobs))
	}
	is.Equal(all(t, archive.Events(t.Context(), blobs)), want)
}

func ExampleClicks() {
	ctx, blobs := context.Background(), affiliate.NewMemoryBlobs()
	var part archive.Part
	if err := part.AddClick(links.Click{
		ID: uuid.UUID{5: 1, 6: 0x70, 8: 0x80}, LinkID: 7, UserID: 2, AdvertiserID: 3, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Verdict: links.VerdictValid, Earning: affiliate.NewMoney(10, "SEK"), Cost: affiliate.NewMoney(12, "SEK"),
	}); err != nil {
		fmt.Println(err)
	}
	if err := part.Put(ctx, blobs); err != nil {
		fmt.Println(err)
	}
	for c, err := range archive.Clicks(ctx, blobs, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.At.Format(time.DateOnly), "link", c.LinkID, c.Earning)
	}
	// Output: 2026-01-02 link 7 0.10 SEK
}

// FuzzClicks reads what somebody else may have put among the blobs.
func FuzzClicks(f *testing.F) {
	for _, text := range []string{`{"id":"00000000-0001-7000-8000-000000000000","at":"2026-01-01T00:00:00Z","currency":"SEK","earning":1}`, "{}\n{}", "null", "[]", "", `{"id":"x"}`, `{"earning":1e99}`} {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		if _, err := w.Write([]byte(text)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(zipped.Bytes())
	}
	f.Add([]byte("no gzip"))
	f.Fuzz(func(t *testing.T, data []byte) {
		blobs := affiliate.NewMemoryBlobs()
		if err := blobs.Put(t.Context(), archive.ClickPrefix+"2026-01-x.jsonl.gz", data); err != nil {
			t.Fatal(err)
		}
		last := ""
		for c, err := range archive.Clicks(t.Context(), blobs, time.Time{}) {
			if err != nil {
				return
			}
			if id := c.ID.String(); id <= last {
				t.Fatalf("%s after %s", id, last)
			} else {
				last = id
			}
		}
	})
}
