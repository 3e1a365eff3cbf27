package links

import (
	"context"
	"sort"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The reasons of clicks that are not valid.
const (
	ClickReasonBot                   = "bot"
	ClickReasonDuplicate             = "duplicate"
	ClickReasonLinkDeleted           = "link_deleted"
	ClickReasonUserSuspended         = "user_suspended"
	ClickReasonAdvertiserDeactivated = "advertiser_deactivated"
	ClickReasonBlocklist             = "blocklist"
)

// recorded is what became of a pending click: kept, with what a redirect needs
// to know of its link, or ErrNotFound when there is no such link.
type recorded struct {
	click  Click
	target Target
	err    error
}

// recordBatch decides about the clicks, in order, and keeps them with their
// ledger entries and roll-ups, all or none. It answers what became of each.
//
// What a decision rests on is read after the links are locked. Two batches
// with a link in common, in whatever processes, therefore go one after the
// other, and the second sees the visits that the first kept: that is why a
// duplicate is found exactly.
func (s *Service) recordBatch(ctx context.Context, batch []pendingClick) ([]recorded, error) {
	var out []recorded
	err := s.store.Record(ctx, func(ctx context.Context, tx Tx) error {
		b, err := s.readBatch(ctx, tx, batch)
		if err != nil {
			return err
		}
		out = b.outcome(len(batch))
		if len(b.clicks) == 0 {
			return nil
		}
		if err := b.judge(ctx, tx); err != nil {
			return err
		}
		if err := b.charge(ctx, tx, s.opts.Charger); err != nil {
			return err
		}
		if err := tx.Clicks().Add(ctx, b.clicks...); err != nil {
			return err
		}
		if entries := b.entries(s.opts.ClickHold); len(entries) > 0 {
			if _, err := tx.Ledger().Append(ctx, entries...); err != nil {
				return err
			}
		}
		for i, c := range b.clicks {
			out[b.at[i]].click = c
		}
		return tx.Days().Add(ctx, rollUp(b.clicks)...)
	})
	return out, err
}

// clickBatch is a batch with all that decides about it. What was read is
// ascending by id; a click finds its own by binary search.
type clickBatch struct {
	pending     []pendingClick // those whose link exists
	clicks      []Click        // as they will be kept, in the same order
	at          []int          // their places in the batch as it came
	window      time.Duration
	links       []Link
	users       []affiliate.User
	advertisers []affiliate.Advertiser
	blocklist   []BlocklistEntry // those that name one of the users
}

// readBatch locks the links and reads what they belong to, each kind at once.
func (s *Service) readBatch(ctx context.Context, tx Tx, batch []pendingClick) (*clickBatch, error) {
	b := &clickBatch{window: s.opts.DuplicateWindow}
	ids := make([]int64, len(batch))
	for i, p := range batch {
		ids[i] = p.click.LinkID
	}
	var err error
	if b.links, err = tx.Links().Lock(ctx, affiliate.IDs(ids)); err != nil {
		return nil, err
	}
	userIDs, advertiserIDs := make([]int64, 0, len(b.links)), make([]int64, 0, len(b.links))
	for _, l := range b.links {
		userIDs, advertiserIDs = append(userIDs, l.UserID), append(advertiserIDs, l.AdvertiserID)
	}
	userIDs, advertiserIDs = affiliate.IDs(userIDs), affiliate.IDs(advertiserIDs)
	if b.users, err = tx.Users().GetMany(ctx, userIDs); err != nil {
		return nil, err
	}
	if b.advertisers, err = tx.Advertisers().GetMany(ctx, advertiserIDs); err != nil {
		return nil, err
	}
	b.clicks, b.at = make([]Click, 0, len(batch)), make([]int, 0, len(batch))
	b.pending = make([]pendingClick, 0, len(batch))
	for i, p := range batch {
		l, ok := b.link(p.click.LinkID)
		if !ok {
			continue
		}
		c := p.click
		c.UserID, c.AdvertiserID = l.UserID, l.AdvertiserID
		b.pending, b.clicks, b.at = append(b.pending, p), append(b.clicks, c), append(b.at, i)
	}
	return b, b.readBlocklist(ctx, tx, userIDs, advertiserIDs)
}

func (b *clickBatch) readBlocklist(ctx context.Context, tx Tx, userIDs, advertiserIDs []int64) (err error) {
	var tagIDs, clientIDs []int64
	for i := range b.users {
		tagIDs = append(tagIDs, b.users[i].TagIDs...)
		if id := b.users[i].ClientID; id != 0 {
			clientIDs = append(clientIDs, id)
		}
	}
	b.blocklist, err = tx.Blocklist().Naming(ctx, advertiserIDs, userIDs, affiliate.IDs(tagIDs), affiliate.IDs(clientIDs))
	return err
}

// lookUp finds what has the id in a list that is ascending by it.
func lookUp[T any](list []T, id int64, of func(*T) int64) (*T, bool) {
	i := sort.Search(len(list), func(i int) bool { return of(&list[i]) >= id })
	if i < len(list) && of(&list[i]) == id {
		return &list[i], true
	}
	return new(T), false
}

func (b *clickBatch) link(id int64) (*Link, bool) {
	return lookUp(b.links, id, func(l *Link) int64 { return l.ID })
}

func (b *clickBatch) user(id int64) *affiliate.User {
	u, _ := lookUp(b.users, id, func(u *affiliate.User) int64 { return u.ID })
	return u
}

func (b *clickBatch) advertiser(id int64) *affiliate.Advertiser {
	a, _ := lookUp(b.advertisers, id, func(a *affiliate.Advertiser) int64 { return a.ID })
	return a
}

// outcome has a place for each of the n clicks that came, filled in with what
// is known before they are judged.
func (b *clickBatch) outcome(n int) []recorded {
	out := make([]recorded, n)
	for i := range out {
		out[i].err = affiliate.ErrNotFound
	}
	for i, c := range b.clicks {
		l, _ := b.link(c.LinkID)
		a := b.advertiser(c.AdvertiserID)
		out[b.at[i]] = recorded{target: Target{
			Link: *l, AdvertiserStatus: a.Status, Provider: a.Provider,
			UserSuspended: b.user(c.UserID).Status() == affiliate.UserSuspended,
		}}
	}
	return out
}

// judge gives each click its verdict; money comes later.
func (b *clickBatch) judge(ctx context.Context, tx Tx) error {
	visits := make([]Visit, 0, 2*len(b.clicks))
	var oldest time.Time
	for i := range b.clicks {
		c := &b.clicks[i]
		none := affiliate.NewMoney(0, b.advertiser(c.AdvertiserID).Currency)
		c.Earning, c.Cost = none, none
		if c.Verdict, c.Reason = b.standing(i); c.Verdict == VerdictValid {
			visits = append(visits, Visit{c.LinkID, c.Visitor}, Visit{c.LinkID, b.pending[i].previous})
			if oldest.IsZero() || c.At.Before(oldest) {
				oldest = c.At
			}
		}
	}
	if len(visits) == 0 {
		return nil
	}
	seen, err := tx.Clicks().LastValid(ctx, visits, oldest.Add(-b.window))
	if err != nil {
		return err
	}
	if seen == nil {
		seen = make(map[Visit]time.Time)
	}
	for i := range b.clicks {
		c := &b.clicks[i]
		if c.Verdict != VerdictValid {
			continue
		}
		now, before := Visit{c.LinkID, c.Visitor}, Visit{c.LinkID, b.pending[i].previous}
		if b.within(c.At, seen[now]) || b.within(c.At, seen[before]) {
			c.Verdict, c.Reason = VerdictDuplicate, ClickReasonDuplicate
			continue
		}
		seen[now] = c.At
	}
	return nil
}

// within reports whether a click at the time is a duplicate of one at last. Of
// two clicks that arrive out of order the one recorded first counts.
func (b *clickBatch) within(at, last time.Time) bool {
	return !last.IsZero() && at.Sub(last) < b.window
}

// standing is the verdict but for duplicates.
func (b *clickBatch) standing(i int) (Verdict, string) {
	c := &b.clicks[i]
	user := b.user(c.UserID)
	link, _ := b.link(c.LinkID)
	switch {
	case b.pending[i].bot:
		return VerdictBot, ClickReasonBot
	case !link.DeletedAt.IsZero():
		return VerdictBlocked, ClickReasonLinkDeleted
	case user.Status() == affiliate.UserSuspended:
		return VerdictBlocked, ClickReasonUserSuspended
	case b.advertiser(c.AdvertiserID).Status != affiliate.AdvertiserActive:
		return VerdictBlocked, ClickReasonAdvertiserDeactivated
	}
	for _, e := range b.blocklist { // every entry that names the user must let the clicks count
		if e.AdvertiserID == c.AdvertiserID && !e.ValidateClicks && e.Names(*user) {
			return VerdictBlocked, ClickReasonBlocklist
		}
	}
	return VerdictValid, ""
}

// charge prices the valid clicks.
func (b *clickBatch) charge(ctx context.Context, tx Tx, charger Charger) error {
	valid, at := make([]ChargeableClick, 0, len(b.clicks)), make([]int, 0, len(b.clicks))
	for i, c := range b.clicks {
		if c.Verdict == VerdictValid {
			valid, at = append(valid, ChargeableClick{Click: c, User: b.user(c.UserID), Advertiser: b.advertiser(c.AdvertiserID)}), append(at, i)
		}
	}
	if len(valid) == 0 {
		return nil
	}
	charges, err := charger.Charge(ctx, tx, valid)
	if err != nil {
		return err
	}
	for j, charge := range charges {
		c := &b.clicks[at[j]]
		c.Terms = charge.Terms
		if charge.Capped {
			c.Verdict, c.Reason = VerdictCapped, charge.Reason
			continue
		}
		c.Earning, c.Cost = charge.Earning, charge.Cost
	}
	return nil
}

// entries are the ledger entries of the clicks that move money.
func (b *clickBatch) entries(hold time.Duration) []affiliate.Entry {
	entries := make([]affiliate.Entry, 0, len(b.clicks))
	for _, c := range b.clicks {
		if c.Earning.IsZero() && c.Cost.IsZero() {
			continue
		}
		entries = append(entries, affiliate.Entry{
			Kind: affiliate.EntryClick, Account: affiliate.UserAccount(c.UserID), AdvertiserID: c.AdvertiserID,
			Earning: c.Earning, Cost: c.Cost, OccurredAt: c.At, PayableAt: c.At.Add(hold),
			Cause: c.Cause(), Terms: c.Terms,
		})
	}
	return entries
}

// rollUp adds clicks up, in the order in which their keys first come.
func rollUp(clicks []Click) []Day {
	type key struct {
		date             time.Time
		advertiser, user int64
		currency         affiliate.Currency
	}
	var days []Day
	index := make(map[key]int)
	for _, c := range clicks {
		k := key{DayOf(c.At), c.AdvertiserID, c.UserID, c.Earning.Currency()}
		i, ok := index[k]
		if !ok {
			i = len(days)
			index[k] = i
			days = append(days, Day{Date: k.date, AdvertiserID: k.advertiser, UserID: k.user, Currency: k.currency})
		}
		d := &days[i]
		d.Clicks++
		if c.Verdict == VerdictValid {
			d.Valid++
		}
		d.Earning += c.Earning.Minor()
		d.Cost += c.Cost.Minor()
	}
	return days
}
