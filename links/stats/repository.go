package stats

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the repositories of statistics, and those of the core, within one unit
// of work. What all repositories share stands in package affiliate.
type Tx interface {
	affiliate.Tx
	Stats() Repository
	StatsConfigs() ConfigRepository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// Filter chooses roll-ups. Of each list one of the ids must match; nil does not
// filter, empty matches nothing.
type Filter struct {
	AdvertiserIDs []int64
	OfferIDs      []int64
	UserIDs       []int64
	LinkIDs       []int64
	AdIDs         []int64
	TagIDs        []int64 // of creators who have one of these user tags
	Sources       []affiliate.TrafficSource
	UserQuery     string    // the id, or a part of the username, of the creator
	From          time.Time // day of the advertisers, inclusive; zero: no bound
	Until         time.Time // day of the advertisers, exclusive; zero: no bound
}

// Dimensions are what rows are told apart by; a set.
type Dimensions uint16

// The dimensions.
const (
	ByDay Dimensions = 1 << iota
	ByAdvertiser
	ByOffer
	ByUser
	ByLink
	ByAd
	BySource
	// ByTag makes a row for each tag of Filter.TagIDs, or for each there is. A
	// creator with two tags counts in both rows.
	ByTag
	// ByCurrency keeps the money of advertisers with different currencies apart.
	ByCurrency
)

// LevelOf returns the level whose rows answer a question.
func LevelOf(f Filter, by Dimensions) Level {
	switch {
	case by&ByAd != 0 || f.AdIDs != nil:
		return AdLevel
	case by&ByLink != 0 || f.LinkIDs != nil:
		return LinkLevel
	case by&(ByUser|ByTag) != 0 || f.UserIDs != nil || f.TagIDs != nil || f.UserQuery != "":
		return CreatorLevel
	case by&ByOffer != 0 || f.OfferIDs != nil:
		return CampaignLevel
	}
	return AdvertiserLevel
}

// Row is the sum of all roll-ups that share what rows are told apart by. The
// rest of the key is zero.
type Row struct {
	Key
	TagID    int64              // ByTag
	Currency affiliate.Currency // ByCurrency
	Figures
	// SourceClicks are the clicks by their source.
	SourceClicks [affiliate.TrafficSources]int64
}

// Visit is a reader at a campaign on one day.
type Visit struct {
	AdvertiserID int64
	OfferID      int64
	Day          time.Time
	Reader       Reader
}

// Repository keeps the roll-ups: one for each Key.
type Repository interface {
	// Add adds each change to the roll-ups of its levels, in the order of their
	// keys; changes of one key add up. A sum beyond 64 bits is ErrInvalid with
	// the code "overflow".
	Add(ctx context.Context, changes ...Change) error
	// Sum returns the rows that the filter leaves, ordered by day, advertiser,
	// offer, user, link, ad, source, tag and currency.
	Sum(ctx context.Context, f Filter, by Dimensions) ([]Row, error)
	// Page returns one page of the rows of Sum in the order of the columns, ties
	// in the order of Sum; p.Sort is ignored. ErrInvalid with the field "sort_by"
	// when a column is unknown; SortColumns lists them.
	Page(ctx context.Context, f Filter, by Dimensions, order []affiliate.Sort, p affiliate.PageRequest) (affiliate.Page[Row], error)
	// Distinct returns how many rows of Sum have a valid click.
	Distinct(ctx context.Context, f Filter, by Dimensions) (int64, error)
	// Scan returns at most limit roll-ups behind a key, in the order of Compare.
	Scan(ctx context.Context, after Key, limit int) ([]Rollup, error)
	// Meet notes readers and returns those whose campaign, day and reader were
	// not noted before, ordered by campaign, day and reader; of two alike in one
	// call the first. Two units that meet the same reader go one after the other.
	Meet(ctx context.Context, visits ...Visit) ([]Visit, error)
	// Forget takes out the readers of the days before.
	Forget(ctx context.Context, before time.Time) error
}

// ConfigRepository keeps configurations. An advertiser has at most one default
// (field "default"). advertiser_id refers to an advertiser.
type ConfigRepository interface {
	Add(ctx context.Context, c Config) (Config, error)
	Get(ctx context.Context, id int64) (Config, error)
	Update(ctx context.Context, c Config) error
	// Delete is ErrNotFound when there is none.
	Delete(ctx context.Context, id int64) error
	// ByAdvertiser returns the configurations of an advertiser by ascending id.
	ByAdvertiser(ctx context.Context, advertiserID int64) ([]Config, error)
}
