package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// market is a store with a few people in it.
type market struct {
	t      *testing.T
	core   *affiliate.Service
	people *identity.Service
	now    time.Time
	post   *post
	acme   affiliate.Advertiser
	client affiliate.Client
	anna   affiliate.User
	store  affiliate.Store[identity.Tx]
	heard  int64 // the last event that events has returned
}

// post notes what it is to send, and fails when it is told to.
type post struct {
	secrets []string
	fail    error
}

func (p *post) Invited(_ context.Context, _ identity.Invite, secret string) error {
	p.secrets = append(p.secrets, secret)
	return p.fail
}

// provider notes what the CRM and the directory are told.
type provider struct{ told []string }

func (p *provider) Registered(_ context.Context, a identity.Account, appURL string) error {
	p.told = append(p.told, "registered "+a.Subject+" "+a.Email+" "+appURL)
	return nil
}

func (p *provider) SetContact(_ context.Context, subject, email, phone string) error {
	p.told = append(p.told, strings.Join([]string{"contact", subject, email, phone}, " "))
	return nil
}

func eachMarket(t *testing.T, test func(t *testing.T, m *market)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		m := &market{t: t, now: noon, post: &post{}, store: b.Identity}
		clock := func() time.Time { return m.now }
		var err error
		m.core, err = affiliate.NewService(b.Core, affiliate.Options{Clock: clock})
		is.NoErr(err)
		m.people, err = identity.NewService(m.core, b.Identity, identity.Options{Clock: clock, Postman: m.post})
		is.NoErr(err)
		m.acme, err = m.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
		is.NoErr(err)
		m.client, _, err = m.core.CreateClient(t.Context(), affiliate.Client{Name: "North", PublicID: "north"})
		is.NoErr(err)
		m.anna, err = m.core.CreateUser(t.Context(), affiliate.User{Username: "anna", DisplayName: "Anna", Email: "anna.k@example.com"})
		is.NoErr(err)
		test(t, m)
	})
}

// as is the service for a session of the provider.
func (m *market) as(subject, email string) *identity.Service {
	m.t.Helper()
	return m.people.For(affiliate.ViewerOf(m.principal(subject, email)))
}

func (m *market) principal(subject, email string) affiliate.Principal {
	m.t.Helper()
	p, err := m.people.Session(m.t.Context(), affiliate.Session{Subject: subject, Email: email})
	if err != nil {
		m.t.Fatal(err)
	}
	return p
}

// events are the kinds of this package's events since the last call, but for
// those of members, tokens and agencies.
func (m *market) events() string {
	m.t.Helper()
	list, err := affiliate.Read(m.t.Context(), m.store, func(ctx context.Context, tx identity.Tx) ([]affiliate.Event, error) {
		return tx.Events().Scan(ctx, m.heard, 1000)
	})
	if err != nil {
		m.t.Fatal(err)
	}
	var kinds []string
	for _, e := range list {
		if m.heard = e.ID; strings.HasPrefix(e.Kind, "identity.") {
			kinds = append(kinds, e.Kind)
		}
	}
	return strings.Join(kinds, " ")
}

// code is the stable code of an error.
func code(err error) string {
	if e, ok := errors.AsType[*affiliate.Error](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestASessionBecomesACreatorOnce(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		p := m.principal("sub-1", " Bo@Example.com")
		is.Equal(p.Role, affiliate.RoleSession)
		is.Equal(p.Session.Email, "bo@example.com")
		session := m.people.For(affiliate.ViewerOf(p))
		u, err := session.SignUpCreator(t.Context(), identity.SignUp{
			ClientID: "north", Locale: "sv", UTM: identity.UTM{Source: "instagram"},
			SocialMedia: []affiliate.SocialMedia{{Type: "instagram", Identifier: "https://instagram.com/Bo"}},
		})
		is.NoErr(err)
		is.Equal(u.Username, "bo")
		is.Equal(u.Email, "bo@example.com")
		is.Equal(u.ClientID, m.client.ID)
		is.Equal(u.SocialMedia[0].Identifier, "bo")
		is.Equal(u.Status(), affiliate.UserUndecided)
		is.Equal(m.events(), identity.EventLinked.Name)

		p = m.principal("sub-1", "bo@example.com")
		is.Equal(p.Role, affiliate.RoleCreator)
		is.Equal(p.UserID, u.ID)
		is.Equal(p.Subject, fmt.Sprint(u.ID))

		_, err = session.SignUpCreator(t.Context(), identity.SignUp{}) // with the principal of before
		is.Equal(code(err), "already_linked")
		_, err = m.as("sub-1", "bo@example.com").SignUpCreator(t.Context(), identity.SignUp{})
		is.True(errors.Is(err, affiliate.ErrForbidden)) // a creator is no session
		_, err = m.people.SignUpCreator(t.Context(), identity.SignUp{})
		is.True(errors.Is(err, affiliate.ErrForbidden)) // nor is the operator
	})
}

func TestASignUpThatCannotBeLeavesNothing(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		for name, c := range map[string]struct {
			email string
			in    identity.SignUp
			field string
		}{
			"no e-mail":           {"", identity.SignUp{}, "email"},
			"the e-mail of anna":  {"anna.k@example.com", identity.SignUp{}, "email"},
			"an unknown client":   {"x@example.com", identity.SignUp{ClientID: "south"}, "client_id"},
			"a locale too long":   {"x@example.com", identity.SignUp{Locale: strings.Repeat("s", 36)}, "preferred_locale"},
			"a NUL in a handle":   {"x@example.com", identity.SignUp{SocialMedia: []affiliate.SocialMedia{{Type: "instagram", Identifier: "\x00"}}}, "social_media.0.identifier"},
			"a source too long":   {"x@example.com", identity.SignUp{UTM: identity.UTM{Source: strings.Repeat("s", 256)}}, "utm.source"},
			"a client with a NUL": {"x@example.com", identity.SignUp{ClientID: "north\x00"}, "client_id"},
		} {
			_, err := m.as("sub", c.email).SignUpCreator(t.Context(), c.in)
			e, ok := errors.AsType[*affiliate.Error](err)
			if !ok || len(e.Fields) != 1 || e.Fields[0].Field != c.field {
				t.Errorf("%s: got %v, want an error of %s", name, err, c.field)
			}
		}
		unverified := affiliate.Principal{Role: affiliate.RoleSession, Subject: "sub", Session: affiliate.Session{Subject: "sub", Email: "x@example.com", Unverified: true}}
		_, err := m.people.For(affiliate.ViewerOf(unverified)).SignUpCreator(t.Context(), identity.SignUp{})
		is.True(errors.Is(err, affiliate.ErrInvalid))
		is.Equal(m.principal("sub", "x@example.com").Role, affiliate.RoleSession)
		page, err := m.core.Users(t.Context(), affiliate.UserFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(page.Total, 1)
		is.Equal(m.events(), "")
	})
}

func TestUsernamesOfSignUpsAreUnique(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		_, err := m.core.CreateUser(t.Context(), affiliate.User{Username: "bo", ClientID: m.client.ID})
		is.NoErr(err)
		u, err := m.as("sub-1", "bo@example.com").SignUpCreator(t.Context(), identity.SignUp{ClientID: "north"})
		is.NoErr(err)
		is.True(strings.HasPrefix(u.Username, "bo-"))
		is.Equal(len(u.Username), len("bo-")+6)

		// Also within a unit that is joined, as a request with an idempotency key is.
		second := m.as("sub-2", "bo@example.org")
		err = affiliate.Join(t.Context(), m.store, func(ctx context.Context, _ identity.Tx) error {
			u, err := second.SignUpCreator(ctx, identity.SignUp{ClientID: "north"})
			is.True(strings.HasPrefix(u.Username, "bo-"))
			return err
		})
		is.NoErr(err)
	})
}

func TestOfSignUpsAtOnceOneWins(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		session := m.as("sub-1", "bo@example.com")
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { _, errs[i] = session.SignUpCreator(t.Context(), identity.SignUp{}) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, affiliate.ErrConflict) {
				t.Error(err)
			}
		}
		is.Equal(won, 1)
	})
}

func TestAnExistingUserIsLinkedByTheOperator(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		_, err := m.people.LinkUser(t.Context(), "sub-anna", m.anna.ID)
		is.NoErr(err)
		_, err = m.people.LinkUser(t.Context(), "sub-anna", m.anna.ID)
		is.NoErr(err)
		is.Equal(m.principal("sub-anna", "other@example.com").UserID, m.anna.ID)
		_, err = m.people.LinkUser(t.Context(), "sub-other", m.anna.ID)
		is.Equal(code(err), "already_linked")
		bo, err := m.core.CreateUser(t.Context(), affiliate.User{Username: "bo"})
		is.NoErr(err)
		_, err = m.people.LinkUser(t.Context(), "sub-anna", bo.ID)
		is.Equal(code(err), "already_linked")
		_, err = m.people.LinkUser(t.Context(), "sub-x", 999)
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

func TestAnInviteIsAcceptedOnceAndBeforeItExpires(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		invite := func() (identity.Invite, string) {
			i, secret, err := m.people.Invite(t.Context(), identity.InviteInput{Email: "Rep@Example.com", AdvertiserID: m.acme.ID, ValidFor: time.Hour})
			is.NoErr(err)
			is.Equal(m.post.secrets[len(m.post.secrets)-1], secret)
			return i, secret
		}
		i, secret := invite()
		is.Equal(i.Email, "rep@example.com")
		is.Equal(i.Status(m.now), identity.InvitePending)
		is.Equal(i.Hash, affiliate.HashSecret(secret)) // only the hash is kept
		accept := func(subject, email, secret string) error {
			_, err := m.as(subject, email).AcceptInvites(t.Context(), affiliate.RoleRepresentative, secret)
			return err
		}
		is.Equal(code(accept("sub-2", "other@example.com", "")), "no_pending_invite")
		is.Equal(code(accept("sub-2", "other@example.com", secret+"x")), "no_pending_invite")
		_, err := m.as("sub-2", "rep@example.com").AcceptInvites(t.Context(), affiliate.RoleAgency, secret)
		is.Equal(code(err), "no_pending_invite") // it is for another role
		is.Equal(m.principal("sub-2", "").Role, affiliate.RoleSession)

		is.NoErr(accept("sub-1", "rep@example.com", "")) // by its address
		p := m.principal("sub-1", "rep@example.com")
		is.Equal(p.Role, affiliate.RoleRepresentative)
		is.Equal(p.AdvertiserIDs, []int64{m.acme.ID})
		is.Equal(code(accept("sub-2", "other@example.com", secret)), "no_pending_invite") // it was accepted
		is.Equal(code(accept("sub-2", "rep@example.com", "")), "no_pending_invite")
		is.True(errors.Is(m.people.RevokeInvite(t.Context(), i.ID), affiliate.ErrState))

		_, secret = invite()
		is.NoErr(accept("sub-2", "other@example.com", secret)) // by its secret, whatever the address
		is.Equal(m.principal("sub-2", "").AdvertiserIDs, []int64{m.acme.ID})

		i, secret = invite()
		is.NoErr(m.people.RevokeInvite(t.Context(), i.ID))
		is.NoErr(m.people.RevokeInvite(t.Context(), i.ID))
		is.Equal(code(accept("sub-3", "rep@example.com", secret)), "no_pending_invite")
		_, secret = invite()
		m.now = m.now.Add(time.Hour)
		is.Equal(code(accept("sub-3", "rep@example.com", secret)), "no_pending_invite")
		is.Equal(code(accept("sub-3", "rep@example.com", "")), "no_pending_invite")
		is.Equal(m.events(), "identity.invited identity.linked identity.invite_accepted identity.invited identity.linked identity.invite_accepted identity.invited identity.invite_revoked identity.invited")
	})
}

func TestAnUnverifiedAddressAcceptsNoInvite(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		_, secret, err := m.people.Invite(t.Context(), identity.InviteInput{Email: "rep@example.com", AdvertiserID: m.acme.ID})
		is.NoErr(err)
		p := affiliate.Principal{Role: affiliate.RoleSession, Subject: "sub", Session: affiliate.Session{Subject: "sub", Email: "rep@example.com", Unverified: true}}
		session := m.people.For(affiliate.ViewerOf(p))
		_, err = session.AcceptInvites(t.Context(), affiliate.RoleRepresentative, "")
		is.Equal(code(err), "no_pending_invite")
		_, err = session.AcceptInvites(t.Context(), affiliate.RoleRepresentative, secret)
		is.NoErr(err)
	})
}

func TestAgenciesActThroughWhoJoined(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		other, err := m.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Nordic", Country: "SE", Currency: "SEK"})
		is.NoErr(err)
		a, err := m.people.CreateAgency(t.Context(), "Agency", m.acme.ID, m.acme.ID)
		is.NoErr(err)
		b, err := m.people.CreateAgency(t.Context(), "Second agency", other.ID)
		is.NoErr(err)
		for _, agency := range []int64{b.ID, a.ID} {
			_, _, err = m.people.Invite(t.Context(), identity.InviteInput{Email: "a@example.com", AgencyID: agency})
			is.NoErr(err)
		}
		accepted, err := m.as("sub-1", "a@example.com").AcceptInvites(t.Context(), affiliate.RoleAgency, "")
		is.NoErr(err)
		is.Equal(len(accepted), 2)
		p := m.principal("sub-1", "a@example.com")
		is.Equal(p.Role, affiliate.RoleAgency)
		is.Equal(p.AdvertiserIDs, []int64{m.acme.ID, other.ID})
		is.NoErr(m.people.RemoveMember(t.Context(), identity.Membership{Role: affiliate.RoleAgency, Subject: identity.AgencyMember(b.ID), AdvertiserID: other.ID}))
		is.Equal(m.principal("sub-1", "a@example.com").AdvertiserIDs, []int64{m.acme.ID}) // at once

		_, _, err = m.people.Invite(t.Context(), identity.InviteInput{Email: "a@example.com", AdvertiserID: m.acme.ID})
		is.NoErr(err)
		_, err = m.as("sub-1", "a@example.com").AcceptInvites(t.Context(), affiliate.RoleRepresentative, "")
		is.True(err != nil) // an account has one role
	})
}

func TestAnInviteThatCannotBeSentIsRevoked(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		m.post.fail = errors.New("no post today")
		_, _, err := m.people.Invite(t.Context(), identity.InviteInput{Email: "rep@example.com", AdvertiserID: m.acme.ID})
		is.True(errors.Is(err, m.post.fail))
		_, err = m.as("sub", "rep@example.com").AcceptInvites(t.Context(), affiliate.RoleRepresentative, m.post.secrets[0])
		is.Equal(code(err), "no_pending_invite")
		for name, in := range map[string]identity.InviteInput{
			"nobody":      {AdvertiserID: m.acme.ID},
			"nothing":     {Email: "a@example.com"},
			"both":        {Email: "a@example.com", AdvertiserID: m.acme.ID, AgencyID: 1},
			"unknown":     {Email: "a@example.com", AdvertiserID: 999},
			"too long":    {Email: "a@example.com", AdvertiserID: m.acme.ID, ValidFor: identity.MaxInviteTime + 1},
			"in the past": {Email: "a@example.com", AdvertiserID: m.acme.ID, ValidFor: -1},
		} {
			if _, _, err := m.people.Invite(t.Context(), in); !errors.Is(err, affiliate.ErrInvalid) {
				t.Errorf("%s: got %v, want ErrInvalid", name, err)
			}
		}
	})
}

func TestWebhooksAreToldOnceHoweverOftenTheyCome(t *testing.T) {
	eachMarket(t, func(t *testing.T, m *market) {
		is := is.New(t)
		_, err := m.people.LinkUser(t.Context(), "sub-anna", m.anna.ID)
		is.NoErr(err)
		is.Equal(m.events(), identity.EventLinked.Name)
		for range 2 { // a replay
			is.NoErr(m.people.IdentityCreated(t.Context(), identity.Notice{Subject: "sub-new", Email: "New@example.com", AppURL: "https://app.example"}))
		}
		is.Equal(m.events(), identity.EventIdentityCreated.Name)
		is.Equal(m.principal("sub-new", "new@example.com").Role, affiliate.RoleSession) // known, and nobody yet
		is.NoErr(m.people.IdentityUpdated(t.Context(), identity.Notice{Subject: "sub-nobody", Email: "x@example.com"}))
		is.Equal(m.events(), identity.EventIdentityUnknown.Name)
		for range 2 {
			is.NoErr(m.people.IdentityUpdated(t.Context(), identity.Notice{Subject: "sub-anna", Email: "anna@new.example"}))
		}
		is.Equal(m.events(), identity.EventIdentityUpdated.Name)
		u, err := m.core.User(t.Context(), m.anna.ID)
		is.NoErr(err)
		is.Equal(u.Email, "anna@new.example")

		_, err = m.core.CreateUser(t.Context(), affiliate.User{Username: "bo", Email: "bo@example.com"})
		is.NoErr(err)
		err = m.people.IdentityUpdated(t.Context(), identity.Notice{Subject: "sub-anna", Email: "bo@example.com"})
		is.True(errors.Is(err, affiliate.ErrConflict))
		for _, n := range []identity.Notice{{}, {Subject: "\x00"}, {Subject: strings.Repeat("s", 256)}, {Subject: "s", Email: "no address"}, {Subject: "s", AppURL: strings.Repeat("u", 2049)}} {
			is.True(errors.Is(m.people.IdentityCreated(t.Context(), n), affiliate.ErrInvalid))
			is.True(errors.Is(m.people.IdentityUpdated(t.Context(), n), affiliate.ErrInvalid))
		}
		is.Equal(m.events(), "")
	})
}

func TestContactsChangeHereAndAtTheProvider(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		told := &provider{}
		core, err := affiliate.NewService(b.Core, affiliate.Options{})
		is.NoErr(err)
		people, err := identity.NewService(core, b.Identity, identity.Options{CRM: told, Directory: told})
		is.NoErr(err)
		anna, err := core.CreateUser(t.Context(), affiliate.User{Username: "anna", Email: "anna@example.com", Phone: "1"})
		is.NoErr(err)
		bo, err := core.CreateUser(t.Context(), affiliate.User{Username: "bo", Email: "bo@example.com"})
		is.NoErr(err)
		_, err = people.LinkUser(t.Context(), "sub-anna", anna.ID)
		is.NoErr(err)
		is.NoErr(people.IdentityCreated(t.Context(), identity.Notice{Subject: "sub-new", Email: "new@example.com", AppURL: "https://app.example"}))

		as := func(role affiliate.Role, user int64) *identity.Service {
			return people.For(affiliate.ViewerOf(affiliate.Principal{Role: role, UserID: user, ClientID: 1}))
		}
		change := identity.Contact{Email: affiliate.Some("Anna@New.example"), Phone: affiliate.Some("+46 1")}
		u, err := as(affiliate.RoleCreator, anna.ID).UpdateContact(t.Context(), anna.ID, change)
		is.NoErr(err)
		is.Equal(u.Email, "anna@new.example")
		is.Equal(u.Phone, "+46 1")
		_, err = as(affiliate.RoleAdmin, 0).UpdateContact(t.Context(), anna.ID, change) // no change
		is.NoErr(err)
		_, err = as(affiliate.RoleCreator, bo.ID).UpdateContact(t.Context(), anna.ID, change)
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = as(affiliate.RoleClient, 0).UpdateContact(t.Context(), anna.ID, change)
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = people.UpdateContact(t.Context(), anna.ID, identity.Contact{Email: affiliate.Some("bo@example.com")})
		is.True(errors.Is(err, affiliate.ErrConflict))
		for _, bad := range []string{"", "no address", "\x00@b", strings.Repeat("a", 254) + "@b"} {
			_, err = people.UpdateContact(t.Context(), anna.ID, identity.Contact{Email: affiliate.Some(bad)})
			is.True(errors.Is(err, affiliate.ErrInvalid))
		}

		bus, err := events.NewService(b.Events, events.Options{})
		is.NoErr(err)
		is.Equal(people.Delivers(), []string{identity.EventIdentityCreated.Name, identity.EventContactChanged.Name})
		is.NoErr(bus.Subscribe("identity", people.Delivers(), people.Deliver))
		_, err = bus.Deliver(t.Context())
		is.NoErr(err)
		is.Equal(told.told, []string{"registered sub-new new@example.com https://app.example", "contact sub-anna anna@new.example +46 1"})
		is.NoErr(people.Deliver(t.Context(), identity.EventContactChanged.On(999, time.Time{})))
	})
}
