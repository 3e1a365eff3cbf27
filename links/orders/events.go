package orders

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events.
var (
	EventOrderAdded     = affiliate.EventKind{Name: "order.added", Version: 1, Object: "order", When: "An advertiser reported an order.", Payload: OrderPayload{}}
	EventOrderCompleted = affiliate.EventKind{Name: "order.completed", Version: 1, Object: "order", When: "A later report said who brought an order.", Payload: OrderPayload{}}
	EventOrderApproved  = affiliate.EventKind{Name: "order.approved", Version: 1, Object: "order", When: "The hold of an order is over. Sweep raises it.", Payload: OrderPayload{}}
	EventOrderDeclined  = affiliate.EventKind{Name: "order.declined", Version: 1, Object: "order", When: "The advertiser said that an order is no sale.", Payload: OrderPayload{}}
	EventOrderCorrected = affiliate.EventKind{Name: "order.corrected", Version: 1, Object: "order", When: "The values of an order were corrected.", Payload: OrderPayload{}}
	EventOrderRepriced  = affiliate.EventKind{Name: "order.repriced", Version: 1, Object: "order", When: "An order that was kept without money was priced again.", Payload: OrderPayload{}}
	EventOrderRefunded  = affiliate.EventKind{Name: "order.refunded", Version: 1, Object: "order", When: "A part of an order was refunded.", Payload: OrderPayload{}}
	EventVoucherCreated = affiliate.EventKind{Name: "voucher.created", Version: 1, Object: "voucher", When: "A creator got a voucher code.", Payload: VoucherPayload{}}
	EventVoucherDeleted = affiliate.EventKind{Name: "voucher.deleted", Version: 1, Object: "voucher", When: "A voucher code was taken back.", Payload: VoucherPayload{}}
	EventOneTimePaid    = affiliate.EventKind{Name: "one_time_payment.created", Version: 1, Object: "one_time_payment", When: "An advertiser paid a creator once.", Payload: OneTimePayload{}}
	EventCollectorSet   = affiliate.EventKind{Name: "order_collector.updated", Version: 1, Object: "order_collector", When: "How an advertiser's orders come in was set. Keys are in no event."}
	EventKeysRotated    = affiliate.EventKind{Name: "order_collector.keys_rotated", Version: 1, Object: "order_collector", When: "The keys of an order collector were replaced."}
	EventRatesSet       = affiliate.EventKind{Name: "campaign.rates_updated", Version: 1, Object: "campaign", When: "A campaign got rates by SKU and category."}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{
		EventOrderAdded, EventOrderCompleted, EventOrderApproved, EventOrderDeclined, EventOrderCorrected, EventOrderRepriced, EventOrderRefunded,
		EventVoucherCreated, EventVoucherDeleted, EventOneTimePaid, EventCollectorSet, EventKeysRotated, EventRatesSet,
	}
}

// OrderPayload is an order after the event. Value and Refunded are in major units
// of Currency; Earning and Cost, before refunds, in minor units of MoneyCurrency.
type OrderPayload struct {
	Number        string             `json:"number"`
	Status        Status             `json:"status"`
	UserID        int64              `json:"user_id,omitempty"`
	CampaignID    int64              `json:"campaign_id,omitempty"`
	LinkID        int64              `json:"link_id,omitempty"`
	Value         string             `json:"value"`
	Refunded      string             `json:"refunded"`
	Currency      affiliate.Currency `json:"currency"`
	Earning       int64              `json:"earning"`
	Cost          int64              `json:"cost"`
	MoneyCurrency affiliate.Currency `json:"money_currency"`
	Reason        string             `json:"reason,omitempty"` // why it earns nothing
}

// VoucherPayload says whose voucher it is.
type VoucherPayload struct {
	UserID int64  `json:"user_id"`
	Code   string `json:"code"`
}

// OneTimePayload is a payment in minor units.
type OneTimePayload struct {
	UserID   int64              `json:"user_id"`
	Amount   int64              `json:"amount"`
	Currency affiliate.Currency `json:"currency"`
}

// event returns an event of the order as it is.
func (o *Order) event(kind affiliate.EventKind, now time.Time) affiliate.Event {
	return kind.On(o.ID, now).Of(o.AdvertiserID, 0).With(OrderPayload{
		Number: o.Number, Status: o.StatusAt(now), UserID: o.UserID, CampaignID: o.OfferID, LinkID: o.LinkID,
		Value: o.Value.String(), Refunded: o.Refunded.String(), Currency: o.Currency,
		Earning: o.Earning.Minor(), Cost: o.Cost.Minor(), MoneyCurrency: o.Earning.Currency(), Reason: o.Reason,
	})
}

func (c Collector) event(kind affiliate.EventKind) affiliate.Event {
	return kind.On(c.AdvertiserID, c.UpdatedAt).Of(c.AdvertiserID, 0)
}

func (v Voucher) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(v.ID, at).Of(v.AdvertiserID, 0).With(VoucherPayload{v.UserID, v.Code})
}
