package links_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestClickIsPaidOnceAndTheLedgerProvesIt(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		l := w.convert(w.anna, "https://acme.example/shoes#top")
		r, err := w.links.Follow(t.Context(), links.Hit{LinkID: l.ID, IP: "192.0.2.1", UserAgent: "Firefox"})
		is.NoErr(err)
		c := r.Click.Value
		is.Equal(r.URL, "https://acme.example/shoes?mtpc_cid="+c.ID.String()+"#top")
		is.Equal(c.Verdict, links.VerdictValid)
		is.Equal(c.Earning, affiliate.NewMoney(10, "SEK"))
		is.Equal(c.Cost, affiliate.NewMoney(12, "SEK"))
		is.Equal(c.At, noon)
		is.Equal(c.ID.Version(), uuid.Version(7))
		is.Equal(w.click(l, 1).Verdict, links.VerdictDuplicate)
		is.Equal(w.click(l, 2).Verdict, links.VerdictValid)

		balances, err := w.core.Balances(t.Context(), affiliate.UserAccount(w.anna.ID))
		is.NoErr(err)
		is.Equal(len(balances), 1)
		is.Equal(balances[0].Payable, affiliate.NewMoney(20, "SEK"))
		entries, err := w.core.Entries(t.Context(), affiliate.EntryFilter{AdvertiserID: w.acme.ID}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(entries.Total, 2)
		is.Equal(entries.Items[0].Cause, c.Cause())
		is.True(strings.Contains(entries.Items[0].Terms, `"cpc":10`))
		var rows []stats.Row
		is.NoErr(b.Links.Read(t.Context(), func(ctx context.Context, tx links.Tx) (err error) {
			rows, err = tx.Stats().Sum(ctx, stats.Filter{UserIDs: []int64{w.anna.ID}}, stats.ByDay)
			return err
		}))
		is.Equal(len(rows), 1)
		is.Equal(rows[0].Day, links.DayOf(noon))
		is.Equal(rows[0].Figures, stats.Figures{Clicks: 2, Duplicates: 1, ClickEarning: 20, ClickCost: 24})
		w.verify()
	})
}

func TestVerdicts(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b, links.Options{})
		l := w.convert(w.anna, "https://acme.example/")
		visitor := 0
		follow := func(bot bool) (links.Redirect, error) {
			visitor++
			return w.links.Follow(t.Context(), links.Hit{LinkID: l.ID, IP: fmt.Sprint(visitor), UserAgent: "x", Bot: bot})
		}
		var entry affiliate.BlocklistEntry
		unblock := func() { w.must(w.core.Unblock(t.Context(), w.acme.ID, entry.ID)) }
		block := func(in affiliate.BlockInput) {
			added, err := w.core.Block(t.Context(), w.acme.ID, affiliate.Actor{}, in)
			w.must(err)
			entry = added[0].Entry
		}
		setStatus := func(s affiliate.AdvertiserStatus) {
			_, err := w.core.UpdateAdvertiser(t.Context(), w.acme.ID, func(a *affiliate.Advertiser) { a.Status = s })
			w.must(err)
		}
		nothing := func() {}
		const target = "https://acme.example/"
		for _, c := range []struct {
			name       string
			do, undo   func()
			bot        bool
			verdict    links.Verdict
			reason     string
			plainOnly  bool // the reader is sent to the plain URL
			earnsMinor int64
		}{
			{"valid", nothing, nothing, false, links.VerdictValid, "", false, 10},
			{"bot", nothing, nothing, true, links.VerdictBot, "bot", false, 0},
			{"blocked user", func() { block(affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: w.anna.ID}}}) }, unblock, false, links.VerdictBlocked, "blocklist", false, 0},
			{"blocked user whose clicks are validated", func() {
				block(affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: w.anna.ID, ValidateClicks: true}}})
			}, unblock, false, links.VerdictValid, "", false, 10},
			{"blocked tag", func() { block(affiliate.BlockInput{UserTagIDs: []int64{w.tag}}) }, unblock, false, links.VerdictBlocked, "blocklist", false, 0},
			{"blocked client", func() { block(affiliate.BlockInput{ClientIDs: []int64{w.client}}) }, unblock, false, links.VerdictBlocked, "blocklist", false, 0},
			{"somebody else is blocked", func() { block(affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: w.bo.ID}}}) }, unblock, false, links.VerdictValid, "", false, 10},
			{"deactivated advertiser", func() { setStatus(affiliate.AdvertiserDeactivated) }, func() { setStatus(affiliate.AdvertiserActive) }, false, links.VerdictBlocked, "advertiser_deactivated", true, 0},
			{"banned creator", func() { _, err := w.core.BanUsers(t.Context(), []int64{w.anna.ID}, 0); w.must(err) },
				func() { _, err := w.core.ApproveUsers(t.Context(), []int64{w.anna.ID}, 0); w.must(err) }, false, links.VerdictBlocked, "user_suspended", true, 0},
			{"deleted link", func() { w.must(w.links.DeleteLink(t.Context(), l.ID)) }, nothing, false, links.VerdictBlocked, "link_deleted", true, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				is := is.New(t)
				c.do()
				defer c.undo()
				r, err := follow(c.bot)
				is.NoErr(err)
				is.Equal(r.Click.Value.Verdict, c.verdict)
				is.Equal(r.Click.Value.Reason, c.reason)
				is.Equal(r.Click.Value.Earning.Minor(), c.earnsMinor)
				is.Equal(r.URL == target, c.plainOnly)
			})
		}
		w.verify()
	})
}

func TestRatesByTrafficSource(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		l := w.convert(w.anna, "https://acme.example/")
		for source, want := range map[affiliate.TrafficSource][2]int64{
			affiliate.SourceGeneral:  {10, 12},
			affiliate.SourceTikTok:   {10, 10}, // the invoice rate is the creator's where there is none
			affiliate.SourceFacebook: {0, 0},   // no rate: free
		} {
			c := w.hit(links.Hit{LinkID: l.ID, IP: source.String(), Source: source})
			is.Equal(c.Verdict, links.VerdictValid)
			is.Equal([2]int64{c.Earning.Minor(), c.Cost.Minor()}, want)
		}
		entries, err := w.core.Entries(t.Context(), affiliate.EntryFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(entries.Total, 2) // nothing is booked where nothing moves
		w.verify()
	})
}

func TestHeldClicksArePendingUntilTheirTime(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{ClickHold: time.Hour})
		w.click(w.convert(w.anna, "https://acme.example/"), 1)
		balance := func() affiliate.Balance {
			all, err := w.core.Balances(t.Context(), affiliate.UserAccount(w.anna.ID))
			is.NoErr(err)
			return all[0]
		}
		is.Equal(balance().Pending.Minor(), int64(10))
		is.Equal(balance().Payable.Minor(), int64(0))
		w.clock.Advance(time.Hour)
		is.Equal(balance().Pending.Minor(), int64(0))
		is.Equal(balance().Payable.Minor(), int64(10))
	})
}

func TestFollowInsideAUnitIsRefusedAlone(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		id := w.convert(w.anna, "https://acme.example/").ID
		hit := links.Hit{LinkID: id, IP: "192.0.2.1", UserAgent: "Firefox"}
		is.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, _ links.Tx) error {
			_, err := w.links.Follow(ctx, hit)
			is.True(errors.Is(err, affiliate.ErrNested))
			return nil
		}))
		_, err := w.links.Follow(t.Context(), hit)
		is.NoErr(err)
	})
}

func TestDuplicateWindowAcrossMidnight(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		l := w.convert(w.anna, "https://acme.example/")
		at := func(d time.Duration) links.Verdict {
			w.clock.Set(noon.Add(11*time.Hour + 59*time.Minute + d)) // d after a minute to midnight
			return w.click(l, 1).Verdict
		}
		is.Equal(at(0), links.VerdictValid)
		is.Equal(at(2*time.Minute), links.VerdictDuplicate) // the key has changed meanwhile
		is.Equal(at(24*time.Hour-time.Microsecond), links.VerdictDuplicate)
		is.Equal(at(24*time.Hour), links.VerdictValid) // counted from the valid click, not from its duplicates
		w.verify()
	})
}

func TestUncountedHitsLeaveNoTrace(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		l := w.convert(w.anna, "https://acme.example/")
		r, err := w.links.Follow(t.Context(), links.Hit{LinkID: l.ID, IP: "1", Uncounted: true})
		is.NoErr(err)
		is.Equal(r.URL, "https://acme.example/")
		is.True(!r.Click.Set)
		is.Equal(len(w.verdicts()), 0)
		_, err = w.links.Follow(t.Context(), links.Hit{LinkID: l.ID + 1, IP: "1"})
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

// TestOneVisitorManyAtOnce races one visitor's clicks through two services on
// one store, as two processes would run them, in every mode.
func TestOneVisitorManyAtOnce(t *testing.T) {
	for _, mode := range []links.ClickMode{links.GroupCommit, links.Sync, links.Async} {
		t.Run(mode.String(), func(t *testing.T) {
			backends.Each(t, func(t *testing.T, b storagetest.Backend) {
				is := is.New(t)
				w := newWorld(t, b, links.Options{Clicks: mode})
				other, err := links.NewService(b.Links, links.Options{Clicks: mode, Clock: w.clock.Now})
				is.NoErr(err)
				services := []*links.Service{w.links, other}
				ctx, stop := context.WithCancel(t.Context())
				var running sync.WaitGroup
				for _, s := range services {
					running.Go(func() {
						if err := s.Run(ctx); err != nil {
							t.Error(err)
						}
					})
				}
				l := w.convert(w.anna, "https://acme.example/")
				const clicks = 40
				var wg sync.WaitGroup
				for i := range clicks {
					wg.Go(func() {
						if _, err := services[i%2].Follow(t.Context(), links.Hit{LinkID: l.ID, IP: "192.0.2.1", UserAgent: "x"}); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				stop()
				running.Wait()
				is.Equal(w.verdicts(), map[links.Verdict]int{links.VerdictValid: 1, links.VerdictDuplicate: clicks - 1})
				is.Equal(w.links.Dropped()+other.Dropped(), int64(0))
				w.verify()
			})
		})
	}
}

// TestAsyncCountsWhatItLosesAndDrainsWhenItStops has a queue of three clicks, the
// second of which cannot be kept, since its id is the first one's.
func TestAsyncCountsWhatItLosesAndDrainsWhenItStops(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		twice, err := uuid.NewV7()
		is.NoErr(err)
		ids := 0
		w := newWorld(t, b, links.Options{Clicks: links.Async, ClickQueue: 3, NewID: func() (uuid.UUID, error) {
			if ids++; ids <= 2 {
				return twice, nil
			}
			return uuid.NewV7()
		}})
		l := w.convert(w.anna, "https://acme.example/")
		for i := range 5 {
			r, err := w.links.Follow(t.Context(), links.Hit{LinkID: l.ID, IP: strconv.Itoa(i), UserAgent: "Firefox"})
			is.NoErr(err)
			is.True(!r.Click.Set) // nothing is known of it yet
		}
		_, err = w.links.Follow(t.Context(), links.Hit{LinkID: l.ID + 1, IP: "1", UserAgent: "Firefox"})
		is.True(errors.Is(err, affiliate.ErrNotFound)) // and is not queued
		is.Equal(w.links.Dropped(), int64(2))
		is.Equal(len(w.verdicts()), 0)

		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		is.NoErr(w.links.Run(stopped))
		is.Equal(w.verdicts(), map[links.Verdict]int{links.VerdictValid: 2})
		is.Equal(w.links.Dropped(), int64(3)) // the one that could not be kept too
		w.verify()
	})
}

func TestVerifyTellsWhatWasTamperedWith(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		c := w.click(w.convert(w.anna, "https://acme.example/"), 1)
		w.verify()
		found := func() string {
			diffs, err := w.links.Verify(t.Context())
			is.NoErr(err)
			var what []string
			for _, d := range diffs {
				what = append(what, d.What)
			}
			return strings.Join(what, "; ")
		}
		is.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			return stats.Record(ctx, tx, stats.Fact{Kind: stats.ClickBot, Day: links.DayOf(noon), AdvertiserID: w.acme.ID, Source: affiliate.SourceTikTok})
		}))
		day := fmt.Sprintf("statistics of 2026-03-18 advertiser %d source 2", w.acme.ID)
		is.Equal(found(), day)
		stray := c
		stray.ID = uuid.Must(uuid.NewV7())
		is.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, stray) }))
		// Paid, yet not booked; and the roll-ups of its advertiser, creator and link lack it.
		lacks := fmt.Sprintf("statistics of 2026-03-18 advertiser %d source 0; %s; statistics of 2026-03-18 advertiser %d offer 0 user %d source 0; "+
			"statistics of 2026-03-18 advertiser %d offer 0 user %d link %d source 0", w.acme.ID, day, w.acme.ID, w.anna.ID, w.acme.ID, w.anna.ID, c.LinkID)
		is.Equal(found(), stray.Cause()+"; "+lacks)
		is.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			_, err := tx.Ledger().Append(ctx, affiliate.Entry{Kind: affiliate.EntryClick, Account: affiliate.UserAccount(w.bo.ID), Earning: c.Earning, Cost: c.Cost,
				OccurredAt: noon, PayableAt: noon, Cause: "click:none"})
			return err
		}))
		is.Equal(found(), stray.Cause()+"; entries of clicks; "+lacks)
	})
}
