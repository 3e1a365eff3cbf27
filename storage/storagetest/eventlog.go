package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

type (
	eventsTx    = events.Tx
	eventsStore = events.Store
)

// RunEvents runs the cases of package events on Backend.Events.
func RunEvents(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) eventsStore { return open(t).Events }, eventsScenarios())
}

func eventsScenarios() []scenario[eventsStore] {
	var all []scenario[eventsStore]
	for _, c := range writeScenarios[eventsTx]() {
		all = append(all, scenario[eventsStore]{c.name, func(t *testing.T, s eventsStore) { c.run(t, s) }})
	}
	for _, c := range unitScenarios[eventsTx]("work") {
		all = append(all, scenario[eventsStore]{c.name, func(t *testing.T, s eventsStore) { c.run(t, eventWorker{s}) }})
	}
	return append(all,
		scenario[eventsStore]{"log/numbers are given in order and without gaps", testNumber},
		scenario[eventsStore]{"log/read backwards", testLogBackwards},
		scenario[eventsStore]{"log/a unit that commits late is not skipped", testLateEvent},
		scenario[eventsStore]{"log/writers and readers at once miss nothing", testNumberRace},
		scenario[eventsStore]{"log/old events expire once they are delivered", testEventsExpire},
		scenario[eventsStore]{"log/thousands that expired are gone, and the others stay", testThousandsExpire},
		scenario[eventsStore]{"consumers/put, list, delete", testConsumers},
		scenario[eventsStore]{"consumers/what is invalid is refused without a trace", testConsumersRefused},
		scenario[eventsStore]{"consumers/get what their filters want", testConsumerFilters},
		scenario[eventsStore]{"consumers/leased by one at a time", testConsumerLease},
		scenario[eventsStore]{"consumers/leased in the order in which they are due", testLeaseOrder},
		scenario[eventsStore]{"consumers/processes at once never share one", testConsumerRace},
		scenario[eventsStore]{"deliveries/done, later, parked", testEventSettle},
		scenario[eventsStore]{"deliveries/wait behind those of the same object", testLanes},
		scenario[eventsStore]{"deliveries/queued again", testRequeue},
		scenario[eventsStore]{"deliveries/list and backlog", testDeliveryList},
		scenario[eventsStore]{"deliveries/what is queued while others settle is not forgotten", testQueueWhileSettling},
		scenario[eventsStore]{"deliveries/what comes back while its consumer settles is not forgotten", testBackWhileSettling},
		scenario[eventsStore]{"deliveries/what comes while its consumer settles stays behind", testNumberWhileSettling},
		scenario[eventsStore]{"deliveries/who settles sees who takes over", testTakeoverWhileSettling},
	)
}

// eventWorker makes every Write a Work.
type eventWorker struct{ eventsStore }

func (w eventWorker) Write(ctx context.Context, fn func(ctx context.Context, tx eventsTx) error) error {
	return w.Work(ctx, fn)
}

func sampleConsumer(n int) events.Consumer {
	return events.Consumer{Channel: "c", Name: fmt.Sprint("consumer ", n), CreatedAt: at(n)}
}

func eventLease(now int) events.Lease {
	return events.Lease{Channel: "c", Token: "token " + strconv.Itoa(now), Now: finer(at(now)), Until: finer(at(now + 60)), Limit: 100}
}

func raise(t *testing.T, s eventsStore, list ...affiliate.Event) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx eventsTx) error { return tx.Events().Add(ctx, list...) })
}

func putConsumer(t *testing.T, s eventsStore, c events.Consumer) events.Consumer {
	t.Helper()
	return put(t, s, func(ctx context.Context, tx eventsTx) (events.Consumer, error) {
		return tx.EventConsumers().Put(ctx, c)
	})
}

// atWork is the value that a Work of one call returns.
func atWork[V any](t *testing.T, s eventsStore, fn func(ctx context.Context, tx eventsTx) (V, error)) V {
	t.Helper()
	var v V
	if err := s.Work(t.Context(), func(ctx context.Context, tx eventsTx) (err error) {
		v, err = fn(ctx, tx)
		return err
	}); err != nil {
		t.Fatalf("Work: %v", err)
	}
	return v
}

func number(t *testing.T, s eventsStore, now, limit int) int {
	t.Helper()
	return atWork(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
		return tx.EventLog().Number(ctx, finer(at(now)), limit)
	})
}

func leaseConsumers(t *testing.T, s eventsStore, l events.Lease) []events.Consumer {
	t.Helper()
	return atWork(t, s, func(ctx context.Context, tx eventsTx) ([]events.Consumer, error) {
		return tx.EventConsumers().Lease(ctx, l)
	})
}

func settleConsumer(t *testing.T, s eventsStore, c events.Consumer, outcomes ...events.Outcome) bool {
	t.Helper()
	outcomes = slices.Clone(outcomes)
	for i, o := range outcomes {
		if !o.DueAt.IsZero() {
			outcomes[i].DueAt = finer(o.DueAt)
		}
	}
	return atWork(t, s, func(ctx context.Context, tx eventsTx) (bool, error) {
		return tx.EventConsumers().Settle(ctx, events.Settlement{ConsumerID: c.ID, Token: c.Token, Outcomes: outcomes})
	})
}

func dueTo(t *testing.T, s eventsStore, c events.Consumer, now int) []events.Delivery {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx eventsTx) ([]events.Delivery, error) {
		return tx.EventDeliveries().Due(ctx, c.ID, finer(at(now)), 100)
	})
}

func consumerNow(t *testing.T, s eventsStore, c events.Consumer) events.Consumer {
	t.Helper()
	list := see(t, s, func(ctx context.Context, tx eventsTx) ([]events.Consumer, error) {
		return tx.EventConsumers().GetMany(ctx, []int64{c.ID})
	})
	if len(list) != 1 {
		t.Fatalf("got %d consumers with the id %d", len(list), c.ID)
	}
	return list[0]
}

func sequences(list []events.Delivery) string {
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = fmt.Sprint(d.Sequence)
	}
	return strings.Join(out, " ")
}

// of is the sample event of the object.
func of(object, n int) affiliate.Event {
	e := sampleEvent(object)
	e.Data = fmt.Sprintf(`{"n":%d}`, n)
	return e
}

func testNumber(t *testing.T, s eventsStore) {
	equal(t, "of none", number(t, s, 1, 10), 0)
	raise(t, s, sampleEvent(1), sampleEvent(2), sampleEvent(3))
	after := func(sequence int64, limit int) []affiliate.Event {
		return see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
			return tx.EventLog().After(ctx, sequence, limit)
		})
	}
	equal(t, "before", after(0, 10), []affiliate.Event(nil))
	equal(t, "by the number of none", see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
		return tx.EventLog().Numbered(ctx, []int64{0})
	}), []affiliate.Event(nil))
	equal(t, "numbered", number(t, s, 1, 2), 2)
	equal(t, "numbered none", number(t, s, 1, 0), 0)
	equal(t, "numbered less than none", number(t, s, 1, -1), 0)
	undone := errors.New("undone")
	if err := s.Work(t.Context(), func(ctx context.Context, tx eventsTx) error {
		_, err := tx.EventLog().Number(ctx, at(1), 10)
		return errors.Join(err, undone)
	}); !errors.Is(err, undone) {
		t.Errorf("Work: got %v, want the callback's error", err)
	}
	raise(t, s, sampleEvent(4))
	equal(t, "numbered the rest", number(t, s, 1, 10), 2)
	equal(t, "numbered again", number(t, s, 1, 10), 0)
	list := after(0, 10)
	for i, e := range list {
		want := sampleEvent(i + 1)
		want.ID, want.Sequence = e.ID, int64(i+1)
		equal(t, "event", e, want)
	}
	equal(t, "events", len(list), 4)
	equal(t, "two", after(1, 2), list[1:3])
	equal(t, "from before all", after(-3, 1), list[:1])
	equal(t, "none", after(0, 0), []affiliate.Event(nil))
	equal(t, "behind the last", after(4, 10), []affiliate.Event(nil))
	some := see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
		return tx.EventLog().Numbered(ctx, []int64{3, 1, nowhere, 3, 0, -1, math.MaxInt64})
	})
	equal(t, "by number", some, []affiliate.Event{list[0], list[2]})
	equal(t, "by no number", see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
		return tx.EventLog().Numbered(ctx, nil)
	}), []affiliate.Event(nil))
}

// testLateEvent lets a unit write an event, and another one write and commit
// its own meanwhile, where the backend runs two at once.
func testLateEvent(t *testing.T, s eventsStore) {
	raise(t, s, sampleEvent(1))
	equal(t, "numbered", number(t, s, 1, 10), 1)
	wrote, other := make(chan struct{}), make(chan error, 1)
	go func() {
		<-wrote
		other <- s.Write(t.Context(), func(ctx context.Context, tx eventsTx) error { return tx.Events().Add(ctx, sampleEvent(3)) })
	}()
	first := true
	write(t, s, func(ctx context.Context, tx eventsTx) error {
		if err := tx.Events().Add(ctx, sampleEvent(2)); err != nil || !first {
			return err
		}
		first = false
		close(wrote)
		return lookUntil(other, func() error { return second(tx.Events().Scan(ctx, 0, 10)) })
	})
	if err := <-other; err != nil {
		t.Fatal(err)
	}
	equal(t, "numbered later", number(t, s, 1, 10), 2)
	list := see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
		return tx.EventLog().After(ctx, 1, 10)
	})
	var got []string
	for _, e := range list {
		got = append(got, e.Object.ID)
	}
	slices.Sort(got)
	equal(t, "behind the first", got, []string{"2", "3"})
}

// testNumberRace has writers, numberers and a reader that goes on from what it
// has read: it must see every event once, in order for each object.
func testNumberRace(t *testing.T, s eventsStore) {
	const each = 25
	var writing sync.WaitGroup
	var problem error
	stop := make(chan struct{})
	for i := range writers {
		writing.Go(func() {
			for n := range each {
				err := insist(t.Context(), s.Write, func(ctx context.Context, tx eventsTx) error { return tx.Events().Add(ctx, of(i, n), of(i, n)) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	var numbering sync.WaitGroup
	for range 2 {
		numbering.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := insist(t.Context(), s.Work, func(ctx context.Context, tx eventsTx) error {
					return second(tx.EventLog().Number(ctx, at(1), 7))
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]int{}
	var last int64
	readOn := func() {
		list := see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
			return tx.EventLog().After(ctx, last, 10)
		})
		for _, e := range list {
			if e.Sequence != last+1 {
				problem = fmt.Errorf("sequence %d after %d", e.Sequence, last)
			}
			last = e.Sequence
			if want := of(0, seen[e.Object.ID]/2).Data; e.Data != want {
				problem = fmt.Errorf("object %s: got %s, want %s", e.Object.ID, e.Data, want)
			}
			seen[e.Object.ID]++
		}
	}
	done := make(chan struct{})
	go func() {
		writing.Wait()
		close(done)
	}()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
			readOn()
		}
	}
	close(stop)
	numbering.Wait()
	for number(t, s, 1, 100) > 0 {
	}
	for range 2 * writers * each {
		readOn()
	}
	if problem != nil {
		t.Error(problem)
	}
	equal(t, "events", last, int64(2*writers*each))
}

func testEventsExpire(t *testing.T, s eventsStore) {
	c := putConsumer(t, s, sampleConsumer(1))
	old, young, last, loose := sampleEvent(1), sampleEvent(2), sampleEvent(4), sampleEvent(3)
	old.At, young.At, last.At, loose.At = at(10), at(20), at(20), at(10)
	raise(t, s, old, young, last)
	number(t, s, 30, 10)
	raise(t, s, loose) // without a number
	expireThrough := func(before int, through int64, limit int) int {
		return put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
			return tx.EventLog().Expire(ctx, finer(at(before)), through, limit)
		})
	}
	expire := func(before, limit int) int { return expireThrough(before, math.MaxInt64, limit) }
	equal(t, "while a delivery is left", expire(40, 10), 0)
	leased := leaseConsumers(t, s, eventLease(30))
	list := dueTo(t, s, c, 30)
	if len(leased) != 1 || len(list) != 3 {
		t.Fatalf("got %d consumers and %d deliveries", len(leased), len(list))
	}
	settleConsumer(t, s, leased[0], events.Outcome{DeliveryID: list[0].ID, Result: events.Done}, events.Outcome{DeliveryID: list[1].ID, Result: events.Done},
		events.Outcome{DeliveryID: list[2].ID, Result: events.Done})
	equal(t, "of none", expire(40, 0), 0)
	equal(t, "at the very time", expire(10, 10), 0)
	equal(t, "behind the greatest", expireThrough(40, 0, 10), 0)
	equal(t, "up to the first, at its very time", expireThrough(10, 1, 10), 0)
	equal(t, "the old one", expire(11, 10), 1)
	equal(t, "up to the second", expireThrough(40, 2, 10), 1)
	equal(t, "the last", expire(40, 1), 1)
	equal(t, "the loose one stays", len(see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) { return tx.Events().Scan(ctx, 0, 10) })), 1)
	number(t, s, 30, 10)
	list2 := see(t, s, func(ctx context.Context, tx eventsTx) ([]affiliate.Event, error) {
		return tx.EventLog().After(ctx, 0, 10)
	})
	if len(list2) != 1 || list2[0].Sequence != 4 {
		t.Errorf("got %+v, want the number to go on", list2)
	}
}
