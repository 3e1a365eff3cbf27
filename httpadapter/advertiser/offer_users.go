package advertiser

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/offers"
)

// offerUser is a creator's part in a campaign.
type offerUser struct {
	ID      int64  `json:"id"`
	OfferID int64  `json:"offer_id"`
	UserID  *int64 `json:"user_id"` // null: pre-registered
	Clicks  int64  `json:"clicks"`
	Status  string `json:"status"`
	timestamps
}

// listedOfferUser is a part with who has it. A pre-registration shows what it
// was registered by.
type listedOfferUser struct {
	offerUser
	Username    string `json:"username"`
	Email       string `json:"email"`
	IsSuspended bool   `json:"is_suspended"`
	IsVerified  bool   `json:"is_verified"`
}

func showOfferUser(v offers.ParticipantView) offerUser {
	return offerUser{
		ID: v.ID, OfferID: v.OfferID, UserID: laravel.IDOrNull(v.UserID), Clicks: v.Used.Clicks, Status: string(v.Status),
		timestamps: stamps(v.CreatedAt, v.UpdatedAt),
	}
}

func showListedOfferUser(v offers.ParticipantView) listedOfferUser {
	shown := listedOfferUser{offerUser: showOfferUser(v), Username: v.Identifier, Email: v.Email}
	if u := v.User; u.Set {
		shown.Username, shown.Email = u.Value.Username, u.Value.Email
		shown.IsSuspended, shown.IsVerified = !u.Value.SuspendedAt.IsZero(), !u.Value.VerifiedAt.IsZero()
	}
	return shown
}

func (s *server) listOfferUsers(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	OfferID int64 `path:"offerId"`
	paging
}) (list laravel.FlatList[listedOfferUser], err error) {
	if _, err := s.owned(ctx, in.StoreID, in.OfferID); err != nil {
		return list, err
	}
	req := in.request(pageSize)
	page, err := s.offers.For(affiliate.ViewerOf(p)).Participants(ctx, offers.ParticipantFilter{OfferID: in.OfferID}, req)
	return laravel.NewFlatList(in.URL, req, page, showListedOfferUser), err
}

// partPath names a creator's part in a campaign of a store.
type partPath struct {
	StoreID int64 `path:"id"`
	OfferID int64 `path:"offerId"`
	UserID  int64 `path:"userId"`
}

func (s *server) acceptOfferUser(ctx context.Context, p affiliate.Principal, in partPath) (offerUser, error) {
	return s.moveOfferUser(ctx, p, in, offers.Accepted)
}

func (s *server) denyOfferUser(ctx context.Context, p affiliate.Principal, in partPath) (offerUser, error) {
	return s.moveOfferUser(ctx, p, in, offers.StoreDenied)
}

func (s *server) moveOfferUser(ctx context.Context, p affiliate.Principal, at partPath, to offers.ParticipantStatus) (offerUser, error) {
	if _, err := s.owned(ctx, at.StoreID, at.OfferID); err != nil {
		return offerUser{}, err
	}
	part, err := s.offers.ParticipantOf(ctx, at.OfferID, at.UserID)
	if err == nil && !part.Set {
		err = affiliate.NotFound("participant", at.UserID)
	}
	if err != nil {
		return offerUser{}, err
	}
	moved, err := s.offers.MoveParticipant(ctx, at.OfferID, part.Value.ID, to, p.Actor())
	if err != nil {
		return offerUser{}, err
	}
	return showOfferUser(moved), nil
}
