package affiliate

import (
	"context"
	"time"
)

// What all repositories share:
//
//   - Add gives the new id, which only grows; the id of the value passed in is
//     not looked at. It returns the value as kept.
//   - Get is ErrNotFound when there is none. GetMany leaves missing ids out and
//     returns in ascending order of id, each once.
//   - Update replaces all fields; ErrNotFound when there is none.
//   - Add and Update are ErrInvalid when Validate fails, and ErrInvalid with the
//     field's name and the code "unknown_reference" when an id refers to
//     nothing; ErrConflict with the code "taken" and the field's name when a
//     unique key is in use.
//   - In a filter the zero value of a field does not filter. A nil id list does
//     not filter, an empty one matches nothing. All set fields must match.
//   - Query matches the id when the query is its decimal form, or a part of one
//     of the named columns, ignoring case and Unicode spelling, as Fold does.
//   - List sorts by the columns named at its filter, text by code point, ties
//     by ascending id; ErrInvalid for another column or a page out of bounds.

// AdvertiserFilter chooses advertisers. Sort columns: name, created_at.
type AdvertiserFilter struct {
	Query    string           // id, or part of the name
	GroupID  int64            // in this group
	Status   AdvertiserStatus // in this status
	Hidden   Optional[bool]   // hidden, or not
	IDs      []int64          // among these
	Excluded []int64          // not among these
}

// AdvertiserRepository keeps advertisers.
type AdvertiserRepository interface {
	Add(ctx context.Context, a Advertiser) (Advertiser, error)
	Get(ctx context.Context, id int64) (Advertiser, error)
	GetMany(ctx context.Context, ids []int64) ([]Advertiser, error)
	Update(ctx context.Context, a Advertiser) error
	List(ctx context.Context, f AdvertiserFilter, p PageRequest) (Page[Advertiser], error)
}

// AdvertiserGroupFilter chooses advertiser groups. Sort columns: name, key, currency.
type AdvertiserGroupFilter struct {
	IDs             []int64
	ReturnAdEnabled Optional[bool]
}

// AdvertiserGroupRepository keeps advertiser groups. Key is unique.
type AdvertiserGroupRepository interface {
	Add(ctx context.Context, g AdvertiserGroup) (AdvertiserGroup, error)
	Get(ctx context.Context, id int64) (AdvertiserGroup, error)
	GetMany(ctx context.Context, ids []int64) ([]AdvertiserGroup, error)
	Update(ctx context.Context, g AdvertiserGroup) error
	List(ctx context.Context, f AdvertiserGroupFilter, p PageRequest) (Page[AdvertiserGroup], error)
}

// CategoryRepository keeps categories. Name is unique.
type CategoryRepository interface {
	Add(ctx context.Context, c Category) (Category, error)
	GetMany(ctx context.Context, ids []int64) ([]Category, error)
	// All returns every category by ascending id: a few dozen.
	All(ctx context.Context) ([]Category, error)
}

// ClientFilter chooses clients. Sort columns: name, client_id,
// has_own_payment_system, revenue_share.
type ClientFilter struct {
	Query    string // id, part of the name, or part of the name of one of its revenue tiers
	IDs      []int64
	GroupIDs []int64 // in one of these advertiser groups
}

// ClientRepository keeps clients. PublicID is unique.
type ClientRepository interface {
	Add(ctx context.Context, c Client) (Client, error)
	Get(ctx context.Context, id int64) (Client, error)
	GetMany(ctx context.Context, ids []int64) ([]Client, error)
	// ByPublicID is ErrNotFound when no client has the public id.
	ByPublicID(ctx context.Context, publicID string) (Client, error)
	Update(ctx context.Context, c Client) error
	List(ctx context.Context, f ClientFilter, p PageRequest) (Page[Client], error)
}

// RevenueTierRepository keeps revenue tiers. Name is unique per client.
type RevenueTierRepository interface {
	Add(ctx context.Context, t RevenueTier) (RevenueTier, error)
	GetMany(ctx context.Context, ids []int64) ([]RevenueTier, error)
	// ByClients returns the tiers of the clients by ascending id.
	ByClients(ctx context.Context, clientIDs []int64) ([]RevenueTier, error)
}

// UserFilter chooses users. Sort columns: username, display_name, email,
// client_id, preferred_locale, created_at.
type UserFilter struct {
	Query         string // id, part of the username, or part of the e-mail
	ClientID      int64
	GroupID       int64   // whose client is in this advertiser group
	AdvertiserIDs []int64 // related to one of these advertisers
	IDs           []int64
	Status        UserStatus
	EmailPrefix   string // what the e-mail begins with, in normal form
	Around        Around
}

// Around chooses the users who are related to an advertiser, and those of a
// client as well. The zero Around does not filter.
type Around struct{ AdvertiserID, ClientID int64 }

// UserRepository keeps users. E-mail is unique when not empty; Username is
// unique per client (users of no client count as one client's).
type UserRepository interface {
	Add(ctx context.Context, u User) (User, error)
	Get(ctx context.Context, id int64) (User, error)
	GetMany(ctx context.Context, ids []int64) ([]User, error)
	// ByUsername returns the user of the client (0: of no client) whose username
	// has the same Fold.
	ByUsername(ctx context.Context, clientID int64, username string) (User, error)
	// ByEmails returns the users with one of the e-mails (in normal form), by ascending id.
	ByEmails(ctx context.Context, emails []string) ([]User, error)
	// BySocialMedia returns the users with one of the identifiers on any network, by ascending id.
	BySocialMedia(ctx context.Context, identifiers []string) ([]User, error)
	Update(ctx context.Context, u User) error
	List(ctx context.Context, f UserFilter, p PageRequest) (Page[User], error)
	// Relate notes that the user works with the advertiser: it has a link or a
	// participation there. acts says that the user did something there itself,
	// such as making a link. Noting it again changes nothing, but that a user
	// who did not act before may do so now.
	// ErrInvalid "unknown_reference" when either does not exist.
	Relate(ctx context.Context, userID, advertiserID int64, acts bool) error
	// ActingAt returns, by ascending id, those of the users who acted at one of
	// the advertisers.
	ActingAt(ctx context.Context, userIDs, advertiserIDs []int64) ([]int64, error)
}

// UserTagFilter chooses user tags. Sort columns: name, slug, access_level, store_id.
type UserTagFilter struct {
	Name          string        // part of the name
	AdvertiserID  int64         // belonging to this advertiser
	AdvertiserIDs []int64       // belonging to one of these advertisers, or to none
	AccessLevels  []AccessLevel // one of these; nil does not filter, empty matches nothing
	IDs           []int64
}

// UserTagRepository keeps user tags. Slug is unique per advertiser.
type UserTagRepository interface {
	Add(ctx context.Context, t UserTag) (UserTag, error)
	GetMany(ctx context.Context, ids []int64) ([]UserTag, error)
	List(ctx context.Context, f UserTagFilter, p PageRequest) (Page[UserTag], error)
}

// BlocklistFilter chooses blocklist entries. Sort columns: created_at.
type BlocklistFilter struct {
	AdvertiserID int64
	Query        string // entries of the user with this id, or with this in the username
}

// BlocklistRepository keeps blocklist entries: one per advertiser and user,
// user tag or client.
type BlocklistRepository interface {
	// AddMissing adds the entries whose target is not yet on the advertiser's
	// list, in order, and returns those; of two alike in one call the first.
	AddMissing(ctx context.Context, entries ...BlocklistEntry) ([]BlocklistEntry, error)
	Get(ctx context.Context, id int64) (BlocklistEntry, error)
	// Delete is ErrNotFound when there is none.
	Delete(ctx context.Context, id int64) error
	List(ctx context.Context, f BlocklistFilter, p PageRequest) (Page[BlocklistEntry], error)
	// Naming returns, by ascending id, the entries of the advertisers (nil: of
	// all) that name one of the users, tags or clients.
	Naming(ctx context.Context, advertiserIDs, userIDs, userTagIDs, clientIDs []int64) ([]BlocklistEntry, error)
}

// EntryFilter chooses ledger entries. Sort columns: occurred_at, payable_at.
type EntryFilter struct {
	Account      Account
	AdvertiserID int64
	Kind         EntryKind
}

// LedgerRepository keeps the entries. There is no way to change one.
type LedgerRepository interface {
	// Append adds the entries in order, gives them ascending ids, and adds them
	// to the totals of their accounts. ErrConflict with the field "cause" when a
	// cause is booked already or twice in the call; ErrInvalid "overflow" when a
	// total, or what the call adds to one, would leave 64 bits.
	Append(ctx context.Context, entries ...Entry) ([]Entry, error)
	GetMany(ctx context.Context, ids []int64) ([]Entry, error)
	// ByCauses returns the entries with one of the causes by ascending id.
	ByCauses(ctx context.Context, causes []string) ([]Entry, error)
	// Reversals returns the entries that reverse one of the given ones by ascending id.
	Reversals(ctx context.Context, ids []int64) ([]Entry, error)
	List(ctx context.Context, f EntryFilter, p PageRequest) (Page[Entry], error)
	// Scan returns at most limit entries with an id greater than after, by ascending id.
	Scan(ctx context.Context, after int64, limit int) ([]Entry, error)
	// SumByKind returns what the accounts' entries, payouts excepted, add up to
	// that become payable at from or later and before until: by account, then
	// currency, then kind. A sum beyond 64 bits is ErrInvalid "overflow".
	SumByKind(ctx context.Context, accounts []Account, from, until time.Time) ([]KindSum, error)
}

// KindSum is what some entries of one account, currency and kind add up to.
type KindSum struct {
	Account Account
	Kind    EntryKind
	Earning Money
	Entries int64 // how many
}

// BalanceRepository reads what the ledger adds up to.
type BalanceRepository interface {
	// Get returns the balances of an account at an instant, by ascending
	// currency: pending is the sum of its entries, payouts excepted, that
	// become payable after it. An account without entries has none. The cost
	// grows with the entries that are pending, not with all.
	Get(ctx context.Context, account Account, at time.Time) ([]Balance, error)
	// Scan returns at most limit totals after the given account and currency,
	// ordered by account, then currency.
	Scan(ctx context.Context, after Account, afterCurrency Currency, limit int) ([]Total, error)
	// Payable returns at most limit balances at an instant, as Get does, of those
	// after the given account and currency whose payable part is above 0,
	// ordered by account, then currency.
	Payable(ctx context.Context, after Account, afterCurrency Currency, at time.Time, limit int) ([]Balance, error)
}

// EventRepository takes the events of a unit.
type EventRepository interface {
	// Add writes events in their order. ErrInvalid when Validate fails.
	Add(ctx context.Context, events ...Event) error
	// Scan returns at most limit events with an id greater than after, by
	// ascending id, those of the own unit too. Units that run at once commit in
	// another order than that of ids: package affiliate/events has a way to read
	// on that misses none.
	Scan(ctx context.Context, after int64, limit int) ([]Event, error)
}

// IdempotencyRepository keeps idempotency keys.
type IdempotencyRepository interface {
	// Reserve keeps k and returns it with true, unless a key of the same
	// principal and name that expires after now is there: then it returns that
	// one with false. ErrInvalid "too_many" on the field "key" when the principal
	// has most others that have not expired.
	Reserve(ctx context.Context, k IdempotencyKey, now time.Time, most int) (IdempotencyKey, bool, error)
	// Complete replaces the kept key of the same principal, name and token;
	// ErrNotFound when there is none.
	Complete(ctx context.Context, k IdempotencyKey) error
	// Remove takes out the key of that principal, name and token, unless it has
	// an answer; no change when there is none.
	Remove(ctx context.Context, principal, key, token string) error
	// Expire takes out at most limit keys that expired at or before now and
	// returns how many.
	Expire(ctx context.Context, now time.Time, limit int) (int, error)
}
