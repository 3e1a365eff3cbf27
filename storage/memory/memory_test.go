package memory_test

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

func TestMemoryKeepsTheContractOfAllBackends(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Backend {
		db := memory.New()
		return storagetest.BackendOf(db)
	})
}
