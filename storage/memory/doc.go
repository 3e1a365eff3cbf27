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
//   - It refuses what SQL would: what Validate refuses, then references to
//     nothing (all at once), then unique keys in use.
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
// # How to add a table
//
//  1. Write one file for the aggregate: a struct with *engine.Table[Row] and its
//     indexes, a constructor newXTable(db) that makes them (engine.NewUnique and
//     the others add themselves to the table), and the repository, a
//     struct{ u *unit }.
//  2. Begin each method with u.Use, or u.Change when it changes something, and
//     give each error but a read's ErrNotFound to u.Fail. Change rows only by
//     Insert, Replace, Touch and Delete. For entities that are kept as they are,
//     engine.Add, Update, Remove, Get, GetMany and Page do all of that.
//  3. Put the table into its domain's struct of tables, and the repository into
//     its transaction. The package's tests then hold its indexes against its rows.
//
// A new domain is one more such struct, a transaction that embeds coreTx, and a
// method of DB that returns a view of it.
package memory
