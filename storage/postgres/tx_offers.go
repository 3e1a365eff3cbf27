package postgres

import (
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// Offers returns the store of package offers.
func (db *DB) Offers() offers.Store {
	return view[offers.Tx]{db, func(u *unit) offers.Tx { return offersTx{statsTx{coreTx{u}}} }}
}

// offersTx gives the repositories of offers beside those of the core.
type offersTx struct{ statsTx }

var _ offers.Tx = offersTx{} // and with it each repository

func (t offersTx) Offers() offers.OfferRepository   { return offerRepository{in(t.coreTx, &offerTable)} }
func (t offersTx) Targets() offers.TargetRepository { return targets(t.coreTx) }
func (t offersTx) Participants() offers.ParticipantRepository {
	return participants{in(t.coreTx, &participantTable)}
}
func (t offersTx) Usage() offers.UsageRepository { return usage(t.coreTx) }
func (t offersTx) SharedBudgets() offers.SharedBudgetRepository {
	return sharedBudgets{in(t.coreTx, &sharedBudgetTable)}
}
func (t offersTx) Comments() offers.CommentRepository { return comments{in(t.coreTx, &commentTable)} }
func (t offersTx) Images() offers.ImageRepository     { return images(t.coreTx) }
func (t offersTx) Activities() offers.ActivityRepository {
	return activities{in(t.coreTx, &activityTable)}
}

// ReturnAds returns the store of package offers/returnads.
func (db *DB) ReturnAds() returnads.Store {
	return view[returnads.Tx]{db, func(u *unit) returnads.Tx { return returnAdsTx{offersTx{statsTx{coreTx{u}}}} }}
}

// returnAdsTx gives the repository of return ads beside those of offers.
type returnAdsTx struct{ offersTx }

var _ returnads.Tx = returnAdsTx{}

func (t returnAdsTx) ReturnAds() returnads.Repository {
	return returnAds{in(t.coreTx, &returnAdTable)}
}
