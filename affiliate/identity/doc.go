// Package identity knows who somebody is and for whom somebody acts: access
// tokens, memberships, accounts of an OpenID provider, agencies and invites.
//
// An [AccessToken] is a secret that stands for one account: a creator, a
// client, an agency. Only the hash of the secret is kept.
//
// A [Membership] lets a representative or an agency act for an advertiser. It
// is read with every request, so a membership that is taken away ends at once.
//
// # Sessions
//
// An OpenID provider, such as Ory, says who somebody is: its subject and, maybe,
// an e-mail address. An [Account] says who that is here. [Service.Session] makes
// a principal of the two:
//
//	           IdentityCreated               SignUpCreator, LinkUser ──► creator
//	(unknown) ────────────────► not linked ──Represent ───────────────► representative
//	    │                            ▲       AcceptInvites ───────────► representative, agency
//	    └── any of the steps ────────┘
//
// A session that is linked with no account is a principal with
// affiliate.RoleSession, who may do nothing but take one of these steps. An
// account is linked once: another step is ErrConflict "already_linked". Of
// several steps at once one succeeds, because subject and user are unique keys.
//
// # Invites
//
//	pending ──accept──► accepted
//	   ├─────revoke───► revoked
//	   └─────(time)───► expired
//
// An [Invite] has a secret, of which the hash is kept. Whoever shows the secret
// accepts the invite; so does a session with the address that it was sent to,
// unless the provider says that the address is not verified.
//
// # The provider and others
//
// Webhooks of the provider may come twice: [Service.IdentityCreated] and
// [Service.IdentityUpdated] change nothing the second time. What the provider or
// a CRM is to be told is written as an event in the same unit; [Service.Deliver]
// hands it to the host's [Directory] and [CRM].
//
// # Choices where the documents are silent
//
//   - A store has the accounts of one provider: webhooks name no issuer.
//   - A user who exists already is not linked by its e-mail address alone:
//     an operator does that with [Service.LinkUser].
//   - The username of a creator who signs up is the first part of its address,
//     with six random characters behind it when that is taken.
//   - A representative and an agency's member have no user: they are known by
//     the name of their account, which is their address.
//   - Somebody may be a member of several agencies, and acts for the advertisers
//     of all of them.
package identity
