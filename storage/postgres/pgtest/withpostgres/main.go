// Command withpostgres runs a command with a throwaway PostgreSQL, whose address the command
// finds in TEST_DATABASE_URL:
//
//	go run ./storage/postgres/pgtest/withpostgres go test ./...
//
// It exits with the command's status. When TEST_DATABASE_URL is set already, no server is started.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
	}
	os.Exit(code)
}

// run returns the exit status to leave with, and what went wrong outside the command.
func run(command []string) (code int, err error) {
	if len(command) == 0 {
		return 2, errors.New("usage: withpostgres command [argument …]")
	}
	// Subscribed before the server starts: from here on a signal is the command's to obey, and
	// the server is stopped after it.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	env := os.Environ()
	if os.Getenv(pgtest.EnvURL) == "" {
		cluster, err := pgtest.Start(context.Background(), pgtest.Options{})
		if err != nil {
			return 1, err
		}
		defer func() {
			if stopErr := cluster.Stop(); stopErr != nil {
				code, err = max(code, 1), stopErr
			}
		}()
		env = append(env, pgtest.EnvURL+"="+cluster.DSN("postgres"))
	}
	return runCommand(command, env, signals)
}

func runCommand(command, env []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			// It fails only when the command has just ended, and then ended says so.
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				return cmd.ProcessState.ExitCode(), err
			}
			return max(exit.ExitCode(), 1), nil // -1: ended by a signal
		}
	}
}
