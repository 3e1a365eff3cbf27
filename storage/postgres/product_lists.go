package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
)

type productListRow struct {
	bun.BaseModel `bun:"table:affiliate_product_lists,alias:t"`

	ID              int64     `bun:"id,pk,autoincrement"`
	PublicID        uuid.UUID `bun:"public_id"`
	AccountID       string    `bun:"account_id"`
	Name            string    `bun:"name"`
	Metadata        metadata  `bun:"metadata"`
	PoolID          *int64    `bun:"pool_id"`
	OwnerIdentifier string    `bun:"owner_identifier"`
	Size            int       `bun:"size"`
	Appended        int       `bun:"appended"`
	CreatedAt       time.Time `bun:"created_at,nullzero"`
}

var productListTable = table[productlists.List, productListRow]{
	name: "affiliate_product_lists", resource: "product_list",
	row: newProductListRow, entity: productListRow.list,
}

func newProductListRow(l productlists.List) productListRow {
	row := productListRow{
		PublicID: l.ID, AccountID: l.AccountID, Name: l.Name, Metadata: metadata{l.AccountID, slices.Clone(l.Metadata)},
		OwnerIdentifier: l.OwnerIdentifier, CreatedAt: l.CreatedAt,
	}
	if l.PoolID.Set {
		row.PoolID = &l.PoolID.Value
	}
	return row
}

func (r productListRow) list() productlists.List {
	l := productlists.List{
		ID: r.PublicID, AccountID: r.AccountID, Name: r.Name, Metadata: noneAsNil(r.Metadata.pairs), OwnerIdentifier: r.OwnerIdentifier,
		Size: r.Size, CreatedAt: utc(r.CreatedAt),
	}
	if r.PoolID != nil {
		l.PoolID = affiliate.Some(*r.PoolID)
	}
	return l
}

// metadata keeps pairs as {account: {key: value}}, and is what they are asked
// for by.
type metadata struct {
	account string
	pairs   []productlists.Pair
}

func (m metadata) String() string {
	b, _ := json.Marshal(map[string]json.RawMessage{m.account: pairsJSON(m.pairs)}) // strings always marshal
	return string(b)
}

func pairsJSON(pairs []productlists.Pair) json.RawMessage {
	values := make(map[string]string, len(pairs))
	for _, p := range pairs {
		values[p.Key] = p.Value
	}
	b, _ := json.Marshal(values) // strings always marshal
	return b
}

// Value is for the driver.
func (m metadata) Value() (driver.Value, error) { return m.String(), nil }

// Scan is for the driver.
func (m *metadata) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var accounts map[string]map[string]string
	if err := json.Unmarshal([]byte(text), &accounts); err != nil {
		return fmt.Errorf("%w: metadata: %w", errCorrupt, err)
	}
	for account, values := range accounts {
		*m = metadata{account, productlists.MetadataOf(values)}
	}
	return nil
}

type productLists struct {
	repo[productlists.List, productListRow]
}

func (r productLists) Get(ctx context.Context, id uuid.UUID) (productlists.List, error) {
	return r.one(ctx, id, func(q filter) { q.Where("t.public_id = ?", id) })
}

func (r productLists) Delete(ctx context.Context, id uuid.UUID) error {
	return exec(ctx, r.u, "product_list", func(ctx context.Context) error {
		res, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE public_id = ?`, r.u.name("affiliate_product_lists"), id)
		return foundOne(res, err, "product_list", id)
	})
}

func (r productLists) List(ctx context.Context, f productlists.ListFilter, p affiliate.PageRequest) (affiliate.Page[productlists.List], error) {
	return r.list(ctx, p, func(q filter) {
		q.text("t.account_id", f.AccountID)
		if len(f.Metadata) == 0 {
			return
		}
		switch {
		case !satisfiable(f.Metadata):
			q.none(true)
		case f.AccountID == "":
			q.Where("t.metadata -> t.account_id @> ?::jsonb", string(pairsJSON(f.Metadata)))
		case storable(f.AccountID):
			q.Where("t.metadata @> ?::jsonb", metadata{f.AccountID, f.Metadata}.String())
		}
	})
}

// satisfiable reports whether a list may have all of the pairs: no text that
// cannot be kept, and no key with two values.
func satisfiable(pairs []productlists.Pair) bool {
	values := make(map[string]string, len(pairs))
	for _, p := range pairs {
		if other, twice := values[p.Key]; twice && other != p.Value || !storable(p.Key) || !storable(p.Value) {
			return false
		}
		values[p.Key] = p.Value
	}
	return true
}
