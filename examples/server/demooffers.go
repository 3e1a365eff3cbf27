package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// demoOffer is a campaign, whom it is for (nobody named: everyone), and who
// takes part in it from the beginning.
type demoOffer struct {
	offers.Offer
	targets []offers.Target
	parts   []offers.Participant
}

// demoBudgets are shared budgets: several campaigns draw on one.
func demoBudgets(ids demoIDs) []named[offers.SharedBudget] {
	return []named[offers.SharedBudget]{
		{"season", offers.SharedBudget{AdvertiserID: ids["advertisers"]["acme"], Title: "Season", Amount: 5_000_000, Currency: "SEK"}},
	}
}

// demoOffers are acme's: one for everyone that pays what acme pays anyway but
// has a budget of its own, two that draw on the season's, of which one waits
// for anna to join; and one of nordic's to apply for. Their tokens say which
// they are.
func demoOffers(ids demoIDs) []named[demoOffer] {
	acme, nordic := ids["advertisers"]["acme"], ids["advertisers"]["nordic"]
	anna, season := ids["users"]["anna"], ids["budgets"]["season"]
	double := []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](20), InvoiceCPC: affiliate.Some[int64](24)}}}
	return []named[demoOffer]{
		{"summer", demoOffer{
			Offer: offers.Offer{
				AdvertiserID: acme, Currency: "SEK", Type: offers.Standard, Token: "demosummer000001", Priority: offers.V1Priority(50),
				Name: "Summer", Title: "Summer at Acme", Text: "Show what you eat in the sun.", BudgetLimit: affiliate.Some[int64](10_000_000),
			},
			targets: []offers.Target{{Kind: offers.TargetEveryone}},
		}},
		{"friends", demoOffer{
			Offer: offers.Offer{
				AdvertiserID: acme, Currency: "SEK", Type: offers.Standard, Token: "demofriends00001", Priority: offers.V1Priority(60),
				Name: "Friends", Title: "For friends of Acme", Costs: double, SharedBudgetID: season,
			},
			targets: []offers.Target{targetID(offers.TargetTag, ids["tags"]["acme_friends"])},
		}},
		{"tasting", demoOffer{
			Offer: offers.Offer{
				AdvertiserID: acme, Currency: "SEK", Type: offers.StoreAccept, Token: "demotasting00001", Priority: offers.V1Priority(70),
				Name: "Tasting", Title: "Taste it first", HasProductSeeding: true, Todo: []string{"taste", "post"}, Costs: double, SharedBudgetID: season,
			},
			targets: []offers.Target{targetID(offers.TargetUser, anna)},
			parts:   []offers.Participant{{UserID: anna, Status: offers.Open, Todo: []offers.TodoItem{{Key: "taste"}, {Key: "post"}}}},
		}},
		{"winter", demoOffer{
			Offer: offers.Offer{
				AdvertiserID: nordic, Currency: "EUR", Type: offers.UserApply, Token: "demowinter000001", Priority: offers.V1Priority(50),
				Name: "Winter", Title: "Winter care", HasOneTimePayment: true, OneTimePayment: 10_000,
			},
			targets: []offers.Target{{Kind: offers.TargetEveryone}},
		}},
	}
}

func targetID(kind offers.TargetKind, id int64) offers.Target {
	return offers.Target{Kind: kind, Value: strconv.FormatInt(id, 10)}
}

func (s *sower) budgets(ctx context.Context) error {
	page, err := s.tx.SharedBudgets().List(ctx, offers.SharedBudgetFilter{AdvertiserID: s.ids["advertisers"]["acme"]}, everything)
	if err != nil {
		return err
	}
	key := func(b offers.SharedBudget) string { return b.Title }
	there := index(page.Items, key, func(b offers.SharedBudget) int64 { return b.ID })
	return ensure(s, "budgets", demoBudgets(s.ids), there, key, func(b offers.SharedBudget) (int64, error) {
		b.CreatedAt, b.UpdatedAt = s.now, s.now
		b, err := s.tx.SharedBudgets().Add(ctx, b)
		return b.ID, err
	})
}

// offers come with their targets and participants: what was changed since
// stays changed.
func (s *sower) offers(ctx context.Context) error {
	there := make(map[string]int64)
	for _, o := range demoOffers(s.ids) {
		found, err := s.tx.Offers().ByToken(ctx, o.value.Token)
		if err != nil && !errors.Is(err, affiliate.ErrNotFound) {
			return err
		}
		if err == nil {
			there[found.Token] = found.ID
		}
	}
	key := func(o demoOffer) string { return o.Token }
	return ensure(s, "offers", demoOffers(s.ids), there, key, func(o demoOffer) (int64, error) { return s.addOffer(ctx, o) })
}

func (s *sower) addOffer(ctx context.Context, o demoOffer) (int64, error) {
	o.CreatedAt, o.UpdatedAt = s.now, s.now
	added, err := s.tx.Offers().Add(ctx, o.Offer)
	if err != nil {
		return 0, err
	}
	if err := s.tx.Targets().Set(ctx, added.ID, o.targets); err != nil {
		return 0, err
	}
	for _, p := range o.parts {
		p.OfferID, p.CreatedAt, p.UpdatedAt = added.ID, s.now, s.now
		if _, err := s.tx.Participants().AddMissing(ctx, p); err != nil {
			return 0, err
		}
		if err := s.tx.Users().Relate(ctx, p.UserID, added.AdvertiserID, true); err != nil {
			return 0, err
		}
	}
	return added.ID, nil
}
