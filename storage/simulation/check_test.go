package simulation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
)

// wrong is a promise that the library did not keep.
type wrong struct{ text string }

func (w *wrong) Error() string { return w.text }

func wrongf(format string, args ...any) error { return &wrong{fmt.Sprintf(format, args...)} }

// check looks at what must hold at any moment.
func (s *sim) check(ctx context.Context) error {
	if err := s.db.Orders().Read(ctx, s.checkMoney); err != nil {
		return err
	}
	if err := s.db.AdSync().Read(ctx, s.checkItems); err != nil {
		return err
	}
	inLinks, err := s.truth.Links.Verify(ctx)
	if err != nil {
		return err
	}
	inOrders, err := s.truth.Orders.Verify(ctx)
	if err != nil {
		return err
	}
	if diffs := append(inLinks, inOrders...); len(diffs) > 0 {
		return wrongf("%s: kept %s, real %s", diffs[0].What, diffs[0].Kept, diffs[0].Real)
	}
	return nil
}

func (s *sim) checkMoney(ctx context.Context, tx orders.Tx) error {
	for _, o := range s.offers {
		used, err := tx.Usage().Get(ctx, []offers.UsageKey{offers.OfferUsage(o.ID)})
		if err != nil {
			return err
		}
		if spent := used[offers.OfferUsage(o.ID)].Spent; spent > budget {
			return wrongf("campaign %d has cost %d, its budget is %d", o.ID, spent, budget)
		}
	}
	clicks := make([]uuid.UUID, 0, len(s.clicks))
	for id := range s.clicks {
		clicks = append(clicks, id)
	}
	kept, err := tx.Clicks().GetMany(ctx, clicks)
	if err != nil {
		return err
	}
	if len(kept) != len(clicks) {
		return wrongf("%d of %d acknowledged clicks are there", len(kept), len(clicks))
	}
	all, err := tx.Orders().List(ctx, orders.OrderFilter{}, affiliate.PageRequest{Number: 1, Size: 1000})
	if err != nil {
		return err
	}
	there := map[string]int64{}
	ids := make([]int64, len(all.Items))
	for n, o := range all.Items {
		there[o.Number], ids[n] = o.ID, o.ID
	}
	for number, id := range s.booked {
		if there[number] != id {
			return wrongf("the acknowledged order %s is not there", number)
		}
	}
	refunds, err := tx.Refunds().ByOrders(ctx, ids)
	if err != nil {
		return err
	}
	references := map[string]bool{}
	for _, r := range refunds {
		references[r.Reference] = true
	}
	for reference := range s.refunds {
		if !references[reference] {
			return wrongf("the acknowledged refund %s is not there", reference)
		}
	}
	log, err := tx.Events().Scan(ctx, 0, 100_000)
	if err != nil {
		return err
	}
	raised := map[string]int{}
	for _, e := range log {
		raised[e.Kind]++
	}
	if n := raised[orders.EventOrderAdded.Name]; n != len(ids) {
		return wrongf("%d events tell of %d orders", n, len(ids))
	}
	if n := raised[orders.EventOrderRefunded.Name]; n != len(refunds) {
		return wrongf("%d events tell of %d refunds", n, len(refunds))
	}
	return nil
}

func (s *sim) checkItems(ctx context.Context, tx adsync.Tx) error {
	for reference, title := range s.items {
		i, err := tx.InventoryItems().ByReference(ctx, "acme", reference)
		if err != nil {
			return wrongf("the acknowledged item %s: %v", reference, err)
		}
		if i.Title != title && !s.uncertain[reference] {
			return wrongf("the item %s is %q, %q was acknowledged", reference, i.Title, title)
		}
	}
	return nil
}

// end brings everything to its end and looks at what must hold then: each event
// was delivered, and the service has what the records say, each item once.
func (s *sim) end(ctx context.Context) error {
	for range 60 {
		n, err := s.truth.Events.Deliver(ctx)
		if err != nil {
			return err
		}
		r, err := s.truth.AdSyncEngine.RunOnce(ctx)
		if err != nil {
			return err
		}
		p, err := s.truth.AdSyncEngine.Progress(ctx, "acme", "")
		if err != nil {
			return err
		}
		backlog, err := s.truth.Events.Backlog(ctx, events.ChannelProcess)
		if err != nil {
			return err
		}
		if n+r.Leased+p.Queued+p.Leased+len(backlog) == 0 || len(backlog) == 1 && n+r.Leased+p.Queued+p.Leased+backlog[0].Waiting == 0 {
			break
		}
		s.now = s.now.Add(2 * time.Hour)
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	var log []affiliate.Event
	var items []adsync.Item
	if err := s.db.AdSync().Read(ctx, func(ctx context.Context, tx adsync.Tx) (err error) {
		if log, err = tx.Events().Scan(ctx, 0, 100_000); err != nil {
			return err
		}
		items, err = tx.InventoryItems().List(ctx, adsync.ItemFilter{}, adsync.Cursor{}, 1000)
		return err
	}); err != nil {
		return err
	}
	for _, e := range log {
		if !s.delivered[e.ID] {
			return wrongf("the event %d %s was not delivered", e.ID, e.Kind)
		}
	}
	objects := map[string]string{}
	for _, o := range s.google.Objects() {
		if _, twice := objects[o.Marker]; twice {
			return wrongf("the service has two objects of %s", o.Marker)
		}
		objects[o.Marker] = o.Fields.Encode()
	}
	if len(objects) != len(items) {
		return wrongf("the service has %d objects of %d items", len(objects), len(items))
	}
	for _, i := range items {
		if !strings.Contains(objects[adsync.Marker(i.ID)], i.Title) {
			return wrongf("the service has %s of the item %q", objects[adsync.Marker(i.ID)], i.Title)
		}
	}
	return nil
}
