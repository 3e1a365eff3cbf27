package postgres_test

import (
	"context"
	"testing"

	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// editWorld is a campaign without any limit, and a creator who takes part.
type editWorld struct {
	*is.I
	kit    *affiliatekit.Kit
	store  links.Store
	handle *bun.DB
	w      world
	offer  offers.View
	part   int64
}

func newEditWorld(t *testing.T) editWorld {
	t.Helper()
	db, handle := openInPath(t)
	return makeEditWorld(t, db, handle)
}

func makeEditWorld(t *testing.T, db *postgres.DB, handle *bun.DB) editWorld {
	t.Helper()
	e := editWorld{I: is.New(t), store: db.Links(), handle: handle, w: newWorld(t, db, 1, 1)}
	var err error
	e.kit, err = affiliatekit.New(db, affiliatekit.Options{})
	e.NoErr(err)
	made, err := e.kit.Offers.CreateOffer(t.Context(), offers.OfferInput{
		Offer: offers.Offer{AdvertiserID: e.w.advertisers[0].ID, Type: offers.Standard, Name: "c", Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](3)}}}},
	})
	e.NoErr(err)
	e.offer = made.View
	p, err := e.kit.Offers.Enroll(t.Context(), e.offer.ID, e.w.users[0].ID)
	e.NoErr(err)
	e.part = p.ID
	// The campaign's counters are there already: the first change of one locks
	// its campaign by the reference.
	_, err = e.click(t.Context(), func() {})
	e.NoErr(err)
	_, err = e.order(t.Context(), func() {})
	e.NoErr(err)
	return e
}

// click charges one click and does then, while its unit is still open, what
// meanwhile says.
func (e editWorld) click(ctx context.Context, meanwhile func()) (decided offers.Decision, err error) {
	err = e.store.Record(ctx, func(ctx context.Context, tx links.Tx) error {
		all, err := offers.Charge(ctx, tx, []offers.ClickCharge{{User: &e.w.users[0], Advertiser: &e.w.advertisers[0], At: noon}})
		if err == nil {
			decided = all[0]
			meanwhile()
		}
		return err
	})
	return decided, err
}

// order charges one order likewise.
func (e editWorld) order(ctx context.Context, meanwhile func()) (decided offers.OrderDecision, err error) {
	err = e.store.Record(ctx, func(ctx context.Context, tx links.Tx) error {
		all, err := offers.ChargeOrders(ctx, tx, []offers.OrderCharge{{OfferID: e.offer.ID, UserID: e.w.users[0].ID, Cost: 3, At: noon}})
		if err == nil {
			decided = all[0]
			meanwhile()
		}
		return err
	})
	return decided, err
}

// waited reports whether somebody came to wait for a row before done was closed.
func (e editWorld) waited(ctx context.Context, done <-chan error) bool {
	for {
		select {
		case err := <-done:
			e.NoErr(err)
			return false
		default:
		}
		var waits bool
		e.NoErr(e.handle.NewRaw(`SELECT EXISTS (SELECT FROM pg_locks AS held JOIN pg_locks AS wanted USING (pid)
			WHERE held.locktype = 'tuple' AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND held.relation = ANY(ARRAY['affiliate_offers', 'affiliate_advertisers', 'affiliate_users']::regclass[]) AND NOT wanted.granted)`).Scan(ctx, &waits))
		if waits {
			return true
		}
	}
}

// edits are changes of what decides about clicks.
func edits() map[string]func(ctx context.Context, e editWorld) error {
	change := func(f func(o *offers.Offer)) func(ctx context.Context, e editWorld) error {
		return func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Offers.UpdateOffer(ctx, e.offer.ID, offers.OfferChange{Change: func(o *offers.Offer, _ *offers.OfferChange) error {
				f(o)
				return nil
			}})
			return err
		}
	}
	return map[string]func(ctx context.Context, e editWorld) error{
		"a first budget": change(func(o *offers.Offer) { o.BudgetLimit = affiliate.Some[int64](1) }),
		"a first shared budget": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Offers.UpdateOffer(ctx, e.offer.ID, offers.OfferChange{Budget: affiliate.Some(offers.SharedBudgetInput{Title: "b", Amount: 1})})
			return err
		},
		"a first click limit": change(func(o *offers.Offer) { o.MaxClicks = affiliate.Some[int64](1) }),
		"a limit per user":    change(func(o *offers.Offer) { o.PerUserLimit, o.MaxClicks = true, affiliate.Some[int64](1) }),
		"an end":              change(func(o *offers.Offer) { o.ValidUntil = noon }),
		"other costs":         change(func(o *offers.Offer) { o.Costs = nil }),
		"paused": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Offers.PauseOffer(ctx, e.offer.ID)
			return err
		},
		"deleted": func(ctx context.Context, e editWorld) error { return e.kit.Offers.DeleteOffer(ctx, e.offer.ID) },
		"other targets": func(ctx context.Context, e editWorld) error {
			_, _, err := e.kit.Offers.AddTargets(ctx, e.offer.ID, offers.Targets{Emails: []string{"somebody@else.example"}})
			return err
		},
		"the participant refused": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Offers.MoveParticipant(ctx, e.offer.ID, e.part, offers.StoreDenied, affiliate.Actor{})
			return err
		},
		"the participant's limit": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Offers.SetClickLimit(ctx, e.offer.ID, e.part, affiliate.Some[int64](1))
			return err
		},
	}
}

// held charges nothing, and does then, while the unit is still open, what
// meanwhile says.
type held func()

func (meanwhile held) Charge(_ context.Context, _ links.Tx, clicks []links.ChargeableClick) ([]links.Charge, error) {
	meanwhile()
	charges := make([]links.Charge, len(clicks))
	for i := range charges {
		charges[i] = links.Charge{Earning: affiliate.NewMoney(3, "SEK"), Cost: affiliate.NewMoney(3, "SEK")}
	}
	return charges, nil
}

// An advertiser, a creator and the blocklist decide about clicks, too.
func TestAnEditOfAdvertiserOrCreatorWaitsForTheClicksUnderWay(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(ctx context.Context, e editWorld) error{
		"deactivated": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Core.DeactivateAdvertiser(ctx, e.w.advertisers[0].ID)
			return err
		},
		"edited": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Core.UpdateAdvertiser(ctx, e.w.advertisers[0].ID, func(a *affiliate.Advertiser) { a.Name = "other" })
			return err
		},
		"banned": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Core.BanUsers(ctx, []int64{e.w.users[0].ID}, 0)
			return err
		},
		"blocked": func(ctx context.Context, e editWorld) error {
			_, err := e.kit.Core.Block(ctx, e.w.advertisers[0].ID, affiliate.Actor{}, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: e.w.users[0].ID}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEditWorld(t)
			edited, first := make(chan error, 1), true
			service, err := links.NewService(e.store, links.Options{Clicks: links.Sync, Charger: held(func() {
				if first {
					first = false
					go func() { edited <- edit(t.Context(), e) }()
					e.True(e.waited(t.Context(), edited))
				}
			})})
			e.NoErr(err)
			r, err := service.Follow(t.Context(), links.Hit{LinkID: e.w.links[0].ID, IP: "192.0.2.7", UserAgent: "a reader"})
			e.NoErr(err)
			e.Equal(r.Click.Value.Verdict, links.VerdictValid)
			e.NoErr(<-edited)
		})
	}
}

// Once an edit is answered no click is still decided by what was before: the
// edit waits for the click that is being kept.
func TestAnEditWaitsForTheClicksThatAreDecidedByWhatItChanges(t *testing.T) {
	t.Parallel()
	for name, edit := range edits() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEditWorld(t)
			edited := make(chan error, 1)
			decided, err := e.click(t.Context(), func() {
				go func() { edited <- edit(t.Context(), e) }()
				e.True(e.waited(t.Context(), edited))
			})
			e.NoErr(err)
			e.Equal(decided.OfferID, e.offer.ID)
			e.NoErr(<-edited)
		})
	}
}

// So it is with orders, which budgets decide about.
func TestAFirstBudgetWaitsForTheOrdersThatHadNone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a first budget", "a first shared budget"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEditWorld(t)
			edited := make(chan error, 1)
			decided, err := e.order(t.Context(), func() {
				go func() { edited <- edits()[name](t.Context(), e) }()
				e.True(e.waited(t.Context(), edited))
			})
			e.NoErr(err)
			e.Equal(decided.Reason, offers.Reason(""))
			e.NoErr(<-edited)
			decided, err = e.order(t.Context(), func() {})
			e.NoErr(err)
			e.True(decided.Reason != "") // the budget of 1 has no room for 3
		})
	}
}

// A click that comes while an edit is under way waits, and is decided by it,
// whichever table the edit changes.
func TestAClickWaitsForAnEditUnderWay(t *testing.T) {
	t.Parallel()
	participant := func(change func(p *offers.Participant)) func(context.Context, links.Tx, editWorld, offers.Offer) error {
		return func(ctx context.Context, tx links.Tx, e editWorld, _ offers.Offer) error {
			p, err := tx.Participants().Get(ctx, e.part)
			if err != nil {
				return err
			}
			change(&p)
			return tx.Participants().Update(ctx, p)
		}
	}
	for name, edit := range map[string]func(context.Context, links.Tx, editWorld, offers.Offer) error{
		"paused": func(ctx context.Context, tx links.Tx, _ editWorld, o offers.Offer) error {
			o.PausedAt = noon
			return tx.Offers().Update(ctx, o)
		},
		"other targets": func(ctx context.Context, tx links.Tx, e editWorld, _ offers.Offer) error {
			return tx.Targets().Set(ctx, e.offer.ID, []offers.Target{{Kind: offers.TargetEmail, Value: "somebody@else.example"}})
		},
		"the participant refused": participant(func(p *offers.Participant) { p.Status = offers.StoreDenied }),
		"the participant's limit": participant(func(p *offers.Participant) { p.ClickLimit = affiliate.Some[int64](0) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEditWorld(t)
			before, err := e.click(t.Context(), func() {})
			e.NoErr(err)
			e.Equal([]any{before.OfferID, before.Reason}, []any{e.offer.ID, offers.Reason("")})
			clicked := make(chan error, 1)
			var decided offers.Decision
			e.NoErr(e.store.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
				locked, err := tx.Offers().Lock(ctx, []int64{e.offer.ID})
				if err != nil {
					return err
				}
				if err := edit(ctx, tx, e, locked[0]); err != nil {
					return err
				}
				go func() {
					var err error
					decided, err = e.click(t.Context(), func() {})
					clicked <- err
				}()
				e.True(e.waited(t.Context(), clicked))
				return nil
			}))
			e.NoErr(<-clicked)
			e.True(decided.OfferID == 0 || decided.Reason != "") // paid by the campaign no longer
		})
	}
}

// Clicks do not wait for each other.
func TestClicksOfAnUnlimitedCampaignShareItsLock(t *testing.T) {
	t.Parallel()
	e := newEditWorld(t)
	_, err := e.click(t.Context(), func() {
		second := make(chan error, 1)
		go func() {
			_, err := e.kit.Offers.Explain(t.Context(), e.offer.AdvertiserID, e.w.users[0].ID, affiliate.SourceGeneral)
			second <- err
		}()
		e.NoErr(<-second)
		e.NoErr(e.store.Record(t.Context(), func(ctx context.Context, tx links.Tx) error {
			found, err := tx.Targets().Serving(ctx, noon, noon, []offers.Lookup{{
				AdvertiserID: e.offer.AdvertiserID, UserID: e.w.users[0].ID, Targets: []offers.Target{{Kind: offers.TargetEveryone}},
			}})
			e.Equal(len(found[0]), 1)
			return err
		}))
	})
	e.NoErr(err)
}
