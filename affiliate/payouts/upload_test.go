package payouts_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func text(id int64) string { return strconv.FormatInt(id, 10) }

func TestGoodRowsOfAFileAreAppliedAndBadOnesTold(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b)
		anna, bo := text(w.anna.ID), text(w.bo.ID)
		match := func(file string, want payouts.Upload) {
			t.Helper()
			got, err := w.payouts.MatchAXIDs(t.Context(), []byte(file))
			w.NoErr(err)
			w.Equal(got, want)
		}
		skipped := func(row int, reason string) payouts.Skipped { return payouts.Skipped{Row: row, Reason: reason} }
		match("\ufeffUser_ID; note ;AX_ID\r\n"+anna+";x; A1 \r\n"+bo+";;A2\r\n", payouts.Upload{Applied: 2})
		match("ax_id,user_id\nA1,"+bo+"\nA3,"+anna+"\nA3,"+anna+"\n,1\nA4,x\nA5,99999999\nA6,99999999999999999999\n\"A7\"x,1\n"+strings.Repeat("é", 65)+","+anna+"\na\x00b,"+anna+"\n",
			payouts.Upload{Applied: 1, Skipped: []payouts.Skipped{
				skipped(2, "taken"), skipped(4, "duplicate"), skipped(5, "missing_value"), skipped(6, "unknown_user"), skipped(7, "unknown_user"),
				skipped(8, "unknown_user"), skipped(9, "invalid_csv"), skipped(10, "invalid_ax_id"), skipped(11, "invalid_ax_id"),
			}})
		number, err := w.payouts.AXIDOf(t.Context(), w.anna.ID)
		w.NoErr(err)
		w.Equal(number, "A3")
		match("ax_id,user_id\nA1,"+bo+"\n", payouts.Upload{Applied: 1}) // free again

		w.invoiced(w.anna)
		p := w.only(payouts.PaymentFilter{})
		got, err := w.payouts.MarkPaid(t.Context(), []byte("invoice_number,paid_at\n"+
			p.InvoiceNumber+",yesterday\n"+p.InvoiceNumber+",1999-12-31\n"+p.InvoiceNumber+",2030-01-01\na\x00b,2026-04-01\n"+p.InvoiceNumber+",2026-04-01 10:00:00\n"+p.InvoiceNumber+",2026-04-01\n"))
		w.NoErr(err)
		w.Equal(got, payouts.Upload{Applied: 1, Skipped: []payouts.Skipped{
			skipped(2, "invalid_paid_at"), skipped(3, "invalid_paid_at"), skipped(4, "paid_at_in_future"), skipped(5, "unknown_invoice"), skipped(7, "duplicate"),
		}})
		got, err = w.payouts.MarkPaid(t.Context(), []byte("invoice_number,paid_at\n"+p.InvoiceNumber+",2026-04-01\n"))
		w.NoErr(err)
		w.Equal(got.Skipped, []payouts.Skipped{skipped(2, "already_paid")})
		w.verified()
	})
}

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	w := newWorld(t, backends.Memory())
	for file, code := range map[string]string{
		"": "invalid_csv", "\xff": "invalid_utf8", "a,b\n1,2\n": "missing_column", "invoice_number": "missing_column", "\"\n": "invalid_csv",
		"invoice_number,paid_at\n" + strings.Repeat("a,b\n", payouts.MaxUploadRows+1): "too_many_rows",
	} {
		if _, err := w.payouts.MarkPaid(t.Context(), []byte(file)); !failed(err, affiliate.ErrInvalid, code) {
			t.Errorf("%.20q: got %v, want %s", file, err, code)
		}
	}
}

// Whatever bytes come, each row is applied or told once, or the file is refused.
func FuzzUpload(f *testing.F) {
	for _, seed := range []string{
		"ax_id,user_id\nA1,1\nA2,2\n", "\ufeffax_id;user_id;invoice_number;paid_at\r\nA;1;U1-00001;2026-04-01\r\n", "ax_id,user_id\n\"a\nb\",1\n\"x\"y,2\n",
		"invoice_number,paid_at\nU1-00001,2026-04-01T10:00:00+02:00\n", "ax_id,user_id\n\x00,1\n,\n", "\"", "ax_id,user_id\n" + strings.Repeat(",", 99), "AX_ID , USER_ID\nä,1", "\xff\xfe",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		w := newWorld(t, backends.Memory())
		for _, upload := range []func() (payouts.Upload, error){
			func() (payouts.Upload, error) { return w.payouts.MarkPaid(t.Context(), file) },
			func() (payouts.Upload, error) { return w.payouts.MatchAXIDs(t.Context(), file) },
		} {
			up, err := upload()
			if err != nil {
				if !errors.Is(err, affiliate.ErrInvalid) {
					t.Fatalf("%q: %v", file, err)
				}
				continue
			}
			lines := strings.Count(string(file), "\n") + 1
			if up.Applied+len(up.Skipped) >= lines {
				t.Fatalf("%q: %+v of %d lines", file, up, lines)
			}
			for i, s := range up.Skipped {
				if s.Row < 2 || s.Row > lines || s.Reason == "" || i > 0 && s.Row < up.Skipped[i-1].Row {
					t.Fatalf("%q: %+v", file, up)
				}
			}
		}
	})
}
