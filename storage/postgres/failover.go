package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Failover says when a handle on a DSN with several hosts leaves a host. The zero
// Failover works. It changes nothing for a DSN with one host.
//
//	postgres://app@/shop?host=db1,db2&port=5432,5432&target_session_attrs=read-write
//
// target_session_attrs alone is not enough. A former primary that comes back
// before anybody fences it also says that it is read-write, while its commits wait
// for a standby that has been promoted meanwhile. So a handle leaves a host on
// which a transaction waits for too long: it drops its connections to that host,
// and tries the other hosts first. New connections go to the host that kept the
// last change, as long as that works.
//
// The change that waited was not acknowledged: its unit failed with
// affiliate.ErrUnavailable, and whoever asked for it asks again. The former
// primary may have kept it all the same, since a canceled wait commits there.
// That timeline is thrown away: before the host joins again, its operator runs
// pg_rewind or makes a new base backup. Until then nothing may read from it.
type Failover struct {
	// CommitTimeout bounds how long a transaction waits to begin, and how long to
	// commit; the deadline of a context still counts when it is earlier. A host on
	// which commits only gave up for so long is left. Default: 5 seconds. It is also
	// the connect_timeout of a DSN that names none.
	CommitTimeout time.Duration
	// Avoid is how long a host that was left, or could not be reached, is tried
	// only when no other host will do. Default: 10 seconds.
	Avoid time.Duration
}

const (
	defaultCommitTimeout = 5 * time.Second
	defaultAvoid         = 10 * time.Second
)

func (f Failover) validate() error {
	if f.CommitTimeout < 0 || f.Avoid < 0 {
		return errors.New("postgres: Failover.CommitTimeout and Failover.Avoid must not be negative")
	}
	return nil
}

// severalHosts reports whether a DSN names more than one host. pgx also lists
// another way to encrypt as one more host.
func severalHosts(config *pgx.ConnConfig) bool {
	for _, f := range config.Fallbacks {
		if f.Host != config.Host || f.Port != config.Port {
			return true
		}
	}
	return false
}

// hosts is what a handle remembers of the hosts of its DSN. A host is the address
// that was dialed.
type hosts struct {
	timeout, avoid time.Duration

	mu    sync.Mutex
	good  string // where a change was committed last; empty: nowhere yet
	known map[string]*hostState
}

type hostState struct {
	avoidUntil time.Time
	left       time.Time // connections made before are dropped
	stuck      time.Time // since when commits gave up here; zero: they do not
}

func newHosts(f Failover) *hosts {
	h := &hosts{timeout: f.CommitTimeout, avoid: f.Avoid, known: map[string]*hostState{}}
	if h.timeout == 0 {
		h.timeout = defaultCommitTimeout
	}
	if h.avoid == 0 {
		h.avoid = defaultAvoid
	}
	return h
}

// state is called with the lock.
func (h *hosts) state(addr string) *hostState {
	if h.known[addr] == nil {
		h.known[addr] = &hostState{}
	}
	return h.known[addr]
}

// unreachable notes that a host could not be dialed.
func (h *hosts) unreachable(addr string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state(addr).avoidUntil = time.Now().Add(h.avoid)
}

// committed notes that a host kept a change.
func (h *hosts) committed(addr string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.state(addr)
	if s.stuck = (time.Time{}); !time.Now().Before(s.avoidUntil) {
		h.good = addr
	}
}

// gaveUp notes that a transaction on a host waited from start until now to begin
// or to commit, in vain. A wait that its own deadline ended early does not say much
// alone: the host is left when nothing but such waits has been there for the timeout.
func (h *hosts) gaveUp(addr string, start time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, now := h.state(addr), time.Now()
	if s.stuck.IsZero() || now.Sub(s.stuck) > 4*h.timeout { // or that was another time
		s.stuck = start
	}
	if now.Sub(s.stuck) < h.timeout {
		return
	}
	*s = hostState{avoidUntil: now.Add(h.avoid), left: now}
	if h.good == addr {
		h.good = ""
	}
}

// leftSince reports whether a host was left after a time.
func (h *hosts) leftSince(addr string, made time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state(addr).left.After(made)
}

// round says which hosts may be dialed.
type round int

const (
	goodHost   round = iota // the one that kept the last change
	cleanHosts              // all that are not avoided
	allHosts
)

// attempt is one round, in the context of a connection that is being made.
type attempt struct {
	round  round
	passed bool // over some host, which another round will try
}

type attemptKey struct{}

var errPassedOver = errors.New("postgres: another host is tried first")

// allows is asked before a host is dialed.
func (h *hosts) allows(a *attempt, addr string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch a.round {
	case goodHost:
		return addr == h.good
	case cleanHosts:
		return !time.Now().Before(h.state(addr).avoidUntil)
	}
	return true
}

func (h *hosts) dial(next pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if a, ok := ctx.Value(attemptKey{}).(*attempt); ok && !h.allows(a, addr) {
			a.passed = true
			return nil, errPassedOver
		}
		conn, err := next(ctx, network, addr)
		if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
			h.unreachable(addr)
		}
		return conn, err
	}
}

// failoverConnector makes connections in the order that hosts says.
type failoverConnector struct {
	driver.Connector
	hosts *hosts
}

func (c failoverConnector) Connect(ctx context.Context) (driver.Conn, error) {
	var failures []error
	for r := goodHost; r <= allHosts; r++ {
		a := &attempt{round: r}
		conn, err := c.Connector.Connect(context.WithValue(ctx, attemptKey{}, a))
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
		if !a.passed || ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failures...)
}

// What a connection remembers, beside preparesKey.
const (
	madeKey    = "github.com/affiliatekit/affiliatekit made"    // when, a time.Time
	changesKey = "github.com/affiliatekit/affiliatekit changes" // whether its transaction may change something
)

// reset is called before a connection of the pool is used again.
func (h *hosts) reset(_ context.Context, conn *pgx.Conn) error {
	made, _ := conn.PgConn().CustomData()[madeKey].(time.Time)
	if h.leftSince(addressOf(conn), made) {
		return driver.ErrBadConn
	}
	return nil
}

func addressOf(conn *pgx.Conn) string { return conn.PgConn().Conn().RemoteAddr().String() }

// wait is a statement that begins or ends a transaction.
type wait struct {
	start   time.Time
	cancel  context.CancelFunc
	commits bool
}

type waitKey struct{}

// TraceQueryStart is called by pgx before each statement. It is the one place that
// sees every transaction of the handle, also those of the host's own.
func (h *hosts) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	begins := strings.HasPrefix(data.SQL, "begin")
	if !begins && data.SQL != "commit" {
		return ctx
	}
	if begins {
		conn.PgConn().CustomData()[changesKey] = !strings.Contains(data.SQL, "read only")
	}
	w := &wait{start: time.Now(), commits: !begins}
	ctx, w.cancel = context.WithTimeout(ctx, h.timeout)
	return context.WithValue(ctx, waitKey{}, w)
}

// TraceQueryEnd is called by pgx after each statement.
func (h *hosts) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	w, ok := ctx.Value(waitKey{}).(*wait)
	if !ok {
		return
	}
	timedOut := errors.Is(ctx.Err(), context.DeadlineExceeded)
	w.cancel()
	changes, _ := conn.PgConn().CustomData()[changesKey].(bool)
	switch {
	case data.Err == nil && w.commits && changes:
		h.committed(addressOf(conn))
	case data.Err != nil && timedOut:
		h.gaveUp(addressOf(conn), w.start)
	}
}
