package identity

import (
	"crypto/rand"
	"errors"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock  affiliate.Clock // default: affiliate.SystemClock
	Random io.Reader       // where secrets come from; default: crypto/rand
	// Postman sends invites. Default: none; the host brings the secret to the guest.
	Postman Postman
	// CRM and Directory are called by Service.Deliver. Default: none; the events
	// are the record.
	CRM       CRM
	Directory Directory
	// Registrar keeps the passwords of those who register an advertiser with one.
	// Default: none; they are invited instead.
	Registrar Registrar
}

// Service holds the rules of who somebody is: access tokens, memberships,
// sessions of the OpenID provider, invites and agencies. It is safe for
// concurrent use.
type Service struct {
	store     Store
	clock     affiliate.Clock
	random    io.Reader
	onUser    affiliate.UserHook
	postman   Postman
	crm       CRM
	directory Directory
	registrar Registrar
	viewer    affiliate.Viewer
}

// NewService returns the service over a store. The users that it adds and
// changes run the hooks of the core's service, whose store is of the same
// backend.
func NewService(core *affiliate.Service, store Store, o Options) (*Service, error) {
	if core == nil || store == nil {
		return nil, errors.New("identity: NewService needs the core's service and a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Service{
		store: store, clock: o.Clock, random: o.Random, onUser: core.UserChanged, postman: o.Postman, crm: o.CRM, directory: o.Directory, registrar: o.Registrar,
	}, nil
}

// For returns the service for a viewer: sign-ups and invites are of its session.
func (s *Service) For(v affiliate.Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's. No invite is sent in it, since the transaction may
// not be kept: Invite returns the secret, and the host sends it after the commit.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store, in.postman = store, nil
	return &in
}

// session returns what the provider says about the viewer.
func (s *Service) session() (affiliate.Session, error) {
	session := s.viewer.Principal().Session
	if session.Subject == "" {
		return session, affiliate.Forbidden("This needs a session of the OpenID provider.")
	}
	return session, nil
}

// unlinked is session for a viewer who is nobody here yet.
func (s *Service) unlinked() (affiliate.Session, error) {
	if s.viewer.Principal().Role != affiliate.RoleSession {
		return affiliate.Session{}, affiliate.Forbidden("This needs a session that is not linked with an account.")
	}
	return s.session()
}
