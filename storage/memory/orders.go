package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// orderTables are the tables of package orders.
type orderTables struct {
	orders     orderTable
	refunds    refundTable
	vouchers   voucherTable
	collectors collectorTable
	cards      rateCardTable
	payments   oneTimeTable
}

func newOrderTables(db *DB) orderTables {
	return orderTables{
		orders:     newOrderTable(db),
		refunds:    newRefundTable(db),
		vouchers:   newVoucherTable(db),
		collectors: newCollectorTable(db),
		cards:      newRateCardTable(db),
		payments:   newOneTimeTable(db),
	}
}

// Orders is the view for package orders. Its Record is its Write: one writer at
// a time is as isolated as can be.
func (db *DB) Orders() orders.Store {
	return ordersView{view[orders.Tx]{db, func(u *unit) orders.Tx { return ordersTx{linksTx{offersTx{statsTx{coreTx{u}}}}} }}}
}

type ordersView struct{ view[orders.Tx] }

func (v ordersView) Record(ctx context.Context, fn func(context.Context, orders.Tx) error) error {
	return v.Write(ctx, fn)
}

// ordersTx is the transaction of package orders.
type ordersTx struct{ linksTx }

var _ orders.Tx = ordersTx{}

func (tx ordersTx) Orders() orders.OrderRepository            { return orderRepository(tx.coreTx) }
func (tx ordersTx) Refunds() orders.RefundRepository          { return refunds(tx.coreTx) }
func (tx ordersTx) Vouchers() orders.VoucherRepository        { return vouchers(tx.coreTx) }
func (tx ordersTx) Collectors() orders.CollectorRepository    { return collectors(tx.coreTx) }
func (tx ordersTx) RateCards() orders.RateCardRepository      { return rateCards(tx.coreTx) }
func (tx ordersTx) OneTimePayments() orders.PaymentRepository { return oneTimePayments(tx.coreTx) }

type orderTable struct {
	*engine.Table[orders.Order]
	byKey        *engine.Unique[orders.Order, orders.OrderKey]
	byAdvertiser *engine.Groups[orders.Order, int64]
	byUser       *engine.Groups[orders.Order, int64]
	byOffer      *engine.Groups[orders.Order, int64]
	held         *engine.Groups[orders.Order, bool] // whose approval is not told, by the end of their hold
}

func newOrderTable(db *DB) orderTable {
	t := engine.NewTable[orders.Order](&db.store)
	return orderTable{t,
		engine.NewUnique(t, func(o *orders.Order) (orders.OrderKey, bool) {
			return orders.OrderKey{AdvertiserID: o.AdvertiserID, Number: o.Number}, true
		}),
		engine.NewGroups(t, func(o *orders.Order) (int64, bool) { return o.AdvertiserID, true }, nil),
		engine.NewGroups(t, func(o *orders.Order) (int64, bool) { return o.UserID, o.UserID != 0 }, nil),
		engine.NewGroups(t, func(o *orders.Order) (int64, bool) { return o.OfferID, o.OfferID != 0 }, nil),
		engine.NewGroups(t, func(o *orders.Order) (bool, bool) { return true, o.ApprovedAt.IsZero() && o.DeclinedAt.IsZero() }, func(a, b *orders.Order) int {
			return cmp.Or(a.HoldUntil.Compare(b.HoldUntil), a.Key().Compare(b.Key()))
		}),
	}
}

func copyOrder(id uint32, o *orders.Order) orders.Order {
	c := *o
	c.ID = int64(id)
	c.Lines, c.ClickIDs = engine.Copied(o.Lines), engine.Copied(o.ClickIDs)
	return c
}

func keptOrder(o orders.Order) orders.Order {
	o.Lines, o.ClickIDs = engine.Copied(o.Lines), engine.Copied(o.ClickIDs)
	o.At, o.HoldUntil, o.DeclinedAt = engine.Kept(o.At), engine.Kept(o.HoldUntil), engine.Kept(o.DeclinedAt)
	o.CreatedAt, o.UpdatedAt, o.ApprovedAt = engine.Kept(o.CreatedAt), engine.Kept(o.UpdatedAt), engine.Kept(o.ApprovedAt)
	return o
}

var orderColumns = engine.Columns[orders.Order]{
	"order_at":   engine.Number(func(o *orders.Order) int64 { return o.At.UnixMicro() }),
	"created_at": engine.Number(func(o *orders.Order) int64 { return o.CreatedAt.UnixMicro() }),
	"updated_at": engine.Number(func(o *orders.Order) int64 { return o.UpdatedAt.UnixMicro() }),
}

type orderRepository struct{ u *unit }

func (r orderRepository) check(o orders.Order) error {
	db := r.u.db
	var f engine.Refusal
	f.Refers(db.core.advertisers.Knows(o.AdvertiserID), "advertiser_id")
	f.Refers(db.core.users.KnowsOr0(o.UserID), "user_id")
	f.Refers(db.offers.offers.KnowsOr0(o.OfferID), "offer_id")
	f.Refers(db.links.links.KnowsOr0(o.LinkID), "link_id")
	return f.Err("order")
}

func (r orderRepository) AddMissing(ctx context.Context, list ...orders.Order) ([]orders.Order, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return nil, r.u.Fail(err)
		}
	}
	for i := range list {
		if err := r.check(list[i]); err != nil {
			return nil, r.u.Fail(err)
		}
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b orders.Order) int { return a.Key().Compare(b.Key()) })
	t := r.u.db.orders.orders
	var added []uint32
	for _, o := range list {
		if _, there := t.byKey.Find(o.Key()); there {
			continue
		}
		id, err := t.Insert(keptOrder(o))
		if err != nil {
			return nil, r.u.Fail(err)
		}
		added = append(added, id)
	}
	return engine.Collect(t.Table, added, copyOrder), nil
}

func (r orderRepository) Get(ctx context.Context, id int64) (orders.Order, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.orders.orders.Table, "order", id, copyOrder)
}

func (r orderRepository) Find(ctx context.Context, keys []orders.OrderKey) ([]orders.Order, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.orders
	var ids []uint32
	for _, k := range keys {
		if id, ok := t.byKey.Find(k); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, engine.Sorted(ids), copyOrder), nil
}

func (r orderRepository) Lock(ctx context.Context, ids []int64) ([]orders.Order, error) {
	if err := r.u.Change(ctx); err != nil { // the unit has locked everything
		return nil, err
	}
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.orders.orders.Table, ids, copyOrder)
}

func (r orderRepository) LockDue(ctx context.Context, now time.Time, limit int) ([]orders.Order, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.orders
	now = engine.Kept(now)
	var ids []uint32
	for _, id := range t.held.Of(true) {
		if len(ids) >= limit || t.At(id).HoldUntil.After(now) {
			break
		}
		ids = append(ids, id)
	}
	return engine.Collect(t.Table, ids, copyOrder), nil
}

func (r orderRepository) Update(ctx context.Context, o orders.Order) error {
	t := r.u.db.orders.orders
	return engine.Update(ctx, &r.u.Unit, t.Table, "order", o.ID, o, keptOrder, func(n orders.Order) error {
		id, _ := t.Find(o.ID)
		if t.At(id).Key() != n.Key() {
			return affiliate.Invalid("order", affiliate.FieldError{Field: "number", Code: "immutable", Message: "must stay what it is"})
		}
		return r.check(n)
	})
}

func (r orderRepository) List(ctx context.Context, f orders.OrderFilter, p affiliate.PageRequest) (affiliate.Page[orders.Order], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[orders.Order]{}, err
	}
	t := r.u.db.orders.orders
	s := engine.Everything[orders.Order]()
	switch {
	case f.UserID != 0:
		s = engine.Only[orders.Order](t.byUser.Of(f.UserID))
	case f.OfferID != 0:
		s = engine.Only[orders.Order](t.byOffer.Of(f.OfferID))
	case f.AdvertiserIDs != nil:
		s = engine.Only[orders.Order](engine.ByKeys(t.byAdvertiser.Of, f.AdvertiserIDs))
	}
	s.Keep = func(_ uint32, o *orders.Order) bool {
		return (f.AdvertiserIDs == nil || slices.Contains(f.AdvertiserIDs, o.AdvertiserID)) &&
			(f.UserID == 0 || f.UserID == o.UserID) && (f.OfferID == 0 || f.OfferID == o.OfferID) &&
			(f.Status == "" || f.Status == o.StatusAt(f.Now)) &&
			!o.At.Before(f.From) && (f.Until.IsZero() || o.At.Before(f.Until))
	}
	if f.UserID == 0 && f.OfferID == 0 && f.Status == "" && f.From.IsZero() && f.Until.IsZero() {
		s.Keep = nil // the ids are the whole answer
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, orderColumns, copyOrder)
}

func (r orderRepository) Scan(ctx context.Context, after int64, limit int) ([]orders.Order, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.orders
	return engine.Collect(t.Table, t.Scan(after, limit), copyOrder), nil
}

type refundKey struct {
	order     int64
	reference string
}

type refundTable struct {
	*engine.Table[orders.Refund]
	byReference *engine.Unique[orders.Refund, refundKey]
	byOrder     *engine.Groups[orders.Refund, int64]
}

func newRefundTable(db *DB) refundTable {
	t := engine.NewTable[orders.Refund](&db.store)
	return refundTable{t,
		engine.NewUnique(t, func(r *orders.Refund) (refundKey, bool) { return refundKey{r.OrderID, r.Reference}, true }),
		engine.NewGroups(t, func(r *orders.Refund) (int64, bool) { return r.OrderID, true }, nil),
	}
}

func copyRefund(id uint32, r *orders.Refund) orders.Refund {
	c := *r
	c.ID, c.Lines = int64(id), engine.Copied(r.Lines)
	return c
}

func keptRefund(r orders.Refund) orders.Refund {
	r.Lines = engine.Copied(r.Lines)
	r.At, r.CreatedAt = engine.Kept(r.At), engine.Kept(r.CreatedAt)
	return r
}

type refunds struct{ u *unit }

func (r refunds) Add(ctx context.Context, refund orders.Refund) (orders.Refund, error) {
	t := r.u.db.orders.refunds
	return engine.Add(ctx, &r.u.Unit, t.Table, refund, keptRefund, func(n orders.Refund) error {
		var f engine.Refusal
		f.Refers(r.u.db.orders.orders.Knows(n.OrderID), "order_id")
		f.Refers(r.u.db.core.entries.KnowsOr0(n.EntryID), "entry_id")
		f.Unique(t.byReference.Taken(&n, 0), "reference")
		return f.Err("refund")
	}, copyRefund)
}

func (r refunds) ByOrders(ctx context.Context, orderIDs []int64) ([]orders.Refund, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.orders.refunds
	return engine.Collect(t.Table, engine.ByKeys(t.byOrder.Of, orderIDs), copyRefund), nil
}
