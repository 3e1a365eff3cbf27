//go:build race

package simulation

// seeds is how many markets live under the race detector, which has little to
// find: one goroutine runs at a time.
const seeds = 30
