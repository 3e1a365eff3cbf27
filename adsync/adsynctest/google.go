package adsynctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// GoogleOptions set up a fake of Google.
type GoogleOptions struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// Version is the one that the fake knows; default: any.
	Version string
}

// Google is a fake of the Google Ads API and of the Merchant API, as one
// http.Handler with state. It knows the calls that the package adsync/google
// makes. It is safe for concurrent use.
type Google struct {
	o GoogleOptions

	mu       sync.Mutex
	fault    FaultFunc
	last     int
	objects  map[string]*GoogleObject // by resource name
	order    []string
	products map[string]map[string]any // by data source and name
	changes  []map[string]any
	calls    int
}

// GoogleObject is an object of the fake.
type GoogleObject struct {
	Resource string // customers/1234567890/campaigns/5
	Fields   map[string]any
}

// collection is the kind of the object: campaigns.
func (o *GoogleObject) collection() string { return strings.Split(o.Resource, "/")[2] }

func (o *GoogleObject) id() string { return strings.Split(o.Resource, "/")[3] }

func (o *GoogleObject) text(field string) string {
	s, _ := o.Fields[field].(string)
	return s
}

func (o *GoogleObject) removed() bool { return o.text("status") == "REMOVED" }

// NewGoogle returns a fake that has nothing.
func NewGoogle(o GoogleOptions) *Google {
	return &Google{o: o, objects: map[string]*GoogleObject{}, products: map[string]map[string]any{}}
}

// SetFault has fn choose what goes wrong with each call; nil: nothing.
func (g *Google) SetFault(fn FaultFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fault = fn
}

// Calls returns how many calls were made.
func (g *Google) Calls() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// Objects returns the objects of a collection (campaigns, adGroups, adGroupAds)
// that are not removed, in the order of their creation.
func (g *Google) Objects(collection string) []GoogleObject {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []GoogleObject
	for _, o := range g.all(collection) {
		out = append(out, GoogleObject{o.Resource, maps.Clone(o.Fields)})
	}
	return out
}

func (g *Google) all(collection string) []*GoogleObject {
	var out []*GoogleObject
	for _, name := range g.order {
		if o := g.objects[name]; o != nil && o.collection() == collection && !o.removed() && !g.parentRemoved(o) {
			out = append(out, o)
		}
	}
	return out
}

// Products returns the products of a data source by their name.
func (g *Google) Products(dataSource string) map[string]map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[string]map[string]any{}
	for key, p := range g.products {
		if name, ok := strings.CutPrefix(key, dataSource+" "); ok {
			out[name] = maps.Clone(p)
		}
	}
	return out
}

// Edit changes a field of an object as somebody else would; the field status
// with the value REMOVED removes it.
func (g *Google) Edit(resource, field, value, who string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o := g.objects[resource]; o != nil {
		o.Fields[field] = value
		g.changes = append(g.changes, map[string]any{
			"userEmail": who, "changeDateTime": g.o.Clock.Now().Format("2006-01-02 15:04:05.000000"), "changeResourceName": resource,
		})
	}
}

// adsFault is one error of the Ads API.
type adsFault struct {
	status     int
	kind, code string
	message    string
	index      int // the mutation; -1: none
	field      string
	delay      string
}

func (f *adsFault) json() map[string]any {
	path := []map[string]any{}
	if f.index >= 0 {
		path = append(path, map[string]any{"fieldName": "mutate_operations", "index": f.index})
	}
	if f.field != "" {
		path = append(path, map[string]any{"fieldName": "create"}, map[string]any{"fieldName": f.field})
	}
	e := map[string]any{"errorCode": map[string]string{f.kind: f.code}, "message": f.message, "location": map[string]any{"fieldPathElements": path}}
	if f.delay != "" {
		e["details"] = map[string]any{"quotaErrorDetails": map[string]string{"rateScope": "ACCOUNT", "rateName": "Basic", "retryDelay": f.delay}}
	}
	return e
}

func (g *Google) status(faults ...*adsFault) map[string]any {
	errs := []map[string]any{}
	for _, f := range faults {
		errs = append(errs, f.json())
	}
	return map[string]any{
		"code": 3, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT",
		"details": []map[string]any{{
			"@type": "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure", "errors": errs, "requestId": "request-" + strconv.Itoa(g.calls),
		}},
	}
}

var adsPath = regexp.MustCompile(`^/(v\d+)/customers/(\d{10})/googleAds:(mutate|search)$`)

// ServeHTTP answers a call.
func (g *Google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "request-"+strconv.Itoa(g.calls))
	fault := NoFault
	if g.fault != nil {
		fault = g.fault(r)
	}
	if fault == DropBefore {
		panic(http.ErrAbortHandler)
	}
	status, body := g.answer(r, fault)
	if fault == DropAfter {
		panic(http.ErrAbortHandler)
	}
	if fault == ErrorAfter && status == http.StatusOK {
		status, body = g.refuse(&adsFault{status: 500, kind: "internalError", code: "INTERNAL_ERROR", message: "An internal error has occurred.", index: -1})
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (g *Google) refuse(f *adsFault) (int, any) {
	return max(f.status, 400), map[string]any{"error": g.status(f)}
}

func (g *Google) answer(r *http.Request, fault ServiceFault) (int, any) {
	path := adsPath.FindStringSubmatch(r.URL.Path)
	mutates := path != nil && path[3] == "mutate"
	switch {
	case r.Header.Get("Authorization") == "":
		return g.refuse(&adsFault{status: 401, kind: "authenticationError", code: "OAUTH_TOKEN_INVALID", message: "The token is not valid.", index: -1})
	case fault == RateLimited:
		return g.refuse(&adsFault{status: 429, kind: "quotaError", code: "RESOURCE_EXHAUSTED", message: "Too many requests. Retry in 30 seconds.", index: -1, delay: "30s"})
	case fault == ErrorBefore:
		return g.refuse(&adsFault{status: 500, kind: "internalError", code: "TRANSIENT_ERROR", message: "A transient error has occurred.", index: -1})
	case fault == VersionGone || path != nil && g.o.Version != "" && path[1] != g.o.Version:
		return g.refuse(&adsFault{kind: "requestError", code: "UNSUPPORTED_VERSION", message: "This version is deprecated. Requests to it will be blocked.", index: -1})
	case fault == PolicyRejected && mutates:
		return g.refuse(&adsFault{kind: "policyFindingError", code: "POLICY_FINDING", message: "The resource is against the policies.", index: 0, field: "name"})
	case path == nil:
		return g.merchant(r, fault)
	case !mutates:
		var q struct{ Query, PageToken string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			return g.refuse(&adsFault{kind: "requestError", code: "BAD_RESOURCE_ID", message: err.Error(), index: -1})
		}
		return g.search(path[2], q.Query)
	}
	var body mutateRequest
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return g.refuse(&adsFault{kind: "requestError", code: "BAD_RESOURCE_ID", message: err.Error(), index: -1})
	}
	return g.mutate(path[2], body, fault)
}

var (
	inForm    = regexp.MustCompile(`(campaign\.id|ad_group\.id|ad_group_ad\.ad\.id) (?:=|IN) \(?([0-9, ]+)\)?`)
	likeForm  = regexp.MustCompile(`(campaign|ad_group)\.name LIKE '%(\w+)%'`)
	fromForm  = regexp.MustCompile(` FROM (\w+)`)
	tableName = map[string]string{"campaign": "campaigns", "ad_group": "adGroups", "ad_group_ad": "adGroupAds", "campaign_criterion": "campaignCriteria"}
)

// search knows the conditions that the driver uses: ids, and names with a text.
func (g *Google) search(customer, query string) (int, any) {
	from := fromForm.FindStringSubmatch(query)
	if from == nil {
		return g.refuse(&adsFault{kind: "queryError", code: "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", message: "There is no FROM.", index: -1})
	}
	rows := []map[string]any{}
	if from[1] == "change_event" {
		for _, c := range g.changes {
			rows = append(rows, map[string]any{"changeEvent": c})
		}
		return http.StatusOK, map[string]any{"results": rows}
	}
	for _, o := range g.all(tableName[from[1]]) {
		row := g.row(o)
		if strings.HasPrefix(o.Resource, "customers/"+customer+"/") && matches(query, row) {
			rows = append(rows, row)
		}
	}
	return http.StatusOK, map[string]any{"results": rows}
}

// row is an object with its parent, as a search shows them.
func (g *Google) row(o *GoogleObject) map[string]any {
	own := maps.Clone(o.Fields)
	own["resourceName"], own["id"] = o.Resource, o.id()
	parent := func(field string) map[string]any {
		p := g.objects[o.text(field)]
		if p == nil {
			return map[string]any{}
		}
		out := maps.Clone(p.Fields)
		out["id"], out["resourceName"] = p.id(), p.Resource
		return out
	}
	switch o.collection() {
	case "campaigns":
		return map[string]any{"campaign": own, "campaignBudget": parent("campaignBudget")}
	case "adGroups":
		return map[string]any{"adGroup": own, "campaign": parent("campaign")}
	case "campaignCriteria":
		return map[string]any{"campaignCriterion": own, "campaign": parent("campaign")}
	}
	return map[string]any{"adGroupAd": own, "adGroup": parent("adGroup")}
}

func matches(query string, row map[string]any) bool {
	at := func(path ...string) string {
		var v any = row
		for _, step := range path {
			inner, _ := v.(map[string]any)
			v = inner[step]
		}
		return fmt.Sprint(v)
	}
	for _, m := range inForm.FindAllStringSubmatch(query, -1) {
		value := map[string]string{
			"campaign.id": at("campaign", "id"), "ad_group.id": at("adGroup", "id"), "ad_group_ad.ad.id": at("adGroupAd", "ad", "id"),
		}[m[1]]
		if !slices.Contains(strings.Split(strings.ReplaceAll(m[2], " ", ""), ","), value) {
			return false
		}
	}
	for _, m := range likeForm.FindAllStringSubmatch(query, -1) {
		name := at(map[string]string{"campaign": "campaign", "ad_group": "adGroup"}[m[1]], "name")
		if !strings.Contains(name, m[2]) {
			return false
		}
	}
	return true
}
