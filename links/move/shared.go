package move

import (
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// shared emits what is of all shops and the advertiser's records refer to; and, where
// users come along, what these refer to.
func (w *walk) shared() error {
	if w.own {
		return nil
	}
	needed := map[Kind]set{Groups: {}, Clients: {}, SharedTags: {}}
	for k, s := range needed {
		s.add(w.named[k].sorted()...)
	}
	if w.people {
		err := w.eachUser(func(u affiliate.User) error {
			w.named[Clients].add(u.ClientID)
			w.named[SharedTags].add(u.TagIDs...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	clients, err := w.tx.Clients().GetMany(w.ctx, w.named[Clients].sorted())
	if err != nil {
		return err
	}
	for _, c := range clients {
		w.named[Groups].add(c.GroupID)
	}
	groups, err := w.tx.AdvertiserGroups().GetMany(w.ctx, w.named[Groups].sorted())
	if err != nil {
		return err
	}
	for _, g := range groups {
		_, is := needed[Groups][g.ID]
		if err := w.emit(Groups, &groupLine{g, is}); err != nil {
			return err
		}
	}
	categories, err := w.tx.Categories().GetMany(w.ctx, w.named[Categories].sorted())
	if err != nil {
		return err
	}
	for _, c := range categories {
		if err := w.emit(Categories, &categoryLine{c}); err != nil {
			return err
		}
	}
	for _, c := range clients {
		_, is := needed[Clients][c.ID]
		if err := w.emit(Clients, &clientLine{c, c.SecretHash[:], is}); err != nil {
			return err
		}
	}
	if err := w.tiers(clients); err != nil {
		return err
	}
	if err := w.sharedTags(needed[SharedTags]); err != nil {
		return err
	}
	return w.eachUser(func(u affiliate.User) error {
		l := userLine{ID: u.ID, ClientID: u.ClientID, Username: u.Username}
		if w.people {
			u.TagIDs = slices.DeleteFunc(u.TagIDs, func(id int64) bool { _, is := w.named[SharedTags][id]; return !is })
			l.User = &u
		}
		return w.emit(Users, &l)
	})
}

// eachUser goes through the users that are referred to, by ascending id.
func (w *walk) eachUser(f func(affiliate.User) error) error {
	for ids := range slices.Chunk(w.named[Users].sorted(), page) {
		users, err := w.tx.Users().GetMany(w.ctx, ids)
		if err != nil {
			return err
		}
		for _, u := range users {
			if err := f(u); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) tiers(clients []affiliate.Client) error {
	ids := make([]int64, len(clients))
	defaults := set{}
	for i, c := range clients {
		ids[i] = c.ID
		defaults.add(c.DefaultTierID)
	}
	tiers, err := w.tx.RevenueTiers().ByClients(w.ctx, ids)
	if err != nil {
		return err
	}
	for _, t := range tiers {
		_, is := defaults[t.ID]
		if err := w.emit(Tiers, &tierLine{t, is}); err != nil {
			return err
		}
	}
	return nil
}

// sharedTags emits those of the tags that are of no advertiser, and leaves no others
// among the named ones.
func (w *walk) sharedTags(needed set) error {
	tags, err := w.tx.UserTags().GetMany(w.ctx, w.named[SharedTags].sorted())
	if err != nil {
		return err
	}
	w.named[SharedTags] = set{}
	for _, t := range tags {
		if t.AdvertiserID != 0 {
			continue
		}
		w.named[SharedTags].add(t.ID)
		_, is := needed[t.ID]
		if err := w.emit(SharedTags, &sharedTagLine{t, is}); err != nil {
			return err
		}
	}
	return nil
}
