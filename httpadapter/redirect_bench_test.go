package httpadapter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// BenchmarkRedirectOverHTTP follows links over real connections, clicks
// recorded in memory, in turn with a handler of net/http that does nothing but
// redirect. ratio is requests per second of ours to its.
//
// Readers come again, which makes their clicks duplicates, or each is a new
// one, whose click is valid, priced and booked: at the advertiser's own rates,
// or drawn from one of the four campaigns that are for the creator.
//
// With a busy neighbour another process keeps a core for itself meanwhile.
func BenchmarkRedirectOverHTTP(b *testing.B) {
	for _, neighbour := range []string{"quiet", "busy neighbour"} {
		for _, mode := range []links.ClickMode{links.GroupCommit, links.Sync, links.Async} {
			for _, readers := range []string{"again", "new", "new in campaigns"} {
				b.Run(neighbour+"/"+mode.String()+"/"+readers, func(b *testing.B) {
					if neighbour != "quiet" {
						keepBusy(b)
					}
					redirectBesideBare(b, mode, readers)
				})
			}
		}
	}
}

func redirectBesideBare(b *testing.B, mode links.ClickMode, readers string) {
	handler, inCampaigns, without := redirectInMemory(b, mode)
	ours := serve(b, handler)
	bare := serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://acme.example/shoes?size=38&mtpc_cid=0190a7c0-0000-7000-8000-000000000000", http.StatusFound)
	}))
	path, fresh := without, readers != "again"
	if readers == "new in campaigns" {
		path = inCampaigns
	}
	get(b, ours, path, 200, fresh)
	get(b, bare, path, 200, fresh)
	var took, floor time.Duration
	const turn = 2000
	b.ResetTimer()
	for n := b.N; n > 0; n -= turn {
		took += get(b, ours, path, min(n, turn), fresh)
		floor += get(b, bare, path, min(n, turn), fresh)
	}
	b.ReportMetric(float64(floor)/float64(took), "ratio")
	b.ReportMetric(float64(b.N)/took.Seconds(), "redirects/s")
}

// keepBusy keeps a core busy with another process until the benchmark ends.
func keepBusy(b *testing.B) {
	spin := exec.Command("sh", "-c", "while :; do :; done")
	if err := spin.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = spin.Process.Kill()
		_ = spin.Wait() // it was killed
	})
}

// readerAddress is the header by which the benchmark tells readers apart.
var readerAddress = []byte("X-Reader: ")

// readers counts those who came.
var readers atomic.Int64

// BenchmarkRedirectHandler is the same without the network, which costs ten
// times the rest: of an advertiser with campaigns, and of one without.
func BenchmarkRedirectHandler(b *testing.B) {
	handler, inCampaigns, without := redirectInMemory(b, links.GroupCommit)
	for name, path := range map[string]string{"in campaigns": inCampaigns, "without": without} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("User-Agent", market.Firefox)
			b.ReportAllocs()
			for b.Loop() {
				r.Header.Set("X-Reader", strconv.FormatInt(readers.Add(1), 10))
				handler.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

// redirectInMemory answers the paths of two links: of an advertiser with
// campaigns, and of one without.
func redirectInMemory(b *testing.B, mode links.ClickMode) (handler http.Handler, inCampaigns, without string) {
	b.Helper()
	db := memory.New()
	w := newWorld(b, storagetest.Backend{Core: db.Core(), Identity: db.Identity(), Offers: db.Offers(), ReturnAds: db.ReturnAds(), Links: db.Links()})
	service := market.Must(links.NewService(db.Links(), links.Options{Clicks: mode}))(b)
	recording, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- service.Run(recording) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			b.Error(err)
		}
	})
	market.Must(service.RegisterAdvertiser(b.Context(), links.Registration{
		Advertiser: affiliate.Advertiser{Name: "plain", Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10)}}},
		Domains:    []string{"plain.example"},
	}))(b)
	plain, _, err := service.Convert(b.Context(), links.Conversion{UserID: w.ID["user anna"], URL: "https://plain.example/shoes?size=38"})
	if err != nil {
		b.Fatal(err)
	}
	return market.Must(httpadapter.New(httpadapter.Services{Core: w.Core, Links: service}, httpadapter.Options{
		ClientIP: func(r *http.Request) string { return r.Header.Get("X-Reader") },
	}))(b), "/c/1", "/c/" + strconv.FormatInt(plain.Link.ID, 10)
}

func serve(b *testing.B, h http.Handler) string {
	b.Helper()
	s := httptest.NewServer(h)
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// get makes n requests over a few connections, as a browser sends them, and answers how long they took. It writes and reads the bytes itself:
// http.Client would cost more than the server.
func get(b *testing.B, server, path string, n int, fresh bool) time.Duration {
	b.Helper()
	const connections = 16
	var left atomic.Int64
	left.Store(int64(n))
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range connections {
		ready.Add(1)
		done.Go(func() {
			conn, err := net.Dial("tcp", server)
			ready.Done()
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			request := []byte("GET " + path + " HTTP/1.1\r\nHost: go.example\r\nUser-Agent: " + market.Firefox + " " + strconv.Itoa(i) + "\r\n" + string(readerAddress) + fmt.Sprintf("%-12d", -i) + "\r\nAccept: text/html\r\n\r\n")
			address := make([]byte, 0, 16)
			answer := make([]byte, 4096)
			<-start
			for reader := left.Add(-1); reader >= 0; reader = left.Add(-1) {
				if fresh { // nobody has come from this address before
					seen := strconv.AppendInt(address[:0], readers.Add(1), 10)
					copy(request[bytes.Index(request, readerAddress)+len(readerAddress):], append(seen, "            "[:12-len(seen)]...))
				}
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				// An answer is one segment: it is smaller than one, and comes in one write.
				size, err := conn.Read(answer)
				if err != nil || size < 12 || string(answer[9:12]) != "302" {
					b.Errorf("%v %s", err, answer[:size])
					return
				}
			}
		})
	}
	ready.Wait()
	begin := time.Now()
	close(start)
	done.Wait()
	return time.Since(begin)
}
