package memory

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type commentTable struct {
	*engine.Table[offers.Comment]
	byParticipant *engine.Groups[offers.Comment, int64]
}

func newCommentTable(db *DB) commentTable {
	t := engine.NewTable[offers.Comment](&db.store)
	return commentTable{t, engine.NewGroups(t, func(c *offers.Comment) (int64, bool) { return c.ParticipantID, true }, nil)}
}

func copyComment(id uint32, c *offers.Comment) offers.Comment {
	out := *c
	out.ID = int64(id)
	return out
}

func keptComment(c offers.Comment) offers.Comment {
	c.ID, c.CreatedAt, c.UpdatedAt = 0, engine.Kept(c.CreatedAt), engine.Kept(c.UpdatedAt)
	return c
}

type comments struct{ u *unit }

func (r comments) check(c offers.Comment) error {
	var f engine.Refusal
	f.Refers(r.u.db.offers.participants.Knows(c.ParticipantID), "offer_user_id")
	f.Refers(r.u.db.core.users.KnowsOr0(c.Author.UserID), "author")
	return f.Err("comment")
}

func (r comments) Add(ctx context.Context, c offers.Comment) (offers.Comment, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.offers.comments.Table, c, keptComment, r.check, copyComment)
}

func (r comments) Get(ctx context.Context, id int64) (offers.Comment, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.offers.comments.Table, "comment", id, copyComment)
}

func (r comments) Update(ctx context.Context, c offers.Comment) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.offers.comments.Table, "comment", c.ID, c, keptComment, r.check)
}

func (r comments) Delete(ctx context.Context, id int64) error {
	return engine.Remove(ctx, &r.u.Unit, r.u.db.offers.comments.Table, "comment", id)
}

func (r comments) ByParticipant(ctx context.Context, participantID int64) ([]offers.Comment, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.comments
	return engine.Collect(t.Table, t.byParticipant.Of(participantID), copyComment), nil
}

type activityTable struct {
	*engine.Table[offers.Activity]
	byParticipant *engine.Groups[offers.Activity, int64]
	unread        *engine.Groups[offers.Activity, int64]
}

func newActivityTable(db *DB) activityTable {
	t := engine.NewTable[offers.Activity](&db.store)
	return activityTable{t,
		engine.NewGroups(t, func(a *offers.Activity) (int64, bool) { return a.ParticipantID, true }, nil),
		engine.NewGroups(t, func(a *offers.Activity) (int64, bool) { return a.ParticipantID, a.ReadAt.IsZero() }, nil),
	}
}

func copyActivity(id uint32, a *offers.Activity) offers.Activity {
	c := *a
	c.ID = int64(id)
	return c
}

func keptActivity(a offers.Activity) offers.Activity {
	a.ID, a.CreatedAt, a.ReadAt = 0, engine.Kept(a.CreatedAt), engine.Kept(a.ReadAt)
	return a
}

var activityColumns = engine.Columns[offers.Activity]{
	"created_at": engine.Number(func(a *offers.Activity) int64 { return a.CreatedAt.UnixMicro() }),
}

type activities struct{ u *unit }

func (r activities) check(a offers.Activity) error {
	var f engine.Refusal
	f.Refers(r.u.db.offers.participants.Knows(a.ParticipantID), "offer_user_id")
	f.Refers(r.u.db.core.users.KnowsOr0(a.Actor.UserID), "actor")
	return f.Err("activity")
}

func (r activities) Add(ctx context.Context, list ...offers.Activity) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for _, a := range list {
		if _, err := engine.Add(ctx, &r.u.Unit, r.u.db.offers.activities.Table, a, keptActivity, r.check, copyActivity); err != nil {
			return err
		}
	}
	return nil
}

func (r activities) List(ctx context.Context, f offers.ActivityFilter, p affiliate.PageRequest) (affiliate.Page[offers.Activity], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[offers.Activity]{}, err
	}
	t := r.u.db.offers.activities
	s := engine.Everything[offers.Activity]()
	if f.ParticipantID != 0 {
		s = engine.Only[offers.Activity](t.byParticipant.Of(f.ParticipantID))
	}
	if f.Unread.Set {
		s.Keep = func(_ uint32, a *offers.Activity) bool { return a.ReadAt.IsZero() == f.Unread.Value }
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, activityColumns, copyActivity)
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
