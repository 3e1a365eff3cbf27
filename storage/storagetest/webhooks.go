package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
)

type (
	webhooksTx    = webhooks.Tx
	webhooksStore = webhooks.Store
)

// RunWebhooks runs the cases of package webhooks on Backend.Webhooks.
func RunWebhooks(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) webhooksStore { return open(t).Webhooks }, webhookScenarios())
}

func webhookScenarios() []scenario[webhooksStore] {
	return slices.Concat(
		writeScenarios[webhooksTx](),
		endpointTable().scenarios(),
		[]scenario[webhooksStore]{
			{"endpoints/replaced, and gone with their consumers", testEndpoints},
			{"attempts/kept, listed, expired", testAttempts},
			{"attempts/what is invalid is refused without a trace", testAttemptsRefused},
		},
	)
}

func sampleEndpoint(n int) webhooks.Endpoint {
	return webhooks.Endpoint{URL: fmt.Sprint("https://shop.example/hooks/", n), Secret: "whsec_x", Status: webhooks.Active}
}

// addEndpoint keeps an endpoint with a consumer of its own.
func addEndpoint(ctx context.Context, tx webhooksTx, e webhooks.Endpoint) (webhooks.Endpoint, error) {
	c, err := tx.EventConsumers().Put(ctx, events.Consumer{Channel: "webhook", Name: uuid.NewString()})
	if err != nil {
		return e, err
	}
	e.ID = c.ID
	if err := tx.WebhookEndpoints().Put(ctx, e); err != nil {
		return e, err
	}
	return tx.WebhookEndpoints().Get(ctx, c.ID)
}

func endpointTable() table[webhooksTx, webhooks.Endpoint] {
	type V = webhooks.Endpoint
	return table[webhooksTx, V]{
		name:   "endpoints",
		sample: func(_ world, n int) V { return sampleEndpoint(n) },
		full: func(world) V {
			return V{
				URL: "https://shop.example/", Description: "the shop", Secret: "whsec_b", Previous: "whsec_a", PreviousUntil: at(9), Status: webhooks.Disabled,
				FailingSince: at(3), DisabledAt: at(4), Reason: "failing", CreatedAt: at(1), UpdatedAt: at(2),
			}
		},
		add:   addEndpoint,
		fetch: func(ctx context.Context, tx webhooksTx, v V) (V, error) { return tx.WebhookEndpoints().Get(ctx, v.ID) },
		adopt: func(v *V, kept V) { v.ID = kept.ID },
		texts: []text[V]{
			{"url", 1, webhooks.MaxURL, func(v *V) *string { return &v.URL }, false},
			{"description", 0, webhooks.MaxDescription, func(v *V) *string { return &v.Description }, false},
			{"secret", 1, webhooks.MaxSecret, func(v *V) *string { return &v.Secret }, false},
			{"previous_secret", 0, webhooks.MaxSecret, func(v *V) *string { return &v.Previous }, false},
			{"reason", 0, 64, func(v *V) *string { return &v.Reason }, false},
		},
		broken: []broken[V]{{"status", "invalid", func(v *V) { v.Status = "asleep" }}},
	}
}

func testEndpoints(t *testing.T, s webhooksStore) {
	kept := addAll(t, s, addEndpoint, sampleEndpoint(1), sampleEndpoint(2))
	full := endpointTable().full(world{})
	full.ID = kept[0].ID
	given := full
	for _, at := range []*time.Time{&given.PreviousUntil, &given.FailingSince, &given.DisabledAt, &given.CreatedAt, &given.UpdatedAt} {
		*at = finer(*at)
	}
	write(t, s, func(ctx context.Context, tx webhooksTx) error { return tx.WebhookEndpoints().Put(ctx, given) })
	many := func() []webhooks.Endpoint {
		return see(t, s, func(ctx context.Context, tx webhooksTx) ([]webhooks.Endpoint, error) {
			return tx.WebhookEndpoints().GetMany(ctx, []int64{kept[1].ID, nowhere, 0, kept[0].ID, kept[1].ID})
		})
	}
	equal(t, "replaced", many(), []webhooks.Endpoint{full, kept[1]})
	ghost := sampleEndpoint(3)
	for _, ghost.ID = range []int64{nowhere, 0, -1} {
		refused(t, s, unknown("id"), func(ctx context.Context, tx webhooksTx) error { return tx.WebhookEndpoints().Put(ctx, ghost) })
		unreadable(t, s, missing, func(ctx context.Context, tx webhooksTx) error {
			return second(tx.WebhookEndpoints().Get(ctx, ghost.ID))
		})
	}

	tried := webhooks.Attempt{EndpointID: full.ID, Kind: "x", At: at(1), Result: events.Done}
	write(t, s, func(ctx context.Context, tx webhooksTx) error {
		return all(
			func() error { return tx.WebhookAttempts().Add(ctx, tried) },
			func() error { return tx.EventConsumers().Delete(ctx, full.ID) },
		)
	})
	equal(t, "after its consumer went", many(), kept[1:])
	equal(t, "its attempts", attemptsOf(t, s, webhooks.AttemptFilter{}), []webhooks.Attempt(nil))
}

func attemptsOf(t *testing.T, s webhooksStore, f webhooks.AttemptFilter) []webhooks.Attempt {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx webhooksTx) ([]webhooks.Attempt, error) {
		list, err := tx.WebhookAttempts().List(ctx, f, affiliate.PageRequest{Number: 1, Size: 100})
		return list.Items, err
	})
}

func testAttempts(t *testing.T, s webhooksStore) {
	ends := addAll(t, s, addEndpoint, sampleEndpoint(1), sampleEndpoint(2))
	given := []webhooks.Attempt{
		{ID: nowhere, EndpointID: ends[0].ID, Sequence: 7, Kind: "order.approved", Number: 1, At: at(3), Took: 1500 * time.Millisecond, StatusCode: 503, Result: events.Later, Error: "the endpoint responded with status 503"},
		{EndpointID: ends[0].ID, Sequence: 7, Kind: "order.approved", Number: 2, At: at(9), Took: time.Microsecond, StatusCode: 204, Result: events.Done},
		{EndpointID: ends[1].ID, Sequence: 8, Kind: "x", Number: 1, At: at(3), Result: events.GaveUp, Error: strings.Repeat("😀", webhooks.MaxError)},
		{EndpointID: ends[1].ID, Kind: "webhook.test", Number: 1, At: at(1), Result: events.Done},
	}
	write(t, s, func(ctx context.Context, tx webhooksTx) error {
		return all(
			func() error {
				fine := slices.Clone(given)
				for i := range fine {
					fine[i].At, fine[i].Took = finer(fine[i].At), fine[i].Took+999*time.Nanosecond
				}
				return tx.WebhookAttempts().Add(ctx, fine...)
			},
			func() error { return tx.WebhookAttempts().Add(ctx) },
		)
	})
	items := attemptsOf(t, s, webhooks.AttemptFilter{})
	for i, got := range items {
		want := given[i]
		want.ID = got.ID
		equal(t, "kept", got, want)
		if got.ID <= 0 || i > 0 && got.ID <= items[i-1].ID {
			t.Errorf("attempt %d has the id %d: want them counted upwards", i, got.ID)
		}
	}
	type F = webhooks.AttemptFilter
	listing[webhooksTx, webhooks.Attempt, F]{
		items: items,
		label: func(a webhooks.Attempt) string {
			return fmt.Sprint(slices.IndexFunc(items, func(b webhooks.Attempt) bool { return a.ID == b.ID }))
		},
		list: func(ctx context.Context, tx webhooksTx, f F, p affiliate.PageRequest) (affiliate.Page[webhooks.Attempt], error) {
			return tx.WebhookAttempts().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{EndpointID: ends[0].ID}, "0 1"},
			{F{EndpointID: nowhere}, ""},
			{F{Sequence: 8}, "2"},
			{F{Result: events.Done}, "1 3"},
			{F{EndpointID: ends[1].ID, Result: events.Done}, "3"},
			{F{Result: "x\x00"}, ""},
		},
		columns: map[string]func(a, b webhooks.Attempt) int{
			"at": func(a, b webhooks.Attempt) int { return a.At.Compare(b.At) },
		},
	}.check(t, s)

	expire := func(before, limit int) int {
		return put(t, s, func(ctx context.Context, tx webhooksTx) (int, error) {
			return tx.WebhookAttempts().Expire(ctx, finer(at(before)), limit)
		})
	}
	equal(t, "expired none", expire(1, 10), 0)
	equal(t, "expired at most none", expire(9, 0), 0)
	equal(t, "expired the oldest two", expire(9, 2), 2)
	equal(t, "left", attemptsOf(t, s, F{}), items[1:3])
	equal(t, "expired the next", expire(9, 2), 1)
	equal(t, "left in the end", attemptsOf(t, s, F{}), items[1:2])
}

func testAttemptsRefused(t *testing.T, s webhooksStore) {
	e := addAll(t, s, addEndpoint, sampleEndpoint(1))[0]
	good := webhooks.Attempt{EndpointID: e.ID, Kind: "x", At: at(1), Result: events.Done}
	for _, b := range []struct {
		want  failure
		spoil func(a *webhooks.Attempt)
	}{
		{invalid("kind", "required"), func(a *webhooks.Attempt) { a.Kind = "" }},
		{invalid("kind", "nul"), func(a *webhooks.Attempt) { a.Kind = "a\x00" }},
		{invalid("sequence", "out_of_range"), func(a *webhooks.Attempt) { a.Sequence = -1 }},
		{invalid("at", "required"), func(a *webhooks.Attempt) { a.At = time.Time{} }},
		{invalid("result", "invalid"), func(a *webhooks.Attempt) { a.Result = "maybe" }},
		{invalid("error", "too_long"), func(a *webhooks.Attempt) { a.Error = strings.Repeat("a", webhooks.MaxError+1) }},
		{invalid("error", "invalid_utf8"), func(a *webhooks.Attempt) { a.Error = "\xff" }},
		{unknown("endpoint_id"), func(a *webhooks.Attempt) { a.EndpointID = nowhere }},
		{unknown("endpoint_id"), func(a *webhooks.Attempt) { a.EndpointID = 0 }},
	} {
		bad := good
		b.spoil(&bad)
		refused(t, s, b.want, func(ctx context.Context, tx webhooksTx) error { return tx.WebhookAttempts().Add(ctx, good, bad) })
	}
	equal(t, "kept", attemptsOf(t, s, webhooks.AttemptFilter{}), []webhooks.Attempt(nil))
}
