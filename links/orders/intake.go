package orders

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/gather"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// maxBatch bounds the orders of one unit.
const maxBatch = 100

// report is a report on its way in, and what became of it.
type report struct {
	gather.Call

	Report
	viewer   affiliate.Viewer // who reports
	received time.Time        // the time of a report that has none of its own
	result   Result
	done     bool // a unit has ended with this result

	rates   map[rateKey]decimal.Decimal // asked for it; zero: none is known
	missing []rateKey                   // left out of its unit until these are asked for
}

func (s *Service) newReport(r Report) *report {
	return &report{Report: r, viewer: s.viewer, received: s.clock.Now()}
}

func (r *report) refuse(err error) { r.result = Result{Outcome: Refused, Err: err} }

// Report takes in an order. The same order again, with the same values, is
// Known and changes nothing; with other values it is ErrConflict
// "order_differs", whose fields say what was reported before (see Correct). A
// known order that nobody brought so far is Completed by a report that says
// who did: a server tells the sale, and a pixel the click.
//
// Where commits take time, orders that are reported at once share one. When
// Report returns, the order is committed; only inside a transaction of the
// host's, or a joint unit, is it committed with that.
func (s *Service) Report(ctx context.Context, r Report) (Order, Outcome, error) {
	in := s.newReport(r)
	for !in.done {
		var err error
		if s.group == nil || s.store.Nested(ctx) { // the unit of this context is nobody else's
			err = s.takeAll(ctx, []*report{in})
		} else {
			in.Call = gather.Call{}
			err = s.group.Do(ctx, in)
		}
		if err == nil { // whoever needs a rate asks for it; the others do not wait for that
			err = s.askRates(ctx, in)
		}
		if err != nil && !in.done {
			return Order{}, Refused, err
		}
	}
	s.opts.Observe(in.result.Outcome, in.result.Order.Reason)
	return in.result.Order, in.result.Outcome, in.result.Err
}

// ReportMany takes in orders, many in a unit, and returns one result for each
// report, in their order. A report that is refused leaves the others alone. The
// error is one of the backend or the context: what was taken in before it is
// kept, and may be reported again.
func (s *Service) ReportMany(ctx context.Context, reports []Report) ([]Result, error) {
	all := make([]*report, len(reports))
	for i, r := range reports {
		all[i] = s.newReport(r)
	}
	err := s.takeAll(ctx, all)
	for err == nil && slices.ContainsFunc(all, func(r *report) bool { return !r.done }) {
		if err = s.askRates(ctx, all...); err == nil {
			err = s.takeAll(ctx, all)
		}
	}
	results := make([]Result, len(reports))
	for i, r := range all {
		if r.done {
			results[i] = r.result
			s.opts.Observe(r.result.Outcome, r.result.Order.Reason)
		}
	}
	return results, err
}

// takeAll takes in all reports that are not done, in as few units as can be. Those
// for which a rate is missing are left as they are.
func (s *Service) takeAll(ctx context.Context, reports []*report) error {
	pending := slices.DeleteFunc(slices.Clone(reports), func(r *report) bool { return r.done })
	for len(pending) > 0 {
		var batch, later []*report
		seen := make(map[OrderKey]bool)
		for _, r := range pending { // a number twice goes into two units
			key := OrderKey{r.AdvertiserID, r.Number}
			if seen[key] || len(batch) == maxBatch {
				later = append(later, r)
				continue
			}
			seen[key] = true
			batch = append(batch, r)
		}
		if err := s.takeIn(ctx, batch); err != nil {
			return err
		}
		pending = later
	}
	return nil
}

// takeIn takes in some of the reports in one unit. When the unit fails for what
// one of them says, each goes into a unit of its own.
func (s *Service) takeIn(ctx context.Context, batch []*report) error {
	err := s.takeTogether(ctx, batch)
	switch {
	case err == nil:
	case errors.Is(err, affiliate.ErrUnavailable) || ctx.Err() != nil:
		return err
	case len(batch) == 1:
		e, ours := errors.AsType[*affiliate.Error](err)
		if !ours {
			return err
		}
		batch[0].refuse(e)
	default:
		for _, r := range batch {
			if err := s.takeIn(ctx, []*report{r}); err != nil {
				return err
			}
		}
	}
	for _, r := range batch {
		r.done = len(r.missing) == 0
	}
	return nil
}

// rateKey asks for an exchange rate.
type rateKey struct {
	from, to affiliate.Currency
	at       time.Time
}

var errRaced = errors.New("orders: another unit added one of the orders")

// maxRaces bounds how often a unit runs again because others added its orders.
const maxRaces = 50

func (s *Service) takeTogether(ctx context.Context, batch []*report) error {
	for races := 0; ; races++ {
		in := &intake{service: s, batch: batch}
		err := s.store.Record(ctx, func(ctx context.Context, tx Tx) error {
			in.reset(s.clock.Now())
			return in.run(ctx, tx)
		})
		if !errors.Is(err, errRaced) {
			return err
		}
		if races == maxRaces {
			return affiliate.Unavailable(err)
		}
	}
}

// askRates asks for the rates that are missing for reports, outside of units.
func (s *Service) askRates(ctx context.Context, reports ...*report) error {
	asked := make(map[rateKey]decimal.Decimal)
	for _, r := range reports {
		for _, k := range r.missing {
			rate, known := asked[k]
			if !known {
				var err error
				if rate, err = s.rateOf(ctx, k); err != nil {
					return err
				}
				asked[k] = rate
			}
			if r.rates == nil {
				r.rates = make(map[rateKey]decimal.Decimal)
			}
			r.rates[k] = rate
		}
		r.missing = nil
	}
	return nil
}

// rateOf asks for a rate; it is zero where none is known.
func (s *Service) rateOf(ctx context.Context, k rateKey) (decimal.Decimal, error) {
	rate, err := s.opts.Rates.Rate(ctx, k.from, k.to, k.at)
	if ctx.Err() != nil {
		return decimal.Decimal{}, affiliate.Unavailable(ctx.Err())
	}
	if err != nil || !usableRate(rate) {
		rate = decimal.Decimal{}
	}
	return Exact(rate), nil
}

// item is an order on its way in.
type item struct {
	from  *report
	order Order
	terms offers.ClickTerms
	late  bool // it is there already, and is completed
	drawn offers.Drawn
}

// intake is one unit of intake.
type intake struct {
	service *Service
	batch   []*report

	now         time.Time
	advertisers map[int64]affiliate.Advertiser
	collectors  map[int64]Collector
	items       []item
}

func (in *intake) reset(now time.Time) {
	in.now, in.items = now, nil
	for _, r := range in.batch {
		r.missing = nil
	}
}

func (in *intake) run(ctx context.Context, tx Tx) error {
	if err := in.read(ctx, tx); err != nil {
		return err
	}
	if err := in.decide(ctx, tx); err != nil {
		return err
	}
	if err := in.add(ctx, tx); err != nil {
		return err
	}
	if err := in.charge(ctx, tx); err != nil {
		return err
	}
	return in.book(ctx, tx)
}

// read finds out which of the reports are about new orders.
func (in *intake) read(ctx context.Context, tx Tx) error {
	if err := in.readAdvertisers(ctx, tx); err != nil {
		return err
	}
	orders := make(map[OrderKey]item, len(in.batch))
	var keys []OrderKey
	for _, r := range in.batch {
		a, ok := in.advertisers[r.AdvertiserID]
		if !ok || !r.viewer.ActsFor(r.AdvertiserID) {
			r.refuse(affiliate.NotFound("advertiser", r.AdvertiserID))
			continue
		}
		o, err := r.order(a, in.collectors[a.ID], r.received)
		if err != nil {
			r.refuse(err)
			continue
		}
		keys = append(keys, o.Key())
		orders[o.Key()] = item{from: r, order: o}
	}
	if len(keys) == 0 {
		return nil
	}
	kept, err := tx.Orders().Find(ctx, keys)
	if err != nil {
		return err
	}
	var late []int64
	for _, k := range kept {
		if again := orders[k.Key()]; k.differs(again.order) == nil && k.completedBy(again.order) {
			late = append(late, k.ID)
		}
	}
	locked := make(map[int64]Order, len(late))
	if len(late) > 0 {
		found, err := tx.Orders().Lock(ctx, late)
		if err != nil {
			return err
		}
		for _, o := range found {
			locked[o.ID] = o
		}
	}
	for _, k := range kept {
		it := orders[k.Key()]
		delete(orders, k.Key())
		if now, ok := locked[k.ID]; ok {
			k = now
		}
		if err := k.differs(it.order); err != nil {
			it.from.refuse(err)
			continue
		}
		if _, ok := locked[k.ID]; ok && k.completedBy(it.order) {
			it.order, it.late = k.completed(it.order, in.now), true
			in.items = append(in.items, it)
			continue
		}
		it.from.result = Result{Order: k, Outcome: Known}
	}
	for _, it := range orders {
		in.items = append(in.items, it)
	}
	slices.SortFunc(in.items, func(a, b item) int { return a.order.Key().Compare(b.order.Key()) })
	return nil
}

// Compare orders keys: every unit adds orders in this order.
func (k OrderKey) Compare(o OrderKey) int {
	if k.AdvertiserID != o.AdvertiserID {
		if k.AdvertiserID < o.AdvertiserID {
			return -1
		}
		return 1
	}
	return strings.Compare(k.Number, o.Number)
}

// completedBy reports whether a repeated report says who brought an order that
// nobody brought so far.
func (o Order) completedBy(again Order) bool {
	if o.Source != Unattributed || !o.DeclinedAt.IsZero() || !o.Refunded.IsZero() {
		return false
	}
	news := again.Voucher != "" && FoldCode(again.Voucher) != FoldCode(o.Voucher)
	for _, id := range again.ClickIDs {
		news = news || !slices.Contains(o.ClickIDs, id)
	}
	return news
}

// completed is the order with what a repeated report says beyond it. The
// newest clicks stay when there are too many.
func (o Order) completed(again Order, now time.Time) Order {
	for _, id := range again.ClickIDs {
		if !slices.Contains(o.ClickIDs, id) {
			o.ClickIDs = append(slices.Clone(o.ClickIDs), id)
		}
	}
	o.ClickIDs = o.ClickIDs[max(0, len(o.ClickIDs)-MaxClicks):]
	if again.Voucher != "" {
		o.Voucher = again.Voucher
	}
	if !o.Tax.Set && !o.Shipping.Set && len(o.Lines) == 0 {
		o.Tax, o.Shipping, o.Lines = again.Tax, again.Shipping, again.Lines
	}
	o.UpdatedAt = now
	return o
}

func (in *intake) readAdvertisers(ctx context.Context, tx Tx) error {
	ids := make([]int64, 0, len(in.batch))
	for _, r := range in.batch {
		ids = append(ids, r.AdvertiserID)
	}
	ids = idset.Sorted(ids)
	found, err := tx.Advertisers().GetMany(ctx, ids)
	if err != nil {
		return err
	}
	collectors, err := tx.Collectors().ByAdvertisers(ctx, ids)
	if err != nil {
		return err
	}
	in.advertisers, in.collectors = make(map[int64]affiliate.Advertiser, len(found)), make(map[int64]Collector, len(found))
	for _, a := range found {
		in.advertisers[a.ID], in.collectors[a.ID] = a, newCollector(a.ID, "", in.now)
	}
	for _, c := range collectors {
		in.collectors[c.AdvertiserID] = c
	}
	return nil
}

// add keeps the new orders.
func (in *intake) add(ctx context.Context, tx Tx) error {
	var fresh []Order
	for i := range in.items {
		if !in.items[i].late {
			fresh = append(fresh, in.items[i].order)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	added, err := tx.Orders().AddMissing(ctx, fresh...)
	if err != nil {
		return err
	}
	if len(added) != len(fresh) {
		return errRaced
	}
	ids := make(map[OrderKey]int64, len(added))
	for _, o := range added {
		ids[o.Key()] = o.ID
	}
	for i := range in.items {
		if it := &in.items[i]; !it.late {
			it.order.ID = ids[it.order.Key()]
		}
	}
	return nil
}

// charge draws the costs from the budgets of the campaigns. Orders that do not
// fit are kept without money.
func (in *intake) charge(ctx context.Context, tx Tx) error {
	var charges []offers.OrderCharge
	var of []int
	for i := range in.items {
		if o := &in.items[i].order; o.OfferID != 0 && o.paid() {
			charges, of = append(charges, o.charge()), append(of, i)
		}
	}
	decisions, err := offers.ChargeOrders(ctx, tx, charges)
	if err != nil {
		return err
	}
	unfit := make(map[int]bool)
	for j, a := range decisions {
		it := &in.items[of[j]]
		if it.drawn = a.Drawn; a.Reason != "" {
			it.order.unpaid(string(a.Reason))
			unfit[of[j]] = true
		}
	}
	for i := range in.items {
		if it := &in.items[i]; it.late || unfit[i] {
			if err := tx.Orders().Update(ctx, it.order); err != nil {
				return err
			}
		}
	}
	return nil
}

// paid reports whether the order moves money.
func (o *Order) paid() bool { return !o.Earning.IsZero() || !o.Cost.IsZero() }

// unpaid takes the money off an order.
func (o *Order) unpaid(reason string) {
	o.Earning, o.Cost = affiliate.NewMoney(0, o.Earning.Currency()), affiliate.NewMoney(0, o.Cost.Currency())
	o.Reason = reason
}

// charge asks for the order's cost.
func (o *Order) charge() offers.OrderCharge {
	return offers.OrderCharge{OfferID: o.OfferID, UserID: o.UserID, Cost: o.Cost.Minor(), At: o.At, Joins: o.Source == ByVoucher}
}

// book books what the orders earn, counts them, and tells of them.
func (in *intake) book(ctx context.Context, tx Tx) error {
	var entries []affiliate.Entry
	var counted []stats.Fact
	var told []affiliate.Event
	for i := range in.items {
		it := &in.items[i]
		outcome, kind := Added, EventOrderAdded
		switch {
		case it.late && it.order.Source == Unattributed: // it only knows one more click that does not pay
			it.from.result = Result{Order: it.order, Outcome: Known}
			continue
		case it.late:
			outcome, kind = Completed, EventOrderCompleted
		}
		it.from.result = Result{Order: it.order, Outcome: outcome}
		told = append(told, it.order.event(kind, in.now))
		if it.order.paid() {
			e, err := it.order.entry(it.drawn)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		if it.order.Counts() {
			a := in.advertisers[it.order.AdvertiserID]
			e, err := it.order.stat(&a, stats.OrderPaid)
			if err != nil {
				return err
			}
			counted = append(counted, e)
		}
	}
	if len(entries) > 0 {
		if _, err := tx.Ledger().Append(ctx, entries...); err != nil {
			return err
		}
	}
	if len(told) > 0 {
		if err := tx.Events().Add(ctx, told...); err != nil {
			return err
		}
	}
	return stats.Record(ctx, tx, counted...)
}
