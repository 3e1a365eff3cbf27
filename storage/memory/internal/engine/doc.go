// Package engine keeps rows in the memory of one process: tables with indexes
// under one lock, and units of work that are all or nothing. It knows no domain
// of affiliatekit; of its kernel it knows errors, pages and units.
//
//	Slab      id → row                 arithmetic
//	Unique    key → id                 a hash table that grows by splitting segments
//	Groups    key → ids                rows that share a key, ascending or in an order
//	Tags      key → ids                rows that have the key among several
//	Ordered   ids in another order     for scans and ranges
//	Words     text → number            texts that come again and again
//
// A Table is a slab with its indexes, which keep 4-byte ids and read the keys
// from the rows. Indexes are changed in place, at once; the Store's log of small
// steps takes the changes back, newest first, when the unit does not commit.
//
// Nothing here is safe for concurrent use but a Store, whose Read and Write
// order all that happens to its tables.
package engine
