package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
)

// Status says whether an endpoint gets events.
type Status string

// The states of an endpoint.
const (
	Active   Status = "active"
	Disabled Status = "disabled" // it gets no events until it is enabled again
)

// Statuses lists every state.
func Statuses() []Status { return []Status{Active, Disabled} }

// The bounds of what is kept, in characters.
const (
	MaxURL         = 2048
	MaxDescription = 255
	MaxSecret      = 128
	MaxError       = 255
)

// Endpoint is where the host wants events to be sent.
type Endpoint struct {
	ID          int64 // of its consumer
	URL         string
	Description string
	// Secret signs what is sent: "whsec_" and 24 to 64 bytes in base64.
	Secret string
	// Previous signs too until PreviousUntil, so that receivers can change keys
	// without missing anything.
	Previous      string
	PreviousUntil time.Time
	Status        Status
	// FailingSince is when the first of the attempts failed that failed since the
	// last success; zero when the last one succeeded.
	FailingSince time.Time
	DisabledAt   time.Time
	Reason       string // why it is disabled: "failing", "gone" or "by_hand"
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Validate checks what every backend refuses.
func (e Endpoint) Validate() error {
	var v affiliate.Validation
	v.Text("url", e.URL, 1, MaxURL)
	v.Text("description", e.Description, 0, MaxDescription)
	v.Text("secret", e.Secret, 1, MaxSecret)
	v.Text("previous_secret", e.Previous, 0, MaxSecret)
	v.Check(e.Status == Active || e.Status == Disabled, "status", "invalid", "must be active or disabled")
	v.Text("reason", e.Reason, 0, 64)
	return v.Err("webhook_endpoint")
}

// keys are the keys that sign at a time, the present one first.
func (e Endpoint) keys(now time.Time) [][]byte {
	secrets := []string{e.Secret}
	if e.Previous != "" && now.Before(e.PreviousUntil) {
		secrets = append(secrets, e.Previous)
	}
	var keys [][]byte
	for _, s := range secrets {
		if key, err := keyOf(s); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

const secretPrefix = "whsec_"

// keyOf returns the key of a secret.
func keyOf(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, affiliate.Invalid("webhook_endpoint", affiliate.FieldError{
			Field: "secret", Code: "invalid", Message: `must be "whsec_" and 24 to 64 bytes in base64`})
	}
	return key, nil
}

// sign is the signature of one key.
func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// checkURL refuses what is never sent to. Whether the address behind the name may
// be reached is decided when it is dialled.
func (s *Service) checkURL(v *affiliate.Validation, text string) {
	u, err := url.Parse(text)
	ok := err == nil && u.Host != "" && u.User == nil && u.Fragment == ""
	v.Check(ok && (u.Scheme == "https" || u.Scheme == "http" && s.opts.AllowHTTP), "url", "invalid_url", "must be an https URL without user and fragment")
	if !ok {
		return
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		v.Check(s.opts.Allow(addr.Unmap()), "url", "forbidden_address", "must not be a private, link-local or other special address")
	}
}

// Result is what became of an attempt.
type Result = events.Result

// Attempt is one request to an endpoint, as its log has it.
type Attempt struct {
	ID         int64 // counted by the backend
	EndpointID int64
	Sequence   int64  // of the event; 0 for a test
	Kind       string // of the event; "webhook.test" for a test
	Number     int    // which attempt of this event it is, from 1
	At         time.Time
	Took       time.Duration // to the microsecond
	StatusCode int           // of the response; 0 when there was none
	Result     Result
	Error      string // what went wrong, at most MaxError characters
}

// Validate checks what every backend refuses.
func (a Attempt) Validate() error {
	var v affiliate.Validation
	v.Text("kind", a.Kind, 1, 64)
	v.Check(a.Sequence >= 0, "sequence", "out_of_range", "must not be negative")
	v.Check(!a.At.IsZero(), "at", "required", "is required")
	v.Check(a.Result == events.Done || a.Result == events.Later || a.Result == events.GaveUp, "result", "invalid", "must be done, later or gave_up")
	v.Text("error", a.Error, 0, MaxError)
	return v.Err("webhook_attempt")
}

// The kinds of this package's events.
var (
	EventCreated  = affiliate.EventKind{Name: "webhook_endpoint.created", Version: 1, Object: "webhook_endpoint", When: "A webhook endpoint was added. Secrets are in no event."}
	EventUpdated  = affiliate.EventKind{Name: "webhook_endpoint.updated", Version: 1, Object: "webhook_endpoint", When: "A webhook endpoint was changed, or got a new secret."}
	EventDisabled = affiliate.EventKind{Name: "webhook_endpoint.disabled", Version: 1, Object: "webhook_endpoint", When: "A webhook endpoint gets no more events: it failed for too long, it is gone, or it was disabled by hand.", Payload: DisabledPayload{}}
	EventEnabled  = affiliate.EventKind{Name: "webhook_endpoint.enabled", Version: 1, Object: "webhook_endpoint", When: "A webhook endpoint gets events again."}
	EventDeleted  = affiliate.EventKind{Name: "webhook_endpoint.deleted", Version: 1, Object: "webhook_endpoint", When: "A webhook endpoint was taken out."}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{EventCreated, EventUpdated, EventDisabled, EventEnabled, EventDeleted}
}

// DisabledPayload says why: "failing", "gone" or "by_hand".
type DisabledPayload struct {
	Reason string `json:"reason"`
}
