package affiliatekit

import (
	"context"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

// postman sends the invites of Kit.Identity with Kit.Mailing: they count for the
// quota of the advertiser that the guest is to represent.
type postman struct{ kit *Kit }

// Invited implements identity.Postman.
func (p postman) Invited(ctx context.Context, i identity.Invite, secret string) error {
	behalf := "an agency"
	if i.AdvertiserID != 0 {
		a, err := p.kit.Core.Advertiser(ctx, i.AdvertiserID)
		if err != nil {
			return err
		}
		behalf = a.Name
	}
	return p.kit.Mailing.SendInvite(ctx, "invite:"+strconv.FormatInt(i.ID, 10), i.AdvertiserID, i.Email, behalf, secret)
}

// Deliver does what the services do about events of the outbox: e-mails, and
// what the OpenID provider or a CRM is told. It may be called again for the same
// event. Pass it to [affiliate.Service.DeliverEvents], alone or after the host's
// own:
//
//	kit.Core.DeliverEvents(ctx, 100, kit.Deliver)
func (k *Kit) Deliver(ctx context.Context, events []affiliate.Event) error {
	for _, e := range events {
		if err := k.Identity.Deliver(ctx, e); err != nil {
			return err
		}
		if k.Mailing == nil {
			continue
		}
		if err := k.Mailing.Deliver(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
