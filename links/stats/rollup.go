package stats

import (
	"cmp"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Level says how fine a roll-up is. An event counts in one row of each of its
// levels, so that a question reads the rows of one level alone: the coarsest
// one that knows what the question is about.
type Level uint8

// The levels, and the ids that their rows have.
const (
	AdvertiserLevel Level = iota + 1 // advertiser
	CampaignLevel                    // advertiser, offer
	CreatorLevel                     // advertiser, offer (0: no campaign), user
	LinkLevel                        // advertiser, offer (0: no campaign), user, link
	AdLevel                          // advertiser, return ad
)

// Levels lists every level, the coarsest first.
func Levels() []Level {
	return []Level{AdvertiserLevel, CampaignLevel, CreatorLevel, LinkLevel, AdLevel}
}

// LevelSet is a set of levels: the bit 1<<l stands for level l.
type LevelSet uint8

// Has reports whether the level is in the set.
func (s LevelSet) Has(l Level) bool { return s>>l&1 != 0 }

// Key tells roll-ups apart. An id that the level does not have is 0.
type Key struct {
	Level        Level
	AdvertiserID int64
	Day          time.Time // midnight UTC of the date at the advertiser; see DayOf
	OfferID      int64
	UserID       int64
	LinkID       int64
	AdID         int64 // of a return ad
	Source       affiliate.TrafficSource
}

// At returns the key of the row of a level that an event with this key counts in.
func (k Key) At(l Level) Key {
	k.Level = l
	switch l {
	case AdvertiserLevel:
		k.OfferID, k.UserID, k.LinkID, k.AdID = 0, 0, 0, 0
	case CampaignLevel:
		k.UserID, k.LinkID, k.AdID = 0, 0, 0
	case CreatorLevel:
		k.LinkID, k.AdID = 0, 0
	case LinkLevel:
		k.AdID = 0
	case AdLevel:
		k.OfferID, k.UserID, k.LinkID = 0, 0, 0
	}
	return k
}

// Compare orders keys: by level, advertiser, day, offer, user, link, ad and
// source. It is the order in which units lock roll-ups.
func (k Key) Compare(o Key) int {
	return cmp.Or(
		cmp.Compare(k.Level, o.Level), cmp.Compare(k.AdvertiserID, o.AdvertiserID), k.Day.Compare(o.Day),
		cmp.Compare(k.OfferID, o.OfferID), cmp.Compare(k.UserID, o.UserID), cmp.Compare(k.LinkID, o.LinkID),
		cmp.Compare(k.AdID, o.AdID), cmp.Compare(k.Source, o.Source),
	)
}

// String names the roll-up in a Difference.
func (k Key) String() string {
	s := fmt.Sprintf("statistics of %s advertiser %d", k.Day.Format(time.DateOnly), k.AdvertiserID)
	for _, part := range []struct {
		name string
		id   int64
		at   Level
	}{{"offer", k.OfferID, CampaignLevel}, {"user", k.UserID, CreatorLevel}, {"link", k.LinkID, LinkLevel}} {
		if k.Level >= part.at && k.Level != AdLevel {
			s += fmt.Sprintf(" %s %d", part.name, part.id)
		}
	}
	if k.Level == AdLevel {
		s += fmt.Sprintf(" return ad %d", k.AdID)
	}
	return s + fmt.Sprintf(" source %d", k.Source)
}

// Figures are what statistics count. Money is in minor units of the
// advertiser's currency.
type Figures struct {
	Views      int64 // of return ads
	Clicks     int64 // valid ones; of a return ad all
	Duplicates int64 // clicks that are not paid, by their verdict, as the next three
	Bots       int64
	Blocked    int64
	Capped     int64
	// Readers are the different visitors of valid clicks, each once a day. Only
	// rows of campaigns count them, all under source 0: see Visit.
	Readers        int64
	Orders         int64 // paid ones
	OrderValue     int64 // each order rounded to the minor unit half-even, less refunds
	ClickEarning   int64
	ClickCost      int64
	OrderEarning   int64
	OrderCost      int64
	Payments       int64 // payments of participations and one-time payments
	PaymentEarning int64
	PaymentCost    int64
}

// Part says whose events a figure counts: who owns them recounts them.
type Part uint8

// The parts.
const (
	ClickPart Part = iota + 1
	OrderPart
	PaymentPart
	AdPart // all figures of AdLevel
)

// Column is one of the figures, under its name in lists and in storage.
type Column struct {
	Name string
	Part Part // on every level but AdLevel
	Of   func(f *Figures) *int64
}

// part returns only the figures of a part, in a row of the level.
func (f Figures) part(p Part, l Level) Figures {
	if (l == AdLevel) != (p == AdPart) {
		return Figures{}
	}
	for i := range figureColumns {
		if c := &figureColumns[i]; c.Part != p && p != AdPart {
			*c.Of(&f) = 0
		}
	}
	return f
}

// Columns lists all figures in the order in which they are declared.
func Columns() []Column { return figureColumns[:] }

var figureColumns = [...]Column{
	{"views", AdPart, func(f *Figures) *int64 { return &f.Views }},
	{"clicks", ClickPart, func(f *Figures) *int64 { return &f.Clicks }},
	{"duplicates", ClickPart, func(f *Figures) *int64 { return &f.Duplicates }},
	{"bots", ClickPart, func(f *Figures) *int64 { return &f.Bots }},
	{"blocked", ClickPart, func(f *Figures) *int64 { return &f.Blocked }},
	{"capped", ClickPart, func(f *Figures) *int64 { return &f.Capped }},
	{"readers", ClickPart, func(f *Figures) *int64 { return &f.Readers }},
	{"orders", OrderPart, func(f *Figures) *int64 { return &f.Orders }},
	{"order_value", OrderPart, func(f *Figures) *int64 { return &f.OrderValue }},
	{"click_earning", ClickPart, func(f *Figures) *int64 { return &f.ClickEarning }},
	{"click_cost", ClickPart, func(f *Figures) *int64 { return &f.ClickCost }},
	{"order_earning", OrderPart, func(f *Figures) *int64 { return &f.OrderEarning }},
	{"order_cost", OrderPart, func(f *Figures) *int64 { return &f.OrderCost }},
	{"payments", PaymentPart, func(f *Figures) *int64 { return &f.Payments }},
	{"payment_earning", PaymentPart, func(f *Figures) *int64 { return &f.PaymentEarning }},
	{"payment_cost", PaymentPart, func(f *Figures) *int64 { return &f.PaymentCost }},
}

// Add adds other figures and reports whether every sum fits into 64 bits. The
// figures are undefined when one does not.
func (f *Figures) Add(o *Figures) bool {
	fits := true
	for i := range figureColumns {
		sum, n := figureColumns[i].Of(f), *figureColumns[i].Of(o)
		next := *sum + n
		fits = fits && (n == 0 || (n > 0) == (next > *sum))
		*sum = next
	}
	return fits
}

// Earnings returns what creators earned by clicks and orders. Payments are not
// in it.
func (f *Figures) Earnings() int64 { return f.ClickEarning + f.OrderEarning }

// Cost returns what the advertiser pays for clicks and orders. Payments are not
// in it.
func (f *Figures) Cost() int64 { return f.ClickCost + f.OrderCost }

// Rollup is one row of the statistics.
type Rollup struct {
	Key
	Figures
}

// Change adds figures to the roll-ups of several levels. The ids of its key are
// those of the event; the level of the key does not matter.
type Change struct {
	Key
	Figures
	Levels LevelSet
}
