package affiliate

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// MaxBatch bounds how many users one call names.
const MaxBatch = 1000

// CreateUser adds a user. E-mail, handles and tags are brought to normal form;
// the client's default revenue tier is taken when none is named.
func (s *Service) CreateUser(ctx context.Context, u User) (User, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (User, error) {
		return AddUser(ctx, tx, s.clock.Now(), u, s.UserChanged)
	})
}

// AddUser is the action of [Service.CreateUser], for a unit of any domain.
func AddUser(ctx context.Context, tx Tx, now time.Time, u User, hook UserHook) (User, error) {
	if u.TierID == 0 && u.ClientID != 0 {
		clients, err := tx.Clients().GetMany(ctx, []int64{u.ClientID})
		if err != nil {
			return u, err
		}
		if len(clients) == 1 {
			u.TierID = clients[0].DefaultTierID
		}
	}
	u.normalize()
	u.CreatedAt, u.UpdatedAt = now, now
	u, err := tx.Users().Add(ctx, u)
	if err != nil {
		return u, err
	}
	if err := tx.Events().Add(ctx, EventUserCreated.On(u.ID, now).Of(0, u.ClientID)); err != nil {
		return u, err
	}
	return u, hook(ctx, tx, User{}, u)
}

// UpdateUser applies change to the user as it is now. change may run again;
// the id and the time of creation are not its to change.
func (s *Service) UpdateUser(ctx context.Context, id int64, change func(*User)) (User, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (User, error) {
		return ChangeUser(ctx, tx, s.clock.Now(), id, change, s.UserChanged)
	})
}

// ChangeUser is the action of [Service.UpdateUser], for a unit of any domain.
func ChangeUser(ctx context.Context, tx Tx, now time.Time, id int64, change func(*User), hook UserHook) (User, error) {
	u, err := tx.Users().Get(ctx, id)
	if err != nil {
		return u, err
	}
	before := u
	change(&u)
	u.ID, u.CreatedAt, u.UpdatedAt = id, before.CreatedAt, now
	u.normalize()
	if err := tx.Users().Update(ctx, u); err != nil {
		return u, err
	}
	if err := tx.Events().Add(ctx, userEvent(before, u)); err != nil {
		return u, err
	}
	return u, hook(ctx, tx, before, u)
}

func (u *User) normalize() {
	u.Email = NormalizeEmail(u.Email)
	u.TagIDs = idset.Sorted(u.TagIDs)
	accounts := make([]SocialMedia, len(u.SocialMedia))
	for i, m := range u.SocialMedia {
		accounts[i] = SocialMedia{Type: m.Type, Identifier: NormalizeHandle(m.Identifier)}
	}
	u.SocialMedia = accounts
}

// User returns one user (user-get).
func (s *Service) User(ctx context.Context, id int64) (User, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (User, error) {
		u, err := VisibleUser(ctx, tx, s.viewer, id)
		if err != nil {
			return User{}, err
		}
		err = HideContacts(ctx, tx, s.viewer, []*User{&u})
		return u, err
	})
}

// UsersByID returns the users with the ids, by id; missing ones are left out.
func (s *Service) UsersByID(ctx context.Context, ids []int64) (map[int64]User, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (map[int64]User, error) {
		return idset.Index(ctx, tx.Users().GetMany, ids, User.id)
	})
}

func (u User) id() int64 { return u.ID }

// UserQuery chooses users among those that the viewer sees.
type UserQuery struct {
	UserFilter
	// AdvertiserID is the advertiser that the list is about. Who acts for
	// advertisers must name one of theirs.
	AdvertiserID int64
}

// Users lists the users that the viewer sees.
func (s *Service) Users(ctx context.Context, f UserFilter, p PageRequest) (Page[User], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[User], error) { return s.users(ctx, tx, f, p) })
}

func (s *Service) users(ctx context.Context, tx Tx, f UserFilter, p PageRequest) (Page[User], error) {
	page, err := tx.Users().List(ctx, s.viewer.Users(f), p)
	if err != nil {
		return Page[User]{}, err
	}
	return page, HideContacts(ctx, tx, s.viewer, pointers(page.Items))
}

// SearchUsers lists users as Users does, about one advertiser where the viewer
// must name one (users-list).
func (s *Service) SearchUsers(ctx context.Context, q UserQuery, p PageRequest) (Page[User], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[User], error) {
		if err := CheckAsked(ctx, tx, s.viewer, q.AdvertiserID); err != nil {
			return Page[User]{}, err
		}
		f := q.UserFilter
		if q.AdvertiserID != 0 {
			f.AdvertiserIDs = both(f.AdvertiserIDs, []int64{q.AdvertiserID})
		}
		return s.users(ctx, tx, f, p)
	})
}

// UserKey names a user by id or by e-mail: exactly one is set.
type UserKey struct {
	ID    int64
	Email string
}

// UserMatch is what MatchUsers found for the key at the same place.
type UserMatch struct {
	User  User
	Found bool
}

// MatchUsers finds the users that the keys name, among those of the client
// (0: of any) and of clients in the advertiser group (0: in any). A client
// finds its own users alone. Who acts for advertisers finds any, and learns the
// e-mail address of those that it named by it, or who acted at one of its
// advertisers. At most MaxBatch keys (users-match).
func (s *Service) MatchUsers(ctx context.Context, keys []UserKey, clientID, groupID int64) ([]UserMatch, error) {
	clientID = s.viewer.client(clientID)
	if err := checkBatch("user_emails_or_ids", len(keys)); err != nil {
		return nil, err
	}
	var ids []int64
	var emails []string
	for i, k := range keys {
		if k.Email != "" {
			keys[i].Email = NormalizeEmail(k.Email)
			emails = append(emails, keys[i].Email)
		} else {
			ids = append(ids, k.ID)
		}
	}
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]UserMatch, error) {
		found, err := tx.Users().GetMany(ctx, ids)
		if err != nil {
			return nil, err
		}
		named, err := tx.Users().ByEmails(ctx, emails)
		if err != nil {
			return nil, err
		}
		found = append(found, named...)
		clients, err := clientsInGroup(ctx, tx, found, groupID)
		if err != nil {
			return nil, err
		}
		users, mails := make(map[int64]User), make(map[string]User)
		for _, u := range found {
			if clientID != 0 && u.ClientID != clientID || groupID != 0 && !clients[u.ClientID] {
				continue
			}
			users[u.ID], mails[u.Email] = u, u
		}
		matches := make([]UserMatch, len(keys))
		for i, k := range keys {
			if k.Email != "" {
				matches[i].User, matches[i].Found = mails[k.Email]
			} else {
				matches[i].User, matches[i].Found = users[k.ID]
			}
		}
		return matches, s.hideMatched(ctx, tx, keys, matches)
	})
}

// hideMatched is HideContacts for those who were not named by their e-mail.
func (s *Service) hideMatched(ctx context.Context, tx Tx, keys []UserKey, matches []UserMatch) error {
	var users []*User
	for i, k := range keys {
		if k.Email == "" {
			users = append(users, &matches[i].User)
		}
	}
	return HideContacts(ctx, tx, s.viewer, users)
}

// clientsInGroup returns which clients of the users are in the group. Without a
// group it makes no query.
func clientsInGroup(ctx context.Context, tx Tx, users []User, groupID int64) (map[int64]bool, error) {
	if groupID == 0 {
		return nil, nil
	}
	ids := make([]int64, 0, len(users))
	for _, u := range users {
		ids = append(ids, u.ClientID)
	}
	clients, err := tx.Clients().GetMany(ctx, idset.Sorted(ids))
	in := make(map[int64]bool, len(clients))
	for _, c := range clients {
		in[c.ID] = c.GroupID == groupID
	}
	return in, err
}

// UserChanges says what became of each user that a call named.
type UserChanges struct {
	Changed   []int64
	Unchanged []int64
	NotFound  []int64
}

// ApproveUsers verifies users and lifts their ban, among those of the client
// (0: of any; for a client's viewer always its own). Only a user whose status changes raises user.approved
// (users-approve). At most MaxBatch ids.
func (s *Service) ApproveUsers(ctx context.Context, ids []int64, clientID int64) (UserChanges, error) {
	return s.changeUsers(ctx, ids, s.viewer.client(clientID), func(u *User, now time.Time) {
		if u.VerifiedAt.IsZero() {
			u.VerifiedAt = now
		}
		u.SuspendedAt = time.Time{}
	})
}

// BanUsers suspends users, among those of the client as ApproveUsers does. Only a user
// whose status changes raises user.banned (users-ban). At most MaxBatch ids.
func (s *Service) BanUsers(ctx context.Context, ids []int64, clientID int64) (UserChanges, error) {
	return s.changeUsers(ctx, ids, s.viewer.client(clientID), func(u *User, now time.Time) {
		if u.SuspendedAt.IsZero() {
			u.SuspendedAt = now
		}
	})
}

func (s *Service) changeUsers(ctx context.Context, ids []int64, clientID int64, change func(*User, time.Time)) (UserChanges, error) {
	if err := checkBatch("user_ids", len(ids)); err != nil {
		return UserChanges{}, err
	}
	ids = idset.Sorted(ids)
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (UserChanges, error) {
		var out UserChanges
		users, err := idset.Index(ctx, tx.Users().GetMany, ids, User.id)
		if err != nil {
			return out, err
		}
		now := s.clock.Now()
		var events []Event
		for _, id := range ids {
			u, ok := users[id]
			if !ok || clientID != 0 && u.ClientID != clientID {
				out.NotFound = append(out.NotFound, id)
				continue
			}
			before := u
			change(&u, now)
			if u.Status() == before.Status() {
				out.Unchanged = append(out.Unchanged, id)
				continue
			}
			u.UpdatedAt = now
			if err := tx.Users().Update(ctx, u); err != nil {
				return out, err
			}
			if err := s.UserChanged(ctx, tx, before, u); err != nil {
				return out, err
			}
			out.Changed = append(out.Changed, id)
			events = append(events, userEvent(before, u))
		}
		return out, tx.Events().Add(ctx, events...)
	})
}

func checkBatch(field string, n int) error {
	var v Validation
	v.Check(n > 0, field, "required", "is required")
	v.Check(n <= MaxBatch, field, "too_many", "must not have more than 1000 items")
	return v.Err("users")
}

// CreateUserTag adds a user tag.
func (s *Service) CreateUserTag(ctx context.Context, t UserTag) (UserTag, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (UserTag, error) {
		t.CreatedAt = s.clock.Now()
		return addUserTag(ctx, tx, t)
	})
}

// addUserTag adds a user tag with its event.
func addUserTag(ctx context.Context, tx Tx, t UserTag) (UserTag, error) {
	t, err := tx.UserTags().Add(ctx, t)
	if err != nil {
		return t, err
	}
	return t, tx.Events().Add(ctx, EventUserTagCreated.On(t.ID, t.CreatedAt).Of(t.AdvertiserID, 0))
}

// UserTags lists the user tags that the viewer sees (user-tags-list).
func (s *Service) UserTags(ctx context.Context, f UserTagFilter, p PageRequest) (Page[UserTag], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[UserTag], error) {
		return tx.UserTags().List(ctx, s.viewer.UserTags(f), p)
	})
}
