package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// Options of a backend. The zero Options work.
type Options struct {
	// Schema holds the tables: a lower-case identifier of at most 63
	// characters, not beginning with "pg_". Empty means whatever the
	// connection's search_path leads to.
	Schema string
	// Without are the domains whose tables Migrate does not make and CheckSchema does
	// not miss. Their stores are nil, and a Kit has no services of them. Give the same
	// to Migrate and New. A later Migrate with fewer of them makes what lacks.
	Without []Domain
	// MaxAttempts is how often a unit runs at most when the database asks to
	// run it again, 1..1000; 0 means until the context's deadline, and 20 times
	// when it has none. Inside a transaction of the host it is always once.
	MaxAttempts int
	// Reader is a read-only replica of the database: a handle on one standby, of
	// which New uses the same Schema. Reads whose context has affiliate.AllowStale go
	// there while it is no more than MaxLag behind and works, and to the primary
	// else. Writes never do, nor does anything in a transaction of the host's.
	// The caller closes it. Default: none.
	Reader *bun.DB
	// MaxLag is how old the data of the Reader may be. Default: 5 seconds.
	MaxLag time.Duration
}

const defaultMaxAttempts = 20

func (o Options) validate() error {
	if o.Schema != "" && (!identifier.MatchString(o.Schema) || strings.HasPrefix(o.Schema, "pg_")) {
		return fmt.Errorf("postgres: Options.Schema %q must be a lower-case identifier of at most 63 characters, not beginning with pg_", o.Schema)
	}
	if err := validateDomains(o.Without); err != nil {
		return err
	}
	if o.MaxAttempts < 0 || o.MaxAttempts > 1000 {
		return errors.New("postgres: Options.MaxAttempts must be between 0 and 1000")
	}
	if o.MaxLag < 0 {
		return errors.New("postgres: Options.MaxLag must not be negative")
	}
	return nil
}

var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// DB keeps the domains in a PostgreSQL database. It is safe for concurrent use,
// unless it is made from a transaction, which is not. It holds no resources
// of its own: whoever opened the handle closes it.
type DB struct {
	handle     handle
	pool       *sql.DB       // that units, or the host's transaction, take their connections from
	prefix     string        // of every table: `"shop".`
	attempts   int           // 0: as Options.MaxAttempts says
	lane       chan struct{} // taken by the unit that runs again
	statements *statements
	reader     *reader // nil: none
	without    []Domain
}

// New uses a *bun.DB, or a bun.Tx that the host has begun; see also [RunInTx] and
// [DB.In].
//
// On a bun.Tx units are savepoints: the host's rows and ours commit together,
// or not at all. The isolation is then the host's, so it should begin the
// transaction at sql.LevelSerializable; and a unit runs once, because only the
// host can run its transaction again. An error that asks for that is
// affiliate.ErrUnavailable and has the driver's error with its SQLSTATE
// (40001 or 40P01) inside. RunInTx does both.
func New(db bun.IDB, o Options) (*DB, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	d := &DB{attempts: o.MaxAttempts, without: slices.Clone(o.Without), lane: make(chan struct{}, 1), statements: &statements{}}
	if o.Schema != "" {
		d.prefix = `"` + o.Schema + `".`
	}
	switch db := db.(type) {
	case *bun.DB:
		if db == nil {
			return nil, errors.New("postgres: the *bun.DB must not be nil")
		}
		d.handle, d.pool = pool{db}, db.DB
		if o.Reader != nil {
			d.reader = newReader(d, db, o)
		}
	case bun.Tx:
		if db.Tx == nil {
			return nil, errors.New("postgres: the bun.Tx must be one that was begun")
		}
		d.handle, d.pool, d.attempts = hostTx{db}, poolOf(db), 1
	default:
		return nil, fmt.Errorf("postgres: New takes a *bun.DB or a bun.Tx, not a %T", db)
	}
	if db.Dialect().Name() != dialect.PG {
		return nil, fmt.Errorf("postgres: the dialect must be pgdialect, not %s", db.Dialect().Name())
	}
	return d, nil
}

// view runs the units of one domain, whose transaction is T.
type view[T any] struct {
	db   *DB
	bind func(*unit) T
}

// Read runs fn over one snapshot.
func (v view[T]) Read(ctx context.Context, fn func(context.Context, T) error) error {
	return v.run(ctx, readUnit, fn)
}

// Write runs fn serializably, again when the database asks for it.
func (v view[T]) Write(ctx context.Context, fn func(context.Context, T) error) error {
	return v.run(ctx, writeUnit, fn)
}

// Nested reports whether the context belongs to a unit of the handle.
func (v view[T]) Nested(ctx context.Context) bool { return v.db.nested(ctx) }

func (v view[T]) run(ctx context.Context, kind unitKind, fn func(context.Context, T) error) error {
	return v.db.run(ctx, kind, func(ctx context.Context, u *unit) error { return fn(ctx, v.bind(u)) })
}
