package move

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// walk goes through all that an advertiser has, in the order of kinds, and holds a
// page of it at a time. What it keeps meanwhile are the ids of users and campaigns.
type walk struct {
	ctx        context.Context
	tx         Tx
	advertiser affiliate.Advertiser
	people     bool            // users with all that they are
	own        bool            // without what is of all shops
	blobs      affiliate.Blobs // nil: without the files of images
	emit       func(kind Kind, l line) error

	offers  []int64
	budgets []int64
	images  []string
	related set // users
	named   map[Kind]set
}

// set is a set of ids; the id 0 is never in it.
type set map[int64]struct{}

func (s set) add(ids ...int64) {
	for _, id := range ids {
		if id != 0 {
			s[id] = struct{}{}
		}
	}
}

func (s set) sorted() []int64 { return slices.Sorted(maps.Keys(s)) }

// ascending are the ids in their order, each once and without 0.
func ascending(ids []int64) []int64 {
	s := set{}
	s.add(ids...)
	return s.sorted()
}

// page is how many records are read at a time.
const page = affiliate.MaxPageSize

func (w *walk) retained() (links.Retained, error) {
	r, err := w.tx.Retention().Get(w.ctx)
	r.Clicks, r.Entries, r.EventsThrough = 0, 0, 0 // those of all shops
	return r, err
}

func (w *walk) run() error {
	w.related, w.named = set{}, map[Kind]set{}
	for _, k := range []Kind{Groups, Categories, Clients, SharedTags, Tags, Users} {
		w.named[k] = set{}
	}
	steps := []func() error{
		w.survey, w.shared, w.one, w.tags, w.creators, w.rules, w.blocks, w.sharedBudgets, w.files, w.campaigns, w.rateCards, w.participants,
		w.comments, w.activities, w.usage, w.goneUsage, w.links, w.clicks, w.vouchers, w.collector, w.entries, w.orders, w.refunds, w.payments,
		w.returnAds, w.rollups, w.configs, w.setup,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// each calls f with every item of a list.
func each[T any](list func(p affiliate.PageRequest) (affiliate.Page[T], error), f func(T) error) error {
	keys := &affiliate.PageKeys{}
	for n := 1; ; n++ {
		got, err := list(affiliate.PageRequest{Number: n, Size: page, Keys: keys})
		if err != nil {
			return err
		}
		for _, v := range got.Items {
			if err := f(v); err != nil {
				return err
			}
		}
		if n*page >= got.Total {
			return nil
		}
	}
}

func (w *walk) listUsers(p affiliate.PageRequest) (affiliate.Page[affiliate.User], error) {
	return w.tx.Users().List(w.ctx, affiliate.UserFilter{AdvertiserIDs: []int64{w.advertiser.ID}}, p)
}

func (w *walk) listBlocks(p affiliate.PageRequest) (affiliate.Page[affiliate.BlocklistEntry], error) {
	return w.tx.Blocklist().List(w.ctx, affiliate.BlocklistFilter{AdvertiserID: w.advertiser.ID}, p)
}

func (w *walk) listOffers(p affiliate.PageRequest) (affiliate.Page[offers.Offer], error) {
	return w.tx.Offers().List(w.ctx, offers.OfferFilter{AdvertiserIDs: []int64{w.advertiser.ID}}, p)
}

func (w *walk) listBudgets(p affiliate.PageRequest) (affiliate.Page[offers.SharedBudget], error) {
	return w.tx.SharedBudgets().List(w.ctx, offers.SharedBudgetFilter{AdvertiserID: w.advertiser.ID}, p)
}

func (w *walk) listPayments(p affiliate.PageRequest) (affiliate.Page[orders.Payment], error) {
	return w.tx.OneTimePayments().List(w.ctx, orders.PaymentFilter{AdvertiserIDs: []int64{w.advertiser.ID}}, p)
}

func (w *walk) listAds(p affiliate.PageRequest) (affiliate.Page[returnads.Ad], error) {
	return w.tx.ReturnAds().List(w.ctx, returnads.Filter{AdvertiserIDs: []int64{w.advertiser.ID}}, p)
}

// eachParticipant goes through the participants of all campaigns by ascending id of
// the campaign, then of the participant.
func (w *walk) eachParticipant(f func(offers.Participant) error) error {
	for _, id := range w.offers {
		err := each(func(p affiliate.PageRequest) (affiliate.Page[offers.Participant], error) {
			return w.tx.Participants().List(w.ctx, offers.ParticipantFilter{OfferID: id}, p)
		}, f)
		if err != nil {
			return err
		}
	}
	return nil
}

// eachRemark goes through the comments and activities of a participant.
func (w *walk) eachRemark(participantID int64, comment func(offers.Comment) error, activity func(offers.Activity) error) error {
	if comment != nil {
		comments, err := w.tx.Comments().ByParticipant(w.ctx, participantID)
		if err != nil {
			return err
		}
		for _, c := range comments {
			if err := comment(c); err != nil {
				return err
			}
		}
	}
	if activity == nil {
		return nil
	}
	return each(func(p affiliate.PageRequest) (affiliate.Page[offers.Activity], error) {
		return w.tx.Activities().List(w.ctx, offers.ActivityFilter{ParticipantID: participantID}, p)
	}, activity)
}

func (w *walk) one() error { return w.emit(Advertisers, &advertiserLine{w.advertiser}) }

func (w *walk) tags() error {
	return each(func(p affiliate.PageRequest) (affiliate.Page[affiliate.UserTag], error) {
		return w.tx.UserTags().List(w.ctx, affiliate.UserTagFilter{AdvertiserID: w.advertiser.ID}, p)
	}, func(t affiliate.UserTag) error {
		w.named[Tags].add(t.ID)
		return w.emit(Tags, &tagLine{t})
	})
}

func (w *walk) creators() error {
	for ids := range slices.Chunk(w.named[Users].sorted(), page) {
		users, err := w.tx.Users().GetMany(w.ctx, ids)
		if err != nil {
			return err
		}
		acting, err := w.tx.Users().ActingAt(w.ctx, ids, []int64{w.advertiser.ID})
		if err != nil {
			return err
		}
		for _, u := range users {
			l := creatorLine{UserID: u.ID}
			_, l.Related = w.related[u.ID]
			_, l.Acts = slices.BinarySearch(acting, u.ID)
			for _, id := range u.TagIDs {
				if _, ours := w.named[Tags][id]; ours {
					l.TagIDs = append(l.TagIDs, id)
				}
			}
			if !l.Related && l.TagIDs == nil {
				continue
			}
			if err := w.emit(Creators, &l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) rules() error {
	rules, err := w.tx.Rules().ByAdvertisers(w.ctx, []int64{w.advertiser.ID})
	for _, r := range rules {
		err = cmp.Or(err, w.emit(Rules, &ruleLine{r}))
	}
	return err
}

func (w *walk) blocks() error {
	return each(w.listBlocks, func(b affiliate.BlocklistEntry) error { return w.emit(Blocks, &blockLine{b}) })
}

func (w *walk) sharedBudgets() error {
	return each(w.listBudgets, func(b offers.SharedBudget) error { return w.emit(Budgets, &budgetLine{b}) })
}

func (w *walk) files() error {
	slices.Sort(w.images)
	for _, key := range slices.Compact(w.images) {
		i, err := w.tx.Images().Get(w.ctx, key)
		switch {
		case errors.Is(err, affiliate.ErrNotFound), err == nil && (i.Removed || i.AdvertiserID != w.advertiser.ID):
			continue
		case err != nil:
			return err
		}
		l := imageLine{Key: i.Key, Bytes: i.Bytes, CreatedAt: i.CreatedAt}
		if w.blobs != nil {
			if l.Data, err = w.blobs.Get(w.ctx, key); err != nil {
				return fmt.Errorf("move: the file of image %s: %w", key, err)
			}
		}
		if err := w.emit(Images, &l); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) campaigns() error {
	return each(w.listOffers, func(o offers.Offer) error {
		targets, err := w.tx.Targets().Get(w.ctx, o.ID)
		if err != nil {
			return err
		}
		return w.emit(Offers, &offerLine{o, targets})
	})
}

// rateCards goes back from card to card: each holds from its Since until the next.
func (w *walk) rateCards() error {
	var all []orders.RateCard
	for _, id := range w.offers {
		for at := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC); ; {
			cards, err := w.tx.RateCards().Holding(w.ctx, []orders.CardAt{{OfferID: id, At: at}})
			if err != nil {
				return err
			}
			if cards[0].ID == 0 {
				break
			}
			all = append(all, cards[0])
			at = cards[0].Since.Add(-time.Microsecond)
		}
	}
	slices.SortFunc(all, func(a, b orders.RateCard) int { return cmp.Compare(a.ID, b.ID) })
	for _, c := range all {
		if err := w.emit(RateCards, &rateCardLine{c}); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) participants() error {
	return w.eachParticipant(func(p offers.Participant) error { return w.emit(Participants, &participantLine{p}) })
}

func (w *walk) comments() error {
	return w.eachParticipant(func(p offers.Participant) error {
		return w.eachRemark(p.ID, func(c offers.Comment) error { return w.emit(Comments, &commentLine{c}) }, nil)
	})
}

func (w *walk) activities() error {
	return w.eachParticipant(func(p offers.Participant) error {
		return w.eachRemark(p.ID, nil, func(a offers.Activity) error {
			a.ID = 0 // nothing refers to it
			return w.emit(Activities, &activityLine{a})
		})
	})
}

func (w *walk) usage() error {
	return w.counters(w.tx.Usage().Scan, func(u offers.Usage) error { return w.emit(Usage, &usageLine{u}) })
}

func (w *walk) goneUsage() error {
	return w.counters(w.tx.Retention().Scan, func(u offers.Usage) error { return w.emit(GoneUsage, &goneUsageLine{u}) })
}

// counters goes through the counters of the campaigns, then those of the shared budgets.
func (w *walk) counters(scan func(context.Context, offers.UsageKey, int) ([]offers.Usage, error), f func(offers.Usage) error) error {
	var before []offers.UsageKey
	for _, id := range w.offers {
		before = append(before, offers.UsageKey{OfferID: id, UserID: -1})
	}
	for _, id := range w.budgets {
		before = append(before, offers.UsageKey{SharedBudgetID: id, OfferID: -1})
	}
	for _, first := range before {
		for after := first; ; {
			found, err := scan(w.ctx, after, page)
			if err != nil {
				return err
			}
			for _, u := range found {
				if after = u.UsageKey; u.SharedBudgetID != first.SharedBudgetID || u.SharedBudgetID == 0 && u.OfferID != first.OfferID {
					found = nil
					break
				}
				if u.Counts == (offers.Counts{}) {
					continue
				}
				if err := f(u); err != nil {
					return err
				}
			}
			if len(found) < page {
				break
			}
		}
	}
	return nil
}

func (w *walk) links() error {
	return each(func(p affiliate.PageRequest) (affiliate.Page[links.Link], error) {
		return w.tx.Links().List(w.ctx, links.LinkFilter{AdvertiserID: w.advertiser.ID}, p)
	}, func(l links.Link) error { return w.emit(Links, &linkLine{l, l.Key[:]}) })
}

func (w *walk) vouchers() error {
	var all []orders.Voucher
	for _, id := range w.related.sorted() {
		found, err := w.tx.Vouchers().ByUser(w.ctx, w.advertiser.ID, id)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b orders.Voucher) int { return cmp.Compare(a.ID, b.ID) })
	for _, v := range all {
		if err := w.emit(Vouchers, &voucherLine{v}); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) collector() error {
	found, err := w.tx.Collectors().ByAdvertisers(w.ctx, []int64{w.advertiser.ID})
	for _, c := range found {
		err = cmp.Or(err, w.emit(Collectors, &collectorLine{c}))
	}
	return err
}

// entries looks through the whole ledger: an entry comes after the one that it
// reverses, and by ascending id they stand nowhere else.
func (w *walk) entries() error {
	for after := int64(0); ; {
		found, err := w.tx.Ledger().Scan(w.ctx, after, page)
		if err != nil {
			return err
		}
		for _, e := range found {
			if after = e.ID; e.AdvertiserID != w.advertiser.ID {
				continue
			}
			if err := w.emit(Entries, &entryLine{e}); err != nil {
				return err
			}
		}
		if len(found) < page {
			return nil
		}
	}
}

func (w *walk) payments() error {
	return each(w.listPayments, func(p orders.Payment) error { return w.emit(Payments, &paymentLine{p}) })
}

func (w *walk) returnAds() error {
	return each(w.listAds, func(a returnads.Ad) error {
		counts, err := w.tx.ReturnAds().Counts(w.ctx, []int64{a.ID})
		if err != nil {
			return err
		}
		a.AdvertiserIDs = nil // where it is shown are other shops, which stay
		return w.emit(ReturnAds, &returnAdLine{a, counts[a.ID]})
	})
}

func (w *walk) rollups() error {
	for _, level := range stats.Levels() {
		for after := (stats.Key{Level: level, AdvertiserID: w.advertiser.ID}); ; {
			found, err := w.tx.Stats().Scan(w.ctx, after, page)
			if err != nil {
				return err
			}
			for _, r := range found {
				if after = r.Key; r.Level != level || r.AdvertiserID != w.advertiser.ID {
					found = nil
					break
				}
				if err := w.emit(Rollups, &rollupLine{r}); err != nil {
					return err
				}
			}
			if len(found) < page {
				break
			}
		}
	}
	return nil
}

func (w *walk) configs() error {
	found, err := w.tx.StatsConfigs().ByAdvertiser(w.ctx, w.advertiser.ID)
	for _, c := range found {
		err = cmp.Or(err, w.emit(Configs, &configLine{c}))
	}
	return err
}

func (w *walk) setup() error {
	s, err := w.tx.PaymentSetups().Get(w.ctx, w.advertiser.ID)
	switch {
	case errors.Is(err, affiliate.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return w.emit(Setups, &setupLine{s})
}
