package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

// dealOperation is a step of a unit over the tables of deals, most of which
// some state or other refuses.
type dealOperation struct {
	name string
	run  func(context.Context, deals.Tx) error
}

func (o dealOperation) String() string { return o.name }

func drawDealOperation(t *rapid.T) dealOperation {
	n := func(name string) int { return rapid.IntRange(1, 5).Draw(t, name) }
	a, b, c := n("a"), n("b"), n("c")
	id := func(n int) uuid.UUID { return uuid.UUID{byte(n)} }
	catalog := deals.NewCatalog()
	catalog.ID, catalog.BusinessPartnerID, catalog.Title = id(a), id(b%2+1), "t"
	catalog.Code, catalog.ShortCode = fmt.Sprint("code", c), fmt.Sprintf("C000%d", c)
	offer := deals.Offer{
		ID: id(a), CatalogID: id(b), Name: fmt.Sprint("offer", c), Active: c > 2,
		Prices: []affiliate.Money{eur(1)}, Terms: fivePercent(),
	}
	landing := deals.Landing{ID: fmt.Sprintf("L0000%d", a), CatalogID: id(b), URL: "https://x.example/", Adaptability: "All"}
	deal := deals.Deal{
		ID: id(a), BusinessPartnerID: id(b%2 + 1), ExternalID: fmt.Sprint("d", c), CatalogID: id(b), OfferID: id(c), CatalogCode: "c", OfferName: fmt.Sprint("o", a),
		Status: deals.Statuses()[c%4], Cost: eur(int64(a)), Reward: eur(0), Hold: time.Duration(b) * time.Second, Cancel: time.Duration(a) * time.Second,
		CreatedAt: epoch.Add(time.Duration(c) * time.Second), PaidAt: epoch.Add(time.Duration(b) * time.Second),
	}
	ops := []dealOperation{
		{"partner", func(ctx context.Context, tx deals.Tx) error {
			return tx.BusinessPartners().Put(ctx, deals.BusinessPartner{ID: id(a), Name: fmt.Sprint(b)})
		}},
		{"catalog", func(ctx context.Context, tx deals.Tx) error { return dropValue(tx.Catalogs().Add(ctx, catalog)) }},
		{"change catalog", func(ctx context.Context, tx deals.Tx) error { return tx.Catalogs().Update(ctx, catalog) }},
		{"offer", func(ctx context.Context, tx deals.Tx) error { return dropValue(tx.CatalogOffers().Add(ctx, offer)) }},
		{"change offer", func(ctx context.Context, tx deals.Tx) error { return tx.CatalogOffers().Update(ctx, offer) }},
		{"landing", func(ctx context.Context, tx deals.Tx) error { return dropValue(tx.Landings().Add(ctx, landing)) }},
		{"change landing", func(ctx context.Context, tx deals.Tx) error { return tx.Landings().Update(ctx, landing) }},
		{"no landing", func(ctx context.Context, tx deals.Tx) error { return tx.Landings().Delete(ctx, landing.ID) }},
		{"uid", func(ctx context.Context, tx deals.Tx) error {
			_, _, err := tx.UIDs().AddOrGet(ctx, deals.UID{UID: fmt.Sprint("u", a), PartnerID: id(b)})
			return err
		}},
		{"code", func(ctx context.Context, tx deals.Tx) error {
			return dropValue(tx.PromoCodes().Add(ctx, deals.PromoCode{CatalogID: id(a), BusinessPartnerID: id(b), PartnerID: id(c), Code: fmt.Sprint("P", b)}))
		}},
		{"access", func(ctx context.Context, tx deals.Tx) error {
			return tx.CatalogAccess().Put(ctx, deals.Access{CatalogID: id(a), PartnerID: id(b), Status: deals.AccessStatuses()[c%3]})
		}},
		{"deal", func(ctx context.Context, tx deals.Tx) error {
			_, _, err := tx.Deals().AddOrGet(ctx, deal)
			return err
		}},
		{"change deal", func(ctx context.Context, tx deals.Tx) error { return tx.Deals().Update(ctx, deal) }},
	}
	return rapid.SampledFrom(ops).Draw(t, "operation")
}

// withDeals is a store with a few of everything, so that drawn ids are there.
func withDeals(t *rapid.T) *DB {
	db := New()
	err := db.Deals().Write(context.Background(), func(ctx context.Context, tx deals.Tx) error {
		for n := 1; n <= 5; n++ {
			c := deals.NewCatalog()
			c.ID, c.BusinessPartnerID, c.Title, c.Code, c.ShortCode = uuid.UUID{byte(n)}, uuid.UUID{1}, "t", fmt.Sprint("first", n), fmt.Sprintf("F000%d", n)
			_, err := tx.Catalogs().Add(ctx, c)
			_, errOffer := tx.CatalogOffers().Add(ctx, deals.Offer{
				ID: c.ID, CatalogID: c.ID, Name: "first", Prices: []affiliate.Money{eur(1)}, Terms: fivePercent(),
			})
			if err := errors.Join(err, errOffer); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestRolledBackDealsLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leavesNoTrace(t, withDeals(t), withDeals(t), func(db *DB) affiliate.Store[deals.Tx] { return db.Deals() }, drawDealOperation,
			func(ctx context.Context, tx deals.Tx, op dealOperation) error { return op.run(ctx, tx) })
	})
}

func fivePercent() deals.Terms {
	share, _ := affiliate.ParseRate("share", "0.05") // within 0..1, two digits
	return deals.Terms{Share: share}
}
