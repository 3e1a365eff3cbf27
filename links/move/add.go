package move

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// adder adds the lines of an export in one unit.
type adder struct {
	ctx    context.Context
	tx     Tx
	header header
}

// numbered adds lines of a kind one by one, and gives them the ids that they have.
func numbered[L line](a *adder, kind Kind, list []line, add func(l L) (int64, error)) error {
	from, to := make([]int64, len(list)), make([]int64, len(list))
	for i, l := range list {
		id, err := add(l.(L))
		if err != nil {
			return err
		}
		from[i], to[i] = id, l.facts().id
	}
	return a.tx.Numbers().Renumber(a.ctx, kind, from, to)
}

// values are the domain's records in lines.
func values[L line, V any](list []line, of func(l L) V) []V {
	out := make([]V, len(list))
	for i, l := range list {
		out[i] = of(l.(L))
	}
	return out
}

// absent are the lines whose records are not there.
func absent[V any](a *adder, list []line, getMany func(context.Context, []int64) ([]V, error), id func(V) int64) ([]line, error) {
	ids := make([]int64, len(list))
	for i, l := range list {
		ids[i] = l.facts().id
	}
	found, err := getMany(a.ctx, ascending(ids))
	there := set{}
	for _, v := range found {
		there.add(id(v))
	}
	return slices.DeleteFunc(slices.Clone(list), func(l line) bool { _, is := there[l.facts().id]; return is }), err
}

func addGroups(a *adder, list []line) error {
	list, err := absent(a, list, a.tx.AdvertiserGroups().GetMany, func(g affiliate.AdvertiserGroup) int64 { return g.ID })
	if err != nil {
		return err
	}
	return numbered(a, Groups, list, func(l *groupLine) (int64, error) {
		g, err := a.tx.AdvertiserGroups().Add(a.ctx, l.AdvertiserGroup)
		return g.ID, err
	})
}

func addCategories(a *adder, list []line) error {
	list, err := absent(a, list, a.tx.Categories().GetMany, func(c affiliate.Category) int64 { return c.ID })
	if err != nil {
		return err
	}
	return numbered(a, Categories, list, func(l *categoryLine) (int64, error) {
		c, err := a.tx.Categories().Add(a.ctx, l.Category)
		return c.ID, err
	})
}

func addClients(a *adder, list []line) error {
	list, err := absent(a, list, a.tx.Clients().GetMany, func(c affiliate.Client) int64 { return c.ID })
	if err != nil {
		return err
	}
	return numbered(a, Clients, list, func(l *clientLine) (int64, error) {
		c := l.Client
		c.DefaultTierID = 0 // it comes after
		c, err := a.tx.Clients().Add(a.ctx, c)
		return c.ID, err
	})
}

func addTiers(a *adder, list []line) error {
	list, err := absent(a, list, a.tx.RevenueTiers().GetMany, func(t affiliate.RevenueTier) int64 { return t.ID })
	if err != nil {
		return err
	}
	err = numbered(a, Tiers, list, func(l *tierLine) (int64, error) {
		t, err := a.tx.RevenueTiers().Add(a.ctx, l.RevenueTier)
		return t.ID, err
	})
	for _, l := range list {
		t := l.(*tierLine)
		if err != nil || !t.Default {
			continue
		}
		c, failed := a.tx.Clients().Get(a.ctx, t.ClientID)
		if err = failed; err == nil && c.DefaultTierID == 0 {
			c.DefaultTierID = t.ID
			err = a.tx.Clients().Update(a.ctx, c)
		}
	}
	return err
}

func addSharedTags(a *adder, list []line) error {
	list, err := absent(a, list, a.tx.UserTags().GetMany, func(t affiliate.UserTag) int64 { return t.ID })
	if err != nil {
		return err
	}
	return numbered(a, SharedTags, list, func(l *sharedTagLine) (int64, error) {
		t, err := a.tx.UserTags().Add(a.ctx, l.UserTag)
		return t.ID, err
	})
}

func addUsers(a *adder, list []line) error {
	list, err := absent(a, list, a.tx.Users().GetMany, func(u affiliate.User) int64 { return u.ID })
	if err != nil {
		return err
	}
	err = numbered(a, Users, list, func(l *userLine) (int64, error) {
		if l.User == nil {
			return 0, affiliate.NotFound("user", l.ID)
		}
		u := *l.User
		u.TagIDs = nil // they refer to the user
		u, err := a.tx.Users().Add(a.ctx, u)
		return u.ID, err
	})
	for _, l := range list {
		if u := l.(*userLine).User; err == nil && len(u.TagIDs) > 0 {
			err = a.tx.Users().Update(a.ctx, *u)
		}
	}
	return err
}

func addAdvertiser(a *adder, list []line) error {
	err := numbered(a, Advertisers, list, func(l *advertiserLine) (int64, error) {
		v := l.Advertiser
		v.CategoryIDs = nil // they refer to the advertiser
		v, err := a.tx.Advertisers().Add(a.ctx, v)
		return v.ID, err
	})
	for _, l := range list {
		if err == nil {
			err = a.tx.Advertisers().Update(a.ctx, l.(*advertiserLine).Advertiser)
		}
	}
	return err
}

func addTags(a *adder, list []line) error {
	return numbered(a, Tags, list, func(l *tagLine) (int64, error) {
		t, err := a.tx.UserTags().Add(a.ctx, l.UserTag)
		return t.ID, err
	})
}

func addCreators(a *adder, list []line) error {
	for _, l := range list {
		c := l.(*creatorLine)
		if c.Related {
			if err := a.tx.Users().Relate(a.ctx, c.UserID, a.header.AdvertiserID, c.Acts); err != nil {
				return err
			}
		}
		if len(c.TagIDs) == 0 {
			continue
		}
		u, err := a.tx.Users().Get(a.ctx, c.UserID)
		if err != nil {
			return err
		}
		u.TagIDs = ascending(append(u.TagIDs, c.TagIDs...))
		if err := a.tx.Users().Update(a.ctx, u); err != nil {
			return err
		}
	}
	return nil
}

func addRules(a *adder, list []line) error {
	return numbered(a, Rules, list, func(l *ruleLine) (int64, error) {
		r, err := a.tx.Rules().Add(a.ctx, l.Rule)
		return r.ID, err
	})
}

func addBlocks(a *adder, list []line) error {
	return numbered(a, Blocks, list, func(l *blockLine) (int64, error) {
		added, err := a.tx.Blocklist().AddMissing(a.ctx, l.BlocklistEntry)
		return only(added, err, "blocklist_entry", "target", func(b affiliate.BlocklistEntry) int64 { return b.ID })
	})
}

// only is the id of what AddMissing added, which must be one record.
func only[V any](added []V, err error, resource, field string, id func(V) int64) (int64, error) {
	if err != nil {
		return 0, err
	}
	if len(added) != 1 {
		return 0, takenAlready(resource, field)
	}
	return id(added[0]), nil
}

func takenAlready(resource, field string) error {
	e := affiliate.Conflict(resource, "taken", "")
	e.Fields = []affiliate.FieldError{{Field: field, Code: "taken", Message: "is taken already"}}
	return e
}

func addBudgets(a *adder, list []line) error {
	return numbered(a, Budgets, list, func(l *budgetLine) (int64, error) {
		b, err := a.tx.SharedBudgets().Add(a.ctx, l.SharedBudget)
		return b.ID, err
	})
}

// addImages notes the images; their files were put before the unit.
func addImages(a *adder, list []line) error {
	for _, l := range list {
		i := l.(*imageLine)
		err := a.tx.Images().Add(a.ctx, offers.Image{
			Key: i.Key, ImageOwner: offers.ImageOwner{AdvertiserID: a.header.AdvertiserID}, Bytes: i.Bytes, CreatedAt: i.CreatedAt,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func addOffers(a *adder, list []line) error {
	err := numbered(a, Offers, list, func(l *offerLine) (int64, error) {
		o, err := a.tx.Offers().Add(a.ctx, l.Offer)
		return o.ID, err
	})
	for _, l := range list {
		if err == nil {
			err = a.tx.Targets().Set(a.ctx, l.(*offerLine).ID, l.(*offerLine).Targets)
		}
	}
	return err
}

func addRateCards(a *adder, list []line) error {
	return numbered(a, RateCards, list, func(l *rateCardLine) (int64, error) {
		c, err := a.tx.RateCards().Add(a.ctx, l.RateCard)
		return c.ID, err
	})
}

func addParticipants(a *adder, list []line) error {
	return numbered(a, Participants, list, func(l *participantLine) (int64, error) {
		added, err := a.tx.Participants().AddMissing(a.ctx, l.Participant)
		return only(added, err, "participant", "user_id", func(p offers.Participant) int64 { return p.ID })
	})
}

func addComments(a *adder, list []line) error {
	return numbered(a, Comments, list, func(l *commentLine) (int64, error) {
		c, err := a.tx.Comments().Add(a.ctx, l.Comment)
		return c.ID, err
	})
}

func addActivities(a *adder, list []line) error {
	return a.tx.Activities().Add(a.ctx, values(list, func(l *activityLine) offers.Activity { return l.Activity })...)
}

func addUsage(a *adder, list []line) error {
	return a.tx.Usage().Add(a.ctx, values(list, func(l *usageLine) offers.Usage { return l.Usage })...)
}

func addGoneUsage(a *adder, list []line) error {
	return a.tx.Retention().Add(a.ctx, values(list, func(l *goneUsageLine) offers.Usage { return l.Usage })...)
}

func addLinks(a *adder, list []line) error {
	return numbered(a, Links, list, func(l *linkLine) (int64, error) {
		added, isNew, err := a.tx.Links().AddOrGet(a.ctx, l.Link)
		if err == nil && !isNew {
			err = takenAlready("link", "key")
		}
		return added.ID, err
	})
}

// readersFor is how long readers of a campaign are told apart; see stats.
const readersFor = 72 * time.Hour

func addClicks(a *adder, list []line) error {
	clicks := values(list, func(l *clickLine) links.Click { return l.Click })
	if err := a.tx.Clicks().Add(a.ctx, clicks...); err != nil {
		return err
	}
	advertiser, err := a.tx.Advertisers().Get(a.ctx, a.header.AdvertiserID)
	if err != nil {
		return err
	}
	var visits []stats.Visit
	for _, c := range clicks {
		if c.Verdict == links.VerdictValid && c.OfferID != 0 && c.Visitor != (links.VisitorKey{}) && c.At.After(a.header.At.Add(-readersFor)) {
			visits = append(visits, stats.Visit{AdvertiserID: c.AdvertiserID, OfferID: c.OfferID, Day: stats.DayOf(c.At, &advertiser), Reader: stats.Reader(c.Visitor)})
		}
	}
	if len(visits) == 0 {
		return nil
	}
	_, err = a.tx.Stats().Meet(a.ctx, visits...)
	return err
}

func addVouchers(a *adder, list []line) error {
	return numbered(a, Vouchers, list, func(l *voucherLine) (int64, error) {
		v, err := a.tx.Vouchers().Add(a.ctx, l.Voucher)
		return v.ID, err
	})
}

func addCollectors(a *adder, list []line) error {
	return numbered(a, Collectors, list, func(l *collectorLine) (int64, error) {
		c, isNew, err := a.tx.Collectors().AddOrGet(a.ctx, l.Collector)
		if err == nil && !isNew {
			err = takenAlready("collector", "advertiser_id")
		}
		return c.ID, err
	})
}

// addEntries appends entries in runs: one that reverses another of the list comes
// when that has its id.
func addEntries(a *adder, list []line) error {
	for len(list) > 0 {
		n, run := 0, set{}
		for ; n < len(list); n++ {
			e := list[n].(*entryLine)
			if _, inRun := run[e.Reverses]; inRun {
				break
			}
			run.add(e.ID)
		}
		appended, err := a.tx.Ledger().Append(a.ctx, values(list[:n], func(l *entryLine) affiliate.Entry { return l.Entry })...)
		if err != nil {
			return err
		}
		i := -1
		err = numbered(a, Entries, list[:n], func(*entryLine) (int64, error) {
			i++
			return appended[i].ID, nil
		})
		if err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func addOrders(a *adder, list []line) error {
	added, err := a.tx.Orders().AddMissing(a.ctx, values(list, func(l *orderLine) orders.Order { return l.Order })...)
	if err != nil {
		return err
	}
	byNumber := make(map[string]int64, len(added))
	for _, o := range added {
		byNumber[o.Number] = o.ID
	}
	return numbered(a, Orders, list, func(l *orderLine) (int64, error) {
		id, isNew := byNumber[l.Number]
		if !isNew {
			return 0, takenAlready("order", "number")
		}
		return id, nil
	})
}

func addRefunds(a *adder, list []line) error {
	return numbered(a, Refunds, list, func(l *refundLine) (int64, error) {
		r, err := a.tx.Refunds().Add(a.ctx, l.Refund)
		return r.ID, err
	})
}

func addPayments(a *adder, list []line) error {
	return numbered(a, Payments, list, func(l *paymentLine) (int64, error) {
		p, err := a.tx.OneTimePayments().Add(a.ctx, l.Payment)
		return p.ID, err
	})
}

func addReturnAds(a *adder, list []line) error {
	err := numbered(a, ReturnAds, list, func(l *returnAdLine) (int64, error) {
		ad, err := a.tx.ReturnAds().Add(a.ctx, l.Ad)
		return ad.ID, err
	})
	for _, l := range list {
		if err == nil {
			_, err = a.tx.ReturnAds().Count(a.ctx, l.(*returnAdLine).ID, l.(*returnAdLine).Counts)
		}
	}
	return err
}

func addRollups(a *adder, list []line) error {
	return a.tx.Stats().Add(a.ctx, values(list, func(l *rollupLine) stats.Change {
		return stats.Change{Key: l.Key, Figures: l.Figures, Levels: 1 << l.Level}
	})...)
}

func addConfigs(a *adder, list []line) error {
	return numbered(a, Configs, list, func(l *configLine) (int64, error) {
		c, err := a.tx.StatsConfigs().Add(a.ctx, l.Config)
		return c.ID, err
	})
}

func addSetups(a *adder, list []line) error {
	for _, l := range list {
		if err := a.tx.PaymentSetups().Put(a.ctx, l.(*setupLine).PaymentSetup); err != nil {
			return err
		}
	}
	return nil
}
