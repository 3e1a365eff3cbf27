package affiliate

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/internal/secrets"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// What an advertiser does with creators: it sees those who work with it and
// those of its client, and manages those of its client. Its client is the first
// one of its group; an advertiser without a client manages nobody.

// AdvertiserUser is a user as an advertiser sees it.
type AdvertiserUser struct {
	User
	Client  Optional[Client]
	Tags    []UserTag // that the advertiser sees
	Managed bool      // the advertiser may change the user
}

// advertiserClient finds the client of an advertiser; absent when its group has none.
func advertiserClient(ctx context.Context, tx Tx, a Advertiser) (Optional[Client], error) {
	if a.GroupID == 0 {
		return Optional[Client]{}, nil
	}
	page, err := tx.Clients().List(ctx, ClientFilter{GroupIDs: []int64{a.GroupID}}, PageRequest{Number: 1, Size: 1})
	if err != nil || len(page.Items) == 0 {
		return Optional[Client]{}, err
	}
	return Some(page.Items[0]), nil
}

// ensureClient is advertiserClient, and makes the group's first client when there is
// none. secret is a new client's, which nobody is told: the advertiser manages
// its users itself.
func (s *Service) ensureClient(ctx context.Context, tx Tx, a Advertiser, publicID, secret string) (Optional[Client], error) {
	c, err := advertiserClient(ctx, tx, a)
	if err != nil || c.Set || a.GroupID == 0 {
		return c, err
	}
	made, err := addClient(ctx, tx, Client{
		Name: a.Name, PublicID: publicID, GroupID: a.GroupID, SecretHash: HashSecret(secret), CreatedAt: s.clock.Now(),
	})
	return Some(made), err
}

// AroundAdvertiser returns the filter of the users whom an advertiser sees:
// those who work with it and those of its client. An action for any unit;
// ErrNotFound when there is no such advertiser.
func AroundAdvertiser(ctx context.Context, tx Tx, advertiserID int64) (Around, error) {
	a, err := tx.Advertisers().Get(ctx, advertiserID)
	if err != nil {
		return Around{}, err
	}
	c, err := advertiserClient(ctx, tx, a)
	return around(advertiserID, c), err
}

func around(advertiserID int64, c Optional[Client]) Around {
	return Around{AdvertiserID: advertiserID, ClientID: c.Value.ID}
}

// withTags shows users to an advertiser.
func withTags(ctx context.Context, tx Tx, advertiserID int64, c Optional[Client], users []User) ([]AdvertiserUser, error) {
	var tagIDs, clientIDs []int64
	for _, u := range users {
		tagIDs = append(tagIDs, u.TagIDs...)
		clientIDs = append(clientIDs, u.ClientID)
	}
	tags, err := tx.UserTags().GetMany(ctx, idset.Sorted(tagIDs))
	if err != nil {
		return nil, err
	}
	clients, err := tx.Clients().GetMany(ctx, idset.Sorted(clientIDs))
	if err != nil {
		return nil, err
	}
	out := make([]AdvertiserUser, len(users))
	for i, u := range users {
		out[i] = AdvertiserUser{User: u, Managed: c.Set && u.ClientID == c.Value.ID}
		for _, t := range tags {
			for _, id := range u.TagIDs {
				if id == t.ID && t.seenBy(advertiserID) {
					out[i].Tags = append(out[i].Tags, t)
				}
			}
		}
		for _, client := range clients {
			if client.ID == u.ClientID {
				out[i].Client = Some(client)
			}
		}
	}
	return out, nil
}

// seenBy reports whether an advertiser sees the tag.
func (t UserTag) seenBy(advertiserID int64) bool {
	return t.AccessLevel == AccessAll || t.AccessLevel == AccessStore && t.AdvertiserID == advertiserID
}

// AdvertiserUsers lists the users that an advertiser sees (users-list of the
// advertiser's API). The filter's query, status and e-mail prefix count. How to
// reach users is shown as by AdvertiserUser.
func (s *Service) AdvertiserUsers(ctx context.Context, advertiserID int64, f UserFilter, p PageRequest) (Page[AdvertiserUser], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (out Page[AdvertiserUser], err error) {
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return out, err
		}
		c, err := advertiserClient(ctx, tx, a)
		if err != nil {
			return out, err
		}
		page, err := tx.Users().List(ctx, UserFilter{Query: f.Query, Status: f.Status, EmailPrefix: NormalizeEmail(f.EmailPrefix), Around: around(advertiserID, c)}, p)
		if err != nil {
			return out, err
		}
		out.Total = page.Total
		if out.Items, err = withTags(ctx, tx, advertiserID, c, page.Items); err != nil {
			return out, err
		}
		return out, hideContacts(ctx, tx, advertiserID, pointers(out.Items))
	})
}

// advertiserUser is a user that the advertiser sees; others are ErrNotFound.
func advertiserUser(ctx context.Context, tx Tx, advertiserID, userID int64) (AdvertiserUser, error) {
	a, err := tx.Advertisers().Get(ctx, advertiserID)
	if err != nil {
		return AdvertiserUser{}, err
	}
	c, err := advertiserClient(ctx, tx, a)
	if err != nil {
		return AdvertiserUser{}, err
	}
	page, err := tx.Users().List(ctx, UserFilter{IDs: []int64{userID}, Around: around(advertiserID, c)}, PageRequest{Number: 1, Size: 1})
	if err != nil {
		return AdvertiserUser{}, err
	}
	if len(page.Items) == 0 {
		return AdvertiserUser{}, NotFound("user", userID)
	}
	shown, err := withTags(ctx, tx, advertiserID, c, page.Items)
	if err != nil {
		return AdvertiserUser{}, err
	}
	return shown[0], nil
}

// AdvertiserUser returns one user that an advertiser sees. E-mail, phone and
// profile are empty unless it manages the user or the user acted there.
func (s *Service) AdvertiserUser(ctx context.Context, advertiserID, userID int64) (AdvertiserUser, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (AdvertiserUser, error) {
		u, err := advertiserUser(ctx, tx, advertiserID, userID)
		if err != nil {
			return u, err
		}
		err = hideContacts(ctx, tx, advertiserID, []*AdvertiserUser{&u})
		return u, err
	})
}

// hideContacts hides how to reach those whom the advertiser does not manage.
func hideContacts(ctx context.Context, tx Tx, advertiserID int64, users []*AdvertiserUser) error {
	var others []*User
	for _, u := range users {
		if !u.Managed {
			others = append(others, &u.User)
		}
	}
	return hideFrom(ctx, tx, []int64{advertiserID}, others)
}

// CreateAdvertiserUser adds a user to the advertiser's client, which is made
// when its group has none (user-create of the advertiser's API).
func (s *Service) CreateAdvertiserUser(ctx context.Context, advertiserID int64, u User) (AdvertiserUser, error) {
	secret, err := secrets.New(s.random)
	if err != nil {
		return AdvertiserUser{}, err
	}
	public, err := secrets.New(s.random)
	if err != nil {
		return AdvertiserUser{}, err
	}
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (AdvertiserUser, error) {
		return s.addAdvertiserUser(ctx, tx, advertiserID, u, public[:10], secret)
	})
}

// addAdvertiserUser is CreateAdvertiserUser within a unit.
func (s *Service) addAdvertiserUser(ctx context.Context, tx Tx, advertiserID int64, u User, publicID, secret string) (AdvertiserUser, error) {
	a, err := tx.Advertisers().Get(ctx, advertiserID)
	if err != nil {
		return AdvertiserUser{}, err
	}
	c, err := s.ensureClient(ctx, tx, a, publicID, secret)
	if err != nil {
		return AdvertiserUser{}, err
	}
	u.ClientID = c.Value.ID
	made, err := AddUser(ctx, tx, s.clock.Now(), u, s.UserChanged)
	if err != nil {
		return AdvertiserUser{}, err
	}
	if err := tx.Users().Relate(ctx, made.ID, advertiserID, true); err != nil {
		return AdvertiserUser{}, err
	}
	return advertiserUser(ctx, tx, advertiserID, made.ID)
}

// UpdateAdvertiserUser changes a user of the advertiser's client (user-update).
// Change may run again. ErrForbidden for a user who works with the advertiser
// and is not of its client.
func (s *Service) UpdateAdvertiserUser(ctx context.Context, advertiserID, userID int64, change func(*User)) (AdvertiserUser, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (AdvertiserUser, error) {
		return s.ChangeAdvertiserUser(ctx, tx, advertiserID, userID, change)
	})
}

// ChangeAdvertiserUser is the action of [Service.UpdateAdvertiserUser], for a
// unit of any domain.
func (s *Service) ChangeAdvertiserUser(ctx context.Context, tx Tx, advertiserID, userID int64, change func(*User)) (AdvertiserUser, error) {
	before, err := advertiserUser(ctx, tx, advertiserID, userID)
	if err != nil {
		return AdvertiserUser{}, err
	}
	if !before.Managed {
		return AdvertiserUser{}, Forbidden("")
	}
	u := before.User
	change(&u)
	if _, err := s.saveUser(ctx, tx, before.User, u); err != nil {
		return AdvertiserUser{}, err
	}
	return advertiserUser(ctx, tx, advertiserID, userID)
}

// SetAdvertiserUserStatus approves, bans or does neither to a user of the
// advertiser's client (user-status-update). Only a status that changes raises
// an event.
func (s *Service) SetAdvertiserUserStatus(ctx context.Context, advertiserID, userID int64, status UserStatus) (AdvertiserUser, error) {
	return s.UpdateAdvertiserUser(ctx, advertiserID, userID, func(u *User) { u.setStatus(status, s.clock.Now()) })
}

// setStatus brings the user to a status.
func (u *User) setStatus(status UserStatus, now time.Time) {
	if u.Status() == status {
		return
	}
	switch status {
	case UserAccepted:
		u.SuspendedAt = time.Time{}
		if u.VerifiedAt.IsZero() {
			u.VerifiedAt = now
		}
	case UserSuspended:
		u.SuspendedAt = now
	case UserUndecided:
		u.SuspendedAt, u.VerifiedAt = time.Time{}, time.Time{}
	}
}

// TagInput names a tag by its id, or one of the advertiser's own by its name.
type TagInput struct {
	ID   int64
	Name string
}

// TagAdvertiserUser adds tags to a user that the advertiser sees (user-tags-add):
// tags that the advertiser sees, by id, and its own by name, which are made when
// they are new. It returns the user's tags. Fields are named "tags.0.id".
func (s *Service) TagAdvertiserUser(ctx context.Context, advertiserID, userID int64, tags []TagInput) (AdvertiserUser, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (AdvertiserUser, error) {
		before, err := advertiserUser(ctx, tx, advertiserID, userID)
		if err != nil {
			return AdvertiserUser{}, err
		}
		ids, err := s.tagIDs(ctx, tx, advertiserID, tags)
		if err != nil {
			return AdvertiserUser{}, err
		}
		u := before.User
		u.TagIDs = append(ids, u.TagIDs...)
		if _, err := s.saveUser(ctx, tx, before.User, u); err != nil {
			return AdvertiserUser{}, err
		}
		tagged, err := advertiserUser(ctx, tx, advertiserID, userID)
		if err != nil {
			return tagged, err
		}
		err = hideContacts(ctx, tx, advertiserID, []*AdvertiserUser{&tagged})
		return tagged, err
	})
}

// tagIDs finds the tags, and makes the named ones that are new.
func (s *Service) tagIDs(ctx context.Context, tx Tx, advertiserID int64, tags []TagInput) ([]int64, error) {
	var v Validation
	var ids []int64
	for i, t := range tags {
		at := "tags." + strconv.Itoa(i)
		if t.ID != 0 {
			found, err := tx.UserTags().GetMany(ctx, []int64{t.ID})
			if err != nil {
				return nil, err
			}
			v.Check(len(found) == 1 && found[0].seenBy(advertiserID), at+".id", "unknown_reference", "must be the id of a user tag")
			ids = append(ids, t.ID)
			continue
		}
		slug := slugOf(t.Name)
		v.Text(at+".name", t.Name, 1, 255)
		if v.Err("") != nil {
			continue
		}
		id, err := tagNamed(ctx, tx, advertiserID, t.Name, slug)
		if err != nil {
			return nil, err
		}
		if id == 0 {
			made, err := addUserTag(ctx, tx, UserTag{AdvertiserID: advertiserID, Name: t.Name, Slug: slug, AccessLevel: AccessStore, CreatedAt: s.clock.Now()})
			if err != nil {
				return nil, err
			}
			id = made.ID
		}
		ids = append(ids, id)
	}
	return ids, v.Err("user_tag")
}

// tagNamed returns the tag with a slug that the advertiser sees; 0 for none.
func tagNamed(ctx context.Context, tx Tx, advertiserID int64, name, slug string) (int64, error) {
	f := UserTagFilter{Name: name, AdvertiserIDs: []int64{advertiserID}, AccessLevels: []AccessLevel{AccessAll, AccessStore}}
	for page := 1; ; page++ {
		found, err := tx.UserTags().List(ctx, f, PageRequest{Number: page, Size: MaxPageSize})
		if err != nil {
			return 0, err
		}
		for _, t := range found.Items {
			if t.Slug == slug {
				return t.ID, nil
			}
		}
		if len(found.Items) < MaxPageSize {
			return 0, nil
		}
	}
}

// slugOf is a name in lower case, with a dash for each space.
func slugOf(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), "-")) }

// saveUser keeps a changed user within a unit.
func (s *Service) saveUser(ctx context.Context, tx Tx, before, u User) (User, error) {
	return ChangeUser(ctx, tx, s.clock.Now(), before.ID, func(to *User) { *to = u }, s.UserChanged)
}
