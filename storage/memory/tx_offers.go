package memory

import (
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// offerTables are the tables of package offers.
type offerTables struct {
	offers       offerTable
	targets      targetTable
	participants participantTable
	usage        usageTable
	budgets      sharedBudgetTable
	comments     commentTable
	activities   activityTable
	ads          returnAdTable
	images       imageTable
}

func newOfferTables(db *DB) offerTables {
	return offerTables{
		offers:       newOfferTable(db),
		targets:      newTargetTable(db),
		participants: newParticipantTable(db),
		usage:        newUsageTable(db),
		budgets:      newSharedBudgetTable(db),
		comments:     newCommentTable(db),
		activities:   newActivityTable(db),
		ads:          returnAdTable{engine.NewTable[returnAdRow](&db.store)},
		images:       newImageTable(db),
	}
}

// Offers is the view for package offers.
func (db *DB) Offers() offers.Store {
	return view[offers.Tx]{db, func(u *unit) offers.Tx { return offersTx{statsTx{coreTx{u}}} }}
}

// offersTx is the transaction of package offers.
type offersTx struct{ statsTx }

var _ offers.Tx = offersTx{}

func (tx offersTx) Offers() offers.OfferRepository   { return offerRepository{offerRepo(tx.coreTx)} }
func (tx offersTx) Targets() offers.TargetRepository { return targets(tx.coreTx) }
func (tx offersTx) Participants() offers.ParticipantRepository {
	return participants{participantRepo(tx.coreTx)}
}
func (tx offersTx) Usage() offers.UsageRepository { return usage(tx.coreTx) }
func (tx offersTx) SharedBudgets() offers.SharedBudgetRepository {
	return sharedBudgets{sharedBudgetRepo(tx.coreTx)}
}
func (tx offersTx) Comments() offers.CommentRepository    { return comments{commentRepo(tx.coreTx)} }
func (tx offersTx) Images() offers.ImageRepository        { return images(tx.coreTx) }
func (tx offersTx) Activities() offers.ActivityRepository { return activities{activityRepo(tx.coreTx)} }

// ReturnAds is the view for package offers/returnads.
func (db *DB) ReturnAds() returnads.Store {
	return view[returnads.Tx]{db, func(u *unit) returnads.Tx { return returnAdsTx{offersTx{statsTx{coreTx{u}}}} }}
}

// returnAdsTx is the transaction of package offers/returnads.
type returnAdsTx struct{ offersTx }

var _ returnads.Tx = returnAdsTx{}

func (tx returnAdsTx) ReturnAds() returnads.Repository { return returnAds(tx.coreTx) }
