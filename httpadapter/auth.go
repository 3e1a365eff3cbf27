package httpadapter

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// TokenAuthenticator knows principals by the access tokens of package identity,
// which keeps their hashes. A request shows its token in the Authorization header, bare or
// after "Bearer " or "ApiToken ", or, without that header, in mtpc-api-key.
func TokenAuthenticator(people *identity.Service) Authenticator { return tokens{people} }

type tokens struct{ people *identity.Service }

func (t tokens) Authenticate(r *http.Request) (affiliate.Principal, error) {
	scheme, token := wire.Credentials(r)
	if len(r.Header.Values("Authorization")) == 0 {
		token = wire.HeaderToken(r, "Mtpc-Api-Key")
	}
	if token == "" || scheme != "" && scheme != "bearer" && scheme != "apitoken" {
		return affiliate.Principal{}, affiliate.Unauthenticated(nil)
	}
	return t.people.Authenticate(r.Context(), token)
}

// SessionVerifier verifies the tokens of an OpenID provider; package
// httpadapter/oidc has one.
type SessionVerifier interface {
	// Verify returns the session that a token stands for; a token that is not
	// good is an error of kind [affiliate.ErrUnauthenticated].
	Verify(ctx context.Context, token string) (affiliate.Session, error)
}

// OIDC knows principals by the JWTs of an OpenID provider, which stand in the
// Authorization header after "Bearer ". The principal is the account that is
// linked with the token's subject; a session that is linked with none is a
// principal with affiliate.RoleSession, who may only sign up and accept invites.
//
// Requests without a good JWT are left to beside, usually
// [TokenAuthenticator]; nil refuses them.
func OIDC(v SessionVerifier, people *identity.Service, beside Authenticator) Authenticator {
	return sessions{v, people, beside}
}

type sessions struct {
	verifier SessionVerifier
	people   *identity.Service
	beside   Authenticator
}

func (s sessions) Authenticate(r *http.Request) (affiliate.Principal, error) {
	refused := error(affiliate.Unauthenticated(nil))
	if scheme, token := wire.Credentials(r); scheme == "bearer" && strings.Count(token, ".") == 2 {
		session, err := s.verifier.Verify(r.Context(), token)
		if err == nil {
			return s.people.Session(r.Context(), session)
		}
		if !errors.Is(err, affiliate.ErrUnauthenticated) {
			return affiliate.Principal{}, err
		}
		refused = err
	}
	if s.beside == nil {
		return affiliate.Principal{}, refused
	}
	return s.beside.Authenticate(r)
}
