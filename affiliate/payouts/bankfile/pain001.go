package bankfile

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

const namespace = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"

// The elements of the message that are used, in the order of the standard.
type (
	document struct {
		XMLName    xml.Name `xml:"Document"`
		Namespace  string   `xml:"xmlns,attr"`
		Initiation struct {
			Header   groupHeader   `xml:"GrpHdr"`
			Payments []paymentInfo `xml:"PmtInf"`
		} `xml:"CstmrCdtTrfInitn"`
	}
	groupHeader struct {
		MessageID  string `xml:"MsgId"`
		CreatedAt  string `xml:"CreDtTm"`
		Count      int    `xml:"NbOfTxs"`
		ControlSum string `xml:"CtrlSum"`
		Initiator  party  `xml:"InitgPty"`
	}
	paymentInfo struct {
		ID          string        `xml:"PmtInfId"`
		Method      string        `xml:"PmtMtd"`
		Count       int           `xml:"NbOfTxs"`
		ControlSum  string        `xml:"CtrlSum"`
		ExecuteOn   string        `xml:"ReqdExctnDt>Dt"`
		Debtor      party         `xml:"Dbtr"`
		Account     account       `xml:"DbtrAcct"`
		DebtorAgent agent         `xml:"DbtrAgt"`
		Transfers   []transaction `xml:"CdtTrfTxInf"`
	}
	transaction struct {
		InstructionID string   `xml:"PmtId>InstrId"`
		EndToEndID    string   `xml:"PmtId>EndToEndId"`
		Amount        amount   `xml:"Amt>InstdAmt"`
		CreditorAgent *agent   `xml:"CdtrAgt,omitempty"`
		Creditor      party    `xml:"Cdtr"`
		Account       account  `xml:"CdtrAcct"`
		Remittance    []string `xml:"RmtInf>Ustrd"`
	}
	amount struct {
		Currency string `xml:"Ccy,attr"`
		Value    string `xml:",chardata"`
	}
	party struct {
		Name    string   `xml:"Nm"`
		Address *address `xml:"PstlAdr,omitempty"`
	}
	address struct {
		Street     string `xml:"StrtNm,omitempty"`
		PostalCode string `xml:"PstCd,omitempty"`
		City       string `xml:"TwnNm,omitempty"`
		Country    string `xml:"Ctry,omitempty"`
	}
	// Nested structs, not paths: encoding/xml writes the parents of an empty path.
	account struct {
		ID struct {
			IBAN  string `xml:"IBAN,omitempty"`
			Other *other `xml:"Othr,omitempty"`
		} `xml:"Id"`
	}
	agent struct {
		Institution struct {
			BIC   string `xml:"BICFI,omitempty"`
			Other *other `xml:"Othr,omitempty"`
		} `xml:"FinInstnId"`
	}
	other struct {
		ID string `xml:"Id"`
	}
)

// WritePain001 writes a transfer as an ISO 20022 customer credit transfer
// initiation, version 09.
func WritePain001(w io.Writer, t payouts.Transfer, d Debtor) error {
	var doc document
	doc.Namespace = namespace
	all := decimal.Zero
	byCurrency := make(map[affiliate.Currency][]payouts.Instruction)
	for _, in := range t.Instructions {
		byCurrency[in.Amount.Currency()] = append(byCurrency[in.Amount.Currency()], in)
		all = all.Add(in.Amount.Decimal())
	}
	debtor := party{Name: nameOf(d.Name)}
	if d.Country != "" {
		debtor.Address = &address{Country: d.Country}
	}
	doc.Initiation.Header = groupHeader{
		MessageID: t.Key, CreatedAt: t.CreatedAt.UTC().Format("2006-01-02T15:04:05Z"), Count: len(t.Instructions),
		ControlSum: all.String(), Initiator: party{Name: debtor.Name},
	}
	currencies := make([]affiliate.Currency, 0, len(byCurrency))
	for c := range byCurrency {
		currencies = append(currencies, c)
	}
	slices.Sort(currencies)
	for _, c := range currencies {
		doc.Initiation.Payments = append(doc.Initiation.Payments, paymentsOf(t, c, byCurrency[c], debtor, d))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	out := xml.NewEncoder(w)
	out.Indent("", " ")
	if err := out.Encode(doc); err != nil {
		return err
	}
	return out.Close()
}

func paymentsOf(t payouts.Transfer, c affiliate.Currency, list []payouts.Instruction, debtor party, d Debtor) paymentInfo {
	info := paymentInfo{
		ID: t.Key + "-" + string(c), Method: "TRF", Count: len(list), ExecuteOn: t.CreatedAt.UTC().Format(time.DateOnly),
		Debtor: debtor, Account: accountOf(d.IBAN, ""), DebtorAgent: agentOf(d.BIC),
	}
	sum := decimal.Zero
	for _, in := range list {
		sum = sum.Add(in.Amount.Decimal())
		info.Transfers = append(info.Transfers, transactionOf(in))
	}
	info.ControlSum = sum.String()
	return info
}

// notProvided is what banks expect where the standard wants a text and none is known.
const notProvided = "NOTPROVIDED"

// agentOf names a bank.
func agentOf(bic string) (a agent) {
	if a.Institution.BIC = bic; bic == "" {
		a.Institution.Other = &other{notProvided}
	}
	return a
}

// nameOf returns the first of the names that has a character which the message can hold.
func nameOf(names ...string) string {
	for _, name := range names {
		if name = cut(name, 70); name != "" {
			return name
		}
	}
	return notProvided
}

// accountOf names an account by its IBAN, else by its number.
func accountOf(iban, number string) (a account) {
	if a.ID.IBAN = iban; iban == "" {
		a.ID.Other = &other{cut(number, 34)}
	}
	return a
}

func transactionOf(in payouts.Instruction) transaction {
	to := in.To
	tx := transaction{
		InstructionID: in.Key, EndToEndID: in.Key,
		Amount:     amount{Currency: string(in.Amount.Currency()), Value: in.Amount.Decimal().StringFixed(int32(in.Amount.Currency().Digits()))},
		Creditor:   party{Name: nameOf(to.Company, to.Name), Address: &address{cut(to.Street, 70), cut(to.PostalCode, 16), cut(to.City, 35), to.Country}},
		Account:    accountOf(to.IBAN, to.Account),
		Remittance: []string{cut("Invoice "+in.InvoiceNumber, 140)},
	}
	if to.BIC != "" {
		a := agentOf(to.BIC)
		tx.CreditorAgent = &a
	}
	return tx
}

// cut returns at most n characters of a text, without what XML cannot hold.
func cut(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r == 0xfffd || r < 0x20 || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if runes := []rune(s); len(runes) > n {
		s = string(runes[:n])
	}
	return strings.TrimSpace(s)
}
