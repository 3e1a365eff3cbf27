package wire

import (
	"net/http"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Authenticator finds out who makes a request. No credentials, or bad ones, are
// an error of kind [affiliate.ErrUnauthenticated]; which of the two is not told
// outside. An unreachable token store is [affiliate.ErrUnavailable].
type Authenticator interface {
	Authenticate(*http.Request) (affiliate.Principal, error)
}

// maxToken bounds a credential in bytes: a JWT with many claims fits.
const maxToken = 8192

// Credentials reads the Authorization header: "Bearer x" and "ApiToken x" have
// their scheme in lower case, a bare token has none. Both are empty when there
// is no header, more than one, or one that no token looks like.
func Credentials(r *http.Request) (scheme, token string) {
	token = singleHeader(r, "Authorization")
	if before, after, ok := strings.Cut(token, " "); ok {
		scheme, token = strings.ToLower(before), strings.TrimLeft(after, " ")
	}
	if token == "" || strings.ContainsAny(token, " \t") {
		return "", ""
	}
	return scheme, token
}

// HeaderToken reads a credential from a header of its own. It is empty without
// that header, and when the header comes twice.
func HeaderToken(r *http.Request, name string) string { return singleHeader(r, name) }

func singleHeader(r *http.Request, name string) string {
	values := r.Header.Values(name)
	if len(values) != 1 || len(values[0]) > maxToken {
		return ""
	}
	return strings.TrimSpace(values[0])
}

// nobody refuses everyone: it stands in for an Authenticator that is missing.
type nobody struct{}

func (nobody) Authenticate(*http.Request) (affiliate.Principal, error) {
	return affiliate.Principal{}, affiliate.Unauthenticated(nil)
}
