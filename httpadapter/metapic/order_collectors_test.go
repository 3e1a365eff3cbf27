package metapic_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
)

// everybody is the row of a route whose body has the credential.
const everybody = "200 200 200 200 200 200 200 200 200 200 200 200 200"

var orderTenancy = []row{
	{"order-collector-sales-pixel-get", "GET", "/v2/advertisers/{advertiser acme}/order-collectors/sales-pixel", "", acmeOnly},
	{"order-collector-sales-pixel-get", "GET", "/v2/advertisers/{advertiser nordic}/order-collectors/sales-pixel", "", nordicOnly},
	{"order-collector-sales-pixel-get", "GET", "/v2/advertisers/999999/order-collectors/sales-pixel", "", noStore},
	{"order-collector-sales-pixel-get", "GET", "/v2/advertisers/saepe/order-collectors/sales-pixel", "", noStore},
	{"order-collector-get", "GET", "/v2/advertisers/{advertiser acme}/order-collectors/woocommerce", "", acmeOnly},
	{"order-collector-get", "GET", "/v2/advertisers/{advertiser nordic}/order-collectors/woocommerce", "", nordicOnly},
	{"order-collector-get", "GET", "/v2/advertisers/999999/order-collectors/woocommerce", "", noStore},
	{"tracking-plugin-activate", "POST", "/v2/activate-tracking-plugin", `{"metapic_activation_key":"‹activation acme›"}`, everybody},
	{"tracking-plugin-activate", "POST", "/v2/activate-tracking-plugin", `{"metapic_activation_key":"‹activation nordic›"}`, everybody},
}

var moreBadOrders = []badCase{
	{"tracking-plugin-activate: an unknown key", "nobody", "POST", "/v2/activate-tracking-plugin", `{"metapic_activation_key":"animi"}`, ""},
	{"order-collector-get: an unknown plugin", "advertiser", "GET", "/v2/advertisers/{advertiser acme}/order-collectors/shopify", "", ""},
}

func TestAnActivationKeyTellsWhoseOrdersAPluginReports(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		var settings struct {
			Organization  int64  `json:"organization_id"`
			Event         int64  `json:"event_id"`
			Currency      string `json:"currency"`
			PixelURL      string `json:"pixel_url"`
			Script        string `json:"script"`
			Collector     string `json:"collector"`
			ActivationKey string `json:"activation_key"`
		}
		got := w.Send("advertiser", "GET", fmt.Sprintf("/v2/advertisers/%d/order-collectors/woocommerce", w.ID["advertiser acme"]), "")
		is.NoErr(json.Unmarshal(got.Body.Bytes(), &settings))
		is.Equal(settings.Collector, "woocommerce")
		is.Equal(settings.PixelURL, fmt.Sprintf("%s/report?event=%d&organization=%d", market.PublicURL, settings.Event, settings.Organization))
		is.Equal(settings.Script, fmt.Sprintf("%s/report.js?days=30&event=%d&organization=%d", market.PublicURL, settings.Event, settings.Organization))
		organization := settings.Organization
		settings.Organization = 0
		got = w.Send("nobody", "POST", "/v2/activate-tracking-plugin", `{"metapic_activation_key":"`+settings.ActivationKey+`"}`)
		is.Equal(got.Code, 200)
		is.NoErr(json.Unmarshal(got.Body.Bytes(), &settings))
		is.Equal(settings.Organization, organization)
		is.Equal(settings.Currency, "SEK")
	})
}
