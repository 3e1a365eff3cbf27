package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"
)

// The first path end to end: a URL becomes a tracked, paid click.
func TestShopURLBecomesAPaidClick(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		s := start(t, append(flags, "-demo")...)
		acme := s.IDs["advertisers"]["acme"]
		rules := fmt.Sprintf("/v2/advertisers/%d/url-matching-rules", acme)
		s.as("advertiser").call(t, http.MethodPost, rules, map[string]any{"type": "allow", "url": "https://Acme-Outlet.example/"}, http.StatusCreated, nil)

		var seen inspection
		s.as("creator").call(t, http.MethodPost, s.inspections("anna"), map[string]any{"url": "https://www.acme-outlet.example/shoes#red"}, http.StatusOK, &seen)
		is.True(seen.Convertible)
		is.Equal(len(seen.Advertisers), 1)
		is.Equal(seen.Advertisers[0].ID, acme)
		is.True(seen.Existing == nil)

		made := s.convert(t, "creator", "anna", "https://www.acme-outlet.example/shoes#red", http.StatusCreated)
		again := s.convert(t, "creator", "anna", "https://WWW.acme-outlet.example:443/shoes#red", http.StatusOK)
		is.Equal(again, made) // the same URL is the same link
		s.as("creator").call(t, http.MethodPost, s.inspections("anna"), map[string]any{"url": "https://www.acme-outlet.example/shoes"}, http.StatusOK, &seen)
		is.Equal(seen.Existing.ID, made.ID)

		got, err := s.as("").send(t.Context(), http.MethodGet, fmt.Sprintf("/c/%d", made.ID), nil, "User-Agent", browser+"1")
		is.NoErr(err)
		is.Equal(got.status, http.StatusFound)
		is.True(strings.HasPrefix(got.location, "https://www.acme-outlet.example/shoes?mtpc_cid="))
		is.True(strings.HasSuffix(got.location, "#red"))
		is.Equal(s.money(t), [2]float64{10, 12}) // earned, cost

		_, err = s.as("").click(t.Context(), made.ID, "1")
		is.NoErr(err)
		_, err = s.as("").click(t.Context(), made.ID, "2")
		is.NoErr(err)
		is.Equal(s.clicks(t, "valid"), 2.0)
		is.Equal(s.clicks(t, "duplicate"), 1.0) // the first reader, twice
		is.Equal(s.money(t), [2]float64{20, 24})
	})
}

func TestSimultaneousConversionsMakeOneLink(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		s := start(t, append(flags, "-demo")...)
		ids, created := convertAtOnce(t, 8, []listening{s.listening}, "https://acme.example/shoes")
		is.Equal(len(ids), 1) // all were answered the same link
		is.Equal(created, 1)  // and it was made once
	})
}

// convertAtOnce lets anna convert a URL n times at once, at the servers in
// turn, and answers the ids of the links and how many answers said "created".
func convertAtOnce(t *testing.T, n int, servers []listening, url string) (ids map[string]bool, created int) {
	t.Helper()
	ids = make(map[string]bool)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		s := servers[i%len(servers)]
		all.Go(func() {
			got, err := s.as("creator").send(t.Context(), http.MethodPost, fmt.Sprintf("/v3/users/%d/affiliate-links", s.IDs["users"]["anna"]), map[string]any{"url": url})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case got.status == http.StatusCreated:
				created++
			case got.status != http.StatusOK:
				t.Errorf("got %d %s", got.status, got.body)
			}
			id, _, _ := strings.Cut(string(got.body), ",")
			ids[id] = true
		})
	}
	all.Wait()
	return ids, created
}

func TestBlockedCreatorCannotConvert(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		s := start(t, append(flags, "-demo")...)
		old := s.convert(t, "creator", "anna", "https://acme.example/shoes", http.StatusCreated)
		blocklist := fmt.Sprintf("/v2/advertisers/%d/blocklist", s.IDs["advertisers"]["acme"])
		block := func(validate bool) int64 {
			var added struct{ Data []struct{ ID int64 } }
			s.as("advertiser").call(t, http.MethodPost, blocklist, map[string]any{
				"users": []any{map[string]any{"id": s.IDs["users"]["anna"], "validate_clicks": validate}},
			}, http.StatusCreated, &added)
			is.Equal(len(added.Data), 1)
			return added.Data[0].ID
		}
		click := func(reader string) {
			_, err := s.as("").click(t.Context(), old.ID, reader)
			is.NoErr(err) // old links lead on in any case
		}

		entry := block(false)
		is.Equal(s.refusal(t, "creator", "anna", "https://acme.example/boots"), "blocked")
		click("1")
		is.Equal(s.clicks(t, "blocked"), 1.0)
		is.Equal(s.money(t), [2]float64{}) // not paid

		s.as("advertiser").call(t, http.MethodDelete, fmt.Sprintf("%s/%d", blocklist, entry), nil, http.StatusNoContent, nil)
		block(true)
		is.Equal(s.refusal(t, "creator", "anna", "https://acme.example/boots"), "blocked")
		click("2")
		is.Equal(s.clicks(t, "valid"), 1.0)
		is.Equal(s.money(t), [2]float64{10, 12}) // validate_clicks pays the old link
	})
}

func TestURLsThatCannotBeConvertedSayWhy(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		s := start(t, append(flags, "-demo")...)
		rules := fmt.Sprintf("/v2/advertisers/%d/url-matching-rules", s.IDs["advertisers"]["acme"])
		s.as("advertiser").call(t, http.MethodPost, rules, map[string]any{"type": "block", "url": "acme.example/sale"}, http.StatusCreated, nil)
		made := s.convert(t, "creator_2", "bo", "https://acme.example/", http.StatusCreated)
		for _, tt := range []struct{ account, user, url, want string }{
			{"creator", "anna", "https://hidden.example/", "not_visible"},
			{"creator", "anna", "https://acme.example@evil.example/", "no_advertiser"}, // evil's, with a user name
			{"creator", "anna", "https://notacme.example/", "no_advertiser"},
			{"creator", "anna", "https://acme.example/sale", "no_advertiser"}, // block beats allow
			{"creator", "anna", "https://acme.example/sale/x", "no_advertiser"},
			{"creator", "anna", "https://acme.example/%73ale", "no_advertiser"},
			{"creator", "anna", "ftp://acme.example/", "invalid_url"},
			{"creator", "anna", fmt.Sprintf("http://%s/c/%d", s.Listening, made.ID), "already_affiliate_link"},
			{"admin", "carl", "https://acme.example/", "user_not_approved"},
			{"creator", "anna", "https://acme.example/sales", ""}, // /sale is not /sales
			{"creator", "anna", "https://acme.example/?sale", ""},
		} {
			var seen inspection
			s.as(tt.account).call(t, http.MethodPost, s.inspections(tt.user), map[string]any{"url": tt.url}, http.StatusOK, &seen)
			if seen.Reason != tt.want || seen.Convertible != (tt.want == "") {
				t.Errorf("inspect %s: got %q, convertible %v; want %q", tt.url, seen.Reason, seen.Convertible, tt.want)
			}
			if tt.want == "" {
				s.convert(t, tt.account, tt.user, tt.url, http.StatusCreated)
			} else if got := s.refusal(t, tt.account, tt.user, tt.url); got != tt.want {
				t.Errorf("convert %s: got %q, want %q", tt.url, got, tt.want)
			}
		}
	})
}

func TestURLOfTwoAdvertisersNeedsAChoice(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		s := start(t, append(flags, "-demo")...)
		var refused struct {
			Code        string
			Advertisers []struct{ ID int64 }
		}
		path := fmt.Sprintf("/v3/users/%d/affiliate-links", s.IDs["users"]["anna"])
		s.as("creator").call(t, http.MethodPost, path, map[string]any{"url": "https://mall.example/"}, http.StatusUnprocessableEntity, &refused)
		is.Equal(refused.Code, "ambiguous_advertiser")
		is.Equal(len(refused.Advertisers), 2)
		is.Equal(refused.Advertisers[0].ID, s.IDs["advertisers"]["mall_one"])
		is.Equal(refused.Advertisers[1].ID, s.IDs["advertisers"]["mall_two"])
		var made struct{ Advertiser struct{ ID int64 } }
		s.as("creator").call(t, http.MethodPost, path, map[string]any{"url": "https://mall.example/", "advertiser_id": refused.Advertisers[1].ID}, http.StatusCreated, &made)
		is.Equal(made.Advertiser.ID, refused.Advertisers[1].ID)
	})
}

// inspection is what the API answers about a URL.
type inspection struct {
	Convertible bool
	Reason      string
	Existing    *link `json:"existing_affiliate_link"`
	Advertisers []struct{ ID int64 }
}

func (l listening) inspections(user string) string {
	return fmt.Sprintf("/v2/users/%d/inspections/affiliate-link", l.IDs["users"][user])
}

// refusal converts a URL that cannot be and answers the code of the error.
func (l listening) refusal(t *testing.T, account, user, url string) string {
	t.Helper()
	var refused struct{ Code string }
	path := fmt.Sprintf("/v3/users/%d/affiliate-links", l.IDs["users"][user])
	l.as(account).call(t, http.MethodPost, path, map[string]any{"url": url}, http.StatusUnprocessableEntity, &refused)
	return refused.Code
}

// money is what has been earned and what it costs since the server started, in
// öre: the sample data have earnings of their own.
func (l listening) money(t *testing.T) [2]float64 {
	t.Helper()
	now := l.ledger(t)
	if before, ok := samples.Load(l.Listening); ok {
		sample := before.([2]float64)
		now[0], now[1] = now[0]-sample[0], now[1]-sample[1]
	}
	return now
}

// ledger is all that was earned and what it costs, in öre.
func (l listening) ledger(t *testing.T) [2]float64 {
	t.Helper()
	return [2]float64{
		l.metric(t, `affiliatekit_ledger_earned_minor_units{currency="SEK"}`),
		l.metric(t, `affiliatekit_ledger_cost_minor_units{currency="SEK"}`),
	}
}

// clicks is how many clicks of a verdict the process has kept.
func (l listening) clicks(t *testing.T, verdict string) float64 {
	t.Helper()
	return l.metric(t, `affiliatekit_clicks_recorded_total{verdict="`+verdict+`"}`)
}
