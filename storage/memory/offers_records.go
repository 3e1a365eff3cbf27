package memory

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

type commentTable struct {
	*table[offers.Comment]
	byParticipant *groups[offers.Comment, int64]
}

func newCommentTable() commentTable {
	t := &table[offers.Comment]{}
	return commentTable{t, newGroups(t, func(c *offers.Comment) (int64, bool) { return c.ParticipantID, true }, nil)}
}

func copyComment(id uint32, c *offers.Comment) offers.Comment {
	out := *c
	out.ID = int64(id)
	return out
}

func keptComment(c offers.Comment) offers.Comment {
	c.ID, c.CreatedAt, c.UpdatedAt = 0, kept(c.CreatedAt), kept(c.UpdatedAt)
	return c
}

type comments struct{ u *unit }

func (r comments) check(c offers.Comment) error {
	var f refusal
	f.refers(r.u.db.offers.participants.knows(c.ParticipantID), "offer_user_id")
	f.refers(r.u.db.core.users.knowsOr0(c.Author.UserID), "author")
	return f.err("comment")
}

func (r comments) Add(ctx context.Context, c offers.Comment) (offers.Comment, error) {
	return add(ctx, r.u, r.u.db.offers.comments.table, c, keptComment, r.check, copyComment)
}

func (r comments) Get(ctx context.Context, id int64) (offers.Comment, error) {
	return getRow(ctx, r.u, r.u.db.offers.comments.table, "comment", id, copyComment)
}

func (r comments) Update(ctx context.Context, c offers.Comment) error {
	return update(ctx, r.u, r.u.db.offers.comments.table, "comment", c.ID, c, keptComment, r.check)
}

func (r comments) Delete(ctx context.Context, id int64) error {
	return remove(ctx, r.u, r.u.db.offers.comments.table, "comment", id)
}

func (r comments) ByParticipant(ctx context.Context, participantID int64) ([]offers.Comment, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.comments
	return answer(t.table, t.byParticipant.of(participantID), copyComment), nil
}

type activityTable struct {
	*table[offers.Activity]
	byParticipant *groups[offers.Activity, int64]
	unread        *groups[offers.Activity, int64]
}

func newActivityTable() activityTable {
	t := &table[offers.Activity]{}
	return activityTable{t,
		newGroups(t, func(a *offers.Activity) (int64, bool) { return a.ParticipantID, true }, nil),
		newGroups(t, func(a *offers.Activity) (int64, bool) { return a.ParticipantID, a.ReadAt.IsZero() }, nil),
	}
}

func copyActivity(id uint32, a *offers.Activity) offers.Activity {
	c := *a
	c.ID = int64(id)
	return c
}

func keptActivity(a offers.Activity) offers.Activity {
	a.ID, a.CreatedAt, a.ReadAt = 0, kept(a.CreatedAt), kept(a.ReadAt)
	return a
}

var activityColumns = columns[offers.Activity]{
	"created_at": number(func(a *offers.Activity) int64 { return a.CreatedAt.UnixMicro() }),
}

type activities struct{ u *unit }

func (r activities) check(a offers.Activity) error {
	var f refusal
	f.refers(r.u.db.offers.participants.knows(a.ParticipantID), "offer_user_id")
	f.refers(r.u.db.core.users.knowsOr0(a.Actor.UserID), "actor")
	return f.err("activity")
}

func (r activities) Add(ctx context.Context, list ...offers.Activity) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	for _, a := range list {
		if _, err := add(ctx, r.u, r.u.db.offers.activities.table, a, keptActivity, r.check, copyActivity); err != nil {
			return err
		}
	}
	return nil
}

func (r activities) List(ctx context.Context, f offers.ActivityFilter, p affiliate.PageRequest) (affiliate.Page[offers.Activity], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[offers.Activity]{}, err
	}
	t := r.u.db.offers.activities
	s := everything[offers.Activity]()
	if f.ParticipantID != 0 {
		s = only[offers.Activity](t.byParticipant.of(f.ParticipantID))
	}
	if f.Unread.Set {
		s.keep = func(_ uint32, a *offers.Activity) bool { return a.ReadAt.IsZero() == f.Unread.Value }
	}
	return page(r.u, t.table, s, p, activityColumns, copyActivity)
}

func (r activities) Unread(ctx context.Context, participantIDs []int64) (map[int64]int, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	out := map[int64]int{}
	for _, id := range participantIDs {
		if n := len(r.u.db.offers.activities.unread.of(id)); n > 0 {
			out[id] = n
		}
	}
	return out, nil
}

func (r activities) MarkRead(ctx context.Context, participantID int64, at time.Time) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	t := r.u.db.offers.activities
	for _, id := range slices.Clone(t.unread.of(participantID)) {
		a := *t.at(id)
		a.ReadAt = kept(at)
		t.replace(r.u, id, a)
	}
	return nil
}
