package postgres_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// roundsVariable says how many rounds the race below has.
const roundsVariable = "ROUNDS"

// Clicks come in through two backends that know nothing of each other, as two
// processes have them, and somewhere among them an edit leaves no room for more. What was paid when the edit
// returned is all that is ever paid.
func TestNoClickPassesAnEditWheneverItComes(t *testing.T) {
	t.Parallel()
	rounds := 24
	if text := os.Getenv(roundsVariable); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	e := newEditWorld(t)
	other, err := postgres.New(e.handle, postgres.Options{})
	e.NoErr(err)
	second := e
	second.store = other.Links()
	second.kit, err = affiliatekit.New(other, affiliatekit.Options{})
	e.NoErr(err)

	all := edits()
	delete(all, "other costs") // clicks go on, at other prices
	names := slices.Sorted(maps.Keys(all))
	const clickers, each = 4, 8
	for round := range rounds {
		name := names[round%len(names)]
		if err := e.kit.Offers.DeleteOffer(t.Context(), e.offer.ID); !errors.Is(err, affiliate.ErrNotFound) { // an edit may have deleted it
			e.NoErr(err)
		}
		made, err := e.kit.Offers.CreateOffer(t.Context(), offers.OfferInput{
			Offer: offers.Offer{AdvertiserID: e.w.advertisers[0].ID, Type: offers.Standard, Name: "c", Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](3)}}}},
		})
		e.NoErr(err)
		e.offer = made.View
		p, err := e.kit.Offers.Enroll(t.Context(), e.offer.ID, e.w.users[0].ID)
		e.NoErr(err)
		e.part = p.ID
		second.offer, second.part = e.offer, e.part
		used := func() offers.Counts {
			v, err := e.kit.Offers.Offer(t.Context(), e.offer.ID)
			e.NoErr(err)
			return v.Used
		}

		at := 1 + rand.IntN(clickers*each/2)
		var clicking sync.WaitGroup
		var mu sync.Mutex
		clicks, now := 0, make(chan struct{})
		for i := range clickers {
			by := []editWorld{e, second}[i%2]
			clicking.Go(func() {
				for range each {
					if _, err := by.click(t.Context(), func() {}); err != nil {
						t.Error(err)
					}
					mu.Lock()
					if clicks++; clicks == at {
						close(now)
					}
					mu.Unlock()
				}
			})
		}
		<-now
		if err := all[name](t.Context(), []editWorld{e, second}[rand.IntN(2)]); err != nil {
			t.Errorf("round %d, %s: %v", round, name, err)
		}
		then := used()
		clicking.Wait()
		if end := used(); end != then || then.Clicks < 1 {
			t.Errorf("round %d, %s: there were %+v when the edit returned, and %+v at the end", round, name, then, end)
		}
	}
}
