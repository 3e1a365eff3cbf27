package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/tracing"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// recording is a provider whose spans are kept in the order in which they ended.
type recording struct {
	embedded.TracerProvider
	mu    sync.Mutex
	ids   uint64
	spans []*recorded
}

type recorded struct {
	noop.Span
	by      *recording
	context trace.SpanContext
	parent  string
	name    string
	kind    trace.SpanKind
	failed  string
	attrs   map[attribute.Key]string
	notes   []string
}

func (r *recording) Tracer(string, ...trace.TracerOption) trace.Tracer { return recorder{of: r} }

type recorder struct {
	embedded.Tracer
	of *recording
}

func (t recorder) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	r := t.of
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids++
	c := trace.NewSpanStartConfig(o...)
	s := &recorded{by: r, name: name, kind: c.SpanKind(), attrs: map[attribute.Key]string{},
		context: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{byte(r.ids >> 8), byte(r.ids), 1}})}
	if parent, ok := trace.SpanFromContext(ctx).(*recorded); ok {
		s.parent = parent.name
	}
	return trace.ContextWithSpan(ctx, s), s
}

func (s *recorded) IsRecording() bool                            { return true }
func (s *recorded) SpanContext() trace.SpanContext               { return s.context }
func (s *recorded) SetName(name string)                          { s.name = name }
func (s *recorded) AddEvent(what string, _ ...trace.EventOption) { s.notes = append(s.notes, what) }
func (s *recorded) SetStatus(code codes.Code, reason string) {
	s.failed = fmt.Sprint(code, " ", reason)
}
func (s *recorded) SetAttributes(list ...attribute.KeyValue) {
	for _, kv := range list {
		s.attrs[kv.Key] = kv.Value.String()
	}
}

func (s *recorded) End(...trace.SpanEndOption) {
	s.by.mu.Lock()
	defer s.by.mu.Unlock()
	s.by.spans = append(s.by.spans, s)
}

// named returns the spans of a name that ended so far.
func (r *recording) named(name string) []*recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.spans), func(s *recorded) bool { return s.name != name })
}

func (r *recording) one(t *testing.T, name string) *recorded {
	t.Helper()
	list := r.named(name)
	if len(list) == 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, s := range r.spans {
			t.Log(s.name, s.attrs)
		}
		t.Fatalf("there is no span %q", name)
	}
	return list[len(list)-1]
}

// traced returns a kit in memory and its handler, both with the tracer.
func traced(t testing.TB, tracer affiliate.Tracer, o affiliatekit.Options) (*affiliatekit.Kit, http.Handler) {
	t.Helper()
	is := is.New(t)
	o.Tracer = tracer
	kit, err := affiliatekit.New(memory.New(), o)
	is.NoErr(err)
	handler, err := httpadapter.New(httpadapter.Services{Core: kit.Core, Identity: kit.Identity, Links: kit.Links, Orders: kit.Orders},
		httpadapter.Options{Authenticator: httpadapter.TokenAuthenticator(kit.Identity), Tracer: tracer})
	is.NoErr(err)
	return kit, handler
}

// aLink registers an advertiser and makes a link to it.
func aLink(t testing.TB, kit *affiliatekit.Kit) links.Link {
	t.Helper()
	is := is.New(t)
	_, err := kit.Links.RegisterAdvertiser(t.Context(), links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10)}}},
		Domains:    []string{"acme.example"},
	})
	is.NoErr(err)
	user, err := kit.Core.CreateUser(t.Context(), affiliate.User{Username: "anna-of-the-secret-name", VerifiedAt: time.Now()})
	is.NoErr(err)
	converted, _, err := kit.Links.Convert(t.Context(), links.Conversion{UserID: user.ID, URL: "https://acme.example/shoes"})
	is.NoErr(err)
	return converted.Link
}

func get(h http.Handler, target string) int {
	r := httptest.NewRequest("GET", target, nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestARequestIsASpanWithItsUnitsInside(t *testing.T) {
	is, r := is.New(t), &recording{}
	kit, handler := traced(t, tracing.New(r), affiliatekit.Options{})
	link := aLink(t, kit)
	is.Equal(get(handler, fmt.Sprintf("/c/%d", link.ID)), 302)
	request := r.one(t, "GET /c/{id}")
	is.Equal(request.kind, trace.SpanKindServer)
	is.Equal(request.failed, "")
	is.Equal(request.attrs, map[attribute.Key]string{
		"http.request.method": "GET", "http.route": "/c/{id}", "http.response.status_code": "302", "affiliatekit.operation": "redirect",
	})
	batch, unit := r.one(t, "links.record_clicks"), r.one(t, "links.record")
	is.Equal(batch.attrs["affiliatekit.clicks"], "1")
	is.Equal(unit.attrs["affiliatekit.attempts"], "1")
	is.Equal(unit.parent, batch.name)

	is.Equal(get(handler, "/v2/health"), 200)
	is.Equal(r.one(t, "GET /v2/health").attrs["http.response.status_code"], "200")
	is.Equal(get(handler, "/v2/users/7"), 401)
	is.Equal(r.one(t, "GET /v2/users/{id}").failed, "") // the client's mistake
	is.Equal(get(handler, "/report?order=1"), 422)
	is.Equal(r.one(t, "GET /report").attrs["affiliatekit.operation"], "report")
	is.Equal(get(handler, "/of/nobody"), 404)
	_, named := r.one(t, "GET").attrs["http.route"] // what no route has is not named by its path
	is.True(!named)
}

func TestSpansHoldNoPersonalData(t *testing.T) {
	is, r := is.New(t), &recording{}
	kit, handler := traced(t, tracing.New(r), affiliatekit.Options{})
	link := aLink(t, kit)
	_, err := kit.Core.CreateUser(t.Context(), affiliate.User{Username: "anna-of-the-secret-name"})
	is.True(errors.Is(err, affiliate.ErrConflict))
	get(handler, fmt.Sprintf("/c/%d?src=secret-source", link.ID))
	get(handler, "/v2/users/secret-user?name=secret-name")
	is.True(len(r.spans) > 8)
	for _, s := range r.spans {
		text := fmt.Sprint(s.name, s.attrs, s.failed, s.notes)
		for _, secret := range []string{"secret", "192.0.2", "Mozilla", "acme.example", "anna"} {
			if strings.Contains(text, secret) {
				t.Errorf("the span %s has %q", text, secret)
			}
		}
	}
}

// again runs each callback three times.
type again struct{ affiliate.Store[affiliate.Tx] }

func (s again) Write(ctx context.Context, fn func(context.Context, affiliate.Tx) error) error {
	for range 2 {
		_ = s.Store.Read(ctx, fn)
	}
	return s.Store.Write(ctx, fn)
}

func TestAUnitTellsItsAttemptsAndWhatItFailedWith(t *testing.T) {
	is, r := is.New(t), &recording{}
	tracer := tracing.New(r)
	store := affiliate.Traced[affiliate.Tx](again{memory.New().Core()}, tracer, "core")
	run := func(err error) *recorded {
		got := store.Write(t.Context(), func(context.Context, affiliate.Tx) error { return err })
		is.True(errors.Is(got, err))
		return r.one(t, "core.write")
	}
	s := run(nil)
	is.Equal(s.attrs["affiliatekit.attempts"], "3")
	is.Equal(s.notes, []string{"retry", "retry"})
	is.Equal(s.failed, "")
	s = run(affiliate.NotFound("user", 7))
	is.Equal(s.attrs["error.type"], "not_found")
	is.Equal(s.failed, "")
	s = run(affiliate.Unavailable(errors.New("the secret password is wrong")))
	is.Equal(s.failed, "Error unavailable")
	s = run(errors.New("a secret"))
	is.Equal(s.failed, "Error unknown")
	s = run(context.Canceled)
	is.Equal(s.attrs["error.type"], "canceled")
	func() {
		defer func() { is.True(recover() != nil) }()
		_ = store.Read(t.Context(), func(context.Context, affiliate.Tx) error { panic("stop") })
	}()
	is.Equal(r.one(t, "core.read").failed, "Error panic")
}

func TestWorkersAreTraced(t *testing.T) {
	is, r := is.New(t), &recording{}
	kit, _ := traced(t, tracing.New(r), affiliatekit.Options{Webhooks: webhooks.Options{AllowHTTP: true, Allow: func(netip.Addr) bool { return true }}})
	broken := errors.New("a secret of the subscriber")
	is.NoErr(kit.Events.Subscribe("bus", []string{affiliate.EventUserCreated.Name}, func(context.Context, affiliate.Event) error { return broken }))
	_, err := kit.Events.Deliver(t.Context()) // registers
	is.NoErr(err)
	// Nobody listens there: what is traced is that the request fails.
	_, err = kit.Webhooks.Create(t.Context(), webhooks.EndpointInput{URL: "http://127.0.0.1:1/secret"})
	is.NoErr(err)
	is.Equal(len(r.named("events.work")), 0) // looking for work is none
	aLink(t, kit)
	_, err = kit.Events.Deliver(t.Context())
	is.NoErr(err)
	_, err = kit.Webhooks.Deliver(t.Context())
	is.NoErr(err)

	event := r.one(t, "event user.created")
	is.Equal(event.kind, trace.SpanKindConsumer)
	is.Equal(event.parent, "events.deliver")
	is.Equal(event.failed, "Error failed")
	is.Equal(event.attrs, map[attribute.Key]string{"affiliatekit.consumer": "bus", "affiliatekit.attempt": "1"})
	hook := r.one(t, "webhook user.created")
	is.Equal(hook.kind, trace.SpanKindClient)
	is.Equal(hook.failed, "Error failed")
	is.True(hook.attrs["affiliatekit.endpoint"] != "")
	is.Equal(r.one(t, "events.deliver").attrs["affiliatekit.channel"], "webhook")
	is.Equal(r.one(t, "events.work").parent, "events.deliver") // its settlement
}

func TestTheSyncOfAdsIsTraced(t *testing.T) {
	is, r, ctx := is.New(t), &recording{}, t.Context()
	google := adsynctest.NewDriver(adsync.GoogleAds)
	kit, _ := traced(t, tracing.New(r), affiliatekit.Options{AdSyncEngine: adsync.EngineOptions{Drivers: []adsync.Driver{google}}})
	is.NoErr(second(kit.AdSync.RegisterAccount(ctx, adsync.AccountInput{ID: "secret", Name: "secret"})))
	acme := kit.AdSync.ForAccount("secret")
	is.NoErr(second(acme.ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "1234567890", Name: "secret", CatalogID: "1"})))
	item := func(reference string) adsync.ItemInput {
		return adsync.ItemInput{
			ReferenceID: adsync.Sent(reference), AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), ContentLanguage: adsync.Sent("pt-br"),
			Title: adsync.Sent("secret"), Link: adsync.Sent("https://secret.example/"),
		}
	}
	is.NoErr(second(acme.SaveItems(ctx, []adsync.ItemInput{item("secret 1"), item("secret 2")})))
	is.Equal(r.one(t, "adsync.write").attrs["affiliatekit.attempts"], "1")
	is.NoErr(second(kit.AdSyncEngine.RunOnce(ctx)))

	batch, call := r.one(t, "adsync.batch"), r.one(t, "adsync.apply google-ads")
	is.Equal(batch.kind, trace.SpanKindInternal)
	is.Equal(batch.attrs, map[attribute.Key]string{"affiliatekit.jobs": "2"})
	is.Equal(call.kind, trace.SpanKindClient)
	is.Equal(call.parent, "adsync.batch")
	is.Equal(call.attrs, map[attribute.Key]string{"affiliatekit.operations": "2", "affiliatekit.failures": "0"})
	is.Equal(call.failed, "")
	is.Equal(r.one(t, "adsync.work").parent, "adsync.batch") // its settlement
	before := len(r.named("adsync.work"))
	is.NoErr(second(kit.AdSyncEngine.RunOnce(ctx)))
	is.Equal(len(r.named("adsync.work")), before) // looking for jobs is no span
	is.Equal(len(r.named("adsync.batch")), 1)

	google.SetFault(func(adsync.Operation) adsynctest.Fault {
		return adsynctest.Fault{Failure: &adsync.Failure{Code: adsync.CodeInvalid, Detail: "a secret of the service"}}
	})
	is.NoErr(second(acme.SaveItems(ctx, []adsync.ItemInput{item("secret 3")})))
	is.NoErr(second(kit.AdSyncEngine.RunOnce(ctx)))
	call = r.one(t, "adsync.apply google-ads")
	is.Equal(call.failed, "Error failed")
	is.Equal(call.attrs["affiliatekit.failures"], "1")
	for _, s := range r.spans {
		is.True(!strings.Contains(fmt.Sprint(s.name, s.attrs, s.failed, s.notes), "secret"))
	}
}

func second[T any](_ T, err error) error { return err }

func TestATransactionOfTheHostIsTracedToo(t *testing.T) {
	is, r := is.New(t), &recording{}
	kit, _ := traced(t, tracing.New(r), affiliatekit.Options{})
	in, err := kit.In(memory.New())
	is.NoErr(err)
	_, err = in.Deals.Catalogs(t.Context(), deals.CatalogFilter{}, affiliate.PageRequest{})
	is.NoErr(err)
	is.Equal(r.one(t, "deals.read").attrs["affiliatekit.attempts"], "1")
}

func TestWithoutAProviderNothingIsTraced(t *testing.T) {
	is := is.New(t)
	is.True(tracing.New(nil) == nil)
	kit, handler := traced(t, nil, affiliatekit.Options{})
	is.Equal(get(handler, fmt.Sprintf("/c/%d", aLink(t, kit).ID)), 302)
	kit, handler = traced(t, tracing.New(noop.NewTracerProvider()), affiliatekit.Options{})
	is.Equal(get(handler, fmt.Sprintf("/c/%d", aLink(t, kit).ID)), 302)
}

// BenchmarkRedirect follows a link in memory, in turn without a tracer and with
// that of the noop provider. ratio is the time without to the time with it.
func BenchmarkRedirect(b *testing.B) {
	var handlers [2]http.Handler
	var paths [2]string
	for n, tracer := range []affiliate.Tracer{nil, tracing.New(noop.NewTracerProvider())} {
		kit, handler := traced(b, tracer, affiliatekit.Options{})
		handlers[n], paths[n] = handler, fmt.Sprintf("/c/%d", aLink(b, kit).ID)
	}
	var took [2]time.Duration
	const turn = 500
	for left := b.N; left > 0; left -= turn {
		for n, handler := range handlers {
			began := time.Now()
			for range min(left, turn) {
				get(handler, paths[n])
			}
			took[n] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[0])/float64(took[1]), "ratio")
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(b.N), "ns/without")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(b.N), "ns/noop")
}

func ExampleNew() {
	var provider trace.TracerProvider = noop.NewTracerProvider() // the host's, of its SDK
	tracer := tracing.New(provider)
	kit, err := affiliatekit.New(memory.New(), affiliatekit.Options{Tracer: tracer})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = httpadapter.New(httpadapter.Services{Core: kit.Core, Links: kit.Links}, httpadapter.Options{Tracer: tracer})
	fmt.Println(err)
	// Output: <nil>
}
