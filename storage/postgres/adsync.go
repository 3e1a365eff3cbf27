package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

var (
	_ adsync.AccountRepository   = syncAccounts{}
	_ adsync.AdAccountRepository = adAccounts{}
	_ adsync.ItemRepository      = syncItems{}
	_ adsync.CampaignRepository  = syncCampaigns{}
	_ adsync.AdSetRepository     = adSets{}
	_ adsync.AdRepository        = ads{}
	_ adsync.TemplateRepository  = adTemplates{}
	_ adsync.JobRepository       = syncJobs{}
	_ adsync.RemoteRepository    = remotes{}
)

// AdSync returns the store of package adsync, nil
// when Options.Without has the domain.
func (db *DB) AdSync() adsync.Store {
	if db.lacks(AdSync) {
		return nil
	}
	return syncView{view[adsync.Tx]{db, func(u *unit) adsync.Tx { return syncTx{coreTx{u}} }}}
}

type syncView struct{ view[adsync.Tx] }

// Work runs fn isolated by the locks that it takes.
func (v syncView) Work(ctx context.Context, fn func(context.Context, adsync.Tx) error) error {
	return v.run(ctx, recordUnit, fn)
}

// syncTx gives the repositories of adsync beside those of the core.
type syncTx struct{ coreTx }

func (t syncTx) SyncAccounts() adsync.AccountRepository   { return syncAccounts(t.coreTx) }
func (t syncTx) AdAccounts() adsync.AdAccountRepository   { return adAccounts(t.coreTx) }
func (t syncTx) InventoryItems() adsync.ItemRepository    { return syncItems(t.coreTx) }
func (t syncTx) SyncCampaigns() adsync.CampaignRepository { return syncCampaigns(t.coreTx) }
func (t syncTx) AdSets() adsync.AdSetRepository           { return adSets(t.coreTx) }
func (t syncTx) Ads() adsync.AdRepository                 { return ads(t.coreTx) }
func (t syncTx) AdTemplates() adsync.TemplateRepository   { return adTemplates(t.coreTx) }
func (t syncTx) SyncJobs() adsync.JobRepository           { return syncJobs(t.coreTx) }
func (t syncTx) Remotes() adsync.RemoteRepository         { return remotes(t.coreTx) }

// jsonColumn keeps a value as JSON.
type jsonColumn[T any] struct{ V T }

// Value is for the driver.
func (c jsonColumn[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(c.V)
	return string(b), err
}

// text is the value as JSON; it is for values that always marshal.
func (c jsonColumn[T]) text() string {
	b, _ := json.Marshal(c.V)
	return string(b)
}

// Scan is for the driver.
func (c *jsonColumn[T]) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), &c.V); err != nil {
		return fmt.Errorf("%w: %T: %w", errCorrupt, c.V, err)
	}
	return nil
}

// putAll keeps entities in place of those with their keys; of two with one key
// the later one counts. The columns that conflict are the table's primary key.
func putAll[E entity, R any, K comparable](ctx context.Context, u *unit, t table[E, R], list []E, key func(*E) K, columns string) error {
	return exec(ctx, u, t.resource, func(ctx context.Context) error {
		rows, err := lastRows(t, list, key)
		if err != nil || len(rows) == 0 {
			return err
		}
		_, err = u.tx.NewInsert().Model(&rows).ModelTableExpr(u.from(t.name)).On("CONFLICT (" + columns + ") DO UPDATE").Exec(ctx)
		return err
	})
}

// lastRows are the rows of entities, the last one of those with one key.
func lastRows[E entity, R any, K comparable](t table[E, R], list []E, key func(*E) K) ([]R, error) {
	last := make(map[K]int, len(list))
	for n := range list {
		if err := list[n].Validate(); err != nil {
			return nil, err
		}
		last[key(&list[n])] = n
	}
	rows := make([]R, 0, len(last))
	for n := range list {
		if last[key(&list[n])] == n {
			rows = append(rows, t.row(list[n]))
		}
	}
	return rows, nil
}

// behind returns at most limit rows behind a cursor, in the order of creation.
// id is the column that ties are broken by.
func (t table[E, R]) behind(ctx context.Context, u *unit, after adsync.Cursor, limit int, id string, where func(filter)) ([]E, error) {
	return read(ctx, u, t.resource, func(ctx context.Context) ([]E, error) {
		if limit <= 0 {
			return nil, nil
		}
		var rows []R
		q := t.selectFrom(u, &rows)
		where(q)
		at := utc(after.At)
		if !at.Equal(after.At) { // between two microseconds: nothing has this time
			after.ID = uuid.Max
		}
		q.Where("(t.created_at, t."+id+") > (?, ?)", at, after.ID)
		if err := q.OrderExpr("t.created_at, t." + id).Limit(int64(limit)).Scan(ctx); err != nil {
			return nil, err
		}
		return t.entities(rows), nil
	})
}

// idsAmong asks for one of the ids; nil does not filter, empty finds nothing.
func (f filter) idsAmong(column string, ids []uuid.UUID) {
	if ids != nil {
		f.amongIDs(column, ids)
	}
}

type syncAccountRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_accounts,alias:t"`

	ID             string    `bun:"id,pk"`
	Name           string    `bun:"name"`
	Test           bool      `bun:"test"`
	FingerprintKey hash      `bun:"fingerprint_key"`
	CreatedAt      time.Time `bun:"created_at,nullzero"`
}

var syncAccountTable = table[adsync.Account, syncAccountRow]{
	name: "affiliate_sync_accounts", resource: "sync_account",
	row: func(a adsync.Account) syncAccountRow {
		return syncAccountRow{ID: a.ID, Name: a.Name, Test: a.Test, FingerprintKey: a.FingerprintKey, CreatedAt: a.CreatedAt}
	},
	entity: func(r syncAccountRow) adsync.Account {
		return adsync.Account{ID: r.ID, Name: r.Name, Test: r.Test, FingerprintKey: r.FingerprintKey, CreatedAt: utc(r.CreatedAt)}
	},
}

type syncAccounts struct{ u *unit }

func (r syncAccounts) Put(ctx context.Context, a adsync.Account) error {
	return putAll(ctx, r.u, syncAccountTable, []adsync.Account{a}, func(a *adsync.Account) string { return a.ID }, "id")
}

func (r syncAccounts) Get(ctx context.Context, id string) (adsync.Account, error) {
	return read(ctx, r.u, "sync_account", func(ctx context.Context) (adsync.Account, error) {
		if !storable(id) {
			return adsync.Account{}, affiliate.NotFound("sync_account", id)
		}
		found, err := syncAccountTable.prepared(ctx, r.u, "t.id = ?0::text", id)
		if err == nil && len(found) == 0 {
			err = affiliate.NotFound("sync_account", id)
		}
		if err != nil {
			return adsync.Account{}, err
		}
		return found[0], nil
	})
}

type adAccountRow struct {
	bun.BaseModel `bun:"table:affiliate_sync_ad_accounts,alias:t"`

	AccountID      string           `bun:"account_id,pk"`
	ID             string           `bun:"id,pk"`
	RecordID       uuid.UUID        `bun:"record_id"`
	Name           string           `bun:"name"`
	Service        adsync.AdService `bun:"service"`
	CatalogID      string           `bun:"catalog_id"`
	CreatedAt      time.Time        `bun:"created_at"`
	DisconnectedAt time.Time        `bun:"disconnected_at,nullzero"`
}

var adAccountTable = table[adsync.AdAccount, adAccountRow]{
	name: "affiliate_sync_ad_accounts", resource: "ad_account",
	row: func(a adsync.AdAccount) adAccountRow {
		return adAccountRow{
			AccountID: a.AccountID, ID: a.ID, RecordID: a.RecordID, Name: a.Name, Service: a.Service(), CatalogID: a.CatalogID,
			CreatedAt: a.CreatedAt, DisconnectedAt: a.DisconnectedAt,
		}
	},
	entity: func(r adAccountRow) adsync.AdAccount {
		return adsync.AdAccount{
			AccountID: r.AccountID, ID: r.ID, RecordID: r.RecordID, Name: r.Name, CatalogID: r.CatalogID,
			CreatedAt: utc(r.CreatedAt), DisconnectedAt: utc(r.DisconnectedAt),
		}
	},
}

type adAccounts struct{ u *unit }

func (r adAccounts) Put(ctx context.Context, a adsync.AdAccount) error {
	return putAll(ctx, r.u, adAccountTable, []adsync.AdAccount{a}, func(*adsync.AdAccount) int { return 0 }, "account_id, id")
}

func (r adAccounts) Get(ctx context.Context, accountID, id string) (adsync.AdAccount, error) {
	return adAccountTable.one(ctx, r.u, id, func(q filter) {
		q.exactly("t.account_id", accountID)
		q.exactly("t.id", id)
	})
}

func (r adAccounts) List(ctx context.Context, f adsync.AdAccountFilter, after adsync.Cursor, limit int) ([]adsync.AdAccount, error) {
	if f == (adsync.AdAccountFilter{AccountID: f.AccountID, Connected: affiliate.Some(true), WithCatalog: true}) && f.AccountID != "" && after == (adsync.Cursor{}) {
		return r.catalogs(ctx, f.AccountID, limit)
	}
	return adAccountTable.behind(ctx, r.u, after, limit, "record_id", func(q filter) {
		q.text("t.account_id", f.AccountID)
		q.text("t.service", string(f.Service))
		if f.Connected.Set {
			q.Where("(t.disconnected_at IS NULL) = ?", f.Connected.Value)
		}
		if f.WithCatalog {
			q.Where("t.catalog_id <> ''")
		}
	})
}

// catalogs is the List that every change of an item asks for.
func (r adAccounts) catalogs(ctx context.Context, accountID string, limit int) ([]adsync.AdAccount, error) {
	return read(ctx, r.u, "ad_account", func(ctx context.Context) ([]adsync.AdAccount, error) {
		if limit <= 0 || !storable(accountID) {
			return nil, nil
		}
		var rows []adAccountRow
		err := r.u.preparedFrom("catalogs", func() string {
			return adAccountTable.selectFrom(r.u, &rows).Where("t.account_id = ?0::text AND t.disconnected_at IS NULL AND t.catalog_id <> ''").
				OrderExpr("t.created_at, t.record_id LIMIT ?1::bigint").String()
		}, accountID, int64(limit)).Scan(ctx, &rows)
		return adAccountTable.entities(rows), err
	})
}
