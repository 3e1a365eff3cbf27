package storagetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// lookups are what campaigns, ad sets and ads have in common.
type lookups[V any] struct {
	sample    func(n int) V
	record    func(v *V) (state *adsync.State, reference *string)
	put       func(ctx context.Context, tx syncTx, v ...V) error
	get       func(ctx context.Context, tx syncTx, id uuid.UUID) (V, error)
	getMany   func(ctx context.Context, tx syncTx, ids []uuid.UUID) ([]V, error)
	reference func(ctx context.Context, tx syncTx, account, reference string) (V, error)
	list      func(ctx context.Context, tx syncTx) ([]V, error)
}

// check tries lookups by id and reference id, and what a removal frees.
func (l lookups[V]) check(t *testing.T, s syncStore) {
	t.Helper()
	syncWorld(t, s)
	bare := []V{l.sample(5), l.sample(6)} // without reference ids, which differ all the same
	for n := range bare {
		_, reference := l.record(&bare[n])
		*reference = ""
	}
	write(t, s, func(ctx context.Context, tx syncTx) error { return l.put(ctx, tx, bare...) })
	before := len(see(t, s, l.list))
	a, b := l.sample(1), l.sample(2)
	write(t, s, func(ctx context.Context, tx syncTx) error { return errors.Join(l.put(ctx, tx), l.put(ctx, tx, b, a)) })
	many := func(ids ...uuid.UUID) []V {
		given := slices.Clone(ids)
		got := see(t, s, func(ctx context.Context, tx syncTx) ([]V, error) { return l.getMany(ctx, tx, given) })
		equal(t, "the caller's ids", given, ids)
		return got
	}
	byReference := func(account, reference string) func(ctx context.Context, tx syncTx) (V, error) {
		return func(ctx context.Context, tx syncTx) (V, error) { return l.reference(ctx, tx, account, reference) }
	}
	equal(t, "get many", many(syncID(2), syncID(7), syncID(1), syncID(2)), []V{a, b})
	equal(t, "get none", many(), []V(nil))
	equal(t, "get those without reference ids", many(syncID(5), syncID(6)), bare)
	equal(t, "by reference", see(t, s, byReference("account", "ref 1")), a)
	for _, text := range append(unkeepable(), "", "ref", "REF 1") {
		unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(byReference("account", text)(ctx, tx)) })
		unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(byReference(text, "ref 1")(ctx, tx)) })
	}
	unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(byReference("other", "ref 1")(ctx, tx)) })
	unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(l.get(ctx, tx, syncID(7))) })

	removed := a
	state, _ := l.record(&removed)
	*state = adsync.Removed
	write(t, s, func(ctx context.Context, tx syncTx) error { return l.put(ctx, tx, removed) })
	equal(t, "removed, by id", see(t, s, func(ctx context.Context, tx syncTx) (V, error) { return l.get(ctx, tx, syncID(1)) }), removed)
	equal(t, "removed, get many", many(syncID(1)), []V{removed})
	equal(t, "listed", len(see(t, s, l.list)), before+1)
	unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(byReference("account", "ref 1")(ctx, tx)) })

	// The reference id is free again, and taken once more.
	heir := l.sample(1)
	heir = l.withID(heir, l.sample(3))
	write(t, s, func(ctx context.Context, tx syncTx) error { return l.put(ctx, tx, heir) })
	equal(t, "the heir", see(t, s, byReference("account", "ref 1")), heir)
	refused(t, s, taken("reference_id"), func(ctx context.Context, tx syncTx) error { return l.put(ctx, tx, a) })
	refused(t, s, taken("reference_id"), func(ctx context.Context, tx syncTx) error { return l.put(ctx, tx, l.withID(a, l.sample(4))) })
}

// withID is v with the id of another.
func (l lookups[V]) withID(v, other V) V {
	*idOf(&v) = *idOf(&other)
	return v
}

func idOf(v any) *uuid.UUID {
	switch v := v.(type) {
	case *adsync.Campaign:
		return &v.ID
	case *adsync.AdSet:
		return &v.ID
	case *adsync.Ad:
		return &v.ID
	}
	return nil
}

func testCampaignLookups(t *testing.T, s syncStore) {
	lookups[adsync.Campaign]{
		sample: sampleCampaign,
		record: func(v *adsync.Campaign) (*adsync.State, *string) { return &v.State, &v.ReferenceID },
		put: func(ctx context.Context, tx syncTx, v ...adsync.Campaign) error {
			return tx.SyncCampaigns().Put(ctx, v...)
		},
		get: func(ctx context.Context, tx syncTx, id uuid.UUID) (adsync.Campaign, error) {
			return tx.SyncCampaigns().Get(ctx, id)
		},
		getMany: func(ctx context.Context, tx syncTx, ids []uuid.UUID) ([]adsync.Campaign, error) {
			return tx.SyncCampaigns().GetMany(ctx, ids)
		},
		reference: func(ctx context.Context, tx syncTx, account, reference string) (adsync.Campaign, error) {
			return tx.SyncCampaigns().ByReference(ctx, account, reference)
		},
		list: func(ctx context.Context, tx syncTx) ([]adsync.Campaign, error) {
			return tx.SyncCampaigns().List(ctx, adsync.CampaignFilter{}, adsync.Cursor{}, 100)
		},
	}.check(t, s)
}

func testAdSetLookups(t *testing.T, s syncStore) {
	lookups[adsync.AdSet]{
		sample: sampleAdSet,
		record: func(v *adsync.AdSet) (*adsync.State, *string) { return &v.State, &v.ReferenceID },
		put:    func(ctx context.Context, tx syncTx, v ...adsync.AdSet) error { return tx.AdSets().Put(ctx, v...) },
		get: func(ctx context.Context, tx syncTx, id uuid.UUID) (adsync.AdSet, error) {
			return tx.AdSets().Get(ctx, id)
		},
		getMany: func(ctx context.Context, tx syncTx, ids []uuid.UUID) ([]adsync.AdSet, error) {
			return tx.AdSets().GetMany(ctx, ids)
		},
		reference: func(ctx context.Context, tx syncTx, account, reference string) (adsync.AdSet, error) {
			return tx.AdSets().ByReference(ctx, account, reference)
		},
		list: func(ctx context.Context, tx syncTx) ([]adsync.AdSet, error) {
			return tx.AdSets().List(ctx, adsync.AdSetFilter{}, adsync.Cursor{}, 100)
		},
	}.check(t, s)
}

func testAdLookups(t *testing.T, s syncStore) {
	lookups[adsync.Ad]{
		sample: sampleSyncAd,
		record: func(v *adsync.Ad) (*adsync.State, *string) { return &v.State, &v.ReferenceID },
		put:    func(ctx context.Context, tx syncTx, v ...adsync.Ad) error { return tx.Ads().Put(ctx, v...) },
		get:    func(ctx context.Context, tx syncTx, id uuid.UUID) (adsync.Ad, error) { return tx.Ads().Get(ctx, id) },
		getMany: func(ctx context.Context, tx syncTx, ids []uuid.UUID) ([]adsync.Ad, error) {
			return tx.Ads().GetMany(ctx, ids)
		},
		reference: func(ctx context.Context, tx syncTx, account, reference string) (adsync.Ad, error) {
			return tx.Ads().ByReference(ctx, account, reference)
		},
		list: func(ctx context.Context, tx syncTx) ([]adsync.Ad, error) {
			return tx.Ads().List(ctx, adsync.AdFilter{}, adsync.Cursor{}, 100)
		},
	}.check(t, s)
}

func testCampaignList(t *testing.T, s syncStore) {
	type F = adsync.CampaignFilter
	syncWorld(t, s)
	row := func(n, created int, account, adAccount string, service adsync.AdService, state adsync.State) adsync.Campaign {
		c := sampleCampaign(n)
		c.CreatedAt, c.AccountID, c.AdAccountID, c.Service, c.State, c.Title = at(created), account, adAccount, service, state, strconv.Itoa(n)
		return c
	}
	seed := see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Campaign, error) {
		return tx.SyncCampaigns().GetMany(ctx, []uuid.UUID{syncID(seeded), syncID(seeded + 1)})
	})
	kept := []adsync.Campaign{
		row(4, 1, "account", "act_1", adsync.FacebookAds, adsync.Active), row(2, 2, "other", "act_1", adsync.FacebookAds, adsync.Paused),
		row(3, 2, "account", "1234567890", adsync.GoogleAds, adsync.Paused), row(1, 3, "account", "act_2", adsync.FacebookAds, adsync.Active),
	}
	gone := row(5, 2, "account", "act_1", adsync.FacebookAds, adsync.Removed)
	for n := range seed {
		seed[n].State = adsync.Removed
	}
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return errors.Join(tx.SyncCampaigns().Put(ctx, append(seed, gone)...), tx.SyncCampaigns().Put(ctx, kept[2], kept[3], kept[0], kept[1]))
	})
	placed[adsync.Campaign, F]{
		items: kept,
		label: func(c adsync.Campaign) string { return c.Title },
		place: func(c adsync.Campaign) adsync.Cursor { return adsync.Cursor{At: c.CreatedAt, ID: c.ID} },
		list: func(ctx context.Context, tx syncTx, f F, after adsync.Cursor, limit int) ([]adsync.Campaign, error) {
			return tx.SyncCampaigns().List(ctx, f, after, limit)
		},
		filters: []filterRow[F]{
			{F{AccountID: "account"}, "4 3 1"},
			{F{AccountID: "\x00"}, ""},
			{F{AdAccountID: "act_1"}, "4 2"},
			{F{Service: adsync.GoogleAds}, "3"},
			{F{State: adsync.Paused}, "2 3"},
			{F{State: adsync.Removed}, ""},
			{F{ReferenceID: "ref 1"}, "1"},
			{F{ReferenceID: "ref 5"}, ""},
			{F{AccountID: "account", ReferenceID: "ref 1"}, "1"},
		},
	}.check(t, s)
}

func testAdSetList(t *testing.T, s syncStore) {
	type F = adsync.AdSetFilter
	syncWorld(t, s)
	row := func(n, created int, account string, campaign int, adAccount string, service adsync.AdService, state adsync.State) adsync.AdSet {
		a := sampleAdSet(n)
		a.CreatedAt, a.AccountID, a.CampaignID, a.AdAccountID, a.Service, a.State, a.Title = at(created), account, syncID(campaign), adAccount, service, state, strconv.Itoa(n)
		return a
	}
	seed := see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.AdSet, error) {
		return tx.AdSets().GetMany(ctx, []uuid.UUID{syncID(seeded), syncID(seeded + 1)})
	})
	for n := range seed {
		seed[n].State = adsync.Removed
	}
	kept := []adsync.AdSet{
		row(4, 1, "account", 901, "act_1", adsync.FacebookAds, adsync.Active), row(2, 2, "other", 902, "act_1", adsync.FacebookAds, adsync.Paused),
		row(3, 2, "account", 901, "1234567890", adsync.GoogleAds, adsync.Paused), row(1, 3, "account", 902, "act_2", adsync.FacebookAds, adsync.Active),
	}
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return errors.Join(tx.AdSets().Put(ctx, append(seed, row(5, 2, "account", 901, "act_1", adsync.FacebookAds, adsync.Removed))...),
			tx.AdSets().Put(ctx, kept[2], kept[3], kept[0], kept[1]))
	})
	placed[adsync.AdSet, F]{
		items: kept,
		label: func(a adsync.AdSet) string { return a.Title },
		place: func(a adsync.AdSet) adsync.Cursor { return adsync.Cursor{At: a.CreatedAt, ID: a.ID} },
		list: func(ctx context.Context, tx syncTx, f F, after adsync.Cursor, limit int) ([]adsync.AdSet, error) {
			return tx.AdSets().List(ctx, f, after, limit)
		},
		filters: []filterRow[F]{
			{F{AccountID: "account"}, "4 3 1"},
			{F{CampaignID: syncID(901)}, "4 3"},
			{F{CampaignID: syncID(7)}, ""},
			{F{AccountID: "other", CampaignID: syncID(902)}, "2"},
			{F{AdAccountID: "act_1"}, "4 2"},
			{F{Service: adsync.GoogleAds}, "3"},
			{F{State: adsync.Paused}, "2 3"},
			{F{State: adsync.Removed}, ""},
			{F{ReferenceID: "ref 1"}, "1"},
			{F{ReferenceID: "\xff"}, ""},
			{F{AccountID: "account", ReferenceID: "ref 1"}, "1"},
		},
	}.check(t, s)
}

func testSyncAdList(t *testing.T, s syncStore) {
	type F = adsync.AdFilter
	syncWorld(t, s)
	row := func(n, created int, account string, set int, kind adsync.AdType, adAccount string, service adsync.AdService, state adsync.State) adsync.Ad {
		a := sampleSyncAd(n)
		a.CreatedAt, a.AccountID, a.AdSetID, a.AdAccountID, a.Service, a.State = at(created), account, syncID(set), adAccount, service, state
		if kind == adsync.ImageWithLink {
			a.Type, a.Creative = kind, adsync.Creative{
				Link: "http://a.example/", Message: "m", Picture: "http://a.example/p", Description: "d", CallToAction: "OPEN_LINK", LinkCaption: "c",
			}
		}
		return a
	}
	const text, image = adsync.ExpandedTextAd, adsync.ImageWithLink
	kept := []adsync.Ad{
		row(4, 1, "account", 901, text, "act_1", adsync.FacebookAds, adsync.Active), row(2, 2, "other", 902, image, "act_1", adsync.FacebookAds, adsync.Paused),
		row(3, 2, "account", 901, image, "1234567890", adsync.GoogleAds, adsync.Paused), row(1, 3, "account", 902, text, "act_2", adsync.FacebookAds, adsync.Active),
	}
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return tx.Ads().Put(ctx, kept[2], kept[3], row(5, 2, "account", 901, text, "act_1", adsync.FacebookAds, adsync.Removed), kept[0], kept[1])
	})
	placed[adsync.Ad, F]{
		items: kept,
		label: func(a adsync.Ad) string { return a.ReferenceID[len("ref "):] },
		place: func(a adsync.Ad) adsync.Cursor { return adsync.Cursor{At: a.CreatedAt, ID: a.ID} },
		list: func(ctx context.Context, tx syncTx, f F, after adsync.Cursor, limit int) ([]adsync.Ad, error) {
			return tx.Ads().List(ctx, f, after, limit)
		},
		filters: []filterRow[F]{
			{F{AccountID: "account"}, "4 3 1"},
			{F{AdSetIDs: []uuid.UUID{syncID(901)}}, "4 3"},
			{F{AdSetIDs: []uuid.UUID{syncID(902), syncID(901), syncID(902)}}, "4 2 3 1"},
			{F{AdSetIDs: []uuid.UUID{}}, ""},
			{F{AccountID: "other", AdSetIDs: []uuid.UUID{syncID(902)}}, "2"},
			{F{AdAccountID: "act_1"}, "4 2"},
			{F{Service: adsync.GoogleAds}, "3"},
			{F{Type: image}, "2 3"},
			{F{State: adsync.Active}, "4 1"},
			{F{State: adsync.Removed}, ""},
			{F{ReferenceID: "ref 1"}, "1"},
			{F{AccountID: "account", ReferenceID: "ref 1"}, "1"},
			{F{ReferenceID: "a\x00"}, ""},
		},
	}.check(t, s)
}

func testAdOrigin(t *testing.T, s syncStore) {
	syncWorld(t, s)
	made := func(n, item, template int) adsync.Ad {
		a := sampleSyncAd(n)
		a.ReferenceID, a.ItemID, a.TemplateID = "", syncID(item), syncID(template)
		return a
	}
	kept := []adsync.Ad{made(4, 50, 60), made(3, 50, 61), made(2, 51, 60)}
	kept[1].State = adsync.Removed
	write(t, s, func(ctx context.Context, tx syncTx) error { return tx.Ads().Put(ctx, append(kept, sampleSyncAd(1))...) })
	for _, twice := range []adsync.Ad{made(9, 50, 60), made(9, 50, 61)} { // a removed one too
		refused(t, s, taken("item_id"), func(ctx context.Context, tx syncTx) error { return tx.Ads().Put(ctx, twice) })
	}
	byItems := func(ids ...uuid.UUID) []adsync.Ad {
		return see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Ad, error) { return tx.Ads().ByItems(ctx, ids) })
	}
	equal(t, "of one item", byItems(syncID(50)), []adsync.Ad{kept[1], kept[0]})
	equal(t, "of two items", byItems(syncID(51), syncID(50), syncID(7), syncID(51)), []adsync.Ad{kept[2], kept[1], kept[0]})
	equal(t, "of none", byItems(), []adsync.Ad(nil))
	equal(t, "of no item", byItems(uuid.Nil), []adsync.Ad(nil))
}

func testTemplateLookups(t *testing.T, s syncStore) {
	syncWorld(t, s)
	of := func(n int, account string, set int, kind string) adsync.Template {
		v := sampleTemplate(n)
		v.AccountID, v.AdSetID, v.AdTemplateType = account, syncID(set), kind
		return v
	}
	kept := []adsync.Template{of(1, "account", 901, "b"), of(2, "account", 902, "a"), of(3, "account", 901, "a"), of(4, "other", 902, "b")}
	write(t, s, func(ctx context.Context, tx syncTx) error {
		for _, n := range []int{2, 0, 3, 1} {
			if err := tx.AdTemplates().Put(ctx, kept[n]); err != nil {
				return err
			}
		}
		return nil
	})
	refused(t, s, taken("ad_template_type"), func(ctx context.Context, tx syncTx) error {
		return tx.AdTemplates().Put(ctx, of(9, "other", 901, "a"))
	})
	byAccount := func(account, kind string) []adsync.Template {
		return see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Template, error) {
			return tx.AdTemplates().ByAccount(ctx, account, kind)
		})
	}
	equal(t, "of an account", byAccount("account", ""), kept[:3])
	equal(t, "of an account, for a type", byAccount("account", "a"), kept[1:3])
	equal(t, "of nobody", byAccount("nobody", ""), []adsync.Template(nil))
	equal(t, "of what cannot be kept", byAccount("a\x00", "a\x00"), []adsync.Template(nil))
	bySets := func(ids ...uuid.UUID) []adsync.Template {
		return see(t, s, func(ctx context.Context, tx syncTx) ([]adsync.Template, error) {
			return tx.AdTemplates().ByAdSets(ctx, ids)
		})
	}
	equal(t, "of an ad set", bySets(syncID(901), syncID(7)), []adsync.Template{kept[0], kept[2]})
	equal(t, "of no ad set", bySets(), []adsync.Template(nil))
	find := func(set int, kind string) func(ctx context.Context, tx syncTx) (adsync.Template, error) {
		return func(ctx context.Context, tx syncTx) (adsync.Template, error) {
			return tx.AdTemplates().Find(ctx, syncID(set), kind)
		}
	}
	equal(t, "of a type in one ad set", see(t, s, find(902, "a")), kept[1])
	equal(t, "of it in another", see(t, s, find(901, "a")), kept[2])
	unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(find(7, "a")(ctx, tx)) })
	for _, kind := range append(unkeepable(), "", "A", "c") {
		unreadable(t, s, missing, func(ctx context.Context, tx syncTx) error { return second(find(901, kind)(ctx, tx)) })
	}
	write(t, s, func(ctx context.Context, tx syncTx) error {
		return tx.AdTemplates().Delete(ctx, []uuid.UUID{syncID(1), syncID(7), syncID(2)})
	})
	equal(t, "after delete", byAccount("account", ""), kept[2:3])
}
