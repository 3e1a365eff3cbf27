package offers

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// SetUserOffer changes the advertiser's offer for one creator alone
// (user-offer-add): the newest offer whose only target is that user. Without
// one it makes a standard offer for it, ahead of the others. Change gets the
// offer as it is and may run again.
func (s *Service) SetUserOffer(ctx context.Context, advertiserID, userID int64, by affiliate.Actor, change func(*Offer)) (Saved, error) {
	token, err := s.text(tokenLength)
	if err != nil {
		return Saved{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Saved, error) {
		if !s.viewer.ActsFor(advertiserID) {
			return Saved{}, affiliate.NotFound("advertiser", advertiserID)
		}
		u, err := tx.Users().Get(ctx, userID)
		if err != nil {
			return Saved{}, err
		}
		own, found, err := s.userOffer(ctx, tx, advertiserID, userID)
		if err != nil {
			return Saved{}, err
		}
		if found {
			if own, err = s.locked(ctx, tx, own.ID); err != nil {
				return Saved{}, err
			}
			return s.update(ctx, tx, own, OfferChange{Change: func(o *Offer, _ *OfferChange) error {
				change(o)
				return nil
			}})
		}
		o := Offer{AdvertiserID: advertiserID, Type: Standard, Name: "Offer for " + u.Username, CreatedBy: by}
		change(&o)
		return s.create(ctx, tx, token, OfferInput{
			Offer: o, Targets: Targets{UserIDs: []int64{userID}}, Priority: affiliate.Some(V1Priority(100)),
		})
	})
}

// userOffer finds the newest offer whose only target is the user.
func (s *Service) userOffer(ctx context.Context, tx Tx, advertiserID, userID int64) (Offer, bool, error) {
	mine := idTarget(TargetUser, userID)
	f := OfferFilter{AdvertiserIDs: []int64{advertiserID}, Targets: []Target{mine}}
	for page := 1; ; page++ {
		list, err := tx.Offers().List(ctx, f, affiliate.PageRequest{Number: page, Size: 100, Sort: affiliate.Sort{Column: "created_at", Desc: true}})
		if err != nil || len(list.Items) == 0 {
			return Offer{}, false, err
		}
		live := slices.DeleteFunc(list.Items, func(o Offer) bool { return !o.DeletedAt.IsZero() })
		targets, err := tx.Targets().GetMany(ctx, offerIDs(live))
		if err != nil {
			return Offer{}, false, err
		}
		for _, o := range live {
			if slices.Equal(targets[o.ID], []Target{mine}) {
				return o, true, nil
			}
		}
	}
}

// OffersByTag returns an advertiser's offers that target each of the tags,
// deleted ones left out (user-tags-list).
func (s *Service) OffersByTag(ctx context.Context, advertiserID int64, tagIDs []int64) (map[int64][]View, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (map[int64][]View, error) {
		out := make(map[int64][]View, len(tagIDs))
		wanted := make(map[Target]int64, len(tagIDs))
		f := OfferFilter{AdvertiserIDs: []int64{advertiserID}, Targets: []Target{}}
		for _, id := range idset.Sorted(tagIDs) {
			target := idTarget(TargetTag, id)
			wanted[target] = id
			f.Targets = append(f.Targets, target)
		}
		for page := 1; ; page++ {
			list, err := tx.Offers().List(ctx, f, affiliate.PageRequest{Number: page, Size: affiliate.MaxPageSize})
			if err != nil {
				return nil, err
			}
			live := slices.DeleteFunc(list.Items, func(o Offer) bool { return !o.DeletedAt.IsZero() })
			shown, err := views(ctx, tx, s.clock.Now(), live)
			if err != nil {
				return nil, err
			}
			targets, err := tx.Targets().GetMany(ctx, offerIDs(live))
			if err != nil {
				return nil, err
			}
			for _, v := range shown {
				for _, target := range targets[v.ID] {
					if id, ok := wanted[target]; ok {
						out[id] = append(out[id], v)
					}
				}
			}
			if page*affiliate.MaxPageSize >= list.Total {
				return out, nil
			}
		}
	})
}

func offerIDs(list []Offer) []int64 {
	ids := make([]int64, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	return ids
}
