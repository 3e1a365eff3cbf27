package adsync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of a configuration.
const (
	MaxLocations   = 1000 // in each list of a targeting
	MaxLocationKey = 64   // characters
	MaxAddress     = 500  // characters
)

// Configuration is what only one service knows of a campaign (Google) or an ad
// set (Facebook).
type Configuration struct {
	DailyBudget affiliate.Optional[Budget]
	Geo         affiliate.Optional[Targeting]
}

// Budget is what may be spent in a day.
type Budget struct {
	// Amount is in minor units of the ad account's currency: 1299 is 12.99 USD
	// or 1,299 JPY.
	Amount int64
	// BillingEvent is what Facebook charges for, one of BillingEvents; empty for
	// Google.
	BillingEvent string
}

// Targeting says where ads are shown. Regions, cities and zips are Facebook's
// keys of places ("3847", "US:90028"), criteria are Google's ids ("21137").
type Targeting struct {
	Places
	Excluded Places
}

// Places are places of several kinds.
type Places struct {
	Countries       []string // ISO 3166 codes of two letters
	Regions         []string
	Cities          []string
	Zips            []string
	CustomLocations []CustomLocation
	CriteriaIDs     []string // decimal digits
}

// CustomLocation is a circle around a point or an address.
type CustomLocation struct {
	Latitude, Longitude affiliate.Optional[decimal.Decimal] // both or none
	Address             string                              // instead of them; at most MaxAddress characters
	Radius              decimal.Decimal                     // above 0
	Unit                string                              // Kilometers or Miles; empty: the service's default
}

// IsZero reports whether there is no place at all.
func (p Places) IsZero() bool {
	return len(p.Countries)+len(p.Regions)+len(p.Cities)+len(p.Zips)+len(p.CustomLocations)+len(p.CriteriaIDs) == 0
}

// maxCents bounds amounts so that Google's micros of them fit 64 bits.
const maxCents = 900_000_000_000_000

func checkCents(v *affiliate.Validation, field string, amount int64) {
	v.Check(amount > 0 && amount <= maxCents, field, "out_of_range", "must be between 1 and "+strconv.Itoa(maxCents))
}

func validateConfiguration(v *affiliate.Validation, c Configuration) {
	const at = "service_configurations"
	if c.DailyBudget.Set {
		b := c.DailyBudget.Value
		checkCents(v, at+".daily_budget.amount", b.Amount)
		v.Check(b.BillingEvent == "" || slices.Contains(BillingEvents(), b.BillingEvent),
			at+".daily_budget.billing_event", "invalid", listed(BillingEvents()))
	}
	if c.Geo.Set {
		validatePlaces(v, at+".geo_locations", c.Geo.Value.Places)
		validatePlaces(v, at+".geo_locations.excluded_geo_locations", c.Geo.Value.Excluded)
	}
}

func validatePlaces(v *affiliate.Validation, at string, p Places) {
	for _, list := range []struct {
		name string
		keys []string
		ok   func(string) bool
		must string
	}{
		{"countries", p.Countries, isCountry, "must be a country code of two capital letters"},
		{"regions", p.Regions, isKey, "must be a key of 1 to 64 characters"},
		{"cities", p.Cities, isKey, "must be a key of 1 to 64 characters"},
		{"zips", p.Zips, isKey, "must be a key of 1 to 64 characters"},
		{"criteria_ids", p.CriteriaIDs, isCriterion, "must be 1 to 19 digits"},
	} {
		v.Check(len(list.keys) <= MaxLocations, at+"."+list.name, "too_many", "must have at most 1000 places")
		for n, key := range list.keys {
			v.Check(list.ok(key), fmt.Sprintf("%s.%s.%d", at, list.name, n), "invalid", list.must)
		}
	}
	v.Check(len(p.CustomLocations) <= MaxLocations, at+".custom_locations", "too_many", "must have at most 1000 places")
	for n, l := range p.CustomLocations {
		validateLocation(v, fmt.Sprintf("%s.custom_locations.%d", at, n), l)
	}
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

func isKey(s string) bool {
	var v affiliate.Validation
	v.Text("", s, 1, MaxLocationKey)
	return v.Err("") == nil
}

func isCriterion(s string) bool {
	return s != "" && len(s) <= 19 && strings.Trim(s, "0123456789") == ""
}

func validateLocation(v *affiliate.Validation, at string, l CustomLocation) {
	point := l.Latitude.Set && l.Longitude.Set
	v.Check(l.Latitude.Set == l.Longitude.Set, at, "incomplete", "must have both latitude and longitude, or neither")
	v.Check(point != (l.Address != ""), at, "invalid", "must have either latitude and longitude or address_string")
	v.Text(at+".address_string", l.Address, 0, MaxAddress)
	within := func(d decimal.Decimal, bound int64) bool {
		return isSmall(d) && d.Abs().LessThanOrEqual(decimal.NewFromInt(bound))
	}
	if l.Latitude.Set {
		v.Check(within(l.Latitude.Value, 90), at+".latitude", "out_of_range", "must be between -90 and 90, with at most 15 decimals")
	}
	if l.Longitude.Set {
		v.Check(within(l.Longitude.Value, 180), at+".longitude", "out_of_range", "must be between -180 and 180, with at most 15 decimals")
	}
	v.Check(within(l.Radius, 1000) && l.Radius.IsPositive(), at+".radius", "out_of_range", "must be above 0 and at most 1000")
	v.Check(l.Unit == "" || l.Unit == Kilometers || l.Unit == Miles, at+".distance_unit", "invalid", "must be one of kilometer, miles")
}

// isSmall reports whether the decimal is written with few digits, so that no
// calculation with it is expensive.
func isSmall(d decimal.Decimal) bool {
	return d.Exponent() >= -15 && d.Exponent() <= 15 && d.Coefficient().BitLen() <= 64
}
