package open

import (
	"testing"

	"pgregory.net/rapid"
)

func TestKeysComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-z0-9][a-z0-9._-]{0,40}`).Draw(t, "key")
		if got, ok := DecodeKey(EncodeKey(key)); !ok || got != key {
			t.Fatalf("%q came back as %q, %v", key, got, ok)
		}
	})
}

func TestTextsThatAreNoKeysAreRefused(t *testing.T) {
	for _, s := range []string{"", "=", "!", "x", "AA==", "_w==", "a b"} {
		if key, ok := DecodeKey(s); ok {
			t.Errorf("%q is taken for the key %q", s, key)
		}
	}
}
