package affiliate

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// SocialMedia is an account of a user on a network.
type SocialMedia struct {
	Type       string // "instagram"; 1..32 characters, lower case
	Identifier string // the handle as NormalizeHandle writes it; 1..255 characters
}

// NormalizeHandle brings what people write for a handle to one form: lower
// case, no leading @, no URL before it. "https://tiktok.com/@Anna/" is "anna".
func NormalizeHandle(s string) string {
	s = strings.TrimSpace(s)
	for _, scheme := range []string{"https://", "http://"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			s = s[len(scheme):]
			if i := strings.IndexByte(s, '/'); i >= 0 {
				s = s[i+1:]
			}
			break
		}
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	s = strings.Trim(s, "/")
	return strings.ToLower(strings.TrimLeft(s, "@"))
}

// NormalizeEmail returns the e-mail as it is kept and compared: trimmed, in
// lower case, composed (NFC).
func NormalizeEmail(s string) string {
	return norm.NFC.String(strings.ToLower(norm.NFC.String(strings.TrimSpace(s))))
}

// UserStatus is computed from the two times that decide it.
type UserStatus string

// The states of a user.
const (
	UserUndecided UserStatus = "undecided" // neither approved nor banned
	UserAccepted  UserStatus = "accepted"
	UserSuspended UserStatus = "suspended" // banned
)

// User is a person who promotes: a creator.
type User struct {
	ID          int64
	ClientID    int64  // 0: of no client
	Username    string // 1..255 characters; no two of a client have the same Fold
	DisplayName string // at most 255 characters
	Email       string // lower case, at most 254 characters; unique when not empty
	Phone       string // at most 32 characters
	Locale      string // BCP 47, at most 35 characters
	SocialMedia []SocialMedia
	TagIDs      []int64 // ascending, each once
	TierID      int64   // revenue tier, 0: none
	Profile     Profile
	VerifiedAt  time.Time // zero: not approved
	SuspendedAt time.Time // zero: not banned
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Profile is who a user is and where it lives. Each field is at most 255
// characters and may be empty.
type Profile struct {
	FirstName, Surname, Address, Postcode, City, Country string
}

func (p Profile) validate(v *Validation) {
	v.Text("first_name", p.FirstName, 0, 255)
	v.Text("surname", p.Surname, 0, 255)
	v.Text("address", p.Address, 0, 255)
	v.Text("postcode", p.Postcode, 0, 255)
	v.Text("city", p.City, 0, 255)
	v.Text("country", p.Country, 0, 255)
}

// MaxSocialMedia bounds how many accounts a user names.
const MaxSocialMedia = 50

// Status is suspended when banned, else accepted when approved, else undecided.
func (u User) Status() UserStatus {
	switch {
	case !u.SuspendedAt.IsZero():
		return UserSuspended
	case !u.VerifiedAt.IsZero():
		return UserAccepted
	}
	return UserUndecided
}

// Validate checks what every backend refuses.
func (u User) Validate() error {
	var v Validation
	v.Text("username", u.Username, 1, 255)
	v.Text("display_name", u.DisplayName, 0, 255)
	v.Text("email", u.Email, 0, 254)
	v.Check(u.Email == NormalizeEmail(u.Email), "email", "not_normalized", "must be lower case without surrounding space")
	v.Check(u.Email == "" || ValidEmail(u.Email), "email", "invalid_email", "must be an e-mail address")
	v.Text("phone", u.Phone, 0, 32)
	v.Text("preferred_locale", u.Locale, 0, 35)
	u.Profile.validate(&v)
	v.Check(ascending(u.TagIDs), "tag_ids", "not_ascending", "must be ascending, each once")
	v.Check(len(u.SocialMedia) <= MaxSocialMedia, "social_media", "too_many", "must be at most 50 accounts")
	for i, s := range u.SocialMedia {
		at := "social_media." + strconv.Itoa(i) + "."
		v.Text(at+"type", s.Type, 1, 32)
		v.Text(at+"identifier", s.Identifier, 1, 255)
		v.Check(s.Identifier == NormalizeHandle(s.Identifier), at+"identifier", "not_normalized", "must be a bare handle in lower case")
	}
	return v.Err("user")
}

// ValidEmail asks for one @ with something on both sides and no space: only a
// message sent there proves more.
func ValidEmail(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && at == strings.LastIndexByte(s, '@') && at < len(s)-1 && !strings.ContainsAny(s, " \t\r\n<>\",;")
}

// AccessLevel says who sees a user tag.
type AccessLevel uint8

// The access levels, with the numbers that the wire shows.
const (
	AccessAdmin AccessLevel = 0 // only the operator
	AccessAll   AccessLevel = 1 // everyone
	AccessStore AccessLevel = 2 // the advertiser it belongs to
)

// UserTag groups users: "favourites".
type UserTag struct {
	ID           int64
	AdvertiserID int64  // the owner when AccessLevel is AccessStore, else 0
	Name         string // 1..255 characters
	Slug         string // 1..255 characters, unique per advertiser (0 counts as one)
	AccessLevel  AccessLevel
	CreatedAt    time.Time
}

// Validate checks what every backend refuses.
func (t UserTag) Validate() error {
	var v Validation
	v.Text("name", t.Name, 1, 255)
	v.Text("slug", t.Slug, 1, 255)
	v.Check(t.AccessLevel <= AccessStore, "access_level", "unknown_access_level", "must be 0, 1 or 2")
	v.Check((t.AccessLevel == AccessStore) == (t.AdvertiserID != 0), "store_id", "owner_mismatch", "must be set for access level 2 and only then")
	return v.Err("user_tag")
}
