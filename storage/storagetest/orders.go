package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"

	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
)

type ordersStore = affiliate.Store[orders.Tx]

// RunOrders runs the cases of package orders on Backend.Orders.
func RunOrders(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) orders.Store { return open(t).Orders }, ordersScenarios())
}

func ordersScenarios() []scenario[orders.Store] {
	return append(ofOrders(slices.Concat(
		writeScenarios[orders.Tx](),
		orderTable().scenarios(),
		refundTable().scenarios(),
		voucherTable().scenarios(),
		collectorTable().scenarios(),
		rateCardTable().scenarios(),
		oneTimeTable().scenarios(),
		[]scenario[ordersStore]{
			{"orders/one per advertiser and number", testOrderKey},
			{"orders/found by their numbers", testOrderFind},
			{"orders/the number stays", testOrderImmutable},
			{"orders/lock", testOrderLock},
			{"orders/lock those whose hold is over", testOrderLockDue},
			{"orders/scan", testOrderScan},
			{"orders/list", testOrderList},
			{"refunds/of orders", testRefundsByOrders},
			{"vouchers/a code is one in whatever spelling", testVoucherCodes},
			{"vouchers/delete", testVoucherDelete},
			{"collectors/one per advertiser", testCollectorKeys},
			{"rate cards/the one that holds at a time", testCardHolding},
			{"one-time payments/list", testOneTimeList},
		}), sameOrders),
		scenario[orders.Store]{"orders/of writers at once one adds", testOrderRace},
		scenario[orders.Store]{"orders/of sweepers at once one has each", testOrderSweepers},
		scenario[orders.Store]{"orders/the later unit waits and sees what the first did", testOrderLockWaits},
	)
}

// ofOrders makes scenarios of a store of orders out of those of any store.
func ofOrders(all []scenario[ordersStore], as func(orders.Store) ordersStore) []scenario[orders.Store] {
	var out []scenario[orders.Store]
	for _, c := range all {
		out = append(out, scenario[orders.Store]{c.name, func(t *testing.T, s orders.Store) { c.run(t, as(s)) }})
	}
	return out
}

func sameOrders(s orders.Store) ordersStore { return s }

// ordersWorld is a world with a link, a campaign, and an order to refund.
func ordersWorld(t *testing.T, s ordersStore) world {
	t.Helper()
	w := newWorld(t, s)
	write(t, s, func(ctx context.Context, tx orders.Tx) error {
		return all(
			func() (err error) { w.offer, err = tx.Offers().Add(ctx, sampleOffer(w, 1)); return err },
			func() (err error) { w.link, _, err = tx.Links().AddOrGet(ctx, sampleLink(w, 1)); return err },
			func() error {
				added, err := tx.Orders().AddMissing(ctx, sampleOrder(w, 901))
				if err == nil {
					w.order = added[0]
				}
				return err
			},
			func() error { return second(tx.Ledger().Append(ctx, sampleEntry(901))) },
		)
	})
	return w
}

func sampleOrder(w world, n int) orders.Order {
	return orders.Order{
		AdvertiserID: w.advertisers[0].ID, Number: "order " + strconv.Itoa(n), At: at(n), Currency: "EUR",
		Earning: eur(0), Cost: eur(0), HoldUntil: at(n), CreatedAt: at(n),
	}
}

func fullOrder(w world) orders.Order {
	return orders.Order{
		AdvertiserID: w.advertisers[1].ID, Number: "Ordre № 17", At: at(1), Currency: "SEK",
		Value: decimalOf("999999999999.123456"), Tax: affiliate.Some(decimalOf("0.1")), Shipping: affiliate.Some(decimalOf("0")),
		Lines: []orders.Line{
			{SKU: "sko", Category: "Skor & \"sånt\"", Quantity: 3, Value: decimalOf("17.000001"), CPA: affiliate.Some(rate("0.123456789")), InvoiceCPA: affiliate.Some(rate("1")), Refunded: decimalOf("5.5"), RefundedQuantity: 1},
			{Quantity: 1},
		},
		Voucher: "Änna", ClickIDs: []uuid.UUID{clickID(2), clickID(1)}, Source: orders.ByVoucher, VoucherID: 7, LinkID: w.link.ID, UserID: w.users[0].ID,
		OfferID: w.offer.ID, Traffic: affiliate.SourceFacebook, Terms: `{"cpa":0.5}`, NetOfTax: true, NetOfShipping: true,
		Rate: decimalOf("11.000000000000000001"), Earning: eur(1), Cost: eur(1 << 62), Refunded: decimalOf("5.6"), Revision: 3,
		HoldUntil: at(5), DeclinedAt: at(6), ApprovedAt: at(5), CreatedAt: at(7), UpdatedAt: at(8),
	}
}

func addOrder(ctx context.Context, tx orders.Tx, o orders.Order) (orders.Order, error) {
	added, err := tx.Orders().AddMissing(ctx, o)
	if err == nil && len(added) != 1 {
		err = fmt.Errorf("added %d orders", len(added))
	}
	if err != nil {
		return orders.Order{}, err
	}
	return added[0], nil
}

func orderTable() table[orders.Tx, orders.Order] {
	type V = orders.Order
	return table[orders.Tx, V]{
		name:   "orders",
		world:  ordersWorld,
		sample: sampleOrder,
		full:   fullOrder,
		unset:  []string{"ClickID", "Reason"}, // of other orders
		add:    addOrder,
		fetch:  func(ctx context.Context, tx orders.Tx, v V) (V, error) { return tx.Orders().Get(ctx, v.ID) },
		id:     func(v *V) *int64 { return &v.ID },
		timed:  true,
		texts: []text[V]{
			{"number", 1, orders.MaxNumber, func(v *V) *string { return &v.Number }, false},
			{"voucher", 0, orders.MaxText, func(v *V) *string { return &v.Voucher }, false},
			{"terms", 0, 4096, func(v *V) *string { return &v.Terms }, true},
			{"reason", 0, 64, func(v *V) *string { return &v.Reason }, true},
		},
		broken: []broken[V]{
			{"at", "required", func(v *V) { v.At = time.Time{} }},
			{"currency", "unknown_currency", func(v *V) { v.Currency = "XXX" }},
			{"value", "out_of_range", func(v *V) { v.Value = decimalOf("-1") }},
			{"value", "out_of_range", func(v *V) { v.Value = decimalOf("1000000000000.1") }},
			{"value", "too_precise", func(v *V) { v.Value = decimalOf("0.0000001") }},
			{"tax", "out_of_range", func(v *V) { v.Tax = affiliate.Some(decimalOf("-1")) }},
			{"tax", "exceeds_value", func(v *V) { v.Tax = affiliate.Some(decimalOf("1")) }},
			{"shipping", "too_precise", func(v *V) { v.Shipping = affiliate.Some(decimalOf("0.00000001")) }},
			{"lines", "too_many", func(v *V) { v.Lines = make([]orders.Line, orders.MaxLines+1) }},
			{"lines", "exceeds_value", func(v *V) { v.Lines = []orders.Line{{Quantity: 1, Value: decimalOf("1")}} }},
			{"lines.0.quantity", "out_of_range", func(v *V) { v.Lines = []orders.Line{{}} }},
			{"lines.0.sku", "nul", func(v *V) { v.Lines = []orders.Line{{SKU: "\x00", Quantity: 1}} }},
			{"lines.0.category", "invalid_utf8", func(v *V) { v.Lines = []orders.Line{{Category: "\xff", Quantity: 1}} }},
			{"lines.0.refunded_quantity", "out_of_range", func(v *V) { v.Lines = []orders.Line{{Quantity: 1, RefundedQuantity: 2}} }},
			{"lines.0.refunded", "out_of_range", func(v *V) { v.Lines = []orders.Line{{Quantity: 1, Refunded: decimalOf("1")}} }},
			{"refunded", "out_of_range", func(v *V) { v.Refunded = decimalOf("1") }},
			{"click_ids", "too_many", func(v *V) { v.ClickIDs = slices.Repeat([]uuid.UUID{clickID(1)}, 11) }},
			{"click_ids", "required", func(v *V) { v.ClickIDs = []uuid.UUID{uuid.Nil} }},
			{"source", "not_in_list", func(v *V) { v.Source = "luck" }},
			{"user_id", "source_mismatch", func(v *V) { v.UserID = 1 }},
			{"user_id", "source_mismatch", func(v *V) { v.Source = orders.ByClick }},
			{"click_id", "source_mismatch", func(v *V) { v.ClickID = clickID(1) }},
			{"voucher_id", "source_mismatch", func(v *V) { v.VoucherID = 1 }},
			{"traffic", "unknown_source", func(v *V) { v.Traffic = affiliate.TrafficSources }},
			{"rate", "out_of_range", func(v *V) { v.Rate = decimalOf("-1") }},
			{"rate", "out_of_range", func(v *V) { v.Rate = decimalOf("1000000000.1") }},
			{"earning", "unknown_currency", func(v *V) { v.Earning, v.Cost = affiliate.Money{}, affiliate.Money{} }},
			{"cost", "currency_mismatch", func(v *V) { v.Cost = affiliate.NewMoney(0, "SEK") }},
			{"earning", "negative", func(v *V) { v.Earning = eur(-1) }},
			{"cost", "negative", func(v *V) { v.Cost = eur(-1) }},
			{"earning", "not_paid", func(v *V) { v.Earning, v.Reason = eur(1), "no_rate" }},
			{"revision", "out_of_range", func(v *V) { v.Revision = -1 }},
			{"hold_until", "required", func(v *V) { v.HoldUntil = time.Time{} }},
			{"created_at", "required", func(v *V) { v.CreatedAt = time.Time{} }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"user_id", func(v *V, id int64) { v.Source, v.VoucherID, v.UserID = orders.ByVoucher, 1, id }},
			{"offer_id", func(v *V, id int64) { v.OfferID = id }},
			{"link_id", func(v *V, id int64) { v.LinkID = id }},
		},
	}
}

func testOrderKey(t *testing.T, s ordersStore) {
	w := ordersWorld(t, s)
	other := sampleOrder(w, 1)
	other.AdvertiserID, other.Number = w.advertisers[1].ID, "order 901" // another advertiser's
	spelled := sampleOrder(w, 2)
	spelled.Number = "Order 901"
	again := sampleOrder(w, 901)
	again.Value = decimalOf("5")
	added := see2(t, s, other, again, sampleOrder(w, 1), spelled, spelled)
	equal(t, "added", numbersOf(added), []string{"Order 901", "order 1", "order 901"}) // in the order of their keys
	equal(t, "kept", see(t, s, func(ctx context.Context, tx orders.Tx) (orders.Order, error) { return tx.Orders().Get(ctx, w.order.ID) }), w.order)
	equal(t, "none", see2(t, s, again), []orders.Order(nil))
	equal(t, "of nothing", see2(t, s), []orders.Order(nil))
	nobodys, another := sampleOrder(w, 5), sampleOrder(w, 6)
	nobodys.AdvertiserID, another.AdvertiserID = nowhere, nowhere-1
	refused(t, s, unknown("advertiser_id"), func(ctx context.Context, tx orders.Tx) error { // named once
		return second(tx.Orders().AddMissing(ctx, nobodys, another))
	})
}

// see2 adds orders in a unit of its own.
func see2(t *testing.T, s ordersStore, list ...orders.Order) []orders.Order {
	t.Helper()
	before := slices.Clone(list)
	added := put(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.Order, error) {
		return tx.Orders().AddMissing(ctx, list...)
	})
	equal(t, "the list of the caller", list, before)
	return added
}

func numbersOf(list []orders.Order) []string {
	out := []string{}
	for _, o := range list {
		out = append(out, o.Number)
	}
	return out
}

func testOrderFind(t *testing.T, s ordersStore) {
	w := ordersWorld(t, s)
	see2(t, s, sampleOrder(w, 1), sampleOrder(w, 2))
	find := func(keys ...orders.OrderKey) []string {
		return numbersOf(see(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.Order, error) { return tx.Orders().Find(ctx, keys) }))
	}
	mine := w.advertisers[0].ID
	key := func(advertiserID int64, number string) orders.OrderKey {
		return orders.OrderKey{AdvertiserID: advertiserID, Number: number}
	}
	equal(t, "some", find(key(mine, "order 2"), key(mine, "order 901"), key(mine, "order 2"), key(mine, "order 3")), []string{"order 901", "order 2"})
	equal(t, "another's", find(key(w.advertisers[1].ID, "order 2"), key(nowhere, "order 2")), []string{})
	equal(t, "unkeepable", find(key(mine, "\x00"), key(mine, "\xff"), key(mine, "order 1\x00")), []string{})
	equal(t, "none", find(), []string{})
}

func testOrderImmutable(t *testing.T, s ordersStore) {
	w := ordersWorld(t, s)
	for _, spoil := range []func(o *orders.Order){
		func(o *orders.Order) { o.Number = "another" },
		func(o *orders.Order) { o.AdvertiserID = w.advertisers[1].ID },
	} {
		o := w.order
		spoil(&o)
		refused(t, s, invalid("number", "immutable"), func(ctx context.Context, tx orders.Tx) error { return tx.Orders().Update(ctx, o) })
	}
	full := fullOrder(w)
	full.ID, full.AdvertiserID, full.Number = w.order.ID, w.order.AdvertiserID, w.order.Number
	write(t, s, func(ctx context.Context, tx orders.Tx) error { return tx.Orders().Update(ctx, full) })
	equal(t, "updated", see(t, s, func(ctx context.Context, tx orders.Tx) (orders.Order, error) { return tx.Orders().Get(ctx, full.ID) }), full)
	full.ID = nowhere
	refused(t, s, missing, func(ctx context.Context, tx orders.Tx) error { return tx.Orders().Update(ctx, full) })
}

func testOrderLock(t *testing.T, s ordersStore) {
	w := ordersWorld(t, s)
	added := see2(t, s, sampleOrder(w, 1), sampleOrder(w, 2))
	write(t, s, func(ctx context.Context, tx orders.Tx) error {
		got, err := tx.Orders().Lock(ctx, []int64{added[1].ID, nowhere, w.order.ID, added[1].ID, 0})
		if err != nil {
			return err
		}
		equal(t, "locked", got, []orders.Order{w.order, added[1]})
		if err != nil {
			return err
		}
		none, err := tx.Orders().Lock(ctx, nil)
		if err != nil {
			return err
		}
		equal(t, "locked none", none, []orders.Order(nil))
		return nil
	})
}

func testOrderScan(t *testing.T, s ordersStore) {
	w := ordersWorld(t, s)
	see2(t, s, sampleOrder(w, 1), sampleOrder(w, 2), sampleOrder(w, 3))
	scan := func(after int64, limit int) []string {
		return numbersOf(see(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.Order, error) {
			return tx.Orders().Scan(ctx, after, limit)
		}))
	}
	equal(t, "all", scan(0, 10), []string{"order 901", "order 1", "order 2", "order 3"})
	equal(t, "two", scan(w.order.ID, 2), []string{"order 1", "order 2"})
	equal(t, "none", scan(0, 0), []string{})
	equal(t, "after all", scan(nowhere, 5), []string{})
}

func testOrderList(t *testing.T, s ordersStore) {
	type V = orders.Order
	type F = orders.OrderFilter
	w := newWorld(t, s)
	two := put(t, s, func(ctx context.Context, tx orders.Tx) (ids [2]int64, err error) {
		for i := range ids {
			o, err := tx.Offers().Add(ctx, sampleOffer(w, 1+i))
			if err != nil {
				return ids, err
			}
			ids[i] = o.ID
		}
		return ids, nil
	})
	row := func(n, advertiser, user, offer, when, hold int, declined bool) V {
		o := sampleOrder(w, n)
		o.AdvertiserID, o.At, o.HoldUntil, o.CreatedAt, o.UpdatedAt = w.advertisers[advertiser].ID, at(when), at(hold), at(100-n), at(n%3)
		if user > 0 {
			o.Source, o.VoucherID, o.UserID, o.OfferID = orders.ByVoucher, 1, w.users[user-1].ID, two[offer]
		}
		if declined {
			o.DeclinedAt = at(50)
		}
		return o
	}
	var items []V
	for _, o := range []V{row(1, 0, 1, 0, 5, 20, false), row(2, 0, 0, 0, 4, 10, false), row(3, 1, 1, 1, 4, 20, true), row(4, 0, 2, 0, 9, 20, false), row(5, 0, 1, 0, 1, 10, true), row(6, 1, 2, 1, 7, 11, false)} {
		items = append(items, see2(t, s, o)...)
	}
	list := listing[orders.Tx, V, F]{
		items: items,
		label: func(v V) string { return v.Number[len("order "):] },
		list: func(ctx context.Context, tx orders.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Orders().List(ctx, f, p)
		},
		modify: []string{"Now"},
		filters: []filterRow[F]{
			{F{AdvertiserIDs: []int64{w.advertisers[0].ID}}, "1 2 4 5"},
			{F{AdvertiserIDs: []int64{w.advertisers[0].ID, w.advertisers[1].ID, nowhere}}, "1 2 3 4 5 6"},
			{F{AdvertiserIDs: []int64{}}, ""},
			{F{UserID: w.users[0].ID}, "1 3 5"},
			{F{UserID: nowhere}, ""},
			{F{OfferID: two[1]}, "3 6"},
			{F{Status: orders.Declined}, "3 5"},
			{F{Status: "Lost"}, ""},
			{F{Status: orders.Approved, Now: at(11)}, "2 6"},
			{F{Status: orders.Approved, Now: at(10)}, "2"},
			{F{Status: orders.Pending, Now: at(10)}, "1 4 6"},
			{F{Status: orders.Pending, Now: at(30)}, ""},
			{F{From: at(5)}, "1 4 6"},
			{F{From: at(4).Add(time.Microsecond)}, "1 4 6"},
			{F{Until: at(5)}, "2 3 5"},
			{F{Until: at(5).Add(time.Microsecond)}, "1 2 3 5"},
		},
		columns: map[string]func(a, b V) int{
			"order_at":   byTime(func(v V) time.Time { return v.At }),
			"created_at": byTime(func(v V) time.Time { return v.CreatedAt }),
			"updated_at": byTime(func(v V) time.Time { return v.UpdatedAt }),
		},
	}
	list.check(t, s)
	list.checkMany(t, s, addOrder, func(v V, n int) V {
		v.ID, v.Number = 0, v.Number+" "+strconv.Itoa(n)
		return v
	})
}

func testOrderRace(t *testing.T, s orders.Store) {
	w := ordersWorld(t, s)
	for name, unit := range map[string]func(context.Context, func(context.Context, orders.Tx) error) error{"write": s.Write, "record": s.Record} {
		added := make([]int, writers)
		together(t, writers, func(i int) error {
			return insist(t.Context(), unit, func(ctx context.Context, tx orders.Tx) error {
				mine, common := sampleOrder(w, i), sampleOrder(w, 100)
				mine.Number, common.Number = name+mine.Number, name
				list, err := tx.Orders().AddMissing(ctx, mine, common)
				added[i] = len(list)
				return err
			})
		})
		slices.Sort(added)
		equal(t, name+": added", added, append(slices.Repeat([]int{1}, writers-1), 2))
	}
}

// testOrderLockWaits lets a second unit ask for a lock that the first one has.
func testOrderLockWaits(t *testing.T, s orders.Store) {
	w := ordersWorld(t, s)
	asking, done := make(chan struct{}), make(chan error, 1)
	err := s.Record(t.Context(), func(ctx context.Context, tx orders.Tx) error {
		locked, err := tx.Orders().Lock(ctx, []int64{w.order.ID})
		if err != nil {
			return err
		}
		go func() {
			close(asking)
			done <- s.Record(t.Context(), func(ctx context.Context, tx orders.Tx) error {
				locked, err := tx.Orders().Lock(ctx, []int64{w.order.ID})
				if err == nil && locked[0].Revision != 1 {
					err = errors.New("the second unit does not see what the first did")
				}
				return err
			})
		}()
		<-asking
		locked[0].Revision++
		return all(
			func() error { return tx.Orders().Update(ctx, locked[0]) },
			func() error {
				return lookUntil(done, func() error { return second(tx.Advertisers().Get(ctx, w.advertisers[0].ID)) })
			},
		)
	})
	if err != nil {
		t.Fatalf("Record: %v", err)
	}
	if err := <-done; err != nil {
		t.Fatalf("Record of the second: %v", err)
	}
	for name, unit := range map[string]unitOf[orders.Tx]{"Write": s.Write, "Record": s.Record} {
		testLockWithoutChange(t, "the Lock of an order in a "+name, unit, offers.UserUsage(int64(len(name)), 1), func(ctx context.Context, tx orders.Tx) error {
			return second(tx.Orders().Lock(ctx, []int64{w.order.ID}))
		})
	}
}
