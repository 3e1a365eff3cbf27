package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// readyTimeout bounds how long the backend may take to show that it lives.
const readyTimeout = 2 * time.Second

// health answers whoever decides where requests go.
type health struct {
	core *affiliate.Service
	down atomic.Bool
}

func newHealth(core *affiliate.Service) *health { return &health{core: core} }

// stopping makes the server unready for good.
func (h *health) stopping() { h.down.Store(true) }

// alive says that the process runs and answers.
func (h *health) alive(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") }

// ready says whether requests should come here: the backend answers a read and
// the server is not about to stop.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	if h.down.Load() {
		answer(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if _, err := h.core.Totals(ctx, "", "", 1); err != nil {
		answer(w, http.StatusServiceUnavailable, "backend unavailable")
		return
	}
	answer(w, http.StatusOK, "ok")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": text}) // fails only when nobody listens any more
}
