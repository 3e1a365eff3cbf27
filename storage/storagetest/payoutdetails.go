package storagetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

func testReseal(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	p := addAll(t, s, addPayment, samplePayment(w, 1), samplePayment(w, 2))
	a := payouts.Invoice{PaymentID: p[0].ID, Series: "A", Serial: 1, IssuedAt: at(1), Parties: payouts.Sealed{KeyID: "old", Data: []byte("a")}}
	b := payouts.Invoice{PaymentID: p[1].ID, Series: "A", Serial: 2, Parties: payouts.Sealed{KeyID: "old", Data: []byte("b")}}
	write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Add(ctx, a, b) })
	b.Parties = payouts.Sealed{KeyID: "new", Data: []byte("B")}
	given := b
	given.IssuedAt = at(9) // only what is sealed changes
	given.Parties.Data = slices.Clone(b.Parties.Data)
	reseal := func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Reseal(ctx, given) }
	get := func() []payouts.Invoice {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Invoice, error) {
			return tx.Invoices().GetMany(ctx, []int64{p[0].ID, p[1].ID})
		})
	}
	before := get()
	notInRead(t, s, reseal)
	equal(t, "after a Reseal in a Read", get(), before)
	write(t, s, reseal)
	scribble(&given)
	write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Reseal(ctx) })
	ghost := b
	ghost.PaymentID = nowhere
	refused(t, s, missing, func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Reseal(ctx, a, ghost) })
	broken := b
	broken.Series = ""
	refused(t, s, invalid("series", "required"), func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Reseal(ctx, a, broken) })
	equal(t, "resealed", get(), []payouts.Invoice{a, b})
	b.Parties = payouts.Sealed{}
	write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Reseal(ctx, b) })
	equal(t, "with nothing in it", get(), []payouts.Invoice{a, b})
}

// onePerUser is what the records promise of which each user has one.
type onePerUser[V any] struct {
	make   func(user int64, n int) V
	put    func(ctx context.Context, tx payoutsTx, v V) error
	get    func(ctx context.Context, tx payoutsTx, users []int64) ([]V, error)
	remove func(ctx context.Context, tx payoutsTx, user int64) error
}

func (o onePerUser[V]) test(t *testing.T, s payoutsStore) {
	t.Helper()
	w := newWorld(t, s)
	ids := []int64{w.users[0].ID, w.users[1].ID, w.users[2].ID}
	get := func(users ...int64) []V {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]V, error) { return o.get(ctx, tx, users) })
	}
	keep := func(v V) {
		t.Helper()
		write(t, s, func(ctx context.Context, tx payoutsTx) error { return o.put(ctx, tx, v) })
	}
	first := o.make(ids[1], 1)
	keep(first)
	scribble(&first)
	keep(o.make(ids[0], 2))
	want := []V{o.make(ids[0], 2), o.make(ids[1], 1)}
	got := get(ids[1], nowhere, ids[0], ids[2], ids[1], 0, math.MinInt64)
	equal(t, "kept", got, want)
	scribbleAll(got)
	equal(t, "kept, again", get(ids...), want)
	equal(t, "of nobody", get(), []V(nil))
	keep(o.make(ids[1], 3))
	equal(t, "replaced", get(ids...), []V{o.make(ids[0], 2), o.make(ids[1], 3)})
	refused(t, s, unknown("user_id"), func(ctx context.Context, tx payoutsTx) error {
		if err := o.put(ctx, tx, o.make(ids[2], 4)); err != nil {
			return err
		}
		return o.put(ctx, tx, o.make(nowhere, 5))
	})
	refused(t, s, invalid("user_id", "required"), func(ctx context.Context, tx payoutsTx) error { return o.put(ctx, tx, o.make(0, 6)) })
	for range 2 {
		write(t, s, func(ctx context.Context, tx payoutsTx) error { return o.remove(ctx, tx, ids[0]) })
		equal(t, "after removal", get(ids...), []V{o.make(ids[1], 3)})
	}
	write(t, s, func(ctx context.Context, tx payoutsTx) error { return o.remove(ctx, tx, nowhere) })
	keep(o.make(ids[0], 7))
	equal(t, "put back", get(ids[0]), []V{o.make(ids[0], 7)})
	keep(o.make(ids[2], 8))
}

func testPayoutDetails(t *testing.T, s payoutsStore) {
	make := func(user int64, n int) payouts.SealedDetails {
		return payouts.SealedDetails{UserID: user, Sealed: payouts.Sealed{KeyID: fmt.Sprintf("k%d", n), Data: []byte{0, byte(n), 0xff}}, UpdatedAt: at(n)}
	}
	onePerUser[payouts.SealedDetails]{
		make: make,
		put: func(ctx context.Context, tx payoutsTx, v payouts.SealedDetails) error {
			v.UpdatedAt = finer(v.UpdatedAt)
			return tx.PayoutDetails().Put(ctx, v)
		},
		get: func(ctx context.Context, tx payoutsTx, ids []int64) ([]payouts.SealedDetails, error) {
			return tx.PayoutDetails().GetMany(ctx, ids)
		},
		remove: func(ctx context.Context, tx payoutsTx, id int64) error { return tx.PayoutDetails().Remove(ctx, id) },
	}.test(t, s)
	scan := func(after int64, limit int) []payouts.SealedDetails {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.SealedDetails, error) {
			return tx.PayoutDetails().Scan(ctx, after, limit)
		})
	}
	all := scan(0, 10)
	equal(t, "how many", len(all), 3)
	equal(t, "in order", all[0].UserID < all[1].UserID && all[1].UserID < all[2].UserID, true)
	equal(t, "scan one", scan(-5, 1), all[:1])
	equal(t, "scan on", scan(all[0].UserID, 10), all[1:])
	equal(t, "scan past", scan(all[2].UserID, 10), []payouts.SealedDetails(nil))
	equal(t, "scan none", scan(0, 0), []payouts.SealedDetails(nil))
	for _, nothing := range [][]byte{nil, {}} {
		empty := make(all[0].UserID, 1)
		empty.Sealed.Data = nothing
		write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.PayoutDetails().Put(ctx, empty) })
		empty.Sealed.Data = nil
		equal(t, "with nothing in it", scan(0, 1), []payouts.SealedDetails{empty})
	}
	large := make(all[0].UserID, 1)
	large.Sealed.Data = slices.Repeat([]byte{1}, 16385)
	refused(t, s, invalid("data", "too_long"), func(ctx context.Context, tx payoutsTx) error { return tx.PayoutDetails().Put(ctx, large) })
}

func testPayoutHolds(t *testing.T, s payoutsStore) {
	onePerUser[payouts.Hold]{
		make: func(user int64, n int) payouts.Hold {
			h := payouts.Hold{UserID: user, Reason: hostile()[n], CreatedAt: at(n)}
			if n%2 == 0 {
				h.Until = at(100 + n)
			}
			return h
		},
		put: func(ctx context.Context, tx payoutsTx, v payouts.Hold) error {
			v.Until, v.CreatedAt = finer(v.Until), finer(v.CreatedAt)
			return tx.PayoutHolds().Put(ctx, v)
		},
		get: func(ctx context.Context, tx payoutsTx, ids []int64) ([]payouts.Hold, error) {
			return tx.PayoutHolds().GetMany(ctx, ids)
		},
		remove: func(ctx context.Context, tx payoutsTx, id int64) error { return tx.PayoutHolds().Remove(ctx, id) },
	}.test(t, s)
	refused(t, s, invalid("reason", "too_long"), func(ctx context.Context, tx payoutsTx) error {
		return tx.PayoutHolds().Put(ctx, payouts.Hold{UserID: 1, Reason: strings.Repeat("x", 256)})
	})
}

func testAXIDs(t *testing.T, s payoutsStore) {
	onePerUser[payouts.AXID]{
		make: func(user int64, n int) payouts.AXID { return payouts.AXID{UserID: user, AXID: hostile()[n]} },
		put:  func(ctx context.Context, tx payoutsTx, v payouts.AXID) error { return tx.AXIDs().Put(ctx, v) },
		get: func(ctx context.Context, tx payoutsTx, ids []int64) ([]payouts.AXID, error) {
			return tx.AXIDs().GetMany(ctx, ids)
		},
		remove: func(ctx context.Context, tx payoutsTx, id int64) error { return tx.AXIDs().Remove(ctx, id) },
	}.test(t, s)
	by := func(numbers ...string) []payouts.AXID {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.AXID, error) {
			return tx.AXIDs().ByAXIDs(ctx, numbers)
		})
	}
	all := by(hostile()[3], hostile()[7], hostile()[3], "nobody's")
	equal(t, "how many", len(all), 2)
	equal(t, "in order", all[0].UserID < all[1].UserID, true)
	equal(t, "by none", by(), []payouts.AXID(nil))
	equal(t, "by what cannot be kept", by(unkeepable()...), []payouts.AXID(nil))
	refused(t, s, taken("ax_id"), func(ctx context.Context, tx payoutsTx) error {
		return tx.AXIDs().Put(ctx, payouts.AXID{UserID: all[0].UserID, AXID: all[1].AXID})
	})
	write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.AXIDs().Put(ctx, all[1]) }) // its own is not taken
	refused(t, s, invalid("ax_id", "required"), func(ctx context.Context, tx payoutsTx) error {
		return tx.AXIDs().Put(ctx, payouts.AXID{UserID: all[0].UserID})
	})
	refused(t, s, invalid("ax_id", "too_long"), func(ctx context.Context, tx payoutsTx) error {
		return tx.AXIDs().Put(ctx, payouts.AXID{UserID: all[0].UserID, AXID: strings.Repeat("1", 65)})
	})
	equal(t, "after what was refused", by(all[0].AXID, all[1].AXID), all)
}

func putSystem(ctx context.Context, tx payoutsTx, c payouts.SystemConfig) (payouts.SystemConfig, error) {
	return tx.PaymentSystems().Put(ctx, c)
}

func testPaymentSystems(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	full := payouts.SystemConfig{Date: sampleSystem(2).Date, ClientID: w.clients[0].ID, UserID: w.users[0].ID, System: 1_000_000, IgnoreLock: true, UpdatedAt: at(1)}
	ofClient := sampleSystem(1)
	ofClient.ClientID = w.clients[0].ID
	ofUser := sampleSystem(1)
	ofUser.UserID = w.users[0].ID
	given := full
	given.Date, given.UpdatedAt = full.Date.In(time.FixedZone("", 3600)), finer(full.UpdatedAt)
	kept := addAll(t, s, putSystem, sampleSystem(1), ofClient, ofUser, given)
	full.ID = kept[3].ID
	equal(t, "put", kept[3], full)
	changed := ofClient
	changed.System, changed.ID = 9, nowhere
	got := put(t, s, func(ctx context.Context, tx payoutsTx) (payouts.SystemConfig, error) {
		return putSystem(ctx, tx, changed)
	})
	changed.ID = kept[1].ID
	equal(t, "put again", got, changed)
	kept[1] = changed
	for i, c := range []struct {
		f    payouts.SystemFilter
		want []payouts.SystemConfig
	}{
		{payouts.SystemFilter{}, kept},
		{payouts.SystemFilter{Date: sampleSystem(1).Date}, kept[:3]},
		{payouts.SystemFilter{ClientID: w.clients[0].ID}, []payouts.SystemConfig{kept[1], kept[3]}},
		{payouts.SystemFilter{UserID: w.users[0].ID}, kept[2:]},
		{payouts.SystemFilter{UserID: w.users[0].ID, ClientID: w.clients[0].ID}, kept[3:]},
		{payouts.SystemFilter{UserID: nowhere}, nil},
	} {
		scan := func(after int64, limit int) []payouts.SystemConfig {
			return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.SystemConfig, error) {
				return tx.PaymentSystems().Scan(ctx, c.f, after, limit)
			})
		}
		equal(t, fmt.Sprintf("%d: all", i), scan(0, 10), c.want)
		equal(t, fmt.Sprintf("%d: one", i), scan(-1, 1), c.want[:min(1, len(c.want))])
		equal(t, fmt.Sprintf("%d: none", i), scan(0, 0), []payouts.SystemConfig(nil))
		equal(t, fmt.Sprintf("%d: past", i), scan(kept[3].ID, 10), []payouts.SystemConfig(nil))
		equal(t, fmt.Sprintf("%d: far past", i), scan(nowhere, 10), []payouts.SystemConfig(nil))
	}
	for _, bad := range []struct {
		spoil func(c *payouts.SystemConfig)
		want  failure
	}{
		{func(c *payouts.SystemConfig) { c.Date = at(1) }, invalid("date", "invalid_date")},
		{func(c *payouts.SystemConfig) { c.System = -1 }, invalid("system", "out_of_range")},
		{func(c *payouts.SystemConfig) { *c = full; c.System = -1 }, invalid("system", "out_of_range")}, // where one is there
		{func(c *payouts.SystemConfig) { c.System = 1_000_001 }, invalid("system", "out_of_range")},
		{func(c *payouts.SystemConfig) { c.ClientID = -1 }, invalid("client_id", "out_of_range")},
		{func(c *payouts.SystemConfig) { c.UserID = -1 }, invalid("user_id", "out_of_range")},
		{func(c *payouts.SystemConfig) { c.ClientID = nowhere }, unknown("client_id")},
		{func(c *payouts.SystemConfig) { c.UserID = nowhere }, unknown("user_id")},
	} {
		c := sampleSystem(7)
		bad.spoil(&c)
		refused(t, s, bad.want, func(ctx context.Context, tx payoutsTx) error { return second(putSystem(ctx, tx, c)) })
	}
}

func testHolding(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	of := func(n int, client, user int64) payouts.SystemConfig {
		c := sampleSystem(n)
		c.ClientID, c.UserID = client, user
		return c
	}
	c0, c1, u0, u1 := w.clients[0].ID, w.clients[1].ID, w.users[0].ID, w.users[1].ID
	kept := addAll(t, s, putSystem, of(1, 0, 0), of(2, c0, 0), of(3, 0, u0), of(4, c0, u0), of(5, c1, 0), of(6, 0, u1), of(7, 0, 0))
	before := func(day time.Time, clients, users []int64) string {
		var out []string
		for _, c := range see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.SystemConfig, error) {
			return tx.PaymentSystems().Holding(ctx, day, clients, users)
		}) {
			out = append(out, fmt.Sprint(slices.Index(kept, c)))
		}
		return strings.Join(out, " ")
	}
	holding := func(n int, clients, users []int64) string { return before(sampleSystem(n).Date, clients, users) }
	equal(t, "of nobody", holding(99, nil, nil), "0 6")
	equal(t, "of nobody, earlier", holding(7, []int64{0}, []int64{0}), "0")
	equal(t, "of a client", holding(99, []int64{c0}, nil), "0 1 6")
	equal(t, "of a user", holding(99, nil, []int64{u0}), "0 2 3 6")
	clients := []int64{c1, c0, nowhere, 77} // the last is not handed over
	equal(t, "of some", holding(6, clients[:3], []int64{u1, u0}), "0 1 2 3 4")
	equal(t, "the caller's list", clients, []int64{c1, c0, nowhere, 77})
	equal(t, "before a moment after", before(sampleSystem(1).Date.Add(1), nil, nil), "0")
	equal(t, "before all", holding(1, []int64{c0}, []int64{u0}), "")
}

func testPaymentSetups(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	get := func(id int64) payouts.PaymentSetup {
		return see(t, s, func(ctx context.Context, tx payoutsTx) (payouts.PaymentSetup, error) {
			return tx.PaymentSetups().Get(ctx, id)
		})
	}
	unreadable(t, s, missing, func(ctx context.Context, tx payoutsTx) error {
		return second(tx.PaymentSetups().Get(ctx, w.advertisers[0].ID))
	})
	keep := func(p payouts.PaymentSetup) {
		t.Helper()
		p.UpdatedAt = finer(p.UpdatedAt)
		write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.PaymentSetups().Put(ctx, p) })
	}
	other := payouts.PaymentSetup{AdvertiserID: w.advertisers[1].ID, SetupID: strings.Repeat("😀", 255), Status: payouts.SetupActive, UpdatedAt: at(1)}
	keep(other)
	for _, h := range hostile() {
		p := sampleSetup(w)
		p.SetupID = h
		keep(p)
		equal(t, "kept", get(p.AdvertiserID), p)
	}
	equal(t, "the other", get(other.AdvertiserID), other)
	for _, bad := range []struct {
		spoil func(p *payouts.PaymentSetup)
		want  failure
	}{
		{func(p *payouts.PaymentSetup) { p.SetupID = "" }, invalid("payment_setup_id", "required")},
		{func(p *payouts.PaymentSetup) { p.SetupID = strings.Repeat("x", 256) }, invalid("payment_setup_id", "too_long")},
		{func(p *payouts.PaymentSetup) { p.SetupID = "a\x00" }, invalid("payment_setup_id", "nul")},
		{func(p *payouts.PaymentSetup) { p.Status = payouts.SetupMissing }, invalid("status", "unknown_status")},
		{func(p *payouts.PaymentSetup) { p.AdvertiserID = 0 }, invalid("advertiser_id", "required")},
		{func(p *payouts.PaymentSetup) { p.AdvertiserID = nowhere }, unknown("advertiser_id")},
	} {
		p := other
		bad.spoil(&p)
		refused(t, s, bad.want, func(ctx context.Context, tx payoutsTx) error { return tx.PaymentSetups().Put(ctx, p) })
	}
	equal(t, "after what was refused", get(other.AdvertiserID), other)
}
