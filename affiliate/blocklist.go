package affiliate

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// BlocklistEntry keeps a creator, the users with a tag, or the users of a
// client away from an advertiser: they do not see it and cannot convert for it.
type BlocklistEntry struct {
	ID           int64
	AdvertiserID int64
	UserID       int64 // exactly one of UserID, UserTagID
	UserTagID    int64
	ClientID     int64 // and ClientID is set
	// ValidateClicks: clicks on the links that the user already has are still
	// paid. Only for a user.
	ValidateClicks bool
	CreatedBy      Actor
	CreatedAt      time.Time
}

// Validate checks what every backend refuses.
func (e BlocklistEntry) Validate() error {
	var v Validation
	set := 0
	for _, id := range []int64{e.UserID, e.UserTagID, e.ClientID} {
		if id != 0 {
			set++
		}
	}
	v.Check(set == 1, "target", "not_one", "must be one of a user, a user tag or a client")
	v.Check(!e.ValidateClicks || e.UserID != 0, "validate_clicks", "not_a_user", "must be set for a user only")
	v.Text("created_by", e.CreatedBy.Name, 0, 255)
	return v.Err("blocklist_entry")
}

// Names reports whether the entry is about the user.
func (e BlocklistEntry) Names(u User) bool {
	switch {
	case e.UserID != 0:
		return e.UserID == u.ID
	case e.ClientID != 0:
		return e.ClientID == u.ClientID
	}
	return slices.Contains(u.TagIDs, e.UserTagID)
}

// BlockInput names who is to be kept away.
type BlockInput struct {
	Users      []BlockedUser
	UserTagIDs []int64
	ClientIDs  []int64
}

// BlockedUser is a user to be kept away.
type BlockedUser struct {
	ID             int64
	ValidateClicks bool
}

// entries are the input as blocklist entries, with the field that each came from.
func (in BlockInput) entries(advertiserID int64, by Actor, now time.Time) (entries []BlocklistEntry, fields []string) {
	add := func(field string, i int, e BlocklistEntry) {
		e.AdvertiserID, e.CreatedBy, e.CreatedAt = advertiserID, by, now
		entries, fields = append(entries, e), append(fields, field+"."+strconv.Itoa(i))
	}
	for i, u := range in.Users {
		add("users", i, BlocklistEntry{UserID: u.ID, ValidateClicks: u.ValidateClicks})
	}
	for i, id := range in.UserTagIDs {
		add("user_tag_ids", i, BlocklistEntry{UserTagID: id})
	}
	for i, id := range in.ClientIDs {
		add("client_ids", i, BlocklistEntry{ClientID: id})
	}
	return entries, fields
}

// BlocklistView is a blocklist entry with what it names.
type BlocklistView struct {
	Entry   BlocklistEntry
	User    User    // zero unless the entry names a user
	UserTag UserTag // likewise
	Client  Client  // likewise
	Author  User    // zero when no user account made the entry
}

// Block adds entries to an advertiser's blocklist and returns those that were
// not there yet (blocklist-add). An id that names nothing, or another
// advertiser's user tag, is ErrInvalid at its place and nothing is added. At
// most MaxBatch entries.
func (s *Service) Block(ctx context.Context, advertiserID int64, by Actor, in BlockInput) ([]BlocklistView, error) {
	var v Validation
	n := len(in.Users) + len(in.UserTagIDs) + len(in.ClientIDs)
	v.Check(n > 0, "users", "required", "is required, unless user_tag_ids or client_ids is given")
	v.Check(n <= MaxBatch, "users", "too_many", "must not have more than 1000 items, user_tag_ids and client_ids included")
	if err := v.Err("blocklist_entry"); err != nil {
		return nil, err
	}
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) ([]BlocklistView, error) {
		if err := s.actsFor(ctx, tx, advertiserID); err != nil {
			return nil, err
		}
		entries, fields := in.entries(advertiserID, by, s.clock.Now())
		views, err := s.viewBlocklist(ctx, tx, entries)
		if err != nil {
			return nil, err
		}
		var v Validation
		for i, w := range views {
			v.Check(w.resolved(s.viewer), fields[i], "unknown_reference", "must be the id of an existing one")
		}
		if err := v.Err("blocklist_entry"); err != nil {
			return nil, err
		}
		added, err := tx.Blocklist().AddMissing(ctx, entries...)
		if err != nil {
			return nil, err
		}
		events := make([]Event, len(added))
		for i, e := range added {
			events[i] = e.event(EventBlocked, e.CreatedAt)
		}
		if err := tx.Events().Add(ctx, events...); err != nil {
			return nil, err
		}
		return s.viewBlocklist(ctx, tx, added)
	})
}

// resolved reports whether what the entry names is there, and for the viewer
// and the advertiser to name.
func (w BlocklistView) resolved(v Viewer) bool {
	switch e := w.Entry; {
	case e.UserID != 0:
		return w.User.ID != 0
	case e.ClientID != 0:
		return w.Client.ID != 0
	default:
		return w.UserTag.ID != 0 && v.SeesTag(w.UserTag) && (w.UserTag.AdvertiserID == 0 || w.UserTag.AdvertiserID == e.AdvertiserID)
	}
}

// Unblock removes an entry from an advertiser's blocklist (blocklist-remove).
func (s *Service) Unblock(ctx context.Context, advertiserID, entryID int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		e, err := tx.Blocklist().Get(ctx, entryID)
		if err != nil {
			return err
		}
		if e.AdvertiserID != advertiserID || !s.viewer.ActsFor(advertiserID) {
			return NotFound("blocklist_entry", entryID)
		}
		if err := tx.Blocklist().Delete(ctx, entryID); err != nil {
			return err
		}
		return tx.Events().Add(ctx, e.event(EventUnblocked, s.clock.Now()))
	})
}

func (e BlocklistEntry) event(kind EventKind, at time.Time) Event {
	return kind.On(e.ID, at).Of(e.AdvertiserID, 0).With(BlockedPayload{UserID: e.UserID, UserTagID: e.UserTagID, ClientID: e.ClientID})
}

// Blocklist lists an advertiser's blocklist (blocklist-list).
func (s *Service) Blocklist(ctx context.Context, f BlocklistFilter, p PageRequest) (Page[BlocklistView], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (out Page[BlocklistView], err error) {
		if err := s.actsFor(ctx, tx, f.AdvertiserID); err != nil {
			return out, err
		}
		page, err := tx.Blocklist().List(ctx, f, p)
		if err != nil {
			return out, err
		}
		out.Total = page.Total
		out.Items, err = s.viewBlocklist(ctx, tx, page.Items)
		return out, err
	})
}

// actsFor checks that the viewer acts for the advertiser, and that it is there.
func (s *Service) actsFor(ctx context.Context, tx Tx, advertiserID int64) error {
	if !s.viewer.ActsFor(advertiserID) {
		return NotFound("advertiser", advertiserID)
	}
	_, err := tx.Advertisers().Get(ctx, advertiserID)
	return err
}

// viewBlocklist reads what the entries name, each kind at once. Of a user tag
// that the viewer does not see it keeps the id alone, of a client what is not
// between the client and the operator, and of a user the e-mail address only
// for the operator.
func (s *Service) viewBlocklist(ctx context.Context, tx Tx, entries []BlocklistEntry) ([]BlocklistView, error) {
	var userIDs, tagIDs, clientIDs []int64
	for _, e := range entries {
		userIDs = append(userIDs, e.UserID, e.CreatedBy.UserID)
		tagIDs = append(tagIDs, e.UserTagID)
		clientIDs = append(clientIDs, e.ClientID)
	}
	users, err := idset.Index(ctx, tx.Users().GetMany, userIDs, User.id)
	if err != nil {
		return nil, err
	}
	tags, err := idset.Index(ctx, tx.UserTags().GetMany, tagIDs, func(t UserTag) int64 { return t.ID })
	if err != nil {
		return nil, err
	}
	clients, err := idset.Index(ctx, tx.Clients().GetMany, clientIDs, func(c Client) int64 { return c.ID })
	if err != nil {
		return nil, err
	}
	views := make([]BlocklistView, len(entries))
	for i, e := range entries {
		views[i] = BlocklistView{Entry: e, User: users[e.UserID], UserTag: tags[e.UserTagID], Client: clients[e.ClientID], Author: users[e.CreatedBy.UserID]}
		if s.viewer.IsOperator() {
			continue
		}
		w := &views[i]
		w.User.Email, w.User.Phone, w.Client.RevenueShare = "", "", Rate{}
		if w.UserTag.ID != 0 && !s.viewer.SeesTag(w.UserTag) {
			w.UserTag = UserTag{ID: w.UserTag.ID, AccessLevel: w.UserTag.AccessLevel}
		}
	}
	return views, nil
}

// AdvertisersBlocking returns which of the advertisers (nil: of all) have the
// user on their blocklist, by whatever entry. An action for any unit of work.
func AdvertisersBlocking(ctx context.Context, tx Tx, u User, advertiserIDs []int64) (map[int64]bool, error) {
	entries, err := tx.Blocklist().Naming(ctx, advertiserIDs, []int64{u.ID}, u.TagIDs, clientOf(u))
	m := make(map[int64]bool, len(entries))
	for _, e := range entries {
		m[e.AdvertiserID] = true
	}
	return m, err
}

// UsersBlocked returns which of the users the advertiser's blocklist names. An
// action for any unit of work.
func UsersBlocked(ctx context.Context, tx Tx, advertiserID int64, users []User) (map[int64]bool, error) {
	var userIDs, tagIDs, clientIDs []int64
	for _, u := range users {
		userIDs, tagIDs, clientIDs = append(userIDs, u.ID), append(tagIDs, u.TagIDs...), append(clientIDs, clientOf(u)...)
	}
	entries, err := tx.Blocklist().Naming(ctx, []int64{advertiserID}, idset.Sorted(userIDs), idset.Sorted(tagIDs), idset.Sorted(clientIDs))
	out := make(map[int64]bool)
	for _, u := range users {
		for _, e := range entries {
			out[u.ID] = out[u.ID] || e.Names(u)
		}
	}
	return out, err
}

func clientOf(u User) []int64 {
	if u.ClientID == 0 {
		return nil
	}
	return []int64{u.ClientID}
}

// visibleTo narrows a filter to the advertisers that a creator sees: active,
// not hidden, and not keeping the creator away.
func visibleTo(ctx context.Context, tx Tx, userID int64, f AdvertiserFilter) (AdvertiserFilter, error) {
	u, err := tx.Users().Get(ctx, userID)
	if err != nil {
		return f, err
	}
	blocking, err := AdvertisersBlocking(ctx, tx, u, nil)
	f.Status, f.Hidden = AdvertiserActive, Some(false)
	f.Excluded = slices.Clone(f.Excluded)
	for id := range blocking {
		f.Excluded = append(f.Excluded, id)
	}
	return f, err
}
