package metapic_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
)

func TestTheStoreGroupOfACampaignIsKeptShownAndFilteredBy(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		w.ID["group abroad"] = market.Must(w.Core.CreateAdvertiserGroup(t.Context(), affiliate.AdvertiserGroup{Name: "abroad", Key: "nn_NO", Currency: "EUR"}))(t).ID
		group := func(who string) any {
			return market.Field(t, w.Send(who, "GET", "/v2/offers/{offer summer}", ""), "store_group_id")
		}
		set := func(who, value string, status int) {
			t.Helper()
			is.Equal(w.Send(who, "PATCH", "/v2/offers/{offer summer}", w.Body(`{"store_group_id":`+value+`}`)).Code, status)
		}
		sees := func() bool { // anna is a creator of the Swedish group
			one := w.Send("creator", "GET", "/v2/offers/{offer summer}", "")
			listed := strings.Contains(w.Send("creator", "GET", "/v2/offers", "").Body.String(), "Summer of shoes")
			is.Equal(one.Code == 200, listed)
			is.True(one.Code == 200 || one.Code == 404)
			is.True(!strings.Contains(one.Body.String(), "store_group_id"))
			return listed
		}
		found := func(name string) bool {
			list := w.Send("admin", "GET", "/v2/offers?store_group_ids[]={group "+name+"}&query=summer", "")
			return strings.Contains(list.Body.String(), "Summer of shoes")
		}
		is.Equal(group("advertiser"), nil)
		is.True(sees())
		set("advertiser", "‹group sv_SE›", 200)
		is.Equal(group("advertiser"), float64(w.ID["group sv_SE"]))
		is.True(sees())
		is.True(!found("abroad"))
		set("advertiser", "‹group abroad›", 422) // not one of its groups
		set("admin", "‹group abroad›", 200)
		is.Equal(group("advertiser"), float64(w.ID["group abroad"]))
		is.True(!sees())
		is.True(found("abroad") && found("sv_SE")) // that of the campaign, and that of its store
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer summer}", w.Body(`{"store_group_id":‹group abroad›,"name":"again"}`)).Code, 200)
		for _, wrong := range []string{"0", "-3", "999999", `"x"`, "1.5", "9223372036854775808", "[1]"} {
			set("advertiser", wrong, 422)
		}
		set("advertiser", "null", 200)
		is.Equal(group("advertiser"), nil)
		is.True(sees())
	})
}

// An id of what there is not is null, and not 0, which a client might look up.
func TestAnIDOfWhatThereIsNotIsNull(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		for _, tt := range []struct{ who, method, path, body, field string }{
			{"admin", "GET", "/v2/user-tags?name=internal", "", "data.0.store_id"},
			{"advertiser", "POST", "/v2/offer-users/{participant anna}/comments", `{"comment":"x"}`, "author.id"},
			{"advertiser", "POST", "/v2/return-ads", `{"name":"new","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example/"}`, "author_id"},
			{"advertiser", "POST", "/v2/return-ads", `{"name":"new","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example/"}`, "affiliate_link.id"},
			{"advertiser", "POST", "/v2/return-ads", `{"name":"new","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example/"}`, "affiliate_link.user_id"},
			{"advertiser", "POST", "/v2/return-ads", `{"name":"new","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example/"}`, "advertiser_group_id"},
			{"admin", "GET", "/v2/advertisers/{advertiser acme}/blocklist", "", "data.0.created_by.id"},
			{"admin", "GET", "/v2/users/{user dora}", "", "client_id"},
		} {
			got := w.Send(tt.who, tt.method, tt.path, w.Body(tt.body))
			is.True(got.Code == 200 || got.Code == 201)   // method, path
			is.Equal(market.Field(t, got, tt.field), nil) // field
			name := tt.field[strings.LastIndexByte(tt.field, '.')+1:]
			is.True(strings.Contains(got.Body.String(), `"`+name+`":null`)) // field
		}
	})
}
