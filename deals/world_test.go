package deals_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

var start = time.Date(2026, 3, 18, 11, 42, 10, 0, time.UTC)

// The parties of the tests.
var (
	seller      = uuid.UUID{1}
	otherSeller = uuid.UUID{2}
	anna        = uuid.UUID{11} // partners
	bo          = uuid.UUID{12}
)

// world is a service over a store, at an instant that the test moves.
type world struct {
	t     testing.TB
	store deals.Store
	core  *affiliate.Service
	deals *deals.Service
	now   *atomic.Int64
	heard int64 // the last event that events has returned
}

func newWorld(t testing.TB, b storagetest.Backend) *world {
	t.Helper()
	w := &world{t: t, store: b.Deals, now: &atomic.Int64{}}
	w.now.Store(start.UnixMicro())
	var err error
	if w.core, err = affiliate.NewService(b.Core, affiliate.Options{Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	w.deals = w.service(b, deals.Options{})
	return w
}

// service is another service over a store, at the world's time.
func (w *world) service(b storagetest.Backend, o deals.Options) *deals.Service {
	w.t.Helper()
	o.Clock = w.clock
	s, err := deals.NewService(b.Deals, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) clock() time.Time     { return time.UnixMicro(w.now.Load()) }
func (w *world) pass(d time.Duration) { w.now.Add(d.Microseconds()) }

func usd(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "USD") }

func percent(n int64) affiliate.Rate {
	r, _ := affiliate.RateFromDecimal("percent", decimal.New(n, -2)) // within 0..1, two digits
	return r
}

// must is the value, or the end of the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// catalog is a published catalog with codes allowed, an offer of 5 % in dollars
// and crowns, a landing, and a promo code and a mark of anna.
func (w *world) catalog(code string) deals.CatalogDetails {
	w.t.Helper()
	ctx := w.t.Context()
	c := deals.NewCatalog()
	c.Code, c.Title, c.PromoCodesAllowed = code, "Course", true
	added := must(w.deals.CreateCatalog(ctx, seller, c))(w.t)
	must(w.deals.CreateOffer(ctx, seller, deals.Offer{
		CatalogID: added.ID, Name: "Beginner", PromoCodesAllowed: true, Active: true,
		Prices: []affiliate.Money{usd(100_00), affiliate.NewMoney(900_00, "SEK")}, Terms: deals.Terms{Share: percent(5)},
	}))(w.t)
	must(w.deals.CreateLanding(ctx, seller, deals.Landing{CatalogID: added.ID, URL: "https://school.example/"}))(w.t)
	must(w.deals.IssuePromoCode(ctx, seller, deals.PromoCode{CatalogID: added.ID, PartnerID: anna, Code: "ANNA5", Discount: percent(5)}))(w.t)
	must(w.deals.RegisterUID(ctx, anna, "UIDANNA"))(w.t)
	return must(w.deals.Catalog(ctx, seller, added.ID))(w.t)
}

// posting is a deal by anna's code; n makes it a deal of its own.
func posting(n int, status deals.Status) deals.Posting {
	return deals.Posting{
		ExternalID: "deal-" + strconv.Itoa(n), Status: status, CatalogCode: "course", Offer: "Beginner", Cost: usd(100_00), PromoCode: "ANNA5",
	}
}

func (w *world) post(p deals.Posting) (deals.DealDetails, error) {
	return w.deals.Post(w.t.Context(), seller, p)
}

func (w *world) deal(id string) deals.DealDetails {
	w.t.Helper()
	return must(w.deals.Deal(w.t.Context(), seller, id))(w.t)
}

func (w *world) change(id string, c deals.Changes) (deals.DealDetails, error) {
	return w.deals.ChangeDeal(w.t.Context(), seller, id, c)
}

// balance is what a partner has in dollars: pending, payable.
func (w *world) balance(partner uuid.UUID) (pending, payable int64) {
	w.t.Helper()
	for _, b := range must(w.core.Balances(w.t.Context(), affiliate.PartnerAccount(partner.String())))(w.t) {
		if b.Currency == "USD" {
			pending, payable = b.Pending.Minor(), b.Payable.Minor()
		}
	}
	return pending, payable
}

// entries are all entries of the ledger.
func (w *world) entries() []affiliate.Entry {
	w.t.Helper()
	page := must(w.core.Entries(w.t.Context(), affiliate.EntryFilter{}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize}))(w.t)
	return page.Items
}

// events are the status changes of deals, and the catalogs suspended, since the
// last call.
func (w *world) events() []string {
	w.t.Helper()
	list, err := affiliate.Read(w.t.Context(), w.units(), func(ctx context.Context, tx deals.Tx) ([]affiliate.Event, error) {
		return tx.Events().Scan(ctx, w.heard, 1000)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var kinds []string
	for _, e := range list {
		if w.heard = e.ID; strings.HasPrefix(e.Kind, "deal.") && e.Kind != deals.EventDealUpdated.Name || e.Kind == deals.EventCatalogSuspended.Name {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func (w *world) units() affiliate.Store[deals.Tx] { return w.store }

// wantField fails unless the error is of one field, with that code.
func wantField(t *testing.T, err error, field, code string) {
	t.Helper()
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || len(e.Fields) != 1 || e.Fields[0].Field != field || e.Fields[0].Code != code {
		t.Errorf("got %v, want the field %s with %s", err, field, code)
	}
}

// kept is a deal as it is written down.
func (w *world) kept(id uuid.UUID) deals.Deal {
	w.t.Helper()
	d, err := affiliate.Read(w.t.Context(), w.store, func(ctx context.Context, tx deals.Tx) (deals.Deal, error) {
		return tx.Deals().Get(ctx, id)
	})
	return must(d, err)(w.t)
}
