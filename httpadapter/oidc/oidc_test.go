package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/oidc"
)

const audience = "affiliate"

var now = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// provider is an OpenID provider whose keys the test turns around.
type provider struct {
	*httptest.Server
	mu      sync.Mutex
	keys    map[string]*rsa.PrivateKey
	fetches atomic.Int64
	hang    atomic.Bool
	down    atomic.Bool
	release chan struct{}
}

func newProvider(t testing.TB) *provider {
	p := &provider{keys: map[string]*rsa.PrivateKey{}, release: make(chan struct{})}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(func() {
		close(p.release)
		p.Close()
	})
	p.add(t, "k1")
	return p
}

func (p *provider) add(t testing.TB, kid string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[kid] = key
}

func (p *provider) remove(kid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, kid)
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/.well-known/openid-configuration" {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": p.URL, "jwks_uri": p.URL + "/keys"})
		return
	}
	p.fetches.Add(1)
	if p.hang.Load() {
		select {
		case <-p.release:
		case <-r.Context().Done():
		}
		return
	}
	if p.down.Load() {
		http.Error(w, "down", http.StatusInternalServerError)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	for kid, key := range p.keys {
		set.Keys = append(set.Keys, map[string]string{
			"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		})
	}
	_ = json.NewEncoder(w).Encode(set)
}

// token signs a good token, changed.
func (p *provider) token(t testing.TB, kid string, change func(*jwt.Token, jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": p.URL, "aud": []string{"other", audience}, "sub": "ory-1", "email": "Anna@Example.com",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = kid
	if change != nil {
		change(token, claims)
	}
	p.mu.Lock()
	var key any = p.keys[kid]
	p.mu.Unlock()
	switch token.Method {
	case jwt.SigningMethodNone:
		key = jwt.UnsafeAllowNoneSignatureType
	case jwt.SigningMethodHS256: // the public key as the secret
		der, err := x509.MarshalPKIXPublicKey(&p.keys[kid].PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		key = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	case jwt.SigningMethodES256:
		ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key = ec
	}
	if key == (*rsa.PrivateKey)(nil) { // a key that the provider does not have
		forged, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		key = forged
	}
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *provider) verifier(t testing.TB, change func(*oidc.Options)) *oidc.Verifier {
	t.Helper()
	o := oidc.Options{
		Issuer: p.URL, Audience: audience, JWKSURL: p.URL + "/keys", Timeout: 200 * time.Millisecond, UnknownKeyInterval: time.Hour,
		Clock: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	v, err := oidc.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAGoodTokenIsASession(t *testing.T) {
	is := is.New(t)
	p := newProvider(t)
	v := p.verifier(t, func(o *oidc.Options) { o.JWKSURL = "" }) // from the discovery document
	s, err := v.Verify(t.Context(), p.token(t, "k1", nil))
	is.NoErr(err)
	is.Equal(s, affiliate.Session{Subject: "ory-1", Email: "anna@example.com"})
	for value, unverified := range map[any]bool{true: false, "true": false, false: true, "false": true, "yes": true, nil: false} {
		s, err = v.Verify(t.Context(), p.token(t, "k1", func(_ *jwt.Token, c jwt.MapClaims) { c["email_verified"] = value }))
		is.NoErr(err)
		is.Equal(s.Unverified, unverified) // value
	}
	for _, email := range []any{"", "nobody", "a@b\x00", strings.Repeat("a", 254) + "@b"} {
		s, err = v.Verify(t.Context(), p.token(t, "k1", func(_ *jwt.Token, c jwt.MapClaims) { c["email"] = email }))
		is.NoErr(err)
		is.Equal(s.Email, "")
	}
	is.Equal(p.fetches.Load(), int64(1)) // the keys are kept
}

func TestBadTokensAreRefused(t *testing.T) {
	p := newProvider(t)
	v := p.verifier(t, nil)
	claim := func(name string, value any) func(*jwt.Token, jwt.MapClaims) {
		return func(_ *jwt.Token, c jwt.MapClaims) {
			if value == nil {
				delete(c, name)
			} else {
				c[name] = value
			}
		}
	}
	method := func(m jwt.SigningMethod) func(*jwt.Token, jwt.MapClaims) {
		return func(t *jwt.Token, _ jwt.MapClaims) { t.Method, t.Header["alg"] = m, m.Alg() }
	}
	for name, change := range map[string]func(*jwt.Token, jwt.MapClaims){
		"expired":              claim("exp", now.Add(-time.Minute-time.Second).Unix()),
		"without an expiry":    claim("exp", nil),
		"not yet valid":        claim("nbf", now.Add(time.Minute+2*time.Second).Unix()),
		"issued in the future": claim("iat", now.Add(time.Minute+2*time.Second).Unix()),
		"another issuer":       claim("iss", "https://evil.example"),
		"without an issuer":    claim("iss", nil),
		"another audience":     claim("aud", "other"),
		"without an audience":  claim("aud", nil),
		"without a subject":    claim("sub", nil),
		"a long subject":       claim("sub", strings.Repeat("s", 256)),
		"a NUL in the subject": claim("sub", "a\x00b"),
		"a number as subject":  claim("sub", 7),
		"alg none":             method(jwt.SigningMethodNone),
		"an RS256 key as HMAC": method(jwt.SigningMethodHS256),
		"another algorithm":    method(jwt.SigningMethodES256),
		"not in the allowlist": method(jwt.SigningMethodRS512),
		"a critical field":     func(t *jwt.Token, _ jwt.MapClaims) { t.Header["crit"] = []string{"b64"} },
		"a number as key id":   func(t *jwt.Token, _ jwt.MapClaims) { t.Header["kid"] = 7 },
	} {
		if _, err := v.Verify(t.Context(), p.token(t, "k1", change)); !errors.Is(err, affiliate.ErrUnauthenticated) {
			t.Errorf("%s: got %v, want ErrUnauthenticated", name, err)
		}
	}
	good := p.token(t, "k1", nil)
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"nothing": "", "dots": "..", "cut short": good[:len(good)-4], "no signature": parts[0] + "." + parts[1] + ".",
		"another's signature": parts[0] + "." + parts[1] + "." + strings.Split(p.token(t, "k1", claim("sub", "x")), ".")[2],
		"one part more":       good + ".x",
	} {
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, affiliate.ErrUnauthenticated) {
			t.Errorf("%s: got %v, want ErrUnauthenticated", name, err)
		}
	}
	for name, change := range map[string]func(*jwt.Token, jwt.MapClaims){ // within the tolerance
		"just expired": claim("exp", now.Add(-time.Minute+2*time.Second).Unix()),
		"almost valid": claim("nbf", now.Add(time.Minute-2*time.Second).Unix()),
	} {
		if _, err := v.Verify(t.Context(), p.token(t, "k1", change)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnUnknownKeyCostsOneRequest(t *testing.T) {
	is := is.New(t)
	p := newProvider(t)
	v := p.verifier(t, nil)
	before := p.fetches.Load()
	forged := p.token(t, "forged", nil)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), forged); !errors.Is(err, affiliate.ErrUnauthenticated) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	is.Equal(p.fetches.Load()-before, int64(1))
	_, err := v.Verify(t.Context(), p.token(t, "k1", nil))
	is.NoErr(err)
}

func TestKeysRotate(t *testing.T) {
	is := is.New(t)
	p := newProvider(t)
	v := p.verifier(t, nil)
	p.add(t, "k2")
	_, err := v.Verify(t.Context(), p.token(t, "k2", nil)) // read again at its first use
	is.NoErr(err)
	old := p.token(t, "k1", nil)
	p.remove("k1")
	fresh := p.verifier(t, nil) // whoever reads the keys now does not know it any more
	_, err = fresh.Verify(t.Context(), old)
	is.True(errors.Is(err, affiliate.ErrUnauthenticated))
}

func TestKnownKeysWorkWithoutTheProvider(t *testing.T) {
	for name, fail := range map[string]func(*provider){
		"hangs":   func(p *provider) { p.hang.Store(true) },
		"is down": func(p *provider) { p.down.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			p := newProvider(t)
			v := p.verifier(t, nil)
			fail(p)
			_, err := v.Verify(t.Context(), p.token(t, "forged", nil)) // asks, in vain
			is.True(errors.Is(err, affiliate.ErrUnauthenticated))
			is.Equal(p.fetches.Load(), int64(2))
			_, err = v.Verify(t.Context(), p.token(t, "k1", nil))
			is.NoErr(err)
			is.Equal(p.fetches.Load(), int64(2))
		})
	}
}

func TestAVerifierStartsWithoutTheProvider(t *testing.T) {
	is := is.New(t)
	p := newProvider(t)
	p.down.Store(true)
	v := p.verifier(t, nil)
	p.down.Store(false)
	_, err := v.Verify(t.Context(), p.token(t, "k1", nil)) // reads the keys now
	is.NoErr(err)
}

func TestOptionsAreChecked(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"https://other.example","jwks_uri":"https://other.example/keys"}`))
	}))
	defer other.Close()
	for name, o := range map[string]oidc.Options{
		"nothing":           {},
		"no audience":       {Issuer: "https://id.example"},
		"no URL":            {Issuer: "id", Audience: audience},
		"HMAC":              {Issuer: "https://id.example", Audience: audience, Algorithms: []string{"HS256"}},
		"none":              {Issuer: "https://id.example", Audience: audience, Algorithms: []string{"none"}},
		"a large skew":      {Issuer: "https://id.example", Audience: audience, ClockSkew: time.Hour},
		"a negative time":   {Issuer: "https://id.example", Audience: audience, Timeout: -1},
		"of another issuer": {Issuer: other.URL, Audience: audience},
	} {
		if _, err := oidc.New(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}

}

// Whatever stands in the header of a token: it is refused as a bad token, and
// nothing else goes wrong.
func FuzzJWTHeader(f *testing.F) {
	p := newProvider(f)
	v := p.verifier(f, nil)
	payload := strings.Split(p.token(f, "k1", nil), ".")[1]
	for _, header := range []string{
		`{"alg":"RS256","kid":"k1"}`, `{"alg":"none"}`, `{"alg":"HS256","kid":"k1"}`, `{"alg":null}`, `{"alg":["RS256"],"kid":{}}`, `{`, ``, `{"alg":"RS256","kid":"k1","crit":["x"]}`,
		`{"alg":"RS256","jwk":{"kty":"oct","k":"AAAA"}}`, `{"alg":"RS256","jku":"https://evil.example/keys"}`,
	} {
		f.Add(header, "AAAA")
	}
	f.Fuzz(func(t *testing.T, header, signature string) {
		token := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + payload + "." + base64.RawURLEncoding.EncodeToString([]byte(signature))
		if s, err := v.Verify(t.Context(), token); !errors.Is(err, affiliate.ErrUnauthenticated) {
			t.Fatalf("%s: got %v %v", header, s, err)
		}
	})
}
