package media

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Types are the networks that media come from.
func Types() []string { return []string{"instagram", "tiktok", "youtube"} }

// Visibility says whether a medium is shown at the store.
type Visibility uint8

// The visibilities, with the numbers that the wire shows.
const (
	Hidden    Visibility = 0
	Shown     Visibility = 1
	Undecided Visibility = 2
)

// Medium is a video or picture that a creator published.
type Medium struct {
	ID          int64
	Type        string // one of Types
	ExternalID  string // the network's id, 1..255 characters; unique per type
	ContentType string // of the file, "video/mp4"; at most 127 characters, empty without a file
	Href        string // where the file is, an http or https URL of at most 2048 characters; empty without a file
	Username    string // of the creator on the network, 1..255 characters
	UserID      int64  // the creator here, 0: nobody that we know
	TagID       int64  // user tag, 0: none
	Group       int64  // a number of the ingest, 0: none
	Favorite    bool
	Visibility  Visibility
	PublishedAt time.Time // a date, UTC
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Validate checks what every backend refuses.
func (m Medium) Validate() error {
	var v affiliate.Validation
	v.Check(slices.Contains(Types(), m.Type), "media_type", "unknown_type", "must be instagram, tiktok or youtube")
	v.Text("media_id", m.ExternalID, 1, 255)
	v.Text("content_type", m.ContentType, 0, 127)
	v.Text("href", m.Href, 0, 2048)
	v.Check(m.Href == "" || httpURL(m.Href), "href", "invalid_url", "must be an http or https URL")
	v.Check((m.Href == "") == (m.ContentType == ""), "content_type", "required", "must be set together with href")
	v.Text("username", m.Username, 1, 255)
	v.Check(m.Visibility <= Undecided, "show_store", "out_of_range", "must be 0, 1 or 2")
	v.Check(!m.PublishedAt.IsZero(), "published_at", "required", "is required")
	return v.Err("medium")
}

func httpURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// Add keeps a medium, and returns the one that is there already with false when
// the network's id is known. The username is kept in lower case without an @;
// without a UserID the user who has that handle on the network is taken, if
// there is exactly one.
func (s *Service) Add(ctx context.Context, m Medium) (Medium, bool, error) {
	type added struct {
		medium Medium
		fresh  bool
	}
	a, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (a added, err error) {
		m := m
		m.Username = affiliate.NormalizeHandle(m.Username)
		m.PublishedAt = m.PublishedAt.UTC().Truncate(24 * time.Hour)
		m.CreatedAt = s.clock.Now()
		m.UpdatedAt = m.CreatedAt
		if m.UserID == 0 && m.Username != "" {
			if m.UserID, err = creatorOf(ctx, tx, m.Type, m.Username); err != nil {
				return a, err
			}
		}
		a.medium, a.fresh, err = tx.Media().AddOrGet(ctx, m)
		if err != nil || !a.fresh {
			return a, err
		}
		return a, tx.Events().Add(ctx, a.medium.event(EventAdded))
	})
	return a.medium, a.fresh, err
}

// creatorOf returns the only user with the handle on the network, or 0.
func creatorOf(ctx context.Context, tx Tx, network, handle string) (int64, error) {
	users, err := tx.Users().BySocialMedia(ctx, []string{handle})
	if err != nil {
		return 0, err
	}
	account := affiliate.SocialMedia{Type: network, Identifier: handle}
	users = slices.DeleteFunc(users, func(u affiliate.User) bool { return !slices.Contains(u.SocialMedia, account) })
	if len(users) != 1 {
		return 0, nil
	}
	return users[0].ID, nil
}

// Update applies change to the medium as it is now. change may run again; the
// id, type, external id and time of creation are not its to change.
func (s *Service) Update(ctx context.Context, id int64, change func(*Medium)) (Medium, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Medium, error) {
		before, err := tx.Media().Get(ctx, id)
		if err != nil {
			return before, err
		}
		m := before
		change(&m)
		m.ID, m.Type, m.ExternalID, m.CreatedAt, m.UpdatedAt = id, before.Type, before.ExternalID, before.CreatedAt, s.clock.Now()
		if err := tx.Media().Update(ctx, m); err != nil {
			return m, err
		}
		return m, tx.Events().Add(ctx, m.event(EventUpdated))
	})
}

// List lists the media that the viewer sees (user-media-list).
func (s *Service) List(ctx context.Context, f Filter, p affiliate.PageRequest) (affiliate.Page[Medium], error) {
	switch viewer := s.viewer.Principal(); {
	case s.viewer.IsOperator():
	case viewer.Role == affiliate.RoleClient && viewer.ClientID > 0:
		f.ClientID = viewer.ClientID
	default:
		return affiliate.Page[Medium]{}, affiliate.Forbidden("Media are for the operator and for clients.")
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Medium], error) {
		return tx.Media().List(ctx, f, p)
	})
}

// Snapshot runs fn with a context in which all lists are of one instant, for an
// export that reads them page by page; see [affiliate.Snapshot].
func (s *Service) Snapshot(ctx context.Context, fn func(context.Context) error) error {
	return affiliate.Snapshot(ctx, s.store, s.clock, fn)
}
