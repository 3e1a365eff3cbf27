package offers

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Invitation is the data of an EventInvited.
type Invitation struct {
	UserID       int64  `json:"user_id"`
	AdvertiserID int64  `json:"advertiser_id"`
	Campaign     string `json:"campaign"` // its title, or its name without one
}

// invite notes the creators among new participants of an offer that invites.
func invite(ctx context.Context, tx Tx, now time.Time, o Offer, added []Participant) error {
	if o.Type != StoreAccept {
		return nil
	}
	name := o.Title
	if name == "" {
		name = o.Name
	}
	var events []affiliate.Event
	for _, p := range added {
		if p.UserID == 0 {
			continue
		}
		events = append(events, EventInvited.On(p.ID, now).Of(o.AdvertiserID, 0).With(Invitation{UserID: p.UserID, AdvertiserID: o.AdvertiserID, Campaign: name}))
	}
	return tx.Events().Add(ctx, events...)
}
