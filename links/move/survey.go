package move

import (
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// survey finds out which users, groups, clients and tags the records refer to, and
// which campaigns there are.
func (w *walk) survey() error {
	w.named[Groups].add(w.advertiser.GroupID)
	w.named[Categories].add(w.advertiser.CategoryIDs...)
	if i := strings.LastIndexByte(w.advertiser.LogoURL, '/'); i >= 0 {
		w.images = append(w.images, w.advertiser.LogoURL[i+1:])
	}
	users := w.named[Users]
	for _, step := range []func() error{
		func() error {
			return each(w.listUsers, func(u affiliate.User) error { w.related.add(u.ID); users.add(u.ID); return nil })
		},
		func() error {
			return each(w.listBlocks, func(b affiliate.BlocklistEntry) error {
				users.add(b.UserID, b.CreatedBy.UserID)
				w.named[Clients].add(b.ClientID)
				w.named[SharedTags].add(b.UserTagID)
				return nil
			})
		},
		func() error {
			return each(w.listOffers, func(o offers.Offer) error {
				w.offers, w.images = append(w.offers, o.ID), append(w.images, o.ImageKey)
				users.add(o.CreatedBy.UserID)
				w.named[Groups].add(o.StoreGroupID)
				return w.surveyTargets(o.ID)
			})
		},
		func() error {
			return each(w.listBudgets, func(b offers.SharedBudget) error { w.budgets = append(w.budgets, b.ID); return nil })
		},
		func() error {
			return w.eachParticipant(func(p offers.Participant) error {
				users.add(p.UserID)
				return w.eachRemark(p.ID, func(c offers.Comment) error { users.add(c.Author.UserID); return nil },
					func(a offers.Activity) error { users.add(a.Actor.UserID); return nil })
			})
		},
		func() error {
			return each(w.listPayments, func(p orders.Payment) error { users.add(p.UserID); return nil })
		},
		func() error {
			return each(w.listAds, func(a returnads.Ad) error {
				w.images = append(w.images, a.ImageKey)
				users.add(a.Author.UserID)
				w.named[Groups].add(a.AdvertiserGroupID)
				w.named[Categories].add(a.CategoryIDs...)
				return nil
			})
		},
		func() error {
			configs, err := w.tx.StatsConfigs().ByAdvertiser(w.ctx, w.advertiser.ID)
			for _, c := range configs {
				w.named[SharedTags].add(c.TagIDs...)
			}
			return err
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// surveyTargets notes whom a campaign aims at by id: where somebody else has the id,
// the campaign must not aim at them.
func (w *walk) surveyTargets(offerID int64) error {
	targets, err := w.tx.Targets().Get(w.ctx, offerID)
	if err != nil {
		return err
	}
	var tiers []int64
	for _, t := range targets {
		id, err := strconv.ParseInt(t.Value, 10, 64)
		if err != nil {
			continue
		}
		switch t.Kind {
		case offers.TargetUser:
			w.named[Users].add(id)
		case offers.TargetTag:
			w.named[SharedTags].add(id)
		case offers.TargetGroup:
			w.named[Groups].add(id)
		case offers.TargetClient:
			w.named[Clients].add(id)
		case offers.TargetTier:
			tiers = append(tiers, id)
		}
	}
	if tiers == nil {
		return nil
	}
	found, err := w.tx.RevenueTiers().GetMany(w.ctx, ascending(tiers))
	for _, t := range found {
		w.named[Clients].add(t.ClientID)
	}
	return err
}
