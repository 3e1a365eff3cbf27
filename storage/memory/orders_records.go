package memory

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// voucherUser is whose vouchers a creator has at an advertiser.
type voucherUser struct{ advertiser, user int64 }

type voucherTable struct {
	*engine.Table[orders.Voucher]
	byCode *engine.Unique[orders.Voucher, orders.VoucherKey] // the code folded
	byUser *engine.Groups[orders.Voucher, voucherUser]
}

func newVoucherTable(db *DB) voucherTable {
	t := engine.NewTable[orders.Voucher](&db.store)
	return voucherTable{t,
		engine.NewUnique(t, func(v *orders.Voucher) (orders.VoucherKey, bool) {
			return orders.VoucherKey{AdvertiserID: v.AdvertiserID, Code: orders.FoldCode(v.Code)}, true
		}),
		engine.NewGroups(t, func(v *orders.Voucher) (voucherUser, bool) { return voucherUser{v.AdvertiserID, v.UserID}, true }, nil),
	}
}

func copyVoucher(id uint32, v *orders.Voucher) orders.Voucher {
	c := *v
	c.ID = int64(id)
	return c
}

func keptVoucher(v orders.Voucher) orders.Voucher {
	v.CreatedAt, v.UpdatedAt = engine.Kept(v.CreatedAt), engine.Kept(v.UpdatedAt)
	return v
}

type vouchers struct{ u *unit }

func (r vouchers) Add(ctx context.Context, v orders.Voucher) (orders.Voucher, error) {
	t := r.u.db.orders.vouchers
	return engine.Add(ctx, &r.u.Unit, t.Table, v, keptVoucher, func(n orders.Voucher) error {
		var f engine.Refusal
		f.Refers(r.u.db.core.advertisers.Knows(n.AdvertiserID), "advertiser_id")
		f.Refers(r.u.db.core.users.Knows(n.UserID), "user_id")
		f.Unique(t.byCode.Taken(&n, 0), "voucher_code")
		return f.Err("voucher")
	}, copyVoucher)
}

func (r vouchers) Get(ctx context.Context, id int64) (orders.Voucher, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.orders.vouchers.Table, "voucher", id, copyVoucher)
}

func (r vouchers) Find(ctx context.Context, keys []orders.VoucherKey) ([]orders.Voucher, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.vouchers
	var ids []uint32
	for _, k := range keys {
		if id, ok := t.byCode.Find(orders.VoucherKey{AdvertiserID: k.AdvertiserID, Code: orders.FoldCode(k.Code)}); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, engine.Sorted(ids), copyVoucher), nil
}

func (r vouchers) ByUser(ctx context.Context, advertiserID, userID int64) ([]orders.Voucher, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.vouchers
	return engine.Collect(t.Table, t.byUser.Of(voucherUser{advertiserID, userID}), copyVoucher), nil
}

func (r vouchers) Delete(ctx context.Context, id int64) error {
	return engine.Remove(ctx, &r.u.Unit, r.u.db.orders.vouchers.Table, "voucher", id)
}

type collectorTable struct {
	*engine.Table[orders.Collector]
	byAdvertiser   *engine.Unique[orders.Collector, int64]
	byOrganization *engine.Unique[orders.Collector, int64]
	byKey          *engine.Unique[orders.Collector, string]
}

func newCollectorTable(db *DB) collectorTable {
	t := engine.NewTable[orders.Collector](&db.store)
	return collectorTable{t,
		engine.NewUnique(t, func(c *orders.Collector) (int64, bool) { return c.AdvertiserID, true }),
		engine.NewUnique(t, func(c *orders.Collector) (int64, bool) { return c.OrganizationID, true }),
		engine.NewUnique(t, func(c *orders.Collector) (string, bool) { return c.ActivationKey, true }),
	}
}

func copyCollector(id uint32, c *orders.Collector) orders.Collector {
	out := *c
	out.ID, out.HMACKey = int64(id), engine.Copied(c.HMACKey)
	return out
}

func keptCollector(c orders.Collector) orders.Collector {
	c.HMACKey = engine.Copied(c.HMACKey)
	c.CreatedAt, c.UpdatedAt = engine.Kept(c.CreatedAt), engine.Kept(c.UpdatedAt)
	return c
}

type collectors struct{ u *unit }

// check refuses what SQL would of a collector that is to be kept under an id,
// or under a new one when it is 0.
func (r collectors) check(c *orders.Collector, id uint32) error {
	t := r.u.db.orders.collectors
	var f engine.Refusal
	f.Refers(r.u.db.core.advertisers.Knows(c.AdvertiserID), "advertiser_id")
	f.Unique(t.byAdvertiser.Taken(c, id), "advertiser_id")
	f.Unique(t.byOrganization.Taken(c, id), "organization_id")
	f.Unique(t.byKey.Taken(c, id), "activation_key")
	return f.Err("collector")
}

func (r collectors) AddOrGet(ctx context.Context, c orders.Collector) (orders.Collector, bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return orders.Collector{}, false, err
	}
	t := r.u.db.orders.collectors
	if err := c.Validate(); err != nil {
		return orders.Collector{}, false, r.u.Fail(err)
	}
	if id, ok := t.byAdvertiser.Find(c.AdvertiserID); ok {
		return copyCollector(id, t.At(id)), false, nil
	}
	kept, err := engine.Add(ctx, &r.u.Unit, t.Table, c, keptCollector, func(n orders.Collector) error { return r.check(&n, 0) }, copyCollector)
	return kept, err == nil, err
}

func (r collectors) ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]orders.Collector, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.collectors
	var ids []uint32
	for _, advertiserID := range advertiserIDs {
		if id, ok := t.byAdvertiser.Find(advertiserID); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, engine.Sorted(ids), copyCollector), nil
}

func (r collectors) ByOrganization(ctx context.Context, organizationID int64) (orders.Collector, error) {
	t := r.u.db.orders.collectors
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byOrganization, organizationID, "collector", copyCollector)
}

func (r collectors) ByActivationKey(ctx context.Context, key string) (orders.Collector, error) {
	t := r.u.db.orders.collectors
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byKey, key, "collector", copyCollector)
}

func (r collectors) LongestWindow(ctx context.Context) (int, error) {
	if err := r.u.Use(ctx); err != nil {
		return 0, err
	}
	longest, t := 0, r.u.db.orders.collectors
	t.Each(0, func(id uint32) bool {
		longest = max(longest, t.At(id).WindowDays)
		return true
	})
	return longest, nil
}

func (r collectors) Update(ctx context.Context, c orders.Collector) error {
	t := r.u.db.orders.collectors
	return engine.Update(ctx, &r.u.Unit, t.Table, "collector", c.ID, c, keptCollector, func(n orders.Collector) error {
		id, _ := t.Find(c.ID)
		return r.check(&n, id)
	})
}

type rateCardTable struct {
	*engine.Table[orders.RateCard]
	byOffer *engine.Groups[orders.RateCard, int64] // of each in the order of Since, then of their coming
}

// rateCardOrder sorts the cards of one campaign; two of one time stay apart by
// their rows, which Groups compares where this cannot.
func newRateCardTable(db *DB) rateCardTable {
	t := engine.NewTable[orders.RateCard](&db.store)
	return rateCardTable{t, engine.NewGroups(t, func(c *orders.RateCard) (int64, bool) { return c.OfferID, true },
		func(a, b *orders.RateCard) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })}
}

func copyRateCard(_ uint32, c *orders.RateCard) orders.RateCard {
	out := *c
	out.Rates = engine.Copied(c.Rates)
	return out
}

type rateCards struct{ u *unit }

func (r rateCards) Add(ctx context.Context, c orders.RateCard) (orders.RateCard, error) {
	t := r.u.db.orders.cards
	return engine.Add(ctx, &r.u.Unit, t.Table, c, func(c orders.RateCard) orders.RateCard {
		c.ID, c.Since, c.Rates = int64(t.Last())+1, engine.Kept(c.Since), engine.Copied(c.Rates)
		return c
	}, func(n orders.RateCard) error {
		var f engine.Refusal
		f.Refers(r.u.db.offers.offers.Knows(n.OfferID), "offer_id")
		return f.Err("rate_card")
	}, copyRateCard)
}

func (r rateCards) Holding(ctx context.Context, asks []orders.CardAt) ([]orders.RateCard, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.cards
	out := make([]orders.RateCard, len(asks))
	for i, ask := range asks {
		ids := t.byOffer.Of(ask.OfferID)
		n := sort.Search(len(ids), func(i int) bool { return t.At(ids[i]).Since.After(ask.At) })
		if n > 0 {
			out[i] = copyRateCard(ids[n-1], t.At(ids[n-1]))
		}
	}
	return out, nil
}

type oneTimeTable struct {
	*engine.Table[orders.Payment]
	byAdvertiser *engine.Groups[orders.Payment, int64]
	byUser       *engine.Groups[orders.Payment, int64]
}

func newOneTimeTable(db *DB) oneTimeTable {
	t := engine.NewTable[orders.Payment](&db.store)
	return oneTimeTable{t,
		engine.NewGroups(t, func(p *orders.Payment) (int64, bool) { return p.AdvertiserID, true }, nil),
		engine.NewGroups(t, func(p *orders.Payment) (int64, bool) { return p.UserID, true }, nil),
	}
}

func copyOneTime(id uint32, p *orders.Payment) orders.Payment {
	c := *p
	c.ID = int64(id)
	return c
}

var oneTimeColumns = engine.Columns[orders.Payment]{
	"created_at":   engine.Number(func(p *orders.Payment) int64 { return p.CreatedAt.UnixMicro() }),
	"payment_date": engine.Number(func(p *orders.Payment) int64 { return p.Date.UnixMicro() }),
}

type oneTimePayments struct{ u *unit }

func (r oneTimePayments) Add(ctx context.Context, p orders.Payment) (orders.Payment, error) {
	return engine.Add(ctx, &r.u.Unit, r.u.db.orders.payments.Table, p, func(p orders.Payment) orders.Payment {
		p.Date, p.CreatedAt = engine.Kept(p.Date), engine.Kept(p.CreatedAt)
		return p
	}, func(n orders.Payment) error {
		var f engine.Refusal
		f.Refers(r.u.db.core.advertisers.Knows(n.AdvertiserID), "advertiser_id")
		f.Refers(r.u.db.core.users.Knows(n.UserID), "user_id")
		return f.Err("payment")
	}, copyOneTime)
}

func (r oneTimePayments) List(ctx context.Context, f orders.PaymentFilter, p affiliate.PageRequest) (affiliate.Page[orders.Payment], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[orders.Payment]{}, err
	}
	t := r.u.db.orders.payments
	s := engine.Everything[orders.Payment]()
	switch {
	case f.UserID != 0:
		s = engine.Only[orders.Payment](t.byUser.Of(f.UserID))
		if f.AdvertiserIDs != nil {
			s.Keep = func(_ uint32, p *orders.Payment) bool { return slices.Contains(f.AdvertiserIDs, p.AdvertiserID) }
		}
	case f.AdvertiserIDs != nil:
		s = engine.Only[orders.Payment](engine.ByKeys(t.byAdvertiser.Of, f.AdvertiserIDs))
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, oneTimeColumns, copyOneTime)
}
