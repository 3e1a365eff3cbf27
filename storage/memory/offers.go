package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// offerTables are the tables of package offers.
type offerTables struct {
	offers       offerTable
	targets      targetTable
	participants participantTable
	usage        usageTable
	budgets      sharedBudgetTable
	comments     commentTable
	activities   activityTable
	ads          returnAdTable
}

func newOfferTables(db *DB) offerTables {
	return offerTables{
		offers:       newOfferTable(db),
		targets:      newTargetTable(db),
		participants: newParticipantTable(db),
		usage:        newUsageTable(db),
		budgets:      newSharedBudgetTable(db),
		comments:     newCommentTable(db),
		activities:   newActivityTable(db),
		ads:          returnAdTable{engine.NewTable[returnAdRow](&db.store)},
	}
}

// Offers is the view for package offers.
func (db *DB) Offers() offers.Store {
	return view[offers.Tx]{db, func(u *unit) offers.Tx { return offersTx{statsTx{coreTx{u}}} }}
}

// offersTx is the transaction of package offers.
type offersTx struct{ statsTx }

var _ offers.Tx = offersTx{}

func (tx offersTx) Offers() offers.OfferRepository               { return offerRepository(tx.coreTx) }
func (tx offersTx) Targets() offers.TargetRepository             { return targets(tx.coreTx) }
func (tx offersTx) Participants() offers.ParticipantRepository   { return participants(tx.coreTx) }
func (tx offersTx) Usage() offers.UsageRepository                { return usage(tx.coreTx) }
func (tx offersTx) SharedBudgets() offers.SharedBudgetRepository { return sharedBudgets(tx.coreTx) }
func (tx offersTx) Comments() offers.CommentRepository           { return comments(tx.coreTx) }
func (tx offersTx) Activities() offers.ActivityRepository        { return activities(tx.coreTx) }
func (tx offersTx) ReturnAds() offers.ReturnAdRepository         { return returnAds(tx.coreTx) }

type offerTable struct {
	*engine.Table[offers.Offer]
	byToken      *engine.Unique[offers.Offer, string]
	byAdvertiser *engine.Groups[offers.Offer, int64]
	ranked       *engine.Groups[offers.Offer, int64] // by advertiser; of each the live ones, the last served first
	byBudget     *engine.Groups[offers.Offer, int64]
}

func newOfferTable(db *DB) offerTable {
	t := engine.NewTable[offers.Offer](&db.store)
	return offerTable{t,
		engine.NewUnique(t, func(o *offers.Offer) (string, bool) { return o.Token, true }),
		engine.NewGroups(t, func(o *offers.Offer) (int64, bool) { return o.AdvertiserID, true }, nil),
		engine.NewGroups(t, func(o *offers.Offer) (int64, bool) { return o.AdvertiserID, o.DeletedAt.IsZero() }, func(a, b *offers.Offer) int {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), strings.Compare(a.Token, b.Token))
		}),
		engine.NewGroups(t, func(o *offers.Offer) (int64, bool) { return o.SharedBudgetID, o.SharedBudgetID != 0 }, nil),
	}
}

func copyOffer(id uint32, o *offers.Offer) offers.Offer {
	c := *o
	c.ID = int64(id)
	c.Todo, c.Costs = engine.Copied(o.Todo), engine.Copied(o.Costs)
	return c
}

func keptOffer(o offers.Offer) offers.Offer {
	o = copyOffer(0, &o)
	for _, t := range []*time.Time{&o.ValidFrom, &o.ValidUntil, &o.CreatedAt, &o.UpdatedAt, &o.PausedAt, &o.DeletedAt} {
		*t = engine.Kept(*t)
	}
	return o
}

type offerRepository struct{ u *unit }

func (r offerRepository) check(o offers.Offer) error {
	var f engine.Refusal
	db := r.u.db
	f.Refers(db.core.advertisers.Knows(o.AdvertiserID), "store_id")
	f.Refers(db.offers.budgets.KnowsOr0(o.SharedBudgetID), "shared_budget_id")
	f.Refers(db.core.users.KnowsOr0(o.CreatedBy.UserID), "created_by")
	f.Unique(db.offers.offers.byToken.Taken(&o, uint32(o.ID)), "token")
	return f.Err("offer")
}

func (r offerRepository) Add(ctx context.Context, o offers.Offer) (offers.Offer, error) {
	o.ID = 0
	return engine.Add(ctx, &r.u.Unit, r.u.db.offers.offers.Table, o, keptOffer, r.check, copyOffer)
}

func (r offerRepository) Get(ctx context.Context, id int64) (offers.Offer, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.offers.offers.Table, "offer", id, copyOffer)
}

func (r offerRepository) GetMany(ctx context.Context, ids []int64) ([]offers.Offer, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.offers.offers.Table, ids, copyOffer)
}

func (r offerRepository) ByToken(ctx context.Context, token string) (offers.Offer, error) {
	if err := r.u.Use(ctx); err != nil {
		return offers.Offer{}, err
	}
	t := r.u.db.offers.offers
	id, ok := t.byToken.Find(token)
	if !ok {
		return offers.Offer{}, affiliate.NotFound("offer", token)
	}
	return copyOffer(id, t.At(id)), nil
}

func (r offerRepository) Update(ctx context.Context, o offers.Offer) error {
	t := r.u.db.offers.offers
	return engine.Update(ctx, &r.u.Unit, t.Table, "offer", o.ID, o, keptOffer, func(o offers.Offer) error {
		if err := r.check(o); err != nil {
			return err
		}
		if t.At(uint32(o.ID)).AdvertiserID != o.AdvertiserID {
			return affiliate.Invalid("offer", affiliate.FieldError{Field: "store_id", Code: "immutable", Message: "cannot be changed"})
		}
		return nil
	})
}

// status is offers.Offer.Status over what is kept.
func (r offerRepository) status(id uint32, o *offers.Offer, at time.Time) offers.Status {
	db := r.u.db
	var shared affiliate.Optional[offers.Shared]
	if b, ok := db.offers.budgets.Find(o.SharedBudgetID); ok {
		spent := db.offers.usage.counts(offers.SharedUsage(o.SharedBudgetID)).Spent
		shared = affiliate.Some(offers.Shared{Amount: db.offers.budgets.At(b).Amount, Spent: spent})
	}
	return o.Status(at, db.offers.usage.counts(offers.OfferUsage(int64(id))), shared)
}

func (r offerRepository) columns(at time.Time) engine.Columns[offers.Offer] {
	cols := engine.Columns[offers.Offer]{
		"name":           engine.Text(func(o *offers.Offer) string { return o.Name }),
		"campaign_title": engine.Text(func(o *offers.Offer) string { return o.Title }),
		"store_id":       engine.Number(func(o *offers.Offer) int64 { return o.AdvertiserID }),
		"type":           engine.Text(func(o *offers.Offer) string { return string(o.Type) }),
		"currency":       engine.Text(func(o *offers.Offer) string { return string(o.Currency) }),
		"token":          engine.Text(func(o *offers.Offer) string { return o.Token }),
		"created_at":     engine.Number(func(o *offers.Offer) int64 { return o.CreatedAt.UnixMicro() }),
		"valid_from":     engine.Number(func(o *offers.Offer) int64 { return o.ValidFrom.UnixMicro() }),
		"valid_until":    engine.Number(func(o *offers.Offer) int64 { return o.ValidUntil.UnixMicro() }),
		"priority":       engine.Number(func(o *offers.Offer) int64 { return o.Priority }),
		"ends_soon": func(a, b *offers.Offer) int {
			if a.ValidUntil.IsZero() != b.ValidUntil.IsZero() {
				return cmp.Compare(b.ValidUntil.UnixMicro(), a.ValidUntil.UnixMicro())
			}
			return a.ValidUntil.Compare(b.ValidUntil)
		},
	}
	cols["active_first"] = func(a, b *offers.Offer) int {
		rank := func(o *offers.Offer) int {
			id, _ := r.u.db.offers.offers.byToken.Find(o.Token)
			if r.status(id, o, at) == offers.Active {
				return 0
			}
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	}
	return cols
}

func (r offerRepository) List(ctx context.Context, f offers.OfferFilter, p affiliate.PageRequest) (affiliate.Page[offers.Offer], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[offers.Offer]{}, err
	}
	db := r.u.db
	t := db.offers.offers
	s := engine.Everything[offers.Offer]()
	switch {
	case f.OrID != 0:
	case f.IDs != nil:
		s = engine.Only[offers.Offer](t.Among(f.IDs))
	case f.AdvertiserIDs != nil:
		s = engine.Only[offers.Offer](engine.ByKeys(t.byAdvertiser.Of, f.AdvertiserIDs))
	case f.SharedBudgetID != 0:
		s = engine.Only[offers.Offer](t.byBudget.Of(f.SharedBudgetID))
	}
	if keep := r.matching(f); keep != nil {
		s.Keep = keep
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, r.columns(f.At), copyOffer)
}

// matching is nil when the filter leaves everything.
func (r offerRepository) matching(f offers.OfferFilter) func(uint32, *offers.Offer) bool {
	db := r.u.db
	ids, advertisers, groups, excluded := engine.SetOf(f.IDs), engine.SetOf(f.AdvertiserIDs), engine.SetOf(f.GroupIDs), engine.SetOf(f.ExcludedAdvertisers)
	type test struct {
		asked bool
		is    func(id uint32, o *offers.Offer) bool
	}
	var tests []func(uint32, *offers.Offer) bool
	for _, c := range []test{
		{f.Query != "", func(id uint32, o *offers.Offer) bool {
			return engine.IsID(f.Query, id) || engine.Matches(o.Name, f.Query) || engine.Matches(o.Title, f.Query)
		}},
		{f.IDs != nil, func(id uint32, _ *offers.Offer) bool { return ids[int64(id)] }},
		{f.AdvertiserIDs != nil, func(_ uint32, o *offers.Offer) bool { return advertisers[o.AdvertiserID] }},
		{f.GroupIDs != nil, func(_ uint32, o *offers.Offer) bool {
			group := db.core.advertisers.At(uint32(o.AdvertiserID)).GroupID
			return group != 0 && groups[group]
		}},
		{f.ShownAdvertisers, func(_ uint32, o *offers.Offer) bool {
			a := db.core.advertisers.At(uint32(o.AdvertiserID))
			return a.Status == affiliate.AdvertiserActive && !a.Hidden
		}},
		{len(f.ExcludedAdvertisers) > 0, func(_ uint32, o *offers.Offer) bool { return !excluded[o.AdvertiserID] }},
		{f.CreatedBy != 0, func(_ uint32, o *offers.Offer) bool { return o.CreatedBy.UserID == f.CreatedBy }},
		{f.Type != "", func(_ uint32, o *offers.Offer) bool { return o.Type == f.Type }},
		{f.ShowForAdvertiser.Set, func(_ uint32, o *offers.Offer) bool { return o.ShowForAdvertiser == f.ShowForAdvertiser.Value }},
		{f.SharedBudgetID != 0, func(_ uint32, o *offers.Offer) bool { return o.SharedBudgetID == f.SharedBudgetID }},
		{f.Targets != nil, func(id uint32, o *offers.Offer) bool { return db.offers.targets.any(id, o.AdvertiserID, f.Targets) }},
		{f.Statuses != nil, func(id uint32, o *offers.Offer) bool { return slices.Contains(f.Statuses, r.status(id, o, f.At)) }},
	} {
		if c.asked {
			tests = append(tests, c.is)
		}
	}
	if len(tests) == 0 {
		return nil
	}
	return func(id uint32, o *offers.Offer) bool {
		if f.OrID != 0 && int64(id) == f.OrID {
			return true
		}
		for _, is := range tests {
			if !is(id, o) {
				return false
			}
		}
		return true
	}
}

func (r offerRepository) Ranked(ctx context.Context, advertiserID, priority int64, limit int) ([]offers.Offer, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.offers
	all := t.ranked.Of(advertiserID)
	end, _ := slices.BinarySearchFunc(all, priority, func(id uint32, priority int64) int {
		if t.At(id).Priority <= priority {
			return -1
		}
		return 1
	})
	ids := slices.Clone(all[max(0, end-max(limit, 0)):end])
	slices.Reverse(ids)
	return engine.Collect(t.Table, ids, copyOffer), nil
}
