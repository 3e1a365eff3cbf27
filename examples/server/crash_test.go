package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const (
	readers   = 32  // who click at once
	revisits  = 6   // clicks in a row from one browser, on a third as many links each
	killAfter = 500 // answers
)

// Nobody is sent on with a click that a crash can lose.
func TestKilledServerLosesNoAnsweredClick(t *testing.T) {
	for _, mode := range []string{"sync", "group"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			dsn := pgtest.DSN(t)
			p := spawn(t, "-demo", "-dsn", dsn, "-rate", "0", "-clicks", mode)
			var made [3]link
			for i := range made {
				made[i] = p.convert(t, "creator", "anna", fmt.Sprintf("https://acme.example/%d", i), http.StatusCreated)
			}
			answered, asked := clickUntilKilled(t, p, made[:])
			is.True(len(answered) >= killAfter)

			shop := openLinks(t, dsn)
			differences, err := shop.Verify(t.Context())
			is.NoErr(err)
			is.Equal(fmt.Sprint(differences), "[]") // counters, ledger and clicks agree
			kept, valid := keptClicks(t, shop)
			for id := range answered {
				if kept[id] != 1 {
					t.Errorf("click %s was answered and is kept %d times", id, kept[id])
				}
			}
			is.True(len(kept) <= asked)             // none came from nowhere
			is.True(valid > 0 && valid < len(kept)) // there were duplicates among them

			again := spawn(t, "-demo", "-dsn", dsn) // and the next process goes on
			_, err = again.as("").click(t.Context(), made[0].ID, "afterwards")
			is.NoErr(err)
		})
	}
}

// clickUntilKilled has many readers follow the links at once and kills the
// server in the middle of it. It answers the ids of the clicks that were
// answered, and how many were asked for.
func clickUntilKilled(t *testing.T, p *process, made []link) (answered map[string]bool, asked int) {
	t.Helper()
	answered = make(map[string]bool)
	open := p.as("")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	enough := make(chan struct{})
	var all sync.WaitGroup
	for reader := range readers {
		all.Go(func() {
			for i := 0; ; i++ {
				mu.Lock()
				asked++
				mu.Unlock()
				id, err := open.click(ctx, made[(reader+i)%len(made)].ID, fmt.Sprint(reader, " ", i-i%revisits))
				if err != nil {
					return // killed
				}
				mu.Lock()
				answered[id] = true
				if len(answered) == killAfter {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	select {
	case <-enough:
	case <-ended:
		t.Error("the readers were refused before the kill")
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-ended
	_ = p.cmd.Wait() // killed, as it was told
	return answered, asked
}

// keptClicks counts every click in the database by id, and the valid ones.
func keptClicks(t *testing.T, shop *links.Service) (kept map[string]int, valid int) {
	t.Helper()
	kept = make(map[string]int)
	for number := 1; ; number++ {
		page, err := shop.Clicks(t.Context(), links.ClickFilter{}, affiliate.PageRequest{Number: number, Size: affiliate.MaxPageSize})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Items {
			kept[c.ID.String()]++
			if c.Verdict == links.VerdictValid {
				valid++
			}
		}
		if len(page.Items) < affiliate.MaxPageSize {
			return kept, valid
		}
	}
}

// Two processes on one database behave as one. They start at once on an empty
// one: who is first makes the tables and the sample data.
func TestTwoProcessesBehaveAsOne(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.DSN(t)
	flags := []string{"-demo", "-dsn", dsn, "-rate", "0", "-public-url", "https://go.example",
		"-webhook-url", "https://127.0.0.1:1/", "-webhook-secret", testSecret, "-webhook-allow-private"}
	one, two := launch(t, flags...), launch(t, flags...)
	one.listening, two.listening = readLine(t, one.out), readLine(t, two.out)
	is.Equal(one.IDs, two.IDs)
	both := []listening{one.listening, two.listening}

	t.Run("both have the endpoint of their flags", func(t *testing.T) {
		is := is.New(t)
		b := backends.Postgres(t, dsn)
		hooks, err := webhooks.NewService(b.Webhooks, b.Events, webhooks.Options{})
		is.NoErr(err)
		list, err := hooks.Endpoints(t.Context(), everything)
		is.NoErr(err)
		is.Equal(list.Total, 1)
	})
	t.Run("simultaneous conversions in both make one link", func(t *testing.T) {
		is := is.New(t)
		ids, created := convertAtOnce(t, 16, both, "https://acme.example/at-once")
		is.Equal(len(ids), 1)
		is.Equal(created, 1)
	})
	t.Run("a rule added in one is matched in the other within a second", func(t *testing.T) {
		is := is.New(t)
		is.Equal(two.refusal(t, "creator", "anna", "https://new.example/"), "no_advertiser") // its rules are compiled and fresh
		rules := fmt.Sprintf("/v2/advertisers/%d/url-matching-rules", one.IDs["advertisers"]["acme"])
		var added struct{ ID int64 }
		one.as("advertiser").call(t, http.MethodPost, rules, map[string]any{"type": "allow", "url": "new.example"}, http.StatusCreated, &added)
		two.within(t, time.Second, "https://new.example/", "")
		one.as("advertiser").call(t, http.MethodDelete, rules+"/"+strconv.FormatInt(added.ID, 10), nil, http.StatusNoContent, nil)
		two.within(t, time.Second, "https://new.example/", "no_advertiser")
	})
	t.Run("of one reader's clicks in both exactly one is valid", func(t *testing.T) {
		is := is.New(t)
		made := one.convert(t, "creator", "anna", "https://acme.example/twice", http.StatusCreated)
		const visitors, visits = 6, 8 // half of the visits in each process
		clients := []api{one.as(""), two.as("")}
		var failures [visitors * visits]error
		var all sync.WaitGroup
		for i := range failures {
			all.Go(func() { _, failures[i] = clients[i%2].click(t.Context(), made.ID, fmt.Sprint("visitor ", i/visits)) })
		}
		all.Wait()
		is.NoErr(errors.Join(failures[:]...))
		shop := openLinks(t, dsn)
		for verdict, want := range map[links.Verdict]int{links.VerdictValid: visitors, links.VerdictDuplicate: visitors * (visits - 1)} {
			page, err := shop.Clicks(t.Context(), links.ClickFilter{LinkID: made.ID, Verdict: verdict}, everything)
			is.NoErr(err)
			is.Equal(page.Total, want)
		}
		differences, err := shop.Verify(t.Context())
		is.NoErr(err)
		is.Equal(fmt.Sprint(differences), "[]")
	})
	t.Run("both show one ledger", func(t *testing.T) {
		is := is.New(t)
		is.True(one.money(t)[0] > 0)
		is.Equal(one.money(t), two.money(t))
	})
}

// within waits until an inspection of the URL answers the reason, "" for none.
// One that was asked for after that long must.
func (l listening) within(t *testing.T, limit time.Duration, url, want string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		var seen inspection
		late := time.Now().After(deadline)
		l.as("creator").call(t, http.MethodPost, l.inspections("anna"), map[string]any{"url": url}, http.StatusOK, &seen)
		if seen.Reason == want {
			return
		}
		if late {
			t.Fatalf("%s: got %q after %s, want %q", url, seen.Reason, limit, want)
		}
		<-tick(t)
	}
}
