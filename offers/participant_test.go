package offers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// allowed is the table of moves, written out once more.
const allowed = `suggestion: open applied store_denied
open: applied accepted denied store_denied
applied: accepted second_prio store_denied denied
second_prio: accepted store_denied denied
accepted: product_sent have_posted done denied store_denied
product_sent: have_received store_denied
have_received: have_posted store_denied
have_posted: done store_denied
denied: applied
store_denied: accepted
done:`

func TestEveryPairOfStatesIsAllowedOrNot(t *testing.T) {
	table := make(map[ParticipantStatus][]string)
	for line := range strings.Lines(allowed) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), ":")
		table[ParticipantStatus(from)] = strings.Fields(to)
	}
	if len(table) != len(ParticipantStatuses()) {
		t.Fatalf("the table has %d states, there are %d", len(table), len(ParticipantStatuses()))
	}
	for _, from := range ParticipantStatuses() {
		for _, to := range ParticipantStatuses() {
			for _, seeding := range []bool{false, true} {
				want := from == to || slices.Contains(table[from], string(to)) && (seeding || to != ProductSent && to != HaveReceived)
				err := Move(from, to, seeding)
				if (err == nil) != want {
					t.Errorf("%s to %s, seeding %v: got %v, want allowed %v", from, to, seeding, err, want)
				}
				if err == nil {
					continue
				}
				var e *affiliate.Error
				if !errors.As(err, &e) || e.Kind != affiliate.ErrState || e.Code != "illegal_transition" ||
					!strings.Contains(e.Message, fmt.Sprintf("from %s to %s", from, to)) {
					t.Errorf("%s to %s: got %v, want an illegal transition naming both", from, to, err)
				}
			}
		}
	}
}

func TestEarningStates(t *testing.T) {
	for _, s := range ParticipantStatuses() {
		want := slices.Contains([]ParticipantStatus{Accepted, ProductSent, HaveReceived, HavePosted, Done}, s)
		if s.Earns() != want {
			t.Errorf("%s: got %v, want %v", s, s.Earns(), want)
		}
	}
}
