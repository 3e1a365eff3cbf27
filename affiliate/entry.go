package affiliate

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// EntryKind says what a ledger entry is for.
type EntryKind string

// The kinds of entries.
const (
	EntryClick         EntryKind = "click"
	EntryOrder         EntryKind = "order"
	EntryParticipation EntryKind = "participation"
	EntryOneTime       EntryKind = "one_time"
	EntryDeal          EntryKind = "deal"
	EntryAdjustment    EntryKind = "adjustment"
	EntryReversal      EntryKind = "reversal"
	EntryPayout        EntryKind = "payout"
)

func (k EntryKind) valid() bool {
	switch k {
	case EntryClick, EntryOrder, EntryParticipation, EntryOneTime, EntryDeal, EntryAdjustment, EntryReversal, EntryPayout:
		return true
	}
	return false
}

// Account names whose earning an entry is: "user:17", "partner:0190…".
type Account string

// UserAccount is the account of a user.
func UserAccount(id int64) Account { return Account("user:" + strconv.FormatInt(id, 10)) }

// PartnerAccount is the account of a business partner of deals.
func PartnerAccount(id string) Account { return Account("partner:" + id) }

// Entry is one line of the ledger, the source of every amount. Entries are
// only ever appended: what was wrong is reversed by another entry.
type Entry struct {
	ID           int64
	Kind         EntryKind
	Account      Account // 1..64 characters
	AdvertiserID int64   // who pays the cost, 0: nobody
	Earning      Money   // of the account; negative for reversals and payouts
	Cost         Money   // of the advertiser, in the same currency
	OccurredAt   time.Time
	PayableAt    time.Time // from when the earning may be paid; not before OccurredAt unless it is a reversal
	// Cause is what the entry comes from, "click:0190…"; unique over the whole
	// ledger, so that nothing is booked twice. 1..128 characters.
	Cause string
	// Terms are what the amounts were computed from, as JSON, frozen: a later
	// change of rates never changes them. At most 4096 characters.
	Terms string
	// Reverses is the entry that a reversal takes back, wholly or in part; 0
	// for every other kind.
	Reverses int64
}

// Validate checks what every backend refuses.
func (e Entry) Validate() error {
	var v Validation
	v.Check(e.Kind.valid(), "kind", "unknown_kind", "must be a known kind of entry")
	v.Text("account", string(e.Account), 1, 64)
	v.Text("cause", e.Cause, 1, 128)
	v.Text("terms", e.Terms, 0, 4096)
	v.Check(e.Earning.Currency().Valid(), "earning", "unknown_currency", "must have an ISO 4217 currency")
	v.Check(e.Earning.Currency() == e.Cost.Currency(), "cost", "currency_mismatch", "must be in the currency of the earning")
	v.Check((e.Kind == EntryReversal) == (e.Reverses != 0), "reverses", "reversal_mismatch", "must be set for a reversal and only then")
	v.Check(!e.OccurredAt.IsZero(), "occurred_at", "required", "is required")
	v.Check(!e.PayableAt.IsZero(), "payable_at", "required", "is required")
	return v.Err("entry")
}

// Balance is what an account has in one currency at one instant:
// the sum of its entries, split by when they become payable.
type Balance struct {
	Account  Account
	Currency Currency
	Pending  Money // earned, payable later
	Payable  Money // earned, payable now, not yet paid; negative after a refund that followed a payout
	Paid     Money // paid out
}

// Total is the running sum over all entries of an account in one currency,
// kept in the unit that appends them.
type Total struct {
	Account  Account
	Currency Currency
	Earned   int64 // minor units: earnings of all entries but payouts
	Paid     int64 // minor units: what payouts took, as a positive number
	Cost     int64 // minor units
	Entries  int64 // how many
}

// Apply adds an entry to the total. It fails when a sum leaves 64 bits.
func (t *Total) Apply(e Entry) error {
	earned, paid := e.Earning.Minor(), int64(0)
	if e.Kind == EntryPayout {
		if earned == math.MinInt64 { // its negation overflows
			return totalOverflow()
		}
		earned, paid = 0, -earned
	}
	return t.Add(Total{Earned: earned, Paid: paid, Cost: e.Cost.Minor(), Entries: 1})
}

// Add adds another total's sums. It fails when a sum leaves 64 bits.
func (t *Total) Add(other Total) error {
	for _, s := range []struct {
		sum *int64
		add int64
	}{{&t.Earned, other.Earned}, {&t.Paid, other.Paid}, {&t.Cost, other.Cost}, {&t.Entries, other.Entries}} {
		next := *s.sum + s.add
		if (s.add > 0) != (next > *s.sum) && s.add != 0 {
			return totalOverflow()
		}
		*s.sum = next
	}
	return nil
}

// SumEntries validates the entries and adds them up, for a backend that keeps
// totals: one for each account and currency, in the order of both. It fails when
// a sum leaves 64 bits.
func SumEntries(entries []Entry) ([]Total, error) {
	type key struct {
		account  Account
		currency Currency
	}
	var totals []Total
	places := make(map[key]int)
	for i := range entries {
		e := &entries[i]
		if err := e.Validate(); err != nil {
			return nil, err
		}
		k := key{e.Account, e.Earning.Currency()}
		place, ok := places[k]
		if !ok {
			place = len(totals)
			places[k] = place
			totals = append(totals, Total{Account: k.account, Currency: k.currency})
		}
		if err := totals[place].Apply(*e); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(totals, func(a, b Total) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Currency, b.Currency))
	})
	return totals, nil
}

func totalOverflow() error {
	return &Error{Kind: ErrInvalid, Code: "overflow", Resource: "entry", Message: "the account's total leaves the range of 64 bits"}
}
