package affiliate

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

// HashSecret is what is kept of a secret.
func HashSecret(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// NewSecret returns 192 random bits, as 32 characters that need no escaping.
func NewSecret(random io.Reader) (string, error) {
	var b [24]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("affiliate: no randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}
