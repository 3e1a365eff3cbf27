package orders

import "github.com/affiliatekit/affiliatekit/offers"

// The reasons of orders that earn nothing. They never change.
const (
	ReasonUnattributed          = "unattributed"                // the report names neither a click nor a voucher
	ReasonNoRate                = "no_rate"                     // no rate from the order's currency was known
	ReasonNoCommission          = "no_commission"               // the terms come to nothing; statistics count the order all the same
	ReasonNotParticipating      = "not_participating"           // the voucher's owner was refused by the campaigns that run
	ReasonCurrency              = string(offers.ReasonCurrency) // the advertiser has another currency now
	ReasonBudgetLimit           = string(offers.ReasonBudgetLimit)
	ReasonSharedBudget          = string(offers.ReasonSharedBudget)
	ReasonAdvertiserDeactivated = "advertiser_deactivated"
	ReasonUserSuspended         = "user_suspended"
	ReasonBlocklist             = "blocklist" // the advertiser blocks the voucher's owner
	// Of clicks that do not pay. When none of several does, the order has the
	// reason of the one that would have been chosen first.
	ReasonClickUnknown   = "click_unknown"   // the advertiser has no such click
	ReasonClickTooOld    = "click_too_old"   // the window is over
	ReasonClickTooNew    = "click_too_new"   // it came after the order
	ReasonClickBot       = "click_bot"       // a program's
	ReasonClickBlocked   = "click_blocked"   // link, creator or advertiser took no part
	ReasonClickCapped    = "click_capped"    // no budget had room for it
	ReasonClickDuplicate = "click_duplicate" // the click that it repeats is not there
	// Of vouchers that do not pay.
	ReasonVoucherUnknown = "voucher_unknown"
	// Of candidates that would pay, when another one does.
	ReasonOutranked = "outranked"
)
