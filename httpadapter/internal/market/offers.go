package market

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// PNG is a picture.
func PNG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TheAdvertiser is who the token "advertiser" is, as an author.
var TheAdvertiser = affiliate.Actor{Name: "The advertiser"}

// theAuthor is who the token "author" is: a representative of acme who has the
// user account of anna.
func (w *World) theAuthor() affiliate.Actor {
	return affiliate.Actor{UserID: w.ID["user anna"], Name: "The author"}
}

// settleOffers: acme's summer is for everyone, its vips are anna, an e-mail
// address and a handle, its run is one that anna applied for; norse is nordic's
// and for bo.
func (w *World) settleOffers(ctx context.Context) {
	acme, nordic := w.ID["advertiser acme"], w.ID["advertiser nordic"]
	for _, b := range []struct {
		name  string
		store int64
	}{{"acme", acme}, {"spare", acme}, {"nordic", nordic}} {
		w.ID["budget "+b.name] = Must(w.Offers.CreateSharedBudget(ctx, b.store, offers.SharedBudgetInput{Title: "Budget " + b.name, Amount: 100_000}))(w.T).ID
	}
	for _, o := range []struct {
		name    string
		store   int64
		offer   offers.Offer
		targets offers.Targets
	}{
		{"summer", acme, offers.Offer{
			Type: offers.Standard, Title: "Summer of shoes", Text: "Walk!", BudgetLimit: affiliate.Some[int64](50_000), SharedBudgetID: w.ID["budget acme"],
			Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](230), InvoiceCPC: affiliate.Some[int64](275)}}},
		}, offers.Targets{}},
		{"vips", acme, offers.Offer{Type: offers.StoreAccept, Title: "For the few", HasProductSeeding: true, Todo: []string{"post"}}, offers.Targets{
			UserIDs: []int64{w.ID["user anna"]}, Emails: []string{"creator@example.com"}, Identifiers: []string{"vera.vlogs"},
		}},
		{"run", acme, offers.Offer{Type: offers.UserApply, Title: "Nike run"}, offers.Targets{}},
		{"old", acme, offers.Offer{Type: offers.Standard, Title: "Of last year"}, offers.Targets{}},
		{"norse", nordic, offers.Offer{Type: offers.UserApply, Title: "Sagas"}, offers.Targets{UserIDs: []int64{w.ID["user bo"]}}},
	} {
		o.offer.AdvertiserID, o.offer.Name, o.offer.CreatedBy = o.store, "internal "+o.name, TheAdvertiser
		made := Must(w.Offers.CreateOffer(ctx, offers.OfferInput{Offer: o.offer, Targets: o.targets}))(w.T)
		w.ID["offer "+o.name], w.Token["token "+o.name] = made.ID, made.Token
	}
	Must(w.Offers.SetImage(ctx, w.ID["offer summer"], PNG(w.T)))(w.T)
	w.settleParticipants(ctx)
	w.settleReturnAds(ctx)
}

func (w *World) settleParticipants(ctx context.Context) {
	for _, name := range []string{"vips", "norse"} {
		page := Must(w.Offers.Participants(ctx, offers.ParticipantFilter{OfferID: w.ID["offer "+name]}, affiliate.PageRequest{Number: 1, Size: 10}))(w.T)
		for _, p := range page.Items {
			switch {
			case p.Email != "":
				w.ID["participant email"] = p.ID
			case p.Identifier != "":
				w.ID["participant handle"] = p.ID
			default:
				w.ID["participant "+p.User.Value.Username] = p.ID
			}
		}
	}
	Must(w.Offers.MoveParticipant(ctx, w.ID["offer vips"], w.ID["participant email"], offers.Applied, TheAdvertiser))(w.T)
	w.ID["participant run"] = Must(w.Offers.Join(ctx, w.Token["token run"], w.ID["user anna"]))(w.T).ID
	for _, c := range []struct{ name, participant, who string }{
		{"anna", "anna", "advertiser"}, {"old", "anna", "advertiser"}, {"bo", "bo", "advertiser_2"}, {"author", "anna", "author"},
	} {
		by := w.Offers.For(affiliate.ViewerOf(Must(w.People.Authenticate(ctx, Token(c.who)))(w.T)))
		w.ID["comment "+c.name] = Must(by.AddComment(ctx, w.ID["participant "+c.participant], "Nice feed."))(w.T).ID
	}
}

func (w *World) settleReturnAds(ctx context.Context) {
	for _, a := range []struct {
		name, store string
		ad          returnads.Ad
	}{
		{"acme", "acme", returnads.Ad{Author: w.theAuthor(), LinkID: w.ID["link anna"], AdvertiserIDs: []int64{w.ID["advertiser nordic"]}, ClickLimit: affiliate.Some[int64](2), ViewLimit: affiliate.Some[int64](3)}},
		{"old", "acme", returnads.Ad{Author: TheAdvertiser, CategoryIDs: []int64{w.ID["category Food"]}}},
		{"nordic", "nordic", returnads.Ad{Author: w.theAuthor(), LinkID: w.ID["link bo"], DisplayForAll: true, Styles: []returnads.Style{{Name: "color", Value: "#ffffff"}}}},
	} {
		a.ad.Name, a.ad.AdvertiserID = "Return to "+a.name, w.ID["advertiser "+a.store]
		a.ad.AdvertiserGroupID, a.ad.ReturnLink, a.ad.ImageKey = w.ID["group sv_SE"], "https://"+a.store+".example/back?x=1&y=2", "ad.png"
		a.ad.StartsAt, a.ad.EndsAt = w.Clock().AddDate(0, -1, 0), w.Clock().AddDate(0, 1, 0)
		w.ID["ad "+a.name] = Must(w.ReturnAds.Create(ctx, a.ad))(w.T).ID
	}
}
