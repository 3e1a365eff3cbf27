// Package orders turns sales into commissions, and takes back what customers
// send back.
//
// # From a sale to money
//
//	report ──► order ──► attribution ──► terms ──► price ──► budget ──► ledger, statistics
//
// An advertiser reports a sale: by a call, over HTTP as a pixel, a beacon or a
// server's request (see [Beacon]), or as a batch of lines. Its own order number
// is the key: whatever way a sale is told, and however often, it is one order
// and one commission. A report with another value is refused and told; a change
// is asked for by name, with [Service.Correct].
//
// # States
//
//	            time passes: the hold
//	Pending ─────────────────────────► Approved
//	   │
//	   │ Decline
//	   ▼
//	Declined
//
// The clock decides that a hold is over, not a background job; see
// [Order.StatusAt]. The ledger's entry is payable from the same instant. A
// pending or approved order can be refunded, corrected and priced again; a
// declined one cannot.
//
// # Attribution
//
// A report names clicks, a voucher, or both. A click must be of the advertiser,
// valid, and within the window of days; after a duplicate, the click that it
// repeats pays. Of several clicks the last one pays, or the first one where the
// advertiser says so. A click goes before a voucher, unless the advertiser turns
// that round. [Service.Explain] says of each candidate why it is paid or not.
//
// # Money
//
// Commission is value × rate, by the terms frozen at the click, or by those of
// the campaign that would serve a voucher's owner at the time of the order. The
// exact product is rounded half to even once, when it becomes money. A refund
// takes back the order's share for the refunded part, by largest remainder over
// all refunds so far: parts always add up, and never to more than there was.
//
// An order in another currency is converted at the rate that [Rates] knows for
// its time. The rate is kept with the order: refunds and corrections use it,
// whatever the currency is worth by then.
//
// Budgets of campaigns count the cost of orders under the same locks as clicks.
// Refunds, corrections and declines give it back.
//
// Every order that earns nothing has a reason, and is kept; see the Reason
// constants.
//
// # Choices where the documents are silent
//
//   - A repeated report is compared by value and currency, and by tax, shipping
//     and lines where both tell them. A pixel tells less than a server.
//   - An order that nobody brought is completed by a later report of it that
//     names a click or a voucher: a server is often faster than a browser.
//   - The window counts from the customer's last visit, which may be a duplicate.
//     A click may be up to ten minutes after the order: shops' clocks differ.
//   - Orders after a click that was valid stay unpaid when the creator is banned,
//     or the advertiser deactivated, before the order. A blocklist entry that came
//     after a valid click does not matter; one that names a voucher's owner does.
//   - A campaign that has ended since the click still pays, while its budget has
//     room: the creator did the work before.
//   - Rates by SKU go before rates by category. Both go before the campaign's own
//     rate, and stand behind a rate that the creator has by itself.
//   - Tax and shipping that the advertiser leaves out of commissions are taken
//     from the value that no line has first, then from all lines in proportion.
//   - An order with refunds is not corrected any more: refund the rest.
//   - A correction that no budget has room for leaves the order without money;
//     [Service.Reprice] tries again.
//   - An error of [Rates] means that no rate is known. The order is kept.
package orders
