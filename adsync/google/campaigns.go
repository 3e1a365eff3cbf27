package google

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// campaign sends one operation of a campaign with its budget and locations, all
// or nothing.
func (s *sender) campaign(ctx context.Context, op adsync.Operation) adsync.Result {
	id, request, f := s.sendCampaign(ctx, op)
	if f != nil && f.Code == adsync.CodeDuplicate && op.Action == adsync.Create && !op.Repeated {
		// The name has the record's marker: the object is ours, and was made by an
		// attempt whose answer came to nobody.
		op.Repeated = true
		id, request, f = s.sendCampaign(ctx, op)
	}
	return adsync.Result{RemoteID: id, RequestID: request, Failure: f}
}

func (s *sender) sendCampaign(ctx context.Context, op adsync.Operation) (id, request string, f *adsync.Failure) {
	id = op.RemoteID
	if id == "" && op.Repeated && !s.dry {
		if id, f = s.findCampaign(ctx, op.Marker); f != nil {
			f.Unapplied = false
			return "", "", f
		}
	}
	var mutations []mutation
	switch {
	case op.Action == adsync.Remove && id == "":
		return "", "", nil
	case op.Action == adsync.Remove:
		mutations = []mutation{removes("campaignOperation", s.resource("campaigns", id))}
	case id == "":
		mutations = s.newCampaign(op)
	default:
		if mutations, f = s.changedCampaign(ctx, op, id); f != nil || len(mutations) == 0 {
			return id, "", f
		}
	}
	out, f := s.mutate(ctx, mutations, false)
	switch {
	case f != nil && f.Code == adsync.CodeGone && op.Action == adsync.Remove:
		return id, out.request, nil
	case f != nil || s.dry || id != "":
		return id, out.request, f
	}
	id, ok := strings.CutPrefix(out.resourceAt(1), s.resource("campaigns", ""))
	if !ok || id == "" {
		return "", out.request, badAnswer(out.request)
	}
	return id, out.request, nil
}

// newCampaign makes a budget of its own, the campaign and its locations, with
// temporary ids that hold within the call.
func (s *sender) newCampaign(op adsync.Operation) []mutation {
	budget, campaign := s.resource("campaignBudgets", "-1"), s.resource("campaigns", "-2")
	out := []mutation{
		creates("campaignBudgetOperation", map[string]any{
			"resourceName": budget, "name": op.Fields["name"], "amountMicros": op.Fields["budget.amount_micros"],
			"deliveryMethod": "STANDARD", "explicitlyShared": false,
		}),
		creates("campaignOperation", map[string]any{
			"resourceName": campaign, "name": op.Fields["name"], "status": op.Fields["status"],
			"advertisingChannelType": op.Fields["advertising_channel_type"], "campaignBudget": budget, "manualCpc": map[string]any{},
			"containsEuPoliticalAdvertising": "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING",
		}),
	}
	for _, l := range locationsOf(op.Fields) {
		out = append(out, l.create(campaign))
	}
	return out
}

// location is a place where a campaign is shown, or is not.
type location struct {
	id       string
	negative bool
}

func locationsOf(f adsync.Fields) (out []location) {
	for _, id := range texts(f["locations"]) {
		out = append(out, location{id, false})
	}
	for _, id := range texts(f["excluded_locations"]) {
		out = append(out, location{id, true})
	}
	return out
}

func (l location) key() string { return fmt.Sprint(l.negative, l.id) }

func (l location) create(campaign string) mutation {
	return creates("campaignCriterionOperation", map[string]any{
		"campaign": campaign, "negative": l.negative, "location": map[string]any{"geoTargetConstant": "geoTargetConstants/" + l.id},
	})
}

// changedCampaign makes the mutations of the changes. What the service has of the
// budget and the locations is asked for first.
func (s *sender) changedCampaign(ctx context.Context, op adsync.Operation, id string) ([]mutation, *adsync.Failure) {
	resource := s.resource("campaigns", id)
	object, mask := map[string]any{"resourceName": resource}, []string{}
	var out []mutation
	places := false
	for _, c := range op.Changes {
		switch c.Field {
		case "name", "status":
			object[c.Field] = c.After
			mask = append(mask, c.Field)
		case "locations", "excluded_locations":
			places = true
		case "budget.amount_micros":
			if c.After == "" {
				continue
			}
			rows, f := s.search(ctx, "SELECT campaign.campaign_budget FROM campaign WHERE campaign.id = "+digits(id))
			if f != nil {
				return nil, f
			}
			if len(rows) == 0 || rows[0].Campaign.Budget == "" {
				return nil, &adsync.Failure{Code: adsync.CodeGone, Detail: "The campaign is not there any more.", Unapplied: true}
			}
			out = append(out, updates("campaignBudgetOperation", map[string]any{"resourceName": rows[0].Campaign.Budget, "amountMicros": c.After}, []string{"amountMicros"}))
		}
	}
	if len(mask) > 0 {
		out = append(out, updates("campaignOperation", object, mask))
	}
	if !places {
		return out, nil
	}
	more, f := s.changedLocations(ctx, op, id)
	return append(out, more...), f
}

func (s *sender) changedLocations(ctx context.Context, op adsync.Operation, id string) ([]mutation, *adsync.Failure) {
	rows, f := s.search(ctx, locationQuery+digits(id)+")")
	if f != nil {
		return nil, f
	}
	want := map[string]bool{} // by negative and constant
	for _, l := range locationsOf(op.Fields) {
		want[l.key()] = true
	}
	var removed, added []mutation
	have := map[string]bool{}
	for _, r := range rows {
		key := location{strings.TrimPrefix(r.Criterion.Location.Constant, "geoTargetConstants/"), r.Criterion.Negative}.key()
		if have[key] = true; !want[key] {
			removed = append(removed, removes("campaignCriterionOperation", r.Criterion.Resource))
		}
	}
	campaign := s.resource("campaigns", id)
	for _, l := range locationsOf(op.Fields) {
		if !have[l.key()] {
			added = append(added, l.create(campaign))
		}
	}
	return append(removed, added...), nil
}

const locationQuery = "SELECT campaign.id, campaign_criterion.resource_name, campaign_criterion.negative, campaign_criterion.location.geo_target_constant " +
	"FROM campaign_criterion WHERE campaign_criterion.type = 'LOCATION' AND campaign.id IN ("

// findCampaign returns the id of the campaign whose name has the marker.
func (s *sender) findCampaign(ctx context.Context, marker string) (string, *adsync.Failure) {
	rows, f := s.search(ctx, "SELECT campaign.id FROM campaign WHERE campaign.name LIKE '%"+marker+"%' AND campaign.status != 'REMOVED'")
	if f != nil || len(rows) == 0 {
		return "", f
	}
	return rows[0].Campaign.ID, nil
}

// digits is an id for a query; what is no number becomes none.
func digits(ids ...string) string {
	var out []string
	for _, id := range ids {
		if id != "" && strings.Trim(id, "0123456789") == "" {
			out = append(out, id)
		}
	}
	if len(out) == 0 {
		return "0"
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
