// Package apisync is the HTTP dialect of APISync: the 19 operations of its
// document over package adsync, as JSON:API.
//
// # Documents
//
// A body is {"data": {"type", "id", "attributes", "relationships"}}. Keys come
// in with underscores or hyphens, at every level, and go out with underscores. So
// do types, which go out with hyphens; a type may be left out. Read-only
// attributes that are sent back are ignored.
//
// PUT and PATCH are alike: both change what is sent. POST adds a record (201) or
// changes the one that the body names by id, reference_id or, of items, by
// fingerprint (200). A reference_id serves in a path too.
//
// # What is taken beside the documented form
//
//   - ad-sets and ads as the type of a campaign, as two examples have it; any
//     other type that does not fit the route is 409.
//   - service adwords for google-ads; ad type image for image_with_link.
//   - a creative with or without a data object around it.
//   - places as keys or as {"key"}; geo_locations as a plain list of Google's
//     criteria, which is printed as criteria_ids.
//   - label or name for what people call a custom attribute; both are printed.
//
// # Lists
//
// Pages have 25 records in the order of creation. links.next leads on and is
// null on the last page. Its page[starting_after] is the documented cursor, in
// milliseconds, and its page[after] breaks ties within one; the documented cursor
// also works alone, and then leaves out what was created in that millisecond.
//
// # Errors
//
// Errors are JSON:API: status, code, title, detail, and source with a pointer
// into the body or the parameter of the query. A removed record is 410 for its
// own account, and 404 for every other one. A body or an Accept header that is
// neither JSON nor JSON:API is 406.
package apisync
