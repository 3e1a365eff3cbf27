package wire

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type benchInput struct {
	AdvertiserID int64   `path:"advertiser_id" json:"-"`
	Users        []user  `json:"users" max:"1000"`
	TagIDs       []int64 `json:"user_tag_ids"`
	ClientIDs    []int64 `json:"client_ids"`
}

type benchOutput struct {
	ID    int64     `json:"id"`
	At    time.Time `json:"created_at"`
	Users []user    `json:"users"`
}

const benchBody = `{"users":[{"id":123,"validate_clicks":true},{"id":456,"validate_clicks":false}],"user_tag_ids":[10],"client_ids":[20]}`

func benchAnswer(in benchInput) benchOutput {
	return benchOutput{ID: in.AdvertiserID, At: time.Date(2026, 3, 18, 11, 42, 10, 0, time.UTC), Users: in.Users}
}

// handWritten is the floor: encoding/json straight into the struct, the same
// authentication, request id and limit of the body, no other checks.
func handWritten(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", requestID(r))
	if _, err := people.Authenticate(r); err != nil {
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	var in benchInput
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err == nil {
		in.AdvertiserID, err = strconv.ParseInt(r.PathValue("advertiser_id"), 10, 64)
	}
	if err != nil {
		http.Error(w, "", http.StatusUnprocessableEntity)
		return
	}
	out, err := json.Marshal(benchAnswer(in))
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	w.Write(out)
}

// BenchmarkCall reports the time of a typed call, decode to encode, as a
// multiple of the same route written by hand.
func BenchmarkCall(b *testing.B) {
	const pattern = "POST /v2/advertisers/{advertiser_id}/blocklist"
	hand := http.NewServeMux()
	hand.HandleFunc(pattern, handWritten)
	typed, err := NewMux(sampleDialect, Options{Authenticator: people}, []Route{{pattern, "blocklist-add", ofAdvertiser("advertiser_id"),
		Call(func(_ context.Context, _ affiliate.Principal, in benchInput) (benchOutput, error) {
			return benchAnswer(in), nil
		}).Status(201)}})
	if err != nil {
		b.Fatal(err)
	}
	serve := func(h http.Handler) time.Duration {
		start := time.Now()
		for range 100 {
			r := httptest.NewRequest("POST", "/v2/advertisers/7/blocklist", strings.NewReader(benchBody))
			r.Header.Set("Authorization", "acme")
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusCreated {
				b.Fatal(w.Code, w.Body)
			}
		}
		return time.Since(start)
	}
	var floor, ours time.Duration
	for b.Loop() {
		floor += serve(hand) // in turn, so that noise hits both
		ours += serve(typed)
	}
	b.ReportMetric(float64(ours)/float64(floor), "×hand-written")
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N)/100, "ns/call")
}
