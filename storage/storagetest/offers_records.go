package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

func offerRecordScenarios() []scenario[offers.Store] {
	return []scenario[offers.Store]{
		{"shared budgets/list", testBudgetList},
		{"shared budgets/one in use is not deleted", testBudgetDelete},
		{"participants/only what is missing is added", testAddMissingParts},
		{"participants/lookups", testPartLookups},
		{"participants/moving to a taken place", testPartTaken},
		{"participants/deleted with its records", testPartDelete},
		{"participants/list", testPartList},
		{"participants/searched where nobody is a user", testPartQuery},
		{"participants/days are those of UTC", testPartZones},
		{"usage/added up", testUsage},
		{"usage/overflow", testUsageOverflow},
		{"usage/locks make units go one after the other", testUsageLock},
		{"comments/of a participant", testComments},
		{"activities/list", testActivityList},
		{"activities/unread", testUnread},
	}
}

func sampleBudget(w world, n int) offers.SharedBudget {
	return offers.SharedBudget{AdvertiserID: w.advertisers[0].ID, Title: fmt.Sprintf("budget %d", n), Currency: "SEK"}
}

func budgetTable() table[offers.Tx, offers.SharedBudget] {
	type V = offers.SharedBudget
	return table[offers.Tx, V]{
		name:   "shared budgets",
		sample: sampleBudget,
		full: func(w world) V {
			return V{AdvertiserID: w.advertisers[1].ID, Title: "Full", Amount: offers.MaxAmount, Currency: "EUR", CreatedAt: at(1), UpdatedAt: at(2)}
		},
		add:    addBudget,
		fetch:  func(ctx context.Context, tx offers.Tx, v V) (V, error) { return tx.SharedBudgets().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx offers.Tx, v V) error { return tx.SharedBudgets().Update(ctx, v) },
		getMany: func(ctx context.Context, tx offers.Tx, ids []int64) ([]V, error) {
			return tx.SharedBudgets().GetMany(ctx, ids)
		},
		id:    func(v *V) *int64 { return &v.ID },
		texts: []text[V]{{"title", 1, 255, func(v *V) *string { return &v.Title }, false}},
		broken: []broken[V]{
			{"amount", "out_of_range", func(v *V) { v.Amount = -1 }},
			{"currency", "unknown_currency", func(v *V) { v.Currency = "" }},
		},
		references: []reference[V]{{"store_id", func(v *V, id int64) { v.AdvertiserID = id }}},
	}
}

func testBudgetList(t *testing.T, s offers.Store) {
	type V = offers.SharedBudget
	type F = offers.SharedBudgetFilter
	w := newWorld(t, s)
	make := func(title string, amount int64, i int) V {
		return V{AdvertiserID: w.advertisers[i].ID, Title: title, Amount: amount, Currency: "SEK"}
	}
	items := addAll(t, s, addBudget, make("b", 3, 0), make("a", 2, 1), make("c", 2, 0), make("d", 1, 1))
	listing[offers.Tx, V, F]{
		items: items,
		label: func(b V) string { return b.Title },
		list: func(ctx context.Context, tx offers.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.SharedBudgets().List(ctx, f, p)
		},
		filters: []filterRow[F]{
			{F{AdvertiserID: w.advertisers[0].ID}, "b c"},
			{F{AdvertiserID: nowhere}, ""},
			{F{IDs: []int64{items[3].ID, items[0].ID, nowhere}}, "b d"},
			{F{IDs: []int64{}}, ""},
		},
		columns: map[string]func(a, b V) int{
			"title":  byText(func(b V) string { return b.Title }),
			"amount": byNumber(func(b V) int64 { return b.Amount }),
		},
	}.check(t, s)
}

func testBudgetDelete(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	live, deleted := w.offer, addAll(t, s, addOffer, sampleOffer(w, 901))[0]
	live.SharedBudgetID = w.budget.ID
	deleted.SharedBudgetID, deleted.DeletedAt = w.budget.ID, at(1)
	too := sampleOffer(w, 902)
	too.SharedBudgetID, too.DeletedAt = w.budget.ID, at(1)
	too = addAll(t, s, addOffer, too)[0]
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return errors.Join(tx.Offers().Update(ctx, live), tx.Offers().Update(ctx, deleted), tx.Usage().Add(ctx, offers.Usage{UsageKey: offers.SharedUsage(w.budget.ID), Counts: offers.Counts{Spent: 7}}))
	})
	remove := func(id int64) func(ctx context.Context, tx offers.Tx) error {
		return func(ctx context.Context, tx offers.Tx) error { return tx.SharedBudgets().Delete(ctx, id) }
	}
	refused(t, s, failure{affiliate.ErrConflict, "in_use", ""}, remove(w.budget.ID))
	write(t, s, func(ctx context.Context, tx offers.Tx) error { return tx.Offers().Update(ctx, w.offer) })
	kept := func() []offers.Offer {
		return see(t, s, func(ctx context.Context, tx offers.Tx) ([]offers.Offer, error) {
			return tx.Offers().GetMany(ctx, []int64{deleted.ID, too.ID})
		})
	}
	notInRead(t, s, remove(w.budget.ID))
	equal(t, "the deleted offers, before", kept(), []offers.Offer{deleted, too})
	write(t, s, remove(w.budget.ID))
	deleted.SharedBudgetID, too.SharedBudgetID = 0, 0
	equal(t, "the deleted offers", kept(), []offers.Offer{deleted, too})
	key := offers.SharedUsage(w.budget.ID)
	equal(t, "the counter", see(t, s, func(ctx context.Context, tx offers.Tx) (map[offers.UsageKey]offers.Counts, error) {
		return tx.Usage().Get(ctx, []offers.UsageKey{key})
	})[key].Spent, int64(7))
	write(t, s, func(ctx context.Context, tx offers.Tx) error { // a refund of what was drawn from it
		return tx.Usage().Add(ctx, offers.Usage{UsageKey: key, Counts: offers.Counts{Spent: -7}})
	})
	for _, id := range []int64{w.budget.ID, nowhere, 0} {
		refused(t, s, missing, remove(id))
	}
}

func sampleComment(w world, n int) offers.Comment {
	return offers.Comment{ParticipantID: w.participant.ID, Text: fmt.Sprintf("comment %d", n)}
}

func addComment(ctx context.Context, tx offers.Tx, c offers.Comment) (offers.Comment, error) {
	return tx.Comments().Add(ctx, c)
}

func commentTable() table[offers.Tx, offers.Comment] {
	type V = offers.Comment
	return table[offers.Tx, V]{
		name:   "comments",
		world:  newWorldOfOffers,
		sample: sampleComment,
		full: func(w world) V {
			return V{ParticipantID: w.participant.ID, Text: "Full", Author: affiliate.Actor{UserID: w.users[1].ID, Name: "Åsa"}, AuthorKey: "creator:2", CreatedAt: at(1), UpdatedAt: at(2)}
		},
		add:    addComment,
		fetch:  func(ctx context.Context, tx offers.Tx, v V) (V, error) { return tx.Comments().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx offers.Tx, v V) error { return tx.Comments().Update(ctx, v) },
		id:     func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"comment", 1, 5000, func(v *V) *string { return &v.Text }, false},
			{"author", 0, 255, func(v *V) *string { return &v.Author.Name }, false},
			{"author_key", 0, 512, func(v *V) *string { return &v.AuthorKey }, false},
		},
		references: []reference[V]{
			{"offer_user_id", func(v *V, id int64) { v.ParticipantID = id }},
			{"author", func(v *V, id int64) { v.Author.UserID = id }},
		},
	}
}

func testComments(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	other := addParts(t, s, samplePart(w, 1))[0]
	elsewhere := sampleComment(w, 2)
	elsewhere.ParticipantID = other.ID
	kept := addAll(t, s, addComment, sampleComment(w, 1), elsewhere, sampleComment(w, 3))
	of := func(id int64) []offers.Comment {
		return see(t, s, func(ctx context.Context, tx offers.Tx) ([]offers.Comment, error) {
			return tx.Comments().ByParticipant(ctx, id)
		})
	}
	equal(t, "of one", of(w.participant.ID), []offers.Comment{kept[0], kept[2]})
	equal(t, "of nobody", of(nowhere), []offers.Comment(nil))
	remove := func(ctx context.Context, tx offers.Tx) error { return tx.Comments().Delete(ctx, kept[0].ID) }
	write(t, s, remove)
	refused(t, s, missing, remove)
	equal(t, "left", of(w.participant.ID), kept[2:])
}

func sampleActivity(w world, n int) offers.Activity {
	return offers.Activity{ParticipantID: w.participant.ID, Type: fmt.Sprintf("type %d", n)}
}

func activityTable() table[offers.Tx, offers.Activity] {
	type V = offers.Activity
	fetch := func(ctx context.Context, tx offers.Tx, is func(V) bool) (V, error) {
		page, err := tx.Activities().List(ctx, offers.ActivityFilter{}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize, Sort: affiliate.Sort{Desc: true}})
		for _, v := range page.Items {
			if is(v) {
				return v, nil
			}
		}
		if err == nil {
			err = affiliate.NotFound("activity", "")
		}
		return V{}, err
	}
	return table[offers.Tx, V]{
		name:   "activities",
		world:  newWorldOfOffers,
		sample: sampleActivity,
		full: func(w world) V {
			return V{ParticipantID: w.participant.ID, Type: "full", Actor: affiliate.Actor{UserID: w.users[1].ID, Name: "Åsa"}, From: "a", To: "b", CreatedAt: at(1), ReadAt: at(2)}
		},
		add: func(ctx context.Context, tx offers.Tx, v V) (V, error) {
			if err := tx.Activities().Add(ctx, v); err != nil {
				return V{}, err
			}
			return fetch(ctx, tx, func(V) bool { return true })
		},
		fetch: func(ctx context.Context, tx offers.Tx, v V) (V, error) {
			return fetch(ctx, tx, func(kept V) bool { return kept.ID == v.ID })
		},
		id: func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"type", 1, 64, func(v *V) *string { return &v.Type }, false},
			{"actor", 0, 255, func(v *V) *string { return &v.Actor.Name }, false},
			{"from", 0, 255, func(v *V) *string { return &v.From }, false},
			{"to", 0, 255, func(v *V) *string { return &v.To }, false},
		},
		references: []reference[V]{
			{"offer_user_id", func(v *V, id int64) { v.ParticipantID = id }},
			{"actor", func(v *V, id int64) { v.Actor.UserID = id }},
		},
	}
}

func testActivityList(t *testing.T, s offers.Store) {
	type V = offers.Activity
	type F = offers.ActivityFilter
	w := newWorldOfOffers(t, s)
	other := addParts(t, s, samplePart(w, 1))[0]
	make := func(n int, id int64, created, read int) V {
		a := V{ParticipantID: id, Type: fmt.Sprint(n), CreatedAt: at(created)}
		if read > 0 {
			a.ReadAt = at(read)
		}
		return a
	}
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return tx.Activities().Add(ctx, make(1, w.participant.ID, 3, 0), make(2, other.ID, 2, 1), make(3, w.participant.ID, 2, 1), make(4, other.ID, 9, 0))
	})
	list := func(ctx context.Context, tx offers.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
		return tx.Activities().List(ctx, f, p)
	}
	items := see(t, s, func(ctx context.Context, tx offers.Tx) (affiliate.Page[V], error) {
		return list(ctx, tx, F{}, affiliate.PageRequest{Number: 1, Size: 10})
	}).Items
	listing[offers.Tx, V, F]{
		items: items,
		label: func(a V) string { return a.Type },
		list:  list,
		filters: []filterRow[F]{
			{F{ParticipantID: other.ID}, "2 4"},
			{F{ParticipantID: nowhere}, ""},
			{F{Unread: affiliate.Some(true)}, "1 4"},
			{F{Unread: affiliate.Some(false)}, "2 3"},
		},
		columns: map[string]func(a, b V) int{"created_at": byTime(func(a V) time.Time { return a.CreatedAt })},
	}.check(t, s)
}

func testUnread(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	other := addParts(t, s, samplePart(w, 1))[0]
	elsewhere := sampleActivity(w, 3)
	elsewhere.ParticipantID = other.ID
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return tx.Activities().Add(ctx, sampleActivity(w, 1), sampleActivity(w, 2), elsewhere)
	})
	unread := func() map[int64]int {
		return see(t, s, func(ctx context.Context, tx offers.Tx) (map[int64]int, error) {
			return tx.Activities().Unread(ctx, []int64{other.ID, w.participant.ID, nowhere})
		})
	}
	equal(t, "unread", unread(), map[int64]int{w.participant.ID: 2, other.ID: 1})
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return tx.Activities().MarkRead(ctx, w.participant.ID, finer(at(5)))
	})
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return tx.Activities().MarkRead(ctx, w.participant.ID, at(9))
	})
	equal(t, "unread after some were read", unread(), map[int64]int{other.ID: 1})
	read(t, s, func(ctx context.Context, tx offers.Tx) error {
		page, err := tx.Activities().List(ctx, offers.ActivityFilter{ParticipantID: w.participant.ID}, affiliate.PageRequest{Number: 1, Size: 9})
		for _, a := range page.Items {
			equal(t, "read at", a.ReadAt, at(5))
		}
		return err
	})
}

// testOfferLocks sees what the two locks return, and that a unit may hold both;
// who waits for whom is a matter of the backend's own tests.
func testOfferLocks(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	kept := addAll(t, s, addOffer, sampleOffer(w, 1), sampleOffer(w, 2))
	ids := []int64{kept[1].ID, nowhere, kept[0].ID, kept[1].ID}
	for range 2 {
		write(t, s, func(ctx context.Context, tx offers.Tx) error {
			shared, err := tx.Offers().Share(ctx, ids)
			if err != nil {
				return err
			}
			equal(t, "shared", shared, kept)
			if err != nil {
				return err
			}
			locked, err := tx.Offers().Lock(ctx, ids)
			if err != nil {
				return err
			}
			equal(t, "locked", locked, kept)
			if err != nil {
				return err
			}
			none, err := tx.Offers().Share(ctx, nil)
			if err != nil {
				return err
			}
			equal(t, "none", len(none), 0)
			return nil
		})
	}
}
