// Package pgtest gives tests a real PostgreSQL that nobody has to prepare.
//
// Most tests need one line:
//
//	dsn := pgtest.DSN(t)             // an empty database of their own, about 15 ms
//	dsn, schema := pgtest.Schema(t)  // an empty schema of their own, about 2 ms
//
// and tests of one prepared schema share the work of preparing it, whatever the migrations cost:
//
//	template := pgtest.NewTemplate(t, migrate)
//	dsn := template.DSN(subtest)     // a copy of their own, about 30 ms
//
// The server behind it is, in this order:
//
//  1. the one TEST_DATABASE_URL names (a postgres:// URL of a role that may create databases);
//  2. a throwaway cluster of the PostgreSQL programs found in PATH, in `pg_config --bindir` or in
//     /usr/lib/postgresql/*/bin, started once per process by the first test that asks;
//  3. on Debian as root, the same after `apt-get install -y postgresql`.
//
// With none of them the test fails. It is never skipped: a suite that quietly leaves out
// its database has not run.
//
// # Throwaway clusters
//
// A cluster lives in one temporary folder, data and Unix socket alike, and listens on no TCP port.
// Unless it has to be durable, or TMPDIR says where, the folder is in /dev/shm if that is large.
// PostgreSQL refuses to run as root, so under root it runs as the user postgres, or nobody.
// A small shell process starts the server and holds a pipe from the process that asked for it.
// When that pipe closes, because of Stop, an exit, a panic or kill -9, the shell stops the server and
// removes the folder, so no test run leaves anything behind.
//
// Default collation is English, not "C", where the server was built with ICU: a query that sorts
// text and forgets COLLATE "C" is then seen to sort differently from the memory backend.
//
// Each test binary is a process, so `go test ./...` would start a cluster per package. The command
// withpostgres below this folder starts one for all of them:
//
//	go run ./storage/postgres/pgtest/withpostgres go test ./...
//
// Crash tests and benchmarks call Start themselves, with Options.Durable, and use Kill and Restart.
package pgtest
