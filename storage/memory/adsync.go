package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// syncTables are the tables of package adsync.
type syncTables struct {
	accounts   syncAccountTable
	adAccounts adAccountTable
	items      syncItemTable
	campaigns  syncCampaignTable
	adSets     adSetTable
	ads        adTable
	templates  adTemplateTable
	jobs       syncJobTable
	remotes    remoteTable
}

func newSyncTables(db *DB) syncTables {
	return syncTables{
		accounts:   newSyncAccountTable(db),
		adAccounts: newAdAccountTable(db),
		items:      newSyncItemTable(db),
		campaigns:  newSyncCampaignTable(db),
		adSets:     newAdSetTable(db),
		ads:        newAdTable(db),
		templates:  newAdTemplateTable(db),
		jobs:       newSyncJobTable(db),
		remotes:    newRemoteTable(db),
	}
}

// AdSync is the view for package adsync. Its Work is its Write: one writer at a
// time is as isolated as can be.
func (db *DB) AdSync() adsync.Store {
	return syncView{view[adsync.Tx]{db, func(u *unit) adsync.Tx { return syncTx{coreTx{u}} }}}
}

type syncView struct{ view[adsync.Tx] }

func (v syncView) Work(ctx context.Context, fn func(context.Context, adsync.Tx) error) error {
	return v.Write(ctx, fn)
}

// syncTx is the transaction of package adsync.
type syncTx struct{ coreTx }

var _ adsync.Tx = syncTx{}

func (tx syncTx) SyncAccounts() adsync.AccountRepository   { return syncAccounts(tx.coreTx) }
func (tx syncTx) AdAccounts() adsync.AdAccountRepository   { return adAccounts(tx.coreTx) }
func (tx syncTx) InventoryItems() adsync.ItemRepository    { return syncItems(tx.coreTx) }
func (tx syncTx) SyncCampaigns() adsync.CampaignRepository { return syncCampaigns(tx.coreTx) }
func (tx syncTx) AdSets() adsync.AdSetRepository           { return adSets(tx.coreTx) }
func (tx syncTx) Ads() adsync.AdRepository                 { return ads(tx.coreTx) }
func (tx syncTx) AdTemplates() adsync.TemplateRepository   { return adTemplates(tx.coreTx) }
func (tx syncTx) SyncJobs() adsync.JobRepository           { return syncJobs(tx.coreTx) }
func (tx syncTx) Remotes() adsync.RemoteRepository         { return remotes(tx.coreTx) }

// accountReference is a reference id within an account.
type accountReference struct{ account, reference string }

// compareCursors orders values as lists of adsync do.
func compareCursors(a, b adsync.Cursor) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.ID[:], b.ID[:]))
}

// compareIDs orders ids as SQL does.
func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// byPlace is the order of a list, over places.
func byPlace[R any](place func(*R) adsync.Cursor) func(a, b *R) int {
	return func(a, b *R) int { return compareCursors(place(a), place(b)) }
}

// behind are at most limit values of ids, which are in the order of place,
// behind a cursor and with keep.
func behind[R any](t *engine.Table[R], ids []uint32, place func(*R) adsync.Cursor, after adsync.Cursor, limit int, keep func(*R) bool, out func(uint32, *R) R) []R {
	from := 0
	if after != (adsync.Cursor{}) {
		from = sort.Search(len(ids), func(i int) bool { return compareCursors(place(t.At(ids[i])), after) > 0 })
	}
	var list []R
	for _, id := range ids[from:] {
		if len(list) >= limit {
			break
		}
		if r := t.At(id); keep(r) {
			list = append(list, out(id, r))
		}
	}
	return list
}

// allBehind is behind for all rows, by an index in the order of place.
func allBehind[R any](t *engine.Table[R], x *engine.Ordered[R], place func(*R) adsync.Cursor, after adsync.Cursor, limit int, keep func(*R) bool, out func(uint32, *R) R) []R {
	var list []R
	if limit <= 0 {
		return nil
	}
	part, i := 0, 0
	if after != (adsync.Cursor{}) {
		part, i = x.Search(func(r *R) bool { return compareCursors(place(r), after) > 0 })
	}
	x.Each(part, i, func(id uint32) bool {
		if r := t.At(id); keep(r) {
			list = append(list, out(id, r))
		}
		return len(list) < limit
	})
	return list
}

// putAll is what the Put methods of values with ids from outside have in common.
// check refuses what SQL would; row is the one that is replaced, or 0.
func putAll[E interface{ Validate() error }, K comparable](ctx context.Context, u *unit, t *engine.Table[E], x *engine.Unique[E, K], key func(*E) K, list []E, keep func(E) E, check func(e *E, row uint32) error) error {
	if err := u.Change(ctx); err != nil {
		return err
	}
	last := make(map[K]int, len(list))
	for n := range list {
		if err := list[n].Validate(); err != nil {
			return u.Fail(err)
		}
		last[key(&list[n])] = n
	}
	for n := range list {
		if last[key(&list[n])] != n {
			continue
		}
		row, there := x.Find(key(&list[n]))
		if err := check(&list[n], row); err != nil {
			return u.Fail(err)
		}
		if there {
			t.Replace(row, keep(list[n]))
		} else if _, err := t.Insert(keep(list[n])); err != nil {
			return u.Fail(err)
		}
	}
	return nil
}

// getAll is what the GetMany methods by ids from outside have in common.
func getAll[R any](ctx context.Context, u *unit, t *engine.Table[R], x *engine.Unique[R, uuid.UUID], ids []uuid.UUID, out func(uint32, *R) R) ([]R, error) {
	if err := u.Use(ctx); err != nil {
		return nil, err
	}
	ids = slices.Clone(ids)
	slices.SortFunc(ids, compareIDs)
	var list []R
	for _, id := range slices.Compact(ids) {
		if row, ok := x.Find(id); ok {
			list = append(list, out(row, t.At(row)))
		}
	}
	return list, nil
}

type syncAccountTable struct {
	*engine.Table[adsync.Account]
	byID *engine.Unique[adsync.Account, string]
}

func newSyncAccountTable(db *DB) syncAccountTable {
	t := engine.NewTable[adsync.Account](&db.store)
	return syncAccountTable{t, engine.NewUnique(t, func(a *adsync.Account) (string, bool) { return a.ID, true })}
}

type syncAccounts struct{ u *unit }

func (r syncAccounts) Put(ctx context.Context, a adsync.Account) error {
	t := r.u.db.sync.accounts
	return engine.PutBy(ctx, &r.u.Unit, t.Table, t.byID, a.ID, a, func(a adsync.Account) adsync.Account {
		a.CreatedAt = engine.Kept(a.CreatedAt)
		return a
	}, engine.NoCheck)
}

func (r syncAccounts) Get(ctx context.Context, id string) (adsync.Account, error) {
	t := r.u.db.sync.accounts
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "sync_account", engine.AsKept)
}

// knowsAccount notes an account that does not exist.
func (u *unit) knowsAccount(f *engine.Refusal, id string) {
	_, ok := u.db.sync.accounts.byID.Find(id)
	f.Refers(ok, "account_id")
}

// accountAdAccount is an ad account within an account.
type accountAdAccount struct{ account, id string }

type adAccountTable struct {
	*engine.Table[adsync.AdAccount]
	byID      *engine.Unique[adsync.AdAccount, accountAdAccount]
	byRecord  *engine.Unique[adsync.AdAccount, uuid.UUID]
	byAccount *engine.Groups[adsync.AdAccount, string]
	inOrder   *engine.Ordered[adsync.AdAccount]
}

func placeOfAdAccount(a *adsync.AdAccount) adsync.Cursor {
	return adsync.Cursor{At: a.CreatedAt, ID: a.RecordID}
}

func keyOfAdAccount(a *adsync.AdAccount) accountAdAccount { return accountAdAccount{a.AccountID, a.ID} }

func newAdAccountTable(db *DB) adAccountTable {
	t := engine.NewTable[adsync.AdAccount](&db.store)
	return adAccountTable{t,
		engine.NewUnique(t, func(a *adsync.AdAccount) (accountAdAccount, bool) { return keyOfAdAccount(a), true }),
		engine.NewUnique(t, func(a *adsync.AdAccount) (uuid.UUID, bool) { return a.RecordID, true }),
		engine.NewGroups(t, func(a *adsync.AdAccount) (string, bool) { return a.AccountID, true }, byPlace(placeOfAdAccount)),
		engine.NewOrdered(t, byPlace(placeOfAdAccount)),
	}
}

type adAccounts struct{ u *unit }

func (r adAccounts) Put(ctx context.Context, a adsync.AdAccount) error {
	t := r.u.db.sync.adAccounts
	return putAll(ctx, r.u, t.Table, t.byID, keyOfAdAccount, []adsync.AdAccount{a}, func(a adsync.AdAccount) adsync.AdAccount {
		a.CreatedAt, a.DisconnectedAt = engine.Kept(a.CreatedAt), engine.Kept(a.DisconnectedAt)
		return a
	}, func(a *adsync.AdAccount, row uint32) error {
		var f engine.Refusal
		r.u.knowsAccount(&f, a.AccountID)
		f.Unique(t.byRecord.Taken(a, row), "record_id")
		return f.Err("ad_account")
	})
}

func (r adAccounts) Get(ctx context.Context, accountID, id string) (adsync.AdAccount, error) {
	if err := r.u.Use(ctx); err != nil {
		return adsync.AdAccount{}, err
	}
	t := r.u.db.sync.adAccounts
	row, ok := t.byID.Find(accountAdAccount{accountID, id})
	if !ok {
		return adsync.AdAccount{}, affiliate.NotFound("ad_account", id)
	}
	return *t.At(row), nil
}

func (r adAccounts) List(ctx context.Context, f adsync.AdAccountFilter, after adsync.Cursor, limit int) ([]adsync.AdAccount, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.sync.adAccounts
	keep := func(a *adsync.AdAccount) bool {
		return (f.Service == "" || a.Service() == f.Service) && (!f.Connected.Set || a.Connected() == f.Connected.Value) &&
			(!f.WithCatalog || a.CatalogID != "")
	}
	if f.AccountID != "" {
		return behind(t.Table, t.byAccount.Of(f.AccountID), placeOfAdAccount, after, limit, keep, engine.AsKept), nil
	}
	return allBehind(t.Table, t.inOrder, placeOfAdAccount, after, limit, keep, engine.AsKept), nil
}

// keptTimes brings times to the form in which they are kept.
func keptTimes(times ...*time.Time) {
	for _, t := range times {
		*t = engine.Kept(*t)
	}
}
