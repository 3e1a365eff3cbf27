// Package console shows what happens in an affiliatekit: clicks, orders and money
// of the last days, campaigns and their budgets, the way of a link to the ledger,
// orders and how each came to its commission, accounts as their entries, events and their deliveries, and the ad sync queue.
//
// It changes nothing and reads through the exported services of
// [affiliatekit.Kit] alone, so a host can build every one of its pages. Its
// assets are embedded: it works without a network, and without a script.
//
// The pages are for the operator. A reader proves to be one by an access token of
// the operator, as the password of HTTP Basic authentication (any name) or as a
// bearer token. With [Options.OpenOnLoopback] a reader on the same machine needs
// none.
//
// A page reads at most [PageSize] rows of a list and leads on to the next ones.
package console
