package links

import (
	"context"
	"log/slog"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
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
// ledger entries and roll-ups, all or none. It notes what became of each.
//
// What a decision rests on is read after the links are locked. Two batches
// with a link in common, in whatever processes, therefore go one after the
// other, and the second sees the visits that the first kept: that is why a
// duplicate is found exactly.
func (s *Service) recordBatch(ctx context.Context, batch []*pendingClick) error {
	if s.opts.Tracer == nil {
		return s.recordAll(ctx, batch)
	}
	ctx, span := s.opts.Tracer.Start(ctx, affiliate.SpanInternal, "links.record_clicks", slog.Int("affiliatekit.clicks", len(batch)))
	defer span.End()
	err := s.recordAll(ctx, batch)
	affiliate.FailSpan(span, err)
	return err
}

func (s *Service) recordAll(ctx context.Context, batch []*pendingClick) error {
	b := s.batches.Get().(*clickBatch)
	defer s.batches.Put(b)
	err := s.store.Record(ctx, func(ctx context.Context, tx Tx) error {
		b.reset(s.opts.DuplicateWindow)
		if err := b.read(ctx, tx, batch); err != nil || len(b.clicks) == 0 {
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
		return stats.Record(ctx, tx, b.counts()...)
	})
	if err == nil {
		b.outcome(batch, s.opts.ClickParameter)
		s.tell(b.clicks)
	}
	return err
}

// tell tells Options.Observe of clicks that are kept.
func (s *Service) tell(clicks []Click) {
	if s.opts.Observe == nil || s.hosted {
		return
	}
	for i := range clicks {
		s.opts.Observe(clicks[i].Verdict, clicks[i].Reason)
	}
}

// clickBatch is a batch with all that decides about it. What was read is
// ascending by id; a click finds its own by binary search. Batches are used
// again: backends keep copies, so the lists may serve the next one.
type clickBatch struct {
	window      time.Duration
	pending     []*pendingClick // those whose link exists
	clicks      []Click         // as they will be kept, in the same order
	links       []Link
	users       []affiliate.User
	advertisers []affiliate.Advertiser
	blocklist   []affiliate.BlocklistEntry // those that name one of the users

	linkIDs, userIDs, advertiserIDs, tagIDs, clientIDs []int64
	visits                                             []Visit
	chargeable                                         []ChargeableClick
	chargeableAt                                       []int
	booked                                             []affiliate.Entry
	events                                             []stats.Fact
}

func (b *clickBatch) reset(window time.Duration) {
	*b = clickBatch{
		window: window, pending: b.pending[:0], clicks: b.clicks[:0],
		linkIDs: b.linkIDs[:0], userIDs: b.userIDs[:0], advertiserIDs: b.advertiserIDs[:0], tagIDs: b.tagIDs[:0], clientIDs: b.clientIDs[:0],
		visits: b.visits[:0], chargeable: b.chargeable[:0], chargeableAt: b.chargeableAt[:0], booked: b.booked[:0], events: b.events[:0],
	}
}

// read locks the links and reads what they belong to, each kind at once.
func (b *clickBatch) read(ctx context.Context, tx Tx, batch []*pendingClick) (err error) {
	for _, p := range batch {
		b.linkIDs = append(b.linkIDs, p.click.LinkID)
	}
	if b.links, err = tx.Links().Lock(ctx, distinct(&b.linkIDs)); err != nil {
		return err
	}
	for i := range b.links {
		b.userIDs, b.advertiserIDs = append(b.userIDs, b.links[i].UserID), append(b.advertiserIDs, b.links[i].AdvertiserID)
	}
	if b.users, err = tx.Users().GetMany(ctx, distinct(&b.userIDs)); err != nil {
		return err
	}
	if b.advertisers, err = tx.Advertisers().GetMany(ctx, distinct(&b.advertiserIDs)); err != nil {
		return err
	}
	for i := range b.users {
		b.tagIDs = append(b.tagIDs, b.users[i].TagIDs...)
		if id := b.users[i].ClientID; id != 0 {
			b.clientIDs = append(b.clientIDs, id)
		}
	}
	b.blocklist, err = tx.Blocklist().Naming(ctx, b.advertiserIDs, b.userIDs, distinct(&b.tagIDs), distinct(&b.clientIDs))
	for _, p := range batch {
		l, ok := b.link(p.click.LinkID)
		if !ok {
			continue
		}
		b.pending, b.clicks = append(b.pending, p), append(b.clicks, p.click)
		c := &b.clicks[len(b.clicks)-1]
		c.UserID, c.AdvertiserID = l.UserID, l.AdvertiserID
	}
	return err
}

// distinct sorts ids and drops repetitions, in place.
func distinct(ids *[]int64) []int64 {
	slices.Sort(*ids)
	*ids = slices.Compact(*ids)
	return *ids
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

// outcome notes what became of each click of a batch that is kept.
func (b *clickBatch) outcome(batch []*pendingClick, parameter string) {
	for _, p := range batch {
		p.Err = affiliate.ErrNotFound
	}
	for i, p := range b.pending {
		p.Err, p.click = nil, b.clicks[i]
		l, _ := b.link(p.click.LinkID)
		a := b.advertiser(p.click.AdvertiserID)
		t := Target{
			Link: *l, AdvertiserStatus: a.Status, Provider: a.Provider,
			UserSuspended: b.user(p.click.UserID).Status() == affiliate.UserSuspended,
		}
		p.to = t.location(parameter, p.click.ID.String())
	}
}

// judge gives each click its verdict; money comes later.
func (b *clickBatch) judge(ctx context.Context, tx Tx) error {
	var oldest time.Time
	for i := range b.clicks {
		c := &b.clicks[i]
		none := affiliate.NewMoney(0, b.advertiser(c.AdvertiserID).Currency)
		c.Earning, c.Cost = none, none
		if c.Verdict, c.Reason = b.verdict(i); c.Verdict == VerdictValid {
			b.visits = append(b.visits, Visit{c.LinkID, c.Visitor, b.pending[i].previous})
			if oldest.IsZero() || c.At.Before(oldest) {
				oldest = c.At
			}
		}
	}
	if len(b.visits) == 0 {
		return nil
	}
	last, err := tx.Clicks().LastValid(ctx, b.visits, oldest.Add(-b.window))
	if err != nil {
		return err
	}
	visits := b.visits
	var earlier map[visitor]LastVisit // of the same batch
	if len(visits) > 1 {
		earlier = make(map[visitor]LastVisit, len(visits))
	}
	for i := range b.clicks {
		c := &b.clicks[i]
		if c.Verdict != VerdictValid {
			continue
		}
		v, kept := visits[0], last[0]
		visits, last = visits[1:], last[1:]
		now := visitor{v.LinkID, v.Visitor}
		if repeats, ok := b.repeated(c.At, earlier[now], earlier[visitor{v.LinkID, v.Previous}], kept); ok {
			c.Verdict, c.Reason, c.Repeats = VerdictDuplicate, ClickReasonDuplicate, repeats
			continue
		}
		if earlier != nil {
			earlier[now] = LastVisit{c.At, c.ID}
		}
	}
	return nil
}

// visitor is a reader of a link on one day.
type visitor struct {
	linkID int64
	key    VisitorKey
}

// repeated returns the first of the visits that a click at the time is a
// duplicate of.
func (b *clickBatch) repeated(at time.Time, visits ...LastVisit) (uuid.UUID, bool) {
	for _, v := range visits {
		if b.within(at, v.At) {
			return v.ClickID, true
		}
	}
	return uuid.Nil, false
}

// within reports whether a click at the time is a duplicate of one at last. Of
// two clicks that arrive out of order the one recorded first counts.
func (b *clickBatch) within(at, last time.Time) bool {
	return !last.IsZero() && at.Sub(last) < b.window
}

// verdict returns the verdict but for duplicates.
func (b *clickBatch) verdict(i int) (Verdict, string) {
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
	for i := range b.clicks {
		if c := &b.clicks[i]; c.Verdict == VerdictValid {
			b.chargeable = append(b.chargeable, ChargeableClick{Click: c, User: b.user(c.UserID), Advertiser: b.advertiser(c.AdvertiserID)})
			b.chargeableAt = append(b.chargeableAt, i)
		}
	}
	if len(b.chargeable) == 0 {
		return nil
	}
	charges, err := charger.Charge(ctx, tx, b.chargeable)
	if err != nil {
		return err
	}
	for j, charge := range charges {
		c := &b.clicks[b.chargeableAt[j]]
		c.Terms = charge.Terms
		if charge.Verdict != "" && charge.Verdict != VerdictValid {
			c.Verdict, c.Reason = charge.Verdict, charge.Reason
			continue
		}
		c.Earning, c.Cost, c.OfferID = charge.Earning, charge.Cost, charge.OfferID
	}
	return nil
}

// entries are the ledger entries of the clicks that move money.
func (b *clickBatch) entries(hold time.Duration) []affiliate.Entry {
	for i := range b.clicks {
		c := &b.clicks[i]
		if c.Earning.IsZero() && c.Cost.IsZero() {
			continue
		}
		b.booked = append(b.booked, affiliate.Entry{
			Kind: affiliate.EntryClick, Account: affiliate.UserAccount(c.UserID), AdvertiserID: c.AdvertiserID,
			Earning: c.Earning, Cost: c.Cost, OccurredAt: c.At, PayableAt: c.At.Add(hold),
			Cause: c.Cause(), Terms: c.Terms,
		})
	}
	return b.booked
}

// counts are what statistics count of the clicks.
func (b *clickBatch) counts() []stats.Fact {
	for i := range b.clicks {
		c := &b.clicks[i]
		b.events = append(b.events, c.event(b.advertiser(c.AdvertiserID)))
	}
	return b.events
}
