// Package httpadapter answers the documented HTTP APIs, so that their existing
// clients keep working: each API is a dialect with a package of its own, and
// the redirect that affiliate links lead through stands beside them.
//
//	handler, err := httpadapter.New(
//		httpadapter.Services{Core: core, Links: links},
//		httpadapter.Options{Authenticator: httpadapter.TokenAuthenticator(people)},
//	)
//
// The handler answers every path, unknown ones with 404. In an existing server
// it goes under a prefix, as it is or dialect by dialect; links in answers keep
// the prefix:
//
//	mux.Handle("/affiliates/", http.StripPrefix("/affiliates", handler))
//
//	metapicHandler, err := metapic.New(metapic.Services{Core: core, Links: links}, options)
//	mux.Handle("/partner-api/", http.StripPrefix("/partner-api", metapicHandler))
//
// Behind a reverse proxy that takes a prefix off, Options.BasePath names
// that prefix, so that the links in responses begin with it.
//
// A ServeMux redirects paths such as //v2/health before a handler sees them;
// give the adapter a host name of its own where that matters. Handlers that are
// mounted one by one share a rate limit only if Options.RateLimiter is the same.
//
// # Who asks
//
// An [Authenticator] makes a principal of a request. [TokenAuthenticator] knows
// the access tokens of the core; a host with sessions of its own brings its own.
// What a principal may do is decided here: services trust their callers. The
// order is always the same: who (401), how often (429), whether (403, or 404 for
// what belongs to another tenant), then what was sent (400, 413, 415, 422).
//
// # What every answer has
//
// X-Request-Id, the client's own if it sent a good one. Where a rate limit
// holds, x-ratelimit-limit and x-ratelimit-remaining, and with 429 retry-after.
// A POST with an Idempotency-Key is run once in 24 hours; its answer is given
// again, marked Idempotency-Replayed: true, with the same status and body. Of an
// answer above 64 KiB it is kept that there was one: then the repetition is 409
// "idempotency_answer_too_large". Files are not kept. The
// keys are kept in the core's store, so that it does not matter which process is
// asked.
//
// # Browsers
//
// Web pages of every origin may read answers, and preflights are answered with
// the methods of the path; Options.CORS names the origins instead, or none. Pages
// send a token like every other client: answers never allow a browser's own
// credentials.
//
// # The redirect
//
// GET /c/{id} sends a reader on with 302, always to the link's own URL and never
// to one from the request, after the click is kept as surely as the links
// service was set up to. A click that cannot be kept sends nobody on (503): it
// would be somebody's money. It needs no principal and has no rate limit.
//
//   - HEAD, and requests whose Sec-Purpose or Purpose names a prefetch or a
//     prerender, are answered and not counted; the URL then has no click id.
//   - ?src= names the traffic source; else the Referer does.
//   - A program is known by its user agent (github.com/mileusna/useragent), or
//     by having none. Tools that people use by hand, such as curl, are people.
//   - Readers are told apart by address and user agent: see Options.ClientIP
//     when there is a proxy in front.
//   - Answers must not be cached (Cache-Control: no-store, private). What the
//     shop learns about the page with the link is the host's to decide:
//     Referrer-Policy is not set.
//
// [NewRedirect] makes that handler alone.
//
// # Pictures and return ads
//
// Three more routes need no principal: GET /media/{key} answers the pictures
// that campaigns show, GET /r/{id}/view and GET /r/{id}/click count that a
// return ad was shown and followed: a pixel, and a redirect to where the ad
// leads. They take the advertiser at whose shop that was as ?advertiser_id= and
// count while the ad is active, for people, and never beyond its limits; readers
// are answered in any case. [NewOpenRoutes] makes that handler alone.
package httpadapter
