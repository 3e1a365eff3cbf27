package affiliatekit

import (
	"errors"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// In returns the kit in a transaction of the host's: backend is in that, usually
// postgres.DB.In. What the services change is kept with the transaction, or not at
// all, and they see what it changed. They share what the kit's own have compiled
// and cached, so that In costs nothing to speak of; call it in each transaction.
//
//	err := postgres.RunInTx(ctx, db, func(ctx context.Context, tx bun.Tx) error {
//		backend, err := db.In(tx)
//		if err != nil {
//			return err
//		}
//		in, err := kit.In(backend)
//		…
//	})
//
// What talks to others is left out, because a transaction may run again or be
// undone: Mailing, AdSyncEngine, Events and Webhooks are nil, Identity sends no invites, and Links
// refuses clicks that would be recorded asynchronously. Retention is nil too: it works in many short
// transactions of its own.
func (k *Kit) In(backend Backend) (*Kit, error) {
	if backend == nil {
		return nil, errors.New("affiliatekit: In needs a backend")
	}
	backend = Traced(backend, k.tracer)
	in := *k
	in.Core = k.Core.In(backend.Core())
	in.Identity = k.Identity.In(backend.Identity())
	in.Mailing = nil
	in.Media = within(k.Media, backend.Media(), (*media.Service).In)
	in.Offers = k.Offers.In(backend.Offers())
	in.ReturnAds = k.ReturnAds.In(backend.ReturnAds())
	in.Links = k.Links.In(backend.Links())
	in.Orders = within(k.Orders, backend.Orders(), (*orders.Service).In)
	in.Stats = k.Stats.In(backend.Stats())
	in.Deals = within(k.Deals, backend.Deals(), (*deals.Service).In)
	in.ProductLists = within(k.ProductLists, backend.ProductLists(), (*productlists.Service).In)
	in.AdSync = within(k.AdSync, backend.AdSync(), (*adsync.Service).In)
	in.AdSyncEngine = nil
	in.Events = nil
	in.Webhooks = nil
	in.Retention = nil
	in.Payouts = within(k.Payouts, backend.Payouts(), (*payouts.Service).In)
	in.identity, in.payouts = backend.Identity(), backend.Payouts()
	return &in, nil
}

// within returns a service that may be nil over a store that may be nil.
func within[T, S any](s *S, store T, in func(*S, T) *S) *S {
	if s == nil || any(store) == nil {
		return nil
	}
	return in(s, store)
}
