//go:build unix

package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/matryer/is"
)

// ownerEnv makes TestServerOutlivesNoOwner play the owner instead of watching one.
const ownerEnv = "PGTEST_PLAY_OWNER"

func TestServerOutlivesNoOwner(t *testing.T) {
	if os.Getenv(ownerEnv) != "" {
		playOwner(t)
		return
	}
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT} {
		t.Run(signal.String(), func(t *testing.T) {
			is := is.New(t)
			owner := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerOutlivesNoOwner$")
			owner.Env = append(os.Environ(), ownerEnv+"=1", EnvURL+"=")
			out, err := owner.StdoutPipe()
			is.NoErr(err)
			_, err = owner.StdinPipe() // never written to: it ends when this process does
			is.NoErr(err)
			is.NoErr(owner.Start())
			dir, pid := announced(t, out)
			is.True(processExists(pid))

			is.NoErr(owner.Process.Signal(signal))
			is.True(owner.Wait() != nil) // it did die of the signal

			eventually(t, "the server to end", func() bool { return !processExists(pid) })
			eventually(t, "its folder to go", func() bool {
				_, err := os.Stat(dir)
				return errors.Is(err, os.ErrNotExist)
			})
		})
	}
}

// playOwner is a test binary that uses the shared server and is then stuck until it is killed.
func playOwner(t *testing.T) {
	Server(t)
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := s.cluster.serverPID()
	if err != nil {
		t.Fatal(err)
	}
	// Nothing but shared refers to the cluster now, and that has to be enough to keep it.
	for range 20 {
		runtime.GC()
		if err := run(t.Context(), Server(t), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Printf("%s %d\n", s.cluster.dir, pid)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Fatal(err)
	}
}

func announced(t *testing.T, out io.Reader) (dir string, pid int) {
	t.Helper()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(strings.TrimSpace(line), &dir, &pid); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return dir, pid
}

// eventually polls: nobody tells a stranger when a process that is not its child has ended.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("waited 20 s for %s", what)
		}
	}
}

func processExists(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
