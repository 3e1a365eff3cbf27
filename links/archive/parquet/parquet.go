// Package parquet writes clicks and events as Parquet files, which data
// warehouses read. It is apart from package archive for the modules that it links.
//
//	file, err := os.Create("clicks-2026-01.parquet")
//	rows, err := parquet.WriteClicks(file, archive.Clicks(ctx, blobs, january))
//
// Columns are named as the fields of [archive.ClickLine] and [archive.EventLine].
// Ids of clicks are UUIDs, times are UTC in microseconds, and money is in minor
// units of the currency beside it. Visitor keys are personal data and in no file.
//
// A file is compressed by zstd. Writing holds one row group, of at most [MaxGroup]
// rows. Go programs read a file by [ClickRow] or [EventRow]:
//
//	rows := parquetgo.NewGenericReader[parquet.ClickRow](file)
//
// What reads Parquet trusts the file. The lines of package archive are what this
// module reads back.
package parquet

import (
	"io"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// MaxGroup is how many rows a row group has at most.
const MaxGroup = 50_000

// batch is how many rows go to the library at once.
const batch = 1000

// ClickRow is a click as a file has it: see [archive.ClickLine].
type ClickRow struct {
	ID           uuid.UUID `parquet:"id,uuid"`
	LinkID       int64     `parquet:"link_id"`
	UserID       int64     `parquet:"user_id"`
	AdvertiserID int64     `parquet:"advertiser_id"`
	OfferID      int64     `parquet:"offer_id,optional"`
	At           time.Time `parquet:"at,timestamp(microsecond)"`
	Source       int32     `parquet:"source"`
	Verdict      string    `parquet:"verdict,dict"`
	Repeats      uuid.UUID `parquet:"repeats,uuid,optional"`
	Reason       string    `parquet:"reason,dict"`
	Currency     string    `parquet:"currency,dict"`
	Earning      int64     `parquet:"earning"`
	Cost         int64     `parquet:"cost"`
	Terms        string    `parquet:"terms,dict"`
}

func clickRow(c links.Click) ClickRow {
	return ClickRow{
		ID: c.ID, LinkID: c.LinkID, UserID: c.UserID, AdvertiserID: c.AdvertiserID, OfferID: c.OfferID, At: c.At.UTC(), Source: int32(c.Source),
		Verdict: string(c.Verdict), Reason: c.Reason, Currency: string(c.Earning.Currency()), Earning: c.Earning.Minor(), Cost: c.Cost.Minor(), Terms: c.Terms,
		Repeats: c.Repeats,
	}
}

// Click returns the click of a row.
func (r ClickRow) Click() links.Click {
	currency := affiliate.Currency(r.Currency)
	return links.Click{
		ID: r.ID, LinkID: r.LinkID, UserID: r.UserID, AdvertiserID: r.AdvertiserID, OfferID: r.OfferID, At: r.At.UTC(),
		Source: affiliate.TrafficSource(r.Source), Verdict: links.Verdict(r.Verdict), Reason: r.Reason,
		Earning: affiliate.NewMoney(r.Earning, currency), Cost: affiliate.NewMoney(r.Cost, currency), Terms: r.Terms,
		Repeats: r.Repeats,
	}
}

// EventRow is an event as a file has it: see [archive.EventLine].
type EventRow struct {
	Sequence     int64     `parquet:"sequence"`
	ID           int64     `parquet:"id"`
	Kind         string    `parquet:"kind,dict"`
	Version      int32     `parquet:"version"`
	At           time.Time `parquet:"at,timestamp(microsecond)"`
	AdvertiserID int64     `parquet:"advertiser_id,optional"`
	ClientID     int64     `parquet:"client_id,optional"`
	ObjectType   string    `parquet:"object_type,dict"`
	ObjectID     string    `parquet:"object_id"`
	Data         string    `parquet:"data"` // JSON
}

func eventRow(e affiliate.Event) EventRow {
	return EventRow{
		Sequence: e.Sequence, ID: e.ID, Kind: e.Kind, Version: int32(e.Version), At: e.At.UTC(), AdvertiserID: e.AdvertiserID,
		ClientID: e.ClientID, ObjectType: e.Object.Type, ObjectID: e.Object.ID, Data: e.Data,
	}
}

// Event returns the event of a row.
func (r EventRow) Event() affiliate.Event {
	return affiliate.Event{
		Sequence: r.Sequence, ID: r.ID, Kind: r.Kind, Version: int(r.Version), At: r.At.UTC(), AdvertiserID: r.AdvertiserID,
		ClientID: r.ClientID, Object: affiliate.Object{Type: r.ObjectType, ID: r.ObjectID}, Data: r.Data,
	}
}

// WriteClicks writes the clicks as one file, and returns how many. It ends with
// the first error; what was written then is no file.
func WriteClicks(w io.Writer, clicks iter.Seq2[links.Click, error]) (int64, error) {
	return write(w, clicks, clickRow)
}

// WriteEvents writes the events as one file, as WriteClicks does.
func WriteEvents(w io.Writer, events iter.Seq2[affiliate.Event, error]) (int64, error) {
	return write(w, events, eventRow)
}

func write[V, R any](w io.Writer, values iter.Seq2[V, error], row func(V) R) (n int64, err error) {
	out := parquet.NewGenericWriter[R](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(MaxGroup))
	rows := make([]R, 0, batch)
	flush := func() error {
		written, err := out.Write(rows)
		n, rows = n+int64(written), rows[:0]
		return err
	}
	for v, err := range values {
		if err != nil {
			return n, err
		}
		if rows = append(rows, row(v)); len(rows) == batch {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	if err := flush(); err != nil {
		return n, err
	}
	return n, out.Close()
}
