package adsync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// The ads that templates make of an item are paused at both services when it
// sells out, and run again when it is for sale again. Those of another item stay
// as they are.
func TestAdsPauseAtTheirServicesWhenTheirItemSellsOut(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is, ctx := is.New(t), t.Context()
		s := newSoak(t, b)
		e := s.worker(b.AdSync)
		for _, at := range []string{adAccount, customer} {
			c := kept(s.acme.SaveCampaign(ctx, budgeted(at, "Campaign")))(t)
			in := adSetIn(c)
			in.Configuration = adsync.Sent(adsync.Configuration{Geo: affiliate.Some(adsync.Targeting{Places: adsync.Places{Countries: []string{"BR"}}})})
			if at == adAccount {
				in.Configuration.Value.DailyBudget = affiliate.Some(adsync.Budget{Amount: 1299, BillingEvent: "IMPRESSIONS"})
			}
			set := kept(s.acme.SaveAdSet(ctx, in))(t)
			template := vehicles(set)
			if at == adAccount {
				template.Type = adsync.ImageWithLink
				template.Creative = adsync.Creative{
					Link: "<link>", Message: "<title>", Picture: "<image>", Description: "Now", CallToAction: "OPEN_LINK", LinkCaption: "shop.example",
				}
			}
			must(s.acme.SaveTemplate(ctx, template))(t)
		}
		for _, reference := range []string{"r1", "r2"} {
			in := vehicle(reference)
			in.Price = adsync.Sent(affiliate.NewMoney(100, "BRL"))
			in.Images = adsync.Sent([]adsync.Image{{URL: "https://shop.example/" + reference + ".png", Order: 1}})
			kept(s.acme.SaveItem(ctx, in))(t)
		}
		is.Equal(s.adStates(e), "facebook r1 ACTIVE, facebook r2 ACTIVE, google r1 ENABLED, google r2 ENABLED")

		sold := must(s.acme.UpdateItem(ctx, "r1", adsync.ItemInput{Available: adsync.Sent(false)}))(t)
		is.Equal(sold.SoldOutAt, s.clock().UTC())
		is.Equal(s.adStates(e), "facebook r1 PAUSED, facebook r2 ACTIVE, google r1 PAUSED, google r2 ENABLED")
		is.Equal(s.facebook.Items(catalog)[sold.ID.String()]["availability"], "out of stock")

		must(s.acme.UpdateItem(ctx, "r1", adsync.ItemInput{Available: adsync.Sent(true)}))(t)
		is.Equal(s.adStates(e), "facebook r1 ACTIVE, facebook r2 ACTIVE, google r1 ENABLED, google r2 ENABLED")
		is.Equal(s.facebook.Items(catalog)[sold.ID.String()]["availability"], "in stock")
		s.check(e)
	})
}

// adStates works the jobs off and returns how the services have the ads of items.
func (s *soak) adStates(e *adsync.Engine) string {
	s.t.Helper()
	for range 4 { // the catalog's answers come later
		must(e.RunOnce(s.t.Context()))(s.t)
		s.pass(time.Minute)
	}
	var out []string
	for _, a := range must(s.acme.Ads(s.t.Context(), adsync.AdFilter{}, adsync.PageRequest{}))(s.t).Items {
		reference := a.DestinationURL[strings.LastIndexByte(a.DestinationURL, '/')+1:]
		marker := adsync.Marker(a.ID)
		for _, o := range s.facebook.Objects("ads") {
			if strings.Contains(o.Fields["name"], marker) {
				out = append(out, fmt.Sprint("facebook ", reference, " ", o.Fields["status"]))
			}
		}
		for _, o := range s.google.Objects("adGroupAds") {
			if strings.Contains(fmt.Sprint(o.Fields["ad"]), marker) {
				out = append(out, fmt.Sprint("google ", reference, " ", o.Fields["status"]))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
