package affiliatekit

import (
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// EventKinds lists the kinds of events of all domains, by name. The table is in
// affiliate/events/KINDS.md.
func EventKinds() []affiliate.EventKind {
	all := slices.Concat(
		affiliate.EventKinds(), identity.EventKinds(), media.EventKinds(), payouts.EventKinds(), webhooks.EventKinds(),
		offers.EventKinds(), returnads.EventKinds(), links.EventKinds(), orders.EventKinds(), stats.EventKinds(), deals.EventKinds(), productlists.EventKinds(), adsync.EventKinds(),
	)
	slices.SortFunc(all, func(a, b affiliate.EventKind) int { return strings.Compare(a.Name, b.Name) })
	return all
}
