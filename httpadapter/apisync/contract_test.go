package apisync_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/httpadapter/apisync"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func routes(t *testing.T) []wire.Route {
	t.Helper()
	service, err := adsync.NewService(backends.Memory().AdSync, adsync.Options{})
	is.New(t).NoErr(err)
	h, err := apisync.New(apisync.Services{AdSync: service}, apisync.Options{})
	is.New(t).NoErr(err)
	return h.(*wire.Mux).Routes()
}

func TestRoutesAreTheDocuments(t *testing.T) {
	is := is.New(t)
	operations, served := facts(t), routes(t)
	is.Equal(len(operations), 19)
	is.Equal(len(served), len(operations))
	for n, o := range operations {
		is.Equal(served[n].ID, o.ID) // in the document's order
		is.Equal(served[n].Path(), o.Path)
		is.True(!served[n].Scope.IsOpen())
		for _, method := range o.Methods {
			is.True(slices.Contains(served[n].Methods(), method))
		}
		if slices.Contains(served[n].Methods(), "PUT") {
			is.Equal(served[n].Methods(), []string{"PUT", "PATCH"}) // both work
		}
	}
	_, err := apisync.New(apisync.Services{}, apisync.Options{})
	is.True(err != nil)
}

// fixture is what a documented request is sent about: an id in its place.
func fixture(w *world, o operation) (path, id string) {
	campaign, adSet, ad := w.tree("sync", "act_1")
	made := w.ask(201, "POST", "/inventory-items", item(""))
	switch {
	case strings.HasPrefix(o.ID, "inventory-item"):
		id = made.id()
	case strings.HasPrefix(o.ID, "campaign"):
		id = campaign
	case strings.HasPrefix(o.ID, "ad-set"):
		id = adSet
	case strings.HasPrefix(o.ID, "ad-"):
		id = ad
	}
	return strings.NewReplacer("{id}", id, "{ad-account-id}", "act_1", "{campaign-id}", campaign, "{ad-set-id}", adSet).Replace(o.Path), id
}

// Every request that the document prints passes as it is printed, but for ids:
// those of the example name nothing here. A request with an id is about a record
// that is there.
func TestDocumentedRequestsPass(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		for _, o := range facts(t) {
			requests := map[string]any{"": o.Request}
			for _, v := range o.Variants {
				requests[v.Name] = v.Example
			}
			for name, request := range requests {
				path, id := fixture(w, o)
				body := ""
				if request != nil {
					body = printed(t, o, request, id)
				}
				if request == nil && o.Methods[0] != "GET" {
					body = assembled(t, w, o, id)
				}
				status := 200
				if o.Methods[0] == "POST" && !strings.Contains(body, `"id":"`+id+`"`) {
					status = 201
				}
				got := w.ask(status, o.Methods[0], path, body)
				for _, r := range o.Responses {
					if r.Example == nil || o.ID == "campaign-index" || o.ID == "ad-create" && name != "" { // of the links; of another creative
						continue
					}
					var have any = map[string]any(got)
					if list, ok := got["data"].([]any); ok { // the document shows one record of a list
						if len(list) == 0 {
							t.Fatalf("%s %s: nothing in the list", o.ID, name)
						}
						have = map[string]any{"data": list[0]}
					}
					for _, problem := range shapeProblems(o.ID, have, snake(r.Example)) {
						t.Errorf("%s: %s", name, problem)
					}
				}
			}
		}
	})
}

// printed is a request with our ids; a creative that is printed alone is sent in
// an ad.
func printed(t *testing.T, o operation, request any, id string) string {
	t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if document.Data["id"] != nil {
		document.Data["id"] = id
	}
	if attributes, ok := document.Data["attributes"].(map[string]any); ok {
		for name := range attributes { // all examples have one reference id
			if strings.ReplaceAll(name, "-", "_") == "reference_id" {
				attributes[name] = "my-custom-id " + id
			}
		}
	}
	if o.ID == "ad-create" && document.Data["attributes"] == nil {
		kind := "expanded-text-ad"
		if story, ok := document.Data["story"].(map[string]any); ok {
			kind = "image"
			if story["video_data"] != nil {
				kind = "video"
			}
		}
		return bodyOf("ads", id, `"ad_type":"`+kind+`","creative":`+string(text), "")
	}
	text, err = json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// assembled is the request of an operation that the document shows no whole
// request of: the examples of its attributes, and what it belongs to.
func assembled(t *testing.T, w *world, o operation, id string) string {
	t.Helper()
	attributes := map[string]any{}
	for _, p := range o.BodyParams {
		if p.Example != nil && !p.ReadOnly {
			attributes[p.Name] = p.Example
		}
	}
	attributes["reference_id"] = id // which the example has once for all
	document := map[string]any{"data": map[string]any{"attributes": attributes}}
	campaign, adSet, _ := w.tree("sync", "act_1")
	relationships := map[string]any{}
	parent := func(name, id string) { relationships[name] = map[string]any{"data": map[string]any{"id": id}} }
	if o.Methods[0] == "POST" {
		switch o.ID {
		case "campaign-create":
			parent("ad_account", "act_1")
		case "ad-set-create":
			parent("campaign", campaign)
			attributes["bids"] = map[string]any{"cpc": map[string]any{"amount": 123}}
			if attributes["service_configurations"] == nil {
				attributes["service-configurations"] = map[string]any{}
			}
		case "ad-create":
			parent("ad-set", adSet)
			attributes["ad-type"], attributes["destination-url"] = "expanded-text-ad", "https://apisync.io"
			attributes["creative"] = map[string]any{"headline_part1": "Beach House in Miami", "headline_part2": "This amazing home can be yours", "description": "For only $400,000"}
		}
		document["data"].(map[string]any)["relationships"] = relationships
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// snake is an example with the keys as they go out.
func snake(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			out[strings.ReplaceAll(key, "-", "_")] = snake(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for n := range v {
			out[n] = snake(v[n])
		}
		return out
	}
	return v
}

// shapeProblems says which fields of the example the answer lacks, or has with
// another JSON type. What may be absent prints null, and a bid that is not set.
func shapeProblems(at string, got, want any) []string {
	var problems []string
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if got == nil {
			return nil
		}
		if !ok {
			return []string{fmt.Sprintf("%s is %T, want an object", at, got)}
		}
		for name, value := range want {
			have, ok := object[name]
			if !ok {
				problems = append(problems, at+" lacks "+name)
				continue
			}
			problems = append(problems, shapeProblems(at+"."+name, have, value)...)
		}
	case []any:
		list, ok := got.([]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %v, want a list", at, got)}
		}
		for _, have := range list {
			problems = append(problems, shapeProblems(at+"[]", have, want[0])...)
		}
	default:
		if _, number := want.(float64); number {
			if _, ok := got.(json.Number); ok || got == nil {
				return nil
			}
		}
		if got != nil && fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			problems = append(problems, fmt.Sprintf("%s is %T, want %T", at, got, want))
		}
	}
	return problems
}

func TestDocumentsHaveTheirShapesToTheLetter(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		made := w.ask(201, "POST", "/inventory-items", item(`"year":2018,"price":{"amount":2117990,"currency":"BRL"},"images":[{"url":"https://a.example/1.jpg"}],`+
			`"custom-attributes":[{"label":"Make","identifier":"make","value":"VW & <b>"}]`))
		is.Equal(made.at("data.type"), `"inventory-items"`)
		is.Equal(w.send("sync", "GET", "/inventory-items/"+made.id(), "").Body.String(), `{"data":{"id":"`+made.id()+`","type":"inventory-items","attributes":{`+
			`"ad_template_type":"vehicle","available":true,"brand":null,"condition":null,"content_language":"pt-br",`+
			`"custom_attributes":[{"name":"Make","label":"Make","identifier":"make","value":"VW & <b>"}],"description":null,"images":[{"url":"https://a.example/1.jpg","order":1}],`+
			`"link":null,"model":null,"reference_id":null,"price":{"amount":2117990,"currency":"BRL"},"title":null,"year":2018,"fingerprint":`+made.at("data.attributes.fingerprint")+
			`,"sold_out_at":null,"created_at":"2026-03-18T11:42:10Z"}}}`)
		is.Equal(len(made.at("data.attributes.fingerprint")), 66)
		campaign, adSet, ad := w.tree("sync", "act_1")
		is.Equal(w.send("sync", "GET", "/campaigns/"+campaign, "").Body.String(), `{"data":{"id":"`+campaign+`","type":"campaigns","attributes":{"service":"facebook-ads","state":"active",`+
			`"description":null,"reference_id":null,"title":null,"service_configurations":{},"created_via":"api","created_at":"2026-03-18T11:42:10Z"},`+
			`"relationships":{"ad_account":{"data":{"type":"ad-accounts","id":"act_1"}}}}}`)
		is.Equal(w.send("sync", "GET", "/ad-sets/"+adSet, "").Body.String(), `{"data":{"id":"`+adSet+`","type":"ad-sets","attributes":{"state":"active","bids":{"cpc":{"amount":123},"impressions":null},`+
			`"reference_id":null,"service":"facebook-ads","title":null,"service_configurations":{},"created_via":"api","created_at":"2026-03-18T11:42:10Z"},`+
			`"relationships":{"campaign":{"data":{"type":"campaigns","id":"`+campaign+`"}}}}}`)
		is.Equal(w.send("sync", "GET", "/ads/"+ad, "").Body.String(), `{"data":{"id":"`+ad+`","type":"ads","attributes":{"ad_type":"expanded-text-ad",`+
			`"creative":{"description":"c","headline_part1":"a","headline_part2":"b"},"destination_url":"https://a.example/","service":"facebook-ads","state":"active",`+
			`"reference_id":null,"created_via":"api","created_at":"2026-03-18T11:42:10Z"},"relationships":{"ad_set":{"data":{"type":"ad-sets","id":"`+adSet+`"}}}}}`)
		is.Equal(w.send("sync", "GET", "/ad-accounts?filter[service]=facebook-ads", "").Body.String(),
			`{"data":[{"id":"act_1","type":"ad-accounts","attributes":{"service":"facebook-ads","name":"Social"}}],"links":{"self":"/ad-accounts?filter[service]=facebook-ads","next":null}}`)
	})
}
