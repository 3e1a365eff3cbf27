package payouts

import (
	"context"
	"errors"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// SetupStatus is whether an advertiser has a payment setup.
type SetupStatus string

// The states of a payment setup.
const (
	SetupMissing SetupStatus = "missing" // the advertiser has none
	SetupActive  SetupStatus = "active"
)

// PaymentSetup is how an advertiser pays: the name that a payment system has
// for it.
type PaymentSetup struct {
	AdvertiserID int64
	SetupID      string // 1..255 characters; empty when the status is missing
	Status       SetupStatus
	UpdatedAt    time.Time
}

// Validate checks what every backend refuses.
func (p PaymentSetup) Validate() error {
	var v affiliate.Validation
	v.Check(p.AdvertiserID > 0, "advertiser_id", "required", "is required")
	v.Text("payment_setup_id", p.SetupID, 1, 255)
	v.Check(p.Status == SetupActive, "status", "unknown_status", "must be active")
	return v.Err("payment_setup")
}

// Setup returns an advertiser's payment setup, with the status SetupMissing when
// there is none yet (advertiser-payment-setup-get). ErrNotFound for an
// advertiser that is not there or that the viewer does not act for.
func (s *Service) Setup(ctx context.Context, advertiserID int64) (PaymentSetup, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (PaymentSetup, error) {
		if err := s.advertiser(ctx, tx, advertiserID); err != nil {
			return PaymentSetup{}, err
		}
		setup, err := tx.PaymentSetups().Get(ctx, advertiserID)
		if errors.Is(err, affiliate.ErrNotFound) {
			return PaymentSetup{AdvertiserID: advertiserID, Status: SetupMissing}, nil
		}
		return setup, err
	})
}

// SetSetup keeps an advertiser's payment setup in place of the one that is
// there (advertiser-payment-setup-create, store-payment-update). ErrNotFound as
// for Setup.
func (s *Service) SetSetup(ctx context.Context, advertiserID int64, setupID string) (PaymentSetup, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (PaymentSetup, error) {
		if err := s.advertiser(ctx, tx, advertiserID); err != nil {
			return PaymentSetup{}, err
		}
		setup := PaymentSetup{AdvertiserID: advertiserID, SetupID: setupID, Status: SetupActive, UpdatedAt: s.clock.Now()}
		if err := tx.PaymentSetups().Put(ctx, setup); err != nil {
			return setup, err
		}
		return setup, tx.Events().Add(ctx, EventSetupSet.On(advertiserID, setup.UpdatedAt).Of(advertiserID, 0))
	})
}

// advertiser is ErrNotFound unless the viewer acts for the advertiser.
func (s *Service) advertiser(ctx context.Context, tx Tx, id int64) error {
	if !s.viewer.ActsFor(id) {
		return affiliate.NotFound("advertiser", id)
	}
	_, err := tx.Advertisers().Get(ctx, id)
	return err
}
