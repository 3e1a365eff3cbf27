package memory

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type offerTable struct {
	engine.Entities[offers.Offer]
	byToken      *engine.Unique[offers.Offer, string]
	byAdvertiser *engine.Groups[offers.Offer, int64]
	ranked       *engine.Groups[offers.Offer, int64] // by advertiser; of each the live ones, the last served first
	byBudget     *engine.Groups[offers.Offer, int64]
}

func newOfferTable(db *DB) offerTable {
	type E = offers.Offer
	t := engine.NewTable[E](&db.store)
	return offerTable{
		engine.Entities[E]{
			Table: t, Resource: "offer",
			ID: func(o *E) *int64 { return &o.ID },
			Own: func(o E) E {
				o.Todo, o.Costs = engine.Copied(o.Todo), engine.Copied(o.Costs)
				return o
			},
			Times: func(o *E) []*time.Time {
				return []*time.Time{&o.ValidFrom, &o.ValidUntil, &o.CreatedAt, &o.UpdatedAt, &o.PausedAt, &o.DeletedAt}
			},
			Refuses: func(f *engine.Refusal, o *E, id uint32) {
				f.Refers(db.core.advertisers.Knows(o.AdvertiserID), "store_id")
				f.Refers(db.offers.budgets.KnowsOr0(o.SharedBudgetID), "shared_budget_id")
				f.Refers(db.core.groups.KnowsOr0(o.StoreGroupID), "store_group_id")
				f.Refers(db.core.users.KnowsOr0(o.CreatedBy.UserID), "created_by")
				f.Unique(db.offers.offers.byToken.Taken(o, id), "token")
				f.Fixed(id != 0 && t.At(id).AdvertiserID != o.AdvertiserID, "store_id")
			},
		},
		engine.NewUnique(t, func(o *E) (string, bool) { return o.Token, true }),
		engine.NewGroups(t, func(o *E) (int64, bool) { return o.AdvertiserID, true }, nil),
		engine.NewGroups(t, func(o *E) (int64, bool) { return o.AdvertiserID, o.DeletedAt.IsZero() }, func(a, b *E) int {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), strings.Compare(a.Token, b.Token))
		}),
		engine.NewGroups(t, func(o *E) (int64, bool) { return o.SharedBudgetID, o.SharedBudgetID != 0 }, nil),
	}
}

func (*offerTable) in(db *DB) *engine.Entities[offers.Offer] { return &db.offers.offers.Entities }

type (
	offerRepo       = repo[offers.Offer, *offerTable]
	offerRepository struct{ offerRepo }
)

var _ offers.OfferRepository = offerRepository{}

// Lock and Share have nothing to lock: the unit has locked everything.
func (r offerRepository) Lock(ctx context.Context, ids []int64) ([]offers.Offer, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	return r.GetMany(ctx, ids)
}

func (r offerRepository) Share(ctx context.Context, ids []int64) ([]offers.Offer, error) {
	return r.Lock(ctx, ids)
}

func (r offerRepository) ByToken(ctx context.Context, token string) (offers.Offer, error) {
	return findBy(ctx, r.u, r.all(), r.u.db.offers.offers.byToken, token, token)
}

// status is offers.Offer.Status over what is kept.
func (r offerRepository) status(o *offers.Offer, at time.Time) offers.Status {
	db := r.u.db
	var shared affiliate.Optional[offers.Shared]
	if b, ok := db.offers.budgets.Find(o.SharedBudgetID); ok {
		spent := db.offers.usage.counts(offers.SharedUsage(o.SharedBudgetID)).Spent
		shared = affiliate.Some(offers.Shared{Amount: db.offers.budgets.At(b).Amount, Spent: spent})
	}
	return o.Status(at, db.offers.usage.counts(offers.OfferUsage(o.ID)), shared)
}

func (r offerRepository) columns(at time.Time) engine.Columns[offers.Offer] {
	type E = offers.Offer
	return engine.Columns[E]{
		"name":           engine.Text(func(o *E) string { return o.Name }),
		"campaign_title": engine.Text(func(o *E) string { return o.Title }),
		"store_id":       engine.Number(func(o *E) int64 { return o.AdvertiserID }),
		"type":           engine.Text(func(o *E) string { return string(o.Type) }),
		"currency":       engine.Text(func(o *E) string { return string(o.Currency) }),
		"token":          engine.Text(func(o *E) string { return o.Token }),
		"created_at":     engine.Time(func(o *E) time.Time { return o.CreatedAt }),
		"valid_from":     engine.Time(func(o *E) time.Time { return o.ValidFrom }),
		"valid_until":    engine.Time(func(o *E) time.Time { return o.ValidUntil }),
		"priority":       engine.Number(func(o *E) int64 { return o.Priority }),
		"ends_soon": func(a, b *E) int {
			if a.ValidUntil.IsZero() != b.ValidUntil.IsZero() {
				return b.ValidUntil.Compare(a.ValidUntil)
			}
			return a.ValidUntil.Compare(b.ValidUntil)
		},
		"active_first": engine.Flag(func(o *E) bool { return r.status(o, at) != offers.Active }),
	}
}

func (r offerRepository) List(ctx context.Context, f offers.OfferFilter, p affiliate.PageRequest) (affiliate.Page[offers.Offer], error) {
	type E = offers.Offer
	db := r.u.db
	t := &db.offers.offers
	return engine.List(ctx, &r.u.Unit, t.Table, p, r.columns(f.At), t.Out, func(w *engine.Where[E]) {
		w.OrID(f.OrID)
		w.Query(f.Query, func(o *E) int64 { return o.ID }, func(o *E) string { return o.Name }, func(o *E) string { return o.Title })
		engine.AmongIn(w, f.AdvertiserIDs, t.byAdvertiser)
		groups := engine.Positive(f.GroupIDs)
		w.That(groups != nil, func(o *E) bool {
			return slices.Contains(groups, r.advertiser(o).GroupID) || slices.Contains(groups, o.StoreGroupID)
		})
		w.That(f.ShownAdvertisers, func(o *E) bool {
			a := r.advertiser(o)
			hidden := a.Hidden && o.Visibility == offers.AsAdvertiser || o.Visibility == offers.AlwaysHidden
			return a.Status == affiliate.AdvertiserActive && !hidden && !o.Unlisted
		})
		engine.NotAmong(w, f.ExcludedAdvertisers, func(o *E) int64 { return o.AdvertiserID })
		engine.Equal(w, f.CreatedBy, func(o *E) int64 { return o.CreatedBy.UserID })
		engine.Equal(w, f.Type, func(o *E) offers.Type { return o.Type })
		w.Flag(f.ShowForAdvertiser, func(o *E) bool { return o.ShowForAdvertiser })
		engine.EqualIn(w, f.SharedBudgetID, t.byBudget)
		w.Among(f.IDs)
		w.That(f.Targets != nil, func(o *E) bool {
			group := offers.Target{Kind: offers.TargetGroup, Value: strconv.FormatInt(o.StoreGroupID, 10)}
			return db.offers.targets.any(uint32(o.ID), o.AdvertiserID, f.Targets) && (o.StoreGroupID == 0 || slices.Contains(f.Targets, group))
		})
		engine.Among(w, f.Statuses, func(o *E) offers.Status { return r.status(o, f.At) })
	})
}

func (r offerRepository) advertiser(o *offers.Offer) *affiliate.Advertiser {
	return r.u.db.core.advertisers.At(uint32(o.AdvertiserID))
}

func (r offerRepository) Ranked(ctx context.Context, advertiserID, priority int64, limit int) ([]offers.Offer, error) {
	return r.rows(ctx, func() []uint32 {
		t := &r.u.db.offers.offers
		all := t.ranked.Of(advertiserID)
		end, _ := slices.BinarySearchFunc(all, priority, func(id uint32, priority int64) int {
			if t.At(id).Priority <= priority {
				return -1
			}
			return 1
		})
		ids := slices.Clone(all[max(0, end-max(limit, 0)):end])
		slices.Reverse(ids)
		return ids
	})
}
