// Package deals keeps what business partners sell and whom they pay for it:
// catalogs with offers and landings, the partners that promote them by marks in
// links and by promo codes, and the purchases that come of it.
//
// # Parties
//
// A business partner sells; it is known by the UUID of its principal. A partner
// promotes; it is known by a UUID too, and earns into the ledger's account
// "partner:<uuid>". Customers are nobody here: a purchase says by which mark
// (another_data) or promo code they came.
//
// # Deals
//
//	          Pay                 time passes: Hold
//	Created ───────────► Paid ─────────────────────► Approved
//	   │                  │
//	   │ Withdraw, or     │ Withdraw
//	   │ time passes:     │ (the reward is reversed)
//	   │ Cancel           ▼
//	   └──────────────► Canceled
//
// Canceled is final. Approved is too, but for a refund: Canceled with
// Changes.Returned, at any time. A deal that was withdrawn may be marked as
// returned as well.
//
// The clock decides, not a background job: [Deal.At] tells what a kept deal is
// at an instant, and everything that reads, lists, filters or moves a deal goes
// through it, or through [StatusAt], which says the same of a filter.
// [Service.Sweep] only writes down what is so already, and tells of it.
//
// # Money
//
// The terms of an offer, its catalog's durations, and the partner are frozen
// when a deal is created. The reward is what the terms come to for the cost,
// rounded half to even once. It is booked when the deal is Paid, payable when
// the hold is over, and reversed when the deal is Canceled, also after it was paid out: the entries of a
// deal add up to its reward or to nothing. An advertiser is not involved, so
// the entries have no cost.
//
// # Attribution
//
// A mark wins over a promo code. With an unknown mark the code counts. A code
// that does not count is refused, unless a mark has attributed the deal.
//
// # Events
//
// deal.created, deal.paid, deal.approved and deal.canceled, each once for each
// deal, at the time when it was so; catalog_access.requested, .granted, .denied;
// catalog.suspended when a catalog is published no longer: tell the partners that
// have access to it (Accesses).
//
// # Choices where the document is silent
//
//   - A partner earns by a catalog if it was let in; with free entry, unless it
//     was turned away. If the partner is not allowed, its mark is ignored
//     and its promo code is refused.
//   - Promo codes are compared without regard to case, marks as they stand.
//   - A deal is compared with what it was posted with, but for a cost that was
//     changed since. Offers may be renamed and closed meanwhile: a deal that
//     is paid after its due time still counts as paid.
//   - Deals need an active offer. The catalog may be unpublished and without a
//     landing: these two decide only whether partners see it. check_promo knows
//     a code only while a deal could use it.
//   - A fixed reward is in the currency of the deal.
//   - A comment may be changed in every state.
//   - A category is a name; its id is made of it.
package deals
