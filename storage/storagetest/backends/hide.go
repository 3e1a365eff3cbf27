package backends

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// HideEvents takes the tables of clicks, orders and entries out of a database, so
// that only the roll-ups of them are left to be read.
func HideEvents(tb testing.TB, dsn string) {
	tb.Helper()
	db, err := postgres.Open(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	}()
	for _, table := range []string{"affiliate_clicks", "affiliate_orders", "affiliate_entries"} {
		if _, err := db.ExecContext(tb.Context(), "ALTER TABLE "+table+" RENAME TO "+table+"_hidden"); err != nil {
			tb.Fatal(err)
		}
	}
}
