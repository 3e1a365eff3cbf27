package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/oidc"
)

// authenticator knows principals by their access tokens, and by the JWTs of the
// OpenID provider, if there is one.
func (c config) authenticator(ctx context.Context, people *identity.Service, log *slog.Logger) (httpadapter.Authenticator, error) {
	tokens := httpadapter.TokenAuthenticator(people)
	if c.oidcIssuer == "" {
		return tokens, nil
	}
	verifier, err := oidc.New(ctx, oidc.Options{Issuer: c.oidcIssuer, Audience: c.oidcAudience, Logger: log})
	if err != nil {
		return nil, err
	}
	return httpadapter.OIDC(verifier, people, tokens), nil
}

// errOIDC is what is wrong with half a provider.
var errOIDC = errors.New("-oidc-issuer and -oidc-audience belong together")

// logMailer notes in the log that there was an e-mail, without its content. A
// host that sends e-mails has smtp.New here.
type logMailer struct{ log *slog.Logger }

// Send implements mailing.Mailer.
func (m logMailer) Send(ctx context.Context, message mailing.Message) error {
	m.log.InfoContext(ctx, "e-mail not sent: this server has no mail server", "subject", message.Subject)
	return nil
}
