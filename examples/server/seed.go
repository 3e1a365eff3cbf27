package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/links"
)

// seed is what "server admin apply" brings into a database, as JSON:
//
//	{
//	  "advertisers": [{
//	    "name": "Acme", "domains": ["acme.example"], "country": "SE", "currency": "SEK",
//	    "cpc": {"amount": "0.10", "currency": "SEK"}, "cpa": "0.05"
//	  }],
//	  "clients": [{"client_id": "magazine", "name": "Magazine", "revenue_share": "0.8"}],
//	  "users": [{"username": "anna", "email": "anna@example.com", "client": "magazine", "approved": true}],
//	  "tokens": [
//	    {"role": "admin", "subject": "operator"},
//	    {"role": "representative", "subject": "acme", "advertisers": ["Acme"]},
//	    {"role": "creator", "user": "anna", "client": "magazine"},
//	    {"role": "client", "client": "magazine"}
//	  ]
//	}
//
// Every list may be left out. What is there already is found by its name, client_id,
// username within its client, or role and subject, and stays as it is; only a
// representative or an agency gets the advertisers that it does not act for yet.
type seed struct {
	Advertisers []seedAdvertiser `json:"advertisers"`
	Clients     []seedClient     `json:"clients"`
	Users       []seedUser       `json:"users"`
	Tokens      []seedToken      `json:"tokens"`
}

type seedAdvertiser struct {
	Name       string                              `json:"name"`
	Domains    []string                            `json:"domains"`
	Country    string                              `json:"country"`
	Currency   affiliate.Currency                  `json:"currency"`
	Language   string                              `json:"language"`
	CPC        affiliate.Optional[affiliate.Money] `json:"cpc"`         // what a click earns
	CPA        affiliate.Optional[affiliate.Rate]  `json:"cpa"`         // what an order earns, of its value
	InvoiceCPC affiliate.Optional[affiliate.Money] `json:"invoice_cpc"` // what a click costs
	InvoiceCPA affiliate.Optional[affiliate.Rate]  `json:"invoice_cpa"` // what an order costs, of its value
}

type seedClient struct {
	ClientID     string         `json:"client_id"`
	Name         string         `json:"name"`
	RevenueShare affiliate.Rate `json:"revenue_share"`
}

type seedUser struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	Client   string `json:"client"` // a client_id
	Approved bool   `json:"approved"`
}

type seedToken struct {
	Role        affiliate.Role `json:"role"`
	Subject     string         `json:"subject"` // not for creators and clients
	Name        string         `json:"name"`
	User        string         `json:"user"`        // a creator's username
	Client      string         `json:"client"`      // a client_id: of the client, or of the creator's
	Advertisers []string       `json:"advertisers"` // names; for representatives and agencies
}

// seedResult is the line that is printed. Secrets are those of what was created
// now, by its name in Created: nobody can read them again.
type seedResult struct {
	IDs     map[string]map[string]int64 `json:"ids"` // by kind and name
	Created []string                    `json:"created"`
	Secrets map[string]string           `json:"secrets"`
}

func newSeedResult() seedResult {
	return seedResult{IDs: map[string]map[string]int64{}, Created: []string{}, Secrets: map[string]string{}}
}

func (r *seedResult) note(kind, name string, id int64, created bool) {
	if r.IDs[kind] == nil {
		r.IDs[kind] = make(map[string]int64)
	}
	r.IDs[kind][name] = id
	if created {
		r.Created = append(r.Created, kind+" "+name)
	}
}

// seedSower brings a seed into one transaction.
type seedSower struct {
	kit    *affiliatekit.Kit
	tokens identity.Store
	out    seedResult
}

func (s *seedSower) sow(ctx context.Context, in seed) error {
	for _, a := range in.Advertisers {
		if err := s.advertiser(ctx, a); err != nil {
			return fmt.Errorf("advertiser %q: %w", a.Name, err)
		}
	}
	for _, c := range in.Clients {
		if err := s.client(ctx, c); err != nil {
			return fmt.Errorf("client %q: %w", c.ClientID, err)
		}
	}
	for _, u := range in.Users {
		if err := s.user(ctx, u); err != nil {
			return fmt.Errorf("user %q: %w", u.Username, err)
		}
	}
	for _, t := range in.Tokens {
		if err := s.token(ctx, t); err != nil {
			return fmt.Errorf("token of %s %s%s%s: %w", t.Role, t.Subject, t.User, t.Client, err)
		}
	}
	return nil
}

// findAdvertiser returns the oldest advertiser of that name, 0 for none.
func (s *seedSower) findAdvertiser(ctx context.Context, name string) (int64, error) {
	for number := 1; ; number++ {
		p := affiliate.PageRequest{Number: number, Size: affiliate.MaxPageSize}
		page, err := s.kit.Core.Advertisers(ctx, affiliate.AdvertiserFilter{Query: name}, p)
		if err != nil {
			return 0, err
		}
		for _, a := range page.Items {
			if a.Name == name {
				return a.ID, nil
			}
		}
		if len(page.Items) < p.Size {
			return 0, nil
		}
	}
}

func (s *seedSower) advertiser(ctx context.Context, in seedAdvertiser) error {
	id, err := s.findAdvertiser(ctx, in.Name)
	if err != nil {
		return err
	}
	created := id == 0
	if created {
		costs := affiliate.Costs{CPA: in.CPA, InvoiceCPA: in.InvoiceCPA}
		for _, m := range []struct {
			field string
			from  affiliate.Optional[affiliate.Money]
			to    *affiliate.Optional[int64]
		}{{"cpc", in.CPC, &costs.CPC}, {"invoice_cpc", in.InvoiceCPC, &costs.InvoiceCPC}} {
			if !m.from.Set {
				continue
			}
			if m.from.Value.Currency() != in.Currency {
				return fmt.Errorf("%s must be in %s", m.field, in.Currency)
			}
			*m.to = affiliate.Some(m.from.Value.Minor())
		}
		a, err := s.kit.Links.RegisterAdvertiser(ctx, links.Registration{
			Domains: in.Domains,
			Advertiser: affiliate.Advertiser{
				Name: in.Name, Country: in.Country, Currency: in.Currency, Language: in.Language, DefaultCosts: []affiliate.Costs{costs},
			},
		})
		if err != nil {
			return err
		}
		id = a.ID
	}
	s.out.note("advertiser", in.Name, id, created)
	return nil
}

// findClient returns the client with the client_id, or ErrNotFound.
func (s *seedSower) findClient(ctx context.Context, clientID string) (c affiliate.Client, err error) {
	err = s.tokens.Read(ctx, func(ctx context.Context, tx identity.Tx) error {
		c, err = tx.Clients().ByPublicID(ctx, clientID)
		return err
	})
	return c, err
}

func (s *seedSower) client(ctx context.Context, in seedClient) error {
	if in.ClientID == "" {
		return errors.New("client_id is required: the client is found by it")
	}
	c, err := s.findClient(ctx, in.ClientID)
	created := affiliate.IsNotFound(err)
	if created {
		var secret string
		c, secret, err = s.kit.Core.CreateClient(ctx, affiliate.Client{PublicID: in.ClientID, Name: in.Name, RevenueShare: in.RevenueShare})
		s.out.Secrets["client "+in.ClientID] = secret
	}
	if err != nil {
		return err
	}
	s.out.note("client", in.ClientID, c.ID, created)
	return nil
}

// clientID returns the id of a client that is named, 0 where none is.
func (s *seedSower) clientID(ctx context.Context, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	c, err := s.findClient(ctx, name)
	return c.ID, err
}

func (s *seedSower) findUser(ctx context.Context, clientID int64, username string) (u affiliate.User, err error) {
	err = s.tokens.Read(ctx, func(ctx context.Context, tx identity.Tx) error {
		u, err = tx.Users().ByUsername(ctx, clientID, username)
		return err
	})
	return u, err
}

func (s *seedSower) user(ctx context.Context, in seedUser) error {
	clientID, err := s.clientID(ctx, in.Client)
	if err != nil {
		return err
	}
	u, err := s.findUser(ctx, clientID, in.Username)
	created := affiliate.IsNotFound(err)
	if created {
		u = affiliate.User{Username: in.Username, Email: in.Email, ClientID: clientID}
		if in.Approved {
			u.VerifiedAt = time.Now()
		}
		u, err = s.kit.Core.CreateUser(ctx, u)
	}
	if err != nil {
		return err
	}
	s.out.note("user", in.Username, u.ID, created)
	return nil
}

func (s *seedSower) token(ctx context.Context, in seedToken) error {
	t := identity.AccessToken{Role: in.Role, Subject: in.Subject, Name: in.Name}
	clientID, err := s.clientID(ctx, in.Client)
	if err != nil {
		return err
	}
	shown := in.Subject
	switch in.Role {
	case affiliate.RoleCreator:
		u, err := s.findUser(ctx, clientID, in.User)
		if err != nil {
			return err
		}
		t.Subject, t.UserID, shown = strconv.FormatInt(u.ID, 10), u.ID, in.User
	case affiliate.RoleClient:
		t.Subject, t.ClientID, shown = strconv.FormatInt(clientID, 10), clientID, in.Client
	case affiliate.RoleSync:
		if _, err := s.kit.AdSync.RegisterAccount(ctx, adsync.AccountInput{ID: in.Subject, Name: in.Name}); err != nil {
			return err
		}
	}
	var there []identity.AccessToken
	if err := s.tokens.Read(ctx, func(ctx context.Context, tx identity.Tx) error {
		there, err = tx.Tokens().BySubject(ctx, t.Role, t.Subject)
		return err
	}); err != nil {
		return err
	}
	name := string(in.Role) + " " + shown
	if len(there) > 0 {
		s.out.note("token", name, there[0].ID, false)
	} else {
		made, secret, err := s.kit.Identity.IssueToken(ctx, t)
		if err != nil {
			return err
		}
		s.out.note("token", name, made.ID, true)
		s.out.Secrets["token "+name] = secret
	}
	for _, advertiser := range in.Advertisers {
		id, err := s.findAdvertiser(ctx, advertiser)
		if err == nil && id == 0 {
			err = affiliate.NotFound("advertiser", advertiser)
		}
		if err == nil {
			err = s.kit.Identity.AddMember(ctx, identity.Membership{Role: t.Role, Subject: t.Subject, AdvertiserID: id})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
