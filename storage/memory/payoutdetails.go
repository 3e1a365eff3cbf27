package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// perUser is a table of which each user has at most one row.
type perUser[E interface{ Validate() error }] struct {
	*engine.Table[E]
	byUser *engine.Unique[E, int64]
}

func newPerUser[E interface{ Validate() error }](db *DB, user func(*E) int64) perUser[E] {
	t := engine.NewTable[E](&db.store)
	return perUser[E]{t, engine.NewUnique(t, func(e *E) (int64, bool) { return user(e), true })}
}

func (t perUser[E]) put(ctx context.Context, u *unit, resource string, user int64, e E, keep func(E) E, check func(*engine.Refusal, E)) error {
	return engine.PutBy(ctx, &u.Unit, t.Table, t.byUser, user, e, keep, func(e E) error {
		var f engine.Refusal
		f.Refers(u.db.core.users.Knows(user), "user_id")
		if check != nil {
			check(&f, e)
		}
		return f.Err(resource)
	})
}

func (t perUser[E]) getMany(ctx context.Context, u *unit, users []int64, out func(uint32, *E) E) ([]E, error) {
	if err := u.Use(ctx); err != nil {
		return nil, err
	}
	var list []E
	for _, user := range idset.Sorted(users) {
		if id, ok := t.byUser.Find(user); ok {
			list = append(list, out(id, t.At(id)))
		}
	}
	return list, nil
}

func (t perUser[E]) remove(ctx context.Context, u *unit, user int64) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	if id, ok := t.byUser.Find(user); ok {
		t.Delete(id)
	}
	return nil
}

type detailsTable struct {
	perUser[payouts.SealedDetails]
	inOrder *engine.Ordered[payouts.SealedDetails]
}

func newDetailsTable(db *DB) detailsTable {
	t := newPerUser(db, func(d *payouts.SealedDetails) int64 { return d.UserID })
	return detailsTable{t, engine.NewOrdered(t.Table, func(a, b *payouts.SealedDetails) int { return int(a.UserID - b.UserID) })}
}

func copyDetails(_ uint32, d *payouts.SealedDetails) payouts.SealedDetails {
	out := *d
	out.Sealed.Data = engine.Copied(d.Sealed.Data)
	return out
}

type payoutDetails struct{ u *unit }

func (r payoutDetails) Put(ctx context.Context, d payouts.SealedDetails) error {
	return r.u.db.payouts.details.put(ctx, r.u, "payout_details", d.UserID, d, func(d payouts.SealedDetails) payouts.SealedDetails {
		d.Sealed.Data, d.UpdatedAt = engine.Copied(d.Sealed.Data), engine.Kept(d.UpdatedAt)
		return d
	}, nil)
}

func (r payoutDetails) GetMany(ctx context.Context, userIDs []int64) ([]payouts.SealedDetails, error) {
	return r.u.db.payouts.details.getMany(ctx, r.u, userIDs, copyDetails)
}

func (r payoutDetails) Scan(ctx context.Context, after int64, limit int) ([]payouts.SealedDetails, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	t := r.u.db.payouts.details
	var ids []uint32
	part, i := t.inOrder.Search(func(d *payouts.SealedDetails) bool { return d.UserID > after })
	t.inOrder.Each(part, i, func(id uint32) bool {
		ids = append(ids, id)
		return len(ids) < limit
	})
	return engine.Collect(t.Table, ids, copyDetails), nil
}

func (r payoutDetails) Remove(ctx context.Context, userID int64) error {
	return r.u.db.payouts.details.remove(ctx, r.u, userID)
}

type holdTable = perUser[payouts.Hold]

func newHoldTable(db *DB) holdTable {
	return newPerUser(db, func(h *payouts.Hold) int64 { return h.UserID })
}

type payoutHolds struct{ u *unit }

func (r payoutHolds) Put(ctx context.Context, h payouts.Hold) error {
	return r.u.db.payouts.holds.put(ctx, r.u, "hold", h.UserID, h, func(h payouts.Hold) payouts.Hold {
		h.Until, h.CreatedAt = engine.Kept(h.Until), engine.Kept(h.CreatedAt)
		return h
	}, nil)
}

func (r payoutHolds) GetMany(ctx context.Context, userIDs []int64) ([]payouts.Hold, error) {
	return r.u.db.payouts.holds.getMany(ctx, r.u, userIDs, engine.AsKept)
}

func (r payoutHolds) Remove(ctx context.Context, userID int64) error {
	return r.u.db.payouts.holds.remove(ctx, r.u, userID)
}

type axIDTable struct {
	perUser[payouts.AXID]
	byNumber *engine.Unique[payouts.AXID, string]
}

func newAXIDTable(db *DB) axIDTable {
	t := newPerUser(db, func(m *payouts.AXID) int64 { return m.UserID })
	return axIDTable{t, engine.NewUnique(t.Table, func(m *payouts.AXID) (string, bool) { return m.AXID, true })}
}

type axIDs struct{ u *unit }

func (r axIDs) Put(ctx context.Context, m payouts.AXID) error {
	t := r.u.db.payouts.axIDs
	return t.put(ctx, r.u, "ax_id", m.UserID, m, engine.AsGiven, func(f *engine.Refusal, m payouts.AXID) {
		own, _ := t.byUser.Find(m.UserID)
		f.Unique(t.byNumber.Taken(&m, own), "ax_id")
	})
}

func (r axIDs) GetMany(ctx context.Context, userIDs []int64) ([]payouts.AXID, error) {
	return r.u.db.payouts.axIDs.getMany(ctx, r.u, userIDs, engine.AsKept)
}

func (r axIDs) ByAXIDs(ctx context.Context, numbers []string) ([]payouts.AXID, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.payouts.axIDs
	var users []int64
	for _, n := range numbers {
		if id, ok := t.byNumber.Find(n); ok {
			users = append(users, t.At(id).UserID)
		}
	}
	return t.getMany(ctx, r.u, users, engine.AsKept)
}

func (r axIDs) Remove(ctx context.Context, userID int64) error {
	return r.u.db.payouts.axIDs.remove(ctx, r.u, userID)
}
