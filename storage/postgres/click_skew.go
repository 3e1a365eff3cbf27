package postgres

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/links"
)

// Clicks by month are found by their ids, whose time is not the click's: it may be
// of a moment before or after, and a host may add clicks with ids of any other time.
// affiliate_click_skew has the widest distance, and what is asked of a time looks
// that far around it. It begins with clockSkew, so that a click of the service's own
// writes nothing there.
const clockSkew = time.Hour

// skewOf returns how many milliseconds the time in the click's id is at most after
// the click's, and before it.
func skewOf(c *links.Click) (ahead, behind int64) {
	d := int64(binary.BigEndian.Uint64(c.ID[:8])>>16) - c.At.UnixMilli()
	return d, 1 - d // the time has fractions of a millisecond, which the id has not
}

// noteSkew widens what is noted, when one of the clicks lies outside.
func (r clicks) noteSkew(ctx context.Context, clicks []links.Click) error {
	ahead, behind := clockSkew.Milliseconds(), clockSkew.Milliseconds()
	for i := range clicks {
		a, b := skewOf(&clicks[i])
		ahead, behind = max(ahead, a), max(behind, b)
	}
	if ahead == clockSkew.Milliseconds() && behind == clockSkew.Milliseconds() {
		return nil
	}
	_, err := r.u.tx.ExecContext(ctx, `UPDATE ? SET ahead = greatest(ahead, ?), behind = greatest(behind, ?) WHERE ahead < ? OR behind < ?`,
		r.u.name("affiliate_click_skew"), ahead, behind, ahead, behind)
	return err
}

// measureSkew notes it for the clicks from before it was noted with each. Those
// who write meanwhile note theirs.
func measureSkew(ctx context.Context, tx bun.Tx) error {
	return run(ctx, tx, `UPDATE affiliate_click_skew AS s SET ahead = greatest(s.ahead, m.ahead), behind = greatest(s.behind, m.behind) FROM (
		SELECT ceil(max(c.ahead)) AS ahead, ceil(max(-c.ahead)) AS behind FROM (
			SELECT ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint - extract(epoch FROM at) * 1000 AS ahead FROM affiliate_clicks) AS c) AS m`)
}

// months are the ids between which the clicks of a filter's time are; zero: no bound.
type months struct{ from, until uuid.UUID }

func (r clicks) months(ctx context.Context, f links.ClickFilter) (m months, err error) {
	byMonth, err := r.u.db.clicksByMonth(ctx, r.u.tx)
	if err != nil || !byMonth || f.From.IsZero() && f.Until.IsZero() {
		return m, err
	}
	var ahead, behind int64
	if err := r.u.tx.NewRaw(`SELECT ahead, behind FROM ?`, r.u.name("affiliate_click_skew")).Scan(ctx, &ahead, &behind); err != nil {
		return m, err
	}
	m.from = idAtMilli(f.From.UnixMilli() - behind) // no bound when From is zero, long before all ids
	if until := f.Until.UnixMilli() + 1 + ahead; !f.Until.IsZero() && until <= maxIDMilli {
		m.until = idAtMilli(until)
	}
	return m, nil
}
