package deals_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestWhatIsAnothersDoesNotExist(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		ctx := t.Context()
		c := w.catalog("course")
		offer, landing := c.Offers[0], c.Landings[0]
		for what, call := range map[string]func(who uuid.UUID) error{
			"catalog": func(who uuid.UUID) error { _, err := w.deals.Catalog(ctx, who, c.ID); return err },
			"change catalog": func(who uuid.UUID) error {
				_, err := w.deals.ChangeCatalog(ctx, who, c.ID, func(c *deals.Catalog) { c.Title = "mine" })
				return err
			},
			"offer": func(who uuid.UUID) error { _, err := w.deals.Offer(ctx, who, offer.ID); return err },
			"add offer": func(who uuid.UUID) error {
				o := offer
				o.Name = "mine"
				_, err := w.deals.CreateOffer(ctx, who, o)
				return err
			},
			"change offer": func(who uuid.UUID) error {
				_, err := w.deals.UpdateOffer(ctx, who, offer.ID, func(o *deals.Offer) { o.Description = "mine" })
				return err
			},
			"landing":     func(who uuid.UUID) error { _, err := w.deals.Landing(ctx, who, landing.ID); return err },
			"add landing": func(who uuid.UUID) error { _, err := w.deals.CreateLanding(ctx, who, landing); return err },
			"change landing": func(who uuid.UUID) error {
				_, err := w.deals.ChangeLanding(ctx, who, landing.ID, func(l *deals.Landing) { l.Title = "mine" })
				return err
			},
			"promo code": func(who uuid.UUID) error {
				_, err := w.deals.CheckPromoCode(ctx, who, c.ShortCode, "ANNA5")
				return err
			},
			"promo code by id": func(who uuid.UUID) error {
				_, err := w.deals.CheckPromoCode(ctx, who, c.ID.String(), "ANNA5")
				return err
			},
			"promo code anywhere": func(who uuid.UUID) error { _, err := w.deals.CheckPromoCode(ctx, who, "", "anna5"); return err },
			"issue promo code": func(who uuid.UUID) error {
				_, err := w.deals.IssuePromoCode(ctx, who, deals.PromoCode{CatalogID: c.ID, PartnerID: anna, Code: "NEW"})
				return err
			},
			"decide": func(who uuid.UUID) error { _, err := w.deals.DecideAccess(ctx, who, c.ID, bo, true); return err },
		} {
			if err := call(otherSeller); !errors.Is(err, affiliate.ErrNotFound) {
				t.Errorf("%s: another business partner gets %v", what, err)
			}
			if err := call(seller); err != nil {
				t.Errorf("%s: its own business partner gets %v", what, err)
			}
		}
		// Nor may it be given away.
		theirs := must(w.deals.CreateCatalog(ctx, otherSeller, func() deals.Catalog { c := deals.NewCatalog(); c.Code, c.Title = "x", "x"; return c }()))(t)
		if _, err := w.deals.UpdateOffer(ctx, seller, offer.ID, func(o *deals.Offer) { o.CatalogID = theirs.ID }); !errors.Is(err, affiliate.ErrNotFound) {
			t.Errorf("an offer was moved to another's catalog: %v", err)
		}
		if err := w.deals.DeleteLanding(ctx, otherSeller, landing.ID); !errors.Is(err, affiliate.ErrNotFound) {
			t.Errorf("another's landing was deleted: %v", err)
		}
	})
}

// admission lets some partners in.
type admission map[uuid.UUID]bool

func (a admission) Admit(_ context.Context, _ deals.Catalog, partner uuid.UUID) (bool, error) {
	admit, known := a[partner]
	if !known {
		return false, affiliate.Unavailable(errors.New("who?"))
	}
	return admit, nil
}

func TestAccessByModeration(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		ctx := t.Context()
		c := w.catalog("course")
		asked := func(s *deals.Service, who uuid.UUID) deals.AccessStatus {
			t.Helper()
			return must(s.RequestAccess(ctx, c.ID, who))(t).Status
		}
		moderated := func(m deals.Moderation) {
			must(w.deals.ChangeCatalog(ctx, seller, c.ID, func(c *deals.Catalog) { c.Moderation = m }))(t)
		}
		p := posting(1, deals.Paid)
		p.PromoCode = "ANNA5"
		is.Equal(asked(w.deals, uuid.UUID{30}), deals.AccessGranted) // free entry

		moderated(deals.ManualModeration)
		is.Equal(asked(w.deals, anna), deals.AccessRequested)
		_, err := w.post(p)
		wantField(t, err, "promo_code", "not_admitted")
		p.AnotherData, p.PromoCode = "uid=UIDANNA", ""
		is.Equal(must(w.post(p))(t).Source, deals.Unattributed)
		_, err = w.deals.IssuePromoCode(ctx, seller, deals.PromoCode{CatalogID: c.ID, PartnerID: anna, Code: "MORE"})
		wantField(t, err, "partner_id", "not_admitted")
		is.Equal(must(w.deals.DecideAccess(ctx, seller, c.ID, anna, true))(t).Status, deals.AccessGranted)
		is.Equal(asked(w.deals, anna), deals.AccessGranted) // asking again changes nothing
		p.ExternalID = "deal-2"
		is.Equal(must(w.post(p))(t).Source, deals.ByUID)

		is.Equal(must(w.deals.DecideAccess(ctx, seller, c.ID, anna, false))(t).Status, deals.AccessDenied)
		moderated(deals.FreeEntry)
		is.Equal(asked(w.deals, anna), deals.AccessDenied) // who was turned away stays away
		p.ExternalID = "deal-3"
		is.Equal(must(w.post(p))(t).Source, deals.Unattributed)

		moderated(deals.AutoModeration)
		is.Equal(asked(w.deals, uuid.UUID{31}), deals.AccessRequested) // nobody decides
		auto := w.service(b, deals.Options{Moderator: admission{uuid.UUID{31}: true, uuid.UUID{32}: false}})
		is.Equal(asked(auto, uuid.UUID{31}), deals.AccessGranted)
		is.Equal(asked(auto, uuid.UUID{32}), deals.AccessDenied)
		_, err = auto.RequestAccess(ctx, c.ID, uuid.UUID{33})
		is.True(errors.Is(err, affiliate.ErrUnavailable))
		_, err = w.deals.RequestAccess(ctx, uuid.UUID{9}, anna)
		is.True(errors.Is(err, affiliate.ErrNotFound))

		list := must(w.deals.Accesses(ctx, deals.AccessFilter{CatalogID: c.ID, Status: deals.AccessDenied}, affiliate.PageRequest{Number: 1, Size: 10}))(t)
		is.Equal(list.Total, 2)
	})
}

func TestMarksAndCodes(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		ctx := t.Context()
		c := w.catalog("course")
		must(w.deals.RegisterUID(ctx, anna, "UIDANNA"))(t) // its own again
		_, err := w.deals.RegisterUID(ctx, bo, "UIDANNA")
		wantField(t, err, "uid", "taken")
		made := must(w.deals.RegisterUID(ctx, bo, ""))(t)
		is.Equal(len(made.UID), 10)
		is.Equal(must(w.deals.CheckUID(ctx, made.UID))(t).PartnerID, bo)
		_, err = w.deals.CheckUID(ctx, "nobody's")
		is.True(errors.Is(err, affiliate.ErrNotFound))

		must(w.deals.ChangeCatalog(ctx, seller, c.ID, func(c *deals.Catalog) { c.MinDiscount, c.MaxDiscount = percent(3), percent(10) }))(t)
		for discount, ok := range map[int64]bool{2: false, 3: true, 10: true, 11: false} {
			_, err := w.deals.IssuePromoCode(ctx, seller, deals.PromoCode{CatalogID: c.ID, PartnerID: bo, Code: "BO" + percent(discount).String(), Discount: percent(discount)})
			if ok {
				is.NoErr(err)
			} else {
				wantField(t, err, "percent", "out_of_range")
			}
		}
		_, err = w.deals.IssuePromoCode(ctx, seller, deals.PromoCode{CatalogID: c.ID, PartnerID: bo, Code: "anna5", Discount: percent(5)})
		wantField(t, err, "code", "taken")
		is.Equal(must(w.deals.CheckPromoCode(ctx, seller, c.ShortCode, "anna5"))(t).Discount, percent(5))
		other := w.catalog("second")
		_, err = w.deals.CheckPromoCode(ctx, seller, other.ShortCode, "BO0.03")
		is.True(errors.Is(err, affiliate.ErrNotFound)) // a code of another catalog
	})
}

func TestACatalogIsAvailableWhenThereIsSomethingToSell(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		ctx := t.Context()
		c := w.catalog("course")
		available := func() bool {
			t.Helper()
			page := must(w.deals.Catalogs(ctx, deals.CatalogFilter{Available: affiliate.Some(true)}, affiliate.PageRequest{Number: 1, Size: 10}))(t)
			is.Equal(must(w.deals.Catalog(ctx, seller, c.ID))(t).Available(), page.Total == 1)
			return page.Total == 1
		}
		is.True(available())
		active := func(on bool) {
			must(w.deals.UpdateOffer(ctx, seller, c.Offers[0].ID, func(o *deals.Offer) { o.Active = on }))(t)
		}
		published := func(on bool) {
			must(w.deals.ChangeCatalog(ctx, seller, c.ID, func(c *deals.Catalog) { c.Published = on }))(t)
		}
		active(false)
		is.True(!available())
		active(true)
		published(false)
		is.True(!available())
		published(true)
		is.NoErr(w.deals.DeleteLanding(ctx, seller, c.Landings[0].ID))
		is.True(!available())
		is.True(errors.Is(w.deals.DeleteLanding(ctx, seller, c.Landings[0].ID), affiliate.ErrNotFound))
	})
}

// A short code that is taken is drawn again.
func TestShortCodesAreDrawnUntilOneIsFree(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		drawn := w.service(b, deals.Options{Random: &dice{}})
		c := deals.NewCatalog()
		c.Title = "Course"
		var codes []string
		for _, code := range []string{"a", "b", "c"} {
			c.Code = code
			codes = append(codes, must(drawn.CreateCatalog(t.Context(), seller, c))(t).ShortCode)
		}
		is.Equal(codes, []string{"22222", "33333", "44444"})
	})
}

// dice shows each number three times.
type dice struct{ thrown int }

func (d *dice) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(d.thrown / 3)
	}
	d.thrown++
	return len(p), nil
}
