package memory

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

type ruleTable struct {
	*table[links.Rule]
	byAdvertiser *groups[links.Rule, int64]
	main         *unique[links.Rule, int64] // by advertiser
}

func newRuleTable() ruleTable {
	t := &table[links.Rule]{}
	return ruleTable{t,
		newGroups(t, func(r *links.Rule) (int64, bool) { return r.AdvertiserID, true }, nil),
		newUnique(t, func(r *links.Rule) (int64, bool) { return r.AdvertiserID, r.IsMain }),
	}
}

func copyRule(id uint32, r *links.Rule) links.Rule {
	c := *r
	c.ID = int64(id)
	return c
}

func keptRule(r links.Rule) links.Rule {
	r.CreatedAt, r.UpdatedAt = kept(r.CreatedAt), kept(r.UpdatedAt)
	return r
}

// ruleChange says when the rules of an advertiser changed last.
type ruleChange struct {
	advertiser uint32
	at         uint64 // counts the changes of all advertisers
}

type ruleChangeTable struct {
	*table[ruleChange]
	byAdvertiser *unique[ruleChange, uint32]
	inOrder      *ordered[ruleChange] // of at
	// last is the newest change, also when it was rolled back: a number stands
	// for one change only, whatever a unit saw before it failed.
	last *uint64
}

func newRuleChangeTable() ruleChangeTable {
	t := &table[ruleChange]{}
	return ruleChangeTable{t,
		newUnique(t, func(c *ruleChange) (uint32, bool) { return c.advertiser, true }),
		newOrdered(t, func(a, b *ruleChange) int { return cmp.Compare(a.at, b.at) }),
		new(uint64),
	}
}

type rules struct{ u *unit }

func (r rules) check(rule links.Rule) error {
	var f refusal
	f.refers(r.u.db.core.advertisers.knows(rule.AdvertiserID), "advertiser_id")
	f.frees(r.u.db.links.rules.main.taken(&rule, uint32(rule.ID)), "is_main")
	return f.err("url_matching_rule")
}

// changed notes that the rules of the advertiser changed.
func (r rules) changed(advertiserID int64) error {
	t := r.u.db.links.ruleChanges
	*t.last++
	c := ruleChange{uint32(advertiserID), *t.last}
	if id, ok := t.byAdvertiser.find(c.advertiser); ok {
		t.replace(r.u, id, c)
		return nil
	}
	_, err := t.insert(r.u, c)
	return err
}

func (r rules) Add(ctx context.Context, rule links.Rule) (links.Rule, error) {
	rule.ID = 0
	rule, err := add(ctx, r.u, r.u.db.links.rules.table, rule, keptRule, r.check, copyRule)
	if err != nil {
		return links.Rule{}, err
	}
	if err := r.changed(rule.AdvertiserID); err != nil {
		return links.Rule{}, r.u.fail(err)
	}
	return rule, nil
}

func (r rules) Get(ctx context.Context, id int64) (links.Rule, error) {
	return getRow(ctx, r.u, r.u.db.links.rules.table, "url_matching_rule", id, copyRule)
}

func (r rules) Update(ctx context.Context, rule links.Rule) error {
	t := r.u.db.links.rules
	before := rule.AdvertiserID
	if id, ok := t.find(rule.ID); ok {
		before = t.at(id).AdvertiserID
	}
	if err := update(ctx, r.u, t.table, "url_matching_rule", rule.ID, rule, keptRule, r.check); err != nil {
		return err
	}
	for _, id := range affiliate.IDs([]int64{before, rule.AdvertiserID}) {
		if err := r.changed(id); err != nil {
			return r.u.fail(err)
		}
	}
	return nil
}

func (r rules) Delete(ctx context.Context, id int64) error {
	t := r.u.db.links.rules
	var advertiserID int64
	if row, ok := t.find(id); ok {
		advertiserID = t.at(row).AdvertiserID
	}
	if err := remove(ctx, r.u, t.table, "url_matching_rule", id); err != nil {
		return err
	}
	if err := r.changed(advertiserID); err != nil {
		return r.u.fail(err)
	}
	return nil
}

func (r rules) ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]links.Rule, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.rules
	return answer(t.table, byKeys(t.byAdvertiser.of, advertiserIDs), copyRule), nil
}

func (r rules) Scan(ctx context.Context, after int64, limit int) ([]links.Rule, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.links.rules
	return answer(t.table, t.scan(after, limit), copyRule), nil
}

func (r rules) Cursor(ctx context.Context) (links.Cursor, error) {
	if err := r.u.use(ctx); err != nil {
		return "", err
	}
	return links.Cursor(strconv.FormatUint(*r.u.db.links.ruleChanges.last, 10)), nil
}

func (r rules) Changed(ctx context.Context, since links.Cursor) ([]int64, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	var from uint64
	if since != "" {
		var err error
		if from, err = strconv.ParseUint(string(since), 10, 64); err != nil {
			return nil, r.u.fail(affiliate.Invalid("url_matching_rule",
				affiliate.FieldError{Field: "cursor", Code: "invalid_cursor", Message: "must be one that this store gave"}))
		}
	}
	t := r.u.db.links.ruleChanges
	part, i := t.inOrder.search(func(c *ruleChange) bool { return c.at > from })
	var ids []int64
	t.inOrder.each(part, i, func(id uint32) bool {
		ids = append(ids, int64(t.at(id).advertiser))
		return true
	})
	slices.Sort(ids)
	return ids, nil
}
