package postgres_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// The environment of the race below: how many rounds it has, and, of its second
// process, the database.
const (
	roundsVariable = "ROUNDS"
	dsnVariable    = "EDITS_TEST_DSN"
)

const (
	racers = 2 // that click at once, of each process
	each   = 8 // clicks of one of them in a round
)

// The second process reads commands from its input, one a line, and tells what it
// did on lines of its output that begin with mark. The other lines are the test's.
const (
	mark      = "> "
	startLine = "start" // and the ids of advertiser, user, offer and participant: click
	editLine  = "edit"  // and the name of the edit: make it
	clicked   = "clicked"
	rested    = "rested" // all clicks of the round were told
	edited    = "edited" // and the error, if any
)

// TestAnotherProcess clicks and edits for the race below. By itself it does nothing.
func TestAnotherProcess(t *testing.T) {
	dsn := os.Getenv(dsnVariable)
	if dsn == "" {
		return
	}
	db, handle := openMigrated(t, dsn)
	e := editWorld{I: is.New(t), store: db.Links(), handle: handle}
	var err error
	e.kit, err = affiliatekit.New(db, affiliatekit.Options{})
	e.NoErr(err)
	tell := func(words ...any) { fmt.Print(mark, fmt.Sprintln(words...)) } // one write: lines of several goroutines stay whole
	var clicking sync.WaitGroup
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() { // until the test closes its end
		command, rest, _ := strings.Cut(commands.Text(), " ")
		if command == editLine {
			tell(edited, errText(edits()[rest](t.Context(), e)))
			continue
		}
		var advertiserID, userID int64
		_, err := fmt.Sscan(rest, &advertiserID, &userID, &e.offer.ID, &e.part)
		e.NoErr(err)
		a, err := e.kit.Core.Advertiser(t.Context(), advertiserID)
		e.NoErr(err)
		u, err := e.kit.Core.User(t.Context(), userID)
		e.NoErr(err)
		e.w = world{advertisers: []affiliate.Advertiser{a}, users: []affiliate.User{u}}
		e.offer.AdvertiserID = advertiserID
		round := e
		clicking.Go(func() {
			round.clickAway(t, func() { tell(clicked) })
			tell(rested)
		})
	}
	clicking.Wait()
	e.NoErr(commands.Err())
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// clickAway makes the clicks of one process in a round.
func (e editWorld) clickAway(t *testing.T, afterEach func()) {
	var clicking sync.WaitGroup
	for range racers {
		clicking.Go(func() {
			for range each {
				if _, err := e.click(t.Context(), func() {}); err != nil {
					t.Error(err)
				}
				afterEach()
			}
		})
	}
	clicking.Wait()
}

// companion is the second process as the race sees it.
type companion struct {
	t     *testing.T
	in    io.WriteCloser
	edits chan string // errors of edits
	rests chan struct{}

	mu      sync.Mutex
	clicked func() // called for each click of it
}

// newCompanion starts a process, which ends with the test.
func newCompanion(t *testing.T, dsn string) *companion {
	t.Helper()
	is := is.New(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestAnotherProcess$", "-test.timeout=0") // it ends when its input does
	cmd.Env = append(os.Environ(), dsnVariable+"="+dsn)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	is.NoErr(err)
	out, err := cmd.StdoutPipe()
	is.NoErr(err)
	is.NoErr(cmd.Start())
	c := &companion{t: t, in: in, edits: make(chan string, 1), rests: make(chan struct{}, 1)}
	var listening sync.WaitGroup
	listening.Go(func() { c.listen(out) })
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		listening.Wait()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the second process: %v", err)
		}
	})
	return c
}

func (c *companion) listen(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		told, ours := strings.CutPrefix(lines.Text(), mark)
		if !ours {
			if told != "PASS" {
				c.t.Logf("the second process: %s", told)
			}
			continue
		}
		what, rest, _ := strings.Cut(told, " ")
		switch what {
		case clicked:
			c.mu.Lock()
			told := c.clicked
			c.mu.Unlock()
			told()
		case rested:
			c.rests <- struct{}{}
		case edited:
			c.edits <- strings.TrimSpace(rest)
		}
	}
}

// say sends a command.
func (c *companion) say(words ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.in, words...); err != nil {
		c.t.Fatal(err)
	}
}

// await returns what comes from a channel that the second process fills.
func await[V any](t *testing.T, from <-chan V) (v V) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(time.Minute):
		t.Fatal("the second process does not go on")
	}
	return v
}

// Clicks come in through two processes, and somewhere among them one of the two
// makes an edit that leaves no room for more. What was paid when the edit
// returned is all that is ever paid.
func TestNoClickPassesAnEditWheneverItComes(t *testing.T) {
	t.Parallel()
	rounds := 20
	if text := os.Getenv(roundsVariable); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dsn := pgtest.DSN(t)
	db, handle := openMigrated(t, dsn)
	e := makeEditWorld(t, db, handle)
	other := newCompanion(t, dsn)

	all := edits()
	delete(all, "other costs") // clicks go on, at other prices
	names := slices.Sorted(maps.Keys(all))
	paid := 0
	for round := range rounds {
		name := names[round%len(names)]
		e = e.anew(t)
		used := func() offers.Counts {
			v, err := e.kit.Offers.Offer(t.Context(), e.offer.ID)
			e.NoErr(err)
			return v.Used
		}

		at := 1 + rand.IntN(racers*each)
		var mu sync.Mutex
		clicks, now := 0, make(chan struct{})
		count := func() {
			mu.Lock()
			defer mu.Unlock()
			if clicks++; clicks == at {
				close(now)
			}
		}
		other.mu.Lock()
		other.clicked = count
		other.mu.Unlock()
		var clicking sync.WaitGroup
		other.say(startLine, e.w.advertisers[0].ID, e.w.users[0].ID, e.offer.ID, e.part)
		clicking.Go(func() { e.clickAway(t, count) })
		<-now
		failed := ""
		if rand.IntN(2) == 0 {
			failed = errText(all[name](t.Context(), e))
		} else {
			other.say(editLine, name)
			failed = await(t, other.edits)
		}
		if failed != "" {
			t.Errorf("round %d, %s: %s", round, name, failed)
		}
		then := used()
		clicking.Wait()
		await(t, other.rests)
		if end := used(); end != then || then.Clicks < 1 {
			t.Errorf("round %d, %s: there were %+v when the edit returned, and %+v at the end", round, name, then, end)
		}
		paid += int(then.Clicks)
	}
	t.Logf("%d rounds of %d kinds of edits, %d clicks paid of %d", rounds, len(names), paid, rounds*2*racers*each)
}

// anew is the world with a new campaign.
func (e editWorld) anew(t *testing.T) editWorld {
	t.Helper()
	if err := e.kit.Offers.DeleteOffer(t.Context(), e.offer.ID); !errors.Is(err, affiliate.ErrNotFound) { // an edit may have deleted it
		e.NoErr(err)
	}
	made, err := e.kit.Offers.CreateOffer(t.Context(), offers.OfferInput{
		Offer: offers.Offer{AdvertiserID: e.w.advertisers[0].ID, Type: offers.Standard, Name: "c", Costs: []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some[int64](3)}}}},
	})
	e.NoErr(err)
	e.offer = made.View
	p, err := e.kit.Offers.Enroll(t.Context(), e.offer.ID, e.w.users[0].ID)
	e.NoErr(err)
	e.part = p.ID
	return e
}
