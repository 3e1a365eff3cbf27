package main

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// onePixel is a picture.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg=="

func TestACampaignFromTheInvitationToTheMoney(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		s := start(t, append(flags, "-demo", "-images", t.TempDir())...)
		is.Equal(sortedKeys(s.IDs["offers"]), strings.Fields("friends summer tasting winter"))
		tasting := fmt.Sprintf("/v2/offers/%d", s.IDs["offers"]["tasting"])

		// Before anna joins, her clicks are the summer's: what acme always pays.
		made := s.convert(t, "creator", "anna", "https://acme.example/shoes", http.StatusCreated)
		_, err := s.as("").click(t.Context(), made.ID, "1")
		is.NoErr(err)
		is.Equal(s.money(t), [2]float64{10, 12})

		var part struct {
			ID     int64
			Status string
		}
		s.as("creator").call(t, http.MethodPost, fmt.Sprintf("/v2/offer-by-token/demotasting00001/users/%d/join", s.IDs["users"]["anna"]), nil, http.StatusOK, &part)
		is.Equal(part.Status, "accepted")
		_, err = s.as("").click(t.Context(), made.ID, "2")
		is.NoErr(err)
		is.Equal(s.money(t), [2]float64{30, 36}) // 20 and 24 of the tasting

		var campaign struct {
			Clicks   int64 `json:"clicks"`
			Consumed int64 `json:"consumed_budget"`
			Budget   int64 `json:"shared_budget_id"`
		}
		s.as("advertiser").call(t, http.MethodGet, tasting, nil, http.StatusOK, &campaign)
		is.Equal(campaign.Clicks, int64(1))
		is.Equal(campaign.Consumed, int64(24))
		var budget struct {
			Consumed map[string]string `json:"consumed_budget_v2"`
		}
		s.as("advertiser").call(t, http.MethodGet, fmt.Sprintf("/v2/stores/%d/shared-budgets/%d", s.IDs["advertisers"]["acme"], campaign.Budget), nil, http.StatusOK, &budget)
		is.Equal(budget.Consumed, map[string]string{"amount": "0.24", "currency": "SEK"})

		var participants struct{ Data []struct{ Clicks int64 } }
		s.as("advertiser").call(t, http.MethodGet, tasting+"/participants", map[string]any{"status": "accepted"}, http.StatusOK, &participants)
		is.Equal(participants.Data[0].Clicks, int64(1))

		// A paused campaign leaves the click to the next one.
		s.as("advertiser").call(t, http.MethodPost, tasting+"/pause", nil, http.StatusOK, nil)
		_, err = s.as("").click(t.Context(), made.ID, "3")
		is.NoErr(err)
		is.Equal(s.money(t), [2]float64{40, 48})
	})
}

func TestAnUploadedImageIsServed(t *testing.T) {
	is := is.New(t)
	s := start(t, "-demo", "-images", t.TempDir())
	var campaign struct {
		ImageURL string `json:"image_url"`
	}
	s.as("advertiser").call(t, http.MethodPost, fmt.Sprintf("/v2/offers/%d/uploads", s.IDs["offers"]["summer"]), map[string]any{"default": onePixel}, http.StatusOK, &campaign)
	path, ours := strings.CutPrefix(campaign.ImageURL, "http://"+s.Listening)
	is.True(ours)
	served := s.as("").call(t, http.MethodGet, path, nil, http.StatusOK, nil)
	shown, err := png.DecodeConfig(bytes.NewReader(served.body))
	is.NoErr(err)
	is.Equal([2]int{shown.Width, shown.Height}, [2]int{800, 500}) // the size that campaigns are shown in
}
