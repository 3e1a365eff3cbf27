package productlists_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	lists "github.com/affiliatekit/affiliatekit/httpadapter/productlists"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// operation is one operation of the document's facts.
type operation struct {
	ID         string      `json:"id"`
	Methods    []string    `json:"methods"`
	Path       string      `json:"path"`
	Auth       string      `json:"auth"`
	BodyParams []parameter `json:"body_params"`
	Request    any         `json:"request_example"`
	Responses  []struct {
		Example any `json:"example"`
	} `json:"responses"`
}

type parameter struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func (o operation) pattern() string { return strings.Join(o.Methods, ",") + " " + o.Path }

func facts(t *testing.T) []operation {
	t.Helper()
	text, err := os.ReadFile("../testdata/contract/affiliate_com.json")
	is.New(t).NoErr(err)
	var document struct{ Operations []operation }
	is.New(t).NoErr(json.Unmarshal(text, &document))
	return document.Operations
}

func routes(t *testing.T) []wire.Route {
	t.Helper()
	return dialect(t, lists.Options{}).(*wire.Mux).Routes()
}

func TestRoutesAreTheDocuments(t *testing.T) {
	is := is.New(t)
	operations := facts(t)
	is.Equal(len(operations), 7)
	var documented, served []string
	for _, o := range operations {
		if o.ID == "product-list-index-by-metadata" {
			is.Equal(o.pattern(), "GET /v1/products/lists") // the route of product-list-index
			continue
		}
		documented = append(documented, o.ID+" "+o.pattern())
	}
	for _, r := range routes(t) {
		served = append(served, r.ID+" "+r.Pattern)
		is.True(!r.Scope.IsOpen()) // the document asks for a token everywhere
	}
	is.Equal(served, documented)
}

func TestDocumentedParametersAreRead(t *testing.T) {
	inputs := map[string]string{}
	for _, r := range routes(t) {
		in := r.Op.In()
		for i := range in.NumField() {
			f := in.Field(i)
			inputs[r.ID] += fmt.Sprintf(" %s %s;", f.Tag.Get("json"), f.Type)
		}
	}
	types := map[string]string{
		"integer": "wire.Optional[int64]", "string": "string", "array of string": "[]string", "object of string:string": "map[string]string",
	}
	for _, o := range facts(t) {
		for _, p := range o.BodyParams {
			if want := fmt.Sprintf(" %s %s;", p.Name, types[p.Type]); !strings.Contains(inputs[o.ID], want) {
				t.Errorf("%s: reads %q, want %q in it", o.ID, inputs[o.ID], want)
			}
		}
	}
}

// replay is how a documented request is sent in the world.
type replay struct {
	query  string
	status int
}

func TestDocumentedRequestsHaveTheDocumentedAnswers(t *testing.T) {
	replays := map[string]replay{
		"product-list-create":            {status: 201},
		"product-list-index":             {status: 200},
		"product-list-get":               {status: 200},
		"product-list-index-by-metadata": {status: 200, query: "?metadata[metadatakey1]=metadatavalue1"},
		"product-list-delete":            {status: 200},
		"product-list-items-add":         {status: 200},
		"product-list-products-remove":   {status: 200},
	}
	onEachBackend(t, func(t *testing.T, w *world) {
		for _, o := range facts(t) {
			r, ok := replays[o.ID]
			if !ok {
				t.Errorf("%s has no line in the replay", o.ID)
				continue
			}
			id := w.create("lists", "Summer Collection", map[string]string{"key1": "x", "metadatakey1": "metadatavalue1"}, "1234567890123456789", "2345678901234567890")
			body := ""
			if o.Request != nil {
				encoded, err := json.Marshal(o.Request)
				is.New(t).NoErr(err)
				body = string(encoded)
			}
			answer := w.send("lists", o.Methods[0], strings.ReplaceAll(o.Path, "{list_id}", id)+r.query, body)
			var got any
			decode(t, answer, r.status, &got)
			for _, response := range o.Responses {
				for _, problem := range shapeProblems(o.ID, got, response.Example) {
					t.Errorf("%s in %s", problem, answer.Body)
				}
			}
		}
	})
}

// shapeProblems says which fields of the example the answer lacks, or has with
// another JSON type. Metadata has what the account put there.
func shapeProblems(at string, got, want any) []string {
	var problems []string
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T, want an object", at, got)}
		}
		for name, value := range want {
			if strings.HasSuffix(at, ".metadata") {
				for _, have := range object {
					problems = append(problems, shapeProblems(at+".*", have, value)...)
				}
				continue
			}
			have, ok := object[name]
			if !ok {
				problems = append(problems, at+" lacks "+name)
				continue
			}
			problems = append(problems, shapeProblems(at+"."+name, have, value)...)
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) == 0 && len(want) > 0 {
			return []string{fmt.Sprintf("%s is %v, want a list", at, got)}
		}
		for _, have := range list {
			problems = append(problems, shapeProblems(at+"[]", have, want[0])...)
		}
	default:
		if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			problems = append(problems, fmt.Sprintf("%s is %T, want %T", at, got, want))
		}
	}
	return problems
}

func TestAnswersHaveTheirShapesToTheLetter(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		trace := []string{"X-Request-Id", "t"}
		created := w.send("lists", "POST", "/v1/products/lists", `{"name":"A & B","product_ids":["p1","1234567890123456789","none"],"metadata":{"k":"v"},"pool_id":456}`, trace...)
		var list struct{ Data struct{ ID string } }
		decode(t, created, 201, &list)
		id := list.Data.ID
		plain := `{"id":"p1","barcode":null,"name":"plain","description":"","commission_url":"https://shop.example/","direct_url":"https://shop.example/","image_url":null,` +
			`"currency":"USD","regular_price":1.00,"final_price":1.00,"on_sale":false,"sale_discount":0,"availability":"Out of Stock","sku":null,"brand":null,"category":null,"network":null,"merchant":null}`
		thermostat := `{"id":"1234567890123456789","barcode":123456,"name":"Smart Thermostat Pro","description":"Wi-Fi enabled",` +
			`"commission_url":"https://www.example-affiliate.net/click-123-456789?url=https%3A%2F%2Fwww.example-store.com%2Fproducts%2Fsmart-thermostat-pro",` +
			`"direct_url":"https://www.example-store.com/products/smart-thermostat-pro","image_url":"https://assets.example-store.com/t.jpg",` +
			`"currency":"USD","regular_price":129.99,"final_price":99.99,"on_sale":true,"sale_discount":23,"availability":"In Stock","sku":123456,"brand":"SmartHome",` +
			`"category":"Home & Garden > Smart Home > Climate Control",` +
			`"network":{"id":5,"name":"AffiliateNetwork","logo_url":"https://img.affiliate.com/logos/networks/5/logo.png"},` +
			`"merchant":{"id":1234,"name":"Example Store","logo_url":"https://img.affiliate.com/logos/merchants/1234/logo.png"}}`
		one := func(products string) string {
			return `{"data":{"id":"` + id + `","name":"A & B","metadata":{"k":"v"},"products_count":2,"products":[` + products + `]},"meta":{"trace_id":"t"}}`
		}
		is.Equal(created.Body.String(), one(plain+","+thermostat))
		is.Equal(w.send("lists", "GET", "/v1/products/lists/"+id, "", trace...).Body.String(), one(plain+","+thermostat))
		_, err := w.service.DeleteProducts(t.Context(), []string{"p1"})
		is.NoErr(err)
		is.Equal(w.send("lists", "GET", "/v1/products/lists/"+id, "", trace...).Body.String(), one(`{"id":"p1","availability":"Unavailable"},`+thermostat))
		is.Equal(w.send("lists", "GET", "/v1/products/lists", "", trace...).Body.String(),
			`{"meta":{"total":1,"from":1,"to":1,"current_page":1,"last_page":1,"per_page":100,"fields":[],"trace_id":"t"},`+
				`"data":[{"id":"`+id+`","name":"A & B","owner_identifier":"","metadata":{"k":"v"},"products_count":2}]}`)
		is.Equal(w.send("lists", "GET", "/v1/products/lists?[k]=w", "", trace...).Body.String(),
			`{"meta":{"total":0,"from":null,"to":null,"current_page":1,"last_page":1,"per_page":100,"fields":[],"trace_id":"t"},"data":[]}`)
		is.Equal(w.send("lists", "POST", "/v1/products/lists/"+id+"/items", `{"product_ids":["p2","p1","p2"]}`, trace...).Body.String(),
			`{"list_id":"`+id+`","added_product_ids":["p2"],"ignored_product_ids":["p1"],"meta":{"trace_id":"t"}}`)
		is.Equal(w.send("lists", "DELETE", "/v1/products/lists/"+id+"/products", `{"product_ids":["p2","none"]}`, trace...).Body.String(),
			`{"list_id":"`+id+`","removed_product_ids":["p2"],"ignored_product_ids":["none"],"meta":{"trace_id":"t"}}`)
		is.Equal(w.send("lists", "DELETE", "/v1/products/lists/"+id, "", trace...).Body.String(), `{"id":"`+id+`","status":"deleted","meta":{"trace_id":"t"}}`)
		is.Equal(w.send("lists", "DELETE", "/v1/products/lists/"+id, "", trace...).Body.String(),
			`{"error":{"code":"not_found","message":"Not found.","fields":{}},"meta":{"trace_id":"t"}}`)
	})
}

func TestAnSKUIsANumberOnlyWhereItReadsTheSame(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		for sku, want := range map[string]string{
			"": "null", "0": "0", "123456": "123456", "0123": `"0123"`, "A-1": `"A-1"`, "-5": `"-5"`, "+5": `"+5"`, "1e3": `"1e3"`,
			"9007199254740991": "9007199254740991", "9007199254740992": `"9007199254740992"`,
		} {
			p := products()[3]
			p.SKU, p.Barcode = sku, "000"
			is.New(t).NoErr(w.service.PutProducts(t.Context(), p))
			body := w.send("lists", "GET", "/v1/products/lists/"+w.create("lists", "x", nil, p.ID), "").Body.String()
			if !strings.Contains(body, `"sku":`+want+`,`) || !strings.Contains(body, `"barcode":0,`) {
				t.Errorf("%q: %s, want %s", sku, body, want)
			}
		}
	})
}

// Every answer, whatever it is about, has a trace id, the same in its header.
func TestEveryAnswerHasATraceID(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		id := w.create("lists", "x", nil, "p1")
		one := "/v1/products/lists/" + id
		for _, tt := range []struct {
			who, method, path, body string
			status                  int
		}{
			{"lists", "POST", "/v1/products/lists", `{"name":"x"}`, 201},
			{"lists", "GET", "/v1/products/lists", "", 200},
			{"lists", "GET", one, "", 200},
			{"lists", "POST", one + "/items", `{"product_ids":[]}`, 200},
			{"lists", "DELETE", one + "/products", `{"product_ids":[]}`, 200},
			{"lists", "POST", "/v1/products/lists", `{`, 400},
			{"nobody", "GET", one, "", 401},
			{"creator", "GET", one, "", 403},
			{"lists_2", "GET", one, "", 404},
			{"lists", "GET", "/v1/products/unknown", "", 404},
			{"lists", "PUT", one, "", 405},
			{"lists", "POST", "/v1/products/lists", strings.Repeat(" ", 1<<20+1), 413},
			{"lists", "POST", "/v1/products/lists", `{}`, 422},
			{"lists", "DELETE", one, "", 200},
		} {
			answer := w.send(tt.who, tt.method, tt.path, tt.body)
			var got struct {
				Meta struct {
					TraceID string `json:"trace_id"`
				}
				Error *struct {
					Code, Message string
					Fields        map[string][]string
				}
			}
			decode(t, answer, tt.status, &got)
			trace, err := uuid.Parse(got.Meta.TraceID)
			if err != nil || trace.Version() != 7 || answer.Header().Get("X-Request-Id") != got.Meta.TraceID {
				t.Errorf("%s %s: trace id %q, header %q", tt.method, tt.path, got.Meta.TraceID, answer.Header().Get("X-Request-Id"))
			}
			if failed := tt.status >= 400; failed != (got.Error != nil) || failed && (got.Error.Code == "" || got.Error.Message == "" || got.Error.Fields == nil) {
				t.Errorf("%s %s: %s", tt.method, tt.path, answer.Body)
			}
		}
	})
}

func TestARepeatedRequestIsDoneOnce(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		create := func(who, key, body string) *httptest.ResponseRecorder {
			return w.send(who, "POST", "/v1/products/lists", body, "Idempotency-Key", key)
		}
		first, again := create("lists", "k", `{"name":"x"}`), create("lists", "k", `{"name":"x"}`)
		is.Equal(again.Code, 201)
		is.Equal(again.Body.String(), first.Body.String())
		is.Equal(create("lists", "k", `{"name":"y"}`).Code, 409)
		is.True(create("lists_2", "k", `{"name":"x"}`).Body.String() != first.Body.String()) // a key is its account's own
		var page struct{ Meta struct{ Total int } }
		decode(t, w.send("lists", "GET", "/v1/products/lists", ""), 200, &page)
		is.Equal(page.Meta.Total, 1)
	})
}

func TestTheDialectMountsAlone(t *testing.T) {
	is := is.New(t)
	_, err := lists.New(lists.Services{}, lists.Options{})
	is.True(err != nil) // without a service there is nothing to serve
	answer := httptest.NewRecorder()
	dialect(t, lists.Options{}).ServeHTTP(answer, httptest.NewRequest("GET", "/v1/products/lists", nil))
	is.Equal(answer.Code, 401) // without an authenticator nobody is anybody
	is.True(slices.Contains(answer.Header()["Www-Authenticate"], "Bearer"))
	is.Equal(productlists.MaxBatch, 1000) // as the tags of the inputs say
}
