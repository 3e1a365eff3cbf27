package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Verifier. Issuer and Audience are required.
type Options struct {
	// Issuer is the provider, exactly as its tokens name it in "iss".
	Issuer string
	// Audience must be among those that a token is for ("aud").
	Audience string
	// JWKSURL is where the provider's keys are. Default: what the provider's
	// discovery document says; New then fails while the provider is down.
	JWKSURL string
	// Algorithms that a signature may be made by. Default: RS256, ES256 and
	// EdDSA. Only asymmetric ones are allowed.
	Algorithms []string
	// ClockSkew is how far the provider's clock may be from ours, at most 5 min.
	// Default: 1 min. Negative: 0.
	ClockSkew time.Duration
	// Refresh is how often the keys are read again. Default: 1 h.
	Refresh time.Duration
	// UnknownKeyInterval is the least time between two requests that tokens with
	// unknown keys cause. Default: 15 s.
	UnknownKeyInterval time.Duration
	// Timeout bounds a request to the provider. Default: 5 s.
	Timeout time.Duration
	// Transport makes the requests. Default: http.DefaultTransport.
	Transport http.RoundTripper
	Clock     affiliate.Clock // default: affiliate.SystemClock
	Logger    *slog.Logger    // default: slog.Default()
}

// asymmetric are the algorithms whose verification key may be public.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

const (
	maxClockSkew = 5 * time.Minute
	maxDocument  = 1 << 20 // bytes of what the provider answers
)

func (o Options) withDefaults() (Options, error) {
	if o.Issuer == "" || o.Audience == "" {
		return o, errors.New("oidc: Options.Issuer and Options.Audience are required")
	}
	for _, u := range []string{o.Issuer, o.JWKSURL} {
		if parsed, err := url.Parse(u); u != "" && (err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "") {
			return o, fmt.Errorf("oidc: %q must be an http or https URL", u)
		}
	}
	if o.Algorithms == nil {
		o.Algorithms = []string{"RS256", "ES256", "EdDSA"}
	}
	o.Algorithms = slices.Clone(o.Algorithms)
	for _, a := range o.Algorithms {
		if !slices.Contains(asymmetric, a) {
			return o, fmt.Errorf("oidc: Options.Algorithms must be among %s, not %q", strings.Join(asymmetric, ", "), a)
		}
	}
	if o.ClockSkew == 0 {
		o.ClockSkew = time.Minute
	}
	o.ClockSkew = max(o.ClockSkew, 0)
	if o.ClockSkew > maxClockSkew {
		return o, errors.New("oidc: Options.ClockSkew must be at most 5 min")
	}
	for _, d := range []struct {
		value *time.Duration
		unset time.Duration
	}{{&o.Refresh, time.Hour}, {&o.UnknownKeyInterval, 15 * time.Second}, {&o.Timeout, 5 * time.Second}} {
		if *d.value < 0 {
			return o, errors.New("oidc: durations must not be negative")
		}
		if *d.value == 0 {
			*d.value = d.unset
		}
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, nil
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	parser *jwt.Parser
	keys   keyfunc.Keyfunc
}

// New returns a verifier and reads the provider's keys. One goroutine reads
// them again from time to time until the context ends. When the keys cannot be
// read the verifier starts without any and reads them when the first token
// comes.
func New(ctx context.Context, o Options) (*Verifier, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	client := &http.Client{
		Transport: bounded{o.Transport},
		Timeout:   o.Timeout,
		// Keys come from where the host said, and from nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.JWKSURL == "" {
		if o.JWKSURL, err = discover(ctx, client, o.Issuer); err != nil {
			return nil, fmt.Errorf("oidc: discovery document of %s: %w", o.Issuer, err)
		}
	}
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{o.JWKSURL}, keyfunc.Override{
		Client:      client,
		HTTPTimeout: o.Timeout,
		// A token that would wait longer than a request takes is refused at once.
		RateLimitWaitMax:  o.Timeout,
		RefreshInterval:   o.Refresh,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(max(o.UnknownKeyInterval, 2*o.Timeout)), 1),
		RefreshErrorHandlerFunc: func(u string) func(context.Context, error) {
			return func(ctx context.Context, err error) {
				o.Logger.WarnContext(ctx, "keys of the OpenID provider not read, the known ones stay", "url", u, "error", err)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	return &Verifier{keys: keys, parser: jwt.NewParser(
		jwt.WithValidMethods(o.Algorithms), jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(o.ClockSkew), jwt.WithTimeFunc(o.Clock.Now),
	)}, nil
}

// claims are those of a token that are read.
type claims struct {
	jwt.RegisteredClaims
	Email         string `json:"email"`
	EmailVerified truth  `json:"email_verified"`
}

// truth is a boolean, which some providers send as text. What is neither true
// nor absent is false.
type truth struct{ set, value bool }

// UnmarshalJSON reads it.
func (t *truth) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	*t = truth{set: text != "null", value: text == "true"}
	return nil
}

// Verify returns the session that a token stands for. Every token that is not
// good is an error of kind affiliate.ErrUnauthenticated, with the reason in it
// for the log.
func (v *Verifier) Verify(ctx context.Context, token string) (affiliate.Session, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		if _, critical := t.Header["crit"]; critical {
			return nil, errors.New("oidc: a critical header field is not known")
		}
		return v.keys.KeyfuncCtx(ctx)(t)
	})
	switch {
	case err != nil:
	case c.Subject == "" || utf8.RuneCountInString(c.Subject) > 255 || !text(c.Subject):
		err = errors.New("oidc: the subject must be 1 to 255 characters")
	}
	if err != nil {
		return affiliate.Session{}, affiliate.Unauthenticated(err)
	}
	s := affiliate.Session{Subject: c.Subject, Email: affiliate.NormalizeEmail(c.Email), Unverified: c.EmailVerified.set && !c.EmailVerified.value}
	if !affiliate.ValidEmail(s.Email) || len(s.Email) > 254 || !text(s.Email) {
		s.Email = ""
	}
	return s, nil
}

// text reports whether every backend can keep it.
func text(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// discover returns where the provider says that its keys are.
func discover(ctx context.Context, client *http.Client, issuer string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }() // it was read, or its error is told
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", response.StatusCode)
	}
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		return "", err
	}
	if document.Issuer != issuer {
		return "", fmt.Errorf("it is of another issuer, %q", document.Issuer)
	}
	if u, err := url.Parse(document.JWKSURI); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("jwks_uri %q is no http or https URL", document.JWKSURI)
	}
	return document.JWKSURI, nil
}

// bounded cuts answers after maxDocument bytes: a cut document is no JSON.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err == nil {
		body := response.Body
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(body, maxDocument), body}
	}
	return response, err
}
