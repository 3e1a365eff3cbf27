// Package payouts pays users: once a month it turns what is payable in the
// ledger into payments, gives each its self-billing invoice, hands them to a
// payment provider, and keeps what was paid.
//
//	ledger ──Run──► open ──CreateInvoice, IssueInvoices──► invoiced ──MarkPaid, Send──► paid
//	                  └──────── Run with Invoice ────────────▲
//
// There is no other move, and a paid payment never changes.
//
// # Runs
//
// [Service.Run] makes one payment per user, currency and period (a month in
// UTC), when the balance that is payable at the end of the period reaches the
// payment limit and the user is not held ([Service.Hold]). The payment and its
// payout entry in the ledger are one unit, so that a run may be killed at any
// point, run again, and run by several processes at once. What stays below the
// limit carries over; a refund of something already paid is a negative part of
// the next payment.
//
// # Invoice numbers
//
// A number is a series and a serial: "U17-00003". By default each creator, who
// is the seller of a self-billing invoice, has a series; Options.Series may make
// one for the whole service. The counter is a row of the unit that issues the
// invoice: what rolls back gives its numbers back, and none is missing.
//
// # Money out
//
// [Service.Send] gives payments to a [PayoutProvider] in transfers. A transfer is
// kept before the provider sees it and is given again under the same key until
// its receipts are kept. Package bankfile writes ISO 20022 and CSV files, package
// invoicepdf makes the invoices PDFs, package payoutstest records transfers.
//
// # Personal data
//
// Bank, company and VAT data are encrypted with a key of the host (AES-256-GCM)
// and shown masked. [Service.Reseal] moves everything to a new key. An invoice
// keeps the name and address that it was issued with, sealed as well, because
// the law wants it kept: [Service.Erase] names those invoices and until when, and
// [Service.PurgeInvoices] empties them after that.
//
// # Choices where the documents are silent
//
//   - A period can be run when it is over. Entries that are booked late, for a
//     time before the period, are in the next run; on the invoice they are
//     "brought forward", like what was below the limit or held.
//   - The payment limit is that of the advertiser group of the user's client, in
//     the group's currency. A balance in another currency has the lowest limit of
//     the groups with that currency; without one, any positive amount is paid.
//   - A banned user is paid what was earned. Only a hold stops a payment.
//   - Partners of deals are not paid by runs: they are no users.
//   - Users of a client with a payment system of its own get payments and
//     invoices, but [Service.Send] hands them over only when it is asked to for
//     that client.
//   - VAT is not computed: an amount is what was earned. Options.InvoiceNote has
//     room for what the law wants said.
//   - A payment system holds from its date on: a setting for the user before one
//     for the client, before one for everybody; the newest date wins. A date is
//     locked once payments of its month, or of a later one, are there.
//   - An advertiser has one payment setup. It is "active" when it names one,
//     "missing" before.
package payouts
