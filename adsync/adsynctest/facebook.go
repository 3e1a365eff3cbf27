package adsynctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// FacebookOptions set up a fake of Facebook.
type FacebookOptions struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
	// Budget is how many calls are allowed in a Window; 0: any number.
	Budget int
	Window time.Duration // default: an hour
	// Works is how long the fake works on a batch of items.
	Works time.Duration
}

// Facebook is a fake of Facebook's Marketing API and its catalogs, as an
// http.Handler with state. It knows the calls that the package adsync/facebook
// makes. It is safe for concurrent use.
type Facebook struct {
	o FacebookOptions

	mu         sync.Mutex
	fault      FaultFunc
	last       int
	objects    map[string]*FacebookObject
	order      []string // ids in the order of their creation
	catalogs   map[string]map[string]map[string]string
	batches    map[string]*itemBatch
	waiting    []*itemBatch
	activities []map[string]string
	calls      int
	window     time.Time // when the present one began
	used       int
	violations int
}

// FacebookObject is an object of the fake.
type FacebookObject struct {
	ID        string
	AdAccount string
	Edge      string            // campaigns, adsets, ads, adcreatives, advideos
	Fields    map[string]string // as sent
}

type itemBatch struct {
	handle, catalog string
	requests        []itemRequest
	ready           time.Time
	done            bool
	invalid         []string
}

type itemRequest struct {
	Method string            `json:"method"`
	Data   map[string]string `json:"data"`
}

// NewFacebook returns a fake that has nothing.
func NewFacebook(o FacebookOptions) *Facebook {
	if o.Window <= 0 {
		o.Window = time.Hour
	}
	return &Facebook{
		o: o, objects: map[string]*FacebookObject{}, catalogs: map[string]map[string]map[string]string{}, batches: map[string]*itemBatch{},
	}
}

// SetFault has fn choose what goes wrong with each call; nil: nothing.
func (f *Facebook) SetFault(fn FaultFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fn
}

// Calls returns how many calls were made, and how many of them after the fake
// had said that the allowance is used up.
func (f *Facebook) Calls() (all, afterStop int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls, f.violations
}

// Objects returns the objects of an edge that are not removed, in the order of
// their creation.
func (f *Facebook) Objects(edge string) []FacebookObject {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []FacebookObject
	for _, id := range f.order {
		if o := f.objects[id]; o != nil && o.Edge == edge && o.Fields["status"] != "DELETED" {
			out = append(out, FacebookObject{o.ID, o.AdAccount, o.Edge, maps.Clone(o.Fields)})
		}
	}
	return out
}

// Items returns the items of a catalog by their id.
func (f *Facebook) Items(catalog string) map[string]map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.work(true)
	out := map[string]map[string]string{}
	for id, data := range f.catalogs[catalog] {
		out[id] = maps.Clone(data)
	}
	return out
}

// Edit changes a field of an object as somebody else would; the field status
// with the value DELETED removes it.
func (f *Facebook) Edit(id, field, value, who string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o := f.objects[id]; o != nil {
		o.Fields[field] = value
		f.activities = append(f.activities, map[string]string{
			"object_id": id, "actor_name": who, "event_time": f.o.Clock.Now().Format("2006-01-02T15:04:05-0700"),
		})
	}
}

// graphFault is an error of the Graph API.
type graphFault struct {
	status, code, subcode int
	message, field        string
	transient             bool
}

// ServeHTTP answers a call.
func (f *Facebook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	f.work(false)
	fault := NoFault
	if f.fault != nil {
		fault = f.fault(r)
	}
	if fault == DropBefore {
		panic(http.ErrAbortHandler)
	}
	out, refused := f.answer(w, r, fault)
	switch {
	case fault == DropAfter:
		panic(http.ErrAbortHandler)
	case fault == ErrorAfter && refused == nil:
		refused = &graphFault{status: 500, code: 2, message: "An unexpected error has occurred.", transient: true}
	}
	w.Header().Set("Content-Type", "application/json")
	if refused == nil {
		_ = json.NewEncoder(w).Encode(out)
		return
	}
	body := map[string]any{
		"message": refused.message, "type": "OAuthException", "code": refused.code, "is_transient": refused.transient, "fbtrace_id": "trace" + strconv.Itoa(f.calls),
	}
	if refused.subcode > 0 {
		body["error_subcode"] = refused.subcode
	}
	if refused.field != "" {
		body["error_data"] = map[string]any{"blame_field_specs": [][]string{{refused.field}}}
	}
	w.WriteHeader(max(refused.status, 400))
	_ = json.NewEncoder(w).Encode(map[string]any{"error": body})
}

func (f *Facebook) answer(w http.ResponseWriter, r *http.Request, fault ServiceFault) (any, *graphFault) {
	if r.Header.Get("Authorization") == "" {
		return nil, &graphFault{status: 401, code: 190, message: "Invalid OAuth access token."}
	}
	if stop := f.allowance(w, fault == RateLimited); stop != nil {
		return nil, stop
	}
	changes := r.Method != http.MethodGet
	switch {
	case fault == VersionGone:
		return nil, &graphFault{code: 2635, message: "You are calling a deprecated version of the Ads API. Please update to the latest version."}
	case fault == ErrorBefore, fault == PartialFailure:
		return nil, &graphFault{status: 500, code: 1, message: "An unknown error occurred.", transient: true}
	case fault == PolicyRejected && changes:
		return nil, &graphFault{code: 368, message: "The action is against our advertising policies.", field: "name"}
	case fault == DuplicateName && changes:
		return nil, &graphFault{code: 100, subcode: 1487390, message: "The name is in use.", field: "name"}
	}
	if err := r.ParseForm(); err != nil {
		return nil, invalid("body", err.Error())
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || !strings.HasPrefix(parts[0], "v") {
		return nil, &graphFault{code: 2500, message: "Unknown path components."}
	}
	if len(parts) == 2 {
		return f.node(r, parts[1])
	}
	switch parts[2] {
	case "items_batch":
		return f.itemsBatch(parts[1], r.PostForm, fault == InvalidItem)
	case "check_batch_request_status":
		return f.status(r.Form.Get("handle"))
	case "products":
		return f.products(parts[1], r.Form)
	case "activities":
		return map[string]any{"data": f.activities}, nil
	case "campaigns", "adsets", "ads", "adcreatives", "advideos":
		if changes {
			return f.create(parts[1], parts[2], r.PostForm)
		}
		return f.list(parts[1], parts[2], r.Form)
	}
	return nil, &graphFault{code: 2500, message: "Unknown path components."}
}

func invalid(field, message string) *graphFault {
	return &graphFault{code: 100, message: message, field: field}
}

// allowance counts a call and tells how much of the allowance is used.
func (f *Facebook) allowance(w http.ResponseWriter, stop bool) *graphFault {
	now := f.o.Clock.Now()
	if now.Sub(f.window) >= f.o.Window {
		f.window, f.used = now, 0
	}
	percent, regain := 0, 0
	if f.o.Budget > 0 {
		stopped := f.used >= f.o.Budget
		if stopped {
			f.violations++
		} else {
			f.used++
		}
		percent = f.used * 100 / f.o.Budget
		if f.used >= f.o.Budget {
			regain = int((f.window.Add(f.o.Window).Sub(now) + time.Minute - 1) / time.Minute)
		}
		stop = stop || stopped
	}
	if stop && regain == 0 {
		percent, regain = 100, 1
	}
	text := fmt.Sprintf(`{"1":[{"type":"ads_management","call_count":%d,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":%d,"ads_api_access_tier":"standard_access"}]}`, percent, regain)
	w.Header().Set("X-Business-Use-Case-Usage", text)
	if stop {
		return &graphFault{code: 80004, subcode: 2446079, message: "There have been too many calls to this ad-account. Wait a bit and try again."}
	}
	return nil
}

// required are the fields that an edge asks for.
var required = map[string][]string{
	"campaigns":   {"name", "objective", "special_ad_categories"},
	"adsets":      {"name", "campaign_id", "targeting", "billing_event", "optimization_goal"},
	"ads":         {"name", "adset_id", "creative"},
	"adcreatives": {"name", "object_story_spec"},
	"advideos":    {"file_url"},
}

func (f *Facebook) create(adAccount, edge string, form url.Values) (any, *graphFault) {
	for _, name := range required[edge] {
		if form.Get(name) == "" {
			return nil, invalid(name, "("+name+") is required.")
		}
	}
	for field, parent := range map[string]string{"campaign_id": "campaigns", "adset_id": "adsets"} {
		if id := form.Get(field); id != "" {
			if o := f.objects[id]; o == nil || o.Edge != parent || o.Fields["status"] == "DELETED" {
				return nil, invalid(field, "The parent does not exist.")
			}
		}
	}
	if refused := f.creative(form); refused != nil {
		return nil, refused
	}
	if strings.Contains(form.Get("execution_options"), "validate_only") {
		return map[string]any{"success": true}, nil
	}
	f.last++
	o := &FacebookObject{ID: strconv.Itoa(100_000 + f.last), AdAccount: adAccount, Edge: edge, Fields: map[string]string{}}
	for name := range form {
		o.Fields[name] = form.Get(name)
	}
	f.objects[o.ID] = o
	f.order = append(f.order, o.ID)
	return map[string]any{"id": o.ID}, nil
}

// creative checks what an ad refers to.
func (f *Facebook) creative(form url.Values) *graphFault {
	if form.Get("creative") == "" {
		return nil
	}
	var ref struct {
		ID   string          `json:"creative_id"`
		Spec json.RawMessage `json:"object_story_spec"`
	}
	if err := json.Unmarshal([]byte(form.Get("creative")), &ref); err != nil {
		return invalid("creative", "The creative is not an object.")
	}
	if o := f.objects[ref.ID]; len(ref.Spec) == 0 && (o == nil || o.Edge != "adcreatives") {
		return invalid("creative", "The creative does not exist.")
	}
	return nil
}

// node changes or removes one object.
func (f *Facebook) node(r *http.Request, id string) (any, *graphFault) {
	o := f.objects[id]
	if o == nil || o.Fields["status"] == "DELETED" {
		return nil, &graphFault{code: 100, subcode: 33, message: "Unsupported request. Object with ID '" + id + "' does not exist."}
	}
	switch r.Method {
	case http.MethodDelete:
		f.remove(o)
	case http.MethodPost:
		if refused := f.creative(r.PostForm); refused != nil {
			return nil, refused
		}
		if !strings.Contains(r.PostForm.Get("execution_options"), "validate_only") {
			for name := range r.PostForm {
				o.Fields[name] = r.PostForm.Get(name)
			}
		}
	}
	return map[string]any{"success": true}, nil
}

// remove removes an object with what is in it.
func (f *Facebook) remove(o *FacebookObject) {
	o.Fields["status"] = "DELETED"
	for _, child := range f.objects {
		if child.Fields["status"] != "DELETED" && (child.Fields["campaign_id"] == o.ID || child.Fields["adset_id"] == o.ID) {
			f.remove(child)
		}
	}
}

// listed is the object as a list shows it.
func (f *Facebook) listed(o *FacebookObject) map[string]any {
	out := map[string]any{"id": o.ID}
	for name, value := range o.Fields {
		out[name] = value
		if (strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[")) && json.Valid([]byte(value)) { // a name may begin so too
			out[name] = json.RawMessage(value)
		}
	}
	var ref struct {
		ID string `json:"creative_id"`
	}
	if json.Unmarshal([]byte(o.Fields["creative"]), &ref) == nil && f.objects[ref.ID] != nil {
		out["creative"] = map[string]any{"id": ref.ID, "object_story_spec": json.RawMessage(f.objects[ref.ID].Fields["object_story_spec"])}
	}
	return out
}

// graphFilter is one of the filters of a list.
type graphFilter struct {
	Field, Operator string
	Value           any
}

func (c graphFilter) matches(o *FacebookObject) bool {
	if c.Operator == "CONTAIN" {
		return strings.Contains(o.Fields[c.Field], fmt.Sprint(c.Value))
	}
	ids, _ := c.Value.([]any)
	return c.Field == "id" && slices.Contains(ids, any(o.ID))
}

func (f *Facebook) list(adAccount, edge string, q url.Values) (any, *graphFault) {
	var filters []graphFilter
	if text := q.Get("filtering"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			return nil, invalid("filtering", err.Error())
		}
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 {
		limit = 25
	}
	data := []map[string]any{}
	after, err := strconv.Atoi(q.Get("after"))
	if err != nil {
		after = -1
	}
	for n, id := range f.order {
		o := f.objects[id]
		if n <= after || o.AdAccount != adAccount || o.Edge != edge || o.Fields["status"] == "DELETED" {
			continue
		}
		if !slices.ContainsFunc(filters, func(c graphFilter) bool { return !c.matches(o) }) {
			data = append(data, f.listed(o))
		}
		if len(data) == limit {
			return map[string]any{"data": data, "paging": map[string]any{"cursors": map[string]string{"after": strconv.Itoa(n)}, "next": "https://graph.example/next"}}, nil
		}
	}
	return map[string]any{"data": data, "paging": map[string]any{}}, nil
}
