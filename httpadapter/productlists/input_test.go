package productlists_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestBadInputNamesItsFieldsAndChangesNothing(t *testing.T) {
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"p1",`, n), ",") }
	pairs := func(n int) string {
		var b []string
		for i := range n {
			b = append(b, fmt.Sprintf(`"k%d":"v"`, i))
		}
		return strings.Join(b, ",")
	}
	long := func(n int) string { return strings.Repeat("ä", n) }
	onEachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		id := w.create("lists", "x", nil, "p0")
		for _, tt := range []struct {
			request string // method and path below /v1/products/lists
			body    string
			status  int
			fields  string // sorted
		}{
			{"POST ", `{}`, 422, "name"},
			{"POST ", ``, 422, "name"},
			{"POST ", `{"name":null}`, 422, "name"},
			{"POST ", `{"name":""}`, 422, "name"},
			{"POST ", `{"name":5}`, 422, "name"},
			{"POST ", `{"name":"` + long(256) + `"}`, 422, "name"},
			{"POST ", `{"name":"a\u0000b"}`, 422, "name"},
			{"POST ", `{"name":"x","owner_identifier":["y"]}`, 422, "owner_identifier"},
			{"POST ", `{"name":"x","owner_identifier":"` + long(256) + `"}`, 422, "owner_identifier"},
			{"POST ", `{"name":"x","pool_id":"one"}`, 422, "pool_id"},
			{"POST ", `{"name":"x","pool_id":1.5}`, 422, "pool_id"},
			{"POST ", `{"name":"x","pool_id":92233720368547758070}`, 422, "pool_id"},
			{"POST ", `{"name":"x","metadata":"y"}`, 422, "metadata"},
			{"POST ", `{"name":"x","metadata":["y"]}`, 422, "metadata"},
			{"POST ", `{"name":"x","metadata":{"k":1}}`, 422, "metadata.k"},
			{"POST ", `{"name":"x","metadata":{"k":null}}`, 422, "metadata.k"},
			{"POST ", `{"name":"x","metadata":{"k":{"l":"m"}}}`, 422, "metadata.k"},
			{"POST ", `{"name":"x","metadata":{"k":"` + long(513) + `"}}`, 422, "metadata.k"},
			{"POST ", `{"name":"x","metadata":{"` + long(65) + `":"v"}}`, 422, "metadata"},
			{"POST ", `{"name":"x","metadata":{"":"v"}}`, 422, "metadata"},
			{"POST ", `{"name":"x","metadata":{` + pairs(17) + `}}`, 422, "metadata"},
			{"POST ", `{"name":"x","product_ids":"p1"}`, 422, "product_ids"},
			{"POST ", `{"name":"x","product_ids":{"0":"p1"}}`, 422, "product_ids"},
			{"POST ", `{"name":"x","product_ids":["p1",7]}`, 422, "product_ids.1"},
			{"POST ", `{"name":"x","product_ids":["p1",null]}`, 422, "product_ids.1"},
			{"POST ", `{"name":"x","product_ids":["p1",""]}`, 422, "product_ids.1"},
			{"POST ", `{"name":"x","product_ids":["` + long(256) + `"]}`, 422, "product_ids.0"},
			{"POST ", `{"name":"x","product_ids":[` + many(1001) + `]}`, 422, "product_ids"},
			{"POST ", `{"name":7,"pool_id":"x","product_ids":7,"metadata":7,"owner_identifier":7}`, 422, "metadata name owner_identifier pool_id product_ids"},
			{"POST ", `[]`, 400, ""},
			{"POST ", `{"name":"x"`, 400, ""},
			{"POST ", `{"name":"x"} x`, 400, ""},
			{"POST ", "{\"name\":\"\xff\"}", 400, ""},
			{"POST ", strings.Repeat("[", 100), 400, ""},
			{"POST /" + id + "/items", `{}`, 422, "product_ids"},
			{"POST /" + id + "/items", ``, 422, "product_ids"},
			{"POST /" + id + "/items", `{"product_ids":null}`, 422, "product_ids"},
			{"POST /" + id + "/items", `{"product_ids":["p1",2]}`, 422, "product_ids.1"},
			{"POST /" + id + "/items", `{"product_ids":["p1",""]}`, 422, "product_ids.1"},
			{"POST /" + id + "/items", `{"product_ids":[` + many(1001) + `]}`, 422, "product_ids"},
			{"DELETE /" + id + "/products", `{}`, 422, "product_ids"},
			{"DELETE /" + id + "/products", ``, 422, "product_ids"},
			{"DELETE /" + id + "/products", `{"product_ids":["p0",""]}`, 422, "product_ids.1"},
			{"DELETE /" + id + "/products", `{"product_ids":["p0",` + many(1000) + `]}`, 422, "product_ids"},
			{"GET ?page=0", "", 422, "page"},
			{"GET ?page=x", "", 422, "page"},
			{"GET ?page=99999999999", "", 422, "page"},
			{"GET ?per_page=101", "", 422, "per_page"},
			{"GET ?per_page=0&page=-1", "", 422, "page per_page"},
			{"GET ?metadata=x", "", 422, "metadata"},
			{"GET ?metadata[k][l]=x", "", 422, "metadata.k"},
			{"GET ?metadata[k]=%00", "", 422, "metadata.k"},
			{"GET ?metadata[k]=%ff", "", 422, "metadata.k"},
			{"GET ?metadata[" + strings.Repeat("k", 65) + "]=x", "", 422, "metadata"},
			{"GET ?metadata[k]=" + strings.Repeat("v", 513), "", 422, "metadata.k"},
			{"GET ?" + filters("metadata", 17), "", 422, "metadata"},
			{"GET ?" + filters("metadata", 10) + filters("", 16), "", 422, "metadata"},
			{"GET ?metadata[k]=%", "", 400, ""},
		} {
			method, path, _ := strings.Cut(tt.request, " ")
			answer := w.send("lists", method, "/v1/products/lists"+path, tt.body)
			var got struct {
				Error struct{ Fields map[string][]string }
			}
			decode(t, answer, tt.status, &got)
			if names := strings.Join(slices.Sorted(maps.Keys(got.Error.Fields)), " "); names != tt.fields {
				t.Errorf("%s %.80s: fields %q, want %q", tt.request, tt.body, names, tt.fields)
			}
		}
		is.Equal(w.shown("lists", id), []string{"p0"})
		var page struct{ Meta struct{ Total int } }
		decode(t, w.send("lists", "GET", "/v1/products/lists", ""), 200, &page)
		is.Equal(page.Meta.Total, 1)
	})
}

// filters are n filters with different keys.
func filters(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s[%sk%d]=v&", name, name, i)
	}
	return b.String()
}

func TestBodiesAreJSON(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		for media, status := range map[string]int{
			"application/json": 201, "application/json; charset=utf-8": 201,
			"application/x-www-form-urlencoded": 415, "text/plain": 415, "application/json; charset=latin1": 415,
		} {
			if got := w.send("lists", "POST", "/v1/products/lists", `{"name":"x"}`, "Content-Type", media).Code; got != status {
				t.Errorf("%s: got %d, want %d", media, got, status)
			}
		}
	})
}

func TestPagesOfTwoHundredAndFiftyLists(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		for i := range 250 {
			w.create("lists", fmt.Sprint(i), map[string]string{"half": fmt.Sprint(i % 2)})
		}
		next := 0
		for _, tt := range []struct{ page, from, to int }{{1, 1, 100}, {2, 101, 200}, {3, 201, 250}} {
			var got struct {
				Meta struct {
					Total, From, To int
					CurrentPage     int `json:"current_page"`
					LastPage        int `json:"last_page"`
					PerPage         int `json:"per_page"`
				}
				Data []struct{ Name string }
			}
			decode(t, w.send("lists", "GET", fmt.Sprintf("/v1/products/lists?page=%d", tt.page), ""), 200, &got)
			is.Equal(got.Meta.Total, 250)
			is.Equal([]int{got.Meta.From, got.Meta.To}, []int{tt.from, tt.to})
			is.Equal([]int{got.Meta.CurrentPage, got.Meta.LastPage, got.Meta.PerPage}, []int{tt.page, 3, 100})
			for _, l := range got.Data {
				is.Equal(l.Name, fmt.Sprint(next)) // none is lost, none comes twice
				next++
			}
		}
		is.Equal(next, 250)
	})
}

// FuzzMetadataQuery asks with any query. It is answered as a page or refused
// with a reason; and a filter made of a list's own pair finds that list.
func FuzzMetadataQuery(f *testing.F) {
	w := newWorld(f, backends.Memory())
	for _, seed := range []string{
		"metadata[k]=v", "[k]=v", "metadata[k][l]=v", "metadata[]=v", "metadata[k=v", "metadata]k[=v", "[[k]]=v", "metadata[%5D]=%5B",
		"page=1&per_page=100&metadata[a]=b&[c]=d", "%", "&&&", "=", "metadata[k]=\x00",
	} {
		f.Add(seed, "k", "v")
	}
	f.Fuzz(func(t *testing.T, query, key, value string) {
		r := httptest.NewRequest("GET", "/v1/products/lists", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+token("lists"))
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, r)
		if answer.Code != 200 && answer.Code != 422 && answer.Code != 400 {
			t.Fatalf("%q: %d %s", query, answer.Code, answer.Body)
		}
		if strings.ContainsAny(key, "[]") || !utf8.ValidString(key) || !utf8.ValidString(value) {
			return // which no query, or no body, can name
		}
		body, err := json.Marshal(map[string]any{"name": "x", "metadata": map[string]string{key: value}})
		at := *w
		at.tb = t
		if err != nil || at.send("lists", "POST", "/v1/products/lists", string(body)).Code != 201 {
			return
		}
		for _, name := range []string{"metadata", ""} {
			var page struct{ Meta struct{ Total int } }
			decode(t, at.send("lists", "GET", "/v1/products/lists?"+name+"["+url.QueryEscape(key)+"]="+url.QueryEscape(value), ""), 200, &page)
			if page.Meta.Total == 0 {
				t.Errorf("%q = %q is not found by %q", key, value, name)
			}
		}
	})
}
