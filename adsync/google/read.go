package google

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// readBatch is how many objects one query asks for.
const readBatch = 200

// Read returns objects as they are at Google, with who changed them last within
// two weeks. Times of changes are in the ad account's zone, which is taken for
// UTC.
func (d *Driver) Read(ctx context.Context, a adsync.AdAccount, k adsync.Kind, ids []string) ([]adsync.Found, error) {
	s := &sender{d: d, at: a}
	if k == adsync.KindItem {
		out, f := s.readProducts(ctx, ids)
		if f != nil {
			return nil, f
		}
		return out, nil
	}
	var out []adsync.Found
	for chunk := range slices.Chunk(ids, readBatch) {
		found, f := s.read(ctx, k, chunk)
		if f != nil {
			return nil, f
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return out, nil
	}
	if f := s.authors(ctx, k, out); f != nil {
		return nil, f
	}
	return out, nil
}

func (s *sender) read(ctx context.Context, k adsync.Kind, ids []string) ([]adsync.Found, *adsync.Failure) {
	switch k {
	case adsync.KindCampaign:
		return s.readCampaigns(ctx, ids)
	case adsync.KindAdSet:
		rows, f := s.search(ctx, "SELECT ad_group.id, ad_group.name, ad_group.status, ad_group.cpc_bid_micros FROM ad_group WHERE ad_group.status != 'REMOVED' AND ad_group.id IN ("+digits(ids...)+")")
		return foundIn(rows, func(r row) adsync.Found {
			micros := r.AdGroup.Micros
			if micros == "0" {
				micros = ""
			}
			return adsync.Found{RemoteID: r.AdGroup.ID, Fields: adsync.Fields{"name": r.AdGroup.Name, "status": r.AdGroup.Status, "cpc_bid_micros": micros}}
		}), f
	}
	ads := make([]string, len(ids))
	for n, id := range ids {
		_, ads[n], _ = strings.Cut(id, "~")
	}
	rows, f := s.search(ctx, "SELECT ad_group.id, ad_group_ad.status, ad_group_ad.ad.id, ad_group_ad.ad.final_urls, ad_group_ad.ad.responsive_search_ad.headlines, "+
		"ad_group_ad.ad.responsive_search_ad.descriptions FROM ad_group_ad WHERE ad_group_ad.status != 'REMOVED' AND ad_group_ad.ad.id IN ("+digits(ads...)+")")
	return foundIn(rows, func(r row) adsync.Found {
		ad := r.AdGroupAd.Ad
		return adsync.Found{RemoteID: r.AdGroup.ID + "~" + ad.ID, Fields: adsync.Fields{
			"status": r.AdGroupAd.Status, "final_urls": compact(ad.FinalURLs), "headlines": assetTexts(ad.Search.Headlines), "descriptions": assetTexts(ad.Search.Descriptions),
		}}
	}), f
}

func foundIn(rows []row, found func(row) adsync.Found) []adsync.Found {
	var out []adsync.Found
	for _, r := range rows {
		out = append(out, found(r))
	}
	return out
}

func assetTexts(assets []textAsset) string {
	out := make([]string, len(assets))
	for n, a := range assets {
		out[n] = a.Text
	}
	return compact(out)
}

func (s *sender) readCampaigns(ctx context.Context, ids []string) ([]adsync.Found, *adsync.Failure) {
	rows, f := s.search(ctx, "SELECT campaign.id, campaign.name, campaign.status, campaign_budget.amount_micros FROM campaign WHERE campaign.status != 'REMOVED' AND campaign.id IN ("+digits(ids...)+")")
	if f != nil || len(rows) == 0 {
		return nil, f
	}
	places, f := s.search(ctx, locationQuery+digits(ids...)+")")
	if f != nil {
		return nil, f
	}
	lists := map[string][]string{} // by campaign and field
	for _, r := range places {
		key := r.Campaign.ID + " locations"
		if r.Criterion.Negative {
			key = r.Campaign.ID + " excluded_locations"
		}
		lists[key] = append(lists[key], strings.TrimPrefix(r.Criterion.Location.Constant, "geoTargetConstants/"))
	}
	return foundIn(rows, func(r row) adsync.Found {
		fields := adsync.Fields{"name": r.Campaign.Name, "status": r.Campaign.Status, "budget.amount_micros": r.Budget.Micros}
		for _, field := range []string{"locations", "excluded_locations"} {
			fields[field] = ""
			if list := lists[r.Campaign.ID+" "+field]; len(list) > 0 {
				slices.Sort(list)
				fields[field] = compact(list)
			}
		}
		return adsync.Found{RemoteID: r.Campaign.ID, Fields: fields}
	}), nil
}

// authors adds who changed the objects last.
func (s *sender) authors(ctx context.Context, k adsync.Kind, found []adsync.Found) *adsync.Failure {
	rows, f := s.search(ctx, "SELECT change_event.user_email, change_event.change_date_time, change_event.change_resource_name FROM change_event "+
		"WHERE change_event.change_date_time DURING LAST_14_DAYS ORDER BY change_event.change_date_time DESC LIMIT 1000")
	if f != nil {
		return f
	}
	collection := map[adsync.Kind]string{adsync.KindCampaign: "campaigns", adsync.KindAdSet: "adGroups", adsync.KindAd: "adGroupAds"}[k]
	for n := range found {
		for _, r := range rows {
			at, err := time.Parse("2006-01-02 15:04:05", r.Change.Time)
			if r.Change.Resource == s.resource(collection, found[n].RemoteID) && err == nil && at.After(found[n].ChangedAt) {
				found[n].ChangedBy, found[n].ChangedAt = r.Change.Email, at
			}
		}
	}
	return nil
}
