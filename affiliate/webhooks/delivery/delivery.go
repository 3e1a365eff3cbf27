package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/outbound"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
)

// NewService returns the service of webhooks with a sender of this package, unless
// the options have another one.
func NewService(store webhooks.Store, bus events.Store, o webhooks.Options) (*webhooks.Service, error) {
	if o.Sender == nil {
		o.Sender = New(o)
	}
	return webhooks.NewService(store, bus, o)
}

// New returns a sender. Of the options it uses Allow, Resolver and Timeout.
func New(o webhooks.Options) webhooks.Sender {
	return sender{outbound.NewClient(outbound.Options{Timeout: o.Timeout, Allow: o.Allow, Resolver: o.Resolver})}
}

type sender struct{ client *http.Client }

// maxRetryAfter bounds what an endpoint may ask for, in seconds.
const maxRetryAfter = 1 << 20

// Send implements [webhooks.Sender].
func (s sender) Send(ctx context.Context, r webhooks.Request) webhooks.Response {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return webhooks.Response{Err: errors.New("the URL is invalid")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", r.UserAgent)
	req.Header.Set(webhooks.HeaderID, r.ID)
	req.Header.Set(webhooks.HeaderTimestamp, r.Timestamp)
	req.Header.Set(webhooks.HeaderSignature, r.Signature)
	resp, err := s.client.Do(req)
	if err != nil {
		return webhooks.Response{Err: plain(err)}
	}
	defer func() { _ = resp.Body.Close() }() // it is not read any further
	if _, err := io.CopyN(io.Discard, resp.Body, 64<<10); err != nil && !errors.Is(err, io.EOF) {
		return webhooks.Response{StatusCode: resp.StatusCode, Err: plain(err)}
	}
	out := webhooks.Response{StatusCode: resp.StatusCode}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		out.Err = fmt.Errorf("the endpoint responded with status %d", resp.StatusCode)
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			out.RetryAfter = time.Duration(min(seconds, maxRetryAfter)) * time.Second
		}
	}
	return out
}

// plain returns an error without the URL, which may have credentials in its query.
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
		return errors.New(events.Cut(wrapped.Unwrap().Error(), webhooks.MaxError))
	}
	return errors.New("the request failed")
}
