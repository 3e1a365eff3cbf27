package payouts

import (
	"context"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// PayoutDetails are where a user is paid to, and what an invoice of theirs must
// show. They are only ever kept sealed.
//
// An advertiser enters them bit by bit (UpdateAdvertiserUser), so they may be
// kept while they are incomplete. Nothing is sent to incomplete ones: see
// Complete.
type PayoutDetails struct {
	UserID     int64
	Name       string // of the account's holder; 1..140 characters
	Company    string // at most 140 characters; empty for a private person
	VATNumber  string // at most 32 characters
	Street     string // at most 140 characters
	PostalCode string // at most 16 characters
	City       string // at most 70 characters
	Country    string // ISO 3166-1 alpha-2
	IBAN       string // without spaces, upper case; or Account, where there is no IBAN
	BIC        string // 8 or 11 characters, or empty
	Account    string // an account number that is no IBAN, at most 34 characters
	BankName   string // at most 140 characters, as the next six; only shown
	BankCode   string
	BankType   string
	Business   string // what kind of business it is
	NationalID string // social security number
	CompanyID  string // the number of the company in its register
	VATStatus  string // whether VAT is to be paid
	UpdatedAt  time.Time
}

// normalized returns the details as they are kept: an IBAN as people write it,
// in groups of four, becomes one word.
func (d PayoutDetails) normalized() PayoutDetails {
	for _, s := range []*string{&d.IBAN, &d.BIC, &d.Country} {
		*s = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(*s), " ", ""))
	}
	for _, s := range []*string{&d.Name, &d.Company, &d.VATNumber, &d.Street, &d.PostalCode, &d.City, &d.Account, &d.BankName, &d.BankCode, &d.BankType, &d.Business, &d.NationalID, &d.CompanyID, &d.VATStatus} {
		*s = strings.TrimSpace(*s)
	}
	return d
}

// Complete reports whether a payment can be sent to the details.
func (d PayoutDetails) Complete() bool { return d.Validate() == nil }

// Validate checks what a bank would refuse at once.
func (d PayoutDetails) Validate() error {
	var v affiliate.Validation
	v.Merge("", d.validateBounds())
	v.Check(d.Name != "", "name", "required", "is required")
	v.Check(validCountry(d.Country), "country", "invalid_country", "must be two letters, A to Z")
	v.Check(d.IBAN == "" || validIBAN(d.IBAN), "iban", "invalid_iban", "must be an IBAN whose check digits are right")
	v.Check(d.BIC == "" || validBIC(d.BIC), "bic", "invalid_bic", "must be 8 or 11 letters and digits, such as DEUTDEFF")
	v.Check(d.IBAN != "" || d.Account != "", "iban", "required", "is required unless account is given")
	return v.Err("payout_details")
}

// maxDetail bounds the longer texts.
const maxDetail = 140

// validateBounds checks what incomplete details must keep to as well.
func (d PayoutDetails) validateBounds() error {
	var v affiliate.Validation
	v.Check(d.UserID > 0, "user_id", "required", "is required")
	v.Text("name", d.Name, 0, maxDetail)
	v.Text("company", d.Company, 0, maxDetail)
	v.Text("vat_number", d.VATNumber, 0, 32)
	v.Text("street", d.Street, 0, 140)
	v.Text("postal_code", d.PostalCode, 0, 16)
	v.Text("city", d.City, 0, 70)
	v.Text("country", d.Country, 0, 2)
	v.Text("iban", d.IBAN, 0, 34)
	v.Text("bic", d.BIC, 0, 11)
	v.Text("account", d.Account, 0, 34)
	for _, f := range []struct{ name, value string }{
		{"bank_name", d.BankName}, {"bank_code", d.BankCode}, {"bank_type", d.BankType}, {"business_type", d.Business},
		{"national_id", d.NationalID}, {"company_id", d.CompanyID}, {"vat_status", d.VATStatus},
	} {
		v.Text(f.name, f.value, 0, maxDetail)
	}
	return v.Err("payout_details")
}

func validCountry(c string) bool { return len(c) == 2 && upperLetters(c) }

func upperLetters(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

func upperAlphanumeric(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// validIBAN checks the form and the check digits of ISO 13616: moved to the
// end, with letters as numbers from 10 on, the whole leaves 1 divided by 97.
func validIBAN(s string) bool {
	if len(s) < 15 || len(s) > 34 || !upperAlphanumeric(s) || !upperLetters(s[:2]) || strings.Trim(s[2:4], "0123456789") != "" {
		return false
	}
	var digits strings.Builder
	for _, c := range s[4:] + s[:4] {
		if c >= 'A' {
			digits.WriteString(strconv.Itoa(int(c-'A') + 10))
		} else {
			digits.WriteRune(c)
		}
	}
	n, ok := new(big.Int).SetString(digits.String(), 10)
	return ok && n.Mod(n, big.NewInt(97)).Int64() == 1
}

func validBIC(s string) bool {
	return (len(s) == 8 || len(s) == 11) && upperAlphanumeric(s) && upperLetters(s[:6])
}

// Masked returns the details as they may be shown: enough to recognise them,
// not enough to use them.
func (d PayoutDetails) Masked() PayoutDetails {
	d.Name, d.Company = maskAfter(d.Name, 1), maskAfter(d.Company, 1)
	d.VATNumber, d.IBAN, d.Account = maskBefore(d.VATNumber, 3), maskBefore(d.IBAN, 4), maskBefore(d.Account, 4)
	d.Street, d.PostalCode, d.BIC = maskAfter(d.Street, 0), maskAfter(d.PostalCode, 1), maskAfter(d.BIC, 4)
	d.NationalID, d.CompanyID, d.BankCode = maskBefore(d.NationalID, 4), maskBefore(d.CompanyID, 3), maskBefore(d.BankCode, 2)
	return d
}

// unmask puts kept values back where d has them as Masked shows them: what comes
// back as it was shown was not changed.
func (d *PayoutDetails) unmask(kept PayoutDetails) {
	shown := kept.Masked()
	for _, f := range []struct {
		to          *string
		shown, kept string
	}{
		{&d.Name, shown.Name, kept.Name}, {&d.Company, shown.Company, kept.Company}, {&d.VATNumber, shown.VATNumber, kept.VATNumber},
		{&d.Street, shown.Street, kept.Street}, {&d.PostalCode, shown.PostalCode, kept.PostalCode},
		{&d.IBAN, shown.IBAN, kept.IBAN}, {&d.BIC, shown.BIC, kept.BIC}, {&d.Account, shown.Account, kept.Account},
		{&d.BankCode, shown.BankCode, kept.BankCode}, {&d.NationalID, shown.NationalID, kept.NationalID}, {&d.CompanyID, shown.CompanyID, kept.CompanyID},
	} {
		if *f.to == f.shown {
			*f.to = f.kept
		}
	}
}

// maskBefore hides all but the last n characters, and all of a text that is
// not at least twice as long.
func maskBefore(s string, n int) string {
	runes := []rune(s)
	if len(runes) < 2*n {
		return strings.Repeat("•", len(runes))
	}
	return strings.Repeat("•", len(runes)-n) + string(runes[len(runes)-n:])
}

// maskAfter hides all but the first n characters.
func maskAfter(s string, n int) string {
	if count := utf8.RuneCountInString(s); count > n {
		return string([]rune(s)[:n]) + strings.Repeat("•", count-n)
	}
	return s
}

// party returns the details as a side of an invoice.
func (d PayoutDetails) party() Party {
	return Party{
		Name: d.Name, Company: d.Company, VATNumber: d.VATNumber,
		Street: d.Street, PostalCode: d.PostalCode, City: d.City, Country: d.Country,
	}
}

// shownAccount returns where the money goes, masked, for an invoice.
func (d PayoutDetails) shownAccount() string {
	if d.IBAN != "" {
		return maskBefore(d.IBAN, 4)
	}
	return maskBefore(d.Account, 4)
}

// SealedDetails are PayoutDetails as they are kept.
type SealedDetails struct {
	UserID    int64
	Sealed    Sealed
	UpdatedAt time.Time
}

// Validate checks what every backend refuses.
func (d SealedDetails) Validate() error {
	var v affiliate.Validation
	v.Check(d.UserID > 0, "user_id", "required", "is required")
	v.Merge("", d.Sealed.validate())
	return v.Err("payout_details")
}

func detailsPlace(userID int64) string { return "payout_details:" + strconv.FormatInt(userID, 10) }

// SetDetails keeps where a user is paid to. It needs a key (Options.Keys): else
// ErrUnavailable. Who may: the operator, the user's client, the user.
func (s *Service) SetDetails(ctx context.Context, d PayoutDetails) error {
	d = d.normalized()
	if err := d.Validate(); err != nil {
		return err
	}
	if s.keys.empty() {
		return noKey()
	}
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		u, err := s.user(ctx, tx, d.UserID)
		if err != nil {
			return err
		}
		return s.putDetails(ctx, tx, u, d)
	})
}

func noKey() error {
	return &affiliate.Error{
		Kind: affiliate.ErrUnavailable, Code: "not_configured", Resource: "payout_details",
		Message: "payout details cannot be kept: the service has no encryption key",
	}
}

// Details returns where a user is paid to, masked. ErrNotFound when the user
// has no details, or is not the viewer's.
func (s *Service) Details(ctx context.Context, userID int64) (PayoutDetails, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (PayoutDetails, error) {
		if _, err := s.user(ctx, tx, userID); err != nil {
			return PayoutDetails{}, err
		}
		found, err := s.detailsOf(ctx, tx, []int64{userID})
		if err != nil {
			return PayoutDetails{}, err
		}
		d, ok := found[userID]
		if !ok {
			return PayoutDetails{}, affiliate.NotFound("payout_details", userID)
		}
		return d.Masked(), nil
	})
}

// RemoveDetails forgets where a user is paid to. Doing it again changes nothing.
func (s *Service) RemoveDetails(ctx context.Context, userID int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		u, err := s.user(ctx, tx, userID)
		if err != nil {
			return err
		}
		if had, err := tx.PayoutDetails().GetMany(ctx, []int64{userID}); err != nil || len(had) == 0 {
			return err
		}
		if err := tx.PayoutDetails().Remove(ctx, userID); err != nil {
			return err
		}
		return tx.Events().Add(ctx, EventDetailsRemoved.On(userID, s.clock.Now()).Of(0, u.ClientID))
	})
}

// detailsOf opens the details of users.
func (s *Service) detailsOf(ctx context.Context, tx Tx, userIDs []int64) (map[int64]PayoutDetails, error) {
	kept, err := tx.PayoutDetails().GetMany(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]PayoutDetails, len(kept))
	for _, k := range kept {
		var d PayoutDetails
		if err := s.keys.open(detailsPlace(k.UserID), k.Sealed, &d); err != nil {
			return nil, err
		}
		out[k.UserID] = d
	}
	return out, nil
}

// Reseal encrypts with the current key whatever is under an older one, so that
// the older key can be dropped, and returns how much that was. Invoices and
// details are done in units of Options.Batch; it may be stopped at any point and
// run again. Only for the operator.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	if err := s.operatorOnly(); err != nil {
		return 0, err
	}
	if s.keys.empty() {
		return 0, noKey()
	}
	total, err := s.resealDetails(ctx)
	if err != nil {
		return total, err
	}
	n, err := s.resealInvoices(ctx)
	return total + n, err
}

// step is one unit of a walk over rows: where it got to, and whether it is over.
type step[C any] struct {
	next    C
	changed int
	last    bool
}

// walk runs units until one says that it was the last.
func walk[C any](ctx context.Context, s *Service, from C, unit func(ctx context.Context, tx Tx, from C) (step[C], error)) (int, error) {
	total := 0
	for {
		st, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (step[C], error) { return unit(ctx, tx, from) })
		if err != nil {
			return total, err
		}
		total += st.changed
		if st.last {
			return total, nil
		}
		from = st.next
	}
}

func (s *Service) resealDetails(ctx context.Context) (int, error) {
	return walk(ctx, s, 0, func(ctx context.Context, tx Tx, after int64) (step[int64], error) {
		kept, err := tx.PayoutDetails().Scan(ctx, after, s.batch)
		st := step[int64]{next: after, last: len(kept) < s.batch}
		if err != nil {
			return st, err
		}
		for _, k := range kept {
			st.next = k.UserID
			if k.Sealed.KeyID == s.keys.current {
				continue
			}
			var d PayoutDetails
			if err := s.keys.open(detailsPlace(k.UserID), k.Sealed, &d); err != nil {
				return st, err
			}
			if k.Sealed, err = s.keys.seal(detailsPlace(k.UserID), d); err != nil {
				return st, err
			}
			if err := tx.PayoutDetails().Put(ctx, k); err != nil {
				return st, err
			}
			st.changed++
		}
		return st, nil
	})
}

// seriesPlace is how far a walk over all invoices is.
type seriesPlace struct {
	series  string // that the walk is in, or finished before
	inside  bool
	ordinal int64
}

func (s *Service) resealInvoices(ctx context.Context) (int, error) {
	return walk(ctx, s, seriesPlace{}, func(ctx context.Context, tx Tx, at seriesPlace) (step[seriesPlace], error) {
		st := step[seriesPlace]{next: at}
		if !at.inside {
			series, err := tx.Invoices().Series(ctx, at.series, 1)
			if err != nil || len(series) == 0 {
				st.last = true
				return st, err
			}
			st.next = seriesPlace{series: series[0].Series, inside: true}
			return st, nil
		}
		kept, err := tx.Invoices().Scan(ctx, at.series, at.ordinal, s.batch)
		if err != nil {
			return st, err
		}
		var changed []Invoice
		for _, i := range kept {
			st.next.ordinal = i.Serial
			if i.Parties.KeyID == s.keys.current {
				continue
			}
			var p Parties
			if err := s.keys.open(invoicePlace(i.PaymentID), i.Parties, &p); err != nil {
				return st, err
			}
			if i.Parties, err = s.keys.seal(invoicePlace(i.PaymentID), p); err != nil {
				return st, err
			}
			changed = append(changed, i)
		}
		if len(kept) < s.batch {
			st.next = seriesPlace{series: at.series}
		}
		st.changed = len(changed)
		return st, tx.Invoices().Reseal(ctx, changed...)
	})
}
