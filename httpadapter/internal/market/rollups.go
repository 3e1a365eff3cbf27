package market

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// HideEvents takes the tables of clicks, orders and entries out of a database, so
// that only the roll-ups of them are left to be read.
func HideEvents(t testing.TB, dsn string) {
	t.Helper()
	db, err := postgres.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"affiliate_clicks", "affiliate_orders", "affiliate_entries"} {
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE "+table+" RENAME TO "+table+"_hidden"); err != nil {
			t.Fatal(err)
		}
	}
}
