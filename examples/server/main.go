// Command server puts the parts together: a backend, the services, the HTTP
// dialects and the redirect, with health checks, metrics and a graceful stop.
//
//	go run ./examples/server -demo
//	go run ./examples/server -dsn postgres://user@host/database -public-url https://go.example
//
// When it listens it prints one line of JSON on standard output: the address,
// and with -demo the tokens and ids of the sample data. Logs go to standard
// error, and before them a sentence that says where the console is.
//
// The console, at /, shows clicks, orders, money, budgets, events and the ad sync
// queue (package console). With -demo it is open on this machine; otherwise it
// asks for an access token of the operator as the password.
//
// A product feed, CSV or JSON Lines, is imported before the server listens:
//
//	go run ./examples/server -demo -import-products feed.csv
//
// Without -demo a database is brought to its first click by "server admin", which
// makes advertisers, clients, users and tokens, from a file or one by one:
//
//	go run ./examples/server admin apply -dsn postgres://user@host/database seed.json
//	go run ./examples/server admin -h
//
// With -demo the sync engine runs against fakes of the ad services within this
// process; without it nothing is sent to any service.
//
// The flags are listed by -h. Several processes over one database share a
// directory for -images. Two things come from the environment:
//
//   - AFFILIATEKIT_ADMIN_TOKEN, at least 16 bytes, is let in as the operator:
//     that is how a database without -demo gets its first credential. Only its
//     hash is kept. Another value at the next start is another token; the
//     earlier one stays valid until it is revoked.
//   - PGPASSWORD and the other variables that PostgreSQL clients know complete
//     the -dsn, so that no password stands on a command line.
//
// Beside the dialects there are GET /healthz (the process lives), GET /readyz
// (the backend takes changes; 503 when it does not, and while the server stops) and
// GET /metrics (Prometheus text). They ask for no credentials: keep them from
// the outside where that matters.
//
// Readers are told apart by the address that connects. Behind a reverse proxy
// that is the proxy's: a host of its own reads the header that its proxy sets
// (httpadapter.Options.ClientIP).
//
// On SIGTERM or SIGINT the server stops accepting, answers what is under way,
// keeps the clicks that still wait and exits 0. A second signal ends it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(program(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// program is main with its surroundings as arguments; it returns the exit
// status: 2 for flags that make no sense, as package flag has it.
func program(args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "admin" {
		return admin(context.Background(), args[1:], os.Stdin, stdout, stderr)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	c, err := parseFlags(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		log.Error("cannot start", "error", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal is nobody's: it ends the process
	err = run(ctx, c, stdout, log)
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		log.Info("stopped while starting") // nothing had begun that could fail to end
		return 0
	}
	if err != nil {
		log.Error("ended", "error", err)
		return 1
	}
	return 0
}
