package identity

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Membership lets a representative or an agency act for an advertiser.
type Membership struct {
	Role         affiliate.Role // affiliate.RoleRepresentative or affiliate.RoleAgency
	Subject      string         // as in affiliate.Principal, 1..64 characters
	AdvertiserID int64
}

// Validate checks what every backend refuses.
func (m Membership) Validate() error {
	var v affiliate.Validation
	v.Check(m.Role == affiliate.RoleRepresentative || m.Role == affiliate.RoleAgency, "role", "unknown_role", "must be representative or agency")
	v.Text("subject", m.Subject, 1, 64)
	return v.Err("membership")
}

// AddMember lets a representative or an agency act for an advertiser. Doing it
// again changes nothing.
func (s *Service) AddMember(ctx context.Context, m Membership) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Memberships().Add(ctx, m)
	})
}

// RemoveMember takes that right away. Doing it again changes nothing.
func (s *Service) RemoveMember(ctx context.Context, m Membership) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Memberships().Remove(ctx, m)
	})
}
