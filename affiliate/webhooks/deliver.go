package webhooks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

// statusGone is what an endpoint responds with that wants no more messages.
const statusGone = 410

// attempt is the log's line about a request.
func (s *Service) attempt(e Endpoint, m events.Message, a answer) Attempt {
	out := Attempt{
		EndpointID: e.ID, Sequence: m.Sequence, Kind: m.Event.Kind, Number: m.Attempts + 1, At: s.clock.Now(), Took: a.took,
		StatusCode: a.code, Result: events.Done,
	}
	if a.err != nil {
		out.Result, out.Error = events.Later, events.Cut(a.err.Error(), MaxError)
	}
	return out
}

// serve sends a batch to an endpoint: in order for each object, a few objects at
// a time. While an endpoint fails one message is tried, and the others wait for
// it to get through.
func (s *Service) serve(ctx context.Context, c events.Consumer, list []events.Message) events.Settlement {
	var out events.Settlement
	e, err := s.Endpoint(ctx, c.ID)
	if err != nil || e.Status != Active {
		out.HeldUntil = s.clock.Now().Add(time.Minute)
		return out
	}
	var log []Attempt
	gone := false
	if !e.FailingSince.IsZero() {
		o, a := s.deliver(ctx, e, list[0])
		if a.Result != events.Done && ctx.Err() != nil {
			return out // it was interrupted: that is no attempt
		}
		out.Outcomes, log = append(out.Outcomes, o), append(log, a)
		gone = a.StatusCode == statusGone
		if a.Result != events.Done {
			out.HeldUntil = o.DueAt
			list = nil
		} else {
			list = list[1:]
		}
	}
	outcomes, attempts := s.deliverAll(ctx, e, list)
	out.Outcomes, log = append(out.Outcomes, outcomes...), append(log, attempts...)
	for _, a := range attempts {
		gone = gone || a.StatusCode == statusGone
	}
	if err := s.note(context.WithoutCancel(ctx), e, log, gone); err != nil {
		s.opts.Logger.ErrorContext(ctx, "attempts at an endpoint were not written down", "endpoint", e.ID, "error", err)
	}
	return out
}

// deliverAll sends messages side by side, those of one object one by one.
func (s *Service) deliverAll(ctx context.Context, e Endpoint, list []events.Message) ([]events.Outcome, []Attempt) {
	var order []affiliate.Object
	lanes := map[affiliate.Object][]events.Message{}
	for _, m := range list {
		if lanes[m.Event.Object] == nil {
			order = append(order, m.Event.Object)
		}
		lanes[m.Event.Object] = append(lanes[m.Event.Object], m)
	}
	var mu sync.Mutex
	var outcomes []events.Outcome
	var log []Attempt
	slots := make(chan struct{}, lanesAtOnce)
	var busy sync.WaitGroup
	for _, o := range order {
		slots <- struct{}{}
		busy.Go(func() {
			defer func() { <-slots }()
			for _, m := range lanes[o] {
				if ctx.Err() != nil {
					return
				}
				outcome, a := s.deliver(ctx, e, m)
				if a.Result != events.Done && ctx.Err() != nil {
					return // it was interrupted: that is no attempt
				}
				mu.Lock()
				outcomes, log = append(outcomes, outcome), append(log, a)
				mu.Unlock()
				if outcome.Result == events.Later {
					return
				}
			}
		})
	}
	busy.Wait()
	return outcomes, log
}

// deliver sends one message.
func (s *Service) deliver(ctx context.Context, e Endpoint, m events.Message) (events.Outcome, Attempt) {
	o := events.Outcome{DeliveryID: m.ID, Result: events.Done}
	body, err := bodyOf(m.Event)
	if err != nil {
		o.Result, o.Reason, o.Detail = events.GaveUp, "invalid_data", events.Cut(err.Error(), events.MaxDetail)
		a := s.attempt(e, m, answer{err: err})
		a.Result = events.GaveUp
		return o, a
	}
	got := s.sendTraced(ctx, e, m, body)
	a := s.attempt(e, m, got)
	if got.err == nil {
		return o, a
	}
	now := s.clock.Now()
	o.Result, o.Reason, o.Detail = events.Later, "failed", a.Error
	wait := events.Backoff(m.Attempts+1, 5*time.Second, maxWait, s.opts.Jitter())
	o.DueAt = now.Add(max(wait, got.after))
	if now.Sub(m.QueuedAt) >= s.opts.GiveUpAfter {
		o.Result, o.Reason, o.DueAt = events.GaveUp, "too_long", time.Time{}
	}
	a.Result = o.Result
	return o, a
}

// sendTraced sends a message, in a span if there is a tracer. The span has no URL,
// since that may have credentials.
func (s *Service) sendTraced(ctx context.Context, e Endpoint, m events.Message, body []byte) answer {
	if s.opts.Tracer == nil {
		return s.send(ctx, e, messageID(m.Event), body)
	}
	ctx, span := s.opts.Tracer.Start(ctx, affiliate.SpanClient, "webhook "+m.Event.Kind,
		slog.Int64("affiliatekit.endpoint", e.ID), slog.Int("affiliatekit.attempt", m.Attempts+1))
	defer span.End()
	got := s.send(ctx, e, messageID(m.Event), body)
	if got.code != 0 {
		span.Set(slog.Int("http.response.status_code", got.code))
	}
	if got.err != nil {
		span.Fail("failed")
	}
	return got
}

// note writes the log down, and since when the endpoint fails. One that failed
// for too long is disabled, and one that says that it is gone.
func (s *Service) note(ctx context.Context, before Endpoint, log []Attempt, gone bool) error {
	if len(log) == 0 {
		return nil
	}
	failed := true
	for _, a := range log {
		failed = failed && a.Result != events.Done
	}
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.WebhookAttempts().Add(ctx, log...); err != nil {
			return err
		}
		now := s.clock.Now()
		e, err := tx.WebhookEndpoints().Get(ctx, before.ID)
		if err != nil || e.Status != Active {
			return err
		}
		since := e.FailingSince
		switch {
		case !failed:
			e.FailingSince = time.Time{}
		case since.IsZero():
			e.FailingSince = now
		}
		reason := ""
		switch {
		case gone:
			reason = "gone"
		case !e.FailingSince.IsZero() && now.Sub(e.FailingSince) >= s.opts.DisableAfter:
			reason = "failing"
		case e.FailingSince.Equal(since):
			return nil
		default:
			return tx.WebhookEndpoints().Put(ctx, e)
		}
		list, err := tx.EventConsumers().GetMany(ctx, []int64{e.ID})
		if err != nil || len(list) == 0 {
			return err
		}
		if err := disable(reason)(&e, &list[0], now); err != nil {
			return err
		}
		e.UpdatedAt = now
		if _, err := tx.EventConsumers().Put(ctx, list[0]); err != nil {
			return err
		}
		return s.save(ctx, tx, e, list[0].Filter, EventDisabled)
	})
}
