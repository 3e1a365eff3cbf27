// Package retention takes out what is older than it need be: visitor keys, clicks,
// events, logs of webhooks and kept answers.
//
//	visitor keys ──► erased                        by law, first
//	clicks       ──► archive ──► given up ──► removed
//	events       ──► archive ──────────────► removed    only those that are delivered
//	attempts of webhooks, kept answers ────► removed    they are logs, not history
//
// # What stays
//
// Roll-ups, the ledger, budgets, totals, invoices, and orders with the terms,
// creator, campaign and link that were frozen for them. links.Service.Verify
// stays empty: links.Retained says from which day clicks are complete, and keeps
// what budgets counted of those that are gone.
//
// # A crash at any point
//
// A part of some thousand clicks is written to the archive, then one unit gives
// it up: it notes how far and what was counted. Only what was given up is
// removed. A process that dies between two of these steps has lost and doubled
// nothing; the next call goes on where the last one ended. Two calls at once are
// safe: of two units that give up the same part, one does.
//
// # Choices
//
//   - Clicks that may still be paid by an order stay, whatever the policy says:
//     the longest window of all advertisers, a day for the click that a duplicate
//     repeats, and the time in which orders are reported late
//     (Policy.LateOrders). Their visitor keys need not stay so long.
//   - The ledger is never shortened. Its entries are what invoices rest on, for as
//     long as laws want those, and sums of years ago are still asked for.
//   - Limits are whole days in UTC, since roll-ups are. On PostgreSQL with clicks
//     by month they are whole months, which go at once.
//   - Kept answers are removed when they have expired, whatever the policy says:
//     nobody may ask for them any more. They and the logs of webhooks are not
//     archived.
//   - A click that is gone cannot be reversed any more: reverse its entry.
package retention
