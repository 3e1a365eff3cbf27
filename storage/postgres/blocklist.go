package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type blocklistRow struct {
	bun.BaseModel `bun:"table:affiliate_blocklist,alias:t"`

	ID             int64     `bun:"id,pk,autoincrement"`
	AdvertiserID   int64     `bun:"advertiser_id"`
	UserID         int64     `bun:"user_id,nullzero"`
	UserTagID      int64     `bun:"user_tag_id,nullzero"`
	ClientID       int64     `bun:"client_id,nullzero"`
	ValidateClicks bool      `bun:"validate_clicks"`
	CreatedBy      int64     `bun:"created_by,nullzero"`
	CreatedByName  string    `bun:"created_by_name"`
	CreatedAt      time.Time `bun:"created_at,nullzero"`
}

var blocklistTable = table[affiliate.BlocklistEntry, blocklistRow]{
	name: "affiliate_blocklist", resource: "blocklist_entry", entity: blocklistRow.entry,
	sort: map[string]string{"created_at": "t.created_at"},
}

func (r blocklistRow) entry() affiliate.BlocklistEntry {
	return affiliate.BlocklistEntry{
		ID: r.ID, AdvertiserID: r.AdvertiserID, UserID: r.UserID, UserTagID: r.UserTagID, ClientID: r.ClientID,
		ValidateClicks: r.ValidateClicks, CreatedBy: affiliate.Actor{UserID: r.CreatedBy, Name: r.CreatedByName},
		CreatedAt: utc(r.CreatedAt),
	}
}

type blocklist struct {
	repo[affiliate.BlocklistEntry, blocklistRow]
}

func (r blocklist) AddMissing(ctx context.Context, entries ...affiliate.BlocklistEntry) ([]affiliate.BlocklistEntry, error) {
	return change(ctx, r.u, "blocklist_entry", func(ctx context.Context) ([]affiliate.BlocklistEntry, error) {
		for _, e := range entries {
			if err := e.Validate(); err != nil {
				return nil, err
			}
		}
		if len(entries) == 0 {
			return nil, nil
		}
		advertisers := values(entries, func(e *affiliate.BlocklistEntry) int64 { return e.AdvertiserID })
		if err := r.u.lockAlone(ctx, advertiserTable.name, advertisers...); err != nil {
			return nil, err
		}
		added, err := r.insert(ctx, entries)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(added, func(a, b blocklistRow) int { return cmp.Compare(a.ID, b.ID) })
		return blocklistTable.entities(added), nil
	})
}

// insert adds the entries in order, as far as nothing is in their way.
func (r blocklist) insert(ctx context.Context, entries []affiliate.BlocklistEntry) ([]blocklistRow, error) {
	type entry = affiliate.BlocklistEntry
	var rows []blocklistRow
	var args []any
	added := `ON CONFLICT DO NOTHING RETURNING t.id, t.advertiser_id, t.user_id, t.user_tag_id, t.client_id,
		t.validate_clicks, t.created_by, t.created_by_name, t.created_at`
	insert := batch{table: "affiliate_blocklist", inOrder: true, rest: added, columns: []batchColumn{
		field("advertiser_id", "bigint", entries, func(e *entry) int64 { return e.AdvertiserID }),
		idField("user_id", entries, func(e *entry) int64 { return e.UserID }),
		idField("user_tag_id", entries, func(e *entry) int64 { return e.UserTagID }),
		idField("client_id", entries, func(e *entry) int64 { return e.ClientID }),
		field("validate_clicks", "boolean", entries, func(e *entry) bool { return e.ValidateClicks }),
		idField("created_by", entries, func(e *entry) int64 { return e.CreatedBy.UserID }),
		field("created_by_name", "text", entries, func(e *entry) string { return e.CreatedBy.Name }),
		timeField("created_at", entries, func(e *entry) time.Time { return e.CreatedAt }),
	}}.insert(&args)
	references := func() []reference {
		return []reference{
			ref("advertiser_id", "affiliate_advertisers", values(entries, func(e *entry) int64 { return e.AdvertiserID })...),
			ref("user_id", "affiliate_users", values(entries, func(e *entry) int64 { return e.UserID })...),
			ref("user_tag_id", "affiliate_user_tags", values(entries, func(e *entry) int64 { return e.UserTagID })...),
			ref("client_id", "affiliate_clients", values(entries, func(e *entry) int64 { return e.ClientID })...),
			ref("created_by", "affiliate_users", values(entries, func(e *entry) int64 { return e.CreatedBy.UserID })...),
		}
	}
	err := r.u.referring(ctx, "blocklist_entry", false, references, func() error { return r.u.prepared(insert, args...).Scan(ctx, &rows) })
	return rows, err
}

func (r blocklist) List(ctx context.Context, f affiliate.BlocklistFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.BlocklistEntry], error) {
	return r.list(ctx, p, func(q filter) {
		q.equal("t.advertiser_id", f.AdvertiserID)
		q.query(f.Query, "t.user_id",
			"t.user_id IN (SELECT u.id FROM "+r.u.db.prefix+"affiliate_users AS u WHERE "+part("u.username")+")")
	})
}

func (r blocklist) Naming(ctx context.Context, advertiserIDs, userIDs, userTagIDs, clientIDs []int64) ([]affiliate.BlocklistEntry, error) {
	return read(ctx, r.u, blocklistTable.resource, func(ctx context.Context) ([]affiliate.BlocklistEntry, error) {
		condition := "(t.user_id = ANY(?0::bigint[]) OR t.user_tag_id = ANY(?1::bigint[]) OR t.client_id = ANY(?2::bigint[]))"
		args := []any{userIDs, userTagIDs, clientIDs}
		if advertiserIDs != nil {
			condition, args = condition+" AND t.advertiser_id = ANY(?3::bigint[])", append(args, advertiserIDs)
		}
		return blocklistTable.prepared(ctx, r.u, condition, args...)
	})
}
