package postgres

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

type syncItemRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_items,alias:t"`

	ID               uuid.UUID                         `bun:"id,pk"`
	AccountID        string                            `bun:"account_id"`
	ReferenceID      string                            `bun:"reference_id"`
	AdTemplateType   string                            `bun:"ad_template_type"`
	Available        bool                              `bun:"available"`
	ContentLanguage  string                            `bun:"content_language"`
	Brand            string                            `bun:"brand"`
	Model            string                            `bun:"model"`
	Year             int                               `bun:"year"`
	Condition        adsync.Condition                  `bun:"condition"`
	Title            string                            `bun:"title"`
	Description      string                            `bun:"description"`
	Link             string                            `bun:"link"`
	Images           jsonColumn[[]imageJSON]           `bun:"images"`
	CustomAttributes jsonColumn[[]customAttributeJSON] `bun:"custom_attributes"`
	Price            int64                             `bun:"price"`
	Currency         affiliate.Currency                `bun:"currency"`
	Fingerprint      string                            `bun:"fingerprint"`
	SoldOutAt        time.Time                         `bun:"sold_out_at,nullzero"`
	CreatedAt        time.Time                         `bun:"created_at"`
	UpdatedAt        time.Time                         `bun:"updated_at,nullzero"`
}

type imageJSON struct {
	URL   string `json:"url"`
	Order int    `json:"order"`
}

type customAttributeJSON struct {
	Identifier string `json:"identifier"`
	Label      string `json:"label"`
	Value      string `json:"value"`
}

// converted are the elements in another type; an empty list is nil.
func converted[A, B any](list []A, to func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for n, v := range list {
		out[n] = to(v)
	}
	return out
}

var syncItemTable = table[adsync.Item, syncItemRow]{
	name: "affiliate_sync_items", resource: "item",
	row: func(i adsync.Item) syncItemRow {
		return syncItemRow{
			ID: i.ID, AccountID: i.AccountID, ReferenceID: i.ReferenceID, AdTemplateType: i.AdTemplateType, Available: i.Available,
			ContentLanguage: i.ContentLanguage, Brand: i.Brand, Model: i.Model, Year: i.Year, Condition: i.Condition,
			Title: i.Title, Description: i.Description, Link: i.Link,
			Images: jsonColumn[[]imageJSON]{converted(i.Images, func(v adsync.Image) imageJSON { return imageJSON(v) })},
			CustomAttributes: jsonColumn[[]customAttributeJSON]{
				converted(i.CustomAttributes, func(v adsync.CustomAttribute) customAttributeJSON { return customAttributeJSON(v) }),
			},
			Price: i.Price.Minor(), Currency: i.Price.Currency(), Fingerprint: i.Fingerprint,
			SoldOutAt: i.SoldOutAt, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt,
		}
	},
	entity: func(r syncItemRow) adsync.Item {
		return adsync.Item{
			ID: r.ID, AccountID: r.AccountID, ReferenceID: r.ReferenceID, AdTemplateType: r.AdTemplateType, Available: r.Available,
			ContentLanguage: r.ContentLanguage, Brand: r.Brand, Model: r.Model, Year: r.Year, Condition: r.Condition,
			Title: r.Title, Description: r.Description, Link: r.Link,
			Images: converted(r.Images.V, func(v imageJSON) adsync.Image { return adsync.Image(v) }),
			CustomAttributes: converted(r.CustomAttributes.V, func(v customAttributeJSON) adsync.CustomAttribute {
				return adsync.CustomAttribute(v)
			}),
			Price: affiliate.NewMoney(r.Price, r.Currency), Fingerprint: r.Fingerprint,
			SoldOutAt: utc(r.SoldOutAt), CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		}
	},
}

type syncItems struct{ u *unit }

// Put is written by hand: a feed brings many items, a thousand in a unit.
func (r syncItems) Put(ctx context.Context, items ...adsync.Item) error {
	return exec(ctx, r.u, "item", func(ctx context.Context) error {
		rows, err := lastRows(syncItemTable, items, func(i *adsync.Item) uuid.UUID { return i.ID })
		if err != nil || len(rows) == 0 {
			return err
		}
		return syncItemBatch(rows).exec(ctx, r.u)
	})
}

// syncItemBatch inserts rows, each in place of the one with its id.
func syncItemBatch(rows []syncItemRow) batch {
	type row = syncItemRow
	text := func(name string, of func(*row) string) batchColumn { return field(name, "text", rows, of) }
	encoded := func(name string, of func(*row) string) batchColumn { return field(name, "jsonb", rows, of) }
	columns := []batchColumn{
		field("id", "uuid", rows, func(r *row) string { return r.ID.String() }),
		text("account_id", func(r *row) string { return r.AccountID }),
		text("reference_id", func(r *row) string { return r.ReferenceID }),
		text("ad_template_type", func(r *row) string { return r.AdTemplateType }),
		field("available", "boolean", rows, func(r *row) bool { return r.Available }),
		text("content_language", func(r *row) string { return r.ContentLanguage }),
		text("brand", func(r *row) string { return r.Brand }),
		text("model", func(r *row) string { return r.Model }),
		field("year", "bigint", rows, func(r *row) int64 { return int64(r.Year) }),
		text("condition", func(r *row) string { return string(r.Condition) }),
		text("title", func(r *row) string { return r.Title }),
		text("description", func(r *row) string { return r.Description }),
		text("link", func(r *row) string { return r.Link }),
		encoded("images", func(r *row) string { return r.Images.text() }),
		encoded("custom_attributes", func(r *row) string { return r.CustomAttributes.text() }),
		field("price", "bigint", rows, func(r *row) int64 { return r.Price }),
		text("currency", func(r *row) string { return string(r.Currency) }),
		text("fingerprint", func(r *row) string { return r.Fingerprint }),
		timeField("sold_out_at", rows, func(r *row) time.Time { return r.SoldOutAt }),
		timeField("created_at", rows, func(r *row) time.Time { return r.CreatedAt }),
		timeField("updated_at", rows, func(r *row) time.Time { return r.UpdatedAt }),
	}
	replaced := make([]string, 0, len(columns))
	for n := range columns {
		c := &columns[n]
		if len(rows) > 1 && c.name != "account_id" && c.name != "updated_at" {
			c.isShared = false // every choice of shared columns is one more prepared statement
		}
		if c.name != "id" {
			replaced = append(replaced, c.name+" = excluded."+c.name)
		}
	}
	return batch{table: "affiliate_sync_items", columns: columns, rest: "ON CONFLICT (id) DO UPDATE SET " + strings.Join(replaced, ", ")}
}

func (r syncItems) Get(ctx context.Context, id uuid.UUID) (adsync.Item, error) {
	return syncItemTable.one(ctx, r.u, id, func(q filter) { q.Where("t.id = ?", id) })
}

func (r syncItems) GetMany(ctx context.Context, ids []uuid.UUID) ([]adsync.Item, error) {
	return syncItemTable.many(ctx, r.u, func(q filter) { q.amongIDs("t.id", ids) })
}

func (r syncItems) ByReference(ctx context.Context, accountID, referenceID string) (adsync.Item, error) {
	return syncItemTable.one(ctx, r.u, referenceID, func(q filter) {
		q.exactly("t.account_id", accountID)
		q.exactly("t.reference_id", referenceID)
		q.Where("t.reference_id <> ''")
	})
}

// Among looks each key up by its index. The LATERAL with its LIMIT or OFFSET
// leaves the planner no choice: an IN or ANY over several indexes reads a whole
// account when it is small, and no other unit could then change that.
func (r syncItems) Among(ctx context.Context, accountID string, k adsync.ItemKeys) ([]adsync.Item, error) {
	return read(ctx, r.u, "item", func(ctx context.Context) ([]adsync.Item, error) {
		if !storable(accountID) {
			return nil, nil
		}
		const of = "CROSS JOIN LATERAL (SELECT * FROM {schema}affiliate_sync_items AS i WHERE i.account_id = ?0::text AND "
		var rows []syncItemRow
		err := r.u.prepared("SELECT t.* FROM unnest(?1::uuid[]) AS k (v) "+of+`i.id = k.v LIMIT 1) AS t UNION ALL
			SELECT t.* FROM unnest(?2::text[]) AS k (v) `+of+`i.reference_id = k.v AND i.reference_id <> '' LIMIT 1) AS t UNION ALL
			SELECT t.* FROM unnest(?3::text[]) AS k (v) `+of+`i.fingerprint = k.v AND i.fingerprint <> '' OFFSET 0) AS t`,
			accountID, texts(k.IDs), storableOf(k.ReferenceIDs), storableOf(k.Fingerprints)).Scan(ctx, &rows)
		slices.SortFunc(rows, func(a, b syncItemRow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		return syncItemTable.entities(slices.CompactFunc(rows, func(a, b syncItemRow) bool { return a.ID == b.ID })), err
	})
}

func (r syncItems) List(ctx context.Context, f adsync.ItemFilter, after adsync.Cursor, limit int) ([]adsync.Item, error) {
	return syncItemTable.behind(ctx, r.u, after, limit, "id", func(q filter) {
		q.text("t.account_id", f.AccountID)
		q.text("t.reference_id", f.ReferenceID)
		q.text("t.ad_template_type", f.AdTemplateType)
		q.text("t.condition", string(f.Condition))
		q.flag("t.available", f.Available)
	})
}
