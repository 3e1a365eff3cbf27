package wire

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestARequestHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		wait := func(ctx context.Context, _ affiliate.Principal, _ struct{}) (None, error) {
			<-ctx.Done()
			return None{}, fmt.Errorf("waiting for a lock: %w", ctx.Err())
		}
		raw := func(_ http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
			<-r.Context().Done()
			return r.Context().Err()
		}
		var observed int
		b := newBench(t, sampleDialect, Options{Timeout: 30 * time.Second, Observe: func(_ string, status int, _ time.Duration) { observed = status }},
			Route{"GET /x", "x", Any(), Call(wait)}, Route{"GET /raw", "raw", Any(), Raw(raw)})
		for _, path := range []string{"/x", "/raw"} {
			start := time.Now()
			w := b.do("GET", path, "")
			is.Equal(time.Since(start), 30*time.Second)
			want(t, w, 503, `{"message":"The service is temporarily unavailable.","code":"unavailable"}`)
			is.Equal(w.Header().Get("Retry-After"), "5")
			is.Equal(observed, 503) // the client has not gone
			time.Sleep(2 * time.Second)
		}
	})
}

func TestRefusedRequestsAreOneLineASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		var log lockedText
		f := NewRefusals(slog.New(slog.NewTextHandler(&log, nil)))
		lines := func() []string {
			synctest.Wait()
			text := log.take()
			return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		}
		note := func(times int) {
			for i := range times {
				f.Note(t.Context(), "service unavailable", slog.Int("nr", i+1))
			}
		}
		note(1000)
		first := lines() // at once
		is.Equal(len(first), 1)
		is.True(strings.HasSuffix(first[0], `msg="service unavailable" nr=1 count=1`))
		time.Sleep(time.Second)
		rest := lines()
		is.Equal(len(rest), 1)
		is.True(strings.HasSuffix(rest[0], `nr=1000 count=999`))
		note(3)
		is.Equal(lines(), []string{""}) // gathers
		time.Sleep(time.Second)
		is.True(strings.HasSuffix(lines()[0], `nr=3 count=3`))
		time.Sleep(10 * time.Second)
		is.Equal(lines(), []string{""})
		note(1)
		is.True(strings.HasSuffix(lines()[0], `count=1`)) // at once again
		time.Sleep(2 * time.Second)
	})
}

// lockedText is written by one goroutine and read by another.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take returns what was written since the last call.
func (l *lockedText) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}
