package affiliatekit

import (
	"context"
	"strconv"

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

// subscribe lets the services hear of the events that they do something about.
// They may get the same event again.
func (k *Kit) subscribe() error {
	if kinds := k.Identity.Delivers(); len(kinds) > 0 {
		if err := k.Events.Subscribe("identity", kinds, k.Identity.Deliver); err != nil {
			return err
		}
	}
	if k.Mailing == nil {
		return nil
	}
	return k.Events.Subscribe("mailing", k.Mailing.Delivers(), k.Mailing.Deliver)
}
