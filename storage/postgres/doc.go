// Package postgres keeps the domains in PostgreSQL 13 or later (tested with 15 and 18), through bun.
//
//	handle, err := postgres.Open("postgres://app@db/shop")
//	…
//	options := postgres.Options{Schema: "affiliate"}
//	if err := postgres.Migrate(ctx, handle, options); err != nil { … }
//	db, err := postgres.New(handle, options)
//	…
//	service, err := affiliate.NewService(db.Core(), affiliate.Options{})
//
// # Units of work
//
//	unit            transaction                  runs again on
//	Read            REPEATABLE READ, READ ONLY   –
//	Write           SERIALIZABLE                 40001, 40P01
//	links Record    READ COMMITTED, row locks    40001, 40P01
//
// A unit runs again until the deadline of its context, or at most
// Options.MaxAttempts times, with a random pause that grows; then it is
// affiliate.ErrUnavailable with the driver's error inside. Units of one DB run
// again one after the other. The server gets the deadline as statement_timeout
// and lock_timeout of the transaction. Whatever the callback says, a unit that the database gave up is run
// again: a swallowed error hides nothing. It also runs again, without prepared
// statements, when a pooler has lost those.
//
// Serializable isolation holds among Writes. A Record excludes other Records
// of the same links, and Writes that lock them; a Write that must not miss
// clicks being recorded decides in a Record instead.
//
// # In the host's transaction
//
// [RunInTx] runs a transaction of the host's as a unit runs, serializable and again
// when the database asks for it. [DB.In] is the backend in it, and affiliatekit.Kit.In
// (or the In method of one service) enters it with what the services have compiled
// and cached. Units are then savepoints: the host's rows and ours commit together,
// and a failed unit leaves the host's transaction alive. What is used with the context
// of the transaction and would commit beside it is affiliate.ErrNested.
//
// A host that begins transactions itself passes them to In or New, and marks its
// context with [WithTx]. What a host has is brought to bun in one line each:
//
//	*sql.DB         handle := bun.NewDB(sqlDB, pgdialect.New())
//	*pgxpool.Pool   handle := bun.NewDB(stdlib.OpenDBFromPool(pool), pgdialect.New())
//	*sql.Tx         begin it with RunInTx, or with handle.BeginTx; code that takes
//	                a *sql.Tx gets tx.Tx
//	pgx.Tx          conn, err := handle.Conn(ctx); tx, err := conn.BeginTx(ctx, options);
//	                code that takes a *pgx.Conn gets that of the transaction with
//	                conn.Raw(func(c any) error { c.(*stdlib.Conn).Conn() … })
//
// # Drivers
//
// Any driver for database/sql that bun knows; pgx is the one that is tested,
// and Open sets it up. On pgx the statements of most requests are prepared, a few
// dozen for a connection; all others have their arguments written into them and are
// sent by the simple protocol, also on a handle that a host opened with pgx's
// defaults, so that its connections keep no statement for each text. On other
// drivers, and where Open says, nothing is prepared. bun's pgdriver kept the
// promises of the suite when it was tried, but cannot read a time after the year
// 9999.
//
// # Errors
//
// SQLSTATE and the constraint's name decide, never the text. Constraints are
// called <table>_<field>_<key|fkey|check> with the field's name on the wire, so
// that a violated one names its field. Values are validated before they are
// sent; the constraints have the last word. An error that the server did not
// send, such as a lost connection, is affiliate.ErrUnavailable. When a commit
// ends so, it is not known whether it happened: repeat what is safe to repeat,
// as every booking with a cause is.
//
// # Tables
//
// Numbered files in migrations/, up only. Migrate runs them; for hosts whose
// migrations are run by goose, golang-migrate, tern or Atlas MigrationFiles has them in
// the tool's form, CheckSchema says at the start what is missing, and Baseline brings
// such a database to Migrate. Options.Without leaves out the tables of domains that the
// host does not use, until a Migrate without it. All text sorts by its bytes, by
// COLLATE "C" where the database itself does not, so that sorting and case folding
// are those of every other backend whatever the database's language is. A time is a timestamptz in microseconds, a zero time
// NULL; money is a bigint of minor units, a rate a numeric, both exact.
//
// affiliate_clicks and affiliate_entries have no foreign keys to links, users
// and advertisers: Add and Append check a batch at once, and no domain ever
// deletes what they refer to. A host that deletes such rows by hand breaks that.
//
// # Clicks by month
//
// PartitionClicks, which a host calls if it wants, partitions affiliate_clicks by
// its id, a UUID of version 7, which begins with the time. The key alone is
// unique over all partitions then, and a click is found in one of them. Nothing
// else is partitioned: events and kept answers are unique by what no range of
// time decides, and they go in small batches by index; entries and roll-ups stay.
// What is asked of a time reads the partitions of the time, and around it as far as
// a click's time and its id's lie apart at most, see click_skew.go.
//
// # How to add a plain aggregate
//
// One file, of the same name as in storage/memory, has bun's row struct, the two
// functions between a row and its entity, and a table that describes them. The
// repository is struct{ repo[E, xRow] }, which has Add, Get, GetMany, Update (say
// id in the table) and Delete; its transaction returns x{in(t, &xTable)}. List is
// one verb for each field of the filter, as in storage/memory. advertiser_groups.go
// is a small example. The table itself is a file in migrations/. A new domain is a
// transaction that embeds the one below it and a method of DB that returns a view
// of it, as in tx_deals.go.
//
// What comes in batches (clicks, entries, days, usage, deals) is written by hand,
// with one statement for a batch, see batch.
package postgres
