package offers

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// Tx gives the repositories of offers, of statistics and of the core, within
// one unit of work. What all repositories share stands in package affiliate.
type Tx interface {
	stats.Tx
	Offers() OfferRepository
	Targets() TargetRepository
	Participants() ParticipantRepository
	Usage() UsageRepository
	SharedBudgets() SharedBudgetRepository
	Comments() CommentRepository
	Activities() ActivityRepository
	Images() ImageRepository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// OfferFilter chooses offers. Sort columns: name, campaign_title, store_id,
// type, currency, token, created_at, valid_from, valid_until, priority,
// ends_soon, active_first.
//
// ends_soon is by valid_until, those without one last; active_first has those
// that are active at At before all others.
type OfferFilter struct {
	Query         string // id, or part of the name or title
	AdvertiserIDs []int64
	GroupIDs      []int64 // of one of these store groups, or whose advertiser is in one
	// ShownAdvertisers: listed, and whose advertiser is active and not hidden
	// (the offer's Visibility goes before), and not one of the
	// ExcludedAdvertisers: what a creator is shown.
	ShownAdvertisers    bool
	ExcludedAdvertisers []int64
	CreatedBy           int64 // made by this user
	Type                Type
	ShowForAdvertiser   affiliate.Optional[bool]
	SharedBudgetID      int64
	// Targets: with one of these, and of no store group or of one that is among
	// them as a TargetGroup; nil does not filter, empty matches nothing.
	Targets []Target
	IDs     []int64
	// Statuses: in one of these at At; nil does not filter, empty matches nothing.
	Statuses []Status
	At       time.Time // for Statuses and active_first
	// OrID: this one as well, whatever the other fields ask.
	OrID int64
}

// OfferRepository keeps offers. Token is unique. An offer stays its
// advertiser's: an Update to another is ErrInvalid with the field "store_id"
// and the code "immutable".
type OfferRepository interface {
	Add(ctx context.Context, o Offer) (Offer, error)
	Get(ctx context.Context, id int64) (Offer, error)
	GetMany(ctx context.Context, ids []int64) ([]Offer, error)
	// ByToken is ErrNotFound when no offer has the token.
	ByToken(ctx context.Context, token string) (Offer, error)
	Update(ctx context.Context, o Offer) error
	List(ctx context.Context, f OfferFilter, p affiliate.PageRequest) (affiliate.Page[Offer], error)
	// Lock is GetMany that also locks the offers until the unit ends, for a change
	// of what their clicks are decided by: it waits for the units that read them
	// by Serving and may still keep clicks, and later ones wait for this unit and
	// see what it did. Refused with ErrReadOnly in a Read.
	Lock(ctx context.Context, ids []int64) ([]Offer, error)
	// Share is GetMany after which the offers stay as they are until the unit
	// ends (see Lock), for orders that they decide; any number of units may hold
	// one so at a time. Refused with ErrReadOnly in a Read.
	Share(ctx context.Context, ids []int64) ([]Offer, error)
	// Ranked returns the offers of the advertiser that are not deleted, ordered
	// by descending priority, then by descending token: at most limit of those
	// with a priority of at most the given one.
	Ranked(ctx context.Context, advertiserID, priority int64, limit int) ([]Offer, error)
}

// Lookup asks for the offers of an advertiser that are for a creator.
type Lookup struct {
	AdvertiserID int64
	UserID       int64
	Targets      []Target // that name the creator
}

// TargetRepository keeps whom offers are for.
type TargetRepository interface {
	// Set replaces the targets of an offer: ErrInvalid with the field
	// "offer_id" when there is no such offer. Of equal ones the first counts.
	Set(ctx context.Context, offerID int64, targets []Target) error
	// Get returns the targets of an offer by kind, then by value.
	Get(ctx context.Context, offerID int64) ([]Target, error)
	// GetMany is Get for many offers at once; those without targets are left out.
	GetMany(ctx context.Context, offerIDs []int64) (map[int64][]Target, error)
	// Serving returns for each lookup the offers of that advertiser that have one
	// of its targets, are neither deleted nor paused, and are within their time
	// at some instant from the first until the last, both inclusive: by
	// ascending id, targeted, with the creator's part and the amount of the
	// shared budget, and without any counts. The cost grows with the offers that
	// have the targets, not with all. But in a Read, the offers then stay as they
	// are until the unit ends (see OfferRepository.Lock); any number of units may
	// hold one so at a time.
	Serving(ctx context.Context, from, until time.Time, lookups []Lookup) ([][]Candidate, error)
}

// ParticipantFilter chooses participants. Sort columns: user_id, status,
// created_at, updated_at.
type ParticipantFilter struct {
	OfferID  int64
	UserID   int64
	Statuses []ParticipantStatus // one of these; nil does not filter, empty matches nothing
	Query    string              // id of the user, or part of its username, display name or e-mail, or of the pre-registration
	IDs      []int64
	// Active: with a paid click from From until Until (dates, Until exclusive,
	// zero: no bound), or without one.
	Active affiliate.Optional[bool]
	From   time.Time
	Until  time.Time
}

// Part names a creator's part in an offer.
type Part struct{ OfferID, UserID int64 }

// ParticipantRepository keeps participants: one per offer and user, per offer
// and e-mail, and per offer and identifier.
type ParticipantRepository interface {
	// AddMissing adds those whose user, e-mail or identifier has no part in the
	// offer yet, in order, and returns those; of two alike in one call the first.
	AddMissing(ctx context.Context, participants ...Participant) ([]Participant, error)
	Get(ctx context.Context, id int64) (Participant, error)
	GetMany(ctx context.Context, ids []int64) ([]Participant, error)
	// ByParts returns the participants of the parts by ascending id.
	ByParts(ctx context.Context, parts []Part) ([]Participant, error)
	// ByUser returns all participants of the user by ascending id.
	ByUser(ctx context.Context, userID int64) ([]Participant, error)
	// PreRegistered returns, by ascending id, the pre-registrations with one of
	// the e-mails or one of the identifiers.
	PreRegistered(ctx context.Context, emails, identifiers []string) ([]Participant, error)
	// Update is ErrConflict with the field "user_id", "email" or "identifier"
	// when another one of the offer has it.
	Update(ctx context.Context, p Participant) error
	// Delete takes the participant out, and its comments and activities with
	// it; ErrNotFound when there is none.
	Delete(ctx context.Context, id int64) error
	List(ctx context.Context, f ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[Participant], error)
}

// UsageRepository keeps what was used of budgets. A counter that nothing was
// ever added to is zero.
type UsageRepository interface {
	// Get returns the counters of the keys; zero ones may be left out.
	Get(ctx context.Context, keys []UsageKey) (map[UsageKey]Counts, error)
	// Lock is Get that also locks the counters until the unit ends, in the
	// order of UsageKey.Compare: of two units that lock one counter, the later
	// one goes on when the first has ended, and sees what it did. Refused with
	// ErrReadOnly in a Read.
	Lock(ctx context.Context, keys []UsageKey) (map[UsageKey]Counts, error)
	// Add adds to the counters; those of the same key in one call add up.
	// ErrInvalid "overflow" when a counter would leave 64 bits.
	Add(ctx context.Context, usages ...Usage) error
	// Scan returns at most limit counters after the key, in order of key.
	Scan(ctx context.Context, after UsageKey, limit int) ([]Usage, error)
}

// SharedBudgetFilter chooses shared budgets. Sort columns: title, amount.
type SharedBudgetFilter struct {
	AdvertiserID int64
	IDs          []int64
}

// SharedBudgetRepository keeps shared budgets.
type SharedBudgetRepository interface {
	Add(ctx context.Context, b SharedBudget) (SharedBudget, error)
	Get(ctx context.Context, id int64) (SharedBudget, error)
	GetMany(ctx context.Context, ids []int64) ([]SharedBudget, error)
	Update(ctx context.Context, b SharedBudget) error
	// Delete is ErrNotFound when there is none, and ErrConflict "in_use" while
	// an offer has it that is not deleted. Deleted offers lose it; its counter
	// stays.
	Delete(ctx context.Context, id int64) error
	List(ctx context.Context, f SharedBudgetFilter, p affiliate.PageRequest) (affiliate.Page[SharedBudget], error)
}

// CommentRepository keeps comments.
type CommentRepository interface {
	Add(ctx context.Context, c Comment) (Comment, error)
	Get(ctx context.Context, id int64) (Comment, error)
	Update(ctx context.Context, c Comment) error
	// Delete is ErrNotFound when there is none.
	Delete(ctx context.Context, id int64) error
	// ByParticipant returns the comments on a participant by ascending id.
	ByParticipant(ctx context.Context, participantID int64) ([]Comment, error)
}

// ActivityFilter chooses activities. Sort columns: created_at.
type ActivityFilter struct {
	ParticipantID int64
	Unread        affiliate.Optional[bool]
}

// ActivityRepository keeps activities.
type ActivityRepository interface {
	Add(ctx context.Context, activities ...Activity) error
	List(ctx context.Context, f ActivityFilter, p affiliate.PageRequest) (affiliate.Page[Activity], error)
	// Unread returns how many unread activities each of the participants has;
	// those without are left out.
	Unread(ctx context.Context, participantIDs []int64) (map[int64]int, error)
	// MarkRead sets the time on the unread activities of the participant.
	MarkRead(ctx context.Context, participantID int64, at time.Time) error
}
