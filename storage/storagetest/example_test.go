package storagetest_test

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// A backend that keeps every domain passes its stores to Run.
func ExampleRun() {
	var t *testing.T // of your TestConformance
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		s := memory.New() // yours, opened fresh and closed by t.Cleanup
		return storagetest.BackendOf(s)
	})
}

// A backend that keeps one domain runs the cases of that one.
func ExampleRunCore() {
	var t *testing.T // of your TestConformance
	storagetest.RunCore(t, func(t *testing.T) storagetest.Backend {
		return storagetest.Backend{Core: memory.New().Core()}
	})
}
