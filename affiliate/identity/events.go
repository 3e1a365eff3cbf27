package identity

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The kinds of this package's events. The object of an account's is its id, that
// of an unknown identity's the provider's id.
var (
	EventLinked          = affiliate.EventKind{Name: "identity.linked", Version: 1, Object: "account", When: "A session became somebody: a user, or a representative or an agency's account."}
	EventInvited         = affiliate.EventKind{Name: "identity.invited", Version: 1, Object: "invite", When: "An invite was issued."}
	EventInviteAccepted  = affiliate.EventKind{Name: "identity.invite_accepted", Version: 1, Object: "invite", When: "An invite was accepted."}
	EventInviteRevoked   = affiliate.EventKind{Name: "identity.invite_revoked", Version: 1, Object: "invite", When: "An invite was taken back."}
	EventIdentityCreated = affiliate.EventKind{Name: "identity.created", Version: 1, Object: "account", When: "The OpenID provider has a new identity.", Payload: CreatedPayload{}}
	EventIdentityUpdated = affiliate.EventKind{Name: "identity.updated", Version: 1, Object: "account", When: "The OpenID provider changed an identity that is known here."}
	EventIdentityUnknown = affiliate.EventKind{Name: "identity.updated_unknown", Version: 1, Object: "identity", When: "The OpenID provider changed an identity that is not known here."}
	EventContactChanged  = affiliate.EventKind{Name: "identity.contact_changed", Version: 1, Object: "account", When: "A user's e-mail address or phone number changed here: the provider is to be told."}
	EventAgencyCreated   = affiliate.EventKind{Name: "agency.created", Version: 1, Object: "agency", When: "An agency was added."}
	EventMemberAdded     = affiliate.EventKind{Name: "membership.added", Version: 1, Object: "member", When: "Somebody may act for an advertiser.", Payload: MemberPayload{}}
	EventMemberRemoved   = affiliate.EventKind{Name: "membership.removed", Version: 1, Object: "member", When: "Somebody may no longer act for an advertiser.", Payload: MemberPayload{}}
	EventTokenAdded      = affiliate.EventKind{Name: "access_token.added", Version: 1, Object: "access_token", When: "An access token was issued.", Payload: TokenPayload{}}
	EventTokenRevoked    = affiliate.EventKind{Name: "access_token.revoked", Version: 1, Object: "access_token", When: "An access token was ended."}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind {
	return []affiliate.EventKind{
		EventLinked, EventInvited, EventInviteAccepted, EventInviteRevoked, EventIdentityCreated, EventIdentityUpdated, EventIdentityUnknown,
		EventContactChanged, EventAgencyCreated, EventMemberAdded, EventMemberRemoved, EventTokenAdded, EventTokenRevoked,
	}
}

// CreatedPayload says where somebody registered.
type CreatedPayload struct {
	AppURL string `json:"app_url"`
}

// MemberPayload says in which role.
type MemberPayload struct {
	Role affiliate.Role `json:"role"`
}

// TokenPayload says for which role a token is. Events are kept longer than what
// says who somebody is: the secret, the subject and the name are in none.
type TokenPayload struct {
	Role affiliate.Role `json:"role"`
}

func (m Membership) event(kind affiliate.EventKind, at time.Time) affiliate.Event {
	return kind.On(m.Subject, at).Of(m.AdvertiserID, 0).With(MemberPayload{m.Role})
}
