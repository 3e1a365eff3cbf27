//go:build !race

package simulation

// seeds is how many markets live.
const seeds = 1000
