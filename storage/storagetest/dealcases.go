package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

func testUIDs(t *testing.T, s dealsStore) {
	first := sampleUID(1)
	write(t, s, func(ctx context.Context, tx dealsTx) error {
		for _, uid := range []deals.UID{first, sampleUID(2)} {
			_, added, err := tx.UIDs().AddOrGet(ctx, uid)
			if err != nil {
				return err
			}
			equal(t, "added", added, true)
		}
		for _, there := range []deals.UID{first, sampleUID(2)} {
			got, added, err := tx.UIDs().AddOrGet(ctx, deals.UID{UID: there.UID, PartnerID: partner(2), CreatedAt: at(9)})
			if err != nil {
				return err
			}
			equal(t, "the one that is there", got, there)
			equal(t, "added again", added, false)
		}
		return nil
	})
	get := func(uids ...string) []deals.UID {
		return see(t, s, func(ctx context.Context, tx dealsTx) ([]deals.UID, error) { return tx.UIDs().GetMany(ctx, uids) })
	}
	equal(t, "found", get("uid2", "UID1", "uid1", "uid3", "uid2", "\x00", "\xff"), []deals.UID{first, sampleUID(2)})
	equal(t, "by what only begins like one", get("uid1\x00", "uid1\xff"), []deals.UID(nil))
	equal(t, "of none", get(), []deals.UID(nil))
}

func testPromoCodes(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	row := func(catalog, owner int64, code string) deals.PromoCode {
		return deals.PromoCode{CatalogID: keyOf(catalog), BusinessPartnerID: seller(owner), PartnerID: partner(1), Code: code}
	}
	add := func(ctx context.Context, tx dealsTx, p deals.PromoCode) (deals.PromoCode, error) {
		return tx.PromoCodes().Add(ctx, p)
	}
	kept := addAll(t, s, add, row(901, 1, "Summer"), row(902, 1, "SUMMER"), row(903, 2, "summer"), row(901, 1, "ÄPPLE"), row(901, 1, "\ufffd"))
	find := func(catalog int64, code string) func(context.Context, dealsTx) (deals.PromoCode, error) {
		return func(ctx context.Context, tx dealsTx) (deals.PromoCode, error) {
			return tx.PromoCodes().Get(ctx, keyOf(catalog), code)
		}
	}
	all := func(owner int64, code string) func(context.Context, dealsTx) ([]deals.PromoCode, error) {
		return func(ctx context.Context, tx dealsTx) ([]deals.PromoCode, error) {
			return tx.PromoCodes().ByCode(ctx, seller(owner), code)
		}
	}
	equal(t, "in its catalog", see(t, s, find(901, "sUMMER")), kept[0])
	equal(t, "in the other", see(t, s, find(902, "Summer")), kept[1])
	equal(t, "beyond ASCII", see(t, s, find(901, "äpple")), kept[3])
	equal(t, "with combining marks", see(t, s, find(901, "a\u0308pple")), kept[3])
	equal(t, "of all catalogs, oldest first", see(t, s, all(1, "SUMMER")), kept[:2])
	equal(t, "of the other seller", see(t, s, all(2, "Summer")), kept[2:3])
	for _, code := range append(unkeepable(), "", "winter", "summe") {
		unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error { return second(find(901, code)(ctx, tx)) })
		equal(t, "none", see(t, s, all(1, code)), []deals.PromoCode(nil))
	}
	unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error { return second(find(902, "äpple")(ctx, tx)) })
	refused(t, s, taken("code"), func(ctx context.Context, tx dealsTx) error {
		return second(tx.PromoCodes().Add(ctx, row(901, 1, "SUMMER")))
	})
	refused(t, s, taken("code"), func(ctx context.Context, tx dealsTx) error {
		return second(tx.PromoCodes().Add(ctx, row(901, 1, "A\u0308pple")))
	})
	catalogs, codes := make([]deals.Catalog, 99), make([]deals.PromoCode, 99)
	for n := range catalogs {
		catalogs[n], codes[n] = sampleCatalog(n), row(int64(n), 1, "summer")
	}
	addAll(t, s, addCatalog, catalogs...)
	many := append(kept[:2:2], addAll(t, s, add, codes...)...)
	equal(t, "of many catalogs, the oldest", see(t, s, all(1, "summer")), many[:100])
}

func testAccessList(t *testing.T, s dealsStore) {
	type F = deals.AccessFilter
	dealsWorld(t, s)
	row := func(catalog, who int64, status deals.AccessStatus) deals.Access {
		return deals.Access{CatalogID: keyOf(catalog), PartnerID: partner(who), Status: status}
	}
	put := func(ctx context.Context, tx dealsTx, a deals.Access) (deals.Access, error) {
		return a, tx.CatalogAccess().Put(ctx, a)
	}
	kept := addAll(t, s, put, row(901, 1, deals.AccessRequested), row(902, 1, deals.AccessGranted), row(901, 2, deals.AccessDenied), row(903, 3, deals.AccessGranted))
	kept[0] = row(901, 1, deals.AccessGranted)
	addAll(t, s, put, kept[0]) // in its place
	listing[dealsTx, deals.Access, F]{
		items: kept,
		label: func(a deals.Access) string {
			for i, k := range kept {
				if a == k {
					return fmt.Sprint(i)
				}
			}
			return fmt.Sprint(a)
		},
		list: func(ctx context.Context, tx dealsTx, f F, p affiliate.PageRequest) (affiliate.Page[deals.Access], error) {
			return tx.CatalogAccess().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{CatalogID: keyOf(901)}, "0 2"},
			{F{CatalogID: keyOf(1)}, ""},
			{F{PartnerID: partner(1)}, "0 1"},
			{F{Status: deals.AccessGranted}, "0 1 3"},
			{F{Status: deals.AccessRequested}, ""},
		},
	}.check(t, s)
}

func testDealKey(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	kept := addAll(t, s, addDeal, sampleDeal(1), sampleDeal(2))
	again := sampleDeal(3)
	again.ExternalID, again.Comment = kept[0].ExternalID, "another"
	elsewhere := again
	elsewhere.BusinessPartnerID = seller(2)
	write(t, s, func(ctx context.Context, tx dealsTx) error {
		got, added, err := tx.Deals().AddOrGet(ctx, again)
		if err != nil {
			return err
		}
		equal(t, "the deal that is there", got, kept[0])
		equal(t, "added", added, false)
		nowhere := again // what it refers to does not matter: it is not kept
		nowhere.OfferID, nowhere.CatalogID, nowhere.EntryID = keyOf(77), keyOf(78), 1<<40
		got, added, errNowhere := tx.Deals().AddOrGet(ctx, nowhere)
		equal(t, "the deal that is there, for one that refers to nothing", got, kept[0])
		equal(t, "added", added, false)
		return errors.Join(err, errNowhere, second(addDeal(ctx, tx, elsewhere)))
	})
	for i, owner := range []int64{1, 2} {
		want := []deals.Deal{kept[0], elsewhere}[i]
		equal(t, "by external id", see(t, s, func(ctx context.Context, tx dealsTx) (deals.Deal, error) {
			return tx.Deals().ByExternalID(ctx, seller(owner), again.ExternalID)
		}), want)
	}
	for _, id := range append(unkeepable(), "", "DEAL 1", "deal 7") {
		unreadable(t, s, missing, func(ctx context.Context, tx dealsTx) error {
			return second(tx.Deals().ByExternalID(ctx, seller(1), id))
		})
	}
	twice := sampleDeal(4)
	twice.ID = kept[1].ID
	refused(t, s, taken("id"), func(ctx context.Context, tx dealsTx) error { return second(addDeal(ctx, tx, twice)) })
	moved := kept[1]
	moved.ExternalID = kept[0].ExternalID
	refused(t, s, taken("deal_id"), func(ctx context.Context, tx dealsTx) error { return tx.Deals().Update(ctx, moved) })
	both := []deals.Deal{kept[0], kept[1]}
	both[0].ExternalID, both[1].ExternalID = "new", "new"
	refused(t, s, taken("deal_id"), func(ctx context.Context, tx dealsTx) error { return tx.Deals().Update(ctx, both...) })
	notInRead(t, s, func(ctx context.Context, tx dealsTx) error { return second(addDeal(ctx, tx, sampleDeal(7))) })
	notInRead(t, s, func(ctx context.Context, tx dealsTx) error { return tx.Deals().Update(ctx, kept[1]) })
	giver := kept[0]
	giver.ExternalID = "given up"
	for _, list := range [][]deals.Deal{{giver, moved}, {moved, giver}} { // an id is not passed on within a call
		refused(t, s, taken("deal_id"), func(ctx context.Context, tx dealsTx) error { return tx.Deals().Update(ctx, list...) })
	}
	write(t, s, func(ctx context.Context, tx dealsTx) error {
		return all(func() error { return tx.Deals().Update(ctx, giver) }, func() error { return tx.Deals().Update(ctx, moved) })
	})
	faulty := sampleDeal(5) // a key in use comes before a reference to nothing
	faulty.ID, faulty.OfferID = kept[1].ID, keyOf(77)
	refused(t, s, taken("id"), func(ctx context.Context, tx dealsTx) error { return second(addDeal(ctx, tx, faulty)) })
}

func testDealUpdates(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	kept := addAll(t, s, addDeal, sampleDeal(1), sampleDeal(2), sampleDeal(3))
	full := dealTable().full(world{})
	full.ID = kept[0].ID
	paid := kept[2]
	paid.Status, paid.PaidAt, paid.Hold = deals.Paid, at(3), time.Hour
	write(t, s, func(ctx context.Context, tx dealsTx) error {
		return all(func() error { return tx.Deals().Update(ctx) }, func() error { return tx.Deals().Update(ctx, paid, kept[0], full) })
	})
	get := func(id uuid.UUID) deals.Deal {
		return see(t, s, func(ctx context.Context, tx dealsTx) (deals.Deal, error) { return tx.Deals().Get(ctx, id) })
	}
	equal(t, "the full one", get(full.ID), full)
	equal(t, "the paid one", get(paid.ID), paid)
	equal(t, "the other", get(kept[1].ID), kept[1])
	refused(t, s, missing, func(ctx context.Context, tx dealsTx) error { return tx.Deals().Update(ctx, kept[2], sampleDeal(9)) })
	equal(t, "after what was refused", get(paid.ID), paid)
	// Of what a later one replaces, only that it is valid counts.
	nothings, namesake := kept[1], kept[1]
	nothings.OfferID, namesake.ExternalID = keyOf(77), paid.ExternalID
	write(t, s, func(ctx context.Context, tx dealsTx) error {
		return tx.Deals().Update(ctx, nothings, namesake, kept[1])
	})
	equal(t, "the last of three", get(kept[1].ID), kept[1])
}

// dueDeal is a deal that is due n seconds after the base time, or never.
func dueDeal(n int, status deals.Status, due int) deals.Deal {
	d := sampleDeal(n)
	d.Status = status
	d.Cancel = time.Duration(due) * time.Second
	if status != deals.Created {
		d.PaidAt, d.Hold, d.Cancel = at(0), d.Cancel, time.Minute
	}
	return d
}

func testDealList(t *testing.T, s dealsStore) {
	type F = deals.KeptDealFilter
	dealsWorld(t, s)
	row := func(n int, owner, catalog, who int64, status deals.Status, due, cost, created int) deals.Deal {
		d := dueDeal(n, status, due)
		d.BusinessPartnerID, d.CatalogID, d.Cost = seller(owner), keyOf(catalog), eur(int64(cost))
		d.OfferID, d.ModifiedAt, d.Comment = keyOf(30_000+catalog), at(cost), fmt.Sprint(n)
		d.CreatedAt = at(created)
		if status == deals.Created {
			d.Cancel -= time.Duration(created) * time.Second
		}
		if who != 0 {
			d.Source, d.PartnerID, d.Terms = deals.ByUID, partner(who), deals.Terms{Share: rate("0.1")}
		}
		return d
	}
	kept := addAll(t, s, addDeal,
		row(4, 1, 901, 1, deals.Canceled, 0, 2, 1),
		row(9, 1, 901, 1, deals.Created, 10, 5, 4),
		row(8, 1, 902, 2, deals.Created, 20, 1, 3),
		row(7, 1, 901, 0, deals.Paid, 10, 9, 3),
		row(6, 1, 902, 1, deals.Paid, 20, 5, 2),
		row(5, 1, 901, 2, deals.Approved, 0, 2, 2),
		row(3, 2, 903, 1, deals.Created, 10, 3, 0),
		row(2, 2, 903, 0, deals.Paid, 20, 7, 5),
	)
	list := func(ctx context.Context, tx dealsTx, f F, p affiliate.PageRequest) (affiliate.Page[deals.Deal], error) {
		return tx.Deals().List(ctx, f, p)
	}
	in := func(ranges ...deals.StatusRange) F { return F{Statuses: ranges} }
	listing[dealsTx, deals.Deal, F]{
		items: kept,
		label: func(d deals.Deal) string { return d.Comment },
		list:  list,
		filters: []filterRow[F]{
			{F{BusinessPartnerID: seller(1)}, "4 9 8 7 6 5"},
			{F{BusinessPartnerID: seller(3)}, ""},
			{F{CatalogID: keyOf(901)}, "4 9 7 5"},
			{F{CatalogID: keyOf(1)}, ""},
			{F{PartnerID: partner(1)}, "4 9 6 3"},
			{F{BusinessPartnerID: seller(2), PartnerID: partner(1)}, "3"},
			{F{Statuses: []deals.StatusRange{}}, ""},
			{F{BusinessPartnerID: seller(1), Statuses: []deals.StatusRange{}}, ""},
			{in(deals.StatusRange{Status: "unknown"}), ""},
			{in(deals.StatusRange{Status: deals.Created}), "9 8 3"},
			{in(deals.StatusRange{Status: deals.Created, After: at(10)}), "8"},
			{in(deals.StatusRange{Status: deals.Created, After: at(9)}), "9 8 3"},
			{in(deals.StatusRange{Status: deals.Created, Until: at(10)}), "9 3"},
			{in(deals.StatusRange{Status: deals.Created, Until: at(9)}), ""},
			{in(deals.StatusRange{Status: deals.Paid, After: at(10), Until: at(20)}), "6 2"},
			{in(deals.StatusRange{Status: deals.Approved, After: at(0)}), ""},
			{in(deals.StatusRange{Status: deals.Approved, Until: at(99)}), ""},
			{in(deals.StatusAt(deals.Created, at(10))...), "8"},
			{in(deals.StatusAt(deals.Paid, at(10))...), "6 2"},
			{in(deals.StatusAt(deals.Approved, at(10))...), "7 5"},
			{in(deals.StatusAt(deals.Canceled, at(10))...), "4 9 3"},
			{in(deals.StatusAt("Lost", at(10))...), ""},
			{F{BusinessPartnerID: seller(1), Statuses: deals.StatusAt(deals.Canceled, at(20))}, "4 9 8"},
			{F{BusinessPartnerID: seller(2), Statuses: deals.StatusAt(deals.Canceled, at(20))}, "3"},
			{F{CatalogID: keyOf(901), PartnerID: partner(1), Statuses: deals.StatusAt(deals.Canceled, at(20))}, "4 9"},
		},
		columns: map[string]func(a, b deals.Deal) int{
			"created_at":  byTime(func(d deals.Deal) time.Time { return d.CreatedAt }),
			"modified_at": byTime(func(d deals.Deal) time.Time { return d.ModifiedAt }),
			"cost":        func(a, b deals.Deal) int { return int(a.Cost.Minor() - b.Cost.Minor()) },
		},
	}.check(t, s)
	lapsed := kept[1] // the earlier one of two
	lapsed.Status, lapsed.CanceledAt = deals.Canceled, at(10)
	write(t, s, func(ctx context.Context, tx dealsTx) error { return tx.Deals().Update(ctx, lapsed) })
	created := F{BusinessPartnerID: seller(1), Statuses: []deals.StatusRange{{Status: deals.Created}}}
	found := see(t, s, func(ctx context.Context, tx dealsTx) (affiliate.Page[deals.Deal], error) {
		return list(ctx, tx, created, affiliate.PageRequest{})
	})
	equal(t, "left in the status that one left", found.Items, kept[2:3])
}

// due are the comments of the deals that are due.
func due(t *testing.T, s dealsStore, now time.Time, limit int) string {
	t.Helper()
	var names []string
	for _, d := range put(t, s, func(ctx context.Context, tx dealsTx) ([]deals.Deal, error) {
		return tx.Deals().LockDue(ctx, now, limit)
	}) {
		names = append(names, strings.TrimPrefix(d.ExternalID, "deal "))
	}
	return strings.Join(names, " ")
}

func testLockDue(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	kept := addAll(t, s, addDeal,
		dueDeal(9, deals.Paid, 30), dueDeal(8, deals.Created, 10), dueDeal(7, deals.Paid, 10), dueDeal(6, deals.Approved, 0),
		dueDeal(5, deals.Canceled, 0), dueDeal(4, deals.Created, 20), dueDeal(3, deals.Created, 10))
	for _, c := range []struct {
		at    time.Time
		limit int
		want  string
	}{
		{at(10).Add(-time.Microsecond), 9, ""},
		{at(10), 9, "8 7 3"},
		{at(10), 2, "8 7"},
		{at(10), 0, ""},
		{at(10), -1, ""},
		{at(29), 9, "8 7 3 4"},
		{at(9999), 9, "8 7 3 4 9"},
	} {
		equal(t, fmt.Sprintf("due at %v, %d", c.at, c.limit), due(t, s, c.at, c.limit), c.want)
	}
	kept[1].Status, kept[1].CanceledAt = deals.Canceled, at(10)
	kept[0].Hold = 10 * time.Second
	write(t, s, func(ctx context.Context, tx dealsTx) error { return tx.Deals().Update(ctx, kept[0], kept[1]) })
	equal(t, "after some moved", due(t, s, at(10), 9), "9 7 3")
	if err := s.Write(t.Context(), func(ctx context.Context, tx dealsTx) error {
		return all(func() error { return tx.Deals().Update(ctx, dueDeal(7, deals.Approved, 0)) }, func() error { return errMine })
	}); err != errMine {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	equal(t, "after an undone move", due(t, s, at(10), 9), "9 7 3")
}

func testDealRace(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	for round := range 4 {
		var winners atomic.Int32
		ids := make([]uuid.UUID, writers)
		together(t, writers, func(i int) error {
			mine := sampleDeal(round)
			mine.ID = keyOf(int64(50_000 + 100*round + i))
			var added bool
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx dealsTx) error {
				d, fresh, err := tx.Deals().AddOrGet(ctx, mine)
				ids[i], added = d.ID, fresh
				return err
			})
			if added {
				winners.Add(1)
			}
			return err
		})
		equal(t, "added", winners.Load(), int32(1))
		for _, id := range ids {
			equal(t, "deal", id, ids[0])
		}
	}
}

// testLockDueRace has sweepers take the due deals in small batches until there
// are none: each deal is written once.
func testLockDueRace(t *testing.T, s dealsStore) {
	dealsWorld(t, s)
	const all = 60
	given := make([]deals.Deal, all)
	for n := range given {
		given[n] = dueDeal(n, deals.Created, 1+n%3)
	}
	addAll(t, s, addDeal, given...)
	var mu sync.Mutex
	taken := map[uuid.UUID]int{}
	together(t, writers, func(int) error {
		for {
			var batch []deals.Deal
			err := insist(t.Context(), s.Write, func(ctx context.Context, tx dealsTx) (err error) {
				if batch, err = tx.Deals().LockDue(ctx, at(5), 7); err != nil {
					return err
				}
				for i := range batch {
					batch[i].Status, batch[i].CanceledAt = deals.Canceled, at(5)
				}
				return tx.Deals().Update(ctx, batch...)
			})
			if err != nil || len(batch) == 0 {
				return err
			}
			mu.Lock()
			for _, d := range batch {
				taken[d.ID]++
			}
			mu.Unlock()
		}
	})
	equal(t, "still due", due(t, s, at(5), all), "")
	equal(t, "deals taken", len(taken), all)
	for id, n := range taken {
		equal(t, "times that "+id.String()+" was taken", n, 1)
	}
}
