package bankfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts/bankfile"
)

var debtor = bankfile.Debtor{Name: "Affiliate AB", Country: "SE", IBAN: "SE4550000000058398257466", BIC: "ESSESESS"}

func sample() payouts.Transfer {
	return payouts.Transfer{
		Key: "T202603-00001", CreatedAt: time.Date(2026, 4, 2, 8, 0, 0, 0, time.UTC),
		Instructions: []payouts.Instruction{
			{Key: "T202603-00001-1", PaymentID: 1, InvoiceNumber: "U1-00001", Amount: affiliate.NewMoney(123_456, "SEK"), To: payouts.PayoutDetails{
				UserID: 1, Name: "Åsa <Ström> & Söner", Street: "Gröna gatan 1", PostalCode: "111 22", City: "Malmö", Country: "SE", IBAN: "SE7280000810340009783242", BIC: "SWEDSESS",
			}},
			{Key: "T202603-00001-2", PaymentID: 2, InvoiceNumber: "U2-00001", Amount: affiliate.NewMoney(50, "EUR"), To: payouts.PayoutDetails{
				UserID: 2, Name: "=cmd()", Company: "日本ブログ", Country: "JP", Account: "1234567",
			}},
			{Key: "T202603-00001-3", PaymentID: 3, InvoiceNumber: "U3-00001", Amount: affiliate.NewMoney(1, "SEK"), To: payouts.PayoutDetails{
				UserID: 3, Name: strings.Repeat("x", 140), Country: "FI", IBAN: "FI2112345600000785",
			}},
		},
	}
}

func pain(t *testing.T, transfer payouts.Transfer) []byte {
	t.Helper()
	var out bytes.Buffer
	is.New(t).NoErr(bankfile.WritePain001(&out, transfer, debtor))
	return out.Bytes()
}

// message are the parts of a pain.001 that a bank adds up.
type message struct {
	XMLName xml.Name `xml:"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09 Document"`
	Header  struct {
		ID    string          `xml:"MsgId"`
		Count int             `xml:"NbOfTxs"`
		Sum   decimal.Decimal `xml:"CtrlSum"`
	} `xml:"CstmrCdtTrfInitn>GrpHdr"`
	Payments []struct {
		ID    string          `xml:"PmtInfId"`
		Count int             `xml:"NbOfTxs"`
		Sum   decimal.Decimal `xml:"CtrlSum"`
		Txs   []struct {
			ID     string `xml:"PmtId>EndToEndId"`
			Amount struct {
				Currency string          `xml:"Ccy,attr"`
				Value    decimal.Decimal `xml:",chardata"`
			} `xml:"Amt>InstdAmt"`
			Name  string `xml:"Cdtr>Nm"`
			IBAN  string `xml:"CdtrAcct>Id>IBAN"`
			Other string `xml:"CdtrAcct>Id>Othr>Id"`
		} `xml:"CdtTrfTxInf"`
	} `xml:"CstmrCdtTrfInitn>PmtInf"`
}

func TestAMessageAddsUp(t *testing.T) {
	is := is.New(t)
	var m message
	is.NoErr(xml.Unmarshal(pain(t, sample()), &m))
	is.Equal(m.Header.ID, "T202603-00001")
	is.Equal(m.Header.Count, 3)
	is.Equal(m.Header.Sum.String(), "1235.07")
	is.Equal(len(m.Payments), 2) // a block for each currency
	all := decimal.Zero
	for _, p := range m.Payments {
		sum := decimal.Zero
		for _, tx := range p.Txs {
			is.Equal(tx.Amount.Currency, strings.TrimPrefix(p.ID, "T202603-00001-"))
			is.True((tx.IBAN == "") != (tx.Other == ""))
			sum = sum.Add(tx.Amount.Value)
		}
		is.Equal(p.Count, len(p.Txs))
		is.True(p.Sum.Equal(sum))
		all = all.Add(sum)
	}
	is.True(m.Header.Sum.Equal(all))
	is.Equal(m.Payments[0].Txs[0].Name, "日本ブログ")
	is.Equal(m.Payments[1].Txs[0].Name, "Åsa <Ström> & Söner")
}

// The schema wants its elements in this order.
func TestAMessageHasTheOrderOfTheSchema(t *testing.T) {
	order := map[string][]string{
		"CstmrCdtTrfInitn": {"GrpHdr", "PmtInf"},
		"GrpHdr":           {"MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty"},
		"PmtInf":           {"PmtInfId", "PmtMtd", "NbOfTxs", "CtrlSum", "ReqdExctnDt", "Dbtr", "DbtrAcct", "DbtrAgt", "CdtTrfTxInf"},
		"CdtTrfTxInf":      {"PmtId", "Amt", "CdtrAgt", "Cdtr", "CdtrAcct", "RmtInf"},
		"PmtId":            {"InstrId", "EndToEndId"},
		"Cdtr":             {"Nm", "PstlAdr"},
		"PstlAdr":          {"StrtNm", "PstCd", "TwnNm", "Ctry"},
	}
	decoder := xml.NewDecoder(bytes.NewReader(pain(t, sample())))
	var path []string
	last := []int{0}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			if len(path) > 0 {
				if want, known := order[path[len(path)-1]]; known {
					at := -1
					for i, w := range want {
						if w == name {
							at = i
						}
					}
					if at < last[len(last)-1] {
						t.Errorf("%s in %s is out of order, or unknown", name, path[len(path)-1])
					}
					last[len(last)-1] = at
				}
			}
			path, last = append(path, name), append(last, 0)
		case xml.EndElement:
			path, last = path[:len(path)-1], last[:len(last)-1]
		}
	}
}

// An element without content is none of the schema's.
func TestAMessageHasNoEmptyElements(t *testing.T) {
	if empty := regexp.MustCompile(`<(\w+)>\s*</\w+>`).Find(pain(t, sample())); empty != nil {
		t.Errorf("the message has %s", empty)
	}
}

// Whatever a person or a bank is called, the message is one that reads back.
func FuzzPain001(f *testing.F) {
	for _, s := range []string{"Åsa", "a & b <c>", "日本", "\x00\x01", "\xff", "\ufffe", "]]>", strings.Repeat("é", 300), " "} {
		f.Add(s, int64(1))
	}
	f.Fuzz(func(t *testing.T, s string, minor int64) {
		transfer := sample()
		in := &transfer.Instructions[0]
		in.To.Name, in.To.Street, in.To.City, in.To.PostalCode, in.InvoiceNumber = s, s, s, s, s
		in.Amount = affiliate.NewMoney(minor, "SEK")
		var m message
		if err := xml.Unmarshal(pain(t, transfer), &m); err != nil {
			t.Fatal(err)
		}
		if n := len([]rune(m.Payments[1].Txs[0].Name)); m.Header.Count != 3 || n == 0 || n > 70 {
			t.Errorf("got %+v", m)
		}
	})
}

func TestACSVFileHasNoFormulas(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	is.NoErr(bankfile.WriteCSV(&out, sample()))
	rows, err := csv.NewReader(&out).ReadAll()
	is.NoErr(err)
	is.Equal(len(rows), 4)
	is.Equal(rows[2][3], "'=cmd()")
	is.Equal(rows[1][9:], []string{"1234.56", "SEK"})
}

// A transfer that is given again is the same file: nobody picks it up twice.
func TestATransferIsOneFile(t *testing.T) {
	is := is.New(t)
	for _, format := range []bankfile.Format{bankfile.Pain001, bankfile.CSV} {
		folder := t.TempDir()
		p, err := bankfile.NewProvider(bankfile.Options{Folder: folder, Format: format, Debtor: debtor})
		is.NoErr(err)
		first, err := p.Pay(t.Context(), sample())
		is.NoErr(err)
		before, err := os.ReadFile(p.File("T202603-00001"))
		is.NoErr(err)
		again, err := p.Pay(t.Context(), sample())
		is.NoErr(err)
		is.Equal(first, again)
		is.Equal(len(first), 3)
		files, err := filepath.Glob(filepath.Join(folder, "*"))
		is.NoErr(err)
		is.Equal(len(files), 1)
		after, err := os.ReadFile(files[0])
		is.NoErr(err)
		is.Equal(string(before), string(after))
	}
}

func TestAProviderRefusesWhatCannotWork(t *testing.T) {
	is := is.New(t)
	for _, o := range []bankfile.Options{
		{Folder: filepath.Join(t.TempDir(), "none"), Debtor: debtor},
		{Folder: t.TempDir()},
		{Folder: t.TempDir(), Format: "mt101", Debtor: debtor},
	} {
		_, err := bankfile.NewProvider(o)
		is.True(err != nil)
	}
	p, err := bankfile.NewProvider(bankfile.Options{Folder: t.TempDir(), Debtor: debtor})
	is.NoErr(err)
	for _, key := range []string{"", "../x", "a/b", `a\b`, "."} {
		transfer := sample()
		transfer.Key = key
		_, err := p.Pay(t.Context(), transfer)
		is.True(err != nil)
	}
}
