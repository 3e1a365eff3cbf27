package pgtest

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/matryer/is"
)

// The shared memory of a killed server is in use until its last process has ended.
func TestARestartWaitsForTheLastProcessOfAKilledServer(t *testing.T) {
	is := is.New(t)
	c, err := Start(t.Context(), Options{})
	is.NoErr(err)
	t.Cleanup(func() { is.NoErr(c.Stop()) })
	text, err := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid"))
	is.NoErr(err)
	block := strings.Fields(strings.Split(string(text), "\n")[6]) // its key and its id
	id, err := strconv.Atoi(block[1])
	is.NoErr(err)
	address, _, failed := syscall.Syscall(syscall.SYS_SHMAT, uintptr(id), 0, 0) // we are that process
	is.Equal(failed, syscall.Errno(0))
	before := len(c.log())
	is.NoErr(c.Kill())

	restarted := make(chan error, 1)
	go func() { restarted <- c.Restart(t.Context()) }()
	for !strings.Contains(c.log()[before:], "shared memory block") {
		select {
		case err := <-restarted:
			t.Fatalf("the restart did not wait: %v", err)
		default:
			runtime.Gosched()
		}
	}
	_, _, failed = syscall.Syscall(syscall.SYS_SHMDT, address, 0, 0)
	is.Equal(failed, syscall.Errno(0))
	is.NoErr(<-restarted)
	is.NoErr(run(t.Context(), c.DSN("postgres"), "SELECT 1"))
}
