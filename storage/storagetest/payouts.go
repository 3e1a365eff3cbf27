package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

type (
	payoutsTx    = payouts.Tx
	payoutsStore = affiliate.Store[payouts.Tx]
)

// RunPayouts runs the cases of package payouts on Backend.Payouts.
func RunPayouts(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) payoutsStore { return open(t).Payouts }, payoutScenarios())
}

func payoutScenarios() []scenario[payoutsStore] {
	return slices.Concat(
		writeScenarios[payoutsTx](),
		paymentCases().scenarios(),
		[]scenario[payoutsStore]{
			{"payments/one per user, currency and period", testPaymentKey},
			{"payments/an update moves and keeps the rest", testPaymentUpdate},
			{"payments/lookups", testPaymentLookups},
			{"payments/scan", testPaymentScan},
			{"invoice numbers/taken in order, per series", testTake},
			{"invoice numbers/given back by a unit that fails", testTakeBack},
			{"invoice numbers/of writers at once none is missing or there twice", testTakeRace},
			{"invoices/kept with their payments", testInvoices},
			{"invoices/sealed again", testReseal},
			{"payout details/one per user", testPayoutDetails},
			{"payout holds/one per user", testPayoutHolds},
			{"ax ids/one per user, each once", testAXIDs},
			{"payment systems/one per date, client and user", testPaymentSystems},
			{"payment systems/those that hold", testHolding},
			{"payment setups/one per advertiser", testPaymentSetups},
		},
	)
}

// samplePayment is an invoiced payment; those of different n are of different
// periods.
func samplePayment(w world, n int) payouts.Payment {
	return payouts.Payment{
		UserID: w.users[0].ID, Period: payouts.PeriodOf(base().AddDate(0, n, 0)), Amount: eur(100),
		Status: payouts.Invoiced, InvoiceNumber: fmt.Sprintf("A-%05d", n),
	}
}

func sampleSystem(n int) payouts.SystemConfig {
	return payouts.SystemConfig{Date: base().Truncate(24*time.Hour).AddDate(0, 0, n), System: int64(n)}
}

func sampleSetup(w world) payouts.PaymentSetup {
	return payouts.PaymentSetup{AdvertiserID: w.advertisers[0].ID, SetupID: "x", Status: payouts.SetupActive}
}

func addPayment(ctx context.Context, tx payoutsTx, p payouts.Payment) (payouts.Payment, error) {
	return oneOf(tx.Payments().Add(ctx, p))
}

func fetchPayment(ctx context.Context, tx payoutsTx, p payouts.Payment) (payouts.Payment, error) {
	return oneOf(tx.Payments().GetMany(ctx, []int64{p.ID}))
}

func paymentCases() table[payoutsTx, payouts.Payment] {
	type V = payouts.Payment
	return table[payoutsTx, V]{
		name: "payments",
		sample: func(w world, n int) V {
			p := samplePayment(w, n)
			p.Status, p.PaidAt = payouts.Paid, at(0)
			return p
		},
		full: func(w world) V {
			return V{
				UserID: w.users[1].ID, ClientID: w.clients[0].ID, Period: "2025-12", Amount: affiliate.NewMoney(1<<60, "KWD"),
				Parts:  []payouts.Part{{Kind: payouts.BroughtForward, Amount: -5}, {Kind: affiliate.EntryClick, Amount: 1<<60 + 5, Entries: 7}},
				System: 3, Status: payouts.Paid, InvoiceNumber: "U17-00001", InvoicedAt: at(1), Transfer: "T202512-00001", SentAt: at(2),
				Reference: "réf", PaidAt: at(3), CreatedAt: at(0),
			}
		},
		add:   addPayment,
		fetch: fetchPayment,
		getMany: func(ctx context.Context, tx payoutsTx, ids []int64) ([]V, error) {
			return tx.Payments().GetMany(ctx, ids)
		},
		id: func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"invoice_number", 0, 64, func(v *V) *string { return &v.InvoiceNumber }, false},
			{"transfer", 0, 64, func(v *V) *string { return &v.Transfer }, false},
			{"reference", 0, 255, func(v *V) *string { return &v.Reference }, false},
		},
		timed: true, // PaidAt goes with the status
		broken: []broken[V]{
			{"user_id", "required", func(v *V) { v.UserID = 0 }},
			{"payment_period", "invalid_period", func(v *V) { v.Period = "2026-13" }},
			{"payment_period", "invalid_period", func(v *V) { v.Period = "2026-3" }},
			{"currency", "unknown_currency", func(v *V) { v.Amount = affiliate.NewMoney(1, "XXX") }},
			{"amount", "out_of_range", func(v *V) { v.Amount = eur(0) }},
			{"amount", "out_of_range", func(v *V) { v.Amount = eur(-1) }},
			{"parts", "too_many", func(v *V) { v.Parts = make([]payouts.Part, 17) }},
			{"status", "unknown_status", func(v *V) { v.Status = "gone" }},
			{"invoice_number", "status_mismatch", func(v *V) { v.Status = payouts.Open }},
			{"invoice_number", "status_mismatch", func(v *V) { v.InvoiceNumber = "" }},
			{"paid_at", "status_mismatch", func(v *V) { v.Status = payouts.Invoiced }},
			{"paid_at", "status_mismatch", func(v *V) { v.PaidAt = time.Time{} }},
		},
		references: []reference[V]{{"user_id", func(v *V, id int64) { v.UserID = id }}},
		unique:     []uniqueText[V]{{field: "invoice_number", at: func(v *V) *string { return &v.InvoiceNumber }}},
	}
}

func testPaymentKey(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	first := samplePayment(w, 1)
	other := samplePayment(w, 1)
	other.UserID, other.InvoiceNumber = w.users[1].ID, "B-1"
	sek := samplePayment(w, 1)
	sek.Amount, sek.InvoiceNumber = affiliate.NewMoney(1, "SEK"), "C-1"
	open := samplePayment(w, 2)
	open.Status, open.InvoiceNumber = payouts.Open, ""
	alsoOpen := samplePayment(w, 3) // no number is no key
	alsoOpen.Status, alsoOpen.InvoiceNumber = payouts.Open, ""
	kept := put(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Payment, error) {
		return tx.Payments().Add(ctx, first, other, sek, open, alsoOpen)
	})
	if !slices.IsSortedFunc(kept, func(a, b payouts.Payment) int { return int(a.ID - b.ID) }) || kept[0].InvoiceNumber != first.InvoiceNumber {
		t.Errorf("ids of %+v: want them ascending in the order given", kept)
	}
	again := first
	again.InvoiceNumber = "D-1"
	too := again
	too.InvoiceNumber = "D-2"
	for range 2 { // the first time leaves no trace
		refused(t, s, taken("user_id"), func(ctx context.Context, tx payoutsTx) error {
			return oneField(t, second(tx.Payments().Add(ctx, samplePayment(w, 9), again, too)))
		})
	}
	refused(t, s, taken("user_id"), func(ctx context.Context, tx payoutsTx) error { // both in one call
		a, b := samplePayment(w, 8), samplePayment(w, 8)
		b.InvoiceNumber = "E-1"
		return second(tx.Payments().Add(ctx, a, b))
	})
	equal(t, "kept", see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Payment, error) {
		return tx.Payments().Scan(ctx, payouts.PaymentFilter{}, 0, 100)
	}), kept)
}

// oneField is the error, which must name one field: a batch ends with the first that is taken.
func oneField(t *testing.T, err error) error {
	t.Helper()
	if e, ok := errors.AsType[*affiliate.Error](err); ok && e.Kind == affiliate.ErrConflict && len(e.Fields) != 1 {
		t.Errorf("got fields %+v, want one", e.Fields)
	}
	return err
}

func testPaymentUpdate(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	open := samplePayment(w, 1)
	open.Status, open.InvoiceNumber = payouts.Open, ""
	open.Parts = []payouts.Part{{Kind: affiliate.EntryOrder, Amount: 100, Entries: 2}}
	kept := addAll(t, s, addPayment, open, samplePayment(w, 2))
	moved := kept[0]
	moved.Status, moved.InvoiceNumber, moved.Transfer, moved.Reference = payouts.Paid, "X-1", "T-1", "ref"
	moved.InvoicedAt, moved.SentAt, moved.PaidAt, moved.CreatedAt = at(1), at(2), at(3), at(4)
	given := moved
	given.InvoicedAt, given.SentAt, given.PaidAt, given.CreatedAt = finer(at(1)), finer(at(2)), finer(at(3)), finer(at(4)) // cut
	given.UserID, given.ClientID, given.Period, given.Amount, given.Parts, given.System = w.users[1].ID, w.clients[0].ID, "2020-01", eur(7), nil, 9
	update := func(ctx context.Context, tx payoutsTx) error { return tx.Payments().Update(ctx, kept[1], given) }
	notInRead(t, s, update)
	equal(t, "before", see(t, s, func(ctx context.Context, tx payoutsTx) (payouts.Payment, error) { return fetchPayment(ctx, tx, moved) }), kept[0])
	write(t, s, update)
	equal(t, "moved", see(t, s, func(ctx context.Context, tx payoutsTx) (payouts.Payment, error) { return fetchPayment(ctx, tx, moved) }), moved)
	write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.Payments().Update(ctx) })
	ghost := moved
	ghost.ID, ghost.InvoiceNumber = nowhere, "Y-1"
	refused(t, s, missing, func(ctx context.Context, tx payoutsTx) error { return tx.Payments().Update(ctx, kept[0], ghost) })
	stolen := kept[1]
	stolen.InvoiceNumber = moved.InvoiceNumber
	refused(t, s, taken("invoice_number"), func(ctx context.Context, tx payoutsTx) error { return tx.Payments().Update(ctx, stolen) })
	bad := moved
	bad.PaidAt = time.Time{}
	refused(t, s, invalid("paid_at", "status_mismatch"), func(ctx context.Context, tx payoutsTx) error { return tx.Payments().Update(ctx, kept[1], bad) })
	equal(t, "after what was refused", see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Payment, error) {
		return tx.Payments().GetMany(ctx, []int64{moved.ID, kept[1].ID})
	}), []payouts.Payment{moved, kept[1]})
}

func testPaymentLookups(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	a, b, c := samplePayment(w, 1), samplePayment(w, 1), samplePayment(w, 2)
	b.UserID, b.InvoiceNumber = w.users[1].ID, "B-1"
	kept := addAll(t, s, addPayment, a, b, c)
	users := func(p payouts.Period, ids ...int64) []payouts.Payment {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Payment, error) {
			return tx.Payments().ByUsers(ctx, p, ids)
		})
	}
	equal(t, "by users", users(a.Period, w.users[1].ID, w.users[0].ID, nowhere), kept[:2])
	equal(t, "by one user", users(c.Period, w.users[0].ID), kept[2:])
	equal(t, "by no user", users(a.Period), []payouts.Payment(nil))
	equal(t, "of another period", users("2001-01", w.users[0].ID), []payouts.Payment(nil))
	numbers := func(n ...string) []payouts.Payment {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Payment, error) {
			return tx.Payments().ByInvoices(ctx, n)
		})
	}
	equal(t, "by numbers", numbers(append(unkeepable(), "B-1", "b-1", "", a.InvoiceNumber, "B-1")...), kept[:2])
	open := samplePayment(w, 3)
	open.Status, open.InvoiceNumber = payouts.Open, ""
	addAll(t, s, addPayment, open)
	equal(t, "by the number of none", numbers(""), []payouts.Payment(nil))
	equal(t, "by no number", numbers(), []payouts.Payment(nil))
}

func testPaymentScan(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	make := func(n int, change func(p *payouts.Payment)) payouts.Payment {
		p := samplePayment(w, n)
		change(&p)
		return p
	}
	open := func(p *payouts.Payment) { p.Status, p.InvoiceNumber = payouts.Open, "" }
	kept := addAll(t, s, addPayment,
		make(1, func(p *payouts.Payment) { p.ClientID = w.clients[0].ID }),
		make(2, func(p *payouts.Payment) { p.Transfer, p.SentAt = "T-1", at(1) }),
		make(3, func(p *payouts.Payment) { p.Transfer = "T-1"; p.System = 2 }),
		make(2, func(p *payouts.Payment) { open(p); p.UserID = w.users[1].ID }),
		make(4, func(p *payouts.Payment) { p.Status, p.PaidAt, p.Transfer = payouts.Paid, at(2), "T-2" }),
		make(2, func(p *payouts.Payment) { p.UserID, p.InvoiceNumber = w.users[2].ID, "B-9" }),
	)
	for i, c := range []struct {
		f    payouts.PaymentFilter
		want string
	}{
		{payouts.PaymentFilter{}, "0 1 2 3 4 5"},
		{payouts.PaymentFilter{Period: kept[1].Period}, "1 3 5"},
		{payouts.PaymentFilter{Period: kept[1].Period, Status: payouts.Invoiced}, "1 5"},
		{payouts.PaymentFilter{Period: kept[1].Period, Status: payouts.Open}, "3"},
		{payouts.PaymentFilter{Period: kept[1].Period, Status: payouts.Invoiced, UserID: w.users[0].ID}, "1"},
		{payouts.PaymentFilter{Period: "2026-1\x00"}, ""},
		{payouts.PaymentFilter{Since: kept[2].Period}, "2 4"},
		{payouts.PaymentFilter{UserID: w.users[1].ID}, "3"},
		{payouts.PaymentFilter{ClientID: w.clients[0].ID}, "0"},
		{payouts.PaymentFilter{ClientID: nowhere}, ""},
		{payouts.PaymentFilter{Status: payouts.Paid}, "4"},
		{payouts.PaymentFilter{System: affiliate.Some[int64](2)}, "2"},
		{payouts.PaymentFilter{System: affiliate.Some[int64](0)}, "0 1 3 4 5"},
		{payouts.PaymentFilter{Transfer: "T-1"}, "1 2"},
		{payouts.PaymentFilter{Transfer: "T-1", Sent: affiliate.Some(false)}, "2"},
		{payouts.PaymentFilter{Transfer: "T-1", UserID: w.users[1].ID}, ""},
		{payouts.PaymentFilter{Assigned: affiliate.Some(true)}, "1 2 4"},
		{payouts.PaymentFilter{Assigned: affiliate.Some(false)}, "0 3 5"},
		{payouts.PaymentFilter{Sent: affiliate.Some(true)}, "1"},
	} {
		scan := func(after int64, limit int) []string {
			var got []string
			for _, p := range see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Payment, error) {
				return tx.Payments().Scan(ctx, c.f, after, limit)
			}) {
				got = append(got, fmt.Sprint(slices.IndexFunc(kept, func(k payouts.Payment) bool { return k.ID == p.ID })))
			}
			return got
		}
		want := strings.Fields(c.want)
		equal(t, fmt.Sprintf("%d: all of %+v", i, c.f), scan(0, 100), want)
		equal(t, fmt.Sprintf("%d: the first of %+v", i, c.f), scan(-1, 1), want[:min(1, len(want))])
		equal(t, fmt.Sprintf("%d: none of %+v", i, c.f), scan(0, 0), []string(nil))
		equal(t, fmt.Sprintf("%d: past %+v", i, c.f), scan(kept[5].ID, 100), []string(nil))
		if len(want) > 0 {
			equal(t, fmt.Sprintf("%d: from the first of %+v", i, c.f), scan(kept[want[0][0]-'0'].ID-1, 100), want)
		}
		if len(want) > 1 {
			after := kept[want[0][0]-'0'].ID
			equal(t, fmt.Sprintf("%d: after the first of %+v", i, c.f), scan(after, 100), want[1:])
		}
	}
}

func take(t *testing.T, s payoutsStore, takes ...payouts.SeriesTake) []int64 {
	t.Helper()
	return put(t, s, func(ctx context.Context, tx payoutsTx) ([]int64, error) { return tx.Invoices().Take(ctx, takes...) })
}

func series(t *testing.T, s payoutsStore, after string, limit int) []payouts.SeriesTake {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.SeriesTake, error) {
		return tx.Invoices().Series(ctx, after, limit)
	})
}

func testTake(t *testing.T, s payoutsStore) {
	equal(t, "of nothing", series(t, s, "", 10), []payouts.SeriesTake(nil))
	equal(t, "nothing taken", take(t, s), []int64(nil))
	equal(t, "first", take(t, s, payouts.SeriesTake{Series: "B", Count: 3}, payouts.SeriesTake{Series: "A", Count: 1}), []int64{1, 1})
	equal(t, "next", take(t, s, payouts.SeriesTake{Series: "A", Count: 2}, payouts.SeriesTake{Series: "é", Count: 1}, payouts.SeriesTake{Series: "B", Count: 1}), []int64{2, 1, 4})
	want := []payouts.SeriesTake{{Series: "A", Count: 3}, {Series: "B", Count: 4}, {Series: "é", Count: 1}}
	equal(t, "series", series(t, s, "", 10), want)
	equal(t, "the second", series(t, s, "A", 1), want[1:2])
	equal(t, "after what is not there", series(t, s, "AA", 10), want[1:])
	equal(t, "none", series(t, s, "", 0), []payouts.SeriesTake(nil))
	equal(t, "less than none", series(t, s, "", -1), []payouts.SeriesTake(nil))
	for _, bad := range []struct {
		take payouts.SeriesTake
		want failure
	}{
		{payouts.SeriesTake{Series: "", Count: 1}, invalid("series", "required")},
		{payouts.SeriesTake{Series: strings.Repeat("a", 33), Count: 1}, invalid("series", "too_long")},
		{payouts.SeriesTake{Series: "a\x00", Count: 1}, invalid("series", "nul")},
		{payouts.SeriesTake{Series: "A", Count: 0}, invalid("count", "out_of_range")},
		{payouts.SeriesTake{Series: "A", Count: 1_000_001}, invalid("count", "out_of_range")},
	} {
		refused(t, s, bad.want, func(ctx context.Context, tx payoutsTx) error {
			return second(tx.Invoices().Take(ctx, payouts.SeriesTake{Series: "B", Count: 1}, bad.take))
		})
	}
	equal(t, "after what was refused", series(t, s, "", 10), want)
}

func testTakeBack(t *testing.T, s payoutsStore) {
	take(t, s, payouts.SeriesTake{Series: "A", Count: 1})
	for range 3 {
		err := s.Write(t.Context(), func(ctx context.Context, tx payoutsTx) error {
			first, err := tx.Invoices().Take(ctx, payouts.SeriesTake{Series: "A", Count: 5}, payouts.SeriesTake{Series: "B", Count: 1})
			if err != nil {
				return err
			}
			equal(t, "taken, then given back", first, []int64{2, 1})
			return errMine
		})
		if err != errMine {
			t.Fatalf("Write: got %v, want the callback's error", err)
		}
	}
	equal(t, "series", series(t, s, "", 10), []payouts.SeriesTake{{Series: "A", Count: 1}})
	equal(t, "next", take(t, s, payouts.SeriesTake{Series: "A", Count: 1}), []int64{2})
}

// testTakeRace takes of one series, from many sides, in units of which some fail.
func testTakeRace(t *testing.T, s payoutsStore) {
	const rounds = 6
	w := newWorld(t, s)
	together(t, writers, func(i int) error {
		for r := range rounds {
			p := samplePayment(w, 1+100*i+r)
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx payoutsTx) error {
				first, err := tx.Invoices().Take(ctx, payouts.SeriesTake{Series: "A", Count: 1})
				if err != nil {
					return err
				}
				inv := payouts.Invoice{Series: "A", Serial: first[0]}
				p.InvoiceNumber = inv.Number()
				kept, err := addPayment(ctx, tx, p)
				if err != nil {
					return err
				}
				inv.PaymentID = kept.ID
				if err := tx.Invoices().Add(ctx, inv); err != nil {
					return err
				}
				if (i+r)%3 == 0 {
					return errMine
				}
				return nil
			})
			if err != nil && err != errMine {
				return err
			}
		}
		return nil
	})
	var serials, want []int64
	for _, inv := range see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Invoice, error) {
		return tx.Invoices().Scan(ctx, "A", 0, 1000)
	}) {
		serials = append(serials, inv.Serial)
		want = append(want, int64(len(want)+1))
	}
	equal(t, "serials", serials, want)
	equal(t, "how many", int64(len(serials)), int64(writers*rounds-writers*rounds/3))
}

func testInvoices(t *testing.T, s payoutsStore) {
	w := newWorld(t, s)
	p := addAll(t, s, addPayment, samplePayment(w, 1), samplePayment(w, 2), samplePayment(w, 3), samplePayment(w, 4))
	full := payouts.Invoice{PaymentID: p[2].ID, Series: "Å", Serial: 1 << 40, IssuedAt: at(1), Parties: payouts.Sealed{KeyID: "k", Data: []byte{0, 255, 1}}}
	small := payouts.Invoice{PaymentID: p[0].ID, Series: "A", Serial: 2}
	later := payouts.Invoice{PaymentID: p[1].ID, Series: "A", Serial: 1, Parties: payouts.Sealed{Data: []byte("{}")}}
	given := []payouts.Invoice{full, small, later}
	given[0].IssuedAt = finer(full.IssuedAt)
	later.Parties.Data = []byte("{}") // its own
	add := func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Add(ctx, given...) }
	notInRead(t, s, add)
	write(t, s, add)
	write(t, s, func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Add(ctx) })
	scribbled := full
	scribbled.Parties.Data = slices.Clone(full.Parties.Data)
	get := func(ids ...int64) []payouts.Invoice {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Invoice, error) {
			return tx.Invoices().GetMany(ctx, ids)
		})
	}
	got := get(p[2].ID, nowhere, p[0].ID, p[2].ID, p[3].ID)
	equal(t, "by payments", got, []payouts.Invoice{small, scribbled})
	scribbleAll(got)
	scribbleAll(given)
	equal(t, "by payments again", get(p[2].ID), []payouts.Invoice{scribbled})
	equal(t, "by none", get(), []payouts.Invoice(nil))
	scan := func(series string, after int64, limit int) []payouts.Invoice {
		return see(t, s, func(ctx context.Context, tx payoutsTx) ([]payouts.Invoice, error) {
			return tx.Invoices().Scan(ctx, series, after, limit)
		})
	}
	equal(t, "scan", scan("A", 0, 10), []payouts.Invoice{later, small})
	equal(t, "scan one", scan("A", 0, 1), []payouts.Invoice{later})
	equal(t, "scan on", scan("A", 1, 10), []payouts.Invoice{small})
	equal(t, "scan none", scan("A", 0, 0), []payouts.Invoice(nil))
	equal(t, "scan another", scan("a", 0, 10), []payouts.Invoice(nil))

	fourth := func(change func(i *payouts.Invoice)) payouts.Invoice {
		i := payouts.Invoice{PaymentID: p[3].ID, Series: "A", Serial: 3}
		change(&i)
		return i
	}
	for _, bad := range []struct {
		invoice payouts.Invoice
		want    failure
	}{
		{fourth(func(i *payouts.Invoice) { i.PaymentID = p[0].ID }), taken("payment_id")},
		{fourth(func(i *payouts.Invoice) { i.Serial = 2 }), taken("serial")},
		{fourth(func(i *payouts.Invoice) { i.PaymentID = nowhere }), unknown("payment_id")},
		{fourth(func(i *payouts.Invoice) { i.PaymentID, i.Serial = nowhere, 2 }), taken("serial")},
		{fourth(func(i *payouts.Invoice) { i.PaymentID = 0 }), invalid("payment_id", "required")},
		{fourth(func(i *payouts.Invoice) { i.Serial = 0 }), invalid("serial", "out_of_range")},
		{fourth(func(i *payouts.Invoice) { i.Series = "" }), invalid("series", "required")},
		{fourth(func(i *payouts.Invoice) { i.Parties.KeyID = strings.Repeat("k", 33) }), invalid("key_id", "too_long")},
		{fourth(func(i *payouts.Invoice) { i.Parties.Data = make([]byte, 16385) }), invalid("data", "too_long")},
	} {
		refused(t, s, bad.want, func(ctx context.Context, tx payoutsTx) error { return tx.Invoices().Add(ctx, bad.invoice) })
	}
	refused(t, s, taken("payment_id"), func(ctx context.Context, tx payoutsTx) error {
		too := fourth(func(i *payouts.Invoice) { i.PaymentID, i.Serial = p[0].ID, 4 })
		return oneField(t, tx.Invoices().Add(ctx, fourth(func(i *payouts.Invoice) { i.PaymentID = p[0].ID }), too))
	})
	equal(t, "after what was refused", get(p[3].ID), []payouts.Invoice(nil))
}
