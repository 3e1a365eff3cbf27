package identity

import (
	"context"
	"slices"
	"time"

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
		return join(ctx, tx, s.clock.Now(), m)
	})
}

// join adds a membership, unless it is there.
func join(ctx context.Context, tx Tx, now time.Time, m Membership) error {
	if err := m.Validate(); err != nil {
		return err
	}
	had, err := tx.Memberships().Advertisers(ctx, m.Role, m.Subject)
	if err != nil || slices.Contains(had, m.AdvertiserID) {
		return err
	}
	if err := tx.Memberships().Add(ctx, m); err != nil {
		return err
	}
	return tx.Events().Add(ctx, m.event(EventMemberAdded, now))
}

// RemoveMember takes that right away. Doing it again changes nothing.
func (s *Service) RemoveMember(ctx context.Context, m Membership) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		had, err := tx.Memberships().Advertisers(ctx, m.Role, m.Subject)
		if err != nil || !slices.Contains(had, m.AdvertiserID) {
			return err
		}
		if err := tx.Memberships().Remove(ctx, m); err != nil {
			return err
		}
		return tx.Events().Add(ctx, m.event(EventMemberRemoved, s.clock.Now()))
	})
}
