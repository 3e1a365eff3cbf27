package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// backend is where everything is kept.
type backend struct {
	affiliatekit.Backend
	close func() error
}

// openBackend is memory, or the database with its tables brought up to date.
func openBackend(ctx context.Context, dsn string) (backend, error) {
	if dsn == "" {
		return backend{memory.New(), func() error { return nil }}, nil
	}
	handle, err := postgres.Open(dsn)
	if err != nil {
		return backend{}, fmt.Errorf("-dsn: %w", err)
	}
	if err := postgres.Migrate(ctx, handle, postgres.Options{}); err != nil {
		return backend{}, errors.Join(err, handle.Close())
	}
	db, err := postgres.New(handle, postgres.Options{})
	if err != nil {
		return backend{}, errors.Join(err, handle.Close())
	}
	return backend{db, handle.Close}, nil
}
