package facebook

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// readBatch is how many objects one call asks for.
const readBatch = 100

// readable are the fields that are asked for and compared. Those of nested
// objects are named with their dots.
var readable = map[adsync.Kind][]string{
	adsync.KindCampaign: {"name", "status", "objective", "daily_budget"},
	adsync.KindAdSet: {
		"name", "status", "daily_budget", "bid_amount", "billing_event", "optimization_goal",
		"targeting.geo_locations.countries", "targeting.geo_locations.regions", "targeting.geo_locations.cities", "targeting.geo_locations.zips",
		"targeting.excluded_geo_locations.countries", "targeting.excluded_geo_locations.regions",
		"targeting.excluded_geo_locations.cities", "targeting.excluded_geo_locations.zips",
	},
	adsync.KindAd: {
		"name", "status", "object_story_spec.page_id",
		"object_story_spec.link_data.link", "object_story_spec.link_data.message", "object_story_spec.link_data.description",
		"object_story_spec.link_data.call_to_action.type", "object_story_spec.link_data.call_to_action.value.link",
		"object_story_spec.video_data.message", "object_story_spec.video_data.link_description",
		"object_story_spec.video_data.call_to_action.type", "object_story_spec.video_data.call_to_action.value.link",
	},
	adsync.KindItem: {"title", "description", "availability", "condition", "link", "image_link", "brand"},
}

// asked are the names of the fields in a call.
var asked = map[adsync.Kind]string{
	adsync.KindCampaign: "id,name,status,objective,daily_budget",
	adsync.KindAdSet:    "id,name,status,daily_budget,bid_amount,billing_event,optimization_goal,targeting",
	adsync.KindAd:       "id,name,status,creative{object_story_spec}",
	adsync.KindItem:     "retailer_id,name,description,availability,condition,url,image_url,brand",
}

// Read returns objects as they are at Facebook, with who changed them last. The
// price of an item is not compared: Facebook tells it in the words of a language.
func (d *Driver) Read(ctx context.Context, a adsync.AdAccount, k adsync.Kind, ids []string) ([]adsync.Found, error) {
	s := sender{d: d, at: a}
	var out []adsync.Found
	for chunk := range slices.Chunk(ids, readBatch) {
		path, query := "/"+a.ID+"/"+edges[k], url.Values{"fields": {asked[k]}, "limit": {"100"}}
		if k == adsync.KindItem {
			path = "/" + url.PathEscape(a.CatalogID) + "/products"
			query.Set("filter", compact(map[string]any{"retailer_id": map[string]any{"is_any": chunk}}))
		} else {
			query.Set("filtering", compact([]map[string]any{{"field": "id", "operator": "IN", "value": chunk}}))
		}
		found, f := s.pages(ctx, k, path, query)
		if f != nil {
			return nil, f
		}
		out = append(out, found...)
	}
	if k == adsync.KindItem || len(out) == 0 {
		return out, nil
	}
	if f := s.authors(ctx, out); f != nil {
		return nil, f
	}
	return out, nil
}

// pages follows the pages of a list to its end.
func (s *sender) pages(ctx context.Context, k adsync.Kind, path string, query url.Values) ([]adsync.Found, *adsync.Failure) {
	var out []adsync.Found
	for {
		var page struct {
			Data   []map[string]json.RawMessage `json:"data"`
			Paging struct {
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
				Next string `json:"next"`
			} `json:"paging"`
		}
		if f := s.get(ctx, path, query, &page); f != nil {
			return nil, f
		}
		for _, object := range page.Data {
			if found, ok := found(k, object); ok {
				out = append(out, found)
			}
		}
		after := page.Paging.Cursors.After
		if page.Paging.Next == "" || after == "" || after == query.Get("after") || len(page.Data) == 0 {
			return out, nil
		}
		query.Set("after", after)
	}
}

// found reads an object; false when it has no id or is removed.
func found(k adsync.Kind, object map[string]json.RawMessage) (adsync.Found, bool) {
	flat := adsync.Fields{}
	for name, value := range object {
		flatten(flat, name, value)
	}
	if k == adsync.KindItem {
		for ours, theirs := range map[string]string{"title": "name", "link": "url", "image_link": "image_url"} {
			flat[ours] = flat[theirs]
		}
	}
	out := adsync.Found{RemoteID: firstOf(flat["retailer_id"], flat["id"]), Fields: adsync.Fields{}}
	for _, name := range readable[k] {
		out.Fields[name] = flat[name]
	}
	gone := out.Fields["status"] == "DELETED" || out.Fields["status"] == "ARCHIVED"
	return out, out.RemoteID != "" && !gone
}

// flatten puts a value of an object into flat fields. Places of a targeting
// become what is sent of them: Facebook adds their names.
func flatten(out adsync.Fields, name string, value json.RawMessage) {
	if spec, ok := strings.CutPrefix(name, "creative."); ok && strings.HasPrefix(spec, "object_story_spec") {
		name = spec
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(value, &inner) == nil && inner != nil {
		for k, v := range inner {
			flatten(out, name+"."+k, v)
		}
		return
	}
	var text string
	if json.Unmarshal(value, &text) == nil {
		out[name] = text
		return
	}
	var texts []string
	if json.Unmarshal(value, &texts) == nil {
		out[name] = list(texts)
		return
	}
	var places []struct {
		Key string `json:"key"`
	}
	if json.Unmarshal(value, &places) == nil && len(places) > 0 && places[0].Key != "" {
		keys := make([]string, len(places))
		for n, p := range places {
			keys[n] = p.Key
		}
		out[name] = keyed(keys)
		return
	}
	if string(value) != "null" {
		out[name] = string(value)
	}
}

// authors adds who changed the objects last, as far as the ad account's newest
// activities tell.
func (s *sender) authors(ctx context.Context, found []adsync.Found) *adsync.Failure {
	var page struct {
		Data []struct {
			ObjectID string `json:"object_id"`
			Actor    string `json:"actor_name"`
			Time     string `json:"event_time"`
		} `json:"data"`
	}
	f := s.get(ctx, "/"+s.at.ID+"/activities", url.Values{"fields": {"object_id,actor_name,event_time"}, "limit": {"200"}}, &page)
	if f != nil {
		return f
	}
	for n := range found {
		for _, a := range page.Data {
			at, err := time.Parse("2006-01-02T15:04:05-0700", a.Time)
			if a.ObjectID == found[n].RemoteID && err == nil && at.After(found[n].ChangedAt) {
				found[n].ChangedBy, found[n].ChangedAt = a.Actor, at.UTC()
			}
		}
	}
	return nil
}
