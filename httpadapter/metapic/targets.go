package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/offers"
)

// targets name whom a campaign is for, in requests and answers.
type targets struct {
	UserIDs        []int64  `json:"user_ids" max:"10000"`
	UserTagIDs     []int64  `json:"user_tag_ids" max:"10000"`
	StoreGroupIDs  []int64  `json:"store_group_ids" max:"10000"`
	Emails         []string `json:"emails" max:"10000"`
	Identifiers    []string `json:"social_media_identifiers" max:"10000"`
	ClientIDs      []int64  `json:"client_ids" max:"10000"`
	RevenueTierIDs []int64  `json:"revenue_tier_ids" max:"10000"`
}

// domain are the targets as the domain takes them.
func (t targets) domain() offers.Targets {
	return offers.Targets{
		UserIDs: t.UserIDs, TagIDs: t.UserTagIDs, StoreGroupIDs: t.StoreGroupIDs, ClientIDs: t.ClientIDs,
		RevenueTierIDs: t.RevenueTierIDs, Emails: t.Emails, Identifiers: t.Identifiers,
	}
}

// showTargets shows all seven lists.
func showTargets(t offers.Targets) targets {
	return targets{
		UserIDs: laravel.OrEmpty(t.UserIDs), UserTagIDs: laravel.OrEmpty(t.TagIDs), StoreGroupIDs: laravel.OrEmpty(t.StoreGroupIDs),
		Emails: append([]string{}, t.Emails...), Identifiers: append([]string{}, t.Identifiers...),
		ClientIDs: laravel.OrEmpty(t.ClientIDs), RevenueTierIDs: laravel.OrEmpty(t.RevenueTierIDs),
	}
}

// warnings tell what of a request was left out.
type warnings struct {
	SkippedTargets skippedTargets `json:"skipped_targets"`
}

// skippedTargets are the targets that were left out, of those kinds that had any.
type skippedTargets struct {
	UserIDs        []int64  `json:"user_ids,omitempty"`
	UserTagIDs     []int64  `json:"user_tag_ids,omitempty"`
	StoreGroupIDs  []int64  `json:"store_group_ids,omitempty"`
	Emails         []string `json:"emails,omitempty"`
	Identifiers    []string `json:"social_media_identifiers,omitempty"`
	ClientIDs      []int64  `json:"client_ids,omitempty"`
	RevenueTierIDs []int64  `json:"revenue_tier_ids,omitempty"`
}

func showSkipped(t offers.Targets) skippedTargets {
	return skippedTargets{
		UserIDs: t.UserIDs, UserTagIDs: t.TagIDs, StoreGroupIDs: t.StoreGroupIDs, Emails: t.Emails,
		Identifiers: t.Identifiers, ClientIDs: t.ClientIDs, RevenueTierIDs: t.RevenueTierIDs,
	}
}

func (s *server) listTargets(ctx context.Context, _ affiliate.Principal, in offerPath) (out targets, err error) {
	t, _, err := s.offers.Targets(ctx, in.OfferID)
	return showTargets(t), err
}

// addedTargets are all targets of a campaign, and what of the new ones was
// left out.
type addedTargets struct {
	targets
	Warnings warnings `json:"warnings"`
}

func (s *server) addTargets(ctx context.Context, _ affiliate.Principal, in struct {
	OfferID int64 `path:"offer_id"`
	targets
}) (out addedTargets, err error) {
	all, skipped, err := s.offers.AddTargets(ctx, in.OfferID, in.domain())
	return addedTargets{showTargets(all), warnings{showSkipped(skipped)}}, err
}
