package google

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"golang.org/x/text/language"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// perMinor is how many micros one minor unit is. Google's amounts are micros of a
// major unit; ad accounts whose currency has no hundredths are not known here.
const perMinor = 10_000

// markerKey names the custom parameter of an ad that has the record's marker: ads
// have no names at Google.
const markerKey = "sync"

var dataSourceForm = regexp.MustCompile(`^accounts/(\d{1,19})/dataSources/\d{1,19}$`)

var statuses = map[adsync.State]string{adsync.Active: "ENABLED", adsync.Paused: "PAUSED"}

// Object returns the fields of Google's object for a record.
func (d *Driver) Object(t adsync.Target) (adsync.Fields, error) {
	switch t.Kind {
	case adsync.KindCampaign:
		return d.campaignObject(t)
	case adsync.KindAdSet:
		f := adsync.Fields{"name": named(t), "status": statuses[t.State()], "type": d.o.AdGroupType}
		if bid := t.AdSet.Bids.CPC; bid.Set {
			f["cpc_bid_micros"] = strconv.FormatInt(bid.Value*perMinor, 10)
		}
		return f, nil
	case adsync.KindAd:
		return adObject(t)
	}
	return product(t)
}

// named is a name with the record's marker: names are unique at Google.
func named(t adsync.Target) string {
	name := []rune(t.Name())
	return strings.TrimSpace(string(name[:min(len(name), 200)]) + " [" + t.Marker + "]")
}

func (d *Driver) campaignObject(t adsync.Target) (adsync.Fields, error) {
	f := adsync.Fields{"name": named(t), "status": statuses[t.State()], "advertising_channel_type": d.o.ChannelType}
	if geo := t.Campaign.Configuration.Geo; geo.Set {
		for _, at := range []struct {
			field string
			adsync.Places
		}{{"locations", geo.Value.Places}, {"excluded_locations", geo.Value.Excluded}} {
			ids, blocked := constants(at.Places)
			if blocked != nil {
				return f, blocked
			}
			if len(ids) > 0 {
				f[at.field] = compact(ids)
			}
		}
	}
	b := t.Campaign.Configuration.DailyBudget
	if !b.Set {
		return f, &adsync.Blocked{Reason: adsync.ReasonBudgetRequired, Field: "service_configurations.daily_budget", Detail: "An active campaign at Google needs a daily budget."}
	}
	f["budget.amount_micros"] = strconv.FormatInt(b.Value.Amount*perMinor, 10)
	return f, nil
}

// constants are the ids of Google's geo target constants: those of criteria are
// given, those of countries are 2000 and the country's number.
func constants(p adsync.Places) ([]string, *adsync.Blocked) {
	unsupported := func(field, detail string) *adsync.Blocked {
		return &adsync.Blocked{Reason: adsync.ReasonLocationUnsupported, Field: "service_configurations.geo_locations." + field, Detail: detail}
	}
	switch {
	case len(p.CustomLocations) > 0:
		return nil, unsupported("custom_locations", "Places around a point are Facebook's. Name criteria or countries.")
	case len(p.Regions)+len(p.Cities)+len(p.Zips) > 0:
		return nil, unsupported("regions", "Regions, cities and zips are Facebook's. Name criteria or countries.")
	}
	ids := slices.Clone(p.CriteriaIDs)
	for _, c := range p.Countries {
		region, err := language.ParseRegion(c)
		if err != nil || region.M49() == 0 {
			return nil, unsupported("countries", "Google does not know the country "+c+".")
		}
		ids = append(ids, strconv.Itoa(2000+region.M49()))
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// adObject makes a responsive search ad of the texts. Google asks for three
// headlines and two descriptions: the others are made of what there is.
func adObject(t adsync.Target) (adsync.Fields, error) {
	f := adsync.Fields{"marker": t.Marker, "status": statuses[t.State()], "final_urls": compact([]string{t.Ad.DestinationURL})}
	if t.Ad.Type != adsync.ExpandedTextAd {
		return f, &adsync.Blocked{Reason: adsync.ReasonAdTypeUnsupported, Field: "ad_type", Detail: "Google has no ads of the type " + string(t.Ad.Type) + "."}
	}
	c := t.Ad.Creative
	host := ""
	if u, err := url.Parse(t.Ad.DestinationURL); err == nil {
		host = strings.TrimPrefix(u.Hostname(), "www.")
	}
	f["headlines"] = compact(distinct(c.HeadlinePart1, c.HeadlinePart2, cut(host, 30), cut(c.Description, 30)))
	f["descriptions"] = compact(distinct(c.Description, cut(c.HeadlinePart1+". "+c.HeadlinePart2, 90)))
	return f, nil
}

func distinct(texts ...string) []string {
	var out []string
	for _, s := range texts {
		if s != "" && !slices.Contains(out, s) && len(out) < 3 {
			out = append(out, s)
		}
	}
	return out
}

func cut(s string, max int) string {
	r := []rune(s)
	return strings.TrimSpace(string(r[:min(len(r), max)]))
}

var conditions = map[adsync.Condition]string{"": "NEW", adsync.New: "NEW", adsync.Used: "USED", adsync.Refurbished: "REFURBISHED"}

func product(t adsync.Target) (adsync.Fields, error) {
	i := t.Item
	title := firstOf(i.Title, strings.TrimSpace(i.Brand+" "+i.Model))
	tongue, feed, _ := strings.Cut(i.ContentLanguage, "-")
	f := adsync.Fields{
		"data_source": t.AdAccount.CatalogID, "content_language": strings.ToLower(tongue), "feed_label": strings.ToUpper(firstOf(feed, tongue)),
		"title": title, "description": firstOf(i.Description, title), "link": i.Link, "image_link": i.Cover(), "brand": i.Brand,
		"condition": conditions[i.Condition], "availability": "OUT_OF_STOCK",
	}
	if i.Available {
		f["availability"] = "IN_STOCK"
	}
	if i.Price.Minor() > 0 {
		f["price.amount_micros"] = i.Price.Decimal().Mul(decimal.NewFromInt(1_000_000)).StringFixed(0)
		f["price.currency_code"] = string(i.Price.Currency())
	}
	if !dataSourceForm.MatchString(t.AdAccount.CatalogID) {
		return f, &adsync.Blocked{Reason: adsync.ReasonFieldRequired, Field: "catalog_id", Detail: "The ad account's catalog must look like accounts/1/dataSources/2."}
	}
	for _, required := range []string{"title", "link", "image_link", "price.amount_micros"} {
		if f[required] == "" {
			return f, &adsync.Blocked{Reason: adsync.ReasonFieldRequired, Field: required, Detail: "A product at Google needs it."}
		}
	}
	return f, nil
}

// compact is JSON of texts, which always marshal.
func compact(values []string) string {
	text, _ := json.Marshal(values)
	return string(text)
}

// texts reads what compact returns.
func texts(list string) []string {
	var out []string
	if json.Unmarshal([]byte(list), &out) != nil {
		return nil
	}
	return out
}
