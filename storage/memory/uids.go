package memory

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type uidTable struct {
	engine.Keyed[deals.UID, string]
}

func newUIDTable(db *DB) uidTable {
	type E = deals.UID
	t := engine.NewTable[E](&db.store)
	return uidTable{engine.Keyed[E, string]{
		Entities: engine.Entities[E]{
			Table: t, Resource: "uid",
			Times: func(u *E) []*time.Time { return []*time.Time{&u.CreatedAt} },
		},
		Key: engine.NewUnique(t, func(u *E) (string, bool) { return u.UID, true }),
	}}
}

func (*uidTable) in(db *DB) *engine.Keyed[deals.UID, string] { return &db.deals.uids.Keyed }

type (
	uidRepo = keyed[deals.UID, string, *uidTable]
	uids    struct{ uidRepo }
)

var _ deals.UIDRepository = uids{}

func (r uids) AddOrGet(ctx context.Context, u deals.UID) (deals.UID, bool, error) {
	return r.all().AddOrGet(ctx, &r.u.Unit, u)
}

func (r uids) GetMany(ctx context.Context, list []string) ([]deals.UID, error) {
	return r.rows(ctx, func() []uint32 { return r.all().Key.InOrder(deals.Codes(list)) })
}
