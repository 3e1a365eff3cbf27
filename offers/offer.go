package offers

import (
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Type says how creators come to take part in an offer.
type Type string

// The types of offers.
const (
	Standard    Type = "standard"     // every targeted creator takes part, silently
	UserApply   Type = "user_apply"   // a creator applies, the advertiser decides
	StoreAccept Type = "store_accept" // the advertiser invites, a creator joins
)

func (t Type) valid() bool { return t == Standard || t == UserApply || t == StoreAccept }

// Costs are the rates of one traffic source, and the part of a click's or an
// order's price that is the creator's: cpc × user_revenue. An absent
// UserRevenue falls through like every rate, in the end to 1.
type Costs struct {
	affiliate.Costs
	UserRevenue affiliate.Optional[affiliate.Rate]
}

// MaxAmount bounds budgets and payments: 10¹⁵ minor units.
const MaxAmount = 1_000_000_000_000_000

// MaxTodo bounds the tasks of an offer.
const MaxTodo = 100

// Offer is a campaign of an advertiser: whom it is for, what it pays, and how
// much of that there is. What it is at an instant (running, used up, over) is
// not kept but computed: see Offer.Status.
type Offer struct {
	ID           int64
	AdvertiserID int64
	// Currency is the advertiser's when the offer was made; all amounts are
	// minor units of it. An offer in another currency than its advertiser has
	// now serves no clicks.
	Currency          affiliate.Currency
	Type              Type
	Name              string // for the advertiser; 1..255 characters
	Title             string // for creators; at most 255 characters
	Text              string // for creators; at most 20,000 characters
	Token             string // 16 characters of a to z and 0 to 9; unique
	ImageKey          string // in the Blobs; empty: none; at most 255 characters
	HasProductSeeding bool   // the advertiser sends its product to participants
	HasOneTimePayment bool
	OneTimePayment    int64 // earned once, on done, when HasOneTimePayment; minor units, 0..MaxAmount
	// BudgetLimit is how much the offer may cost the advertiser, MaxClicks how
	// many clicks it pays. With PerUserLimit both hold for each creator instead
	// of over all.
	BudgetLimit    affiliate.Optional[int64] // minor units, 0..MaxAmount
	MaxClicks      affiliate.Optional[int64] // 0..MaxAmount
	PerUserLimit   bool
	SharedBudgetID int64 // 0: none
	// StoreGroupID is an advertiser group: the offer is only for creators whose
	// client is in it, whatever the targets are. 0: for those of all.
	StoreGroupID int64
	ValidFrom    time.Time // zero: since ever
	ValidUntil   time.Time // exclusive; zero: for ever
	// UntilDay: ValidUntil was given as a date without a time. The offer is
	// valid through that day, ValidUntil is the start of the next one (UTC).
	UntilDay          bool
	Todo              []string // keys of what participants are to do, each 1..255 characters, each once
	ShowForAdvertiser bool
	Visibility        Visibility
	Unlisted          bool   // not in the lists that creators see; it serves clicks all the same
	InfluencerText    string // what participants are told; at most 255 characters
	Priority          int64  // the highest serves first; see Before
	Costs             []Costs
	CreatedBy         affiliate.Actor
	CreatedAt         time.Time
	UpdatedAt         time.Time
	PausedAt          time.Time // zero: not paused
	DeletedAt         time.Time // zero: not deleted
}

// Visibility is whether creators are shown the offer, over what its advertiser
// says of itself.
type Visibility uint8

// The visibilities, with the numbers that the wire shows.
const (
	AsAdvertiser  Visibility = 0 // as the advertiser is
	AlwaysHidden  Visibility = 1
	AlwaysVisible Visibility = 2
)

// Validate checks what every backend refuses.
func (o Offer) Validate() error {
	var v affiliate.Validation
	v.Check(o.Type.valid(), "type", "unknown_type", "must be standard, user_apply or store_accept")
	v.Check(o.Currency.Valid(), "currency", "unknown_currency", "must be an ISO 4217 code")
	v.Text("name", o.Name, 1, 255)
	v.Text("campaign_title", o.Title, 0, 255)
	v.Text("campaign_text", o.Text, 0, 20_000)
	v.Text("influencer_text", o.InfluencerText, 0, 255)
	v.Check(o.Visibility <= AlwaysVisible, "store_visibility", "unknown_visibility", "must be 0, 1 or 2")
	v.Check(validToken(o.Token), "token", "invalid_token", "must be 16 characters of a to z and 0 to 9")
	v.Text("image_key", o.ImageKey, 0, 255)
	v.Check(validAmount(o.OneTimePayment), "one_time_payment", "out_of_range", amountBounds)
	v.Check(!o.BudgetLimit.Set || validAmount(o.BudgetLimit.Value), "budget_limit", "out_of_range", amountBounds)
	v.Check(o.ValidFrom.IsZero() || o.ValidUntil.IsZero() || o.ValidUntil.After(o.ValidFrom) || !o.UntilDay && o.ValidUntil.Equal(o.ValidFrom), "valid_until", "before_valid_from", "must not be before valid_from")
	v.Check(!o.UntilDay || !o.ValidUntil.IsZero(), "valid_until", "required", "is required when it is the end of a day")
	v.Check(!o.MaxClicks.Set || validAmount(o.MaxClicks.Value), "max_clicks", "out_of_range", amountBounds)
	v.Check(len(o.Todo) <= MaxTodo, "todo", "too_many", "must be at most 100 items")
	seen := make(map[string]bool, len(o.Todo))
	for i, key := range o.Todo {
		at := "todo." + strconv.Itoa(i)
		v.Text(at, key, 1, 255)
		v.Check(!seen[key], at, "duplicate", "must appear once")
		seen[key] = true
	}
	v.Text("created_by", o.CreatedBy.Name, 0, 255)
	v.Merge("traffic_sources_costs", validateCosts(o.Costs))
	return v.Err("offer")
}

const amountBounds = "must be between 0 and 1000000000000000"

func validAmount(n int64) bool { return n >= 0 && n <= MaxAmount }

// validateCosts checks costs as affiliate.ValidateCosts does.
func validateCosts(costs []Costs) error {
	plain := make([]affiliate.Costs, len(costs))
	for i, c := range costs {
		plain[i] = c.Costs
	}
	return affiliate.ValidateCosts(plain)
}

func costsOf(costs []Costs, source affiliate.TrafficSource) Costs {
	for _, c := range costs {
		if c.Source == source {
			return c
		}
	}
	return Costs{Costs: affiliate.Costs{Source: source}}
}

// Before reports whether o serves a click before the other one: by the higher
// priority, then by the newer ValidFrom, then by the higher id.
func (o Offer) Before(other Offer) bool {
	return rank{o.Priority, o.ValidFrom, o.ID}.before(rank{other.Priority, other.ValidFrom, other.ID})
}

func (c *Conditions) rank() rank { return rank{c.Priority, c.ValidFrom, c.OfferID} }

// rank is by what offers are ordered.
type rank struct {
	priority  int64
	validFrom time.Time
	id        int64
}

func (r rank) before(other rank) bool {
	if r.priority != other.priority {
		return r.priority > other.priority
	}
	if !r.validFrom.Equal(other.validFrom) {
		return r.validFrom.After(other.validFrom)
	}
	return r.id > other.id
}

// tokenLength is how many characters a token has.
const tokenLength = 16

func validToken(s string) bool {
	if len(s) != tokenLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
