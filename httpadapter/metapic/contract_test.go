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

type (
	row     contract.Row
	badCase contract.BadCase
)

// suite holds the dialect against its document.
func suite(t *testing.T) contract.Suite {
	t.Helper()
	return contract.Suite{
		Facts:      contract.Read(t, "../testdata/contract/metapic_v2.json"),
		Document:   "metapic",
		Routes:     mounted(t, dialect(newWorld(t, backends.Memory()))),
		Open:       []string{"health-get", "tracking-plugin-activate"},
		Principals: append(slices.Clone(market.Principals), "session"),
		Memory:     func(t testing.TB) contract.World { return newWorld(t, backends.Memory()) },
		Postgres:   func(t testing.TB) contract.World { return newWorld(t, backends.Postgres(t, backends.Database(t))) },
		Replays:    replays,
		Tenancy:    contract.Rows(slices.Concat(withSession(slices.Concat(coreTenancy, offerTenancy, orderTenancy, payoutTenancy)), peopleTenancy)),
		Bad:        contract.BadCases(slices.Concat(moreBadCases, moreBadOffers, moreBadOrders, moreBadPayouts, morePeople)),
		Golden:     "testdata/badinput.golden",
		MinBad:     300,
	}
}

func TestContract(t *testing.T) { suite(t).Run(t) }

// dialect are the services of the dialect.
func dialect(w *market.World) metapic.Services {
	return metapic.Services{Core: w.Core, Identity: w.People, Mailing: w.Mailing, Media: w.Media, Links: w.Links, Offers: w.Offers, ReturnAds: w.ReturnAds, Orders: w.Orders, Payouts: w.Payouts}
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
	is.Equal(count(metapic.Services{}), 2) // health and the proxy
	is.Equal(count(metapic.Services{Core: w.Core}), 16)
	is.Equal(count(metapic.Services{Links: w.Links}), 8)
	is.Equal(count(metapic.Services{Identity: w.People}), 2+6)
	is.Equal(count(metapic.Services{Core: w.Core, Links: w.Links}), 28)
	is.Equal(count(metapic.Services{Core: w.Core, Offers: w.Offers}), 16+29)
	is.Equal(count(metapic.Services{ReturnAds: w.ReturnAds}), 2+8)
	is.Equal(count(metapic.Services{Orders: w.Orders}), 2+1)
	is.Equal(count(metapic.Services{Payouts: w.Payouts}), 2+9)
	is.Equal(count(dialect(w)), 67+14+3+9)
}
