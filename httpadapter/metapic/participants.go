package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/offers"
)

// participant is somebody's part in a campaign, or the promise of one.
type participant struct {
	ID            int64          `json:"id"`
	OfferID       int64          `json:"offer_id"`
	UserID        *int64         `json:"user_id"`      // null: pre-registered
	DisplayName   *string        `json:"display_name"` // of a pre-registration what it was registered by
	Clicks        int64          `json:"clicks"`
	Status        string         `json:"status"`
	Email         *string        `json:"pre_registered_email,omitempty"`
	Identifier    *string        `json:"pre_registered_identifier,omitempty"`
	Todo          []todoItem     `json:"todo"`
	PaymentAmount *laravel.Money `json:"payment_amount"`
	HasUnread     *bool          `json:"has_unread_notifications,omitempty"`
}

type todoItem struct {
	Key   string `json:"key" required:"true"`
	Value bool   `json:"value"`
}

func showParticipant(v offers.ParticipantView, c affiliate.Currency) participant {
	return participant{
		ID: v.ID, OfferID: v.OfferID, UserID: laravel.IDOrNull(v.UserID), DisplayName: nameOf(v),
		Clicks: v.Used.Clicks, Status: string(v.Status),
		Email: laravel.TextOrNull(v.Email), Identifier: laravel.TextOrNull(v.Identifier),
		Todo: showTodo(v.Todo), PaymentAmount: showPayment(v.PaymentAmount, c),
	}
}

// showTodo shows tasks; null: none.
func showTodo(todo []offers.TodoItem) []todoItem {
	if len(todo) == 0 {
		return nil
	}
	return laravel.ShowAll(todo, func(t offers.TodoItem) todoItem { return todoItem{t.Key, t.Done} })
}

// showPayment shows an amount in major units; null: none.
func showPayment(o affiliate.Optional[int64], c affiliate.Currency) *laravel.Money {
	if !o.Set {
		return nil
	}
	amount := laravel.Money(affiliate.NewMoney(o.Value, c))
	return &amount
}

// nameOf is what a participant is called; null: a user without a display name.
func nameOf(v offers.ParticipantView) *string {
	switch {
	case v.UserID != 0:
		return laravel.TextOrNull(v.User.Value.DisplayName)
	case v.Email != "":
		return &v.Email
	}
	return &v.Identifier
}

type listParticipants struct {
	OfferID int64 `path:"offer_id"`
	URL     wire.URL
	Page    int                      `query:"page" default:"1" min:"1" max:"1000000000"`
	Query   string                   `query:"query" json:"query" max:"255"`
	Status  offers.ParticipantStatus `query:"status" json:"status" enum:"open,applied,denied,accepted,store_denied,done,suggestion,second_prio,have_posted,have_received,product_sent"`
	Include wire.Value               `query:"include" json:"include"`
	Format  string                   `query:"format" json:"format" enum:"csv,xlsx"`
}

// participantsPage is the size of a page: the document has no parameter for it.
const participantsPage = 10

func (s *server) listParticipants(ctx context.Context, p affiliate.Principal, in listParticipants) (any, error) {
	o, err := s.owned(ctx, p, in.OfferID)
	if err != nil {
		return nil, err
	}
	f := offers.ParticipantFilter{OfferID: o.ID, Query: in.Query}
	if in.Status != "" {
		f.Statuses = []offers.ParticipantStatus{in.Status}
	}
	if in.Format != "" {
		return exportParticipants(o.Currency, laravel.Batches(affiliate.Sort{}, func(req affiliate.PageRequest) (affiliate.Page[offers.ParticipantView], error) {
			return s.offers.Participants(ctx, f, req)
		})).Export(in.Format)
	}
	req := affiliate.PageRequest{Number: in.Page, Size: participantsPage}
	page, err := s.offers.Participants(ctx, f, req)
	if err != nil {
		return nil, err
	}
	unread := included(in.Include, "has_unread_notifications") || included(in.Include, "has_unread_notification")
	return laravel.NewList(in.URL, req, page, func(v offers.ParticipantView) participant {
		shown := showParticipant(v, o.Currency)
		if unread {
			has := v.Unread > 0
			shown.HasUnread = &has
		}
		return shown
	}), nil
}

func exportParticipants(c affiliate.Currency, next func() ([]offers.ParticipantView, error)) laravel.Table[offers.ParticipantView] {
	type view = offers.ParticipantView
	return laravel.Table[view]{Name: "participants", Next: next, Columns: []laravel.Column[view]{
		laravel.NewColumn("id", func(v view) any { return v.ID }),
		laravel.NewColumn("user_id", func(v view) any { return laravel.IDCell(v.UserID) }),
		laravel.NewColumn("username", func(v view) any { return v.User.Value.Username }),
		laravel.NewColumn("display_name", func(v view) any { return laravel.TextCell(nameOf(v)) }),
		laravel.NewColumn("pre_registered_email", func(v view) any { return v.Email }),
		laravel.NewColumn("pre_registered_identifier", func(v view) any { return v.Identifier }),
		laravel.NewColumn("status", func(v view) any { return string(v.Status) }),
		laravel.NewColumn("clicks", func(v view) any { return v.Used.Clicks }),
		laravel.NewColumn("cost", func(v view) any { return v.Used.Spent }),
		laravel.NewColumn("payment_amount", func(v view) any { return laravel.OptionalCell(v.PaymentAmount) }),
		laravel.NewColumn("click_limit", func(v view) any { return laravel.OptionalCell(v.ClickLimit) }),
		laravel.NewColumn("currency", func(view) any { return string(c) }),
		laravel.NewColumn("created_at", func(v view) any { return laravel.TimeCell(v.CreatedAt) }),
	}}
}

// participantDetails are a participant alone, with what overrules the campaign.
type participantDetails struct {
	participant
	SocialMedia []socialMedia   `json:"social_media"`
	Tags        []userTag       `json:"tags"`
	ClickLimit  *int64          `json:"click_limit"`
	Costs       []campaignCosts `json:"traffic_sources_costs"`
}

type socialMedia struct {
	Type       string `json:"type"`
	Identifier string `json:"identifier"`
}

// getParticipant shows of the user's tags those that the principal sees.
func (s *server) getParticipant(ctx context.Context, p affiliate.Principal, in struct {
	OfferID       int64 `path:"offer_id"`
	ParticipantID int64 `path:"id"`
}) (out participantDetails, err error) {
	o, err := s.owned(ctx, p, in.OfferID)
	if err != nil {
		return out, err
	}
	v, err := s.offers.Participant(ctx, in.ParticipantID)
	if err == nil && v.OfferID != o.ID {
		err = affiliate.NotFound("participant", in.ParticipantID)
	}
	if err != nil {
		return out, err
	}
	f := tagsOf(p)
	f.IDs = ids(v.User.Value.TagIDs...)
	tags, err := s.core.UserTags(ctx, f, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
	if err != nil {
		return out, err
	}
	return participantDetails{
		participant: showParticipant(v, o.Currency),
		SocialMedia: laravel.ShowAll(v.User.Value.SocialMedia, func(m affiliate.SocialMedia) socialMedia { return socialMedia(m) }),
		Tags:        laravel.ShowAll(tags.Items, showUserTag),
		ClickLimit:  laravel.Pointer(v.ClickLimit),
		Costs:       showCosts(offers.Offer{ID: o.ID, Currency: o.Currency, Costs: v.Costs}, true),
	}, nil
}

// partPath names a participant of a campaign.
type partPath struct {
	OfferID       int64 `path:"offer_id"`
	ParticipantID int64 `path:"participant_id"`
}

// changePart changes a participant of a campaign of the principal's.
func (s *server) changePart(ctx context.Context, p affiliate.Principal, at partPath, change func(offers.View) (offers.ParticipantView, error)) (out participant, err error) {
	o, err := s.owned(ctx, p, at.OfferID)
	if err != nil {
		return out, err
	}
	v, err := change(o)
	if err != nil {
		return out, err
	}
	return showParticipant(v, o.Currency), nil
}

func (s *server) moveParticipant(ctx context.Context, p affiliate.Principal, in struct {
	partPath
	Status string `json:"status" required:"true" enum:"open,applied,denied,accepted,store_denied,done,suggestion,second_prio,have_posted,have_received,product_sent"`
}) (participant, error) {
	return s.changePart(ctx, p, in.partPath, func(o offers.View) (offers.ParticipantView, error) {
		return s.offers.MoveParticipant(ctx, o.ID, in.ParticipantID, offers.ParticipantStatus(in.Status), p.Actor())
	})
}

func (s *server) setTodo(ctx context.Context, p affiliate.Principal, in struct {
	partPath
	Todo []todoItem `json:"todo" required:"true" max:"100"`
}) (participant, error) {
	return s.changePart(ctx, p, in.partPath, func(o offers.View) (offers.ParticipantView, error) {
		return s.offers.SetTodo(ctx, o.ID, in.ParticipantID, laravel.ShowAll(in.Todo, func(t todoItem) offers.TodoItem { return offers.TodoItem{Key: t.Key, Done: t.Value} }))
	})
}

// setPaymentAmount: null gives back the campaign's own payment.
func (s *server) setPaymentAmount(ctx context.Context, p affiliate.Principal, in struct {
	partPath
	Amount wire.Optional[laravel.Amount] `json:"payment_amount"`
}) (participant, error) {
	if !in.Amount.Set {
		return participant{}, laravel.Invalid("payment_amount", "required", "is required")
	}
	return s.changePart(ctx, p, in.partPath, func(o offers.View) (offers.ParticipantView, error) {
		var sent affiliate.Optional[affiliate.Money]
		if a := in.Amount.Ptr(); a != nil {
			var v affiliate.Validation
			sent = affiliate.Some(affiliate.NewMoney(a.In(o.Currency, "payment_amount", &v), o.Currency))
			if err := v.Err("participant"); err != nil {
				return offers.ParticipantView{}, err
			}
		}
		return s.offers.SetPaymentAmount(ctx, o.ID, in.ParticipantID, sent)
	})
}

// setClickLimit: null takes the limit away.
func (s *server) setClickLimit(ctx context.Context, p affiliate.Principal, in struct {
	partPath
	Limit wire.Optional[int64] `json:"click_limit"`
}) (participant, error) {
	if !in.Limit.Set {
		return participant{}, laravel.Invalid("click_limit", "required", "is required")
	}
	return s.changePart(ctx, p, in.partPath, func(o offers.View) (offers.ParticipantView, error) {
		return s.offers.SetClickLimit(ctx, o.ID, in.ParticipantID, laravel.OptionalOf(in.Limit.Ptr()))
	})
}

// overrideCosts: null, or an empty list, gives back the campaign's own costs.
func (s *server) overrideCosts(ctx context.Context, p affiliate.Principal, in struct {
	partPath
	Costs wire.Optional[[]costFields] `json:"traffic_sources_costs" max:"5"`
}) (participant, error) {
	if !in.Costs.Set {
		return participant{}, laravel.Invalid("traffic_sources_costs", "required", "is required")
	}
	return s.changePart(ctx, p, in.partPath, func(o offers.View) (offers.ParticipantView, error) {
		var v affiliate.Validation
		costs := costsIn(in.Costs.Value, o.Currency, &v)
		if err := v.Err("participant"); err != nil {
			return offers.ParticipantView{}, err
		}
		return s.offers.SetCosts(ctx, o.ID, in.ParticipantID, costs)
	})
}

// partCheck says whether a user has a part in a campaign.
type partCheck struct {
	IsAdded     bool         `json:"is_added"`
	Participant *participant `json:"participant"`
}

func (s *server) checkUser(ctx context.Context, p affiliate.Principal, in struct {
	OfferID int64 `path:"offer_id"`
	UserID  int64 `path:"id"`
}) (out partCheck, err error) {
	o, err := s.owned(ctx, p, in.OfferID)
	if err != nil {
		return out, err
	}
	return s.check(ctx, o, in.UserID)
}

func (s *server) check(ctx context.Context, o offers.View, userID int64) (out partCheck, err error) {
	part, err := s.offers.ParticipantOf(ctx, o.ID, userID)
	if err == nil && part.Set {
		shown := showParticipant(part.Value, o.Currency)
		out = partCheck{true, &shown}
	}
	return out, err
}

// tokenPath names a campaign by its token, and a user.
type tokenPath struct {
	Token  string `path:"offer_token"`
	UserID int64  `path:"user_id"`
}

// checkUserByToken is for the user itself, its client, and who acts for the
// campaign's advertiser. Having the token is being invited to look.
func (s *server) checkUserByToken(ctx context.Context, p affiliate.Principal, in tokenPath) (out partCheck, err error) {
	o, err := s.offers.OfferByToken(ctx, in.Token)
	if err == nil && !p.ActsFor(o.AdvertiserID) {
		switch p.Role {
		case affiliate.RoleCreator, affiliate.RoleClient:
			if p.Role == affiliate.RoleCreator && p.UserID != in.UserID {
				return out, affiliate.NotFound("user", in.UserID)
			}
			err = s.mayActFor(ctx, p, in.UserID)
		default:
			err = affiliate.NotFound("offer", in.Token)
		}
	}
	if err != nil {
		return out, err
	}
	return s.check(ctx, o, in.UserID)
}

// join answers the part that the creator has then. A campaign that the creator
// may not see is not there.
func (s *server) join(ctx context.Context, p affiliate.Principal, in tokenPath) (out participant, err error) {
	o, err := s.offers.OfferByToken(ctx, in.Token)
	if err == nil {
		err = s.maySee(ctx, p, o)
	}
	if err != nil {
		return out, err
	}
	v, err := s.offers.Join(ctx, in.Token, p.UserID)
	if err != nil {
		return out, err
	}
	return showParticipant(v, o.Currency), nil
}
