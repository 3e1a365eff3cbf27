package memory

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type syncItemTable struct {
	*engine.Table[adsync.Item]
	byID          *engine.Unique[adsync.Item, uuid.UUID]
	byReference   *engine.Unique[adsync.Item, accountReference]
	byFingerprint *engine.Groups[adsync.Item, accountReference]
	byAccount     *engine.Groups[adsync.Item, string]
	byType        *engine.Groups[adsync.Item, accountReference]
	inOrder       *engine.Ordered[adsync.Item]
}

func placeOfSyncItem(i *adsync.Item) adsync.Cursor { return adsync.Cursor{At: i.CreatedAt, ID: i.ID} }

func newSyncItemTable(db *DB) syncItemTable {
	t := engine.NewTable[adsync.Item](&db.store)
	return syncItemTable{t,
		engine.NewUnique(t, func(i *adsync.Item) (uuid.UUID, bool) { return i.ID, true }),
		engine.NewUnique(t, func(i *adsync.Item) (accountReference, bool) {
			return accountReference{i.AccountID, i.ReferenceID}, i.ReferenceID != ""
		}),
		engine.NewGroups(t, func(i *adsync.Item) (accountReference, bool) {
			return accountReference{i.AccountID, i.Fingerprint}, i.Fingerprint != ""
		}, byPlace(placeOfSyncItem)),
		engine.NewGroups(t, func(i *adsync.Item) (string, bool) { return i.AccountID, true }, byPlace(placeOfSyncItem)),
		engine.NewGroups(t, func(i *adsync.Item) (accountReference, bool) {
			return accountReference{i.AccountID, i.AdTemplateType}, true
		}, byPlace(placeOfSyncItem)),
		engine.NewOrdered(t, byPlace(placeOfSyncItem)),
	}
}

func copySyncItem(_ uint32, i *adsync.Item) adsync.Item {
	c := *i
	c.Images, c.CustomAttributes = engine.Copied(i.Images), engine.Copied(i.CustomAttributes)
	return c
}

type syncItems struct{ u *unit }

func (r syncItems) Put(ctx context.Context, items ...adsync.Item) error {
	t := r.u.db.sync.items
	return putAll(ctx, r.u, t.Table, t.byID, func(i *adsync.Item) uuid.UUID { return i.ID }, items, func(i adsync.Item) adsync.Item {
		i = copySyncItem(0, &i)
		keptTimes(&i.SoldOutAt, &i.CreatedAt, &i.UpdatedAt)
		return i
	}, func(i *adsync.Item, row uint32) error {
		var f engine.Refusal
		r.u.knowsAccount(&f, i.AccountID)
		f.Unique(t.byReference.Taken(i, row), "reference_id")
		return f.Err("item")
	})
}

func (r syncItems) Get(ctx context.Context, id uuid.UUID) (adsync.Item, error) {
	t := r.u.db.sync.items
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "item", copySyncItem)
}

func (r syncItems) GetMany(ctx context.Context, ids []uuid.UUID) ([]adsync.Item, error) {
	t := r.u.db.sync.items
	return getAll(ctx, r.u, t.Table, t.byID, ids, copySyncItem)
}

func (r syncItems) ByReference(ctx context.Context, accountID, referenceID string) (adsync.Item, error) {
	t := r.u.db.sync.items
	return byReference(ctx, r.u, t.Table, t.byReference, accountID, referenceID, "item", copySyncItem)
}

func (r syncItems) Among(ctx context.Context, accountID string, k adsync.ItemKeys) ([]adsync.Item, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.sync.items
	rows := map[uint32]bool{}
	for _, id := range k.IDs {
		if row, ok := t.byID.Find(id); ok && t.At(row).AccountID == accountID {
			rows[row] = true
		}
	}
	for _, reference := range k.ReferenceIDs {
		if row, ok := t.byReference.Find(accountReference{accountID, reference}); ok {
			rows[row] = true
		}
	}
	for _, fingerprint := range k.Fingerprints {
		for _, row := range t.byFingerprint.Of(accountReference{accountID, fingerprint}) {
			rows[row] = true
		}
	}
	var list []adsync.Item
	for row := range rows {
		list = append(list, copySyncItem(row, t.At(row)))
	}
	slices.SortFunc(list, func(a, b adsync.Item) int { return compareIDs(a.ID, b.ID) })
	return list, nil
}

func (r syncItems) List(ctx context.Context, f adsync.ItemFilter, after adsync.Cursor, limit int) ([]adsync.Item, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.sync.items
	keep := func(i *adsync.Item) bool {
		return (f.ReferenceID == "" || i.ReferenceID == f.ReferenceID) && (f.AdTemplateType == "" || i.AdTemplateType == f.AdTemplateType) &&
			(f.Condition == "" || i.Condition == f.Condition) && (!f.Available.Set || i.Available == f.Available.Value)
	}
	var rows []uint32
	switch {
	case f.AccountID == "":
		return allBehind(t.Table, t.inOrder, placeOfSyncItem, after, limit, keep, copySyncItem), nil
	case f.ReferenceID != "":
		rows = referenced(t.byReference, f.AccountID, f.ReferenceID)
	case f.AdTemplateType != "":
		rows = t.byType.Of(accountReference{f.AccountID, f.AdTemplateType})
	default:
		rows = t.byAccount.Of(f.AccountID)
	}
	return behind(t.Table, rows, placeOfSyncItem, after, limit, keep, copySyncItem), nil
}

// byReference is what the ByReference methods have in common.
func byReference[R any](ctx context.Context, u *unit, t *engine.Table[R], x *engine.Unique[R, accountReference], accountID, referenceID, resource string, out func(uint32, *R) R) (R, error) {
	var none R
	if err := u.Use(ctx); err != nil {
		return none, err
	}
	row, ok := x.Find(accountReference{accountID, referenceID})
	if !ok {
		return none, affiliate.NotFound(resource, referenceID)
	}
	return out(row, t.At(row)), nil
}

// referenced is the row with the reference id, if there is one, as a list.
func referenced[R any](x *engine.Unique[R, accountReference], accountID, referenceID string) []uint32 {
	if row, ok := x.Find(accountReference{accountID, referenceID}); ok {
		return []uint32{row}
	}
	return nil
}
