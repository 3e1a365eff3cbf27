package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/exports"
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
	Todo          []todoItem     `json:"todo" null:"true"`
	PaymentAmount *laravel.Money `json:"payment_amount"`
	HasUnread     *bool          `json:"has_unread_notifications,omitempty"`
}

type todoItem struct {
	Key   string `json:"key" required:"true"`
	Value bool   `json:"value"`
}

func showParticipant(v offers.ParticipantView) participant {
	return participant{
		ID: v.ID, OfferID: v.OfferID, UserID: laravel.IDOrNull(v.UserID), DisplayName: nameOf(v),
		Clicks: v.Used.Clicks, Status: string(v.Status),
		Email: laravel.TextOrNull(v.Email), Identifier: laravel.TextOrNull(v.Identifier),
		Todo: showTodo(v.Todo), PaymentAmount: showPayment(v.PaymentAmount, v.Currency),
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
	exports.FileForm
}

// participantsPage is the size of a page: the document has no parameter for it.
const participantsPage = 10

func (s *server) listParticipants(ctx context.Context, _ affiliate.Principal, in listParticipants) (list exports.Exported[laravel.List[participant]], err error) {
	f := offers.ParticipantFilter{OfferID: in.OfferID, Query: in.Query}
	if in.Status != "" {
		f.Statuses = []offers.ParticipantStatus{in.Status}
	}
	if in.Format != "" {
		return exports.AsFile[laravel.List[participant]](exportParticipants(exports.Batches(affiliate.Sort{}, func(ctx context.Context, req affiliate.PageRequest) (affiliate.Page[offers.ParticipantView], error) {
			return s.offers.Participants(ctx, f, req)
		})).Export(ctx, s.offers.Snapshot, in.FileForm))
	}
	req := affiliate.PageRequest{Number: in.Page, Size: participantsPage}
	page, err := s.offers.Participants(ctx, f, req)
	if err != nil {
		return list, err
	}
	unread := included(in.Include, "has_unread_notifications") || included(in.Include, "has_unread_notification")
	return wire.First[laravel.List[participant], wire.Stream](laravel.NewList(in.URL, req, page, func(v offers.ParticipantView) participant {
		shown := showParticipant(v)
		if unread {
			has := v.Unread > 0
			shown.HasUnread = &has
		}
		return shown
	})), nil
}

func exportParticipants(rows func() exports.Rows[offers.ParticipantView]) exports.Table[offers.ParticipantView] {
	type view = offers.ParticipantView
	return exports.Table[view]{Name: "participants", Rows: rows, Columns: []exports.Column[view]{
		exports.NewColumn("id", func(v view) any { return v.ID }),
		exports.NewColumn("user_id", func(v view) any { return exports.IDCell(v.UserID) }),
		exports.NewColumn("username", func(v view) any { return v.User.Value.Username }),
		exports.NewColumn("display_name", func(v view) any { return exports.TextCell(nameOf(v)) }),
		exports.NewColumn("pre_registered_email", func(v view) any { return v.Email }),
		exports.NewColumn("pre_registered_identifier", func(v view) any { return v.Identifier }),
		exports.NewColumn("status", func(v view) any { return string(v.Status) }),
		exports.NewColumn("clicks", func(v view) any { return v.Used.Clicks }),
		exports.NewColumn("cost", func(v view) any { return v.Used.Spent }),
		exports.NewColumn("payment_amount", func(v view) any { return exports.OptionalCell(v.PaymentAmount) }),
		exports.NewColumn("click_limit", func(v view) any { return exports.OptionalCell(v.ClickLimit) }),
		exports.NewColumn("currency", func(v view) any { return string(v.Currency) }),
		exports.NewColumn("created_at", func(v view) any { return exports.TimeCell(v.CreatedAt) }),
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
func (s *server) getParticipant(ctx context.Context, _ affiliate.Principal, in struct {
	OfferID       int64 `path:"offer_id"`
	ParticipantID int64 `path:"id"`
}) (out participantDetails, err error) {
	v, err := s.offers.ParticipantIn(ctx, in.OfferID, in.ParticipantID)
	if err != nil {
		return out, err
	}
	return participantDetails{
		participant: showParticipant(v),
		SocialMedia: laravel.ShowAll(v.User.Value.SocialMedia, func(m affiliate.SocialMedia) socialMedia { return socialMedia(m) }),
		Tags:        laravel.ShowAll(v.Tags, showUserTag),
		ClickLimit:  laravel.Pointer(v.ClickLimit),
		Costs:       showCosts(offers.Offer{ID: v.OfferID, Currency: v.Currency, Costs: v.Costs}, true),
	}, nil
}

// partPath names a participant of a campaign.
type partPath struct {
	OfferID       int64 `path:"offer_id"`
	ParticipantID int64 `path:"participant_id"`
}

// changedPart shows a participant after a change.
func changedPart(v offers.ParticipantView, err error) (participant, error) {
	if err != nil {
		return participant{}, err
	}
	return showParticipant(v), nil
}

func (s *server) moveParticipant(ctx context.Context, p affiliate.Principal, in struct {
	partPath
	Status string `json:"status" required:"true" enum:"open,applied,denied,accepted,store_denied,done,suggestion,second_prio,have_posted,have_received,product_sent"`
}) (participant, error) {
	return changedPart(s.offers.MoveParticipant(ctx, in.OfferID, in.ParticipantID, offers.ParticipantStatus(in.Status), p.Actor()))
}

func (s *server) setTodo(ctx context.Context, _ affiliate.Principal, in struct {
	partPath
	Todo []todoItem `json:"todo" required:"true" max:"100"`
}) (participant, error) {
	return changedPart(s.offers.SetTodo(ctx, in.OfferID, in.ParticipantID, laravel.ShowAll(in.Todo, func(t todoItem) offers.TodoItem { return offers.TodoItem{Key: t.Key, Done: t.Value} })))
}

// setPaymentAmount: null gives back the campaign's own payment.
func (s *server) setPaymentAmount(ctx context.Context, _ affiliate.Principal, in struct {
	partPath
	Amount wire.Optional[laravel.Amount] `json:"payment_amount"`
}) (participant, error) {
	if !in.Amount.Set {
		return participant{}, laravel.Invalid("payment_amount", "required", "is required")
	}
	var sent affiliate.Optional[affiliate.Money]
	if a := in.Amount.Ptr(); a != nil {
		sent = affiliate.Some(a.Money())
	}
	return changedPart(s.offers.SetPaymentAmount(ctx, in.OfferID, in.ParticipantID, sent))
}

// setClickLimit: null takes the limit away.
func (s *server) setClickLimit(ctx context.Context, _ affiliate.Principal, in struct {
	partPath
	Limit wire.Optional[int64] `json:"click_limit"`
}) (participant, error) {
	if !in.Limit.Set {
		return participant{}, laravel.Invalid("click_limit", "required", "is required")
	}
	return changedPart(s.offers.SetClickLimit(ctx, in.OfferID, in.ParticipantID, laravel.OptionalOf(in.Limit.Ptr())))
}

// overrideCosts: null, or an empty list, gives back the campaign's own costs.
func (s *server) overrideCosts(ctx context.Context, _ affiliate.Principal, in struct {
	partPath
	Costs wire.Optional[[]costFields] `json:"traffic_sources_costs" max:"5"`
}) (participant, error) {
	if !in.Costs.Set {
		return participant{}, laravel.Invalid("traffic_sources_costs", "required", "is required")
	}
	return changedPart(s.offers.SetCosts(ctx, in.OfferID, in.ParticipantID, func(c affiliate.Currency) ([]offers.Costs, error) {
		var v affiliate.Validation
		costs := costsIn(in.Costs.Value, c, &v)
		return costs, v.Err("participant")
	}))
}

// partCheck says whether a user has a part in a campaign.
type partCheck struct {
	IsAdded     bool         `json:"is_added"`
	Participant *participant `json:"participant"`
}

func (s *server) checkUser(ctx context.Context, _ affiliate.Principal, in struct {
	OfferID int64 `path:"offer_id"`
	UserID  int64 `path:"id"`
}) (partCheck, error) {
	return checked(s.offers.ParticipantOf(ctx, in.OfferID, in.UserID))
}

func checked(part affiliate.Optional[offers.ParticipantView], err error) (partCheck, error) {
	if err != nil || !part.Set {
		return partCheck{}, err
	}
	shown := showParticipant(part.Value)
	return partCheck{true, &shown}, nil
}

// tokenPath names a campaign by its token, and a user.
type tokenPath struct {
	Token  string `path:"offer_token"`
	UserID int64  `path:"user_id"`
}

// checkUserByToken is for the user itself, its client, and who acts for the
// campaign's advertiser. Having the token is being invited to look.
func (s *server) checkUserByToken(ctx context.Context, _ affiliate.Principal, in tokenPath) (partCheck, error) {
	return checked(s.offers.ParticipantByToken(ctx, in.Token, in.UserID))
}

// join shows the part that the creator has then. A campaign that the creator
// may not see is not there.
func (s *server) join(ctx context.Context, p affiliate.Principal, in tokenPath) (participant, error) {
	return changedPart(s.offers.Join(ctx, in.Token, p.UserID))
}
