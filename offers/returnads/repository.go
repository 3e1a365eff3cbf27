package returnads

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Tx gives the repository of return ads beside those of offers, within one unit
// of work. What all repositories share stands in package affiliate.
type Tx interface {
	offers.Tx
	ReturnAds() Repository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// Filter chooses return ads. Sort columns: name, created_at, starts_at,
// ends_at, current_views, current_clicks, click_through_rate.
type Filter struct {
	Query              string // id, or part of the name
	AdvertiserGroupIDs []int64
	AdvertiserIDs      []int64
	CreatedBy          int64 // by this user
	// Statuses: in one of these at At; nil does not filter, empty matches nothing.
	Statuses []offers.Status
	At       time.Time
	// OrID: this one as well, whatever the other fields ask.
	OrID int64
	// ShownAt: shown at this advertiser, which is in the categories.
	ShownAt           int64
	ShownAtCategories []int64
}

// Repository keeps return ads and how often they were shown and followed.
type Repository interface {
	Add(ctx context.Context, a Ad) (Ad, error)
	Get(ctx context.Context, id int64) (Ad, error)
	Update(ctx context.Context, a Ad) error
	List(ctx context.Context, f Filter, p affiliate.PageRequest) (affiliate.Page[Ad], error)
	// Counts returns the counts of the ads; zero ones may be left out.
	Counts(ctx context.Context, ids []int64) (map[int64]Counts, error)
	// Count adds to the counts of an ad and returns them as they are then;
	// ErrNotFound when there is none. Two units that count one ad go one after
	// the other.
	Count(ctx context.Context, id int64, add Counts) (Counts, error)
}
