package apisync

import (
	"encoding/json"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// configuration reads service_configurations.
type configuration adsync.Configuration

func (c configuration) value() adsync.Configuration { return adsync.Configuration(c) }

// UnmarshalWire ignores keys that the document does not have.
func (c *configuration) UnmarshalWire(v wire.Value) error {
	var r reader
	if !r.object("", v) {
		return r.Err("")
	}
	if budget := member(v, "daily_budget"); r.object("daily_budget", budget) {
		c.DailyBudget = affiliate.Some(adsync.Budget{
			Amount: r.integer("daily_budget.amount", member(budget, "amount")), BillingEvent: r.text("daily_budget.billing_event", member(budget, "billing_event")),
		})
	}
	switch geo := member(v, "geo_locations"); {
	case geo.Kind() == wire.Array: // a list of Google's criteria
		c.Geo = affiliate.Some(adsync.Targeting{Places: adsync.Places{CriteriaIDs: r.keys("geo_locations", geo)}})
	case r.object("geo_locations", geo):
		c.Geo = affiliate.Some(adsync.Targeting{
			Places: r.places("geo_locations", geo), Excluded: r.excluded("geo_locations.excluded_geo_locations", member(geo, "excluded_geo_locations")),
		})
	}
	return r.Err("")
}

// reader reads values and notes those of a wrong type.
type reader struct{ affiliate.Validation }

func absent(v wire.Value) bool { return v.Kind() == wire.Absent || v.Kind() == wire.Null }

// object reports whether there is an object; anything else but nothing is noted.
func (r *reader) object(at string, v wire.Value) bool {
	if v.Kind() == wire.Object {
		return true
	}
	r.Check(absent(v), at, "wrong_type", "must be an object")
	return false
}

func (r *reader) text(at string, v wire.Value) string {
	r.Check(absent(v) || v.Kind() == wire.Text, at, "wrong_type", "must be a string")
	return v.Text()
}

func (r *reader) integer(at string, v wire.Value) int64 {
	if absent(v) {
		r.Add(at, "required", "is required")
		return 0
	}
	n, ok := v.Int()
	r.Check(ok && v.Kind() == wire.Number, at, "wrong_type", "must be an integer")
	return n
}

func (r *reader) number(at string, v wire.Value) affiliate.Optional[decimal.Decimal] {
	if absent(v) {
		return affiliate.Optional[decimal.Decimal]{}
	}
	d, err := decimal.NewFromString(v.Text())
	if v.Kind() != wire.Number || err != nil || len(v.Text()) > 40 {
		r.Add(at, "wrong_type", "must be a number")
		return affiliate.Optional[decimal.Decimal]{}
	}
	return affiliate.Some(d)
}

// keys reads a list of keys, which come as texts or as {"key"}.
func (r *reader) keys(at string, v wire.Value) []string {
	if absent(v) {
		return nil
	}
	if v.Kind() != wire.Array {
		r.Add(at, "wrong_type", "must be a list")
		return nil
	}
	var out []string
	for n, item := range v.Items() {
		if item.Kind() == wire.Object {
			item = member(item, "key")
		}
		if item.Kind() != wire.Text && item.Kind() != wire.Number {
			r.Add(at+"."+strconv.Itoa(n), "wrong_type", `must be a key or {"key"}`)
		}
		out = append(out, item.Text())
	}
	return out
}

func (r *reader) excluded(at string, v wire.Value) adsync.Places {
	if !r.object(at, v) {
		return adsync.Places{}
	}
	return r.places(at, v)
}

func (r *reader) places(at string, v wire.Value) adsync.Places {
	list := func(name string) []string { return r.keys(at+"."+name, member(v, name)) }
	return adsync.Places{
		Countries: list("countries"), Regions: list("regions"), Cities: list("cities"), Zips: list("zips"), CriteriaIDs: list("criteria_ids"),
		CustomLocations: r.locations(at+".custom_locations", member(v, "custom_locations")),
	}
}

func (r *reader) locations(at string, v wire.Value) []adsync.CustomLocation {
	if absent(v) {
		return nil
	}
	if v.Kind() != wire.Array {
		r.Add(at, "wrong_type", "must be a list")
		return nil
	}
	var out []adsync.CustomLocation
	for n, item := range v.Items() {
		here := at + "." + strconv.Itoa(n)
		if item.Kind() != wire.Object {
			r.Add(here, "wrong_type", "must be an object")
			continue
		}
		radius := r.number(here+".radius", member(item, "radius"))
		r.Check(radius.Set || !absent(member(item, "radius")), here+".radius", "required", "is required")
		out = append(out, adsync.CustomLocation{
			Latitude: r.number(here+".latitude", member(item, "latitude")), Longitude: r.number(here+".longitude", member(item, "longitude")),
			Address: r.text(here+".address_string", member(item, "address_string")), Radius: radius.Value, Unit: r.text(here+".distance_unit", member(item, "distance_unit")),
		})
	}
	return out
}

type configurationOutput struct {
	DailyBudget *budgetOutput    `json:"daily_budget,omitempty"`
	Geo         *targetingOutput `json:"geo_locations,omitempty"`
}

type budgetOutput struct {
	Amount       int64  `json:"amount"`
	BillingEvent string `json:"billing_event,omitempty"`
}

type targetingOutput struct {
	placesOutput
	Excluded *placesOutput `json:"excluded_geo_locations,omitempty"`
}

type placesOutput struct {
	Countries       []string         `json:"countries,omitempty"`
	Regions         []keyOutput      `json:"regions,omitempty"`
	Cities          []keyOutput      `json:"cities,omitempty"`
	Zips            []keyOutput      `json:"zips,omitempty"`
	CustomLocations []locationOutput `json:"custom_locations,omitempty"`
	CriteriaIDs     []string         `json:"criteria_ids,omitempty"`
}

type keyOutput struct {
	Key string `json:"key"`
}

type locationOutput struct {
	Latitude  json.Number `json:"latitude,omitempty"`
	Longitude json.Number `json:"longitude,omitempty"`
	Address   string      `json:"address_string,omitempty"`
	Radius    json.Number `json:"radius"`
	Unit      string      `json:"distance_unit,omitempty"`
}

func showConfiguration(c adsync.Configuration) configurationOutput {
	var out configurationOutput
	if c.DailyBudget.Set {
		b := budgetOutput(c.DailyBudget.Value)
		out.DailyBudget = &b
	}
	if c.Geo.Set {
		out.Geo = &targetingOutput{placesOutput: showPlaces(c.Geo.Value.Places)}
		if !c.Geo.Value.Excluded.IsZero() {
			excluded := showPlaces(c.Geo.Value.Excluded)
			out.Geo.Excluded = &excluded
		}
	}
	return out
}

func showPlaces(p adsync.Places) placesOutput {
	keys := func(list []string) []keyOutput {
		var out []keyOutput
		for _, key := range list {
			out = append(out, keyOutput{key})
		}
		return out
	}
	number := func(o affiliate.Optional[decimal.Decimal]) json.Number {
		if !o.Set {
			return ""
		}
		return json.Number(o.Value.String())
	}
	out := placesOutput{Countries: p.Countries, Regions: keys(p.Regions), Cities: keys(p.Cities), Zips: keys(p.Zips), CriteriaIDs: p.CriteriaIDs}
	for _, l := range p.CustomLocations {
		out.CustomLocations = append(out.CustomLocations, locationOutput{number(l.Latitude), number(l.Longitude), l.Address, json.Number(l.Radius.String()), l.Unit})
	}
	return out
}
