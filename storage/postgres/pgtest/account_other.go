//go:build !unix

package pgtest

import (
	"context"
	"errors"
	"os/exec"
)

var errUnsupported = errors.New("pgtest: throwaway clusters need a Unix system; set TEST_DATABASE_URL")

// account stands in for the Unix account; serverAccount refuses before any of it is used.
type account struct{}

func serverAccount() (account, error) { return account{}, errUnsupported }

func (account) command(ctx context.Context, _, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

func (account) applyTo(*exec.Cmd, string) {}

func (account) tempDir(context.Context, bool) (string, error) { return "", errUnsupported }

func killFamily(int) error { return errUnsupported }
