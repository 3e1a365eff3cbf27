package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// findPrograms returns a folder whose initdb and postgres the account can run, installing
// PostgreSQL first where that is possible and needed.
func findPrograms(ctx context.Context, account account) (string, error) {
	bin, missing := firstWorking(ctx, account, candidates(ctx))
	if missing == nil {
		return bin, nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("pgtest: %w", ctx.Err())
	}
	if !mayInstall() {
		return "", fmt.Errorf("pgtest: no PostgreSQL server: set TEST_DATABASE_URL, or install PostgreSQL: %w", missing)
	}
	if err := install(ctx); err != nil {
		return "", errors.Join(missing, err)
	}
	return firstWorking(ctx, account, candidates(ctx))
}

// candidates lists the folders that may hold the server programs, best first.
func candidates(ctx context.Context) []string {
	var dirs []string
	if postgres, err := exec.LookPath("postgres"); err == nil {
		// A link in PATH often stands alone; what belongs to it is where it points.
		if real, err := filepath.EvalSymlinks(postgres); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
		dirs = append(dirs, filepath.Dir(postgres))
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if versions, err := filepath.Glob("/usr/lib/postgresql/*/bin"); err == nil {
		slices.SortFunc(versions, func(a, b string) int { // 15 before 9.6: longer is newer
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return strings.Compare(b, a)
		})
		dirs = append(dirs, versions...)
	}
	return dirs
}

// firstWorking tries the programs rather than trusting their names: a wrapper found in PATH
// may refuse the account that the server has to run as.
func firstWorking(ctx context.Context, account account, dirs []string) (string, error) {
	failures := []error{fmt.Errorf("looked for initdb and postgres in %q", dirs)}
	for _, dir := range dirs {
		err := errors.Join(
			account.command(ctx, "/", filepath.Join(dir, "initdb"), "--version").Run(),
			account.command(ctx, "/", filepath.Join(dir, "postgres"), "--version").Run(),
		)
		if err == nil {
			return dir, nil
		}
		failures = append(failures, err)
	}
	return "", errors.Join(failures...)
}

// mayInstall reports whether this is a Debian-like system on which we are root.
func mayInstall() bool {
	_, noDebian := os.Stat("/etc/debian_version")
	_, noApt := exec.LookPath("apt-get")
	return os.Geteuid() == 0 && noDebian == nil && noApt == nil
}

// install fetches PostgreSQL from the system's own package sources.
func install(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "pgtest: no PostgreSQL here; running apt-get install -y postgresql")
	err := aptGet(ctx, "install", "-y", "postgresql")
	if err == nil {
		return nil
	}
	// A fresh container image has no package lists yet.
	if update := aptGet(ctx, "update"); update != nil {
		return errors.Join(err, update)
	}
	return aptGet(ctx, "install", "-y", "postgresql")
}

// aptGet waits for its lock, because other test binaries may be installing as well.
func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pgtest: apt-get %s: %w\n%s", args[0], err, out)
	}
	return nil
}
