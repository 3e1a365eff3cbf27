package pgtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// StartStandby starts a cluster that follows a running one, as its hot standby, from
// a base backup. Options.Settings must not be below those of the primary where
// PostgreSQL asks for that, as max_connections. It needs pg_basebackup beside the
// server's programs.
func StartStandby(ctx context.Context, primary *Cluster, opts Options) (*Cluster, error) {
	return start(ctx, opts, func(bin, data string, account account) error {
		out, err := account.command(ctx, filepath.Dir(data), filepath.Join(bin, "pg_basebackup"),
			"-D", data, "-h", primary.dir, "-p", strconv.Itoa(socketPort), "-U", role,
			"--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync").CombinedOutput()
		if err != nil {
			return fmt.Errorf("pgtest: pg_basebackup: %w\n%s", err, out)
		}
		return nil
	})
}

// Promote makes a primary of a standby, and waits until it takes changes.
func (c *Cluster) Promote(ctx context.Context) (err error) {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	// It does not wait within the statement, whose snapshot the replay may be waiting for.
	if _, err := conn.Exec(ctx, "SELECT pg_promote(false)"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		var standby bool
		if err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil || !standby {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pgtest: the standby was not promoted: %w", ctx.Err())
		case <-poll.C:
		}
	}
}

// Dir is the folder of the cluster's socket: its host in a DSN.
func (c *Cluster) Dir() string { return c.dir }
