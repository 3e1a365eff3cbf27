package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/outbound"
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

// Public reports whether an address is one of the public internet: see outbound.Public.
func Public(a netip.Addr) bool { return outbound.Public(a) }

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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return answer{err: errors.New("the URL is invalid")}
	}
	now := s.clock.Now()
	timestamp := strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, key := range e.keys(now) {
		signatures = append(signatures, sign(key, id, timestamp, body))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.opts.UserAgent)
	req.Header.Set(HeaderID, id)
	req.Header.Set(HeaderTimestamp, timestamp)
	req.Header.Set(HeaderSignature, strings.Join(signatures, " "))
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{err: plain(err)}
	}
	defer func() { _ = resp.Body.Close() }() // it is not read any further
	if _, err := io.CopyN(io.Discard, resp.Body, 64<<10); err != nil && !errors.Is(err, io.EOF) {
		return answer{code: resp.StatusCode, err: plain(err)}
	}
	a := answer{code: resp.StatusCode}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		a.err = fmt.Errorf("the endpoint responded with status %d", resp.StatusCode)
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			a.after = min(time.Duration(min(seconds, 1<<20))*time.Second, maxWait)
		}
	}
	return a
}

// plain is an error without the URL, which may have credentials in its query.
func plain(err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		return outbound.ErrForbidden
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("the endpoint did not respond in time")
	}
	var wrapped interface{ Unwrap() error }
	if errors.As(err, &wrapped) && wrapped.Unwrap() != nil {
		return errors.New(events.Cut(wrapped.Unwrap().Error(), MaxError))
	}
	return errors.New("the request failed")
}
