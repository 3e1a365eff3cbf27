package memory

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type activityTable struct {
	engine.Entities[offers.Activity]
	byParticipant *engine.Groups[offers.Activity, int64]
	unread        *engine.Groups[offers.Activity, int64]
}

func newActivityTable(db *DB) activityTable {
	type E = offers.Activity
	t := engine.NewTable[E](&db.store)
	return activityTable{
		engine.Entities[E]{
			Table: t, Resource: "activity",
			ID:    func(a *E) *int64 { return &a.ID },
			Times: func(a *E) []*time.Time { return []*time.Time{&a.CreatedAt, &a.ReadAt} },
			Refuses: func(f *engine.Refusal, a *E, _ uint32) {
				f.Refers(db.offers.participants.Knows(a.ParticipantID), "offer_user_id")
				f.Refers(db.core.users.KnowsOr0(a.Actor.UserID), "actor")
			},
			Sort: engine.Columns[E]{"created_at": engine.Time(func(a *E) time.Time { return a.CreatedAt })},
		},
		engine.NewGroups(t, func(a *E) (int64, bool) { return a.ParticipantID, true }, nil),
		engine.NewGroups(t, func(a *E) (int64, bool) { return a.ParticipantID, a.ReadAt.IsZero() }, nil),
	}
}

func (*activityTable) in(db *DB) *engine.Entities[offers.Activity] {
	return &db.offers.activities.Entities
}

type (
	activityRepo = repo[offers.Activity, *activityTable]
	activities   struct{ activityRepo }
)

var _ offers.ActivityRepository = activities{}

func (r activities) Add(ctx context.Context, list ...offers.Activity) error {
	return r.all().AddAll(ctx, &r.u.Unit, list)
}

func (r activities) List(ctx context.Context, f offers.ActivityFilter, p affiliate.PageRequest) (affiliate.Page[offers.Activity], error) {
	return r.list(ctx, p, func(w *engine.Where[offers.Activity]) {
		engine.EqualIn(w, f.ParticipantID, r.u.db.offers.activities.byParticipant)
		w.Flag(f.Unread, func(a *offers.Activity) bool { return a.ReadAt.IsZero() })
	})
}

func (r activities) Unread(ctx context.Context, participantIDs []int64) (map[int64]int, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	out := map[int64]int{}
	for _, id := range participantIDs {
		if n := len(r.u.db.offers.activities.unread.Of(id)); n > 0 {
			out[id] = n
		}
	}
	return out, nil
}

func (r activities) MarkRead(ctx context.Context, participantID int64, at time.Time) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.offers.activities
	for _, id := range slices.Clone(t.unread.Of(participantID)) {
		a := *t.At(id)
		a.ReadAt = engine.Kept(at)
		t.Replace(id, a)
	}
	return nil
}
