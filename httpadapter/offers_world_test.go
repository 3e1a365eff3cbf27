package httpadapter_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// somePNG is a picture.
func somePNG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// theAdvertiser is who the token "advertiser" is, as an author.
var theAdvertiser = affiliate.Actor{Name: "The advertiser"}

// settleOffers: acme's summer is for everyone, its vips are anna, an e-mail
// address and a handle, its run is one that anna applied for; norse is nordic's
// and for bo.
func (w *world) settleOffers(ctx context.Context) {
	acme, nordic := w.id["advertiser acme"], w.id["advertiser nordic"]
	for _, b := range []struct {
		name  string
		store int64
	}{{"acme", acme}, {"spare", acme}, {"nordic", nordic}} {
		w.id["budget "+b.name] = must(w.offers.CreateSharedBudget(ctx, b.store, offers.NewSharedBudget{Title: "Budget " + b.name, Amount: 100_000}))(w.t).ID
	}
	for _, o := range []struct {
		name    string
		store   int64
		offer   offers.Offer
		targets offers.Targets
	}{
		{"summer", acme, offers.Offer{
			Type: offers.Standard, Title: "Summer of shoes", Text: "Walk!", BudgetLimit: affiliate.Some[int64](50_000), SharedBudgetID: w.id["budget acme"],
			Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](230), InvoiceCPC: affiliate.Some[int64](275)}}},
		}, offers.Targets{}},
		{"vips", acme, offers.Offer{Type: offers.StoreAccept, Title: "For the few", HasProductSeeding: true, Todo: []string{"post"}}, offers.Targets{
			UserIDs: []int64{w.id["user anna"]}, Emails: []string{"creator@example.com"}, Identifiers: []string{"vera.vlogs"},
		}},
		{"run", acme, offers.Offer{Type: offers.UserApply, Title: "Nike run"}, offers.Targets{}},
		{"old", acme, offers.Offer{Type: offers.Standard, Title: "Of last year"}, offers.Targets{}},
		{"norse", nordic, offers.Offer{Type: offers.UserApply, Title: "Sagas"}, offers.Targets{UserIDs: []int64{w.id["user bo"]}}},
	} {
		o.offer.AdvertiserID, o.offer.Name, o.offer.CreatedBy = o.store, "internal "+o.name, theAdvertiser
		made := must(w.offers.CreateOffer(ctx, offers.NewOffer{Offer: o.offer, Targets: o.targets}))(w.t)
		w.id["offer "+o.name], w.token["token "+o.name] = made.ID, made.Token
	}
	must(w.offers.SetImage(ctx, w.id["offer summer"], somePNG(w.t)))(w.t)
	w.settleParticipants(ctx)
	w.settleReturnAds(ctx)
}

func (w *world) settleParticipants(ctx context.Context) {
	for _, name := range []string{"vips", "norse"} {
		page := must(w.offers.Participants(ctx, offers.ParticipantFilter{OfferID: w.id["offer "+name]}, affiliate.PageRequest{Number: 1, Size: 10}))(w.t)
		for _, p := range page.Items {
			switch {
			case p.Email != "":
				w.id["participant email"] = p.ID
			case p.Identifier != "":
				w.id["participant handle"] = p.ID
			default:
				w.id["participant "+p.User.Value.Username] = p.ID
			}
		}
	}
	must(w.offers.MoveParticipant(ctx, w.id["offer vips"], w.id["participant email"], offers.Applied, theAdvertiser))(w.t)
	w.id["participant run"] = must(w.offers.Join(ctx, w.token["token run"], w.id["user anna"]))(w.t).ID
	for _, c := range []struct{ name, participant string }{{"anna", "anna"}, {"old", "anna"}, {"bo", "bo"}} {
		by := theAdvertiser
		if c.name == "bo" {
			by = affiliate.Actor{Name: "The advertiser_2"}
		}
		w.id["comment "+c.name] = must(w.offers.AddComment(ctx, w.id["participant "+c.participant], "Nice feed.", by))(w.t).ID
	}
}

func (w *world) settleReturnAds(ctx context.Context) {
	for _, a := range []struct {
		name, store string
		ad          offers.ReturnAd
	}{
		{"acme", "acme", offers.ReturnAd{AdvertiserIDs: []int64{w.id["advertiser nordic"]}, ClickLimit: affiliate.Some[int64](2), ViewLimit: affiliate.Some[int64](3)}},
		{"old", "acme", offers.ReturnAd{CategoryIDs: []int64{w.id["category Food"]}}},
		{"nordic", "nordic", offers.ReturnAd{DisplayForAll: true, Styles: []offers.Style{{Name: "color", Value: "#ffffff"}}}},
	} {
		a.ad.Name, a.ad.AdvertiserID, a.ad.Author = "Return to "+a.name, w.id["advertiser "+a.store], theAdvertiser
		a.ad.AdvertiserGroupID, a.ad.ReturnLink, a.ad.ImageKey = w.id["group sv_SE"], "https://"+a.store+".example/back?x=1&y=2", "ad.png"
		a.ad.StartsAt, a.ad.EndsAt = w.clock().AddDate(0, -1, 0), w.clock().AddDate(0, 1, 0)
		w.id["ad "+a.name] = must(w.offers.CreateReturnAd(ctx, a.ad))(w.t).ID
	}
}
