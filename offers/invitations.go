package offers

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// EventInvited says that a creator was invited to a campaign of type
// store_accept. Its subject is "participant:7", its data an [Invitation] as
// JSON. Package affiliate/mailing makes an e-mail of it.
const EventInvited = "campaign.invited"

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
		data, err := json.Marshal(Invitation{UserID: p.UserID, AdvertiserID: o.AdvertiserID, Campaign: name})
		if err != nil {
			return err
		}
		events = append(events, affiliate.Event{Type: EventInvited, Subject: "participant:" + strconv.FormatInt(p.ID, 10), Data: string(data), At: now})
	}
	return tx.Events().Add(ctx, events...)
}
