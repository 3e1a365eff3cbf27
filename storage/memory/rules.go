package memory

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type ruleTable struct {
	*engine.Table[links.Rule]
	byAdvertiser *engine.Groups[links.Rule, int64]
	main         *engine.Unique[links.Rule, int64] // by advertiser
}

func newRuleTable(db *DB) ruleTable {
	t := engine.NewTable[links.Rule](&db.store)
	return ruleTable{t,
		engine.NewGroups(t, func(r *links.Rule) (int64, bool) { return r.AdvertiserID, true }, nil),
		engine.NewUnique(t, func(r *links.Rule) (int64, bool) { return r.AdvertiserID, r.IsMain }),
	}
}

func copyRule(id uint32, r *links.Rule) links.Rule {
	c := *r
	c.ID = int64(id)
	return c
}

func keptRule(r links.Rule) links.Rule {
	r.CreatedAt, r.UpdatedAt = engine.Kept(r.CreatedAt), engine.Kept(r.UpdatedAt)
	return r
}

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

type rules struct{ u *unit }

func (r rules) check(rule links.Rule) error {
	var f engine.Refusal
	f.Refers(r.u.db.core.advertisers.Knows(rule.AdvertiserID), "advertiser_id")
	f.Unique(r.u.db.links.rules.main.Taken(&rule, uint32(rule.ID)), "is_main")
	return f.Err("url_matching_rule")
}

// changed notes that the rules of the advertiser changed.
func (r rules) changed(advertiserID int64) error {
	t := r.u.db.links.ruleChanges
	*t.last++
	c := ruleChange{uint32(advertiserID), *t.last}
	if id, ok := t.byAdvertiser.Find(c.advertiser); ok {
		t.Replace(id, c)
		return nil
	}
	_, err := t.Insert(c)
	return err
}

func (r rules) Add(ctx context.Context, rule links.Rule) (links.Rule, error) {
	rule.ID = 0
	rule, err := engine.Add(ctx, &r.u.Unit, r.u.db.links.rules.Table, rule, keptRule, r.check, copyRule)
	if err != nil {
		return links.Rule{}, err
	}
	if err := r.changed(rule.AdvertiserID); err != nil {
		return links.Rule{}, r.u.Fail(err)
	}
	return rule, nil
}

func (r rules) Get(ctx context.Context, id int64) (links.Rule, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.links.rules.Table, "url_matching_rule", id, copyRule)
}

func (r rules) Update(ctx context.Context, rule links.Rule) error {
	t := r.u.db.links.rules
	before := rule.AdvertiserID
	if id, ok := t.Find(rule.ID); ok {
		before = t.At(id).AdvertiserID
	}
	if err := engine.Update(ctx, &r.u.Unit, t.Table, "url_matching_rule", rule.ID, rule, keptRule, r.check); err != nil {
		return err
	}
	for _, id := range affiliate.SortedIDs([]int64{before, rule.AdvertiserID}) {
		if err := r.changed(id); err != nil {
			return r.u.Fail(err)
		}
	}
	return nil
}

func (r rules) Delete(ctx context.Context, id int64) error {
	t := r.u.db.links.rules
	var advertiserID int64
	if row, ok := t.Find(id); ok {
		advertiserID = t.At(row).AdvertiserID
	}
	if err := engine.Remove(ctx, &r.u.Unit, t.Table, "url_matching_rule", id); err != nil {
		return err
	}
	if err := r.changed(advertiserID); err != nil {
		return r.u.Fail(err)
	}
	return nil
}

func (r rules) ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]links.Rule, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.rules
	return engine.Collect(t.Table, engine.ByKeys(t.byAdvertiser.Of, advertiserIDs), copyRule), nil
}

func (r rules) Scan(ctx context.Context, after int64, limit int) ([]links.Rule, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.rules
	return engine.Collect(t.Table, t.Scan(after, limit), copyRule), nil
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
				affiliate.FieldError{Field: "cursor", Code: "invalid_cursor", Message: "must be one that this store gave"}))
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
