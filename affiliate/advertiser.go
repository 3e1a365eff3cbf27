package affiliate

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// TrafficSource is where a click comes from.
type TrafficSource uint8

// The traffic sources, with the numbers that the wire shows.
const (
	SourceGeneral   TrafficSource = 0 // a blog, a newsletter, anything else
	SourceInstagram TrafficSource = 1
	SourceTikTok    TrafficSource = 2
	SourceYouTube   TrafficSource = 3
	SourceFacebook  TrafficSource = 4
)

// TrafficSources is how many sources there are: they are 0..TrafficSources-1.
const TrafficSources = 5

var sourceNames = [TrafficSources]string{"general", "instagram", "tiktok", "youtube", "facebook"}

// String is the source's name: "instagram".
func (s TrafficSource) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return "source(" + strconv.Itoa(int(s)) + ")"
}

// ParseTrafficSource finds a source by its name, in any case. "blog" is general.
func ParseTrafficSource(name string) (TrafficSource, bool) {
	for i, n := range sourceNames {
		if strings.EqualFold(n, name) {
			return TrafficSource(i), true
		}
	}
	return SourceGeneral, strings.EqualFold(name, "blog")
}

// Costs are the rates of one traffic source. An absent rate falls through to
// the next place that may set it; an absent invoice rate is the creator's rate.
type Costs struct {
	Source     TrafficSource
	CPC        Optional[int64] // what a click earns, in minor units of the advertiser's currency
	CPA        Optional[Rate]  // what an order earns, as a fraction of its value
	InvoiceCPC Optional[int64] // what a click costs the advertiser, in minor units
	InvoiceCPA Optional[Rate]  // what an order costs the advertiser, as a fraction of its value
}

// MaxCPC bounds a price per click: a billion minor units.
const MaxCPC = 1_000_000_000

// ValidateCosts checks a list of costs: each source known and at most once,
// 0 ≤ cpc ≤ MaxCPC. Fields are named "0.cpc" by position.
func ValidateCosts(costs []Costs) error {
	var v Validation
	var seen [TrafficSources]bool
	for i, c := range costs {
		at := strconv.Itoa(i) + "."
		switch {
		case c.Source >= TrafficSources:
			v.Add(at+"source", "unknown_source", "must be between 0 and 4")
		case seen[c.Source]:
			v.Add(at+"source", "duplicate", "must appear once")
		default:
			seen[c.Source] = true
		}
		inRange := func(o Optional[int64]) bool { return !o.Set || o.Value >= 0 && o.Value <= MaxCPC }
		v.Check(inRange(c.CPC), at+"cpc", "out_of_range", "must be between 0 and 1000000000 minor units")
		v.Check(inRange(c.InvoiceCPC), at+"invoice_cpc", "out_of_range", "must be between 0 and 1000000000 minor units")
	}
	return v.Err("costs")
}

// AdvertiserStatus is whether an advertiser takes part.
type AdvertiserStatus string

// The states of an advertiser.
const (
	AdvertiserActive      AdvertiserStatus = "active"
	AdvertiserDeactivated AdvertiserStatus = "deactivated"
)

// ProviderDirect is the provider of an advertiser that no network stands
// before: its clicks carry our click id.
const ProviderDirect = "direct"

// DefaultTrackingTemplate leaves the shop's URL as it is.
const DefaultTrackingTemplate = ":TARGET_URL"

// Billing is whom the advertiser's invoices go to. Each field is at most 255 characters.
type Billing struct {
	CompanyName, Street, PostalCode, City, VATNumber string
}

// Advertiser is a shop that pays for clicks and orders; the documents also
// call it a store. Which URLs are its own is said by its URL matching rules,
// in package links.
type Advertiser struct {
	ID          int64
	GroupID     int64   // 0: in no group
	CategoryIDs []int64 // ascending, each once
	Name        string  // 1..255 characters
	LogoURL     string  // at most 2048 characters; may be empty
	Country     string  // ISO 3166-1 alpha-2, upper case
	Currency    Currency
	Language    string // BCP 47, at most 35 characters
	// TimeZone is where the advertiser's days begin and end: what is counted by the
	// day is counted by the date there. It is fixed once anything is counted.
	TimeZone         TimeZone
	Status           AdvertiserStatus
	Hidden           bool   // not visible to creators
	Provider         string // ProviderDirect, or the network's name; 1..64 characters
	TrackingTemplate string // at most 2048 characters; see package links
	DefaultCosts     []Costs
	Billing          Billing
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Validate checks what every backend refuses.
func (a Advertiser) Validate() error {
	var v Validation
	v.Text("name", a.Name, 1, 255)
	v.Text("logo_url", a.LogoURL, 0, 2048)
	v.Check(validCountry(a.Country), "country", "invalid_country", "must be two letters, A to Z")
	v.Check(a.Currency.Valid(), "currency", "unknown_currency", "must be an ISO 4217 code")
	v.Text("language", a.Language, 0, 35)
	v.Check(a.TimeZone.Valid(), "time_zone", "unknown_time_zone", "must be the IANA name of a time zone, such as Europe/Stockholm; empty: UTC")
	v.Check(a.Status == AdvertiserActive || a.Status == AdvertiserDeactivated, "status", "unknown_status", "must be active or deactivated")
	v.Text("provider", a.Provider, 1, 64)
	v.Text("tracking_template", a.TrackingTemplate, 1, 2048)
	v.Check(strings.Contains(a.TrackingTemplate, ":TARGET_URL"), "tracking_template", "no_target", "must contain :TARGET_URL or :TARGET_URL_ENCODED")
	v.Check(ascending(a.CategoryIDs), "categories", "not_ascending", "must be ascending, each once")
	v.Merge("default_costs", ValidateCosts(a.DefaultCosts))
	v.Text("billing.company_name", a.Billing.CompanyName, 0, 255)
	v.Text("billing.street", a.Billing.Street, 0, 255)
	v.Text("billing.postal_code", a.Billing.PostalCode, 0, 255)
	v.Text("billing.city", a.Billing.City, 0, 255)
	v.Text("billing.vat_number", a.Billing.VATNumber, 0, 255)
	return v.Err("advertiser")
}

// Listed reports whether creators see the advertiser, unless it keeps them away.
func (a Advertiser) Listed() bool { return a.Status == AdvertiserActive && !a.Hidden }

// CostsOf are the advertiser's own rates for a source; all absent when it has none.
func (a Advertiser) CostsOf(source TrafficSource) Costs {
	for _, c := range a.DefaultCosts {
		if c.Source == source {
			return c
		}
	}
	return Costs{Source: source}
}

// AdvertiserGroup is a market of advertisers that share a currency; the
// documents also call it a store group.
type AdvertiserGroup struct {
	ID              int64
	Name            string // 1..255 characters
	Key             string // 1..64 characters, unique, for example "sv_SE"
	Currency        Currency
	ReturnAdEnabled bool
	PaymentLimit    int64 // minor units of Currency a creator must reach to be paid
	CreatedAt       time.Time
}

// Validate checks what every backend refuses.
func (g AdvertiserGroup) Validate() error {
	var v Validation
	v.Text("name", g.Name, 1, 255)
	v.Text("key", g.Key, 1, 64)
	v.Check(g.Currency.Valid(), "currency", "unknown_currency", "must be an ISO 4217 code")
	v.Check(g.PaymentLimit >= 0, "payment_limit", "negative", "must be at least 0 minor units")
	return v.Err("advertiser_group")
}

// Category is what an advertiser sells: "Food".
type Category struct {
	ID   int64
	Name string // 1..255 characters, unique
}

// Validate checks what every backend refuses.
func (c Category) Validate() error {
	var v Validation
	v.Text("name", c.Name, 1, 255)
	return v.Err("category")
}

func validCountry(c string) bool {
	return len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z'
}

// ascending reports whether ids are positive, ascending and each once.
func ascending(ids []int64) bool {
	for i, id := range ids {
		if id <= 0 || i > 0 && ids[i-1] >= id {
			return false
		}
	}
	return true
}

// WithDefaults fills in what a new advertiser may leave empty: status, provider
// and tracking template.
func (a Advertiser) WithDefaults() Advertiser {
	if a.Status == "" {
		a.Status = AdvertiserActive
	}
	if a.Provider == "" {
		a.Provider = ProviderDirect
	}
	if a.TrackingTemplate == "" {
		a.TrackingTemplate = DefaultTrackingTemplate
	}
	a.CategoryIDs = idset.Sorted(a.CategoryIDs)
	return a
}

// AddAdvertiser is the action behind CreateAdvertiser, for any unit of work.
func AddAdvertiser(ctx context.Context, tx Tx, now time.Time, a Advertiser) (Advertiser, error) {
	a = a.WithDefaults()
	a.CreatedAt, a.UpdatedAt = now, now
	a, err := tx.Advertisers().Add(ctx, a)
	if err != nil {
		return a, err
	}
	return a, tx.Events().Add(ctx, EventAdvertiserCreated.On(a.ID, now).Of(a.ID, 0))
}

// CreateAdvertiser adds an advertiser.
func (s *Service) CreateAdvertiser(ctx context.Context, a Advertiser) (Advertiser, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (Advertiser, error) {
		return AddAdvertiser(ctx, tx, s.clock.Now(), a)
	})
}

// UpdateAdvertiser applies change to the advertiser as it is now. change may
// run again; the id and the time of creation are not its to change. Another
// currency is ErrConflict "currency_in_use" while default costs, campaigns,
// shared budgets or ledger entries have amounts in the old one. Another time zone
// is ErrConflict "time_zone_in_use" once statistics or the ledger have anything of
// the advertiser; set it before its first links are shown.
func (s *Service) UpdateAdvertiser(ctx context.Context, id int64, change func(*Advertiser)) (Advertiser, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (Advertiser, error) {
		a, err := tx.Advertisers().Get(ctx, id)
		if err != nil {
			return a, err
		}
		before := a
		before.DefaultCosts = slices.Clone(a.DefaultCosts)
		change(&a)
		a.ID, a.CreatedAt, a.UpdatedAt = id, before.CreatedAt, s.clock.Now()
		a.CategoryIDs = idset.Sorted(a.CategoryIDs)
		if err := s.checkCurrency(ctx, tx, before, a); err != nil {
			return Advertiser{}, err
		}
		if err := s.checkTimeZone(ctx, tx, before, a); err != nil {
			return Advertiser{}, err
		}
		return a, SaveAdvertiser(ctx, tx, a)
	})
}

// SaveAdvertiser keeps a changed advertiser with its event, in any unit of work.
func SaveAdvertiser(ctx context.Context, tx Tx, a Advertiser) error {
	if err := tx.Advertisers().Update(ctx, a); err != nil {
		return err
	}
	return tx.Events().Add(ctx, EventAdvertiserUpdated.On(a.ID, a.UpdatedAt).Of(a.ID, 0))
}

// DeactivateAdvertiser ends an advertiser's part: its links still redirect,
// nothing is earned. Doing it again changes nothing (advertiser-deactivate).
func (s *Service) DeactivateAdvertiser(ctx context.Context, id int64) (Advertiser, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (Advertiser, error) {
		a, err := tx.Advertisers().Get(ctx, id)
		if err != nil || a.Status == AdvertiserDeactivated {
			return a, err
		}
		a.Status, a.UpdatedAt = AdvertiserDeactivated, s.clock.Now()
		if err := tx.Advertisers().Update(ctx, a); err != nil {
			return a, err
		}
		return a, tx.Events().Add(ctx, EventAdvertiserDeactivated.On(id, a.UpdatedAt).Of(id, 0))
	})
}

// Advertiser returns one advertiser.
func (s *Service) Advertiser(ctx context.Context, id int64) (Advertiser, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Advertiser, error) {
		return tx.Advertisers().Get(ctx, id)
	})
}

// AdvertisersByID returns the advertisers with the ids, by ascending id;
// missing ones are left out.
func (s *Service) AdvertisersByID(ctx context.Context, ids []int64) ([]Advertiser, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Advertiser, error) {
		return tx.Advertisers().GetMany(ctx, idset.Sorted(ids))
	})
}

// Advertisers lists the advertisers that the viewer sees: the operator all, who
// acts for advertisers theirs, a client those that take part and are not
// hidden, and a creator those of them that do not keep it away (stores-list).
func (s *Service) Advertisers(ctx context.Context, f AdvertiserFilter, p PageRequest) (Page[Advertiser], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[Advertiser], error) {
		f, by := f, s.viewer.Principal()
		switch by.Role {
		case RoleAdmin:
		case RoleRepresentative, RoleAgency:
			f.IDs = both(f.IDs, by.AdvertiserIDs)
		case RoleCreator:
			var err error
			if f, err = visibleTo(ctx, tx, by.UserID, f); err != nil {
				return Page[Advertiser]{}, err
			}
		case RoleClient:
			f.Status, f.Hidden = AdvertiserActive, Some(false)
		default:
			f.IDs = []int64{}
		}
		return tx.Advertisers().List(ctx, f, p)
	})
}

// CreateAdvertiserGroup adds a group.
func (s *Service) CreateAdvertiserGroup(ctx context.Context, g AdvertiserGroup) (AdvertiserGroup, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (AdvertiserGroup, error) {
		g.CreatedAt = s.clock.Now()
		g, err := tx.AdvertiserGroups().Add(ctx, g)
		if err != nil {
			return g, err
		}
		return g, tx.Events().Add(ctx, EventGroupCreated.On(g.ID, g.CreatedAt))
	})
}

// AdvertiserGroups lists the groups that the viewer sees: the operator all, who
// acts for advertisers those of them, a client its own, and a creator its
// client's (advertiser-groups-list).
func (s *Service) AdvertiserGroups(ctx context.Context, f AdvertiserGroupFilter, p PageRequest) (Page[AdvertiserGroup], error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[AdvertiserGroup], error) {
		f := f
		groups, err := groupsOf(ctx, tx, s.viewer)
		if err != nil {
			return Page[AdvertiserGroup]{}, err
		}
		if groups != nil {
			f.IDs = both(f.IDs, groups)
		}
		return tx.AdvertiserGroups().List(ctx, f, p)
	})
}

// VisibleGroups returns those of the advertiser groups that are there and that the
// viewer sees, ascending. An action for any unit of work.
func VisibleGroups(ctx context.Context, tx Tx, v Viewer, ids []int64) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	seen, err := groupsOf(ctx, tx, v)
	if err != nil {
		return nil, err
	}
	if ids = idset.Sorted(ids); seen != nil {
		ids = both(ids, seen)
	}
	groups, err := tx.AdvertiserGroups().GetMany(ctx, ids)
	out := make([]int64, len(groups))
	for i, g := range groups {
		out[i] = g.ID
	}
	return out, err
}

// groupsOf returns the groups that the viewer sees; nil: all.
func groupsOf(ctx context.Context, tx Tx, v Viewer) ([]int64, error) {
	by, ids := v.Principal(), []int64{}
	client := by.ClientID
	switch by.Role {
	case RoleAdmin:
		return nil, nil
	case RoleRepresentative, RoleAgency:
		advertisers, err := tx.Advertisers().GetMany(ctx, by.AdvertiserIDs)
		for _, a := range advertisers {
			ids = append(ids, a.GroupID)
		}
		return ids, err
	case RoleCreator:
		u, err := tx.Users().Get(ctx, by.UserID)
		if err != nil || u.ClientID == 0 {
			return ids, err
		}
		client = u.ClientID
	case RoleClient:
	default:
		return ids, nil
	}
	c, err := tx.Clients().Get(ctx, client)
	return append(ids, c.GroupID), err
}

// CreateCategory adds a category.
func (s *Service) CreateCategory(ctx context.Context, c Category) (Category, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (Category, error) {
		c, err := tx.Categories().Add(ctx, c)
		if err != nil {
			return c, err
		}
		return c, tx.Events().Add(ctx, EventCategoryCreated.On(c.ID, s.clock.Now()))
	})
}

// Categories returns every category (store-categories-list).
func (s *Service) Categories(ctx context.Context) ([]Category, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Category, error) {
		return tx.Categories().All(ctx)
	})
}
