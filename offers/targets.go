package offers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Targets returns whom an offer is for, and whether that is everyone
// (offer-targets-list). An offer whose targets were all left out is for nobody.
func (s *Service) Targets(ctx context.Context, offerID int64) (Targets, bool, error) {
	type answer struct {
		targets  Targets
		everyone bool
	}
	a, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (a answer, err error) {
		if _, err := s.live(ctx, tx, offerID); err != nil {
			return a, err
		}
		list, err := tx.Targets().Get(ctx, offerID)
		if err != nil {
			return a, err
		}
		list, _, err = s.seenTargets(ctx, tx, list)
		a.targets, a.everyone = gather(list), slices.Contains(list, Target{Kind: TargetEveryone})
		return a, err
	})
	return a.targets, a.everyone, err
}

// seenTargets parts targets into those that the viewer sees, and tags that it does
// not: the operator may have added them.
func (s *Service) seenTargets(ctx context.Context, tx Tx, list []Target) (seen, hidden []Target, err error) {
	ids := gather(list).TagIDs
	if s.viewer.IsOperator() || len(ids) == 0 {
		return list, nil, nil
	}
	tags, err := tx.UserTags().GetMany(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range list {
		unseen := slices.ContainsFunc(tags, func(tag affiliate.UserTag) bool { return t == idTarget(TargetTag, tag.ID) && !s.viewer.SeesTag(tag) })
		if unseen {
			hidden = append(hidden, t)
		} else {
			seen = append(seen, t)
		}
	}
	return seen, hidden, nil
}

// AddTargets makes the offer for more creators (offer-targets-add): one that
// was for everyone is for these alone from now on. It returns all targets, and
// those of the given ones that were left out.
func (s *Service) AddTargets(ctx context.Context, offerID int64, t Targets) (all, skipped Targets, err error) {
	err = s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		o, err := s.locked(ctx, tx, offerID)
		if err != nil {
			return err
		}
		had, err := tx.Targets().Get(ctx, offerID)
		if err != nil {
			return err
		}
		if t.IsZero() {
			all, skipped = gather(had), Targets{}
			return nil
		}
		if skipped, err = s.aim(ctx, tx, s.clock.Now(), o, t, had); err != nil {
			return err
		}
		if err := tx.Events().Add(ctx, o.event(EventTargetsAdded, s.clock.Now())); err != nil {
			return err
		}
		has, err := tx.Targets().Get(ctx, offerID)
		all = gather(has)
		return err
	})
	return all, skipped, err
}

// gather are kept targets by kind.
func gather(list []Target) Targets {
	var t Targets
	for _, target := range list {
		t.add(target)
	}
	for _, ids := range []*[]int64{&t.UserIDs, &t.TagIDs, &t.StoreGroupIDs, &t.ClientIDs, &t.RevenueTierIDs} {
		*ids = idset.Sorted(*ids)
	}
	return t
}

// normalize brings targets to normal form.
func (t Targets) normalize() (Targets, error) {
	var v affiliate.Validation
	v.Check(t.len() <= MaxTargets, "targets", "too_many", "must not have more than 10000 items")
	texts := func(field string, list []string, max int, normal func(string) string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = normal(s)
			v.Text(field+"."+strconv.Itoa(i), out[i], 1, max)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	n := Targets{
		UserIDs: idset.Sorted(t.UserIDs), TagIDs: idset.Sorted(t.TagIDs), StoreGroupIDs: idset.Sorted(t.StoreGroupIDs),
		ClientIDs: idset.Sorted(t.ClientIDs), RevenueTierIDs: idset.Sorted(t.RevenueTierIDs),
		Emails:      texts("targets.emails", t.Emails, 254, affiliate.NormalizeEmail),
		Identifiers: texts("targets.social_media_identifiers", t.Identifiers, 255, affiliate.NormalizeHandle),
	}
	return n, v.Err("offer")
}

// aim limits the offer to the targets, and to the entries of keep that name a
// person, and creates the participants that the targets name. It returns what
// was left out. Without any target the offer is for everyone.
func (s *Service) aim(ctx context.Context, tx Tx, now time.Time, o Offer, t Targets, keep []Target) (Targets, error) {
	t, err := t.normalize()
	if err != nil {
		return Targets{}, err
	}
	a := aiming{tx: tx, offer: o, now: now, viewer: s.viewer}
	if err := a.check(ctx, t); err != nil {
		return Targets{}, err
	}
	list := a.good.list()
	if a.good.IsZero() && (!t.IsZero() || len(keep) > 0) {
		list = nil // all left out: nobody, rather than everyone
	}
	for _, target := range keep {
		if target.Kind != TargetEveryone {
			list = append(list, target)
		}
	}
	if err := bounded(o, list, a.named); err != nil {
		return Targets{}, err
	}
	if err := a.forget(ctx, list); err != nil {
		return Targets{}, err
	}
	if err := tx.Targets().Set(ctx, o.ID, list); err != nil {
		return Targets{}, err
	}
	added, err := addParticipants(ctx, tx, map[int64]Offer{o.ID: o}, a.named...)
	if err != nil {
		return Targets{}, err
	}
	if err := invite(ctx, tx, now, o, added); err != nil {
		return Targets{}, err
	}
	return a.skipped, relate(ctx, tx, o, added)
}

// bounded refuses more targets than an offer may have, and more participants at
// once than may each get the offer's list of things to do.
func bounded(o Offer, list []Target, named []Participant) error {
	different := make(map[Target]bool, len(list))
	for _, t := range list {
		different[t] = true
	}
	var v affiliate.Validation
	v.Check(len(different) <= MaxTargets, "targets", "too_many", "must not be more than 10000, those included that the offer has already")
	v.Check(len(named)*len(o.Todo) <= maxTodoAtOnce, "targets", "too_many_with_todo",
		fmt.Sprintf("must not name more than %d people at once with a todo list of %d items", maxTodoAtOnce/max(len(o.Todo), 1), len(o.Todo)))
	return v.Err("offer")
}

// relate notes which users work with the advertiser.
func relate(ctx context.Context, tx Tx, o Offer, added []Participant) error {
	for _, p := range added {
		if p.UserID != 0 {
			if err := tx.Users().Relate(ctx, p.UserID, o.AdvertiserID, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// aiming sorts targets into those that hold and those that are left out.
type aiming struct {
	tx     Tx
	offer  Offer
	now    time.Time
	viewer affiliate.Viewer

	good, skipped Targets
	named         []Participant
}

func (a *aiming) check(ctx context.Context, t Targets) error {
	if err := a.checkGroups(ctx, t); err != nil {
		return err
	}
	byID, err := a.tx.Users().GetMany(ctx, t.UserIDs)
	if err != nil {
		return err
	}
	byEmail, err := a.tx.Users().ByEmails(ctx, t.Emails)
	if err != nil {
		return err
	}
	byHandle, err := a.tx.Users().BySocialMedia(ctx, t.Identifiers)
	if err != nil {
		return err
	}
	all := slices.Concat(byID, byEmail, byHandle)
	blocked, err := affiliate.UsersBlocked(ctx, a.tx, a.offer.AdvertiserID, all)
	if err != nil {
		return err
	}
	welcome := func(u affiliate.User) bool { return u.Status() != affiliate.UserSuspended && !blocked[u.ID] }
	users := make(map[int64]affiliate.User)
	emails := make(map[string][]affiliate.User)
	handles := make(map[string][]affiliate.User)
	for _, u := range byID {
		users[u.ID] = u
	}
	for _, u := range byEmail {
		emails[u.Email] = append(emails[u.Email], u)
	}
	for _, u := range byHandle {
		for _, m := range u.SocialMedia {
			if has := handles[m.Identifier]; len(has) == 0 || has[len(has)-1].ID != u.ID {
				handles[m.Identifier] = append(has, u)
			}
		}
	}
	for _, id := range t.UserIDs {
		if u, ok := users[id]; ok && welcome(u) {
			a.good.UserIDs = append(a.good.UserIDs, id)
			a.name(Participant{UserID: id})
		} else {
			a.skipped.UserIDs = append(a.skipped.UserIDs, id)
		}
	}
	for _, email := range t.Emails {
		a.checkName(&a.good.Emails, &a.skipped.Emails, email, emails[email], welcome, Participant{Email: email})
	}
	for _, handle := range t.Identifiers {
		a.checkName(&a.good.Identifiers, &a.skipped.Identifiers, handle, handles[handle], welcome, Participant{Identifier: handle})
	}
	return nil
}

// checkName decides about an e-mail or an identifier: users that have it must
// be welcome; when there is none it is a pre-registration.
func (a *aiming) checkName(good, skipped *[]string, value string, has []affiliate.User, welcome func(affiliate.User) bool, promise Participant) {
	if len(has) == 0 {
		*good = append(*good, value)
		a.name(promise)
		return
	}
	found := false
	for _, u := range has {
		if welcome(u) {
			found = true
			a.name(Participant{UserID: u.ID})
		}
	}
	if found {
		*good = append(*good, value)
	} else {
		*skipped = append(*skipped, value)
	}
}

// name notes a participant that the targets name.
func (a *aiming) name(p Participant) { a.named = append(a.named, newPart(a.offer, p, a.now)) }

// newPart is the part that somebody has in an offer from the beginning.
func newPart(o Offer, p Participant, now time.Time) Participant {
	p.OfferID, p.CreatedAt, p.UpdatedAt, p.Status = o.ID, now, now, Open
	if o.Type == Standard {
		p.Status = Accepted
	}
	for _, key := range o.Todo {
		p.Todo = append(p.Todo, TodoItem{Key: key})
	}
	return p
}

// checkGroups decides about the ids of what users belong to.
func (a *aiming) checkGroups(ctx context.Context, t Targets) error {
	tags, err := idset.Index(ctx, a.tx.UserTags().GetMany, t.TagIDs, func(v affiliate.UserTag) int64 { return v.ID })
	if err != nil {
		return err
	}
	groups, err := affiliate.VisibleGroups(ctx, a.tx, a.viewer, t.StoreGroupIDs)
	if err != nil {
		return err
	}
	if len(groups) < len(t.StoreGroupIDs) { // the operator may have added some that the viewer does not see
		had, err := a.tx.Targets().Get(ctx, a.offer.ID)
		if err != nil {
			return err
		}
		groups = append(groups, gather(had).StoreGroupIDs...)
	}
	clients, err := idset.Index(ctx, a.tx.Clients().GetMany, t.ClientIDs, func(v affiliate.Client) int64 { return v.ID })
	if err != nil {
		return err
	}
	tiers, err := idset.Index(ctx, a.tx.RevenueTiers().GetMany, t.RevenueTierIDs, func(v affiliate.RevenueTier) int64 { return v.ID })
	if err != nil {
		return err
	}
	split := func(ids []int64, good, skipped *[]int64, knows func(int64) bool) {
		for _, id := range ids {
			if knows(id) {
				*good = append(*good, id)
			} else {
				*skipped = append(*skipped, id)
			}
		}
	}
	split(t.TagIDs, &a.good.TagIDs, &a.skipped.TagIDs, func(id int64) bool {
		tag, ok := tags[id]
		return ok && a.viewer.SeesTag(tag) && (tag.AdvertiserID == 0 || tag.AdvertiserID == a.offer.AdvertiserID)
	})
	split(t.StoreGroupIDs, &a.good.StoreGroupIDs, &a.skipped.StoreGroupIDs, func(id int64) bool { return slices.Contains(groups, id) })
	split(t.ClientIDs, &a.good.ClientIDs, &a.skipped.ClientIDs, func(id int64) bool { return clients[id].ID != 0 })
	split(t.RevenueTierIDs, &a.good.RevenueTierIDs, &a.skipped.RevenueTierIDs, func(id int64) bool { return tiers[id].ID != 0 })
	return nil
}

// forget takes back the pre-registrations that are no longer among the targets.
func (a *aiming) forget(ctx context.Context, list []Target) error {
	had, err := a.tx.Targets().Get(ctx, a.offer.ID)
	if err != nil {
		return err
	}
	has := make(map[Target]bool, len(list))
	for _, t := range list {
		has[t] = true
	}
	var gone Targets
	for _, t := range had {
		if !has[t] {
			gone.add(t)
		}
	}
	if len(gone.Emails) == 0 && len(gone.Identifiers) == 0 {
		return nil
	}
	promised, err := a.tx.Participants().PreRegistered(ctx, gone.Emails, gone.Identifiers)
	if err != nil {
		return err
	}
	for _, p := range promised {
		if p.OfferID == a.offer.ID {
			if err := removeParticipant(ctx, a.tx, a.now, a.offer, p); err != nil {
				return err
			}
		}
	}
	return nil
}
