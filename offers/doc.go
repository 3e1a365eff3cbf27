// Package offers is about campaigns: what an advertiser offers to creators for
// a while and up to a budget. The API documents say offer and campaign for one
// thing, and offer user and participant.
//
// # Status
//
// What an offer is follows from the clock and from what was used; nothing is
// stored and no job runs. Each overrules those below it:
//
//	deleted    DeletedAt is set
//	paused     PausedAt is set
//	ended      ValidUntil is reached, or MaxClicks, BudgetLimit or the shared
//	           budget is used up
//	scheduled  ValidFrom is not reached
//	active
//
// # Participants
//
// A participant is a creator's part in an offer. Named users take part from the
// beginning; e-mails and identifiers that no user has yet are pre-registrations
// (see [NewService]); creators of a targeted group get their part with the first
// click, application or override. A standard offer accepts at once:
//
//	suggestion ──► open ──► applied ──► second_prio
//	                 │         │             │
//	                 └─────────┴──────► accepted ◄── store_denied
//	                                    │   │   │
//	              product_sent ◄────────┘   │   └────► done
//	                    │                   ▼            ▲
//	              have_received ──────► have_posted ─────┘
//
// Most states also lead to denied or store_denied; the whole table is in
// [CanMove]. From accepted on a participant earns.
//
// # Which offer serves a click
//
// [Select] is a plain function over what was read: of the offers that are for
// the creator and have room, the first in rank ([Offer.Before]). [Explain] is
// the same rule, told for every offer with a stable [Reason].
//
// # Budgets
//
// Budgets count what the advertiser pays: the invoice rate of a click, and the
// payment of a participation. [Charge] locks the counters of the limits, reads
// under those locks what holds, and decides about a batch of clicks one by one:
// with any number of processes at it a limit is never passed, and a click is
// refused only when it does not fit. A limit that leaves less than the next click
// costs does not end an offer: a cheaper one may still fit. [Reverse] gives back.
//
// With PerUserLimit the limits of an offer hold for each creator. A click earns
// cpc × user_revenue, rounded half-even; the advertiser pays invoice_cpc, or
// cpc when nobody set one, whatever the creator's part of it is.
package offers
