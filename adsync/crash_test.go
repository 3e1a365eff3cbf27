package adsync_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/adsync/facebook"
	"github.com/affiliatekit/affiliatekit/adsync/google"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// The environment of the workers that the test below kills.
const (
	dsnVariable      = "ADSYNC_TEST_DSN"
	servicesVariable = "ADSYNC_TEST_SERVICES" // the address of the fakes, and of the clock
)

// TestAnotherWorker is a worker until it is killed. By itself it does nothing.
func TestAnotherWorker(t *testing.T) {
	dsn, services := os.Getenv(dsnVariable), os.Getenv(servicesVariable)
	if dsn == "" {
		return
	}
	clock := func() time.Time {
		now, err := askTime(services + "/clock")
		if err != nil {
			t.Error(err)
		}
		return now
	}
	e := newWorker(t, backends.Postgres(t, dsn).AdSync, clock,
		facebook.Options{BaseURL: services + "/facebook"}, google.Options{BaseURL: services + "/ads", MerchantURL: services + "/merchant"})
	if err := e.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func askTime(url string) (time.Time, error) {
	res, err := http.Get(url)
	if err != nil {
		return time.Time{}, err
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return time.Time{}, err
	}
	micros, err := strconv.ParseInt(string(body), 10, 64)
	return time.UnixMicro(micros), err
}

// TestServicesHoldWhatTheRecordsSayThoughWorkersAreKilled has two processes work on
// random changes while one call in four fails. Every now and then one of them gets
// kill -9, and another takes its place.
func TestServicesHoldWhatTheRecordsSayThoughWorkersAreKilled(t *testing.T) {
	t.Parallel()
	const kills, changes = 30, 6
	is, ctx := is.New(t), t.Context()
	dsn := backends.Database(t)
	b := backends.Postgres(t, dsn)
	s := newSoak(t, b)
	s.facebook.SetFault(adsynctest.Chaos(soakSeed, 0.25, adsynctest.CurableFaults()...))
	s.google.SetFault(adsynctest.Chaos(soakSeed+1, 0.25, adsynctest.CurableFaults()...))
	mux := http.NewServeMux()
	mux.Handle("/facebook/", http.StripPrefix("/facebook", s.facebook))
	mux.Handle("/ads/", http.StripPrefix("/ads", s.google))
	mux.Handle("/merchant/", http.StripPrefix("/merchant", s.google))
	mux.HandleFunc("/clock", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.now.Load()) })
	services := httptest.NewServer(mux)
	defer services.Close()

	start := func() *exec.Cmd {
		worker := exec.Command(os.Args[0], "-test.run", "^TestAnotherWorker$")
		worker.Env = append(os.Environ(), dsnVariable+"="+dsn, servicesVariable+"="+services.URL)
		is.NoErr(worker.Start())
		return worker
	}
	workers := []*exec.Cmd{start(), start()}
	kill := func(worker *exec.Cmd) {
		is.NoErr(worker.Process.Kill())
		_ = worker.Wait() // killed, as it was told
	}
	tick := time.NewTicker(10 * time.Millisecond) // in which half a second to a second and a half pass
	defer tick.Stop()
	for range kills {
		for range changes {
			err := s.change(ctx)
			if e := (*affiliate.Error)(nil); err != nil && (!errors.As(err, &e) || e.Kind != affiliate.ErrState && e.Kind != affiliate.ErrInvalid) {
				t.Fatal(err) // a removed record is refused, and no more
			}
		}
		for range 5 + s.pick(40) {
			<-tick.C
			s.pass(time.Duration(500+s.pick(1000)) * time.Millisecond)
		}
		n := s.pick(len(workers))
		kill(workers[n])
		workers[n] = start()
	}
	done := s.objects()
	for _, worker := range workers {
		kill(worker)
	}
	is.True(len(done) > 0) // the killed ones had done something
	s.settle(b.AdSync)
	t.Logf("%d kills, %d campaigns, %d ad sets, %d ads, %d objects before the end", kills, len(s.campaigns), len(s.adSets), len(s.ads), len(done))
}
