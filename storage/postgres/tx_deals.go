package postgres

import (
	"github.com/affiliatekit/affiliatekit/deals"
)

// Deals returns the store of package deals, nil
// when Options.Without has the domain.
func (db *DB) Deals() deals.Store {
	if db.lacks(Deals) {
		return nil
	}
	return view[deals.Tx]{db, func(u *unit) deals.Tx { return dealTx{coreTx{u}} }}
}

// dealTx gives the repositories of deals beside those of the core.
type dealTx struct{ coreTx }

var _ deals.Tx = dealTx{} // and with it each repository

func (t dealTx) BusinessPartners() deals.BusinessPartnerRepository {
	return sellers{in(t.coreTx, &sellerTable)}
}
func (t dealTx) Catalogs() deals.CatalogRepository { return catalogs{in(t.coreTx, &catalogTable)} }
func (t dealTx) CatalogOffers() deals.OfferRepository {
	return catalogOffers{in(t.coreTx, &catalogOfferTable)}
}
func (t dealTx) Landings() deals.LandingRepository { return landings{in(t.coreTx, &landingTable)} }
func (t dealTx) UIDs() deals.UIDRepository         { return uids(t.coreTx) }
func (t dealTx) PromoCodes() deals.PromoCodeRepository {
	return promoCodes{in(t.coreTx, &promoCodeTable)}
}
func (t dealTx) CatalogAccess() deals.AccessRepository { return accesses{in(t.coreTx, &accessTable)} }
func (t dealTx) Deals() deals.DealRepository           { return dealRepository{in(t.coreTx, &dealTable)} }
