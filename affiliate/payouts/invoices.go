package payouts

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func invoicePlace(paymentID int64) string {
	return "invoice:" + strconv.FormatInt(paymentID, 10)
}

// number takes invoice numbers for open payments, in their order, and makes the
// payments Invoiced. The invoices still lack their payments' ids.
func (s *Service) number(ctx context.Context, tx Tx, payments []Payment, users map[int64]affiliate.User) ([]Invoice, error) {
	var takes []SeriesTake
	at := make(map[string]int)
	series := make([]string, len(payments))
	for i, p := range payments {
		var err error
		if series[i], err = s.series(users[p.UserID]); err != nil {
			return nil, err
		}
		n, ok := at[series[i]]
		if !ok {
			n, takes = len(takes), append(takes, SeriesTake{Series: series[i]})
			at[series[i]] = n
		}
		takes[n].Count++
	}
	first, err := tx.Invoices().Take(ctx, takes...)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	invoices := make([]Invoice, len(payments))
	for i := range payments {
		p, n := &payments[i], at[series[i]]
		if !p.Status.to(Invoiced) {
			return nil, illegal(*p, Invoiced)
		}
		invoices[i] = Invoice{PaymentID: p.ID, Series: series[i], Serial: first[n], IssuedAt: now}
		first[n]++
		p.Status, p.InvoiceNumber, p.InvoicedAt = Invoiced, invoices[i].Number(), now
	}
	return invoices, nil
}

// addInvoices freezes the parties of invoices, which are in step with their
// payments, and keeps them.
func (s *Service) addInvoices(ctx context.Context, tx Tx, payments []Payment, invoices []Invoice, users map[int64]affiliate.User) error {
	if len(invoices) == 0 {
		return nil
	}
	ids := make([]int64, len(payments))
	for i, p := range payments {
		ids[i] = p.UserID
	}
	details, err := s.detailsOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	for i, p := range payments {
		u := users[p.UserID]
		parties := Parties{Seller: Party{Name: displayName(u), Email: u.Email}, Buyer: s.opts.Buyer}
		if d, ok := details[p.UserID]; ok && d.Complete() {
			parties.Seller, parties.Account = d.party(), d.shownAccount()
			parties.Seller.Email = u.Email
		}
		invoices[i].PaymentID = p.ID
		if invoices[i].Parties, err = s.keys.seal(invoicePlace(p.ID), parties); err != nil {
			return err
		}
	}
	return tx.Invoices().Add(ctx, invoices...)
}

func displayName(u affiliate.User) string {
	if u.DisplayName != "" {
		return u.DisplayName
	}
	return u.Username
}

// issue gives open payments their invoices.
func (s *Service) issue(ctx context.Context, tx Tx, payments []Payment) error {
	ids := make([]int64, len(payments))
	for i, p := range payments {
		ids[i] = p.UserID
	}
	found, err := tx.Users().GetMany(ctx, ids)
	if err != nil {
		return err
	}
	users := make(map[int64]affiliate.User, len(found))
	for _, u := range found {
		users[u.ID] = u
	}
	invoices, err := s.number(ctx, tx, payments, users)
	if err != nil {
		return err
	}
	if err := tx.Payments().Update(ctx, payments...); err != nil {
		return err
	}
	if err := s.addInvoices(ctx, tx, payments, invoices, users); err != nil {
		return err
	}
	return tx.Events().Add(ctx, paymentEvents(EventPaymentInvoiced, payments, s.clock.Now())...)
}

// CreateInvoice gives a payment its invoice, unless it has one, and returns it
// (payment-generate-creator-invoice). ErrNotFound when it is not the viewer's.
func (s *Service) CreateInvoice(ctx context.Context, paymentID int64) (Payment, error) {
	if err := s.managersOnly(); err != nil {
		return Payment{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Payment, error) {
		p, err := s.payment(ctx, tx, paymentID)
		if err != nil || p.Status != Open {
			return p, err
		}
		one := []Payment{p}
		err = s.issue(ctx, tx, one)
		return one[0], err
	})
}

// IssueInvoices gives all open payments of a period that the viewer may see
// their invoices and returns how many. It may be stopped at any point, run
// again, and run by several processes at once, like Run.
func (s *Service) IssueInvoices(ctx context.Context, period Period) (int, error) {
	if err := s.managersOnly(); err != nil {
		return 0, err
	}
	if _, err := ParsePeriod(string(period)); err != nil {
		return 0, err
	}
	f, ok := s.narrow(PaymentFilter{Period: period})
	if !ok {
		return 0, nil
	}
	total := 0
	err := s.issueOpen(ctx, f, func(n int) { total += n })
	return total, err
}

// issueOpen gives the open payments of a filter their invoices.
func (s *Service) issueOpen(ctx context.Context, f PaymentFilter, done func(int)) error {
	f.Status = Open
	failed := 0
	for {
		n, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (int, error) {
			// From the beginning each time: what a unit invoiced is not open any more.
			payments, err := tx.Payments().Scan(ctx, f, 0, s.batch)
			if err != nil || len(payments) == 0 {
				return 0, err
			}
			return len(payments), s.issue(ctx, tx, payments)
		})
		switch {
		case err == nil:
			failed = 0
			if n > 0 {
				done(n)
			}
			if n < s.batch {
				return nil
			}
		case ctx.Err() == nil && collided(err) && failed < runAttempts:
			failed++
		default:
			return err
		}
	}
}

// Document returns the invoice of a payment as it is shown. ErrNotFound when the
// payment is not the viewer's, or has none yet.
func (s *Service) Document(ctx context.Context, paymentID int64) (Document, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Document, error) {
		p, err := s.payment(ctx, tx, paymentID)
		if err != nil {
			return Document{}, err
		}
		docs, err := s.documents(ctx, tx, []Payment{p})
		if err == nil && len(docs) == 0 {
			err = affiliate.NotFound("invoice", paymentID)
		}
		if err != nil {
			return Document{}, err
		}
		return docs[0], nil
	})
}

// documents returns the invoices of payments; those that are open have none.
func (s *Service) documents(ctx context.Context, tx Tx, payments []Payment) ([]Document, error) {
	ids := make([]int64, len(payments))
	for i, p := range payments {
		ids[i] = p.ID
	}
	invoices, err := tx.Invoices().GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	byPayment := make(map[int64]Invoice, len(invoices))
	for _, i := range invoices {
		byPayment[i.PaymentID] = i
	}
	var out []Document
	for _, p := range payments {
		i, ok := byPayment[p.ID]
		if !ok {
			continue
		}
		d := Document{
			Number: p.InvoiceNumber, Period: p.Period, IssuedAt: i.IssuedAt,
			Lines: lines(p), Total: p.Amount, Note: s.opts.InvoiceNote,
		}
		if err := s.keys.open(invoicePlace(p.ID), i.Parties, &d.Parties); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// zipBatch is how many invoices InvoicesZIP holds at a time.
const zipBatch = 100

// InvoicesZIP returns what writes the invoices of a period that the viewer may
// see as a ZIP of files named by their numbers, empty when there are none
// (payment-invoices-zip). The first invoices are read before it returns; the
// others while it writes, so that memory does not grow with the month. The same
// invoices are the same bytes. Without a renderer it is ErrUnavailable
// "not_configured".
func (s *Service) InvoicesZIP(ctx context.Context, period Period) (func(w io.Writer) error, error) {
	if err := s.managersOnly(); err != nil {
		return nil, err
	}
	if _, err := ParsePeriod(string(period)); err != nil {
		return nil, err
	}
	if s.opts.Renderer == nil {
		return nil, &affiliate.Error{Kind: affiliate.ErrUnavailable, Code: "not_configured", Resource: "invoice", Message: "the service has no renderer for invoices"}
	}
	after := int64(0)
	next := func() (docs []Document, last bool, err error) {
		payments, err := s.Payments(ctx, PaymentFilter{Period: period}, after, zipBatch)
		if err != nil || len(payments) == 0 {
			return nil, true, err
		}
		after = payments[len(payments)-1].ID
		docs, err = affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Document, error) {
			return s.documents(ctx, tx, payments)
		})
		return docs, len(payments) < zipBatch, err
	}
	docs, last, err := next()
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for {
			for _, d := range docs {
				if err := s.addFile(archive, d); err != nil {
					return err
				}
			}
			if last {
				return archive.Close()
			}
			if docs, last, err = next(); err != nil {
				return err
			}
		}
	}, nil
}

func (s *Service) addFile(archive *zip.Writer, d Document) error {
	file, err := archive.CreateHeader(&zip.FileHeader{
		Name: d.Number + s.opts.Renderer.Extension(), Method: zip.Deflate, Modified: d.IssuedAt.UTC().Truncate(time.Second),
	})
	if err != nil {
		return fmt.Errorf("payouts: invoice %s: %w", d.Number, err)
	}
	if err := s.opts.Renderer.Render(file, d); err != nil {
		return fmt.Errorf("payouts: invoice %s: %w", d.Number, err)
	}
	return nil
}

// justBefore returns the last instant of a period: what is payable then.
func justBefore(p Period) time.Time { return p.End().Add(-time.Microsecond) }
