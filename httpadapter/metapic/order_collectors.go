package metapic

import (
	"context"
	"net/url"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// activation is what a shop's plugin needs to know to report orders.
type activation struct {
	OrganizationID int64  `json:"organization_id"`
	ProgramID      int64  `json:"program_id"`
	EventID        int64  `json:"event_id"`
	Currency       string `json:"currency"`
}

func showActivation(c orders.Collector, currency affiliate.Currency) activation {
	return activation{OrganizationID: c.OrganizationID, ProgramID: c.ProgramID, EventID: c.EventID, Currency: string(currency)}
}

// salesPixel is how a shop without a plugin reports orders: by a picture, or by
// a script.
type salesPixel struct {
	activation
	PixelURL string `json:"pixel_url"`
	Script   string `json:"script"` // an URL
}

// showSalesPixel fills organization and event in; what is of each order the shop
// adds.
func (s *server) showSalesPixel(c orders.Collector, currency affiliate.Currency) salesPixel {
	query := url.Values{
		"organization": {strconv.FormatInt(c.OrganizationID, 10)}, "event": {strconv.FormatInt(c.EventID, 10)},
	}
	pixel := s.links.PublicURL() + open.ReportPath + "?" + query.Encode()
	query.Set("days", strconv.Itoa(c.WindowDays))
	return salesPixel{activation: showActivation(c, currency), PixelURL: pixel, Script: s.links.PublicURL() + open.ScriptPath + "?" + query.Encode()}
}

// collector is the collector of an advertiser, and the advertiser's currency.
func (s *server) collector(ctx context.Context, p affiliate.Principal, advertiserID int64) (orders.Collector, affiliate.Currency, error) {
	c, err := s.orders.For(affiliate.ViewerOf(p)).Collector(ctx, advertiserID)
	if err != nil {
		return c, "", err
	}
	a, err := s.core.Advertiser(ctx, advertiserID)
	return c, a.Currency, err
}

func (s *server) getSalesPixel(ctx context.Context, p affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser"`
}) (out salesPixel, err error) {
	c, currency, err := s.collector(ctx, p, in.AdvertiserID)
	if err != nil {
		return out, err
	}
	return s.showSalesPixel(c, currency), nil
}

// collectorSettings are what a person types into a shop's plugin.
type collectorSettings struct {
	salesPixel
	Collector     string `json:"collector"`
	ActivationKey string `json:"activation_key"`
}

// collectorNames are the plugins that the document knows.
func collectorNames() []string { return []string{"woocommerce"} }

func (s *server) getCollector(ctx context.Context, p affiliate.Principal, in struct {
	AdvertiserID int64  `path:"advertiser"`
	Collector    string `path:"collector"`
}) (out collectorSettings, err error) {
	known := false
	for _, name := range collectorNames() {
		known = known || name == in.Collector
	}
	if !known {
		return out, affiliate.NotFound("order_collector", in.Collector)
	}
	c, currency, err := s.collector(ctx, p, in.AdvertiserID)
	if err != nil {
		return out, err
	}
	return collectorSettings{salesPixel: s.showSalesPixel(c, currency), Collector: in.Collector, ActivationKey: c.ActivationKey}, nil
}

// activatePlugin tells a plugin what it needs. Its key is the credential.
func (s *server) activatePlugin(ctx context.Context, _ affiliate.Principal, in struct {
	Key string `json:"metapic_activation_key"`
}) (out activation, err error) {
	c, currency, err := s.orders.Activate(ctx, in.Key)
	if err != nil {
		return out, err
	}
	return showActivation(c, currency), nil
}
