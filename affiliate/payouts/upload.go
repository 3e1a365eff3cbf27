package payouts

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Skipped is a row of an upload that was not applied.
type Skipped struct {
	Row    int    // line of the file where the row begins; the header's is 1
	Reason string // stable snake_case
}

// Upload is what became of a file.
type Upload struct {
	Applied int
	Skipped []Skipped // by row
}

// MaxUploadRows bounds the rows of an uploaded file.
const MaxUploadRows = 100_000

// uploadChunk is how many rows are looked up at a time.
const uploadChunk = 1000

// row is a data row of a file: the wanted columns, in the order asked for.
type row struct {
	line   int
	fields []string
}

// readCSV reads a file with a header that has the given columns, in any order
// and any case, beside others. The separator is a comma or a semicolon. Rows
// that cannot be read are skipped; a file without the columns is ErrInvalid.
func readCSV(data []byte, columns ...string) ([]row, []Skipped, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, nil, badFile("invalid_utf8", "must be CSV in UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = -1, true, true
	if line, _, _ := bytes.Cut(data, []byte("\n")); bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		r.Comma = ';'
	}
	header, err := r.Read()
	if err != nil {
		return nil, nil, badFile("invalid_csv", "must be CSV with the header "+strings.Join(columns, ","))
	}
	places := make([]int, len(columns))
	for i, want := range columns {
		places[i] = -1
		for j, have := range header {
			if strings.EqualFold(strings.TrimSpace(have), want) && places[i] < 0 {
				places[i] = j
			}
		}
		if places[i] < 0 {
			return nil, nil, badFile("missing_column", "must have the columns "+strings.Join(columns, ",")+" in its first line")
		}
	}
	return readRows(r, places)
}

func readRows(r *csv.Reader, places []int) (rows []row, skipped []Skipped, err error) {
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, skipped, nil
		}
		if len(rows)+len(skipped) == MaxUploadRows {
			return nil, nil, badFile("too_many_rows", "must have at most 100000 rows")
		}
		if err != nil {
			bad, ok := errors.AsType[*csv.ParseError](err)
			if !ok {
				return nil, nil, badFile("invalid_csv", "must be CSV")
			}
			skipped = append(skipped, Skipped{bad.StartLine, "invalid_csv"})
			continue
		}
		line, _ := r.FieldPos(0)
		fields := make([]string, len(places))
		reason := ""
		for i, place := range places {
			if place >= len(record) || strings.TrimSpace(record[place]) == "" {
				reason = "missing_value"
				break
			}
			fields[i] = strings.Clone(strings.TrimSpace(record[place]))
		}
		if reason != "" {
			skipped = append(skipped, Skipped{line, reason})
			continue
		}
		rows = append(rows, row{line, fields})
	}
}

func badFile(code, message string) error {
	return affiliate.Invalid("upload", affiliate.FieldError{Field: "file", Code: code, Message: message})
}

// apply looks at a chunk of rows and returns why each was not applied, "" for
// those that were.
type apply func(ctx context.Context, tx Tx, rows []row) ([]string, error)

// applyRows applies the rows in chunks, in one unit: all good rows are applied,
// or none. begin is called whenever the unit begins, which it may do again.
func (s *Service) applyRows(ctx context.Context, rows []row, skipped []Skipped, begin func() apply) (Upload, error) {
	if err := s.managersOnly(); err != nil {
		return Upload{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Upload, error) {
		up, apply := Upload{Skipped: slices.Clone(skipped)}, begin()
		for chunk := range slices.Chunk(rows, uploadChunk) {
			reasons, err := apply(ctx, tx, chunk)
			if err != nil {
				return Upload{}, err
			}
			for i, reason := range reasons {
				if reason == "" {
					up.Applied++
				} else {
					up.Skipped = append(up.Skipped, Skipped{chunk[i].line, reason})
				}
			}
		}
		slices.SortStableFunc(up.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Row, b.Row) })
		return up, nil
	})
}

// MarkPaid reads a CSV file of invoice_number,paid_at and makes the payments
// Paid (payments-mark-invoices-as-paid). A time is a day or a date-time of ISO
// 8601, not after now. Good rows are applied together; reasons of the others:
// missing_value, invalid_csv, invalid_paid_at, paid_at_in_future, unknown_invoice
// (also for one that is not the viewer's), already_paid, duplicate.
func (s *Service) MarkPaid(ctx context.Context, file []byte) (Upload, error) {
	rows, skipped, err := readCSV(file, "invoice_number", "paid_at")
	if err != nil {
		return Upload{}, err
	}
	return s.applyRows(ctx, rows, skipped, func() apply {
		done := make(map[string]bool)
		return func(ctx context.Context, tx Tx, rows []row) ([]string, error) { return s.payRows(ctx, tx, rows, done) }
	})
}

// payRows is the apply of MarkPaid; done are the numbers of rows before.
func (s *Service) payRows(ctx context.Context, tx Tx, rows []row, done map[string]bool) ([]string, error) {
	numbers := make([]string, len(rows))
	for i, r := range rows {
		numbers[i] = r.fields[0]
	}
	found, err := tx.Payments().ByInvoices(ctx, numbers)
	if err != nil {
		return nil, err
	}
	byNumber := make(map[string]Payment, len(found))
	for _, p := range found {
		byNumber[p.InvoiceNumber] = p
	}
	reasons := make([]string, len(rows))
	var paid []Payment
	for i, r := range rows {
		p, known := byNumber[r.fields[0]]
		at, reason := s.paidAt(r.fields[1])
		switch {
		case reason != "":
		case !known || !s.sees(p):
			reason = "unknown_invoice"
		case done[r.fields[0]]:
			reason = "duplicate"
		case !p.Status.to(Paid):
			reason = "already_paid"
		default:
			done[r.fields[0]] = true
			p.Status, p.PaidAt = Paid, at
			paid = append(paid, p)
		}
		reasons[i] = reason
	}
	return reasons, s.pay(ctx, tx, paid)
}

// pay keeps payments that became Paid, and raises their events.
func (s *Service) pay(ctx context.Context, tx Tx, payments []Payment) error {
	if len(payments) == 0 {
		return nil
	}
	now := s.clock.Now()
	if err := tx.Payments().Update(ctx, payments...); err != nil {
		return err
	}
	return tx.Events().Add(ctx, paymentEvents(EventPaymentPaid, payments, now)...)
}

// paidAt reads when an invoice was paid.
func (s *Service) paidAt(text string) (time.Time, string) {
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		at = at.UTC().Truncate(time.Microsecond)
		switch {
		case at.Year() < 2000:
			return time.Time{}, "invalid_paid_at"
		case at.After(s.clock.Now()):
			return time.Time{}, "paid_at_in_future"
		}
		return at, ""
	}
	return time.Time{}, "invalid_paid_at"
}

// AXID is the vendor number that an accounting system has for a user.
type AXID struct {
	UserID int64
	AXID   string // 1..64 characters, unique
}

// Validate checks what every backend refuses.
func (m AXID) Validate() error {
	var v affiliate.Validation
	v.Check(m.UserID > 0, "user_id", "required", "is required")
	v.Text("ax_id", m.AXID, 1, maxAXID)
	return v.Err("ax_id")
}

const maxAXID = 64

// MatchAXIDs reads a CSV file of ax_id,user_id and keeps whose number each is
// (payments-upload-ax-id-matching). A user's new number replaces the old one.
// Good rows are applied together; reasons of the others: missing_value,
// invalid_csv, invalid_ax_id, unknown_user (also for one that is not the
// viewer's), taken (the number is another user's), duplicate.
func (s *Service) MatchAXIDs(ctx context.Context, file []byte) (Upload, error) {
	rows, skipped, err := readCSV(file, "ax_id", "user_id")
	if err != nil {
		return Upload{}, err
	}
	return s.applyRows(ctx, rows, skipped, func() apply {
		done := make(map[AXID]bool)
		return func(ctx context.Context, tx Tx, rows []row) ([]string, error) {
			return s.matchRows(ctx, tx, rows, done)
		}
	})
}

// matchRows is the apply of MatchAXIDs. done are the numbers, and the users, of
// rows before, each alone.
func (s *Service) matchRows(ctx context.Context, tx Tx, rows []row, done map[AXID]bool) ([]string, error) {
	wanted := make([]AXID, len(rows))
	userIDs, axIDs := make([]int64, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		id, err := strconv.ParseInt(r.fields[1], 10, 64)
		if err != nil {
			id = 0 // nobody's
		}
		wanted[i] = AXID{UserID: id, AXID: r.fields[0]}
		userIDs[i], axIDs[i] = id, r.fields[0]
	}
	users, err := tx.Users().GetMany(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	mine, clients := make(map[int64]bool, len(users)), make(map[int64]int64, len(users))
	for _, u := range users {
		mine[u.ID], clients[u.ID] = s.seesUser(u), u.ClientID
	}
	kept, err := tx.AXIDs().ByAXIDs(ctx, axIDs)
	if err != nil {
		return nil, err
	}
	owner := make(map[string]int64, len(kept))
	for _, m := range kept {
		owner[m.AXID] = m.UserID
	}
	reasons := make([]string, len(rows))
	var events []affiliate.Event
	for i, m := range wanted {
		of, taken := owner[m.AXID]
		byUser, byNumber := AXID{UserID: m.UserID}, AXID{AXID: m.AXID}
		switch {
		case utf8.RuneCountInString(m.AXID) > maxAXID || strings.ContainsRune(m.AXID, 0):
			reasons[i] = "invalid_ax_id"
		case !mine[m.UserID]:
			reasons[i] = "unknown_user"
		case done[byUser] || done[byNumber]:
			reasons[i] = "duplicate"
		case taken && of != m.UserID:
			reasons[i] = "taken"
		default:
			done[byUser], done[byNumber] = true, true
			if err := tx.AXIDs().Put(ctx, m); err != nil {
				return nil, err
			}
			events = append(events, EventAXIDSet.On(m.UserID, s.clock.Now()).Of(0, clients[m.UserID]))
		}
	}
	return reasons, tx.Events().Add(ctx, events...)
}

// AXIDOf returns a user's number, empty when there is none.
func (s *Service) AXIDOf(ctx context.Context, userID int64) (string, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (string, error) {
		if _, err := s.user(ctx, tx, userID); err != nil {
			return "", err
		}
		kept, err := tx.AXIDs().GetMany(ctx, []int64{userID})
		if err != nil || len(kept) == 0 {
			return "", err
		}
		return kept[0].AXID, nil
	})
}
