package returnads

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Ad is an advertisement shown after a purchase at other advertisers
// that leads back to its own.
type Ad struct {
	ID                   int64
	Name                 string // 1..255 characters
	AdvertiserGroupID    int64  // 0: none
	AdvertiserID         int64  // its own: never shown there
	LinkID               int64  // the affiliate link behind it, 0: none; not checked
	ReturnLink           string // where it leads, http or https; 1..2048 characters
	DisplayForAll        bool
	AdvertiserIDs        []int64 // shown at these; ascending, each once
	CategoryIDs          []int64 // shown at advertisers in one of these; ascending, each once
	Styles               []Style
	ImageKey             string // in the Blobs; at most 255 characters
	StartsAt             time.Time
	EndsAt               time.Time                 // exclusive; zero: never
	UntilDay             bool                      // EndsAt was given as a date; see offers.Offer.UntilDay
	ClickLimit           affiliate.Optional[int64] // 0..offers.MaxAmount
	ViewLimit            affiliate.Optional[int64] // 0..offers.MaxAmount
	Author               affiliate.Actor
	CreatedAt, UpdatedAt time.Time
	PausedAt, DeletedAt  time.Time // zero: not
}

// Style is one property of how an ad looks: "color" is "#ffffff".
type Style struct{ Name, Value string }

// Counts are how often an ad was shown and followed.
type Counts struct{ Views, Clicks int64 }

// ClickThroughRate is how many clicks there are for a million views, rounded
// down; 0 without views.
func (c Counts) ClickThroughRate() int64 {
	if c.Views == 0 {
		return 0
	}
	return c.Clicks * 1_000_000 / c.Views
}

// ConversionRate is how many orders there are for a million clicks, rounded
// down; 0 without clicks.
func (c Counts) ConversionRate(orders int64) int64 {
	if c.Clicks == 0 {
		return 0
	}
	return orders * 1_000_000 / c.Clicks
}

// Status is what the ad is at an instant.
func (a Ad) Status(now time.Time, used Counts) offers.Status {
	switch {
	case !a.DeletedAt.IsZero():
		return offers.Deleted
	case !a.PausedAt.IsZero():
		return offers.Paused
	case !a.EndsAt.IsZero() && !now.Before(a.EndsAt),
		a.ClickLimit.Set && used.Clicks >= a.ClickLimit.Value, a.ViewLimit.Set && used.Views >= a.ViewLimit.Value:
		return offers.Ended
	case now.Before(a.StartsAt):
		return offers.Scheduled
	}
	return offers.Active
}

// ShownAt reports whether the ad is for the advertiser's customers.
func (a Ad) ShownAt(advertiser affiliate.Advertiser) bool {
	if advertiser.ID == a.AdvertiserID {
		return false
	}
	return a.DisplayForAll || slices.Contains(a.AdvertiserIDs, advertiser.ID) ||
		slices.ContainsFunc(advertiser.CategoryIDs, func(id int64) bool { return slices.Contains(a.CategoryIDs, id) })
}

// Validate checks what every backend refuses.
func (a Ad) Validate() error {
	var v affiliate.Validation
	v.Text("name", a.Name, 1, 255)
	v.Text("return_link", a.ReturnLink, 1, 2048)
	v.Check(a.ReturnLink == "" || webAddress(a.ReturnLink), "return_link", "invalid_url", "must be an http or https URL")
	v.Text("image_key", a.ImageKey, 0, 255)
	v.Text("author", a.Author.Name, 0, 255)
	v.Check(ascending(a.AdvertiserIDs), "advertiser_ids", "not_ascending", "must be ascending, each once")
	v.Check(ascending(a.CategoryIDs), "advertiser_category_ids", "not_ascending", "must be ascending, each once")
	v.Check(len(a.Styles) <= 50, "styles", "too_many", "must be at most 50")
	for i, s := range a.Styles {
		at := "styles." + strconv.Itoa(i)
		v.Text(at+".name", s.Name, 1, 64)
		v.Text(at+".value", s.Value, 0, 255)
	}
	v.Check(a.StartsAt.IsZero() || a.EndsAt.IsZero() || a.EndsAt.After(a.StartsAt) || !a.UntilDay && a.EndsAt.Equal(a.StartsAt), "ends_at", "before_starts_at", "must not be before starts_at")
	v.Check(!a.UntilDay || !a.EndsAt.IsZero(), "ends_at", "required", "is required when it is the end of a day")
	v.Check(validLimit(a.ClickLimit), "click_limit", "out_of_range", limitBounds)
	v.Check(validLimit(a.ViewLimit), "view_limit", "out_of_range", limitBounds)
	return v.Err("return_ad")
}

const limitBounds = "must be between 0 and 1000000000000000"

func validLimit(n affiliate.Optional[int64]) bool {
	return !n.Set || n.Value >= 0 && n.Value <= offers.MaxAmount
}

// webAddress reports whether a reader can be sent there.
func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

func ascending(ids []int64) bool {
	for i, id := range ids {
		if id <= 0 || i > 0 && ids[i-1] >= id {
			return false
		}
	}
	return true
}
