package postgres

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Core returns the store of package affiliate. Its transactions are those of
// package offers too, which has its part in changes of users.
func (db *DB) Core() affiliate.Store[affiliate.Tx] {
	return view[affiliate.Tx]{db, func(u *unit) affiliate.Tx { return offersTx{statsTx{coreTx{u}}} }}
}

// coreTx gives the repositories of the core.
type coreTx struct{ u *unit }

var _ affiliate.Tx = coreTx{} // and with it each repository

func (t coreTx) Advertisers() affiliate.AdvertiserRepository {
	return advertisers{in(t, &advertiserTable)}
}
func (t coreTx) AdvertiserGroups() affiliate.AdvertiserGroupRepository {
	return advertiserGroups{in(t, &advertiserGroupTable)}
}
func (t coreTx) Categories() affiliate.CategoryRepository { return categories{in(t, &categoryTable)} }
func (t coreTx) Clients() affiliate.ClientRepository      { return clients{in(t, &clientTable)} }
func (t coreTx) RevenueTiers() affiliate.RevenueTierRepository {
	return revenueTiers{in(t, &revenueTierTable)}
}
func (t coreTx) Users() affiliate.UserRepository                  { return users{in(t, &userTable)} }
func (t coreTx) UserTags() affiliate.UserTagRepository            { return userTags{in(t, &userTagTable)} }
func (t coreTx) Blocklist() affiliate.BlocklistRepository         { return blocklist{in(t, &blocklistTable)} }
func (t coreTx) Ledger() affiliate.LedgerRepository               { return ledger{in(t, &entryTable)} }
func (t coreTx) Balances() affiliate.BalanceRepository            { return balances(t) }
func (t coreTx) Events() affiliate.EventRepository                { return raised{in(t, &eventTable)} }
func (t coreTx) IdempotencyKeys() affiliate.IdempotencyRepository { return idempotencyKeys(t) }
