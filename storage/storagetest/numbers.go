package storagetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// RunMoves runs the cases of package links/move on Backend.Moves.
func RunMoves(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) move.Store { return open(t).Moves }, movesScenarios())
}

func movesScenarios() []scenario[move.Store] {
	return []scenario[move.Store]{
		{"numbers/rows of every kind get the ids that they had", testRenumber},
		{"numbers/what is refused leaves no trace", testRenumberRefused},
		{"numbers/entries that are payable at one time stay so", testRenumberPending},
	}
}

// numbered is a kind of rows whose ids the store gives.
type numbered struct {
	add  func(ctx context.Context, tx move.Tx, w world, n int) (int64, error)
	kept func(ctx context.Context, tx move.Tx, w world) ([]int64, error) // ids of those that were added, and maybe of others
}

// keptIDs are the ids of a list that was read.
func keptIDs[V any](list []V, err error, id func(V) int64) ([]int64, error) {
	var out []int64
	for _, v := range list {
		out = append(out, id(v))
	}
	return out, err
}

// first are the ids from 1 to 9000, among which are all of the cases.
func first() []int64 {
	out := make([]int64, 9000)
	for i := range out {
		out[i] = int64(i + 1)
	}
	return out
}

func whole() affiliate.PageRequest { return affiliate.PageRequest{Size: affiliate.MaxPageSize} }

func numberedKinds() map[move.Kind]numbered {
	type (
		T = move.Tx
		C = context.Context
	)
	tags := func(from int) numbered {
		return numbered{
			func(ctx C, tx T, _ world, n int) (int64, error) {
				v, err := tx.UserTags().Add(ctx, sampleTag(from+n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.UserTags().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.UserTag) int64 { return v.ID })
			},
		}
	}
	return map[move.Kind]numbered{
		move.SharedTags: tags(10),
		move.Groups: {
			func(ctx C, tx T, _ world, n int) (int64, error) {
				v, err := tx.AdvertiserGroups().Add(ctx, sampleGroup(n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.AdvertiserGroups().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.AdvertiserGroup) int64 { return v.ID })
			},
		},
		move.Categories: {
			func(ctx C, tx T, _ world, n int) (int64, error) {
				v, err := tx.Categories().Add(ctx, sampleCategory(n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Categories().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.Category) int64 { return v.ID })
			},
		},
		move.Clients: {
			func(ctx C, tx T, _ world, n int) (int64, error) {
				v, err := tx.Clients().Add(ctx, sampleClient(n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Clients().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.Client) int64 { return v.ID })
			},
		},
		move.Tiers: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.RevenueTiers().Add(ctx, affiliate.RevenueTier{ClientID: w.clients[0].ID, Name: sampleTag(n).Name})
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.RevenueTiers().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.RevenueTier) int64 { return v.ID })
			},
		},
		move.Users: {
			func(ctx C, tx T, _ world, n int) (int64, error) {
				v, err := tx.Users().Add(ctx, sampleUser(n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Users().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.User) int64 { return v.ID })
			},
		},
		move.Advertisers: {
			func(ctx C, tx T, _ world, n int) (int64, error) {
				v, err := tx.Advertisers().Add(ctx, sampleAdvertiser(n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Advertisers().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.Advertiser) int64 { return v.ID })
			},
		},
		move.Rules: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.Rules().Add(ctx, sampleRule(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, w world) ([]int64, error) {
				list, err := tx.Rules().ByAdvertisers(ctx, []int64{w.advertisers[0].ID})
				return keptIDs(list, err, func(v links.Rule) int64 { return v.ID })
			},
		},
		move.Blocks: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				added, err := tx.Blocklist().AddMissing(ctx, against(w, 0, affiliate.BlocklistEntry{UserID: w.users[n%3].ID}))
				return newID(added, err, func(v affiliate.BlocklistEntry) int64 { return v.ID })
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				p, err := tx.Blocklist().List(ctx, affiliate.BlocklistFilter{}, whole())
				return keptIDs(p.Items, err, func(v affiliate.BlocklistEntry) int64 { return v.ID })
			},
		},
		move.Budgets: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.SharedBudgets().Add(ctx, sampleBudget(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.SharedBudgets().GetMany(ctx, first())
				return keptIDs(list, err, func(v offers.SharedBudget) int64 { return v.ID })
			},
		},
		move.Offers: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.Offers().Add(ctx, sampleOffer(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Offers().GetMany(ctx, first())
				return keptIDs(list, err, func(v offers.Offer) int64 { return v.ID })
			},
		},
		move.Participants: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				added, err := tx.Participants().AddMissing(ctx, samplePart(w, n))
				return newID(added, err, func(v offers.Participant) int64 { return v.ID })
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Participants().GetMany(ctx, first())
				return keptIDs(list, err, func(v offers.Participant) int64 { return v.ID })
			},
		},
		move.Comments: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.Comments().Add(ctx, sampleComment(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, w world) ([]int64, error) {
				list, err := tx.Comments().ByParticipant(ctx, w.participant.ID)
				return keptIDs(list, err, func(v offers.Comment) int64 { return v.ID })
			},
		},
		move.Configs: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.StatsConfigs().Add(ctx, sampleStatsConfig(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, w world) ([]int64, error) {
				list, err := tx.StatsConfigs().ByAdvertiser(ctx, w.advertisers[0].ID)
				return keptIDs(list, err, func(v stats.Config) int64 { return v.ID })
			},
		},
		move.RateCards: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.RateCards().Add(ctx, sampleRateCard(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, w world) ([]int64, error) {
				var asks []orders.CardAt
				for n := range 4 {
					asks = append(asks, orders.CardAt{OfferID: w.offer.ID, At: at(n).Add(time.Millisecond)})
				}
				list, err := tx.RateCards().Holding(ctx, asks)
				return keptIDs(list, err, func(v orders.RateCard) int64 { return v.ID })
			},
		},
		move.Links: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, _, err := tx.Links().AddOrGet(ctx, sampleLink(w, n+10))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Links().GetMany(ctx, first())
				return keptIDs(list, err, func(v links.Link) int64 { return v.ID })
			},
		},
		move.Vouchers: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.Vouchers().Add(ctx, sampleVoucher(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, w world) ([]int64, error) {
				list, err := tx.Vouchers().ByUser(ctx, w.advertisers[0].ID, w.users[0].ID)
				return keptIDs(list, err, func(v orders.Voucher) int64 { return v.ID })
			},
		},
		move.Collectors: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, _, err := tx.Collectors().AddOrGet(ctx, sampleCollector(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, w world) ([]int64, error) {
				list, err := tx.Collectors().ByAdvertisers(ctx, first())
				return keptIDs(list, err, func(v orders.Collector) int64 { return v.ID })
			},
		},
		move.Entries: {
			func(ctx C, tx T, _ world, n int) (int64, error) {
				added, err := tx.Ledger().Append(ctx, sampleEntry(n))
				return newID(added, err, func(v affiliate.Entry) int64 { return v.ID })
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Ledger().GetMany(ctx, first())
				return keptIDs(list, err, func(v affiliate.Entry) int64 { return v.ID })
			},
		},
		move.Orders: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				added, err := tx.Orders().AddMissing(ctx, sampleOrder(w, n))
				return newID(added, err, func(v orders.Order) int64 { return v.ID })
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				list, err := tx.Orders().Scan(ctx, 0, 1000)
				return keptIDs(list, err, func(v orders.Order) int64 { return v.ID })
			},
		},
		move.Refunds: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.Refunds().Add(ctx, sampleRefund(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, w world) ([]int64, error) {
				list, err := tx.Refunds().ByOrders(ctx, []int64{w.order.ID})
				return keptIDs(list, err, func(v orders.Refund) int64 { return v.ID })
			},
		},
		move.Payments: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.OneTimePayments().Add(ctx, sampleOneTime(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				p, err := tx.OneTimePayments().List(ctx, orders.PaymentFilter{}, whole())
				return keptIDs(p.Items, err, func(v orders.Payment) int64 { return v.ID })
			},
		},
		move.ReturnAds: {
			func(ctx C, tx T, w world, n int) (int64, error) {
				v, err := tx.ReturnAds().Add(ctx, sampleAd(w, n))
				return v.ID, err
			},
			func(ctx C, tx T, _ world) ([]int64, error) {
				p, err := tx.ReturnAds().List(ctx, returnads.Filter{}, whole())
				return keptIDs(p.Items, err, func(v returnads.Ad) int64 { return v.ID })
			},
		},
		move.Tags: tags(20),
	}
}

// newID is the id of the only row that a call added.
func newID[V any](added []V, err error, id func(V) int64) (int64, error) {
	if err != nil || len(added) != 1 {
		return 0, err
	}
	return id(added[0]), nil
}

// movesWorld has what rows of every kind refer to.
func movesWorld(t *testing.T, s move.Store) world {
	t.Helper()
	w := newWorld(t, s)
	write(t, s, func(ctx context.Context, tx move.Tx) (err error) {
		return all(
			func() error { w.offer, err = tx.Offers().Add(ctx, sampleOffer(w, 900)); return err },
			func() error {
				added, err := tx.Participants().AddMissing(ctx, offers.Participant{OfferID: w.offer.ID, UserID: w.users[0].ID, Status: offers.Open})
				if err == nil {
					w.participant = added[0]
				}
				return err
			},
			func() error {
				added, err := tx.Orders().AddMissing(ctx, sampleOrder(w, 901))
				if err == nil {
					w.order = added[0]
				}
				return err
			},
		)
	})
	return w
}

func testRenumber(t *testing.T, s move.Store) {
	w := movesWorld(t, s)
	n := 0
	for _, kind := range slices.Sorted(maps.Keys(numberedKinds())) {
		k := numberedKinds()[kind]
		n = 0
		add := func(ctx context.Context, tx move.Tx) (int64, error) {
			n++
			return k.add(ctx, tx, w, n)
		}
		var a, b, c int64
		write(t, s, func(ctx context.Context, tx move.Tx) (err error) {
			n = 0
			return all(
				func() error { a, err = add(ctx, tx); return err },
				func() error { b, err = add(ctx, tx); return err },
				// The first gets the id that the second had, and that one the id that comes next.
				func() error { return tx.Numbers().Renumber(ctx, kind, []int64{a, b}, []int64{b, b + 1}) },
				func() error { return tx.Numbers().Renumber(ctx, kind, []int64{b}, []int64{b}) },
				func() error { return tx.Numbers().Renumber(ctx, kind, nil, nil) },
				func() error { c, err = add(ctx, tx); return err },
			)
		})
		before := see(t, s, func(ctx context.Context, tx move.Tx) ([]int64, error) { return k.kept(ctx, tx, w) })
		// One goes away, and the next gets the id that it had, and back again.
		write(t, s, func(ctx context.Context, tx move.Tx) error {
			return all(
				func() error {
					return tx.Numbers().Renumber(ctx, kind, []int64{b + 1, b}, []int64{b + 2000, b + 1})
				},
				func() error {
					return tx.Numbers().Renumber(ctx, kind, []int64{b + 1, b + 2000}, []int64{b, b + 1})
				},
			)
		})
		if c == a || c == b || c == b+1 {
			t.Errorf("%s: the next row got the id %d, and %d and %d were given", kind, c, b, b+1)
		}
		kept := see(t, s, func(ctx context.Context, tx move.Tx) ([]int64, error) { return k.kept(ctx, tx, w) })
		equal(t, string(kind)+" after they moved and came back", idset.Sorted(kept), idset.Sorted(before))
		for id, want := range map[int64]bool{a: false, b: true, b + 1: true, c: true} {
			if slices.Contains(kept, id) != want {
				t.Errorf("%s: rows %d and %d were renumbered to %d and %d, and %d was added: of %v, %d is there: want %v", kind, a, b, b, b+1, c, kept, id, want)
			}
		}
	}
}

// testRenumberPending gives an entry another id among some that differ in their ids
// and causes alone.
func testRenumberPending(t *testing.T, s move.Store) {
	const account = affiliate.Account("user:1")
	var kept []affiliate.Entry
	write(t, s, func(ctx context.Context, tx move.Tx) (err error) {
		kept, err = tx.Ledger().Append(ctx, sampleEntry(1), sampleEntry(2), sampleEntry(3))
		return err
	})
	for _, e := range kept {
		write(t, s, func(ctx context.Context, tx move.Tx) error {
			return tx.Numbers().Renumber(ctx, move.Entries, []int64{e.ID}, []int64{e.ID + 1000})
		})
		pending := see(t, s, func(ctx context.Context, tx move.Tx) ([]affiliate.Balance, error) {
			return tx.Balances().Get(ctx, account, at(-1))
		})
		equal(t, "pending", pending, []affiliate.Balance{{Account: account, Currency: "EUR", Pending: eur(3), Payable: eur(0), Paid: eur(0)}})
	}
}

func testRenumberRefused(t *testing.T, s move.Store) {
	w := movesWorld(t, s)
	for _, kind := range slices.Sorted(maps.Keys(numberedKinds())) {
		k := numberedKinds()[kind]
		kept := func() []int64 {
			return see(t, s, func(ctx context.Context, tx move.Tx) ([]int64, error) { return k.kept(ctx, tx, w) })
		}
		var there int64
		write(t, s, func(ctx context.Context, tx move.Tx) (err error) { there, err = k.add(ctx, tx, w, 1); return err })
		before := kept()
		for _, c := range []struct {
			to   int64
			want failure
		}{{there, taken("id")}, {0, invalid("id", "out_of_range")}, {-7, invalid("id", "out_of_range")}, {1 << 32, invalid("id", "out_of_range")}, {1<<63 - 1, invalid("id", "out_of_range")}} {
			refused(t, s, c.want, func(ctx context.Context, tx move.Tx) error {
				added, err := k.add(ctx, tx, w, 2)
				if err != nil {
					return err
				}
				return tx.Numbers().Renumber(ctx, kind, []int64{added}, []int64{c.to})
			})
		}
		refused(t, s, taken("id"), func(ctx context.Context, tx move.Tx) error {
			added, err := k.add(ctx, tx, w, 2)
			if err != nil {
				return err
			}
			return tx.Numbers().Renumber(ctx, kind, []int64{there, added}, []int64{1500, 1500})
		})
		refused(t, s, missing, func(ctx context.Context, tx move.Tx) error {
			return tx.Numbers().Renumber(ctx, kind, []int64{there, nowhere}, []int64{1500, 1501})
		})
		unreadable(t, s, readOnly, func(ctx context.Context, tx move.Tx) error {
			return tx.Numbers().Renumber(ctx, kind, []int64{there}, []int64{1500})
		})
		equal(t, string(kind)+" after a read", kept(), before)
		undone := errors.New("undone")
		err := s.Write(t.Context(), func(ctx context.Context, tx move.Tx) error {
			added, err := k.add(ctx, tx, w, 2)
			if err != nil {
				return err
			}
			return errors.Join(tx.Numbers().Renumber(ctx, kind, []int64{added}, []int64{1700}), undone)
		})
		if !errors.Is(err, undone) {
			t.Errorf("%s: Write: got %v, want %v", kind, err, undone)
		}
		equal(t, string(kind)+" after refusals", kept(), before)
	}
	refused(t, s, invalid("kind", "not_numbered"), func(ctx context.Context, tx move.Tx) error {
		return tx.Numbers().Renumber(ctx, move.Clicks, []int64{1}, []int64{2})
	})
}
