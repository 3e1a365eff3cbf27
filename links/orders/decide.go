package orders

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

// decide attributes the orders, finds their terms and prices them. It reads
// each kind of thing once for all orders.
func (in *intake) decide(ctx context.Context, tx Tx) error {
	if len(in.items) == 0 {
		return nil
	}
	list := make([]*Order, len(in.items))
	for i := range in.items {
		list[i] = &in.items[i].order
	}
	k, err := readKnown(ctx, tx, list)
	if err != nil {
		return err
	}
	var byVoucher []int
	for i := range in.items {
		it := &in.items[i]
		c, reason, ok := chosen(attribute(k.evidence(it.order, in.advertisers[it.order.AdvertiserID], in.collectors[it.order.AdvertiserID])))
		if !ok {
			it.order.Reason = reason
			continue
		}
		it.order.Reason = ""
		if c.Source == ByVoucher {
			it.order.Source, it.order.VoucherID, it.order.UserID = ByVoucher, c.Voucher.ID, c.UserID
			byVoucher = append(byVoucher, i)
			continue
		}
		if it.terms, err = offers.ParseClickTerms(c.Click.Terms); err != nil {
			return err
		}
		it.order.Source, it.order.ClickID, it.order.LinkID, it.order.UserID = ByClick, c.Click.ID, c.Click.LinkID, c.UserID
		it.order.OfferID, it.order.Traffic, it.order.Terms = it.terms.OfferID, c.Click.Source, c.Click.Terms
	}
	if err := in.voucherTerms(ctx, tx, byVoucher, k.users); err != nil {
		return err
	}
	if err := in.applyCards(ctx, tx, k.clicks); err != nil {
		return err
	}
	for i := range in.items {
		if err := in.price(&in.items[i]); err != nil {
			return err
		}
	}
	in.items = slices.DeleteFunc(in.items, func(it item) bool { return len(it.from.missing) > 0 })
	return nil
}

// known is what orders are attributed by, read for many orders at once.
type known struct {
	clicks    map[uuid.UUID]links.Click
	vouchers  map[VoucherKey]Voucher // by folded code
	users     map[int64]affiliate.User
	blocklist []affiliate.BlocklistEntry
}

func readKnown(ctx context.Context, tx Tx, list []*Order) (known, error) {
	k := known{clicks: make(map[uuid.UUID]links.Click), vouchers: make(map[VoucherKey]Voucher), users: make(map[int64]affiliate.User)}
	var clickIDs []uuid.UUID
	var keys []VoucherKey
	for _, o := range list {
		clickIDs = append(clickIDs, o.ClickIDs...)
		if o.Voucher != "" {
			keys = append(keys, VoucherKey{o.AdvertiserID, o.Voucher})
		}
	}
	repeated, err := k.readClicks(ctx, tx, clickIDs)
	if err == nil {
		_, err = k.readClicks(ctx, tx, repeated)
	}
	if err != nil {
		return k, err
	}
	if len(keys) > 0 {
		found, err := tx.Vouchers().Find(ctx, keys)
		if err != nil {
			return k, err
		}
		for _, v := range found {
			k.vouchers[VoucherKey{v.AdvertiserID, FoldCode(v.Code)}] = v
		}
	}
	return k, k.readUsers(ctx, tx)
}

// readClicks reads clicks, and returns which clicks they repeat.
func (k *known) readClicks(ctx context.Context, tx Tx, ids []uuid.UUID) (repeated []uuid.UUID, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := tx.Clicks().GetMany(ctx, ids)
	for _, c := range found {
		k.clicks[c.ID] = c
		if c.Repeats != uuid.Nil {
			repeated = append(repeated, c.Repeats)
		}
	}
	return repeated, err
}

// readUsers reads who would earn, and which blocklist entries name the owners
// of vouchers.
func (k *known) readUsers(ctx context.Context, tx Tx) error {
	var ids, owners, tags, clients, advertisers []int64
	for _, c := range k.clicks {
		ids = append(ids, c.UserID)
	}
	for _, v := range k.vouchers {
		ids, owners, advertisers = append(ids, v.UserID), append(owners, v.UserID), append(advertisers, v.AdvertiserID)
	}
	if len(ids) == 0 {
		return nil
	}
	users, err := tx.Users().GetMany(ctx, idset.Sorted(ids))
	if err != nil {
		return err
	}
	for _, u := range users {
		k.users[u.ID] = u
	}
	if len(owners) == 0 {
		return nil
	}
	for _, id := range owners {
		u := k.users[id]
		tags = append(tags, u.TagIDs...)
		if u.ClientID != 0 {
			clients = append(clients, u.ClientID)
		}
	}
	k.blocklist, err = tx.Blocklist().Naming(ctx, idset.Sorted(advertisers), idset.Sorted(owners), idset.Sorted(tags), idset.Sorted(clients))
	return err
}

// evidence is what one order is attributed by.
func (k known) evidence(o Order, a affiliate.Advertiser, c Collector) evidence {
	e := evidence{order: o, advertiser: a, collector: c, clicks: k.clicks, users: k.users, blocked: make(map[int64]bool)}
	v, ok := k.vouchers[VoucherKey{o.AdvertiserID, FoldCode(o.Voucher)}]
	if !ok || o.Voucher == "" {
		return e
	}
	e.voucher = affiliate.Some(v)
	for _, b := range k.blocklist {
		if b.AdvertiserID == o.AdvertiserID && b.Names(k.users[v.UserID]) {
			e.blocked[v.UserID] = true
		}
	}
	return e
}

// voucherTerms gives orders by voucher the terms of the campaign that would
// serve the voucher's owner at the time of the order.
func (in *intake) voucherTerms(ctx context.Context, tx Tx, items []int, users map[int64]affiliate.User) error {
	if len(items) == 0 {
		return nil
	}
	charges := make([]offers.ClickCharge, len(items))
	for j, i := range items {
		o := &in.items[i].order
		u, a := users[o.UserID], in.advertisers[o.AdvertiserID]
		charges[j] = offers.ClickCharge{User: &u, Advertiser: &a, Source: affiliate.SourceGeneral, At: o.At}
	}
	terms, err := links.TermsNow(ctx, tx, charges)
	if err != nil {
		return err
	}
	for j, i := range items {
		it := &in.items[i]
		if terms[j].Reason != "" {
			it.order.Reason = terms[j].Reason
			continue
		}
		it.terms = terms[j].Terms
		it.order.OfferID = it.terms.OfferID
		it.order.Terms = it.terms.Freeze()
	}
	return nil
}

// applyCards gives the lines of orders the rates that their campaigns have for
// them: those of the time of the click, or of the order by a voucher. A rate
// that the creator has by itself goes before them.
func (in *intake) applyCards(ctx context.Context, tx Tx, clicks map[uuid.UUID]links.Click) error {
	var asks []CardAt
	var of []int
	for i := range in.items {
		if it := &in.items[i]; it.order.takesCard(it.terms) {
			asks, of = append(asks, it.order.cardAt(clicks)), append(of, i)
		}
	}
	if len(asks) == 0 {
		return nil
	}
	cards, err := tx.RateCards().Holding(ctx, asks)
	if err != nil {
		return err
	}
	for j, i := range of {
		in.items[i].order.applyCard(cards[j])
	}
	return nil
}

func (o *Order) takesCard(t offers.ClickTerms) bool {
	return o.OfferID != 0 && len(o.Lines) > 0 && !t.OwnCPA
}

// cardAt asks for the rate card of the time of the click. Of a click that
// retention has removed, the id still has the time, to the millisecond.
func (o *Order) cardAt(clicks map[uuid.UUID]links.Click) CardAt {
	ask := CardAt{OfferID: o.OfferID, At: o.At}
	if c, ok := clicks[o.ClickID]; ok {
		ask.At = c.At
	} else if o.ClickID.Version() == 7 {
		ask.At = time.Unix(o.ClickID.Time().UnixTime()).UTC()
	}
	return ask
}

func (o *Order) applyCard(c RateCard) {
	lines := make([]Line, len(o.Lines)) // the reports of a caller are not written to
	copy(lines, o.Lines)
	for i := range lines {
		c.apply(&lines[i])
	}
	o.Lines = lines
}

// price computes what an attributed order earns and costs, or says why it does
// not. A rate that is not known yet is noted as missing.
func (in *intake) price(it *item) error {
	o := &it.order
	if o.Source == Unattributed || o.Reason != "" {
		return nil
	}
	if it.terms.Currency == "" { // of a click that was never priced
		o.Reason = ReasonNoCommission
		return nil
	}
	if it.terms.Currency != in.advertisers[o.AdvertiserID].Currency {
		o.Reason = ReasonCurrency
		return nil
	}
	if o.Rate = decimal.NewFromInt(1); o.Currency != it.terms.Currency {
		key := rateKey{o.Currency, it.terms.Currency, o.At}
		rate, asked := it.from.rates[key]
		if !asked {
			it.from.missing = append(it.from.missing, key)
			return nil
		}
		o.Rate = rate
	}
	return o.setPrice(it.terms)
}

// setPrice prices an attributed order by its terms and its rate.
func (o *Order) setPrice(t offers.ClickTerms) (err error) {
	o.Reason = ""
	if o.Rate.IsZero() {
		o.unpaid(ReasonNoRate)
		return nil
	}
	if o.Earning, o.Cost, err = o.price(t); err != nil {
		return err
	}
	if !o.paid() {
		o.unpaid(ReasonNoCommission)
	}
	return nil
}
