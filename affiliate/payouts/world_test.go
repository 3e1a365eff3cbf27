package payouts_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// march is the period that most tests pay; its run is on the 2nd of April.
const march = payouts.Period("2026-03")

// world is a service over a store, at an instant that the test moves.
type world struct {
	t testing.TB
	*is.I
	b       storagetest.Backend
	core    *affiliate.Service
	payouts *payouts.Service
	now     *atomic.Int64
	causes  int

	network, other affiliate.Client // limits: 100.00 SEK, 10.00 EUR
	anna, bo, cleo affiliate.User   // of network, network, other
}

func testKey(id string) payouts.Key {
	return payouts.Key{ID: id, Secret: []byte(fmt.Sprintf("%032s", id))}
}

func newWorld(t testing.TB, b storagetest.Backend, change ...func(*payouts.Options)) *world {
	t.Helper()
	w := &world{t: t, I: is.New(t), b: b, now: &atomic.Int64{}}
	w.at("2026-04-02T08:00:00Z")
	w.core = w.newCore()
	w.payouts = w.service(change...)
	ctx := t.Context()
	sek, err := w.core.CreateAdvertiserGroup(ctx, affiliate.AdvertiserGroup{Name: "Sweden", Key: "sv_SE", Currency: "SEK", PaymentLimit: 10_000})
	w.NoErr(err)
	eur, err := w.core.CreateAdvertiserGroup(ctx, affiliate.AdvertiserGroup{Name: "Finland", Key: "fi_FI", Currency: "EUR", PaymentLimit: 1_000})
	w.NoErr(err)
	w.network, _, err = w.core.CreateClient(ctx, affiliate.Client{Name: "Network", GroupID: sek.ID})
	w.NoErr(err)
	w.other, _, err = w.core.CreateClient(ctx, affiliate.Client{Name: "Other", GroupID: eur.ID})
	w.NoErr(err)
	w.anna = w.user("anna", w.network.ID)
	w.bo = w.user("bo", w.network.ID)
	w.cleo = w.user("cleo", w.other.ID)
	return w
}

func (w *world) newCore() *affiliate.Service {
	w.t.Helper()
	core, err := affiliate.NewService(w.b.Core, affiliate.Options{Clock: w.clock})
	w.NoErr(err)
	return core
}

// service is another service over the store, at the world's time.
func (w *world) service(change ...func(*payouts.Options)) *payouts.Service {
	w.t.Helper()
	o := payouts.Options{Clock: w.clock, Keys: []payouts.Key{testKey("k1")}, Buyer: payouts.Party{Company: "Affiliate AB", Country: "SE"}}
	for _, c := range change {
		c(&o)
	}
	s, err := payouts.NewService(w.b.Payouts, o)
	w.NoErr(err)
	return s
}

func (w *world) clock() time.Time { return time.UnixMicro(w.now.Load()) }

func (w *world) at(when string) {
	w.t.Helper()
	t, err := time.Parse(time.RFC3339, when)
	w.NoErr(err)
	w.now.Store(t.UnixMicro())
}

func (w *world) user(name string, clientID int64) affiliate.User {
	w.t.Helper()
	u, err := w.core.CreateUser(w.t.Context(), affiliate.User{Username: name, Email: name + "@mail.example", DisplayName: name + " Åkesson", ClientID: clientID})
	w.NoErr(err)
	return u
}

// earn books an entry for a user, payable at a time.
func (w *world) earn(u affiliate.User, kind affiliate.EntryKind, m affiliate.Money, payable string) affiliate.Entry {
	w.t.Helper()
	at, err := time.Parse(time.DateOnly, payable)
	w.NoErr(err)
	w.causes++
	e := affiliate.Entry{
		Kind: kind, Account: affiliate.UserAccount(u.ID), Earning: m, Cost: affiliate.NewMoney(0, m.Currency()),
		OccurredAt: at, PayableAt: at, Cause: "test:" + strconv.Itoa(w.causes),
	}
	entries, err := affiliate.Write(w.t.Context(), w.b.Core, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.Entry, error) {
		return tx.Ledger().Append(ctx, e)
	})
	w.NoErr(err)
	return entries[0]
}

func (w *world) run(p payouts.Period, invoice bool) payouts.RunResult {
	w.t.Helper()
	r, err := w.payouts.Run(w.t.Context(), payouts.RunInput{Period: p, Invoice: invoice})
	w.NoErr(err)
	return r
}

func (w *world) payments(f payouts.PaymentFilter) []payouts.Payment {
	w.t.Helper()
	list, err := w.payouts.Payments(w.t.Context(), f, 0, 1000)
	w.NoErr(err)
	return list
}

// only is the one payment of a filter.
func (w *world) only(f payouts.PaymentFilter) payouts.Payment {
	w.t.Helper()
	list := w.payments(f)
	if len(list) != 1 {
		w.t.Fatalf("got %d payments for %+v, want one: %+v", len(list), f, list)
	}
	return list[0]
}

// verified fails the test unless everything adds up.
func (w *world) verified() {
	w.t.Helper()
	diffs, err := w.payouts.Verify(w.t.Context())
	w.NoErr(err)
	for _, d := range diffs {
		w.t.Errorf("Verify: %s", d)
	}
}

func sek(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "SEK") }
func eur(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "EUR") }

// failed reports whether an error has a code.
func failed(err error, kind error, code string) bool {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || !errors.Is(err, kind) {
		return false
	}
	for _, f := range e.Fields {
		if f.Code == code {
			return true
		}
	}
	return e.Code == code
}

func viewer(role affiliate.Role, id int64) affiliate.Viewer {
	p := affiliate.Principal{Role: role, Subject: strconv.FormatInt(id, 10)}
	switch role {
	case affiliate.RoleClient:
		p.ClientID = id
	case affiliate.RoleCreator:
		p.UserID = id
	default:
		p.AdvertiserIDs = []int64{id}
	}
	return affiliate.ViewerOf(p)
}
