package stats

import (
	"math/bits"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Kind says what happened.
type Kind uint8

// The kinds of events. Amounts are signed as in the ledger: what is taken back
// is negative.
const (
	ClickValid Kind = iota + 1
	ClickDuplicate
	ClickBot
	ClickBlocked
	ClickCapped
	// ClickReversed takes a valid click back. Its amounts are negative.
	ClickReversed
	// OrderPaid is an order that earns or costs something.
	OrderPaid
	// OrderChanged is a refund or a correction. Value, Earning and Cost are what
	// changes; the order stays one.
	OrderChanged
	// OrderDeclined takes an order back. Value, Earning and Cost are what was
	// left of it, negative.
	OrderDeclined
	// PaymentMade is the payment of a participation or a one-time payment.
	PaymentMade
	// PaymentReversed takes a payment back, wholly or in part: the number of
	// payments stays.
	PaymentReversed
	AdViewed  // a return ad was shown
	AdClicked // a return ad was followed
)

// Reader is a visitor on one day: links.VisitorKey.
type Reader [16]byte

// Fact is what the packages that own clicks, orders, payments and return ads
// tell about them, in the unit in which it happens.
type Fact struct {
	Kind Kind
	// Day is DayOf the click, order or payment, also of what changes or takes
	// back: a refund counts on the day of its order.
	Day          time.Time
	AdvertiserID int64
	OfferID      int64 // 0: no campaign
	UserID       int64 // 0: no creator
	LinkID       int64 // 0: no link, as for an order by a voucher
	AdID         int64 // of a return ad
	Source       affiliate.TrafficSource
	Reader       Reader // of a click; zero: unknown
	// Value is an order's, rounded once, half-even. All three amounts are in the
	// advertiser's currency; the zero Money is nothing.
	Value   affiliate.Money
	Earning affiliate.Money // of the creator
	Cost    affiliate.Money // of the advertiser
}

// DayOf returns the day that something of the advertiser's counts on: the date
// in its time zone, as midnight UTC of that date. Whatever turns a time into a
// day of statistics asks here. Nil is an advertiser in UTC.
func DayOf(at time.Time, a *affiliate.Advertiser) time.Time {
	if a == nil {
		return affiliate.TimeZone("").Date(at)
	}
	return a.TimeZone.Date(at)
}

// change is what a fact adds, and to which roll-ups.
func (e *Fact) change() Change {
	c := Change{Key: Key{
		AdvertiserID: e.AdvertiserID, Day: e.Day, OfferID: e.OfferID, UserID: e.UserID, LinkID: e.LinkID, AdID: e.AdID, Source: e.Source,
	}}
	if e.Kind == AdViewed || e.Kind == AdClicked {
		c.Levels = 1 << AdLevel
	} else {
		c.Levels = 1 << AdvertiserLevel
		for _, level := range [...]struct {
			id int64
			l  Level
		}{{e.OfferID, CampaignLevel}, {e.UserID, CreatorLevel}, {e.LinkID, LinkLevel}} {
			if level.id != 0 {
				c.Levels |= 1 << level.l
			}
		}
	}
	switch e.Kind {
	case ClickValid:
		c.Clicks = 1
	case ClickDuplicate:
		c.Duplicates = 1
	case ClickBot:
		c.Bots = 1
	case ClickBlocked:
		c.Blocked = 1
	case ClickCapped:
		c.Capped = 1
	case ClickReversed:
		c.Clicks = -1
	case OrderPaid:
		c.Orders = 1
	case OrderDeclined:
		c.Orders = -1
	case PaymentMade:
		c.Payments = 1
	case AdViewed:
		c.Views = 1
	case AdClicked:
		c.Clicks = 1
	}
	switch e.Kind {
	case OrderPaid, OrderChanged, OrderDeclined:
		c.OrderValue, c.OrderEarning, c.OrderCost = e.Value.Minor(), e.Earning.Minor(), e.Cost.Minor()
	case PaymentMade, PaymentReversed:
		c.PaymentEarning, c.PaymentCost = e.Earning.Minor(), e.Cost.Minor()
	default:
		c.ClickEarning, c.ClickCost = e.Earning.Minor(), e.Cost.Minor()
	}
	return c
}

// meets reports whether the fact brings a reader to a campaign.
func (e *Fact) meets() bool {
	return e.Kind == ClickValid && e.OfferID != 0 && e.Reader != Reader{}
}

// Each calls f with every level of the set, the coarsest first.
func (s LevelSet) Each(f func(l Level)) {
	for ; s != 0; s &= s - 1 {
		f(Level(bits.TrailingZeros8(uint8(s))))
	}
}
