package links

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Tx gives the repositories of links, of offers, of identity and of the core,
// within one unit of work: who registers an advertiser acts for it at once. What all repositories share stands in package affiliate.
type Tx interface {
	offers.Tx
	identity.Tx
	Rules() RuleRepository
	Links() LinkRepository
	Clicks() ClickRepository
	VisitorSecrets() VisitorSecretRepository
	Retention() RetentionRepository
}

// Store runs units of work.
type Store interface {
	affiliate.Store[Tx]
	// Record is a Write for the click path: the unit is isolated by the locks
	// it takes instead of being serializable. A callback first locks what it
	// decides by (LinkRepository.Lock), in one call for the whole unit; what it
	// reads after that is the latest committed state. The advertisers and users that
	// it reads by GetMany, and the offers by Serving, decide about clicks: they stay
	// as they are until it ends. A Write that changes one of them, locks one of the
	// offers, or adds to the advertiser's blocklist, waits, and what comes later
	// waits for that Write and sees what it did. A Write that locks what this unit
	// has locked waits too; it sees what this unit did if that changed one of the
	// locked rows, and may otherwise go on with a snapshot of before. Like that of a
	// Write, the callback may run again.
	Record(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Nested reports whether the context belongs to a unit of the store, in
	// which another one would be ErrNested.
	Nested(ctx context.Context) bool
}

// HostedStore is a Store that may be in a transaction of the host's, which ends
// when the host says so.
type HostedStore interface {
	Store
	// Hosted reports whether it is. What is queued could not become a part of the
	// transaction, so that Follow then refuses to: see ClickMode.
	Hosted() bool
}

// Cursor is a place in the history of a store's rule changes. Only the backend
// that made one reads it.
type Cursor string

// RuleRepository keeps URL matching rules. At most one rule of an advertiser
// is its main one: a second is ErrConflict with the field "is_main".
type RuleRepository interface {
	Add(ctx context.Context, r Rule) (Rule, error)
	Get(ctx context.Context, id int64) (Rule, error)
	Update(ctx context.Context, r Rule) error
	// Delete is ErrNotFound when there is none.
	Delete(ctx context.Context, id int64) error
	// ByAdvertisers returns the rules of the advertisers by ascending id.
	ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]Rule, error)
	// Scan returns at most limit rules with an id greater than after, by ascending id.
	Scan(ctx context.Context, after int64, limit int) ([]Rule, error)
	// Cursor is the place in the history that this unit's snapshot is at. What a
	// transaction of the host's changed that has not ended yet is behind none.
	Cursor(ctx context.Context) (Cursor, error)
	// Changed returns, ascending, the advertisers with a rule added, updated or
	// deleted by a unit that the snapshot of the cursor did not show and this
	// one does. It may repeat some that it returned before and leaves none out.
	// A text that is no cursor is ErrInvalid (field "cursor", "invalid_cursor").
	Changed(ctx context.Context, since Cursor) ([]int64, error)
}

// LinkFilter chooses links. Sort columns: created_at.
type LinkFilter struct {
	UserID       int64
	AdvertiserID int64
	IDs          []int64
	Deleted      affiliate.Optional[bool]
}

// LinkRepository keeps links: one per user, advertiser and key.
type LinkRepository interface {
	// AddOrGet adds the link and returns it with true, or returns the one that
	// the user, advertiser and key have already with false.
	AddOrGet(ctx context.Context, l Link) (Link, bool, error)
	Get(ctx context.Context, id int64) (Link, error)
	GetMany(ctx context.Context, ids []int64) ([]Link, error)
	// Find is ErrNotFound when the user has no link of that key there.
	Find(ctx context.Context, userID, advertiserID int64, key LinkKey) (Link, error)
	// Update replaces all fields; a change of user, advertiser or key to those
	// of another link is ErrConflict with the field "key".
	Update(ctx context.Context, l Link) error
	List(ctx context.Context, f LinkFilter, p affiliate.PageRequest) (affiliate.Page[Link], error)
	// CountByUsers returns how many links each of the users has for the
	// advertiser that were created from from and before until (zero: no bound),
	// deleted ones too. Users without any may be left out.
	CountByUsers(ctx context.Context, advertiserID int64, userIDs []int64, from, until time.Time) (map[int64]int64, error)
	// Targets returns what redirects need of the links with one of the ids, by
	// ascending id, each once.
	Targets(ctx context.Context, ids []int64) ([]Target, error)
	// Lock is GetMany that also locks the links until the unit ends: of two
	// units that lock one link, the later one goes on when the first has ended,
	// and sees what it did. Refused with ErrReadOnly in a Read.
	Lock(ctx context.Context, ids []int64) ([]Link, error)
}

// ClickFilter chooses clicks. Sort columns: at.
type ClickFilter struct {
	LinkID       int64
	UserID       int64
	AdvertiserID int64
	Verdict      Verdict
	From         time.Time // at or after; zero: no bound
	Until        time.Time // before; zero: no bound
}

// ClickRepository keeps clicks. Lists are by ascending id, which is by time.
type ClickRepository interface {
	// Add keeps the clicks; ErrConflict with the field "id" when one of the ids is taken.
	Add(ctx context.Context, clicks ...Click) error
	Get(ctx context.Context, id uuid.UUID) (Click, error)
	// GetMany returns the clicks with one of the ids by ascending id.
	GetMany(ctx context.Context, ids []uuid.UUID) ([]Click, error)
	List(ctx context.Context, f ClickFilter, p affiliate.PageRequest) (affiliate.Page[Click], error)
	// Scan returns at most limit clicks with an id greater than after, by ascending id.
	Scan(ctx context.Context, after uuid.UUID, limit int) ([]Click, error)
	// LastValid returns for each visit its newest valid click after since, under
	// either key; the zero LastVisit when there was none. The zero key is that of
	// erased visitors and finds nothing.
	LastValid(ctx context.Context, visits []Visit, since time.Time) ([]LastVisit, error)
	// EraseVisitors makes the visitor keys zero of the clicks with an id greater
	// than after and not greater than through, and returns how many had one.
	// LastValid does not find them any more. It is called from the oldest click
	// on: a visit may have older clicks that LastValid does not find either.
	EraseVisitors(ctx context.Context, after, through uuid.UUID) (int, error)
	// Remove removes at most limit clicks with an id not greater than through,
	// the lowest ids first, and returns how many. Whether a duplicate still names
	// a click that is gone, or none, is left to the backend.
	Remove(ctx context.Context, through uuid.UUID, limit int) (int, error)
}

// VisitorSecret is the key of one day's visitor hashes.
type VisitorSecret struct {
	Date   time.Time // midnight UTC
	Secret [32]byte
}

// VisitorSecretRepository keeps the secrets of the last days.
type VisitorSecretRepository interface {
	// AddOrGet keeps the secret, or returns the one that its day has already.
	AddOrGet(ctx context.Context, s VisitorSecret) (VisitorSecret, error)
	// RemoveBefore forgets the secrets of days before the date.
	RemoveBefore(ctx context.Context, date time.Time) error
}
