package memory

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type ruleTable struct {
	engine.Entities[links.Rule]
	byAdvertiser *engine.Groups[links.Rule, int64]
	main         *engine.Unique[links.Rule, int64] // by advertiser
}

func newRuleTable(db *DB) ruleTable {
	type E = links.Rule
	t := engine.NewTable[E](&db.store)
	return ruleTable{
		engine.Entities[E]{
			Table: t, Resource: "url_matching_rule",
			ID:    func(r *E) *int64 { return &r.ID },
			Times: func(r *E) []*time.Time { return []*time.Time{&r.CreatedAt, &r.UpdatedAt} },
			Refuses: func(f *engine.Refusal, r *E, id uint32) {
				f.Refers(db.core.advertisers.Knows(r.AdvertiserID), "advertiser_id")
				f.Unique(db.links.rules.main.Taken(r, id), "is_main")
			},
		},
		engine.NewGroups(t, func(r *E) (int64, bool) { return r.AdvertiserID, true }, nil),
		engine.NewUnique(t, func(r *E) (int64, bool) { return r.AdvertiserID, r.IsMain }),
	}
}

func (*ruleTable) in(db *DB) *engine.Entities[links.Rule] { return &db.links.rules.Entities }

// ruleChange says when the rules of an advertiser changed last.
type ruleChange struct {
	advertiser uint32
	at         uint64 // counts the changes of all advertisers
}

type ruleChangeTable struct {
	*engine.Table[ruleChange]
	byAdvertiser *engine.Unique[ruleChange, uint32]
	inOrder      *engine.Ordered[ruleChange] // of at
	// last is the newest change, also when it was rolled back: a number stands
	// for one change only, whatever a unit saw before it failed.
	last *uint64
}

func newRuleChangeTable(db *DB) ruleChangeTable {
	t := engine.NewTable[ruleChange](&db.store)
	return ruleChangeTable{t,
		engine.NewUnique(t, func(c *ruleChange) (uint32, bool) { return c.advertiser, true }),
		engine.NewOrdered(t, func(a, b *ruleChange) int { return cmp.Compare(a.at, b.at) }),
		new(uint64),
	}
}

type (
	ruleRepo = repo[links.Rule, *ruleTable]
	rules    struct{ ruleRepo }
)

var _ links.RuleRepository = rules{}

// changed notes that the rules of the advertisers changed.
func (r rules) changed(advertiserIDs ...int64) error {
	t := r.u.db.links.ruleChanges
	for _, advertiserID := range advertiserIDs {
		*t.last++
		c := ruleChange{uint32(advertiserID), *t.last}
		if id, ok := t.byAdvertiser.Find(c.advertiser); ok {
			t.Replace(id, c)
		} else if _, err := t.Insert(c); err != nil {
			return r.u.Fail(err)
		}
	}
	return nil
}

func (r rules) Add(ctx context.Context, rule links.Rule) (links.Rule, error) {
	rule, err := r.ruleRepo.Add(ctx, rule)
	if err != nil {
		return links.Rule{}, err
	}
	return rule, r.changed(rule.AdvertiserID)
}

// before returns the advertiser of a rule that is about to change.
func (r rules) before(ctx context.Context, id int64) (advertiserID int64, err error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	if row, ok := r.all().Find(id); ok {
		return r.all().At(row).AdvertiserID, nil
	}
	return 0, nil // the change will say that it is not there
}

func (r rules) Update(ctx context.Context, rule links.Rule) error {
	before, err := r.before(ctx, rule.ID)
	if err == nil {
		err = r.ruleRepo.Update(ctx, rule)
	}
	if err != nil {
		return err
	}
	return r.changed(before, rule.AdvertiserID)
}

func (r rules) Delete(ctx context.Context, id int64) error {
	before, err := r.before(ctx, id)
	if err == nil {
		err = r.ruleRepo.Delete(ctx, id)
	}
	if err != nil {
		return err
	}
	return r.changed(before)
}

func (r rules) ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]links.Rule, error) {
	return r.rows(ctx, func() []uint32 { return engine.ByKeys(r.u.db.links.rules.byAdvertiser.Of, advertiserIDs) })
}

func (r rules) Scan(ctx context.Context, after int64, limit int) ([]links.Rule, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.links.rules.Scan(after, limit) })
}

func (r rules) Cursor(ctx context.Context) (links.Cursor, error) {
	if err := r.u.Use(ctx); err != nil {
		return "", err
	}
	return links.Cursor(strconv.FormatUint(*r.u.db.links.ruleChanges.last, 10)), nil
}

func (r rules) Changed(ctx context.Context, since links.Cursor) ([]int64, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	var from uint64
	if since != "" {
		var err error
		if from, err = strconv.ParseUint(string(since), 10, 64); err != nil {
			return nil, r.u.Fail(affiliate.Invalid("url_matching_rule",
				affiliate.FieldError{Field: "cursor", Code: "invalid_cursor", Message: "must be a cursor that this store returned"}))
		}
	}
	t := r.u.db.links.ruleChanges
	part, i := t.inOrder.Search(func(c *ruleChange) bool { return c.at > from })
	var ids []int64
	t.inOrder.Each(part, i, func(id uint32) bool {
		ids = append(ids, int64(t.At(id).advertiser))
		return true
	})
	slices.Sort(ids)
	return ids, nil
}
