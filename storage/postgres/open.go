package postgres

import (
	"runtime"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// Open gives a bun.DB on pgx that suits bun. Like sql.Open it does not connect;
// it fails only on a DSN that cannot be read. The caller closes it.
//
// What it sets, and a host that opens its own handle should set as well:
//
//   - The simple protocol. bun writes the arguments into the statement, so no
//     two statements are alike; pgx's default mode would prepare each of them,
//     an extra round trip and a plan that is never used again, and fill the
//     statement cache with them. Values come back as text, which pgx decodes by
//     the type that the server names: bytea as bytes, numbers exactly.
//   - standard_conforming_strings, which bun's quoting relies on, and UTC.
//   - A pool of four connections for each processor, all of which may stay
//     idle: database/sql keeps two and reconnects for the rest. Change it with
//     SetMaxOpenConns and SetMaxIdleConns.
//
// A default_query_exec_mode in the DSN is overruled.
func Open(dsn string, opts ...bun.DBOption) (*bun.DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.StatementCacheCapacity = 0
	config.DescriptionCacheCapacity = 0
	config.RuntimeParams["standard_conforming_strings"] = "on"
	config.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*config)
	connections := 4 * runtime.GOMAXPROCS(0)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return bun.NewDB(db, pgdialect.New(), opts...), nil
}
