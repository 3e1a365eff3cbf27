package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
)

// Webhooks returns the store of package webhooks, nil
// when Options.Without has the domain.
func (db *DB) Webhooks() webhooks.Store {
	if db.lacks(Webhooks) {
		return nil
	}
	return view[webhooks.Tx]{db, func(u *unit) webhooks.Tx { return webhooksTx{eventsTx{coreTx{u}}} }}
}

// webhooksTx gives the repositories of webhooks beside those of events.
type webhooksTx struct{ eventsTx }

func (t webhooksTx) WebhookEndpoints() webhooks.EndpointRepository { return webhookEndpoints(t.coreTx) }
func (t webhooksTx) WebhookAttempts() webhooks.AttemptRepository   { return webhookAttempts(t.coreTx) }

type webhookEndpointRow struct {
	bun.BaseModel `bun:"table:affiliate_webhook_endpoints,alias:t"`

	ID            int64           `bun:"id,pk"`
	URL           string          `bun:"url"`
	Description   string          `bun:"description"`
	Secret        string          `bun:"secret"`
	Previous      string          `bun:"previous_secret"`
	PreviousUntil time.Time       `bun:"previous_until,nullzero"`
	Status        webhooks.Status `bun:"status"`
	FailingSince  time.Time       `bun:"failing_since,nullzero"`
	DisabledAt    time.Time       `bun:"disabled_at,nullzero"`
	Reason        string          `bun:"reason"`
	CreatedAt     time.Time       `bun:"created_at,nullzero"`
	UpdatedAt     time.Time       `bun:"updated_at,nullzero"`
}

var webhookEndpointTable = table[webhooks.Endpoint, webhookEndpointRow]{
	name: "affiliate_webhook_endpoints", resource: "webhook_endpoint",
	row: func(e webhooks.Endpoint) webhookEndpointRow {
		return webhookEndpointRow{
			ID: e.ID, URL: e.URL, Description: e.Description, Secret: e.Secret, Previous: e.Previous, PreviousUntil: e.PreviousUntil,
			Status: e.Status, FailingSince: e.FailingSince, DisabledAt: e.DisabledAt, Reason: e.Reason,
			CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
		}
	},
	entity: func(r webhookEndpointRow) webhooks.Endpoint {
		return webhooks.Endpoint{
			ID: r.ID, URL: r.URL, Description: r.Description, Secret: r.Secret, Previous: r.Previous, PreviousUntil: utc(r.PreviousUntil),
			Status: r.Status, FailingSince: utc(r.FailingSince), DisabledAt: utc(r.DisabledAt), Reason: r.Reason,
			CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		}
	},
}

type webhookEndpoints struct{ u *unit }

func (r webhookEndpoints) Put(ctx context.Context, e webhooks.Endpoint) error {
	return putAll(ctx, r.u, webhookEndpointTable, []webhooks.Endpoint{e}, func(e *webhooks.Endpoint) int64 { return e.ID }, "id")
}

func (r webhookEndpoints) Get(ctx context.Context, id int64) (webhooks.Endpoint, error) {
	return webhookEndpointTable.get(ctx, r.u, id)
}

func (r webhookEndpoints) GetMany(ctx context.Context, ids []int64) ([]webhooks.Endpoint, error) {
	return webhookEndpointTable.getMany(ctx, r.u, ids)
}

type webhookAttemptRow struct {
	bun.BaseModel `bun:"table:affiliate_webhook_attempts,alias:t"`

	ID         int64           `bun:"id,pk,autoincrement"`
	EndpointID int64           `bun:"endpoint_id"`
	Sequence   int64           `bun:"sequence"`
	Kind       string          `bun:"kind"`
	Number     int             `bun:"number"`
	At         time.Time       `bun:"at"`
	Took       int64           `bun:"took"`
	StatusCode int             `bun:"status_code"`
	Result     webhooks.Result `bun:"result"`
	Error      string          `bun:"error"`
}

var webhookAttemptTable = table[webhooks.Attempt, webhookAttemptRow]{
	name: "affiliate_webhook_attempts", resource: "webhook_attempt",
	entity: func(r webhookAttemptRow) webhooks.Attempt {
		return webhooks.Attempt{
			ID: r.ID, EndpointID: r.EndpointID, Sequence: r.Sequence, Kind: r.Kind, Number: r.Number, At: utc(r.At),
			Took: time.Duration(r.Took) * time.Microsecond, StatusCode: r.StatusCode, Result: r.Result, Error: r.Error,
		}
	},
	sort: map[string]string{"at": "t.at"},
}

type webhookAttempts struct{ u *unit }

func (r webhookAttempts) Add(ctx context.Context, attempts ...webhooks.Attempt) error {
	return exec(ctx, r.u, "webhook_attempt", func(ctx context.Context) error {
		rows := make([]webhookAttemptRow, len(attempts))
		for i, a := range attempts {
			if err := a.Validate(); err != nil {
				return err
			}
			rows[i] = webhookAttemptRow{
				EndpointID: a.EndpointID, Sequence: a.Sequence, Kind: a.Kind, Number: a.Number, At: a.At, Took: a.Took.Microseconds(),
				StatusCode: a.StatusCode, Result: a.Result, Error: a.Error,
			}
		}
		if len(rows) == 0 {
			return nil
		}
		_, err := r.u.tx.NewInsert().Model(&rows).ModelTableExpr(r.u.from(webhookAttemptTable.name)).ExcludeColumn("id").Returning("NULL").Exec(ctx)
		return err
	})
}

func (r webhookAttempts) List(ctx context.Context, f webhooks.AttemptFilter, p affiliate.PageRequest) (affiliate.Page[webhooks.Attempt], error) {
	return webhookAttemptTable.list(ctx, r.u, p, func(q filter) {
		q.equal("t.endpoint_id", f.EndpointID)
		q.equal("t.sequence", f.Sequence)
		q.text("t.result", string(f.Result))
	})
}

func (r webhookAttempts) Expire(ctx context.Context, before time.Time, limit int) (int, error) {
	return change(ctx, r.u, "webhook_attempt", func(ctx context.Context) (int, error) {
		res, err := r.u.prepared(`DELETE FROM {schema}affiliate_webhook_attempts AS t WHERE t.id = ANY(ARRAY(
			SELECT a.id FROM {schema}affiliate_webhook_attempts AS a WHERE a.at < ?0::timestamptz ORDER BY a.at, a.id LIMIT ?1::bigint))`,
			before, int64(max(limit, 0))).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		return int(n), err
	})
}
