//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// account is whom the server runs as: ourselves, or somebody unprivileged when we are root.
type account struct {
	name       string
	credential *syscall.Credential // nil: ourselves
}

// serverAccount chooses the account. PostgreSQL refuses to run as root.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return account{}, fmt.Errorf("pgtest: user %s: %w", name, err)
		}
		return account{name: name, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return account{}, errors.New("pgtest: running as root, and there is neither a user postgres nor nobody to run the server as")
}

// command prepares a program to run as the account in dir.
func (a account) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	a.applyTo(cmd, dir)
	return cmd
}

// applyTo makes cmd run as the account in dir, in a session of its own: a Ctrl-C in the
// terminal is for the tests, and the server has to outlive them by a moment.
func (a account) applyTo(cmd *exec.Cmd, dir string) {
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential, Setsid: true}
	// The caller's PGDATA, PGPORT, … mean another server, its locale another language.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "PG") || strings.HasPrefix(entry, "LC_") || strings.HasPrefix(entry, "LANG")
	})
	cmd.Env = append(cmd.Env, "HOME="+dir, "PWD="+dir, "LC_ALL=C")
}

// maxSocketPath is what fits into sockaddr_un everywhere, less the file's own name.
const maxSocketPath = 103 - len("/.s.PGSQL.5432.lock")

// tempDir makes a folder that belongs to the account, short enough for a socket's path. The
// usual temporary folder will not do when it is deep or inside a home the account cannot enter.
// What need not be durable goes to memory where there is plenty: a fresh schema is then made
// two to ten times as fast. Whoever sets TMPDIR decides against that.
func (a account) tempDir(ctx context.Context, durable bool) (string, error) {
	parents := []string{os.TempDir(), "/tmp", "/var/tmp"}
	if !durable && os.Getenv("TMPDIR") == "" && roomy(memoryDir) {
		parents = slices.Insert(parents, 0, memoryDir)
	}
	var failures error
	for _, parent := range parents {
		dir, err := os.MkdirTemp(parent, "pgtest-")
		if err != nil {
			failures = errors.Join(failures, err)
			continue
		}
		if err := a.own(ctx, dir); err != nil {
			failures = errors.Join(failures, err, os.Remove(dir))
			continue
		}
		return dir, nil
	}
	return "", fmt.Errorf("pgtest: no usable temporary folder: %w", failures)
}

func (a account) own(ctx context.Context, dir string) error {
	if len(dir) > maxSocketPath {
		return fmt.Errorf("%s is too long for a socket's path", dir)
	}
	if a.credential == nil {
		return nil
	}
	if err := os.Chown(dir, int(a.credential.Uid), int(a.credential.Gid)); err != nil {
		return err
	}
	// Writing to the parent is what it takes to remove the folder in the end.
	if err := a.command(ctx, "/", "/bin/sh", "-c", `test -w "$0" && test -w "${0%/*}"`, dir).Run(); err != nil {
		return fmt.Errorf("user %s cannot write to %s and its parent: %w", a.name, dir, err)
	}
	return nil
}

// killFamily ends a server and its sessions at once. The server is frozen first, so that it
// starts no session while they are listed. Where there is no /proc, the sessions are left to
// notice the death of their parent, which they do at their next wait.
func killFamily(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	id := strconv.Itoa(pid)
	children, err := os.ReadFile("/proc/" + id + "/task/" + id + "/children")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, field := range strings.Fields(string(children)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		if err := syscall.Kill(child, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}
