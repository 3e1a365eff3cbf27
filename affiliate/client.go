package affiliate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/internal/secrets"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Client is a publisher network: it brings users and takes a share of what they earn.
type Client struct {
	ID               int64
	GroupID          int64    // advertiser group, 0: none
	Name             string   // 1..255 characters
	PublicID         string   // the client_id that others name it by; 1..64 characters, unique
	SecretHash       [32]byte // SHA-256 of the secret, which is shown once and never kept
	RevenueShare     Rate
	OwnPaymentSystem bool  // pays its users itself
	DefaultTierID    int64 // revenue tier of its new users, 0: none
	CreatedAt        time.Time
}

// Validate checks what every backend refuses.
func (c Client) Validate() error {
	var v Validation
	v.Text("name", c.Name, 1, 255)
	v.Text("client_id", c.PublicID, 1, 64)
	return v.Err("client")
}

// RevenueTier is a class of a client's users, by what share they keep.
type RevenueTier struct {
	ID       int64
	ClientID int64
	Name     string // 1..255 characters, unique per client
	Share    Rate
}

// Validate checks what every backend refuses.
func (t RevenueTier) Validate() error {
	var v Validation
	v.Text("name", t.Name, 1, 255)
	return v.Err("revenue_tier")
}

// CreateClient adds a client and returns its secret. The secret cannot be read again:
// only its hash is kept. An empty PublicID is made up.
func (s *Service) CreateClient(ctx context.Context, c Client) (Client, string, error) {
	secret, err := secrets.New(s.random)
	if err != nil {
		return Client{}, "", err
	}
	if c.PublicID == "" {
		if c.PublicID, err = secrets.New(s.random); err != nil {
			return Client{}, "", err
		}
		c.PublicID = c.PublicID[:10]
	}
	c.SecretHash = HashSecret(secret)
	c, err = Write(ctx, s.store, func(ctx context.Context, tx Tx) (Client, error) {
		c.CreatedAt = s.clock.Now()
		return addClient(ctx, tx, c)
	})
	if err != nil {
		return Client{}, "", err
	}
	return c, secret, nil
}

// addClient adds a client with its event.
func addClient(ctx context.Context, tx Tx, c Client) (Client, error) {
	c, err := tx.Clients().Add(ctx, c)
	if err != nil {
		return c, err
	}
	return c, tx.Events().Add(ctx, EventClientCreated.On(c.ID, c.CreatedAt).Of(0, c.ID))
}

// Client returns one client: for others than the operator, themselves alone.
func (s *Service) Client(ctx context.Context, id int64) (Client, error) {
	if by := s.viewer.Principal(); !s.viewer.IsOperator() && (by.Role != RoleClient || by.ClientID != id) {
		return Client{}, NotFound("client", id)
	}
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Client, error) {
		return tx.Clients().Get(ctx, id)
	})
}

// Clients lists the clients that the viewer sees: the operator all, a client
// itself (clients-list).
func (s *Service) Clients(ctx context.Context, f ClientFilter, p PageRequest) (Page[Client], error) {
	if by := s.viewer.Principal(); by.Role == RoleClient {
		f.IDs = both(f.IDs, []int64{by.ClientID})
	} else if !s.viewer.IsOperator() {
		f.IDs = []int64{}
	}
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[Client], error) {
		return tx.Clients().List(ctx, f, p)
	})
}

// CreateRevenueTier adds a revenue tier to its client.
func (s *Service) CreateRevenueTier(ctx context.Context, t RevenueTier) (RevenueTier, error) {
	return Write(ctx, s.store, func(ctx context.Context, tx Tx) (RevenueTier, error) {
		t, err := tx.RevenueTiers().Add(ctx, t)
		if err != nil {
			return t, err
		}
		return t, tx.Events().Add(ctx, EventRevenueTierCreated.On(t.ID, s.clock.Now()).Of(0, t.ClientID))
	})
}

// RevenueTiers returns the tiers with the ids, and those of the clients, by
// ascending id.
func (s *Service) RevenueTiers(ctx context.Context, ids, clientIDs []int64) ([]RevenueTier, error) {
	return Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]RevenueTier, error) {
		tiers, err := tx.RevenueTiers().GetMany(ctx, idset.Sorted(ids))
		if err != nil || len(clientIDs) == 0 {
			return tiers, err
		}
		of, err := tx.RevenueTiers().ByClients(ctx, idset.Sorted(clientIDs))
		all := append(tiers, of...)
		slices.SortFunc(all, func(a, b RevenueTier) int { return cmp.Compare(a.ID, b.ID) })
		return slices.CompactFunc(all, func(a, b RevenueTier) bool { return a.ID == b.ID }), err
	})
}
