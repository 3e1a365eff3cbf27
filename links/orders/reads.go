package orders

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// order is the order with the id, if the viewer may see it.
func (s *Service) order(ctx context.Context, tx Tx, id int64) (Order, error) {
	o, err := tx.Orders().Get(ctx, id)
	if err == nil && !s.sees(o.AdvertiserID, o.UserID) {
		return Order{}, affiliate.NotFound("order", id)
	}
	return s.shown(o), err
}

// shown is what the viewer sees of an order that it may see: a creator is not
// told what the advertiser pays, nor what else the customer followed.
func (s *Service) shown(o Order) Order {
	if s.viewer.ActsFor(o.AdvertiserID) {
		return o
	}
	o.Cost, o.Terms, o.ClickIDs = affiliate.NewMoney(0, o.Cost.Currency()), "", nil
	o.Lines = slices.Clone(o.Lines)
	for i := range o.Lines {
		o.Lines[i].InvoiceCPA = affiliate.Optional[affiliate.Rate]{}
	}
	return o
}

// Order returns one order.
func (s *Service) Order(ctx context.Context, id int64) (Order, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (Order, error) { return s.order(ctx, tx, id) })
}

// OrderByNumber returns the order that an advertiser knows by a number.
func (s *Service) OrderByNumber(ctx context.Context, advertiserID int64, number string) (Order, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (Order, error) {
		found, err := tx.Orders().Find(ctx, []OrderKey{{advertiserID, number}})
		if err == nil && (len(found) == 0 || !s.sees(advertiserID, found[0].UserID)) {
			err = affiliate.NotFound("order", number)
		}
		if err != nil {
			return Order{}, err
		}
		return s.shown(found[0]), nil
	})
}

// OrderView is an order as it is now.
type OrderView struct {
	Order
	Status Status
}

// Orders lists orders (orders-list), with their status now.
func (s *Service) Orders(ctx context.Context, f OrderFilter, p affiliate.PageRequest) (affiliate.Page[OrderView], error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Page[OrderView], error) {
		f.Now = s.clock.Now()
		s.narrow(&f.AdvertiserIDs, &f.UserID)
		page, err := tx.Orders().List(ctx, f, p)
		out := affiliate.Page[OrderView]{Total: page.Total}
		for _, o := range page.Items {
			out.Items = append(out.Items, OrderView{s.shown(o), o.StatusAt(f.Now)})
		}
		return out, err
	})
}

// narrow limits a filter to what the viewer may see.
func (s *Service) narrow(advertiserIDs *[]int64, userID *int64) {
	if s.viewer.IsOperator() {
		return
	}
	p := s.viewer.Principal()
	switch p.Role {
	case affiliate.RoleRepresentative, affiliate.RoleAgency:
		mine := []int64{}
		for _, id := range p.AdvertiserIDs {
			if *advertiserIDs == nil || slices.Contains(*advertiserIDs, id) {
				mine = append(mine, id)
			}
		}
		*advertiserIDs = mine
		return
	case affiliate.RoleCreator:
		if p.UserID != 0 && (*userID == 0 || *userID == p.UserID) {
			*userID = p.UserID
			return
		}
	}
	*advertiserIDs = []int64{}
}
