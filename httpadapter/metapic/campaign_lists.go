package metapic

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

type listCampaigns struct {
	laravel.Paging
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
	Format            string              `query:"format" enum:"csv,xlsx"`
	ShowForAdvertiser wire.Optional[bool] `query:"show_for_advertiser"`
	AdvertiserID      int64               `query:"advertiser_id" min:"1"`
}

// listCampaigns answers an admin all campaigns, a representative or an agency
// those of the advertiser_id, a creator those that are for it, and a client
// those that are for everyone, for it, or for the one of its users that it
// names. The whole list as a file is for those who act for advertisers.
func (s *server) listCampaigns(ctx context.Context, p affiliate.Principal, in listCampaigns) (any, error) {
	f, err := s.campaignsOf(ctx, p, in)
	if err != nil {
		return nil, err
	}
	req := in.Request(in.SortBy)
	if in.CustomSortBy != "" {
		req.Sort = affiliate.Sort{Column: in.CustomSortBy}
	}
	if in.Format != "" {
		if p.Role == affiliate.RoleCreator || p.Role == affiliate.RoleClient {
			return nil, affiliate.Forbidden("")
		}
		return exportCampaigns(s.pagesOf(ctx, f, req.Sort)).Export(in.Format)
	}
	page, err := s.offers.Offers(ctx, f, req)
	if err != nil {
		return nil, err
	}
	withCosts := included(in.Include, "traffic_sources_costs")
	return laravel.NewList(in.URL, req, page, func(v offers.View) campaign {
		c := s.showCampaign(v)
		if withCosts {
			c.Costs = costsOf(v.Offer, p.ActsFor(v.AdvertiserID))
		}
		return c
	}), nil
}

// campaignsOf chooses the campaigns that a principal sees, and of those the
// ones that it asks for.
func (s *server) campaignsOf(ctx context.Context, p affiliate.Principal, in listCampaigns) (f offers.OfferFilter, err error) {
	if err := s.mayAskAbout(ctx, p, in.AdvertiserID); err != nil {
		return f, err
	}
	if p.Role == affiliate.RoleCreator || p.Role == affiliate.RoleClient {
		if f, err = s.campaignsFor(ctx, p, in.TargetUserID); err != nil {
			return f, err
		}
	} else if in.TargetUserID != 0 {
		if f.Targets, err = s.targetsOf(ctx, in.TargetUserID); err != nil {
			return f, err
		}
	}
	f.Query, f.GroupIDs, f.CreatedBy = in.Query, in.GroupIDs, in.CreatedBy
	f.AdvertiserIDs = among(f.AdvertiserIDs, in.StoreIDs)
	if in.AdvertiserID != 0 {
		f.AdvertiserIDs = among(f.AdvertiserIDs, ids(in.AdvertiserID))
	}
	if in.Statuses != nil {
		f.Statuses = in.Statuses
	}
	switch p.Role {
	case affiliate.RoleAdmin:
		f.ShowForAdvertiser = laravel.OptionalOf(in.ShowForAdvertiser.Ptr())
	case affiliate.RoleCreator, affiliate.RoleClient:
		f.Statuses = undeleted(f.Statuses)
	}
	if in.OrID != 0 {
		f.OrID, err = s.visibleID(ctx, p, in.OrID)
	}
	return f, err
}

// among are the ids that are on both lists; a nil one has all.
func among(a, b []int64) []int64 {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return slices.DeleteFunc(ids(a...), func(id int64) bool { return !slices.Contains(b, id) })
}

// undeleted are the statuses, all of them for nil, but deleted.
func undeleted(statuses []offers.Status) []offers.Status {
	if statuses == nil {
		statuses = offers.Statuses()
	}
	return slices.DeleteFunc(slices.Clone(statuses), func(st offers.Status) bool { return st == offers.Deleted })
}

// visibleID is the id, or 0 when the principal does not see that campaign: or_id
// goes around the other filters, and must not go around this.
func (s *server) visibleID(ctx context.Context, p affiliate.Principal, id int64) (int64, error) {
	v, err := s.offers.Offer(ctx, id)
	if err == nil {
		err = s.maySee(ctx, p, v)
	}
	return idIfFound(id, err)
}

// idIfFound is the id, or 0 when there was nothing to be found.
func idIfFound(id int64, err error) (int64, error) {
	if errors.Is(err, affiliate.ErrNotFound) {
		return 0, nil
	}
	return id, err
}

// campaignsFor chooses the campaigns that a creator or a client is shown.
func (s *server) campaignsFor(ctx context.Context, p affiliate.Principal, userID int64) (offers.OfferFilter, error) {
	nothing := offers.OfferFilter{Targets: []offers.Target{}}
	if p.Role == affiliate.RoleCreator {
		if userID != 0 && userID != p.UserID {
			return nothing, nil
		}
		return s.shownTo(ctx, p.UserID)
	}
	if userID != 0 {
		err := s.mayActFor(ctx, p, userID)
		if errors.Is(err, affiliate.ErrNotFound) {
			return nothing, nil
		}
		if err != nil {
			return nothing, err
		}
		return s.shownTo(ctx, userID)
	}
	c, err := s.core.Client(ctx, p.ClientID)
	if err != nil {
		return nothing, err
	}
	f := offers.OfferFilter{ShownAdvertisers: true, Targets: []offers.Target{
		{Kind: offers.TargetEveryone}, {Kind: offers.TargetClient, Value: strconv.FormatInt(c.ID, 10)},
	}}
	if c.GroupID != 0 {
		f.Targets = append(f.Targets, offers.Target{Kind: offers.TargetGroup, Value: strconv.FormatInt(c.GroupID, 10)})
	}
	return f, nil
}

// shownTo chooses the campaigns that are for a user, of advertisers that it sees.
func (s *server) shownTo(ctx context.Context, userID int64) (f offers.OfferFilter, err error) {
	f.ShownAdvertisers = true
	if f.Targets, err = s.offers.TargetsOfUser(ctx, userID); err != nil {
		return f, err
	}
	f.ExcludedAdvertisers, err = s.core.Blocking(ctx, userID)
	return f, err
}

// targetsOf are the targets that name a user; one that is not there has none.
func (s *server) targetsOf(ctx context.Context, userID int64) ([]offers.Target, error) {
	targets, err := s.offers.TargetsOfUser(ctx, userID)
	if errors.Is(err, affiliate.ErrNotFound) {
		return []offers.Target{}, nil
	}
	return targets, err
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

// pagesOf reads a list of campaigns from its beginning.
func (s *server) pagesOf(ctx context.Context, f offers.OfferFilter, by affiliate.Sort) func() ([]offers.View, error) {
	return laravel.Batches(by, func(req affiliate.PageRequest) (affiliate.Page[offers.View], error) {
		return s.offers.Offers(ctx, f, req)
	})
}

func exportCampaigns(next func() ([]offers.View, error)) laravel.Table[offers.View] {
	return laravel.Table[offers.View]{Name: "campaigns", Next: next, Columns: []laravel.Column[offers.View]{
		laravel.NewColumn("id", func(v offers.View) any { return v.ID }),
		laravel.NewColumn("name", func(v offers.View) any { return v.Name }),
		laravel.NewColumn("campaign_title", func(v offers.View) any { return v.Title }),
		laravel.NewColumn("campaign_text", func(v offers.View) any { return v.Text }),
		laravel.NewColumn("type", func(v offers.View) any { return string(v.Type) }),
		laravel.NewColumn("status", func(v offers.View) any { return string(v.Status) }),
		laravel.NewColumn("store_id", func(v offers.View) any { return v.AdvertiserID }),
		laravel.NewColumn("store_name", func(v offers.View) any { return v.Advertiser.Name }),
		laravel.NewColumn("currency", func(v offers.View) any { return string(v.Currency) }),
		laravel.NewColumn("token", func(v offers.View) any { return v.Token }),
		laravel.NewColumn("has_product_seeding", func(v offers.View) any { return v.HasProductSeeding }),
		laravel.NewColumn("has_onetime_payment", func(v offers.View) any { return v.HasOneTimePayment }),
		laravel.NewColumn("valid_from", func(v offers.View) any { return laravel.TimeCell(v.ValidFrom) }),
		laravel.NewColumn("valid_until", func(v offers.View) any { return laravel.TimeCell(laravel.EndOf(v.ValidUntil, v.UntilDay)) }),
		laravel.NewColumn("budget_limit", func(v offers.View) any { return laravel.OptionalCell(v.BudgetLimit) }),
		laravel.NewColumn("consumed_budget", func(v offers.View) any { return v.Used.Spent }),
		laravel.NewColumn("max_clicks", func(v offers.View) any { return laravel.OptionalCell(v.MaxClicks) }),
		laravel.NewColumn("clicks", func(v offers.View) any { return v.Used.Clicks }),
		laravel.NewColumn("created_at", func(v offers.View) any { return laravel.TimeCell(v.CreatedAt) }),
	}}
}

type listUserCampaigns struct {
	UserID   int64                      `path:"user_id"`
	Status   offers.ParticipantStatus   `query:"status" enum:"open,applied,denied,accepted,store_denied,done,suggestion,second_prio,have_posted,have_received,product_sent"`
	Statuses []offers.ParticipantStatus `query:"statuses" enum:"open,applied,denied,accepted,store_denied,done,suggestion,second_prio,have_posted,have_received,product_sent" max:"100"`
	Name     string                     `query:"name" max:"128"`
}

// listUserCampaigns answers the campaigns that a user sees or takes part in, but
// for the standard ones.
func (s *server) listUserCampaigns(ctx context.Context, p affiliate.Principal, in listUserCampaigns) ([]campaign, error) {
	if in.Status != "" && in.Statuses != nil {
		return nil, laravel.Invalid("status", "exclusive", "must not be used together with statuses")
	}
	if err := s.mayActFor(ctx, p, in.UserID); err != nil {
		return nil, err
	}
	f := offers.UserOffersFilter{Name: in.Name, Statuses: in.Statuses}
	if in.Status != "" {
		f.Statuses = []offers.ParticipantStatus{in.Status}
	}
	blocking, err := s.core.Blocking(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	found, err := s.offers.UserOffers(ctx, in.UserID, f)
	if err != nil {
		return nil, err
	}
	list := []campaign{}
	for _, o := range found {
		sees := o.Participant.Set || shown(o.Advertiser)
		if o.Type == offers.Standard || !sees || slices.Contains(blocking, o.AdvertiserID) {
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
	Todo          []todoItem     `json:"todo"`
	PaymentAmount *laravel.Money `json:"payment_amount"`
}

func showParticipation(o offers.UserOffer) *participation {
	part := o.Participant.Value
	return &participation{
		ID: laravel.IDOrNull(part.ID), Status: string(o.Standing),
		Todo: showTodo(part.Todo), PaymentAmount: showPayment(part.PaymentAmount, o.Currency),
	}
}
