package move

// Kind is a kind of records in an export, under its name there.
type Kind string

// The kinds, in the order in which they stand in an export: what refers to another
// comes after it. The first six are of all shops: an import looks for them and adds
// them only when it is asked to.
const (
	Groups       Kind = "group"
	Categories   Kind = "category"
	Clients      Kind = "client"
	Tiers        Kind = "tier"
	SharedTags   Kind = "shared_tag" // user tags of no advertiser
	Users        Kind = "user"
	Advertisers  Kind = "advertiser"
	Tags         Kind = "tag"     // user tags of the advertiser
	Creators     Kind = "creator" // what a user is to the advertiser
	Rules        Kind = "rule"
	Blocks       Kind = "block" // entries of the blocklist
	Budgets      Kind = "budget"
	Images       Kind = "image"
	Offers       Kind = "offer"
	RateCards    Kind = "rate_card"
	Participants Kind = "participant"
	Comments     Kind = "comment"
	Activities   Kind = "activity"
	Usage        Kind = "usage"      // what was used of budgets
	GoneUsage    Kind = "gone_usage" // what clicks used that retention has given up
	Links        Kind = "link"
	Clicks       Kind = "click"
	Vouchers     Kind = "voucher"
	Collectors   Kind = "collector"
	Entries      Kind = "entry"
	Orders       Kind = "order"
	Refunds      Kind = "refund"
	Payments     Kind = "payment" // one-time payments
	ReturnAds    Kind = "return_ad"
	Rollups      Kind = "rollup"
	Configs      Kind = "stats_config"
	Setups       Kind = "payment_setup"
)

// kinds are all of them in order, each with an empty line.
var kinds = []struct {
	kind Kind
	line func() line
	add  func(*adder, []line) error
}{
	{Groups, made[groupLine], addGroups},
	{Categories, made[categoryLine], addCategories},
	{Clients, made[clientLine], addClients},
	{Tiers, made[tierLine], addTiers},
	{SharedTags, made[sharedTagLine], addSharedTags},
	{Users, made[userLine], addUsers},
	{Advertisers, made[advertiserLine], addAdvertiser},
	{Tags, made[tagLine], addTags},
	{Creators, made[creatorLine], addCreators},
	{Rules, made[ruleLine], addRules},
	{Blocks, made[blockLine], addBlocks},
	{Budgets, made[budgetLine], addBudgets},
	{Images, made[imageLine], addImages},
	{Offers, made[offerLine], addOffers},
	{RateCards, made[rateCardLine], addRateCards},
	{Participants, made[participantLine], addParticipants},
	{Comments, made[commentLine], addComments},
	{Activities, made[activityLine], addActivities},
	{Usage, made[usageLine], addUsage},
	{GoneUsage, made[goneUsageLine], addGoneUsage},
	{Links, made[linkLine], addLinks},
	{Clicks, made[clickLine], addClicks},
	{Vouchers, made[voucherLine], addVouchers},
	{Collectors, made[collectorLine], addCollectors},
	{Entries, made[entryLine], addEntries},
	{Orders, made[orderLine], addOrders},
	{Refunds, made[refundLine], addRefunds},
	{Payments, made[paymentLine], addPayments},
	{ReturnAds, made[returnAdLine], addReturnAds},
	{Rollups, made[rollupLine], addRollups},
	{Configs, made[configLine], addConfigs},
	{Setups, made[setupLine], addSetups},
}

// made returns an empty line as a pointer.
func made[T any, P interface {
	*T
	line
}]() line {
	return P(new(T))
}

// rank is the place of a kind in an export, -1 for an unknown one.
func rank(kind Kind) int {
	for i := range kinds {
		if kinds[i].kind == kind {
			return i
		}
	}
	return -1
}

// shared reports whether records of the kind are of all shops.
func (k Kind) shared() bool {
	switch k {
	case Groups, Categories, Clients, Tiers, SharedTags, Users:
		return true
	}
	return false
}
