package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

const secondsADay = 24 * 60 * 60

// dayNumber counts days since 1970.
func dayNumber(t time.Time) int32 { return int32(links.DayOf(t).Unix() / secondsADay) }

func dayDate(n int32) time.Time { return time.Unix(int64(n)*secondsADay, 0).UTC() }

type secretTable struct {
	*engine.Table[links.VisitorSecret]
	byDate *engine.Unique[links.VisitorSecret, int32]
}

func newSecretTable(db *DB) secretTable {
	t := engine.NewTable[links.VisitorSecret](&db.store)
	return secretTable{t, engine.NewUnique(t, func(s *links.VisitorSecret) (int32, bool) { return dayNumber(s.Date), true })}
}

type visitorSecrets struct{ u *unit }

func (r visitorSecrets) AddOrGet(ctx context.Context, s links.VisitorSecret) (links.VisitorSecret, error) {
	if err := r.u.Change(ctx); err != nil {
		return links.VisitorSecret{}, err
	}
	t := r.u.db.links.secrets
	if id, ok := t.byDate.Find(dayNumber(s.Date)); ok {
		return *t.At(id), nil
	}
	s.Date = links.DayOf(s.Date)
	if _, err := t.Insert(s); err != nil {
		return links.VisitorSecret{}, r.u.Fail(err)
	}
	return s, nil
}

func (r visitorSecrets) RemoveBefore(ctx context.Context, date time.Time) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.links.secrets
	for _, id := range t.Scan(0, t.Len()) {
		if t.At(id).Date.Before(links.DayOf(date)) {
			t.Delete(id)
		}
	}
	return nil
}
