package storagetest

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/productlists"
)

var unavailable = failure{kind: affiliate.ErrUnavailable}

// testEveryMethod calls each method so that it finds something to do. It leaves what it
// is given as it is. Where requests to the database can fail, each does once: the call
// says so, and its unit keeps nothing.
func testEveryMethod(t *testing.T, b Backend) {
	w := fullWorld(t, b)
	tried := map[method]bool{}
	tryEach(t, b, w, b.Core, tried)
	tryEach(t, b, w, b.Events, tried)
	tryEach(t, b, w, b.Webhooks, tried)
	tryEach(t, b, w, b.Identity, tried)
	tryEach(t, b, w, b.Mailing, tried)
	tryEach(t, b, w, b.Media, tried)
	tryEach(t, b, w, b.Offers, tried)
	tryEach(t, b, w, b.ReturnAds, tried)
	tryEach(t, b, w, b.Links, tried)
	tryEach(t, b, w, b.Orders, tried)
	tryEach(t, b, w, b.ProductLists, tried)
	tryEach(t, b, w, b.Deals, tried)
	tryEach(t, b, w, b.Payouts, tried)
	tryEach(t, b, w, b.AdSync, tried)
	tryEach(t, b, w, b.Moves, tried)
}

// tryEach tries the methods of a store: first those that add, so that the others find
// something.
func tryEach[T affiliate.Tx](t *testing.T, b Backend, w world, s affiliate.Store[T], tried map[method]bool) {
	t.Helper()
	methods := methodsOf(reflect.TypeFor[T]())
	slices.SortStableFunc(methods, func(a, b method) int {
		switch {
		case a.adds() == b.adds():
			return 0
		case a.adds():
			return -1
		}
		return 1
	})
	for _, m := range methods {
		if tried[m] {
			continue
		}
		tried[m] = true
		if m.name == "Reserve" {
			try(t, b, w, s, m, 0) // which is more than there may be
		}
		try(t, b, w, s, m, 10)
		if m.name == "List" {
			w := w
			w.byKeys = true
			try(t, b, w, s, m, 10)
		}
	}
}

// try calls the method in a unit for each of its requests, which fails, and then in one
// where none does. The limit is for a method that takes one.
func try[T affiliate.Tx](t *testing.T, b Backend, w world, s affiliate.Store[T], m method, limit int) {
	t.Helper()
	timed, cancel := context.WithTimeout(t.Context(), time.Hour) // of which a backend may tell its database
	defer cancel()
	for n := 1; ; n++ {
		failing, failed := timed, func() bool { return false }
		if b.Failing != nil {
			failing, failed = b.Failing(failing, n)
		}
		err := s.Write(failing, func(ctx context.Context, tx T) error {
			fn, args := m.prepare(ctx, tx, w, limit)
			given := printed(args)
			out := fn(args)
			equal(t, "what "+m.String()+" was given", printed(args), given)
			err, _ := out[len(out)-1].Interface().(error)
			if !failed() {
				if m.adds() && err == nil {
					w.kept.keep(m, args, out)
					return nil
				}
				return errMine
			}
			if problem := unavailable.problem(err); problem != "" {
				t.Errorf("%s, request %d fails: %s", m, n, problem)
			}
			return nil
		})
		switch {
		case failed():
			if problem := unavailable.problem(err); problem != "" {
				t.Errorf("the unit of %s, request %d fails: %s", m, n, problem)
			}
		case n == 1 && b.Failing != nil:
			t.Fatal("the first request of a unit did not fail: Backend.Failing fails nothing")
		default:
			return
		}
	}
}

// keptValues are what methods are to add, by type, and what they have added, by
// repository and by type.
type keptValues struct {
	fresh map[reflect.Type]reflect.Value
	of    map[string]reflect.Value
	kind  map[reflect.Type]reflect.Value
}

func (k keptValues) keep(m method, args, out []reflect.Value) {
	for _, v := range slices.Concat(args[1:], out[:len(out)-1]) {
		if v.Kind() == reflect.Slice && v.Len() > 0 {
			v = v.Index(0)
		}
		if v.Kind() == reflect.Struct {
			k.of[m.accessor], k.kind[v.Type()] = v, v
		}
	}
}

// argument is a kept value, or its id.
func (k keptValues) argument(m method, in reflect.Type) (v reflect.Value, ok bool) {
	if m.adds() {
		v, ok = k.fresh[in]
		return v, ok
	}
	if v, ok = k.kind[in]; ok {
		return v, true
	}
	if v, ok = k.of[m.accessor]; !ok {
		return v, false
	}
	id := v.FieldByName("ID")
	switch {
	case !id.IsValid():
		return id, false
	case id.Type() == in:
		return id, true
	case in == reflect.SliceOf(id.Type()):
		return reflect.Append(reflect.Zero(in), id), true
	}
	return id, false
}

// fullWorld is a world of all domains.
func fullWorld(t *testing.T, b Backend) world {
	t.Helper()
	w := dealsWorld(t, b.Deals)
	syncWorld(t, b.AdSync)
	write(t, b.Orders, func(ctx context.Context, tx orders.Tx) error {
		return all(
			func() (err error) { w.budget, err = addBudget(ctx, tx, sampleBudget(w, 900)); return err },
			func() (err error) { w.offer, err = addOffer(ctx, tx, sampleOffer(w, 900)); return err },
			func() (err error) { w.participant, err = addPart(ctx, tx, samplePart(w, 0)); return err },
			func() (err error) { w.link, _, err = tx.Links().AddOrGet(ctx, sampleLink(w, 900)); return err },
			func() error { return tx.Clicks().Add(ctx, sampleClick(w.link, 900)) },
			func() (err error) { w.order, err = oneOf(tx.Orders().AddMissing(ctx, sampleOrder(w, 900))); return err },
		)
	})
	consumer := put(t, b.Events, func(ctx context.Context, tx eventsTx) (events.Consumer, error) {
		return tx.EventConsumers().Put(ctx, sampleConsumer(900))
	})
	raise(t, b.Events, sampleEvent(900))
	number(t, b.Events, 0, 10)
	delivery := dueTo(t, b.Events, consumer, 1)[0]
	settlement := events.Settlement{
		ConsumerID: consumer.ID, Token: leaseConsumers(t, b.Events, eventLease(1))[0].Token,
		Outcomes: []events.Outcome{{DeliveryID: delivery.ID, Result: events.Done}, {DeliveryID: nowhere, Result: events.GaveUp, Reason: "gone"}},
	}
	endpoint := sampleEndpoint(1)
	endpoint.ID = consumer.ID
	raise(t, b.Events, sampleEvent(901)) // which waits for its number
	list := put(t, b.ProductLists, func(ctx context.Context, tx listsTx) (productlists.List, error) {
		return tx.ProductLists().Add(ctx, sampleList(900))
	})
	invoice := payouts.Invoice{Series: "A", Serial: 1}
	write(t, b.Payouts, func(ctx context.Context, tx payouts.Tx) error {
		p, err := oneOf(tx.Payments().Add(ctx, samplePayment(w, 900)))
		invoice.PaymentID = p.ID
		return err
	})
	feed := make([]productlists.Product, 501) // as many as a backend may bring in by another way
	for n := range feed {
		feed[n] = sampleProduct(n)
	}
	again := sampleClick(w.link, 1) // of a click, and of another time than its id
	again.Verdict, again.Repeats, again.At = links.VerdictDuplicate, clickID(900), at(10_000)
	w.kept = keptValues{map[reflect.Type]reflect.Value{}, map[string]reflect.Value{}, map[reflect.Type]reflect.Value{}}
	for _, v := range []any{
		endpoint, again, sampleCatalog(1), sampleCatalogOffer(1), sampleLanding(1), samplePromoCode(1), sampleAccess(1), sampleDeal(1),
		webhooks.Attempt{EndpointID: endpoint.ID, Kind: "x", At: at(0), Result: events.Done}, []orders.Order{sampleOrder(w, 1)},
		list.ID, feed, sampleGroup(77), sampleClient(77), sampleUser(77), invoice,
	} {
		w.kept.fresh[reflect.TypeOf(v)] = reflect.ValueOf(v)
	}
	w.kept.kind[reflect.TypeOf(settlement)] = reflect.ValueOf(settlement)
	return w
}
