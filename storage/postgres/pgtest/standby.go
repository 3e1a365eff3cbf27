package pgtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

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
func (c *Cluster) Promote(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return err
	}
	var promoted bool
	err = conn.QueryRow(ctx, "SELECT pg_promote(true, 60)").Scan(&promoted)
	if err == nil && !promoted {
		err = errors.New("pgtest: the standby was not promoted within a minute")
	}
	return errors.Join(err, conn.Close(ctx))
}

// Dir is the folder of the cluster's socket: its host in a DSN.
func (c *Cluster) Dir() string { return c.dir }
