package affiliate

import (
	"context"
	"strings"
	"sync"
	"time"
)

// TimeZone is the IANA name of a time zone: "Europe/Stockholm". Empty is UTC.
//
// The root package and storage/postgres link time/tzdata, so that the zones are
// known whatever the machine has. A program without both knows those of its machine;
// a backend of one's own that keeps data should link it too.
type TimeZone string

// MaxTimeZone bounds the name of a time zone, in characters.
const MaxTimeZone = 64

// zones are the time zones that were asked for, by name. Reading one takes a
// hundred times as long as finding a date in it. There are some six hundred.
var zones sync.Map

// location returns the zone; false when it is not known.
func (z TimeZone) location() (*time.Location, bool) {
	if z == "" {
		return time.UTC, true
	}
	if known, ok := zones.Load(z); ok {
		return known.(*time.Location), true
	}
	// Names begin with a capital letter. What a machine has beside them, such as
	// "localtime" and "right/UTC", means another thing on the next machine.
	if len(z) > MaxTimeZone || z[0] < 'A' || z[0] > 'Z' || z == "Local" || strings.ContainsAny(string(z), "\x00\\. ") {
		return nil, false
	}
	loaded, err := time.LoadLocation(string(z))
	if err != nil {
		return nil, false
	}
	zones.Store(z, loaded)
	return loaded, true
}

// Valid reports whether the zone is known; UTC is.
func (z TimeZone) Valid() bool {
	_, ok := z.location()
	return ok
}

// Date returns the date that it is in the zone at an instant, as the midnight of
// that date in UTC. A zone that is not known is UTC.
func (z TimeZone) Date(at time.Time) time.Time {
	at = at.UTC()
	if z == "" {
		return at.Truncate(24 * time.Hour)
	}
	location, ok := z.location()
	if !ok {
		return at.Truncate(24 * time.Hour)
	}
	y, m, d := at.In(location).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// CountedFor reports whether something of the advertiser is counted by its days,
// so that its time zone cannot change.
type CountedFor func(ctx context.Context, tx Tx, a Advertiser) (bool, error)

// OnTimeZoneChange adds a question that every change of an advertiser's time
// zone asks. Services of other domains call it when they are made.
func (s *Service) OnTimeZoneChange(counted CountedFor) { s.counted = append(s.counted, counted) }

// checkTimeZone refuses another time zone when days of the old one are counted:
// they cannot be cut anew.
func (s *Service) checkTimeZone(ctx context.Context, tx Tx, before, after Advertiser) error {
	if before.TimeZone == after.TimeZone || !after.TimeZone.Valid() { // the latter is told with all that is invalid
		return nil
	}
	entries, err := tx.Ledger().List(ctx, EntryFilter{AdvertiserID: before.ID}, PageRequest{Number: 1, Size: 1})
	used := entries.Total > 0
	for n := 0; err == nil && !used && n < len(s.counted); n++ {
		used, err = s.counted[n](ctx, tx, before)
	}
	if err == nil && used {
		return Conflict("advertiser", "time_zone_in_use", "the time zone cannot change any more: days are counted in the present one")
	}
	return err
}
