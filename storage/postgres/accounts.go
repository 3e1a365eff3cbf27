package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

func (t coreTx) Accounts() identity.AccountRepository { return accounts(t) }
func (t coreTx) Agencies() identity.AgencyRepository  { return agencies(t) }
func (t coreTx) Invites() identity.InviteRepository   { return invites(t) }
func (t coreTx) Persons() identity.PersonRepository   { return persons(t) }

type accountRow struct {
	bun.BaseModel `bun:"table:affiliate_accounts,alias:t"`

	ID          int64          `bun:"id,pk,autoincrement"`
	Subject     string         `bun:"subject"`
	Email       string         `bun:"email"`
	Name        string         `bun:"name"`
	Role        affiliate.Role `bun:"role"`
	UserID      int64          `bun:"user_id,nullzero"`
	AgencyIDs   []int64        `bun:"agency_ids,array"`
	UTMSource   string         `bun:"utm_source"`
	UTMMedium   string         `bun:"utm_medium"`
	UTMCampaign string         `bun:"utm_campaign"`
	UTMTerm     string         `bun:"utm_term"`
	UTMContent  string         `bun:"utm_content"`
	CreatedAt   time.Time      `bun:"created_at,nullzero"`
	UpdatedAt   time.Time      `bun:"updated_at,nullzero"`
}

var accountTable = table[identity.Account, accountRow]{
	name: "affiliate_accounts", resource: "account",
	row: newAccountRow, entity: accountRow.account,
	refers: func(r *accountRow) []reference {
		return []reference{ref("user_id", "affiliate_users", r.UserID), ref("agency_ids", "affiliate_agencies", r.AgencyIDs...)}
	},
	unheld: true,
}

func newAccountRow(a identity.Account) accountRow {
	return accountRow{
		ID: a.ID, Subject: a.Subject, Email: a.Email, Name: a.Name, Role: a.Role, UserID: a.UserID, AgencyIDs: append([]int64{}, a.AgencyIDs...),
		UTMSource: a.UTM.Source, UTMMedium: a.UTM.Medium, UTMCampaign: a.UTM.Campaign, UTMTerm: a.UTM.Term, UTMContent: a.UTM.Content,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

func (r accountRow) account() identity.Account {
	return identity.Account{
		ID: r.ID, Subject: r.Subject, Email: r.Email, Name: r.Name, Role: r.Role, UserID: r.UserID, AgencyIDs: noneAsNil(r.AgencyIDs),
		UTM:       identity.UTM{Source: r.UTMSource, Medium: r.UTMMedium, Campaign: r.UTMCampaign, Term: r.UTMTerm, Content: r.UTMContent},
		CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
	}
}

type accounts struct{ u *unit }

func (r accounts) Add(ctx context.Context, a identity.Account) (identity.Account, error) {
	return change(ctx, r.u, "account", func(ctx context.Context) (identity.Account, error) {
		if err := a.Validate(); err != nil {
			return identity.Account{}, err
		}
		row := newAccountRow(a)
		if err := accountTable.insert(ctx, r.u, &row); err != nil {
			return identity.Account{}, err
		}
		return row.account(), nil
	})
}

func (r accounts) Get(ctx context.Context, id int64) (identity.Account, error) {
	return accountTable.get(ctx, r.u, id)
}

func (r accounts) BySubject(ctx context.Context, subject string) (identity.Account, error) {
	return accountTable.one(ctx, r.u, "", func(q filter) { q.exactly("t.subject", subject) })
}

func (r accounts) ByUsers(ctx context.Context, userIDs []int64) ([]identity.Account, error) {
	return accountTable.many(ctx, r.u, func(q filter) { q.among("t.user_id", nonNil(userIDs)) })
}

func (r accounts) Update(ctx context.Context, a identity.Account) error {
	return exec(ctx, r.u, "account", func(ctx context.Context) error {
		if err := a.Validate(); err != nil {
			return err
		}
		row := newAccountRow(a)
		return accountTable.replace(ctx, r.u, &row, a.ID)
	})
}

type agencyRow struct {
	bun.BaseModel `bun:"table:affiliate_agencies,alias:t"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Name      string    `bun:"name"`
	CreatedAt time.Time `bun:"created_at,nullzero"`
}

var agencyTable = table[identity.Agency, agencyRow]{
	name: "affiliate_agencies", resource: "agency",
	row: func(a identity.Agency) agencyRow {
		return agencyRow{ID: a.ID, Name: a.Name, CreatedAt: a.CreatedAt}
	},
	entity: func(r agencyRow) identity.Agency {
		return identity.Agency{ID: r.ID, Name: r.Name, CreatedAt: utc(r.CreatedAt)}
	},
}

type agencies struct{ u *unit }

func (r agencies) Add(ctx context.Context, a identity.Agency) (identity.Agency, error) {
	return agencyTable.add(ctx, r.u, a)
}

func (r agencies) GetMany(ctx context.Context, ids []int64) ([]identity.Agency, error) {
	return agencyTable.getMany(ctx, r.u, ids)
}

type inviteRow struct {
	bun.BaseModel `bun:"table:affiliate_invites,alias:t"`

	ID           int64          `bun:"id,pk,autoincrement"`
	Role         affiliate.Role `bun:"role"`
	AdvertiserID int64          `bun:"advertiser_id,nullzero"`
	AgencyID     int64          `bun:"agency_id,nullzero"`
	Email        string         `bun:"email"`
	Hash         hash           `bun:"hash"`
	By           int64          `bun:"by,nullzero"`
	ByName       string         `bun:"by_name"`
	CreatedAt    time.Time      `bun:"created_at,nullzero"`
	ExpiresAt    time.Time      `bun:"expires_at"`
	AcceptedAt   time.Time      `bun:"accepted_at,nullzero"`
	AcceptedBy   int64          `bun:"accepted_by,nullzero"`
	RevokedAt    time.Time      `bun:"revoked_at,nullzero"`
}

var inviteTable = table[identity.Invite, inviteRow]{
	name: "affiliate_invites", resource: "invite",
	row: newInviteRow, entity: inviteRow.invite,
	refers: func(r *inviteRow) []reference {
		return []reference{
			ref("advertiser_id", "affiliate_advertisers", r.AdvertiserID), ref("agency_id", "affiliate_agencies", r.AgencyID),
			ref("by", "affiliate_users", r.By), ref("accepted_by", "affiliate_accounts", r.AcceptedBy),
		}
	},
}

func newInviteRow(i identity.Invite) inviteRow {
	return inviteRow{
		ID: i.ID, Role: i.Role, AdvertiserID: i.AdvertiserID, AgencyID: i.AgencyID, Email: i.Email, Hash: i.Hash, By: i.By.UserID, ByName: i.By.Name,
		CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt, AcceptedAt: i.AcceptedAt, AcceptedBy: i.AcceptedBy, RevokedAt: i.RevokedAt,
	}
}

func (r inviteRow) invite() identity.Invite {
	return identity.Invite{
		ID: r.ID, Role: r.Role, AdvertiserID: r.AdvertiserID, AgencyID: r.AgencyID, Email: r.Email, Hash: r.Hash, By: affiliate.Actor{UserID: r.By, Name: r.ByName},
		CreatedAt: utc(r.CreatedAt), ExpiresAt: utc(r.ExpiresAt), AcceptedAt: utc(r.AcceptedAt), AcceptedBy: r.AcceptedBy, RevokedAt: utc(r.RevokedAt),
	}
}

type invites struct{ u *unit }

func (r invites) Add(ctx context.Context, i identity.Invite) (identity.Invite, error) {
	return inviteTable.add(ctx, r.u, i)
}

func (r invites) Get(ctx context.Context, id int64) (identity.Invite, error) {
	return inviteTable.get(ctx, r.u, id)
}

func (r invites) ByHash(ctx context.Context, h [32]byte) (identity.Invite, error) {
	return inviteTable.one(ctx, r.u, "", func(q filter) { q.Where("t.hash = ?", h[:]) })
}

func (r invites) Pending(ctx context.Context, role affiliate.Role, email string, now time.Time) ([]identity.Invite, error) {
	return inviteTable.many(ctx, r.u, func(q filter) {
		q.exactly("t.role", string(role))
		q.exactly("t.email", email)
		q.Where("t.accepted_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > ?", now)
	})
}

func (r invites) Update(ctx context.Context, i identity.Invite) error {
	return inviteTable.update(ctx, r.u, i, i.ID)
}
