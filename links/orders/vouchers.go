package orders

import (
	"context"
	"errors"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// VoucherInput gives a voucher to a creator.
type VoucherInput struct {
	AdvertiserID int64
	UserID       int64
	Code         string
}

// CreateVoucher gives a code to a creator (user-voucher-code-create). A code
// that the advertiser has given already, to anybody, is ErrConflict "taken" with
// the field "voucher_code".
func (s *Service) CreateVoucher(ctx context.Context, in VoucherInput) (Voucher, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Voucher, error) {
		if err := s.reachable(ctx, tx, in.AdvertiserID, in.UserID); err != nil {
			return Voucher{}, err
		}
		now := s.clock.Now()
		v := Voucher{AdvertiserID: in.AdvertiserID, UserID: in.UserID, Code: in.Code, CreatedAt: now, UpdatedAt: now}
		if err := v.Validate(); err != nil {
			return Voucher{}, err
		}
		if err := tx.Users().Relate(ctx, in.UserID, in.AdvertiserID, false); err != nil {
			return Voucher{}, err
		}
		v, err := tx.Vouchers().Add(ctx, v)
		if err != nil {
			return Voucher{}, err
		}
		return v, tx.Events().Add(ctx, v.event(EventVoucherCreated, now))
	})
}

// reachable is ErrNotFound unless the viewer acts for the advertiser, which is
// there, as is the user.
func (s *Service) reachable(ctx context.Context, tx Tx, advertiserID, userID int64) error {
	if err := s.actsFor(advertiserID); err != nil {
		return err
	}
	_, err := tx.Advertisers().Get(ctx, advertiserID)
	if err == nil {
		_, err = tx.Users().Get(ctx, userID)
	}
	return err
}

// Vouchers returns the vouchers of a creator at an advertiser, oldest first
// (user-voucher-codes-list).
func (s *Service) Vouchers(ctx context.Context, advertiserID, userID int64) ([]Voucher, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]Voucher, error) {
		if !s.sees(advertiserID, userID) {
			return nil, affiliate.NotFound("advertiser", advertiserID)
		}
		return tx.Vouchers().ByUser(ctx, advertiserID, userID)
	})
}

// DeleteVoucher takes a code back and returns what it was
// (user-voucher-code-delete). Orders that it brought stay as they are.
func (s *Service) DeleteVoucher(ctx context.Context, id int64) (Voucher, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Voucher, error) {
		v, err := tx.Vouchers().Get(ctx, id)
		if errors.Is(err, affiliate.ErrNotFound) || err == nil && !s.viewer.ActsFor(v.AdvertiserID) {
			return Voucher{}, affiliate.NotFound("voucher", id)
		}
		if err != nil {
			return Voucher{}, err
		}
		if err := tx.Vouchers().Delete(ctx, id); err != nil {
			return Voucher{}, err
		}
		return v, tx.Events().Add(ctx, v.event(EventVoucherDeleted, s.clock.Now()))
	})
}
