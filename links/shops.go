package links

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Shop is an advertiser with its domains and categories.
type Shop struct {
	Advertiser affiliate.Advertiser
	Domains    []Rule // its allow rules without a keyword, the main rule first
	Categories []affiliate.Category
}

func readShop(ctx context.Context, tx Tx, a affiliate.Advertiser) (Shop, error) {
	v := Shop{Advertiser: a}
	rules, err := tx.Rules().ByAdvertisers(ctx, []int64{a.ID})
	if err != nil {
		return v, err
	}
	v.Domains = domainsOf(rules)
	v.Categories, err = tx.Categories().GetMany(ctx, a.CategoryIDs)
	return v, err
}

// domainsOf are the rules that give an advertiser a whole domain or path, the
// main rule first.
func domainsOf(rules []Rule) []Rule {
	rules = slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool { return r.Type != RuleAllow || r.Keyword != "" })
	slices.SortStableFunc(rules, func(a, b Rule) int {
		if a.IsMain == b.IsMain {
			return 0
		}
		if a.IsMain {
			return -1
		}
		return 1
	})
	return rules
}

// Shop returns an advertiser with its domains and categories (store-get).
func (s *Service) Shop(ctx context.Context, advertiserID int64) (Shop, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (Shop, error) {
		if !s.viewer.ActsFor(advertiserID) {
			return Shop{}, affiliate.NotFound("advertiser", advertiserID)
		}
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return Shop{}, err
		}
		return readShop(ctx, tx, a)
	})
}

// ShopChange is what UpdateShop changes.
type ShopChange struct {
	// Change is applied to the advertiser as it is now and may run again; nil
	// changes nothing. The currency is not its to change.
	Change func(*affiliate.Advertiser)
	// Domains are to be the advertiser's domains, the first one its main rule;
	// none leaves them as they are. Rules with a keyword, and block rules, stay.
	Domains []string
}

// UpdateShop changes an advertiser and its domains in one unit (store-update).
func (s *Service) UpdateShop(ctx context.Context, advertiserID int64, c ShopChange) (Shop, error) {
	var rules []Rule
	if len(c.Domains) > 0 {
		var err error
		if rules, err = (Registration{Domains: c.Domains}).rules(); err != nil {
			return Shop{}, err
		}
	}
	challenge, err := s.newChallenge()
	if err != nil {
		return Shop{}, err
	}
	v, err := affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Shop, error) {
		if !s.viewer.ActsFor(advertiserID) {
			return Shop{}, affiliate.NotFound("advertiser", advertiserID)
		}
		a, err := tx.Advertisers().Get(ctx, advertiserID)
		if err != nil {
			return Shop{}, err
		}
		if c.Change != nil {
			a.DefaultCosts, a.CategoryIDs = slices.Clone(a.DefaultCosts), slices.Clone(a.CategoryIDs)
			created, currency := a.CreatedAt, a.Currency
			c.Change(&a)
			a.ID, a.Currency, a.CreatedAt, a.UpdatedAt = advertiserID, currency, created, s.clock.Now()
			if err := validateTemplate(a.TrackingTemplate); err != nil {
				return Shop{}, err
			}
			if err := affiliate.SaveAdvertiser(ctx, tx, a); err != nil {
				return Shop{}, err
			}
		}
		if rules != nil {
			if err := s.replaceDomains(ctx, tx, advertiserID, rules, challenge); err != nil {
				return Shop{}, err
			}
		}
		return readShop(ctx, tx, a)
	})
	if err == nil && rules != nil {
		affiliate.AfterCommit(ctx, s.rules.outdated)
	}
	return v, err
}

// replaceDomains keeps the rules that are wanted, adds those that are new, and
// removes the other domains.
func (s *Service) replaceDomains(ctx context.Context, tx Tx, advertiserID int64, wanted []Rule, challenge string) error {
	had, err := tx.Rules().ByAdvertisers(ctx, []int64{advertiserID})
	if err != nil {
		return err
	}
	had = domainsOf(had)
	same := func(a Rule) func(Rule) bool { return func(b Rule) bool { return a.URL == b.URL } }
	for _, r := range wanted {
		r.AdvertiserID, r.Challenge = advertiserID, challenge
		i := slices.IndexFunc(had, same(r))
		switch {
		case i < 0:
			if _, err := addRule(ctx, tx, s.clock, r); err != nil {
				return err
			}
		case r.IsMain && !had[i].IsMain:
			kept := had[i]
			kept.IsMain, kept.UpdatedAt = true, s.clock.Now()
			if _, err := makeRoom(ctx, tx, kept); err != nil {
				return err
			}
			if err := saveRule(ctx, tx, kept); err != nil {
				return err
			}
		}
	}
	for _, r := range had {
		if !slices.ContainsFunc(wanted, same(r)) {
			if err := deleteRule(ctx, tx, s.clock.Now(), r); err != nil {
				return err
			}
		}
	}
	return nil
}
