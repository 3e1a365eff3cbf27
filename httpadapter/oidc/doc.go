// Package oidc verifies the JWTs of an OpenID provider, such as Ory. It is a
// package of its own, so that programs that do not use it do not link its
// libraries.
//
//	verifier, err := oidc.New(ctx, oidc.Options{Issuer: "https://id.example", Audience: "affiliate"})
//	authenticator := httpadapter.OIDC(verifier, people, httpadapter.TokenAuthenticator(people))
//
// # What a token must have
//
//   - a signature by an asymmetric algorithm of Options.Algorithms, made with a
//     key of the provider: "none" and HMAC are refused before any key is looked
//     at, so that a public key never serves as an HMAC secret;
//   - the issuer and the audience of the options;
//   - an expiry that is not over, and no "nbf" or "iat" in the future, each with
//     Options.ClockSkew of tolerance;
//   - a subject of 1 to 255 characters.
//
// A token with critical header fields ("crit") is refused: none is known here.
//
// # Keys
//
// The keys are read once at the start and then every Options.Refresh. A token
// with a known key needs no request, whatever happens to the provider. A token
// with an unknown key causes one request, at most one in
// Options.UnknownKeyInterval for all tokens together; the others are refused at
// once. So a new key is known as soon as it is used, and forged tokens cannot
// make a storm of requests. A request that fails keeps the keys as they are.
package oidc
