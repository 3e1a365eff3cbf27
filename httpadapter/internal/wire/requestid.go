package wire

import (
	"net/http"

	"github.com/google/uuid"
)

// RequestID is the id of the request: the client's X-Request-Id when it is one
// to 128 printable ASCII characters without spaces, else a UUID version 7. It
// is in every answer. An input field of this type gets it.
type RequestID string

// Method is the method of the request, for a route with several of which one
// asks for more than the others: PUT and PATCH. An input field of this type
// gets it.
type Method string

const requestIDHeader = "X-Request-Id"

func requestID(r *http.Request) string {
	if values := r.Header[requestIDHeader]; len(values) == 1 && printable(values[0], 128, '!') {
		return values[0]
	}
	id, err := uuid.NewV7()
	if err != nil {
		// The system is out of randomness. An id is still better than none.
		return uuid.Max.String()
	}
	return id.String()
}

// printable reports whether s is 1 to longest ASCII characters from lowest to ~.
func printable(s string, longest int, lowest byte) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for i := range len(s) {
		if s[i] < lowest || s[i] > '~' {
			return false
		}
	}
	return true
}
