package move

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// line is a record as it stands in an export: the fields of the domain's own type,
// so that a field that is added there moves too.
type line interface{ facts() facts }

// facts are what is checked of a line before anything is imported.
type facts struct {
	key        string // the lines of a kind ascend by it
	repeats    bool   // several lines may have one key
	id         int64  // that a store gave, and others refer to
	advertiser int64  // whose it says it is; byOther: what it refers to says that
	refs       []ref  // to records of this export
	invalid    error  // what the domain refuses
	sums       []Sum
}

// byOther stands for an advertiser that a line does not name.
const byOther = -1

// ref is a reference to a record of the export; the id 0 is none.
type ref struct {
	field string
	kind  Kind
	id    int64
}

func money(of string, m affiliate.Money) Sum { return Sum{of, m.Currency(), m.Minor()} }

// byID are the facts of a record that is known by its id.
func byID(id, advertiserID int64, invalid error, refs ...ref) facts {
	return facts{key: fmt.Sprintf("%020d", id), id: id, advertiser: advertiserID, invalid: invalid, refs: refs}
}

// byTime is the key of a record whose kind stands in the order of time.
func byTime(at time.Time, id string) string {
	return at.UTC().Format("2006-01-02T15:04:05.000000") + " " + id
}

func (f facts) with(sums ...Sum) facts {
	f.sums = sums
	return f
}

// text is bytes as hexadecimal digits. It stands in a line before an array of the
// domain's, which gets the bytes when the line has been read.
type text []byte

// completed is a line that has such an array.
type completed interface{ complete() error }

func (l *clientLine) complete() error { return l.SecretHash.fill("SecretHash", l.Client.SecretHash[:]) }
func (l *linkLine) complete() error   { return l.Key.fill("Key", l.Link.Key[:]) }
func (l *clickLine) complete() error  { return l.Visitor.fill("Visitor", l.Click.Visitor[:]) }

func (t text) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, t), nil }

func (t *text) UnmarshalText(in []byte) (err error) {
	*t, err = hex.DecodeString(string(in))
	return err
}

// fill writes the bytes into an array, whose length they must have.
func (t text) fill(field string, array []byte) error {
	if len(t) != len(array) {
		return fmt.Errorf("%s: has %d bytes, not %d", field, len(t), len(array))
	}
	copy(array, t)
	return nil
}

// match is how a record that is of all shops is recognised in another database.
type match struct {
	id     int64
	name   string // the same in both
	whole  bool   // the line has the whole record
	needed bool   // the shop refers to it, and not only a user
}

type matched interface{ match() match }

type (
	groupLine struct {
		affiliate.AdvertiserGroup
		Needed bool
	}
	categoryLine struct{ affiliate.Category }
	clientLine   struct {
		affiliate.Client
		SecretHash text
		Needed     bool
	}
	tierLine struct {
		affiliate.RevenueTier
		Default bool // of its client
	}
	sharedTagLine struct {
		affiliate.UserTag
		Needed bool
	}
	// userLine is a user, or only who it is.
	userLine struct {
		ID       int64
		ClientID int64
		Username string
		User     *affiliate.User
	}
)

func (l *groupLine) facts() facts    { return byID(l.ID, byOther, l.Validate()) }
func (l *categoryLine) facts() facts { return byID(l.ID, byOther, l.Validate()) }
func (l *clientLine) facts() facts   { return byID(l.ID, byOther, l.Validate()) }
func (l *tierLine) facts() facts {
	return byID(l.ID, byOther, l.Validate(), ref{"ClientID", Clients, l.ClientID})
}
func (l *sharedTagLine) facts() facts {
	f := byID(l.ID, byOther, l.Validate())
	if l.AdvertiserID != 0 {
		f.invalid = fieldError("AdvertiserID", "must be 0, not %d", l.AdvertiserID)
	}
	return f
}
func (l *userLine) facts() facts {
	f := byID(l.ID, byOther, nil)
	if u := l.User; u != nil {
		if f.invalid = u.Validate(); u.ID != l.ID || u.ClientID != l.ClientID || u.Username != l.Username {
			f.invalid = fieldError("User", "is not user %d of client %d, %q", l.ID, l.ClientID, l.Username)
		}
		f.refs = append(f.refs, ref{"User.ClientID", Clients, u.ClientID}, ref{"User.TierID", Tiers, u.TierID})
	}
	return f
}

func (l *groupLine) match() match     { return match{l.ID, l.Key, true, l.Needed} }
func (l *categoryLine) match() match  { return match{l.ID, l.Name, true, true} }
func (l *clientLine) match() match    { return match{l.ID, l.PublicID, true, l.Needed} }
func (l *tierLine) match() match      { return match{l.ID, tierName(l.RevenueTier), true, false} }
func (l *sharedTagLine) match() match { return match{l.ID, l.Slug, true, l.Needed} }
func (l *userLine) match() match {
	return match{l.ID, userName(l.ClientID, l.Username), l.User != nil, true}
}

func tierName(t affiliate.RevenueTier) string { return userName(t.ClientID, t.Name) }

func userName(clientID int64, name string) string {
	if clientID == 0 {
		return name
	}
	return fmt.Sprintf("%s of client %d", name, clientID)
}

type (
	advertiserLine struct{ affiliate.Advertiser }
	tagLine        struct{ affiliate.UserTag }
	creatorLine    struct {
		UserID  int64
		Related bool
		Acts    bool
		TagIDs  []int64 // of the advertiser's tags
	}
	ruleLine   struct{ links.Rule }
	blockLine  struct{ affiliate.BlocklistEntry }
	budgetLine struct{ offers.SharedBudget }
	imageLine  struct {
		Key       string
		Bytes     int64
		CreatedAt time.Time
		Data      []byte // of the file; absent: it was not asked for
	}
	offerLine struct {
		offers.Offer
		Targets []offers.Target
	}
	rateCardLine    struct{ orders.RateCard }
	participantLine struct{ offers.Participant }
	commentLine     struct{ offers.Comment }
	activityLine    struct{ offers.Activity }
	usageLine       struct{ offers.Usage }
	goneUsageLine   struct{ offers.Usage }
)

func (l *advertiserLine) facts() facts {
	f := byID(l.ID, l.ID, l.Validate(), ref{"GroupID", Groups, l.GroupID})
	for _, id := range l.CategoryIDs {
		f.refs = append(f.refs, ref{"CategoryIDs", Categories, id})
	}
	if f.invalid == nil && l.Status != affiliate.AdvertiserDeactivated {
		f.invalid = fieldError("Status", "must be %s", affiliate.AdvertiserDeactivated)
	}
	return f
}
func (l *tagLine) facts() facts { return byID(l.ID, l.AdvertiserID, l.Validate()) }
func (l *creatorLine) facts() facts {
	f := byID(l.UserID, byOther, nil, ref{"UserID", Users, l.UserID})
	for _, id := range l.TagIDs {
		f.refs = append(f.refs, ref{"TagIDs", Tags, id})
	}
	return f
}
func (l *ruleLine) facts() facts { return byID(l.ID, l.AdvertiserID, l.Validate()) }
func (l *blockLine) facts() facts {
	return byID(l.ID, l.AdvertiserID, l.Validate(), ref{"UserID", Users, l.UserID}, ref{"UserTagID", anyTag, l.UserTagID},
		ref{"ClientID", Clients, l.ClientID}, ref{"CreatedBy.UserID", Users, l.CreatedBy.UserID})
}
func (l *budgetLine) facts() facts { return byID(l.ID, l.AdvertiserID, l.Validate()) }
func (l *imageLine) facts() facts {
	f := facts{key: l.Key, advertiser: byOther}
	if l.Data != nil && int64(len(l.Data)) != l.Bytes {
		f.invalid = fieldError("Data", "has %d bytes, not %d", len(l.Data), l.Bytes)
	}
	return f
}
func (l *offerLine) facts() facts {
	return byID(l.ID, l.AdvertiserID, l.Validate(), ref{"SharedBudgetID", Budgets, l.SharedBudgetID}, ref{"StoreGroupID", Groups, l.StoreGroupID},
		ref{"CreatedBy.UserID", Users, l.CreatedBy.UserID})
}
func (l *rateCardLine) facts() facts {
	return byID(l.ID, byOther, l.Validate(), ref{"OfferID", Offers, must(l.OfferID)})
}
func (l *participantLine) facts() facts {
	f := byID(l.ID, byOther, l.Validate(), ref{"OfferID", Offers, must(l.OfferID)}, ref{"UserID", Users, l.UserID})
	f.key = fmt.Sprintf("%020d %020d", l.OfferID, l.ID)
	return f
}
func (l *commentLine) facts() facts {
	f := byID(l.ID, byOther, l.Validate(), ref{"ParticipantID", Participants, must(l.ParticipantID)}, ref{"Author.UserID", Users, l.Author.UserID})
	f.key, f.repeats = "", true // they stand in the order of their participants
	return f
}
func (l *activityLine) facts() facts {
	return facts{
		repeats: true, advertiser: byOther, invalid: l.Validate(),
		refs: []ref{{"ParticipantID", Participants, must(l.ParticipantID)}, {"Actor.UserID", Users, l.Actor.UserID}},
	}
}
func (l *usageLine) facts() facts     { return ofUsage("usage", l.Usage) }
func (l *goneUsageLine) facts() facts { return ofUsage("gone_usage", l.Usage) }

func ofUsage(of string, u offers.Usage) facts {
	f := facts{
		key: fmt.Sprintf("%020d %020d %020d", u.SharedBudgetID, u.OfferID, u.UserID), advertiser: byOther,
		refs: []ref{{"SharedBudgetID", Budgets, u.SharedBudgetID}, {"OfferID", Offers, u.OfferID}},
		sums: []Sum{{of + ".clicks", "", u.Clicks}, {of + ".spent", "", u.Spent}},
	}
	switch {
	case (u.SharedBudgetID == 0) == (u.OfferID == 0):
		f.invalid = fieldError("OfferID", "must be set, or SharedBudgetID")
	case u.Clicks < 0 || u.Spent < 0:
		f.invalid = fieldError("Clicks, Spent", "must not be negative")
	}
	return f
}

// must makes a reference of none one to a record that is never there.
func must(id int64) int64 {
	if id == 0 {
		return -1
	}
	return id
}

// anyTag is a tag of the shop's or one of all.
const anyTag Kind = ""

type (
	linkLine struct {
		links.Link
		Key text
	}
	clickLine struct {
		links.Click
		Visitor text
	}
	voucherLine   struct{ orders.Voucher }
	collectorLine struct{ orders.Collector }
	entryLine     struct{ affiliate.Entry }
	orderLine     struct{ orders.Order }
	refundLine    struct{ orders.Refund }
	paymentLine   struct{ orders.Payment }
	returnAdLine  struct {
		returnads.Ad
		Counts returnads.Counts
	}
	rollupLine struct{ stats.Rollup }
	configLine struct{ stats.Config }
	setupLine  struct{ payouts.PaymentSetup }
)

func (l *linkLine) facts() facts {
	return byID(l.ID, l.AdvertiserID, l.Validate(), ref{"UserID", Users, must(l.UserID)})
}
func (l *clickLine) facts() facts {
	return facts{
		key: byTime(l.At, l.ID.String()), advertiser: l.AdvertiserID, invalid: l.Validate(),
		refs: []ref{{"LinkID", Links, must(l.LinkID)}, {"UserID", Users, must(l.UserID)}, {"OfferID", Offers, l.OfferID}},
		sums: []Sum{money("click.earning", l.Earning), money("click.cost", l.Cost)},
	}
}
func (l *voucherLine) facts() facts {
	return byID(l.ID, l.AdvertiserID, l.Validate(), ref{"UserID", Users, must(l.UserID)})
}
func (l *collectorLine) facts() facts { return byID(l.ID, l.AdvertiserID, l.Validate()) }
func (l *entryLine) facts() facts {
	f := byID(l.ID, l.AdvertiserID, l.Validate(), ref{"Reverses", Entries, l.Reverses})
	return f.with(money("entry.earning", l.Earning), money("entry.cost", l.Cost))
}
func (l *orderLine) facts() facts {
	f := byID(l.ID, l.AdvertiserID, l.Validate(), ref{"LinkID", Links, l.LinkID}, ref{"UserID", Users, l.UserID}, ref{"OfferID", Offers, l.OfferID})
	f.key = byTime(l.At, fmt.Sprintf("%020d", l.ID))
	return f.with(money("order.earning", l.Earning), money("order.cost", l.Cost))
}
func (l *refundLine) facts() facts {
	f := byID(l.ID, byOther, l.Validate(), ref{"OrderID", Orders, must(l.OrderID)}, ref{"EntryID", Entries, l.EntryID})
	f.key, f.repeats = "", true // they stand in the order of their orders
	return f.with(money("refund.earning", l.Earning), money("refund.cost", l.Cost))
}
func (l *paymentLine) facts() facts {
	return byID(l.ID, l.AdvertiserID, l.Validate(), ref{"UserID", Users, must(l.UserID)}).with(money("payment.amount", l.Amount))
}
func (l *returnAdLine) facts() facts {
	f := byID(l.ID, l.AdvertiserID, l.Validate(), ref{"AdvertiserGroupID", Groups, l.AdvertiserGroupID}, ref{"Author.UserID", Users, l.Author.UserID})
	for _, id := range l.CategoryIDs {
		f.refs = append(f.refs, ref{"CategoryIDs", Categories, id})
	}
	switch {
	case len(l.AdvertiserIDs) > 0:
		f.invalid = fieldError("AdvertiserIDs", "must be empty, because other shops stay")
	case l.Counts.Views < 0 || l.Counts.Clicks < 0:
		f.invalid = fieldError("Counts", "must not be negative")
	}
	return f.with(Sum{"return_ad.views", "", l.Counts.Views}, Sum{"return_ad.clicks", "", l.Counts.Clicks})
}
func (l *rollupLine) facts() facts {
	k := l.Key
	f := facts{
		key: fmt.Sprintf("%d %s %020d %020d %020d %020d %d", k.Level, k.Day.UTC().Format(time.DateOnly), k.OfferID, k.UserID, k.LinkID, k.AdID, k.Source), advertiser: k.AdvertiserID,
		refs: []ref{{"OfferID", Offers, k.OfferID}, {"UserID", Users, k.UserID}, {"LinkID", Links, k.LinkID}, {"AdID", ReturnAds, k.AdID}},
	}
	if k.Level < stats.AdvertiserLevel || k.Level > stats.AdLevel || k != k.At(k.Level) {
		f.invalid = fieldError("Level", "must be between 1 and 5, with the ids of that level alone")
	}
	for _, c := range stats.Columns() {
		if n := *c.Of(&l.Figures); n != 0 {
			f.sums = append(f.sums, Sum{"rollup." + c.Name, "", n})
		}
	}
	return f
}
func (l *configLine) facts() facts {
	f := byID(l.ID, l.AdvertiserID, l.Validate())
	for _, id := range l.TagIDs {
		f.refs = append(f.refs, ref{"TagIDs", anyTag, id})
	}
	return f
}
func (l *setupLine) facts() facts {
	return facts{key: "", advertiser: l.AdvertiserID, invalid: l.Validate()}
}

// fieldError says what is wrong with a field of a record, by its name in Go.
func fieldError(field, format string, args ...any) error {
	return fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...))
}
