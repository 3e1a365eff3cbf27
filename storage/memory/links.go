package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// linkTables are the tables of package links.
type linkTables struct {
	rules       ruleTable
	ruleChanges ruleChangeTable
	blocklist   blocklistTable
	links       linkTable
	clicks      clickTable
	days        dayTable
	secrets     secretTable
}

func newLinkTables(codes *words) linkTables {
	return linkTables{
		rules:       newRuleTable(),
		ruleChanges: newRuleChangeTable(),
		blocklist:   newBlocklistTable(),
		links:       newLinkTable(),
		clicks:      newClickTable(),
		days:        newDayTable(codes),
		secrets:     newSecretTable(),
	}
}

type linksView struct{ view[links.Tx] }

func (v linksView) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	return v.Write(ctx, fn)
}

func (v linksView) Nested(ctx context.Context) bool { return v.db.nested(ctx) }

// linksTx is the transaction of package links.
type linksTx struct{ offersTx }

var _ links.Tx = linksTx{}

func (tx linksTx) Rules() links.RuleRepository                   { return rules(tx.coreTx) }
func (tx linksTx) Blocklist() links.BlocklistRepository          { return blocklist(tx.coreTx) }
func (tx linksTx) Links() links.LinkRepository                   { return linkRepository(tx.coreTx) }
func (tx linksTx) Clicks() links.ClickRepository                 { return clicks(tx.coreTx) }
func (tx linksTx) Days() links.DayRepository                     { return days(tx.coreTx) }
func (tx linksTx) VisitorSecrets() links.VisitorSecretRepository { return visitorSecrets(tx.coreTx) }

type linkKey struct {
	user, advertiser uint32
	key              links.LinkKey
}

// linkRow is a links.Link.
type linkRow struct {
	linkKey
	template         uint32 // a word
	original, target string // one and the same text, kept once, when they are equal
	created, deleted int64  // microseconds since 1970
}

type linkTable struct {
	*table[linkRow]
	byKey        *unique[linkRow, linkKey]
	byUser       *groups[linkRow, uint32]
	byAdvertiser *groups[linkRow, uint32]
}

func newLinkTable() linkTable {
	t := &table[linkRow]{}
	return linkTable{t,
		newUnique(t, func(l *linkRow) (linkKey, bool) { return l.linkKey, true }),
		newGroups(t, func(l *linkRow) (uint32, bool) { return l.user, true }, nil),
		newGroups(t, func(l *linkRow) (uint32, bool) { return l.advertiser, true }, nil),
	}
}

var linkColumns = columns[linkRow]{"created_at": number(func(l *linkRow) int64 { return l.created })}

type linkRepository struct{ u *unit }

func (r linkRepository) link(id uint32, row *linkRow) (l links.Link) {
	r.fill(&l, id, row)
	return l
}

// fill is link without its copies, which take longer than all else in a Get.
func (r linkRepository) fill(l *links.Link, id uint32, row *linkRow) {
	l.ID = int64(id)
	l.UserID = int64(row.user)
	l.AdvertiserID = int64(row.advertiser)
	l.Key = row.key
	l.OriginalURL = row.original
	l.TargetURL = row.target
	l.Template = r.u.db.words.text(row.template)
	l.CreatedAt = fromMicro(row.created)
	l.DeletedAt = fromMicro(row.deleted)
}

// row is the link as kept; its user and advertiser are known to exist.
func (r linkRepository) row(l *links.Link) linkRow {
	row := linkRow{
		linkKey:  linkKey{uint32(l.UserID), uint32(l.AdvertiserID), l.Key},
		template: r.u.db.words.number(l.Template),
		original: l.OriginalURL,
		target:   l.TargetURL,
		created:  l.CreatedAt.UnixMicro(),
		deleted:  l.DeletedAt.UnixMicro(),
	}
	if row.target == row.original {
		row.target = row.original
	}
	return row
}

func (r linkRepository) refers(l *links.Link) error {
	var f refusal
	f.refers(r.u.db.core.users.knows(l.UserID), "user_id")
	f.refers(r.u.db.core.advertisers.knows(l.AdvertiserID), "advertiser_id")
	return f.err("link")
}

func (r linkRepository) AddOrGet(ctx context.Context, l links.Link) (links.Link, bool, error) {
	if err := r.u.change(ctx); err != nil {
		return links.Link{}, false, err
	}
	if err := l.Validate(); err != nil {
		return links.Link{}, false, r.u.fail(err)
	}
	if err := r.refers(&l); err != nil {
		return links.Link{}, false, r.u.fail(err)
	}
	t := r.u.db.links.links
	if id, ok := t.byKey.find(linkKey{uint32(l.UserID), uint32(l.AdvertiserID), l.Key}); ok {
		return r.link(id, t.at(id)), false, nil
	}
	id, err := t.insert(r.u, r.row(&l))
	if err != nil {
		return links.Link{}, false, r.u.fail(err)
	}
	return r.link(id, t.at(id)), true, nil
}

func (r linkRepository) Get(ctx context.Context, id int64) (l links.Link, err error) {
	row, err := lookUp(ctx, r.u, r.u.db.links.links.table, "link", id)
	if err == nil {
		r.fill(&l, uint32(id), row)
	}
	return l, err
}

func (r linkRepository) GetMany(ctx context.Context, ids []int64) ([]links.Link, error) {
	return getRows(ctx, r.u, r.u.db.links.links.table, ids, r.link)
}

func (r linkRepository) Find(ctx context.Context, userID, advertiserID int64, key links.LinkKey) (l links.Link, err error) {
	if err := r.u.use(ctx); err != nil {
		return l, err
	}
	db := r.u.db
	user, okUser := db.core.users.find(userID)
	advertiser, okAdvertiser := db.core.advertisers.find(advertiserID)
	if okUser && okAdvertiser {
		if id, ok := db.links.links.byKey.find(linkKey{user, advertiser, key}); ok {
			r.fill(&l, id, db.links.links.at(id))
			return l, nil
		}
	}
	return l, affiliate.NotFound("link", "")
}

func (r linkRepository) Update(ctx context.Context, l links.Link) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	if err := l.Validate(); err != nil {
		return r.u.fail(err)
	}
	t := r.u.db.links.links
	id, ok := t.find(l.ID)
	if !ok {
		return r.u.fail(affiliate.NotFound("link", l.ID))
	}
	if err := r.refers(&l); err != nil {
		return r.u.fail(err)
	}
	row := r.row(&l)
	var f refusal
	f.frees(t.byKey.taken(&row, id), "key")
	if err := f.err("link"); err != nil {
		return r.u.fail(err)
	}
	t.replace(r.u, id, row)
	return nil
}

func (r linkRepository) List(ctx context.Context, f links.LinkFilter, p affiliate.PageRequest) (affiliate.Page[links.Link], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[links.Link]{}, err
	}
	db := r.u.db
	t := db.links.links
	user, okUser := db.core.users.find(f.UserID)
	advertiser, okAdvertiser := db.core.advertisers.find(f.AdvertiserID)
	s := everything[linkRow]()
	partly := false // the ids answer a part of the filter only
	switch {
	case f.UserID != 0 && !okUser || f.AdvertiserID != 0 && !okAdvertiser:
		s = only[linkRow](nil)
	case f.IDs != nil:
		s = only[linkRow](t.among(f.IDs))
		partly = true
	case okUser && okAdvertiser:
		s = only[linkRow](shorter(t.byUser.of(user), t.byAdvertiser.of(advertiser)))
		partly = true
	case okUser:
		s = only[linkRow](t.byUser.of(user))
	case okAdvertiser:
		s = only[linkRow](t.byAdvertiser.of(advertiser))
	}
	if partly || f.Deleted.Set {
		s.keep = func(_ uint32, l *linkRow) bool {
			return (!okUser || user == l.user) && (!okAdvertiser || advertiser == l.advertiser) &&
				(!f.Deleted.Set || f.Deleted.Value == (l.deleted != zeroTime))
		}
	}
	return page(r.u, t.table, s, p, linkColumns, r.link)
}

// shorter is the shorter one of two lists.
func shorter(a, b []uint32) []uint32 {
	if len(b) < len(a) {
		return b
	}
	return a
}

func (r linkRepository) Target(ctx context.Context, id int64) (t links.Target, err error) {
	db := r.u.db
	l, err := lookUp(ctx, r.u, db.links.links.table, "link", id)
	if err != nil {
		return t, err
	}
	r.fill(&t.Link, uint32(id), l)
	a := db.core.advertisers.at(l.advertiser)
	t.AdvertiserStatus, t.Provider = a.Status, a.Provider
	t.UserSuspended = db.core.users.at(l.user).Status() == affiliate.UserSuspended
	return t, nil
}

func (r linkRepository) Lock(ctx context.Context, ids []int64) ([]links.Link, error) {
	if err := r.u.change(ctx); err != nil { // the unit has locked everything
		return nil, err
	}
	return r.GetMany(ctx, ids)
}
