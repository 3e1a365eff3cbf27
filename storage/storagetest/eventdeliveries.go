package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

func testEventSettle(t *testing.T, s eventsStore) {
	c := putConsumer(t, s, sampleConsumer(1))
	other := putConsumer(t, s, sampleConsumer(2))
	raise(t, s, sampleEvent(1), sampleEvent(2), sampleEvent(3), sampleEvent(4))
	number(t, s, 1, 10)
	leased := leaseConsumers(t, s, eventLease(1))[0]
	list := dueTo(t, s, c, 1)
	foreign := dueTo(t, s, other, 1)
	undone := errors.New("undone")
	all := []events.Outcome{
		{DeliveryID: list[0].ID, Result: events.Done},
		{DeliveryID: list[1].ID, Result: events.Later, DueAt: at(50), Reason: "failed", Detail: "it was down"},
		{DeliveryID: list[2].ID, Result: events.GaveUp, DueAt: at(60), Reason: "gone", Detail: "410"},
		{DeliveryID: foreign[0].ID, Result: events.Done},
		{DeliveryID: foreign[1].ID, Result: events.Later, DueAt: at(60), Reason: "failed"},
		{DeliveryID: nowhere, Result: events.Done},
	}
	if err := s.Work(t.Context(), func(ctx context.Context, tx eventsTx) error {
		_, err := tx.EventConsumers().Settle(ctx, events.Settlement{ConsumerID: c.ID, Token: leased.Token, Outcomes: all})
		return errors.Join(err, undone)
	}); !errors.Is(err, undone) {
		t.Errorf("Work: got %v, want the callback's error", err)
	}
	equal(t, "undone", dueTo(t, s, c, 1), list)
	if !settleConsumer(t, s, leased, all...) {
		t.Fatal("the lease was not held")
	}
	equal(t, "another consumer's is left alone", dueTo(t, s, other, 1), foreign)
	later, stays := list[1], list[3]
	later.Attempts, later.DueAt, later.Reason, later.Detail = 1, at(50), "failed", "it was down"
	equal(t, "left", dueTo(t, s, c, 50), []events.Delivery{stays, later})
	equal(t, "due", consumerNow(t, s, c).DueAt, at(1))
	leased = leaseConsumers(t, s, eventLease(2))[0]
	settleConsumer(t, s, leased, events.Outcome{DeliveryID: stays.ID, Result: events.Done})
	equal(t, "due when the next is", consumerNow(t, s, c).DueAt, at(50))
	l := eventLease(50)
	l.Names = []string{c.Name}
	leased = leaseConsumers(t, s, l)[0]
	settleConsumer(t, s, leased, events.Outcome{DeliveryID: later.ID, Result: events.Done})
	equal(t, "due no more", consumerNow(t, s, c).DueAt.IsZero(), true)
	parked := see(t, s, func(ctx context.Context, tx eventsTx) (affiliate.Page[events.Delivery], error) {
		return tx.EventDeliveries().List(ctx, events.DeliveryFilter{ConsumerID: c.ID}, affiliate.PageRequest{Number: 1, Size: 10})
	})
	want := list[2]
	want.State, want.Attempts, want.Reason, want.Detail = events.Parked, 1, "gone", "410"
	want.DueAt = parked.Items[0].DueAt
	equal(t, "parked", parked.Items, []events.Delivery{want})
	equal(t, "is not due", want.DueAt.IsZero(), true)
}

func testLanes(t *testing.T, s eventsStore) {
	c := putConsumer(t, s, sampleConsumer(1))
	other := sampleConsumer(2)
	other.Channel = "other"
	other = putConsumer(t, s, other)
	raise(t, s, of(1, 1), of(1, 2), of(2, 1))
	number(t, s, 1, 10)
	leased := leaseConsumers(t, s, eventLease(1))[0]
	list := dueTo(t, s, c, 1)
	equal(t, "due", sequences(list), "1 2 3")
	later := func(d events.Delivery, when int) events.Outcome {
		return events.Outcome{DeliveryID: d.ID, Result: events.Later, DueAt: at(when), Reason: "failed"}
	}
	settleConsumer(t, s, leased, later(list[0], 50))
	raise(t, s, of(1, 3), of(3, 1)) // one more behind the one that failed
	number(t, s, 10, 10)
	equal(t, "what is behind waits", sequences(dueTo(t, s, c, 49)), "3 5")
	equal(t, "in order", sequences(dueTo(t, s, c, 50)), "3 5 1 2 4")
	equal(t, "what is behind has no attempt", dueTo(t, s, c, 50)[3].Attempts, 0)
	leased = leaseConsumers(t, s, eventLease(50))[0]
	settleConsumer(t, s, leased, events.Outcome{DeliveryID: list[0].ID, Result: events.GaveUp, Reason: "gone"})
	equal(t, "one that is parked is in nobody's way", sequences(dueTo(t, s, c, 50)), "3 5 2 4")
	leased = leaseConsumers(t, s, eventLease(51))[0]
	settleConsumer(t, s, leased, later(list[1], 45)) // earlier than those behind
	raise(t, s, of(1, 4))
	number(t, s, 20, 10)
	equal(t, "never before those in front", sequences(dueTo(t, s, c, 49)), "3 5 2")
	equal(t, "in order again", sequences(dueTo(t, s, c, 50)), "3 5 2 4 6")

	waiting := map[int64]events.Delivery{} // by sequence
	for _, d := range dueTo(t, s, c, 50) {
		waiting[d.Sequence] = d
	}
	leased = leaseConsumers(t, s, eventLease(60))[0]
	settleConsumer(t, s, leased, later(waiting[2], 60), events.Outcome{DeliveryID: waiting[4].ID, Result: events.GaveUp, Reason: "gone"}, later(waiting[6], 55))
	equal(t, "not before one in front that failed as well", sequences(dueTo(t, s, c, 59)), "3 5")
	equal(t, "with that one", sequences(dueTo(t, s, c, 60)), "3 5 2 6")
	parked := see(t, s, func(ctx context.Context, tx eventsTx) (affiliate.Page[events.Delivery], error) {
		return tx.EventDeliveries().List(ctx, events.DeliveryFilter{State: events.Parked}, affiliate.PageRequest{})
	})
	for _, d := range parked.Items {
		equal(t, "due, behind one that failed, but parked", d.DueAt, time.Time{})
	}
	leased = leaseConsumers(t, s, eventLease(61))[0]
	settleConsumer(t, s, leased, later(waiting[2], 70), later(waiting[6], 90))
	raise(t, s, of(1, 5))
	number(t, s, 62, 10)
	equal(t, "in front of one that failed", sequences(dueTo(t, s, c, 70)), "3 5 2")
	equal(t, "behind the latest of two that failed", sequences(dueTo(t, s, c, 90)), "3 5 2 6 7")
	leased = leaseConsumers(t, s, eventLease(91))[0]
	settleConsumer(t, s, leased, later(waiting[2], 100), later(waiting[6], 110))
	equal(t, "behind the latest again", sequences(dueTo(t, s, c, 109)), "3 5 2")
	leased = leaseConsumers(t, s, eventLease(92))[0]
	settleConsumer(t, s, leased, later(waiting[6], 120))
	equal(t, "in front of the only one that failed", sequences(dueTo(t, s, c, 119)), "3 5 2")
	raise(t, s, of(2, 2))
	number(t, s, 115, 10)
	equal(t, "behind one that is due already", sequences(dueTo(t, s, c, 114)), "3 5 2")
	leased = leaseConsumers(t, s, eventLease(115))[0]
	settleConsumer(t, s, leased, later(dueTo(t, s, other, 1)[2], 200))
	equal(t, "what another consumer has is in nobody's way", sequences(dueTo(t, s, c, 119)), "3 5 2 8")
}

func testRequeue(t *testing.T, s eventsStore) {
	some := sampleConsumer(1)
	some.Filter.Kinds = []string{"user.approved"}
	c := putConsumer(t, s, some)
	foreign := sampleEvent(4)
	foreign.Kind = "other"
	raise(t, s, sampleEvent(1), sampleEvent(2), sampleEvent(3), foreign)
	number(t, s, 1, 10)
	leased := leaseConsumers(t, s, eventLease(1))[0]
	list := dueTo(t, s, c, 1)
	settleConsumer(t, s, leased, events.Outcome{DeliveryID: list[0].ID, Result: events.Done}, events.Outcome{DeliveryID: list[1].ID, Result: events.GaveUp, Reason: "gone", Detail: "410"},
		events.Outcome{DeliveryID: list[2].ID, Result: events.Later, DueAt: at(99), Reason: "failed"})
	requeue := func(when int, ids ...int64) int {
		return put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
			return tx.EventDeliveries().Requeue(ctx, finer(at(when)), ids)
		})
	}
	equal(t, "none", requeue(5), 0)
	equal(t, "those that are not parked", requeue(5, list[0].ID, list[2].ID, nowhere), 0)
	equal(t, "their consumer is due as before", consumerNow(t, s, c).DueAt, at(99))
	equal(t, "the parked one", requeue(5, list[1].ID, list[1].ID), 1)
	want := list[1]
	want.DueAt, want.QueuedAt = at(5), at(5)
	equal(t, "waits again", dueTo(t, s, c, 5), []events.Delivery{want})
	equal(t, "its consumer is due", consumerNow(t, s, c).DueAt, at(5))

	queue := func(when int, sequences ...int64) int {
		return put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
			return tx.EventDeliveries().Queue(ctx, finer(at(when)), c.ID, sequences)
		})
	}
	equal(t, "no event", queue(6), 0)
	equal(t, "those that wait, and those that are not wanted", queue(6, 2, 3, 4, nowhere), 0)
	equal(t, "the one that is done", queue(6, 1, 1, 2), 1)
	equal(t, "in order of time", sequences(dueTo(t, s, c, 6)), "2 1")
	leased = leaseConsumers(t, s, eventLease(6))[0]
	settleConsumer(t, s, leased, events.Outcome{DeliveryID: list[1].ID, Result: events.GaveUp, Reason: "gone"})
	equal(t, "one that is parked", queue(7, 2), 1)
	want.DueAt, want.QueuedAt = at(7), at(7)
	equal(t, "waits once more", dueTo(t, s, c, 7)[1], want)
	leased = leaseConsumers(t, s, eventLease(7))[0]
	var outcomes []events.Outcome
	for _, d := range dueTo(t, s, c, 99) {
		outcomes = append(outcomes, events.Outcome{DeliveryID: d.ID, Result: events.Done})
	}
	settleConsumer(t, s, leased, outcomes...)
	equal(t, "no event, with nothing left", queue(7, nowhere), 0)
	equal(t, "then its consumer is not due", consumerNow(t, s, c).DueAt.IsZero(), true)
	equal(t, "all once more", queue(8, 3, 1, 3, 2), 3)
	equal(t, "its consumer is due again", consumerNow(t, s, c).DueAt, at(8))
	list = dueTo(t, s, c, 8)
	equal(t, "in the order of the events", sequences(list), "1 2 3")
	equal(t, "counted in that order", slices.IsSortedFunc(list, func(a, b events.Delivery) int { return cmp.Compare(a.ID, b.ID) }), true)
	raise(t, s, sampleEvent(1)) // of the same object
	number(t, s, 8, 10)
	leased = leaseConsumers(t, s, eventLease(9))[0]
	for _, d := range dueTo(t, s, c, 99) {
		if d.Sequence == 5 {
			settleConsumer(t, s, leased, events.Outcome{DeliveryID: d.ID, Result: events.Done})
		}
	}
	equal(t, "one whose object has another that waits", queue(10, 5), 1)
	equal(t, "both of the object", sequences(dueTo(t, s, c, 10)), "1 2 3 5")
	refused(t, s, missing, func(ctx context.Context, tx eventsTx) error {
		return second(tx.EventDeliveries().Queue(ctx, at(7), nowhere, []int64{1}))
	})
}

func testDeliveryList(t *testing.T, s eventsStore) {
	a, b := putConsumer(t, s, sampleConsumer(2)), putConsumer(t, s, sampleConsumer(1))
	elsewhere := sampleConsumer(3)
	elsewhere.Channel = "other"
	putConsumer(t, s, elsewhere)
	raise(t, s, sampleEvent(1), sampleEvent(2), sampleEvent(3))
	number(t, s, 1, 2)
	number(t, s, 5, 2)
	for _, c := range leaseConsumers(t, s, eventLease(5)) {
		list := dueTo(t, s, c, 5)
		outcomes := []events.Outcome{{DeliveryID: list[0].ID, Result: events.GaveUp, Reason: "gone"}}
		if c.ID == a.ID {
			outcomes = append(outcomes, events.Outcome{DeliveryID: list[1].ID, Result: events.Later, DueAt: at(40), Reason: "failed"})
		}
		settleConsumer(t, s, c, outcomes...)
	}
	other := eventLease(5)
	other.Channel = "other"
	for _, c := range leaseConsumers(t, s, other) { // its first one comes back behind the others
		settleConsumer(t, s, c, events.Outcome{DeliveryID: dueTo(t, s, c, 5)[0].ID, Result: events.Done})
		put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
			return tx.EventDeliveries().Queue(ctx, at(6), c.ID, []int64{1})
		})
	}
	even := sampleConsumer(4) // as many of its wait as are parked
	even.Channel = "even"
	even = putConsumer(t, s, even)
	put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
		return tx.EventDeliveries().Queue(ctx, at(1), even.ID, []int64{1, 2})
	})
	other.Channel, other.Token = "even", "even"
	for _, c := range leaseConsumers(t, s, other) {
		settleConsumer(t, s, c, events.Outcome{DeliveryID: dueTo(t, s, c, 5)[0].ID, Result: events.GaveUp, Reason: "over"})
	}
	type F = events.DeliveryFilter
	list := func(ctx context.Context, tx eventsTx, f F, p affiliate.PageRequest) (affiliate.Page[events.Delivery], error) {
		return tx.EventDeliveries().List(ctx, f, p)
	}
	everything := see(t, s, func(ctx context.Context, tx eventsTx) (affiliate.Page[events.Delivery], error) {
		return list(ctx, tx, F{}, affiliate.PageRequest{Number: 1, Size: 100})
	})
	label := func(d events.Delivery) string {
		return map[int64]string{a.ID: "a", b.ID: "b", even.ID: "e"}[d.ConsumerID] + fmt.Sprint(d.Sequence)
	}
	where := func(is func(events.Delivery) bool) string {
		var out []string
		for _, d := range everything.Items {
			if is(d) {
				out = append(out, label(d))
			}
		}
		return strings.Join(out, " ")
	}
	if everything.Total != 11 {
		t.Fatalf("got %d deliveries, want 11", everything.Total)
	}
	listing[eventsTx, events.Delivery, F]{
		items: everything.Items, label: label, list: list,
		filters: []filterRow[F]{
			{F{ConsumerID: a.ID}, where(func(d events.Delivery) bool { return d.ConsumerID == a.ID })},
			{F{State: events.Parked}, where(func(d events.Delivery) bool { return d.State == events.Parked })},
			{F{Reason: "failed"}, "a2"},
			{F{Reason: "x"}, ""},
		},
		columns: map[string]func(a, b events.Delivery) int{
			"due_at":   func(a, b events.Delivery) int { return a.DueAt.Compare(b.DueAt) },
			"sequence": func(a, b events.Delivery) int { return cmp.Compare(a.Sequence, b.Sequence) },
		},
	}.check(t, s)
	backlog := func(channel string) []events.Backlog {
		return see(t, s, func(ctx context.Context, tx eventsTx) ([]events.Backlog, error) {
			return tx.EventDeliveries().Backlog(ctx, channel)
		})
	}
	inC := []events.Backlog{{Consumer: b.Name, Waiting: 2, Parked: 1, Oldest: at(1)}, {Consumer: a.Name, Waiting: 2, Parked: 1, Oldest: at(1)}}
	equal(t, "backlog", backlog("c"), inC)
	equal(t, "backlog of another channel", backlog("other"), []events.Backlog{{Consumer: elsewhere.Name, Waiting: 3, Oldest: at(1)}})
	equal(t, "backlog, half of it parked", backlog("even"), []events.Backlog{{Consumer: even.Name, Waiting: 1, Parked: 1, Oldest: at(1)}})
	equal(t, "backlog of no channel", backlog("x"), []events.Backlog(nil))
	put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
		return tx.EventDeliveries().Requeue(ctx, at(9), []int64{everything.Items[slices.IndexFunc(everything.Items, func(d events.Delivery) bool {
			return d.ConsumerID == even.ID && d.State == events.Parked
		})].ID})
	})
	equal(t, "backlog, the oldest behind one that came back", backlog("even"), []events.Backlog{{Consumer: even.Name, Waiting: 2, Oldest: at(1)}})
	equal(t, "backlog of those whose parked ones did not", backlog("c"), inC)
}

// testQueueWhileSettling numbers events while a consumer settles again and
// again: when both are over, it must be due for every one that is left.
func testQueueWhileSettling(t *testing.T, s eventsStore) {
	c := putConsumer(t, s, sampleConsumer(1))
	const rounds = 30
	delivered := 0
	deliver := func(token string) error {
		l := eventLease(2)
		l.Token = token
		var leased []events.Consumer
		if err := insist(t.Context(), s.Work, func(ctx context.Context, tx eventsTx) (err error) {
			leased, err = tx.EventConsumers().Lease(ctx, l)
			return err
		}); err != nil || len(leased) == 0 {
			return err
		}
		set := events.Settlement{ConsumerID: c.ID, Token: token}
		if err := s.Read(t.Context(), func(ctx context.Context, tx eventsTx) error {
			list, err := tx.EventDeliveries().Due(ctx, c.ID, at(2), 100)
			set.Outcomes = nil
			for _, d := range list {
				set.Outcomes = append(set.Outcomes, events.Outcome{DeliveryID: d.ID, Result: events.Done})
			}
			return err
		}); err != nil {
			return err
		}
		delivered += len(set.Outcomes)
		return insist(t.Context(), s.Work, func(ctx context.Context, tx eventsTx) error { return second(tx.EventConsumers().Settle(ctx, set)) })
	}
	together(t, 2, func(i int) error {
		for n := range rounds {
			if i == 0 {
				if err := deliver(fmt.Sprint("token ", n)); err != nil {
					return err
				}
				continue
			}
			if err := insist(t.Context(), s.Write, func(ctx context.Context, tx eventsTx) error { return tx.Events().Add(ctx, of(n%2, n)) }); err != nil {
				return err
			}
			if err := insist(t.Context(), s.Work, func(ctx context.Context, tx eventsTx) error { return second(tx.EventLog().Number(ctx, at(2), 10)) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err := deliver("the last"); err != nil {
		t.Fatal(err)
	}
	equal(t, "delivered", delivered, rounds)
}

// beside runs a unit, and starts another one before the first ends, giving that
// every chance to go on too early.
func beside(t *testing.T, s eventsStore, first, later func(ctx context.Context, tx eventsTx) error) {
	t.Helper()
	other := make(chan error, 1)
	start := sync.OnceFunc(func() {
		go func() { other <- insist(t.Context(), s.Work, later) }()
	})
	if err := insist(t.Context(), s.Work, func(ctx context.Context, tx eventsTx) error {
		if err := first(ctx, tx); err != nil {
			return err
		}
		start()
		return lookUntil(other, func() error { return second(tx.EventLog().After(ctx, 0, 1)) })
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-other; err != nil {
		t.Fatal(err)
	}
}

// settling settles one delivery of a leased consumer, and sets whether it did.
func settling(c events.Consumer, outcome events.Outcome, settled *bool) func(ctx context.Context, tx eventsTx) error {
	return func(ctx context.Context, tx eventsTx) (err error) {
		*settled, err = tx.EventConsumers().Settle(ctx, events.Settlement{ConsumerID: c.ID, Token: c.Token, Outcomes: []events.Outcome{outcome}})
		return err
	}
}

func testBackWhileSettling(t *testing.T, s eventsStore) {
	for i, back := range []func(ctx context.Context, tx eventsTx, d events.Delivery) error{
		func(ctx context.Context, tx eventsTx, d events.Delivery) error {
			return second(tx.EventDeliveries().Requeue(ctx, at(5), []int64{d.ID}))
		},
		func(ctx context.Context, tx eventsTx, d events.Delivery) error {
			return second(tx.EventDeliveries().Queue(ctx, at(5), d.ConsumerID, []int64{d.Sequence}))
		},
	} {
		c := putConsumer(t, s, sampleConsumer(i))
		raise(t, s, sampleEvent(1), sampleEvent(2))
		number(t, s, 1, 10)
		list := dueTo(t, s, c, 1)
		l := eventLease(1)
		l.Names = []string{c.Name}
		settleConsumer(t, s, leaseConsumers(t, s, l)[0], events.Outcome{DeliveryID: list[0].ID, Result: events.GaveUp, Reason: "gone"})
		done := events.Outcome{DeliveryID: list[1].ID, Result: events.Done}
		var settled bool
		beside(t, s, func(ctx context.Context, tx eventsTx) error { return back(ctx, tx, list[0]) }, settling(leaseConsumers(t, s, l)[0], done, &settled))
		equal(t, "settled", settled, true)
		equal(t, "due for what came back", consumerNow(t, s, c).DueAt, at(5))
	}
}

func testNumberWhileSettling(t *testing.T, s eventsStore) {
	c := putConsumer(t, s, sampleConsumer(1))
	raise(t, s, of(1, 1))
	number(t, s, 1, 10)
	raise(t, s, of(1, 2))
	list := dueTo(t, s, c, 1)
	var settled bool
	again := events.Outcome{DeliveryID: list[0].ID, Result: events.Later, DueAt: at(50), Reason: "failed"}
	beside(t, s, settling(leaseConsumers(t, s, eventLease(1))[0], again, &settled), func(ctx context.Context, tx eventsTx) error {
		return second(tx.EventLog().Number(ctx, at(2), 10))
	})
	equal(t, "settled", settled, true)
	equal(t, "before the one that is tried again", sequences(dueTo(t, s, c, 49)), "")
	equal(t, "with it", sequences(dueTo(t, s, c, 50)), "1 2")
}

func testTakeoverWhileSettling(t *testing.T, s eventsStore) {
	c := putConsumer(t, s, sampleConsumer(1))
	raise(t, s, sampleEvent(1))
	number(t, s, 1, 10)
	list := dueTo(t, s, c, 1)
	done := events.Outcome{DeliveryID: list[0].ID, Result: events.Done}
	late := eventLease(61) // when the first one has ended
	var settled bool
	first := leaseConsumers(t, s, eventLease(1))[0]
	beside(t, s, func(ctx context.Context, tx eventsTx) error { return second(tx.EventConsumers().Lease(ctx, late)) }, settling(first, done, &settled))
	equal(t, "settled", settled, false)
	equal(t, "left to whoever took over", dueTo(t, s, c, 1), list)
	equal(t, "leased by", consumerNow(t, s, c).Token, late.Token)
}
