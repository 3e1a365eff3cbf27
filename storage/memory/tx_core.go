package memory

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// coreTables are the tables of package affiliate.
type coreTables struct {
	advertisers advertiserTable
	groups      groupTable
	categories  categoryTable
	clients     clientTable
	tiers       tierTable
	users       userTable
	relations   relationTable
	userTags    userTagTable
	blocklist   blocklistTable
	tokens      tokenTable
	memberships membershipTable
	entries     entryTable
	totals      totalTable
	events      eventTable
	consumers   eventConsumerTable
	deliveries  eventDeliveryTable
	keys        keyTable
}

func newCoreTables(db *DB) coreTables {
	return coreTables{
		advertisers: newAdvertiserTable(db),
		groups:      newGroupTable(db),
		categories:  newCategoryTable(db),
		clients:     newClientTable(db),
		tiers:       newTierTable(db),
		users:       newUserTable(db),
		relations:   newRelationTable(db),
		userTags:    newUserTagTable(db),
		blocklist:   newBlocklistTable(db),
		tokens:      newTokenTable(db),
		memberships: newMembershipTable(db),
		entries:     newEntryTable(db),
		totals:      newTotalTable(db),
		events:      newEventTable(db),
		consumers:   newEventConsumerTable(db),
		deliveries:  newEventDeliveryTable(db),
		keys:        newKeyTable(db),
	}
}

// coreTx is the transaction of package affiliate.
type coreTx struct{ u *unit }

var _ affiliate.Tx = coreTx{}

func (tx coreTx) Advertisers() affiliate.AdvertiserRepository { return advertisers{advertiserRepo(tx)} }
func (tx coreTx) AdvertiserGroups() affiliate.AdvertiserGroupRepository {
	return advertiserGroups{groupRepo(tx)}
}
func (tx coreTx) Categories() affiliate.CategoryRepository         { return categories{categoryRepo(tx)} }
func (tx coreTx) Clients() affiliate.ClientRepository              { return clients{clientRepo(tx)} }
func (tx coreTx) RevenueTiers() affiliate.RevenueTierRepository    { return revenueTiers{tierRepo(tx)} }
func (tx coreTx) Users() affiliate.UserRepository                  { return users{userRepo(tx)} }
func (tx coreTx) UserTags() affiliate.UserTagRepository            { return userTags{userTagRepo(tx)} }
func (tx coreTx) Blocklist() affiliate.BlocklistRepository         { return blocklist{blocklistRepo(tx)} }
func (tx coreTx) Ledger() affiliate.LedgerRepository               { return ledger(tx) }
func (tx coreTx) Balances() affiliate.BalanceRepository            { return balances(tx) }
func (tx coreTx) Events() affiliate.EventRepository                { return raised{eventRepo(tx)} }
func (tx coreTx) IdempotencyKeys() affiliate.IdempotencyRepository { return idempotencyKeys(tx) }
