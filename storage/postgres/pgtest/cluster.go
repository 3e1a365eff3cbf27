package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds one server start, crash recovery included.
const startTimeout = time.Minute

// Options of a cluster. The zero value is the fast and forgetful server of ordinary tests.
type Options struct {
	// Durable makes the server keep what it has committed across a crash of the machine:
	// fsync, full_page_writes and synchronous_commit are on, as in production. Without it they
	// are off, and what was committed last may be gone after Kill.
	Durable bool

	// Settings are further server settings (postgresql.conf names); they win over the defaults.
	Settings map[string]string
}

// Cluster is a PostgreSQL server of its own in a temporary folder. It lives until Stop, until
// its process ends, or until nothing refers to the Cluster any more: keep it, not only its DSN.
// Its methods are not safe for concurrent use, except DSN.
type Cluster struct {
	dir        string // holds data/, the socket and log
	supervisor *exec.Cmd
	commands   io.WriteCloser // closing it stops the server and removes dir
}

// supervise is the shell process between a cluster and its owner. Each line of standard input
// starts the server (again); end of input, which the kernel delivers however the owner died,
// stops it and removes the folder. The shell ignores the signals meant for the owner.
// $0 is the folder; "$@" is the server's command line.
const supervise = `
trap '' HUP INT TERM
pid=
while read -r _; do
	[ -z "$pid" ] || wait "$pid"
	"$@" </dev/null >>"$0/log" 2>&1 &
	pid=$!
done
if [ -n "$pid" ]; then
	kill -QUIT "$pid" 2>/dev/null
	wait "$pid"
fi
cd /
rm -rf "$0" || { sleep 1; rm -rf "$0"; } # an initdb may still be writing
`

// Start creates a cluster and starts its server. ctx bounds the start only.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	return start(ctx, opts, func(bin, data string, account account) error { return initdb(ctx, bin, data, account) })
}

// start fills the data folder of a new cluster and starts its server.
func start(ctx context.Context, opts Options, fill func(bin, data string, account account) error) (*Cluster, error) {
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	bin, err := findPrograms(ctx, account)
	if err != nil {
		return nil, err
	}
	dir, err := account.tempDir(ctx, opts.Durable)
	if err != nil {
		return nil, err
	}
	// The supervisor comes before initdb, so that from here on the folder has somebody to
	// remove it, whatever happens to us.
	c, err := supervised(dir, account, append([]string{filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data")}, settings(opts, dir)...))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := fill(bin, filepath.Join(dir, "data"), account); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := c.Restart(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// settings returns the server's command line options for opts.
func settings(opts Options, dir string) []string {
	onOff := map[bool]string{true: "on", false: "off"}[opts.Durable]
	all := map[string]string{
		"unix_socket_directories": dir,
		"unix_socket_permissions": "0700",
		"listen_addresses":        "",
		"port":                    strconv.Itoa(socketPort),
		"max_connections":         "400",
		"shared_buffers":          "128MB",
		"max_wal_size":            "512MB",
		"temp_file_limit":         "1GB", // a statement that runs wild fails before the folder, which may be memory, is full
		"fsync":                   onOff,
		"full_page_writes":        onOff,
		"synchronous_commit":      onOff,
		"timezone":                "UTC",
	}
	maps.Copy(all, opts.Settings)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args
}

// supervised starts the supervisor for a server in dir, not yet the server.
func supervised(dir string, account account, server []string) (*Cluster, error) {
	// Not exec.CommandContext: the end of Start's context is not the end of the cluster.
	cmd := exec.Command("/bin/sh", append([]string{"-c", supervise, dir}, server...)...)
	account.applyTo(cmd, dir)
	commands, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: start the supervisor: %w", err), commands.Close())
	}
	return &Cluster{dir: dir, supervisor: cmd, commands: commands}, nil
}

// initdb prefers English ordering and falls back to byte order where the server lacks ICU.
func initdb(ctx context.Context, bin, data string, account account) error {
	var failures error
	for _, collation := range [][]string{{"--locale-provider=icu", "--icu-locale=en-US"}, nil} {
		args := append([]string{"-D", data, "-U", role, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"}, collation...)
		out, err := account.command(ctx, filepath.Dir(data), filepath.Join(bin, "initdb"), args...).CombinedOutput()
		if err == nil {
			return nil
		}
		failures = errors.Join(failures, fmt.Errorf("pgtest: initdb: %w\n%s", err, out))
	}
	return failures
}

const (
	role = "postgres"
	// socketPort is only a part of the socket's name: a cluster has no TCP port.
	socketPort = 5432
)

// DSN is the address of a database of this cluster, as a postgres:// URL. It does not create
// the database; "postgres" always exists.
func (c *Cluster) DSN(database string) string {
	query := url.Values{"host": {c.dir}, "port": {strconv.Itoa(socketPort)}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: query.Encode()}).String()
}

// Restart starts the server after Kill and waits until it has recovered and answers.
// On a running server it fails.
func (c *Cluster) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if _, err := os.Stat(c.socket()); err == nil {
		return errors.New("pgtest: the server is running already")
	}
	before := len(c.log())
	if _, err := io.WriteString(c.commands, "start\n"); err != nil {
		return fmt.Errorf("pgtest: the supervisor is gone: %w", err)
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		err := c.ping(ctx)
		if err == nil {
			return nil
		}
		// Before there is a socket nobody can have provoked a FATAL line by connecting too
		// early, so one means that the server gave up.
		if _, missing := os.Stat(c.socket()); missing != nil && strings.Contains(c.log()[before:], "FATAL:") {
			said := c.log()[before:]
			if !strings.Contains(said, "shared memory block") {
				return fmt.Errorf("pgtest: the server did not start:\n%s", said)
			}
			// The last process of the killed server is about to end.
			before += len(said)
			if _, err := io.WriteString(c.commands, "start\n"); err != nil {
				return fmt.Errorf("pgtest: the supervisor is gone: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pgtest: the server did not start: %w\n%w\n%s", ctx.Err(), err, c.log()[before:])
		case <-poll.C:
		}
	}
}

// Kill ends the server and all its sessions with SIGKILL, as a crash would.
// What was committed must be there after Restart if the cluster is Durable.
func (c *Cluster) Kill() error {
	pid, err := c.serverPID()
	if err != nil {
		return err
	}
	if err := killFamily(pid); err != nil {
		return fmt.Errorf("pgtest: kill the server: %w", err)
	}
	// A killed server cannot remove its socket; without this Restart would take the old one
	// for a sign of life.
	return os.Remove(c.socket())
}

// Stop ends the server, removes its folder and waits until both are done.
// A second Stop does nothing.
func (c *Cluster) Stop() error {
	if c.commands == nil {
		return nil
	}
	closed := c.commands.Close()
	c.commands = nil
	if err := errors.Join(closed, c.supervisor.Wait()); err != nil {
		return fmt.Errorf("pgtest: stop: %w", err)
	}
	return nil
}

func (c *Cluster) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (c *Cluster) socket() string {
	return filepath.Join(c.dir, ".s.PGSQL."+strconv.Itoa(socketPort))
}

// log is what the server has written so far, "" when it has not.
func (c *Cluster) log() string {
	text, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil {
		return ""
	}
	return string(text)
}

func (c *Cluster) serverPID() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("pgtest: the server is not running: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}
