package httpadapter

import (
	"net/http"

	"github.com/affiliatekit/affiliatekit/httpadapter/tracking"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// NewRedirect makes the handler of GET /c/{id} alone; see [tracking.NewRedirect],
// which links nothing of the APIs.
func NewRedirect(s *links.Service, o Options) (http.Handler, error) {
	return tracking.NewRedirect(s, o)
}

// NewOpenRoutes makes the handler of pictures and return ads alone; see
// [tracking.NewOpenRoutes].
func NewOpenRoutes(s *offers.Service, ads *returnads.Service, o Options) (http.Handler, error) {
	return tracking.NewOpenRoutes(s, ads, o)
}

// NewReport makes the handler of the routes by which shops report orders alone; see
// [tracking.NewReport].
func NewReport(s *orders.Service, o Options) (http.Handler, error) {
	return tracking.NewReport(s, o)
}
