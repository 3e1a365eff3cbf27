package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// history is what callers asked for, when, and what they were told.
type history struct {
	begin time.Time
	mu    sync.Mutex
	calls []porcupine.Operation
}

// call does one thing. One whose outcome is unknown may take effect at any time
// from its call on, or never, which is as if it did when nobody looked any more.
func (h *history) call(client int, input any, do func() (any, error)) error {
	o := porcupine.Operation{ClientId: client, Input: input, Call: int64(time.Since(h.begin))}
	output, err := do()
	if o.Output, o.Return = output, int64(time.Since(h.begin)); errors.Is(err, affiliate.ErrUnavailable) {
		o.Output, o.Return, err = nil, math.MaxInt64, nil
	}
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, o)
	}
	return err
}

// check fails the test unless there is an order in which one caller after the
// other would have been told the same.
func (h *history) check(t *testing.T, model porcupine.Model) {
	t.Helper()
	if result := porcupine.CheckOperationsTimeout(model, h.calls, time.Minute); result != porcupine.Ok {
		t.Errorf("%s: no order of these %d calls explains what they returned", result, len(h.calls))
	}
}

// budget is a campaign's.
type budget struct{ limit, spent int64 }

type (
	draw  struct{ cost int64 } // returns whether it was granted
	limit struct{ to int64 }
	spent struct{} // returns how much is
)

var budgets = porcupine.Model{
	Init: func() any { return budget{limit: 20} },
	Step: func(state, input, output any) (bool, any) {
		b := state.(budget)
		switch in := input.(type) {
		case draw:
			fits := b.spent+in.cost <= b.limit
			if fits {
				b.spent += in.cost
			}
			return output == nil || output == fits, b
		case limit:
			b.limit = in.to
			return true, b
		}
		return output == nil || output == b.spent, b
	},
}

// keptKey is an idempotency key.
type keptKey struct{ token, answer string }

type (
	reserve  struct{ key, token string } // returns whose it is, and the answer
	complete struct{ key, token string } // returns whether it was the token's
	release  struct{ key, token string }
)

var idempotencyKeys = porcupine.Model{
	Partition: func(calls []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, c := range calls {
			var key string
			switch in := c.Input.(type) {
			case reserve:
				key = in.key
			case complete:
				key = in.key
			case release:
				key = in.key
			}
			byKey[key] = append(byKey[key], c)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return keptKey{} },
	Step: func(state, input, output any) (bool, any) {
		k := state.(keptKey)
		switch in := input.(type) {
		case reserve:
			if k.token == "" {
				k.token = in.token
			}
			return output == nil || output == k, k
		case complete:
			mine := k.token == in.token && k.answer == ""
			if mine {
				k.answer = "by " + in.token
			}
			return output == nil || output == mine, k
		case release:
			if k.token == in.token && k.answer == "" {
				k = keptKey{}
			}
		}
		return true, k
	},
}

// process is one of two that work on a database in which a fifth of the
// transactions are refused and the answers of some commits are lost.
type process struct {
	*faults
	db  *postgres.DB
	kit *affiliatekit.Kit
}

func twoProcesses(t *testing.T, seed uint64) [2]process {
	t.Helper()
	dsn := migrated(t)
	var both [2]process
	for n := range both {
		handle, f := openFaulty(t, dsn, seed+uint64(n))
		f.percent = 20
		db := backendOn(t, handle)
		kit, err := affiliatekit.New(db, affiliatekit.Options{})
		is.New(t).NoErr(err)
		both[n] = process{f, db, kit}
	}
	return both
}

// atOnce runs eight callers, half of them in each process.
func atOnce(t *testing.T, seed uint64, both [2]process, calls int, next func(p process, random *rand.Rand, client, n int) error) {
	t.Helper()
	var all sync.WaitGroup
	for client := range 8 {
		all.Go(func() {
			p, random := both[client%2], rand.New(rand.NewPCG(seed, uint64(client)))
			for n := range calls {
				if random.IntN(10) == 0 {
					p.lostNext.Store(1)
				}
				if err := next(p, random, client, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// Draws, edits and readings of a budget are as if they came one after the other,
// each between its call and its return.
func TestBudgetsAreLinearizable(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			both := twoProcesses(t, seed)
			kit := both[0].kit
			w := newWorld(t, both[0].db, 1, 1)
			var costs []offers.Costs
			for source := range affiliate.TrafficSource(affiliate.TrafficSources) {
				costs = append(costs, offers.Costs{Costs: affiliate.Costs{Source: source, CPC: affiliate.Some(int64(source) + 1)}})
			}
			o, err := kit.Offers.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{
				AdvertiserID: w.advertisers[0].ID, Type: offers.Standard, Name: "c", Costs: costs, BudgetLimit: affiliate.Some[int64](20),
			}})
			is.NoErr(err)

			h := &history{begin: time.Now()}
			atOnce(t, seed, both, 12, func(p process, random *rand.Rand, client, _ int) error {
				switch random.IntN(8) {
				case 0:
					in := limit{random.Int64N(80)}
					return h.call(client, in, func() (any, error) {
						_, err := p.kit.Offers.UpdateOffer(t.Context(), o.Offer.ID, offers.OfferChange{Change: func(o *offers.Offer, _ *offers.OfferChange) error {
							o.BudgetLimit = affiliate.Some(in.to)
							return nil
						}})
						return nil, err
					})
				case 1, 2:
					return h.call(client, spent{}, func() (any, error) {
						v, err := p.kit.Offers.Offer(t.Context(), o.Offer.ID)
						return v.Used.Spent, err
					})
				}
				source := affiliate.TrafficSource(random.IntN(affiliate.TrafficSources))
				return h.call(client, draw{int64(source) + 1}, func() (granted any, err error) {
					err = p.db.Links().Record(t.Context(), func(ctx context.Context, tx links.Tx) error {
						all, err := offers.Charge(ctx, tx, []offers.ClickCharge{{User: &w.users[0], Advertiser: &w.advertisers[0], Source: source, At: noon}})
						if err == nil {
							granted = all[0].OfferID == o.Offer.ID
						}
						return err
					})
					return granted, err
				})
			})
			h.check(t, budgets)

			// What the check is for: one unit more than there was.
			past := append(h.calls, porcupine.Operation{Input: limit{1 << 20}, Call: math.MaxInt64 - 2, Return: math.MaxInt64 - 2},
				porcupine.Operation{Input: spent{}, Output: int64(1 << 30), Call: math.MaxInt64 - 1, Return: math.MaxInt64 - 1})
			is.Equal(porcupine.CheckOperationsTimeout(budgets, past, time.Minute), porcupine.Illegal)
		})
	}
}

// So are the uses of idempotency keys: a request is done by one who holds its key,
// and everybody is told of the same answer.
func TestIdempotencyKeysAreLinearizable(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			both := twoProcesses(t, seed)
			h := &history{begin: time.Now()}
			atOnce(t, seed, both, 12, func(p process, random *rand.Rand, client, n int) error {
				k := affiliate.IdempotencyKey{Principal: "p", Key: fmt.Sprint("k", random.IntN(4)), Token: fmt.Sprint(client, ".", n), ExpiresAt: noon.Add(time.Hour)}
				if err := h.call(client, reserve{k.Key, k.Token}, func() (any, error) {
					kept, mine, err := p.kit.Core.ReserveKey(t.Context(), k, noon)
					if mine {
						kept = k
					}
					return keptKey{kept.Token, string(kept.Body)}, err
				}); err != nil {
					return err
				}
				if random.IntN(2) == 0 {
					return h.call(client, release{k.Key, k.Token}, func() (any, error) {
						return nil, p.kit.Core.ReleaseKey(t.Context(), k.Principal, k.Key, k.Token)
					})
				}
				return h.call(client, complete{k.Key, k.Token}, func() (any, error) {
					err := p.kit.Core.CompleteKey(t.Context(), k, func(_ context.Context, k *affiliate.IdempotencyKey) error {
						k.Status, k.Body = 201, []byte("by "+k.Token)
						return nil
					})
					if affiliate.IsNotFound(err) {
						return false, nil
					}
					return true, err
				})
			})
			h.check(t, idempotencyKeys)
		})
	}
}
