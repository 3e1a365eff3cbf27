// Package bankfile hands payments to a bank as files: ISO 20022 customer credit
// transfers (pain.001.001.09) or CSV.
//
//	provider, err := bankfile.NewProvider(bankfile.Options{
//		Folder: "/var/spool/payouts",
//		Format: bankfile.Pain001,
//		Debtor: bankfile.Debtor{Name: "Affiliate AB", IBAN: "SE4550000000058398257466", BIC: "ESSESESS"},
//	})
//	result, err := service.Send(ctx, provider, payouts.SendInput{Period: "2026-03"})
//
// A transfer is one file, named by its key. Given again it is written again under
// the same name, with the same message and end-to-end identification, so that
// whoever picks the files up has each transfer once, and a bank refuses it as a
// duplicate. When the money has arrived, [payouts.Service.MarkPaid] says so.
//
// # Choices where the standard leaves one
//
//   - A file has one payment block for each currency; amounts have the digits of
//     the currency.
//   - A creditor without an IBAN is named by the account number under Othr.
//   - The execution date is the day of the transfer, in UTC.
//   - Names and addresses are cut to what the standard allows (70, 70, 16
//     characters). A character that XML cannot hold is left out.
package bankfile
