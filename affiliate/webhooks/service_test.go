package webhooks_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestASignedMessageArrivesOnce(t *testing.T) {
	eachWorld(t, webhooks.Options{}, func(t *testing.T, w *world) {
		is := is.New(t)
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
	})
}

func TestAReceiverThatWasDownGetsEverythingInOrder(t *testing.T) {
	eachWorld(t, webhooks.Options{}, func(t *testing.T, w *world) {
		is := is.New(t)
		e := w.create("/down", only())
		w.create("/up", only())
		down := true
		w.respondWith(func(path string) int {
			if down && path == "/down" {
				return 500
			}
			return 200
		})
		w.raise(1, 1, 2)
		ups, downs := 0, 0
		for range 360 { // an hour
			for _, r := range w.deliver() {
				if r.path == "/up" {
					ups++
				} else {
					downs++
				}
			}
			w.pass(10 * time.Second)
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
	})
}

func TestAnEndpointThatFailsForTooLongIsDisabled(t *testing.T) {
	eachWorld(t, webhooks.Options{DisableAfter: 24 * time.Hour}, func(t *testing.T, w *world) {
		is := is.New(t)
		e := w.create("/", only())
		w.respondWith(func(string) int { return 302 })
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
		is.NoErr(w.b.Core.Read(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
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

		w.respondWith(func(string) int { return 200 })
		w.raise(2)
		is.Equal(len(w.deliver()), 0)
		_, err = w.hooks.Enable(t.Context(), e.ID)
		is.NoErr(err)
		w.pass(24 * time.Hour)
		is.Equal(orders(w.deliver()), "1") // what happened meanwhile is replayed by hand
	})
}

func TestAnEventIsGivenUpAfterThreeDays(t *testing.T) {
	eachWorld(t, webhooks.Options{}, func(t *testing.T, w *world) {
		is := is.New(t)
		e := w.create("/", only())
		w.respondWith(func(string) int { return 503 })
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
	})
}

func TestATestIsLogged(t *testing.T) {
	eachWorld(t, webhooks.Options{}, func(t *testing.T, w *world) {
		is := is.New(t)
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
	})
}

func TestAServiceWithoutASenderKeepsEndpointsAndSaysThatItCannotSend(t *testing.T) {
	is := is.New(t)
	db := memory.New()
	s, err := webhooks.NewService(db.Webhooks(), db.Events(), webhooks.Options{})
	is.NoErr(err)
	e, err := s.Create(t.Context(), webhooks.EndpointInput{URL: "https://receiver.example/"})
	is.NoErr(err)
	_, err = s.Test(t.Context(), e.ID)
	is.True(err != nil && strings.Contains(err.Error(), "delivery.NewService"))
	_, err = s.Deliver(t.Context())
	is.True(err != nil)
	is.True(s.Run(t.Context()) != nil)
	kept, err := s.Endpoint(t.Context(), e.ID)
	is.NoErr(err)
	is.Equal(kept.Status, webhooks.Active) // what was not sent did not fail
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

// An endpoint that takes its time has its own place: others get everything
// meanwhile.
func TestASlowEndpointDelaysNoOther(t *testing.T) {
	eachWorld(t, webhooks.Options{Every: time.Millisecond, Parallel: 2, Timeout: time.Minute}, func(t *testing.T, w *world) {
		is := is.New(t)
		const n = 30
		slow := make(chan struct{})
		release := sync.OnceFunc(func() { close(slow) })
		w.hold, w.arrived = map[string]chan struct{}{"/slow": slow}, make(chan string, 2*n)
		w.create("/slow", only())
		w.create("/fast", only())
		var running sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		defer running.Wait()
		defer stop()
		defer release()
		running.Go(func() { is.NoErr(w.hooks.Run(ctx)) })
		for i := range n {
			w.raise(i)
		}
		late := time.After(time.Minute)
		await := func(want string, n int) {
			t.Helper()
			for left := n; left > 0; left-- {
				select {
				case path := <-w.arrived:
					is.Equal(path, want)
				case <-late:
					t.Fatalf("%s got %d of %d events", want, n-left, n)
				}
			}
		}
		await("/fast", n)
		release()
		await("/slow", n)
	})
}

// Processes that start at once with one configuration have one endpoint.
func TestAnEndpointOfTheConfigurationIsAddedOnce(t *testing.T) {
	test := func(t *testing.T, b storagetest.Backend, other func() storagetest.Backend) {
		is := is.New(t)
		const starts = 8
		in := webhooks.EndpointInput{URL: "https://a.example/", Description: "all events"}
		var errs [starts]error
		var all sync.WaitGroup
		for i := range starts {
			own := other()
			s, err := webhooks.NewService(own.Webhooks, own.Events, webhooks.Options{})
			is.NoErr(err)
			all.Go(func() { _, errs[i] = s.Ensure(t.Context(), "all", in) })
		}
		all.Wait()
		is.NoErr(errors.Join(errs[:]...))
		s, err := webhooks.NewService(b.Webhooks, b.Events, webhooks.Options{})
		is.NoErr(err)
		list, err := s.Endpoints(t.Context(), affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(list.Total, 1)
		first := list.Items[0].Endpoint
		kinds := func() (out []string) {
			is.NoErr(b.Core.Read(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
				list, err := tx.Events().Scan(ctx, 0, 100)
				for _, e := range list {
					out = append(out, e.Kind)
				}
				return err
			}))
			return out
		}
		is.Equal(kinds(), []string{"webhook_endpoint.created"})

		in.URL, in.Secret, in.Filter = "https://b.example/", "whsec_"+strings.Repeat("A", 44), only()
		for range 2 {
			e, err := s.Ensure(t.Context(), "all", in)
			is.NoErr(err)
			is.Equal(e.ID, first.ID)
			is.Equal(e.URL, in.URL)
			is.Equal(e.Secret, in.Secret)
		}
		list, err = s.Endpoints(t.Context(), affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(list.Items[0].Consumer.Filter, only())
		is.Equal(kinds(), []string{"webhook_endpoint.created", "webhook_endpoint.updated"})
		_, err = s.Ensure(t.Context(), "", in)
		is.True(errors.Is(err, affiliate.ErrInvalid))
		_, err = s.Ensure(t.Context(), strings.Repeat("x", webhooks.MaxName+1), in)
		is.True(errors.Is(err, affiliate.ErrInvalid))
		_, err = s.Ensure(t.Context(), strings.Repeat("x", webhooks.MaxName), in)
		is.NoErr(err)
	}
	t.Run("memory", func(t *testing.T) {
		b := backends.Memory()
		test(t, b, func() storagetest.Backend { return b })
	})
	t.Run("postgres", func(t *testing.T) { // a handle each, as processes have
		dsn := backends.Database(t)
		test(t, backends.Postgres(t, dsn), func() storagetest.Backend { return backends.Postgres(t, dsn) })
	})
}
