package postgres_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// make test-ha has the fail-over itself.
func TestAHostThatIsNotThereIsPassedOver(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	u, err := url.Parse(pgtest.DSN(t))
	is.NoErr(err)
	q := u.Query()
	host, port := q.Get("host"), q.Get("port")
	if host == "" {
		host, port = u.Hostname(), u.Port()
	}
	if port == "" {
		port = "5432"
	}
	u.Host = ""
	q.Set("host", t.TempDir()+","+host)
	q.Set("port", "1,"+port)
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	_, handle := openMigrated(t, u.String())
	handle.SetMaxIdleConns(0) // so that each statement connects anew
	for range 3 {
		var one int
		is.NoErr(handle.NewRaw("SELECT 1").Scan(t.Context(), &one))
	}
}

func TestTimesOfAFailoverAreNotNegative(t *testing.T) {
	for _, f := range []postgres.Failover{{CommitTimeout: -1}, {Avoid: -time.Second}} {
		if _, err := postgres.OpenFailover("postgres://app@db/shop", f); err == nil {
			t.Errorf("OpenFailover took %+v", f)
		}
	}
}
