package memory

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// dealRow is a deals.Deal.
type dealRow struct {
	id, seller, partner                              uuid.UUID
	external, another, comment                       string
	catalogCode, offerName, promoCode                uint32 // words
	catalog, offer, entry                            uint32 // rows; 0: no entry
	number                                           uint32 // of the row itself: the order in which deals were added
	currency                                         uint16 // a code
	status                                           uint8  // a place in deals.Statuses
	source                                           uint8  // a place in dealSources
	returned                                         bool
	terms                                            deals.Terms // whose numbers are never written to
	cost, reward                                     int64
	hold, cancel                                     time.Duration
	created, paid, approved, canceled, modified, due int64 // microseconds since 1970; due is never for deals that time does not change
}

// never is after every time.
const never = math.MaxInt64

func dealSources() [3]deals.Source {
	return [3]deals.Source{deals.Unattributed, deals.ByUID, deals.ByPromoCode}
}

func placeOf[E comparable](list []E, e E) uint8 { return uint8(slices.Index(list, e)) }

type dealTable struct {
	*engine.Table[dealRow]
	byID       *engine.Unique[dealRow, uuid.UUID]
	byExternal *engine.Unique[dealRow, ownCode]
	bySeller   *engine.Groups[dealRow, uuid.UUID]
	byCatalog  *engine.Groups[dealRow, uint32]
	byPartner  *engine.Groups[dealRow, uuid.UUID]
	// These two change with the status, so they are in parts: a deal that leaves
	// the front of a long list must not move all others.
	byStatus *engine.Ordered[dealRow] // by business partner, then status, then number
	byDue    *engine.Ordered[dealRow] // by due, then number
}

func newDealTable(db *DB) dealTable {
	t := engine.NewTable[dealRow](&db.store)
	return dealTable{t,
		engine.NewUnique(t, func(d *dealRow) (uuid.UUID, bool) { return d.id, true }),
		engine.NewUnique(t, func(d *dealRow) (ownCode, bool) { return ownCode{d.seller, d.external}, true }),
		engine.NewGroups(t, func(d *dealRow) (uuid.UUID, bool) { return d.seller, true }, nil),
		engine.NewGroups(t, func(d *dealRow) (uint32, bool) { return d.catalog, true }, nil),
		engine.NewGroups(t, func(d *dealRow) (uuid.UUID, bool) { return d.partner, d.partner != uuid.Nil }, nil),
		engine.NewOrdered(t, func(a, b *dealRow) int {
			if c := a.compareStatus(b.seller, b.status); c != 0 {
				return c
			}
			return cmp.Compare(a.number, b.number)
		}),
		engine.NewOrdered(t, func(a, b *dealRow) int {
			return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.number, b.number))
		}),
	}
}

func (d *dealRow) compareStatus(seller uuid.UUID, status uint8) int {
	return cmp.Or(bytes.Compare(d.seller[:], seller[:]), cmp.Compare(d.status, status))
}

var dealColumns = engine.Columns[dealRow]{
	"created_at":  engine.Number(func(d *dealRow) int64 { return d.created }),
	"modified_at": engine.Number(func(d *dealRow) int64 { return d.modified }),
	"cost":        engine.Number(func(d *dealRow) int64 { return d.cost }),
}

type dealRepository struct{ u *unit }

func (r dealRepository) deal(_ uint32, d *dealRow) deals.Deal {
	db := r.u.db
	currency := affiliate.Currency(db.codes.Text(uint32(d.currency)))
	return deals.Deal{
		ID: d.id, BusinessPartnerID: d.seller, ExternalID: d.external,
		CatalogID: db.deals.catalogs.At(d.catalog).ID, OfferID: db.deals.offers.At(d.offer).ID,
		CatalogCode: db.words.Text(d.catalogCode), OfferName: db.words.Text(d.offerName),
		Status: deals.Statuses()[d.status], Cost: affiliate.NewMoney(d.cost, currency),
		PromoCode: db.words.Text(d.promoCode), AnotherData: d.another,
		Source: dealSources()[d.source], PartnerID: d.partner, Terms: d.terms, Reward: affiliate.NewMoney(d.reward, currency),
		EntryID: int64(d.entry), Hold: d.hold, Cancel: d.cancel, Returned: d.returned, Comment: d.comment,
		CreatedAt: engine.FromMicro(d.created), PaidAt: engine.FromMicro(d.paid), ApprovedAt: engine.FromMicro(d.approved),
		CanceledAt: engine.FromMicro(d.canceled), ModifiedAt: engine.FromMicro(d.modified),
	}
}

// row is the deal as kept, under the given number; what it refers to exists.
func (r dealRepository) row(d *deals.Deal, number uint32) dealRow {
	db := r.u.db
	catalog, _ := db.deals.catalogs.Key.Find(d.CatalogID)
	offer, _ := db.deals.offers.Key.Find(d.OfferID)
	sources := dealSources()
	row := dealRow{
		id: d.ID, seller: d.BusinessPartnerID, partner: d.PartnerID,
		external: strings.Clone(d.ExternalID), another: strings.Clone(d.AnotherData), comment: strings.Clone(d.Comment),
		catalogCode: db.words.Number(d.CatalogCode), offerName: db.words.Number(d.OfferName), promoCode: db.words.Number(d.PromoCode),
		catalog: catalog, offer: offer, entry: uint32(d.EntryID), number: number,
		currency: uint16(db.codes.Number(string(d.Cost.Currency()))),
		status:   placeOf(deals.Statuses(), d.Status), source: placeOf(sources[:], d.Source),
		returned: d.Returned, terms: d.Terms, cost: d.Cost.Minor(), reward: d.Reward.Minor(), hold: d.Hold, cancel: d.Cancel,
		created: d.CreatedAt.UnixMicro(), paid: d.PaidAt.UnixMicro(), approved: d.ApprovedAt.UnixMicro(),
		canceled: d.CanceledAt.UnixMicro(), modified: d.ModifiedAt.UnixMicro(), due: never,
	}
	if due := d.DueAt(); !due.IsZero() {
		row.due = due.UnixMicro()
	}
	return row
}

// refers notes the references of the deal to nothing.
func (r dealRepository) refers(f *engine.Refusal, d *deals.Deal) {
	f.Refers(r.u.db.deals.catalogs.Key.Has(d.CatalogID), "catalog_id")
	f.Refers(r.u.db.deals.offers.Key.Has(d.OfferID), "offer_id")
	f.Refers(r.u.db.core.entries.KnowsOr0(d.EntryID), "entry_id")
}

func (r dealRepository) AddOrGet(ctx context.Context, d deals.Deal) (deals.Deal, bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return deals.Deal{}, false, err
	}
	if err := d.Validate(); err != nil {
		return deals.Deal{}, false, r.u.Fail(err)
	}
	t := r.u.db.deals.deals
	if id, ok := t.byExternal.Find(ownCode{d.BusinessPartnerID, d.ExternalID}); ok {
		return r.deal(id, t.At(id)), false, nil
	}
	var f engine.Refusal
	f.Unique(t.byID.Has(d.ID), "id")
	r.refers(&f, &d)
	if err := f.Err("deal"); err != nil {
		return deals.Deal{}, false, r.u.Fail(err)
	}
	row := r.row(&d, t.Last()+1)
	id, err := t.Insert(row)
	if err != nil {
		return deals.Deal{}, false, r.u.Fail(err)
	}
	return r.deal(id, t.At(id)), true, nil
}

func (r dealRepository) Get(ctx context.Context, id uuid.UUID) (deals.Deal, error) {
	t := r.u.db.deals.deals
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byID, id, "deal", r.deal)
}

func (r dealRepository) ByExternalID(ctx context.Context, businessPartnerID uuid.UUID, externalID string) (deals.Deal, error) {
	t := r.u.db.deals.deals
	return engine.FindBy(ctx, &r.u.Unit, t.Table, t.byExternal, ownCode{businessPartnerID, externalID}, "deal", r.deal)
}

func (r dealRepository) Update(ctx context.Context, list ...deals.Deal) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	last := make(map[uuid.UUID]int, len(list))
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return r.u.Fail(err)
		}
		last[list[i].ID] = i
	}
	for _, step := range []func(*deals.Deal) error{r.keyFree, r.replace} {
		for i := range list {
			if last[list[i].ID] != i {
				continue
			}
			if err := step(&list[i]); err != nil {
				return r.u.Fail(err)
			}
		}
	}
	return nil
}

// keyFree refuses an external id that another deal has before the update, also
// when that deal gives it up in the same update.
func (r dealRepository) keyFree(d *deals.Deal) error {
	t := &r.u.db.deals.deals
	var f engine.Refusal
	id, ok := t.byExternal.Find(ownCode{d.BusinessPartnerID, d.ExternalID})
	f.Unique(ok && t.At(id).id != d.ID, "deal_id")
	return f.Err("deal")
}

func (r dealRepository) replace(d *deals.Deal) error {
	t := r.u.db.deals.deals
	id, ok := t.byID.Find(d.ID)
	if !ok {
		return affiliate.NotFound("deal", d.ID)
	}
	row := r.row(d, t.At(id).number)
	var f engine.Refusal
	f.Unique(t.byExternal.Taken(&row, id), "deal_id")
	r.refers(&f, d)
	if err := f.Err("deal"); err != nil {
		return err
	}
	t.Replace(id, row)
	return nil
}

// keptRange is a deals.StatusRange.
type keptRange struct {
	status       uint8
	after, until int64
}

func keptRanges(list []deals.StatusRange) []keptRange {
	out := make([]keptRange, 0, len(list))
	for _, s := range list {
		k := keptRange{placeOf(deals.Statuses(), s.Status), math.MinInt64, never} // no deal has the place of an unknown status
		if !s.After.IsZero() {
			k.after, k.until = s.After.UnixMicro(), never-1
		}
		if !s.Until.IsZero() {
			k.until = s.Until.UnixMicro()
		}
		out = append(out, k)
	}
	return out
}

// covers reports whether one of the ranges has the deal.
func covers(ranges []keptRange, d *dealRow) bool {
	return slices.ContainsFunc(ranges, func(k keptRange) bool { return k.status == d.status && k.after < d.due && d.due <= k.until })
}

func (r dealRepository) List(ctx context.Context, f deals.KeptDealFilter, p affiliate.PageRequest) (affiliate.Page[deals.Deal], error) {
	t := &r.u.db.deals.deals
	return engine.List(ctx, &r.u.Unit, t.Table, p, dealColumns, r.deal, func(w *engine.Where[dealRow]) {
		if f.CatalogID != uuid.Nil {
			catalog, _ := r.u.db.deals.catalogs.Key.Find(f.CatalogID)
			w.None(catalog == 0)
			engine.EqualIn(w, catalog, t.byCatalog)
		}
		engine.EqualIn(w, f.PartnerID, t.byPartner)
		ranges := keptRanges(f.Statuses)
		if f.BusinessPartnerID != uuid.Nil && f.CatalogID == uuid.Nil && f.PartnerID == uuid.Nil && f.Statuses != nil {
			w.Rows(true, func() []uint32 { return r.inStatuses(f.BusinessPartnerID, ranges) })
			return
		}
		engine.EqualIn(w, f.BusinessPartnerID, t.bySeller)
		w.That(f.Statuses != nil, func(d *dealRow) bool { return covers(ranges, d) })
	})
}

// inStatuses are the business partner's deals in one of the ranges.
func (r dealRepository) inStatuses(seller uuid.UUID, ranges []keptRange) []uint32 {
	t := r.u.db.deals.deals
	var ids []uint32
	for status := range uint8(len(deals.Statuses())) {
		if !slices.ContainsFunc(ranges, func(k keptRange) bool { return k.status == status }) {
			continue
		}
		part, i := t.byStatus.Search(func(d *dealRow) bool { return d.compareStatus(seller, status) >= 0 })
		t.byStatus.Each(part, i, func(id uint32) bool {
			d := t.At(id)
			if d.compareStatus(seller, status) != 0 {
				return false
			}
			if covers(ranges, d) {
				ids = append(ids, id)
			}
			return true
		})
	}
	return engine.Sorted(ids)
}

func (r dealRepository) LockDue(ctx context.Context, now time.Time, limit int) ([]deals.Deal, error) {
	if err := r.u.Change(ctx); err != nil { // the unit has locked everything
		return nil, err
	}
	t := r.u.db.deals.deals
	at := now.UnixMicro()
	var ids []uint32
	t.byDue.Each(0, 0, func(id uint32) bool {
		if len(ids) >= limit || t.At(id).due > at {
			return false
		}
		ids = append(ids, id)
		return true
	})
	return engine.Collect(t.Table, ids, r.deal), nil
}
