// Package memory is the reference backend: everything in the memory of one
// process, nothing on disk. It is for tests, for demos, and for a service that
// can load what it needs when it starts. What another backend should do in a
// doubtful case is what this one does; package storagetest holds both to it.
//
// # What it promises
//
// All that affiliate.Store says, and this beyond it:
//
//   - One writer at a time, alone; readers beside each other. A Write runs its
//     callback once and never fails for contention.
//   - It refuses what SQL would: what Validate refuses, then unique keys in
//     use, then references to nothing (all at once).
//   - An id that a rolled back unit saw may be given again: no committed id is.
//   - Lists by an indexed field cost what the rows with that value cost, a page
//     of them without further filters what the page costs.
//
// A unit holds its lock from start to end. A unit that waits for another unit
// of the same DB, other than by its context, waits for ever: it is ErrNested
// only where the context tells.
//
// # How it works
//
// A [DB] is a set of tables under one read-write lock; package internal/engine
// has the tables, their indexes and the units, and knows no domain. Rows that
// come by the million (links, clicks, entries, roll-ups) are kept in a compact
// form: microseconds, 32-bit ids, and numbers for texts that repeat; the last
// three have no pointers, so that the garbage collector does not walk them. The
// bounds that follow from it: 4,294,967,295 rows a table.
//
// # How to add a plain aggregate
//
// Plain aggregates are described, and engine.Entities does the rest. One file,
// of the same name as in storage/postgres, has
//
//  1. the table: a struct with engine.Entities[E] and its indexes. newXTable(db)
//     says what E is (ID, Own, Times, Refuses, Sort) and makes the indexes, which
//     add themselves to the table; in(db) says where the table is in a DB. An
//     entity with a key from outside, such as a UUID, is engine.Keyed.
//  2. the repository: struct{ xRepo } with xRepo = repo[E, *xTable], which has Add,
//     Get, GetMany, Update and Delete. List is one verb for each field of the
//     filter, in the order of the filter in storage/postgres; a verb that ends in
//     In has an index. Other look-ups are rows of an index.
//
// The table goes into its domain's struct of tables and the repository into its
// transaction; the tests of the package then hold the indexes against the rows.
// advertisers.go is a small example. A new domain is one more struct of tables, a
// transaction that embeds the one below it, and a method of DB that returns a
// view of it, as in tx_deals.go.
//
// # What is written by hand
//
// Links, clicks, entries, totals, usage and days come by the million: their rows
// are packed, and their Add takes many at once. Deals are packed too, and move
// between lists that are in parts. Targets, memberships, relations, visitor
// secrets and idempotency keys have no Add, Get and Update of one entity. Return
// ads keep their counts in the row. Such methods begin with u.Use, or u.Change
// when they change something, and give each error but a read's ErrNotFound to
// u.Fail; they change rows only by Insert, Replace, Touch and Delete. Their lists
// use the same verbs.
package memory
