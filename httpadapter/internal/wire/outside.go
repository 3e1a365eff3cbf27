package wire

import "net/http"

// What a handler beside the table, such as the redirect, shares with it.

// RequestIDHeader is the header that every answer carries.
const RequestIDHeader = requestIDHeader

// RequestIDOf is the id of a request that no [Mux] serves.
func RequestIDOf(r *http.Request) string { return requestID(r) }
