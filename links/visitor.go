package links

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// visitorKeys tells readers apart without keeping who they are: a keyed hash
// of address and user agent, under a key that is new every day, shared by all
// processes through the store, and forgotten after the next day.
type visitorKeys struct {
	store  Store
	random io.Reader
	base   *visitorKeys // set in a transaction of the host's: whose keys are kept

	mu      sync.Mutex
	current atomic.Pointer[dayKeys]
}

// dayKeys hash the visitors of one day, under its key and the one before.
type dayKeys struct {
	date            time.Time
	today, previous *keyedHash
}

// of returns the reader's key of the day and that of the day before.
func (k *visitorKeys) of(ctx context.Context, at time.Time, ip, userAgent string) (today, previous VisitorKey, err error) {
	date := DayOf(at)
	keys := k.current.Load()
	if k.base != nil && keys == nil {
		keys = k.base.current.Load()
	}
	if keys == nil || !keys.date.Equal(date) {
		if keys, err = k.load(ctx, date); err != nil {
			return today, previous, err
		}
	}
	ip = network(ip)
	return keys.today.sum(ip, userAgent), keys.previous.sum(ip, userAgent), nil
}

// network is the address in the form that readers are told apart by: parsed, so
// that every spelling of one is equal, without a port; IPv4 in IPv6 form is
// IPv4, and of IPv6 the first 64 bits count, since one household has them all.
// What is no address stands for itself.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		p, err := netip.ParseAddrPort(ip)
		if err != nil {
			return ip
		}
		a = p.Addr()
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().Addr().String()
	}
	return a.String()
}

func (k *visitorKeys) load(ctx context.Context, date time.Time) (*dayKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if keys := k.current.Load(); keys != nil && keys.date.Equal(date) {
		return keys, nil
	}
	yesterday := date.AddDate(0, 0, -1)
	fresh := [2]VisitorSecret{{Date: yesterday}, {Date: date}}
	for i := range fresh {
		if _, err := io.ReadFull(k.random, fresh[i].Secret[:]); err != nil {
			return nil, err
		}
	}
	secrets, err := affiliate.Write(ctx, affiliate.Store[Tx](k.store), func(ctx context.Context, tx Tx) (kept [2]VisitorSecret, err error) {
		for i, s := range fresh {
			if kept[i], err = tx.VisitorSecrets().AddOrGet(ctx, s); err != nil {
				return kept, err
			}
		}
		if err := tx.VisitorSecrets().RemoveBefore(ctx, yesterday); err != nil {
			return kept, err
		}
		return kept, tx.Stats().Forget(ctx, yesterday)
	})
	if err != nil {
		return nil, err
	}
	keys := &dayKeys{date: date, previous: newKeyedHash(secrets[0].Secret), today: newKeyedHash(secrets[1].Secret)}
	k.current.Store(keys)
	return keys, nil
}

// keyedHash is HMAC-SHA-256 cut to the size of a VisitorKey. It is safe for
// concurrent use.
type keyedHash struct{ pool sync.Pool }

func newKeyedHash(secret [32]byte) *keyedHash {
	return &keyedHash{pool: sync.Pool{New: func() any {
		return &hashState{mac: hmac.New(sha256.New, secret[:])}
	}}}
}

type hashState struct {
	mac hash.Hash
	in  []byte
	out [sha256.Size]byte
}

// maxHashedUserAgent bounds how much of a user agent tells readers apart.
const maxHashedUserAgent = 512

func (h *keyedHash) sum(ip, userAgent string) (key VisitorKey) {
	if len(userAgent) > maxHashedUserAgent {
		userAgent = userAgent[:maxHashedUserAgent]
	}
	s := h.pool.Get().(*hashState)
	s.mac.Reset()
	s.in = append(append(append(s.in[:0], ip...), 0), userAgent...)
	s.mac.Write(s.in)
	copy(key[:], s.mac.Sum(s.out[:0]))
	clear(s.in)
	h.pool.Put(s)
	return key
}
