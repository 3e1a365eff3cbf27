package move

import (
	"cmp"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

func (w *walk) clicks() error {
	return windows[links.Click]{
		list: func(from, until time.Time, p affiliate.PageRequest) (affiliate.Page[links.Click], error) {
			if p.Sort.Column != "" {
				p.Sort.Column = "at"
			}
			return w.tx.Clicks().List(w.ctx, links.ClickFilter{AdvertiserID: w.advertiser.ID, From: from, Until: until}, p)
		},
		at:  func(c links.Click) time.Time { return c.At },
		key: func(c links.Click) string { return byTime(c.At, c.ID.String()) },
	}.each(func(list []links.Click) error {
		for _, c := range list {
			if err := w.emit(Clicks, &clickLine{c, c.Visitor[:]}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *walk) orderWindows() windows[orders.Order] {
	return windows[orders.Order]{
		list: func(from, until time.Time, p affiliate.PageRequest) (affiliate.Page[orders.Order], error) {
			if p.Sort.Column != "" {
				p.Sort.Column = "order_at"
			}
			return w.tx.Orders().List(w.ctx, orders.OrderFilter{AdvertiserIDs: []int64{w.advertiser.ID}, From: from, Until: until}, p)
		},
		at:  func(o orders.Order) time.Time { return o.At },
		key: func(o orders.Order) string { return (&orderLine{o}).facts().key },
	}
}

func (w *walk) orders() error {
	return w.orderWindows().each(func(list []orders.Order) error {
		for _, o := range list {
			if err := w.emit(Orders, &orderLine{o}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *walk) refunds() error {
	return w.orderWindows().each(func(list []orders.Order) error {
		ids := make([]int64, len(list))
		for i := range list {
			ids[i] = list[i].ID
		}
		found, err := w.tx.Refunds().ByOrders(w.ctx, ascending(ids))
		if err != nil {
			return err
		}
		place := make(map[int64]int, len(list))
		for i := range list {
			place[list[i].ID] = i
		}
		slices.SortStableFunc(found, func(a, b orders.Refund) int { return cmp.Compare(place[a.OrderID], place[b.OrderID]) })
		for _, r := range found {
			if err := w.emit(Refunds, &refundLine{r}); err != nil {
				return err
			}
		}
		return nil
	})
}

// windows reads a list in the order of time by windows of time that have a page at
// most, whatever the length of the list: one that has more is halved.
type windows[T any] struct {
	// list sorts by the time when the column of the page's order is set.
	list func(from, until time.Time, p affiliate.PageRequest) (affiliate.Page[T], error)
	at   func(T) time.Time
	key  func(T) string
}

func (w windows[T]) each(f func([]T) error) error {
	var ends [2]time.Time
	for i := range ends {
		got, err := w.list(time.Time{}, time.Time{}, affiliate.PageRequest{Size: 1, Sort: affiliate.Sort{Column: "time", Desc: i == 1}})
		if err != nil || len(got.Items) == 0 {
			return err
		}
		ends[i] = w.at(got.Items[0])
	}
	return w.within(ends[0], ends[1].Add(time.Microsecond), f)
}

func (w windows[T]) within(from, until time.Time, f func([]T) error) error {
	request := affiliate.PageRequest{Number: 1, Size: page}
	got, err := w.list(from, until, request)
	if err != nil || len(got.Items) == 0 {
		return err
	}
	if half := until.Sub(from) / 2; got.Total > page && half >= time.Microsecond {
		middle := from.Add(half.Truncate(time.Microsecond))
		if err := w.within(from, middle, f); err != nil {
			return err
		}
		return w.within(middle, until, f)
	}
	for { // more than a page in a microsecond come by id
		slices.SortFunc(got.Items, func(a, b T) int { return cmp.Compare(w.key(a), w.key(b)) })
		if err := f(got.Items); err != nil {
			return err
		}
		if request.Number*page >= got.Total {
			return nil
		}
		request.Number++
		if got, err = w.list(from, until, request); err != nil {
			return err
		}
	}
}
