package orders

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// Candidate is a click or a voucher that an order may be attributed to, and
// what was found out about it.
type Candidate struct {
	Source  Source
	ClickID uuid.UUID   // as reported; for ByClick
	Click   links.Click // the click that would pay: after a duplicate the one that it repeats; zero when unknown
	Voucher Voucher     // for ByVoucher; zero when unknown
	At      time.Time   // when the customer followed the click; zero for a voucher
	UserID  int64       // who would earn; 0 when unknown
	Chosen  bool
	Reason  string // why it is not chosen; empty when it is
}

// evidence is what attribution is decided by. It is only read.
type evidence struct {
	order      Order
	advertiser affiliate.Advertiser
	collector  Collector
	clicks     map[uuid.UUID]links.Click // those reported, and those that they repeat
	voucher    affiliate.Optional[Voucher]
	users      map[int64]affiliate.User
	blocked    map[int64]bool // users whom the advertiser blocks
}

// attribute judges every candidate of an order, in the order of preference. At
// most one is chosen; without one the reason of the first says why.
func attribute(e evidence) []Candidate {
	var out []Candidate
	for _, id := range e.order.ClickIDs {
		out = append(out, e.click(id))
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { // unknown clicks last
		if known := cmp.Compare(btoi(a.Click.ID == uuid.Nil), btoi(b.Click.ID == uuid.Nil)); known != 0 {
			return known
		}
		byTime := cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Click.ID[:], b.Click.ID[:]))
		if e.collector.Prefer == FirstClick {
			return byTime
		}
		return -byTime
	})
	if e.order.Voucher != "" {
		v := e.ofVoucher()
		if e.collector.VoucherFirst {
			out = slices.Insert(out, 0, v)
		} else {
			out = append(out, v)
		}
	}
	chosen := false
	for i := range out {
		switch {
		case out[i].Reason != "":
		case chosen:
			out[i].Reason = ReasonOutranked
		default:
			chosen, out[i].Chosen = true, true
		}
	}
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// click judges a click. Another advertiser's is unknown here: its existence is
// not told.
func (e evidence) click(id uuid.UUID) Candidate {
	c := Candidate{Source: ByClick, ClickID: id}
	reported, ok := e.clicks[id]
	if !ok || reported.AdvertiserID != e.order.AdvertiserID {
		c.Reason = ReasonClickUnknown
		return c
	}
	c.Click, c.At = reported, reported.At
	if reported.Verdict == links.VerdictDuplicate {
		original, ok := e.clicks[reported.Repeats]
		if !ok || original.Verdict != links.VerdictValid {
			c.Reason = ReasonClickDuplicate
			return c
		}
		c.Click = original
	}
	c.UserID = c.Click.UserID
	c.Reason = e.clickReason(reported, c.Click)
	return c
}

// clickReason is why a click does not pay. The window is that of the click
// that the customer made last: a duplicate counts as a visit.
func (e evidence) clickReason(reported, paying links.Click) string {
	switch {
	case e.advertiser.Status != affiliate.AdvertiserActive:
		return ReasonAdvertiserDeactivated
	case paying.Verdict == links.VerdictBot:
		return ReasonClickBot
	case paying.Verdict == links.VerdictBlocked:
		return ReasonClickBlocked
	case paying.Verdict == links.VerdictCapped:
		return ReasonClickCapped
	case paying.Verdict != links.VerdictValid:
		return ReasonClickUnknown
	case reported.At.After(e.order.At.Add(maxAhead)):
		return ReasonClickTooNew
	case e.order.At.Sub(reported.At) > e.collector.Window():
		return ReasonClickTooOld
	case e.suspended(paying.UserID):
		return ReasonUserSuspended
	}
	return ""
}

func (e evidence) suspended(userID int64) bool {
	u, ok := e.users[userID]
	return !ok || u.Status() == affiliate.UserSuspended
}

// ofVoucher judges the voucher of the order.
func (e evidence) ofVoucher() Candidate {
	c := Candidate{Source: ByVoucher}
	if !e.voucher.Set {
		c.Reason = ReasonVoucherUnknown
		return c
	}
	c.Voucher = e.voucher.Value
	c.UserID = c.Voucher.UserID
	switch {
	case e.advertiser.Status != affiliate.AdvertiserActive:
		c.Reason = ReasonAdvertiserDeactivated
	case e.suspended(c.UserID):
		c.Reason = ReasonUserSuspended
	case e.blocked[c.UserID]:
		c.Reason = ReasonBlocklist
	}
	return c
}

// chosen is the candidate that is paid, and false when none is. Then the reason
// says why.
func chosen(candidates []Candidate) (Candidate, string, bool) {
	for _, c := range candidates {
		if c.Chosen {
			return c, "", true
		}
	}
	if len(candidates) == 0 {
		return Candidate{}, ReasonUnattributed, false
	}
	return Candidate{}, candidates[0].Reason, false
}
