package storagetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

func testConsumers(t *testing.T, s eventsStore) {
	full := events.Consumer{Channel: "c", Name: "b", Filter: events.Filter{Kinds: []string{"x", "y"}, AdvertiserID: 7, ClientID: 8}, CreatedAt: at(1)}
	equal(t, "settled, of none", atWork(t, s, func(ctx context.Context, tx eventsTx) (bool, error) {
		return tx.EventConsumers().Settle(ctx, events.Settlement{ConsumerID: nowhere, Token: "x"})
	}), false)
	write(t, s, func(ctx context.Context, tx eventsTx) error { return tx.EventConsumers().Delete(ctx, nowhere) })
	given := full
	given.ID, given.Token, given.Takeovers, given.DueAt, given.HeldUntil, given.CreatedAt = nowhere, "x", 3, at(1), at(2), finer(full.CreatedAt)
	given.Filter.Kinds = slices.Clone(full.Filter.Kinds)
	b := putConsumer(t, s, given)
	scribble(&given)
	full.ID = b.ID
	equal(t, "added", b, full)
	scribble(&b)
	equal(t, "kept", consumerNow(t, s, full), full)
	again := full
	again.Filter, again.Paused, again.CreatedAt = events.Filter{}, true, at(9)
	b = putConsumer(t, s, again)
	again.CreatedAt = full.CreatedAt
	equal(t, "replaced", b, again)

	var items []events.Consumer
	items = append(items, b)
	for _, c := range []events.Consumer{{Channel: "c", Name: "a"}, {Channel: "d", Name: "b"}, {Channel: "d", Name: "c"}} {
		items = append(items, putConsumer(t, s, c))
	}
	type F = events.ConsumerFilter
	listing[eventsTx, events.Consumer, F]{
		items: items,
		label: func(c events.Consumer) string { return c.Channel + c.Name },
		list: func(ctx context.Context, tx eventsTx, f F, p affiliate.PageRequest) (affiliate.Page[events.Consumer], error) {
			return tx.EventConsumers().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{Channel: "d"}, "db dc"},
			{F{Channel: "x"}, ""},
			{F{Names: []string{"b", "x"}}, "cb db"},
			{F{Names: []string{}}, ""},
		},
		columns: map[string]func(a, b events.Consumer) int{
			"name": func(a, b events.Consumer) int { return cmp.Compare(a.Name, b.Name) },
		},
	}.check(t, s)
	many := see(t, s, func(ctx context.Context, tx eventsTx) ([]events.Consumer, error) {
		return tx.EventConsumers().GetMany(ctx, []int64{items[3].ID, nowhere, items[0].ID, 0, items[1].ID - 1<<32, items[3].ID})
	})
	equal(t, "get many", many, []events.Consumer{items[0], items[3]})

	raise(t, s, sampleEvent(1), sampleEvent(2), sampleEvent(3))
	number(t, s, 1, 10)
	write(t, s, func(ctx context.Context, tx eventsTx) error {
		return all(
			func() error { return tx.EventConsumers().Delete(ctx, items[1].ID) },
			func() error { return tx.EventConsumers().Delete(ctx, items[1].ID) },
			func() error { return tx.EventConsumers().Delete(ctx, nowhere) },
		)
	})
	many = see(t, s, func(ctx context.Context, tx eventsTx) ([]events.Consumer, error) {
		return tx.EventConsumers().GetMany(ctx, []int64{items[0].ID, items[1].ID})
	})
	equal(t, "left", many, items[:1])
	left := see(t, s, func(ctx context.Context, tx eventsTx) (affiliate.Page[events.Delivery], error) {
		return tx.EventDeliveries().List(ctx, events.DeliveryFilter{ConsumerID: items[1].ID}, affiliate.PageRequest{})
	})
	equal(t, "its deliveries", left.Total, 0)
	equal(t, "those of others", len(dueTo(t, s, items[2], 1)), 3)
}

func testConsumersRefused(t *testing.T, s eventsStore) {
	many := make([]string, events.MaxKinds+1)
	for i := range many {
		many[i] = fmt.Sprint("kind ", i)
	}
	for _, c := range []struct {
		want  failure
		spoil func(*events.Consumer)
	}{
		{invalid("channel", "required"), func(c *events.Consumer) { c.Channel = "" }},
		{invalid("channel", "too_long"), func(c *events.Consumer) { c.Channel = strings.Repeat("x", 33) }},
		{invalid("name", "required"), func(c *events.Consumer) { c.Name = "" }},
		{invalid("name", "nul"), func(c *events.Consumer) { c.Name = "a\x00" }},
		{invalid("kinds", "too_many"), func(c *events.Consumer) { c.Filter.Kinds = many }},
		{invalid("kinds.1", "duplicate"), func(c *events.Consumer) { c.Filter.Kinds = []string{"a", "a"} }},
		{invalid("kinds.0", "required"), func(c *events.Consumer) { c.Filter.Kinds = []string{""} }},
		{invalid("advertiser_id", "out_of_range"), func(c *events.Consumer) { c.Filter.AdvertiserID = -1 }},
		{invalid("client_id", "out_of_range"), func(c *events.Consumer) { c.Filter.ClientID = -1 }},
	} {
		bad := sampleConsumer(2)
		c.spoil(&bad)
		refused(t, s, c.want, func(ctx context.Context, tx eventsTx) error {
			return all(
				func() error { return second(tx.EventConsumers().Put(ctx, sampleConsumer(1))) },
				func() error { return second(tx.EventConsumers().Put(ctx, bad)) },
			)
		})
	}
	for _, c := range []struct {
		want  failure
		spoil func(*events.Lease)
	}{
		{invalid("token", "required"), func(l *events.Lease) { l.Token = "" }},
		{invalid("until", "invalid"), func(l *events.Lease) { l.Until = l.Now }},
		{invalid("limit", "out_of_range"), func(l *events.Lease) { l.Limit = 0 }},
		{invalid("limit", "out_of_range"), func(l *events.Lease) { l.Limit = events.MaxLease + 1 }},
	} {
		l := eventLease(1)
		c.spoil(&l)
		refused(t, s, c.want, func(ctx context.Context, tx eventsTx) error { return second(tx.EventConsumers().Lease(ctx, l)) })
	}
	for _, c := range []struct {
		want failure
		s    events.Settlement
	}{
		{invalid("token", "required"), events.Settlement{}},
		{invalid("outcomes.0.result", "invalid"), events.Settlement{Token: "x", Outcomes: []events.Outcome{{Result: "x", Reason: "x"}}}},
		{invalid("outcomes.0.due_at", "required"), events.Settlement{Token: "x", Outcomes: []events.Outcome{{Result: events.Later, Reason: "x"}}}},
		{invalid("outcomes.0.reason", "required"), events.Settlement{Token: "x", Outcomes: []events.Outcome{{Result: events.GaveUp}}}},
		{invalid("outcomes.0.detail", "too_long"), events.Settlement{Token: "x", Outcomes: []events.Outcome{{Result: events.GaveUp, Reason: "x", Detail: strings.Repeat("x", events.MaxDetail+1)}}}},
	} {
		refused(t, s, c.want, func(ctx context.Context, tx eventsTx) error { return second(tx.EventConsumers().Settle(ctx, c.s)) })
	}
	list := see(t, s, func(ctx context.Context, tx eventsTx) (affiliate.Page[events.Consumer], error) {
		return tx.EventConsumers().List(ctx, events.ConsumerFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
	})
	equal(t, "consumers", list.Total, 0)
}

func testConsumerFilters(t *testing.T, s eventsStore) {
	filters := []events.Filter{{}, {Kinds: []string{"a", "b"}}, {AdvertiserID: 7}, {ClientID: 8}, {Kinds: []string{"b"}, AdvertiserID: 7, ClientID: 8}}
	var list []events.Consumer
	for i, f := range filters {
		c := sampleConsumer(i)
		c.Filter = f
		list = append(list, putConsumer(t, s, c))
	}
	paused := sampleConsumer(9)
	paused.Paused = true
	paused = putConsumer(t, s, paused)
	event := func(kind string, advertiser, client int64) affiliate.Event {
		e := sampleEvent(1)
		e.Kind, e.AdvertiserID, e.ClientID = kind, advertiser, client
		return e
	}
	given := []affiliate.Event{event("a", 0, 0), event("b", 7, 8), event("c", 7, 0), event("a", 70, 8), event("b", 0, 8)}
	raise(t, s, given...)
	equal(t, "numbered", number(t, s, 5, 10), 5)
	for i, want := range []string{"1 2 3 4 5", "1 2 4 5", "2 3", "2 4 5", "2"} {
		got := dueTo(t, s, list[i], 5)
		equal(t, fmt.Sprintf("deliveries for %+v", filters[i]), sequences(got), want)
		for _, d := range got {
			if !filters[i].Wants(given[d.Sequence-1]) {
				t.Errorf("%+v got %+v, which Wants refuses", filters[i], given[d.Sequence-1])
			}
			equal(t, "delivery", d, events.Delivery{
				ID: d.ID, ConsumerID: list[i].ID, Sequence: d.Sequence, Object: affiliate.Object{Type: "user", ID: "1"},
				State: events.Waiting, DueAt: at(5), QueuedAt: at(5),
			})
		}
		equal(t, "due", consumerNow(t, s, list[i]).DueAt, at(5))
	}
	equal(t, "deliveries for a paused one", sequences(dueTo(t, s, paused, 5)), "")
	equal(t, "at most two", len(see(t, s, func(ctx context.Context, tx eventsTx) ([]events.Delivery, error) {
		return tx.EventDeliveries().Due(ctx, list[0].ID, at(5), 2)
	})), 2)
	equal(t, "none before their time", sequences(dueTo(t, s, list[0], 4)), "")
	late := putConsumer(t, s, sampleConsumer(10))
	equal(t, "for one that came later", sequences(dueTo(t, s, late, 5)), "")
	raise(t, s, sampleEvent(2))
	number(t, s, 6, 10)
	equal(t, "due for the first", consumerNow(t, s, list[0]).DueAt, at(5))

	raise(t, s, event("b", 7, 8)) // which all want
	number(t, s, 6, 10)
	for _, c := range leaseConsumers(t, s, eventLease(6)) {
		var outcomes []events.Outcome
		for _, d := range dueTo(t, s, c, 6) {
			outcomes = append(outcomes, events.Outcome{DeliveryID: d.ID, Result: events.Done})
		}
		settleConsumer(t, s, c, outcomes...)
	}
	raise(t, s, event("c", 70, 0)) // which those with a filter do not want
	number(t, s, 7, 10)
	equal(t, "due for what it wants", consumerNow(t, s, list[0]).DueAt, at(7))
	for _, c := range append(list[1:], paused) {
		equal(t, c.Name+", due for what it does not want", consumerNow(t, s, c).DueAt, time.Time{})
	}
}

func testConsumerLease(t *testing.T, s eventsStore) {
	a, b := putConsumer(t, s, sampleConsumer(1)), putConsumer(t, s, sampleConsumer(2))
	elsewhere := sampleConsumer(3)
	elsewhere.Channel = "other"
	putConsumer(t, s, elsewhere)
	names := func(list []events.Consumer) (out []string) {
		for _, c := range list {
			out = append(out, c.Name)
		}
		return out
	}
	equal(t, "without deliveries", names(leaseConsumers(t, s, eventLease(1))), []string(nil))
	raise(t, s, sampleEvent(1))
	number(t, s, 10, 10)
	equal(t, "before it is due", names(leaseConsumers(t, s, eventLease(9))), []string(nil))
	l := eventLease(10)
	l.Names = []string{b.Name}
	got := leaseConsumers(t, s, l)
	want := b
	want.DueAt, want.Token = at(70), l.Token
	equal(t, "by name", got, []events.Consumer{want})
	equal(t, "a change does not end a lease", putConsumer(t, s, b), want)
	l.Names = []string{}
	equal(t, "by no name", names(leaseConsumers(t, s, l)), []string(nil))
	l.Names = append(unkeepable(), "nobody")
	equal(t, "by names that nobody has", names(leaseConsumers(t, s, l)), []string(nil))
	for _, channel := range unkeepable() {
		l := eventLease(10)
		l.Channel = channel
		equal(t, "in a channel that cannot be kept", names(leaseConsumers(t, s, l)), []string(nil))
	}
	equal(t, "the other", names(leaseConsumers(t, s, eventLease(11))), []string{a.Name})
	equal(t, "leased", names(leaseConsumers(t, s, eventLease(12))), []string(nil))
	raise(t, s, sampleEvent(2))
	number(t, s, 13, 10)
	equal(t, "a new event does not end a lease", names(leaseConsumers(t, s, eventLease(13))), []string(nil))

	taken := eventLease(70) // b's lease has ended
	got = leaseConsumers(t, s, taken)
	want.DueAt, want.Token, want.Takeovers = at(130), taken.Token, 1
	equal(t, "a lease that ended", got, []events.Consumer{want})
	old := b
	old.Token = l.Token
	if settleConsumer(t, s, old) {
		t.Error("a lease that another one took over was settled")
	}
	equal(t, "after that", consumerNow(t, s, b), want)
	if !settleConsumer(t, s, want) {
		t.Error("the lease was not held")
	}
	want.Token, want.Takeovers, want.DueAt = "", 0, at(10)
	equal(t, "settled without outcomes", consumerNow(t, s, b), want)
	first := eventLease(100)
	first.Limit = 1
	equal(t, "those due first first", names(leaseConsumers(t, s, first)), []string{b.Name})
	want = consumerNow(t, s, b)
	held := events.Settlement{ConsumerID: b.ID, Token: want.Token, HeldUntil: finer(at(200))}
	atWork(t, s, func(ctx context.Context, tx eventsTx) (bool, error) { return tx.EventConsumers().Settle(ctx, held) })
	got2 := consumerNow(t, s, b)
	equal(t, "held", []any{got2.HeldUntil, got2.DueAt}, []any{at(200), at(200)})
	raise(t, s, sampleEvent(3))
	number(t, s, 150, 10)
	equal(t, "a new event does not end a hold", consumerNow(t, s, b).DueAt, at(200))

	paused := consumerNow(t, s, b)
	paused.Paused = true
	putConsumer(t, s, paused)
	equal(t, "paused", consumerNow(t, s, b).DueAt.IsZero(), true)
	equal(t, "its deliveries wait", len(dueTo(t, s, b, 150)), 3)
	raise(t, s, sampleEvent(4))
	number(t, s, 160, 10)
	equal(t, "queued for it", put(t, s, func(ctx context.Context, tx eventsTx) (int, error) {
		return tx.EventDeliveries().Queue(ctx, at(160), b.ID, []int64{4})
	}), 1)
	equal(t, "still paused", consumerNow(t, s, b).DueAt.IsZero(), true)
	paused.Paused = false
	equal(t, "goes on", putConsumer(t, s, paused).DueAt, at(200))
	for _, c := range []struct {
		leased, held int
		later        []int // events
		due          time.Time
	}{
		{200, 300, nil, time.Time{}},
		{300, 400, []int{350}, at(400)},
		{400, 404, []int{405, 410}, at(405)},
	} {
		if len(dueTo(t, s, b, c.leased)) == 0 {
			raise(t, s, sampleEvent(5))
			number(t, s, c.leased, 10)
		}
		l := eventLease(c.leased)
		l.Names = []string{b.Name}
		held.Token, held.HeldUntil, held.Outcomes = leaseConsumers(t, s, l)[0].Token, finer(at(c.held)), nil
		for _, d := range dueTo(t, s, b, c.leased) {
			held.Outcomes = append(held.Outcomes, events.Outcome{DeliveryID: d.ID, Result: events.Done})
		}
		atWork(t, s, func(ctx context.Context, tx eventsTx) (bool, error) { return tx.EventConsumers().Settle(ctx, held) })
		for _, now := range c.later {
			raise(t, s, sampleEvent(6))
			number(t, s, now, 10)
		}
		got := consumerNow(t, s, b)
		equal(t, "held, with nothing left but what came later", []any{got.HeldUntil, got.DueAt}, []any{at(c.held), c.due})
	}
}

func testLeaseOrder(t *testing.T, s eventsStore) {
	for i, kind := range []string{"late", "early", "early"} {
		c := sampleConsumer(i)
		c.Filter.Kinds = []string{kind}
		putConsumer(t, s, c)
	}
	for i, kind := range []string{"early", "late"} {
		e := sampleEvent(1)
		e.Kind = kind
		raise(t, s, e)
		number(t, s, 5+i, 1)
	}
	for _, c := range []struct {
		limit int
		want  string
	}{{3, "consumer 1, consumer 2, consumer 0"}, {2, "consumer 1, consumer 2"}} {
		l := eventLease(10)
		l.Limit = c.limit
		var names []string
		for _, leased := range leaseConsumers(t, s, l) {
			names = append(names, leased.Name)
			settleConsumer(t, s, leased)
		}
		equal(t, fmt.Sprintf("the first %d", c.limit), strings.Join(names, ", "), c.want)
	}
}

func testConsumerRace(t *testing.T, s eventsStore) {
	const consumers, each = 5, 8
	for i := range consumers {
		putConsumer(t, s, sampleConsumer(i))
	}
	for n := range each {
		raise(t, s, of(n%3, n))
	}
	number(t, s, 1, 100)
	var mu sync.Mutex
	holders := map[int64]int{}
	got := map[int64][]int64{}
	together(t, writers, func(i int) error {
		for round := 0; ; round++ {
			l := eventLease(2)
			l.Token, l.Limit = fmt.Sprintf("token %d %d", i, round), 2
			var leased []events.Consumer
			if err := insist(t.Context(), s.Work, func(ctx context.Context, tx eventsTx) (err error) {
				leased, err = tx.EventConsumers().Lease(ctx, l)
				return err
			}); err != nil {
				return err
			}
			mu.Lock()
			for _, c := range leased {
				if holders[c.ID]++; holders[c.ID] > 1 {
					t.Errorf("consumer %d is leased twice", c.ID)
				}
			}
			left := 0
			for id := range got {
				left += len(got[id])
			}
			mu.Unlock()
			if len(leased) == 0 && left == consumers*each {
				return nil
			}
			for _, c := range leased {
				var list []events.Delivery
				if err := s.Read(t.Context(), func(ctx context.Context, tx eventsTx) (err error) {
					list, err = tx.EventDeliveries().Due(ctx, c.ID, at(2), 3)
					return err
				}); err != nil {
					return err
				}
				set := events.Settlement{ConsumerID: c.ID, Token: c.Token}
				mu.Lock()
				for _, d := range list {
					got[c.ID] = append(got[c.ID], d.Sequence)
					set.Outcomes = append(set.Outcomes, events.Outcome{DeliveryID: d.ID, Result: events.Done})
				}
				holders[c.ID]--
				mu.Unlock()
				if err := insist(t.Context(), s.Work, func(ctx context.Context, tx eventsTx) error {
					return second(tx.EventConsumers().Settle(ctx, set))
				}); err != nil {
					return err
				}
			}
		}
	})
	for id, list := range got {
		if len(list) != each || !slices.IsSorted(list) {
			t.Errorf("consumer %d got %v, want 1 to %d in order", id, list, each)
		}
	}
}
