package adsync_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/adsync/facebook"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// BenchmarkPlanOfUnchangedItems plans an account whose items are all in step.
// peak-MiB is how far the live heap grows while that lasts: it must not grow with the
// number of items, and items/s must not shrink with it.
func BenchmarkPlanOfUnchangedItems(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		planUnchangedItems(b, func(*testing.B) storagetest.Backend { return backends.Memory() })
	})
	b.Run("postgres", func(b *testing.B) {
		planUnchangedItems(b, func(b *testing.B) storagetest.Backend { return backends.Postgres(b, backends.Database(b)) })
	})
}

func planUnchangedItems(b *testing.B, open func(*testing.B) storagetest.Backend) {
	for _, items := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(items), func(b *testing.B) {
			is := is.New(b)
			backend := open(b)
			w := newWorld(b, backend)
			w.connect("acme", adsync.AdAccountInput{ID: "act_1", Name: "Social", CatalogID: catalog})
			service := adsynctest.NewFacebook(adsynctest.FacebookOptions{Clock: w.clock})
			driver, err := facebook.New(facebook.Options{
				Token: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret"}), HTTP: adsynctest.Client(service), Clock: w.clock, ItemBatch: adsync.MaxLease,
			})
			is.NoErr(err)
			engine, err := adsync.NewEngine(backend.AdSync, adsync.EngineOptions{
				Drivers: []adsync.Driver{driver}, Clock: w.clock, Batch: adsync.MaxLease,
				Wait: func(ctx context.Context, d time.Duration) error { w.pass(d); return ctx.Err() },
			})
			is.NoErr(err)
			for from := 0; from < items; from += adsync.MaxItemInputs {
				feed := make([]adsync.ItemInput, adsync.MaxItemInputs)
				for i := range feed {
					feed[i] = vehicle(fmt.Sprint("r", from+i))
					feed[i].Price = adsync.Sent(affiliate.NewMoney(100, "EUR"))
					feed[i].Images = adsync.Sent([]adsync.Image{{URL: "https://shop.example/1.jpg", Order: 1}})
				}
				for _, r := range must(w.acme.SaveItems(b.Context(), feed))(b) {
					is.NoErr(r.Err)
				}
			}
			_, err = engine.Apply(b.Context(), "acme", "act_1")
			is.NoErr(err)
			runtime.GC()
			before := liveHeap()
			peak, stop := before, make(chan struct{})
			var watch sync.WaitGroup
			watch.Go(func() {
				for tick := time.NewTicker(5 * time.Millisecond); ; {
					select {
					case <-stop:
						return
					case <-tick.C:
						peak = max(peak, liveHeap())
					}
				}
			})
			for b.Loop() {
				planned, err := engine.EachPlanned(b.Context(), "acme", "act_1", func(p adsync.Planned) error { return fmt.Errorf("not in step: %+v", p) })
				is.NoErr(err)
				is.Equal(planned, items)
			}
			close(stop)
			watch.Wait()
			b.ReportMetric(float64(b.N*items)/b.Elapsed().Seconds(), "items/s")
			b.ReportMetric(float64(peak-before)/(1<<20), "peak-MiB")
		})
	}
}

// liveHeap is what the latest run of the garbage collector has found in use.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
