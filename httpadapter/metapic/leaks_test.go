package metapic_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/offers"
)

// What somebody may not see is answered as what does not exist. Each row sends
// one request with an id that is there and one with an id that is not.
func TestAnUnseenIDIsAnUnknownOne(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		foreign := market.Must(w.Core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Foreign", Country: "FI", Currency: "EUR"}))(t)
		w.ID["budget foreign"] = market.Must(w.Offers.CreateSharedBudget(t.Context(), foreign.ID, offers.SharedBudgetInput{Title: "b", Amount: 1}))(t).ID
		w.ID["group abroad"] = market.Must(w.Core.CreateAdvertiserGroup(t.Context(), affiliate.AdvertiserGroup{Name: "abroad", Key: "fi_FI", Currency: "EUR"}))(t).ID
		w.ID["nothing"] = 987_654
		for _, tt := range []struct{ who, method, path, body, unseen string }{
			{"advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"user_tag_ids":[ID]}`, "tag internal"},
			{"advertiser", "POST", "/v2/advertisers/{advertiser acme}/blocklist", `{"user_tag_ids":[ID]}`, "tag norse"},
			{"advertiser", "PATCH", "/v2/offers/{offer summer}", `{"shared_budget_id":ID}`, "budget nordic"},
			{"advertiser", "PATCH", "/v2/offers/{offer summer}", `{"shared_budget_id":ID}`, "budget foreign"}, // in another currency
			{"advertiser", "POST", "/v2/offers/{offer summer}/targets", `{"user_tag_ids":[ID]}`, "tag internal"},
			{"advertiser", "POST", "/v2/offers/{offer summer}/targets", `{"store_group_ids":[ID]}`, "group abroad"},
			{"advertiser", "PATCH", "/v2/offers/{offer summer}", `{"store_group_id":ID}`, "group abroad"},
			{"advertiser", "PATCH", "/v2/offers/{offer summer}", `{"store_group_id":ID,"shared_budget_id":‹budget nordic›}`, "group abroad"},
			{"advertiser", "POST", "/v2/stores/{advertiser acme}/offers", `{"name":"x","type":"standard","store_group_id":ID}`, "group abroad"},
			{"advertiser", "POST", "/v2/return-ads", `{"name":"x","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example","advertiser_ids":[ID]}`, "advertiser hidden"},
			{"advertiser", "POST", "/v2/return-ads", `{"name":"x","advertiser_id":ID,"return_link":"https://acme.example"}`, "advertiser nordic"},
			{"creator", "GET", "/v2/offers?target_user_id=ID", "", "user bo"},
			{"client", "GET", "/v2/offers?target_user_id=ID", "", "user bo"},
		} {
			ask := func(name string) string {
				id := w.Path("{" + name + "}")
				path := strings.ReplaceAll(tt.path, "ID", id)
				got := w.Send(tt.who, tt.method, path, w.Body(strings.ReplaceAll(tt.body, "ID", id)))
				body := strings.ReplaceAll(got.Body.String(), "target_user_id="+id, "")
				return strings.ReplaceAll(body, `[`+id+`]`, "[ID]")
			}
			is := is.New(t)
			is.Equal(ask(tt.unseen), ask("nothing")) // path, body, unseen
		}
	})
}

// An advertiser learns a creator's address when the creator works with it, not
// by naming the creator.
func TestNamingACreatorDoesNotShowItsAddress(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		shows := func() any {
			got := w.Send("advertiser_2", "GET", "/v2/users/{user anna}", "")
			is.Equal(got.Code, 200)
			return market.Field(t, got, "email")
		}
		is.Equal(w.Send("advertiser_2", "GET", "/v2/users/{user anna}", "").Code, 404)
		is.Equal(w.Send("advertiser_2", "POST", "/v2/offers/{offer norse}/targets", w.Body(`{"user_ids":[‹user anna›]}`)).Code, 201)
		is.Equal(shows(), nil)
		list := w.Send("advertiser_2", "GET", "/v2/users?advertiser_id={advertiser nordic}&include[]=email", "")
		is.Equal(list.Code, 200)
		is.True(!strings.Contains(list.Body.String(), "anna@creators.example"))
		is.Equal(w.Send("creator", "POST", "/v3/users/{user anna}/affiliate-links", `{"url":"https://nordic.example/hats"}`).Code, 201)
		is.Equal(shows(), "anna@creators.example")
	})
}

// A blocklist keeps what is between the operator and others to itself.
func TestABlocklistTellsNoSecrets(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		share := market.Must(affiliate.ParseRate("r", "0.37"))(t)
		client, _, err := w.Core.CreateClient(t.Context(), affiliate.Client{Name: "paid network", PublicID: "public-paid", RevenueShare: share})
		is.NoErr(err)
		_, err = w.Core.Block(t.Context(), w.ID["advertiser acme"], affiliate.Actor{Name: "Operator"},
			affiliate.BlockInput{UserTagIDs: []int64{w.ID["tag internal"]}, ClientIDs: []int64{client.ID}})
		is.NoErr(err)
		list := "/v2/advertisers/{advertiser acme}/blocklist"
		seen := func(who string) string { return w.Send(who, "GET", list, "").Body.String() }
		for _, secret := range []string{"0.37", `"name":"internal"`, "carl@creators.example"} {
			is.True(strings.Contains(seen("admin"), secret))       // secret
			is.True(!strings.Contains(seen("advertiser"), secret)) // secret
		}
	})
}

// Which campaigns a creator gets through a tag of the operator's says who has it.
func TestTargetUserIDShowsNoTagsOfTheOperator(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		market.Must(w.Core.UpdateUser(t.Context(), w.ID["user anna"], func(u *affiliate.User) { u.TagIDs = []int64{w.ID["tag internal"]} }))(t)
		market.Must(w.Offers.CreateOffer(t.Context(), offers.OfferInput{
			Offer:   offers.Offer{AdvertiserID: w.ID["advertiser acme"], Type: offers.Standard, Name: "n", Title: "by a tag of the operator"},
			Targets: offers.Targets{TagIDs: []int64{w.ID["tag internal"]}},
		}))(t)
		list := func(who string) string {
			return w.Send(who, "GET", "/v2/offers?advertiser_id={advertiser acme}&target_user_id={user anna}", "").Body.String()
		}
		is.True(strings.Contains(list("admin"), "by a tag of the operator"))
		is.True(!strings.Contains(list("advertiser"), "by a tag of the operator"))
		is.True(strings.Contains(list("advertiser"), "Summer of shoes"))
	})
}
