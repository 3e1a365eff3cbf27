package httpadapter_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// replay adapts a documented request to the world: what its examples name must
// be there. Everything else is sent as documented.
type replay struct {
	who    string
	path   map[string]string // parameter → name in the world
	query  map[string]any    // overrides of the examples; nil leaves the parameter out
	body   map[string]any    // overrides of the fields of the example
	status int
	answer string // the shape of the answer where the document prints none
}

const (
	linkShape    = `{"id":1,"url":"","original_url":"","mtpc_url":"","user_id":1,"country":"","provider":"","advertiser":{"id":1,"name":""}}`
	dryLinkShape = `{"id":null,"url":"","original_url":"","mtpc_url":null,"user_id":1,"country":"","provider":"","advertiser":{"id":1,"name":""}}`
	ruleShape    = `{"id":1,"type":"","is_main":true,"url":"","keyword":"","updated_at":""}`
	partShape    = `{"id":1,"offer_id":1,"user_id":1,"display_name":"","clicks":1,"status":"","todo":null,"payment_amount":null}`
	targetsShape = `{"user_ids":[1],"user_tag_ids":[],"store_group_ids":[],"emails":[""],"social_media_identifiers":[""],"client_ids":[],"revenue_tier_ids":[]}`
	commentShape = `{"id":1,"offer_user_id":1,"comment":"","author":{"id":1,"username":""},"created_at":"","updated_at":""}`
	moneyShape   = `{"amount":"","currency":""}`
	userShape    = `{"id":1,"username":"","display_name":"","email":"","client_id":1,"preferred_locale":""}`
)

// replays has one line for each built operation.
func (w *world) replays() map[string]replay {
	id := func(name string) int64 {
		if w.id[name] == 0 {
			w.t.Fatalf("the world has no %q", name)
		}
		return w.id[name]
	}
	acme := map[string]string{"advertiser_id": "advertiser acme"}
	anna := map[string]string{"user_id": "user anna"}
	rule := map[string]string{"advertiser_id": "advertiser acme", "urlMatchingRule_id": "rule acme"}
	summer, vips := map[string]string{"offer_id": "offer summer"}, map[string]string{"offer_id": "offer vips"}
	inStore := map[string]string{"store_id": "advertiser acme"}
	nordic, food := []any{id("advertiser nordic")}, []any{id("category Food")}
	part := func(name string) map[string]string {
		return map[string]string{"offer_id": "offer vips", "participant_id": "participant " + name}
	}
	budget := func(name string) map[string]string {
		return map[string]string{"store_id": "advertiser acme", "id": "budget " + name}
	}
	someTargets := map[string]any{
		"user_ids": []any{id("user dora"), 999999}, "user_tag_ids": []any{id("tag vip")}, "store_group_ids": []any{id("group sv_SE")}, "client_ids": []any{id("client west")},
	}
	return map[string]replay{
		"blocklist-list": {who: "admin", path: acme, status: 200, query: map[string]any{"query": nil}}, // the example shows entries of clients
		"blocklist-add": {who: "advertiser", path: acme, status: 201, body: map[string]any{
			"users":        []any{map[string]any{"id": id("user bo"), "validate_clicks": true}, map[string]any{"id": id("user dora"), "validate_clicks": false}},
			"user_tag_ids": []any{id("tag favourites")}, "client_ids": []any{id("client west")},
		}, answer: `{"data":[{"id":1,"created_at":"","created_by":` + userShape + `,"user":{"id":1,"username":"","validate_clicks":true}},
			{"id":1,"user_tag":{"id":1,"name":"","slug":"","access_level":1,"store_id":0}},{"id":1,"client":{"id":1,"name":"","client_id":""}}]}`},
		"blocklist-remove":         {who: "advertiser", path: map[string]string{"advertiser_id": "advertiser acme", "target_id": "entry carl"}, status: 204},
		"stores-list":              {who: "admin", status: 200, query: map[string]any{"query": "acme", "store_group_id": id("group sv_SE"), "sort_by": "name:asc"}},
		"url-matching-rules-list":  {who: "advertiser", path: acme, status: 200},
		"url-matching-rule-add":    {who: "advertiser", path: acme, status: 201, answer: ruleShape},
		"url-matching-rule-update": {who: "advertiser", path: rule, status: 200, answer: ruleShape},
		"url-matching-rule-remove": {who: "advertiser_2", path: map[string]string{"advertiser_id": "advertiser nordic", "urlMatchingRule_id": "rule nordic"}, status: 204},
		"self-service-store-create": {who: "agency", status: 201, body: map[string]any{ // country and currency carry slips of the document
			"categories": []any{id("category Food")}, "country": " SE", "currency": "EUR",
		}},
		"advertiser-deactivate":  {who: "agency", path: map[string]string{"advertiser_id": "advertiser mall_one"}, status: 200, answer: `{"id":1,"name":""}`},
		"advertiser-groups-list": {who: "admin", status: 200, query: map[string]any{"sort_by": "key:desc"}},
		"affiliate-link-get":     {who: "creator", path: map[string]string{"id": "link anna"}, status: 200, answer: linkShape},
		"affiliate-link-create": {who: "creator", status: 200, body: map[string]any{
			"url": "https://acme.example", "advertiser_id": id("advertiser acme"), "advertiser_group_id": id("group sv_SE"),
		}, answer: dryLinkShape},
		"user-affiliate-link-create": {who: "creator", path: anna, status: 201, body: map[string]any{
			"url": "https://acme.example", "advertiser_id": id("advertiser acme"), "advertiser_group_id": id("group sv_SE"),
		}, answer: linkShape},
		"user-affiliate-link-inspect": {who: "creator", path: anna, status: 200, body: map[string]any{"url": "https://acme.example/shoes?size=38"},
			answer: `{"url":"","convertible":true,"reason":null,"existing_affiliate_link":` + linkShape + `,"advertisers":[{"id":1,"name":"","logo_url":"","currency":""}]}`},
		"user-affiliate-link-convert-v3": {who: "creator", path: anna, status: 201, body: map[string]any{
			"url": "https://acme.example/v3", "advertiser_id": id("advertiser acme"),
		}, answer: linkShape},
		"campaign-create": {who: "advertiser", path: inStore, status: 201, body: map[string]any{ // valid_until is before valid_from in the update's example
			"priority_after": id("offer summer"), "shared_budget_id": id("budget acme"), "targets": someTargets,
		}},
		"campaign-get":    {who: "creator", path: summer, status: 200},
		"campaign-update": {who: "advertiser", path: map[string]string{"id": "offer summer"}, status: 200, body: map[string]any{"priority_after": id("offer vips"), "shared_budget_id": id("budget acme"), "targets": someTargets}},
		"campaign-delete": {who: "advertiser", path: map[string]string{"id": "offer old"}, status: 204},
		"campaigns-list": {who: "admin", status: 200, query: map[string]any{
			"query": "summer", "statuses": []any{"active", "scheduled"}, "store_ids": []any{id("advertiser acme")}, "store_group_ids": []any{id("group sv_SE")}, "created_by": nil,
			"or_id": id("offer norse"), "target_user_id": id("user anna"), "show_for_advertiser": false, "sort_by": "name:asc", "format": nil, "advertiser_id": id("advertiser acme"),
		}},
		"campaign-image-upload": {who: "advertiser", path: summer, status: 200, body: map[string]any{"default": base64.StdEncoding.EncodeToString(somePNG(w.t))}},
		"campaign-pause":        {who: "advertiser", path: summer, status: 200},
		"campaign-unpause":      {who: "advertiser", path: summer, status: 200},
		"campaign-stats": {who: "advertiser", path: summer, status: 200,
			answer: `{"clicks":1,"unique_users":1,"orders":1,"order_value":` + moneyShape + `,"cost":` + moneyShape + `,"earnings":` + moneyShape + `,"per_day":[]}`},
		"user-offers-list":      {who: "creator", path: anna, status: 200, query: map[string]any{"status": nil, "statuses": []any{"applied"}}},
		"user-campaigns-list":   {who: "client", path: anna, status: 200, query: map[string]any{"status": nil, "statuses": []any{"applied", "done"}}},
		"campaign-get-by-token": {who: "creator", path: map[string]string{"offer_token": "token summer"}, status: 200},
		"offer-targets-list":    {who: "advertiser", path: vips, status: 200, answer: targetsShape},
		"offer-targets-add":     {who: "advertiser", path: vips, status: 201, body: someTargets, answer: targetsShape},
		"offer-user-check": {who: "advertiser", path: map[string]string{"offer_id": "offer vips", "id": "user anna"}, status: 200,
			answer: `{"is_added":true,"participant":` + partShape + `}`},
		"offer-participants-list":                    {who: "advertiser", path: vips, status: 200, body: map[string]any{"query": nil, "status": nil}},
		"offer-participant-get":                      {who: "advertiser_2", path: map[string]string{"offer_id": "offer norse", "id": "participant bo"}, status: 200},
		"offer-participants-stats":                   {who: "advertiser", path: vips, status: 200, body: map[string]any{"query": nil}},
		"offer-participants-count-by-click-activity": {who: "advertiser", path: vips, status: 200, answer: `{"active":1,"inactive":1}`},
		"offer-participant-status-update":            {who: "advertiser", path: part("email"), status: 200},
		"offer-participant-todo-update":              {who: "advertiser", path: part("handle"), status: 200},
		"offer-participant-payment-amount-update":    {who: "advertiser", path: part("anna"), status: 200, body: map[string]any{"payment_amount": map[string]any{"amount": "1.2", "currency": "SEK"}}},
		"offer-participant-clicks-override":          {who: "advertiser", path: part("handle"), status: 200},
		"offer-participant-costs-override": {who: "advertiser", path: part("email"), status: 200, body: map[string]any{
			"traffic_sources_costs": []any{map[string]any{"source": 1, "cpc": map[string]any{"amount": "1.2", "currency": "SEK"}, "cpa": 0.2}},
		}},
		"offer-by-token-user-check": {who: "creator", path: map[string]string{"offer_token": "token vips", "user_id": "user anna"}, status: 200,
			answer: `{"is_added":true,"participant":` + partShape + `}`},
		"offer-by-token-user-join":  {who: "creator", path: map[string]string{"offer_token": "token vips", "user_id": "user anna"}, status: 200, answer: partShape},
		"offer-user-comment-add":    {who: "advertiser", path: map[string]string{"offer_user_id": "participant anna"}, status: 201, answer: commentShape},
		"offer-user-comment-update": {who: "advertiser", path: map[string]string{"offer_user_id": "participant anna", "id": "comment anna"}, status: 200, answer: commentShape},
		"offer-user-comment-delete": {who: "advertiser", path: map[string]string{"offer_user_id": "participant anna", "id": "comment old"}, status: 204},
		"offer-user-activities-list": {who: "advertiser", path: map[string]string{"offer_user": "participant anna"}, status: 200,
			answer: `{"data":[{"id":1,"type":"","actor":{"id":1,"username":""},"from":"","to":"","created_at":"","is_unread":true}],"has_unread_notification":true}`},
		"return-ads-list": {who: "admin", status: 200, query: map[string]any{
			"query": "return", "advertiser_group_ids": []any{id("group sv_SE")}, "advertiser_ids": []any{id("advertiser acme")}, "statuses": []any{"active"}, "or_id": id("ad nordic"),
		}},
		"return-ad-create":           {who: "advertiser", status: 201, body: map[string]any{"advertiser_group_id": id("group sv_SE"), "advertiser_id": id("advertiser acme"), "advertiser_ids": nordic, "advertiser_category_ids": food}},
		"return-ad-get":              {who: "advertiser", path: map[string]string{"id": "ad acme"}, status: 200},
		"return-ad-update":           {who: "advertiser", path: map[string]string{"id": "ad acme"}, status: 200, body: map[string]any{"advertiser_ids": nordic, "advertiser_category_ids": food}},
		"return-ad-delete":           {who: "advertiser", path: map[string]string{"id": "ad old"}, status: 204},
		"return-ad-pause":            {who: "advertiser", path: map[string]string{"returnAd_id": "ad acme"}, status: 200},
		"return-ad-unpause":          {who: "advertiser", path: map[string]string{"returnAd_id": "ad acme"}, status: 200},
		"advertiser-return-ads-list": {who: "advertiser", path: inStore, status: 200},
		"shared-budgets-list":        {who: "advertiser", path: inStore, status: 200},
		"shared-budget-get":          {who: "advertiser", path: budget("acme"), status: 200},
		"shared-budget-update":       {who: "advertiser", path: budget("acme"), status: 200},
		"shared-budget-delete":       {who: "advertiser", path: budget("spare"), status: 204},
		"clients-list":               {who: "admin", status: 200, query: map[string]any{"query": "north", "advertiser_group_ids": []any{id("group sv_SE")}, "sort_by": "name:asc"}},
		"health-get":                 {who: "nobody", status: 200},
		"store-categories-list":      {who: "creator", status: 200},
		"users-list": {who: "advertiser", status: 200, query: map[string]any{
			"query": "anna", "client_id": id("client north"), "store_group_id": id("group sv_SE"), "advertiser_id": id("advertiser acme"), "sort_by": "username:asc",
		}},
		"user-get": {who: "creator", path: map[string]string{"id": "user anna"}, status: 200},
		"users-match": {who: "admin", status: 200, query: map[string]any{
			"advertiser_group_id": id("group sv_SE"), "user_emails_or_ids": []any{id("user anna"), "carl@creators.example", "nobody@creators.example"},
		}, answer: `{"matched":[{"input":1,"user":` + userShape + `},{"input":"","user":` + userShape + `}],"unmatched":[""]}`},
		"users-approve":  {who: "admin", status: 200, body: map[string]any{"user_ids": []any{id("user carl"), id("user anna"), 999999}}, answer: `{"approved":[1],"unchanged":[1],"not_found":[1]}`},
		"users-ban":      {who: "client", status: 200, body: map[string]any{"user_ids": []any{id("user anna")}}, answer: `{"banned":[1],"unchanged":[],"not_found":[]}`},
		"user-tags-list": {who: "admin", status: 200, query: map[string]any{"name": "vip", "store_id": id("advertiser acme"), "access_levels": []any{1, 2}, "sort_by": "slug:asc"}},
	}
}

func TestDocumentedRequestsHaveTheDocumentedAnswers(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		replays := w.replays()
		for _, o := range built(t) {
			r, ok := replays[o.ID]
			if !ok {
				t.Errorf("%s has no line in the replay", o.ID)
				continue
			}
			delete(replays, o.ID)
			for _, method := range o.Methods {
				got := w.send(r.who, method, w.documentedPath(o)+documentedQuery(o, r), documentedBody(t, o, r))
				if got.Code != r.status {
					t.Errorf("%s %s: got %d %s, want %d", o.ID, method, got.Code, got.Body, r.status)
					continue
				}
				for _, problem := range answerProblems(o, r, got.Body.Bytes()) {
					t.Errorf("%s %s: %s in %s", o.ID, method, problem, got.Body)
				}
				for _, response := range o.Responses {
					for name, value := range response.Headers {
						if got := got.Header().Get(name); got != value && !strings.HasPrefix(name, "x-ratelimit-") {
							t.Errorf("%s: header %s is %q, want %q", o.ID, name, got, value)
						}
					}
				}
			}
		}
		for id := range replays {
			t.Errorf("%s is replayed and not built", id)
		}
	})
}

// documentedPath is the operation's path in the world.
func (w *world) documentedPath(o operation) string {
	w.t.Helper()
	path := o.Path
	for parameter, name := range w.replays()[o.ID].path {
		path = strings.ReplaceAll(path, "{"+parameter+"}", w.value(name))
	}
	return path
}

func documentedQuery(o operation, r replay) string {
	values := url.Values{}
	for _, p := range o.Query {
		value := p.Example
		if override, ok := r.query[p.Name]; ok {
			value = override
		}
		switch v := value.(type) {
		case nil:
		case []any:
			for _, item := range v {
				values.Add(p.Name+"[]", fmt.Sprint(item))
			}
		case bool:
			values.Set(p.Name, map[bool]string{true: "1", false: "0"}[v])
		default:
			values.Set(p.Name, fmt.Sprint(v))
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

func documentedBody(t *testing.T, o operation, r replay) string {
	t.Helper()
	documented, ok := o.Request.(map[string]any)
	if !ok {
		return ""
	}
	body := maps.Clone(documented)
	maps.Copy(body, r.body)
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// answerProblems says what an answer lacks of what is documented.
func answerProblems(o operation, r replay, body []byte) []string {
	if r.status == 204 {
		if len(body) > 0 {
			return []string{"a body"}
		}
		return nil
	}
	var got any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&got); err != nil {
		return []string{err.Error()}
	}
	var want any
	for _, response := range o.Responses {
		if response.Example != nil {
			want = response.Example
		}
	}
	if r.answer != "" {
		if err := json.Unmarshal([]byte(r.answer), &want); err != nil {
			return []string{"the shape: " + err.Error()}
		}
	}
	if want == nil {
		return []string{"no documented answer to compare with"}
	}
	return shapeProblems("", want, got)
}

// shapeProblems says where got has not the fields and types of want. A null
// that is documented says nothing about the type. Of a list, each documented
// element must have one of its shape.
func shapeProblems(at string, want, got any) []string {
	switch want := want.(type) {
	case nil:
		return nil
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		var problems []string
		for _, name := range slices.Sorted(maps.Keys(want)) {
			value, ok := object[name]
			if !ok {
				problems = append(problems, at+"."+name+" is missing")
				continue
			}
			problems = append(problems, shapeProblems(at+"."+name, want[name], value)...)
		}
		return problems
	case []any:
		list, ok := got.([]any)
		if !ok {
			return []string{at + " is no list"}
		}
		for i, element := range want {
			fits := func(v any) bool { return len(shapeProblems("", element, v)) == 0 }
			if !slices.ContainsFunc(list, fits) {
				problem := fmt.Sprintf("%s has nothing like its documented element %d", at, i)
				for _, v := range list {
					problem += "; " + strings.Join(shapeProblems(at, element, v), ", ")
				}
				return []string{problem}
			}
		}
		return nil
	case float64:
		number, ok := got.(json.Number)
		if !ok {
			return []string{at + " is no number"}
		}
		if _, err := number.Int64(); err != nil && want == float64(int64(want)) && !strings.Contains(at, "revenue_share") {
			return []string{at + " is no integer"}
		}
		return nil
	}
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		return []string{fmt.Sprintf("%s is %T, want %T", at, got, want)}
	}
	return nil
}

func TestShapesAreCompared(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{`{"a":1}`, `{"a":2,"b":3}`, true},
		{`{"a":1}`, `{"b":3}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":1}`, `{"a":1.5}`, false},
		{`{"a":1}`, `{"a":null}`, false},
		{`{"a":null}`, `{"a":[]}`, true},
		{`{"a":""}`, `{"a":null}`, false},
		{`[{"a":1}]`, `[]`, false},
		{`[{"a":1}]`, `[{"b":1},{"a":1}]`, true},
		{`[]`, `[1]`, true},
		{`[]`, `null`, false},
		{`{"a":true}`, `{"a":1}`, false},
	} {
		var want any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		problems := answerProblems(operation{}, replay{status: 200, answer: c.want}, []byte(c.got))
		if (len(problems) == 0) != c.ok {
			t.Errorf("%s against %s: %v", c.got, c.want, problems)
		}
	}
}

// inputTags lists the tags of an input's fields, each after a space.
func inputTags(t reflect.Type) string {
	var tags strings.Builder
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			tags.WriteString(inputTags(field.Type))
		}
		for _, source := range []string{"path", "query", "json"} {
			if name, ok := field.Tag.Lookup(source); ok {
				fmt.Fprintf(&tags, " %s %q", source, name)
			}
		}
	}
	return tags.String()
}

// alsoRequired is the rest of a query that the operation does not go without.
func (w *world) alsoRequired(o operation, but string) string {
	if o.ID == "users-match" && but != "user_emails_or_ids" {
		return "&user_emails_or_ids[]=1"
	}
	return ""
}
