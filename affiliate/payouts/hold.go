package payouts

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Hold keeps a user's money from being paid: it stays payable, and the first
// run after the hold pays it.
type Hold struct {
	UserID    int64
	Reason    string    // at most 255 characters
	Until     time.Time // zero: until it is released
	CreatedAt time.Time
}

// Validate checks what every backend refuses.
func (h Hold) Validate() error {
	var v affiliate.Validation
	v.Check(h.UserID > 0, "user_id", "required", "is required")
	v.Text("reason", h.Reason, 0, 255)
	return v.Err("hold")
}

// active reports whether the hold has not ended yet.
func (h Hold) active(now time.Time) bool { return h.Until.IsZero() || h.Until.After(now) }

// Hold holds a user's payouts, in place of a hold that is there already. Who
// may: the operator, the user's client.
func (s *Service) Hold(ctx context.Context, h Hold) error {
	if err := s.managersOnly(); err != nil {
		return err
	}
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		u, err := s.user(ctx, tx, h.UserID)
		if err != nil {
			return err
		}
		h.CreatedAt = s.clock.Now()
		if err := tx.PayoutHolds().Put(ctx, h); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventHeld.On(u.ID, h.CreatedAt).Of(0, u.ClientID))
	})
}

// Release ends a user's hold. Without one it changes nothing.
func (s *Service) Release(ctx context.Context, userID int64) error {
	if err := s.managersOnly(); err != nil {
		return err
	}
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		u, err := s.user(ctx, tx, userID)
		if err != nil {
			return err
		}
		if had, err := tx.PayoutHolds().GetMany(ctx, []int64{userID}); err != nil || len(had) == 0 {
			return err
		}
		if err := tx.PayoutHolds().Remove(ctx, userID); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventReleased.On(userID, s.clock.Now()).Of(0, u.ClientID))
	})
}

// HoldOf returns a user's hold, absent when there is none or it is over.
func (s *Service) HoldOf(ctx context.Context, userID int64) (affiliate.Optional[Hold], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Optional[Hold], error) {
		if _, err := s.user(ctx, tx, userID); err != nil {
			return affiliate.Optional[Hold]{}, err
		}
		held, err := s.held(ctx, tx, []int64{userID})
		h, ok := held[userID]
		return affiliate.Optional[Hold]{Value: h, Set: ok}, err
	})
}

// held returns the holds of users that hold now.
func (s *Service) held(ctx context.Context, tx Tx, userIDs []int64) (map[int64]Hold, error) {
	holds, err := tx.PayoutHolds().GetMany(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	out := make(map[int64]Hold)
	for _, h := range holds {
		if h.active(now) {
			out[h.UserID] = h
		}
	}
	return out, nil
}
