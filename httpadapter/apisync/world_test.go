package apisync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var start = time.Date(2026, 3, 18, 11, 42, 10, 123456000, time.UTC)

// world is the adapter over a store, at an instant that the test moves. The
// accounts sync and sync_2 are live, sync_test is for tests; each has act_1 and
// 1234567890.
type world struct {
	t       testing.TB
	sync    *adsync.Service
	handler http.Handler
	now     *atomic.Int64
}

func (w *world) clock() time.Time     { return time.UnixMicro(w.now.Load()) }
func (w *world) pass(d time.Duration) { w.now.Add(d.Microseconds()) }

// principals knows who a test says it is: the token is the name.
type principals struct{}

func (principals) Authenticate(r *http.Request) (affiliate.Principal, error) {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "ApiToken ")
	roles := map[string]affiliate.Role{"operator": affiliate.RoleAdmin, "creator": affiliate.RoleCreator, "partner": affiliate.RolePartner, "lists": affiliate.RoleLists}
	role, other := roles[name]
	switch {
	case !ok || name == "":
		return affiliate.Principal{}, &affiliate.Error{Kind: affiliate.ErrUnauthenticated}
	case other:
		return affiliate.Principal{Role: role, Subject: name}, nil
	}
	return affiliate.Principal{Role: affiliate.RoleSync, Subject: name, Test: name == "sync_test"}, nil
}

func eachBackend(t *testing.T, test func(t *testing.T, w *world)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b, -1)) })
}

func newWorld(t testing.TB, b storagetest.Backend, perMinute int) *world {
	t.Helper()
	w := &world{t: t, now: &atomic.Int64{}}
	w.now.Store(start.UnixMicro())
	var err error
	if w.sync, err = adsync.NewService(b.AdSync, adsync.Options{Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"sync", "sync_2", "sync_test"} {
		if _, err := w.sync.RegisterAccount(t.Context(), adsync.AccountInput{ID: id, Test: id == "sync_test"}); err != nil {
			t.Fatal(err)
		}
		for _, a := range []adsync.AdAccountInput{{ID: "act_1", Name: "Social"}, {ID: "1234567890", Name: "Search", CatalogID: "c"}} {
			if _, err := w.sync.ForAccount(id).ConnectAdAccount(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.handler, err = httpadapter.New(httpadapter.Services{AdSync: w.sync}, httpadapter.Options{
		Authenticator: principals{}, RequestsPerMinute: perMinute, Clock: w.clock, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// send makes a request as one of the principals, or as nobody ("").
func (w *world) send(who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Accept", "application/vnd.api+json")
	r.Header.Set("Content-Type", "application/vnd.api+json")
	if who != "" {
		r.Header.Set("Authorization", "ApiToken "+who)
	}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if err := contract.DocumentOf(w.t, "apisync").Check(method, target, answer); err != nil {
		w.t.Errorf("%s %s: %v in %s", method, target, err, answer.Body)
	}
	return answer
}

// ask is send as "sync" that must have the status; the answer is decoded.
func (w *world) ask(status int, method, target, body string) object {
	w.t.Helper()
	answer := w.send("sync", method, target, body)
	if answer.Code != status {
		w.t.Fatalf("%s %s %s: got %d %s, want %d", method, target, body, answer.Code, answer.Body, status)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/vnd.api+json" {
		w.t.Errorf("Content-Type %q", got)
	}
	decoder := json.NewDecoder(bytes.NewReader(answer.Body.Bytes()))
	decoder.UseNumber()
	var out object
	if err := decoder.Decode(&out); err != nil {
		w.t.Fatalf("%v in %s", err, answer.Body)
	}
	return out
}

type object map[string]any

// at is what a dotted path leads to, as JSON.
func (o object) at(path string) string {
	var v any = map[string]any(o)
	for name := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			n := 0
			_, _ = fmt.Sscan(name, &n)
			if n >= len(at) {
				return "(none)"
			}
			v = at[n]
		default:
			return "(none)"
		}
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// id is the id of a document.
func (o object) id() string { return strings.Trim(o.at("data.id"), `"`) }

// ids are the ids of a list.
func (o object) ids() []string {
	var out []string
	for _, v := range o["data"].([]any) {
		out = append(out, v.(map[string]any)["id"].(string))
	}
	return out
}

// problems are the places and codes of an error document, sorted.
func (o object) problems() string {
	var out []string
	for _, v := range o["errors"].([]any) {
		e := v.(map[string]any)
		place := ""
		if source, ok := e["source"].(map[string]any); ok {
			place = fmt.Sprint(source["pointer"])
			if p, ok := source["parameter"]; ok {
				place = fmt.Sprint(p)
			}
		}
		out = append(out, place+" "+fmt.Sprint(e["code"]))
	}
	sort.Strings(out)
	return strings.Join(out, ", ")
}

func bodyOf(resource, id, attributes, relationships string) string {
	out := `{"data":{"type":"` + resource + `"`
	if id != "" {
		out += `,"id":"` + id + `"`
	}
	if attributes != "" {
		out += `,"attributes":{` + attributes + `}`
	}
	if relationships != "" {
		out += `,"relationships":{` + relationships + `}`
	}
	return out + "}}"
}

const newItem = `"ad_template_type":"vehicle","available":true,"content_language":"pt-br"`

func item(attributes string) string {
	if attributes != "" {
		attributes = "," + attributes
	}
	return bodyOf("inventory-items", "", newItem+attributes, "")
}

func relation(name, id string) string {
	return `"` + name + `":{"data":{"type":"x","id":"` + id + `"}}`
}

const textCreative = `"creative":{"headline_part1":"a","headline_part2":"b","description":"c"}`

// tree is a campaign with an ad set and an ad of an account, at an ad account.
func (w *world) tree(who, adAccount string) (campaign, adSet, ad string) {
	w.t.Helper()
	create := func(path, body string) string {
		w.t.Helper()
		answer := w.send(who, "POST", path, body)
		var got object
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != 201 {
			w.t.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
		}
		return got.id()
	}
	campaign = create("/campaigns", bodyOf("campaigns", "", `"service":"`+string(adsync.ServiceOf(adAccount))+`","state":"active"`, relation("ad_account", adAccount)))
	adSet = create("/ad-sets", bodyOf("ad-sets", "", `"state":"active","bids":{"cpc":{"amount":123}},"service_configurations":{}`, relation("campaign", campaign)))
	ad = create("/ads", bodyOf("ads", "", `"state":"active","ad_type":"expanded-text-ad","destination_url":"https://a.example/",`+textCreative, relation("ad_set", adSet)))
	return campaign, adSet, ad
}

// operation is one operation of the document's facts.
type operation struct {
	ID       string   `json:"id"`
	Methods  []string `json:"methods"`
	Path     string   `json:"path"`
	Auth     string   `json:"auth"`
	Request  any      `json:"request_example"`
	Variants []struct {
		Name    string `json:"name"`
		Example any    `json:"example"`
	} `json:"request_variants"`
	BodyParams []struct {
		Name     string `json:"name"`
		ReadOnly bool   `json:"read_only"`
		Example  any    `json:"example"`
	} `json:"body_params"`
	Responses []struct {
		Example any `json:"example"`
	} `json:"responses"`
}

func facts(t testing.TB) []operation {
	t.Helper()
	text, err := os.ReadFile("../testdata/contract/apisync.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Operations []operation }
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document.Operations
}
