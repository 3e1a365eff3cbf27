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
// A [DB] is a set of tables under one read-write lock. A table is a slab, rows
// by a dense id in chunks that never move, and its indexes, which keep 4-byte
// ids and read the keys from the rows:
//
//	slab      id → row                 arithmetic
//	unique    key → id                 a hash table that grows by splitting segments
//	groups    key → ids                rows that share a key, ascending or in an order
//	tags      key → ids                rows that have the key among several
//	ordered   ids in another order     for scans and ranges
//
// Indexes are changed in place, at once; a log of small records takes the
// changes back, newest first, when the unit does not commit. Rows that come by
// the million (links, clicks, entries, roll-ups) are kept in a compact form:
// microseconds, 32-bit ids, and numbers for texts that repeat; the last three
// have no pointers, so that the garbage collector does not walk them. The bounds
// that follow from it: 4,294,967,295 rows a table.
//
// # How to add a table
//
//  1. Write one file for the aggregate: a struct with *table[Row] and its
//     indexes, a constructor that makes them (newUnique and the others add
//     themselves to the table), and the repository, a struct{ u *unit }.
//  2. Begin each method with u.use, or u.change when it changes something, and
//     give each error but a read's ErrNotFound to u.fail. Change rows only by
//     insert, replace, touch and delete. For entities that are kept as they are,
//     add, update, remove, getRow, getRows and page do all of that.
//  3. Put the table into its domain's struct of tables, the repository into its
//     transaction, and the table into the list of the package's tests, which
//     then hold its indexes against its rows.
//
// A new domain is one more such struct, a transaction that embeds coreTx, and a
// method of DB that answers a view of it.
package memory
