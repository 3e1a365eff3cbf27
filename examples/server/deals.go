package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

// sweepEvery is how often the server writes down what time has decided about
// deals. Answers do not depend on it; events do.
const sweepEvery = time.Minute

// The sample catalog is that of the business partner whose token is "partner".
// Deals on it, and on every catalog that is created in a demo, may name the
// partner that brought the customer by this code or this mark.
const (
	demoCatalogCode  = "demo_course"
	demoCatalogOffer = "Beginner"
	demoPromoCode    = "DEMO5"
	demoUID          = "DEMOUID001"
)

// demoSeller is the subject of the token "partner", demoPromoter the partner
// that earns by its deals.
func demoSeller() uuid.UUID   { return demoID(0x01) }
func demoPromoter() uuid.UUID { return demoID(0xa1) }

// demoID is 01900000-0000-7000-8000-0000000000n: ids that a second start knows again.
func demoID(n byte) uuid.UUID { return uuid.UUID{0x01, 0x90, 6: 0x70, 8: 0x80, 15: n} }

// loadDemoDeals adds the sample catalog, with what belongs to it, unless it is
// there: what was changed since stays changed. Another process that adds it at
// the same time may be first.
func loadDemoDeals(ctx context.Context, store deals.Store) (err error) {
	for range demoAttempts {
		err = store.Write(ctx, func(ctx context.Context, tx deals.Tx) error {
			_, err := tx.Catalogs().ByCode(ctx, demoSeller(), demoCatalogCode)
			if !errors.Is(err, affiliate.ErrNotFound) {
				return err // it is there, or nobody knows
			}
			return addDemoCatalog(ctx, tx, affiliate.Clock(nil).Now())
		})
		if !errors.Is(err, affiliate.ErrConflict) {
			break
		}
	}
	return err
}

func addDemoCatalog(ctx context.Context, tx deals.Tx, now time.Time) error {
	c := deals.NewCatalog()
	c.ID, c.BusinessPartnerID = demoID(0xc1), demoSeller()
	c.Code, c.ShortCode, c.Title, c.Category = demoCatalogCode, "DEM01", "Demo Course", "Education"
	c.PromoCodesAllowed, c.CreatedAt, c.ModifiedAt = true, now, now
	for _, step := range []func() error{
		func() error {
			return tx.BusinessPartners().Put(ctx, deals.BusinessPartner{ID: demoSeller(), Name: "Demo Academy", LogoURL: "https://cdn.example/academy.png"})
		},
		func() error { _, err := tx.Catalogs().Add(ctx, c); return err },
		func() error {
			_, err := tx.CatalogOffers().Add(ctx, deals.Offer{
				ID: demoID(0xf1), CatalogID: c.ID, Name: demoCatalogOffer, PromoCodesAllowed: true, Active: true,
				Prices: []affiliate.Money{affiliate.NewMoney(100_00, "USD"), affiliate.NewMoney(9_000_00, "RUB")},
				Terms:  deals.Terms{Share: percent(20)}, CreatedAt: now, ModifiedAt: now,
			})
			return err
		},
		func() error {
			_, err := tx.Landings().Add(ctx, deals.Landing{
				ID: "DEM0L1", CatalogID: c.ID, URL: "https://academy.example/", Title: "Demo Academy", Adaptability: deals.Devices()[0],
				CreatedAt: now, ModifiedAt: now,
			})
			return err
		},
		func() error {
			_, _, err := tx.UIDs().AddOrGet(ctx, deals.UID{UID: demoUID, PartnerID: demoPromoter(), CreatedAt: now})
			return err
		},
		func() error {
			_, err := tx.PromoCodes().Add(ctx, demoCode(c))
			return err
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// demoBackend is a backend with demoDeals.
type demoBackend struct{ affiliatekit.Backend }

func (b demoBackend) Deals() deals.Store { return demoDeals{b.Backend.Deals()} }

// demoDeals is a store in which every new catalog comes with the promo code of
// the sample partner: no route issues one, and without a code nobody could try
// out by hand what it does.
type demoDeals struct{ deals.Store }

func (s demoDeals) Write(ctx context.Context, fn func(context.Context, deals.Tx) error) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx deals.Tx) error { return fn(ctx, demoTx{tx}) })
}

type demoTx struct{ deals.Tx }

func (tx demoTx) Catalogs() deals.CatalogRepository {
	return demoCatalogs{tx.Tx.Catalogs(), tx.PromoCodes()}
}

type demoCatalogs struct {
	deals.CatalogRepository
	codes deals.PromoCodeRepository
}

func (r demoCatalogs) Add(ctx context.Context, c deals.Catalog) (deals.Catalog, error) {
	c, err := r.CatalogRepository.Add(ctx, c)
	if err != nil {
		return c, err
	}
	_, err = r.codes.Add(ctx, demoCode(c))
	return c, err
}

func demoCode(c deals.Catalog) deals.PromoCode {
	return deals.PromoCode{
		CatalogID: c.ID, BusinessPartnerID: c.BusinessPartnerID, PartnerID: demoPromoter(), Code: demoPromoCode, Discount: percent(5), CreatedAt: c.CreatedAt,
	}
}
