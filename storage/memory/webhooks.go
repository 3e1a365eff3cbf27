package memory

import (
	"cmp"
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// Webhooks is the view for package webhooks.
func (db *DB) Webhooks() webhooks.Store {
	return view[webhooks.Tx]{db, func(u *unit) webhooks.Tx { return webhooksTx{eventsTx{coreTx{u}}} }}
}

// webhooksTx is the transaction of package webhooks.
type webhooksTx struct{ eventsTx }

var _ webhooks.Tx = webhooksTx{}

func (tx webhooksTx) WebhookEndpoints() webhooks.EndpointRepository {
	return webhookEndpoints(tx.coreTx)
}
func (tx webhooksTx) WebhookAttempts() webhooks.AttemptRepository { return webhookAttempts(tx.coreTx) }

// webhookTables are the tables of package webhooks.
type webhookTables struct {
	endpoints webhookEndpointTable
	attempts  webhookAttemptTable
}

type webhookEndpointTable struct {
	*engine.Table[webhooks.Endpoint]
	byID *engine.Unique[webhooks.Endpoint, int64]
}

type webhookAttemptTable struct {
	*engine.Table[webhooks.Attempt]
	byEndpoint *engine.Groups[webhooks.Attempt, int64]
	byTime     *engine.Ordered[webhooks.Attempt]
}

func newWebhookTables(db *DB) webhookTables {
	endpoints := engine.NewTable[webhooks.Endpoint](&db.store)
	attempts := engine.NewTable[webhooks.Attempt](&db.store)
	return webhookTables{
		webhookEndpointTable{endpoints, engine.NewUnique(endpoints, func(e *webhooks.Endpoint) (int64, bool) { return e.ID, true })},
		webhookAttemptTable{attempts,
			engine.NewGroups(attempts, func(a *webhooks.Attempt) (int64, bool) { return a.EndpointID, true }, nil),
			engine.NewOrdered(attempts, func(a, b *webhooks.Attempt) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }),
		},
	}
}

// forget takes out what belongs to a consumer that is deleted.
func (t *webhookTables) forget(consumerID int64) {
	row, ok := t.endpoints.byID.Find(consumerID)
	if !ok {
		return
	}
	for _, a := range append([]uint32(nil), t.attempts.byEndpoint.Of(consumerID)...) {
		t.attempts.Delete(a)
	}
	t.endpoints.Delete(row)
}

type webhookEndpoints struct{ u *unit }

func (r webhookEndpoints) Put(ctx context.Context, e webhooks.Endpoint) error {
	t := &r.u.db.webhooks.endpoints
	return engine.PutBy(ctx, &r.u.Unit, t.Table, t.byID, e.ID, e, func(e webhooks.Endpoint) webhooks.Endpoint {
		for _, at := range []*time.Time{&e.PreviousUntil, &e.FailingSince, &e.DisabledAt, &e.CreatedAt, &e.UpdatedAt} {
			*at = engine.Kept(*at)
		}
		return e
	}, func(e webhooks.Endpoint) error {
		var f engine.Refusal
		f.Refers(r.u.db.core.consumers.Knows(e.ID), "id")
		return f.Err("webhook_endpoint")
	})
}

func (r webhookEndpoints) Get(ctx context.Context, id int64) (webhooks.Endpoint, error) {
	t := &r.u.db.webhooks.endpoints
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "webhook_endpoint", engine.AsKept)
}

func (r webhookEndpoints) GetMany(ctx context.Context, ids []int64) ([]webhooks.Endpoint, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := &r.u.db.webhooks.endpoints
	return engine.Collect(t.Table, t.byID.InOrder(idset.Sorted(ids)), engine.AsKept), nil
}

type webhookAttempts struct{ u *unit }

func (r webhookAttempts) Add(ctx context.Context, attempts ...webhooks.Attempt) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	for i := range attempts {
		if err := attempts[i].Validate(); err != nil {
			return r.u.Fail(err)
		}
	}
	t := &r.u.db.webhooks.attempts
	for _, a := range attempts {
		var f engine.Refusal
		f.Refers(r.u.db.webhooks.endpoints.byID.Has(a.EndpointID), "endpoint_id")
		if err := f.Err("webhook_attempt"); err != nil {
			return r.u.Fail(err)
		}
		a.ID, a.At, a.Took = int64(t.Last())+1, engine.Kept(a.At), a.Took.Truncate(time.Microsecond)
		if _, err := t.Insert(a); err != nil {
			return r.u.Fail(err)
		}
	}
	return nil
}

var webhookAttemptColumns = engine.Columns[webhooks.Attempt]{
	"at": engine.Time(func(a *webhooks.Attempt) time.Time { return a.At }),
}

func (r webhookAttempts) List(ctx context.Context, f webhooks.AttemptFilter, p affiliate.PageRequest) (affiliate.Page[webhooks.Attempt], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[webhooks.Attempt]{}, err
	}
	t := &r.u.db.webhooks.attempts
	s := engine.Everything[webhooks.Attempt]()
	if f.EndpointID != 0 {
		s = engine.Only[webhooks.Attempt](t.byEndpoint.Of(f.EndpointID))
	}
	s.Keep = func(_ uint32, a *webhooks.Attempt) bool {
		return (f.Sequence == 0 || a.Sequence == f.Sequence) && (f.Result == "" || a.Result == f.Result)
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, webhookAttemptColumns, engine.AsKept)
}

func (r webhookAttempts) Expire(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := &r.u.db.webhooks.attempts
	before = engine.Kept(before)
	var old []uint32
	t.byTime.Each(0, 0, func(row uint32) bool {
		if len(old) >= limit || !t.At(row).At.Before(before) {
			return false
		}
		old = append(old, row)
		return true
	})
	for _, row := range old {
		t.Delete(row)
	}
	return len(old), nil
}
