// Package secrets makes secrets.
package secrets

import (
	"encoding/base64"
	"fmt"
	"io"
)

// New returns 192 random bits, as 32 characters that need no escaping.
func New(random io.Reader) (string, error) {
	var b [24]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("affiliate: no randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}
