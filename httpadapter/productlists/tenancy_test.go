package productlists_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Each route, each principal, on a list of its own and on one of another
// account. A route that is not in the table fails the test.
func TestOnlyAnAccountSeesItsLists(t *testing.T) {
	requests := map[string]struct {
		body   string
		own    int // the status for the account itself
		others int // for an account on another's list
	}{
		"product-list-create":          {`{"name":"mine"}`, 201, 201}, // names no list
		"product-list-index":           {"", 200, 200},                // names no list
		"product-list-get":             {"", 200, 404},
		"product-list-delete":          {"", 200, 404},
		"product-list-items-add":       {`{"product_ids":["p1"]}`, 200, 404},
		"product-list-products-remove": {`{"product_ids":["p0"]}`, 200, 404},
	}
	served := routes(t)
	is.New(t).Equal(len(served), len(requests))
	onEachBackend(t, func(t *testing.T, w *world) {
		for _, r := range served {
			tt, ok := requests[r.ID]
			if !ok {
				t.Errorf("%s is not in the tenancy table", r.ID)
				continue
			}
			for who := range principals {
				id := w.create("lists", "secret name", map[string]string{"k": "v"}, "p0")
				path := strings.ReplaceAll(r.Path(), "{list_id}", id)
				before := w.send("lists", "GET", "/v1/products/lists/"+id, "", "X-Request-Id", "t").Body.String()
				answer := w.send(who, r.Methods()[0], path, tt.body)
				want := 403 // roles of other documents see nothing here
				switch who {
				case "lists":
					want = tt.own
				case "lists_2":
					want = tt.others
				}
				if answer.Code != want {
					t.Errorf("%s as %s: got %d %s, want %d", r.ID, who, answer.Code, answer.Body, want)
				}
				if who == "lists" {
					continue
				}
				if strings.Contains(answer.Body.String(), "secret name") {
					t.Errorf("%s as %s tells: %s", r.ID, who, answer.Body)
				}
				if after := w.send("lists", "GET", "/v1/products/lists/"+id, "", "X-Request-Id", "t").Body.String(); after != before {
					t.Errorf("%s as %s changed %s to %s", r.ID, who, before, after)
				}
			}
			if got := w.send("nobody", r.Methods()[0], r.Path(), tt.body).Code; got != 401 {
				t.Errorf("%s without a token: got %d, want 401", r.ID, got)
			}
		}
	})
	for _, role := range affiliate.Roles() {
		found := false
		for _, p := range principals {
			found = found || p.Role == role
		}
		if !found {
			t.Errorf("no principal has the role %s", role)
		}
	}
}

// A list that is another's and one that never was are told apart by nothing.
func TestAnothersListLooksLikeNone(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		id := w.create("lists", "x", nil)
		foreign := w.send("lists_2", "GET", "/v1/products/lists/"+id, "", "X-Request-Id", "t")
		for _, name := range []string{
			"0195cde4-325d-7376-ab52-48b8f1256dd0", "d345e67f-89g0-1h2i-3j45-6k7891lm2345", "1", "x", "%00", "urn:uuid:" + id, "{" + id + "}", strings.ReplaceAll(id, "-", ""),
		} {
			none := w.send("lists", "GET", "/v1/products/lists/"+name, "", "X-Request-Id", "t")
			if name == "%00" {
				is.Equal(none.Code, 400) // which is no path at all
				continue
			}
			is.Equal(none.Code, 404)
			is.Equal(none.Body.String(), foreign.Body.String())
		}
		is.Equal(w.send("lists", "GET", "/v1/products/lists/"+strings.ToUpper(id), "").Code, 200)
	})
}

func TestFiltersFindTheAccountsListsOnly(t *testing.T) {
	onEachBackend(t, func(t *testing.T, w *world) {
		w.create("lists_2", "theirs", map[string]string{"k": "v", "l": "w"})
		w.create("lists", "one", map[string]string{"k": "v"})
		w.create("lists", "two", map[string]string{"k": "v", "l": "w"})
		w.create("lists", "three", map[string]string{"k": "other", "l": "w", "a b": "ä&=", "0": ""})
		for query, want := range map[string]string{
			"":                                 "one two three",
			"?metadata[k]=v":                   "one two",
			"?[k]=v":                           "one two",
			"?metadata%5Bk%5D=v":               "one two",
			"?metadata[k]=v&metadata[l]=w":     "two",
			"?metadata[k]=v&[l]=w":             "two",
			"?[k]=v&[l]=w":                     "two",
			"?metadata[k]=v&[k]=v":             "one two",
			"?metadata[k]=v&[k]=other":         "", // no list has both
			"?metadata[k]=V":                   "",
			"?metadata[v]=k":                   "",
			"?metadata[a+b]=%C3%A4%26%3D":      "three",
			"?[0]=":                            "three",
			"?[]=":                             "three", // [] is index 0, as PHP has it
			"?metadata[k]=other&unknown=1":     "three",
			"?k=v":                             "one two three",
			"?per_page=1&page=2":               "two",
			"?per_page=1&page=4":               "",
			"?page=&per_page=":                 "one two three",
			"?metadata[k]=v&per_page=1":        "one",
			"?[l]=w&per_page=1&page=2":         "three",
			"?metadata[k]=wrong&metadata[k]=v": "one two", // the last one of a name counts
		} {
			var got struct{ Data []struct{ Name string } }
			decode(t, w.send("lists", "GET", "/v1/products/lists"+query, ""), 200, &got)
			var names []string
			for _, l := range got.Data {
				names = append(names, l.Name)
			}
			if joined := strings.Join(names, " "); joined != want {
				t.Errorf("%s: got %q, want %q", query, joined, want)
			}
		}
	})
}
