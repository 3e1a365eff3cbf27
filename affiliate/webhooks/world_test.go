package webhooks_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks/delivery"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// world is a service, a receiver, and an instant that the test moves.
type world struct {
	t        *testing.T
	b        storagetest.Backend
	hooks    *webhooks.Service
	receiver *httptest.Server

	mu      sync.Mutex
	now     time.Time
	respond func(path string) int
	got     []*received

	// Set before the first request:
	hold    map[string]chan struct{} // requests of a path wait until it is closed
	arrived chan string              // is told of each request that is to be responded to
}

// received is one request.
type received struct {
	path   string
	header http.Header
	body   string
}

// eachWorld runs a test once for each backend.
func eachWorld(t *testing.T, o webhooks.Options, test func(t *testing.T, w *world)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b, o)) })
}

func newWorld(t *testing.T, b storagetest.Backend, o webhooks.Options) *world {
	t.Helper()
	w := &world{t: t, b: b, now: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC), respond: func(string) int { return 204 }}
	w.receiver = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.mu.Lock()
		w.got = append(w.got, &received{r.URL.Path, r.Header.Clone(), string(body)})
		code := w.respond(r.URL.Path)
		w.mu.Unlock()
		if code == 302 {
			out.Header().Set("Location", "/elsewhere")
		}
		if wait := w.hold[r.URL.Path]; wait != nil {
			<-wait
		}
		if w.arrived != nil {
			w.arrived <- r.URL.Path
		}
		out.WriteHeader(code)
	}))
	t.Cleanup(w.receiver.Close)
	o.Clock, o.Jitter = w.clock, func() float64 { return 0 }
	o.AllowHTTP = true
	if o.Allow == nil {
		o.Allow = func(netip.Addr) bool { return true }
	}
	var err error
	w.hooks, err = delivery.NewService(w.b.Webhooks, w.b.Events, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) respondWith(respond func(path string) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.respond = respond
}

func (w *world) requests() []*received {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.got
	w.got = nil
	return got
}

func (w *world) create(path string, f events.Filter) webhooks.Endpoint {
	w.t.Helper()
	e, err := w.hooks.Create(context.Background(), webhooks.EndpointInput{URL: w.receiver.URL + path, Filter: f})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

var approved = affiliate.EventKind{Name: "order.approved", Version: 1, Object: "order"}

func (w *world) raise(ids ...int) {
	w.t.Helper()
	for _, id := range ids {
		e := approved.On(id, w.clock()).Of(7, 0).With(map[string]int{"n": id})
		if err := w.b.Core.Write(context.Background(), func(ctx context.Context, tx affiliate.Tx) error { return tx.Events().Add(ctx, e) }); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) deliver() []*received {
	w.t.Helper()
	if _, err := w.hooks.Deliver(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return w.requests()
}

// orders are the endpoints' orders in the order of arrival.
func orders(got []*received) string {
	var out []string
	for _, r := range got {
		_, id, _ := strings.Cut(r.body, `"object":{"type":"order","id":"`)
		id, _, _ = strings.Cut(id, `"`)
		out = append(out, id)
	}
	return strings.Join(out, " ")
}

func only() events.Filter { return events.Filter{Kinds: []string{approved.Name}} }
