// Package identity knows who somebody is and for whom somebody acts: access
// tokens and memberships.
//
// An [AccessToken] is a secret that stands for one account: a creator, a
// client, an agency. Only the hash of the secret is kept.
//
// A [Membership] lets a representative or an agency act for an advertiser. It
// is read with every request, so a membership that is taken away ends at once.
package identity
