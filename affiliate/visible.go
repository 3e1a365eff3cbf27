package affiliate

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Users narrows a filter to the users that the viewer sees: the operator all, a
// client its own, a creator itself, a representative or an agency those who
// work with one of its advertisers.
func (v Viewer) Users(f UserFilter) UserFilter {
	p := v.Principal()
	switch p.Role {
	case RoleAdmin:
		return f
	case RoleClient:
		if f.ClientID == 0 || f.ClientID == p.ClientID {
			f.ClientID = v.client(f.ClientID)
			return f
		}
	case RoleCreator:
		f.IDs = both(f.IDs, []int64{p.UserID})
		return f
	case RoleRepresentative, RoleAgency:
		f.AdvertiserIDs = both(f.AdvertiserIDs, p.AdvertiserIDs)
		return f
	}
	f.IDs = []int64{}
	return f
}

// client returns the client whose users the viewer may name: the one that was
// asked for (0: any), but for a client always itself, and for one that does not
// say which it is a client that is not there.
func (v Viewer) client(asked int64) int64 {
	p := v.Principal()
	switch {
	case p.Role != RoleClient:
		return asked
	case p.ClientID == 0:
		return -1
	}
	return p.ClientID
}

// UserTags narrows a filter to the user tags that the viewer sees: the operator
// all, a representative or an agency those for everyone and those of its
// advertisers, others those for everyone.
func (v Viewer) UserTags(f UserTagFilter) UserTagFilter {
	p := v.Principal()
	levels := []AccessLevel{AccessAll}
	switch p.Role {
	case RoleAdmin:
		return f
	case RoleRepresentative, RoleAgency:
		levels = append(levels, AccessStore)
		f.AdvertiserIDs = both(f.AdvertiserIDs, p.AdvertiserIDs)
	}
	if f.AccessLevels != nil {
		levels = slices.DeleteFunc(levels, func(l AccessLevel) bool { return !slices.Contains(f.AccessLevels, l) })
	}
	f.AccessLevels = levels
	return f
}

// SeesTag reports whether the viewer sees the user tag.
func (v Viewer) SeesTag(t UserTag) bool {
	switch t.AccessLevel {
	case AccessAll:
		return true
	case AccessStore:
		return v.ActsFor(t.AdvertiserID)
	}
	return v.IsOperator()
}

// both returns the ids that are on both lists, where nil has all ids.
func both(a, b []int64) []int64 {
	if a == nil {
		return append([]int64{}, b...)
	}
	out := []int64{}
	for _, id := range a {
		if slices.Contains(b, id) {
			out = append(out, id)
		}
	}
	return out
}

// VisibleUser returns a user that the viewer sees, or that the viewer is. Any other is ErrNotFound, as
// an unknown one is. An action for any unit of work.
func VisibleUser(ctx context.Context, tx Tx, v Viewer, id int64) (User, error) {
	u, err := tx.Users().Get(ctx, id)
	if err != nil || v.IsOperator() || id == v.Principal().UserID {
		return u, err
	}
	page, err := tx.Users().List(ctx, v.Users(UserFilter{IDs: []int64{id}}), PageRequest{Number: 1, Size: 1})
	if err != nil {
		return User{}, err
	}
	if len(page.Items) == 0 {
		return User{}, NotFound("user", id)
	}
	return u, nil
}

// CheckAsked checks the advertiser that a list was asked about (0: none).
// Who acts for advertisers must name one of theirs, and what the operator names
// must exist. To others an advertiser that is not there is one that nothing of
// theirs belongs to. An action for any unit of work.
func CheckAsked(ctx context.Context, tx Tx, v Viewer, advertiserID int64) error {
	role := v.Principal().Role
	acts := role == RoleRepresentative || role == RoleAgency
	switch {
	case acts && advertiserID == 0:
		return Invalid("advertiser", FieldError{Field: "advertiser_id", Code: "required", Message: "is required"})
	case acts && !v.ActsFor(advertiserID):
		return NotFound("advertiser", advertiserID)
	case advertiserID == 0 || !v.IsOperator():
		return nil
	}
	found, err := tx.Advertisers().GetMany(ctx, []int64{advertiserID})
	if err == nil && len(found) == 0 {
		return Invalid("advertiser", FieldError{Field: "advertiser_id", Code: "unknown_reference", Message: "must be the id of an existing store"})
	}
	return err
}

// HideContacts empties the e-mail address, the phone and the profile of users
// whom a viewer that acts for advertisers may not reach: those who have not acted
// at one of them. It may choose any creator for a campaign, and must not learn by
// that who it is. An action for any unit.
func HideContacts(ctx context.Context, tx Tx, v Viewer, users []*User) error {
	p := v.Principal()
	if p.Role != RoleRepresentative && p.Role != RoleAgency {
		return nil
	}
	return hideFrom(ctx, tx, p.AdvertiserIDs, users)
}

func hideFrom(ctx context.Context, tx Tx, advertiserIDs []int64, users []*User) error {
	if len(users) == 0 {
		return nil
	}
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	acting, err := tx.Users().ActingAt(ctx, idset.Sorted(ids), advertiserIDs)
	for _, u := range users {
		if !slices.Contains(acting, u.ID) {
			u.Email, u.Phone, u.Profile = "", "", Profile{}
		}
	}
	return err
}

func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}
