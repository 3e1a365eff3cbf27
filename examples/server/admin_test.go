package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// runAdmin runs "server admin" and returns what it printed.
func runAdmin(t *testing.T, status int, args ...string) (out seedResult, printed, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := program(append([]string{"admin"}, args...), func(string) string { return "" }, &stdout, &stderr); got != status {
		t.Fatalf("admin %q: got status %d, want %d: %s", args, got, status, stderr.String())
	}
	if status == 0 {
		is.New(t).NoErr(json.Unmarshal(stdout.Bytes(), &out))
	}
	return out, stdout.String(), stderr.String()
}

const seedFile = `{
	"advertisers": [{
		"name": "Acme", "domains": ["acme.example", "acme.test"], "country": "SE", "currency": "SEK",
		"cpc": {"amount": "0.10", "currency": "SEK"}, "invoice_cpc": {"amount": "0.12", "currency": "SEK"}, "cpa": "0.05"
	}],
	"clients": [{"client_id": "magazine", "name": "Magazine", "revenue_share": "0.8"}],
	"users": [{"username": "anna", "email": "anna@example.com", "client": "magazine", "approved": true}],
	"tokens": [
		{"role": "admin", "subject": "operator"},
		{"role": "representative", "subject": "acme", "advertisers": ["Acme"]},
		{"role": "creator", "user": "anna", "client": "magazine"},
		{"role": "client", "client": "magazine"}
	]
}`

func writeSeed(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.json")
	is.New(t).NoErr(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// From nothing to a click that earns, without a line of Go.
func TestAnEmptyDatabaseComesToItsFirstClick(t *testing.T) {
	t.Parallel()
	is, dsn := is.New(t), pgtest.DSN(t)
	sown, _, _ := runAdmin(t, 0, "apply", "-dsn", dsn, writeSeed(t, seedFile))
	is.Equal(sown.Created, []string{
		"advertiser Acme", "client magazine", "user anna", "token admin operator", "token representative acme", "token creator anna", "token client magazine",
	})
	is.Equal(len(sown.Secrets), 5)

	server := start(t, "-dsn", dsn)
	as := func(token string) api { a := server.as(""); a.token = sown.Secrets[token]; return a }
	var made link
	anna := sown.IDs["user"]["anna"]
	as("token creator anna").call(t, http.MethodPost, fmt.Sprintf("/v3/users/%d/affiliate-links", anna), map[string]any{"url": "https://acme.example/shoes"}, http.StatusCreated, &made)
	_, err := server.as("").click(t.Context(), made.ID, "1")
	is.NoErr(err)
	is.Equal(server.metric(t, `affiliatekit_ledger_earned_minor_units{currency="SEK"}`), 10.0)
	is.Equal(server.metric(t, `affiliatekit_ledger_cost_minor_units{currency="SEK"}`), 12.0)
	as("token admin operator").call(t, http.MethodGet, "/v2/clients", nil, http.StatusOK, nil)
	as("token representative acme").call(t, http.MethodGet, fmt.Sprintf("/advertiser/stores/%d", sown.IDs["advertiser"]["Acme"]), nil, http.StatusOK, nil)
}

func TestAdminChangesNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	is, dsn := is.New(t), pgtest.DSN(t)
	path := writeSeed(t, seedFile)
	first, _, _ := runAdmin(t, 0, "apply", "-dsn", dsn, path)
	again, printed, _ := runAdmin(t, 0, "apply", "-dsn", dsn, path)
	is.Equal(again.IDs, first.IDs)
	is.Equal(len(again.Created), 0)
	is.Equal(len(again.Secrets), 0)
	for _, secret := range first.Secrets {
		is.True(!strings.Contains(printed, secret)) // a secret is printed once
	}

	// The single commands are the same as a seed with one entry.
	for _, args := range [][]string{
		{"advertiser", "-name", "Acme", "-domain", "acme.example", "-country", "SE", "-currency", "SEK", "-cpc", "0.20"},
		{"client", "-id", "magazine", "-name", "Another"},
		{"user", "-username", "anna", "-client", "magazine"},
		{"token", "-role", "representative", "-subject", "acme", "-advertisers", "Acme"},
	} {
		out, _, _ := runAdmin(t, 0, append([]string{args[0], "-dsn", dsn}, args[1:]...)...)
		is.Equal(len(out.Created), 0)
	}
	out, _, _ := runAdmin(t, 0, "advertiser", "-dsn", dsn, "-name", "Nordic", "-domain", "nordic.example", "-country", "FI", "-currency", "EUR", "-cpc", "0.02", "-cpa", "0.1")
	is.Equal(out.Created, []string{"advertiser Nordic"})
	out, _, _ = runAdmin(t, 0, "user", "-dsn", dsn, "-username", "bo", "-approved")
	is.Equal(out.Created, []string{"user bo"})
}

func TestAdminRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	is, dsn := is.New(t), pgtest.DSN(t)
	for _, tc := range []struct {
		status int
		text   string
		want   string
	}{
		{2, `{"advertiser": []}`, "advertiser"},
		{2, `{} {}`, "one JSON object"},
		{2, `{"advertisers": [{"name": "Acme", "cpc": 0.10}]}`, "amount"},
		{2, `{"advertisers": [{"name": "Acme", "cpa": 0.05}]}`, "cpa"},
		{1, `{"advertisers": [{"name": "Acme", "domains": ["acme.example"], "country": "SE", "currency": "SEK", "cpc": {"amount": "0.10", "currency": "EUR"}}]}`, "cpc must be in SEK"},
		{1, `{"users": [{"username": "anna", "client": "nobody"}]}`, `user "anna"`},
		{1, `{"tokens": [{"role": "king", "subject": "x"}]}`, "role"},
		{1, `{"users": [{"username": "bo"}], "tokens": [{"role": "creator", "user": "nobody"}]}`, "not found"},
	} {
		_, printed, said := runAdmin(t, tc.status, "apply", "-dsn", dsn, writeSeed(t, tc.text))
		if !strings.Contains(said, tc.want) || printed != "" {
			t.Errorf("%s: said %q and printed %q, want %q and nothing", tc.text, said, printed, tc.want)
		}
	}
	out, _, _ := runAdmin(t, 0, "user", "-dsn", dsn, "-username", "bo")
	is.Equal(out.Created, []string{"user bo"}) // what was refused left nothing
	runAdmin(t, 2, "apply", "seed.json")
	runAdmin(t, 2, "token", "-dsn", dsn, "extra")
	runAdmin(t, 2, "conquer")
	runAdmin(t, 2)
}
