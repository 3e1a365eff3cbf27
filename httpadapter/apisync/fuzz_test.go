package apisync_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// Whatever document is sent, it is kept or refused with errors that say where;
// and what was kept can be sent back as it is printed, which changes nothing.
func FuzzDocument(f *testing.F) {
	for _, o := range facts(f) {
		for _, request := range append([]any{o.Request}, func() (all []any) {
			for _, v := range o.Variants {
				all = append(all, v.Example)
			}
			return all
		}()...) {
			if text, err := json.Marshal(request); err == nil && request != nil {
				f.Add(o.Path, string(text))
			}
		}
	}
	for _, path := range []string{"/inventory-items", "/campaigns", "/ad-sets", "/ads"} {
		f.Add(path, item(`"price":{"amount":1,"currency":"EUR"}`))
		f.Add(path, bodyOf("campaigns", "", `"service":"facebook-ads","state":"active"`, relation("ad_account", "act_1")))
	}
	w := newWorld(f, backends.Memory(), -1)
	f.Fuzz(func(t *testing.T, path, body string) {
		switch path {
		case "/inventory-items", "/campaigns", "/ad-sets", "/ads":
		default:
			path = "/inventory-items"
		}
		at := *w
		at.t = t
		answer := at.send("sync", "POST", path, body)
		var got object
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatalf("%v in %s", err, answer.Body)
		}
		switch answer.Code {
		case 200, 201:
			if got.at("data.attributes.state") == `"removed"` {
				return // it is gone
			}
			again := at.send("sync", "PUT", path+"/"+got.id(), answer.Body.String())
			if again.Code != 200 || again.Body.String() != answer.Body.String() {
				t.Errorf("%s: sent back\n%s\nis %d\n%s", path, answer.Body, again.Code, again.Body)
			}
		case 400, 404, 409, 410, 413, 422:
			if len(got["errors"].([]any)) == 0 {
				t.Errorf("%s: no errors in %s", path, answer.Body)
			}
		default:
			t.Errorf("%s %q: %d %s", path, body, answer.Code, answer.Body)
		}
	})
}

// Whatever query is sent, it finds a page or is refused; a page's own links work.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		"page[starting_after]=1539174610449", "page[starting_after]=1&page[after]=5.0195cde4-325d-7376-ab52-48b8f1256dd0", "page[starting_after]=99999999999999999999", "page[]=1", "page[a][b]=1",
		"page[starting_after]=1773834130123&page[after]=456.", "filter[state]=active&filter[state]=paused", "%", "filter[[a]]=1", "page%5Bstarting_after%5D=1", "page[starting_after]=\x00",
	} {
		f.Add(seed)
	}
	w := newWorld(f, backends.Memory(), -1)
	for range 30 {
		w.tree("sync", "act_1")
	}
	f.Fuzz(func(t *testing.T, query string) {
		at := *w
		at.t = t
		target := (&url.URL{Path: "/campaigns", RawQuery: query}).String()
		if _, err := url.ParseRequestURI(target); err != nil {
			return
		}
		answer := at.send("sync", "GET", target, "")
		if answer.Code != 200 {
			if answer.Code != 400 && answer.Code != 422 {
				t.Errorf("%q: %d %s", query, answer.Code, answer.Body)
			}
			return
		}
		var page struct {
			Data  []any
			Links struct{ Next *string }
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		if page.Links.Next != nil && at.send("sync", "GET", *page.Links.Next, "").Code != 200 {
			t.Errorf("%q: the next page %q does not work", query, *page.Links.Next)
		}
	})
}
