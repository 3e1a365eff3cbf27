package affiliatekit

import "errors"

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
	in.Media = k.Media.In(backend.Media())
	in.Offers = k.Offers.In(backend.Offers())
	in.ReturnAds = k.ReturnAds.In(backend.ReturnAds())
	in.Links = k.Links.In(backend.Links())
	in.Orders = k.Orders.In(backend.Orders())
	in.Stats = k.Stats.In(backend.Stats())
	in.Deals = k.Deals.In(backend.Deals())
	in.ProductLists = k.ProductLists.In(backend.ProductLists())
	in.AdSync = k.AdSync.In(backend.AdSync())
	in.AdSyncEngine = nil
	in.Events = nil
	in.Webhooks = nil
	in.Retention = nil
	in.Payouts = k.Payouts.In(backend.Payouts())
	in.people = backend.Payouts()
	return &in, nil
}
