package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/links"
)

func TestRequestsAreCountedByOperationAndStatus(t *testing.T) {
	is := is.New(t)
	s := start(t, "-demo")
	made := s.convert(t, "creator", "anna", "https://acme.example/", http.StatusCreated)
	s.refusal(t, "creator", "anna", "https://hidden.example/")
	_, err := s.as("").click(t.Context(), made.ID, "1")
	is.NoErr(err)
	s.as("").call(t, http.MethodGet, "/nowhere", nil, http.StatusNotFound, nil)
	for series, want := range map[string]float64{
		`affiliatekit_http_requests_total{operation="user-affiliate-link-convert-v3",status="201"}`:               1,
		`affiliatekit_http_requests_total{operation="user-affiliate-link-convert-v3",status="422"}`:               1,
		`affiliatekit_http_requests_total{operation="redirect",status="302"}`:                                     1,
		`affiliatekit_http_requests_total{operation="",status="404"}`:                                             1,
		`affiliatekit_http_request_duration_seconds_count{operation="user-affiliate-link-convert-v3"}`:            2,
		`affiliatekit_http_request_duration_seconds_bucket{operation="user-affiliate-link-convert-v3",le="+Inf"}`: 2,
	} {
		if got := s.metric(t, series); got != want {
			t.Errorf("%s: got %v, want %v", series, got, want)
		}
	}
	is.True(s.metric(t, "go_goroutines") > 0)
}

func TestEverySeriesOfClicksIsThereFromTheStart(t *testing.T) {
	is := is.New(t)
	text := string(start(t).as("").call(t, http.MethodGet, "/metrics", nil, http.StatusOK, nil).body)
	for _, v := range links.Verdicts() {
		is.True(strings.Contains(text, `affiliatekit_clicks_recorded_total{verdict="`+string(v)+`"} 0`))
	}
	is.True(strings.Contains(text, "affiliatekit_clicks_dropped_total 0\n"))
}
