package wire

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// RetryAfter is when a client may come again whom the service could not serve
// now, in seconds.
const RetryAfter = "5"

// refusalsEvery is how often refused requests are logged.
const refusalsEvery = time.Second

// Refusals logs the requests that were refused because something that the
// service needs was unavailable: the first one at once, and all of each second
// after it in one line, which has their count and names the last. A backend
// that is down would otherwise fill the log at the rate of the traffic. It is
// safe for concurrent use.
type Refusals struct {
	log *slog.Logger

	mu      sync.Mutex
	gathers bool // a line was written within the last second
	count   int  // since that line
	message string
	latest  []slog.Attr
}

// NewRefusals returns one over a logger.
func NewRefusals(log *slog.Logger) *Refusals { return &Refusals{log: log} }

// Note takes down one refused request.
func (f *Refusals) Note(ctx context.Context, message string, attrs ...slog.Attr) {
	f.mu.Lock()
	f.count++
	f.message, f.latest = message, attrs
	first := !f.gathers
	f.gathers = true
	f.mu.Unlock()
	if first {
		f.write(context.WithoutCancel(ctx))
	}
}

// write logs what gathered, and does so again a second later if there was any.
func (f *Refusals) write(ctx context.Context) {
	f.mu.Lock()
	message, attrs, count := f.message, f.latest, f.count
	f.count = 0
	f.gathers = count > 0
	f.mu.Unlock()
	if count == 0 {
		return
	}
	f.log.LogAttrs(ctx, slog.LevelWarn, message, append(attrs[:len(attrs):len(attrs)], slog.Int("count", count))...)
	time.AfterFunc(refusalsEvery, func() { f.write(ctx) })
}

// WithTimeout returns the request with a context that ends after so long; 0 or
// less: never. The caller calls the function when the request is answered.
func WithTimeout(r *http.Request, timeout time.Duration) (*http.Request, context.CancelFunc) {
	if timeout <= 0 {
		return r, func() {}
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	return r.WithContext(ctx), cancel
}
