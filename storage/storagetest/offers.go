package storagetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

func offersScenarios() []scenario[offers.Store] {
	return append(slices.Concat(
		writeScenarios[offers.Tx](), offerTable().scenarios(), budgetTable().scenarios(), partTable().scenarios(),
		commentTable().scenarios(), activityTable().scenarios(), offerRecordScenarios(), imageScenarios(),
	),
		scenario[offers.Store]{"offers/lookups", testOfferLookups},
		scenario[offers.Store]{"offers/locked and shared", testOfferLocks},
		scenario[offers.Store]{"offers/an offer stays its advertiser's", testOfferStays},
		scenario[offers.Store]{"offers/list", testOfferList},
		scenario[offers.Store]{"offers/status at an instant", testOfferStatus},
		scenario[offers.Store]{"offers/targets", testTargets},
		scenario[offers.Store]{"offers/serving", testServing},
	)
}

// offerToken is a token that n alone has.
func offerToken(n int) string { return fmt.Sprintf("t%015d", n) }

func sampleOffer(w world, n int) offers.Offer {
	return offers.Offer{AdvertiserID: w.advertisers[0].ID, Currency: "SEK", Type: offers.Standard, Name: fmt.Sprintf("offer %d", n), Token: offerToken(n)}
}

// sampleCosts are costs with everything set, and with nothing.
func sampleCosts() []offers.Costs {
	return []offers.Costs{
		{
			Costs: affiliate.Costs{
				Source: affiliate.SourceTikTok, CPC: affiliate.Some[int64](230), CPA: affiliate.Some(rate("0.2")),
				InvoiceCPC: affiliate.Some[int64](0), InvoiceCPA: affiliate.Some(rate("0.250000001")),
			},
			UserRevenue: affiliate.Some(rate("0.75")),
		},
		{},
	}
}

// newWorldOfOffers is a world with a shared budget, an offer and a participant.
func newWorldOfOffers(t *testing.T, s affiliate.Store[offers.Tx]) world {
	t.Helper()
	w := newWorld(t, s)
	w.budget = addAll(t, s, addBudget, sampleBudget(w, 1))[0]
	w.offer = addAll(t, s, addOffer, sampleOffer(w, 900))[0]
	w.participant = addAll(t, s, addPart, offers.Participant{OfferID: w.offer.ID, UserID: w.users[0].ID, Status: offers.Open})[0]
	return w
}

func addOffer(ctx context.Context, tx offers.Tx, o offers.Offer) (offers.Offer, error) {
	return tx.Offers().Add(ctx, o)
}

func addBudget(ctx context.Context, tx offers.Tx, b offers.SharedBudget) (offers.SharedBudget, error) {
	return tx.SharedBudgets().Add(ctx, b)
}

func addPart(ctx context.Context, tx offers.Tx, p offers.Participant) (offers.Participant, error) {
	return oneOf(tx.Participants().AddMissing(ctx, p))
}

func offerTable() table[offers.Tx, offers.Offer] {
	type V = offers.Offer
	return table[offers.Tx, V]{
		name:   "offers",
		world:  newWorldOfOffers,
		sample: sampleOffer,
		full: func(w world) V {
			return V{
				AdvertiserID: w.advertisers[0].ID, Currency: "EUR", Type: offers.StoreAccept, Name: "Full", Title: "Title", Text: "Text",
				Token: offerToken(99), ImageKey: "k.png", HasProductSeeding: true, HasOneTimePayment: true, OneTimePayment: 5,
				BudgetLimit: affiliate.Some[int64](0), MaxClicks: affiliate.Some[int64](offers.MaxAmount), PerUserLimit: true, SharedBudgetID: w.budget.ID, StoreGroupID: w.groups[0].ID,
				ValidFrom: at(1), ValidUntil: at(2), UntilDay: true, Todo: []string{"b", "a"}, ShowForAdvertiser: true, Visibility: offers.AlwaysVisible, Unlisted: true, InfluencerText: "Read this", Priority: math.MinInt64, Costs: sampleCosts(),
				CreatedBy: affiliate.Actor{UserID: w.users[1].ID, Name: "Åsa"}, CreatedAt: at(3), UpdatedAt: at(4), PausedAt: at(5), DeletedAt: at(6),
			}
		},
		add:    addOffer,
		fetch:  func(ctx context.Context, tx offers.Tx, v V) (V, error) { return tx.Offers().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx offers.Tx, v V) error { return tx.Offers().Update(ctx, v) },
		getMany: func(ctx context.Context, tx offers.Tx, ids []int64) ([]V, error) {
			return tx.Offers().GetMany(ctx, ids)
		},
		id: func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"name", 1, 255, func(v *V) *string { return &v.Name }, false},
			{"campaign_title", 0, 255, func(v *V) *string { return &v.Title }, false},
			{"influencer_text", 0, 255, func(v *V) *string { return &v.InfluencerText }, false},
			{"campaign_text", 0, 20_000, func(v *V) *string { return &v.Text }, false},
			{"image_key", 0, 255, func(v *V) *string { return &v.ImageKey }, false},
			{"created_by", 0, 255, func(v *V) *string { return &v.CreatedBy.Name }, false},
		},
		broken: []broken[V]{
			{"type", "unknown_type", func(v *V) { v.Type = "gift" }},
			{"currency", "unknown_currency", func(v *V) { v.Currency = "XXX" }},
			{"token", "invalid_token", func(v *V) { v.Token = "UPPERCASE0123456" }},
			{"one_time_payment", "out_of_range", func(v *V) { v.OneTimePayment = -1 }},
			{"valid_until", "before_valid_from", func(v *V) { v.ValidFrom, v.ValidUntil = at(2), at(1) }},
			{"valid_until", "required", func(v *V) { v.UntilDay, v.ValidUntil = true, time.Time{} }},
			{"budget_limit", "out_of_range", func(v *V) { v.BudgetLimit = affiliate.Some[int64](-1) }},
			{"max_clicks", "out_of_range", func(v *V) { v.MaxClicks = affiliate.Some[int64](offers.MaxAmount + 1) }},
			{"store_visibility", "unknown_visibility", func(v *V) { v.Visibility = 3 }},
			{"todo.1", "duplicate", func(v *V) { v.Todo = []string{"a", "a"} }},
			{"todo.0", "required", func(v *V) { v.Todo = []string{""} }},
			{"traffic_sources_costs.0.cpc", "out_of_range", func(v *V) {
				v.Costs = []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](-1)}}}
			}},
		},
		references: []reference[V]{
			{"store_id", func(v *V, id int64) { v.AdvertiserID = id }},
			{"shared_budget_id", func(v *V, id int64) { v.SharedBudgetID = id }},
			{"store_group_id", func(v *V, id int64) { v.StoreGroupID = id }},
			{"created_by", func(v *V, id int64) { v.CreatedBy.UserID = id }},
		},
	}
}

func testOfferLookups(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	ranked := func(n int, priority int64) offers.Offer {
		o := sampleOffer(w, n)
		o.Priority = priority
		return o
	}
	gone := ranked(5, 7)
	gone.DeletedAt = at(1)
	other := ranked(6, 7)
	other.AdvertiserID = w.advertisers[1].ID
	kept := addAll(t, s, addOffer, ranked(1, 5), ranked(2, 9), ranked(3, 5), ranked(4, -1), gone, other)

	byToken := func(token string) func(ctx context.Context, tx offers.Tx) (offers.Offer, error) {
		return func(ctx context.Context, tx offers.Tx) (offers.Offer, error) { return tx.Offers().ByToken(ctx, token) }
	}
	equal(t, "by token", see(t, s, byToken(offerToken(3))), kept[2])
	equal(t, "a deleted one by token", see(t, s, byToken(offerToken(5))), kept[4])
	for _, none := range append(unkeepable(), "", offerToken(77), "T000000000000003") {
		unreadable(t, s, missing, func(ctx context.Context, tx offers.Tx) error { return second(byToken(none)(ctx, tx)) })
	}
	refused(t, s, taken("token"), func(ctx context.Context, tx offers.Tx) error { return second(tx.Offers().Add(ctx, ranked(2, 1))) })
	moved := kept[0]
	moved.Token = offerToken(2)
	refused(t, s, taken("token"), func(ctx context.Context, tx offers.Tx) error { return tx.Offers().Update(ctx, moved) })

	for _, c := range []struct {
		priority int64
		limit    int
		want     []offers.Offer
	}{
		{math.MaxInt64, 10, []offers.Offer{kept[1], kept[2], kept[0], w.offer, kept[3]}},
		{math.MaxInt64, 2, []offers.Offer{kept[1], kept[2]}},
		{5, 1, []offers.Offer{kept[2]}},
		{4, 10, []offers.Offer{w.offer, kept[3]}},
		{-2, 10, nil},
		{9, 0, nil},
		{9, -1, nil},
	} {
		got := see(t, s, func(ctx context.Context, tx offers.Tx) ([]offers.Offer, error) {
			return tx.Offers().Ranked(ctx, w.advertisers[0].ID, c.priority, c.limit)
		})
		equal(t, fmt.Sprintf("ranked to %d, %d", c.priority, c.limit), got, c.want)
	}
}

func testOfferStays(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	moved := w.offer
	moved.AdvertiserID = w.advertisers[1].ID
	refused(t, s, invalid("store_id", "immutable"), func(ctx context.Context, tx offers.Tx) error { return tx.Offers().Update(ctx, moved) })
	equal(t, "kept", see(t, s, func(ctx context.Context, tx offers.Tx) (offers.Offer, error) { return tx.Offers().Get(ctx, w.offer.ID) }), w.offer)
}

func testOfferList(t *testing.T, s offers.Store) {
	type V = offers.Offer
	type F = offers.OfferFilter
	w := newWorld(t, s)
	budget := addAll(t, s, addBudget, sampleBudget(w, 1))[0]
	closed := sampleAdvertiser(1)
	closed.Status = affiliate.AdvertiserDeactivated
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		a := w.advertisers[1]
		a.GroupID = w.groups[0].ID
		hidden := w.advertisers[2]
		hidden.Hidden = true
		return all(
			func() error { return tx.Advertisers().Update(ctx, a) },
			func() error { return tx.Advertisers().Update(ctx, hidden) },
			func() (err error) { closed, err = tx.Advertisers().Add(ctx, closed); return err },
		)
	})
	make := func(n int, change func(o *V)) V {
		o := sampleOffer(w, n)
		o.Name = "offer " + string(rune('a'+n)) // no digits, which could be somebody's id
		change(&o)
		return o
	}
	items := addAll(t, s, addOffer,
		make(9, func(o *V) { o.Name, o.Title, o.ValidUntil, o.Priority = "Summer_", "b", at(5), 3 }),
		make(2, func(o *V) {
			o.AdvertiserID, o.Name, o.Type, o.CreatedAt, o.ValidFrom = w.advertisers[1].ID, "zz", offers.UserApply, at(2), at(1)
		}),
		make(3, func(o *V) { o.Title, o.SharedBudgetID, o.Currency, o.ValidUntil = "SUMMER", budget.ID, "EUR", at(3) }),
		make(4, func(o *V) {
			o.PausedAt, o.CreatedBy.UserID, o.Priority, o.Visibility = at(1), w.users[1].ID, 3, offers.AlwaysHidden
		}),
		make(5, func(o *V) { o.ShowForAdvertiser, o.CreatedAt, o.ValidFrom, o.Unlisted = true, at(1), at(1000), true }),
		make(6, func(o *V) { o.DeletedAt, o.AdvertiserID = at(1), w.advertisers[2].ID }),
		make(7, func(o *V) {
			o.AdvertiserID, o.CreatedAt, o.Visibility, o.StoreGroupID = w.advertisers[2].ID, at(0), offers.AlwaysVisible, w.groups[0].ID
		}),
		make(8, func(o *V) { o.AdvertiserID = closed.ID }),
	)
	label := map[int64]string{}
	for i, o := range items {
		label[o.ID] = string(rune('a' + i))
	}
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return all(
			func() error {
				return tx.Targets().Set(ctx, items[0].ID, []offers.Target{{Kind: offers.TargetUser, Value: "7"}})
			},
			func() error {
				return tx.Targets().Set(ctx, items[1].ID, []offers.Target{{Kind: offers.TargetTag, Value: "7"}, {Kind: offers.TargetEmail, Value: "a@b.c"}})
			},
			func() error {
				return tx.Targets().Set(ctx, items[2].ID, []offers.Target{{Kind: offers.TargetEveryone}})
			},
			func() error {
				return tx.Targets().Set(ctx, items[6].ID, []offers.Target{{Kind: offers.TargetEveryone}})
			},
		)
	})
	target := func(kind offers.TargetKind, value string) []offers.Target {
		return []offers.Target{{Kind: kind, Value: value}}
	}
	filters := []filterRow[F]{
		{F{Query: fmt.Sprint(items[3].ID)}, "d"},
		{F{Query: "summer"}, "a c"},
		{F{Query: "r_"}, "a"},
		{F{AdvertiserIDs: []int64{w.advertisers[1].ID, w.advertisers[2].ID}}, "b f g"},
		{F{AdvertiserIDs: []int64{}}, ""},
		{F{ShownAdvertisers: true}, "a b c g"},
		{F{ExcludedAdvertisers: []int64{w.advertisers[1].ID, nowhere}}, "a c d e f g h"},
		{F{ExcludedAdvertisers: []int64{}}, "a b c d e f g h"},
		{F{GroupIDs: []int64{w.groups[0].ID}}, "b g"},
		{F{GroupIDs: []int64{}}, ""},
		{F{GroupIDs: []int64{0, -1}}, ""}, // no group's, and not those of no group
		{F{CreatedBy: w.users[1].ID}, "d"},
		{F{Type: offers.UserApply}, "b"},
		{F{Type: "none"}, ""},
		{F{ShowForAdvertiser: affiliate.Some(true)}, "e"},
		{F{ShowForAdvertiser: affiliate.Some(false)}, "a b c d f g h"},
		{F{SharedBudgetID: budget.ID}, "c"},
		{F{IDs: []int64{items[4].ID, items[0].ID, nowhere}}, "a e"},
		{F{IDs: []int64{}}, ""},
		{F{Targets: target(offers.TargetUser, "7")}, "a"},
		{F{Targets: append(target(offers.TargetTag, "7"), target(offers.TargetEveryone, "")...)}, "b c"},
		{F{Targets: append(target(offers.TargetEveryone, ""), target(offers.TargetGroup, fmt.Sprint(w.groups[0].ID))...)}, "c g"},
		{F{Targets: target(offers.TargetGroup, fmt.Sprint(w.groups[0].ID))}, ""},
		{F{Targets: append(target(offers.TargetEveryone, ""), target(offers.TargetTag, fmt.Sprint(w.groups[0].ID))...)}, "c"},
		{F{Targets: target(offers.TargetEmail, "\x00")}, ""},
		{F{Targets: []offers.Target{}}, ""},
		{F{Statuses: []offers.Status{offers.Active}}, "a b g h"},
		{F{Statuses: []offers.Status{offers.Ended, offers.Scheduled}}, "c e"},
		{F{Statuses: []offers.Status{offers.Paused, offers.Deleted}}, "d f"},
		{F{Statuses: []offers.Status{}}, ""},
		{F{Type: offers.UserApply, OrID: items[5].ID}, "b f"},
		{F{OrID: items[5].ID}, "a b c d e f g h"},
	}
	last := func(t time.Time) time.Time {
		if t.IsZero() {
			return at(1 << 30)
		}
		return t
	}
	listing[offers.Tx, V, F]{
		items: items,
		label: func(o V) string { return label[o.ID] },
		list: func(ctx context.Context, tx offers.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			if f.At.IsZero() {
				f.At = at(4)
			}
			return tx.Offers().List(ctx, f, p)
		},
		filters: filters,
		modify:  []string{"At", "OrID"},
		or:      "OrID",
		columns: map[string]func(a, b V) int{
			"name":           byText(func(o V) string { return o.Name }),
			"campaign_title": byText(func(o V) string { return o.Title }),
			"store_id":       byNumber(func(o V) int64 { return o.AdvertiserID }),
			"type":           byText(func(o V) string { return string(o.Type) }),
			"currency":       byText(func(o V) string { return string(o.Currency) }),
			"token":          byText(func(o V) string { return o.Token }),
			"created_at":     byTime(func(o V) time.Time { return o.CreatedAt }),
			"valid_from":     byTime(func(o V) time.Time { return o.ValidFrom }),
			"valid_until":    byTime(func(o V) time.Time { return o.ValidUntil }),
			"priority":       byNumber(func(o V) int64 { return o.Priority }),
			"ends_soon":      byTime(func(o V) time.Time { return last(o.ValidUntil) }),
			"active_first": byNumber(func(o V) int64 {
				if o.Status(at(4), offers.Counts{}, affiliate.Optional[offers.Shared]{}) == offers.Active {
					return 0
				}
				return 1
			}),
		},
	}.check(t, s)
}

// testOfferStatus holds the filter by status against Offer.Status.
func testOfferStatus(t *testing.T, s offers.Store) {
	w := newWorld(t, s)
	budget := sampleBudget(w, 1)
	budget.Amount = 10
	empty := sampleBudget(w, 2)
	empty.Amount = 0
	budgets := addAll(t, s, addBudget, budget, empty)
	limits := []func(o *offers.Offer){
		func(*offers.Offer) {},
		func(o *offers.Offer) { o.PausedAt = at(0) },
		func(o *offers.Offer) { o.PausedAt, o.DeletedAt = at(0), at(0) },
		func(o *offers.Offer) { o.MaxClicks = affiliate.Some[int64](0) },
		func(o *offers.Offer) { o.MaxClicks = affiliate.Some[int64](3) },
		func(o *offers.Offer) { o.MaxClicks = affiliate.Some[int64](4) },
		func(o *offers.Offer) { o.BudgetLimit = affiliate.Some[int64](0) },
		func(o *offers.Offer) { o.BudgetLimit = affiliate.Some[int64](20) },
		func(o *offers.Offer) { o.BudgetLimit = affiliate.Some[int64](21) },
		func(o *offers.Offer) { o.BudgetLimit, o.PerUserLimit = affiliate.Some[int64](0), true },
		func(o *offers.Offer) { o.SharedBudgetID = budgets[0].ID },
		func(o *offers.Offer) { o.SharedBudgetID = budgets[1].ID },
		func(o *offers.Offer) { o.ValidFrom = at(5) },
		func(o *offers.Offer) { o.ValidUntil = at(5) },
		func(o *offers.Offer) { o.ValidFrom, o.ValidUntil = at(4), at(6) },
		func(o *offers.Offer) { o.ValidFrom, o.BudgetLimit = at(9), affiliate.Some[int64](1) },
	}
	var kept []offers.Offer
	for i, limit := range limits {
		o := sampleOffer(w, i+1)
		limit(&o)
		kept = append(kept, addAll(t, s, addOffer, o)...)
	}
	check := func(shared int64, used offers.Counts) {
		t.Helper()
		for _, now := range []time.Time{at(3), at(4), at(5).Add(-time.Nanosecond), at(5), at(5).In(time.FixedZone("", 7200)), at(6), at(9)} {
			for _, status := range offers.Statuses() {
				var want []int64
				for _, o := range kept {
					sharedOf := affiliate.Optional[offers.Shared]{Set: o.SharedBudgetID != 0}
					sharedOf.Value = offers.Shared{Amount: 0, Spent: 0}
					if o.SharedBudgetID == budgets[0].ID {
						sharedOf.Value = offers.Shared{Amount: 10, Spent: shared}
					}
					if o.Status(now, used, sharedOf) == status {
						want = append(want, o.ID)
					}
				}
				page := see(t, s, func(ctx context.Context, tx offers.Tx) (affiliate.Page[offers.Offer], error) {
					return tx.Offers().List(ctx, offers.OfferFilter{Statuses: []offers.Status{status}, At: now}, affiliate.PageRequest{Number: 1, Size: 100})
				})
				var got []int64
				for _, o := range page.Items {
					got = append(got, o.ID)
				}
				equal(t, fmt.Sprintf("%s at %s, shared %d, used %+v", status, now, shared, used), got, want)
			}
		}
	}
	check(0, offers.Counts{})
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		usages := []offers.Usage{
			{UsageKey: offers.SharedUsage(budgets[0].ID), Counts: offers.Counts{Spent: 10}},
			{UsageKey: offers.SharedUsage(nowhere), Counts: offers.Counts{Spent: 1}}, // of a budget that nothing else is of
		}
		for _, o := range kept {
			usages = append(usages, offers.Usage{UsageKey: offers.OfferUsage(o.ID), Counts: offers.Counts{Clicks: 3, Spent: 20}})
		}
		return tx.Usage().Add(ctx, usages...)
	})
	check(10, offers.Counts{Clicks: 3, Spent: 20})
}

func setTargets(id int64, list ...offers.Target) func(ctx context.Context, tx offers.Tx) error {
	return func(ctx context.Context, tx offers.Tx) error { return tx.Targets().Set(ctx, id, list) }
}

func testTargets(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	get := func(id int64) []offers.Target {
		return see(t, s, func(ctx context.Context, tx offers.Tx) ([]offers.Target, error) { return tx.Targets().Get(ctx, id) })
	}
	user, tag, mail := offers.Target{Kind: offers.TargetUser, Value: "7"}, offers.Target{Kind: offers.TargetTag, Value: "7"}, offers.Target{Kind: offers.TargetEmail, Value: "å@b.c"}
	everyone := offers.Target{Kind: offers.TargetEveryone}
	equal(t, "of an offer without", get(w.offer.ID), []offers.Target(nil))
	equal(t, "of no offer", get(nowhere), []offers.Target(nil))
	write(t, s, setTargets(w.offer.ID, user, mail, tag, user))
	equal(t, "set", get(w.offer.ID), []offers.Target{mail, tag, user})
	for _, bad := range []struct {
		want failure
		id   int64
		set  offers.Target
	}{
		{unknown("offer_id"), nowhere, user}, {unknown("offer_id"), 0, user},
		{invalid("kind", "unknown_kind"), w.offer.ID, offers.Target{Kind: "planet", Value: "x"}},
		{invalid("value", "required"), w.offer.ID, offers.Target{Kind: offers.TargetUser}},
		{invalid("value", "not_empty"), w.offer.ID, offers.Target{Kind: offers.TargetEveryone, Value: "x"}},
		{invalid("value", "nul"), w.offer.ID, offers.Target{Kind: offers.TargetEmail, Value: "\x00"}},
	} {
		refused(t, s, bad.want, func(ctx context.Context, tx offers.Tx) error {
			return all(func() error { return setTargets(w.offer.ID)(ctx, tx) }, func() error { return setTargets(bad.id, bad.set)(ctx, tx) })
		})
	}
	equal(t, "after refused sets", get(w.offer.ID), []offers.Target{mail, tag, user})
	notInRead(t, s, setTargets(w.offer.ID, everyone))
	equal(t, "after a Set in a Read", get(w.offer.ID), []offers.Target{mail, tag, user})
	write(t, s, setTargets(w.offer.ID, everyone, tag))
	equal(t, "replaced", get(w.offer.ID), []offers.Target{everyone, tag})
	other := addAll(t, s, addOffer, sampleOffer(w, 2), sampleOffer(w, 3))
	write(t, s, setTargets(other[0].ID, user, mail))
	equal(t, "of many", see(t, s, func(ctx context.Context, tx offers.Tx) (map[int64][]offers.Target, error) {
		return tx.Targets().GetMany(ctx, []int64{other[0].ID, w.offer.ID, other[1].ID, nowhere, w.offer.ID})
	}), map[int64][]offers.Target{w.offer.ID: {everyone, tag}, other[0].ID: {mail, user}})
	equal(t, "of none", see(t, s, func(ctx context.Context, tx offers.Tx) (int, error) {
		none, err := tx.Targets().GetMany(ctx, nil)
		return len(none), err
	}), 0)
	write(t, s, setTargets(w.offer.ID))
	equal(t, "nobody", get(w.offer.ID), []offers.Target(nil))
}

func testServing(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	user, tag := offers.Target{Kind: offers.TargetUser, Value: "7"}, offers.Target{Kind: offers.TargetTag, Value: "7"}
	everyone := offers.Target{Kind: offers.TargetEveryone}
	var kept []offers.Offer
	add := func(change func(o *offers.Offer), targets ...offers.Target) {
		o := sampleOffer(w, len(kept)+1)
		change(&o)
		kept = append(kept, addAll(t, s, addOffer, o)...)
		write(t, s, setTargets(kept[len(kept)-1].ID, targets...))
	}
	plain := func(*offers.Offer) {}
	add(plain, user, tag)
	add(plain, everyone)
	add(func(o *offers.Offer) { o.AdvertiserID = w.advertisers[1].ID }, user)
	add(func(o *offers.Offer) { o.PausedAt = at(0) }, user)
	add(func(o *offers.Offer) { o.DeletedAt = at(0) }, user)
	add(func(o *offers.Offer) { o.ValidFrom, o.ValidUntil = at(5), at(8) }, tag)
	serving := func(from, until int, asks ...offers.Lookup) [][]offers.Candidate {
		t.Helper()
		call := func(ctx context.Context, tx offers.Tx) ([][]offers.Candidate, error) {
			return tx.Targets().Serving(ctx, at(from), at(until), asks)
		}
		read := see(t, s, call)
		equal(t, "in a Write, as in a Read", put(t, s, call), read)
		return read
	}
	candidate := func(i int) offers.Candidate {
		return offers.Candidate{Conditions: kept[i].Conditions(), Targeted: true}
	}
	candidates := func(list ...int) (out []offers.Candidate) {
		for _, i := range list {
			out = append(out, candidate(i))
		}
		return out
	}
	ask := func(i int, targets ...offers.Target) offers.Lookup {
		return offers.Lookup{AdvertiserID: w.advertisers[i].ID, UserID: w.users[0].ID, Targets: targets}
	}
	equal(t, "several asks", serving(0, 0, ask(0, user, tag, everyone), ask(1, user), ask(2, user, everyone), ask(0), ask(0, tag)),
		[][]offers.Candidate{candidates(0, 1), candidates(2), nil, nil, candidates(0)})
	equal(t, "what cannot be kept", serving(0, 0, ask(0, offers.Target{Kind: offers.TargetEmail, Value: "\x00"})), [][]offers.Candidate{nil})
	equal(t, "no ask", len(serving(0, 0)), 0)
	for _, c := range []struct {
		from, until int
		want        []int
	}{{4, 4, []int{0}}, {4, 5, []int{0, 5}}, {5, 5, []int{0, 5}}, {7, 9, []int{0, 5}}, {8, 9, []int{0}}, {4, 9, []int{0, 5}}} {
		equal(t, fmt.Sprintf("from %d until %d", c.from, c.until), serving(c.from, c.until, ask(0, tag)), [][]offers.Candidate{candidates(c.want...)})
	}

	// With the creator's own part, nobody else's, and the budget's amount; of
	// the offer and the part only what decides.
	budget := addAll(t, s, addBudget, sampleBudget(w, 1))[0]
	group := offers.Target{Kind: offers.TargetGroup, Value: "1"}
	add(func(o *offers.Offer) {
		o.Type, o.Title, o.Text, o.ImageKey, o.Todo, o.Costs = offers.UserApply, "title", "text", "image", []string{"post"}, sampleCosts()
		o.BudgetLimit, o.MaxClicks, o.PerUserLimit, o.SharedBudgetID = affiliate.Some[int64](0), affiliate.Some[int64](7), true, budget.ID
		o.ValidFrom, o.ValidUntil, o.Priority, o.OneTimePayment, o.HasOneTimePayment = at(0), at(9), 5, 3, true
	}, group)
	offer := kept[len(kept)-1]
	want := candidate(len(kept) - 1)
	want.Shared = affiliate.Some(offers.Shared{Amount: budget.Amount})
	equal(t, "without a part", serving(0, 0, ask(0, group)), [][]offers.Candidate{{want}})
	parts := addAll(t, s, addPart,
		offers.Participant{OfferID: offer.ID, UserID: w.users[1].ID, Status: offers.Denied},
		offers.Participant{
			OfferID: offer.ID, UserID: w.users[0].ID, Status: offers.Accepted, Todo: []offers.TodoItem{{Key: "post"}},
			PaymentAmount: affiliate.Some[int64](9), ClickLimit: affiliate.Some[int64](0), Costs: sampleCosts(), CreatedAt: at(0), UpdatedAt: at(0),
		},
		offers.Participant{OfferID: w.offer.ID, UserID: w.users[2].ID, Status: offers.Open})
	want.Participant = affiliate.Some(parts[1].Participation())
	other := ask(0, group, everyone)
	other.UserID = w.users[1].ID
	theirs := want
	theirs.Participant = affiliate.Some(parts[0].Participation())
	equal(t, "with parts", serving(0, 0, ask(0, group), other), [][]offers.Candidate{{want}, {candidate(1), theirs}})
}
