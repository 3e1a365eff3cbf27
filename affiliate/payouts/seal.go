package payouts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Key is a secret of the host that personal data is encrypted with.
type Key struct {
	ID     string // 1..32 characters, kept beside what it encrypts
	Secret []byte // 32 random bytes: AES-256
}

// Sealed is data under a key of the host: AES-256-GCM, the nonce in front. With
// an empty KeyID the data is not encrypted: the host gave no key, and nothing
// in it is more than the user's own record says.
type Sealed struct {
	KeyID string
	Data  []byte
}

const maxSealed = 16 << 10

func (s Sealed) validate() error {
	var v affiliate.Validation
	v.Text("key_id", s.KeyID, 0, 32)
	v.Check(len(s.Data) <= maxSealed, "data", "too_long", "must be at most 16384 bytes")
	return v.Err("sealed")
}

// keyring seals with the first of its keys and opens with any of them.
type keyring struct {
	current string
	ciphers map[string]cipher.AEAD
	random  io.Reader
}

func newKeyring(keys []Key, random io.Reader) (*keyring, error) {
	if random == nil {
		random = rand.Reader
	}
	ring := &keyring{ciphers: make(map[string]cipher.AEAD, len(keys)), random: random}
	for i, k := range keys {
		if k.ID == "" || len(k.ID) > 32 {
			return nil, errors.New("payouts: Options.Keys: each ID must be 1..32 bytes")
		}
		if len(k.Secret) != 32 {
			return nil, fmt.Errorf("payouts: Options.Keys: the secret of %q must be 32 bytes", k.ID)
		}
		if _, twice := ring.ciphers[k.ID]; twice {
			return nil, fmt.Errorf("payouts: Options.Keys: %q is there twice", k.ID)
		}
		block, err := aes.NewCipher(k.Secret)
		if err != nil {
			return nil, fmt.Errorf("payouts: Options.Keys: %w", err)
		}
		if ring.ciphers[k.ID], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("payouts: Options.Keys: %w", err)
		}
		if i == 0 {
			ring.current = k.ID
		}
	}
	return ring, nil
}

// empty reports whether the host gave no key.
func (r *keyring) empty() bool { return r.current == "" }

// seal encrypts a value as JSON for one place, so that data moved to another
// row does not open. Without keys it stays plain.
func (r *keyring) seal(place string, value any) (Sealed, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return Sealed{}, fmt.Errorf("payouts: seal: %w", err)
	}
	if r.empty() {
		return Sealed{Data: plain}, nil
	}
	aead := r.ciphers[r.current]
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := io.ReadFull(r.random, nonce); err != nil {
		return Sealed{}, affiliate.Unavailable(err)
	}
	return Sealed{KeyID: r.current, Data: aead.Seal(nonce, nonce, plain, []byte(place))}, nil
}

// open is the opposite of seal. Data under a key that is not there, or that
// somebody changed, is ErrUnavailable: the host must bring the key back.
func (r *keyring) open(place string, s Sealed, value any) error {
	plain := s.Data
	if s.KeyID != "" {
		aead, ok := r.ciphers[s.KeyID]
		if !ok {
			return affiliate.Unavailable(fmt.Errorf("payouts: Options.Keys has no key %q", s.KeyID))
		}
		if len(s.Data) < aead.NonceSize() {
			return affiliate.Unavailable(errors.New("payouts: sealed data is cut off"))
		}
		var err error
		if plain, err = aead.Open(nil, s.Data[:aead.NonceSize()], s.Data[aead.NonceSize():], []byte(place)); err != nil {
			return affiliate.Unavailable(fmt.Errorf("payouts: sealed data under key %q: %w", s.KeyID, err))
		}
	}
	if err := json.Unmarshal(plain, value); err != nil {
		return affiliate.Unavailable(fmt.Errorf("payouts: sealed data: %w", err))
	}
	return nil
}
