// Package productlists keeps ordered lists of products for the accounts that
// show them, so that a price comparison, a wish list or a newsletter needs no
// product database of its own.
//
// # Lists and the catalog
//
//	feed ──► Import ──► product table ─┐
//	                                   ├─ Catalog ──► list with products and tracked links
//	a host's own product database ─────┘
//
// A [List] keeps product ids, which are opaque, in the order in which they were
// added, each once. What a product is now is asked of the [Catalog] whenever a
// list is read: a list never shows an old price. An id that the catalog does
// not know is not added; one that it knows no longer stays where it is, and
// shows as [Unavailable].
//
// The catalog that comes with the package is a table of [Product]s in the same
// store, which [Service.Import] fills from feeds: CSV, JSON or XML, packed or not,
// with the columns of Google, Meta, Awin, CJ, Rakuten, Shopify or WooCommerce, or
// a host's own. Whoever has products elsewhere implements Catalog.
//
// # Tracked links
//
// A product has a template of its commission URL, or the service's; it is
// filled in when a list is read, with the shop's address, the product, the list
// and the account, so that a network can report which list sold what. See
// [validateTemplate].
//
// # Accounts
//
// Every list belongs to an account, named by the Subject of its principal.
// Another account's list is not found, whatever is tried with it.
//
// # Metadata
//
// A list carries up to [MaxPairs] pairs of text, by which an account finds its
// lists again: several pairs must all match, exactly. Both backends find them
// by an index on account, key and value together.
//
// # Choices where the documents are silent
//
//   - An id that a call names twice is returned once.
//   - A call that would make a list longer than [MaxProducts] is refused as a
//     whole, and so is one with an id that cannot be one (empty, or longer than
//     [MaxProductID]); an id that merely is not known is ignored.
//   - Prices may be in any ISO 4217 currency; a product on sale is one whose
//     final price is below its regular one; the discount is rounded down.
//   - A feed without a column for availability lists what is in stock.
//   - An optional field that cannot be used is dropped and told; a required one
//     drops the line. A sale price of 0, or one whose time is not now, is no sale.
//   - A full import makes products Unavailable that the feed no longer has, of the
//     merchants that are in the feed: others have feeds of their own.
//   - A single comma before three digits separates thousands: no shop prices in
//     thousandths, but for currencies of three digits, where it is refused. A single
//     point before three digits is refused.
//   - A quote inside a CSV field that is not quoted is a malformed line, as in
//     RFC 4180: guessing could join lines that belong to different products. Where
//     tabs or bars stand between fields it is a sign like others: 12" speakers.
package productlists
