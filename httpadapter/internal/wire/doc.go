// Package wire is the machinery under the HTTP dialects: a route table of typed
// calls, decoding, error answers, pages, rate limits, idempotency keys and
// request ids. It knows no dialect; a dialect is a [Dialect], its routes and
// its request and response types.
//
// # Routes
//
// A dialect is a table that reads like the vendor's page, one line for each
// documented route:
//
//	type route wire.Route
//
//	routes := []route{
//		{"GET /v2/shops/{shop_id}/guests", "guests-list", shop, wire.Call(s.listGuests)},
//		{"POST /v2/shops/{shop_id}/guests", "guests-add", shop, wire.Call(s.addGuests).Status(201)},
//		{"PUT,PATCH /v2/ads/{id}", "ad-update", wire.Any(), wire.Call(s.updateAd)},
//	}
//	mux, err := wire.NewMux(wire.Dialect{Errors: errorForm{}, Forms: true, Lenient: true}, options, wire.Table(routes))
//
// A handler is a function of a context, the principal and its input:
//
//	type addGuests struct {
//		ShopID int64 `path:"shop_id"`
//		Guests []struct {
//			ID    int64 `json:"id" required:"true"`
//			Plain bool  `json:"plain"`
//		} `json:"guests" max:"1000"`
//	}
//
//	func (s *server) addGuests(ctx context.Context, p affiliate.Principal, in addGuests) (guests, error)
//
// # What happens to a request, in this order
//
//  1. It gets a request id. A path that is not text is 400, an unknown one 404,
//     a wrong method 405 with Allow. Paths are taken as they are: //v2/health
//     is unknown, nothing is redirected.
//     A browser's preflight is answered here, see [CORS].
//  2. It is authenticated (401) and counted (429).
//  3. Its scope is checked: 403 for a role that never may, 404 for an id of
//     another tenant. Nobody without rights learns what is wrong with the body.
//  4. Query and body are read: 400 malformed, 413 too large, 415 not a type
//     that the dialect takes.
//  5. An Idempotency-Key of a POST is looked up, see [IdempotencyStore].
//  6. The input is decoded; all its failing fields are told at once (422).
//  7. The handler runs, and its output or error is encoded.
//
// # Inputs
//
// An input is a struct. Its fields say where they come from:
//
//	path:"id"      the path; a value that does not fit the type is 404
//	query:"size"   the query string
//	json:"name"    the body: JSON, form or multipart
//	query:"q" json:"q"   the query, and where it is not there, the body
//	alias:"a,b"    other spellings of the name
//	(type URL, RequestID, Method)   the request itself
//
// A GET whose input has json fields reads a body; other GETs do not. Inside
// nested structs the names are those of the json tag (of the query tag first,
// below a field that has only that one). Embedded structs are flattened.
// `query:""` with a map takes bare brackets: ?[k]=v.
//
// and what holds for them, each with a message that names the bound:
//
//	required:"true"   absent, null and "" are errors
//	default:"20"      for absent and null
//	min:"1" max:"100" value of a number, characters of a string, items of a list
//	enum:"a,b"        strings and integers, also the items of a list
//	sort:"id,name"    the columns of an affiliate.Sort ("name:desc")
//
// Types are string, bool, integers, decimal.Decimal (numbers and strings, never
// through a float), json.Number (as given), time.Time ([ParseTime]), uuid.UUID,
// affiliate.Sort, [File], slices, maps by string, structs, pointers (nil: absent
// or null), [Optional] (tells absent from null), [Value] and json.RawMessage
// (anything), and every [Unmarshaler]. For a type that cannot hold it, null
// counts as absent. Tags that make no sense are an error of [NewMux].
//
// What is printed is described by its type: an [Either] has one of two, and
// null:"true" marks a list or map that prints null where there is none. See
// [Mux.Describe].
//
// Unknown fields are ignored, of two equal names the last one counts. No string
// that a handler sees has a NUL, a lone surrogate or invalid UTF-8 in it. One
// input has at most 100,000 values, 10,000 form fields and 32 levels.
//
// # Errors
//
// Handlers return errors of kinds ([affiliate.Error]); one table makes statuses
// of them, one [ErrorEncoder] bodies. Anything else is a 500 with a fixed
// sentence, logged once with the request id, as are panics.
package wire
