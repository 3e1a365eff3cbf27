package httpadapter

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/docspage"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/httpadapter/openapi"
)

// NewDocs makes the handler of the documents about the APIs, for a host that
// serves them beside dialects that it mounts one by one:
//
//	GET /openapi.json             all APIs, as OpenAPI 3.1
//	GET /openapi/{dialect}.json   one of them: metapic, advertiser, myshare, productlists, apisync, tracking
//	GET /docs                     a page to read them, with all that it needs
//
// Everybody may read them. It works under a prefix, which the documents then
// name as the server. Of the options it uses Logger, Observe, Tracer and
// CORS.
func NewDocs(o Options) (http.Handler, error) { return newDocs(o, nil) }

// newDocs makes the handler with the operations that keep knows; nil keeps all.
func newDocs(o Options, keep func(operationID string) bool) (http.Handler, error) {
	o, err := o.WithDefaults(nil)
	if err != nil {
		return nil, err
	}
	assets, err := docspage.Assets()
	if err != nil {
		return nil, err
	}
	h := &docs{keep: keep, assets: assets, base: o.BasePath}
	return wire.NewMux(wire.Dialect{Errors: laravel.Errors{}}, o.Wire(), []wire.Route{
		{Pattern: "GET " + open.OpenAPIPath, ID: "openapi", Scope: wire.Open(), Op: wire.Raw(h.whole).Unlimited()},
		{Pattern: "GET " + open.OpenAPIPrefix + "{document}", ID: "openapi-dialect", Scope: wire.Open(), Op: wire.Raw(h.dialect).Unlimited()},
		{Pattern: "GET " + open.DocsPath, ID: "docs", Scope: wire.Open(), Op: wire.Raw(h.page).Unlimited()},
		{Pattern: "GET " + open.DocsPath + "/{asset}", ID: "docs-asset", Scope: wire.Open(), Op: wire.Raw(h.asset).Unlimited()},
	})
}

// docs serves the documents. They are made when the first reader comes.
type docs struct {
	keep   func(operationID string) bool
	assets map[string]docspage.Asset
	base   string // Options.BasePath
	once   sync.Once
	made   []apiDocument
	err    error

	mu       sync.Mutex
	prefixed map[string][]byte // documents under a prefix, by prefix and name
}

// maxPrefixed bounds the documents that are kept for prefixes.
const maxPrefixed = 64

// under returns a document whose server has a prefix. A host has few of them, so
// that they are kept.
func (h *docs) under(prefix string, d apiDocument) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := prefix + "\n" + d.name
	if packed, ok := h.prefixed[key]; ok {
		return packed, nil
	}
	packed, err := under(prefix, d.packed)
	if err != nil {
		return nil, err
	}
	if h.prefixed == nil || len(h.prefixed) >= maxPrefixed {
		h.prefixed = make(map[string][]byte)
	}
	h.prefixed[key] = packed
	return packed, nil
}

// apiDocument is a document as it is served here: without what is not mounted.
type apiDocument struct {
	name, title string
	packed      []byte
}

// server is the server in the documents, which a prefix is put into.
const server = `"servers":[{"url":"/"}]`

func (h *docs) documents() ([]apiDocument, error) {
	h.once.Do(func() {
		for _, name := range openapi.Names() {
			d, ok, err := h.make(name)
			if err != nil {
				h.err = err
				return
			}
			if ok {
				h.made = append(h.made, d)
			}
		}
	})
	return h.made, h.err
}

// make makes a document; ok is false where nothing of it is mounted.
func (h *docs) make(name string) (d apiDocument, ok bool, err error) {
	text, ok := openapi.JSON(name)
	if !ok {
		return d, false, affiliate.NotFound("document", name)
	}
	var document map[string]json.RawMessage
	var info struct{ Title string }
	var paths map[string]map[string]json.RawMessage
	if err := json.Unmarshal(text, &document); err != nil {
		return d, false, err
	}
	if err := json.Unmarshal(document["info"], &info); err != nil {
		return d, false, err
	}
	if err := json.Unmarshal(document["paths"], &paths); err != nil {
		return d, false, err
	}
	d = apiDocument{name: name, title: info.Title}
	removed, err := h.remove(paths)
	if err != nil || len(paths) == 0 {
		return d, false, err
	}
	if !removed {
		d.packed, ok = openapi.Packed(name)
		return d, ok, nil
	}
	if document["paths"], err = json.Marshal(paths); err != nil {
		return d, false, err
	}
	if text, err = json.Marshal(document); err != nil {
		return d, false, err
	}
	d.packed, err = docspage.Pack(text)
	return d, err == nil, err
}

// remove takes the operations out that are not mounted.
func (h *docs) remove(paths map[string]map[string]json.RawMessage) (removed bool, err error) {
	if h.keep == nil {
		return false, nil
	}
	for path, methods := range paths {
		for method, text := range methods {
			var operation struct{ OperationID string }
			if err := json.Unmarshal(text, &operation); err != nil {
				return false, err
			}
			if !h.keep(operation.OperationID) {
				delete(methods, method)
				removed = true
			}
		}
		if len(methods) == 0 {
			delete(paths, path)
		}
	}
	return removed, nil
}

func (h *docs) whole(w http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
	return h.document(w, r, "openapi")
}

func (h *docs) dialect(w http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
	name, ok := strings.CutSuffix(r.PathValue("document"), ".json")
	if !ok {
		return affiliate.NotFound("document", name)
	}
	return h.document(w, r, name)
}

func (h *docs) document(w http.ResponseWriter, r *http.Request, name string) error {
	all, err := h.documents()
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.name != name {
			continue
		}
		packed := d.packed
		if prefix := cmp.Or(h.base, prefixOf(r)); prefix != "" {
			if packed, err = h.under(prefix, d); err != nil {
				return err
			}
		}
		return send(w, r, "application/json", packed)
	}
	return affiliate.NotFound("document", name)
}

// prefixOf is what the host took off the path.
func prefixOf(r *http.Request) string {
	full, _, _ := strings.Cut(r.RequestURI, "?")
	prefix, ok := strings.CutSuffix(full, r.URL.EscapedPath())
	if !ok || !strings.HasPrefix(prefix, "/") {
		return ""
	}
	return prefix
}

// under is a document whose server has a prefix.
func under(prefix string, packed []byte) ([]byte, error) {
	text, err := docspage.Unpack(packed)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(prefix)
	if err != nil {
		return nil, err
	}
	return docspage.Pack(bytes.Replace(text, []byte(server), []byte(`"servers":[{"url":`+string(quoted)+`}]`), 1))
}

func (h *docs) page(w http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
	all, err := h.documents()
	if err != nil {
		return err
	}
	var offered []docspage.Document
	for _, d := range all {
		one := docspage.Document{Title: d.title, Query: d.name, URL: strings.TrimPrefix(open.OpenAPIPrefix, "/") + d.name + ".json"}
		if d.name == "openapi" {
			one = docspage.Document{Title: "All", URL: strings.TrimPrefix(open.OpenAPIPath, "/")}
		}
		offered = append(offered, one)
	}
	var b bytes.Buffer
	if err := docspage.Page(&b, "API reference", offered); err != nil {
		return err
	}
	packed, err := docspage.Pack(b.Bytes())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", docspage.Policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	return send(w, r, "text/html; charset=utf-8", packed)
}

func (h *docs) asset(w http.ResponseWriter, r *http.Request, _ affiliate.Principal) error {
	asset, ok := h.assets[r.PathValue("asset")]
	if !ok {
		return affiliate.NotFound("asset", r.PathValue("asset"))
	}
	return send(w, r, asset.ContentType, asset.Packed)
}

// send sends what is kept as gzip, and 304 to a reader who has it.
func send(w http.ResponseWriter, r *http.Request, contentType string, packed []byte) error {
	sum := sha256.Sum256(packed)
	tag := hex.EncodeToString(sum[:16])
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache") // kept, and asked for again with its tag
	h.Add("Vary", "Accept-Encoding")
	content := packed
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"`+tag+`"`)
	} else {
		text, err := docspage.Unpack(packed)
		if err != nil {
			return err
		}
		content = text
		h.Set("ETag", `"`+tag+`-plain"`)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	return nil
}
