package affiliate

import (
	"context"
	"strconv"
)

// EraseUser takes out of a user whatever says who it is: names, addresses, phone
// number, accounts of social media and tags. The user stays, under a name made of
// its id and banned, because the ledger and statistics refer to it. It returns
// the user as it was. Doing it again changes nothing more. An action for a unit
// of any domain; affiliatekit.Kit.ErasePerson erases the whole person.
func (s *Service) EraseUser(ctx context.Context, tx Tx, id int64) (User, error) {
	before, err := tx.Users().Get(ctx, id)
	if err != nil {
		return before, err
	}
	if before.Username == ErasedName(id) && before.Email == "" && before.DisplayName == "" {
		return before, nil // erased already
	}
	now := s.clock.Now()
	_, err = ChangeUser(ctx, tx, now, id, func(u *User) {
		*u = User{ClientID: u.ClientID, TierID: u.TierID, Username: ErasedName(id), VerifiedAt: u.VerifiedAt, SuspendedAt: u.SuspendedAt}
		if u.SuspendedAt.IsZero() {
			u.SuspendedAt = now
		}
	}, s.UserChanged)
	if err != nil {
		return before, err
	}
	return before, tx.Events().Add(ctx, EventUserErased.On(id, now).Of(0, before.ClientID))
}

// ErasedName is what stands in the place of the name of a user who was erased.
func ErasedName(id int64) string { return "erased-" + strconv.FormatInt(id, 10) }
