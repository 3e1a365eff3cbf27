package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
)

const (
	csvFeed = "id,name,direct_url,currency,regular_price,final_price\n" +
		"f1,First,https://shop.example/1,EUR,10,9\n" +
		"f2,Second,nowhere,EUR,10,9\n" +
		"1001,Replaced,https://shop.example/1001,EUR,1,1\n"
	jsonFeed = `{"id":"f1","name":"First","direct_url":"https://shop.example/1","currency":"EUR","regular_price":10,"final_price":9}` + "\n{\n" +
		`{"id":"1001","name":"Replaced","direct_url":"https://shop.example/1001","currency":"EUR","final_price":1}` + "\n"
)

// shownList is what the tests look at of a list.
type shownList struct {
	Data struct {
		Products []struct {
			ID, Name string
			OnSale   bool `json:"on_sale"`
		}
	}
}

func TestAFeedIsImportedBeforeTheServerListens(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		for name, feed := range map[string]string{"feed.csv": csvFeed, "feed.JSONL": jsonFeed} {
			path := filepath.Join(t.TempDir(), name)
			is.NoErr(os.WriteFile(path, []byte(feed), 0o600))
			server := start(t, append([]string{"-demo", "-import-products", path}, flags...)...)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+server.Listening+"/v1/products/lists",
				strings.NewReader(`{"name":"x","product_ids":["1050","f1","f2","1001","1051"]}`))
			is.NoErr(err)
			request.Header.Set("Authorization", "Bearer "+server.Tokens["lists"])
			answer, err := http.DefaultClient.Do(request)
			is.NoErr(err)
			body, err := io.ReadAll(answer.Body)
			is.NoErr(err)
			is.NoErr(answer.Body.Close())
			is.Equal(answer.StatusCode, http.StatusCreated)
			var list shownList
			is.NoErr(json.Unmarshal(body, &list))
			var names []string
			for _, p := range list.Data.Products {
				names = append(names, p.Name)
			}
			is.Equal(strings.Join(names, ", "), "Thermostat 1050, First, Replaced")
			is.NoErr(server.stop())
		}
	})
}

func TestWhatIsNoFeedIsRefused(t *testing.T) {
	is := is.New(t)
	for path, content := range map[string]string{"missing.csv": "", "headless.csv": "id,name\n", "broken.xml": "<rss><channel><item>"} {
		path = filepath.Join(t.TempDir(), path)
		if content != "" {
			is.NoErr(os.WriteFile(path, []byte(content), 0o600))
		}
		c, err := parseFlags([]string{"-addr", "127.0.0.1:0", "-import-products", path}, func(string) string { return "" }, io.Discard)
		is.NoErr(err)
		var printed bytes.Buffer
		is.True(run(t.Context(), c, &printed, slog.New(slog.DiscardHandler)) != nil)
		is.Equal(printed.Len(), 0) // it never listened
	}
}

func TestDemoProductsAreValid(t *testing.T) {
	is := is.New(t)
	products := demoProducts()
	is.Equal(len(products), 50)
	for _, p := range products {
		is.NoErr(p.Validate())
	}
}
