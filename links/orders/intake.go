package orders

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// maxBatch bounds the orders of one unit.
const maxBatch = 100

// Report takes in an order. The same order again, with the same values, is
// Known and changes nothing; with other values it is ErrConflict
// "order_differs", whose fields say what was reported before (see Correct). A
// known order that nobody brought so far is Completed by a report that says
// who did: a server tells the sale, and a pixel the click.
func (s *Service) Report(ctx context.Context, r Report) (Order, Outcome, error) {
	results, err := s.ReportMany(ctx, []Report{r})
	if err != nil {
		return Order{}, Refused, err
	}
	return results[0].Order, results[0].Outcome, results[0].Err
}

// ReportMany takes in orders, many in a unit, and returns one result for each
// report, in their order. A report that is refused leaves the others alone. The
// error is one of the backend or the context: what was taken in before it is
// kept, and may be reported again.
func (s *Service) ReportMany(ctx context.Context, reports []Report) ([]Result, error) {
	results := make([]Result, len(reports))
	pending := make([]int, len(reports))
	for i := range pending {
		pending[i] = i
	}
	for len(pending) > 0 {
		var batch, later []int
		seen := make(map[OrderKey]bool)
		for _, i := range pending { // a number twice goes into two units
			key := OrderKey{reports[i].AdvertiserID, reports[i].Number}
			if seen[key] || len(batch) == maxBatch {
				later = append(later, i)
				continue
			}
			seen[key] = true
			batch = append(batch, i)
		}
		if err := s.takeIn(ctx, reports, batch, results); err != nil {
			return results, err
		}
		pending = later
	}
	for i := range results {
		s.opts.Observe(results[i].Outcome, results[i].Order.Reason)
	}
	return results, nil
}

// takeIn takes in some of the reports in one unit. When the unit fails for what
// one of them says, each goes into a unit of its own.
func (s *Service) takeIn(ctx context.Context, reports []Report, batch []int, results []Result) error {
	err := s.takeTogether(ctx, reports, batch, results)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, affiliate.ErrUnavailable) || ctx.Err() != nil:
		return err
	case len(batch) == 1:
		if e, ours := errors.AsType[*affiliate.Error](err); ours {
			results[batch[0]] = Result{Outcome: Refused, Err: e}
			return nil
		}
		return err
	}
	for _, i := range batch {
		if err := s.takeIn(ctx, reports, []int{i}, results); err != nil {
			return err
		}
	}
	return nil
}

// rateKey asks for an exchange rate.
type rateKey struct {
	from, to affiliate.Currency
	at       time.Time
}

var (
	errRates = errors.New("orders: exchange rates are to be asked for first")
	errRaced = errors.New("orders: another unit added one of the orders")
)

// maxRaces bounds how often a unit runs again because others added its orders.
const maxRaces = 50

func (s *Service) takeTogether(ctx context.Context, reports []Report, batch []int, results []Result) error {
	rates := make(map[rateKey]decimal.Decimal) // zero: none is known
	for races := 0; ; {
		in := &intake{service: s, reports: reports, batch: batch, rates: rates}
		err := s.store.Record(ctx, func(ctx context.Context, tx Tx) error {
			in.reset(s.clock.Now())
			return in.run(ctx, tx)
		})
		switch {
		case errors.Is(err, errRates):
			if err := s.askRates(ctx, in.missing, rates); err != nil {
				return err
			}
			continue
		case errors.Is(err, errRaced):
			if races++; races < maxRaces {
				continue
			}
			return affiliate.Unavailable(err)
		case err != nil:
			return err
		}
		for i, r := range in.results {
			results[i] = r
		}
		return nil
	}
}

// askRates asks for rates and notes them, zero where none is known.
func (s *Service) askRates(ctx context.Context, keys []rateKey, into map[rateKey]decimal.Decimal) error {
	for _, k := range keys {
		if _, asked := into[k]; asked {
			continue
		}
		rate, err := s.opts.Rates.Rate(ctx, k.from, k.to, k.at)
		if ctx.Err() != nil {
			return affiliate.Unavailable(ctx.Err())
		}
		if err != nil || !usableRate(rate) {
			rate = decimal.Decimal{}
		}
		into[k] = Exact(rate)
	}
	return nil
}

// item is an order on its way in.
type item struct {
	at    int // place of its report
	order Order
	terms offers.ClickTerms
	late  bool // it is there already, and is completed
	drawn offers.Drawn
}

// intake is one unit of intake.
type intake struct {
	service *Service
	reports []Report
	batch   []int
	rates   map[rateKey]decimal.Decimal

	now         time.Time
	advertisers map[int64]affiliate.Advertiser
	collectors  map[int64]Collector
	items       []item
	missing     []rateKey
	results     map[int]Result
}

func (in *intake) reset(now time.Time) {
	in.now, in.items, in.missing, in.results = now, nil, nil, make(map[int]Result, len(in.batch))
}

func (in *intake) refuse(at int, err error) { in.results[at] = Result{Outcome: Refused, Err: err} }

func (in *intake) run(ctx context.Context, tx Tx) error {
	if err := in.read(ctx, tx); err != nil {
		return err
	}
	if err := in.decide(ctx, tx); err != nil {
		return err
	}
	if len(in.missing) > 0 {
		return errRates
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
	for _, i := range in.batch {
		r := &in.reports[i]
		a, ok := in.advertisers[r.AdvertiserID]
		if !ok || !in.service.viewer.ActsFor(r.AdvertiserID) {
			in.refuse(i, affiliate.NotFound("advertiser", r.AdvertiserID))
			continue
		}
		o, err := r.order(a, in.collectors[a.ID], in.now)
		if err != nil {
			in.refuse(i, err)
			continue
		}
		keys = append(keys, o.Key())
		orders[o.Key()] = item{at: i, order: o}
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
			in.refuse(it.at, err)
			continue
		}
		if _, ok := locked[k.ID]; ok && k.completedBy(it.order) {
			it.order, it.late = k.completed(it.order, in.now), true
			in.items = append(in.items, it)
			continue
		}
		in.results[it.at] = Result{Order: k, Outcome: Known}
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
	for _, i := range in.batch {
		ids = append(ids, in.reports[i].AdvertiserID)
	}
	ids = affiliate.SortedIDs(ids)
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
	var counted []stats.Event
	var told []affiliate.Event
	for i := range in.items {
		it := &in.items[i]
		outcome, kind := Added, EventOrderAdded
		switch {
		case it.late && it.order.Source == Unattributed: // it only knows one more click that does not pay
			in.results[it.at] = Result{Order: it.order, Outcome: Known}
			continue
		case it.late:
			outcome, kind = Completed, EventOrderCompleted
		}
		in.results[it.at] = Result{Order: it.order, Outcome: outcome}
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
