package facebook

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// videoSource is the address that a video is uploaded from; Facebook gets the id
// of the upload in its place.
const videoSource = "object_story_spec.video_data.video_url"

// Object returns the fields of Facebook's object for a record.
func (d *Driver) Object(t adsync.Target) (adsync.Fields, error) {
	switch t.Kind {
	case adsync.KindCampaign:
		return d.campaign(t), nil
	case adsync.KindAdSet:
		return d.adSet(t)
	case adsync.KindAd:
		return d.ad(t)
	}
	return item(t)
}

var statuses = map[adsync.State]string{adsync.Active: "ACTIVE", adsync.Paused: "PAUSED"}

// named is a name with the record's marker, so that the object can be found.
func named(t adsync.Target) string {
	name := []rune(t.Name())
	return strings.TrimSpace(string(name[:min(len(name), 200)]) + " [" + t.Marker + "]")
}

func (d *Driver) campaign(t adsync.Target) adsync.Fields {
	categories := d.o.SpecialAdCategories
	if categories == nil {
		categories = []string{}
	}
	f := adsync.Fields{
		"name": named(t), "objective": d.o.Objective, "status": statuses[t.State()], "buying_type": "AUCTION",
		"special_ad_categories": list(categories),
	}
	if b := t.Campaign.Configuration.DailyBudget; b.Set {
		f["daily_budget"] = strconv.FormatInt(b.Value.Amount, 10)
		f["bid_strategy"] = "LOWEST_COST_WITHOUT_CAP"
	} else {
		f["is_adset_budget_sharing_enabled"] = "false"
	}
	return f
}

func (d *Driver) adSet(t adsync.Target) (adsync.Fields, error) {
	f := adsync.Fields{
		"name": named(t), "status": statuses[t.State()], "optimization_goal": d.o.OptimizationGoal, "billing_event": d.o.BillingEvent,
		"dsa_beneficiary": d.o.Beneficiary, "dsa_payor": d.o.Payor,
	}
	var missing *adsync.Blocked
	budget, ofCampaign := t.AdSet.Configuration.DailyBudget, t.Campaign.Configuration.DailyBudget.Set
	switch {
	case budget.Set && !ofCampaign:
		f["daily_budget"] = strconv.FormatInt(budget.Value.Amount, 10)
	case !ofCampaign:
		missing = &adsync.Blocked{Reason: adsync.ReasonBudgetRequired, Field: "service_configurations.daily_budget", Detail: "An active ad set needs a daily budget."}
	}
	if budget.Set && budget.Value.BillingEvent != "" {
		f["billing_event"] = budget.Value.BillingEvent
	}
	if !ofCampaign {
		f["bid_strategy"] = "LOWEST_COST_WITHOUT_CAP"
	}
	if bid := t.AdSet.Bids.Impressions; bid.Set {
		f["bid_amount"] = strconv.FormatInt(bid.Value, 10)
		if !ofCampaign {
			f["bid_strategy"] = "LOWEST_COST_WITH_BID_CAP"
		}
	}
	geo := t.AdSet.Configuration.Geo
	if geo.Set && !geo.Value.Places.IsZero() {
		if len(geo.Value.CriteriaIDs)+len(geo.Value.Excluded.CriteriaIDs) > 0 {
			return f, &adsync.Blocked{Reason: adsync.ReasonLocationUnsupported, Field: "service_configurations.geo_locations.criteria_ids", Detail: "Criteria are Google's. Name countries, regions, cities or zips."}
		}
		places(f, "targeting.geo_locations", geo.Value.Places)
		places(f, "targeting.excluded_geo_locations", geo.Value.Excluded)
	} else {
		missing = &adsync.Blocked{Reason: adsync.ReasonLocationRequired, Field: "service_configurations.geo_locations", Detail: "An active ad set needs a location."}
	}
	if missing != nil {
		return f, missing
	}
	return f, nil
}

// places are the lists of a targeting, each as JSON.
func places(f adsync.Fields, at string, p adsync.Places) {
	if len(p.Countries) > 0 {
		f[at+".countries"] = list(p.Countries)
	}
	for _, l := range []struct {
		name string
		keys []string
	}{{"regions", p.Regions}, {"cities", p.Cities}, {"zips", p.Zips}} {
		if len(l.keys) > 0 {
			f[at+"."+l.name] = keyed(l.keys)
		}
	}
	if len(p.CustomLocations) == 0 {
		return
	}
	all := make([]map[string]any, len(p.CustomLocations))
	for n, l := range p.CustomLocations {
		one := map[string]any{"radius": json.Number(l.Radius.String())}
		if l.Address != "" {
			one["address_string"] = l.Address
		} else {
			one["latitude"], one["longitude"] = json.Number(l.Latitude.Value.String()), json.Number(l.Longitude.Value.String())
		}
		if l.Unit != "" {
			one["distance_unit"] = map[string]string{adsync.Miles: "mile"}[l.Unit]
			if l.Unit == adsync.Kilometers {
				one["distance_unit"] = adsync.Kilometers
			}
		}
		all[n] = one
	}
	f[at+".custom_locations"] = compact(all)
}

func list(values []string) string { return compact(values) }

func keyed(keys []string) string {
	all := make([]map[string]string, len(keys))
	for n, k := range keys {
		all[n] = map[string]string{"key": k}
	}
	return compact(all)
}

// compact is JSON of values that always marshal.
func compact(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func (d *Driver) ad(t adsync.Target) (adsync.Fields, error) {
	c := t.Ad.Creative
	f := adsync.Fields{"name": named(t), "status": statuses[t.State()]}
	page := d.o.Page(t.AdAccount.ID)
	const spec = "object_story_spec."
	f[spec+"page_id"] = page
	switch t.Ad.Type {
	case adsync.ImageWithLink:
		const at = spec + "link_data."
		f[at+"link"], f[at+"message"], f[at+"picture"], f[at+"description"] = c.Link, c.Message, c.Picture, c.Description
		f[at+"call_to_action.type"] = c.CallToAction
		f[at+"call_to_action.value.link"], f[at+"call_to_action.value.link_caption"] = t.Ad.DestinationURL, c.LinkCaption
	case adsync.Video:
		const at = spec + "video_data."
		f[videoSource], f[at+"message"], f[at+"image_url"], f[at+"link_description"] = c.VideoURL, c.Message, c.Picture, c.LinkDescription
		f[at+"call_to_action.type"] = c.CallToAction
		f[at+"call_to_action.value.link"], f[at+"call_to_action.value.link_caption"] = t.Ad.DestinationURL, c.LinkCaption
	default:
		return f, &adsync.Blocked{Reason: adsync.ReasonAdTypeUnsupported, Field: "ad_type", Detail: "Facebook has no ads of the type " + string(t.Ad.Type) + "."}
	}
	if page == "" {
		return f, &adsync.Blocked{Reason: adsync.ReasonPageRequired, Field: "ad_account", Detail: "Facebook needs a page that the ads of this ad account speak for."}
	}
	return f, nil
}

func item(t adsync.Target) (adsync.Fields, error) {
	i := t.Item
	title := i.Title
	if title == "" {
		title = strings.TrimSpace(i.Brand + " " + i.Model)
	}
	description := i.Description
	if description == "" {
		description = title
	}
	f := adsync.Fields{
		"catalog": t.AdAccount.CatalogID, "title": title, "description": description, "availability": "out of stock",
		"condition": string(i.Condition), "link": i.Link, "image_link": i.Cover(), "brand": i.Brand,
	}
	if i.Available {
		f["availability"] = "in stock"
	}
	if i.Condition == "" {
		f["condition"] = string(adsync.New)
	}
	if i.Price.Minor() > 0 {
		currency := i.Price.Currency()
		f["price"] = i.Price.Decimal().StringFixed(int32(currency.Digits())) + " " + string(currency)
	}
	for _, required := range []string{"title", "link", "image_link", "price"} {
		if f[required] == "" {
			return f, &adsync.Blocked{Reason: adsync.ReasonFieldRequired, Field: required, Detail: "A product at Facebook needs it."}
		}
	}
	return f, nil
}

// rootOf is the nested object that a field is in; empty for a field of its own.
func rootOf(field string) string {
	root, _, nested := strings.Cut(field, ".")
	if !nested {
		return ""
	}
	return root
}

// nest puts the fields below a name into one JSON object. The values of a
// targeting are JSON, all others text.
func nest(f adsync.Fields, root string) string {
	out := map[string]any{}
	names := f.Names()
	sort.Strings(names)
	for _, name := range names {
		path := strings.Split(name, ".")
		if path[0] != root || len(path) < 2 {
			continue
		}
		at := out
		for _, step := range path[1 : len(path)-1] {
			inner, ok := at[step].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[step] = inner
			}
			at = inner
		}
		if root == "targeting" {
			at[path[len(path)-1]] = json.RawMessage(f[name])
		} else {
			at[path[len(path)-1]] = f[name]
		}
	}
	return compact(out)
}
