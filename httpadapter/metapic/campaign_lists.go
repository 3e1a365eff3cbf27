package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/exports"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

type listCampaigns struct {
	laravel.Paging
	exports.FileForm
	Query             string              `query:"query" max:"64"`
	Statuses          []offers.Status     `query:"statuses" enum:"deleted,ended,scheduled,paused,active" max:"100"`
	StoreIDs          []int64             `query:"store_ids" max:"1000"`
	GroupIDs          []int64             `query:"store_group_ids" max:"1000"`
	CreatedBy         int64               `query:"created_by" min:"1"`
	OrID              int64               `query:"or_id" min:"1"`
	TargetUserID      int64               `query:"target_user_id" min:"1"`
	SortBy            affiliate.Sort      `query:"sort_by" sort:"id,name,campaign_title,type,store_id,currency,token,created_at,valid_from,valid_until"`
	CustomSortBy      string              `query:"custom_sort_by" enum:"ends_soon,active_first"`
	Include           wire.Value          `query:"include"`
	ShowForAdvertiser wire.Optional[bool] `query:"show_for_advertiser"`
	AdvertiserID      int64               `query:"advertiser_id" min:"1"`
}

// listCampaigns lists an admin all campaigns, a representative or an agency
// those of the advertiser_id, a creator those that are for it, and a client
// those that are for everyone, for it, or for the one of its users that it
// names. The whole list as a file is for those who act for advertisers.
func (s *server) listCampaigns(ctx context.Context, p affiliate.Principal, in listCampaigns) (list exports.Exported[laravel.List[campaign]], err error) {
	q := offers.OfferQuery{AdvertiserID: in.AdvertiserID, TargetUserID: in.TargetUserID, OfferFilter: offers.OfferFilter{
		Query: in.Query, AdvertiserIDs: in.StoreIDs, GroupIDs: in.GroupIDs, CreatedBy: in.CreatedBy, Statuses: in.Statuses,
		ShowForAdvertiser: laravel.OptionalOf(in.ShowForAdvertiser.Ptr()), OrID: in.OrID,
	}}
	req := in.Request(in.SortBy)
	if in.CustomSortBy != "" {
		req.Sort = affiliate.Sort{Column: in.CustomSortBy}
	}
	if in.Format != "" {
		if p.Role == affiliate.RoleCreator || p.Role == affiliate.RoleClient {
			return list, affiliate.Forbidden("")
		}
		return exports.AsFile[laravel.List[campaign]](exportCampaigns(exports.Batches(req.Sort, func(ctx context.Context, req affiliate.PageRequest) (affiliate.Page[offers.View], error) {
			return s.offers.Search(ctx, q, req)
		})).Export(ctx, s.offers.Snapshot, in.FileForm))
	}
	page, err := s.offers.Search(ctx, q, req)
	if err != nil {
		return list, err
	}
	withCosts := included(in.Include, "traffic_sources_costs")
	return wire.First[laravel.List[campaign], wire.Stream](laravel.NewList(in.URL, req, page, func(v offers.View) campaign {
		c := s.showCampaign(v)
		if withCosts {
			c.Costs = costsOf(v.Offer, p.ActsFor(v.AdvertiserID))
		}
		return c
	})), nil
}

// included reports whether an include parameter names something: as a text, in
// a list, or as the key of an object.
func included(v wire.Value, name string) bool {
	if v.Text() == name {
		return true
	}
	keys := v.Keys()
	for i, item := range v.Items() {
		if item.Text() == name || i < len(keys) && keys[i] == name && item.Text() != "0" && item.Text() != "false" {
			return true
		}
	}
	return false
}

func exportCampaigns(rows func() exports.Rows[offers.View]) exports.Table[offers.View] {
	return exports.Table[offers.View]{Name: "campaigns", Rows: rows, Columns: []exports.Column[offers.View]{
		exports.NewColumn("id", func(v offers.View) any { return v.ID }),
		exports.NewColumn("name", func(v offers.View) any { return v.Name }),
		exports.NewColumn("campaign_title", func(v offers.View) any { return v.Title }),
		exports.NewColumn("campaign_text", func(v offers.View) any { return v.Text }),
		exports.NewColumn("type", func(v offers.View) any { return string(v.Type) }),
		exports.NewColumn("status", func(v offers.View) any { return string(v.Status) }),
		exports.NewColumn("store_id", func(v offers.View) any { return v.AdvertiserID }),
		exports.NewColumn("store_name", func(v offers.View) any { return v.Advertiser.Name }),
		exports.NewColumn("currency", func(v offers.View) any { return string(v.Currency) }),
		exports.NewColumn("token", func(v offers.View) any { return v.Token }),
		exports.NewColumn("has_product_seeding", func(v offers.View) any { return v.HasProductSeeding }),
		exports.NewColumn("has_onetime_payment", func(v offers.View) any { return v.HasOneTimePayment }),
		exports.NewColumn("valid_from", func(v offers.View) any { return exports.TimeCell(v.ValidFrom) }),
		exports.NewColumn("valid_until", func(v offers.View) any { return exports.TimeCell(laravel.EndOf(v.ValidUntil, v.UntilDay)) }),
		exports.NewColumn("budget_limit", func(v offers.View) any { return exports.OptionalCell(v.BudgetLimit) }),
		exports.NewColumn("consumed_budget", func(v offers.View) any { return v.Used.Spent }),
		exports.NewColumn("max_clicks", func(v offers.View) any { return exports.OptionalCell(v.MaxClicks) }),
		exports.NewColumn("clicks", func(v offers.View) any { return v.Used.Clicks }),
		exports.NewColumn("created_at", func(v offers.View) any { return exports.TimeCell(v.CreatedAt) }),
	}}
}

type listUserCampaigns struct {
	UserID   int64                      `path:"user_id"`
	Status   offers.ParticipantStatus   `query:"status" enum:"open,applied,denied,accepted,store_denied,done,suggestion,second_prio,have_posted,have_received,product_sent"`
	Statuses []offers.ParticipantStatus `query:"statuses" enum:"open,applied,denied,accepted,store_denied,done,suggestion,second_prio,have_posted,have_received,product_sent" max:"100"`
	Name     string                     `query:"name" max:"128"`
}

// listUserCampaigns returns the campaigns that a user sees or takes part in, but
// for the standard ones.
func (s *server) listUserCampaigns(ctx context.Context, _ affiliate.Principal, in listUserCampaigns) ([]campaign, error) {
	if in.Status != "" && in.Statuses != nil {
		return nil, laravel.Invalid("status", "exclusive", "must not be used together with statuses")
	}
	f := offers.UserOffersFilter{Name: in.Name, Statuses: in.Statuses}
	if in.Status != "" {
		f.Statuses = []offers.ParticipantStatus{in.Status}
	}
	found, err := s.offers.UserOffers(ctx, in.UserID, f)
	if err != nil {
		return nil, err
	}
	list := []campaign{}
	for _, o := range found {
		if o.Type == offers.Standard {
			continue
		}
		c := s.showCampaign(o.View)
		c.Participation = showParticipation(o)
		list = append(list, c)
	}
	return list, nil
}

// participation is a user's part in a campaign, as the user sees it. The id is
// null where there is none yet; the status is then what it would begin with.
type participation struct {
	ID            *int64         `json:"id"`
	Status        string         `json:"status"`
	Todo          []todoItem     `json:"todo" null:"true"`
	PaymentAmount *laravel.Money `json:"payment_amount"`
}

func showParticipation(o offers.UserOffer) *participation {
	part := o.Participant.Value
	return &participation{
		ID: laravel.IDOrNull(part.ID), Status: string(o.PartStatus),
		Todo: showTodo(part.Todo), PaymentAmount: showPayment(part.PaymentAmount, o.Currency),
	}
}
