// Package rest is the HTTP client that the drivers share: JSON in and out, a
// token, an allowance that is asked before each call, and failures in the terms
// of package adsync.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// maxAnswer bounds an answer: the services' own limit for a page is below it.
const maxAnswer = 64 << 20

// Client calls a service. It is safe for concurrent use.
type Client struct {
	Base     string // without a trailing slash
	HTTP     *http.Client
	Token    oauth2.TokenSource
	Clock    affiliate.Clock
	Timeout  time.Duration // of one call
	Throttle *adsync.Throttle
}

// New checks what all drivers need and completes it.
func New(base string, c *http.Client, token oauth2.TokenSource, clock affiliate.Clock, timeout, window time.Duration) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("the base URL must be http:// or https:// with a host")
	}
	if token == nil {
		return nil, errors.New("a token source is required")
	}
	if c == nil {
		c = &http.Client{}
	}
	own := *c
	// A redirect would carry the token to another place.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if timeout <= 0 {
		timeout = time.Minute
	}
	if clock == nil {
		clock = affiliate.SystemClock
	}
	return &Client{
		Base: strings.TrimRight(base, "/"), HTTP: &own, Token: token, Clock: clock, Timeout: timeout, Throttle: adsync.NewThrottle(clock, window),
	}, nil
}

// Call is one request.
type Call struct {
	Key    string // whose allowance it counts against
	Method string
	Path   string // behind the base, with a leading slash
	Query  url.Values
	Header http.Header
	Form   url.Values // the body, or
	JSON   any        // the body
	// Safe says that the call changes nothing: its failure is no unknown result.
	Safe bool
}

// Answer is what the service sent back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes a call. A failure means that there is no answer to read.
func (c *Client) Do(ctx context.Context, call Call) (Answer, *adsync.Failure) {
	if wait := c.Throttle.Wait(call.Key); wait > 0 {
		return Answer{}, &adsync.Failure{
			Code: adsync.CodeRateLimited, Detail: "The allowance of the ad account is used up for now.",
			Retryable: true, Throttled: true, RetryAfter: wait, Unapplied: true,
		}
	}
	if ctx.Err() != nil {
		return Answer{}, NotSent()
	}
	token, err := c.Token.Token()
	if err != nil {
		return Answer{}, TokenFailure(err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	req, err := c.request(ctx, call)
	if err != nil {
		return Answer{}, &adsync.Failure{Code: adsync.CodeInvalid, Detail: err.Error(), Unapplied: true}
	}
	token.SetAuthHeader(req)
	res, err := c.HTTP.Do(req)
	if err != nil {
		return Answer{}, lost(call, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, lost(call, err)
	case len(body) > maxAnswer:
		return Answer{}, &adsync.Failure{Code: adsync.CodeBadAnswer, Detail: "The answer is too long.", Retryable: true}
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	target := c.Base + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	var body io.Reader
	kind := ""
	switch {
	case call.Form != nil:
		body, kind = strings.NewReader(call.Form.Encode()), "application/x-www-form-urlencoded"
	case call.JSON != nil:
		text, err := json.Marshal(call.JSON)
		if err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(text), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, target, body)
	if err != nil {
		return nil, err
	}
	for name, values := range call.Header {
		req.Header[name] = values
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// NotSent is the failure of an operation whose time was over before it was sent.
func NotSent() *adsync.Failure {
	return &adsync.Failure{Code: adsync.CodeNotSent, Detail: "The time of the worker was over.", Retryable: true, Unapplied: true}
}

// lost is the failure of a call without an answer. The error's text is not told:
// it may hold the address with what is secret in it.
func lost(call Call, err error) *adsync.Failure {
	f := &adsync.Failure{Code: adsync.CodeUnknownResult, Detail: "The answer of the service was lost.", Retryable: true}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		f.Detail = "The service did not answer in time."
	}
	if call.Safe {
		f.Code = adsync.CodeUnavailable
	}
	return f
}

// TokenFailure is what became of a call for which there was no token.
func TokenFailure(err error) *adsync.Failure {
	f := &adsync.Failure{Code: adsync.CodeUnavailable, Detail: "The token could not be had.", Retryable: true, Unapplied: true}
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode/100 == 4 && refused.Response.StatusCode != http.StatusTooManyRequests {
		f.Code, f.Retryable, f.Detail = adsync.CodeCredentials, false, "The token was refused. Authorize the ad account again."
	}
	return f
}

// RetryAfter reads the header: seconds or a date; 0 without one.
func (c *Client) RetryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if s, err := strconv.Atoi(text); err == nil && s >= 0 && s <= 7*24*3600 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(c.Clock.Now()), 0), 7*24*time.Hour)
	}
	return 0
}

// Status is the failure of an answer by its status alone, for answers without a
// body that says more. It is nil for 2xx.
func (c *Client) Status(key string, a Answer) *adsync.Failure {
	switch {
	case a.Status/100 == 2:
		return nil
	case a.Status == http.StatusTooManyRequests:
		wait := c.RetryAfter(a.Header)
		c.Throttle.Stop(key, wait)
		return &adsync.Failure{
			Code: adsync.CodeRateLimited, Detail: "The service asks to wait.", Retryable: true, Throttled: true,
			RetryAfter: max(wait, c.Throttle.Wait(key)), Unapplied: true,
		}
	case a.Status/100 == 5:
		return &adsync.Failure{Code: adsync.CodeUnavailable, Detail: "The service failed with " + strconv.Itoa(a.Status) + ".", Retryable: true, RetryAfter: c.RetryAfter(a.Header)}
	case a.Status == http.StatusUnauthorized:
		return &adsync.Failure{Code: adsync.CodeCredentials, Detail: "The token is not accepted. Authorize the ad account again.", Unapplied: true}
	case a.Status == http.StatusForbidden:
		return &adsync.Failure{Code: adsync.CodePermission, Detail: "The token may not do this.", Unapplied: true}
	case a.Status == http.StatusNotFound:
		return &adsync.Failure{Code: adsync.CodeGone, Detail: "The service has no such thing.", Unapplied: true}
	case a.Status/100 == 4:
		return &adsync.Failure{Code: adsync.CodeInvalid, Detail: "The service refused the request with " + strconv.Itoa(a.Status) + ".", Unapplied: true}
	}
	return &adsync.Failure{Code: adsync.CodeBadAnswer, Detail: "The service returned the status " + strconv.Itoa(a.Status) + ".", Retryable: true}
}
