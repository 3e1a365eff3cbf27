//go:build bankschema

package bankfile_test

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

const schemaName = "pain.001.001.09.xsd"

// schema returns the path of the standard's schema, out of the archive that PAIN001_JAR names.
func schema(t *testing.T) string {
	t.Helper()
	archive, err := zip.OpenReader(os.Getenv("PAIN001_JAR"))
	if err != nil {
		t.Fatalf("make test-bank-schema sets PAIN001_JAR: %v", err)
	}
	defer archive.Close()
	in, err := archive.Open(schemaName)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), schemaName)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// validate returns what xmllint says against the message.
func validate(t *testing.T, schema string, message []byte) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "message.xml")
	if err := os.WriteFile(path, message, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout", "--schema", schema, path).CombinedOutput()
	return string(out), err
}

// Whatever a person is called and however large a sum is, the message is valid.
func TestAMessageIsValidByItsSchema(t *testing.T) {
	path := schema(t)
	one := func(change func(in *payouts.Instruction)) payouts.Transfer {
		transfer := sample()
		transfer.Instructions = transfer.Instructions[:1]
		change(&transfer.Instructions[0])
		return transfer
	}
	for name, transfer := range map[string]payouts.Transfer{
		"three instructions in two currencies": sample(),
		"long texts": one(func(in *payouts.Instruction) {
			long := strings.Repeat("é", 300)
			in.To.Name, in.To.Company, in.To.Street, in.To.City, in.To.PostalCode, in.InvoiceNumber = long, long, long, long, long, long
		}),
		"characters that XML cannot hold": one(func(in *payouts.Instruction) {
			odd := "a\x00b\xffc\ufffe]]><d>&"
			in.To.Name, in.To.Street, in.To.City, in.To.PostalCode, in.InvoiceNumber = odd, odd, odd, odd, odd
		}),
		"a name of spaces":             one(func(in *payouts.Instruction) { in.To.Name, in.To.Street = "   ", "   " }),
		"nothing but an account":       one(func(in *payouts.Instruction) { in.To = payouts.PayoutDetails{Name: "B", Account: "1"} }),
		"an account that is too long":  one(func(in *payouts.Instruction) { in.To.IBAN, in.To.Account = "", strings.Repeat("1", 60) }),
		"no minor unit":                one(func(in *payouts.Instruction) { in.Amount = affiliate.NewMoney(12_345, "JPY") }),
		"a thousandth":                 one(func(in *payouts.Instruction) { in.Amount = affiliate.NewMoney(1, "KWD") }),
		"the largest amount there is":  one(func(in *payouts.Instruction) { in.Amount = affiliate.NewMoney(999_999_999_999_999_999, "SEK") }),
		"several of the largest there": largest(),
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := validate(t, path, pain(t, transfer)); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// largest is a transfer whose sum has more digits than its parts.
func largest() payouts.Transfer {
	transfer := sample()
	for i := range transfer.Instructions {
		transfer.Instructions[i].Amount = affiliate.NewMoney(99_999_999_999_999_999, "SEK")
	}
	return transfer
}

// A validator that accepts everything would prove nothing.
func TestTheSchemaRefusesAWrongMessage(t *testing.T) {
	path := schema(t)
	message := string(pain(t, sample()))
	for _, wrong := range [][2]string{
		{"<NbOfTxs>", "<NbOfTxs>x"}, {"<PmtMtd>TRF</PmtMtd>", ""}, {`Ccy="SEK"`, `Ccy="kr"`}, {"pain.001.001.09", "pain.001.001.03"},
	} {
		if out, err := validate(t, path, []byte(strings.Replace(message, wrong[0], wrong[1], 1))); err == nil {
			t.Errorf("%q for %q is valid: %s", wrong[1], wrong[0], out)
		}
	}
}
