package httpadapter

import (
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// TokenAuthenticator knows principals by the access tokens of package identity,
// which keeps their hashes. A request shows its token in the Authorization header, bare or
// after "Bearer ", or, without that header, in mtpc-api-key.
func TokenAuthenticator(people *identity.Service) Authenticator { return tokens{people} }

type tokens struct{ people *identity.Service }

func (t tokens) Authenticate(r *http.Request) (affiliate.Principal, error) {
	scheme, token := wire.Credentials(r)
	if len(r.Header.Values("Authorization")) == 0 {
		token = wire.HeaderToken(r, "Mtpc-Api-Key")
	}
	if token == "" || scheme != "" && scheme != "bearer" {
		return affiliate.Principal{}, &affiliate.Error{Kind: affiliate.ErrUnauthenticated, Code: "unauthenticated"}
	}
	return t.people.Authenticate(r.Context(), token)
}
