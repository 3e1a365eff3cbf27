package metapic_test

import (
	"slices"
	"testing"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/httpadapter/metapic"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
	"github.com/matryer/is"
)

// notBuiltYet are the documented operations of Metapic v2 without a route.
// Whoever builds one takes it out.
var notBuiltYet = []string{
	"advertiser-email-quota-get",
	"advertiser-payment-setup-get", "advertiser-payment-setup-create", "advertiser-representative-create",
	"advertiser-invites-accept", "agency-invites-accept", "user-media-list", "payment-invoices-zip",
	"user-stores-by-categories", "user-stores-by-toplist", "payments-upload-ax-id-matching",
	"payments-mark-invoices-as-paid", "payment-generate-creator-invoice", "payment-systems-config-list",
	"payment-systems-config-update", "entrypoint-get", "notifications-proxy", "ory-identity-created",
	"ory-identity-updated", "store-payment-update", "image-upload", "user-create", "user-identity-update",
}

type (
	row     contract.Row
	badCase contract.BadCase
)

// suite holds the dialect against its document.
func suite(t *testing.T) contract.Suite {
	t.Helper()
	return contract.Suite{
		Facts:      contract.Read(t, "../testdata/contract/metapic_v2.json"),
		NotBuilt:   notBuiltYet,
		Routes:     mounted(t, dialect(newWorld(t, backends.Memory()))),
		Open:       []string{"health-get", "tracking-plugin-activate"},
		Principals: market.Principals,
		Memory:     func(t testing.TB) contract.World { return newWorld(t, backends.Memory()) },
		Postgres:   func(t testing.TB) contract.World { return newWorld(t, backends.Postgres(t, backends.Database(t))) },
		Replays:    replays,
		Tenancy:    contract.Rows(slices.Concat(coreTenancy, offerTenancy, orderTenancy)),
		Bad:        contract.BadCases(slices.Concat(moreBadCases, moreBadOffers, moreBadOrders)),
		Golden:     "testdata/badinput.golden",
		MinBad:     300,
	}
}

func TestContract(t *testing.T) { suite(t).Run(t) }

// dialect are the services of the dialect.
func dialect(w *market.World) metapic.Services {
	return metapic.Services{Core: w.Core, Links: w.Links, Offers: w.Offers, Orders: w.Orders}
}

// mounted are the routes of the dialect over the services.
func mounted(t *testing.T, s metapic.Services) []wire.Route {
	t.Helper()
	return market.Must(metapic.New(s, metapic.Options{}))(t).(*wire.Mux).Routes()
}

func TestANilServiceLeavesItsRoutesOut(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	count := func(s metapic.Services) int { return len(mounted(t, s)) }
	is.Equal(count(metapic.Services{}), 1) // health
	is.Equal(count(metapic.Services{Core: w.Core}), 15)
	is.Equal(count(metapic.Services{Links: w.Links}), 7)
	is.Equal(count(metapic.Services{Core: w.Core, Links: w.Links}), 25)
	is.Equal(count(metapic.Services{Core: w.Core, Offers: w.Offers}), 15+36)
	is.Equal(count(metapic.Services{Orders: w.Orders}), 1+1)
	is.Equal(count(dialect(w)), 25+42+3)
}
