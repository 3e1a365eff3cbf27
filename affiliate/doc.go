// Package affiliate is the core that the other domains of affiliatekit build
// on: exact money, errors, pages, ids and time, principals and their access
// tokens, units of work, the ledger; and the records that every domain refers
// to: advertisers and their groups, clients and revenue tiers, users and user
// tags.
//
// # Layers
//
// A [Service] holds the rules. It runs units of work on a [Store], whose
// transaction, a [Tx], gives the repositories; those keep and find, and decide
// nothing. Which backend is behind the store (storage/memory, storage/postgres,
// or one's own that passes storage/storagetest) makes no difference but in
// speed and durability.
//
// The service trusts its callers: whoever calls it in the same process may do
// everything. Who may do what over HTTP is decided by the adapter.
//
// # Money
//
// [Money] is a whole number of minor units in one ISO 4217 currency. There is
// no float anywhere: a [Rate] is a fraction in billionths, and a product is
// rounded half to even once, when it becomes money.
//
// # The ledger
//
// Every amount comes from an [Entry]. Entries are appended and never changed:
//
//	booked ──► pending ──► payable ──► paid
//	   │     (PayableAt)          (a payout entry)
//	   └──► reversed in part or whole, by other entries, never by more than it was
//
// A [Balance] is the sum of an account's entries. [Total] keeps that sum in the
// unit that appends, and [Service.Verify] recomputes it.
//
// # Users
//
//	undecided ──approve──► accepted ──ban──► suspended ──approve──► accepted
//	    └──────────────────ban─────────────────▲
//
// The state is computed from two times, so it cannot disagree with them; only
// a user whose state really changes raises an event.
//
// # Events
//
// Every change of state is written as an [Event] in the unit that makes it.
// Package affiliate/events delivers them afterwards, at least once.
//
// # Choices where the documents are silent
//
//   - E-mail addresses are compared in lower case as a whole: two addresses that
//     differ in case alone are one person's in practice.
//   - User names of users without a client are unique among themselves.
//   - A traffic source for which an advertiser has no rate is free; there is no
//     fall-back from one source to another, because leaving a rate out is how an
//     advertiser says zero.
//   - A reversal becomes payable when its entry does, or at once if that is past:
//     it lowers what is pending before it lowers what can be paid.
package affiliate
