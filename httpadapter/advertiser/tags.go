package advertiser

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/offers"
)

// userTag is a tag that a store sees.
type userTag struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
	timestamps
	AccessLevel int              `json:"access_level"`
	StoreID     *int64           `json:"store_id"`
	Pivot       map[string]int64 `json:"pivot,omitempty"`
}

// taggedOffers are a tag with the store's campaigns that are for it.
type taggedOffers struct {
	userTag
	Offers []taggedOffer `json:"offers"`
}

type taggedOffer struct {
	offer
	Pivot map[string]int64 `json:"pivot"`
}

func showTag(t affiliate.UserTag) userTag {
	return userTag{
		ID: t.ID, Name: t.Name, Slug: t.Slug, timestamps: stamps(t.CreatedAt, t.CreatedAt),
		AccessLevel: int(t.AccessLevel), StoreID: laravel.IDOrNull(t.AdvertiserID),
	}
}

// showTagsOf shows the tags of a user.
func showTagsOf(u affiliate.AdvertiserUser) []userTag {
	return laravel.ShowAll(u.Tags, func(t affiliate.UserTag) userTag {
		shown := showTag(t)
		shown.Pivot = map[string]int64{"user_id": u.ID, "user_tag_id": t.ID}
		return shown
	})
}

// withOffers shows tags with the store's campaigns that are for each.
func (s *server) withOffers(ctx context.Context, storeID int64, tags []affiliate.UserTag) ([]taggedOffers, error) {
	ids := make([]int64, len(tags))
	for i, t := range tags {
		ids[i] = t.ID
	}
	campaigns, err := s.offers.OffersByTag(ctx, storeID, ids)
	return laravel.ShowAll(tags, func(t affiliate.UserTag) taggedOffers {
		return taggedOffers{showTag(t), laravel.ShowAll(campaigns[t.ID], func(v offers.View) taggedOffer {
			return taggedOffer{showOffer(v), map[string]int64{"user_tag_id": t.ID, "offer_id": v.ID}}
		})}
	}), err
}

// listTags lists the tags for everyone and the store's own.
func (s *server) listTags(ctx context.Context, _ affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
}) ([]taggedOffers, error) {
	page, err := s.core.UserTags(ctx, affiliate.UserTagFilter{
		AccessLevels: []affiliate.AccessLevel{affiliate.AccessAll, affiliate.AccessStore}, AdvertiserIDs: []int64{in.StoreID},
	}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
	if err != nil {
		return nil, err
	}
	return s.withOffers(ctx, in.StoreID, page.Items)
}

// addTags returns the user's tags.
func (s *server) addTags(ctx context.Context, _ affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	UserID  int64 `path:"userId"`
	Tags    []struct {
		ID   int64  `json:"id" min:"1"`
		Name string `json:"name" max:"255"`
	} `json:"tags" required:"true" max:"100"`
}) ([]taggedOffers, error) {
	tags := make([]affiliate.TagInput, len(in.Tags))
	for i, t := range in.Tags {
		tags[i] = affiliate.TagInput(t)
	}
	u, err := s.core.TagAdvertiserUser(ctx, in.StoreID, in.UserID, tags)
	if err != nil {
		return nil, err
	}
	return s.withOffers(ctx, in.StoreID, u.Tags)
}
