package webhooks

import (
	"crypto/hmac"
	"errors"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Tolerance is how far a message's time may be from the receiver's.
const Tolerance = 5 * time.Minute

// ErrUnverified is the error of a message that is not signed with one of the
// secrets, or not now.
var ErrUnverified = errors.New("webhooks: the message is not signed with a known secret, or too old")

// Verify checks, for a receiver, that a message was signed with one of the
// secrets at about now. Body are the bytes as they came in. The header webhook-id
// tells a message that is repeated: ignore one that was handled already. It works
// for every sender that keeps to Standard Webhooks. The header is usually that of
// an http.Request.
func Verify(secrets []string, header interface{ Get(name string) string }, body []byte, now time.Time) error {
	id, timestamp := header.Get(HeaderID), header.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil || strconv.FormatInt(seconds, 10) != timestamp {
		return ErrUnverified
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return ErrUnverified
	}
	for _, secret := range secrets {
		key, err := keyOf(secret)
		if err != nil {
			return err
		}
		want := sign(key, id, timestamp, body)
		for _, got := range strings.Fields(header.Get(HeaderSignature)) {
			if hmac.Equal([]byte(got), []byte(want)) {
				return nil
			}
		}
	}
	return ErrUnverified
}
