package webhooks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// world is a service, a receiver, and an instant that the test moves.
type world struct {
	t        *testing.T
	db       *memory.DB
	hooks    *webhooks.Service
	receiver *httptest.Server

	mu      sync.Mutex
	now     time.Time
	respond func(path string) int
	got     []*received
}

// received is one request.
type received struct {
	path   string
	header http.Header
	body   string
}

func newWorld(t *testing.T, o webhooks.Options) *world {
	t.Helper()
	w := &world{t: t, db: memory.New(), now: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC), respond: func(string) int { return 204 }}
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
		out.WriteHeader(code)
	}))
	t.Cleanup(w.receiver.Close)
	o.Clock, o.Jitter = w.clock, func() float64 { return 0 }
	o.AllowHTTP = true
	if o.Allow == nil {
		o.Allow = func(netip.Addr) bool { return true }
	}
	var err error
	w.hooks, err = webhooks.NewService(w.db.Webhooks(), w.db.Events(), o)
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

func (w *world) answerWith(respond func(path string) int) {
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
		if err := w.db.Core().Write(context.Background(), func(ctx context.Context, tx affiliate.Tx) error { return tx.Events().Add(ctx, e) }); err != nil {
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

func TestASignedMessageArrivesOnce(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, webhooks.Options{})
	e := w.create("/a", only())
	is.Equal(len(w.deliver()), 0)
	w.raise(17)
	got := w.deliver()
	is.Equal(len(got), 1)
	is.Equal(got[0].body, `{"type":"order.approved","version":1,"timestamp":"2026-03-18T12:00:00Z","sequence":2,"advertiser_id":7,"object":{"type":"order","id":"17"},"data":{"n":17}}`)
	is.Equal(got[0].header.Get("webhook-id"), "evt_2")
	is.NoErr(webhooks.Verify([]string{e.Secret}, got[0].header, []byte(got[0].body), w.clock().Add(4*time.Minute)))
	for what, err := range map[string]error{
		"another body":   webhooks.Verify([]string{e.Secret}, got[0].header, []byte(got[0].body+" "), w.clock()),
		"another secret": webhooks.Verify([]string{"whsec_" + strings.Repeat("A", 44)}, got[0].header, []byte(got[0].body), w.clock()),
		"too late":       webhooks.Verify([]string{e.Secret}, got[0].header, []byte(got[0].body), w.clock().Add(6*time.Minute)),
		"no headers":     webhooks.Verify([]string{e.Secret}, http.Header{}, []byte(got[0].body), w.clock()),
	} {
		if err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	is.Equal(len(w.deliver()), 0)

	// While keys change both sign.
	next, err := w.hooks.RotateSecret(t.Context(), e.ID, time.Hour)
	is.NoErr(err)
	is.True(next.Secret != e.Secret)
	w.raise(18)
	got = w.deliver()
	is.NoErr(webhooks.Verify([]string{e.Secret}, got[0].header, []byte(got[0].body), w.clock()))
	is.NoErr(webhooks.Verify([]string{next.Secret}, got[0].header, []byte(got[0].body), w.clock()))
	w.pass(time.Hour)
	w.raise(19)
	got = w.deliver()
	is.True(webhooks.Verify([]string{e.Secret}, got[0].header, []byte(got[0].body), w.clock()) != nil)

	n, err := w.hooks.Replay(t.Context(), e.ID, 2, 3)
	is.NoErr(err)
	is.Equal(n, 1)
	again := w.deliver()
	is.Equal(orders(again), "17")
	is.Equal(again[0].header.Get("webhook-id"), "evt_2")
}

func TestAReceiverThatWasDownGetsEverythingInOrder(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, webhooks.Options{})
	e := w.create("/down", only())
	w.create("/up", only())
	down := true
	w.answerWith(func(path string) int {
		if down && path == "/down" {
			return 500
		}
		return 200
	})
	w.raise(1, 1, 2)
	ups, downs := 0, 0
	for range 720 { // an hour
		for _, r := range w.deliver() {
			if r.path == "/up" {
				ups++
			} else {
				downs++
			}
		}
		w.pass(5 * time.Second)
	}
	is.Equal(ups, 3)                 // the other one does not notice
	is.True(downs > 3 && downs < 40) // and this one is not flooded
	down = false
	var got []*received
	for range 24 {
		got = append(got, w.deliver()...)
		w.pass(time.Hour)
	}
	is.Equal(len(got), 3)
	var first []string
	for _, r := range got {
		if strings.Contains(r.body, `"id":"1"`) {
			first = append(first, r.header.Get("webhook-id"))
		}
	}
	is.True(len(first) == 2 && first[0] < first[1])
	log, err := w.hooks.Attempts(t.Context(), webhooks.AttemptFilter{EndpointID: e.ID, Result: events.Done}, affiliate.PageRequest{Number: 1, Size: 10})
	is.NoErr(err)
	is.Equal(log.Total, 3)
	now, err := w.hooks.Endpoint(t.Context(), e.ID)
	is.NoErr(err)
	is.True(now.FailingSince.IsZero())
}

func TestAnEndpointThatFailsForTooLongIsDisabled(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, webhooks.Options{DisableAfter: 24 * time.Hour})
	e := w.create("/", only())
	w.answerWith(func(string) int { return 302 })
	w.raise(1)
	for range 40 {
		for _, r := range w.deliver() {
			is.Equal(r.path, "/") // a redirect is not followed
		}
		w.pass(time.Hour)
	}
	now, err := w.hooks.Endpoint(t.Context(), e.ID)
	is.NoErr(err)
	is.Equal(now.Status, webhooks.Disabled)
	is.Equal(now.Reason, "failing")
	told := 0
	is.NoErr(w.db.Core().Read(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
		list, err := tx.Events().Scan(ctx, 0, 100)
		for _, e := range list {
			if e.Kind == webhooks.EventDisabled.Name {
				told++
				is.Equal(e.Data, `{"reason":"failing"}`)
			}
		}
		return err
	}))
	is.Equal(told, 1)

	w.answerWith(func(string) int { return 200 })
	w.raise(2)
	is.Equal(len(w.deliver()), 0)
	_, err = w.hooks.Enable(t.Context(), e.ID)
	is.NoErr(err)
	w.pass(24 * time.Hour)
	is.Equal(orders(w.deliver()), "1") // what happened meanwhile is replayed by hand
}

func TestAnEventIsGivenUpAfterThreeDays(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, webhooks.Options{})
	e := w.create("/", only())
	w.answerWith(func(string) int { return 503 })
	w.raise(1)
	last := 0
	for hour := range 100 {
		if len(w.deliver()) > 0 {
			last = hour
		}
		w.pass(time.Hour)
	}
	is.True(last >= 72 && last < 90)
	log, err := w.hooks.Attempts(t.Context(), webhooks.AttemptFilter{EndpointID: e.ID, Result: events.GaveUp}, affiliate.PageRequest{Number: 1, Size: 10})
	is.NoErr(err)
	is.Equal(log.Total, 1)
}

func TestSpecialAddressesAreNotDialled(t *testing.T) {
	is := is.New(t)
	for addr, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "fe80::1": false,
		"fd00:ec2::254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::ffff:10.0.0.1": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false,
	} {
		is.Equal(webhooks.Public(netip.MustParseAddr(addr)), want)
	}
	w := newWorld(t, webhooks.Options{Allow: webhooks.Public})
	_, err := w.hooks.Create(t.Context(), webhooks.EndpointInput{URL: w.receiver.URL})
	is.True(errors.Is(err, affiliate.ErrInvalid))
	// A name is resolved when it is dialled, and its address checked then.
	_, port, _ := strings.Cut(strings.TrimPrefix(w.receiver.URL, "http://"), ":")
	e, err := w.hooks.Create(t.Context(), webhooks.EndpointInput{URL: "http://localhost:" + port})
	is.NoErr(err)
	a, err := w.hooks.Test(t.Context(), e.ID)
	is.NoErr(err)
	is.Equal(a.Result, events.GaveUp)
	is.True(strings.Contains(a.Error, "private"))
	is.Equal(len(w.requests()), 0)
}

func TestBadEndpointsAreRefused(t *testing.T) {
	is := is.New(t)
	s, err := webhooks.NewService(memory.New().Webhooks(), memory.New().Events(), webhooks.Options{})
	is.NoErr(err)
	for _, bad := range []webhooks.EndpointInput{
		{}, {URL: "http://a.example/"}, {URL: "https://user:pass@a.example/"}, {URL: "https://a.example/#x"}, {URL: "ftp://a.example"}, {URL: "https://10.0.0.1/"},
		{URL: "https://[::1]/"}, {URL: "https://a.example/" + strings.Repeat("x", 2048)}, {URL: "https://a.example/", Secret: "short"},
		{URL: "https://a.example/", Description: "\x00"}, {URL: "https://a.example/", Filter: events.Filter{Kinds: []string{""}}},
	} {
		if _, err := s.Create(t.Context(), bad); !errors.Is(err, affiliate.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", bad, err)
		}
	}
	_, err = s.Endpoint(t.Context(), 7)
	is.True(errors.Is(err, affiliate.ErrNotFound))
	is.True(errors.Is(s.Delete(t.Context(), 7), affiliate.ErrNotFound))
}

func TestATestIsLogged(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, webhooks.Options{})
	e := w.create("/", only())
	a, err := w.hooks.Test(t.Context(), e.ID)
	is.NoErr(err)
	is.Equal(fmt.Sprint(a.Result, a.StatusCode, a.Kind), "done204webhook.test")
	is.Equal(len(w.requests()), 1)
	list, err := w.hooks.Endpoints(t.Context(), affiliate.PageRequest{Number: 1, Size: 10})
	is.NoErr(err)
	is.Equal(list.Items[0].Endpoint.ID, e.ID)
	is.NoErr(w.hooks.Delete(t.Context(), e.ID))
	log, err := w.hooks.Attempts(t.Context(), webhooks.AttemptFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
	is.NoErr(err)
	is.Equal(log.Total, 0)
}
