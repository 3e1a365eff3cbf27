package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks/delivery"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// The environment of the processes that the test below kills, and of how often.
const (
	roleVariable     = "WEBHOOKS_TEST_ROLE" // publisher or deliverer
	dsnVariable      = "WEBHOOKS_TEST_DSN"
	receiverVariable = "WEBHOOKS_TEST_RECEIVER"
	killsVariable    = "KILLS"
)

const (
	crashUsers = 8   // that publishers change
	writers    = 4   // units at once of one publisher
	maxBehind  = 300 // events that publishers may be ahead of the deliveries
)

// TestAnotherProcess is a publisher or a deliverer until it is killed. By itself
// it does nothing.
func TestAnotherProcess(t *testing.T) {
	role := os.Getenv(roleVariable)
	if role == "" {
		return
	}
	b := backends.Postgres(t, os.Getenv(dsnVariable))
	receiver := os.Getenv(receiverVariable)
	if role == "publisher" {
		publish(t, b, receiver)
		return
	}
	deliver(t, b, receiver)
}

// publish changes users, and adds some.
func publish(t *testing.T, b storagetest.Backend, receiver string) {
	core, err := affiliate.NewService(b.Core, affiliate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for n := 0; ; n++ {
				_, err := core.UpdateUser(t.Context(), 1+rand.Int64N(crashUsers), func(u *affiliate.User) {
					before, err := strconv.Atoi(u.DisplayName)
					if err != nil {
						t.Error(err)
					}
					u.DisplayName = strconv.Itoa(before + 1)
				})
				if err == nil && n%10 == 0 {
					_, err = core.CreateUser(t.Context(), affiliate.User{Username: fmt.Sprint("u", rand.Uint64()), DisplayName: "0"})
				}
				if err != nil && !errors.Is(err, affiliate.ErrUnavailable) {
					t.Error(err)
					return
				}
				if err := post(t.Context(), receiver+"/published", "", nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// deliver sends events to endpoints and gives them to a subscriber.
func deliver(t *testing.T, b storagetest.Backend, receiver string) {
	bus, err := events.NewService(b.Events, events.Options{Every: 10 * time.Millisecond, Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Subscribe("bus", nil, func(ctx context.Context, e affiliate.Event) error {
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		return post(ctx, receiver+"/bus", fmt.Sprint("evt_", e.Sequence), body)
	}); err != nil {
		t.Fatal(err)
	}
	hooks, err := delivery.NewService(b.Webhooks, b.Events, webhooks.Options{
		Every: 10 * time.Millisecond, Lease: time.Second, AllowHTTP: true, Allow: func(netip.Addr) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() { _ = bus.Run(t.Context()) })
	all.Go(func() { _ = hooks.Run(t.Context()) })
	all.Wait()
}

func post(ctx context.Context, url, id string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set(webhooks.HeaderID, id)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// arrivals are what the receivers of the test got, by path.
type arrivals struct {
	t         *testing.T
	mu        sync.Mutex
	changed   *sync.Cond
	published int
	total     int
	paths     map[string]*arrived
	closed    bool
}

type arrived struct {
	bodies map[string]string // the first of each id
	times  map[string]int    // how often each id came
	order  []string          // ids, each once
}

func (a *arrivals) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.URL.Path == "/published" {
		a.published++
		for !a.closed && a.published > len(a.paths["/all"].order)+maxBehind {
			a.changed.Wait()
		}
		return
	}
	if err != nil {
		return // whoever sent it was killed over it
	}
	p, id := a.paths[r.URL.Path], r.Header.Get(webhooks.HeaderID)
	first, again := p.bodies[id]
	switch {
	case !again:
		p.bodies[id], p.order = string(body), append(p.order, id)
	case first != string(body):
		a.t.Errorf("%s %s came first as\n%s\nand then as\n%s", r.URL.Path, id, first, body)
	}
	p.times[id]++
	a.total++
	a.changed.Broadcast()
}

// until waits until a condition holds, which is asked while the lock is held.
func (a *arrivals) until(what string, limit time.Duration, holds func() bool) {
	a.t.Helper()
	late := false
	defer time.AfterFunc(limit, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		late = true
		a.changed.Broadcast()
	}).Stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	for !holds() {
		if late {
			a.t.Fatalf("waited %s for %s", limit, what)
		}
		a.changed.Wait()
	}
}

// Publishers and deliverers are killed under load, without a chance to clean up,
// wherever they are. No event is without its change, no change without its event,
// and everybody hears of each at least once, in order for each object, and of a
// repetition in the same bytes. KILLS says how many are killed.
func TestKilledPublishersAndDeliverersLoseNothing(t *testing.T) {
	is := is.New(t)
	kills := 8
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		is.NoErr(err)
	}
	dsn := backends.Database(t)
	b := backends.Postgres(t, dsn)
	core, err := affiliate.NewService(b.Core, affiliate.Options{})
	is.NoErr(err)
	for i := range crashUsers {
		u, err := core.CreateUser(t.Context(), affiliate.User{Username: fmt.Sprint("user", i), DisplayName: "0"})
		is.NoErr(err)
		is.Equal(u.ID, int64(i+1))
	}
	a := &arrivals{t: t, paths: map[string]*arrived{}}
	a.changed = sync.NewCond(&a.mu)
	receiver := httptest.NewServer(a)
	defer receiver.Close()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.closed = true
		a.changed.Broadcast()
	}()
	hooks, err := delivery.NewService(b.Webhooks, b.Events, webhooks.Options{AllowHTTP: true, Allow: func(netip.Addr) bool { return true }})
	is.NoErr(err)
	filters := map[string]events.Filter{
		"/all":     {},
		"/updated": {Kinds: []string{affiliate.EventUserUpdated.Name}},
		"/created": {Kinds: []string{affiliate.EventUserCreated.Name}},
	}
	ids := map[string]int64{}
	for path, f := range filters {
		e, err := hooks.Create(t.Context(), webhooks.EndpointInput{URL: receiver.URL + path, Filter: f})
		is.NoErr(err)
		ids[path] = e.ID
	}
	bus, err := events.NewService(b.Events, events.Options{})
	is.NoErr(err)
	is.NoErr(bus.Subscribe("bus", nil, func(context.Context, affiliate.Event) error { return nil }))
	is.NoErr(bus.Register(t.Context()))
	for _, path := range []string{"/all", "/updated", "/created", "/bus"} {
		a.paths[path] = &arrived{bodies: map[string]string{}, times: map[string]int{}}
	}

	// spawn starts a process, which is killed at the end.
	spawn := func(role string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnotherProcess$", "-test.timeout=0")
		c.Env = append(os.Environ(), roleVariable+"="+role, dsnVariable+"="+dsn, receiverVariable+"="+receiver.URL)
		c.Stderr = os.Stderr
		is.NoErr(c.Start())
		return c
	}
	kill := func(c *exec.Cmd) {
		is.NoErr(c.Process.Kill())
		_ = c.Wait() // killed, as it should be
	}
	roles := []string{"publisher", "deliverer", "publisher", "deliverer"}
	running := make([]*exec.Cmd, len(roles))
	for i, role := range roles {
		running[i] = spawn(role)
	}
	defer func() {
		for _, c := range running {
			if c.ProcessState == nil {
				kill(c)
			}
		}
	}()
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for range kills {
		a.mu.Lock()
		next := a.total + 1 + random.IntN(400)
		a.mu.Unlock()
		a.until("the next kill", time.Minute, func() bool { return a.total >= next })
		i := random.IntN(len(roles))
		kill(running[i])
		running[i] = spawn(roles[i])
	}
	kill(running[0])
	kill(running[2])

	// Records and events agree.
	log := eventLog(t, bus)
	changes, added := map[string]int{}, map[string]int{}
	for _, e := range log {
		switch e.Kind {
		case affiliate.EventUserUpdated.Name:
			changes[e.Object.ID]++
		case affiliate.EventUserCreated.Name:
			added[e.Object.ID]++
		}
	}
	users := 0
	for number := 1; ; number++ {
		page, err := core.Users(t.Context(), affiliate.UserFilter{}, affiliate.PageRequest{Number: number, Size: affiliate.MaxPageSize})
		is.NoErr(err)
		for _, u := range page.Items {
			id := strconv.FormatInt(u.ID, 10)
			users++
			if fmt.Sprint(changes[id]) != u.DisplayName || added[id] != 1 {
				t.Errorf("user %s was changed %s times and added; there are %d and %d events of it", id, u.DisplayName, changes[id], added[id])
			}
		}
		if len(page.Items) < affiliate.MaxPageSize {
			break
		}
	}
	is.Equal(len(added), users)

	// Everybody hears of everything, in order for each object. All were there
	// before the first event had its number.
	filters["/bus"] = events.Filter{}
	for path, f := range filters {
		p, wanted := a.paths[path], 0
		for _, e := range log {
			if !f.Wants(e) {
				continue
			}
			wanted++
			a.until(fmt.Sprintf("%s at %s", messageID(e), path), time.Minute, func() bool { return p.times[messageID(e)] > 0 })
		}
		a.mu.Lock()
		is.Equal(len(p.order), wanted) // and of nothing else
		last := map[affiliate.Object]int64{}
		for _, id := range p.order {
			sequence, err := strconv.ParseInt(strings.TrimPrefix(id, "evt_"), 10, 64)
			is.NoErr(err)
			e := log[sequence-1]
			if e.Sequence != sequence || last[e.Object] > sequence {
				t.Errorf("%s: %s of %s came after %d", path, id, e.Object, last[e.Object])
			}
			last[e.Object] = sequence
		}
		a.mu.Unlock()
	}
	settled(t, bus)

	// What is replayed is what came first, to the byte: a's handler compares.
	a.mu.Lock()
	before := map[string]map[string]int{}
	for path, p := range a.paths {
		before[path] = maps.Clone(p.times)
	}
	repeated := a.total - len(before["/bus"]) - len(before["/all"]) - len(before["/updated"]) - len(before["/created"])
	a.mu.Unlock()
	end := log[len(log)-1].Sequence + 1
	for path, id := range ids {
		n, err := hooks.Replay(t.Context(), id, 1, end)
		is.NoErr(err)
		is.Equal(n, len(before[path]))
	}
	_, err = bus.Replay(t.Context(), "bus", 1, end)
	is.NoErr(err)
	for path, times := range before {
		for id, n := range times {
			a.until(fmt.Sprintf("%s again at %s", id, path), time.Minute, func() bool { return a.paths[path].times[id] > n })
		}
	}
	t.Logf("%d kills, %d events of %d users, %d of them repeated before the replay", kills, len(log), users, repeated)
}

// settled waits until no delivery is left: neither waiting nor parked. What has
// arrived is written down a little later.
func settled(t *testing.T, bus *events.Service) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for late := time.After(time.Minute); ; {
		left, err := bus.Deliveries(t.Context(), events.DeliveryFilter{}, affiliate.PageRequest{Number: 1, Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		if left.Total == 0 {
			return
		}
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("%d deliveries are left, the first of them %+v", left.Total, left.Items[0])
		}
	}
}

func messageID(e affiliate.Event) string { return fmt.Sprint("evt_", e.Sequence) }

// eventLog returns all events.
func eventLog(t *testing.T, bus *events.Service) (log []affiliate.Event) {
	t.Helper()
	for {
		list, err := bus.After(t.Context(), int64(len(log)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return log
		}
		log = append(log, list...)
	}
}
