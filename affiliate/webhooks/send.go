package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// message is the body of a webhook: type, timestamp and data are those of
// Standard Webhooks. Its bytes depend on the event alone, so that a repetition is
// equal to the first.
type message struct {
	Type         string          `json:"type"`
	Version      int             `json:"version"`
	Timestamp    time.Time       `json:"timestamp"`
	Sequence     int64           `json:"sequence,omitempty"`
	AdvertiserID int64           `json:"advertiser_id,omitempty"`
	ClientID     int64           `json:"client_id,omitempty"`
	Object       object          `json:"object"`
	Data         json.RawMessage `json:"data"`
}

type object struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func bodyOf(e affiliate.Event) ([]byte, error) {
	data := json.RawMessage(e.Data)
	if e.Data == "" {
		data = json.RawMessage("{}")
	}
	return json.Marshal(message{
		Type: e.Kind, Version: e.Version, Timestamp: e.At.UTC(), Sequence: e.Sequence, AdvertiserID: e.AdvertiserID, ClientID: e.ClientID,
		Object: object{e.Object.Type, e.Object.ID}, Data: data,
	})
}

// messageID is the id of an event's message: the same for each attempt.
func messageID(e affiliate.Event) string { return "evt_" + strconv.FormatInt(e.Sequence, 10) }

// Request is a message on its way to an endpoint.
type Request struct {
	URL       string
	UserAgent string
	ID        string // of the message, for HeaderID
	Timestamp string // for HeaderTimestamp
	Signature string // for HeaderSignature
	Body      []byte
}

// Response is what came of a Request.
type Response struct {
	StatusCode int           // 0 when there was no response
	RetryAfter time.Duration // how long the endpoint asks to be left alone; 0: it does not ask
	// Err is nil when the endpoint took the message. Its text is kept in the log of
	// attempts, so that it must not have the URL, which may hold credentials.
	Err error
}

// Sender makes requests over HTTP: a POST with the content type application/json.
// Package delivery has the one that hosts use. It must keep to Options.Allow and
// Options.Timeout, and is used by many goroutines at once.
type Sender interface {
	Send(ctx context.Context, r Request) Response
}

// errNoSender is the error of a service that cannot send.
var errNoSender = errors.New("webhooks: Options.Sender is missing: make the service with delivery.NewService, or by affiliatekit.New")

// answer is what came of a request.
type answer struct {
	code  int
	after time.Duration // Retry-After; 0: none
	took  time.Duration
	err   error // nil: delivered
}

// send makes one request.
func (s *Service) send(ctx context.Context, e Endpoint, id string, body []byte) answer {
	began := time.Now()
	a := s.request(ctx, e, id, body)
	a.took = time.Since(began).Truncate(time.Microsecond)
	return a
}

func (s *Service) request(ctx context.Context, e Endpoint, id string, body []byte) answer {
	now := s.clock.Now()
	timestamp := strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, key := range e.keys(now) {
		signatures = append(signatures, sign(key, id, timestamp, body))
	}
	r := s.opts.Sender.Send(ctx, Request{
		URL: e.URL, UserAgent: s.opts.UserAgent, ID: id, Timestamp: timestamp, Signature: strings.Join(signatures, " "), Body: body,
	})
	return answer{code: r.StatusCode, after: min(max(r.RetryAfter, 0), maxWait), err: r.Err}
}
