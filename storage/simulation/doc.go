// Package simulation has tests alone: a market of hosts, readers, shops,
// deliverers of events and sync workers, over the memory backend, that lives for
// days in a few milliseconds. One seed decides everything: who goes on when, which
// units of work fail before or after their commit, what the ad service does, and
// how time passes: by minutes while a request is under way, by hours otherwise.
// After each step the budgets, the ledger, the events and every acknowledged write
// are looked at.
//
// Whoever takes part runs in a goroutine of their own, but one at a time: at the
// beginning of each unit of work the next one is chosen, so that what takes
// several units is interleaved with what others do.
package simulation
