// Package productlists serves the product lists API: seven operations on the
// lists of the account that asks.
//
// An answer about one list is {"data", "meta"}, a page of lists {"meta",
// "data"}, and what was added, removed or deleted stands at the top beside
// "meta". Every answer, errors included, has meta.trace_id: the request's id,
// which is in X-Request-Id as well. It is a UUID version 7, unless the client
// named its request itself.
//
// # Choices where the document is silent
//
//   - Filters by metadata are metadata[key]=value or bare [key]=value; several
//     must all match. page and per_page (100 at most, and by default) page
//     through them.
//   - A list that is another account's, or no UUID, is 404.
//   - barcode is a number: a leading zero is lost on the way, the product table
//     has it. sku is a number where the number has the same digits, else a
//     string. What a product has not is null.
//   - Prices are numbers in major units, sale_discount whole percent.
//   - pool_id and owner_identifier are optional; owner_identifier is "" where
//     there is none.
package productlists
