package payouts

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// PayoutProvider moves the money. Package bankfile writes files for a bank,
// package payoutstest records what it is given.
type PayoutProvider interface {
	// Pay pays a transfer. It may be called again with the same key: after a
	// failure, after a crash, or by two processes at once. It must then pay
	// nothing twice and return what it returned the first time. An error means
	// that it is not known what was paid: the transfer is given again later.
	Pay(ctx context.Context, t Transfer) ([]Receipt, error)
}

// Transfer is a number of payments that a provider pays together.
type Transfer struct {
	Key          string // of idempotency: "T202603-00001", at most 35 characters
	CreatedAt    time.Time
	Instructions []Instruction // at least one, by ascending payment id
}

// Instruction is one payment of a transfer.
type Instruction struct {
	Key           string // of idempotency, of this instruction alone: "T202603-00001-17"; at most 35 characters
	PaymentID     int64
	InvoiceNumber string
	Amount        affiliate.Money
	To            PayoutDetails // open
}

// Receipt is what became of one instruction.
type Receipt struct {
	PaymentID int64
	Reference string    // the provider's own; at most 255 characters
	PaidAt    time.Time // zero: not known yet; MarkPaid will say
	// Refused says why it was not and will not be paid; empty otherwise. The
	// payment waits for another transfer.
	Refused string
}

// SendInput says which payments are handed over.
type SendInput struct {
	Period   Period
	System   affiliate.Optional[int64] // of this payment system
	ClientID int64                     // of this client's users; 0: of all whose client does not pay them itself
	// Progress is called after each transfer; nil: it is not.
	Progress func(SendResult)
}

// SendResult counts what was handed over, and tells what was not.
type SendResult struct {
	Transfers int
	Payments  int // handed over
	Paid      int // of these, known to be paid
	Unsent    []Unsent
}

// Unsent is a payment that was not handed over.
type Unsent struct {
	PaymentID int64
	Reason    string // "no_details", "incomplete_details", "own_payment_system", or what the provider refused it for
}

// Send hands the invoiced payments of a period to a provider, in transfers of
// Options.Batch payments. A transfer and its key are kept before the provider
// sees it, so that Send may be killed at any point and run again: a transfer
// that has no receipts yet is given again under its key first. Only for the
// operator and, with its own ClientID, for a client.
func (s *Service) Send(ctx context.Context, provider PayoutProvider, in SendInput) (SendResult, error) {
	var out SendResult
	if err := s.managersOnly(); err != nil {
		return out, err
	}
	if _, err := ParsePeriod(string(in.Period)); err != nil {
		return out, err
	}
	f, ok := s.narrow(PaymentFilter{Period: in.Period, ClientID: in.ClientID, System: in.System, Status: Invoiced})
	if !ok {
		return out, nil
	}
	if err := s.resend(ctx, provider, f, in, &out); err != nil {
		return out, err
	}
	f.Assigned = affiliate.Some(false)
	for after, last := int64(0), false; !last; {
		a, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (assignment, error) { return s.assign(ctx, tx, f, after) })
		if err != nil {
			return out, err
		}
		after, last = a.after, a.last
		out.Unsent = append(out.Unsent, a.unsent...)
		if a.key == "" {
			continue
		}
		if err := s.transfer(ctx, provider, a.key, in, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// resend gives again every transfer that has no receipts.
func (s *Service) resend(ctx context.Context, provider PayoutProvider, f PaymentFilter, in SendInput, out *SendResult) error {
	f.Assigned, f.Sent = affiliate.Some(true), affiliate.Some(false)
	for {
		left, err := s.Payments(ctx, f, 0, 1)
		if err != nil || len(left) == 0 {
			return err
		}
		if err := s.transfer(ctx, provider, left[0].Transfer, in, out); err != nil {
			return err
		}
	}
}

// transferSeries is what the series of transfer keys begin with. No series of
// invoices has a colon.
const transferSeries = "transfer:"

// assignment is a new transfer, or none when the key is empty.
type assignment struct {
	key    string
	after  int64
	last   bool
	unsent []Unsent
}

// assign puts the next payments that can be paid into a transfer.
func (s *Service) assign(ctx context.Context, tx Tx, f PaymentFilter, after int64) (assignment, error) {
	a := assignment{after: after}
	payments, err := tx.Payments().Scan(ctx, f, after, s.batch)
	a.last = len(payments) < s.batch
	if err != nil || len(payments) == 0 {
		return a, err
	}
	userIDs, clientIDs := make([]int64, len(payments)), make([]int64, len(payments))
	for i, p := range payments {
		userIDs[i], clientIDs[i] = p.UserID, p.ClientID
	}
	a.after = payments[len(payments)-1].ID
	details, err := s.detailsOf(ctx, tx, userIDs)
	if err != nil {
		return a, err
	}
	clients, err := tx.Clients().GetMany(ctx, idset.Sorted(clientIDs))
	if err != nil {
		return a, err
	}
	paysItself := make(map[int64]bool)
	for _, c := range clients {
		paysItself[c.ID] = c.OwnPaymentSystem && f.ClientID == 0
	}
	var chosen []Payment
	for _, p := range payments {
		to, known := details[p.UserID]
		switch {
		case paysItself[p.ClientID]:
			a.unsent = append(a.unsent, Unsent{p.ID, "own_payment_system"})
		case !known:
			a.unsent = append(a.unsent, Unsent{p.ID, "no_details"})
		case !to.Complete():
			a.unsent = append(a.unsent, Unsent{p.ID, "incomplete_details"})
		default:
			chosen = append(chosen, p)
		}
	}
	if len(chosen) == 0 {
		return a, nil
	}
	first, err := tx.Invoices().Take(ctx, SeriesTake{Series: transferSeries + string(f.Period), Count: 1})
	if err != nil {
		return a, err
	}
	a.key = fmt.Sprintf("T%s-%05d", f.Period.compact(), first[0])
	for i := range chosen {
		chosen[i].Transfer = a.key
	}
	return a, tx.Payments().Update(ctx, chosen...)
}

// transfer gives a kept transfer to the provider, outside of any unit, and keeps
// its receipts.
func (s *Service) transfer(ctx context.Context, provider PayoutProvider, transferKey string, in SendInput, out *SendResult) error {
	t, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Transfer, error) { return s.load(ctx, tx, transferKey) })
	if err != nil || len(t.Instructions) == 0 {
		return err
	}
	receipts, err := provider.Pay(ctx, t)
	if err != nil {
		return fmt.Errorf("payouts: transfer %s: %w", transferKey, err)
	}
	settled, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (SendResult, error) {
		return s.settle(ctx, tx, transferKey, receipts)
	})
	if err != nil {
		return err
	}
	out.Transfers++
	out.Payments += settled.Payments
	out.Paid += settled.Paid
	out.Unsent = append(out.Unsent, settled.Unsent...)
	if in.Progress != nil {
		in.Progress(*out)
	}
	return nil
}

// unsettled returns the payments of a transfer that have no receipts. One that
// was marked as paid by hand meanwhile is not among them.
func unsettled(ctx context.Context, tx Tx, transferKey string) ([]Payment, error) {
	return tx.Payments().Scan(ctx, PaymentFilter{Transfer: transferKey, Status: Invoiced, Sent: affiliate.Some(false)}, 0, maxBatch)
}

// load returns a transfer as the provider gets it.
func (s *Service) load(ctx context.Context, tx Tx, transferKey string) (Transfer, error) {
	t := Transfer{Key: transferKey}
	payments, err := unsettled(ctx, tx, transferKey)
	if err != nil {
		return t, err
	}
	userIDs := make([]int64, len(payments))
	for i, p := range payments {
		userIDs[i] = p.UserID
	}
	details, err := s.detailsOf(ctx, tx, userIDs)
	if err != nil {
		return t, err
	}
	for _, p := range payments {
		t.CreatedAt = later(t.CreatedAt, p.InvoicedAt)
		t.Instructions = append(t.Instructions, Instruction{
			Key: transferKey + "-" + strconv.FormatInt(p.ID, 10), PaymentID: p.ID, InvoiceNumber: p.InvoiceNumber,
			Amount: p.Amount, To: details[p.UserID],
		})
	}
	return t, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// settle keeps the receipts of a transfer. A payment without a receipt counts
// as handed over.
func (s *Service) settle(ctx context.Context, tx Tx, transferKey string, receipts []Receipt) (SendResult, error) {
	var out SendResult
	payments, err := unsettled(ctx, tx, transferKey)
	if err != nil || len(payments) == 0 {
		return out, err
	}
	byPayment := make(map[int64]Receipt, len(receipts))
	for _, r := range receipts {
		byPayment[r.PaymentID] = r
	}
	now := s.clock.Now()
	var sent, paid, handedOver, refused []Payment
	for _, p := range payments {
		r := byPayment[p.ID]
		if r.Refused != "" {
			p.Transfer = ""
			out.Unsent = append(out.Unsent, Unsent{p.ID, r.Refused})
			sent, refused = append(sent, p), append(refused, p)
			continue
		}
		out.Payments++
		p.SentAt, p.Reference = now, r.Reference
		handedOver = append(handedOver, p)
		if !r.PaidAt.IsZero() && p.Status.to(Paid) {
			out.Paid++
			p.Status, p.PaidAt = Paid, r.PaidAt.UTC().Truncate(time.Microsecond)
			paid = append(paid, p)
			continue
		}
		sent = append(sent, p)
	}
	if err := tx.Payments().Update(ctx, sent...); err != nil {
		return out, err
	}
	events := append(paymentEvents(EventPaymentSent, handedOver, now), paymentEvents(EventPaymentRefused, refused, now)...)
	if err := tx.Events().Add(ctx, events...); err != nil {
		return out, err
	}
	return out, s.pay(ctx, tx, paid)
}
