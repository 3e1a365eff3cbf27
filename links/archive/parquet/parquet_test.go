package parquet_test

import (
	"bytes"
	"errors"
	"iter"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/archive"
	"github.com/affiliatekit/affiliatekit/links/archive/parquet"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)

func clicks(n int) []links.Click {
	list := make([]links.Click, n)
	for i := range list {
		id := uuid.UUID{0: byte(i >> 8), 1: byte(i), 15: 7}
		list[i] = links.Click{
			ID: id, LinkID: int64(i), UserID: math.MaxInt64, AdvertiserID: 3, At: noon.Add(time.Duration(i) * time.Microsecond), Source: 2, Verdict: links.VerdictValid,
			Earning: affiliate.NewMoney(math.MaxInt64, "SEK"), Cost: affiliate.NewMoney(int64(-i), "SEK"), Terms: `{"offer":"å"}`,
		}
		if i%3 == 0 {
			list[i].OfferID, list[i].Verdict, list[i].Reason = 1<<53+1, links.VerdictCapped, "budget"
		}
		if i%5 == 1 {
			list[i].Verdict, list[i].Repeats = links.VerdictDuplicate, list[i-1].ID
		}
	}
	return list
}

func events(n int) []affiliate.Event {
	list := make([]affiliate.Event, n)
	for i := range list {
		list[i] = affiliate.Event{
			Sequence: int64(i + 1), ID: int64(i), Kind: "offer.updated", Version: 2, At: noon, AdvertiserID: int64(i % 2), ClientID: int64(i % 3),
			Object: affiliate.Object{Type: "offer", ID: "é"}, Data: `{"a":1}`,
		}
	}
	return list
}

func seq[V any](list []V, err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			yield(*new(V), err)
		}
	}
}

// rows are those of a file.
func rows[R any](t *testing.T, file *bytes.Buffer) []R {
	t.Helper()
	list, err := parquetgo.Read[R](bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func clicksOf(t *testing.T, file *bytes.Buffer) []links.Click {
	t.Helper()
	var list []links.Click
	for _, r := range rows[parquet.ClickRow](t, file) {
		list = append(list, r.Click())
	}
	return list
}

func TestAFileHasWhatWasWritten(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 2345} {
		is := is.New(t)
		var file bytes.Buffer
		written, err := parquet.WriteClicks(&file, seq(clicks(n), nil))
		is.NoErr(err)
		is.Equal(written, int64(n))
		is.Equal(clicksOf(t, &file), append([]links.Click(nil), clicks(n)...))

		file.Reset()
		_, err = parquet.WriteEvents(&file, seq(events(n), nil))
		is.NoErr(err)
		kept := rows[parquet.EventRow](t, &file)
		is.Equal(len(kept), n)
		for i, e := range events(n) {
			is.Equal(kept[i].Event(), e)
		}
	}
}

// The columns are for others to read: their names and types stay.
func TestTheColumnsAreThoseOfTheLines(t *testing.T) {
	is := is.New(t)
	is.Equal(parquetgo.SchemaOf(parquet.ClickRow{}).String(), `message ClickRow {
	required fixed_len_byte_array(16) id (UUID);
	required int64 link_id (INT(64,true));
	required int64 user_id (INT(64,true));
	required int64 advertiser_id (INT(64,true));
	optional int64 offer_id (INT(64,true));
	required int64 at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	required int32 source (INT(32,true));
	required binary verdict (STRING);
	optional fixed_len_byte_array(16) repeats (UUID);
	required binary reason (STRING);
	required binary currency (STRING);
	required int64 earning (INT(64,true));
	required int64 cost (INT(64,true));
	required binary terms (STRING);
}`)
	is.Equal(parquetgo.SchemaOf(parquet.EventRow{}).String(), `message EventRow {
	required int64 sequence (INT(64,true));
	required int64 id (INT(64,true));
	required binary kind (STRING);
	required int32 version (INT(32,true));
	required int64 at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	optional int64 advertiser_id (INT(64,true));
	optional int64 client_id (INT(64,true));
	required binary object_type (STRING);
	required binary object_id (STRING);
	required binary data (STRING);
}`)
}

// A month of the archive goes into a file as it is.
func TestTheArchiveBecomesAFile(t *testing.T) {
	is := is.New(t)
	blobs := affiliate.NewMemoryBlobs()
	var part archive.Part
	for _, c := range clicks(50) {
		is.NoErr(part.AddClick(c))
	}
	is.NoErr(part.Put(t.Context(), blobs))
	var file bytes.Buffer
	_, err := parquet.WriteClicks(&file, archive.Clicks(t.Context(), blobs, noon))
	is.NoErr(err)
	is.Equal(clicksOf(t, &file), clicks(50))
}

func TestAnErrorEndsTheWriting(t *testing.T) {
	is := is.New(t)
	broken := errors.New("the archive is gone")
	_, err := parquet.WriteClicks(&bytes.Buffer{}, seq(clicks(3), broken))
	is.True(errors.Is(err, broken))
}
