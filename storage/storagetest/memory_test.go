package storagetest_test

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// The suite is run here over the memory backend, so that a change to either is
// seen at once; the other backends run it in their own tests.
func TestMemoryKeepsEveryPromiseOfAStore(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Backend {
		return storagetest.BackendOf(memory.New())
	})
}
