// Package storage has no code. The folders below it keep what the domains
// decide; this page says which of them to choose and what all of them promise.
//
// # Which one
//
//	                 memory                              postgres
//	for              tests, demos, one small process     everything that must survive
//	durable          no                                  yes
//	processes        one                                 any number on one database
//	writers          one at a time                       many, run again when they collide
//	host's own rows  –                                   in the same transaction, see postgres.New
//	needs            nothing                             PostgreSQL 13 and a few tables in a schema of its own
//
// A backend of your own is a third choice: implement the Store of each domain
// that you use, and let package storagetest tell you when it is done: Run for all
// of them, RunCore, RunLinks, … for one. A backend of one domain needs no core of
// its own for that: storagetest.Compose takes memory's (examples/ownbackend is one
// over a key-value store).
//
// # What all of them promise
//
// The contract stands in comments, in affiliate/store.go and beside each
// repository, and every sentence of it is a case in storagetest, which all
// backends pass. In short:
//
//   - Work happens in units: all or nothing, serializable, and run again when
//     they collide, so a callback does no I/O. A failed call dooms its unit.
//   - The same input gives the same value, error and order on every backend:
//     uniqueness, references, lengths and hostile text are refused alike, text
//     sorts by code point, ties by id, and empty lists come out as nil.
//   - Values go in and come out as copies. Times come out in UTC, cut to
//     microseconds. Money and rates are exact.
//   - Ids only grow and may have gaps.
//   - A cancelled context or a backend that does not answer is
//     affiliate.ErrUnavailable; nothing is half done.
package storage
