package affiliate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func TestADateIsThatOfTheTimeZone(t *testing.T) {
	for _, c := range []struct {
		zone affiliate.TimeZone
		at   string
		want string
	}{
		{"", "2026-03-18T23:59:59.999999Z", "2026-03-18"},
		{"", "2026-03-19T01:00:00+02:00", "2026-03-18"},
		{"UTC", "2026-03-18T23:59:59Z", "2026-03-18"},
		{"Europe/Stockholm", "2026-03-18T22:59:59Z", "2026-03-18"},
		{"Europe/Stockholm", "2026-03-18T23:00:00Z", "2026-03-19"},
		{"Europe/Stockholm", "2026-07-18T21:59:59Z", "2026-07-18"}, // summer
		{"Europe/Stockholm", "2026-07-18T22:00:00Z", "2026-07-19"},
		{"America/Los_Angeles", "2026-03-18T06:59:59Z", "2026-03-17"},
		{"Pacific/Kiritimati", "2026-03-18T10:00:00Z", "2026-03-19"},
		{"Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"}, // which had no 30th
		{"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"},
		{"Nowhere/Else", "2026-03-18T23:59:59Z", "2026-03-18"},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		got := c.zone.Date(at)
		if got.Format(time.RFC3339) != c.want+"T00:00:00Z" || got.Location() != time.UTC {
			t.Errorf("%s at %s: got %s, want %s", c.zone, c.at, got, c.want)
		}
	}
}

func TestATimeZoneIsOneThatEveryMachineKnows(t *testing.T) {
	is := is.New(t)
	for _, z := range []affiliate.TimeZone{"", "UTC", "Europe/Stockholm", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Etc/GMT+5"} {
		is.True(z.Valid())
	}
	for _, z := range []affiliate.TimeZone{
		"Local", "localtime", "right/UTC", "europe/stockholm", "Nowhere/Else", "../etc/passwd", "Europe/../../x", "Europe", "a\x00b", "E\x00", " ", "UTC ", "\xff",
		affiliate.TimeZone(strings.Repeat("E", 5000)), "+02:00", "CET\\x",
	} {
		if z.Valid() {
			t.Errorf("%q is taken", z)
		}
	}
}

func TestATimeZoneIsFixedOnceAnythingIsBooked(t *testing.T) {
	is, ctx := is.New(t), t.Context()
	db := memory.New()
	s, err := affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)
	a, err := s.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK", TimeZone: "Europe/Stockholm"})
	is.NoErr(err)
	to := func(z affiliate.TimeZone) error {
		_, err := s.UpdateAdvertiser(ctx, a.ID, func(a *affiliate.Advertiser) { a.TimeZone = z })
		return err
	}
	is.NoErr(to("Asia/Kolkata"))
	is.True(errors.Is(to("Nowhere/Else"), affiliate.ErrInvalid))
	now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	is.NoErr(db.Core().Write(ctx, func(ctx context.Context, tx affiliate.Tx) error {
		_, err := tx.Ledger().Append(ctx, affiliate.Entry{
			Kind: affiliate.EntryAdjustment, Account: "user:1", AdvertiserID: a.ID, Earning: affiliate.NewMoney(1, "SEK"), Cost: affiliate.NewMoney(1, "SEK"),
			OccurredAt: now, PayableAt: now, Cause: "test",
		})
		return err
	}))
	err = to("Europe/Stockholm")
	e, ok := errors.AsType[*affiliate.Error](err)
	is.True(ok && e.Kind == affiliate.ErrConflict && e.Code == "time_zone_in_use")
	is.NoErr(to("Asia/Kolkata")) // the same
}
