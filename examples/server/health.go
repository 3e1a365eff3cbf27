package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// readyTimeout bounds how long the backend may take to show that it lives.
const readyTimeout = 2 * time.Second

// readyFor is how long a result counts: whoever asks more often costs nothing.
const readyFor = time.Second

// health answers whoever decides where requests go.
type health struct {
	core *affiliate.Service
	down atomic.Bool

	mu      sync.Mutex
	checked time.Time
	err     error
}

func newHealth(core *affiliate.Service) *health { return &health{core: core} }

// stopping makes the server unready for good.
func (h *health) stopping() { h.down.Store(true) }

// alive says that the process runs and answers.
func (h *health) alive(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") }

// ready says whether requests should come here: the backend takes a change and
// the server is not about to stop.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	if h.down.Load() {
		refuse(w, "stopping")
		return
	}
	if err := h.check(r.Context()); err != nil {
		refuse(w, "backend unavailable")
		return
	}
	answer(w, http.StatusOK, "ok")
}

// check makes a change, unless one was tried within the last second.
func (h *health) check(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.checked.IsZero() && time.Since(h.checked) < readyFor {
		return h.err
	}
	// Others may wait for the result: who asked first may go away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	h.err = h.core.CheckWrites(ctx)
	h.checked = time.Now()
	return h.err
}

// refuse asks to be left alone for a while.
func refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", "5")
	answer(w, http.StatusServiceUnavailable, why)
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": text}) // fails only when nobody listens any more
}
