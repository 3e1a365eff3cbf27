package stats

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// RecordPayment counts an entry that pays a participation or a one-time payment,
// or one that takes such an entry back: original is then the entry that it
// reverses, and the entry itself otherwise. Entries of other kinds are no
// payments and count nothing. An action for the unit that books the entry.
func RecordPayment(ctx context.Context, tx Tx, original, e affiliate.Entry) error {
	fact, ok, err := paymentFact(original, e)
	if err != nil || !ok {
		return err
	}
	a, err := tx.Advertisers().Get(ctx, original.AdvertiserID)
	if err != nil {
		return err
	}
	fact.Day = DayOf(original.OccurredAt, &a)
	return Record(ctx, tx, fact)
}

// paymentFact returns the fact of an entry, without its day; false when the
// entry is no payment.
func paymentFact(original, e affiliate.Entry) (fact Fact, ok bool, err error) {
	if original.Kind != affiliate.EntryParticipation && original.Kind != affiliate.EntryOneTime {
		return fact, false, nil
	}
	id, isUser := strings.CutPrefix(string(original.Account), "user:")
	userID, err := strconv.ParseInt(id, 10, 64)
	if !isUser || err != nil {
		return fact, false, nil
	}
	var terms struct {
		OfferID int64 `json:"offer_id"`
	}
	if original.Terms != "" {
		if err := json.Unmarshal([]byte(original.Terms), &terms); err != nil {
			return fact, false, fmt.Errorf("stats: terms of entry %d: %w", original.ID, err)
		}
	}
	fact = Fact{
		Kind: PaymentMade, AdvertiserID: original.AdvertiserID, OfferID: terms.OfferID, UserID: userID,
		Earning: e.Earning, Cost: e.Cost,
	}
	if e.Kind == affiliate.EntryReversal {
		fact.Kind = PaymentReversed
	}
	return fact, true, nil
}

// VerifyPayments recounts the payments from the ledger. It reads the whole ledger
// in pages; memory grows with the roll-ups.
func VerifyPayments(ctx context.Context, tx Tx) ([]affiliate.Difference, error) {
	recount := NewRecount(PaymentPart)
	for after := int64(0); ; {
		entries, err := tx.Ledger().Scan(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		if err := recountPayments(ctx, tx, recount, entries); err != nil {
			return nil, err
		}
		if len(entries) < verifyPage {
			return recount.Verify(ctx, tx)
		}
		after = entries[len(entries)-1].ID
	}
}

func recountPayments(ctx context.Context, tx Tx, recount *Recount, entries []affiliate.Entry) error {
	var reversed []int64
	for _, e := range entries {
		if e.Kind == affiliate.EntryReversal {
			reversed = append(reversed, e.Reverses)
		}
	}
	originals := map[int64]affiliate.Entry{}
	if len(reversed) > 0 {
		found, err := tx.Ledger().GetMany(ctx, idset.Sorted(reversed))
		if err != nil {
			return err
		}
		for _, e := range found {
			originals[e.ID] = e
		}
	}
	var facts []Fact
	var at []time.Time
	var advertisers []int64
	for _, e := range entries {
		original := e
		if e.Kind == affiliate.EntryReversal {
			original = originals[e.Reverses]
		}
		fact, ok, err := paymentFact(original, e)
		if err != nil {
			return err
		}
		if ok {
			facts, at, advertisers = append(facts, fact), append(at, original.OccurredAt), append(advertisers, fact.AdvertiserID)
		}
	}
	if len(facts) == 0 {
		return nil
	}
	found, err := tx.Advertisers().GetMany(ctx, idset.Sorted(advertisers))
	if err != nil {
		return err
	}
	byID := make(map[int64]affiliate.Advertiser, len(found))
	for _, a := range found {
		byID[a.ID] = a
	}
	for n := range facts {
		a := byID[facts[n].AdvertiserID]
		facts[n].Day = DayOf(at[n], &a)
	}
	return recount.Add(facts...)
}
