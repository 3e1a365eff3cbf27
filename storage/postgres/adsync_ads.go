package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// creativeJSON is an adsync.Creative as it is kept.
type creativeJSON struct {
	HeadlinePart1   string `json:"headline_part1,omitempty"`
	HeadlinePart2   string `json:"headline_part2,omitempty"`
	Description     string `json:"description,omitempty"`
	Link            string `json:"link,omitempty"`
	Message         string `json:"message,omitempty"`
	Picture         string `json:"picture,omitempty"`
	VideoURL        string `json:"video_url,omitempty"`
	LinkDescription string `json:"link_description,omitempty"`
	CallToAction    string `json:"call_to_action,omitempty"`
	LinkCaption     string `json:"link_caption,omitempty"`
}

func creativeColumn(c adsync.Creative) jsonColumn[creativeJSON] {
	return jsonColumn[creativeJSON]{creativeJSON(c)}
}

type adRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_ads,alias:t"`

	ID             uuid.UUID                `bun:"id,pk"`
	AccountID      string                   `bun:"account_id"`
	AdSetID        uuid.UUID                `bun:"ad_set_id"`
	AdAccountID    string                   `bun:"ad_account_id"`
	Service        adsync.AdService         `bun:"service"`
	State          adsync.State             `bun:"state"`
	ReferenceID    string                   `bun:"reference_id"`
	Type           adsync.AdType            `bun:"ad_type"`
	Creative       jsonColumn[creativeJSON] `bun:"creative"`
	DestinationURL string                   `bun:"destination_url"`
	ItemID         uuid.NullUUID            `bun:"item_id"`
	TemplateID     uuid.NullUUID            `bun:"template_id"`
	Held           bool                     `bun:"held"`
	CreatedVia     adsync.Origin            `bun:"created_via"`
	CreatedAt      time.Time                `bun:"created_at"`
	UpdatedAt      time.Time                `bun:"updated_at,nullzero"`
	RemovedAt      time.Time                `bun:"removed_at,nullzero"`
}

// orNull keeps the nil id as NULL.
func orNull(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

var adTable = table[adsync.Ad, adRow]{
	name: "affiliate_sync_ads", resource: "ad",
	row: func(a adsync.Ad) adRow {
		return adRow{
			ID: a.ID, AccountID: a.AccountID, AdSetID: a.AdSetID, AdAccountID: a.AdAccountID, Service: a.Service, State: a.State, ReferenceID: a.ReferenceID,
			Type: a.Type, Creative: creativeColumn(a.Creative), DestinationURL: a.DestinationURL, ItemID: orNull(a.ItemID), TemplateID: orNull(a.TemplateID),
			Held: a.Held, CreatedVia: a.CreatedVia, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, RemovedAt: a.RemovedAt,
		}
	},
	entity: func(r adRow) adsync.Ad {
		return adsync.Ad{
			ID: r.ID, AccountID: r.AccountID, AdSetID: r.AdSetID, AdAccountID: r.AdAccountID, Service: r.Service, State: r.State, ReferenceID: r.ReferenceID,
			Type: r.Type, Creative: adsync.Creative(r.Creative.V), DestinationURL: r.DestinationURL, ItemID: r.ItemID.UUID, TemplateID: r.TemplateID.UUID,
			Held: r.Held, CreatedVia: r.CreatedVia, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt), RemovedAt: utc(r.RemovedAt),
		}
	},
}

type ads struct{ u *unit }

func (r ads) Put(ctx context.Context, list ...adsync.Ad) error {
	return putAll(ctx, r.u, adTable, list, func(a *adsync.Ad) uuid.UUID { return a.ID }, "id")
}

func (r ads) Get(ctx context.Context, id uuid.UUID) (adsync.Ad, error) {
	return adTable.one(ctx, r.u, id, func(q filter) { q.Where("t.id = ?", id) })
}

func (r ads) GetMany(ctx context.Context, ids []uuid.UUID) ([]adsync.Ad, error) {
	return adTable.many(ctx, r.u, func(q filter) { q.amongIDs("t.id", ids) })
}

func (r ads) ByReference(ctx context.Context, accountID, referenceID string) (adsync.Ad, error) {
	return adTable.one(ctx, r.u, referenceID, func(q filter) { q.referenced(accountID, referenceID) })
}

func (r ads) ByItems(ctx context.Context, itemIDs []uuid.UUID) ([]adsync.Ad, error) {
	return read(ctx, r.u, "ad", func(ctx context.Context) ([]adsync.Ad, error) {
		return adTable.prepared(ctx, r.u, "t.item_id = ANY(?0::uuid[])", texts(itemIDs))
	})
}

func (r ads) List(ctx context.Context, f adsync.AdFilter, after adsync.Cursor, limit int) ([]adsync.Ad, error) {
	return adTable.behind(ctx, r.u, after, limit, "id", func(q filter) {
		q.Where("t.state <> 'removed'")
		q.text("t.account_id", f.AccountID)
		q.idsAmong("t.ad_set_id", f.AdSetIDs)
		q.text("t.ad_account_id", f.AdAccountID)
		q.text("t.service", string(f.Service))
		q.text("t.ad_type", string(f.Type))
		q.text("t.state", string(f.State))
		q.text("t.reference_id", f.ReferenceID)
	})
}

type adTemplateRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_templates,alias:t"`

	ID             uuid.UUID                `bun:"id,pk"`
	AccountID      string                   `bun:"account_id"`
	AdTemplateType string                   `bun:"ad_template_type"`
	AdSetID        uuid.UUID                `bun:"ad_set_id"`
	Type           adsync.AdType            `bun:"ad_type"`
	Creative       jsonColumn[creativeJSON] `bun:"creative"`
	DestinationURL string                   `bun:"destination_url"`
	CreatedAt      time.Time                `bun:"created_at,nullzero"`
	UpdatedAt      time.Time                `bun:"updated_at,nullzero"`
}

var adTemplateTable = table[adsync.Template, adTemplateRow]{
	name: "affiliate_sync_templates", resource: "ad_template",
	row: func(t adsync.Template) adTemplateRow {
		return adTemplateRow{
			ID: t.ID, AccountID: t.AccountID, AdTemplateType: t.AdTemplateType, AdSetID: t.AdSetID, Type: t.Type,
			Creative: creativeColumn(t.Creative), DestinationURL: t.DestinationURL, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		}
	},
	entity: func(r adTemplateRow) adsync.Template {
		return adsync.Template{
			ID: r.ID, AccountID: r.AccountID, AdTemplateType: r.AdTemplateType, AdSetID: r.AdSetID, Type: r.Type,
			Creative: adsync.Creative(r.Creative.V), DestinationURL: r.DestinationURL, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		}
	},
}

type adTemplates struct{ u *unit }

func (r adTemplates) Put(ctx context.Context, t adsync.Template) error {
	return putAll(ctx, r.u, adTemplateTable, []adsync.Template{t}, func(t *adsync.Template) uuid.UUID { return t.ID }, "id")
}

func (r adTemplates) Find(ctx context.Context, adSetID uuid.UUID, adTemplateType string) (adsync.Template, error) {
	return adTemplateTable.one(ctx, r.u, adTemplateType, func(q filter) {
		q.Where("t.ad_set_id = ?", adSetID)
		q.exactly("t.ad_template_type", adTemplateType)
	})
}

func (r adTemplates) ByAccount(ctx context.Context, accountID, adTemplateType string) ([]adsync.Template, error) {
	return read(ctx, r.u, "ad_template", func(ctx context.Context) ([]adsync.Template, error) {
		switch {
		case !storable(accountID) || !storable(adTemplateType):
			return nil, nil
		case adTemplateType == "":
			return adTemplateTable.prepared(ctx, r.u, "t.account_id = ?0::text", accountID)
		}
		return adTemplateTable.prepared(ctx, r.u, "t.account_id = ?0::text AND t.ad_template_type = ?1::text", accountID, adTemplateType)
	})
}

func (r adTemplates) ByAdSets(ctx context.Context, adSetIDs []uuid.UUID) ([]adsync.Template, error) {
	return adTemplateTable.many(ctx, r.u, func(q filter) { q.amongIDs("t.ad_set_id", adSetIDs) })
}

func (r adTemplates) Delete(ctx context.Context, ids []uuid.UUID) error {
	return exec(ctx, r.u, "ad_template", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE id = ANY(?::uuid[])`, r.u.name("affiliate_sync_templates"), idArray(ids))
		return err
	})
}
