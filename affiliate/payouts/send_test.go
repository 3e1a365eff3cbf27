package payouts_test

import (
	"errors"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts/payoutstest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const iban = "SE4550000000058398257466"

// details sets where a user is paid to.
func (w *world) details(u affiliate.User) {
	w.t.Helper()
	w.NoErr(w.payouts.SetDetails(w.t.Context(), payouts.PayoutDetails{UserID: u.ID, Name: u.DisplayName, Country: "se", IBAN: "SE45 5000 0000 0583 9825 7466"}))
}

// invoiced gives users an invoice each for March.
func (w *world) invoiced(users ...affiliate.User) {
	w.t.Helper()
	for _, u := range users {
		w.earn(u, affiliate.EntryClick, sek(20_000), "2026-03-10")
	}
	w.Equal(w.run(march, true).Invoices, len(users))
}

func (w *world) send(p payouts.PayoutProvider) payouts.SendResult {
	w.t.Helper()
	r, err := w.payouts.Send(w.t.Context(), p, payouts.SendInput{Period: march})
	w.NoErr(err)
	return r
}

func TestWhatCannotBeSentSaysWhy(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.invoiced(w.anna, w.bo, w.cleo)
		w.details(w.anna)
		// bo's details are as an advertiser began to enter them.
		advertiser, err := w.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Shop", Country: "SE", Currency: "SEK", GroupID: w.network.GroupID})
		w.NoErr(err)
		_, err = w.payouts.UpdateAdvertiserUser(t.Context(), w.core, advertiser.ID, w.bo.ID, func(*affiliate.User) {}, func(d *payouts.PayoutDetails) { d.IBAN = "nihil" })
		w.NoErr(err)
		var provider payoutstest.Recorder
		got := w.send(&provider)
		w.Equal(got.Paid, 1)
		reasons := map[int64]string{}
		for _, u := range got.Unsent {
			reasons[u.PaymentID] = u.Reason
		}
		w.Equal(reasons, map[int64]string{
			w.only(payouts.PaymentFilter{UserID: w.bo.ID}).ID:   "incomplete_details",
			w.only(payouts.PaymentFilter{UserID: w.cleo.ID}).ID: "no_details",
		})
		paid := provider.Paid()
		w.Equal(len(paid), 1)
		w.Equal(paid[0].To.IBAN, iban)
		w.Equal(paid[0].Amount, sek(20_000))

		// Later they have details, and only they are sent.
		w.details(w.bo)
		w.details(w.cleo)
		w.Equal(w.send(&provider).Paid, 2)
		w.Equal(w.send(&provider), payouts.SendResult{})
		w.Equal(len(provider.Paid()), 3)
		w.verified()
	})
}

// A transfer of which nobody knows what became of it is given again under its
// key: before or after the provider paid, nothing is paid twice.
func TestATransferIsPaidOnceWhateverFails(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b, func(o *payouts.Options) { o.Batch = 1 })
		w.invoiced(w.anna, w.bo)
		w.details(w.anna)
		w.details(w.bo)
		broken := errors.New("the line broke")
		keys := map[string]int{}
		failing := 2
		provider := payoutstest.Recorder{
			Before: func(x payouts.Transfer) error {
				keys[x.Key]++
				if failing == 2 {
					failing--
					return broken
				}
				return nil
			},
			After: func(payouts.Transfer) error {
				if failing == 1 {
					failing--
					return broken
				}
				return nil
			},
		}
		for range 2 {
			_, err := w.payouts.Send(t.Context(), &provider, payouts.SendInput{Period: march})
			w.True(errors.Is(err, broken))
			w.verified()
		}
		w.Equal(w.send(&provider).Payments, 2)
		w.Equal(len(provider.Paid()), 2)
		w.Equal(keys, map[string]int{"T202603-00001": 3, "T202603-00002": 1})
		for _, p := range w.payments(payouts.PaymentFilter{}) {
			w.Equal(p.Status, payouts.Paid)
		}
		w.verified()
	})
}

func TestARefusedInstructionWaitsForAnotherTransfer(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.invoiced(w.anna)
		w.details(w.anna)
		refusing := payoutstest.Recorder{Receipt: func(in payouts.Instruction) payouts.Receipt {
			return payouts.Receipt{PaymentID: in.PaymentID, Refused: "closed_account"}
		}}
		got := w.send(&refusing)
		w.Equal(got.Payments, 0)
		w.Equal(got.Unsent[0].Reason, "closed_account")
		w.Equal(w.only(payouts.PaymentFilter{}).Transfer, "")
		// A provider that does not know yet: the payment is sent, and paid later by hand.
		unsure := payoutstest.Recorder{Receipt: func(in payouts.Instruction) payouts.Receipt {
			return payouts.Receipt{PaymentID: in.PaymentID, Reference: "R1"}
		}}
		w.Equal(w.send(&unsure).Payments, 1)
		p := w.only(payouts.PaymentFilter{})
		w.Equal(p.Status, payouts.Invoiced)
		w.Equal(p.Reference, "R1")
		w.Equal(w.send(&unsure), payouts.SendResult{}) // it is with the provider
		up, err := w.payouts.MarkPaid(t.Context(), []byte("invoice_number,paid_at\n"+p.InvoiceNumber+",2026-04-02\n"))
		w.NoErr(err)
		w.Equal(up.Applied, 1)
		w.verified()
	})
}

func TestDetailsAreSealedMaskedAndSealedAgain(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.invoiced(w.anna)
		w.details(w.anna)
		d, err := w.payouts.Details(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.Equal(d.IBAN, "••••••••••••••••••••7466")
		w.Equal(d.Country, "SE")

		// A new key reads what the old one sealed, and after a Reseal alone.
		both := func(o *payouts.Options) { o.Keys = []payouts.Key{testKey("k2"), testKey("k1")} }
		alone := func(o *payouts.Options) { o.Keys = []payouts.Key{testKey("k2")} }
		_, err = w.service(alone).Details(t.Context(), w.anna.ID)
		w.True(err != nil)
		n, err := w.service(both).Reseal(t.Context())
		w.NoErr(err)
		w.Equal(n, 2) // the details and an invoice
		n, err = w.service(both).Reseal(t.Context())
		w.NoErr(err)
		w.Equal(n, 0)
		d, err = w.service(alone).Details(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.Equal(d.IBAN, "••••••••••••••••••••7466")

		// Without a key nothing is kept, and nothing that is kept is lost.
		none := func(o *payouts.Options) { o.Keys = nil }
		w.True(failed(w.service(none).SetDetails(t.Context(), payouts.PayoutDetails{UserID: w.bo.ID, Name: "Bo", Country: "SE", IBAN: iban}), affiliate.ErrUnavailable, "not_configured"))
		for range 2 {
			w.NoErr(w.payouts.RemoveDetails(t.Context(), w.anna.ID))
		}
		_, err = w.payouts.Details(t.Context(), w.anna.ID)
		w.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

func TestDetailsThatABankWouldRefuseAreRefused(t *testing.T) {
	w := newWorld(t, backends.Memory())
	good := payouts.PayoutDetails{UserID: w.anna.ID, Name: "Anna", Country: "SE", IBAN: iban}
	w.NoErr(w.payouts.SetDetails(t.Context(), good))
	for code, spoil := range map[string]func(*payouts.PayoutDetails){
		"invalid_iban":    func(d *payouts.PayoutDetails) { d.IBAN = "SE4550000000058398257467" },
		"invalid_bic":     func(d *payouts.PayoutDetails) { d.BIC = "DEUT" },
		"invalid_country": func(d *payouts.PayoutDetails) { d.Country = "Sweden" },
		"required":        func(d *payouts.PayoutDetails) { d.IBAN = "" },
		"too_long":        func(d *payouts.PayoutDetails) { d.VATNumber = "123456789012345678901234567890123" },
		"nul":             func(d *payouts.PayoutDetails) { d.City = "a\x00b" },
		"invalid_utf8":    func(d *payouts.PayoutDetails) { d.Name = "\xff" },
	} {
		d := good
		spoil(&d)
		if err := w.payouts.SetDetails(t.Context(), d); !failed(err, affiliate.ErrInvalid, code) {
			t.Errorf("%s: got %v", code, err)
		}
	}
}

func TestASystemHoldsFromItsDateUnlessItIsLocked(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		day := time.Date(2026, 3, 5, 15, 0, 0, 0, time.UTC)
		list, err := w.payouts.SetSystem(t.Context(), payouts.SystemConfig{Date: day, System: 3})
		w.NoErr(err)
		w.Equal(list[0].Date, time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC))
		w.True(!list[0].Locked)
		_, err = w.payouts.SetSystem(t.Context(), payouts.SystemConfig{Date: day, ClientID: w.network.ID, UserID: w.cleo.ID})
		w.True(failed(err, affiliate.ErrInvalid, "client_mismatch"))
		_, err = w.payouts.SetSystem(t.Context(), payouts.SystemConfig{Date: day, ClientID: 1 << 40})
		w.True(failed(err, affiliate.ErrInvalid, "unknown_reference"))
		_, err = w.payouts.SetSystem(t.Context(), payouts.SystemConfig{Date: day, UserID: w.anna.ID, System: 4})
		w.NoErr(err)
		w.invoiced(w.anna, w.bo)
		w.Equal(w.only(payouts.PaymentFilter{UserID: w.anna.ID}).System, int64(4))
		w.Equal(w.only(payouts.PaymentFilter{UserID: w.bo.ID}).System, int64(3))

		_, err = w.payouts.SetSystem(t.Context(), payouts.SystemConfig{Date: day, System: 5})
		w.True(failed(err, affiliate.ErrConflict, "locked"))
		list, err = w.payouts.SetSystem(t.Context(), payouts.SystemConfig{Date: day, System: 5, IgnoreLock: true})
		w.NoErr(err)
		w.Equal(len(list), 2)
		w.True(list[0].Locked)
		w.Equal(w.only(payouts.PaymentFilter{UserID: w.bo.ID}).System, int64(3)) // what is there stays
	})
}

func TestErasingAPersonKeepsItsInvoicesForTheirTime(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b, func(o *payouts.Options) { o.KeepInvoicesYears = 7 })
		w.invoiced(w.anna)
		w.details(w.anna)
		w.NoErr(w.payouts.Hold(t.Context(), payouts.Hold{UserID: w.anna.ID, Reason: "is her twin"}))
		_, err := w.payouts.MatchAXIDs(t.Context(), []byte("ax_id;user_id\nA1;"+text(w.anna.ID)+"\n"))
		w.NoErr(err)
		p := w.only(payouts.PaymentFilter{})
		for range 2 {
			kept, err := w.payouts.Erase(t.Context(), w.anna.ID)
			w.NoErr(err)
			w.Equal(kept, []payouts.KeptInvoice{{Number: p.InvoiceNumber, PaymentID: p.ID, IssuedAt: p.InvoicedAt, KeepUntil: time.Date(2034, 1, 1, 0, 0, 0, 0, time.UTC)}})
		}
		h, err := w.payouts.HoldOf(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.True(!h.Set)
		number, err := w.payouts.AXIDOf(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.Equal(number, "")
		n, err := w.payouts.PurgeInvoices(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.Equal(n, 0) // they must be kept
		w.at("2034-01-01T00:00:00Z")
		n, err = w.payouts.PurgeInvoices(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.Equal(n, 1)
		w.verified()
	})
}

// Who is not meant sees nothing, and is told what somebody is told who asks for
// what does not exist.
func TestViewersOfPayoutsHaveTheirOwn(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.invoiced(w.anna, w.bo, w.cleo)
		ctx := t.Context()
		of := map[string]int64{"anna": w.only(payouts.PaymentFilter{UserID: w.anna.ID}).ID, "cleo": w.only(payouts.PaymentFilter{UserID: w.cleo.ID}).ID}
		for _, c := range []struct {
			who             affiliate.Viewer
			payments        int
			anna, cleo      bool // sees their payment
			manages, enters bool // uploads files; sets anna's details
		}{
			{affiliate.Viewer{}, 3, true, true, true, true},
			{viewer(affiliate.RoleClient, w.network.ID), 2, true, false, true, true},
			{viewer(affiliate.RoleClient, w.other.ID), 1, false, true, true, false},
			{viewer(affiliate.RoleClient, 0), 0, false, false, false, false},
			{viewer(affiliate.RoleCreator, w.anna.ID), 1, true, false, false, true},
			{viewer(affiliate.RoleCreator, w.cleo.ID), 1, false, true, false, false},
			{viewer(affiliate.RoleRepresentative, 1), 0, false, false, false, false},
			{viewer(affiliate.RoleAgency, 1), 0, false, false, false, false},
		} {
			s := w.payouts.For(c.who)
			list, err := s.Payments(ctx, payouts.PaymentFilter{}, 0, 10)
			w.NoErr(err)
			w.Equal(len(list), c.payments)
			for name, sees := range map[string]bool{"anna": c.anna, "cleo": c.cleo} {
				_, err := s.Payment(ctx, of[name])
				_, unknown := s.Payment(ctx, 1<<40)
				w.Equal(err == nil, sees)
				if !sees {
					w.True(errors.Is(err, affiliate.ErrNotFound) && errors.Is(unknown, affiliate.ErrNotFound))
				}
			}
			err = s.SetDetails(ctx, payouts.PayoutDetails{UserID: w.anna.ID, Name: "Anna", Country: "SE", IBAN: iban})
			w.Equal(err == nil, c.enters)
			w.True(err == nil || errors.Is(err, affiliate.ErrNotFound))
			_, err = s.MatchAXIDs(ctx, []byte("ax_id,user_id\n"))
			w.Equal(err == nil, c.manages)
			w.True(err == nil || errors.Is(err, affiliate.ErrForbidden))
			for _, only := range []func() error{
				func() error { _, err := s.Erase(ctx, w.anna.ID); return err },
				func() error { _, err := s.Reseal(ctx); return err },
				func() error { _, err := s.PurgeInvoices(ctx, w.anna.ID); return err },
				func() error { _, err := s.Run(ctx, payouts.RunInput{Period: march}); return err },
			} {
				w.Equal(only() == nil, c.who.IsOperator())
			}
		}
		// A file of a client reaches its own payments alone.
		theirs := w.only(payouts.PaymentFilter{UserID: w.cleo.ID}).InvoiceNumber
		up, err := w.payouts.For(viewer(affiliate.RoleClient, w.network.ID)).MarkPaid(ctx, []byte("invoice_number,paid_at\n"+theirs+",2026-04-01\n"))
		w.NoErr(err)
		w.Equal(up, payouts.Upload{Skipped: []payouts.Skipped{{Row: 2, Reason: "unknown_invoice"}}})
		up, err = w.payouts.For(viewer(affiliate.RoleClient, w.network.ID)).MatchAXIDs(ctx, []byte("ax_id,user_id\nA9,"+text(w.cleo.ID)+"\n"))
		w.NoErr(err)
		w.Equal(up.Skipped, []payouts.Skipped{{Row: 2, Reason: "unknown_user"}})
	})
}

// A form sends back all that it showed, also what was not changed.
func TestMaskedDetailsThatComeBackChangeNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		w.details(w.anna)
		advertiser, err := w.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Shop", Country: "SE", Currency: "SEK", GroupID: w.network.GroupID})
		w.NoErr(err)
		shown, err := w.payouts.AdvertiserUser(t.Context(), w.core, advertiser.ID, w.anna.ID)
		w.NoErr(err)
		form := shown.Details.Value
		w.True(form.IBAN != iban) // it is masked
		form.City = "Umeå"
		_, err = w.payouts.UpdateAdvertiserUser(t.Context(), w.core, advertiser.ID, w.anna.ID, func(*affiliate.User) {}, func(d *payouts.PayoutDetails) { *d = form })
		w.NoErr(err)
		w.invoiced(w.anna)
		var provider payoutstest.Recorder
		w.Equal(w.send(&provider).Paid, 1)
		to := provider.Paid()[0].To
		w.Equal([]string{to.IBAN, to.Name, to.City}, []string{iban, w.anna.DisplayName, "Umeå"})
	})
}
