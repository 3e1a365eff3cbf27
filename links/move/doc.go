// Package move takes an advertiser from one database to another, with everything
// that hangs on it, and shows that all of it arrived.
//
//	          snapshot                 checked wholly            in units
//	database ─────────► Export ─► file ─────────────► Import ─────────────► database
//	                      │                              │
//	                      └── Summary ═══ the same ═══ Summary
//
// It works over the stores of links, orders and the others, whatever the backends
// are: from memory to Postgres and back.
//
// # The steps of a move
//
//  1. Deactivate the advertiser (affiliate.Service.DeactivateAdvertiser). Clicks that
//     are being recorded end before it returns; later ones are not paid.
//  2. [Export] it to a file, and [Import] the file into the other database.
//  3. Compare the two summaries. An import that is not what was exported is an error,
//     so that they are equal; [Summarize] returns either again at any time.
//  4. Send the shop's redirects and reports to the other database: the ids of its
//     links, clicks and orders are what they were.
//  5. Activate it there, and leave it deactivated here.
//
// # What moves
//
// Records keep their ids, so that a link that was published, a click id in a shop's
// log and the terms of an order mean what they meant. Two databases between which
// shops move must therefore not give the same ids: see docs/many-databases.md.
//
//   - Moved: the advertiser, its URL rules, blocklist, own user tags, images,
//     campaigns with targets, rate cards, participants, comments and activities,
//     budgets and what was used of them, links, clicks, vouchers, the order
//     collector with its keys, orders, refunds, ledger entries, one-time payments,
//     return ads and their counts, roll-ups and their configurations, the payment
//     setup; and of every creator that it works with the advertiser and which of
//     its tags it has.
//   - Matched: users, clients with their revenue tiers, advertiser groups,
//     categories and the tags of all advertisers are not the advertiser's. They must
//     be in the other database under the same id and name, or are added, when the
//     import is asked to (ImportOptions.AddMissing). Everything that is missing is
//     named at once.
//   - Derived again: the totals of accounts, from the entries; the readers of the
//     last days of a campaign, from the clicks.
//   - Left behind: what happened and was told (events, deliveries, e-mails, kept
//     answers), webhook endpoints, tokens, memberships and invites, which the other
//     database grants anew; the secrets of visitor keys, so that within the day of
//     the move a reader may count as new; where a return ad is shown, which are other
//     shops; what creators published, and where they are paid to.
//
// Catalogs, deals and promo codes, product lists and ad sync belong to tenants of
// their own and to no advertiser.
//
// # Money
//
// What was booked before the move is paid where it was booked. All entries of the
// advertiser move, so that its statistics, its budgets and Verify are what they
// were; and for each account the import books adjustments (cause "moved:…", of no
// advertiser) that take out the same amounts at the times when they are payable. So
// a creator's balance begins with nothing here and stays as it is there. A refund
// after the move is taken from what the creator earns here.
//
// # The file
//
// JSON Lines, compressed by gzip: a header, one line for each record, in an order in
// which nothing refers to what comes later, and a trailer with counts, sums and
// hashes. The fields of a record are those of its Go type. The file has all that the
// database has of the shop, the keys of its reports among it, and with
// ExportOptions.People the addresses of creators: keep it as you keep the database.
//
// An export holds a page of records at a time and the ids of users and campaigns; an
// import a batch of records, a bit to twelve bytes for each id, and what each account
// gets in each month. Clicks and orders are read by windows of time; the ledger is
// read from its first entry to its last, because it has no other order that an
// advertiser's entries could be read by.
//
// # What retention gave up
//
// Clicks that retention has removed stay removed, and Verify of the other database
// knows of them. This needs that nothing else is known there: no clicks yet, or
// retention that is exactly as far. Otherwise the import is refused
// ("retention_differs").
package move
