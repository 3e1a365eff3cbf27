package httpadapter_test

import (
	"net/http"
	"testing"

	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// newWorld is the sample market with the adapter over it.
func newWorld(t testing.TB, b storagetest.Backend) *market.World {
	t.Helper()
	w := market.New(t, market.Backend{Core: b.Core, Identity: b.Identity, Offers: b.Offers, ReturnAds: b.ReturnAds, Links: b.Links, Orders: b.Orders})
	w.Serve = func(o httpadapter.Options) http.Handler {
		if o.Authenticator == nil {
			o.Authenticator = httpadapter.TokenAuthenticator(w.People)
		}
		return market.Must(httpadapter.New(services(w), o))(t)
	}
	w.Handler = w.Adapter(httpadapter.Options{})
	return w
}

func services(w *market.World) httpadapter.Services {
	return httpadapter.Services{Core: w.Core, Links: w.Links, Offers: w.Offers, ReturnAds: w.ReturnAds, Orders: w.Orders}
}

// eachBackend runs a test in a world of its own on every backend.
func eachBackend(t *testing.T, test func(t *testing.T, w *market.World)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b)) })
}
