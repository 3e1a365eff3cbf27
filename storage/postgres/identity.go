package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

// Identity is the store of package identity.
func (db *DB) Identity() identity.Store {
	return view[identity.Tx]{db, func(u *unit) identity.Tx { return offersTx{statsTx{coreTx{u}}} }}
}

var _ identity.Tx = coreTx{}

func (t coreTx) Tokens() identity.TokenRepository           { return tokens(t) }
func (t coreTx) Memberships() identity.MembershipRepository { return memberships(t) }

type tokenRow struct {
	bun.BaseModel `bun:"table:affiliate_tokens,alias:t"`

	ID        int64          `bun:"id,pk,autoincrement"`
	Hash      hash           `bun:"hash"`
	Role      affiliate.Role `bun:"role"`
	Subject   string         `bun:"subject"`
	Name      string         `bun:"name"`
	UserID    int64          `bun:"user_id,nullzero"`
	ClientID  int64          `bun:"client_id,nullzero"`
	Test      bool           `bun:"test"`
	CreatedAt time.Time      `bun:"created_at,nullzero"`
	ExpiresAt time.Time      `bun:"expires_at,nullzero"`
}

var tokenTable = table[identity.AccessToken, tokenRow]{
	name: "affiliate_tokens", resource: "access_token",
	row: newTokenRow, entity: tokenRow.token,
	refers: func(r *tokenRow) []reference {
		return []reference{ref("user_id", "affiliate_users", r.UserID), ref("client_id", "affiliate_clients", r.ClientID)}
	},
}

func newTokenRow(t identity.AccessToken) tokenRow {
	return tokenRow{
		ID: t.ID, Hash: t.Hash, Role: t.Role, Subject: t.Subject, Name: t.Name,
		UserID: t.UserID, ClientID: t.ClientID, Test: t.Test,
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
	}
}

func (r tokenRow) token() identity.AccessToken {
	return identity.AccessToken{
		ID: r.ID, Hash: r.Hash, Role: r.Role, Subject: r.Subject, Name: r.Name,
		UserID: r.UserID, ClientID: r.ClientID, Test: r.Test,
		CreatedAt: utc(r.CreatedAt), ExpiresAt: utc(r.ExpiresAt),
	}
}

type tokens struct{ u *unit }

func (r tokens) Add(ctx context.Context, t identity.AccessToken) (identity.AccessToken, error) {
	return tokenTable.add(ctx, r.u, t)
}

func (r tokens) ByHash(ctx context.Context, h [32]byte) (identity.AccessToken, error) {
	return tokenTable.one(ctx, r.u, "", func(q filter) { q.Where("t.hash = ?", h[:]) })
}

func (r tokens) BySubject(ctx context.Context, role affiliate.Role, subject string) ([]identity.AccessToken, error) {
	return tokenTable.many(ctx, r.u, func(q filter) {
		q.exactly("t.role", string(role))
		q.exactly("t.subject", subject)
	})
}

func (r tokens) Delete(ctx context.Context, id int64) error {
	return tokenTable.delete(ctx, r.u, id)
}

type memberships struct{ u *unit }

func (r memberships) Add(ctx context.Context, m identity.Membership) error {
	return exec(ctx, r.u, "membership", func(ctx context.Context) error {
		if err := m.Validate(); err != nil {
			return err
		}
		_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? (role, subject, advertiser_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			r.u.name("affiliate_memberships"), m.Role, m.Subject, m.AdvertiserID)
		return err
	})
}

func (r memberships) Advertisers(ctx context.Context, role affiliate.Role, subjects ...string) ([]int64, error) {
	return read(ctx, r.u, "membership", func(ctx context.Context) ([]int64, error) {
		q := filter{r.u.tx.NewSelect().TableExpr(r.u.from("affiliate_memberships")).ColumnExpr("DISTINCT t.advertiser_id")}
		q.exactly("t.role", string(role))
		q.amongTexts("t.subject", subjects)
		var ids []int64
		err := q.OrderExpr("t.advertiser_id").Scan(ctx, &ids)
		return ids, err
	})
}

func (r memberships) Remove(ctx context.Context, m identity.Membership) error {
	return exec(ctx, r.u, "membership", func(ctx context.Context) error {
		if !storable(string(m.Role)) || !storable(m.Subject) {
			return nil // cannot be there
		}
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE role = ? AND subject = ? AND advertiser_id = ?`,
			r.u.name("affiliate_memberships"), m.Role, m.Subject, m.AdvertiserID)
		return err
	})
}
