package payouts

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// SystemConfig says which payment system holds from a date on: for one user,
// else for a client, else for everybody. System is a number of the host's.
type SystemConfig struct {
	ID         int64
	Date       time.Time // start of a day in UTC
	ClientID   int64     // 0: of any client
	UserID     int64     // 0: any user
	System     int64     // 0..1000000
	IgnoreLock bool      // it was set although its date was locked
	UpdatedAt  time.Time
}

// Validate checks what every backend refuses.
func (c SystemConfig) Validate() error {
	var v affiliate.Validation
	day := c.Date.UTC().Truncate(24 * time.Hour)
	v.Check(!c.Date.IsZero(), "date", "required", "is required")
	v.Check(day.Equal(c.Date), "date", "invalid_date", "must be the start of a day in UTC")
	v.Check(c.System >= 0 && c.System <= 1_000_000, "system", "out_of_range", "must be between 0 and 1000000")
	v.Check(c.ClientID >= 0, "client_id", "out_of_range", "must be at least 0")
	v.Check(c.UserID >= 0, "user_id", "out_of_range", "must be at least 0")
	return v.Err("payment_system")
}

// SystemSetting is a SystemConfig with whether its date is locked: payments of
// its period, or of a later one, are there, so that a change would contradict
// them.
type SystemSetting struct {
	SystemConfig
	Locked bool
}

// Systems returns the settings that the viewer may see, by ascending id, at most
// 1000 (payment-systems-config-list). A client sees those for itself and its
// users. ErrInvalid "unknown_reference" for a client or user of the filter that
// is not there.
func (s *Service) Systems(ctx context.Context, f SystemFilter) ([]SystemSetting, error) {
	if err := s.managersOnly(); err != nil {
		return nil, err
	}
	f.Date = dayOf(f.Date)
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]SystemSetting, error) {
		return s.systems(ctx, tx, f)
	})
}

func (s *Service) systems(ctx context.Context, tx Tx, f SystemFilter) ([]SystemSetting, error) {
	var v affiliate.Validation
	if err := s.checkWhom(ctx, tx, &v, f.ClientID, f.UserID); err != nil {
		return nil, err
	}
	if err := v.Err("payment_system"); err != nil {
		return nil, err
	}
	if own := s.clientOf(); own != 0 {
		f.ClientID = own
	}
	configs, err := tx.PaymentSystems().Scan(ctx, f, 0, affiliate.MaxPageSize)
	if err != nil {
		return nil, err
	}
	locks := make(map[Period]bool)
	out := make([]SystemSetting, len(configs))
	for i, c := range configs {
		locked, err := s.locked(ctx, tx, locks, c.Date)
		if err != nil {
			return nil, err
		}
		out[i] = SystemSetting{c, locked}
	}
	return out, nil
}

// locked reports whether payments of the date's period or a later one are there;
// known remembers what was asked before.
func (s *Service) locked(ctx context.Context, tx Tx, known map[Period]bool, date time.Time) (bool, error) {
	period := PeriodOf(date)
	if is, ok := known[period]; ok {
		return is, nil
	}
	payments, err := tx.Payments().Scan(ctx, PaymentFilter{Since: period}, 0, 1)
	known[period] = len(payments) > 0
	return len(payments) > 0, err
}

// SetSystem keeps a setting in place of the one with its date, client and user,
// and returns what Systems does without a filter (payment-systems-config-update).
// A date that is locked is ErrConflict "locked" unless IgnoreLock is set;
// payments that are there keep their system either way. A client sets it for
// itself and its users alone.
func (s *Service) SetSystem(ctx context.Context, c SystemConfig) ([]SystemSetting, error) {
	if err := s.managersOnly(); err != nil {
		return nil, err
	}
	c.Date = dayOf(c.Date)
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) ([]SystemSetting, error) {
		c := c
		var v affiliate.Validation
		v.Merge("", c.Validate())
		if err := s.checkWhom(ctx, tx, &v, c.ClientID, c.UserID); err != nil {
			return nil, err
		}
		if err := v.Err("payment_system"); err != nil {
			return nil, err
		}
		if own := s.clientOf(); own != 0 {
			c.ClientID = own
		}
		locked, err := s.locked(ctx, tx, map[Period]bool{}, c.Date)
		if err != nil {
			return nil, err
		}
		if locked && !c.IgnoreLock {
			return nil, affiliate.Conflict("payment_system", "locked", "payments of this date are made: set ignore_lock to change it anyway")
		}
		c.UpdatedAt = s.clock.Now()
		kept, err := tx.PaymentSystems().Put(ctx, c)
		if err != nil {
			return nil, err
		}
		if err := tx.Events().Add(ctx, EventSystemSet.On(kept.ID, c.UpdatedAt).Of(0, c.ClientID)); err != nil {
			return nil, err
		}
		return s.systems(ctx, tx, SystemFilter{})
	})
}

// checkWhom notes client_id and user_id unless the viewer may see them and the
// user is of the client. 0 stands for none.
func (s *Service) checkWhom(ctx context.Context, tx Tx, v *affiliate.Validation, clientID, userID int64) error {
	const code, message = "unknown_reference", "must refer to something that exists"
	own := s.clientOf()
	if clientID > 0 {
		clients, err := tx.Clients().GetMany(ctx, []int64{clientID})
		if err != nil {
			return err
		}
		v.Check(len(clients) == 1 && (own == 0 || own == clientID), "client_id", code, message)
	}
	if userID > 0 {
		users, err := tx.Users().GetMany(ctx, []int64{userID})
		if err != nil {
			return err
		}
		known := len(users) == 1 && s.seesUser(users[0])
		v.Check(known, "user_id", code, message)
		v.Check(!known || clientID == 0 || users[0].ClientID == clientID, "user_id", "client_mismatch", "must be a user of the client")
	}
	return nil
}

// dayOf returns the start of the day in UTC; the zero time stays zero.
func dayOf(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(24 * time.Hour)
}

// systemOf returns the system of a user: the newest setting for the user, else
// for the client, else for everybody; ties by the higher id.
func systemOf(configs []SystemConfig, u affiliate.User) int64 {
	best, found := SystemConfig{}, false
	rank := func(c SystemConfig) int {
		switch {
		case c.UserID != 0:
			return 2
		case c.ClientID != 0:
			return 1
		}
		return 0
	}
	for _, c := range configs {
		if c.UserID != 0 && c.UserID != u.ID || c.ClientID != 0 && c.ClientID != u.ClientID {
			continue
		}
		newer := rank(c) > rank(best) || rank(c) == rank(best) && !c.Date.Before(best.Date)
		if !found || newer {
			best, found = c, true
		}
	}
	return best.System
}
