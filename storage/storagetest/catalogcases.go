package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

func addCatalog(ctx context.Context, tx dealsTx, c deals.Catalog) (deals.Catalog, error) {
	return tx.Catalogs().Add(ctx, c)
}

func addCatalogOffer(ctx context.Context, tx dealsTx, o deals.Offer) (deals.Offer, error) {
	return tx.CatalogOffers().Add(ctx, o)
}

func addLanding(ctx context.Context, tx dealsTx, l deals.Landing) (deals.Landing, error) {
	return tx.Landings().Add(ctx, l)
}

func testCatalogCodes(t *testing.T, s dealsStore) {
	kept := addAll(t, s, addCatalog, sampleCatalog(1), sampleCatalog(2))
	for _, c := range kept {
		read(t, s, func(ctx context.Context, tx dealsTx) error {
			byCode, err := tx.Catalogs().ByCode(ctx, seller(1), c.Code)
			if err != nil {
				return err
			}
			equal(t, "by code", byCode, c)
			byShort, errShort := tx.Catalogs().ByShortCode(ctx, c.ShortCode)
			equal(t, "by short code", byShort, c)
			return errors.Join(err, errShort)
		})
	}
	for _, code := range append(unkeepable(), "", "CODE 1", "code 3") {
		unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error { return second(tx.Catalogs().ByCode(ctx, seller(1), code)) })
		unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error { return second(tx.Catalogs().ByShortCode(ctx, code)) })
	}
	unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error {
		return second(tx.Catalogs().ByCode(ctx, seller(2), kept[0].Code))
	})
	for want, spoil := range map[string]func(*deals.Catalog){
		"id":         func(c *deals.Catalog) { c.ID = kept[0].ID },
		"catalog_id": func(c *deals.Catalog) { c.ShortCode = kept[0].ShortCode },
	} {
		c := sampleCatalog(3)
		c.BusinessPartnerID = seller(2)
		spoil(&c)
		refused(t, s, taken(want), func(ctx context.Context, tx dealsTx) error { return second(addCatalog(ctx, tx, c)) })
	}
}

func testCatalogList(t *testing.T, s dealsStore) {
	type F = deals.CatalogFilter
	row := func(n int, owner int64, published bool) deals.Catalog {
		c := sampleCatalog(n)
		c.Title, c.BusinessPartnerID, c.Published = fmt.Sprint(n), seller(owner), published
		return c
	}
	kept := addAll(t, s, addCatalog, row(5, 1, true), row(4, 2, true), row(3, 1, false), row(2, 1, true), row(1, 2, true))
	on := func(n int, active bool) deals.Offer {
		o := sampleCatalogOffer(n)
		o.CatalogID, o.Active = keyOf(int64(n)), active
		return o
	}
	addAll(t, s, addCatalogOffer, on(5, true), on(4, true), on(3, true), on(2, false))
	for _, n := range []int{5, 3, 2, 1} {
		l := sampleLanding(n)
		l.CatalogID = keyOf(int64(n))
		addAll(t, s, addLanding, l)
	}
	listing[dealsTx, deals.Catalog, F]{
		items: kept,
		label: func(c deals.Catalog) string { return c.Title },
		list: func(ctx context.Context, tx dealsTx, f F, p affiliate.PageRequest) (affiliate.Page[deals.Catalog], error) {
			return tx.Catalogs().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{BusinessPartnerID: seller(1)}, "5 3 2"},
			{F{BusinessPartnerID: seller(7)}, ""},
			{F{Published: affiliate.Some(true)}, "5 4 2 1"},
			{F{Published: affiliate.Some(false)}, "3"},
			{F{Available: affiliate.Some(true)}, "5"},
			{F{Available: affiliate.Some(false)}, "4 3 2 1"},
		},
	}.check(t, s)
}

func testByCatalogs(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	o1, o2, other := sampleCatalogOffer(9), sampleCatalogOffer(1), sampleCatalogOffer(2)
	other.CatalogID = keyOf(902)
	offers := addAll(t, s, addCatalogOffer, o1, other, o2)
	l1, l2 := sampleLanding(9), sampleLanding(1)
	landings := addAll(t, s, addLanding, l1, l2)
	read(t, s, func(ctx context.Context, tx dealsTx) error {
		for _, c := range []struct {
			ids  []uuid.UUID
			want []deals.Offer
		}{
			{nil, nil},
			{[]uuid.UUID{}, nil},
			{[]uuid.UUID{keyOf(77), uuid.Nil}, nil},
			{[]uuid.UUID{keyOf(901), keyOf(902), keyOf(901)}, []deals.Offer{sampleCatalogOffer(901), offerOn(902), offers[0], offers[1], offers[2]}},
			{[]uuid.UUID{keyOf(902)}, []deals.Offer{offerOn(902), offers[1]}},
		} {
			got, err := tx.CatalogOffers().ByCatalogs(ctx, c.ids)
			if err != nil {
				return err
			}
			equal(t, "offers", got, c.want)
		}
		got, err := tx.Landings().ByCatalogs(ctx, []uuid.UUID{keyOf(902), keyOf(901)})
		if err != nil {
			return err
		}
		equal(t, "landings", got, landings)
		none, errNone := tx.Landings().ByCatalogs(ctx, nil)
		equal(t, "landings of none", none, []deals.Landing(nil))
		byName, errName := tx.CatalogOffers().ByName(ctx, keyOf(901), o2.Name)
		equal(t, "by name", byName, offers[2])
		return errors.Join(err, errNone, errName)
	})
	for _, name := range append(unkeepable(), "", "OFFER 1", other.Name) {
		unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error {
			return second(tx.CatalogOffers().ByName(ctx, keyOf(901), name))
		})
	}
	namesake := sampleCatalogOffer(3)
	namesake.ID = other.ID
	refused(t, s, taken("id"), func(ctx context.Context, tx dealsTx) error { return second(addCatalogOffer(ctx, tx, namesake)) })
}

// offerOn is the offer that the world has on a catalog.
func offerOn(n int) deals.Offer {
	o := sampleCatalogOffer(n)
	o.CatalogID = keyOf(int64(n))
	return o
}

func testLandingDelete(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	addAll(t, s, addLanding, sampleLanding(1), sampleLanding(2))
	remove := func(ctx context.Context, tx dealsTx) error { return tx.Landings().Delete(ctx, sampleLanding(1).ID) }
	if err := s.Write(t.Context(), func(ctx context.Context, tx dealsTx) error {
		return all(func() error { return remove(ctx, tx) }, func() error { return errMine })
	}); err != errMine {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	write(t, s, remove)
	refused(t, s, missing, remove)
	for _, id := range append(unkeepable(), "", "l00001") {
		refused(t, s, missing, func(ctx context.Context, tx dealsTx) error { return tx.Landings().Delete(ctx, id) })
		unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error { return second(tx.Landings().Get(ctx, id)) })
	}
	unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error { return second(tx.Landings().Get(ctx, "L00001")) })
	addAll(t, s, addLanding, sampleLanding(1)) // its id is free
	spoiled := sampleLanding(3)
	spoiled.ID = "7ztoya"
	refused(t, s, invalid("id", "invalid"), func(ctx context.Context, tx dealsTx) error { return second(addLanding(ctx, tx, spoiled)) })
	refused(t, s, taken("id"), func(ctx context.Context, tx dealsTx) error { return second(addLanding(ctx, tx, sampleLanding(2))) })
}
