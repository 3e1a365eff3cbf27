package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// handClock moves only by hand.
type handClock struct {
	mu sync.Mutex
	t  time.Time
}

func newHandClock() *handClock { return &handClock{t: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)} }

func (c *handClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *handClock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestRateLimit(t *testing.T) {
	is := is.New(t)
	clock := newHandClock()
	limiter, err := NewRateLimiter(clock.now, func(p affiliate.Principal) int {
		switch p.Role {
		case affiliate.RoleAdmin:
			return 0
		case "":
			return 2
		}
		return 30
	})
	is.NoErr(err)
	b := newBench(t, sampleDialect, Options{RateLimiter: limiter},
		Route{"GET /any", "any", Any(), Call(succeed)},
		Route{"GET /open", "open", Open(), Call(succeed)},
		Route{"GET /pixel", "pixel", Open(), Call(succeed).Unlimited()})
	get := func(target, who string) (int, string) {
		w := b.do("GET", target, "", "Authorization", who)
		h := w.Header()
		return w.Code, strings.TrimSpace(h.Get("x-ratelimit-limit") + " " + h.Get("x-ratelimit-remaining") + " " + h.Get("Retry-After"))
	}
	expect := func(target, who string, status int, headers string) {
		t.Helper()
		if s, h := get(target, who); s != status || h != headers {
			t.Fatalf("%s as %q: got %d %q, want %d %q", target, who, s, h, status, headers)
		}
	}
	for left := 29; left >= 0; left-- {
		expect("/any", "acme", 200, fmt.Sprint("30 ", left))
	}
	expect("/any", "acme", 429, "30 0 2")
	want(t, b.do("GET", "/any", "", "Authorization", "acme"), 429, `{"message":"Too many requests.","code":"rate_limited"}`)
	expect("/any", "creator", 200, "30 29") // each has its own
	clock.forward(time.Second)
	expect("/any", "acme", 429, "30 0 1") // half a token
	clock.forward(time.Second)
	expect("/any", "acme", 200, "30 0")
	clock.forward(time.Hour)
	expect("/any", "acme", 200, "30 29") // never more than a minute's worth

	expect("/any", "admin", 200, "") // 0 is off
	expect("/any", "wrong", 401, "2 1")
	expect("/open", "", 200, "2 0")
	expect("/any", "wrong", 429, "2 0 30") // guessing tokens is limited
	expect("/open", "", 429, "2 0 30")
	expect("/any", "acme", 200, "30 28") // and uses up nobody else's requests
	expect("/pixel", "", 200, "")
}

// Long requests cost more, so that a few of them use up what many short ones would.
func TestALongRequestCountsAsSeveral(t *testing.T) {
	is := is.New(t)
	clock := newHandClock()
	limiter, err := NewRateLimiter(clock.now, func(affiliate.Principal) int { return 100 })
	is.NoErr(err)
	b := newBench(t, sampleDialect, Options{RateLimiter: limiter, BytesPerRequest: 1000}, Route{"POST /any", "any", Any(), Call(succeed)})
	left := 100
	for _, tt := range []struct{ bytes, counts int }{{0, 1}, {2, 1}, {999, 1}, {1000, 2}, {4500, 5}, {9000, 10}, {500_000, 10}, {2 << 20, 10}} {
		body := ""
		if tt.bytes > 0 {
			body = "{" + strings.Repeat(" ", tt.bytes-2) + "}"
		}
		w := b.do("POST", "/any", body, "Authorization", "acme")
		left -= tt.counts
		if got := w.Header().Get("x-ratelimit-remaining"); got != fmt.Sprint(left) {
			t.Fatalf("after %d bytes: %s requests are left, want %d", tt.bytes, got, left)
		}
	}
	unknownLength := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/any", struct{ io.Reader }{strings.NewReader("{}")})
		r.Header.Set("Authorization", "acme")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.mux.ServeHTTP(w, r)
		return w
	}
	for ; left > 0; left -= 10 {
		w := unknownLength()
		is.Equal(w.Code, 200)
		is.Equal(w.Header().Get("x-ratelimit-remaining"), fmt.Sprint(left-10))
	}
	w := unknownLength()
	is.Equal(w.Code, 429)
	is.Equal(w.Header().Get("Retry-After"), "6") // until there are ten
}

// lookUps counts what an authenticator is asked.
type lookUps struct{ n int }

func (l *lookUps) Authenticate(r *http.Request) (affiliate.Principal, error) {
	l.n++
	return people.Authenticate(r)
}

func TestGuessedTokensBeyondTheLimitAreNotLookedUp(t *testing.T) {
	is := is.New(t)
	clock := newHandClock()
	limiter, err := NewRateLimiter(clock.now, func(affiliate.Principal) int { return 3 })
	is.NoErr(err)
	counted := &lookUps{}
	b := newBench(t, sampleDialect, Options{RateLimiter: limiter, Authenticator: counted}, Route{"GET /any", "any", Any(), Call(succeed)})
	get := func(who string) int { return b.do("GET", "/any", "", "Authorization", who).Code }
	is.Equal(get("acme"), 200)
	for i := range 3 {
		is.Equal(get(fmt.Sprint("guess", i)), 401)
	}
	counted.n = 0
	for i := range 100 {
		is.Equal(get(fmt.Sprint("another", i)), 429)
	}
	is.Equal(counted.n, 0)
	is.Equal(get("acme"), 200) // whoever was let in before is let in
	is.Equal(counted.n, 1)
	is.Equal(get("creator"), 429) // at the same address, and never seen
	clock.forward(time.Minute)
	is.Equal(get("creator"), 200)
}

func TestRateLimitByDefault(t *testing.T) {
	is := is.New(t)
	limiter, err := NewRateLimiter(newHandClock().now, nil)
	is.NoErr(err)
	h := http.Header{}
	is.NoErr(limiter.take(h, affiliate.Principal{}, "a"))
	is.Equal(h.Get("X-Ratelimit-Limit"), "300")
	is.Equal(h.Get("X-Ratelimit-Remaining"), "299")
}

func TestRateLimitMemoryIsBounded(t *testing.T) {
	is := is.New(t)
	limiter, err := NewRateLimiter(newHandClock().now, nil)
	is.NoErr(err)
	for i := range maxBuckets + 1000 {
		is.NoErr(limiter.take(http.Header{}, affiliate.Principal{}, fmt.Sprint(i)))
	}
	is.Equal(limiter.buckets.Len(), maxBuckets)
}

// memoryStore is the obvious IdempotencyStore.
type memoryStore struct {
	mu      sync.Mutex
	records map[string]IdempotencyRecord
	err     error
}

func (s *memoryStore) Begin(_ context.Context, claim IdempotencyRecord, now time.Time) (*IdempotencyRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	id := claim.Owner + "\n" + claim.Key
	if r, ok := s.records[id]; ok && r.Expires.After(now) {
		return &r, nil
	}
	if s.records == nil {
		s.records = map[string]IdempotencyRecord{}
	}
	s.records[id] = claim
	return nil, nil
}

func (s *memoryStore) Finish(ctx context.Context, claim IdempotencyRecord, work func(context.Context) (*KeptAnswer, error)) error {
	a, err := work(ctx)
	if err != nil || a == nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := claim.Owner + "\n" + claim.Key
	if s.records[id].Token != claim.Token {
		return ErrClaimLost
	}
	claim.Answer = a
	s.records[id] = claim
	return nil
}

func (s *memoryStore) Abandon(_ context.Context, claim IdempotencyRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := claim.Owner + "\n" + claim.Key
	if s.records[id].Token == claim.Token && s.records[id].Answer == nil {
		delete(s.records, id)
	}
	return nil
}

// counting answers how often it ran, or what fail says.
type counting struct {
	mu   sync.Mutex
	runs int
	fail func() error
}

func (c *counting) run(_ context.Context, _ affiliate.Principal, in struct {
	Name string `json:"name" required:"true"`
	Logo *File  `json:"logo"`
}) (Reply[int], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	if c.fail != nil {
		return Reply[int]{}, c.fail()
	}
	return Reply[int]{Status: 201, Body: c.runs}, nil
}

func idempotencyBench(t *testing.T) (*bench, *memoryStore, *counting, *handClock) {
	store, c, clock := &memoryStore{}, &counting{}, newHandClock()
	b := newBench(t, sampleDialect, Options{Idempotency: store, Clock: clock.now},
		Route{"POST /x", "x", Any(), Call(c.run).Files(5 << 20)},
		Route{"POST /y", "y", Any(), Call(c.run)},
		Route{"PUT /x", "put", Any(), Call(c.run)},
		Route{"POST /adv/{id}", "adv", ofAdvertiser("id"), Call(c.run)},
		Route{"POST /open", "open", Open(), Call(c.run)})
	return b, store, c, clock
}

const (
	reusedBody = `{"message":"The idempotency key was used for another request.","code":"idempotency_key_reused"}`
	inUseBody  = `{"message":"A request with this idempotency key is still running.","code":"idempotency_key_in_use"}`
)

func TestAnIdempotencyKeyGivesTheFirstAnswerAgain(t *testing.T) {
	is := is.New(t)
	b, _, c, clock := idempotencyBench(t)
	want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k"), 201, "1")
	w := b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k")
	want(t, w, 201, "1")
	is.Equal(w.Header().Get("Content-Type"), "application/json")
	is.Equal(w.Header().Get("Idempotency-Replayed"), "true")
	want(t, b.do("POST", "/x", `{"name":"b"}`, "Idempotency-Key", "k"), 409, reusedBody)
	want(t, b.do("POST", "/y", `{"name":"a"}`, "Idempotency-Key", "k"), 409, reusedBody)
	want(t, b.do("POST", "/x?a=b", `{"name":"a"}`, "Idempotency-Key", "k"), 409, reusedBody)
	want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k", "Authorization", "creator"), 201, "2") // per principal
	want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k2"), 201, "3")
	want(t, b.do("POST", "/x", `{"name":"a"}`), 201, "4")
	want(t, b.do("PUT", "/x", `{"name":"a"}`, "Idempotency-Key", "k"), 201, "5") // only POST
	want(t, b.do("POST", "/open", `{"name":"a"}`, "Idempotency-Key", "k"), 201, "6")
	want(t, b.do("POST", "/open", `{"name":"a"}`, "Idempotency-Key", "k"), 201, "6")
	clock.forward(24*time.Hour - time.Second)
	want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k"), 201, "1")
	clock.forward(time.Second)
	want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k"), 201, "7")
	is.Equal(c.runs, 7)
}

func TestWhichAnswersAreKept(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		runs int
	}{
		"not found":       {affiliate.NotFound("x", 1), 1},
		"conflict":        {affiliate.Conflict("x", "taken", "Taken."), 1},
		"unavailable":     {affiliate.Unavailable(nil), 2},
		"unknown":         {errors.New("x"), 2},
		"unauthenticated": {affiliate.ErrUnauthenticated, 2},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b, _, c, _ := idempotencyBench(t)
			c.fail = func() error { return tc.err }
			first := b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k")
			second := b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k")
			is.Equal(second.Code, first.Code)
			is.Equal(second.Body.String(), first.Body.String())
			is.Equal(c.runs, tc.runs)
		})
	}
	b, store, c, _ := idempotencyBench(t)
	is := is.New(t)
	for range 2 { // a field error is an answer like others
		is.Equal(b.do("POST", "/x", `{}`, "Idempotency-Key", "k").Code, 422)
	}
	is.Equal(b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k").Code, 409)
	is.Equal(len(store.records), 1)
	is.Equal(b.do("POST", "/x", `{`, "Idempotency-Key", "k3").Code, 400)
	is.Equal(b.do("POST", "/adv/9", `{`, "Idempotency-Key", "k3", "Authorization", "acme").Code, 404)
	is.Equal(len(store.records), 1) // refused early, nothing claimed
	c.fail = func() error { panic("boom") }
	is.Equal(b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k4").Code, 500)
	is.Equal(len(store.records), 1) // a panic lets go of the key
}

// A request of a few bytes must not keep a long answer for a day.
func TestOfALargeAnswerItIsKeptThatThereWasOne(t *testing.T) {
	is := is.New(t)
	store, runs := &memoryStore{}, 0
	b := newBench(t, sampleDialect, Options{Idempotency: store, Clock: newHandClock().now},
		Route{"POST /x", "x", Any(), Call(func(context.Context, affiliate.Principal, struct{}) (string, error) {
			runs++
			return strings.Repeat("a", affiliate.MaxKeptAnswer), nil // and two quotes
		})})
	is.Equal(b.do("POST", "/x", `{}`, "Idempotency-Key", "k").Code, 200)
	for range 2 {
		want(t, b.do("POST", "/x", `{}`, "Idempotency-Key", "k"), 409,
			`{"message":"The request with this idempotency key was carried out. Its answer was too large to be kept.","code":"idempotency_answer_too_large"}`)
	}
	is.Equal(runs, 1)
}

func TestAKeyInFlight(t *testing.T) {
	is := is.New(t)
	b, store, c, clock := idempotencyBench(t)
	inside := 0
	c.fail = func() error {
		inside++
		if inside > 1 {
			return nil
		}
		c.mu.Unlock() // c.run holds it
		defer c.mu.Lock()
		want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k"), 409, inUseBody)
		want(t, b.do("POST", "/x", `{"name":"b"}`, "Idempotency-Key", "k"), 409, reusedBody)
		clock.forward(time.Minute) // the claim of a crashed process expires
		is.Equal(b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k").Code, 200)
		return nil
	}
	want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k"), 409, inUseBody) // the first one lost its claim
	is.Equal(inside, 2)
	is.True(store.records["admin:1\nk"].Answer != nil)
}

func TestOfManyAtOnceOneRuns(t *testing.T) {
	is := is.New(t)
	b, _, c, _ := idempotencyBench(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 16 {
		wg.Go(func() {
			w := b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k")
			mu.Lock()
			defer mu.Unlock()
			statuses[w.Code]++
		})
	}
	wg.Wait()
	is.Equal(c.runs, 1)
	is.Equal(statuses[201]+statuses[409], 16)
	is.True(statuses[201] >= 1)
}

func TestIdempotencyKeysThatAreNone(t *testing.T) {
	is := is.New(t)
	b, _, c, _ := idempotencyBench(t)
	for _, key := range []string{"", strings.Repeat("k", 256), "é", "a\tb"} {
		want(t, b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", key), 422,
			`{"message":"The given data was invalid.","code":"validation_failed","errors":{"Idempotency-Key":["must be 1 to 255 printable characters"]}}`)
	}
	is.Equal(c.runs, 0)
	is.Equal(b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", strings.Repeat("k", 255)).Code, 201)
}

func TestNothingRunsWithoutTheKeyStore(t *testing.T) {
	is := is.New(t)
	b, store, c, _ := idempotencyBench(t)
	store.err = affiliate.Unavailable(errors.New("down"))
	is.Equal(b.do("POST", "/x", `{"name":"a"}`, "Idempotency-Key", "k").Code, 503)
	is.Equal(c.runs, 0)
}

func TestUploadsAreToldApartByContent(t *testing.T) {
	is := is.New(t)
	b, _, _, _ := idempotencyBench(t)
	send := func(size int) int {
		return upload(t, b, size, "Idempotency-Key", "k").Code // a new boundary each time
	}
	is.Equal(send(3<<20), 422) // the name is missing: an answer that is kept
	is.Equal(send(3<<20), 422)
	is.Equal(send(3<<20+1), 409)
}
