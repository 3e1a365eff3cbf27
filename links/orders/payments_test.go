package orders_test

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestAOneTimePaymentIsPayableOnItsDate(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		in := orders.PaymentInput{AdvertiserID: w.acme.ID, UserID: w.anna.ID, Comment: "Money for black friday", Amount: 100_000, Date: noon.Add(36 * time.Hour)}
		p, err := w.orders.Pay(t.Context(), in)
		is.NoErr(err)
		is.Equal(p.Date, noon.Add(12*time.Hour).Add(24*time.Hour).Truncate(24*time.Hour))
		pending := func() int64 {
			balances, err := w.core.Balances(t.Context(), affiliate.UserAccount(w.anna.ID))
			is.NoErr(err)
			return balances[0].Pending.Minor()
		}
		is.Equal(pending(), int64(100_000))
		w.now.Store(p.Date.UnixMicro())
		is.Equal(pending(), int64(0))
		in.Comment, in.Amount = "x", orders.MaxOneTime+1
		_, err = w.orders.Pay(t.Context(), in)
		is.Equal(code(err), "comment too_short")
		list, err := w.orders.Payments(t.Context(), orders.PaymentFilter{UserID: w.anna.ID}, affiliate.PageRequest{Number: 1, Size: 5})
		is.NoErr(err)
		is.Equal(list.Items, []orders.Payment{p})
		w.verify()
	})
}

func TestAVoucherIsOneCreators(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b)
		v, err := w.orders.CreateVoucher(t.Context(), orders.VoucherInput{AdvertiserID: w.acme.ID, UserID: w.anna.ID, Code: "Änna-10"})
		is.NoErr(err)
		_, err = w.orders.CreateVoucher(t.Context(), orders.VoucherInput{AdvertiserID: w.acme.ID, UserID: w.bo.ID, Code: "A\u0308NNA-10"})
		is.True(errors.Is(err, affiliate.ErrConflict))
		r := w.sale("1", "100")
		r.Voucher = "änna-10"
		o := w.report(r)
		is.Equal(o.UserID, w.anna.ID)
		is.Equal(o.Earning.Minor(), int64(500))
		list, err := w.orders.Vouchers(t.Context(), w.acme.ID, w.anna.ID)
		is.NoErr(err)
		is.Equal(list, []orders.Voucher{v})
		_, err = w.orders.DeleteVoucher(t.Context(), v.ID)
		is.NoErr(err)
		r.Number = "2"
		is.Equal(w.report(r).Reason, orders.ReasonVoucherUnknown)
		w.verify()
	})
}
