package offers_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// world is the service of offers over a store, with an advertiser and a creator.
type world struct {
	*is.I
	t      *testing.T
	b      storagetest.Backend
	now    time.Time
	core   *affiliate.Service
	links  *links.Service
	offers *offers.Service
	acme   affiliate.Advertiser
	anna   affiliate.User // has the tag, the client in the group, the tier, an e-mail and a handle

	group, client, tier, tag int64
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b)) })
}

func newWorld(t *testing.T, b storagetest.Backend) *world {
	t.Helper()
	w := &world{I: is.New(t), t: t, b: b, now: noon}
	clock := func() time.Time { return w.now }
	var err error
	w.core, err = affiliate.NewService(b.Core, affiliate.Options{Clock: clock})
	w.NoErr(err)
	w.links, err = links.NewService(b.Links, links.Options{Clock: clock})
	w.NoErr(err)
	w.offers, err = offers.NewService(w.core, b.Offers, offers.Options{Clock: clock})
	w.NoErr(err)
	ctx := t.Context()
	group, err := w.core.CreateAdvertiserGroup(ctx, affiliate.AdvertiserGroup{Name: "g", Key: "sv_SE", Currency: "SEK"})
	w.NoErr(err)
	client, _, err := w.core.CreateClient(ctx, affiliate.Client{Name: "network", GroupID: group.ID})
	w.NoErr(err)
	tier, err := w.core.CreateRevenueTier(ctx, affiliate.RevenueTier{ClientID: client.ID, Name: "gold"})
	w.NoErr(err)
	tag, err := w.core.CreateUserTag(ctx, affiliate.UserTag{Name: "vip", Slug: "vip", AccessLevel: affiliate.AccessAll})
	w.NoErr(err)
	w.group, w.client, w.tier, w.tag = group.ID, client.ID, tier.ID, tag.ID
	w.acme, err = w.core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "acme", Country: "SE", Currency: "SEK"})
	w.NoErr(err)
	w.anna = w.user(affiliate.User{
		Username: "anna", Email: "anna@a.example", ClientID: client.ID, TierID: tier.ID, TagIDs: []int64{tag.ID},
		SocialMedia: []affiliate.SocialMedia{{Type: "tiktok", Identifier: "@Anna"}},
	})
	return w
}

func (w *world) user(u affiliate.User) affiliate.User {
	w.t.Helper()
	u, err := w.core.CreateUser(w.t.Context(), u)
	w.NoErr(err)
	return u
}

// offer creates an offer of acme.
func (w *world) offer(change func(n *offers.OfferInput)) offers.Saved {
	w.t.Helper()
	n := offers.OfferInput{Offer: offers.Offer{AdvertiserID: w.acme.ID, Type: offers.Standard, Name: "campaign"}}
	if change != nil {
		change(&n)
	}
	saved, err := w.offers.CreateOffer(w.t.Context(), n)
	w.NoErr(err)
	return saved
}

// chosen is the offer that serves a click of the user, 0 for none.
func (w *world) chosen(u affiliate.User) int64 {
	w.t.Helper()
	told, err := w.offers.Explain(w.t.Context(), w.acme.ID, u.ID, affiliate.SourceGeneral)
	w.NoErr(err)
	for _, j := range told {
		if j.Chosen {
			return j.OfferID
		}
	}
	return 0
}

// fails reports whether err is of the kind and code.
func fails(err, kind error, code string) bool {
	var e *affiliate.Error
	return errors.Is(err, kind) && errors.As(err, &e) && e.Code == code
}

func TestTargetsOfEveryKindAloneAndCombined(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.user(affiliate.User{Username: "bo"})
		kinds := []struct {
			name    string
			targets offers.Targets
		}{
			{"user", offers.Targets{UserIDs: []int64{w.anna.ID}}},
			{"tag", offers.Targets{TagIDs: []int64{w.tag}}},
			{"store group", offers.Targets{StoreGroupIDs: []int64{w.group}}},
			{"client", offers.Targets{ClientIDs: []int64{w.client}}},
			{"tier", offers.Targets{RevenueTierIDs: []int64{w.tier}}},
			{"e-mail", offers.Targets{Emails: []string{" Anna@a.example"}}},
			{"identifier", offers.Targets{Identifiers: []string{"https://tiktok.com/@anna"}}},
			{"combined", offers.Targets{UserIDs: []int64{bo.ID}, Identifiers: []string{"anna"}, TagIDs: []int64{w.tag}}},
		}
		for _, k := range kinds {
			v := w.offer(func(n *offers.OfferInput) { n.Targets = k.targets })
			w.Equal(v.Skipped, offers.Targets{})
			w.Equal(w.chosen(w.anna), v.ID) // k.name
			w.Equal(w.chosen(bo) == v.ID, k.name == "combined")
			_, everyone, err := w.offers.Targets(t.Context(), v.ID)
			w.NoErr(err)
			w.True(!everyone)
			w.NoErr(w.offers.DeleteOffer(t.Context(), v.ID))
		}
		v := w.offer(nil)
		w.Equal(w.chosen(bo), v.ID) // everyone
		all, skipped, err := w.offers.AddTargets(t.Context(), v.ID, offers.Targets{Emails: []string{"anna@a.example"}})
		w.NoErr(err)
		w.Equal(skipped, offers.Targets{})
		w.Equal(all, offers.Targets{Emails: []string{"anna@a.example"}})
		w.Equal(w.chosen(bo), int64(0)) // no longer everyone
		w.Equal(w.chosen(w.anna), v.ID)
	})
}

func TestSkippedTargetsAreTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		banned := w.user(affiliate.User{Username: "banned", Email: "banned@a.example"})
		_, err := w.core.BanUsers(t.Context(), []int64{banned.ID}, 0)
		w.NoErr(err)
		blocked := w.user(affiliate.User{Username: "blocked", SocialMedia: []affiliate.SocialMedia{{Type: "x", Identifier: "blocked"}}})
		_, err = w.core.Block(t.Context(), w.acme.ID, affiliate.Actor{Name: "t"}, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: blocked.ID}}})
		w.NoErr(err)
		wrong := offers.Targets{
			UserIDs: []int64{banned.ID, blocked.ID, 999}, TagIDs: []int64{998}, StoreGroupIDs: []int64{997}, ClientIDs: []int64{996},
			RevenueTierIDs: []int64{995}, Emails: []string{"banned@a.example"}, Identifiers: []string{"blocked"},
		}
		v := w.offer(func(n *offers.OfferInput) { n.Targets = wrong })
		w.Equal(v.Skipped, wrong)
		w.Equal(w.chosen(w.anna), int64(0)) // nobody is left, which is not everyone
		_, skipped, err := w.offers.AddTargets(t.Context(), v.ID, offers.Targets{UserIDs: []int64{999, w.anna.ID}})
		w.NoErr(err)
		w.Equal(skipped, offers.Targets{UserIDs: []int64{999}})
		w.Equal(w.chosen(w.anna), v.ID)
	})
}

func TestAPreRegistrationBecomesTheUsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		byMail := w.offer(func(n *offers.OfferInput) {
			n.Offer.Type, n.Targets.Emails = offers.StoreAccept, []string{"cleo@a.example"}
		})
		byHandle := w.offer(func(n *offers.OfferInput) { n.Offer.Type, n.Targets.Identifiers = offers.UserApply, []string{"cleo"} })
		both := w.offer(func(n *offers.OfferInput) {
			n.Targets = offers.Targets{Emails: []string{"cleo@a.example"}, Identifiers: []string{"cleo"}}
		})
		cleo := w.user(affiliate.User{Username: "c", Email: "Cleo@a.example"})
		p, err := w.offers.ParticipantOf(t.Context(), byMail.ID, cleo.ID)
		w.NoErr(err)
		w.True(p.Set)
		w.Equal(p.Value.Status, offers.Open)
		w.Equal(p.Value.Email, "")
		p, err = w.offers.ParticipantOf(t.Context(), byHandle.ID, cleo.ID)
		w.NoErr(err)
		w.True(!p.Set)
		_, err = w.core.UpdateUser(t.Context(), cleo.ID, func(u *affiliate.User) {
			u.SocialMedia = []affiliate.SocialMedia{{Type: "instagram", Identifier: "Cleo"}}
		})
		w.NoErr(err)
		p, err = w.offers.ParticipantOf(t.Context(), byHandle.ID, cleo.ID)
		w.NoErr(err)
		w.True(p.Set)
		page, err := w.offers.Participants(t.Context(), offers.ParticipantFilter{OfferID: both.ID}, affiliate.PageRequest{Number: 1, Size: 9})
		w.NoErr(err)
		w.Equal(page.Total, 1) // two promises, one part
		w.Equal(page.Items[0].UserID, cleo.ID)
		w.Equal(w.chosen(cleo), both.ID)
	})
}

func TestABanDeletesParticipationsAndAnApprovalStartsAfresh(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.user(affiliate.User{Username: "bo"})
		aim := func(kind offers.Type) offers.Saved {
			return w.offer(func(n *offers.OfferInput) {
				n.Offer.Type, n.Offer.Todo, n.Targets.UserIDs = kind, []string{"post"}, []int64{w.anna.ID, bo.ID}
			})
		}
		open, standard := aim(offers.StoreAccept), aim(offers.Standard)
		p, err := w.offers.ParticipantOf(t.Context(), standard.ID, w.anna.ID)
		w.NoErr(err)
		_, err = w.offers.SetClickLimit(t.Context(), standard.ID, p.Value.ID, affiliate.Some[int64](3))
		w.NoErr(err)
		_, err = w.offers.MoveParticipant(t.Context(), standard.ID, p.Value.ID, offers.StoreDenied, affiliate.Actor{Name: "t"})
		w.NoErr(err)

		_, err = w.core.BanUsers(t.Context(), []int64{w.anna.ID}, 0)
		w.NoErr(err)
		for _, id := range []int64{open.ID, standard.ID} {
			for u, want := range map[int64]bool{w.anna.ID: false, bo.ID: true} {
				p, err := w.offers.ParticipantOf(t.Context(), id, u)
				w.NoErr(err)
				w.Equal(p.Set, want)
			}
		}
		_, err = w.offers.Join(t.Context(), open.Token, w.anna.ID)
		w.True(errors.Is(err, affiliate.ErrForbidden))

		_, err = w.core.ApproveUsers(t.Context(), []int64{w.anna.ID}, 0)
		w.NoErr(err)
		again, err := w.offers.Enroll(t.Context(), standard.ID, w.anna.ID)
		w.NoErr(err)
		w.True(again.ID != p.Value.ID)
		w.Equal(again.Status, offers.Accepted) // the refusal is gone as well
		w.True(!again.ClickLimit.Set)
		w.Equal(w.chosen(w.anna), standard.ID)
	})
}

func TestACurrencyStaysWhileAmountsExistInIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		change := func(id int64, f func(a *affiliate.Advertiser)) error {
			_, err := w.core.UpdateAdvertiser(t.Context(), id, func(a *affiliate.Advertiser) {
				a.Currency = "EUR"
				if f != nil {
					f(a)
				}
			})
			return err
		}
		shop := func(name string, costs ...affiliate.Costs) int64 {
			a, err := w.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: name, Country: "SE", Currency: "SEK", DefaultCosts: costs})
			w.NoErr(err)
			return a.ID
		}
		priced := affiliate.Costs{CPC: affiliate.Some[int64](15)}
		withCosts, withOffer, withBudget, withEntry := shop("costs", priced), shop("offer"), shop("budget"), shop("entry")
		campaign, err := w.offers.CreateOffer(t.Context(), offers.OfferInput{Offer: offers.Offer{AdvertiserID: withOffer, Type: offers.Standard, Name: "c"}})
		w.NoErr(err)
		_, err = w.offers.CreateSharedBudget(t.Context(), withBudget, offers.SharedBudgetInput{Title: "b", Amount: 1})
		w.NoErr(err)
		sek := affiliate.NewMoney(1, "SEK")
		w.NoErr(w.b.Core.Write(t.Context(), func(ctx context.Context, tx affiliate.Tx) error {
			_, err := tx.Ledger().Append(ctx, affiliate.Entry{Kind: affiliate.EntryAdjustment, Account: affiliate.UserAccount(w.anna.ID),
				AdvertiserID: withEntry, Earning: sek, Cost: sek, OccurredAt: noon, PayableAt: noon, Cause: "adjustment:1"})
			return err
		}))
		for _, id := range []int64{withCosts, withOffer, withBudget, withEntry} {
			err := change(id, nil)
			var e *affiliate.Error
			w.True(errors.As(err, &e) && e.Kind == affiliate.ErrConflict && e.Code == "currency_in_use") // id
			a, err := w.core.Advertiser(t.Context(), id)
			w.NoErr(err)
			w.Equal(a.Currency, affiliate.Currency("SEK"))
		}
		w.NoErr(change(withCosts, func(a *affiliate.Advertiser) { a.DefaultCosts = nil }))
		w.NoErr(w.offers.DeleteOffer(t.Context(), campaign.ID))
		w.NoErr(change(withOffer, nil))
		w.NoErr(change(shop("percent", affiliate.Costs{CPA: affiliate.Some(affiliate.Rate{})}), nil)) // a share has no currency
		w.NoErr(change(shop("none"), func(a *affiliate.Advertiser) { a.DefaultCosts = []affiliate.Costs{priced} }))
	})
}

// Every illegal move through the service names both states and changes nothing.
func TestIllegalMovesChangeNothing(t *testing.T) {
	w := newWorld(t, backends.Memory())
	v := w.offer(func(n *offers.OfferInput) { n.Offer.Type, n.Offer.HasProductSeeding = offers.UserApply, true })
	for i, from := range offers.ParticipantStatuses() {
		for j, to := range offers.ParticipantStatuses() {
			u := w.user(affiliate.User{Username: fmt.Sprintf("u%d-%d", i, j)})
			p, err := w.offers.Enroll(t.Context(), v.ID, u.ID)
			w.NoErr(err)
			p.Status = from
			w.NoErr(w.b.Offers.Write(t.Context(), updatePart(p.Participant)))
			before, err := w.offers.Participant(t.Context(), p.ID)
			w.NoErr(err)
			_, err = w.offers.MoveParticipant(t.Context(), v.ID, p.ID, to, affiliate.Actor{Name: "t"})
			after, readErr := w.offers.Participant(t.Context(), p.ID)
			w.NoErr(readErr)
			if offers.CanMove(from, to, true) {
				w.NoErr(err)
				w.Equal(after.Status, to)
				continue
			}
			var e *affiliate.Error
			w.True(errors.As(err, &e) && e.Kind == affiliate.ErrState && e.Message == fmt.Sprintf("a participant cannot go from %s to %s", from, to))
			w.Equal(after, before)
		}
	}
}

func TestJoin(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.user(affiliate.User{Username: "bo"})
		join := func(v offers.Saved, u affiliate.User) (offers.ParticipantStatus, error) {
			p, err := w.offers.Join(t.Context(), v.Token, u.ID)
			return p.Status, err
		}
		aimed := func(kind offers.Type) offers.Saved {
			return w.offer(func(n *offers.OfferInput) { n.Offer.Type, n.Targets.TagIDs = kind, []int64{w.tag} })
		}
		status, err := join(aimed(offers.UserApply), w.anna)
		w.NoErr(err)
		w.Equal(status, offers.Applied)
		invited := aimed(offers.StoreAccept)
		for range 2 {
			status, err = join(invited, w.anna)
			w.NoErr(err)
			w.Equal(status, offers.Accepted)
		}
		w.Equal(w.chosen(w.anna), invited.ID)
		_, err = join(invited, bo)
		w.True(fails(err, affiliate.ErrForbidden, "not_targeted"))
		_, err = join(aimed(offers.Standard), w.anna)
		w.True(fails(err, affiliate.ErrState, "not_joinable"))
		_, err = w.offers.PauseOffer(t.Context(), invited.ID)
		w.NoErr(err)
		_, err = join(invited, w.anna)
		w.True(fails(err, affiliate.ErrState, "not_active"))
	})
}

func TestDoneIsPaidOnceWithinTheBudget(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.user(affiliate.User{Username: "bo"})
		v := w.offer(func(n *offers.OfferInput) {
			n.Offer.HasOneTimePayment, n.Offer.OneTimePayment, n.Offer.BudgetLimit = true, 60, affiliate.Some[int64](100)
			n.Targets.UserIDs = []int64{w.anna.ID, bo.ID}
		})
		part := func(u affiliate.User) offers.ParticipantView {
			p, err := w.offers.ParticipantOf(t.Context(), v.ID, u.ID)
			w.NoErr(err)
			return p.Value
		}
		move := func(u affiliate.User, to offers.ParticipantStatus) error {
			_, err := w.offers.MoveParticipant(t.Context(), v.ID, part(u).ID, to, affiliate.Actor{})
			return err
		}
		w.NoErr(move(w.anna, offers.Done))
		w.NoErr(move(w.anna, offers.Done))
		w.True(fails(move(bo, offers.Done), affiliate.ErrConflict, "budget_exceeded"))
		w.Equal(part(bo).Status, offers.Accepted)
		_, err := w.offers.SetPaymentAmount(t.Context(), v.ID, part(bo).ID, affiliate.Some(affiliate.NewMoney(40, "SEK")))
		w.NoErr(err)
		w.NoErr(move(bo, offers.Done))
		_, err = w.offers.SetPaymentAmount(t.Context(), v.ID, part(bo).ID, affiliate.Some(affiliate.NewMoney(1, "SEK")))
		w.True(fails(err, affiliate.ErrState, "already_done"))
		after, err := w.offers.Offer(t.Context(), v.ID)
		w.NoErr(err)
		w.Equal(after.Used, offers.Counts{Spent: 100})
		w.Equal(after.Status, offers.Ended)
		entries, err := w.core.Entries(t.Context(), affiliate.EntryFilter{Kind: affiliate.EntryParticipation}, affiliate.PageRequest{Number: 1, Size: 9})
		w.NoErr(err)
		w.Equal(entries.Total, 2)
		_, err = w.offers.Reverse(t.Context(), affiliate.Reversal{EntryID: entries.Items[0].ID, Earning: entries.Items[0].Earning,
			Cost: affiliate.NewMoney(10, "SEK"), Cause: "r"})
		w.NoErr(err)
		after, err = w.offers.Offer(t.Context(), v.ID)
		w.NoErr(err)
		w.Equal(after.Used, offers.Counts{Spent: 90})
		w.Equal(after.Status, offers.Active)
		diffs, err := w.links.Verify(t.Context())
		w.NoErr(err)
		w.Equal(len(diffs), 0)
	})
}

// Time alone changes a status, wherever it shows.
func TestStatusFollowsTheClock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.offer(func(n *offers.OfferInput) {
			n.Offer.ValidFrom, n.Offer.ValidUntil = noon.Add(time.Hour), noon.Add(2*time.Hour)
		})
		for after, want := range map[time.Duration]offers.Status{
			0: offers.Scheduled, time.Hour - time.Microsecond: offers.Scheduled, time.Hour: offers.Active, 2 * time.Hour: offers.Ended,
		} {
			w.now = noon.Add(after)
			got, err := w.offers.Offer(t.Context(), v.ID)
			w.NoErr(err)
			w.Equal(got.Status, want)
			for _, status := range offers.Statuses() {
				page, err := w.offers.Offers(t.Context(), offers.OfferFilter{Statuses: []offers.Status{status}}, affiliate.PageRequest{Number: 1, Size: 9})
				w.NoErr(err)
				w.Equal(page.Total == 1, status == want)
			}
			w.Equal(w.chosen(w.anna) == v.ID, want == offers.Active)
			seen, err := w.offers.UserOffers(t.Context(), w.anna.ID, offers.UserOffersFilter{})
			w.NoErr(err)
			w.Equal(len(seen) == 1, want == offers.Active)
		}
	})
}

func TestAnOfferRanksRightBehindAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		order := func() string {
			told, err := w.offers.Explain(t.Context(), w.acme.ID, w.anna.ID, 0)
			w.NoErr(err)
			text := ""
			for _, j := range told {
				text += strconv.FormatInt(j.OfferID, 10) + " "
			}
			return text
		}
		a, b := w.offer(nil), w.offer(nil)
		w.Equal(order(), fmt.Sprintf("%d %d ", b.ID, a.ID)) // first by default
		want := []int64{b.ID, a.ID}
		for range 40 { // more than fit the gap: they are numbered anew
			n := w.offer(func(n *offers.OfferInput) { n.After = b.ID })
			want = append([]int64{b.ID, n.ID}, want[1:]...)
		}
		text := ""
		for _, id := range want {
			text += strconv.FormatInt(id, 10) + " "
		}
		w.Equal(order(), text)
		_, err := w.offers.UpdateOffer(t.Context(), b.ID, offers.OfferChange{After: affiliate.Some(a.ID)})
		w.NoErr(err)
		w.Equal(order(), text[len(strconv.FormatInt(b.ID, 10))+1:]+strconv.FormatInt(b.ID, 10)+" ")
		_, err = w.offers.UpdateOffer(t.Context(), b.ID, offers.OfferChange{After: affiliate.Some[int64](9999)})
		w.True(errors.Is(err, affiliate.ErrInvalid))
	})
}

func TestImagesAreToldByContent(t *testing.T) {
	w := newWorld(t, backends.Memory())
	v := w.offer(nil)
	_, err := w.offers.SetImage(t.Context(), v.ID, []byte("<svg/>"))
	w.True(errors.Is(err, affiliate.ErrInvalid))
	png := []byte("\x89PNG\r\n\x1a\n and more")
	changed, err := w.offers.SetImage(t.Context(), v.ID, png)
	w.NoErr(err)
	got, err := w.offers.Image(t.Context(), changed.ImageKey)
	w.NoErr(err)
	w.Equal(got, png)
}

// updatePart puts a participant where the table alone would not.
func updatePart(p offers.Participant) func(ctx context.Context, tx offers.Tx) error {
	return func(ctx context.Context, tx offers.Tx) error { return tx.Participants().Update(ctx, p) }
}
