package postgres_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks/delivery"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// texts notes the statements about a table.
type texts struct {
	table string
	list  []string
}

func (n *texts) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if strings.Contains(e.Query, n.table) {
		n.list = append(n.list, e.Query)
	}
	return ctx
}
func (n *texts) AfterQuery(context.Context, *bun.QueryEvent) {}

// However many endpoints there are, to look whether one of them is due reads
// those that are due, by an index, and whether an event is new the new ones.
func TestAPollOfManyEndpointsIsOneIndexScan(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	_, handle := openInPath(t)
	for _, statement := range []string{
		`INSERT INTO affiliate_event_consumers (channel, name, kinds, paused, due_at, token, takeovers)
		 SELECT 'webhook', 'endpoint ' || i, '{}', false, now() + interval '1 hour', '', 0 FROM generate_series(1, 10000) AS i`,
		`INSERT INTO affiliate_webhook_endpoints (id, url, description, secret, previous_secret, status, reason)
		 SELECT id, 'https://a.example/', '', 'x', '', 'active', '' FROM affiliate_event_consumers`,
		`INSERT INTO affiliate_events (sequence, kind, version, object_type, object_id, data, at)
		 SELECT i, 'order.approved', 1, 'order', i, '', now() FROM generate_series(1, 10000) AS i`,
		`UPDATE affiliate_event_sequence SET last = 10000`,
		`ANALYZE`,
	} {
		_, err := handle.ExecContext(t.Context(), statement)
		is.NoErr(err)
	}
	noted := &texts{table: "affiliate_event"}
	db, err := postgres.New(handle.WithQueryHook(noted), postgres.Options{})
	is.NoErr(err)
	hooks, err := delivery.NewService(db.Webhooks(), db.Events(), webhooks.Options{})
	is.NoErr(err)
	_, err = hooks.Deliver(t.Context())
	is.NoErr(err)
	is.Equal(len(noted.list), 2) // is an event new, is an endpoint due
	for i, index := range []string{"affiliate_events_new_idx", "affiliate_event_consumers_due_idx"} {
		plan := planOf(t, handle, noted.list[i])
		if scans := strings.Count(plan, "Scan using "); !strings.Contains(plan, "Scan using "+index) || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") || scans > 2 {
			t.Errorf("%s\nis not read by the index %s alone:\n%s", noted.list[i], index, plan)
		}
	}
	// The second scan changes what the first one found.
	is.Equal(strings.Count(planOf(t, handle, noted.list[1]), "affiliate_event_consumers_due_idx"), 1)
}

// planOf is the plan of a statement, with these arguments where it is prepared.
func planOf(t *testing.T, handle *bun.DB, statement string) string {
	t.Helper()
	arguments := []string{"'webhook'", "now()", "true", "'{}'", "64", "'token'", "(now() + interval '1 minute')"}
	statement = regexp.MustCompile(`[?$]\d`).ReplaceAllStringFunc(statement, func(place string) string {
		n := int(place[1] - '0')
		if place[0] == '$' {
			n--
		}
		return arguments[n]
	})
	var plan []string
	if err := handle.NewRaw("EXPLAIN "+strings.ReplaceAll(statement, "?", "??")).Scan(t.Context(), &plan); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return strings.Join(slices.DeleteFunc(plan, func(s string) bool { return s == "" }), "\n")
}
