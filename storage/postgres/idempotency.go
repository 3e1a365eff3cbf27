package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type idempotencyRow struct {
	bun.BaseModel `bun:"table:affiliate_idempotency_keys,alias:t"`

	Principal   string    `bun:"principal,pk"`
	Key         string    `bun:"key,pk"`
	Token       string    `bun:"token"`
	Fingerprint hash      `bun:"fingerprint"`
	Status      int       `bun:"status"`
	ContentType string    `bun:"content_type"`
	Body        []byte    `bun:"body"`
	ExpiresAt   time.Time `bun:"expires_at"`
}

var idempotencyTable = table[affiliate.IdempotencyKey, idempotencyRow]{
	name: "affiliate_idempotency_keys", resource: "idempotency_key", entity: idempotencyRow.key,
}

func newIdempotencyRow(k affiliate.IdempotencyKey) idempotencyRow {
	body := k.Body
	if body == nil {
		body = []byte{} // bun makes nil NULL
	}
	return idempotencyRow{
		Principal: k.Principal, Key: k.Key, Token: k.Token, Fingerprint: k.Fingerprint,
		Status: k.Status, ContentType: k.ContentType, Body: body, ExpiresAt: k.ExpiresAt,
	}
}

func (r idempotencyRow) key() affiliate.IdempotencyKey {
	return affiliate.IdempotencyKey{
		Principal: r.Principal, Key: r.Key, Token: r.Token, Fingerprint: r.Fingerprint,
		Status: r.Status, ContentType: r.ContentType, Body: noneAsNil(slices.Clone(r.Body)), ExpiresAt: utc(r.ExpiresAt),
	}
}

type idempotencyKeys struct{ u *unit }

func (r idempotencyKeys) Reserve(ctx context.Context, k affiliate.IdempotencyKey, now time.Time, most int) (affiliate.IdempotencyKey, bool, error) {
	type answer struct {
		key  affiliate.IdempotencyKey
		kept bool
	}
	a, err := change(ctx, r.u, "idempotency_key", func(ctx context.Context) (answer, error) {
		if err := k.Validate(); err != nil {
			return answer{}, err
		}
		row := newIdempotencyRow(k)
		res, err := r.u.tx.NewInsert().Model(&row).ModelTableExpr(r.u.from("affiliate_idempotency_keys")).
			On("CONFLICT (principal, key) DO UPDATE").
			Set("token = excluded.token, fingerprint = excluded.fingerprint, status = excluded.status").
			Set("content_type = excluded.content_type, body = excluded.body, expires_at = excluded.expires_at").
			Where("t.expires_at <= ?", now).Exec(ctx)
		if err != nil {
			return answer{}, err
		}
		if n, err := res.RowsAffected(); err != nil {
			return answer{}, err
		} else if n == 1 {
			return answer{row.key(), true}, r.bound(ctx, k, now, most)
		}
		// The insert has locked the key that is there: it is still there.
		found, err := idempotencyTable.find(ctx, r.u, k.Key, func(q filter) {
			q.Where("t.principal = ? AND t.key = ?", k.Principal, k.Key)
		})
		return answer{found, false}, err
	})
	return a.key, a.kept, err
}

// bound refuses the key, which is reserved already, beyond the bound of its
// principal. The total may be too high, because only reservations are counted, and
// is never too low: what it says is enough nearly always, and the keys themselves are
// counted only when it comes to the bound.
func (r idempotencyKeys) bound(ctx context.Context, k affiliate.IdempotencyKey, now time.Time, most int) error {
	totals, keys := r.u.name("affiliate_idempotency_totals"), r.u.name("affiliate_idempotency_keys")
	var total int64
	err := r.u.tx.NewRaw(`INSERT INTO ? AS t (principal, keys) VALUES (?, 1) ON CONFLICT (principal) DO UPDATE SET keys = t.keys + 1 RETURNING keys`,
		totals, k.Principal).Scan(ctx, &total)
	if err != nil || total <= int64(most) {
		return err
	}
	if _, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE principal = ? AND expires_at <= ? AND key <> ?`, keys, k.Principal, now, k.Key); err != nil {
		return err
	}
	if err := r.u.tx.NewRaw(`SELECT count(*) FROM ? WHERE principal = ?`, keys, k.Principal).Scan(ctx, &total); err != nil {
		return err
	}
	if total > int64(most) {
		return affiliate.TooManyKeys(most)
	}
	_, err = r.u.tx.ExecContext(ctx, `UPDATE ? SET keys = ? WHERE principal = ?`, totals, total, k.Principal)
	return err
}

func (r idempotencyKeys) Complete(ctx context.Context, k affiliate.IdempotencyKey) error {
	return exec(ctx, r.u, "idempotency_key", func(ctx context.Context) error {
		if err := k.Validate(); err != nil {
			return err
		}
		row := newIdempotencyRow(k)
		res, err := r.u.tx.NewUpdate().Model(&row).ModelTableExpr(r.u.from("affiliate_idempotency_keys")).
			Where("t.principal = ? AND t.key = ? AND t.token = ?", k.Principal, k.Key, k.Token).Exec(ctx)
		return foundOne(res, err, "idempotency_key", k.Key)
	})
}

func (r idempotencyKeys) Remove(ctx context.Context, principal, key, token string) error {
	return exec(ctx, r.u, "idempotency_key", func(ctx context.Context) error {
		if !storable(principal) || !storable(key) || !storable(token) {
			return nil // cannot be there
		}
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE principal = ? AND key = ? AND token = ? AND status = 0`,
			r.u.name("affiliate_idempotency_keys"), principal, key, token)
		return err
	})
}

func (r idempotencyKeys) Expire(ctx context.Context, now time.Time, limit int) (int, error) {
	return change(ctx, r.u, "idempotency_key", func(ctx context.Context) (int, error) {
		if limit <= 0 {
			return 0, nil
		}
		table := r.u.name("affiliate_idempotency_keys")
		var gone []string
		err := r.u.tx.NewRaw(`DELETE FROM ? WHERE (principal, key) IN
			(SELECT principal, key FROM ? WHERE expires_at <= ? ORDER BY expires_at, principal, key LIMIT ?) RETURNING principal`, table, table, now, limit).Scan(ctx, &gone)
		if err != nil || len(gone) == 0 {
			return 0, err
		}
		// The totals of those who have no key any more.
		_, err = r.u.tx.ExecContext(ctx, `DELETE FROM ? AS t WHERE t.principal = ANY(?::text[]) AND NOT EXISTS (SELECT FROM ? AS k WHERE k.principal = t.principal)`,
			r.u.name("affiliate_idempotency_totals"), pgdialect.Array(gone), table)
		return len(gone), err
	})
}
