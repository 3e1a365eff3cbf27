package storagetest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func idempotencyScenarios() []scenario[coreStore] {
	return []scenario[coreStore]{
		{"idempotency keys/kept to the letter", testKeyKept},
		{"idempotency keys/refused", testKeyRefused},
		{"idempotency keys/reserved once until they expire", testReserve},
		{"idempotency keys/completed and removed", testComplete},
		{"idempotency keys/expire", testExpire},
		{"idempotency keys/bounded for each principal", testKeysBounded},
		{"idempotency keys/bounded for writers at once", testKeysBoundedRace},
		{"idempotency keys/of writers at once one reserves", testReserveRace},
		{"idempotency keys/of sweepers at once one has each", testKeySweepers},
	}
}

// reservation is what Reserve returns.
type reservation struct {
	key   affiliate.IdempotencyKey
	fresh bool
}

func reserve(t *testing.T, s coreStore, k affiliate.IdempotencyKey, now time.Time) reservation {
	t.Helper()
	return put(t, s, func(ctx context.Context, tx coreTx) (r reservation, err error) {
		r.key, r.fresh, err = tx.IdempotencyKeys().Reserve(ctx, k, now, 100)
		return r, err
	})
}

// expectReservation compares what Reserve returns at a time.
func expectReservation(t *testing.T, s coreStore, k affiliate.IdempotencyKey, now time.Time, want affiliate.IdempotencyKey, fresh bool) {
	t.Helper()
	got := reserve(t, s, k, now)
	equal(t, "the key", got.key, want)
	equal(t, "whether it is new", got.fresh, fresh)
}

func sampleKey(principal, key string) affiliate.IdempotencyKey {
	return affiliate.IdempotencyKey{Principal: principal, Key: key, Token: "t1", ExpiresAt: at(60)}
}

func fullKey(key string) affiliate.IdempotencyKey {
	return affiliate.IdempotencyKey{
		Principal: "admin:1", Key: key, Token: "t1", Fingerprint: hash(7), Status: 201, ContentType: "text/plain; charset=utf-8",
		Body: []byte("\x00\xff\r\n\\x00 '"), ExpiresAt: at(90),
	}
}

func testKeyKept(t *testing.T, s coreStore) {
	for i, h := range hostile() {
		k := fullKey(h)
		k.Principal, k.Token, k.ContentType, k.ExpiresAt = h, h, h, at(i+1).In(time.FixedZone("", 3600))
		expectReservation(t, s, k, at(0), k, true)
		other := sampleKey(h, h)
		expectReservation(t, s, other, at(0), k, false)
	}
	given := fullKey("copies")
	answered := reserve(t, s, given, at(0)).key
	scribble(&given)
	equal(t, "returned, after the caller wrote into what it gave", answered, fullKey("copies"))
	scribble(&answered)
	again := reserve(t, s, sampleKey("admin:1", "copies"), at(0)).key
	equal(t, "after callers wrote into theirs", again, fullKey("copies"))
	scribble(&again)
	expectReservation(t, s, sampleKey("admin:1", "copies"), at(0), fullKey("copies"), false)

	large := sampleKey(strings.Repeat("😀", 128), strings.Repeat("😀", 255))
	large.Token, large.ContentType, large.Body = strings.Repeat("😀", 64), strings.Repeat("😀", 255), make([]byte, affiliate.MaxKeptAnswer)
	expectReservation(t, s, large, at(0), large, true)
	expectReservation(t, s, large, at(0), large, false)
}

func testKeyRefused(t *testing.T, s coreStore) {
	spoilt := []struct {
		want  failure
		spoil func(k *affiliate.IdempotencyKey)
	}{
		{invalid("principal", "required"), func(k *affiliate.IdempotencyKey) { k.Principal = "" }},
		{invalid("principal", "nul"), func(k *affiliate.IdempotencyKey) { k.Principal = "\x00" }},
		{invalid("principal", "too_long"), func(k *affiliate.IdempotencyKey) { k.Principal = strings.Repeat("a", 129) }},
		{invalid("key", "required"), func(k *affiliate.IdempotencyKey) { k.Key = "" }},
		{invalid("key", "invalid_utf8"), func(k *affiliate.IdempotencyKey) { k.Key = "\xff" }},
		{invalid("key", "too_long"), func(k *affiliate.IdempotencyKey) { k.Key = strings.Repeat("a", 256) }},
		{invalid("token", "required"), func(k *affiliate.IdempotencyKey) { k.Token = "" }},
		{invalid("token", "invalid_utf8"), func(k *affiliate.IdempotencyKey) { k.Token = "\xff" }},
		{invalid("token", "too_long"), func(k *affiliate.IdempotencyKey) { k.Token = strings.Repeat("a", 65) }},
		{invalid("content_type", "nul"), func(k *affiliate.IdempotencyKey) { k.ContentType = "\x00" }},
		{invalid("content_type", "too_long"), func(k *affiliate.IdempotencyKey) { k.ContentType = strings.Repeat("a", 256) }},
		{invalid("body", "too_long"), func(k *affiliate.IdempotencyKey) { k.Body = make([]byte, affiliate.MaxKeptAnswer+1) }},
		{invalid("expires_at", "required"), func(k *affiliate.IdempotencyKey) { k.ExpiresAt = time.Time{} }},
	}
	kept := fullKey("k")
	reserve(t, s, kept, at(0))
	for _, c := range spoilt {
		bad := kept
		bad.Body = nil
		c.spoil(&bad)
		refused(t, s, c.want, func(ctx context.Context, tx coreTx) error {
			_, _, err := tx.IdempotencyKeys().Reserve(ctx, bad, at(0), 100)
			return err
		})
		refused(t, s, c.want, func(ctx context.Context, tx coreTx) error {
			if err := tx.IdempotencyKeys().Remove(ctx, kept.Principal, kept.Key, kept.Token); err != nil {
				return err
			}
			return tx.IdempotencyKeys().Complete(ctx, bad)
		})
	}
	expectReservation(t, s, sampleKey("admin:1", "k"), at(0), kept, false)
}

func testReserve(t *testing.T, s coreStore) {
	first := fullKey("k") // until 90
	expectReservation(t, s, first, at(0), first, true)
	second := sampleKey("admin:1", "k")
	second.ExpiresAt = at(200)
	expectReservation(t, s, second, at(0), first, false)
	expectReservation(t, s, second, at(90).Add(-time.Microsecond), first, false)

	for _, other := range []affiliate.IdempotencyKey{sampleKey("admin:2", "k"), sampleKey("admin:1", "K"), sampleKey("admin:1", "k ")} {
		expectReservation(t, s, other, at(0), other, true)
	}
	// One that expires now has expired: it gives way, answer and all.
	expectReservation(t, s, second, at(90), second, true)
	expectReservation(t, s, first, at(90), second, false)

	again := put(t, s, func(ctx context.Context, tx coreTx) (r reservation, err error) {
		if _, _, err = tx.IdempotencyKeys().Reserve(ctx, sampleKey("a", "b"), at(0), 100); err != nil {
			return r, err
		}
		r.key, r.fresh, err = tx.IdempotencyKeys().Reserve(ctx, fullKey("b"), at(0), 100)
		if err != nil || !r.fresh {
			return r, err
		}
		_, r.fresh, err = tx.IdempotencyKeys().Reserve(ctx, fullKey("b"), at(0), 100)
		return r, err
	})
	equal(t, "reserved again by the same unit", again.fresh, false)
}

func testComplete(t *testing.T, s coreStore) {
	complete := func(k affiliate.IdempotencyKey) func(ctx context.Context, tx coreTx) error {
		return func(ctx context.Context, tx coreTx) error { return tx.IdempotencyKeys().Complete(ctx, k) }
	}
	remove := func(principal, key, token string) func(ctx context.Context, tx coreTx) error {
		return func(ctx context.Context, tx coreTx) error {
			return tx.IdempotencyKeys().Remove(ctx, principal, key, token)
		}
	}
	refused(t, s, missing, complete(fullKey("k")))
	flying := sampleKey("admin:1", "k")
	reserve(t, s, flying, at(0))
	given := fullKey("k")
	write(t, s, complete(given))
	scribble(&given)
	expectReservation(t, s, flying, at(0), fullKey("k"), false)
	write(t, s, remove("admin:1", "k", "t1"))
	expectReservation(t, s, flying, at(0), fullKey("k"), false) // what has an answer stays
	write(t, s, complete(flying))
	expectReservation(t, s, fullKey("k"), at(0), flying, false)

	refused(t, s, missing, func(ctx context.Context, tx coreTx) error {
		if err := complete(fullKey("k"))(ctx, tx); err != nil {
			return err
		}
		return complete(fullKey("K"))(ctx, tx)
	})
	expectReservation(t, s, fullKey("k"), at(0), flying, false)

	late := fullKey("k") // of a request whose lease has ended, and another took over
	late.Token = "t0"
	refused(t, s, missing, complete(late))
	for _, other := range append(unkeepable(), "K", "") {
		write(t, s, remove("admin:1", other, "t1"))
		write(t, s, remove("admin:1", "k", other))
	}
	write(t, s, remove("admin:2", "k", "t1"))
	cut := sampleKey("a", "k") // which no principal that cannot be kept is cut to
	reserve(t, s, cut, at(0))
	for _, other := range unkeepable() {
		write(t, s, remove(other, "k", "t1"))
	}
	expectReservation(t, s, fullKey("k"), at(0), flying, false)
	expectReservation(t, s, cut, at(0), cut, false)
	expectReservation(t, s, fullKey("k"), at(0), flying, false)
	write(t, s, remove("admin:1", "k", "t1"))
	refused(t, s, missing, complete(fullKey("k")))
	expectReservation(t, s, fullKey("k"), at(0), fullKey("k"), true)
}

func testExpire(t *testing.T, s coreStore) {
	expire := func(now time.Time, limit int) int {
		return put(t, s, func(ctx context.Context, tx coreTx) (int, error) { return tx.IdempotencyKeys().Expire(ctx, now, limit) })
	}
	equal(t, "expired of none", expire(at(100), 10), 0)
	tied := sampleKey("b", "1") // behind those of a at the same time
	for i, k := range []affiliate.IdempotencyKey{sampleKey("a", "0"), tied, sampleKey("a", "3"), sampleKey("a", "2"), sampleKey("a", "4")} {
		k.ExpiresAt = []time.Time{at(0), at(20), at(20), at(20), at(40)}[i]
		reserve(t, s, k, at(-1))
	}
	reserve(t, s, sampleKey("a", "5"), at(1)) // takes out none while there is room
	equal(t, "expired before the first", expire(at(0).Add(-time.Microsecond), 10), 0)
	equal(t, "expired with the first", expire(at(0), 10), 1)
	equal(t, "expired, no more than none", expire(at(30), 0), 0)
	equal(t, "expired, less than none", expire(at(30), -1), 0)
	equal(t, "expired, no more than one", expire(at(30), 1), 1)
	next := sampleKey("a", "3")
	next.ExpiresAt = at(20)
	expectReservation(t, s, next, at(0), next, false)
	equal(t, "expired, the next", expire(at(30), 1), 1)
	tied.ExpiresAt = at(20)
	expectReservation(t, s, tied, at(0), tied, false)
	equal(t, "expired, the rest", expire(at(30), 2), 1)
	equal(t, "expired, nothing left", expire(at(30), 2), 0)
	last := sampleKey("a", "4")
	last.ExpiresAt = at(40)
	expectReservation(t, s, sampleKey("a", "4"), at(0), last, false)
	expectReservation(t, s, sampleKey("a", "3"), at(0), sampleKey("a", "3"), true)
}

func testKeysBounded(t *testing.T, s coreStore) {
	try := func(principal, key string, now time.Time) func(context.Context, coreTx) error {
		k := sampleKey(principal, key)
		k.ExpiresAt = now.Add(10 * time.Second)
		return func(ctx context.Context, tx coreTx) error {
			_, _, err := tx.IdempotencyKeys().Reserve(ctx, k, now, 3)
			return err
		}
	}
	full := invalid("key", "too_many")
	for i := range 3 {
		write(t, s, try("a", strconv.Itoa(i), at(i)))
	}
	refused(t, s, full, try("a", "3", at(4)))
	write(t, s, try("a", "1", at(4))) // it is there
	write(t, s, try("b", "3", at(4)))
	refused(t, s, full, try("a", "3", at(10).Add(-time.Microsecond)))
	write(t, s, try("a", "3", at(10))) // the first one has expired
	refused(t, s, full, try("a", "4", at(10)))
	write(t, s, try("a", "1", at(11))) // one that has expired gives way to its like
	refused(t, s, full, try("a", "4", at(11)))
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.IdempotencyKeys().Remove(ctx, "a", "3", "t1") })
	write(t, s, try("a", "4", at(11)))
	refused(t, s, full, try("a", "5", at(11)))
	equal(t, "expired", put(t, s, func(ctx context.Context, tx coreTx) (int, error) {
		return tx.IdempotencyKeys().Expire(ctx, at(50), 10)
	}), 4)
	for i := range 3 {
		write(t, s, try("a", strconv.Itoa(i), at(60+i)))
	}
	refused(t, s, full, try("a", "3", at(62)))
	equal(t, "expired, with others left", put(t, s, func(ctx context.Context, tx coreTx) (int, error) {
		return tx.IdempotencyKeys().Expire(ctx, at(70), 10)
	}), 1)
	write(t, s, try("a", "3", at(70)))
	refused(t, s, full, try("a", "4", at(70)))
}

func testKeysBoundedRace(t *testing.T, s coreStore) {
	var kept atomic.Int32
	together(t, writers, func(i int) error {
		err := insist(t.Context(), s.Write, func(ctx context.Context, tx coreTx) error {
			_, _, err := tx.IdempotencyKeys().Reserve(ctx, sampleKey("a", strconv.Itoa(i)), at(0), 2)
			return err
		})
		switch {
		case err == nil:
			kept.Add(1)
		case errors.Is(err, affiliate.ErrInvalid):
			return nil
		}
		return err
	})
	equal(t, "kept", kept.Load(), int32(2))
}

func testReserveRace(t *testing.T, s coreStore) {
	for round := range 5 {
		now := at(60 * round) // what the round before reserved has expired
		var winners atomic.Int32
		together(t, writers, func(i int) error {
			mine := sampleKey("a", "k")
			mine.Status, mine.ExpiresAt = 100+i, at(60*(round+1))
			var fresh bool
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx coreTx) (err error) {
				_, fresh, err = tx.IdempotencyKeys().Reserve(ctx, mine, now, 100)
				return err
			})
			if fresh {
				winners.Add(1)
			}
			return err
		})
		equal(t, "reservations", winners.Load(), int32(1))
	}
}
