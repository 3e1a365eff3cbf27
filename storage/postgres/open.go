package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// Open gives a bun.DB on pgx that suits bun. Like sql.Open it does not connect;
// it fails only on a DSN that cannot be read. The caller closes it.
//
// What it sets:
//
//   - The simple protocol. bun writes the arguments into the statement, so no
//     two statements are alike; pgx's default mode would prepare each of them,
//     an extra round trip and a plan that is never used again, and fill the
//     statement cache with them. Values come back as text, which pgx decodes by
//     the type that the server names: bytea as bytes, numbers exactly.
//   - That the few statements which most requests send are prepared all the
//     same, each once for a connection; a redirect then takes a quarter less
//     time. default_query_exec_mode=simple_protocol in the DSN, or
//     statement_cache_capacity=0, turns that off. It must be off where a pooler
//     in between does not know prepared statements, as PgBouncer before 1.21 in
//     transaction mode: units fail there after a statement that is refused.
//   - standard_conforming_strings, which bun's quoting relies on, and UTC.
//   - A pool of four connections for each processor, all of which may stay
//     idle: database/sql keeps two and reconnects for the rest. Change it with
//     SetMaxOpenConns and SetMaxIdleConns.
//
// On a handle that the host opened on pgx itself they are prepared too if its
// connections are in pgx's default mode, cache_statement.
//
// A DSN with several hosts fails over as the zero [Failover] says.
func Open(dsn string, opts ...bun.DBOption) (*bun.DB, error) {
	return OpenFailover(dsn, Failover{}, opts...)
}

// OpenFailover is Open with the times of a fail-over.
func OpenFailover(dsn string, f Failover, opts ...bun.DBOption) (*bun.DB, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	return open(config, f, opts...), nil
}

// open gives a handle of a configuration, which it changes.
func open(config *pgx.ConnConfig, f Failover, opts ...bun.DBOption) *bun.DB {
	mayPrepare := prepares(config)
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.DescriptionCacheCapacity = 0
	config.RuntimeParams["standard_conforming_strings"] = "on"
	config.RuntimeParams["timezone"] = "UTC"
	options := []stdlib.OptionOpenDB{stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
		conn.PgConn().CustomData()[preparesKey] = mayPrepare
		conn.PgConn().CustomData()[madeKey] = time.Now()
		return nil
	})}
	var connector driver.Connector
	if severalHosts(config) {
		h := newHosts(f)
		if config.ConnectTimeout == 0 {
			config.ConnectTimeout = h.timeout
		}
		config.DialFunc, config.Tracer = h.dial(config.DialFunc), h
		connector = failoverConnector{stdlib.GetConnector(*config, append(options, stdlib.OptionResetSession(h.reset))...), h}
	} else {
		connector = stdlib.GetConnector(*config, options...)
	}
	db := sql.OpenDB(connector)
	connections := 4 * runtime.GOMAXPROCS(0)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return bun.NewDB(db, pgdialect.New(), opts...)
}
