package advertiser

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// order is a sale. Its value is major units, as it was reported.
type order struct {
	ID        int64            `json:"id"`
	UserID    *int64           `json:"user_id"` // null: nobody brought it
	Username  *string          `json:"username"`
	OrderID   string           `json:"order_id"`
	OrderAt   laravel.DateTime `json:"order_at"`
	Value     json.Number      `json:"order_value"`
	Currency  string           `json:"currency"`
	Voucher   *string          `json:"voucher_code"`
	Status    string           `json:"status"`
	UpdatedAt laravel.DateTime `json:"updated_at"`
}

func (s *server) listOrders(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	paging
	UserID int64 `query:"user_id" min:"1"`
}) (list laravel.FlatList[order], err error) {
	req := in.request(pageSize)
	page, err := s.orders.For(affiliate.ViewerOf(p)).Orders(ctx, orders.OrderFilter{AdvertiserIDs: []int64{in.StoreID}, UserID: in.UserID}, req)
	if err != nil {
		return list, err
	}
	ids := make([]int64, len(page.Items))
	for i, o := range page.Items {
		ids[i] = o.UserID
	}
	users, err := s.core.UsersByID(ctx, idset.Sorted(ids))
	return laravel.NewFlatList(in.URL, req, page, func(o orders.OrderView) order {
		shown := order{
			ID: o.ID, UserID: laravel.IDOrNull(o.UserID), OrderID: o.Number, OrderAt: laravel.DateTime(o.At), Value: json.Number(o.Value.String()),
			Currency: string(o.Currency), Voucher: laravel.TextOrNull(o.Voucher), Status: string(o.Status), UpdatedAt: laravel.DateTime(o.UpdatedAt),
		}
		if u, ok := users[o.UserID]; ok {
			shown.Username = &u.Username
		}
		return shown
	}), err
}

// voucher is a creator's discount code.
type voucher struct {
	ID      int64  `json:"id"`
	StoreID int64  `json:"store_id"`
	UserID  int64  `json:"user_id"`
	Code    string `json:"voucher_code"`
	timestamps
}

func showVoucher(v orders.Voucher) voucher {
	return voucher{ID: v.ID, StoreID: v.AdvertiserID, UserID: v.UserID, Code: v.Code, timestamps: stamps(v.CreatedAt, v.UpdatedAt)}
}

// vouchersOf are a creator's codes at a store that sees the creator.
func (s *server) vouchersOf(ctx context.Context, p affiliate.Principal, at userPath) ([]orders.Voucher, error) {
	if _, err := s.core.AdvertiserUser(ctx, at.StoreID, at.UserID); err != nil {
		return nil, err
	}
	return s.orders.For(affiliate.ViewerOf(p)).Vouchers(ctx, at.StoreID, at.UserID)
}

func (s *server) listVouchers(ctx context.Context, p affiliate.Principal, in userPath) ([]voucher, error) {
	all, err := s.vouchersOf(ctx, p, in)
	return laravel.ShowAll(all, showVoucher), err
}

func (s *server) createVoucher(ctx context.Context, p affiliate.Principal, in struct {
	userPath
	Code string `json:"voucher_code" required:"true" min:"3" max:"255"`
}) (voucher, error) {
	if _, err := s.core.AdvertiserUser(ctx, in.StoreID, in.UserID); err != nil {
		return voucher{}, err
	}
	v, err := s.orders.For(affiliate.ViewerOf(p)).CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: in.StoreID, UserID: in.UserID, Code: in.Code})
	if errors.Is(err, affiliate.ErrConflict) {
		err = laravel.Invalid("voucher_code", "taken", "is taken already")
	}
	if err != nil {
		return voucher{}, err
	}
	return showVoucher(v), nil
}

// deleteVoucher returns the voucher as it was.
func (s *server) deleteVoucher(ctx context.Context, p affiliate.Principal, in struct {
	userPath
	VoucherID int64 `path:"voucher_code"`
}) (voucher, error) {
	all, err := s.vouchersOf(ctx, p, in.userPath)
	if err != nil {
		return voucher{}, err
	}
	if !slices.ContainsFunc(all, func(v orders.Voucher) bool { return v.ID == in.VoucherID }) {
		return voucher{}, affiliate.NotFound("voucher", in.VoucherID)
	}
	v, err := s.orders.For(affiliate.ViewerOf(p)).DeleteVoucher(ctx, in.VoucherID)
	if err != nil {
		return voucher{}, err
	}
	return showVoucher(v), nil
}

// payment is a one-time payment. The store's id and the amount, in minor units,
// print as texts.
type payment struct {
	UserID       int64  `json:"user_id"`
	StoreID      string `json:"store_id"`
	Comment      string `json:"comment"`
	UserEarnings string `json:"user_earnings"`
	PaymentDate  string `json:"payment_date"`
	timestamps
	ID int64 `json:"id"`
}

func (s *server) pay(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64     `path:"id"`
	UserID  int64     `path:"userId"`
	Comment string    `json:"comment" required:"true" min:"2" max:"1024"`
	Date    time.Time `json:"payment_date" required:"true"`
	Amount  *int64    `json:"user_earnings" required:"true" min:"0" max:"10000000"`
}) (payment, error) {
	if _, err := s.core.AdvertiserUser(ctx, in.StoreID, in.UserID); err != nil {
		return payment{}, err
	}
	made, err := s.orders.For(affiliate.ViewerOf(p)).Pay(ctx, orders.PaymentInput{
		AdvertiserID: in.StoreID, UserID: in.UserID, Comment: in.Comment, Amount: *in.Amount, Date: in.Date,
	})
	if err != nil {
		return payment{}, err
	}
	return payment{
		UserID: made.UserID, StoreID: strconv.FormatInt(made.AdvertiserID, 10), Comment: made.Comment,
		UserEarnings: strconv.FormatInt(made.Amount.Minor(), 10), PaymentDate: made.Date.Format(time.DateOnly),
		timestamps: stamps(made.CreatedAt, made.CreatedAt), ID: made.ID,
	}, nil
}

// dashboard is a creator with what the store paid it once.
type dashboard struct {
	listedUser
	LastActive laravel.DateTime `json:"last_active"`
	CanEdit    bool             `json:"can_edit"`
	OneTime    []oneTimeEarning `json:"one_time_earnings"`
}

type oneTimeEarning struct {
	ID           int64  `json:"id"`
	UserID       int64  `json:"user_id"`
	StoreID      int64  `json:"store_id"`
	UserEarnings int64  `json:"user_earnings"` // minor units
	PaymentDate  string `json:"payment_date"`
	timestamps
	Comment string `json:"comment"`
}

func (s *server) getDashboard(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	UserID  int64 `path:"userid"`
}) (out dashboard, err error) {
	u, err := s.core.AdvertiserUser(ctx, in.StoreID, in.UserID)
	if err != nil {
		return out, err
	}
	page, err := s.orders.For(affiliate.ViewerOf(p)).Payments(ctx,
		orders.PaymentFilter{AdvertiserIDs: []int64{in.StoreID}, UserID: in.UserID}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
	return dashboard{
		listedUser: showListedUser(u), LastActive: laravel.DateTime(u.UpdatedAt), CanEdit: u.Managed,
		OneTime: laravel.ShowAll(page.Items, func(o orders.Payment) oneTimeEarning {
			return oneTimeEarning{
				ID: o.ID, UserID: o.UserID, StoreID: o.AdvertiserID, UserEarnings: o.Amount.Minor(), PaymentDate: o.Date.Format(time.DateOnly),
				timestamps: stamps(o.CreatedAt, o.CreatedAt), Comment: o.Comment,
			}
		}),
	}, err
}
