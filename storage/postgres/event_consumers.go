package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

// Consumers are written by hand: many processes lease them at once, none of
// which waits for another.

type eventConsumerRow struct {
	bun.BaseModel `bun:"table:affiliate_event_consumers,alias:t"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Channel      string    `bun:"channel"`
	Name         string    `bun:"name"`
	Kinds        []string  `bun:"kinds,array"`
	AdvertiserID int64     `bun:"advertiser_id,nullzero"`
	ClientID     int64     `bun:"client_id,nullzero"`
	Paused       bool      `bun:"paused"`
	CreatedAt    time.Time `bun:"created_at,nullzero"`
	DueAt        time.Time `bun:"due_at,nullzero"`
	HeldUntil    time.Time `bun:"held_until,nullzero"`
	Token        string    `bun:"token"`
	Takeovers    int       `bun:"takeovers"`
}

var eventConsumerTable = table[events.Consumer, eventConsumerRow]{
	name: "affiliate_event_consumers", resource: "event_consumer", entity: eventConsumerRow.consumer,
	sort: map[string]string{"name": "t.name"},
}

func (r eventConsumerRow) consumer() events.Consumer {
	return events.Consumer{
		ID: r.ID, Channel: r.Channel, Name: r.Name,
		Filter: events.Filter{Kinds: noneAsNil(r.Kinds), AdvertiserID: r.AdvertiserID, ClientID: r.ClientID},
		Paused: r.Paused, CreatedAt: utc(r.CreatedAt), DueAt: utc(r.DueAt), HeldUntil: utc(r.HeldUntil), Token: r.Token, Takeovers: r.Takeovers,
	}
}

type eventConsumers struct{ u *unit }

// dueNext is when the consumer t is due by its deliveries and its hold.
const dueNext = `CASE WHEN t.paused THEN NULL ELSE (
	SELECT greatest(d.due_at, t.held_until) FROM {schema}affiliate_event_deliveries AS d WHERE d.consumer_id = t.id AND d.state = 'waiting' ORDER BY d.due_at LIMIT 1) END`

func (r eventConsumers) Put(ctx context.Context, c events.Consumer) (events.Consumer, error) {
	return change(ctx, r.u, "event_consumer", func(ctx context.Context) (events.Consumer, error) {
		if err := c.Validate(); err != nil {
			return events.Consumer{}, err
		}
		kinds := c.Filter.Kinds
		if kinds == nil {
			kinds = []string{}
		}
		var id int64
		err := r.u.prepared(`INSERT INTO {schema}affiliate_event_consumers AS t
				(channel, name, kinds, advertiser_id, client_id, paused, created_at, token, takeovers)
			VALUES (?0::text, ?1::text, ?2::text[], nullif(?3::bigint, 0), nullif(?4::bigint, 0), ?5::boolean, nullif(?6::timestamptz, `+zeroTime+`), '', 0)
			ON CONFLICT (channel, name) DO UPDATE SET kinds = excluded.kinds, advertiser_id = excluded.advertiser_id, client_id = excluded.client_id, paused = excluded.paused
			RETURNING id`,
			c.Channel, c.Name, kinds, c.Filter.AdvertiserID, c.Filter.ClientID, c.Paused, c.CreatedAt).Scan(ctx, &id)
		if err != nil {
			return events.Consumer{}, err
		}
		if err := r.reschedule(ctx, []int64{id}); err != nil {
			return events.Consumer{}, err
		}
		return eventConsumerTable.find(ctx, r.u, id, func(q filter) { q.Where("t.id = ?", id) })
	})
}

// reschedule computes anew when consumers are due that are not leased.
func (r eventConsumers) reschedule(ctx context.Context, ids []int64) error {
	_, err := r.u.prepared(`UPDATE {schema}affiliate_event_consumers AS t SET due_at = `+dueNext+` WHERE t.id = ANY(?0::bigint[]) AND t.token = ''`, ids).Exec(ctx)
	return err
}

func (r eventConsumers) Delete(ctx context.Context, id int64) error {
	return exec(ctx, r.u, "event_consumer", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE id = ?`, r.u.name("affiliate_event_consumers"), id)
		return err
	})
}

func (r eventConsumers) GetMany(ctx context.Context, ids []int64) ([]events.Consumer, error) {
	return eventConsumerTable.getMany(ctx, r.u, ids)
}

func (r eventConsumers) List(ctx context.Context, f events.ConsumerFilter, p affiliate.PageRequest) (affiliate.Page[events.Consumer], error) {
	return eventConsumerTable.list(ctx, r.u, p, func(q filter) {
		q.text("t.channel", f.Channel)
		if f.Names != nil {
			q.amongTexts("t.name", f.Names)
		}
	})
}

// leasedConsumerRow is a consumer with the time that it was due.
type leasedConsumerRow struct {
	eventConsumerRow
	WasDue time.Time `bun:"was_due"`
}

func (r eventConsumers) Lease(ctx context.Context, l events.Lease) ([]events.Consumer, error) {
	return change(ctx, r.u, "event_consumer", func(ctx context.Context) ([]events.Consumer, error) {
		if err := l.Validate(); err != nil {
			return nil, err
		}
		if !storable(l.Channel) {
			return nil, nil
		}
		var rows []leasedConsumerRow
		// Materialized, so that the limit holds.
		err := r.u.prepared(`WITH due AS MATERIALIZED (
				SELECT c.id, c.due_at FROM {schema}affiliate_event_consumers AS c
				WHERE c.channel = ?0::text AND c.due_at <= ?1::timestamptz AND (?2::boolean OR c.name = ANY(?3::text[]))
				ORDER BY c.due_at, c.id LIMIT ?4::bigint FOR UPDATE OF c`+r.u.passingOver()+`
			) UPDATE {schema}affiliate_event_consumers AS t SET token = ?5::text, due_at = ?6::timestamptz,
				takeovers = CASE t.token WHEN '' THEN 0 ELSE t.takeovers + 1 END
			FROM due WHERE t.id = due.id RETURNING t.*, due.due_at AS was_due`,
			l.Channel, l.Now, l.Names == nil, storableOf(l.Names), int64(l.Limit), l.Token, l.Until).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(rows, func(a, b leasedConsumerRow) int { return cmp.Or(a.WasDue.Compare(b.WasDue), cmp.Compare(a.ID, b.ID)) })
		return converted(rows, func(r leasedConsumerRow) events.Consumer { return r.consumer() }), nil
	})
}

func (r eventConsumers) Settle(ctx context.Context, s events.Settlement) (bool, error) {
	return change(ctx, r.u, "event_consumer", func(ctx context.Context) (bool, error) {
		if err := s.Validate(); err != nil {
			return false, err
		}
		// First the lock, so that the next statements see what was queued before
		// it was taken, and nothing is queued until the end.
		var tokens []string
		if err := r.u.prepared(`SELECT token FROM {schema}affiliate_event_consumers WHERE id = ?0::bigint FOR UPDATE`, s.ConsumerID).Scan(ctx, &tokens); err != nil {
			return false, err
		}
		if len(tokens) == 0 || tokens[0] != s.Token {
			return false, nil
		}
		if err := r.settle(ctx, s); err != nil {
			return false, err
		}
		_, err := r.u.prepared(`UPDATE {schema}affiliate_event_consumers AS t SET token = '', takeovers = 0, held_until = nullif(?1::timestamptz, `+zeroTime+`)
			WHERE t.id = ?0::bigint`, s.ConsumerID, s.HeldUntil).Exec(ctx)
		if err != nil {
			return false, err
		}
		return true, r.reschedule(ctx, []int64{s.ConsumerID})
	})
}

// settle writes outcomes down, while the lock of their consumer is held.
func (r eventConsumers) settle(ctx context.Context, s events.Settlement) error {
	var done []int64
	var other []events.Outcome
	for _, o := range s.Outcomes {
		if o.Result == events.Done {
			done = append(done, o.DeliveryID)
		} else {
			other = append(other, o)
		}
	}
	if len(done) > 0 {
		if _, err := r.u.prepared(`DELETE FROM {schema}affiliate_event_deliveries WHERE consumer_id = ?0::bigint AND id = ANY(?1::bigint[])`,
			s.ConsumerID, done).Exec(ctx); err != nil {
			return err
		}
	}
	if len(other) == 0 {
		return nil
	}
	ids := values(other, func(o *events.Outcome) int64 { return o.DeliveryID })
	dues := values(other, func(o *events.Outcome) time.Time {
		if o.Result == events.GaveUp {
			return time.Time{}
		}
		return o.DueAt
	})
	if _, err := r.u.prepared(`UPDATE {schema}affiliate_event_deliveries AS t SET attempts = t.attempts + 1,
			state = CASE o.due_at WHEN `+zeroTime+` THEN 'parked' ELSE 'waiting' END, due_at = nullif(o.due_at, `+zeroTime+`), reason = o.reason, detail = o.detail
		FROM unnest(?1::bigint[], ?2::timestamptz[], ?3::text[], ?4::text[]) AS o (id, due_at, reason, detail)
		WHERE t.consumer_id = ?0::bigint AND t.id = o.id`,
		s.ConsumerID, ids, dues,
		values(other, func(o *events.Outcome) string { return o.Reason }),
		values(other, func(o *events.Outcome) string { return o.Detail })).Exec(ctx); err != nil {
		return err
	}
	// Several of one object may be tried again: what is behind them waits for the latest.
	// What is parked has no due time, so that nothing waits for it, and it for nothing.
	_, err := r.u.prepared(`UPDATE {schema}affiliate_event_deliveries AS t SET due_at = l.due_at
		FROM (SELECT b.id, max(o.due_at) AS due_at
			FROM unnest(?1::bigint[], ?2::timestamptz[]) AS o (id, due_at) JOIN {schema}affiliate_event_deliveries AS h ON h.id = o.id AND h.consumer_id = ?0::bigint
			JOIN {schema}affiliate_event_deliveries AS b ON b.consumer_id = ?0::bigint AND b.object_type = h.object_type AND b.object_id = h.object_id
				AND b.sequence > h.sequence AND b.due_at < o.due_at
			GROUP BY b.id) AS l
		WHERE t.id = l.id`, s.ConsumerID, ids, dues).Exec(ctx)
	return err
}
