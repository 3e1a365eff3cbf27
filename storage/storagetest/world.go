package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
)

// nowhere is an id that nothing has.
const nowhere = int64(1) << 40

// base is when the cases take place: to the microsecond, as every clock of
// affiliatekit tells it.
func base() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC) }

// at is n seconds after base.
func at(n int) time.Time { return base().Add(time.Duration(n) * time.Second) }

// finer is a time that is cut to t.
func finer(t time.Time) time.Time { return t.Add(999 * time.Nanosecond) }

// eur is an amount of euro cents.
func eur(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "EUR") }

// rate is a rate that is known to be one.
func rate(s string) affiliate.Rate {
	r, err := affiliate.ParseRate("rate", s)
	if err != nil {
		return affiliate.Rate{}
	}
	return r
}

// decimalOf is a decimal, in its shortest form, that is known to be one.
func decimalOf(s string) decimal.Decimal {
	d := eur(0).Decimal()
	if err := d.UnmarshalText([]byte(s)); err != nil {
		return orders.Exact(eur(0).Decimal())
	}
	return orders.Exact(d)
}

// hash is a hash that n alone has.
func hash(n int) (h [32]byte) {
	h[0], h[1], h[30], h[31] = byte(n>>8), byte(n), 0xff, 0x80
	return h
}

// world is what most cases stand on: three of everything, in ascending order
// of id. The tiers are of the first client, first client and second client.
type world struct {
	groups      [3]affiliate.AdvertiserGroup
	categories  [3]affiliate.Category
	advertisers [3]affiliate.Advertiser
	clients     [3]affiliate.Client
	tiers       [3]affiliate.RevenueTier
	tags        [3]affiliate.UserTag
	users       [3]affiliate.User
	link        links.Link          // zero but in newWorldOfClicks
	budget      offers.SharedBudget // this and the next zero but in newWorldOfOffers
	offer       offers.Offer
	participant offers.Participant
	order       orders.Order // zero but in ordersWorld
	shops       []int64      // advertisers; none but in worldOfShops
	kept        keptValues   // none but in fullWorld
	byKeys      bool         // whether lists are asked for by their keys
}

// newWorld keeps a world in one unit.
func newWorld[T affiliate.Tx](t *testing.T, s affiliate.Store[T]) world {
	t.Helper()
	var w world
	write(t, s, func(ctx context.Context, tx T) error {
		for i := range 3 {
			if err := w.addThird(ctx, tx, i); err != nil {
				return fmt.Errorf("seed %d: %w", i, err)
			}
		}
		return nil
	})
	return w
}

func (w *world) addThird(ctx context.Context, tx affiliate.Tx, i int) (err error) {
	return all(
		func() error { w.groups[i], err = tx.AdvertiserGroups().Add(ctx, sampleGroup(900+i)); return err },
		func() error { w.categories[i], err = tx.Categories().Add(ctx, sampleCategory(900+i)); return err },
		func() error { w.advertisers[i], err = tx.Advertisers().Add(ctx, sampleAdvertiser(900+i)); return err },
		func() error { w.clients[i], err = tx.Clients().Add(ctx, sampleClient(900+i)); return err },
		func() error {
			tier := affiliate.RevenueTier{ClientID: w.clients[i/2].ID, Name: fmt.Sprintf("seed tier %d", i)}
			w.tiers[i], err = tx.RevenueTiers().Add(ctx, tier)
			return err
		},
		func() error { w.tags[i], err = tx.UserTags().Add(ctx, sampleTag(900+i)); return err },
		func() error { w.users[i], err = tx.Users().Add(ctx, sampleUser(900+i)); return err },
	)
}

// The samples are the smallest valid values; those of different n share no
// unique key.

func sampleGroup(n int) affiliate.AdvertiserGroup {
	return affiliate.AdvertiserGroup{Name: fmt.Sprintf("group %d", n), Key: fmt.Sprintf("key_%d", n), Currency: "EUR"}
}

func sampleCategory(n int) affiliate.Category {
	return affiliate.Category{Name: fmt.Sprintf("category %d", n)}
}

func sampleAdvertiser(n int) affiliate.Advertiser {
	return affiliate.Advertiser{
		Name: fmt.Sprintf("advertiser %d", n), Country: "SE", Currency: "SEK", Status: affiliate.AdvertiserActive,
		Provider: affiliate.ProviderDirect, TrackingTemplate: affiliate.DefaultTrackingTemplate,
	}
}

func sampleClient(n int) affiliate.Client {
	return affiliate.Client{Name: fmt.Sprintf("client %d", n), PublicID: fmt.Sprintf("public-%d", n)}
}

func sampleTag(n int) affiliate.UserTag {
	return affiliate.UserTag{Name: fmt.Sprintf("tag %d", n), Slug: fmt.Sprintf("slug-%d", n), AccessLevel: affiliate.AccessAll}
}

func sampleUser(n int) affiliate.User { return affiliate.User{Username: fmt.Sprintf("user %d", n)} }
