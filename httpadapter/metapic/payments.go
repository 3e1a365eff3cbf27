package metapic

import (
	"context"
	"net/http"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// payoutsOf are the payouts as the principal sees them.
func (s *server) payoutsOf(p affiliate.Principal) *payouts.Service {
	return s.payouts.For(affiliate.ViewerOf(p))
}

// paymentSetup is how an advertiser pays.
type paymentSetup struct {
	ID     *string `json:"payment_setup_id"`
	Status string  `json:"status"`
}

func showSetup(p payouts.PaymentSetup) paymentSetup {
	out := paymentSetup{Status: string(p.Status)}
	if p.SetupID != "" {
		out.ID = &p.SetupID
	}
	return out
}

func (s *server) getPaymentSetup(ctx context.Context, p affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser_id"`
}) (paymentSetup, error) {
	setup, err := s.payoutsOf(p).Setup(ctx, in.AdvertiserID)
	return showSetup(setup), err
}

type setupInput struct {
	SetupID string `json:"payment_setup_id" required:"true" max:"255"`
}

func (s *server) createPaymentSetup(ctx context.Context, p affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser_id"`
	setupInput
}) (paymentSetup, error) {
	setup, err := s.payoutsOf(p).SetSetup(ctx, in.AdvertiserID, in.SetupID)
	return showSetup(setup), err
}

// updateStorePayment changes the same record under the store's path.
func (s *server) updateStorePayment(ctx context.Context, p affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser"`
	setupInput
}) (paymentSetup, error) {
	setup, err := s.payoutsOf(p).SetSetup(ctx, in.AdvertiserID, in.SetupID)
	return showSetup(setup), err
}

func (s *server) getPaymentInvoices(ctx context.Context, p affiliate.Principal, in struct {
	Period string `query:"payment_period" json:"payment_period" required:"true" max:"7"`
}) (wire.Stream, error) {
	period, err := payouts.ParsePeriod(in.Period)
	if err != nil {
		return wire.Stream{}, err
	}
	write, err := s.payoutsOf(p).InvoicesZIP(ctx, period)
	if err != nil {
		return wire.Stream{}, err
	}
	return wire.Stream{
		ContentType: "application/zip",
		Header:      http.Header{"Content-Disposition": {`attachment; filename="invoices-` + string(period) + `.zip"`}},
		Write:       write,
	}, nil
}

// maxUploadBytes bounds an uploaded list: 10 MiB hold far more than the rows
// that are read.
const maxUploadBytes = 10 << 20

type uploadInput struct {
	File wire.File `json:"file" required:"true"`
}

// skippedRow is a row of an upload that was not applied.
type skippedRow struct {
	Row    int    `json:"row"`
	Reason string `json:"reason"`
}

func showSkippedRow(s payouts.Skipped) skippedRow { return skippedRow{Row: s.Row, Reason: s.Reason} }

type paidUpload struct {
	Paid    int          `json:"paid"`
	Skipped []skippedRow `json:"skipped"`
}

func (s *server) markInvoicesAsPaid(ctx context.Context, p affiliate.Principal, in uploadInput) (paidUpload, error) {
	content, err := laravel.Picture(in.File)
	if err != nil {
		return paidUpload{}, err
	}
	up, err := s.payoutsOf(p).MarkPaid(ctx, content)
	return paidUpload{up.Applied, laravel.ShowAll(up.Skipped, showSkippedRow)}, err
}

type matchedUpload struct {
	Matched int          `json:"matched"`
	Skipped []skippedRow `json:"skipped"`
}

func (s *server) uploadAXIDs(ctx context.Context, p affiliate.Principal, in uploadInput) (matchedUpload, error) {
	content, err := laravel.Picture(in.File)
	if err != nil {
		return matchedUpload{}, err
	}
	up, err := s.payoutsOf(p).MatchAXIDs(ctx, content)
	return matchedUpload{up.Applied, laravel.ShowAll(up.Skipped, showSkippedRow)}, err
}

// creatorInvoice is a payment with its invoice.
type creatorInvoice struct {
	ID            int64  `json:"id"`
	InvoiceNumber string `json:"invoice_number"`
	Status        string `json:"status"`
}

func (s *server) generateCreatorInvoice(ctx context.Context, p affiliate.Principal, in struct {
	PaymentID int64 `path:"paymentId"`
}) (creatorInvoice, error) {
	payment, err := s.payoutsOf(p).CreateInvoice(ctx, in.PaymentID)
	return creatorInvoice{payment.ID, payment.InvoiceNumber, string(payment.Status)}, err
}

// systemConfig says which payment system holds for whom from a day on.
type systemConfig struct {
	Date       string `json:"date"`
	ClientID   *int64 `json:"client_id"`
	UserID     *int64 `json:"user_id"`
	System     int64  `json:"system"`
	IgnoreLock bool   `json:"ignore_lock"`
	Locked     bool   `json:"locked"`
}

func showSystem(c payouts.SystemSetting) systemConfig {
	return systemConfig{
		Date: c.Date.Format(time.DateOnly), ClientID: laravel.IDOrNull(c.ClientID), UserID: laravel.IDOrNull(c.UserID),
		System: c.System, IgnoreLock: c.IgnoreLock, Locked: c.Locked,
	}
}

func (s *server) listSystems(ctx context.Context, p affiliate.Principal, in struct {
	Date     time.Time `query:"date"`
	ClientID int64     `query:"client_id" min:"1"`
	UserID   int64     `query:"user_id" min:"1"`
}) ([]systemConfig, error) {
	list, err := s.payoutsOf(p).Systems(ctx, payouts.SystemFilter{Date: in.Date, ClientID: in.ClientID, UserID: in.UserID})
	return laravel.ShowAll(list, showSystem), err
}

func (s *server) updateSystem(ctx context.Context, p affiliate.Principal, in struct {
	Date       time.Time `json:"date" required:"true"`
	ClientID   int64     `json:"client_id" min:"1"`
	UserID     int64     `json:"user_id" min:"1"`
	System     *int64    `json:"system" required:"true" min:"0" max:"1000000"`
	IgnoreLock bool      `json:"ignore_lock"`
}) ([]systemConfig, error) {
	list, err := s.payoutsOf(p).SetSystem(ctx, payouts.SystemConfig{
		Date: in.Date, ClientID: in.ClientID, UserID: in.UserID, System: *in.System, IgnoreLock: in.IgnoreLock,
	})
	return laravel.ShowAll(list, showSystem), err
}
