package wire

import (
	"crypto/sha256"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// DefaultRate is how many requests a minute a principal has when nobody says
// otherwise.
const DefaultRate = 300

// maxBuckets bounds how many principals are remembered, at about 200 bytes
// each. The one longest unseen is forgotten first and starts with a full
// bucket again.
const maxBuckets = 65_536

// RateLimiter is a token bucket per principal: it holds a minute's worth of
// requests and fills up evenly. One limiter may serve several dialects. It is
// safe for concurrent use. A nil limiter limits nobody.
//
// Who has no principal (an open route, bad credentials) is counted by client
// address, see Options.ClientAddress. Credentials are checked first, so nobody
// can use up the requests of somebody else. Once an address has used up its
// requests, though, credentials that have never been good are refused without
// being looked up: guessing tokens costs the backend no more than the limit.
//
// A request with a long body counts as several: see Options.BytesPerRequest.
type RateLimiter struct {
	clock   affiliate.Clock
	limit   func(affiliate.Principal) int
	buckets *lru.Cache[string, *rate.Limiter]
	good    *lru.Cache[[32]byte, struct{}] // hashes of credentials that were good
}

// NewRateLimiter makes a limiter. limit tells how many requests a minute a
// principal has, 0 or less for any number; the zero Principal stands for a
// client address. A nil limit gives everyone [DefaultRate].
func NewRateLimiter(clock affiliate.Clock, limit func(affiliate.Principal) int) (*RateLimiter, error) {
	if limit == nil {
		limit = func(affiliate.Principal) int { return DefaultRate }
	}
	buckets, err := lru.New[string, *rate.Limiter](maxBuckets)
	if err != nil {
		return nil, err
	}
	good, err := lru.New[[32]byte, struct{}](maxBuckets)
	if err != nil {
		return nil, err
	}
	return &RateLimiter{clock: clock, limit: limit, buckets: buckets, good: good}, nil
}

// credentialsOf is the hash of what a request shows to be let in: Authorization
// and every header that ends in -Api-Key. Requests that show something else to
// the host's Authenticator are alike to it.
func credentialsOf(r *http.Request) [32]byte {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Authorization" && !strings.HasSuffix(name, "-Api-Key") {
			continue
		}
		hashText(sum, name)
		for _, value := range r.Header[name] {
			hashText(sum, value)
		}
		hashText(sum, "")
	}
	return [32]byte(sum.Sum(nil))
}

// remember notes credentials that were good.
func (l *RateLimiter) remember(credentials [32]byte) {
	if l != nil {
		l.good.Add(credentials, struct{}{})
	}
}

// mayLookUp is the 429 of an address that has no request left, unless the
// credentials were good before. It uses up no request.
func (l *RateLimiter) mayLookUp(h http.Header, address string, credentials [32]byte) error {
	if l == nil || l.good.Contains(credentials) {
		return nil
	}
	bucket, ok := l.buckets.Peek(address)
	if !ok || bucket.TokensAt(l.clock.Now()) >= 1 {
		return nil
	}
	return l.take(h, affiliate.Principal{}, address)
}

// take uses up one request of the key and tells so in the headers. It returns
// the 429 when there is none left.
func (l *RateLimiter) take(h http.Header, p affiliate.Principal, key string) error {
	return l.takeSized(h, p, key, 1)
}

// sizeOf returns how many requests one with such a body counts as: one more for
// each whole part of it that is bytesPerRequest long. A body whose length is not
// known beforehand counts as the longest.
func sizeOf(r *http.Request, bytesPerRequest int) int {
	switch {
	case bytesPerRequest <= 0:
		return 1
	case r.ContentLength < 0:
		return math.MaxInt32
	}
	return 1 + int(min(r.ContentLength/int64(bytesPerRequest), math.MaxInt32-1))
}

// takeSized is take for a request that counts as several: at most as a tenth of a
// minute's, so that no request that is allowed at all waits for more than that.
func (l *RateLimiter) takeSized(h http.Header, p affiliate.Principal, key string, requests int) error {
	if l == nil {
		return nil
	}
	perMinute := l.limit(p)
	if perMinute <= 0 {
		return nil
	}
	bucket, ok := l.buckets.Get(key)
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(perMinute)/60, perMinute)
		if other, exists, _ := l.buckets.PeekOrAdd(key, bucket); exists {
			bucket = other
		}
	}
	requests = min(requests, max(1, perMinute/10))
	now := l.clock.Now()
	allowed := bucket.AllowN(now, requests)
	tokens := max(0, bucket.TokensAt(now))
	h.Set("X-Ratelimit-Limit", strconv.Itoa(perMinute))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(int(tokens)))
	if allowed {
		return nil
	}
	wait := time.Duration((float64(requests) - tokens) / float64(bucket.Limit()) * float64(time.Second))
	h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
	return &StatusError{Status: http.StatusTooManyRequests, Code: "rate_limited", Message: "Too many requests."}
}
