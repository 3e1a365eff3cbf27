package postgres_test

import (
	"context"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

// aboutToLock is a transaction that tells when its unit is about to lock counters.
type aboutToLock struct {
	links.Tx
	told chan<- struct{}
}

func (tx aboutToLock) Usage() offers.UsageRepository { return tellingUsage{tx.Tx.Usage(), tx.told} }

type tellingUsage struct {
	offers.UsageRepository
	told chan<- struct{}
}

func (u tellingUsage) Lock(ctx context.Context, keys []offers.UsageKey) (map[offers.UsageKey]offers.Counts, error) {
	select {
	case u.told <- struct{}{}:
	default: // once is enough
	}
	return u.UsageRepository.Lock(ctx, keys)
}

// A charge has read the offer, and waits for its counter, which another unit
// holds. Whatever that changes before it ends holds for the charge.
func TestAChargeIsDecidedByWhatItReadsUnderItsLocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(o *offers.Offer)
		want   offers.Reason
	}{
		{"nothing", func(*offers.Offer) {}, ""},
		{"the limit", func(o *offers.Offer) { o.BudgetLimit = affiliate.Some[int64](0) }, offers.ReasonBudgetLimit},
		{"another limit, with a counter of its own", func(o *offers.Offer) {
			o.PerUserLimit, o.MaxClicks = true, affiliate.Some[int64](0)
		}, offers.ReasonMaxClicks},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			db, _ := openInPath(t)
			w := newWorld(t, db, 1, 1)
			offer, err := affiliate.Write(t.Context(), affiliate.Store[links.Tx](db.Links()), func(ctx context.Context, tx links.Tx) (offers.Offer, error) {
				o, err := tx.Offers().Add(ctx, offers.Offer{
					AdvertiserID: w.advertisers[0].ID, Currency: "SEK", Type: offers.Standard, Name: "campaign", Token: "t000000000000001",
					BudgetLimit: affiliate.Some[int64](1000),
				})
				if err != nil {
					return o, err
				}
				return o, tx.Targets().Set(ctx, o.ID, []offers.Target{{Kind: offers.TargetEveryone}})
			})
			is.NoErr(err)
			type outcome struct {
				awards []offers.Decision
				err    error
			}
			charged, about := make(chan outcome, 1), make(chan struct{}, 1)
			is.NoErr(db.Links().Record(t.Context(), func(ctx context.Context, tx links.Tx) error {
				if _, err := tx.Usage().Lock(ctx, []offers.UsageKey{offers.OfferUsage(offer.ID)}); err != nil {
					return err
				}
				go func() {
					var got outcome
					got.err = db.Links().Record(t.Context(), func(ctx context.Context, tx links.Tx) (err error) {
						got.awards, err = offers.Charge(ctx, aboutToLock{tx, about}, []offers.ClickCharge{{User: &w.users[0], Advertiser: &w.advertisers[0], At: noon}})
						return err
					})
					charged <- got
				}()
				<-about
				changed := offer
				c.change(&changed)
				return tx.Offers().Update(ctx, changed)
			}))
			got := <-charged
			is.NoErr(got.err)
			is.Equal(got.awards[0].Reason, c.want)
			is.Equal(got.awards[0].OfferID != 0, c.want == "")
		})
	}
}
