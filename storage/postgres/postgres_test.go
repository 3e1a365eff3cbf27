package postgres_test

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestPostgresKeepsEveryPromiseOfAStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storagetest.Backend { return backendOf(open(t)) })
}

// Most of what is prepared is for clicks.
func TestPostgresKeepsThePromisesOfClicksWithoutPreparing(t *testing.T) {
	t.Parallel()
	storagetest.RunLinks(t, func(t *testing.T) storagetest.Backend {
		return backendOf(open(t, "&default_query_exec_mode=simple_protocol"))
	})
}

func backendOf(db *postgres.DB) storagetest.Backend {
	return storagetest.BackendOf(db)
}
