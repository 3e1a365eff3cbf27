package bankfile

import (
	"encoding/csv"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

// WriteCSV writes a transfer as CSV with a header. Amounts are in major units. A
// text that a spreadsheet would take for a formula is preceded by an apostrophe.
func WriteCSV(w io.Writer, t payouts.Transfer) error {
	out := csv.NewWriter(w)
	header := []string{"transfer", "key", "invoice_number", "name", "company", "country", "iban", "bic", "account", "amount", "currency"}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, in := range t.Instructions {
		row := []string{
			t.Key, in.Key, in.InvoiceNumber, in.To.Name, in.To.Company, in.To.Country, in.To.IBAN, in.To.BIC, in.To.Account,
			in.Amount.Decimal().StringFixed(int32(in.Amount.Currency().Digits())), string(in.Amount.Currency()),
		}
		for i := range row {
			row[i] = defused(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func defused(s string) string {
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return "'" + s
	}
	return s
}
