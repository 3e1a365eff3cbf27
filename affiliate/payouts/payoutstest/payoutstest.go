// Package payoutstest has a payment provider for tests: it moves no money and
// remembers what it was given.
package payoutstest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

// Recorder is a payouts.PayoutProvider that records transfers. Its zero value is
// ready and safe for concurrent use.
type Recorder struct {
	// Receipt makes the receipt of an instruction that was not given before;
	// default: paid now, with the instruction's key as its reference.
	Receipt func(payouts.Instruction) payouts.Receipt
	// Before is called before a transfer is recorded, After afterwards: their
	// error is what Pay returns. nil: nothing is called.
	Before, After func(payouts.Transfer) error

	mu    sync.Mutex
	calls int
	paid  map[string]payouts.Receipt // by the key of the instruction
	order []payouts.Instruction
}

var _ payouts.PayoutProvider = (*Recorder)(nil)

// Pay records what was not given before and returns the receipts that it
// returned the first time.
func (r *Recorder) Pay(_ context.Context, t payouts.Transfer) ([]payouts.Receipt, error) {
	if r.Before != nil {
		if err := r.Before(t); err != nil {
			return nil, err
		}
	}
	receipts := r.record(t)
	if r.After != nil {
		if err := r.After(t); err != nil {
			return nil, err
		}
	}
	return receipts, nil
}

func (r *Recorder) record(t payouts.Transfer) []payouts.Receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.paid == nil {
		r.paid = make(map[string]payouts.Receipt)
	}
	receipts := make([]payouts.Receipt, len(t.Instructions))
	for i, in := range t.Instructions {
		receipt, known := r.paid[in.Key]
		if !known {
			receipt = payouts.Receipt{PaymentID: in.PaymentID, Reference: in.Key, PaidAt: time.Now()}
			if r.Receipt != nil {
				receipt = r.Receipt(in)
			}
			r.paid[in.Key] = receipt
			if receipt.Refused == "" {
				r.order = append(r.order, in)
			}
		}
		receipts[i] = receipt
	}
	return receipts
}

// Paid returns the instructions that were carried out, in order.
func (r *Recorder) Paid() []payouts.Instruction {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order)
}

// Calls returns how often Pay was called and got as far as to record.
func (r *Recorder) Calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}
