//go:build ha

package ha_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// roundsVariable says how many primaries are killed.
const roundsVariable = "ROUNDS"

const (
	defaultRounds = 2
	writesAgain   = 2 * time.Second  // after the promotion
	recovers      = 10 * time.Second // after a stale primary was met
)

// The primary is killed under load, its standby promoted, and the load goes on.
// Each round the survivor gets a new standby, and is killed next.
func TestAKilledPrimaryLosesNothingThatWasAcknowledged(t *testing.T) {
	is := is.New(t)
	rounds := defaultRounds
	if text := os.Getenv(roundsVariable); text != "" {
		var err error
		rounds, err = strconv.Atoi(text)
		is.NoErr(err)
	}
	p := newPair(t)
	// A standby of a later round stands in the place of the cluster that was killed:
	// hosts are links to the folders of the clusters.
	hosts := [2]string{t.TempDir() + "/a", t.TempDir() + "/b"}
	is.NoErr(os.Symlink(p.primary.Dir(), hosts[0]))
	is.NoErr(os.Symlink(p.standby.Dir(), hosts[1]))
	kit := open(t, dsn(hosts[:]...), postgres.Failover{}, postgres.Options{})
	l := newLoad(t, kit, newShop(t, kit))
	newCatalog(t, kit)
	stop := l.start()
	stopped := false
	defer func() {
		if !stopped {
			stop()
		}
	}()
	var longest time.Duration
	for round := range rounds {
		l.mu.Lock()
		next := l.total + 50 + rand.IntN(150)
		l.mu.Unlock()
		l.until("the next kill", func() bool { return l.total >= next })
		old, killed, promoted := p.failOver()
		l.until("a write after the promotion", func() bool { return l.last.After(promoted) })
		again := time.Since(promoted)
		longest = max(longest, again)
		t.Logf("round %d: promoted after %s, the next write was acknowledged %s later", round+1, promoted.Sub(killed).Round(time.Millisecond), again.Round(time.Millisecond))
		is.NoErr(old.Stop()) // its data is thrown away: pg_rewind, or a new base backup as here
		p.addStandby()
		is.NoErr(os.Remove(hosts[round%2]))
		is.NoErr(os.Symlink(p.standby.Dir(), hosts[round%2]))
	}
	stop()
	stopped = true
	if longest > writesAgain {
		t.Errorf("after a promotion it took %s to write again, want at most %s", longest, writesAgain)
	}
	l.check(kit)
	t.Logf("%d clicks, %d orders and %d deals were acknowledged, %d writes were refused and repeated; the longest wait after a promotion was %s",
		len(l.clicks), len(l.orders), len(l.deals), l.refused, longest.Round(time.Millisecond))
}

// A former primary comes back, says that it is read-write, and waits with each
// commit for a standby that was promoted meanwhile. A process that starts now
// meets it first.
func TestAStalePrimaryIsLeftAndNotChosenAgain(t *testing.T) {
	is := is.New(t)
	p := newPair(t)
	hosts := []string{p.primary.Dir(), p.standby.Dir()}
	migrated := open(t, dsn(hosts...), postgres.Failover{}, postgres.Options{})
	_, err := migrated.Core.CreateUser(t.Context(), affiliate.User{Username: "before"})
	is.NoErr(err)
	stale, _, _ := p.failOver()
	t.Cleanup(func() { is.NoErr(stale.Stop()) })
	is.NoErr(stale.Restart(t.Context()))
	is.Equal(query[string](t, stale, "SHOW transaction_read_only"), "off")

	// A process that starts now.
	const avoid = 2 * time.Second
	handle, err := postgres.OpenFailover(dsn(hosts...), postgres.Failover{Avoid: avoid})
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(handle.Close()) })
	handle.SetMaxIdleConns(0) // so that each unit connects anew
	db, err := postgres.New(handle, postgres.Options{})
	is.NoErr(err)
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)

	start := time.Now()
	attempts := 0
	for {
		attempts++
		_, err = core.CreateUser(t.Context(), affiliate.User{Username: "after"})
		if err == nil {
			break
		}
		if time.Since(start) > 3*recovers {
			t.Fatal(err)
		}
	}
	took := time.Since(start)
	t.Logf("the stale primary was left after %s, with %d refused writes", took.Round(time.Millisecond), attempts-1)
	is.True(attempts > 1) // it was met
	if took > recovers {
		t.Errorf("it took %s to leave the stale primary, want at most %s", took, recovers)
	}
	const name = "SELECT count(*) FROM affiliate_users WHERE username = 'after'"
	is.Equal(query[int](t, p.primary, name), 1)
	is.Equal(query[int](t, stale, name), 1) // what was not acknowledged is there, until pg_rewind

	// Also when it is not avoided any more, although it stands first in the DSN.
	for i, begun := 0, time.Now(); time.Since(begun) < 2*avoid; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		_, err := core.CreateUser(ctx, affiliate.User{Username: fmt.Sprint("later", i)})
		cancel()
		is.NoErr(err)
	}
	is.Equal(query[int](t, stale, "SELECT count(*) FROM affiliate_users WHERE username LIKE 'later%'"), 0)

	// The process that was there before the fail-over is not led astray either.
	begun := time.Now()
	for {
		if _, err := migrated.Core.CreateUser(t.Context(), affiliate.User{Username: "old process"}); err == nil {
			break
		}
		is.True(time.Since(begun) < recovers)
	}
	is.Equal(query[int](t, p.primary, "SELECT count(*) FROM affiliate_users WHERE username = 'old process'"), 1)
}

// Callers whose own deadlines are shorter than the timeout leave a stale primary as well.
func TestShortDeadlinesLeaveAStalePrimary(t *testing.T) {
	is := is.New(t)
	p := newPair(t)
	hosts := []string{p.primary.Dir(), p.standby.Dir()}
	open(t, dsn(hosts...), postgres.Failover{}, postgres.Options{})
	stale, _, _ := p.failOver()
	t.Cleanup(func() { is.NoErr(stale.Stop()) })
	is.NoErr(stale.Restart(t.Context()))
	handle, err := postgres.OpenFailover(dsn(hosts...), postgres.Failover{CommitTimeout: 2 * time.Second})
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(handle.Close()) })
	db, err := postgres.New(handle, postgres.Options{})
	is.NoErr(err)
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)
	start := time.Now()
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := core.CreateUser(ctx, affiliate.User{Username: fmt.Sprint("short", n)})
		cancel()
		if err == nil {
			break
		}
		if time.Since(start) > recovers {
			t.Fatal(err)
		}
	}
	t.Logf("left after %s", time.Since(start).Round(time.Millisecond))
	is.Equal(query[int](t, p.primary, "SELECT count(*) FROM affiliate_users WHERE username LIKE 'short%'"), 1)
}
