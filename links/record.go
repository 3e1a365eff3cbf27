package links

import (
	"context"
	"slices"
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

// recordBatch decides about the clicks, in order, and keeps them with their
// ledger entries and roll-ups, all or none. It answers them as kept.
//
// What a decision rests on is read after the links are locked. Two batches
// with a link in common, in whatever processes, therefore go one after the
// other, and the second sees the visits that the first kept: that is why a
// duplicate is found exactly.
func (s *Service) recordBatch(ctx context.Context, batch []pendingClick) ([]Click, error) {
	var kept []Click
	err := s.store.Record(ctx, func(ctx context.Context, tx Tx) error {
		b, err := s.readBatch(ctx, tx, batch)
		if err != nil {
			return err
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
		kept = b.clicks
		return tx.Days().Add(ctx, b.days()...)
	})
	return kept, err
}

// clickBatch is a batch with all that decides about it.
type clickBatch struct {
	pending     []pendingClick
	clicks      []Click // as they will be kept, in the same order
	window      time.Duration
	links       map[int64]Link
	users       map[int64]affiliate.User
	advertisers map[int64]affiliate.Advertiser
	blocklist   map[int64][]BlocklistEntry // by advertiser
}

// readBatch locks the links and reads what they belong to, each kind at once.
func (s *Service) readBatch(ctx context.Context, tx Tx, batch []pendingClick) (*clickBatch, error) {
	b := &clickBatch{pending: batch, clicks: make([]Click, len(batch)), window: s.opts.DuplicateWindow}
	ids := make([]int64, len(batch))
	for i, p := range batch {
		ids[i], b.clicks[i] = p.click.LinkID, p.click
	}
	var err error
	if b.links, err = byID(ctx, tx.Links().Lock, ids, func(l Link) int64 { return l.ID }); err != nil {
		return nil, err
	}
	var userIDs, advertiserIDs []int64
	for i := range b.clicks {
		l, ok := b.links[b.clicks[i].LinkID]
		if !ok {
			return nil, affiliate.NotFound("link", b.clicks[i].LinkID)
		}
		b.clicks[i].UserID, b.clicks[i].AdvertiserID = l.UserID, l.AdvertiserID
		userIDs, advertiserIDs = append(userIDs, l.UserID), append(advertiserIDs, l.AdvertiserID)
	}
	if b.users, err = byID(ctx, tx.Users().GetMany, userIDs, func(u affiliate.User) int64 { return u.ID }); err != nil {
		return nil, err
	}
	if b.advertisers, err = byID(ctx, tx.Advertisers().GetMany, advertiserIDs, func(a affiliate.Advertiser) int64 { return a.ID }); err != nil {
		return nil, err
	}
	return b, b.readBlocklist(ctx, tx)
}

func (b *clickBatch) readBlocklist(ctx context.Context, tx Tx) error {
	var userIDs, tagIDs, clientIDs, advertiserIDs []int64
	for _, u := range b.users {
		userIDs, tagIDs, clientIDs = append(userIDs, u.ID), append(tagIDs, u.TagIDs...), append(clientIDs, clientOf(u)...)
	}
	for id := range b.advertisers {
		advertiserIDs = append(advertiserIDs, id)
	}
	entries, err := tx.Blocklist().Naming(ctx, affiliate.IDs(advertiserIDs), affiliate.IDs(userIDs), affiliate.IDs(tagIDs), affiliate.IDs(clientIDs))
	b.blocklist = make(map[int64][]BlocklistEntry)
	for _, e := range entries {
		b.blocklist[e.AdvertiserID] = append(b.blocklist[e.AdvertiserID], e)
	}
	return err
}

// judge gives each click its verdict; money comes later.
func (b *clickBatch) judge(ctx context.Context, tx Tx) error {
	var visits []Visit
	var oldest time.Time
	for i := range b.clicks {
		c := &b.clicks[i]
		none := affiliate.NewMoney(0, b.advertisers[c.AdvertiserID].Currency)
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
	c := b.clicks[i]
	user := b.users[c.UserID]
	switch {
	case b.pending[i].bot:
		return VerdictBot, ClickReasonBot
	case !b.links[c.LinkID].DeletedAt.IsZero():
		return VerdictBlocked, ClickReasonLinkDeleted
	case user.Status() == affiliate.UserSuspended:
		return VerdictBlocked, ClickReasonUserSuspended
	case b.advertisers[c.AdvertiserID].Status != affiliate.AdvertiserActive:
		return VerdictBlocked, ClickReasonAdvertiserDeactivated
	}
	// Every entry that names the user must let the clicks count.
	if slices.ContainsFunc(b.blocklist[c.AdvertiserID], func(e BlocklistEntry) bool { return e.Names(user) && !e.ValidateClicks }) {
		return VerdictBlocked, ClickReasonBlocklist
	}
	return VerdictValid, ""
}

// charge prices the valid clicks.
func (b *clickBatch) charge(ctx context.Context, tx Tx, charger Charger) error {
	var valid []ChargeableClick
	var at []int
	for i, c := range b.clicks {
		if c.Verdict == VerdictValid {
			valid, at = append(valid, ChargeableClick{Click: c, User: b.users[c.UserID], Advertiser: b.advertisers[c.AdvertiserID]}), append(at, i)
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
	var entries []affiliate.Entry
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

// days are the roll-ups of the clicks, one for each key.
func (b *clickBatch) days() []Day { return rollUp(b.clicks) }

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
