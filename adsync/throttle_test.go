package adsync_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
)

func TestAThrottleSlowsDownAndStops(t *testing.T) {
	is := is.New(t)
	now := start
	th := adsync.NewThrottle(func() time.Time { return now }, time.Hour)
	is.Equal(th.Wait("a"), time.Duration(0))
	for percent := 1.0; percent <= 75; percent++ { // one percent a call: an hour bears a hundred
		th.Note("a", adsync.Usage{Percent: percent})
		is.Equal(th.Wait("a"), time.Duration(0))
	}
	th.Note("a", adsync.Usage{Percent: 76})
	first := th.Wait("a")
	is.True(first > 0 && first < 5*time.Second)
	now = now.Add(time.Minute)
	is.Equal(th.Wait("a"), time.Duration(0))
	th.Note("a", adsync.Usage{Percent: 99})
	second := th.Wait("a")
	is.True(second > first && second > 30*time.Second) // nearly what the allowance bears
	is.Equal(th.Wait("b"), time.Duration(0))           // another ad account

	now = now.Add(time.Hour)
	th.Note("a", adsync.Usage{Percent: 100, RegainAfter: 7 * time.Minute})
	is.Equal(th.Wait("a"), 7*time.Minute)
	th.Note("a", adsync.Usage{Percent: 10}) // an answer that was late does not end the pause
	is.Equal(th.Wait("a"), 7*time.Minute)
	now = now.Add(7 * time.Minute)
	is.Equal(th.Wait("a"), time.Duration(0))
	th.Stop("a", 0) // the service does not say for how long
	is.Equal(th.Wait("a"), 5*time.Minute)
}

func TestARefusedCallSaysNothingAboutWhatACallCosts(t *testing.T) {
	is := is.New(t)
	now := start
	th := adsync.NewThrottle(func() time.Time { return now }, time.Hour)
	th.Note("a", adsync.Usage{Percent: 79}) // known at the first call: it may have cost nothing
	th.Note("a", adsync.Usage{Percent: 80})
	before := th.Wait("a")
	is.True(before > 0)
	th.Stop("a", time.Minute)
	is.Equal(th.Wait("a"), time.Minute)
	now = now.Add(time.Minute)
	th.Note("a", adsync.Usage{Percent: 80})
	is.True(th.Wait("a") <= before) // the refusal was not a rise to a hundred percent
	th.Stop("new", time.Second)
	now = now.Add(time.Second)
	th.Note("new", adsync.Usage{Percent: 1})
	is.Equal(th.Wait("new"), time.Duration(0))
}
