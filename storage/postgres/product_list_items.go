package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

type productItems struct{ u *unit }

func (r productItems) Append(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return exec(ctx, r.u, "product_list", func(ctx context.Context) error {
		if err := productlists.ValidateProductIDs(productIDs); err != nil {
			return err
		}
		var list struct {
			ID       int64 `bun:"id"`
			Appended int   `bun:"appended"`
		}
		n := len(productIDs)
		err := r.u.tx.NewRaw(`UPDATE ? SET size = size + ?, appended = appended + ? WHERE public_id = ? RETURNING id, appended`,
			r.u.name("affiliate_product_lists"), n, n, listID).Scan(ctx, &list)
		if errors.Is(err, sql.ErrNoRows) {
			return affiliate.NotFound("product_list", listID)
		}
		if err != nil {
			return err
		}
		_, err = r.u.tx.ExecContext(ctx, `INSERT INTO ? (list_id, position, product_id)
			SELECT ?, ? + n, product_id FROM unnest(?::text[]) WITH ORDINALITY AS new (product_id, n)`,
			r.u.name("affiliate_product_list_items"), list.ID, list.Appended-n, pgdialect.Array(productIDs))
		return err
	})
}

func (r productItems) All(ctx context.Context, listID uuid.UUID) ([]string, error) {
	return r.ids(ctx, listID, func(*bun.SelectQuery) {})
}

func (r productItems) Among(ctx context.Context, listID uuid.UUID, productIDs []string) ([]string, error) {
	return r.ids(ctx, listID, func(q *bun.SelectQuery) { filter{q}.amongTexts("t.product_id", productIDs) })
}

func (r productItems) ids(ctx context.Context, listID uuid.UUID, where func(*bun.SelectQuery)) ([]string, error) {
	return read(ctx, r.u, "product_list", func(ctx context.Context) ([]string, error) {
		var ids []string
		q := r.u.tx.NewSelect().TableExpr(r.u.from("affiliate_product_list_items")).ColumnExpr("t.product_id").
			Where("t.list_id = (SELECT id FROM ? WHERE public_id = ?)", r.u.name("affiliate_product_lists"), listID)
		where(q)
		err := q.OrderExpr("t.position").Scan(ctx, &ids)
		return ids, err
	})
}

func (r productItems) Remove(ctx context.Context, listID uuid.UUID, productIDs []string) error {
	return exec(ctx, r.u, "product_list", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `WITH gone AS (
				DELETE FROM ? WHERE list_id = (SELECT id FROM ? WHERE public_id = ?) AND product_id = ANY(?::text[]) RETURNING 1
			) UPDATE ? SET size = size - (SELECT count(*) FROM gone) WHERE public_id = ? AND EXISTS (SELECT FROM gone)`,
			r.u.name("affiliate_product_list_items"), r.u.name("affiliate_product_lists"), listID, pgdialect.Array(storableOf(productIDs)),
			r.u.name("affiliate_product_lists"), listID)
		return err
	})
}
