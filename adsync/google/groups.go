package google

import (
	"context"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// maxMutations bounds the mutations of one call; Google takes 10,000.
const maxMutations = 1000

// many sends operations of ad groups and ads, many in a call. Each fails or
// succeeds for itself.
func (s *sender) many(ctx context.Context, ops []adsync.Operation, which []int, out []adsync.Result) {
	again := s.sendMany(ctx, ops, which, out)
	if len(again) == 0 || s.dry {
		return
	}
	// Names have the record's marker: what is a duplicate is ours.
	repeated := slices.Clone(ops)
	for _, n := range again {
		repeated[n].Repeated = true
	}
	s.sendMany(ctx, repeated, again, out)
}

// sendMany returns the creates that were refused as duplicates.
func (s *sender) sendMany(ctx context.Context, ops []adsync.Operation, which []int, out []adsync.Result) (duplicates []int) {
	type part struct {
		op          int
		first, last int // its mutations
	}
	var mutations []mutation
	var parts []part
	flush := func() {
		if len(parts) == 0 {
			return
		}
		done, f := s.mutate(ctx, mutations, true)
		failed := map[int]*adsync.Failure{}
		if done.Partial != nil {
			for _, d := range done.Partial.Details {
				for _, e := range d.Errors {
					if n := e.index(); failed[n] == nil {
						failed[n] = e.failure(s.d.ads, s.at.ID)
						failed[n].RequestID = firstOf(d.Request, done.request)
					}
				}
			}
		}
		for _, p := range parts {
			op := ops[p.op]
			r := adsync.Result{RemoteID: op.RemoteID, RequestID: done.request}
			if f != nil {
				own := *f
				r.Failure = &own
			}
			for n := p.first; n < p.last && r.Failure == nil; n++ {
				if r.Failure = failed[n]; r.Failure == nil && failed[-1] != nil && done.resourceAt(n) == "" {
					r.Failure = failed[-1]
				}
			}
			out[p.op] = s.result(op, r, done.resourceAt(p.first), p.last-p.first)
			if e := out[p.op].Failure; e != nil && e.Code == adsync.CodeDuplicate && op.Action == adsync.Create && !op.Repeated {
				duplicates = append(duplicates, p.op)
			}
		}
		mutations, parts = nil, nil
	}
	for _, n := range which {
		op, r, own := s.mutationsOf(ctx, ops[n])
		if r != nil {
			out[n] = *r
			continue
		}
		ops[n].RemoteID = op.RemoteID // as found
		if len(mutations)+len(own) > maxMutations {
			flush()
		}
		parts = append(parts, part{n, len(mutations), len(mutations) + len(own)})
		mutations = append(mutations, own...)
	}
	flush()
	return duplicates
}

// result is the result of an operation whose mutations were sent.
func (s *sender) result(op adsync.Operation, r adsync.Result, resource string, mutations int) adsync.Result {
	switch {
	case r.Failure != nil && r.Failure.Code == adsync.CodeGone && op.Action == adsync.Remove:
		r.Failure = nil
	case r.Failure != nil:
		r.Failure.Unapplied = r.Failure.Unapplied && mutations == 1
	case op.RemoteID != "" || s.dry || op.Action == adsync.Remove:
	default:
		collection := "adGroups"
		if op.Kind == adsync.KindAd {
			collection = "adGroupAds"
		}
		id, ok := strings.CutPrefix(resource, s.resource(collection, ""))
		if r.RemoteID = id; !ok || id == "" {
			r.RemoteID, r.Failure = "", badAnswer(r.RequestID)
		}
	}
	return r
}

// mutationsOf makes the mutations of an operation, or its result when there is
// nothing to send. A repeated create becomes the change of what is found.
func (s *sender) mutationsOf(ctx context.Context, op adsync.Operation) (adsync.Operation, *adsync.Result, []mutation) {
	if op.RemoteID == "" && op.Repeated && !s.dry {
		id, f := s.find(ctx, op)
		if f != nil {
			f.Unapplied = false
			return op, &adsync.Result{Failure: f}, nil
		}
		op.RemoteID = id
	}
	if op.Action == adsync.Remove && op.RemoteID == "" {
		return op, &adsync.Result{}, nil
	}
	var out []mutation
	if op.Kind == adsync.KindAd {
		out = s.adMutations(op)
	} else {
		out = s.groupMutations(op)
	}
	if len(out) == 0 {
		return op, &adsync.Result{RemoteID: op.RemoteID}, nil
	}
	return op, nil, out
}

func (s *sender) groupMutations(op adsync.Operation) []mutation {
	const name = "adGroupOperation"
	if op.Action == adsync.Remove {
		return []mutation{removes(name, s.resource("adGroups", op.RemoteID))}
	}
	if op.RemoteID == "" {
		object := map[string]any{
			"campaign": s.resource("campaigns", op.ParentID), "name": op.Fields["name"], "status": op.Fields["status"], "type": op.Fields["type"],
		}
		if bid := op.Fields["cpc_bid_micros"]; bid != "" {
			object["cpcBidMicros"] = bid
		}
		return []mutation{creates(name, object)}
	}
	object, mask := map[string]any{"resourceName": s.resource("adGroups", op.RemoteID)}, []string{}
	for _, c := range op.Changes {
		field := map[string]string{"name": "name", "status": "status", "cpc_bid_micros": "cpcBidMicros"}[c.Field]
		if field == "" {
			continue
		}
		mask = append(mask, field) // a field of the mask without a value is cleared
		if c.After != "" {
			object[field] = c.After
		}
	}
	if len(mask) == 0 {
		return nil
	}
	return []mutation{updates(name, object, mask)}
}

func (s *sender) adMutations(op adsync.Operation) []mutation {
	const name = "adGroupAdOperation"
	if op.Action == adsync.Remove {
		return []mutation{removes(name, s.resource("adGroupAds", op.RemoteID))}
	}
	if op.RemoteID == "" {
		ad := adOf(op)
		ad["urlCustomParameters"] = []map[string]string{{"key": markerKey, "value": op.Marker}}
		return []mutation{creates(name, map[string]any{"adGroup": s.resource("adGroups", op.ParentID), "status": op.Fields["status"], "ad": ad})}
	}
	var out []mutation
	content := false
	for _, c := range op.Changes {
		switch c.Field {
		case "status":
			object := map[string]any{"resourceName": s.resource("adGroupAds", op.RemoteID), "status": c.After}
			out = append(out, updates(name, object, []string{"status"}))
		case "final_urls", "headlines", "descriptions":
			content = true
		}
	}
	if content {
		_, id, _ := strings.Cut(op.RemoteID, "~")
		ad := adOf(op)
		ad["resourceName"] = s.resource("ads", id)
		out = append(out, updates("adOperation", ad, []string{"finalUrls", "responsiveSearchAd.headlines", "responsiveSearchAd.descriptions"}))
	}
	return out
}

// adOf is the content of an ad.
func adOf(op adsync.Operation) map[string]any {
	assets := func(list string) []textAsset {
		out := []textAsset{}
		for _, t := range texts(list) {
			out = append(out, textAsset{t})
		}
		return out
	}
	return map[string]any{
		"finalUrls":          texts(op.Fields["final_urls"]),
		"responsiveSearchAd": map[string]any{"headlines": assets(op.Fields["headlines"]), "descriptions": assets(op.Fields["descriptions"])},
	}
}

// find returns the id of the ad group or ad with the record's marker.
func (s *sender) find(ctx context.Context, op adsync.Operation) (string, *adsync.Failure) {
	if op.Kind == adsync.KindAdSet {
		rows, f := s.search(ctx, "SELECT ad_group.id FROM ad_group WHERE ad_group.name LIKE '%"+op.Marker+"%' AND ad_group.status != 'REMOVED'")
		if f != nil || len(rows) == 0 {
			return "", f
		}
		return rows[0].AdGroup.ID, nil
	}
	query := "SELECT ad_group.id, ad_group_ad.ad.id, ad_group_ad.ad.url_custom_parameters FROM ad_group_ad WHERE ad_group_ad.status != 'REMOVED'"
	if op.ParentID != "" {
		query += " AND ad_group.id = " + digits(op.ParentID)
	}
	rows, f := s.search(ctx, query)
	for _, r := range rows {
		for _, p := range r.AdGroupAd.Ad.Parameters {
			if p.Key == markerKey && p.Value == op.Marker {
				return r.AdGroup.ID + "~" + r.AdGroupAd.Ad.ID, nil
			}
		}
	}
	return "", f
}
