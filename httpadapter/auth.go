package httpadapter

import (
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// TokenAuthenticator knows principals by the access tokens that the core keeps
// the hashes of. A request shows its token in the Authorization header, bare or
// after "Bearer ", or, without that header, in mtpc-api-key.
func TokenAuthenticator(core *affiliate.Service) Authenticator { return tokens{core} }

type tokens struct{ core *affiliate.Service }

func (t tokens) Authenticate(r *http.Request) (affiliate.Principal, error) {
	scheme, token := wire.Credentials(r)
	if len(r.Header.Values("Authorization")) == 0 {
		token = wire.HeaderToken(r, "Mtpc-Api-Key")
	}
	if token == "" || scheme != "" && scheme != "bearer" {
		return affiliate.Principal{}, &affiliate.Error{Kind: affiliate.ErrUnauthenticated, Code: "unauthenticated"}
	}
	return t.core.Authenticate(r.Context(), token)
}
