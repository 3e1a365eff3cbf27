package payouts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Renderer makes an invoice into a file. Package invoicepdf makes PDFs. It must
// be safe for concurrent use, and make the same bytes of the same document.
type Renderer interface {
	Render(w io.Writer, d Document) error
	// Extension is that of the file, with its dot: ".pdf".
	Extension() string
}

// Options sets up a Service. The zero Options work, but for what they say.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// Keys encrypt payout details and the parties of invoices. The first seals,
	// all open. Without keys no payout details can be kept.
	Keys   []Key
	Random io.Reader // where nonces come from; default: crypto/rand
	// Series names the series of invoice numbers for a user: whoever the invoice
	// is in the name of. 1..32 of A to Z, 0 to 9; a backend counts each series
	// without gaps. Default: one series a creator, who is the seller of a
	// self-billing invoice: "U17". It must be a pure function.
	Series func(u affiliate.User) string
	// Buyer is who pays and writes the invoices.
	Buyer Party
	// InvoiceNote is printed below each invoice; at most 1000 characters.
	InvoiceNote string
	// Renderer makes the files of InvoicesZIP, which is ErrUnavailable without it.
	Renderer Renderer
	// KeepInvoicesYears is how long invoices must be kept after the year that
	// they are of, 1..100; default: 10. Erase says so.
	KeepInvoicesYears int
	// Batch is how many rows a unit of a run takes, 1..1000; default: 500.
	Batch int
}

// Service holds the rules of payouts. It is safe for concurrent use.
//
// Callers in the same process are trusted: without [Service.For] it acts for
// the operator.
type Service struct {
	store  Store
	opts   Options
	clock  affiliate.Clock
	keys   *keyring
	batch  int
	viewer affiliate.Viewer
}

const (
	defaultBatch     = 500
	maxBatch         = 1000
	defaultKeepYears = 10
	maxNote          = 1000
)

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("payouts: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.Batch < 1 || o.Batch > maxBatch {
		return nil, errors.New("payouts: Options.Batch must be between 1 and 1000")
	}
	if o.KeepInvoicesYears == 0 {
		o.KeepInvoicesYears = defaultKeepYears
	}
	if o.KeepInvoicesYears < 1 || o.KeepInvoicesYears > 100 {
		return nil, errors.New("payouts: Options.KeepInvoicesYears must be between 1 and 100")
	}
	if o.Series == nil {
		o.Series = func(u affiliate.User) string { return "U" + strconv.FormatInt(u.ID, 10) }
	}
	var v affiliate.Validation
	v.Text("InvoiceNote", o.InvoiceNote, 0, maxNote)
	if err := v.Err("options"); err != nil {
		return nil, fmt.Errorf("payouts: %w", err)
	}
	keys, err := newKeyring(o.Keys, o.Random)
	if err != nil {
		return nil, err
	}
	return &Service{store: store, opts: o, clock: o.Clock, keys: keys, batch: o.Batch}, nil
}

// For returns the service as a viewer sees it. Payments, invoices, payout
// details and payment systems are the operator's, and a client's where they are
// of its own users; a creator sees what is its own. Payment setups are those
// of the advertisers that the viewer acts for. Whatever else is not there.
func (s *Service) For(v affiliate.Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}

// clientOf returns the client that the viewer is bound to; 0: to none.
func (s *Service) clientOf() int64 {
	if p := s.viewer.Principal(); p.Role == affiliate.RoleClient {
		return p.ClientID
	}
	return 0
}

// operatorOnly refuses everybody else.
func (s *Service) operatorOnly() error {
	if !s.viewer.IsOperator() {
		return affiliate.Forbidden("only the operator may do this")
	}
	return nil
}

// managersOnly refuses everybody but the operator and clients.
func (s *Service) managersOnly() error {
	p := s.viewer.Principal()
	if s.viewer.IsOperator() || p.Role == affiliate.RoleClient && p.ClientID > 0 {
		return nil
	}
	return affiliate.Forbidden("only the operator or a client may do this")
}

// seesUser reports whether the viewer may see the user's payments.
func (s *Service) seesUser(u affiliate.User) bool {
	p := s.viewer.Principal()
	return s.viewer.IsOperator() || p.Role == affiliate.RoleClient && p.ClientID > 0 && p.ClientID == u.ClientID ||
		p.Role == affiliate.RoleCreator && p.UserID == u.ID
}

// sees reports whether the viewer may see the payment.
func (s *Service) sees(p Payment) bool {
	return s.seesUser(affiliate.User{ID: p.UserID, ClientID: p.ClientID})
}

// user returns a user that the viewer may see.
func (s *Service) user(ctx context.Context, tx Tx, id int64) (affiliate.User, error) {
	u, err := tx.Users().Get(ctx, id)
	if err == nil && !s.seesUser(u) {
		return affiliate.User{}, affiliate.NotFound("user", id)
	}
	return u, err
}

// Payment returns one payment. ErrNotFound when it is not the viewer's.
func (s *Service) Payment(ctx context.Context, id int64) (Payment, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Payment, error) {
		return s.payment(ctx, tx, id)
	})
}

func (s *Service) payment(ctx context.Context, tx Tx, id int64) (Payment, error) {
	found, err := tx.Payments().GetMany(ctx, []int64{id})
	if err != nil {
		return Payment{}, err
	}
	if len(found) == 0 || !s.sees(found[0]) {
		return Payment{}, affiliate.NotFound("payment", id)
	}
	return found[0], nil
}

// Payments returns at most limit payments with an id greater than after that
// the viewer may see, by ascending id. limit is 1..1000.
func (s *Service) Payments(ctx context.Context, f PaymentFilter, after int64, limit int) ([]Payment, error) {
	if limit < 1 || limit > affiliate.MaxPageSize {
		return nil, affiliate.Invalid("payment", affiliate.FieldError{Field: "limit", Code: "out_of_range", Message: "must be between 1 and 1000"})
	}
	f, ok := s.narrow(f)
	if !ok {
		return nil, nil
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Payment, error) {
		return tx.Payments().Scan(ctx, f, after, limit)
	})
}

// narrow limits a filter to what the viewer may see; false: to nothing.
func (s *Service) narrow(f PaymentFilter) (PaymentFilter, bool) {
	p := s.viewer.Principal()
	switch {
	case s.viewer.IsOperator():
		return f, true
	case p.Role == affiliate.RoleClient && p.ClientID > 0 && (f.ClientID == 0 || f.ClientID == p.ClientID):
		f.ClientID = p.ClientID
		return f, true
	case p.Role == affiliate.RoleCreator && p.UserID > 0 && (f.UserID == 0 || f.UserID == p.UserID):
		f.UserID = p.UserID
		return f, true
	}
	return f, false
}

// series returns the series of a user's invoices, checked.
func (s *Service) series(u affiliate.User) (string, error) {
	series := s.opts.Series(u)
	if series == "" || len(series) > maxSeries || !upperAlphanumeric(series) {
		return "", fmt.Errorf("payouts: Options.Series made %q: it must be 1..32 of A to Z, 0 to 9", strings.ToValidUTF8(series, "?"))
	}
	return series, nil
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store = store
	return &in
}
