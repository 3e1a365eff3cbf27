package main

import (
	"context"
	"errors"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/links"
)

// demoAttempts is how often loading is tried when another process loads the
// same data at the same time and is first.
const demoAttempts = 5

// demoIDs are the ids of the sample data, by kind and name.
type demoIDs = map[string]map[string]int64

// loadDemo brings the sample data into the store, in one unit, and returns its
// ids. What is there already, found by its natural key, stays as it is: a
// second start changes nothing.
func loadDemo(ctx context.Context, store links.Store) (ids demoIDs, err error) {
	for range demoAttempts {
		ids, err = affiliate.Write(ctx, affiliate.Store[links.Tx](store), func(ctx context.Context, tx links.Tx) (demoIDs, error) {
			s := &sower{tx: tx, now: affiliate.Clock(nil).Now(), ids: demoIDs{}}
			return s.ids, s.sow(ctx)
		})
		if !errors.Is(err, affiliate.ErrConflict) {
			break
		}
	}
	for _, helper := range []string{"categories", "tiers", "budgets"} { // they only help to build the others
		delete(ids, helper)
	}
	return ids, err
}

// sower puts the sample data into one unit of work.
type sower struct {
	tx  links.Tx
	now time.Time
	ids demoIDs
}

// sow goes from what others refer to, to what refers to it.
func (s *sower) sow(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.groups, s.categories, s.clients, s.tiers, s.advertisers, s.tags, s.users, s.tokens, s.budgets, s.offers,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// everything is as long a page as there is: the sample data are the oldest
// rows of their tables, or among the few that a filter leaves.
var everything = affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize}

// ensure adds the values that are not there, in their order, and notes the ids
// of all under their names. there are the ids of those that exist, by natural key.
func ensure[T any](s *sower, kind string, values []named[T], there map[string]int64, key func(T) string, add func(T) (int64, error)) error {
	if s.ids[kind] == nil {
		s.ids[kind] = make(map[string]int64)
	}
	for _, v := range values {
		id, ok := there[key(v.value)]
		if !ok {
			var err error
			if id, err = add(v.value); err != nil {
				return err
			}
		}
		s.ids[kind][v.name] = id
	}
	return nil
}

// index is the ids of values by natural key; of two with one key the first.
func index[T any](values []T, key func(T) string, id func(T) int64) map[string]int64 {
	ids := make(map[string]int64, len(values))
	for _, v := range values {
		if _, ok := ids[key(v)]; !ok {
			ids[key(v)] = id(v)
		}
	}
	return ids
}

func (s *sower) groups(ctx context.Context) error {
	page, err := s.tx.AdvertiserGroups().List(ctx, affiliate.AdvertiserGroupFilter{}, everything)
	if err != nil {
		return err
	}
	key := func(g affiliate.AdvertiserGroup) string { return g.Key }
	there := index(page.Items, key, func(g affiliate.AdvertiserGroup) int64 { return g.ID })
	return ensure(s, "groups", demoGroups(), there, key, func(g affiliate.AdvertiserGroup) (int64, error) {
		g.CreatedAt = s.now
		g, err := s.tx.AdvertiserGroups().Add(ctx, g)
		return g.ID, err
	})
}

func (s *sower) categories(ctx context.Context) error {
	all, err := s.tx.Categories().All(ctx)
	if err != nil {
		return err
	}
	key := func(c affiliate.Category) string { return c.Name }
	there := index(all, key, func(c affiliate.Category) int64 { return c.ID })
	return ensure(s, "categories", demoCategories(), there, key, func(c affiliate.Category) (int64, error) {
		c, err := s.tx.Categories().Add(ctx, c)
		return c.ID, err
	})
}

func (s *sower) clients(ctx context.Context) error {
	there := make(map[string]int64)
	for _, c := range demoClients(s.ids) {
		found, err := s.tx.Clients().ByPublicID(ctx, c.value.PublicID)
		if err != nil && !errors.Is(err, affiliate.ErrNotFound) {
			return err
		}
		if err == nil {
			there[found.PublicID] = found.ID
		}
	}
	key := func(c affiliate.Client) string { return c.PublicID }
	return ensure(s, "clients", demoClients(s.ids), there, key, func(c affiliate.Client) (int64, error) {
		c.CreatedAt = s.now
		c, err := s.tx.Clients().Add(ctx, c)
		return c.ID, err
	})
}

func (s *sower) tiers(ctx context.Context) error {
	tiers := demoTiers(s.ids)
	all, err := s.tx.RevenueTiers().ByClients(ctx, []int64{tiers[0].value.ClientID})
	if err != nil {
		return err
	}
	key := func(t affiliate.RevenueTier) string { return t.Name }
	there := index(all, key, func(t affiliate.RevenueTier) int64 { return t.ID })
	return ensure(s, "tiers", tiers, there, key, func(t affiliate.RevenueTier) (int64, error) {
		t, err := s.tx.RevenueTiers().Add(ctx, t)
		return t.ID, err
	})
}

// advertisers come with their main rules: a rule that was changed since stays
// changed.
func (s *sower) advertisers(ctx context.Context) error {
	there := make(map[string]int64)
	key := func(a demoAdvertiser) string { return a.Name }
	for _, groupID := range s.ids["groups"] {
		page, err := s.tx.Advertisers().List(ctx, affiliate.AdvertiserFilter{GroupID: groupID}, everything)
		if err != nil {
			return err
		}
		for _, a := range page.Items {
			if first, ok := there[a.Name]; !ok || a.ID < first {
				there[a.Name] = a.ID
			}
		}
	}
	return ensure(s, "advertisers", demoAdvertisers(s.ids), there, key, func(a demoAdvertiser) (int64, error) {
		added, err := affiliate.AddAdvertiser(ctx, s.tx, s.now, a.Advertiser)
		if err != nil {
			return 0, err
		}
		_, err = s.tx.Rules().Add(ctx, links.Rule{
			AdvertiserID: added.ID, Type: links.RuleAllow, URL: a.host, IsMain: true, CreatedAt: s.now, UpdatedAt: s.now,
		})
		return added.ID, err
	})
}

func (s *sower) tags(ctx context.Context) error {
	page, err := s.tx.UserTags().List(ctx, affiliate.UserTagFilter{}, everything)
	if err != nil {
		return err
	}
	key := func(t affiliate.UserTag) string { return t.Slug }
	there := index(page.Items, key, func(t affiliate.UserTag) int64 { return t.ID })
	return ensure(s, "tags", demoTags(s.ids), there, key, func(t affiliate.UserTag) (int64, error) {
		t, err := s.tx.UserTags().Add(ctx, t)
		return t.ID, err
	})
}

func (s *sower) users(ctx context.Context) error {
	users := demoUsers(s.ids, s.now)
	emails := make([]string, len(users))
	for i, u := range users {
		emails[i] = u.value.Email
	}
	known, err := s.tx.Users().ByEmails(ctx, emails)
	if err != nil {
		return err
	}
	key := func(u affiliate.User) string { return u.Email }
	there := index(known, key, func(u affiliate.User) int64 { return u.ID })
	return ensure(s, "users", users, there, key, func(u affiliate.User) (int64, error) {
		u.CreatedAt, u.UpdatedAt = s.now, s.now
		u, err := s.tx.Users().Add(ctx, u)
		return u.ID, err
	})
}

// tokens come with whom they act for: a membership that was taken away since
// stays away.
func (s *sower) tokens(ctx context.Context) error {
	for _, a := range demoAccounts(s.ids) {
		a.token.Hash, a.token.CreatedAt = affiliate.HashSecret(a.secret()), s.now
		_, err := s.tx.Tokens().ByHash(ctx, a.token.Hash)
		if err == nil {
			continue
		}
		if !errors.Is(err, affiliate.ErrNotFound) {
			return err
		}
		if _, err := s.tx.Tokens().Add(ctx, a.token); err != nil {
			return err
		}
		for _, id := range a.actsFor {
			m := identity.Membership{Role: a.token.Role, Subject: a.token.Subject, AdvertiserID: id}
			if err := s.tx.Memberships().Add(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}
