package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

func sampleRefund(w world, n int) orders.Refund {
	return orders.Refund{OrderID: w.order.ID, Reference: "refund " + strconv.Itoa(n), Earning: eur(0), Cost: eur(0), At: at(n), CreatedAt: at(n)}
}

func addRefund(ctx context.Context, tx orders.Tx, r orders.Refund) (orders.Refund, error) {
	return tx.Refunds().Add(ctx, r)
}

func refundTable() table[orders.Tx, orders.Refund] {
	type V = orders.Refund
	return table[orders.Tx, V]{
		name:   "refunds",
		world:  ordersWorld,
		sample: sampleRefund,
		full: func(w world) V {
			return V{
				OrderID: w.order.ID, Reference: "Åter 1", Value: decimalOf("12.34567891"),
				Lines:   []orders.RefundLine{{Line: 2, Quantity: 1, Value: decimalOf("12.3")}, {Line: 0, Value: decimalOf("0.04567891")}},
				Earning: eur(5), Cost: eur(6), EntryID: entryOf(w), At: at(1), CreatedAt: at(2),
			}
		},
		add: addRefund,
		fetch: func(ctx context.Context, tx orders.Tx, v V) (V, error) {
			found, err := tx.Refunds().ByOrders(ctx, []int64{v.OrderID})
			for _, r := range found {
				if r.ID == v.ID {
					return r, err
				}
			}
			if err == nil {
				err = affiliate.NotFound("refund", v.ID)
			}
			return V{}, err
		},
		id:    func(v *V) *int64 { return &v.ID },
		timed: true,
		texts: []text[V]{{"reference", 1, orders.MaxText, func(v *V) *string { return &v.Reference }, false}},
		broken: []broken[V]{
			{"value", "out_of_range", func(v *V) { v.Value = decimalOf("-1") }},
			{"value", "too_precise", func(v *V) { v.Value = decimalOf("0.123456789") }},
			{"lines.0.line", "out_of_range", func(v *V) { v.Lines = []orders.RefundLine{{Line: -1}} }},
			{"lines.0.quantity", "out_of_range", func(v *V) { v.Lines = []orders.RefundLine{{Quantity: -1}} }},
			{"lines.0.value", "out_of_range", func(v *V) { v.Lines = []orders.RefundLine{{Value: decimalOf("-1")}} }},
			{"lines", "too_many", func(v *V) { v.Lines = make([]orders.RefundLine, orders.MaxLines+1) }},
			{"earning", "unknown_currency", func(v *V) { v.Earning, v.Cost = affiliate.Money{}, affiliate.Money{} }},
			{"cost", "currency_mismatch", func(v *V) { v.Cost = affiliate.NewMoney(0, "SEK") }},
			{"earning", "negative", func(v *V) { v.Earning = eur(-1) }},
			{"cost", "negative", func(v *V) { v.Cost = eur(-1) }},
			{"at", "required", func(v *V) { v.At = time.Time{} }},
			{"created_at", "required", func(v *V) { v.CreatedAt = time.Time{} }},
		},
		references: []reference[V]{
			{"order_id", func(v *V, id int64) { v.OrderID = id }},
			{"entry_id", func(v *V, id int64) { v.EntryID = id }},
		},
		unique: []uniqueText[V]{{field: "reference", within: "order_id", at: func(v *V) *string { return &v.Reference }}},
	}
}

// entryOf is the id of the only entry that a world of orders has.
func entryOf(world) int64 { return 1 }

func testRefundsByOrders(t *testing.T, s ordersStore) {
	w := ordersWorld(t, s)
	other := see2(t, s, sampleOrder(w, 1))[0]
	elsewhere := sampleRefund(w, 1) // the reference is free there
	elsewhere.OrderID = other.ID
	kept := addAll(t, s, addRefund, sampleRefund(w, 2), elsewhere, sampleRefund(w, 1))
	by := func(ids ...int64) []orders.Refund {
		return see(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.Refund, error) {
			return tx.Refunds().ByOrders(ctx, ids)
		})
	}
	equal(t, "of one", by(w.order.ID), []orders.Refund{kept[0], kept[2]})
	equal(t, "of both", by(other.ID, w.order.ID, nowhere, other.ID), kept)
	equal(t, "of none", by(), []orders.Refund(nil))
}

func sampleVoucher(w world, n int) orders.Voucher {
	return orders.Voucher{AdvertiserID: w.advertisers[0].ID, UserID: w.users[0].ID, Code: "code " + strconv.Itoa(n)}
}

func addVoucher(ctx context.Context, tx orders.Tx, v orders.Voucher) (orders.Voucher, error) {
	return tx.Vouchers().Add(ctx, v)
}

func voucherTable() table[orders.Tx, orders.Voucher] {
	type V = orders.Voucher
	return table[orders.Tx, V]{
		name:   "vouchers",
		sample: sampleVoucher,
		full: func(w world) V {
			return V{AdvertiserID: w.advertisers[1].ID, UserID: w.users[1].ID, Code: "Ännå-10", CreatedAt: at(1), UpdatedAt: at(2)}
		},
		add:   addVoucher,
		fetch: func(ctx context.Context, tx orders.Tx, v V) (V, error) { return tx.Vouchers().Get(ctx, v.ID) },
		id:    func(v *V) *int64 { return &v.ID },
		broken: []broken[V]{
			{"voucher_code", "too_short", func(v *V) { v.Code = "ab" }},
			{"voucher_code", "too_long", func(v *V) { v.Code = strings.Repeat("å", orders.MaxVoucher+1) }},
			{"voucher_code", "nul", func(v *V) { v.Code = "abc\x00" }},
			{"voucher_code", "invalid_utf8", func(v *V) { v.Code = "abc\xff" }},
			{"voucher_code", "invalid", func(v *V) { v.Code = " abc" }},
			{"voucher_code", "invalid", func(v *V) { v.Code = "a\nc" }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"user_id", func(v *V, id int64) { v.UserID = id }},
		},
	}
}

func testVoucherCodes(t *testing.T, s ordersStore) {
	w := newWorld(t, s)
	with := func(n int, code string) orders.Voucher {
		v := sampleVoucher(w, n)
		v.Code = code
		return v
	}
	elsewhere := with(2, "ÄNNA")
	elsewhere.AdvertiserID = w.advertisers[1].ID
	kept := addAll(t, s, addVoucher, with(1, "Änna"), elsewhere, with(3, "Straße"), with(4, "Anna"))
	ofAnother := with(5, "an\ufffd")
	ofAnother.UserID = w.users[1].ID
	addAll(t, s, addVoucher, ofAnother)
	for _, code := range []string{"Änna", "änna", "ÄNNA", "A\u0308NNA", "STRASSE", "anna"} {
		refused(t, s, taken("voucher_code"), func(ctx context.Context, tx orders.Tx) error { return second(addVoucher(ctx, tx, with(9, code))) })
	}
	find := func(keys ...orders.VoucherKey) []orders.Voucher {
		return see(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.Voucher, error) {
			return tx.Vouchers().Find(ctx, keys)
		})
	}
	key := func(advertiser int, code string) orders.VoucherKey {
		return orders.VoucherKey{AdvertiserID: w.advertisers[advertiser].ID, Code: code}
	}
	equal(t, "found", find(key(0, "strasse"), key(0, " a\u0308NNa "), key(1, "änna"), key(0, "nobody's"), key(2, "anna")), kept[:3])
	equal(t, "unkeepable", find(key(0, "\x00"), key(0, "Anna\x00"), key(0, "an\xff"), key(0, "")), []orders.Voucher(nil))
	by := func(advertiser int) []orders.Voucher {
		return see(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.Voucher, error) {
			return tx.Vouchers().ByUser(ctx, w.advertisers[advertiser].ID, w.users[0].ID)
		})
	}
	equal(t, "of the user", by(0), []orders.Voucher{kept[0], kept[2], kept[3]})
	equal(t, "elsewhere", by(2), []orders.Voucher(nil))
}

func testVoucherDelete(t *testing.T, s ordersStore) {
	w := newWorld(t, s)
	kept := addAll(t, s, addVoucher, sampleVoucher(w, 1), sampleVoucher(w, 2))
	remove := func(ctx context.Context, tx orders.Tx) error { return tx.Vouchers().Delete(ctx, kept[0].ID) }
	write(t, s, remove)
	refused(t, s, missing, remove)
	unreadable(t, s, missing, func(ctx context.Context, tx orders.Tx) error { return second(tx.Vouchers().Get(ctx, kept[0].ID)) })
	addAll(t, s, addVoucher, sampleVoucher(w, 1)) // the code is free
}

func sampleCollector(w world, n int) orders.Collector {
	return orders.Collector{
		AdvertiserID: w.advertisers[n%3].ID, OrganizationID: int64(100 + n), ProgramID: 1, EventID: 1, ActivationKey: fmt.Sprintf("activation key %02d", n),
		WindowDays: 1, Prefer: orders.LastClick,
	}
}

func addCollector(ctx context.Context, tx orders.Tx, c orders.Collector) (orders.Collector, error) {
	kept, added, err := tx.Collectors().AddOrGet(ctx, c)
	if err == nil && !added {
		err = errors.New("the advertiser has a collector")
	}
	return kept, err
}

// collectorTable has no cases of many collectors: each advertiser has one.
func collectorTable() table[orders.Tx, orders.Collector] {
	type V = orders.Collector
	return table[orders.Tx, V]{
		name:   "collectors",
		world:  worldOfShops,
		sample: func(w world, n int) V { c := sampleCollector(w, n); c.AdvertiserID = w.shops[n%len(w.shops)]; return c },
		full: func(w world) V {
			return V{
				AdvertiserID: w.shops[99], OrganizationID: 1 << 50, ProgramID: 1 << 51, EventID: 1 << 52, ActivationKey: strings.Repeat("å", orders.MaxKey),
				WindowDays: 365, HoldDays: 365, Prefer: orders.FirstClick, VoucherFirst: true, NetOfTax: true, NetOfShipping: true,
				HMACKey: []byte("\x00\xff0123456789abcdef"), SignedOnly: true, CreatedAt: at(1), UpdatedAt: at(2),
			}
		},
		add: addCollector,
		fetch: func(ctx context.Context, tx orders.Tx, v V) (V, error) {
			return tx.Collectors().ByOrganization(ctx, v.OrganizationID)
		},
		id:    func(v *V) *int64 { return &v.ID },
		texts: []text[V]{{"activation_key", orders.MinKey, orders.MaxKey, func(v *V) *string { return &v.ActivationKey }, true}},
		broken: []broken[V]{
			{"organization_id", "out_of_range", func(v *V) { v.OrganizationID = 0 }},
			{"program_id", "out_of_range", func(v *V) { v.ProgramID = -1 }},
			{"event_id", "out_of_range", func(v *V) { v.EventID = 0 }},
			{"activation_key", "too_short", func(v *V) { v.ActivationKey = "short" }},
			{"window_days", "out_of_range", func(v *V) { v.WindowDays = 0 }},
			{"window_days", "out_of_range", func(v *V) { v.WindowDays = 366 }},
			{"hold_days", "out_of_range", func(v *V) { v.HoldDays = -1 }},
			{"prefer", "not_in_list", func(v *V) { v.Prefer = "" }},
			{"hmac_key", "out_of_range", func(v *V) { v.HMACKey = []byte("short") }},
			{"signed_only", "no_key", func(v *V) { v.SignedOnly = true }},
		},
		references: []reference[V]{{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }}},
	}
}

// worldOfShops is a world with a hundred advertisers.
func worldOfShops(t *testing.T, s ordersStore) world {
	t.Helper()
	w := newWorld(t, s)
	write(t, s, func(ctx context.Context, tx orders.Tx) error {
		w.shops = nil
		for n := range 100 {
			a, err := tx.Advertisers().Add(ctx, sampleAdvertiser(n))
			if err != nil {
				return err
			}
			w.shops = append(w.shops, a.ID)
		}
		return nil
	})
	return w
}

func testCollectorKeys(t *testing.T, s ordersStore) {
	w := newWorld(t, s)
	kept := addAll(t, s, addCollector, sampleCollector(w, 0), sampleCollector(w, 1))
	write(t, s, func(ctx context.Context, tx orders.Tx) error {
		again := sampleCollector(w, 3) // of the advertiser that has number 0
		got, added, err := tx.Collectors().AddOrGet(ctx, again)
		if err != nil {
			return err
		}
		equal(t, "the one that is there", got, kept[0])
		equal(t, "added again", added, false)
		got, _, err = tx.Collectors().AddOrGet(ctx, sampleCollector(w, 4))
		equal(t, "that of the other advertiser", got, kept[1])
		return err
	})
	notInRead(t, s, func(ctx context.Context, tx orders.Tx) error { return second(addCollector(ctx, tx, kept[0])) })
	short, ofNobody := sampleCollector(w, 3), sampleCollector(w, 2)
	ofNobody.AdvertiserID = nowhere
	short.WindowDays = 0
	for _, bad := range []struct {
		want failure
		c    orders.Collector
	}{{invalid("window_days", "out_of_range"), short}, {unknown("advertiser_id"), ofNobody}} {
		refused(t, s, bad.want, func(ctx context.Context, tx orders.Tx) error {
			_, added, err := tx.Collectors().AddOrGet(ctx, bad.c)
			equal(t, "added though refused", added, false)
			return err
		})
	}
	for field, spoil := range map[string]func(c *orders.Collector){
		"organization_id": func(c *orders.Collector) { c.OrganizationID = kept[0].OrganizationID },
		"activation_key":  func(c *orders.Collector) { c.ActivationKey = kept[0].ActivationKey },
	} {
		fresh, changed := sampleCollector(w, 2), kept[1]
		spoil(&fresh)
		spoil(&changed)
		refused(t, s, taken(field), func(ctx context.Context, tx orders.Tx) error { return second(addCollector(ctx, tx, fresh)) })
		refused(t, s, taken(field), func(ctx context.Context, tx orders.Tx) error { return tx.Collectors().Update(ctx, changed) })
	}
	moved := kept[1]
	moved.AdvertiserID = kept[0].AdvertiserID
	refused(t, s, taken("advertiser_id"), func(ctx context.Context, tx orders.Tx) error { return tx.Collectors().Update(ctx, moved) })
	longest := func() int {
		return see(t, s, func(ctx context.Context, tx orders.Tx) (int, error) { return tx.Collectors().LongestWindow(ctx) })
	}
	equal(t, "longest window", longest(), max(kept[0].WindowDays, kept[1].WindowDays))
	wide := kept[1]
	wide.WindowDays = 365
	write(t, s, func(ctx context.Context, tx orders.Tx) error { return tx.Collectors().Update(ctx, wide) })
	equal(t, "longest window of one", longest(), 365)
	write(t, s, func(ctx context.Context, tx orders.Tx) error { return tx.Collectors().Update(ctx, kept[1]) })
	ghost := kept[0]
	ghost.ID = nowhere
	refused(t, s, missing, func(ctx context.Context, tx orders.Tx) error { return tx.Collectors().Update(ctx, ghost) })
	kept[0].ActivationKey, kept[0].Prefer, kept[0].HMACKey, kept[0].SignedOnly = "another activation key", orders.FirstClick, []byte("0123456789abcdef"), true
	kept[0].OrganizationID, kept[0].WindowDays, kept[0].HoldDays, kept[0].UpdatedAt = 55, 7, 8, at(9)
	write(t, s, func(ctx context.Context, tx orders.Tx) error { return tx.Collectors().Update(ctx, kept[0]) })
	equal(t, "updated", see(t, s, func(ctx context.Context, tx orders.Tx) (orders.Collector, error) {
		return tx.Collectors().ByOrganization(ctx, 55)
	}), kept[0])
	read(t, s, func(ctx context.Context, tx orders.Tx) error {
		byKey, err := tx.Collectors().ByActivationKey(ctx, kept[1].ActivationKey)
		if err != nil {
			return err
		}
		equal(t, "by key", byKey, kept[1])
		of, errOf := tx.Collectors().ByAdvertisers(ctx, []int64{w.advertisers[1].ID, nowhere, w.advertisers[0].ID})
		equal(t, "by advertisers", of, kept)
		none, errNone := tx.Collectors().ByAdvertisers(ctx, nil)
		equal(t, "of none", none, []orders.Collector(nil))
		return errors.Join(err, errOf, errNone)
	})
	for _, key := range append(unkeepable(), "", strings.ToUpper(kept[0].ActivationKey)) {
		unreadable(t, s, missing, func(ctx context.Context, tx orders.Tx) error {
			return second(tx.Collectors().ByActivationKey(ctx, key))
		})
	}
	unreadable(t, s, missing, func(ctx context.Context, tx orders.Tx) error { return second(tx.Collectors().ByOrganization(ctx, 77)) })
}

func sampleRateCard(w world, n int) orders.RateCard {
	return orders.RateCard{OfferID: w.offer.ID, Since: at(n)}
}

func addRateCard(ctx context.Context, tx orders.Tx, c orders.RateCard) (orders.RateCard, error) {
	return tx.RateCards().Add(ctx, c)
}

func rateCardTable() table[orders.Tx, orders.RateCard] {
	type V = orders.RateCard
	return table[orders.Tx, V]{
		name:   "rate cards",
		world:  ordersWorld,
		sample: sampleRateCard,
		full: func(w world) V {
			return V{OfferID: w.offer.ID, Since: at(500), Rates: []orders.LineRate{
				{SKU: "sko \"å\"", CPA: rate("0.000000001")}, {Category: "Skor", CPA: rate("1"), InvoiceCPA: affiliate.Some(rate("0"))},
			}}
		},
		add: addRateCard,
		fetch: func(ctx context.Context, tx orders.Tx, v V) (V, error) {
			found, err := tx.RateCards().Holding(ctx, []orders.CardAt{{OfferID: v.OfferID, At: v.Since}})
			if err == nil && found[0].ID != v.ID {
				err = affiliate.NotFound("rate_card", v.ID)
			}
			if err != nil {
				return V{}, err
			}
			return found[0], nil
		},
		id:    func(v *V) *int64 { return &v.ID },
		timed: true,
		broken: []broken[V]{
			{"since", "required", func(v *V) { v.Since = time.Time{} }},
			{"rates", "too_many", func(v *V) { v.Rates = make([]orders.LineRate, orders.MaxLineRates+1) }},
			{"rates.0.sku", "ambiguous", func(v *V) { v.Rates = []orders.LineRate{{}} }},
			{"rates.0.sku", "ambiguous", func(v *V) { v.Rates = []orders.LineRate{{SKU: "a", Category: "b"}} }},
			{"rates.1.sku", "duplicate", func(v *V) { v.Rates = []orders.LineRate{{SKU: "a"}, {SKU: "a"}} }},
			{"rates.0.sku", "nul", func(v *V) { v.Rates = []orders.LineRate{{SKU: "\x00"}} }},
			{"rates.0.category", "too_long", func(v *V) { v.Rates = []orders.LineRate{{Category: strings.Repeat("a", orders.MaxText+1)}} }},
		},
		references: []reference[V]{{"offer_id", func(v *V, id int64) { v.OfferID = id }}},
	}
}

func testCardHolding(t *testing.T, s ordersStore) {
	w := ordersWorld(t, s)
	other := put(t, s, func(ctx context.Context, tx orders.Tx) (int64, error) {
		o, err := tx.Offers().Add(ctx, sampleOffer(w, 2))
		return o.ID, err
	})
	elsewhere := orders.RateCard{OfferID: other, Since: at(7)}
	kept := addAll(t, s, addRateCard, sampleRateCard(w, 20), sampleRateCard(w, 10), elsewhere, sampleRateCard(w, 20), sampleRateCard(w, 15))
	ask := func(when time.Time) orders.CardAt { return orders.CardAt{OfferID: w.offer.ID, At: when} }
	got := see(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.RateCard, error) {
		return tx.RateCards().Holding(ctx, []orders.CardAt{
			ask(at(30)), ask(at(10)), ask(at(10).Add(-time.Microsecond)), ask(at(19)), ask(at(20)), {OfferID: other, At: at(30)}, {OfferID: nowhere, At: at(30)}, ask(at(14)),
		})
	})
	none := orders.RateCard{}
	equal(t, "holding", got, []orders.RateCard{kept[3], kept[1], none, kept[4], kept[3], kept[2], none, kept[1]})
	equal(t, "of none", len(see(t, s, func(ctx context.Context, tx orders.Tx) ([]orders.RateCard, error) {
		return tx.RateCards().Holding(ctx, nil)
	})), 0)
}

func sampleOneTime(w world, n int) orders.Payment {
	return orders.Payment{AdvertiserID: w.advertisers[0].ID, UserID: w.users[0].ID, Comment: "for " + strconv.Itoa(n), Amount: eur(0), Date: at(n)}
}

func addOneTime(ctx context.Context, tx orders.Tx, p orders.Payment) (orders.Payment, error) {
	return tx.OneTimePayments().Add(ctx, p)
}

func oneTimeTable() table[orders.Tx, orders.Payment] {
	type V = orders.Payment
	return table[orders.Tx, V]{
		name:   "one-time payments",
		sample: sampleOneTime,
		full: func(w world) V {
			return V{AdvertiserID: w.advertisers[1].ID, UserID: w.users[1].ID, Comment: "Tack, Änna!", Amount: affiliate.NewMoney(orders.MaxOneTime, "KWD"), Date: at(1), CreatedAt: at(2)}
		},
		add: addOneTime,
		fetch: func(ctx context.Context, tx orders.Tx, v V) (V, error) {
			page, err := tx.OneTimePayments().List(ctx, orders.PaymentFilter{}, affiliate.PageRequest{Number: 1, Size: 100})
			for _, p := range page.Items {
				if p.ID == v.ID {
					return p, err
				}
			}
			if err == nil {
				err = affiliate.NotFound("payment", v.ID)
			}
			return V{}, err
		},
		id:    func(v *V) *int64 { return &v.ID },
		timed: true,
		texts: []text[V]{{"comment", orders.MinComment, orders.MaxComment, func(v *V) *string { return &v.Comment }, false}},
		broken: []broken[V]{
			{"comment", "too_short", func(v *V) { v.Comment = "a" }},
			{"currency", "unknown_currency", func(v *V) { v.Amount = affiliate.Money{} }},
			{"user_earnings", "out_of_range", func(v *V) { v.Amount = eur(-1) }},
			{"user_earnings", "out_of_range", func(v *V) { v.Amount = eur(orders.MaxOneTime + 1) }},
			{"payment_date", "required", func(v *V) { v.Date = time.Time{} }},
		},
		references: []reference[V]{
			{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"user_id", func(v *V, id int64) { v.UserID = id }},
		},
	}
}

func testOneTimeList(t *testing.T, s ordersStore) {
	type V = orders.Payment
	type F = orders.PaymentFilter
	w := newWorld(t, s)
	row := func(n, advertiser, user, created int) V {
		p := sampleOneTime(w, n)
		p.AdvertiserID, p.UserID, p.Date, p.CreatedAt = w.advertisers[advertiser].ID, w.users[user].ID, at(10-n), at(created)
		return p
	}
	listing[orders.Tx, V, F]{
		items: addAll(t, s, addOneTime, row(1, 0, 0, 5), row(2, 1, 0, 4), row(3, 0, 1, 4), row(4, 0, 0, 9)),
		label: func(v V) string { return v.Comment[len("for "):] },
		list: func(ctx context.Context, tx orders.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.OneTimePayments().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{AdvertiserIDs: []int64{w.advertisers[0].ID}}, "1 3 4"},
			{F{AdvertiserIDs: []int64{}}, ""},
			{F{UserID: w.users[0].ID}, "1 2 4"},
			{F{UserID: nowhere}, ""},
		},
		columns: map[string]func(a, b V) int{
			"created_at":   byTime(func(v V) time.Time { return v.CreatedAt }),
			"payment_date": byTime(func(v V) time.Time { return v.Date }),
		},
	}.check(t, s)
}
