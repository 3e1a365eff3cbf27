//go:build ha

package ha_test

import (
	"context"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// Lists and statistics may be read from the standby, which is behind by no more
// than was allowed, or from the primary.
func TestStaleReadsGoToTheReplicaWhileItIsRecentEnough(t *testing.T) {
	is := is.New(t)
	p := newPair(t)
	const maxLag = 2 * time.Second
	replica, err := postgres.Open(p.standby.DSN("postgres"))
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(replica.Close()) })
	kit := open(t, p.primary.DSN("postgres"), postgres.Failover{}, postgres.Options{Reader: replica, MaxLag: maxLag})
	count := func(ctx context.Context) int {
		t.Helper()
		page, err := kit.Core.Users(ctx, affiliate.UserFilter{}, affiliate.PageRequest{})
		is.NoErr(err)
		return page.Total
	}
	// stale counts users where a stale read finds them, and says whether that was the replica.
	stale := func() (int, bool) {
		t.Helper()
		ctx, staleness := affiliate.AllowStale(t.Context())
		n := count(ctx)
		age, fromReplica := staleness.AtMost()
		if age > maxLag+time.Second { // a second for a busy machine, between the choice and the answer
			t.Errorf("a stale read was up to %s old, want at most %s", age, maxLag)
		}
		return n, fromReplica
	}
	add := func(name string) {
		t.Helper()
		_, err := kit.Core.CreateUser(t.Context(), affiliate.User{Username: name})
		is.NoErr(err)
	}
	fromReplica := func() bool {
		_, replica := stale()
		return replica
	}

	add("anna")
	p.eventually("a read from the replica", fromReplica)
	p.eventually("the replica to have anna", func() bool { n, replica := stale(); return replica && n == 1 })

	// The replica stands still: it is read while it may be, then the primary is.
	run(t, p.standby, "SELECT pg_wal_replay_pause()")
	p.eventually("the replay to pause", func() bool { return query[string](t, p.standby, "SELECT pg_get_wal_replay_pause_state()") == "paused" })
	add("bo")
	is.Equal(count(t.Context()), 2) // without AllowStale nothing is missing
	seen := 0
	p.eventually("the primary to take over", func() bool {
		n, replica := stale()
		if replica {
			seen++
			is.Equal(n, 1) // bo is missing
			return false
		}
		is.Equal(n, 2)
		return true
	})
	is.True(seen > 0)
	for range 20 {
		n, replica := stale()
		is.True(!replica)
		is.Equal(n, 2)
	}
	run(t, p.standby, "SELECT pg_wal_replay_resume()")
	p.eventually("a read from the replica again", fromReplica)

	// A write is not stale, and neither is what is read in it.
	ctx, staleness := affiliate.AllowStale(t.Context())
	_, err = kit.Core.CreateUser(ctx, affiliate.User{Username: "cia"})
	is.NoErr(err)
	_, read := staleness.AtMost()
	is.True(!read)

	// A replica that dies is nobody's error.
	p.eventually("a read from the replica", fromReplica)
	is.NoErr(p.standby.Kill())
	n, replicaRead := stale()
	is.True(!replicaRead)
	is.Equal(n, 3)
}
