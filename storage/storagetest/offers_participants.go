package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// samplePart is a pre-registration that n alone has.
func samplePart(w world, n int) offers.Participant {
	return offers.Participant{OfferID: w.offer.ID, Identifier: fmt.Sprintf("handle%d", n), Status: offers.Suggestion}
}

func partTable() table[offers.Tx, offers.Participant] {
	type V = offers.Participant
	return table[offers.Tx, V]{
		name:   "participants",
		world:  newWorldOfOffers,
		sample: samplePart,
		full: func(w world) V {
			return V{
				OfferID: w.offer.ID, UserID: w.users[1].ID, Status: offers.HavePosted, Todo: []offers.TodoItem{{Key: "b", Done: true}, {Key: "a"}},
				PaymentAmount: affiliate.Some[int64](0), ClickLimit: affiliate.Some[int64](offers.MaxAmount), Costs: sampleCosts(), CreatedAt: at(1), UpdatedAt: at(2),
			}
		},
		unset:  []string{"Email", "Identifier"},
		add:    addPart,
		fetch:  func(ctx context.Context, tx offers.Tx, v V) (V, error) { return tx.Participants().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx offers.Tx, v V) error { return tx.Participants().Update(ctx, v) },
		getMany: func(ctx context.Context, tx offers.Tx, ids []int64) ([]V, error) {
			return tx.Participants().GetMany(ctx, ids)
		},
		id: func(v *V) *int64 { return &v.ID },
		broken: []broken[V]{
			{"status", "unknown_status", func(v *V) { v.Status = "lost" }},
			{"user_id", "not_one", func(v *V) { v.Identifier = "" }},
			{"user_id", "not_one", func(v *V) { v.Email = "a@b.c" }},
			{"email", "not_normalized", func(v *V) { v.Identifier, v.Email = "", "A@b.c" }},
			{"identifier", "not_normalized", func(v *V) { v.Identifier = "@a" }},
			{"identifier", "nul", func(v *V) { v.Identifier = "a\x00" }},
			{"todo.0.key", "required", func(v *V) { v.Todo = []offers.TodoItem{{}} }},
			{"payment_amount", "out_of_range", func(v *V) { v.PaymentAmount = affiliate.Some[int64](-1) }},
			{"click_limit", "out_of_range", func(v *V) { v.ClickLimit = affiliate.Some[int64](-1) }},
		},
		references: []reference[V]{
			{"offer_id", func(v *V, id int64) { v.OfferID = id }},
			{"user_id", func(v *V, id int64) { v.UserID, v.Identifier = id, "" }},
		},
	}
}

func addParts(t *testing.T, s offers.Store, parts ...offers.Participant) []offers.Participant {
	t.Helper()
	return put(t, s, func(ctx context.Context, tx offers.Tx) ([]offers.Participant, error) {
		return tx.Participants().AddMissing(ctx, parts...)
	})
}

func testAddMissingParts(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	user := func(i int) offers.Participant {
		return offers.Participant{OfferID: w.offer.ID, UserID: w.users[i].ID, Status: offers.Applied}
	}
	mail := offers.Participant{OfferID: w.offer.ID, Email: "a@b.c", Status: offers.Open}
	other := addAll(t, s, addOffer, sampleOffer(w, 1))[0]
	elsewhere := mail
	elsewhere.OfferID = other.ID
	equal(t, "added nothing", addParts(t, s), []offers.Participant(nil))
	added := addParts(t, s, user(0), mail, user(1), samplePart(w, 1), mail, elsewhere, user(1))
	want := []offers.Participant{mail, user(1), samplePart(w, 1), elsewhere}
	if len(added) != len(want) {
		t.Fatalf("added %+v, want %+v", added, want)
	}
	for i := range want {
		want[i].ID = added[i].ID
	}
	equal(t, "added", added, want)
	equal(t, "added again", addParts(t, s, user(0), mail, samplePart(w, 1)), []offers.Participant(nil))
	err := s.Write(t.Context(), func(ctx context.Context, tx offers.Tx) error {
		return second(tx.Participants().AddMissing(ctx, user(2), offers.Participant{OfferID: nowhere, UserID: nowhere, Status: offers.Open}))
	})
	for _, field := range []string{"offer_id", "user_id"} { // the unit tells of both
		if problem := unknown(field).problem(err); problem != "" {
			t.Errorf("the second of two: %s", problem)
		}
	}
}

func testPartLookups(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	other := addAll(t, s, addOffer, sampleOffer(w, 1))[0]
	added := addParts(t, s,
		offers.Participant{OfferID: other.ID, UserID: w.users[0].ID, Status: offers.Open},
		offers.Participant{OfferID: other.ID, UserID: w.users[1].ID, Status: offers.Open},
		offers.Participant{OfferID: other.ID, Email: "a@b.c", Status: offers.Open},
		offers.Participant{OfferID: w.offer.ID, Email: "a@b.c", Status: offers.Open},
		offers.Participant{OfferID: w.offer.ID, Identifier: "anna", Status: offers.Open},
	)
	type parts = []offers.Participant
	byParts := func(list ...offers.Part) parts {
		return see(t, s, func(ctx context.Context, tx offers.Tx) (parts, error) { return tx.Participants().ByParts(ctx, list) })
	}
	equal(t, "by parts", byParts(offers.Part{OfferID: other.ID, UserID: w.users[1].ID}, offers.Part{OfferID: w.offer.ID, UserID: w.users[0].ID},
		offers.Part{OfferID: w.offer.ID, UserID: w.users[1].ID}, offers.Part{OfferID: w.offer.ID}), parts{w.participant, added[1]})
	equal(t, "by no parts", byParts(), parts(nil))
	byUser := func(id int64) parts {
		return see(t, s, func(ctx context.Context, tx offers.Tx) (parts, error) { return tx.Participants().ByUser(ctx, id) })
	}
	equal(t, "by user", byUser(w.users[0].ID), parts{w.participant, added[0]})
	equal(t, "by nobody", byUser(0), parts(nil))
	promised := func(emails, identifiers []string) parts {
		return see(t, s, func(ctx context.Context, tx offers.Tx) (parts, error) {
			return tx.Participants().PreRegistered(ctx, emails, identifiers)
		})
	}
	equal(t, "pre-registered", promised([]string{"a@b.c", "\x00"}, []string{"anna", "bo"}), added[2:])
	equal(t, "pre-registered by identifier", promised(nil, []string{"anna"}), added[4:])
	last := addParts(t, s, offers.Participant{OfferID: w.offer.ID, Email: "z@b.c", Status: offers.Open})
	equal(t, "pre-registered, by id", promised([]string{"z@b.c"}, []string{"anna"}), parts{added[4], last[0]})
	equal(t, "pre-registered by what is not kept", promised([]string{"a@b.c\x00"}, []string{"anna\x00"}), parts(nil))
	equal(t, "pre-registered by nothing", promised([]string{""}, []string{"", "a@b.c"}), parts(nil))
}

func testPartTaken(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	added := addParts(t, s,
		offers.Participant{OfferID: w.offer.ID, Email: "a@b.c", Status: offers.Open},
		offers.Participant{OfferID: w.offer.ID, Identifier: "anna", Status: offers.Open},
		offers.Participant{OfferID: w.offer.ID, Identifier: "bo", Status: offers.Open},
	)
	for field, change := range map[string]func(p *offers.Participant){
		"user_id":    func(p *offers.Participant) { p.UserID = w.users[0].ID },
		"email":      func(p *offers.Participant) { p.Email = "a@b.c" },
		"identifier": func(p *offers.Participant) { p.Identifier = "anna" },
	} {
		p := added[2]
		p.Identifier = ""
		change(&p)
		refused(t, s, taken(field), func(ctx context.Context, tx offers.Tx) error { return tx.Participants().Update(ctx, p) })
	}
	p := added[2]
	p.Identifier, p.UserID = "", w.users[1].ID
	write(t, s, func(ctx context.Context, tx offers.Tx) error { return tx.Participants().Update(ctx, p) })
	equal(t, "the handle is free", len(addParts(t, s, added[2])), 1)
}

func testPartDelete(t *testing.T, s offers.Store) {
	w := newWorldOfOffers(t, s)
	list := addAll(t, s, addComment, sampleComment(w, 1), sampleComment(w, 2), sampleComment(w, 3))
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return tx.Activities().Add(ctx, sampleActivity(w, 1), sampleActivity(w, 2), sampleActivity(w, 3))
	})
	remove := func(id int64) func(ctx context.Context, tx offers.Tx) error {
		return func(ctx context.Context, tx offers.Tx) error { return tx.Participants().Delete(ctx, id) }
	}
	if err := s.Write(t.Context(), func(ctx context.Context, tx offers.Tx) error {
		return all(func() error { return remove(w.participant.ID)(ctx, tx) }, func() error { return errMine })
	}); err != errMine {
		t.Errorf("Write: got %v, want the callback's error", err)
	}
	left := func(comments []offers.Comment, activities int) {
		t.Helper()
		read(t, s, func(ctx context.Context, tx offers.Tx) error {
			got, err := tx.Comments().ByParticipant(ctx, w.participant.ID)
			if err != nil {
				return err
			}
			page, err := tx.Activities().List(ctx, offers.ActivityFilter{}, affiliate.PageRequest{Number: 1, Size: 1})
			equal(t, "comments", got, comments)
			equal(t, "activities", page.Total, activities)
			return err
		})
	}
	left(list, 3)
	notInRead(t, s, remove(w.participant.ID))
	left(list, 3)
	write(t, s, remove(w.participant.ID))
	left(nil, 0)
	unreadable(t, s, missing, func(ctx context.Context, tx offers.Tx) error { return second(tx.Comments().Get(ctx, list[0].ID)) })
	for _, id := range []int64{w.participant.ID, nowhere, 0} {
		refused(t, s, missing, remove(id))
	}
}

// testPartQuery searches for a participant in a store without users.
func testPartQuery(t *testing.T, s offers.Store) {
	a := put(t, s, func(ctx context.Context, tx offers.Tx) (affiliate.Advertiser, error) {
		return tx.Advertisers().Add(ctx, sampleAdvertiser(1))
	})
	o := addAll(t, s, addOffer, sampleOffer(world{advertisers: [3]affiliate.Advertiser{a}}, 1))[0]
	want := addParts(t, s, offers.Participant{OfferID: o.ID, Email: "a@b.c", Status: offers.Open})
	for query, want := range map[string][]offers.Participant{"A@": want, "x": nil} {
		page := see(t, s, func(ctx context.Context, tx offers.Tx) (affiliate.Page[offers.Participant], error) {
			return tx.Participants().List(ctx, offers.ParticipantFilter{Query: query}, affiliate.PageRequest{Number: 1, Size: 9})
		})
		equal(t, "found by "+query, page.Items, want)
	}
}

func testPartList(t *testing.T, s offers.Store) {
	type V = offers.Participant
	type F = offers.ParticipantFilter
	w := newWorld(t, s)
	named := func(u affiliate.User) affiliate.User {
		return put(t, s, func(ctx context.Context, tx offers.Tx) (affiliate.User, error) { return tx.Users().Add(ctx, u) })
	}
	anna, bo := named(affiliate.User{Username: "Anna_", Email: "x@anna.example"}), named(affiliate.User{Username: "bo", DisplayName: "JoAnna"})
	o := addAll(t, s, addOffer, sampleOffer(w, 1), sampleOffer(w, 2))
	part := func(i int, v V, status offers.ParticipantStatus, created, updated int) V {
		v.OfferID, v.Status, v.CreatedAt, v.UpdatedAt = o[i].ID, status, at(created), at(updated)
		return v
	}
	items := addParts(t, s,
		part(0, V{UserID: bo.ID}, offers.Open, 4, 1),
		part(0, V{UserID: anna.ID}, offers.Applied, 3, 2),
		part(0, V{Email: "pre@anna.example"}, offers.Open, 3, 2),
		part(1, V{UserID: anna.ID}, offers.Done, 2, 9),
		part(1, V{Identifier: "joanna"}, offers.Denied, 1, 0),
	)
	label := map[int64]string{}
	for i, p := range items {
		label[p.ID] = string(rune('a' + i))
	}
	click := func(i int, user int64, day int) stats.Fact {
		return stats.Fact{Kind: stats.ClickValid, Day: stats.DayOf(base().AddDate(0, 0, day), &w.advertisers[0]), AdvertiserID: o[i].AdvertiserID, OfferID: o[i].ID, UserID: user}
	}
	capped := click(0, anna.ID, 0)
	capped.Kind = stats.ClickCapped
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return stats.Record(ctx, tx, click(0, bo.ID, 0), click(0, bo.ID, 5), click(1, anna.ID, 3), capped)
	})
	active := affiliate.Some(true)
	filters := []filterRow[F]{
		{F{OfferID: o[0].ID}, "a b c"},
		{F{OfferID: nowhere}, ""},
		{F{UserID: anna.ID}, "b d"},
		{F{Statuses: []offers.ParticipantStatus{offers.Open, offers.Done}}, "a c d"},
		{F{Statuses: []offers.ParticipantStatus{}}, ""},
		{F{Query: "ANNA"}, "a b c d e"},
		{F{Query: "anna_"}, "b d"},
		{F{Query: "pre@"}, "c"},
		{F{Query: "joanna"}, "a e"},
		{F{Query: "@anna.example"}, "b c d"},
		{F{Query: fmt.Sprint(bo.ID)}, "a"},
		{F{Query: "\x00"}, ""},
		{F{IDs: []int64{items[4].ID, items[1].ID, nowhere}}, "b e"},
		{F{IDs: []int64{}}, ""},
		{F{Active: active}, "a d"},
		{F{Active: affiliate.Some(false)}, "b c e"},
		{F{Active: active, From: base().AddDate(0, 0, 3)}, "a d"},
		{F{Active: active, From: base().AddDate(0, 0, 4)}, "a"},
		{F{Active: active, From: base().AddDate(0, 0, 1), Until: base().AddDate(0, 0, 5)}, "d"},
		{F{Active: affiliate.Some(false), Until: base().AddDate(0, 0, 3)}, "b c d e"},
		{F{From: base(), Until: base()}, "a b c d e"},
	}
	listing[offers.Tx, V, F]{
		items: items,
		label: func(p V) string { return label[p.ID] },
		list: func(ctx context.Context, tx offers.Tx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Participants().List(ctx, f, p)
		},
		filters: filters,
		modify:  []string{"From", "Until"},
		columns: map[string]func(a, b V) int{
			"user_id":    byNumber(func(p V) int64 { return p.UserID }),
			"status":     byText(func(p V) string { return string(p.Status) }),
			"created_at": byTime(func(p V) time.Time { return p.CreatedAt }),
			"updated_at": byTime(func(p V) time.Time { return p.UpdatedAt }),
		},
	}.check(t, s)
}
