package memory

import (
	"github.com/affiliatekit/affiliatekit/deals"
)

// dealTables are the tables of package deals.
type dealTables struct {
	sellers  sellerTable
	catalogs catalogTable
	offers   catalogOfferTable
	landings landingTable
	uids     uidTable
	codes    promoCodeTable
	access   accessTable
	deals    dealTable
}

func newDealTables(db *DB) dealTables {
	return dealTables{
		sellers:  newSellerTable(db),
		catalogs: newCatalogTable(db),
		offers:   newCatalogOfferTable(db),
		landings: newLandingTable(db),
		uids:     newUIDTable(db),
		codes:    newPromoCodeTable(db),
		access:   newAccessTable(db),
		deals:    newDealTable(db),
	}
}

// Deals is the view for package deals.
func (db *DB) Deals() deals.Store {
	return view[deals.Tx]{db, func(u *unit) deals.Tx { return dealTx{coreTx{u}} }}
}

// dealTx is the transaction of package deals.
type dealTx struct{ coreTx }

var _ deals.Tx = dealTx{}

func (tx dealTx) BusinessPartners() deals.BusinessPartnerRepository { return sellers(tx.coreTx) }
func (tx dealTx) Catalogs() deals.CatalogRepository                 { return catalogs{catalogRepo(tx.coreTx)} }
func (tx dealTx) CatalogOffers() deals.OfferRepository {
	return catalogOffers{catalogOfferRepo(tx.coreTx)}
}
func (tx dealTx) Landings() deals.LandingRepository     { return landings{landingRepo(tx.coreTx)} }
func (tx dealTx) UIDs() deals.UIDRepository             { return uids{uidRepo(tx.coreTx)} }
func (tx dealTx) PromoCodes() deals.PromoCodeRepository { return promoCodes{promoCodeRepo(tx.coreTx)} }
func (tx dealTx) CatalogAccess() deals.AccessRepository { return accesses{accessRepo(tx.coreTx)} }
func (tx dealTx) Deals() deals.DealRepository           { return dealRepository(tx.coreTx) }
