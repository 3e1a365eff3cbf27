package httpadapter_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/httpadapter"
)

// fetch sends a GET; header is names and values.
func fetch(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// apiDocument is what the tests read of a document.
type apiDocument struct {
	OpenAPI string
	Servers []struct{ URL string }
	Paths   map[string]map[string]struct{ OperationID string }
}

func readDocument(t *testing.T, body io.Reader) (d apiDocument) {
	t.Helper()
	if err := json.NewDecoder(body).Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

func docsHandler(t *testing.T) http.Handler {
	t.Helper()
	h, err := httpadapter.NewDocs(httpadapter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTheDocumentOfAllAPIsIsServedToEverybody(t *testing.T) {
	is := is.New(t)
	h := docsHandler(t)
	got := fetch(h, "/openapi.json")
	is.Equal(got.Code, 200)
	is.Equal(got.Header().Get("Content-Type"), "application/json")
	is.Equal(got.Header().Get("Content-Encoding"), "") // the reader did not say that it takes gzip
	d := readDocument(t, got.Body)
	is.Equal(d.OpenAPI, "3.1.0")
	is.Equal(d.Servers[0].URL, "/")
	is.Equal(d.Paths["/v2/offers"]["get"].OperationID, "metapic-campaigns-list")
	is.Equal(d.Paths["/c/{id}"]["get"].OperationID, "tracking-redirect")

	packed := fetch(h, "/openapi.json", "Accept-Encoding", "gzip")
	is.Equal(packed.Header().Get("Content-Encoding"), "gzip")
	r, err := gzip.NewReader(packed.Body)
	is.NoErr(err)
	is.Equal(len(readDocument(t, r).Paths), len(d.Paths))
	is.Equal(fetch(h, "/openapi.json", "If-None-Match", got.Header().Get("ETag")).Code, http.StatusNotModified)
}

func TestEachDialectHasADocument(t *testing.T) {
	is := is.New(t)
	h := docsHandler(t)
	for _, name := range []string{"metapic", "advertiser", "myshare", "productlists", "apisync", "tracking"} {
		got := fetch(h, "/openapi/"+name+".json")
		is.Equal(got.Code, 200)
		is.True(len(readDocument(t, got.Body).Paths) > 3)
	}
	for _, target := range []string{"/openapi/other.json", "/openapi/metapic", "/openapi/", "/docs/other.js", "/docs/page.html"} {
		is.Equal(fetch(h, target).Code, 404)
	}
}

func TestADocumentUnderAPrefixNamesIt(t *testing.T) {
	is := is.New(t)
	h := http.StripPrefix("/affiliates", docsHandler(t))
	is.Equal(readDocument(t, fetch(h, "/affiliates/openapi.json").Body).Servers[0].URL, "/affiliates")
}

func TestTheDocumentHasWhatIsMountedAndNoMore(t *testing.T) {
	is := is.New(t)
	h, err := httpadapter.New(httpadapter.Services{AdSync: &adsync.Service{}}, httpadapter.Options{})
	is.NoErr(err)
	d := readDocument(t, fetch(h, "/openapi.json").Body)
	is.Equal(d.Paths["/v2/health"]["get"].OperationID, "metapic-health-get")
	is.Equal(d.Paths["/ads/{id}"]["patch"].OperationID, "apisync-ad-update-patch")
	for _, path := range []string{"/v2/offers", "/catalog/", "/c/{id}", "/report"} {
		_, there := d.Paths[path]
		is.True(!there) // its service is not there
	}
	is.Equal(fetch(h, "/openapi/myshare.json").Code, 404)
	is.True(!strings.Contains(fetch(h, "/docs").Body.String(), "MyShare"))

	h, err = httpadapter.New(httpadapter.Services{}, httpadapter.Options{WithoutDocs: true})
	is.NoErr(err)
	for _, target := range []string{"/openapi.json", "/openapi/metapic.json", "/docs", "/docs/page.js"} {
		is.Equal(fetch(h, target).Code, 404)
	}
}

func TestTheDocsPageLoadsNothingFromElsewhere(t *testing.T) {
	is := is.New(t)
	h := docsHandler(t)
	got := fetch(h, "/docs")
	is.Equal(got.Code, 200)
	is.True(strings.HasPrefix(got.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self';"))
	page := got.Body.String()
	is.True(!strings.Contains(page, "http://") && !strings.Contains(page, "https://"))
	for _, name := range []string{"swagger-ui-bundle.js", "swagger-ui.css", "page.js", "page.css"} {
		is.True(strings.Contains(page, `"docs/`+name+`"`))
		asset := fetch(h, "/docs/"+name)
		is.Equal(asset.Code, 200)
		is.True(asset.Body.Len() > 500)
	}
}
